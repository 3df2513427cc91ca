// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.FeatureVersion;
import org.apache.kafka.server.common.MetadataVersion;

/** The tests. Those that read the broker's files come last and stop it by $BROKER_CTL. */
public final class Tools {
    interface Test {
        void run() throws Exception;
    }

    private static final String RUN = System.getenv("RUN_ID");
    private static final Path DATA = Path.of(System.getenv("BROKER_DIR"), "data");

    private Tools() {
    }

    public static void main(String[] args) throws Exception {
        Map<String, Test> tests = new LinkedHashMap<>();
        // First, while there are no other groups.
        tests.put("groups-classic", () -> Groups.run("classic"));
        tests.put("groups-consumer", () -> Groups.run("consumer"));
        tests.put("cluster-id", Tools::clusterId);
        tests.put("broker-api-versions", Tools::brokerApiVersions);
        tests.put("topics-create-list", Tools::topicsCreateList);
        tests.put("topics-describe", Tools::topicsDescribe);
        tests.put("topics-alter", Tools::topicsAlter);
        tests.put("topics-delete", Tools::topicsDelete);
        tests.put("topics-errors", Tools::topicsErrors);
        tests.put("console-produce-consume", Tools::consoleProduceConsume);
        tests.put("console-consume-group", Tools::consoleConsumeGroup);
        tests.put("console-compression", Tools::consoleCompression);
        tests.put("console-consume-from-offset", Tools::consoleConsumeFromOffset);
        tests.put("get-offsets", Tools::getOffsets);
        tests.put("log-dirs", Tools::logDirs);
        tests.put("delete-records", Tools::deleteRecords);
        tests.put("consumer-groups-list-describe", Tools::groupsListDescribe);
        tests.put("consumer-groups-reset", Tools::groupsReset);
        tests.put("consumer-groups-delete", Tools::groupsDelete);
        tests.put("share-groups-list-describe", ShareTools::listDescribe);
        tests.put("share-groups-reset", ShareTools::reset);
        tests.put("share-groups-delete", ShareTools::delete);
        tests.put("console-share-consumer", ShareTools::consumer);
        tests.put("share-consumer-perf-test", ShareTools::perfTest);
        tests.put("configs-topics", Tools::configsTopics);
        tests.put("configs-brokers", Tools::configsBrokers);
        tests.put("producer-perf-test", Tools::producerPerfTest);
        tests.put("consumer-perf-test", Tools::consumerPerfTest);
        tests.put("transactions-list-describe", Tools::transactionsListDescribe);
        tests.put("transactions-abort", Tools::transactionsAbort);
        tests.put("transactions-terminate", Tools::transactionsTerminate);
        tests.put("transactions-find-hanging", Tools::transactionsFindHanging);
        tests.put("features-describe", Tools::featuresDescribe);
        tests.put("features-upgrade-downgrade", Tools::featuresUpgradeDowngrade);
        tests.put("features-errors", Tools::featuresErrors);
        tests.put("features-mapping", Tools::featuresMapping);
        tests.put("dump-log-data", Tools::dumpLogData);
        tests.put("dump-log-indexes", Tools::dumpLogIndexes);
        tests.put("dump-log-offsets", Tools::dumpLogOffsets);
        tests.put("dump-log-transactions", Tools::dumpLogTransactions);
        tests.put("dump-log-metadata", Tools::dumpLogMetadata);
        tests.put("metadata-shell", Tools::metadataShell);
        tests.put("restart-in-place", Tools::restartInPlace);
        tests.forEach((name, test) -> {
            if (args.length > 0 && !Arrays.asList(args).contains(name)) {
                return;
            }
            long begin = System.nanoTime();
            String line = "ok " + name;
            try {
                test.run();
            } catch (Throwable e) {
                e.printStackTrace(System.out);
                line = "not ok " + name + " " + e.toString().replace('\n', '|');
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            System.out.printf("# %s: %.1f s%n%s%n", name, seconds, line);
        });
        System.exit(0);
    }

    // Assertions.

    static String brief(Object said) {
        String text = said.toString();
        return text.length() > 300 ? text.substring(0, 300) + "…" : text;
    }

    static void same(Object want, Object got) {
        if (!want.equals(got)) {
            throw new AssertionError("wanted '" + brief(want) + "', got '" + brief(got) + "'");
        }
    }

    static void has(String text, String part) {
        if (!text.contains(part)) {
            throw new AssertionError("no '" + part + "' in '" + brief(text) + "'");
        }
    }

    static void lacks(String text, String part) {
        if (text.contains(part)) {
            throw new AssertionError("'" + part + "' in '" + brief(text) + "'");
        }
    }

    static void matches(String text, String pattern) {
        if (!Pattern.compile(pattern, Pattern.MULTILINE).matcher(text).find()) {
            throw new AssertionError("nothing like '" + pattern + "' in '" + brief(text) + "'");
        }
    }

    /** A tool that must fail, and say why. */
    private static void refused(String why, String tool, String... arguments) {
        Tool done = Tool.run(tool, arguments);
        if (done.status() == 0) {
            throw new AssertionError("kafka-" + tool + " was not refused");
        }
        has(done.out() + done.err(), why);
    }

    /** Runs a tool until it says what the pattern wants; a broker replays a moment later. */
    static String becomes(String pattern, String tool, String... arguments) {
        Pattern want = Pattern.compile(pattern, Pattern.MULTILINE);
        String text = Tool.good(tool, arguments);
        for (int i = 0; i < 100 && !want.matcher(text).find(); i++) {
            text = Tool.good(tool, arguments);
        }
        matches(text, pattern);
        return text;
    }

    /** A name nobody else has. */
    static String named(String what) {
        return RUN + "-" + what;
    }

    /**
     * Creates a topic and waits until its leader serves it. A creation is answered when the
     * metadata log has it; an idempotent producer whose first batches come in the moment until
     * the broker has replayed that can end in sequences out of order.
     */
    static String topic(String what, int partitions) {
        String name = named(what);
        has(Tool.good("topics", "--create", "--topic", name, "--partitions",
            String.valueOf(partitions)), "Created topic " + name + ".");
        becomes("(?s)\\A(" + name + ":[0-9]+:0\n){" + partitions + "}\\z", "get-offsets",
            "--topic", name);
        return name;
    }

    static String numbers(int from, int to) {
        return IntStream.rangeClosed(from, to).mapToObj(i -> i + "\n")
            .collect(Collectors.joining());
    }

    static void produce(String topic, String input, String... more) {
        String[] arguments = concat(new String[] {"--topic", topic}, more);
        Tool done = Tool.feed(input, "console-producer", arguments);
        same(0, done.status());
        lacks(done.err(), "ERROR");
    }

    private static String consume(String topic, int count, String... more) {
        String[] arguments = concat(new String[] {"--topic", topic, "--max-messages",
            String.valueOf(count), "--timeout-ms", "30000"}, more);
        Tool done = Tool.run("console-consumer", arguments);
        same(0, done.status());
        has(done.err(), "Processed a total of " + count + " messages");
        return done.out();
    }

    static String[] concat(String[] one, String[] two) {
        String[] all = Arrays.copyOf(one, one.length + two.length);
        System.arraycopy(two, 0, all, one.length, two.length);
        return all;
    }

    private static void control(String word) throws Exception {
        var command = Arrays.asList((System.getenv("BROKER_CTL") + " " + word).split(" "));
        same(0, new ProcessBuilder(command).inheritIO().start().waitFor());
    }

    // The cluster.

    private static void clusterId() throws Exception {
        String said = Tool.good("cluster", "cluster-id");
        String meta = Files.readString(DATA.resolve("meta.properties"));
        String id = meta.lines().filter(line -> line.startsWith("cluster.id="))
            .findFirst().orElseThrow().substring("cluster.id=".length());
        has(said, "Cluster ID: " + id);
    }

    private static void brokerApiVersions() {
        String said = Tool.good("broker-api-versions");
        has(said, System.getenv("BOOTSTRAP") + " (id: 1 rack: null isFenced: false) -> (");
        // What a client's data path needs, at the very versions of Kafka 4.3.1.
        for (String want : List.of("Produce(0): 0 to 13", "Fetch(1): 4 to 18",
                "ListOffsets(2): 1 to 11", "Metadata(3): 0 to 13", "OffsetCommit(8): 2 to 10",
                "OffsetFetch(9): 1 to 10", "FindCoordinator(10): 0 to 6", "JoinGroup(11): 0 to 9",
                "Heartbeat(12): 0 to 4", "LeaveGroup(13): 0 to 5", "SyncGroup(14): 0 to 5",
                "DescribeGroups(15): 0 to 6", "ListGroups(16): 0 to 5", "ApiVersions(18): 0 to 4",
                "CreateTopics(19): 2 to 7", "DeleteTopics(20): 1 to 6", "InitProducerId(22): 0 to 5",
                "OffsetForLeaderEpoch(23): 2 to 4", "DescribeConfigs(32): 1 to 4",
                "AlterConfigs(33): 0 to 2", "CreatePartitions(37): 0 to 3",
                "DeleteGroups(42): 0 to 2", "IncrementalAlterConfigs(44): 0 to 1",
                "DescribeCluster(60): 0 to 2", "DescribeTopicPartitions(75): 0 [")) {
            has(said, want);
        }
    }

    // Topics.

    private static void topicsCreateList() {
        String name = topic("create", 3);
        becomes("^" + name + "$", "topics", "--list");
        has(Tool.good("topics", "--create", "--if-not-exists", "--topic", name), "");
        String assigned = RUN + "-assigned";
        Tool.good("topics", "--create", "--topic", assigned, "--replica-assignment", "1,1");
        becomes("PartitionCount: 2", "topics", "--describe", "--topic", assigned);
    }

    private static void topicsDescribe() {
        String name = RUN + "-describe";
        Tool.good("topics", "--create", "--topic", name, "--partitions", "2", "--config",
            "retention.ms=5000", "--config", "cleanup.policy=compact");
        String said = becomes("PartitionCount: 2", "topics", "--describe", "--topic", name);
        matches(said, "^Topic: " + name + "\tTopicId: [A-Za-z0-9_-]{22}\tPartitionCount: 2\t"
            + "ReplicationFactor: 1\tConfigs: .*$");
        matches(said, "[: ,]cleanup.policy=compact");
        matches(said, "[: ,]retention.ms=5000");
        for (int p = 0; p < 2; p++) {
            has(said, "\tTopic: " + name + "\tPartition: " + p
                + "\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: ");
        }
        same("", Tool.good("topics", "--describe", "--unavailable-partitions"));
        same("", Tool.good("topics", "--describe", "--under-replicated-partitions"));
        has(Tool.good("topics", "--describe", "--topics-with-overrides"), name);
    }

    private static void topicsAlter() {
        String name = topic("alter", 2);
        Tool.good("topics", "--alter", "--topic", name, "--partitions", "5");
        becomes("PartitionCount: 5", "topics", "--describe", "--topic", name);
        refused("InvalidPartitionsException", "topics", "--alter", "--topic", name,
            "--partitions", "3");
    }

    private static void topicsDelete() {
        String name = topic("delete", 2);
        becomes("^" + name + "$", "topics", "--list");
        Tool.good("topics", "--delete", "--topic", name);
        becomes("(?s)\\A(?!.*" + name + "\n)", "topics", "--list");
        refused("does not exist as expected", "topics", "--delete", "--topic", name);
    }

    private static void topicsErrors() {
        String name = topic("errors", 1);
        refused("TopicExistsException", "topics", "--create", "--topic", name);
        refused("InvalidTopicException", "topics", "--create", "--topic", "no good!");
        refused("InvalidReplicationFactorException", "topics", "--create", "--topic", name + "2",
            "--replication-factor", "3");
    }

    // Messages.

    private static void consoleProduceConsume() {
        String name = topic("console", 1);
        produce(name, "a:1\nb:2\nc\n", "--reader-property", "parse.key=true",
            "--reader-property", "key.separator=:", "--reader-property", "ignore.error=true");
        String said = consume(name, 3, "--from-beginning", "--formatter-property",
            "print.key=true", "--formatter-property", "print.offset=true",
            "--formatter-property", "print.partition=true");
        same("Partition:0\tOffset:0\ta\t1\nPartition:0\tOffset:1\tb\t2\n"
            + "Partition:0\tOffset:2\tnull\tc\n", said);
        produce(name, "x:1,y:2\tk\tv\n", "--reader-property", "parse.headers=true",
            "--reader-property", "parse.key=true");
        same("x:1,y:2\tk\tv\n", consume(name, 1, "--partition", "0", "--offset", "3",
            "--formatter-property", "print.key=true", "--formatter-property",
            "print.headers=true"));
    }

    private static void consoleConsumeGroup() {
        String name = topic("console-group", 1);
        produce(name, numbers(1, 20));
        String group = RUN + "-console-group";
        same(numbers(1, 8), consume(name, 8, "--from-beginning", "--group", group));
        same(numbers(9, 20), consume(name, 12, "--group", group));
    }

    private static void consoleCompression() {
        String name = topic("console-compression", 1);
        int next = 1;
        for (String codec : List.of("gzip", "snappy", "lz4", "zstd", "none")) {
            produce(name, numbers(next, next + 999), "--compression-codec", codec);
            next += 1000;
        }
        same(numbers(1, 5000), consume(name, 5000, "--from-beginning"));
    }

    private static void consoleConsumeFromOffset() {
        String name = topic("console-offset", 1);
        produce(name, numbers(1, 50));
        same(numbers(46, 50), consume(name, 5, "--partition", "0", "--offset", "45"));
        same(numbers(1, 3), consume(name, 3, "--partition", "0", "--offset", "earliest"));
    }

    private static void logDirs() {
        String name = topic("dirs", 2);
        produce(name, numbers(1, 10));
        String said = Tool.good("log-dirs", "--describe", "--broker-list", "1", "--topic-list", name);
        has(said, "\"logDir\":\"" + DATA + "\"");
        matches(said, "\"partition\":\"" + name + "-[01]\",\"size\":[1-9][0-9]*,\"offsetLag\":0,\"isFuture\":false");
        lacks(said, "__cluster_metadata");
        refused("The given brokers do not exist from --broker-list: 7", "log-dirs", "--describe",
            "--broker-list", "1,7");
    }

    private static void getOffsets() {
        String name = topic("offsets", 2);
        produce(name, numbers(1, 10));
        long total = Arrays.stream(Tool.good("get-offsets", "--topic", name).split("\n"))
            .mapToLong(line -> Long.parseLong(line.split(":")[2])).sum();
        same(10L, total);
        same(name + ":0:0\n" + name + ":1:0\n",
            Tool.good("get-offsets", "--topic", name, "--time", "earliest"));
        same(Tool.good("get-offsets", "--topic", name, "--time", "-1"),
            Tool.good("get-offsets", "--topic", name, "--time", "latest"));
        matches(Tool.good("get-offsets", "--topic", name, "--time", "max-timestamp"),
            "^" + name + ":[01]:[0-9]$");
        matches(Tool.good("get-offsets", "--topic", name, "--time", "1"),
            "^" + name + ":[01]:0$");
        // After the last message there is no offset, and the tool says nothing.
        same("", Tool.good("get-offsets", "--topic", name, "--time", "99999999999999"));
        same(name + ":1:0\n", Tool.good("get-offsets", "--topic-partitions", name + ":1",
            "--time", "-2"));
    }

    private static void deleteRecords() throws Exception {
        String name = topic("records", 1);
        produce(name, numbers(1, 10));
        Path file = Files.createTempFile("delete-records", ".json");
        Files.writeString(file, "{\"version\":1,\"partitions\":["
            + "{\"topic\":\"" + name + "\",\"partition\":0,\"offset\":7}]}");
        matches(Tool.good("delete-records", "--offset-json-file", file.toString()),
            "^partition: " + name + "-0\tlow_watermark: 7$");
        same(numbers(8, 10), consume(name, 3, "--from-beginning"));
        Files.writeString(file, "{\"version\":1,\"partitions\":["
            + "{\"topic\":\"" + name + "\",\"partition\":0,\"offset\":-1}]}");
        matches(Tool.good("delete-records", "--offset-json-file", file.toString()),
            "^partition: " + name + "-0\tlow_watermark: 10$");
        same(name + ":0:10\n", Tool.good("get-offsets", "--topic", name, "--time", "earliest"));
        Files.writeString(file, "{\"version\":1,\"partitions\":["
            + "{\"topic\":\"" + name + "\",\"partition\":0,\"offset\":11}]}");
        matches(Tool.good("delete-records", "--offset-json-file", file.toString()),
            "^partition: " + name + "-0\terror: .*OffsetOutOfRangeException");
        Files.delete(file);
    }

    // Groups.

    private static void groupsListDescribe() {
        String name = topic("groups", 2);
        String group = RUN + "-groups";
        produce(name, numbers(1, 10));
        consume(name, 10, "--from-beginning", "--group", group);
        matches(Tool.good("consumer-groups", "--list"), "^" + group + "$");
        matches(Tool.good("consumer-groups", "--list", "--state"), "^" + group + " +Empty");
        matches(Tool.good("consumer-groups", "--list", "--type"), "^" + group + " +Classic");
        String said = Tool.good("consumer-groups", "--describe", "--group", group);
        for (int p = 0; p < 2; p++) {
            matches(said, "^" + group + " +" + name + " +" + p
                + " +([0-9]+) +\\1 +0 +- +- +-");
        }
        matches(Tool.good("consumer-groups", "--describe", "--group", group, "--state"),
            "^" + group + " +" + Pattern.quote(System.getenv("BOOTSTRAP"))
            + " +\\(1\\) +- +Empty +0");
        Tool members = Tool.run("consumer-groups", "--describe", "--group", group, "--members");
        has(members.out() + members.err(), "Consumer group '" + group + "' has no active members.");
        has(Tool.run("consumer-groups", "--describe", "--group", group + "-none").out(),
            "GroupIdNotFoundException");
    }

    private static void groupsReset() {
        String name = topic("reset", 1);
        String group = RUN + "-reset";
        produce(name, numbers(1, 10));
        consume(name, 10, "--from-beginning", "--group", group);
        String[][] cases = {{"0", "--to-earliest"}, {"10", "--to-latest"},
            {"4", "--to-offset", "4"}, {"6", "--shift-by", "2"},
            {"0", "--to-datetime", "2020-01-01T00:00:00.000"}, {"0", "--to-current"}};
        for (String[] one : cases) {
            String said = Tool.good("consumer-groups", concat(new String[] {"--group", group,
                "--reset-offsets", "--topic", name, "--execute"},
                Arrays.copyOfRange(one, 1, one.length)));
            matches(said, "^" + group + " +" + name + " +0 +" + one[0] + " *$");
        }
        Tool.good("consumer-groups", "--group", group, "--reset-offsets", "--topic", name,
            "--to-offset", "7", "--execute");
        same(numbers(8, 10), consume(name, 3, "--group", group));
    }

    private static void groupsDelete() {
        String name = topic("delete-group", 1);
        String group = RUN + "-delete-group";
        produce(name, numbers(1, 3));
        consume(name, 3, "--from-beginning", "--group", group);
        has(Tool.good("consumer-groups", "--delete", "--group", group),
            "Deletion of requested consumer groups ('" + group + "') was successful.");
        lacks(Tool.good("consumer-groups", "--list"), group);
        String again = Tool.run("consumer-groups", "--delete", "--group", group).out();
        has(again, "GroupIdNotFoundException");
    }

    // Configs.

    private static void configsTopics() {
        String name = topic("configs", 1);
        String[] of = {"--entity-type", "topics", "--entity-name", name};
        has(Tool.good("configs", concat(of, new String[] {"--alter", "--add-config",
            "retention.ms=777,cleanup.policy=[compact,delete]"})),
            "Completed updating config for topic " + name + ".");
        String said = becomes("^  retention.ms=777 ", "configs",
            concat(of, new String[] {"--describe"}));
        has(said, "Dynamic configs for topic " + name + " are:");
        has(said, "  cleanup.policy=compact,delete sensitive=false "
            + "synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete, "
            + "DEFAULT_CONFIG:log.cleanup.policy=delete}");
        Tool.good("configs", concat(of, new String[] {"--alter", "--delete-config",
            "retention.ms"}));
        becomes("(?s)\\A(?!.*retention.ms)", "configs", concat(of, new String[] {"--describe"}));
        String all = Tool.good("configs", concat(of, new String[] {"--describe", "--all"}));
        matches(all, "^  retention.ms=604800000 ");
        matches(all, "^  min.insync.replicas=1 ");
        refused("InvalidConfigurationException", "configs", concat(of,
            new String[] {"--alter", "--add-config", "retention.ms=soon"}));
    }

    private static void configsBrokers() {
        String[] one = {"--entity-type", "brokers", "--entity-name", "1"};
        String said = Tool.good("configs", concat(one, new String[] {"--describe", "--all"}));
        has(said, "All configs for broker 1 are:");
        matches(said, "^  node.id=1 sensitive=false synonyms=\\{STATIC_BROKER_CONFIG:node.id=1\\}");
        matches(said, "^  offsets.topic.num.partitions=5 ");
        matches(said, "^  message.max.bytes=1048588 .*DEFAULT_CONFIG:message.max.bytes=1048588");
        has(Tool.good("configs", concat(one, new String[] {"--alter", "--add-config",
            "message.max.bytes=1048600"})), "Completed updating config for broker 1.");
        becomes("^  message.max.bytes=1048600 .*DYNAMIC_BROKER_CONFIG", "configs",
            concat(one, new String[] {"--describe"}));
        Tool.good("configs", concat(one, new String[] {"--alter", "--delete-config",
            "message.max.bytes"}));
        becomes("(?s)\\A(?!.*message.max.bytes)", "configs",
            concat(one, new String[] {"--describe"}));
        String[] every = {"--entity-type", "brokers", "--entity-default"};
        Tool.good("configs", concat(every, new String[] {"--alter", "--add-config",
            "log.retention.ms=777777"}));
        becomes("^  log.retention.ms=777777 ", "configs",
            concat(every, new String[] {"--describe"}));
        Tool.good("configs", concat(every, new String[] {"--alter", "--delete-config",
            "log.retention.ms"}));
        refused("Cannot update these configs dynamically", "configs", concat(one,
            new String[] {"--alter", "--add-config", "log.dirs=/tmp"}));
    }

    // Load.

    private static final int PERF_RECORDS = 20000;

    private static void producerPerfTest() {
        String name = topic("perf", 3);
        String said = Tool.good("producer-perf-test", "--topic", name, "--num-records",
            String.valueOf(PERF_RECORDS), "--record-size", "200", "--throughput", "-1");
        matches(said, "^" + PERF_RECORDS + " records sent, ");
    }

    private static void consumerPerfTest() {
        String name = RUN + "-perf";
        Tool done = Tool.run("consumer-perf-test", "--topic", name, "--num-records",
            String.valueOf(PERF_RECORDS));
        same(0, done.status());
        lacks(done.out() + done.err(), "WARNING");
        // The fifth column is the count of messages; a batch may bring more than asked for.
        String[] columns = done.out().strip().split("\n")[1].split(", ");
        if (Integer.parseInt(columns[4]) < PERF_RECORDS) {
            throw new AssertionError("consumed only " + columns[4]);
        }
    }

    // Files. The broker is stopped before them; nothing after may need it, but restartInPlace.

    private static boolean stopped;

    private static void stopOnce() throws Exception {
        if (!stopped) {
            control("stop");
            stopped = true;
        }
    }

    private static List<String> files(String folder, String suffix) {
        File[] found = DATA.resolve(folder).toFile()
            .listFiles((dir, name) -> name.endsWith(suffix));
        return found == null ? List.of()
            : Arrays.stream(found).map(File::getPath).sorted().toList();
    }

    /** A producer with an open transaction: one record is in partition 0 of the topic. */
    private static KafkaProducer<String, String> opened(String topic) throws Exception {
        var producer = new KafkaProducer<>(Map.<String, Object>of(
            "bootstrap.servers", System.getenv("BOOTSTRAP"), "transactional.id", topic),
            new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, 0, "k", "v")).get();
        return producer;
    }

    private static void transactionsListDescribe() throws Exception {
        String name = topic("txn-list", 1);
        try (var producer = opened(name)) {
            matches(Tool.good("transactions", "list"), "^" + name + "\\s+1\\s+[0-9]+\\s+Ongoing\\s*$");
            has(Tool.good("transactions", "list", "--transactional-id-pattern", RUN + "-txn-l.*"), name);
            lacks(Tool.good("transactions", "list", "--transactional-id-pattern", "txn-l.*"), name);
            lacks(Tool.good("transactions", "list", "--duration-filter", "3600000"), name);
            matches(Tool.good("transactions", "describe", "--transactional-id", name),
                "^1\\s+" + name + "\\s+[0-9]+\\s+0\\s+Ongoing\\s+60000\\s+[0-9]+\\s+[0-9]+\\s+" + name + "-0");
            matches(Tool.good("transactions", "describe-producers", "--topic", name, "--partition", "0"),
                "^[0-9]+\\s+0\\s+-1\\s+0\\s+[0-9]+\\s+0\\s*$");
            producer.commitTransaction();
        }
        becomes("^" + name + "\\s+1\\s+[0-9]+\\s+CompleteCommit\\s*$", "transactions", "list");
        matches(Tool.good("transactions", "describe-producers", "--topic", name, "--partition", "0"),
            "^[0-9]+\\s+1\\s+0\\s+-1\\s+[0-9]+\\s+None\\s*$");
        refused("could not be found", "transactions", "describe", "--transactional-id", name + "-none");
    }

    private static void transactionsAbort() throws Exception {
        String name = topic("txn-abort", 1);
        var producer = opened(name);
        matches(Tool.good("get-offsets", "--topic", name, "--time", "-1"), "^" + name + ":0:1$");
        Tool.good("transactions", "abort", "--topic", name, "--partition", "0", "--start-offset", "0");
        matches(Tool.good("transactions", "describe-producers", "--topic", name, "--partition", "0"),
            "^[0-9]+\\s+0\\s+[0-9]+\\s+0\\s+[0-9]+\\s+None\\s*$");
        matches(Tool.good("get-offsets", "--topic", name, "--time", "-1"), "^" + name + ":0:2$");
        producer.abortTransaction();
        producer.close();
    }

    private static void transactionsTerminate() throws Exception {
        String name = topic("txn-terminate", 1);
        var producer = opened(name);
        Tool.good("transactions", "forceTerminateTransaction", "--transactionalId", name);
        becomes("^" + name + "\\s+1\\s+[0-9]+\\s+(CompleteAbort|Empty)\\s*$", "transactions", "list");
        boolean isFenced = false;
        try {
            producer.commitTransaction();
        } catch (KafkaException e) {
            isFenced = true;
        }
        same(true, isFenced);
        producer.close();
    }

    private static void transactionsFindHanging() throws Exception {
        String name = topic("txn-hanging", 1);
        try (var producer = opened(name)) {
            // The coordinator knows it, so it does not hang, however long it lasts.
            lacks(Tool.good("transactions", "find-hanging", "--broker-id", "1", "--max-transaction-timeout",
                "0"), name);
            producer.abortTransaction();
        }
    }

    private static String feature(String name, String lowest, String highest, String now) {
        return "^Feature: " + Pattern.quote(name) + " +SupportedMinVersion: " + lowest
            + " +SupportedMaxVersion: " + highest + " +FinalizedVersionLevel: " + now
            + " +Epoch: \\d+$";
    }

    private static void featuresDescribe() {
        String said = Tool.good("features", "describe");
        same(7L, said.lines().count());
        matches(said, feature("metadata.version", "3.3-IV3", "4.3-IV0", "4.3-IV0"));
        matches(said, feature("eligible.leader.replicas.version", "0", "1", "1"));
        matches(said, feature("group.version", "0", "1", "1"));
        matches(said, feature("kraft.version", "0", "1", "1"));
        matches(said, feature("share.version", "0", "1", "1"));
        matches(said, feature("streams.version", "0", "1", "1"));
        matches(said, feature("transaction.version", "0", "2", "2"));
        same(7L, Tool.good("features", "describe", "--node-id", "1").lines().count());
    }

    private static void featuresUpgradeDowngrade() {
        String one = "transaction.version=1";
        has(Tool.good("features", "downgrade", "--feature", one, "--dry-run"),
            "transaction.version can be downgraded to 1.");
        matches(Tool.good("features", "describe"), feature("transaction.version", "0", "2", "2"));
        has(Tool.good("features", "downgrade", "--feature", one, "--unsafe"),
            "transaction.version was downgraded to 1.");
        becomes(feature("transaction.version", "0", "2", "1"), "features", "describe");
        has(Tool.good("features", "disable", "--feature", "streams.version", "--feature",
            "share.version"), "streams.version was disabled.");
        becomes(feature("streams.version", "0", "1", "0"), "features", "describe");
        String release = Tool.good("features", "upgrade", "--release-version", "4.3-IV0");
        has(release, "transaction.version was upgraded to 2.");
        has(release, "metadata.version was upgraded to 30.");
        has(release, "kraft.version was upgraded to 1.");
        becomes(feature("transaction.version", "0", "2", "2"), "features", "describe");
        becomes(feature("share.version", "0", "1", "1"), "features", "describe");
    }

    private static void featuresErrors() {
        refused("Could not upgrade group.version to 9. The update failed for all features since the "
            + "following feature had an error: Invalid update version 9 for feature group.version. "
            + "Local controller 1 only supports versions 0-1",
            "features", "upgrade", "--feature", "group.version=9");
        refused("Invalid update version 1 for feature unknown. Local controller 1 does not support "
            + "this feature.", "features", "upgrade", "--feature", "unknown=1", "--dry-run");
        refused("Refusing to perform the requested downgrade because it might delete metadata "
            + "information.", "features", "downgrade", "--metadata", "4.2-IV1");
        refused("Unsafe metadata downgrade is not supported in this version.",
            "features", "downgrade", "--feature", "metadata.version=24", "--unsafe");
        refused("Can't downgrade the version of this feature.",
            "features", "disable", "--feature", "kraft.version");
    }

    /** What our daemon says by itself, whichever broker is under test. */
    private static String odradekd(String... arguments) throws Exception {
        String daemon = Files.readString(Path.of(System.getenv("BROKER_DIR"), "odradekd")).strip();
        List<String> command = new ArrayList<>(List.of(daemon));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        same(0, process.waitFor());
        return said;
    }

    private static void featuresMapping() throws Exception {
        same(Tool.good("features", "version-mapping"), odradekd("version-mapping"));
        for (MetadataVersion version : MetadataVersion.VERSIONS) {
            String[] mapping = {"version-mapping", "--release-version", version.version()};
            same(Tool.good("features", mapping), odradekd(mapping));
            String[] of = {"feature-dependencies", "--feature",
                "metadata.version=" + version.featureLevel()};
            same(Tool.good("features", of), odradekd(of));
        }
        for (Feature feature : Feature.PRODUCTION_FEATURES) {
            for (FeatureVersion version : feature.featureVersions()) {
                String[] of = {"feature-dependencies", "--feature",
                    feature.featureName() + "=" + version.featureLevel()};
                same(Tool.good("features", of), odradekd(of));
            }
        }
    }

    private static void dumpLogData() throws Exception {
        String name = topic("dump", 1);
        produce(name, "k1:one\nk2:two\n", "--reader-property", "parse.key=true",
            "--reader-property", "key.separator=:");
        produce(name, numbers(1, 100), "--compression-codec", "zstd");
        stopOnce();
        String said = Tool.good("dump-log", "--files", files(name + "-0", ".log").get(0),
            "--print-data-log", "--deep-iteration");
        has(said, "Log starting offset: 0");
        matches(said, "\\| offset: 0 CreateTime: [0-9]+ keySize: 2 valueSize: 3 .* key: k1 "
            + "payload: one");
        matches(said, "\\| offset: 1 .* key: k2 payload: two");
        matches(said, "^baseOffset: [0-9]+ .*compresscodec: zstd .*isvalid: true");
        matches(said, "\\| offset: 101 .* payload: 100");
        lacks(said, "isvalid: false");
    }

    private static void dumpLogIndexes() throws Exception {
        stopOnce();
        // The perf topic has enough bytes for entries; the clean stop has trimmed the files.
        for (int p = 0; p < 3; p++) {
            String folder = RUN + "-perf-" + p;
            String index = files(folder, ".index").get(0);
            String time = files(folder, ".timeindex").get(0);
            String said = Tool.good("dump-log", "--files", index + "," + time,
                "--index-sanity-check");
            has(said, index + " passed sanity check.");
            has(said, time + " passed sanity check.");
            lacks(Tool.good("dump-log", "--files", index + "," + time, "--verify-index-only"),
                "Found");
        }
    }

    private static void dumpLogOffsets() throws Exception {
        stopOnce();
        StringBuilder said = new StringBuilder();
        for (int p = 0; p < 5; p++) {
            for (String file : files("__consumer_offsets-" + p, ".log")) {
                said.append(Tool.good("dump-log", "--files", file, "--offsets-decoder"));
            }
        }
        String group = RUN + "-console-group";
        matches(said.toString(), "key: \\{\"type\":\"1\",\"data\":\\{\"group\":\"" + group
            + "\",\"topic\":\"" + group + "\",\"partition\":0\\}\\} payload: \\{\"version\":"
            + "\"[0-9]+\",\"data\":\\{\"offset\":20,");
        matches(said.toString(), "key: \\{\"type\":\"2\",\"data\":\\{\"group\":\"" + group
            + "\"\\}\\} payload: \\{\"version\":\"[0-9]+\",\"data\":\\{\"protocolType\":"
            + "\"consumer\",\"generation\":1,\"protocol\":\"range\"");
        matches(said.toString(), "\"group\":\"" + RUN + "-delete-group\".* payload: <DELETE>");
    }

    /** What became of the transactions of the tests above, as Kafka reads it. */
    private static void dumpLogTransactions() throws Exception {
        stopOnce();
        StringBuilder said = new StringBuilder();
        for (int p = 0; p < 5; p++) {
            for (String file : files("__transaction_state-" + p, ".log")) {
                said.append(Tool.good("dump-log", "--files", file, "--transaction-log-decoder"));
            }
        }
        String id = "key: \\{\"type\":\"0\",\"data\":\\{\"transactionalId\":\"" + RUN + "-txn-list\"\\}\\} ";
        String value = "payload: \\{\"version\":\"1\",\"data\":\\{\"producerId\":[0-9]+,\"previousProducerId\":"
            + "[0-9]+,\"producerEpoch\":%s,.*\"transactionStatus\":%s,"
            + "\"transactionPartitions\":%s,.*";
        String partitions = "\\[\\{\"topic\":\"" + RUN + "-txn-list\",\"partitionIds\":\\[0\\]\\}\\]";
        matches(said.toString(), id + value.formatted(0, 0, "null"));
        matches(said.toString(), id + value.formatted(0, 1, partitions));
        matches(said.toString(), id + value.formatted(1, 2, partitions));
        matches(said.toString(), id + value.formatted(1, 4, "\\[\\]"));
        lacks(said.toString(), "isvalid: false");
        String data = Tool.good("dump-log", "--files", files(RUN + "-txn-abort-0", ".log").get(0));
        matches(data, "isTransactional: true isControl: true");
        String indexes = String.join(",", files(RUN + "-txn-abort-0", ".txnindex"));
        matches(Tool.good("dump-log", "--files", indexes),
            "version: 0 producerId: [0-9]+ firstOffset: 0 lastOffset: 1 lastStableOffset: 2");
    }

    private static void dumpLogMetadata() throws Exception {
        stopOnce();
        String said = files("__cluster_metadata-0", ".log").stream()
            .map(file -> Tool.good("dump-log", "--files", file, "--cluster-metadata-decoder"))
            .collect(Collectors.joining());
        for (String type : List.of("FEATURE_LEVEL_RECORD", "REGISTER_BROKER_RECORD",
                "TOPIC_RECORD", "PARTITION_RECORD", "CONFIG_RECORD", "REMOVE_TOPIC_RECORD",
                "PRODUCER_IDS_RECORD")) {
            has(said, "\"type\":\"" + type + "\"");
        }
        has(said, "\"name\":\"" + RUN + "-create\"");
        has(said, "LeaderChange");
        lacks(said, "isvalid: false");
        for (String file : files("__cluster_metadata-0", ".checkpoint")) {
            lacks(Tool.good("dump-log", "--files", file, "--cluster-metadata-decoder"),
                "isvalid: false");
        }
    }

    private static void metadataShell() throws Exception {
        stopOnce();
        // A copy: the shell locks the folder that it reads.
        Path copy = Path.of(System.getenv("WORK_DIR"), "00000000000000000000.log");
        Files.copy(Path.of(files("__cluster_metadata-0", ".log").get(0)), copy);
        String[] snapshot = {"--snapshot", copy.toString()};
        String name = RUN + "-create";
        // The shell does not always wait until it has read the whole file; asking again helps.
        becomes("^" + name + "$", "metadata-shell", concat(snapshot,
            new String[] {"ls", "/image/topics/byName"}));
        becomes("PartitionRegistration\\(replicas=\\[1\\], directories=\\[.{22}\\],",
            "metadata-shell", concat(snapshot,
                new String[] {"cat", "/image/topics/byName/" + name + "/0"}));
        String root = Tool.good("metadata-shell", concat(snapshot, new String[] {"ls", "/image"}));
        for (String room : List.of("cluster", "configs", "features", "producerIds", "topics")) {
            matches(root, "^" + room + "$");
        }
    }

    private static void restartInPlace() throws Exception {
        stopOnce();
        control("start");
        same(numbers(1, 5000), consume(RUN + "-console-compression", 5000, "--from-beginning"));
        matches(Tool.good("topics", "--describe", "--topic", RUN + "-alter"), "PartitionCount: 5");
        matches(Tool.good("consumer-groups", "--describe", "--group", RUN + "-console-group"),
            "^" + RUN + "-console-group +" + RUN + "-console-group +0 +20 +20 +0 ");
        has(Tool.good("configs", "--entity-type", "topics", "--entity-name", RUN + "-configs",
            "--describe"), "cleanup.policy=compact,delete");
        stopped = false;
    }
}
