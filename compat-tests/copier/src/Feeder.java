// SPDX-License-Identifier: Apache-2.0

import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Fills the input while all else goes on: "0", "1", … in each partition, in transactions, some of which hold "never" and are
 * aborted. A transaction that fails is known to be aborted before its records are written again.
 */
final class Feeder extends Thread {
    private final String topic;
    private final int partitions;
    private final int count;
    private final int pauseMs;
    private final Random chance;
    private volatile Throwable failure;

    Feeder(String topic, int partitions, int count, int pauseMs, long seed) {
        this.topic = topic;
        this.partitions = partitions;
        this.count = count;
        this.pauseMs = pauseMs;
        this.chance = new Random(seed);
        setDaemon(true);
    }

    private KafkaProducer<String, String> open() {
        KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of(
            "bootstrap.servers", System.getenv("BOOTSTRAP"), "transactional.id", topic + "-feeder",
            "transaction.timeout.ms", 60000, "delivery.timeout.ms", 60000, "request.timeout.ms", 10000),
            new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        return producer;
    }

    private boolean put(KafkaProducer<String, String> producer, int first, int end, boolean isAborted) {
        try {
            producer.beginTransaction();
            for (int i = first; i < end; i++) {
                for (int p = 0; p < partitions; p++) {
                    producer.send(new ProducerRecord<>(topic, p, null, isAborted ? "never" : String.valueOf(i)));
                }
            }
            producer.flush();
            if (isAborted) {
                producer.abortTransaction();
                return false;
            }
        } catch (KafkaException e) {
            producer.abortTransaction();
            return false;
        }
        producer.commitTransaction(); // if this fails nobody knows what became of it
        return true;
    }

    @Override
    public void run() {
        try (KafkaProducer<String, String> producer = open()) {
            for (int done = 0; done < count;) {
                int end = Math.min(count, done + 1 + chance.nextInt(60));
                if (put(producer, done, end, chance.nextInt(5) == 0)) {
                    done = end;
                }
                sleep(pauseMs);
            }
        } catch (InterruptedException | RuntimeException e) {
            failure = e;
        }
    }

    /** Throws what stopped it. */
    void check() {
        if (failure != null) {
            throw new AssertionError("the feeder failed: " + failure, failure);
        }
    }
}
