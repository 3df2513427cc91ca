// SPDX-License-Identifier: Apache-2.0

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.ConsumerGroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** The tests of the oldest clients, in the calls that these have. */
public final class OldSuite {
    private static final long LIMIT_MS = 30_000;
    /** message.max.bytes 1048588, less a batch header of 61 and 11 of a lone record's own. */
    private static final int LARGEST_VALUE = 1048588 - 61 - 11;

    interface Attempt {
        void run() throws Exception;
    }

    private OldSuite() {
    }

    public static void main(String[] args) {
        Map<String, Attempt> tests = new LinkedHashMap<>();
        tests.put("produce", OldSuite::produce);
        tests.put("consume-from-beginning", OldSuite::consumeFromBeginning);
        tests.put("consume-from-time", OldSuite::consumeFromTime);
        tests.put("group-commit-resume", OldSuite::groupCommitResume);
        tests.put("group-balance", OldSuite::groupBalance);
        for (String codec : new String[] {"gzip", "snappy", "lz4", "zstd"}) {
            tests.put("compression-" + codec, () -> compression(codec));
        }
        tests.put("headers", OldSuite::headers);
        tests.put("null-key-value", OldSuite::nullKeyValue);
        tests.put("message-1mb", OldSuite::message1mb);
        tests.put("message-too-large", OldSuite::messageTooLarge);
        tests.put("idempotent-produce", OldSuite::idempotentProduce);
        tests.put("transactions", OldSuite::transactions);
        tests.put("admin-cluster", OldSuite::adminCluster);
        tests.put("admin-topics", OldSuite::adminTopics);
        tests.put("admin-create-partitions", OldSuite::adminCreatePartitions);
        tests.put("admin-configs", OldSuite::adminConfigs);
        tests.put("admin-groups", OldSuite::adminGroups);
        System.out.println("# kafka-clients " + AppInfoParser.getVersion());
        tests.forEach((name, test) -> {
            if (args.length == 0 || args[0].equals(name)) {
                String line = "ok " + name;
                try {
                    test.run();
                } catch (Throwable e) {
                    e.printStackTrace(System.out);
                    Throwable cause = e.getCause() == null ? e : e.getCause();
                    line = "not ok " + name + " " + String.valueOf(cause).replace('\n', ' ');
                }
                System.out.println(line);
            }
        });
        System.exit(0);
    }

    // What the tests share.

    private static void same(Object want, Object got, String what) {
        if (!Objects.equals(want, got)) {
            throw new AssertionError(what + ": wanted " + want + ", got " + got);
        }
    }

    /** A broker's reads show a write once it has replayed it, a moment after the answer. */
    private static void becomes(Object want, Callable<?> question, String what) throws Exception {
        long end = System.currentTimeMillis() + LIMIT_MS;
        Object got = question.call();
        while (!Objects.equals(want, got) && System.currentTimeMillis() < end) {
            Thread.sleep(5);
            got = question.call();
        }
        same(want, got, what);
    }

    private static void refused(Class<?> want, Attempt attempt, String what) {
        Throwable got = null;
        try {
            attempt.run();
        } catch (ExecutionException e) {
            got = e.getCause();
        } catch (Exception e) {
            got = e;
        }
        same(want, got == null ? null : got.getClass(), what);
    }

    private static String name(String what) {
        return System.getenv("RUN_ID") + "-" + what;
    }

    private static Map<String, Object> settings(Object... pairs) {
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
        for (int i = 0; i < pairs.length; i += 2) {
            all.put((String) pairs[i], pairs[i + 1]);
        }
        return all;
    }

    private static KafkaProducer<byte[], byte[]> producer(Object... pairs) {
        return new KafkaProducer<>(
            settings(pairs), new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String group, Object... pairs) {
        Map<String, Object> all = settings(pairs);
        all.put("group.id", group);
        all.put("auto.offset.reset", "earliest");
        all.put("enable.auto.commit", "false");
        all.put("heartbeat.interval.ms", 100);
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static AdminClient admin() {
        return AdminClient.create(settings());
    }

    /** Creates a topic and waits until its leader serves it. */
    private static String topic(String what, int partitions) throws Exception {
        String topic = name(what);
        try (AdminClient admin = admin(); KafkaConsumer<?, ?> consumer = consumer("unused")) {
            admin.createTopics(Collections.singleton(
                new NewTopic(topic, partitions, (short) 1))).all().get();
            List<TopicPartition> all = new ArrayList<>();
            for (int p = 0; p < partitions; p++) {
                all.add(new TopicPartition(topic, p));
            }
            consumer.endOffsets(all, Duration.ofMillis(LIMIT_MS));
        }
        return topic;
    }

    private static byte[] value(int i, int pad) {
        StringBuilder text = new StringBuilder().append(i).append('.');
        for (int p = 0; p < pad; p++) {
            text.append((char) ('a' + (i + p / 8) % 26));
        }
        return text.toString().getBytes(UTF_8);
    }

    private static void fill(String topic, int count, int pad, Object... pairs) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(pairs)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, 0, null, value(i, pad))));
            }
            for (int i = 0; i < count; i++) {
                same((long) i, sent.get(i).get().offset(), "the offset told");
            }
        }
    }

    private static List<ConsumerRecord<byte[], byte[]>> take(
            KafkaConsumer<byte[], byte[]> consumer, int count) {
        List<ConsumerRecord<byte[], byte[]>> taken = new ArrayList<>();
        long end = System.currentTimeMillis() + LIMIT_MS;
        while (taken.size() < count && System.currentTimeMillis() < end) {
            consumer.poll(Duration.ofMillis(200)).forEach(taken::add);
        }
        same(true, taken.size() >= count, "enough records");
        return taken.subList(0, count);
    }

    private static List<ConsumerRecord<byte[], byte[]>> read(String topic, long from, int count) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("unused")) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(Collections.singleton(partition));
            consumer.seek(partition, from);
            return take(consumer, count);
        }
    }

    private static void checkFilled(String topic, int from, int count, int pad) {
        for (ConsumerRecord<byte[], byte[]> record : read(topic, from, count - from)) {
            same(true, Arrays.equals(value((int) record.offset(), pad), record.value()),
                "the value at " + record.offset());
        }
    }

    // Data.

    private static void produce() throws Exception {
        String topic = topic("produce", 3);
        try (KafkaProducer<byte[], byte[]> producer = producer("acks", "all")) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < 90; i++) {
                sent.add(producer.send(new ProducerRecord<>(
                    topic, i % 3, "key".getBytes(UTF_8), ("value-" + i).getBytes(UTF_8))));
            }
            for (int i = 0; i < 90; i++) {
                same((long) (i / 3), sent.get(i).get().offset(), "offset");
            }
        }
    }

    private static void consumeFromBeginning() throws Exception {
        String topic = topic("beginning", 1);
        fill(topic, 1000, 100);
        checkFilled(topic, 0, 1000, 100);
        checkFilled(topic, 700, 1000, 100);
    }

    private static void consumeFromTime() throws Exception {
        String topic = topic("time", 1);
        long base = 1_700_000_000_000L;
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            for (int i = 0; i < 100; i++) {
                producer.send(new ProducerRecord<>(
                    topic, 0, base + i * 1000L, null, String.valueOf(i).getBytes(UTF_8)));
                if (i % 10 == 9) {
                    producer.flush();
                }
            }
        }
        long[][] cases = {{base - 5, 0}, {base, 0}, {base + 44_500, 45}, {base + 45_000, 45},
            {base + 99_000, 99}, {base + 99_001, -1}};
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("unused")) {
            for (long[] one : cases) {
                OffsetAndTimestamp found = consumer.offsetsForTimes(
                    Collections.singletonMap(partition, one[0])).get(partition);
                same(one[1], found == null ? -1L : found.offset(), "offset for " + one[0]);
            }
        }
        same(base + 45_000, read(topic, 45, 1).get(0).timestamp(), "timestamp");
    }

    private static void groupCommitResume() throws Exception {
        String topic = topic("resume", 1);
        String group = name("resume-group");
        fill(topic, 100, 10);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(group, "max.poll.records", 40)) {
            consumer.subscribe(Collections.singleton(topic));
            take(consumer, 40);
            consumer.commitSync();
            same(40L, consumer.committed(new TopicPartition(topic, 0)).offset(), "committed");
        }
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(group)) {
            consumer.subscribe(Collections.singleton(topic));
            same(40L, take(consumer, 60).get(0).offset(), "where it goes on");
        }
    }

    private static void settle(List<KafkaConsumer<byte[], byte[]>> members, int want) {
        long end = System.currentTimeMillis() + LIMIT_MS;
        while (System.currentTimeMillis() < end) {
            members.forEach(member -> member.poll(Duration.ofMillis(50)));
            if (members.stream().allMatch(member -> member.assignment().size() == want)) {
                return;
            }
        }
        throw new AssertionError(members.size() + " members never had " + want + " each");
    }

    private static void groupBalance() throws Exception {
        String topic = topic("balance", 6);
        List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            KafkaConsumer<byte[], byte[]> member = consumer(name("balance"));
            member.subscribe(Collections.singleton(topic));
            members.add(member);
            settle(members, 6 / i);
        }
        members.remove(2).close();
        settle(members, 3);
        members.remove(1).close();
        settle(members, 6);
        members.remove(0).close();
    }

    private static void compression(String codec) throws Exception {
        String topic = topic("compression-" + codec, 1);
        fill(topic, 2000, 500, "compression.type", codec, "linger.ms", "50");
        checkFilled(topic, 0, 2000, 500);
        checkFilled(topic, 1234, 2000, 500);
    }

    private static void headers() throws Exception {
        String topic = topic("headers", 1);
        List<Header> want = Arrays.asList(
            new RecordHeader("first", "one".getBytes(UTF_8)),
            new RecordHeader("binary", new byte[] {0, 1, -1}),
            new RecordHeader("empty", new byte[0]),
            new RecordHeader("null", (byte[]) null),
            new RecordHeader("first", "again".getBytes(UTF_8)));
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            producer.send(new ProducerRecord<>(
                topic, 0, (byte[]) null, "v".getBytes(UTF_8), want)).get();
        }
        same(want, Arrays.asList(read(topic, 0, 1).get(0).headers().toArray()), "headers");
    }

    private static void nullKeyValue() throws Exception {
        String topic = topic("null", 1);
        byte[] empty = {};
        byte[] some = {1, 2};
        byte[][][] want = {{null, some}, {some, null}, {null, null}, {empty, empty}, {some, some}};
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            for (byte[][] one : want) {
                producer.send(new ProducerRecord<>(topic, 0, one[0], one[1])).get();
            }
        }
        List<ConsumerRecord<byte[], byte[]>> records = read(topic, 0, want.length);
        for (int i = 0; i < want.length; i++) {
            same(true, Arrays.equals(want[i][0], records.get(i).key()), "key " + i);
            same(true, Arrays.equals(want[i][1], records.get(i).value()), "value " + i);
        }
    }

    private static long sendLarge(String topic, int size) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                producer("max.request.size", 3_000_000, "batch.size", 3_000_000)) {
            ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic, 0, null, new byte[size]);
            return producer.send(record).get().offset();
        }
    }

    private static void message1mb() throws Exception {
        String topic = topic("1mb", 1);
        for (int i = 0; i < 3; i++) {
            same((long) i, sendLarge(topic, LARGEST_VALUE), "offset");
        }
        for (ConsumerRecord<byte[], byte[]> record : read(topic, 0, 3)) {
            same(LARGEST_VALUE, record.value().length, "size");
        }
    }

    private static void messageTooLarge() throws Exception {
        String topic = topic("too-large", 1);
        refused(RecordTooLargeException.class, () -> sendLarge(topic, LARGEST_VALUE + 1), "+1");
        same(0L, sendLarge(topic, 10), "the first offset after the refusal");
    }

    private static void idempotentProduce() throws Exception {
        String topic = topic("idempotent", 1);
        fill(topic, 1000, 50, "enable.idempotence", "true", "acks", "all", "batch.size", 500);
        checkFilled(topic, 0, 1000, 50);
    }

    private static List<String> committed(String topic) {
        List<String> out = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                consumer("unused", "isolation.level", "read_committed")) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(Collections.singleton(partition));
            consumer.seekToBeginning(Collections.singleton(partition));
            long end = consumer.endOffsets(Collections.singleton(partition)).get(partition);
            while (consumer.position(partition) < end) {
                consumer.poll(Duration.ofMillis(100))
                    .forEach(record -> out.add(new String(record.value(), UTF_8)));
            }
        }
        return out;
    }

    private static void transactions() throws Exception {
        String topic = topic("transactions", 1);
        String group = name("transactions-group");
        String id = name("transactions-id");
        TopicPartition partition = new TopicPartition(topic, 0);
        List<String> want = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> old = producer("transactional.id", id);
                KafkaProducer<byte[], byte[]> young = producer("transactional.id", id)) {
            old.initTransactions();
            for (int i = 0; i < 20; i++) {
                old.beginTransaction();
                old.send(new ProducerRecord<>(topic, 0, null, String.valueOf(i).getBytes(UTF_8)));
                old.sendOffsetsToTransaction(
                    Collections.singletonMap(partition, new OffsetAndMetadata(i)), group);
                if (i % 4 == 3) {
                    old.flush();
                    old.abortTransaction();
                } else {
                    old.commitTransaction();
                    want.add(String.valueOf(i));
                }
            }
            same(want, committed(topic), "committed");
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(group)) {
                same(18L, consumer.committed(partition).offset(), "the group's offset");
            }
            old.beginTransaction();
            old.send(new ProducerRecord<>(topic, 0, null, "old".getBytes(UTF_8))).get();
            young.initTransactions();
            young.beginTransaction();
            young.send(new ProducerRecord<>(topic, 0, null, "young".getBytes(UTF_8))).get();
            refused(ProducerFencedException.class, old::commitTransaction, "the old producer");
            young.commitTransaction();
        }
        want.add("young");
        same(want, committed(topic), "committed in the end");
    }

    // Administration.

    private static void adminCluster() throws Exception {
        try (AdminClient admin = admin()) {
            same(22, admin.describeCluster().clusterId().get().length(), "length of the id");
            same(1, admin.describeCluster().controller().get().id(), "controller");
        }
    }

    private static int partitions(AdminClient admin, String topic) throws Exception {
        return admin.describeTopics(Collections.singleton(topic)).all().get()
            .get(topic).partitions().size();
    }

    private static void adminTopics() throws Exception {
        String full = name("admin");
        try (AdminClient admin = admin()) {
            admin.createTopics(Collections.singleton(new NewTopic(full, 4, (short) 1))).all().get();
            becomes(true, () -> admin.listTopics().names().get().contains(full), "listed");
            same(4, partitions(admin, full), "partitions");
            refused(TopicExistsException.class, () -> admin.createTopics(Collections.singleton(
                new NewTopic(full, 4, (short) 1))).all().get(), "the same name");
            refused(InvalidTopicException.class, () -> admin.createTopics(Collections.singleton(
                new NewTopic("bad name!", 4, (short) 1))).all().get(), "a bad name");
            refused(InvalidReplicationFactorException.class, () -> admin.createTopics(
                Collections.singleton(new NewTopic(name("rf"), 1, (short) 2))).all().get(),
                "two replicas");
            admin.deleteTopics(Collections.singleton(full)).all().get();
            becomes(false, () -> admin.listTopics().names().get().contains(full), "deleted");
            refused(UnknownTopicOrPartitionException.class, () -> admin.deleteTopics(
                Collections.singleton(full)).all().get(), "delete of no topic");
        }
    }

    private static void adminCreatePartitions() throws Exception {
        String full = topic("grow", 2);
        try (AdminClient admin = admin()) {
            admin.createPartitions(
                Collections.singletonMap(full, NewPartitions.increaseTo(5))).all().get();
            becomes(5, () -> partitions(admin, full), "partitions");
            refused(InvalidPartitionsException.class, () -> admin.createPartitions(
                Collections.singletonMap(full, NewPartitions.increaseTo(3))).all().get(), "to 3");
        }
    }

    private static void adminConfigs() throws Exception {
        ConfigResource of = new ConfigResource(ConfigResource.Type.TOPIC, topic("configs", 1));
        try (AdminClient admin = admin()) {
            Callable<String> retention = () -> admin.describeConfigs(Collections.singleton(of))
                .all().get().get(of).get("retention.ms").value();
            same("604800000", retention.call(), "default");
            admin.alterConfigs(Collections.singletonMap(of, new Config(Collections.singleton(
                new ConfigEntry("retention.ms", "12345"))))).all().get();
            becomes("12345", retention, "set");
            admin.alterConfigs(Collections.singletonMap(of, new Config(Collections.singleton(
                new ConfigEntry("cleanup.policy", "compact"))))).all().get();
            becomes("604800000", retention, "unset");
        }
    }

    private static void adminGroups() throws Exception {
        String full = topic("groups", 1);
        String group = name("group");
        fill(full, 5, 5);
        try (AdminClient admin = admin()) {
            Callable<ConsumerGroupDescription> describe = () -> admin.describeConsumerGroups(
                Collections.singleton(group)).all().get().get(group);
            try (KafkaConsumer<byte[], byte[]> member = consumer(group)) {
                member.subscribe(Collections.singleton(full));
                take(member, 5);
                member.commitSync();
                same(ConsumerGroupState.STABLE, describe.call().state(), "state");
                same(1, describe.call().members().size(), "members");
                refused(GroupNotEmptyException.class, () -> admin.deleteConsumerGroups(
                    Collections.singleton(group)).all().get(), "delete of a living group");
            }
            same(ConsumerGroupState.EMPTY, describe.call().state(), "state when all left");
            same(true, admin.listConsumerGroups().all().get().stream().anyMatch(
                one -> one.groupId().equals(group)), "listed");
            same(5L, admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                .get(new TopicPartition(full, 0)).offset(), "offset");
            admin.deleteConsumerGroups(Collections.singleton(group)).all().get();
            refused(GroupIdNotFoundException.class, () -> admin.deleteConsumerGroups(
                Collections.singleton(group)).all().get(), "delete of no group");
        }
    }
}
