// SPDX-License-Identifier: Apache-2.0

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Topics, partitions, configs and offsets by the Admin client, and what it is refused. */
final class Administration {
    private Administration() {
    }

    static void cluster() throws Exception {
        try (Admin admin = Kit.admin()) {
            var cluster = admin.describeCluster();
            Kit.same(22, Kit.get(cluster.clusterId()).length(), "length of the cluster's id");
            Kit.same(1, Kit.get(cluster.nodes()).size(), "nodes");
            var node = Kit.get(cluster.nodes()).iterator().next();
            Kit.same(System.getenv("BOOTSTRAP"), node.host() + ":" + node.port(), "address");
            Kit.same(1, node.id(), "node id");
            Kit.same(1, Kit.get(cluster.controller()).id(), "controller");
        }
    }

    static void topics() throws Exception {
        String name = Kit.name("admin");
        try (Admin admin = Kit.admin()) {
            var created = admin.createTopics(List.of(new NewTopic(name, 4, (short) 1)
                .configs(Map.of("segment.bytes", "2000000"))));
            Kit.get(created.all());
            Kit.same(4, Kit.get(created.numPartitions(name)), "partitions, in the answer");
            Kit.same("2000000", Kit.get(created.config(name)).get("segment.bytes").value(),
                "config, in the answer");
            Kit.becomes(true, () -> Kit.get(admin.listTopics().names()).contains(name), "listed");
            TopicDescription described =
                Kit.get(admin.describeTopics(List.of(name)).allTopicNames()).get(name);
            Kit.same(4, described.partitions().size(), "partitions");
            Kit.same(Kit.get(created.topicId(name)), described.topicId(), "topic id");
            for (var partition : described.partitions()) {
                Kit.same(1, partition.leader().id(), "leader");
                Kit.same(1, partition.isr().size(), "isr");
            }
            var byId = Kit.get(admin.describeTopics(TopicCollection.ofTopicIds(
                Set.of(described.topicId()))).allTopicIds());
            Kit.same(name, byId.get(described.topicId()).name(), "name by id");

            refuse(admin, TopicExistsException.class, new NewTopic(name, 1, (short) 1));
            refuse(admin, InvalidTopicException.class, new NewTopic("bad name!", 1, (short) 1));
            refuse(admin, InvalidTopicException.class, new NewTopic("..", 1, (short) 1));
            String other = Kit.name("other");
            refuse(admin, InvalidPartitionsException.class, new NewTopic(other, 0, (short) 1));
            refuse(admin, InvalidReplicationFactorException.class,
                new NewTopic(other, 1, (short) 2));
            refuse(admin, InvalidReplicaAssignmentException.class,
                new NewTopic(other, Map.of(0, List.of(9))));
            refuse(admin, InvalidConfigurationException.class,
                new NewTopic(other, 1, (short) 1).configs(Map.of("retention.ms", "soon")));
            Kit.get(admin.createTopics(List.of(new NewTopic(other, 1, (short) 1)),
                new CreateTopicsOptions().validateOnly(true)).all());
            Kit.holds(!Kit.get(admin.listTopics().names()).contains(other), "only validated");

            Kit.get(admin.deleteTopics(List.of(name)).all());
            Kit.becomes(false, () -> Kit.get(admin.listTopics().names()).contains(name),
                "deleted, but listed");
            Kit.refused(UnknownTopicOrPartitionException.class,
                () -> Kit.get(admin.deleteTopics(List.of(name)).all()), "delete of no topic");
            Kit.refused(UnknownTopicOrPartitionException.class,
                () -> Kit.get(admin.describeTopics(List.of(name)).allTopicNames()), "describe");
            Kit.refused(UnknownTopicIdException.class,
                () -> Kit.get(admin.describeTopics(TopicCollection.ofTopicIds(
                    Set.of(described.topicId()))).allTopicIds()), "describe of no id");

            var again = admin.createTopics(List.of(new NewTopic(name, 1, (short) 1)));
            Kit.holds(!Kit.get(again.topicId(name)).equals(described.topicId()), "a new id");
            Kit.get(admin.deleteTopics(TopicCollection.ofTopicIds(
                Set.of(Kit.get(again.topicId(name))))).all());
        }
    }

    private static void refuse(Admin admin, Class<? extends Exception> want, NewTopic topic) {
        Kit.refused(want, () -> Kit.get(admin.createTopics(List.of(topic)).all()),
            "create of " + topic);
    }

    static void createPartitions() throws Exception {
        String name = Kit.topic("grow", 2);
        try (Admin admin = Kit.admin()) {
            Kit.get(admin.createPartitions(Map.of(name, NewPartitions.increaseTo(5))).all());
            Kit.becomes(5, () -> Kit.get(admin.describeTopics(List.of(name)).allTopicNames())
                .get(name).partitions().size(), "partitions");
            Kit.refused(InvalidPartitionsException.class, () -> Kit.get(admin.createPartitions(
                Map.of(name, NewPartitions.increaseTo(3))).all()), "fewer");
            Kit.refused(InvalidPartitionsException.class, () -> Kit.get(admin.createPartitions(
                Map.of(name, NewPartitions.increaseTo(5))).all()), "as many");
            Kit.refused(UnknownTopicOrPartitionException.class,
                () -> Kit.get(admin.createPartitions(
                    Map.of(Kit.name("none"), NewPartitions.increaseTo(5))).all()), "no topic");
            Kit.refused(InvalidReplicaAssignmentException.class,
                () -> Kit.get(admin.createPartitions(
                    Map.of(name, NewPartitions.increaseTo(6, List.of(List.of(9))))).all()),
                "on no broker");
        }
    }

    private static ConfigEntry entry(Admin admin, ConfigResource of, String key) throws Exception {
        Config config = Kit.get(admin.describeConfigs(List.of(of)).all()).get(of);
        return config.get(key);
    }

    private static String value(Admin admin, ConfigResource of, String key) throws Exception {
        ConfigEntry found = entry(admin, of, key);
        return found == null ? null : found.value();
    }

    private static void alter(Admin admin, ConfigResource of, String key, String value,
            AlterConfigOp.OpType type) throws Exception {
        Collection<AlterConfigOp> ops =
            List.of(new AlterConfigOp(new ConfigEntry(key, value), type));
        Kit.get(admin.incrementalAlterConfigs(Map.of(of, ops)).all());
    }

    static void configs() throws Exception {
        var topic = new ConfigResource(ConfigResource.Type.TOPIC, Kit.topic("configs", 1));
        var broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        var every = new ConfigResource(ConfigResource.Type.BROKER, "");
        try (Admin admin = Kit.admin()) {
            ConfigEntry retention = entry(admin, topic, "retention.ms");
            Kit.same("604800000", retention.value(), "default");
            Kit.same(ConfigEntry.ConfigSource.DEFAULT_CONFIG, retention.source(), "source");
            alter(admin, topic, "retention.ms", "12345", AlterConfigOp.OpType.SET);
            Kit.becomes("12345", () -> value(admin, topic, "retention.ms"), "set");
            retention = entry(admin, topic, "retention.ms");
            Kit.same(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, retention.source(), "source");
            alter(admin, topic, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND);
            Kit.becomes("delete,compact", () -> value(admin, topic, "cleanup.policy"),
                "appended");
            alter(admin, topic, "cleanup.policy", "delete", AlterConfigOp.OpType.SUBTRACT);
            Kit.becomes("compact", () -> value(admin, topic, "cleanup.policy"),
                "subtracted");
            Kit.becomes("12345", () -> value(admin, topic, "retention.ms"),
                "not touched");
            alter(admin, topic, "retention.ms", "", AlterConfigOp.OpType.DELETE);
            Kit.becomes("604800000", () -> value(admin, topic, "retention.ms"),
                "unset");
            Kit.refused(InvalidConfigurationException.class, () -> alter(
                admin, topic, "retention.ms", "soon", AlterConfigOp.OpType.SET), "no number");
            Kit.refused(InvalidConfigurationException.class, () -> alter(
                admin, topic, "no.such.key", "1", AlterConfigOp.OpType.SET), "no such key");
            Kit.refused(InvalidConfigurationException.class, () -> alter(
                admin, topic, "retention.ms", "1", AlterConfigOp.OpType.APPEND), "no list");
            var none = new ConfigResource(ConfigResource.Type.TOPIC, Kit.name("none"));
            Kit.refused(UnknownTopicOrPartitionException.class, () -> alter(
                admin, none, "retention.ms", "1", AlterConfigOp.OpType.SET), "no topic");
            Kit.refused(UnknownTopicOrPartitionException.class,
                () -> entry(admin, none, "retention.ms"), "describe of no topic");

            ConfigEntry id = entry(admin, broker, "node.id");
            Kit.same("1", id.value(), "node.id");
            Kit.same(ConfigEntry.ConfigSource.STATIC_BROKER_CONFIG, id.source(), "source");
            Kit.same(true, id.isReadOnly(), "read only");
            alter(admin, every, "log.retention.ms", "777777", AlterConfigOp.OpType.SET);
            Kit.becomes("777777", () -> value(admin, every, "log.retention.ms"),
                "for all brokers");
            alter(admin, every, "log.retention.ms", "", AlterConfigOp.OpType.DELETE);
            Kit.refused(InvalidRequestException.class, () -> alter(
                admin, broker, "node.id", "2", AlterConfigOp.OpType.SET), "a read-only key");
        }
    }

    static void listOffsets() throws Exception {
        String topic = Kit.topic("list-offsets", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Admin admin = Kit.admin()) {
            Kit.same(-1L, offset(admin, partition, OffsetSpec.maxTimestamp()), "max, when empty");
            Kit.fill(topic, 10, 5);
            Kit.same(0L, offset(admin, partition, OffsetSpec.earliest()), "earliest");
            Kit.same(10L, offset(admin, partition, OffsetSpec.latest()), "latest");
            Kit.same(0L, offset(admin, partition, OffsetSpec.forTimestamp(1)), "time");
            Kit.same(0L, offset(admin, partition, OffsetSpec.earliestLocal()), "earliest local");
            long max = offset(admin, partition, OffsetSpec.maxTimestamp());
            Kit.holds(max >= 0 && max < 10, "max timestamp at " + max);
        }
    }

    private static long offset(Admin admin, TopicPartition partition, OffsetSpec spec)
            throws Exception {
        return Kit.get(admin.listOffsets(Map.of(partition, spec)).all()).get(partition).offset();
    }
}
