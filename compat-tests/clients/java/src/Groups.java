// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/** Consumer groups of the classic protocol: positions, members, and their administration. */
final class Groups {
    private Groups() {
    }

    static void commitResume() throws Exception {
        String topic = Kit.topic("resume", 1);
        String group = Kit.name("resume-group");
        TopicPartition partition = new TopicPartition(topic, 0);
        Kit.fill(topic, 100, 10);
        try (var consumer = Kit.consumer("group.id", group, "max.poll.records", 40)) {
            Kit.same(null, consumer.committed(Set.of(partition)).get(partition), "before");
            consumer.subscribe(List.of(topic));
            Kit.same(40, Kit.take(consumer, 40).size(), "the first part");
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(40, "a note")));
            OffsetAndMetadata committed = consumer.committed(Set.of(partition)).get(partition);
            Kit.same(40L, committed.offset(), "committed");
            Kit.same("a note", committed.metadata(), "metadata");
        }
        try (var consumer = Kit.consumer("group.id", group)) {
            consumer.subscribe(List.of(topic));
            var rest = Kit.take(consumer, 60);
            Kit.same(60, rest.size(), "the second part");
            Kit.same(40L, rest.get(0).offset(), "where it goes on");
            consumer.commitSync();
            Kit.same(100L, consumer.committed(Set.of(partition)).get(partition).offset(), "end");
        }
    }

    private static void settle(List<KafkaConsumer<byte[], byte[]>> members, int want) {
        long end = System.currentTimeMillis() + Kit.LIMIT_MS;
        while (System.currentTimeMillis() < end) {
            members.forEach(member -> member.poll(Duration.ofMillis(50)));
            if (members.stream().allMatch(member -> member.assignment().size() == want)) {
                return;
            }
        }
        throw new AssertionError(members.size() + " members never had " + want + " partitions each");
    }

    static void balance() throws Exception {
        for (String assignor : new String[] {"RangeAssignor", "RoundRobinAssignor",
            "StickyAssignor", "CooperativeStickyAssignor"}) {
            String topic = Kit.topic("balance-" + assignor, 6);
            List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
            for (int i = 1; i <= 3; i++) {
                var member = Kit.consumer("group.id", Kit.name("balance-" + assignor),
                    "heartbeat.interval.ms", 100, "partition.assignment.strategy",
                    "org.apache.kafka.clients.consumer." + assignor);
                member.subscribe(List.of(topic));
                members.add(member);
                settle(members, 6 / i);
            }
            members.remove(2).close();
            settle(members, 3);
            members.remove(1).close();
            settle(members, 6);
            members.remove(0).close();
        }
    }

    /** A static member that comes back within its session gets its partitions without ado. */
    static void staticMember() throws Exception {
        String topic = Kit.topic("static", 2);
        String group = Kit.name("static-group");
        for (int generation = 0; generation < 2; generation++) {
            try (Admin admin = Kit.admin();
                    var consumer = Kit.consumer("group.id", group, "group.instance.id", "one")) {
                consumer.subscribe(List.of(topic));
                settle(List.of(consumer), 2);
                ConsumerGroupDescription described =
                    Kit.get(admin.describeConsumerGroups(List.of(group)).all()).get(group);
                Kit.same(1, described.members().size(), "members");
                Kit.same("one", described.members().iterator().next()
                    .groupInstanceId().orElse(""), "instance id");
                Kit.same(1, consumer.groupMetadata().generationId(), "generation");
            }
        }
    }

    static void administration() throws Exception {
        String topic = Kit.topic("groups", 1);
        String group = Kit.name("group");
        Kit.fill(topic, 5, 5);
        try (Admin admin = Kit.admin()) {
            try (var consumer = Kit.consumer("group.id", group, "client.id", "java-suite")) {
                consumer.subscribe(List.of(topic));
                Kit.same(5, Kit.take(consumer, 5).size(), "records");
                consumer.commitSync();
                var described =
                    Kit.get(admin.describeConsumerGroups(List.of(group)).all()).get(group);
                Kit.same(GroupState.STABLE, described.groupState(), "state");
                Kit.same("range", described.partitionAssignor(), "assignor");
                Kit.same(1, described.coordinator().id(), "coordinator");
                var member = described.members().iterator().next();
                Kit.same("java-suite", member.clientId(), "client id");
                Kit.same("/127.0.0.1", member.host(), "host");
                Kit.same(Set.of(new TopicPartition(topic, 0)),
                    member.assignment().topicPartitions(), "assignment");
                Kit.refused(GroupNotEmptyException.class, () -> Kit.get(
                    admin.deleteConsumerGroups(List.of(group)).all()), "delete of a living group");
            }
            Kit.same(GroupState.EMPTY, Kit.get(admin.describeConsumerGroups(List.of(group)).all())
                .get(group).groupState(), "state when all left");
            Kit.holds(Kit.get(admin.listGroups().all()).stream().anyMatch(
                one -> one.groupId().equals(group) && one.protocol().equals("consumer")), "listed");
            Kit.get(admin.deleteConsumerGroups(List.of(group)).all());
            Kit.holds(Kit.get(admin.listGroups().all()).stream().noneMatch(
                one -> one.groupId().equals(group)), "still listed");
            Kit.refused(GroupIdNotFoundException.class, () -> Kit.get(
                admin.describeConsumerGroups(List.of(group)).all()), "describe of no group");
            Kit.refused(GroupIdNotFoundException.class, () -> Kit.get(
                admin.deleteConsumerGroups(List.of(group)).all()), "delete of no group");
        }
    }

    static void offsets() throws Exception {
        String topic = Kit.topic("group-offsets", 2);
        String group = Kit.name("group-offsets");
        TopicPartition zero = new TopicPartition(topic, 0);
        TopicPartition one = new TopicPartition(topic, 1);
        Kit.fill(topic, 20, 5);
        try (Admin admin = Kit.admin()) {
            Kit.get(admin.alterConsumerGroupOffsets(group, Map.of(
                zero, new OffsetAndMetadata(7), one, new OffsetAndMetadata(0, "m"))).all());
            var got = Kit.get(
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
            Kit.same(7L, got.get(zero).offset(), "offset of 0");
            Kit.same("m", got.get(one).metadata(), "metadata of 1");
            try (var consumer = Kit.consumer("group.id", group)) {
                consumer.subscribe(List.of(topic));
                Kit.same(7L, Kit.take(consumer, 13).get(0).offset(), "goes on from");
                Kit.refused(UnknownMemberIdException.class, () -> Kit.get(
                    admin.alterConsumerGroupOffsets(group,
                        Map.of(zero, new OffsetAndMetadata(1))).all()), "while it lives");
            }
        }
    }
}
