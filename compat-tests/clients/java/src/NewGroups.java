// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;

/** Groups of the consumer protocol (KIP-848). */
final class NewGroups {
    private NewGroups() {
    }

    private static KafkaConsumer<byte[], byte[]> member(String group, String protocol) {
        return Kit.consumer("group.id", group, "group.protocol", protocol);
    }

    private static void settle(List<KafkaConsumer<byte[], byte[]>> members, int want) {
        long end = System.currentTimeMillis() + 2 * Kit.LIMIT_MS;
        while (System.currentTimeMillis() < end) {
            members.forEach(member -> member.poll(Duration.ofMillis(50)));
            if (members.stream().allMatch(member -> member.assignment().size() == want)) {
                return;
            }
        }
        throw new AssertionError(members.size() + " members never had " + want + " partitions each");
    }

    /** Two members share six partitions and take over from each other; what was committed stays. */
    static void balance() throws Exception {
        String topic = Kit.topic("new-balance", 6);
        String group = Kit.name("new-balance");
        TopicPartition zero = new TopicPartition(topic, 0);
        Kit.fill(topic, 20, 5);
        List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
        members.add(member(group, "consumer"));
        members.get(0).subscribe(List.of(topic));
        settle(members, 6);
        members.get(0).commitSync(Map.of(zero, new OffsetAndMetadata(7)));
        members.add(member(group, "consumer"));
        members.get(1).subscribe(List.of(topic));
        settle(members, 3);
        try (Admin admin = Kit.admin()) {
            var described = Kit.get(admin.describeConsumerGroups(List.of(group)).all()).get(group);
            Kit.same(GroupType.CONSUMER, described.type(), "type");
            Kit.same("uniform", described.partitionAssignor(), "assignor");
            Kit.same(2, described.members().size(), "members");
            members.remove(0).close();
            settle(members, 6);
            Kit.same(7L, members.get(0).committed(Set.of(zero)).get(zero).offset(), "committed");
            members.remove(0).close();
            Kit.same(GroupState.EMPTY, Kit.get(admin.describeConsumerGroups(List.of(group)).all())
                .get(group).groupState(), "state when all left");
            Kit.get(admin.deleteConsumerGroups(List.of(group)).all());
        }
    }

    /** The broker resolves the expression. */
    static void expression() throws Exception {
        Kit.topic("expression-one", 2);
        String other = Kit.topic("expression-two", 1);
        String stem = other.substring(0, other.length() - "two".length());
        var consumer = member(Kit.name("new-expression"), "consumer");
        consumer.subscribe(new SubscriptionPattern(stem.replace(".", "\\.") + "(one|two)"));
        settle(List.of(consumer), 3);
        consumer.close();
    }

    /** A classic member and one of the new protocol in one group, and each alone. */
    static void migration() throws Exception {
        String topic = Kit.topic("new-migration", 4);
        String group = Kit.name("new-migration");
        List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
        for (String protocol : new String[] {"classic", "consumer"}) {
            members.add(Kit.consumer("group.id", group, "group.protocol", protocol,
                "client.id", "migration-" + protocol));
            members.get(members.size() - 1).subscribe(List.of(topic));
            settle(members, 4 / members.size());
        }
        members.remove(1).close();
        settle(members, 4);
        members.remove(0).close();
    }
}
