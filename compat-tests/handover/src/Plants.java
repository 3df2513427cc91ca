// SPDX-License-Identifier: Apache-2.0

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Leaves in a broker what only some clients leave: transactions, consumer groups of both protocols, share groups. */
final class Plants {
    static final String TOPIC = "garden";
    private static final int PARTITIONS = 3;
    private static final short INIT_PRODUCER_ID = 22, ADD_PARTITIONS_TO_TXN = 24, CONSUMER_GROUP_HEARTBEAT = 68,
        SHARE_GROUP_HEARTBEAT = 76;
    /** Of the transaction that is left open on purpose; the next round ends it by a new producer of its name. */
    private static KafkaProducer<byte[], byte[]> open;
    private final String bootstrap;

    Plants(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    /** The API keys that the broker offers: what it does not serve is not planted. */
    static Set<Short> offered(String bootstrap) throws Exception {
        String[] address = bootstrap.split(":");
        try (Socket socket = new Socket(address[0], Integer.parseInt(address[1]))) {
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.write(new byte[] { 0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, -1, -1 });
            DataInputStream in = new DataInputStream(socket.getInputStream());
            in.readInt();
            in.readInt();
            in.readShort();
            Set<Short> keys = new HashSet<>();
            for (int count = in.readInt(); count > 0; count--) {
                keys.add(in.readShort());
                in.readInt();
            }
            return keys;
        }
    }

    static Map<String, Object> settings(String bootstrap, Object... pairs) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("default.api.timeout.ms", 60000);
        for (int i = 0; i < pairs.length; i += 2)
            settings.put((String) pairs[i], pairs[i + 1]);
        return settings;
    }

    String plant(int round) throws Exception {
        Set<Short> keys = offered(bootstrap);
        List<String> done = new ArrayList<>();
        createTopic();
        plain(round);
        group("garden-classic", "classic");
        done.add("classic");
        if (keys.contains(ADD_PARTITIONS_TO_TXN)) {
            transactions(round);
            done.add("transactions");
        }
        if (keys.contains(CONSUMER_GROUP_HEARTBEAT)) {
            group("garden-consumer", "consumer");
            done.add("consumer");
        }
        if (keys.contains(SHARE_GROUP_HEARTBEAT)) {
            shareGroup();
            done.add("share");
        }
        return String.join(",", done);
    }

    private void createTopic() throws Exception {
        try (Admin admin = Admin.create(settings(bootstrap))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1).configs(
                Map.of("segment.ms", "3000", "index.interval.bytes", "300")))).all().get();
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException))
                throw e;
        }
    }

    private KafkaProducer<byte[], byte[]> producer(Object... more) {
        return new KafkaProducer<>(settings(bootstrap, more), new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static ProducerRecord<byte[], byte[]> record(int round, int number, String what) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(TOPIC, number % PARTITIONS,
            number % 5 == 0 ? null : ("key-" + number % 7).getBytes(StandardCharsets.UTF_8),
            number % 11 == 0 ? null : (what + " " + round + " " + number + " " + "x".repeat(number * 13 % 400)).getBytes(
                StandardCharsets.UTF_8));
        for (int i = 0; i < number % 4; i++)
            record.headers().add("h" + i, i == 2 ? null : new byte[] { (byte) number });
        return record;
    }

    /** Every codec into one topic. */
    private void plain(int round) {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd"))
            try (KafkaProducer<byte[], byte[]> producer = producer("compression.type", codec, "linger.ms", 5)) {
                for (int i = 0; i < 40; i++)
                    producer.send(record(round, i, codec));
            }
    }

    /** Committed, aborted, with offsets, and one that stays open; the one of the round before has been ended by its name. */
    private void transactions(int round) {
        try (KafkaProducer<byte[], byte[]> producer = producer("transactional.id", "garden-" + round % 3)) {
            producer.initTransactions();
            for (int t = 0; t < 6; t++) {
                producer.beginTransaction();
                for (int i = 0; i < 9; i++)
                    producer.send(record(round, i + t, t % 3 == 1 ? "aborted" : "committed"));
                if (t % 3 == 2)
                    producer.sendOffsetsToTransaction(Map.of(new TopicPartition(TOPIC, 0),
                        new OffsetAndMetadata(round * 10 + t, "of a transaction")), noMember("garden-txn"));
                producer.flush(); // else the commit may overtake the records: java/src/Transactions.java
                if (t % 3 == 1) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
        if (open != null)
            open.close(Duration.ZERO);
        open = producer("transactional.id", "garden-open", "transaction.timeout.ms", 600000);
        open.initTransactions();
        open.beginTransaction();
        for (int i = 0; i < 4; i++)
            open.send(record(round, i, "open"));
        open.flush();
    }

    /** Of a group that has no members: who is none may add its offsets to a transaction. */
    private ConsumerGroupMetadata noMember(String group) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings(bootstrap, "group.id", group),
            new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            return consumer.groupMetadata();
        }
    }

    private void group(String name, String protocol) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings(bootstrap, "group.id", name,
            "group.protocol", protocol, "auto.offset.reset", "earliest", "enable.auto.commit", false, "max.poll.records", 60),
            new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(TOPIC));
            long limit = System.currentTimeMillis() + 30000;
            int read = 0;
            while (read < 50 && System.currentTimeMillis() < limit)
                read += consumer.poll(Duration.ofMillis(100)).count();
            if (read == 0)
                throw new IllegalStateException("the group " + name + " read nothing");
            consumer.commitSync();
        }
    }

    private void shareGroup() throws Exception {
        try (KafkaShareConsumer<byte[], byte[]> consumer = new KafkaShareConsumer<>(settings(bootstrap, "group.id",
            "garden-share"), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(TOPIC));
            long limit = System.currentTimeMillis() + 3000; // it begins with what comes after its first poll
            boolean sent = false;
            int read = 0;
            while (read == 0 && System.currentTimeMillis() < limit) {
                for (ConsumerRecord<byte[], byte[]> ignored : consumer.poll(Duration.ofMillis(200)))
                    read++;
                if (!sent) {
                    plain(0);
                    sent = true;
                }
            }
            consumer.commitSync();
        }
    }
}
