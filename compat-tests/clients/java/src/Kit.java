// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What the tests share: clients on $BOOTSTRAP, names of this run, waits, and assertions. */
final class Kit {
    static final long LIMIT_MS = 30_000;

    interface Attempt {
        void run() throws Exception;
    }

    private Kit() {
    }

    static void same(Object want, Object got, String what) {
        if (!Objects.equals(want, got)) {
            throw new AssertionError(what + ": wanted " + want + ", got " + got);
        }
    }

    interface Question<T> {
        T ask() throws Exception;
    }

    /**
     * Asks until the answer is the wanted one. A write is answered when the metadata log has it;
     * a broker's reads show it once the broker has replayed that, a moment later.
     */
    static void becomes(Object want, Question<?> question, String what) throws Exception {
        long end = System.currentTimeMillis() + LIMIT_MS;
        Object got = question.ask();
        while (!Objects.equals(want, got) && System.currentTimeMillis() < end) {
            Thread.sleep(5);
            got = question.ask();
        }
        same(want, got, what);
    }

    static void holds(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    /** The attempt must fail with an error of that very class, perhaps wrapped by a future. */
    static void refused(Class<? extends Exception> want, Attempt attempt, String what) {
        Throwable got = null;
        try {
            attempt.run();
        } catch (ExecutionException e) {
            got = e.getCause();
        } catch (Exception e) {
            got = e;
        }
        same(want.getSimpleName(), got == null ? "success" : got.getClass().getSimpleName(), what);
    }

    static String name(String what) {
        return System.getenv("RUN_ID") + "-" + what;
    }

    static Map<String, Object> settings(Object... pairs) {
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
        for (int i = 0; i < pairs.length; i += 2) {
            all.put((String) pairs[i], pairs[i + 1]);
        }
        return all;
    }

    static KafkaProducer<byte[], byte[]> producer(Object... pairs) {
        return new KafkaProducer<>(
            settings(pairs), new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(Object... pairs) {
        Map<String, Object> all = settings("auto.offset.reset", "earliest",
            "enable.auto.commit", "false", "fetch.max.wait.ms", "100");
        for (int i = 0; i < pairs.length; i += 2) {
            all.put((String) pairs[i], pairs[i + 1]);
        }
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static Admin admin() {
        return Admin.create(settings());
    }

    /**
     * Creates a topic and waits until its leader serves it. A creation is answered when the
     * metadata log has it; an idempotent producer whose first batches come in the moment until
     * the broker has replayed that can end in sequences out of order.
     */
    static String topic(String what, int partitions) throws Exception {
        String topic = name(what);
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
            Map<TopicPartition, OffsetSpec> all = new HashMap<>();
            for (int p = 0; p < partitions; p++) {
                all.put(new TopicPartition(topic, p), OffsetSpec.latest());
            }
            becomes(partitions, () -> {
                try {
                    return admin.listOffsets(all).all().get().size();
                } catch (ExecutionException e) {
                    return e.getCause();
                }
            }, "partitions served of " + topic);
        }
        return topic;
    }

    static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(LIMIT_MS, java.util.concurrent.TimeUnit.MILLISECONDS);
    }

    /** Polls for `count` records and returns them; fewer when the limit passed. */
    static List<ConsumerRecord<byte[], byte[]>> take(
            KafkaConsumer<byte[], byte[]> consumer, int count) {
        List<ConsumerRecord<byte[], byte[]>> taken = new ArrayList<>();
        long end = System.currentTimeMillis() + LIMIT_MS;
        while (taken.size() < count && System.currentTimeMillis() < end) {
            consumer.poll(Duration.ofMillis(200)).forEach(taken::add);
        }
        return taken;
    }

    /** All of a topic's partition 0 from an offset. */
    static List<ConsumerRecord<byte[], byte[]>> read(String topic, long from, int count) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seek(partition, from);
            return take(consumer, count);
        }
    }

    static byte[] value(int i, int pad) {
        StringBuilder text = new StringBuilder().append(i).append('.');
        for (int p = 0; p < pad; p++) {
            text.append((char) ('a' + (i + p / 8) % 26));
        }
        return text.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    /** Produces value(i) for i below count to partition 0, keyless, and waits for all. */
    static void fill(String topic, int count, int pad, Object... pairs) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(pairs)) {
            List<java.util.concurrent.Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, 0, null, value(i, pad))));
            }
            for (var one : sent) {
                one.get();
            }
        }
    }

    static void checkFilled(String topic, int from, int count, int pad) {
        var records = read(topic, from, count - from);
        same(count - from, records.size(), "count of records");
        for (int i = from; i < count; i++) {
            same((long) i, records.get(i - from).offset(), "offset");
            holds(java.util.Arrays.equals(value(i, pad), records.get(i - from).value()),
                "value at offset " + i);
        }
    }
}
