// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListStreamsGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Materialized;

/** kafka-streams-groups with a small application: while it runs, and after. What it says is in groups.txt. */
final class StreamsTools {
    private static final int PARTITIONS = 2;
    private static final int RECORDS = 5; // in each

    private StreamsTools() {
    }

    private static Map<String, Object> settings() {
        return Map.of("bootstrap.servers", System.getenv("BOOTSTRAP"));
    }

    private static KafkaStreams application(String id, String input) {
        Properties config = new Properties();
        config.putAll(settings());
        config.put("application.id", id);
        config.put("client.id", "client");
        config.put("group.protocol", "streams");
        config.put("state.dir", Path.of(System.getenv("WORK_DIR"), "state").toString());
        config.put("commit.interval.ms", 100);
        config.put("default.key.serde", Serdes.StringSerde.class);
        config.put("default.value.serde", Serdes.StringSerde.class);
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(input).selectKey((key, value) -> value).groupByKey().count(Materialized.as("store"));
        return new KafkaStreams(builder.build(), config);
    }

    /** Input and repartition topic are read to their ends. */
    private static boolean isDone(Admin admin, String id) throws Exception {
        Map<?, OffsetAndMetadata> offsets = admin.listStreamsGroupOffsets(Map.of(id, new ListStreamsGroupOffsetsSpec()))
            .partitionsToOffsetAndMetadata(id).get();
        return offsets.values().stream().filter(o -> o != null).mapToLong(OffsetAndMetadata::offset).sum()
            >= 2L * PARTITIONS * RECORDS;
    }

    static void run() throws Exception {
        String id = System.getenv("RUN_ID") + "-app";
        String input = System.getenv("RUN_ID") + "-input";
        String other = System.getenv("RUN_ID") + "-other";
        String[] group = {"--group", id};
        String[] reset = {"--reset-offsets", "--group", id};
        Transcript said = new Transcript("groups.txt");
        try (Admin admin = Admin.create(settings())) {
            admin.createTopics(List.of(new NewTopic(input, PARTITIONS, (short) 1), new NewTopic(other, 1, (short) 1)))
                .all().get();
            try (var producer = new KafkaProducer<>(settings(), new StringSerializer(), new StringSerializer())) {
                for (int i = 0; i < PARTITIONS * RECORDS; i++) {
                    producer.send(new ProducerRecord<>(input, i % PARTITIONS, 1_000_000_000_000L + i, null, "v" + i % 3));
                }
            }
            try (KafkaStreams app = application(id, input)) {
                app.start();
                long end = System.currentTimeMillis() + 60_000;
                while (!isDone(admin, id)) {
                    if (System.currentTimeMillis() > end) {
                        throw new AssertionError("the application does not get on: " + app.state());
                    }
                    Thread.sleep(100);
                }
                said.word(admin.describeStreamsGroups(List.of(id)).all().get().get(id).members().iterator().next().memberId(),
                    "MEMBER");
                said.callUntil(id.replace(System.getenv("RUN_ID"), "RUN") + " Stable", "streams-groups", "--list", "--state");
                said.call("streams-groups", "--list", "--state", "stable,reconciling");
                said.call("streams-groups", "--list", "--state", "Empty");
                said.call("streams-groups", "--list");
                for (String what : List.of("--offsets", "--members", "--state")) {
                    said.call("streams-groups", "--describe", "--group", id, what);
                    said.call("streams-groups", "--describe", "--group", id, what, "--verbose");
                }
                said.call("streams-groups", "--describe", "--all-groups", "--state");
                said.call("streams-groups", Transcript.of(reset, "--all-input-topics", "--to-earliest", "--execute"));
                said.call("streams-groups", Transcript.of(group, "--delete-offsets", "--input-topic", input));
                said.call("streams-groups", Transcript.of(group, "--delete"));
                app.close(Duration.ofSeconds(30));
            }
            said.callUntil("Empty", "streams-groups", "--describe", "--group", id, "--state", "--verbose");
            said.call("streams-groups", "--describe", "--group", id);
            said.call("streams-groups", "--describe", "--group", id, "--members");
            said.call("streams-groups", "--describe", "--group", id + "-none");
            resets(said, reset, input);
            said.call("streams-groups", Transcript.of(group, "--delete-offsets", "--input-topic", input + ":0"));
            said.call("streams-groups", Transcript.of(group, "--delete-offsets", "--input-topic", input + ":0"));
            said.call("streams-groups", Transcript.of(group, "--delete-offsets", "--input-topic", other));
            said.call("streams-groups", Transcript.of(group, "--delete-offsets", "--all-input-topics"));
            said.call("streams-groups", "--group", id + "-none", "--delete-offsets", "--input-topic", input);
            said.call("topics", "--list");
            said.call("streams-groups", Transcript.of(reset, "--all-input-topics", "--to-earliest",
                "--delete-internal-topic", id + "-store-changelog", "--execute"));
            said.call("topics", "--list");
            said.call("streams-groups", Transcript.of(group, "--delete", "--delete-all-internal-topics"));
            said.call("streams-groups", Transcript.of(group, "--delete"));
            said.call("streams-groups", "--list");
            said.call("streams-groups", Transcript.of(reset, "--all-input-topics", "--to-earliest", "--execute"));
        }
        said.compare();
    }

    private static void resets(Transcript said, String[] reset, String input) throws Exception {
        String[][] ways = {{"--to-earliest"}, {"--to-latest"}, {"--to-offset", "3"}, {"--to-offset", "30"}, {"--shift-by", "-2"},
            {"--shift-by", "-20"}, {"--to-datetime", "2001-09-09T01:46:40.004"}, {"--to-datetime", "2038-01-01T00:00:00.000"},
            {"--by-duration", "PT1H"}, {"--by-duration", "P20000D"}, {"--to-current"}};
        for (String[] way : ways) {
            said.call("streams-groups", Transcript.of(Transcript.of(reset, "--all-input-topics", "--execute"), way));
        }
        said.call("streams-groups", Transcript.of(reset, "--input-topic", input + ":1", "--to-offset", "2", "--dry-run"));
        said.call("streams-groups", Transcript.of(reset, "--input-topic", input + ":1", "--to-offset", "2", "--execute"));
        said.call("streams-groups", Transcript.of(reset, "--input-topic", input + "-none", "--to-earliest", "--execute"));
        said.call("streams-groups", Transcript.of(reset, "--all-input-topics", "--to-current", "--export"));
        Path plan = Path.of(System.getenv("WORK_DIR"), "plan.csv");
        said.word(plan.toString(), "PLAN");
        Files.writeString(plan, input + ",0,4\n" + input + ",1,1\n");
        said.call("streams-groups", Transcript.of(reset, "--from-file", plan.toString(), "--execute"));
        said.call("streams-groups", Transcript.of(reset, "--all-input-topics", "--to-current", "--dry-run"));
    }
}
