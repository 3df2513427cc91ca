// SPDX-License-Identifier: Apache-2.0

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Everything that a broker serves, as lines of text: topics with their ids and settings, every record for both kinds of reader,
 * first, last and stable offsets, offsets by time, committed offsets. Two brokers on the same files must give the same picture.
 */
final class Photo {
    private Photo() { }

    static String take(String bootstrap, String file) throws Exception {
        int records = 0;
        try (PrintWriter out = new PrintWriter(file, StandardCharsets.UTF_8);
             Admin admin = Admin.create(Plants.settings(bootstrap))) {
            List<TopicPartition> partitions = topics(admin, out);
            for (String isolation : List.of("read_uncommitted", "read_committed"))
                records += read(bootstrap, isolation, partitions, out);
            groups(admin, out);
        }
        return records + " records " + Path.of(file).getFileName();
    }

    /**
     * Of topics whose log is the same whoever serves it and when. Those with retention and compaction change by themselves, and
     * those that come and go may do so while we look: about these the witness knows.
     */
    private static List<TopicPartition> topics(Admin admin, PrintWriter out) throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>(admin.listTopics().names().get());
        names.removeIf(n -> n.equals("c-short") || n.equals("c-keyed") || n.contains("-churn-"));
        for (TopicDescription topic : new TreeMap<>(admin.describeTopics(names).allTopicNames().get()).values()) {
            out.println("topic " + topic.name() + " " + topic.topicId() + " " + topic.partitions().size());
            topic.partitions().forEach(p -> partitions.add(new TopicPartition(topic.name(), p.partition())));
        }
        return partitions;
    }

    private static int read(String bootstrap, String isolation, List<TopicPartition> partitions, PrintWriter out) {
        int count = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Plants.settings(bootstrap, "isolation.level",
            isolation, "enable.auto.commit", false, "max.poll.records", 5000), new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
            Map<TopicPartition, Long> first = consumer.beginningOffsets(partitions), end = consumer.endOffsets(partitions);
            Map<TopicPartition, List<String>> found = new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
            Map<TopicPartition, Long> middle = new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
            partitions.forEach(p -> found.put(p, new ArrayList<>()));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long limit = System.currentTimeMillis() + 60000;
            while (!partitions.stream().allMatch(p -> consumer.position(p) >= end.get(p))) {
                if (System.currentTimeMillis() > limit)
                    throw new IllegalStateException("the ends were not reached: " + partitions.stream().filter(
                        p -> consumer.position(p) < end.get(p)).map(p -> p + " at " + consumer.position(p) + " of "
                        + end.get(p)).toList());
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(100))) {
                    TopicPartition p = new TopicPartition(r.topic(), r.partition());
                    found.get(p).add(line(r));
                    if (r.offset() <= (first.get(p) + end.get(p)) / 2)
                        middle.put(p, r.timestamp());
                    count++;
                }
            }
            Map<TopicPartition, OffsetAndTimestamp> times = consumer.offsetsForTimes(middle);
            for (TopicPartition p : found.keySet()) {
                out.println(isolation + " " + p + " first " + first.get(p) + " end " + end.get(p) + " at "
                    + middle.get(p) + ": " + times.get(p));
                if (!p.topic().startsWith("__")) // what is in those, the groups and transactions below tell
                    found.get(p).forEach(out::println);
            }
        }
        return count;
    }

    private static String line(ConsumerRecord<byte[], byte[]> r) {
        StringBuilder text = new StringBuilder().append(r.offset()).append(' ').append(r.timestamp()).append(' ')
            .append(r.timestampType()).append(' ').append(r.leaderEpoch().orElse(-1)).append(' ').append(hash(r.key())).append(' ')
            .append(hash(r.value()));
        for (Header header : r.headers())
            text.append(' ').append(header.key()).append('=').append(hash(header.value()));
        return text.toString();
    }

    private static String hash(byte[] bytes) {
        return bytes == null ? "null" : bytes.length + ":" + Integer.toHexString(Arrays.hashCode(bytes));
    }

    private static void groups(Admin admin, PrintWriter out) throws Exception {
        TreeSet<String> names = new TreeSet<>(List.of("garden-classic", "garden-consumer", "garden-txn", "witness"));
        for (GroupListing group : admin.listGroups().all().get())
            out.println("# listed " + group.groupId() + " " + group.protocol());
        for (String name : names) {
            Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(Map.of(name,
                new ListConsumerGroupOffsetsSpec())).partitionsToOffsetAndMetadata(name).get();
            new TreeMap<>(Map.copyOf(asText(offsets))).forEach((p, o) -> out.println("group " + name + " " + p + " " + o));
        }
    }

    private static Map<String, String> asText(Map<TopicPartition, OffsetAndMetadata> offsets) {
        Map<String, String> text = new TreeMap<>();
        offsets.forEach((p, o) -> text.put(p.toString(), o == null ? "null" : o.offset() + " " + o.leaderEpoch() + " " + o.metadata()));
        return text;
    }
}
