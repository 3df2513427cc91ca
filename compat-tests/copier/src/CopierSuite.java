// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Several copiers of one group copy a topic that is being filled. Meanwhile they are killed, stopped for a while, doubled
 * (another one with the same transactional id), and so is the broker killed. A read_committed reader that watches all the
 * time, and another one at the end, must see each record once and in order; nothing may be left open.
 */
public final class CopierSuite {
    private static final int PARTITIONS = 4;
    private static final int COPIERS = number("COPIERS", 2);
    private static final int RECORDS = number("COPIER_RECORDS", 1000);
    private static final int ACTIONS = number("COPIER_ACTIONS", 4);
    private static final long SEED = number("COPIER_SEED", 1);
    private static final int MEAN_PAUSE_MS = 1000;
    private static final int MEAN_ACTION_MS = 2000; // with the pause before it
    private static final long QUIET_LIMIT_MS = 60_000;
    private static final long END_LIMIT_MS = 20_000;

    private final String protocol;
    private final String name;
    private final Random chance;
    private final Process[] copiers = new Process[COPIERS];
    private final List<Process> all = new ArrayList<>();
    private final int[] seen = new int[PARTITIONS];
    private final Map<String, Integer> done = new HashMap<>();

    private CopierSuite(String protocol) {
        this.protocol = protocol;
        this.name = System.getenv("RUN_ID") + "-" + protocol;
        this.chance = new Random(SEED * 31 + protocol.hashCode());
    }

    private static int number(String key, int otherwise) {
        String text = System.getenv(key);
        return text == null ? otherwise : Integer.parseInt(text);
    }

    private static Map<String, Object> settings() {
        return new HashMap<>(Map.of("bootstrap.servers", System.getenv("BOOTSTRAP")));
    }

    // ---- processes

    private static void command(String... words) throws IOException, InterruptedException {
        int status = new ProcessBuilder(words).inheritIO().start().waitFor();
        if (status != 0) {
            throw new AssertionError(String.join(" ", words) + " ended with status " + status);
        }
    }

    private static void broker(String word) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(Arrays.asList(System.getenv("BROKER_CTL").split(" ")));
        words.add(word);
        command(words.toArray(new String[0]));
    }

    private static void signal(Process process, String which) throws IOException, InterruptedException {
        if (process.isAlive()) {
            command("kill", "-" + which, String.valueOf(process.pid()));
        }
    }

    private Path log(int index) {
        return Path.of(System.getenv("WORK_DIR"), name + "-" + index + ".log");
    }

    private Process start(int index) throws IOException {
        File log = log(index).toFile();
        Process process = new ProcessBuilder("java", "-Xmx100m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "Copier", name + "-group", protocol, name + "-" + index,
            name + "-input", name + "-output", String.valueOf(chance.nextInt(1 << 30)))
            .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log)).start();
        all.add(process);
        return process;
    }

    // ---- what happens

    private void count(String what) {
        done.merge(what, 1, Integer::sum);
    }

    private void act(int choice) throws IOException, InterruptedException {
        int index = chance.nextInt(COPIERS);
        switch (choice) {
            case 0 -> {
                count("brokers killed");
                broker("kill9");
                broker("start");
            }
            case 1 -> {
                count("copiers stopped"); // longer than its session: it wakes up as one whose partitions are taken
                signal(copiers[index], "STOP");
                Thread.sleep(1000 + chance.nextInt(4000));
                signal(copiers[index], "CONT");
            }
            case 2 -> {
                count("copiers doubled");
                copiers[index] = start(index);
            }
            default -> {
                count("copiers killed");
                copiers[index].destroyForcibly().waitFor();
                copiers[index] = start(index);
            }
        }
    }

    /** Those that could not go on are started again. */
    private void nurse() throws IOException {
        for (int i = 0; i < COPIERS; i++) {
            if (!copiers[i].isAlive()) {
                count("copiers that gave up");
                copiers[i] = start(i);
            }
        }
    }

    // ---- who watches

    private KafkaConsumer<String, String> reader(String isolation) {
        Map<String, Object> config = settings();
        config.put("isolation.level", isolation);
        KafkaConsumer<String, String> reader =
            new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
        reader.assign(partitions());
        reader.seekToBeginning(partitions());
        return reader;
    }

    private List<TopicPartition> partitions() {
        List<TopicPartition> partitions = new ArrayList<>();
        for (int p = 0; p < PARTITIONS; p++) {
            partitions.add(new TopicPartition(name + "-output", p));
        }
        return partitions;
    }

    private static void take(Iterable<ConsumerRecord<String, String>> records, int[] next) {
        for (ConsumerRecord<String, String> record : records) {
            if (!record.value().equals(String.valueOf(next[record.partition()]))) {
                throw new AssertionError("partition " + record.partition() + " offset " + record.offset() + ": wanted "
                    + next[record.partition()] + ", got " + record.value());
            }
            next[record.partition()]++;
        }
    }

    private static boolean isWhole(int[] next) {
        return Arrays.stream(next).allMatch(n -> n == RECORDS);
    }

    /** Acts now and then, and watches until all is there. */
    private void watch(KafkaConsumer<String, String> reader, Feeder feeder) throws IOException, InterruptedException {
        long quietSince = System.currentTimeMillis();
        long nextAct = quietSince + 1500; // the first copiers shall have begun
        int acts = 0;
        while (!isWhole(seen)) {
            var records = reader.poll(Duration.ofMillis(100));
            take(records, seen);
            feeder.check();
            nurse();
            long now = System.currentTimeMillis();
            if (!records.isEmpty()) {
                quietSince = now;
            }
            if (acts < ACTIONS && now >= nextAct) {
                act(acts < 4 ? acts : chance.nextInt(6)); // each of them at least once
                acts++;
                nextAct = System.currentTimeMillis() + chance.nextInt(2 * MEAN_PAUSE_MS);
            }
            if (now - quietSince > QUIET_LIMIT_MS) {
                throw new AssertionError("nothing comes any more: " + Arrays.toString(seen) + " of " + RECORDS);
            }
        }
        if (acts < ACTIONS) {
            count("actions too few");
        }
    }

    private void end() throws InterruptedException {
        for (Process copier : all) {
            copier.destroy();
        }
        for (Process copier : all) {
            if (!copier.waitFor(END_LIMIT_MS, TimeUnit.MILLISECONDS)) {
                throw new AssertionError("a copier does not end");
            }
        }
    }

    /** The output from its beginning, once no transaction is open in it: the last one of a killed copier has its time. */
    private void checkAll(Admin admin) throws Exception {
        try (KafkaConsumer<String, String> committed = reader("read_committed");
            KafkaConsumer<String, String> written = reader("read_uncommitted")) {
            long limit = System.currentTimeMillis() + END_LIMIT_MS;
            Map<TopicPartition, Long> ends = written.endOffsets(partitions());
            while (!ends.equals(committed.endOffsets(partitions()))) {
                if (System.currentTimeMillis() > limit) {
                    throw new AssertionError("something stays open: " + ends + " " + committed.endOffsets(partitions()));
                }
                Thread.sleep(200);
                ends = written.endOffsets(partitions());
            }
            int[] next = new int[PARTITIONS];
            for (TopicPartition partition : partitions()) {
                while (committed.position(partition) < ends.get(partition)) {
                    take(committed.poll(Duration.ofMillis(100)), next);
                }
            }
            if (!isWhole(next)) {
                throw new AssertionError("at the end there is " + Arrays.toString(next) + " of " + RECORDS);
            }
        }
        for (TransactionListing listing : admin.listTransactions().all().get()) {
            if (listing.transactionalId().startsWith(name) && listing.state() != TransactionState.EMPTY
                && listing.state() != TransactionState.COMPLETE_ABORT
                && listing.state() != TransactionState.COMPLETE_COMMIT) {
                throw new AssertionError("left open: " + listing);
            }
        }
    }

    private String told() throws IOException {
        for (int i = 0; i < COPIERS; i++) {
            for (String line : Files.readAllLines(log(i), StandardCharsets.UTF_8)) {
                String word = line.split(" ", 2)[0];
                if (List.of("commit", "abort", "failed").contains(word)) {
                    count("transactions: " + word);
                }
            }
        }
        if (!done.containsKey("transactions: abort") || !done.containsKey("transactions: commit")) {
            throw new AssertionError("nothing was tried: " + done);
        }
        return done.toString();
    }

    private void run() throws Exception {
        try (Admin admin = Admin.create(settings())) {
            admin.createTopics(List.of(new NewTopic(name + "-input", PARTITIONS, (short) 1),
                new NewTopic(name + "-output", PARTITIONS, (short) 1))).all().get();
            for (int i = 0; i < COPIERS; i++) {
                copiers[i] = start(i);
            }
            // It is to be done about when the actions are.
            int pauseMs = ACTIONS * MEAN_ACTION_MS * 30 / RECORDS;
            Feeder feeder = new Feeder(name + "-input", PARTITIONS, RECORDS, pauseMs, chance.nextLong());
            feeder.start();
            try (KafkaConsumer<String, String> reader = reader("read_committed")) {
                watch(reader, feeder);
            }
            end();
            checkAll(admin);
            System.out.println("# " + protocol + " seed " + SEED + ": " + told());
        } finally {
            all.forEach(Process::destroyForcibly);
        }
    }

    private void showLogs() throws IOException {
        for (int i = 0; i < COPIERS; i++) {
            if (Files.exists(log(i))) {
                List<String> lines = Files.readAllLines(log(i), StandardCharsets.UTF_8);
                System.out.println("--- copier " + i);
                lines.subList(Math.max(0, lines.size() - 80), lines.size()).forEach(System.out::println);
            }
        }
    }

    public static void main(String[] args) throws IOException {
        for (String protocol : args.length > 0 ? args : new String[] {"classic", "consumer"}) {
            String line = "ok " + protocol;
            CopierSuite suite = new CopierSuite(protocol);
            try {
                suite.run();
            } catch (Throwable e) {
                e.printStackTrace(System.out);
                suite.showLogs();
                String text = String.valueOf(e).replace('\n', ' ');
                line = "not ok " + protocol + " seed " + SEED + ": " + text.substring(0, Math.min(400, text.length()));
            }
            System.out.println(line);
        }
        System.exit(0);
    }
}
