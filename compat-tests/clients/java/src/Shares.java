// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Share groups (KIP-932): records taken, acknowledged, released and shared; groups administered. */
final class Shares {
    private static final Duration WAIT = Duration.ofMillis(200);

    private Shares() {
    }

    private static ShareConsumer<byte[], byte[]> consumer(String group, Object... pairs) {
        Map<String, Object> all = Kit.settings("group.id", group);
        for (int i = 0; i < pairs.length; i += 2) {
            all.put((String) pairs[i], pairs[i + 1]);
        }
        return new KafkaShareConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** A group that begins at the first record. */
    private static String group(String what, String... more) throws Exception {
        String group = Kit.name(what);
        List<AlterConfigOp> ops = new ArrayList<>();
        ops.add(new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"),
            AlterConfigOp.OpType.SET));
        for (int i = 0; i < more.length; i += 2) {
            ops.add(new AlterConfigOp(new ConfigEntry(more[i], more[i + 1]), AlterConfigOp.OpType.SET));
        }
        try (Admin admin = Kit.admin()) {
            Kit.get(admin.incrementalAlterConfigs(
                Map.of(new ConfigResource(ConfigResource.Type.GROUP, group), (Collection<AlterConfigOp>) ops)).all());
        }
        return group;
    }

    private interface Taker {
        AcknowledgeType take(ConsumerRecord<byte[], byte[]> record);
    }

    /** Takes and acknowledges until `count` records were accepted or rejected. */
    private static void work(ShareConsumer<byte[], byte[]> consumer, int count, Taker taker) {
        long end = System.currentTimeMillis() + Kit.LIMIT_MS;
        int done = 0;
        while (done < count && System.currentTimeMillis() < end) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(WAIT)) {
                AcknowledgeType type = taker.take(record);
                consumer.acknowledge(record, type);
                done += type == AcknowledgeType.RELEASE ? 0 : 1;
            }
            consumer.commitSync().forEach((partition, error) ->
                Kit.holds(error.isEmpty(), "acknowledged: " + error));
        }
        Kit.same(count, done, "records done with");
    }

    static void consume() throws Exception {
        String topic = Kit.topic("share-consume", 2);
        String group = group("share-consume");
        Kit.fill(topic, 500, 50);
        Set<Long> seen = new TreeSet<>();
        try (ShareConsumer<byte[], byte[]> consumer = consumer(group)) {
            consumer.subscribe(List.of(topic));
            long end = System.currentTimeMillis() + Kit.LIMIT_MS;
            while (seen.size() < 500 && System.currentTimeMillis() < end) {
                consumer.poll(WAIT).forEach(record -> {
                    Kit.holds(java.util.Arrays.equals(Kit.value((int) record.offset(), 50), record.value()), "value");
                    Kit.same((short) 1, record.deliveryCount().get(), "deliveries");
                    Kit.holds(seen.add(record.offset()), "given twice: " + record.offset());
                });
            }
            consumer.commitSync().forEach((partition, error) -> Kit.holds(error.isEmpty(), "committed: " + error));
        }
        Kit.same(500, seen.size(), "records");
        try (Admin admin = Kit.admin()) { // what was taken and closed over is acknowledged
            var spec = Map.of(group, new ListShareGroupOffsetsSpec());
            Kit.becomes(0L, () -> Kit.get(admin.listShareGroupOffsets(spec).partitionsToOffsetInfo(group))
                .get(new TopicPartition(topic, 0)).lag().orElse(-1L), "lag");
        }
    }

    static void acknowledge() throws Exception {
        String topic = Kit.topic("share-ack", 1);
        String group = group("share-ack");
        Kit.fill(topic, 60, 20);
        Map<Long, Integer> deliveries = new TreeMap<>();
        try (ShareConsumer<byte[], byte[]> consumer = consumer(group, "share.acknowledgement.mode", "explicit")) {
            consumer.subscribe(List.of(topic));
            work(consumer, 60, record -> {
                int times = deliveries.merge(record.offset(), 1, Integer::sum);
                Kit.same((short) times, record.deliveryCount().get(), "deliveries of " + record.offset());
                return record.offset() % 3 == 0 && times == 1 ? AcknowledgeType.RELEASE
                    : record.offset() % 3 == 1 ? AcknowledgeType.REJECT : AcknowledgeType.ACCEPT;
            });
            Kit.same(true, consumer.poll(WAIT).isEmpty(), "nothing is left");
        }
        deliveries.forEach((offset, times) -> Kit.same(offset % 3 == 0 ? 2 : 1, times, "deliveries of " + offset));
    }

    static void renew() throws Exception {
        String topic = Kit.topic("share-renew", 1);
        String group = group("share-renew");
        Kit.fill(topic, 5, 20);
        try (ShareConsumer<byte[], byte[]> consumer = consumer(group, "share.acknowledgement.mode", "explicit")) {
            consumer.subscribe(List.of(topic));
            Map<Long, Integer> times = new TreeMap<>();
            long end = System.currentTimeMillis() + Kit.LIMIT_MS;
            int done = 0;
            while (done < 5 && System.currentTimeMillis() < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(WAIT)) {
                    boolean isFirst = times.merge(record.offset(), 1, Integer::sum) == 1;
                    consumer.acknowledge(record, isFirst ? AcknowledgeType.RENEW : AcknowledgeType.ACCEPT);
                    done += isFirst ? 0 : 1;
                    Kit.same((short) 1, record.deliveryCount().get(), "deliveries");
                }
                consumer.commitSync().forEach((partition, error) -> Kit.holds(error.isEmpty(), "renewed: " + error));
            }
            Kit.same(5, done, "records accepted after they were renewed");
        }
    }

    static void together() throws Exception {
        String topic = Kit.topic("share-together", 1);
        String group = group("share-together");
        Set<Long> seen = new TreeSet<>();
        try (ShareConsumer<byte[], byte[]> one = consumer(group, "max.poll.records", "10");
             ShareConsumer<byte[], byte[]> two = consumer(group, "max.poll.records", "10")) {
            one.subscribe(List.of(topic));
            two.subscribe(List.of(topic));
            int[] got = new int[2];
            long end = System.currentTimeMillis() + Kit.LIMIT_MS;
            int sent = 0;
            while ((seen.size() < sent || sent < 400) && System.currentTimeMillis() < end) {
                if (sent < 400) {
                    Kit.fill(topic, 40, 10);
                    sent += 40;
                }
                for (int i = 0; i < 2; i++) {
                    for (ConsumerRecord<byte[], byte[]> record : (i == 0 ? one : two).poll(WAIT)) {
                        Kit.holds(seen.add(record.offset()), "given twice: " + record.offset());
                        got[i]++;
                    }
                }
            }
            Kit.same(400, seen.size(), "records");
            Kit.holds(got[0] > 0 && got[1] > 0, "both of one partition: " + got[0] + ", " + got[1]);
        }
    }

    static void administration() throws Exception {
        String topic = Kit.topic("share-admin", 1);
        String group = group("share-admin");
        TopicPartition partition = new TopicPartition(topic, 0);
        Kit.fill(topic, 10, 10);
        try (Admin admin = Kit.admin()) {
            Kit.refused(GroupIdNotFoundException.class,
                () -> Kit.get(admin.describeShareGroups(List.of(Kit.name("nobody"))).all()), "describe nobody");
            try (ShareConsumer<byte[], byte[]> consumer = consumer(group, "client.id", "worker")) {
                consumer.subscribe(List.of(topic));
                int taken = 0;
                long end = System.currentTimeMillis() + Kit.LIMIT_MS;
                while (taken < 10 && System.currentTimeMillis() < end) {
                    taken += consumer.poll(WAIT).count();
                }
                Kit.same(10, taken, "records");
                ShareGroupDescription description =
                    Kit.get(admin.describeShareGroups(List.of(group)).all()).get(group);
                Kit.same(GroupState.STABLE, description.groupState(), "state");
                Kit.same(1, description.members().size(), "members");
                var member = description.members().iterator().next();
                Kit.same("worker", member.clientId(), "client id");
                Kit.same(Set.of(partition), member.assignment().topicPartitions(), "assignment");
                Kit.refused(GroupNotEmptyException.class,
                    () -> Kit.get(admin.deleteShareGroups(List.of(group)).all()), "delete while in use");
            }
            Kit.becomes(GroupState.EMPTY, () -> Kit.get(admin.describeShareGroups(List.of(group)).all())
                .get(group).groupState(), "state after closing");
            Kit.get(admin.alterShareGroupOffsets(group, Map.of(partition, 4L)).all());
            var spec = Map.of(group, new ListShareGroupOffsetsSpec());
            Kit.same(4L, Kit.get(admin.listShareGroupOffsets(spec).partitionsToOffsetInfo(group))
                .get(partition).startOffset(), "altered offset");
            try (ShareConsumer<byte[], byte[]> consumer = consumer(group)) {
                consumer.subscribe(List.of(topic));
                List<Long> again = new ArrayList<>();
                long end = System.currentTimeMillis() + Kit.LIMIT_MS;
                while (again.size() < 6 && System.currentTimeMillis() < end) {
                    consumer.poll(WAIT).forEach(record -> again.add(record.offset()));
                }
                Kit.same(List.of(4L, 5L, 6L, 7L, 8L, 9L), again, "offsets after altering");
            }
            Kit.becomes(GroupState.EMPTY, () -> Kit.get(admin.describeShareGroups(List.of(group)).all())
                .get(group).groupState(), "state after closing again");
            Kit.get(admin.deleteShareGroupOffsets(group, Set.of(topic)).all());
            Kit.same(Map.of(), Kit.get(admin.listShareGroupOffsets(spec).partitionsToOffsetInfo(group)),
                "offsets after deletion");
            Kit.get(admin.deleteShareGroups(List.of(group)).all());
            Kit.refused(GroupIdNotFoundException.class,
                () -> Kit.get(admin.describeShareGroups(List.of(group)).all()), "describe the deleted");
        }
    }
}
