// SPDX-License-Identifier: Apache-2.0

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Messages: what goes in comes out, where and when it should. */
final class Data {
    /** message.max.bytes 1048588, less a batch header of 61 and 11 of a lone record's own. */
    private static final int LARGEST_VALUE = 1048588 - 61 - 11;

    private Data() {
    }

    static void produce() throws Exception {
        String topic = Kit.topic("produce", 3);
        try (KafkaProducer<byte[], byte[]> producer = Kit.producer("acks", "all")) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < 90; i++) {
                sent.add(producer.send(new ProducerRecord<>(
                    topic, i % 3, "key".getBytes(UTF_8), ("value-" + i).getBytes(UTF_8))));
            }
            for (int i = 0; i < 90; i++) {
                Kit.same(i % 3, sent.get(i).get().partition(), "partition");
                Kit.same((long) (i / 3), sent.get(i).get().offset(), "offset");
            }
            Kit.same(3, producer.partitionsFor(topic).size(), "partitions");
        }
        Kit.fill(topic, 10, 10, "acks", "1");
        Kit.fill(topic, 10, 10, "acks", "0", "enable.idempotence", "false");
        Kit.same(50, Kit.read(topic, 0, 50).size(), "with acks 1 and 0");
    }

    static void consumeFromBeginning() throws Exception {
        String topic = Kit.topic("beginning", 1);
        Kit.fill(topic, 1000, 100);
        Kit.checkFilled(topic, 0, 1000, 100);
        Kit.checkFilled(topic, 700, 1000, 100);
        try (KafkaConsumer<byte[], byte[]> consumer = Kit.consumer()) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            Kit.same(0L, consumer.beginningOffsets(List.of(partition)).get(partition), "first");
            Kit.same(1000L, consumer.endOffsets(List.of(partition)).get(partition), "end");
            consumer.seek(partition, 7777);
            Kit.same(0L, Kit.take(consumer, 1).get(0).offset(), "reset from out of range");
        }
    }

    static void consumeFromTime() throws Exception {
        String topic = Kit.topic("time", 1);
        long base = 1_700_000_000_000L;
        try (KafkaProducer<byte[], byte[]> producer = Kit.producer()) {
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
        try (KafkaConsumer<byte[], byte[]> consumer = Kit.consumer()) {
            consumer.assign(List.of(partition));
            for (long[] one : cases) {
                OffsetAndTimestamp found =
                    consumer.offsetsForTimes(Map.of(partition, one[0])).get(partition);
                Kit.same(one[1], found == null ? -1L : found.offset(), "offset for " + one[0]);
                if (found != null) {
                    Kit.same(base + one[1] * 1000, found.timestamp(), "timestamp found");
                }
            }
            consumer.seek(partition, 45);
            ConsumerRecord<byte[], byte[]> record = Kit.take(consumer, 1).get(0);
            Kit.same(base + 45_000, record.timestamp(), "timestamp");
            Kit.same("45", new String(record.value(), UTF_8), "value");
        }
    }

    static void compression(String codec) throws Exception {
        String topic = Kit.topic("compression-" + codec, 1);
        Kit.fill(topic, 2000, 500, "compression.type", codec, "linger.ms", "50");
        Kit.checkFilled(topic, 0, 2000, 500);
        Kit.checkFilled(topic, 1234, 2000, 500);
    }

    static void headers() throws Exception {
        String topic = Kit.topic("headers", 1);
        List<Header> want = List.of(
            new RecordHeader("first", "one".getBytes(UTF_8)),
            new RecordHeader("binary", new byte[] {0, 1, -1}),
            new RecordHeader("empty", new byte[0]),
            new RecordHeader("null", (byte[]) null),
            new RecordHeader("first", "again".getBytes(UTF_8)),
            new RecordHeader("\u00fcnicode", "x".getBytes(UTF_8)));
        try (KafkaProducer<byte[], byte[]> producer = Kit.producer()) {
            producer.send(new ProducerRecord<>(
                topic, 0, "k".getBytes(UTF_8), "v".getBytes(UTF_8), want)).get();
        }
        Kit.same(want, Arrays.asList(Kit.read(topic, 0, 1).get(0).headers().toArray()), "headers");
    }

    static void nullKeyValue() throws Exception {
        String topic = Kit.topic("null", 1);
        String[][] want = {{null, "v"}, {"k", null}, {null, null}, {"", ""}, {"k", "v"}};
        try (KafkaProducer<byte[], byte[]> producer = Kit.producer()) {
            for (String[] one : want) {
                producer.send(new ProducerRecord<>(topic, 0, bytes(one[0]), bytes(one[1]))).get();
            }
        }
        var records = Kit.read(topic, 0, want.length);
        for (int i = 0; i < want.length; i++) {
            Kit.holds(Arrays.equals(bytes(want[i][0]), records.get(i).key()), "key " + i);
            Kit.holds(Arrays.equals(bytes(want[i][1]), records.get(i).value()), "value " + i);
        }
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(UTF_8);
    }

    private static RecordMetadata sendLarge(String topic, int size) throws Exception {
        byte[] value = new byte[size];
        new java.util.Random(1).nextBytes(value);
        try (KafkaProducer<byte[], byte[]> producer =
                Kit.producer("max.request.size", 3_000_000, "batch.size", 3_000_000)) {
            return producer.send(new ProducerRecord<>(topic, 0, null, value)).get();
        }
    }

    static void message1mb() throws Exception {
        String topic = Kit.topic("1mb", 1);
        byte[] value = new byte[LARGEST_VALUE];
        new java.util.Random(1).nextBytes(value);
        for (int i = 0; i < 3; i++) {
            Kit.same((long) i, sendLarge(topic, LARGEST_VALUE).offset(), "offset");
        }
        var records = Kit.read(topic, 0, 3);
        Kit.same(3, records.size(), "count");
        for (var record : records) {
            Kit.holds(Arrays.equals(value, record.value()), "the bytes of a large value");
        }
    }

    static void messageTooLarge() throws Exception {
        String topic = Kit.topic("too-large", 1);
        Kit.refused(RecordTooLargeException.class, () -> sendLarge(topic, LARGEST_VALUE + 1),
            "one byte too many");
        Kit.refused(RecordTooLargeException.class, () -> sendLarge(topic, 2_500_000), "2.5 MB");
        Kit.same(0L, sendLarge(topic, 10).offset(), "the first offset after refusals");
    }

    static void idempotentProduce() throws Exception {
        String topic = Kit.topic("idempotent", 1);
        Kit.fill(topic, 1000, 50, "enable.idempotence", "true", "acks", "all", "batch.size", 500);
        Kit.checkFilled(topic, 0, 1000, 50);
        try (KafkaProducer<byte[], byte[]> producer = Kit.producer("enable.idempotence", "true")) {
            Kit.same(1000L, producer.send(
                new ProducerRecord<>(topic, 0, null, "last".getBytes(UTF_8))).get().offset(), "next");
        }
    }

    static void readCommitted() throws Exception {
        String topic = Kit.topic("read-committed", 1);
        Kit.fill(topic, 100, 10);
        try (KafkaConsumer<byte[], byte[]> consumer =
                Kit.consumer("isolation.level", "read_committed")) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            Kit.same(100, Kit.take(consumer, 100).size(), "records");
            Kit.same(100L, consumer.endOffsets(List.of(partition)).get(partition), "end");
            Kit.same(0L, consumer.currentLag(partition).orElse(-1), "lag");
        }
    }

    static void autoCreateTopic() throws Exception {
        String topic = Kit.name("auto");
        Kit.fill(topic, 10, 10);
        Kit.checkFilled(topic, 0, 10, 10);
        String missing = Kit.name("missing");
        try (KafkaConsumer<byte[], byte[]> consumer =
                Kit.consumer("allow.auto.create.topics", "false", "default.api.timeout.ms", 3000)) {
            Kit.same(List.of(), consumer.partitionsFor(missing), "partitions of no topic");
            Kit.holds(!consumer.listTopics().containsKey(missing), "asking must not create it");
            Kit.holds(consumer.listTopics().containsKey(topic), "the topic is listed");
        }
    }
}
