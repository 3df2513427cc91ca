// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * kafka-consumer-groups and kafka-groups with a group of each protocol, while it has a member and after. What they say of the
 * real broker is in groups-classic.txt and groups-consumer.txt.
 */
final class Groups {
    private static final int PARTITIONS = 2;
    private static final int RECORDS = 10;
    private static final String TOOL = "consumer-groups";

    private Groups() {
    }

    private static Map<String, Object> settings(Object... pairs) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
        for (int i = 0; i < pairs.length; i += 2) {
            settings.put((String) pairs[i], pairs[i + 1]);
        }
        return settings;
    }

    static void run(String protocol) throws Exception {
        String id = System.getenv("RUN_ID") + "-of-" + protocol;
        String topic = id + "-topic";
        Transcript said = new Transcript("groups-" + protocol + ".txt");
        try (Admin admin = Admin.create(settings())) {
            admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1),
                new NewTopic(id + "-other", 1, (short) 1))).all().get();
            try (var producer = new KafkaProducer<>(settings(), new StringSerializer(), new StringSerializer())) {
                for (int i = 0; i < RECORDS; i++) {
                    producer.send(new ProducerRecord<>(topic, i % PARTITIONS, 1_000_000_000_000L + i, null, "v"));
                }
            }
            admin.alterConsumerGroupOffsets(id + "-simple", Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(1)))
                .all().get();
            try (var consumer = new KafkaConsumer<>(settings("group.id", id, "group.protocol", protocol, "client.id", "client",
                    "auto.offset.reset", "earliest", "enable.auto.commit", false),
                    new StringDeserializer(), new StringDeserializer())) {
                consumer.subscribe(List.of(topic));
                for (int got = 0; got < RECORDS;) {
                    got += consumer.poll(Duration.ofMillis(200)).count();
                }
                consumer.commitSync();
                var members = admin.describeConsumerGroups(List.of(id)).all().get().get(id).members();
                said.word(members.iterator().next().consumerId(), "MEMBER");
                withMember(said, id, topic, protocol);
            }
            said.callUntil("Empty", TOOL, "--describe", "--group", id, "--state", "--verbose");
            withoutMembers(said, id, topic);
        }
        said.compare();
    }

    private static void withMember(Transcript said, String id, String topic, String protocol) throws Exception {
        said.callUntil("of-" + protocol + " Stable", TOOL, "--list", "--state");
        said.call(TOOL, "--list", "--type");
        said.call(TOOL, "--list", "--type", "classic", "--state", "Stable,Empty");
        said.call(TOOL, "--list", "--type", "consumer", "--state", "stable");
        said.call(TOOL, "--list", "--state", "Dead");
        said.call(TOOL, "--list");
        for (String what : List.of("--offsets", "--members", "--state")) {
            said.call(TOOL, "--describe", "--group", id, what);
            said.call(TOOL, "--describe", "--group", id, what, "--verbose");
        }
        said.call(TOOL, "--describe", "--all-groups", "--state");
        said.call(TOOL, "--describe", "--group", id + "-simple");
        said.call(TOOL, "--reset-offsets", "--group", id, "--all-topics", "--to-earliest", "--execute");
        said.call(TOOL, "--delete-offsets", "--group", id, "--topic", topic);
        said.call(TOOL, "--delete-offsets", "--group", id, "--topic", id + "-other");
        said.call(TOOL, "--delete", "--group", id);
        for (String[] filter : new String[][] {{}, {"--consumer"}, {"--share"}, {"--streams"}, {"--group-type", "classic"},
            {"--group-type", "consumer"}, {"--protocol", "consumer"}, {"--group-type", "classic", "--protocol", "consumer"}}) {
            said.call("groups", Transcript.of(new String[] {"--list"}, filter));
        }
    }

    private static void withoutMembers(Transcript said, String id, String topic) throws Exception {
        String[] reset = {"--reset-offsets", "--group", id};
        said.call(TOOL, "--describe", "--group", id);
        said.call(TOOL, "--describe", "--group", id, "--members");
        said.call(TOOL, "--describe", "--group", id + "-none");
        String[][] ways = {{"--to-earliest"}, {"--to-latest"}, {"--to-offset", "3"}, {"--to-offset", "30"}, {"--shift-by", "-2"},
            {"--shift-by", "-20"}, {"--to-datetime", "2001-09-09T01:46:40.004"}, {"--to-datetime", "2038-01-01T00:00:00.000"},
            {"--by-duration", "PT1H"}, {"--by-duration", "P20000D"}, {"--to-current"}};
        for (String[] way : ways) {
            said.call(TOOL, Transcript.of(Transcript.of(reset, "--all-topics", "--execute"), way));
        }
        said.call(TOOL, Transcript.of(reset, "--topic", topic + ":1", "--to-offset", "2", "--dry-run"));
        said.call(TOOL, Transcript.of(reset, "--topic", topic + ":1", "--to-offset", "2", "--execute"));
        said.call(TOOL, Transcript.of(reset, "--topic", topic + "-none", "--to-earliest", "--execute"));
        said.call(TOOL, Transcript.of(reset, "--all-topics", "--to-current", "--dry-run", "--export"));
        Path plan = Path.of(System.getenv("WORK_DIR"), "plan.csv");
        said.word(plan.toString(), "PLAN");
        Files.writeString(plan, topic + ",0,4\n" + topic + ",1,1\n");
        said.call(TOOL, Transcript.of(reset, "--from-file", plan.toString(), "--execute"));
        said.call(TOOL, "--describe", "--group", id, "--offsets", "--verbose");
        said.call(TOOL, "--reset-offsets", "--group", id + "-new", "--topic", topic, "--to-latest", "--execute");
        said.call(TOOL, "--reset-offsets", "--all-groups", "--topic", topic, "--to-earliest", "--execute");
        said.call(TOOL, "--delete-offsets", "--group", id, "--topic", topic + ":0");
        said.call(TOOL, "--delete-offsets", "--group", id, "--topic", id + "-other");
        said.call(TOOL, "--delete-offsets", "--group", id + "-none", "--topic", topic);
        said.call(TOOL, "--describe", "--group", id);
        said.call(TOOL, "--delete", "--group", id + "-simple");
        said.call(TOOL, "--delete", "--group", id);
        said.call(TOOL, "--delete", "--group", id);
        said.call(TOOL, "--delete", "--group", id + "-new");
        said.call(TOOL, "--list");
    }
}
