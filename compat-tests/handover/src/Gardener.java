// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * What `rounds` asks of Kafka's own code, in one JVM for all rounds. A line in is a command, a line out its answer: `ok`, or
 * `ok` and a text, or `not ok` and the reason.
 *
 * <pre>
 *   plant BOOTSTRAP ROUND       transactions, groups and offsets of every kind that the broker serves
 *   photo BOOTSTRAP FILE        everything that it serves, as text
 *   dump DATA                   Kafka's tools over every file of a stopped broker's directory
 * </pre>
 */
public final class Gardener {
    private Gardener() { }

    private static String answer(String[] words) throws Exception {
        switch (words[0]) {
        case "plant":
            return new Plants(words[1]).plant(Integer.parseInt(words[2]));
        case "photo":
            return Photo.take(words[1], words[2]);
        case "dump":
            return Files.check(words[1]);
        default:
            throw new IllegalArgumentException("no such command: " + words[0]);
        }
    }

    public static void main(String[] args) throws Exception {
        Locale.setDefault(Locale.ROOT);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                out.println("ok " + answer(line.split(" ")));
            } catch (Throwable e) { // of the tools, too: they throw what they like
                String where = Arrays.stream(e.getStackTrace()).limit(3).map(Object::toString).reduce("", (a, b) -> a + " " + b);
                out.println("not ok " + String.valueOf(e).replace('\n', ' ') + where);
            }
        }
    }
}
