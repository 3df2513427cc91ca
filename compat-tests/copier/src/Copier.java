// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Copies records from one topic to the same partition of another, with the offsets that say so, in transactions, until it is
 * told to end. One transaction in six is aborted for no reason. Each transaction leaves a line "commit N", "abort N" or
 * "failed REASON". Who cannot go on ends with status 3.
 * Arguments: group, its protocol, transactional id, input topic, output topic, seed.
 */
public final class Copier {
    private static final int CANNOT_GO_ON = 3;
    private static final int PAUSE_MS = 300;
    private static volatile boolean isOver;

    private final KafkaConsumer<String, String> consumer;
    private final KafkaProducer<String, String> producer;
    private final String output;
    private final Random chance;

    private Copier(String[] args) {
        output = args[4];
        chance = new Random(Long.parseLong(args[5]));
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", System.getenv("BOOTSTRAP"),
            "group.id", args[0], "group.protocol", args[1], "isolation.level", "read_committed",
            "enable.auto.commit", false, "auto.offset.reset", "earliest", "max.poll.records", 100,
            "metadata.max.age.ms", 2000, "retry.backoff.ms", 50));
        if (args[1].equals("classic")) {
            config.put("session.timeout.ms", 3000);
            config.put("heartbeat.interval.ms", 500);
        }
        consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
        consumer.subscribe(java.util.List.of(args[3]));
        producer = new KafkaProducer<>(Map.of("bootstrap.servers", System.getenv("BOOTSTRAP"),
            "transactional.id", args[2], "transaction.timeout.ms", 5000, "linger.ms", 2, "batch.size", 1000,
            "delivery.timeout.ms", 30000, "request.timeout.ms", 10000, "retry.backoff.ms", 50),
            new StringSerializer(), new StringSerializer());
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /** What was read and is in no transaction is read again. */
    private void goBack() {
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
        for (TopicPartition partition : consumer.assignment()) {
            OffsetAndMetadata offset = committed.get(partition);
            if (offset == null) {
                consumer.seekToBeginning(java.util.List.of(partition));
            } else {
                consumer.seek(partition, offset);
            }
        }
    }

    private void copy(ConsumerRecords<String, String> records) throws InterruptedException {
        producer.beginTransaction();
        try {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            for (ConsumerRecord<String, String> record : records) {
                producer.send(new ProducerRecord<>(output, record.partition(), record.key(), record.value()));
                offsets.put(new TopicPartition(record.topic(), record.partition()),
                    new OffsetAndMetadata(record.offset() + 1));
            }
            producer.flush();
            Thread.sleep(chance.nextInt(PAUSE_MS)); // whoever kills finds it within a transaction, more likely than not
            boolean isAborted = chance.nextInt(6) == 0;
            if (!isAborted || chance.nextBoolean()) { // else before the group knows of it
                producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
            }
            if (!isAborted) {
                producer.commitTransaction();
                say("commit " + records.count());
                return;
            }
            say("abort " + records.count());
        } catch (ProducerFencedException e) {
            throw e;
        } catch (KafkaException e) {
            say("failed " + e);
        }
        producer.abortTransaction();
        goBack();
    }

    private void run() throws InterruptedException {
        producer.initTransactions();
        say("ready");
        while (!isOver) {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
            if (!records.isEmpty()) {
                copy(records);
            }
        }
        consumer.close();
        producer.close();
    }

    public static void main(String[] args) throws InterruptedException {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            isOver = true;
            try {
                main.join();
            } catch (InterruptedException e) {
                say("interrupted");
            }
        }));
        try {
            new Copier(args).run();
        } catch (RuntimeException | InterruptedException e) {
            e.printStackTrace(System.out);
            say("over " + e);
            Runtime.getRuntime().halt(CANNOT_GO_ON);
        }
    }
}
