// SPDX-License-Identifier: Apache-2.0
package odradek;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;

/**
 * Holds our codec against Kafka's message classes. For every message and version:
 * defaults:   a fresh message prints and encodes alike;
 * theirs:     a random frame of Kafka's is decoded by us, encoded to the same bytes, printed to the
 *             same JSON, and encodes at another version to the same bytes or fails as Kafka fails;
 * ours:       a random message of ours is read by Kafka, written to the same bytes and JSON;
 * broken:     of a frame that was cut or changed, both say the same: no, or the same message.
 * And the lists of messages, versions, headers and errors are Kafka's.
 */
public final class WireOracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SHOWN = 40;

    private final Peer peer;
    private final Map<String, Messages.Kind> kinds;
    private final int perVersion;
    private final long seed;
    private long messages;
    private long broken;
    private long brokenRefused;
    private long failures;
    private PrintWriter golden;

    private WireOracle(Peer peer, int perVersion, long seed) throws Exception {
        this.peer = peer;
        this.kinds = Messages.all();
        this.perVersion = perVersion;
        this.seed = seed;
    }

    public static void main(String[] args) throws Exception {
        int perVersion = 200;
        long seed = 1;
        String only = null;
        PrintWriter golden = null;
        for (int i = 1; i < args.length; i += 2) {
            switch (args[i]) {
                case "--messages" -> perVersion = Integer.parseInt(args[i + 1]);
                case "--seed" -> seed = Long.parseLong(args[i + 1]);
                case "--only" -> only = args[i + 1];
                case "--golden" -> golden = new PrintWriter(args[i + 1], StandardCharsets.UTF_8);
                default -> throw new IllegalArgumentException(args[i]);
            }
        }
        long failures;
        try (Peer peer = new Peer(args[0])) {
            WireOracle oracle = new WireOracle(peer, perVersion, seed);
            oracle.golden = golden;
            failures = oracle.run(only);
        }
        if (golden != null)
            golden.close();
        System.exit(failures == 0 ? 0 : 1);
    }

    private long run(String only) throws Exception {
        int versions = 0;
        compareErrors();
        compareLists();
        for (Messages.Kind kind : kinds.values()) {
            if (only != null && !kind.name.equals(only))
                continue;
            for (short version = kind.first; version <= kind.last; version++) {
                Random random = new Random(seed * 1000003 + kind.name.hashCode() * 31L + version);
                defaults(kind, version);
                List<byte[]> frames = theirs(kind, version, random);
                ours(kind, version, random);
                broken(kind, version, random, frames);
                versions++;
            }
        }
        System.out.printf("wire oracle: %d schemas, %d versions, %d messages, %d broken frames "
            + "(%d refused by both), seed %d: %s%n", only == null ? kinds.size() : 1, versions,
            messages, broken, brokenRefused, seed,
            failures == 0 ? "no difference" : failures + " differences");
        return failures;
    }

    // ---- lists ----

    private void compareErrors() throws Exception {
        String theirs = Arrays.stream(Errors.values())
            .sorted((a, b) -> Short.compare(a.code(), b.code()))
            .map(e -> e.code() + " " + e.name() + " "
                + (e.exception() instanceof RetriableException ? 1 : 0) + " "
                + (e.exception() instanceof InvalidMetadataException ? 1 : 0) + "\n")
            .collect(Collectors.joining());
        same("errors", "list", theirs, peer.facts('E'));
    }

    private void compareLists() throws Exception {
        TreeSet<String> unseen = new TreeSet<>(kinds.keySet());
        for (String line : peer.facts('L').split("\n")) {
            String name = line.split(" ")[0];
            Messages.Kind kind = kinds.get(name);
            unseen.remove(name);
            if (kind == null) {
                fail(name, "is no message of Kafka's", "", "");
                continue;
            }
            same(name, "facts", facts(kind, line.split(" ")), line);
        }
        if (!unseen.isEmpty())
            fail("schemas", "lack " + unseen, "", "");
    }

    /** The line that C should have given. */
    private static String facts(Messages.Kind kind, String[] ours) throws Exception {
        String what = ours[1];
        boolean request = what.equals("request");
        int key = kind.fresh() instanceof ApiMessage m && m.apiKey() >= 0 ? m.apiKey()
            : Integer.parseInt(ours[2]);
        String line = kind.name + " " + what + " " + key + " " + kind.first + " " + kind.last + " ";
        if (!request && !what.equals("response"))
            return line + kind.last + " ";
        ApiKeys api = ApiKeys.forId(key);
        String headers = IntStream.rangeClosed(kind.first, kind.last)
            .mapToObj(v -> "" + (request ? api.requestHeaderVersion((short) v)
                : api.responseHeaderVersion((short) v))).collect(Collectors.joining(","));
        String where = api.messageType.listeners().stream().map(x -> x.name().substring(0, 1))
            .sorted().collect(Collectors.joining());
        return line + (request ? api.latestVersion(false) + " " + where : kind.last + " ") + " "
            + headers;
    }

    // ---- messages ----

    private void defaults(Messages.Kind kind, short version) throws Exception {
        String where = kind.name + " v" + version + " default";
        Peer.Verdict ours = peer.defaults(kind.name, version);
        byte[] theirs = tryWrite(kind, kind.fresh(), version);
        same(where, "bytes", hex(theirs), theirs == null && ours.bytes().length == 0
            && ours.json().contains("at version") ? hex(null) : hex(ours.bytes()));
        if (theirs != null)
            same(where, "JSON", kind.json(kind.fresh(), version), ours.json());
        messages++;
    }

    private List<byte[]> theirs(Messages.Kind kind, short version, Random random) throws Exception {
        RandomBytes maker = new RandomBytes(random);
        List<byte[]> frames = new ArrayList<>();
        List<Message> read = new ArrayList<>();
        List<Short> others = new ArrayList<>();
        while (frames.size() < perVersion) {
            byte[] frame = maker.frame(kind.schema(version));
            try {
                read.add(kind.read(frame, version));
            } catch (RuntimeException e) {
                // Kafka's description gives every version all the tags; its classes do not.
                if (!String.valueOf(e.getMessage()).matches("Tag \\d+ is not valid for version.*"))
                    throw new IllegalStateException(kind.name + " v" + version, e);
                continue;
            }
            frames.add(frame);
            others.add((short) (kind.first + random.nextInt(kind.last - kind.first + 1)));
        }
        List<Peer.Verdict> verdicts = peer.judge(kind.name, version, frames, others);
        byte[] example = null;
        String exampleJson = null;
        for (int i = 0; i < frames.size(); i++) {
            String where = kind.name + " v" + version + " theirs " + i;
            Peer.Verdict ours = verdicts.get(i);
            messages++;
            if (!ours.decoded()) {
                fail(where, "we cannot decode " + hex(frames.get(i)), "", ours.json());
                continue;
            }
            same(where, "bytes", hex(kind.write(read.get(i), version)), hex(ours.bytes()));
            sameJson(where, kind.json(read.get(i), version), ours.json());
            byte[] other = tryWrite(kind, read.get(i), others.get(i));
            same(where, "at version " + others.get(i), hex(other),
                ours.otherOk() ? hex(ours.other()) : hex(null));
            if (ours.json().equals(kind.json(read.get(i), version))
                    && (example == null || isBetterExample(ours.bytes(), example))) {
                example = ours.bytes();
                exampleJson = ours.json();
            }
        }
        if (golden != null && version == kind.last)
            golden.println(kind.name + " " + version + " " + hex(example) + " " + exampleJson);
        return frames;
    }

    /** The fullest of up to 250 bytes, else the smallest. */
    private static boolean isBetterExample(byte[] a, byte[] than) {
        if (a.length > 250 || than.length > 250)
            return a.length < than.length;
        return a.length > than.length;
    }

    private void ours(Messages.Kind kind, short version, Random random) throws Exception {
        List<Peer.Verdict> verdicts = peer.random(kind.name, version, perVersion, random.nextLong());
        for (int i = 0; i < verdicts.size(); i++) {
            String where = kind.name + " v" + version + " ours " + i;
            Peer.Verdict ours = verdicts.get(i);
            messages++;
            Message message;
            try {
                message = kind.read(ours.bytes(), version);
            } catch (RuntimeException e) {
                fail(where, "Kafka cannot read " + hex(ours.bytes()), e.toString(), ours.json());
                continue;
            }
            same(where, "bytes", hex(kind.write(message, version)), hex(ours.bytes()));
            sameJson(where, kind.json(message, version), ours.json());
        }
    }

    private void broken(Messages.Kind kind, short version, Random random, List<byte[]> good)
            throws Exception {
        List<byte[]> frames = new ArrayList<>();
        List<Short> others = new ArrayList<>();
        for (int i = 0; i < perVersion; i++) {
            byte[] frame = good.get(i).clone();
            if (frame.length > 4096 || frame.length == 0)
                continue;
            if (random.nextInt(4) == 0)
                frame = Arrays.copyOf(frame, random.nextInt(frame.length));
            else
                for (int n = 1 + random.nextInt(3); n > 0; n--)
                    frame[random.nextInt(frame.length)] = (byte) (random.nextInt(3) == 0 ? 0xff
                        : random.nextInt(3) == 0 ? random.nextInt(4) : random.nextInt());
            frames.add(frame);
            others.add(version);
        }
        List<Peer.Verdict> verdicts = peer.judge(kind.name, version, frames, others);
        for (int i = 0; i < frames.size(); i++) {
            String where = kind.name + " v" + version + " broken " + i;
            Peer.Verdict ours = verdicts.get(i);
            Message message = null;
            broken++;
            try {
                message = kind.read(frames.get(i), version);
            } catch (RuntimeException e) {
                brokenRefused++;
                if (ours.decoded())
                    fail(where, "we accept " + hex(frames.get(i)), e.toString(), ours.json());
                continue;
            }
            if (!ours.decoded()) {
                fail(where, "we refuse " + hex(frames.get(i)), "", ours.json());
                continue;
            }
            byte[] written = tryWrite(kind, message, version);
            if (written == null) {
                if (ours.bytes().length > 0)
                    fail(where, "we encode again " + hex(frames.get(i)), "", ours.json());
                continue;
            }
            // What is not UTF-8 Java changes when it reads; we pass on what we got.
            String json = kind.json(message, version);
            if (json.indexOf('\ufffd') < 0)
                same(where, "bytes", hex(written), hex(ours.bytes()));
            sameJson(where, json, ours.json());
        }
    }

    /** null if Kafka cannot write the message at that version. */
    private static byte[] tryWrite(Messages.Kind kind, Message message, short version) {
        try {
            return kind.write(message, version);
        } catch (RuntimeException e) {
            return null;
        }
    }

    // ---- comparison ----

    private void same(String where, String what, String theirs, String ours) {
        if (!theirs.equals(ours))
            fail(where, what + " differ", theirs, ours);
    }

    /** The texts must be equal. Only a double may have more digits: JDK 17 prints some it need not. */
    private void sameJson(String where, String theirs, String ours) throws JsonProcessingException {
        if (!theirs.equals(ours) && !(theirs.indexOf('E') >= 0 || theirs.indexOf('.') >= 0)
                || !theirs.equals(ours) && !JSON.readTree(theirs).equals(JSON.readTree(ours)))
            fail(where, "JSON differs", theirs, ours);
    }

    private void fail(String where, String what, String theirs, String ours) {
        if (failures++ < SHOWN)
            System.out.printf("%s: %s%n  Kafka: %s%n  ours:  %s%n", where, cut(what), cut(theirs),
                cut(ours));
    }

    private static String cut(String s) {
        return s.length() > 600 ? s.substring(0, 600) + "…" : s;
    }

    private static String hex(byte[] bytes) {
        return bytes == null ? "(cannot be written)" : HexFormat.of().formatHex(bytes);
    }
}
