// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Feeds the application its text in three parts, kills it within the first two and the broker within the third, and compares
 * what a read_committed reader finds with a count made here.
 */
public final class StreamsSuite {
    private static final int PARTITIONS = 3;
    private static final long LIMIT_MS = 120_000;
    private static final Path TEXTS = Path.of("/usr/share/common-licenses");

    private StreamsSuite() {
    }

    private static Map<String, Object> settings() {
        return new HashMap<>(Map.of("bootstrap.servers", System.getenv("BOOTSTRAP")));
    }

    /** The first difference is shown, not all of two large maps. */
    private static <V> void same(Map<String, V> want, Map<String, V> got, String what) {
        TreeSet<String> keys = new TreeSet<>(want.keySet());
        keys.addAll(got.keySet());
        keys.removeIf(key -> want.containsKey(key) && want.get(key).equals(got.get(key)));
        if (!keys.isEmpty()) {
            String first = keys.first();
            throw new AssertionError(what + ": " + keys.size() + " differ, the first for '" + first + "': wanted "
                + want.get(first) + ", got " + got.get(first));
        }
    }

    /** Documents by name; each line is told apart by its number. */
    private static TreeMap<String, List<String>> texts() throws IOException {
        TreeMap<String, List<String>> texts = new TreeMap<>();
        try (var files = Files.list(TEXTS)) {
            for (Path file : files.filter(f -> !Files.isSymbolicLink(f)).toList()) {
                List<String> lines = new ArrayList<>();
                for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                    lines.add(lines.size() + " " + line);
                }
                texts.put(file.getFileName().toString(), lines);
            }
        }
        return texts;
    }

    private static <V> List<ConsumerRecord<String, V>> committed(String topic, Deserializer<V> values) {
        Map<String, Object> config = settings();
        config.put("isolation.level", "read_committed");
        List<ConsumerRecord<String, V>> found = new ArrayList<>();
        try (KafkaConsumer<String, V> consumer = new KafkaConsumer<>(config, new StringDeserializer(), values)) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int p = 0; p < PARTITIONS; p++) {
                partitions.add(new TopicPartition(topic, p));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                consumer.poll(Duration.ofMillis(100)).forEach(found::add);
            }
        }
        return found;
    }

    private static Process start(String id, String protocol, Path state) throws IOException {
        File log = Path.of(System.getenv("WORK_DIR"), id + ".log").toFile();
        return new ProcessBuilder("java", "-Xmx300m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "TextApp", id, protocol, state.toString())
            .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log)).start();
    }

    private static void await(String id, Process app, LongSupplier progress, long count) throws Exception {
        long end = System.currentTimeMillis() + LIMIT_MS;
        long got = 0;
        while (got < count) {
            if (!app.isAlive() || System.currentTimeMillis() > end) {
                Files.copy(Path.of(System.getenv("WORK_DIR"), id + ".log"), System.out);
                throw new AssertionError((app.isAlive() ? "too slow, " : "the application ended, ") + got + " of " + count);
            }
            Thread.sleep(200);
            got = progress.getAsLong();
        }
    }

    private static void broker(String word) throws Exception {
        List<String> words = new ArrayList<>(Arrays.asList(System.getenv("BROKER_CTL").split(" ")));
        words.add(word);
        if (new ProcessBuilder(words).inheritIO().start().waitFor() != 0) {
            throw new AssertionError("the broker does not " + word);
        }
    }

    private static long joined(String id) {
        return committed(id + "-joined", new StringDeserializer()).size();
    }

    private static Map<String, Long> counts(String id) {
        Map<String, Long> counts = new TreeMap<>();
        for (ConsumerRecord<String, Long> record : committed(id + "-words", new LongDeserializer())) {
            Long before = counts.put(record.key(), record.value());
            if (before != null && before >= record.value()) {
                throw new AssertionError("the count of " + record.key() + " went from " + before + " to " + record.value());
            }
        }
        return counts;
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private static void run(String protocol) throws Exception {
        String id = System.getenv("RUN_ID") + "-" + protocol;
        Path state = Path.of(System.getenv("WORK_DIR"), id + "-state");
        try (Admin admin = Admin.create(settings())) {
            List<NewTopic> topics = new ArrayList<>();
            for (String what : List.of("-lines", "-titles", "-words", "-joined")) {
                topics.add(new NewTopic(id + what, PARTITIONS, (short) 1));
            }
            admin.createTopics(topics).all().get();
        }
        TreeMap<String, List<String>> texts = texts();
        Map<String, Long> wantWords = new TreeMap<>();
        Map<String, Integer> wantJoined = new TreeMap<>();
        int total = 0;
        for (var text : texts.entrySet()) {
            for (String line : text.getValue()) {
                for (String word : TextApp.words(line)) {
                    wantWords.merge(word, 1L, Long::sum);
                }
                wantJoined.merge("The " + text.getKey() + ": " + line, 1, Integer::sum);
                total++;
            }
        }
        int sent = 0;
        Process app = null;
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings(), new StringSerializer(), new StringSerializer())) {
            for (String name : texts.keySet()) {
                producer.send(new ProducerRecord<>(id + "-titles", name, "The " + name));
            }
            producer.flush();
            int part = 0;
            for (var text : texts.entrySet()) {
                for (String line : text.getValue()) {
                    producer.send(new ProducerRecord<>(id + "-lines", text.getKey(), line));
                    sent++;
                }
                if (part < 2 && sent >= total * (part + 1) / 3) {
                    producer.flush();
                    app = start(id, protocol, state);
                    // Somewhere within this part, most likely inside a transaction.
                    await(id, app, () -> joined(id), total * part / 3 + 200);
                    app.destroyForcibly().waitFor();
                    part++;
                }
            }
            producer.flush();
            app = start(id, protocol, state);
            await(id, app, () -> joined(id), total * 2 / 3 + 200);
            broker("kill9");
            broker("start");
            await(id, app, () -> joined(id), total);
            await(id, app, () -> sum(counts(id)), sum(wantWords));
        } finally {
            if (app != null) {
                app.destroy();
                if (!app.waitFor(30, TimeUnit.SECONDS)) {
                    app.destroyForcibly();
                    throw new AssertionError("the application does not end");
                }
            }
        }
        Map<String, Integer> joined = new TreeMap<>();
        committed(id + "-joined", new StringDeserializer()).forEach(r -> joined.merge(r.value(), 1, Integer::sum));
        same(wantJoined, joined, "joined lines");
        Map<String, Long> counts = counts(id);
        same(wantWords, counts, "counts of words");
        System.out.println("# " + total + " lines, " + counts.size() + " words");
    }

    public static void main(String[] args) {
        // The tool first: it lists all groups there are.
        for (String test : args.length > 0 ? args : new String[] {"groups-tool", "classic", "streams"}) {
            String line = "ok " + test;
            try {
                if (test.equals("groups-tool")) {
                    StreamsTools.run();
                } else {
                    run(test);
                }
            } catch (Throwable e) {
                e.printStackTrace(System.out);
                String text = String.valueOf(e).replace('\n', ' ');
                line = "not ok " + test + " " + text.substring(0, Math.min(400, text.length()));
            }
            System.out.println(line);
        }
        System.exit(0);
    }
}
