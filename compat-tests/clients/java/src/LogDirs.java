// SPDX-License-Identifier: Apache-2.0

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The two log directories of the broker, as the Admin client shows them and moves replicas between them. */
final class LogDirs {
    private static final int RECORDS = 500;

    private LogDirs() {
    }

    private static String current(Admin admin, TopicPartitionReplica replica) throws Exception {
        var info = Kit.get(admin.describeReplicaLogDirs(List.of(replica)).all()).get(replica);
        return info.getFutureReplicaLogDir() != null ? "on its way" : info.getCurrentReplicaLogDir();
    }

    private static void produce(String topic, int from, int to) throws Exception {
        try (var producer = Kit.producer()) {
            for (int i = from; i < to; i++) {
                producer.send(new ProducerRecord<>(topic, 0, null, ("record " + i).getBytes(UTF_8)));
            }
        }
    }

    static void moves() throws Exception {
        String topic = Kit.topic("dirs", 2);
        var partition = new TopicPartition(topic, 0);
        var replica = new TopicPartitionReplica(topic, 0, 1);
        produce(topic, 0, RECORDS);
        try (Admin admin = Kit.admin()) {
            Map<String, LogDirDescription> dirs =
                Kit.get(admin.describeLogDirs(List.of(1)).allDescriptions()).get(1);
            Kit.same(2, dirs.size(), "directories");
            int holding = 0;
            for (LogDirDescription dir : dirs.values()) {
                Kit.same(null, dir.error(), "error");
                Kit.same(true, dir.totalBytes().getAsLong() >= dir.usableBytes().getAsLong(), "bytes");
                var info = dir.replicaInfos().get(partition);
                if (info != null) {
                    holding++;
                    Kit.same(true, info.size() > 0 && info.offsetLag() == 0 && !info.isFuture(), "replica");
                }
            }
            Kit.same(1, holding, "directories with the replica");
            var names = new TreeSet<>(dirs.keySet());
            String here = current(admin, replica);
            String there = here.equals(names.first()) ? names.last() : names.first();
            Kit.get(admin.alterReplicaLogDirs(Map.of(replica, there)).all());
            produce(topic, RECORDS, 2 * RECORDS); // meanwhile
            Kit.becomes(there, () -> current(admin, replica), "directory");
            Kit.refused(LogDirNotFoundException.class, () -> Kit.get(
                admin.alterReplicaLogDirs(Map.of(replica, "/nowhere")).all()), "an unknown directory");
            Kit.refused(UnknownTopicOrPartitionException.class, () -> Kit.get(admin.alterReplicaLogDirs(
                Map.of(new TopicPartitionReplica(topic, 7, 1), there)).all()), "an unknown partition");
        }
        try (var consumer = Kit.consumer()) {
            consumer.assign(List.of(partition));
            var taken = Kit.take(consumer, 2 * RECORDS);
            Kit.same(2 * RECORDS, taken.size(), "records");
            for (int i = 0; i < taken.size(); i++) {
                Kit.same("record " + i, new String(taken.get(i).value(), UTF_8), "record");
            }
        }
    }
}
