// SPDX-License-Identifier: Apache-2.0

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What tools said, call by call, compared with what they said of the real broker: a file of `$TRANSCRIPTS`, in which names
 * of this run, addresses and ids are words, and blanks are one. The lines of a call are sorted, for tools print maps.
 * With COMPAT_RECORD=1 and the real broker the file is written instead.
 */
final class Transcript {
    private static final Pattern UUID =
        Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");

    private final Path file;
    private final List<String> lines = new ArrayList<>();
    private final List<String[]> words = new ArrayList<>();

    Transcript(String name) {
        file = Path.of(System.getenv("TRANSCRIPTS"), name);
        word(System.getenv("RUN_ID"), "RUN");
        word(System.getenv("BOOTSTRAP"), "BROKER");
    }

    /** From now on `text` is written as `instead`. */
    void word(String text, String instead) {
        words.add(new String[] {text, instead});
    }

    private String plain(String line) {
        String plain = line;
        for (String[] word : words) {
            plain = plain.replace(word[0], word[1]);
        }
        return UUID.matcher(plain).replaceAll("UUID").replaceAll("\\s+", " ").strip();
    }

    /** Without stack traces, the way in which Tool ends one, and the options that are shown after a wrong one. */
    private List<String> said(Tool done) {
        return (done.out() + done.err()).lines().map(this::plain).takeWhile(line -> !line.startsWith("Option Description"))
            .filter(line -> !line.isEmpty() && !line.matches("(at |\\[|\\.\\.\\. \\d|Caused by:|Tool.Ended|exit$).*"))
            .sorted().toList();
    }

    /** Runs a tool, and keeps what it said. */
    void call(String tool, String... arguments) {
        Tool done = Tool.run(tool, arguments);
        lines.add("$ " + plain(tool + " " + String.join(" ", arguments)) + " -> " + done.status());
        said(done).stream().map("  "::concat).forEach(lines::add);
    }

    /** Runs a tool until it says something that matches; that is kept. */
    void callUntil(String pattern, String tool, String... arguments) throws Exception {
        Pattern want = Pattern.compile(pattern);
        for (int i = 0; i < 150 && said(Tool.run(tool, arguments)).stream().noneMatch(l -> want.matcher(l).find()); i++) {
            Thread.sleep(100);
        }
        call(tool, arguments);
    }

    void compare() throws IOException {
        if ("1".equals(System.getenv("COMPAT_RECORD")) && "kafka".equals(System.getenv("BROKER_KIND"))) {
            Files.writeString(file, String.join("\n", lines) + "\n", UTF_8);
            return;
        }
        List<String> want = Files.readAllLines(file, UTF_8);
        int at = 0;
        while (at < want.size() && at < lines.size() && want.get(at).equals(lines.get(at))) {
            at++;
        }
        if (at < want.size() || at < lines.size()) {
            int call = Math.min(at, lines.size() - 1);
            while (call > 0 && !lines.get(call).startsWith("$")) {
                call--;
            }
            throw new AssertionError(file.getFileName() + " line " + (at + 1) + ", in " + lines.get(call) + ": wanted '"
                + (at < want.size() ? want.get(at) : "the end") + "', got '"
                + (at < lines.size() ? lines.get(at) : "the end") + "'");
        }
    }

    /** Arguments, some of which are many. */
    static String[] of(String[] first, String... more) {
        String[] all = Arrays.copyOf(first, first.length + more.length);
        System.arraycopy(more, 0, all, first.length, more.length);
        return all;
    }
}
