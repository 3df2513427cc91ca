// SPDX-License-Identifier: Apache-2.0

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/** One call of a tool's main in this JVM: its status and what it printed. */
record Tool(int status, String out, String err) {
    private static final Map<String, String> CLASSES = Map.ofEntries(
        Map.entry("broker-api-versions", "org.apache.kafka.tools.BrokerApiVersionsCommand"),
        Map.entry("cluster", "org.apache.kafka.tools.ClusterTool"),
        Map.entry("configs", "kafka.admin.ConfigCommand"),
        Map.entry("console-consumer", "org.apache.kafka.tools.consumer.ConsoleConsumer"),
        Map.entry("console-share-consumer", "org.apache.kafka.tools.consumer.ConsoleShareConsumer"),
        Map.entry("console-producer", "org.apache.kafka.tools.ConsoleProducer"),
        Map.entry("consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
        Map.entry("consumer-perf-test", "org.apache.kafka.tools.ConsumerPerformance"),
        Map.entry("delete-records", "org.apache.kafka.tools.DeleteRecordsCommand"),
        Map.entry("dump-log", "org.apache.kafka.tools.DumpLogSegments"),
        Map.entry("features", "org.apache.kafka.tools.FeatureCommand"),
        Map.entry("get-offsets", "org.apache.kafka.tools.GetOffsetShell"),
        Map.entry("groups", "org.apache.kafka.tools.GroupsCommand"),
        Map.entry("log-dirs", "org.apache.kafka.tools.LogDirsCommand"),
        Map.entry("metadata-shell", "org.apache.kafka.shell.MetadataShell"),
        Map.entry("producer-perf-test", "org.apache.kafka.tools.ProducerPerformance"),
        Map.entry("share-consumer-perf-test", "org.apache.kafka.tools.ShareConsumerPerformance"),
        Map.entry("share-groups", "org.apache.kafka.tools.consumer.group.ShareGroupCommand"),
        Map.entry("streams-groups", "org.apache.kafka.tools.streams.StreamsGroupCommand"),
        Map.entry("topics", "org.apache.kafka.tools.TopicCommand"),
        Map.entry("transactions", "org.apache.kafka.tools.TransactionsCommand"));

    /** Instead of the end of the process. */
    private static final class Ended extends Error {
        private static final long serialVersionUID = 1;

        Ended() {
            super("exit", null, false, false);
        }
    }

    /** What a tool wants done when the process ends: the console producer sends what it holds. */
    private static final List<Runnable> HOOKS = new ArrayList<>();

    /** The first status that a tool exits with; some catch all, and would exit once more. */
    private static Integer exited;

    private static void exit(int status) {
        if (exited == null) {
            exited = status;
        }
        throw new Ended();
    }

    static {
        Exit.setExitProcedure((status, message) -> exit(status));
        Exit.setHaltProcedure((status, message) -> exit(status));
        Exit.setShutdownHookAdder((name, runnable) -> HOOKS.add(runnable));
    }

    /** Runs a tool with `input` as its standard input, the bootstrap address put in first. */
    static Tool feed(String input, String name, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        if (!name.equals("dump-log") && !name.equals("metadata-shell")) {
            int place = name.equals("cluster") ? 1 : 0;
            all.addAll(place, List.of("--bootstrap-server", System.getenv("BOOTSTRAP")));
        }
        PrintStream out = System.out;
        PrintStream err = System.err;
        InputStream in = System.in;
        var outBytes = new ByteArrayOutputStream();
        var errBytes = new ByteArrayOutputStream();
        int status = 0;
        try (var outTo = new PrintStream(outBytes, true, UTF_8);
                var errTo = new PrintStream(errBytes, true, UTF_8)) {
            System.setIn(new ByteArrayInputStream(input.getBytes(UTF_8)));
            System.setOut(outTo);
            System.setErr(errTo);
            HOOKS.clear();
            status = call(CLASSES.get(name), all.toArray(new String[0]), errTo);
            HOOKS.forEach(Runnable::run);
        } finally {
            System.setIn(in);
            System.setOut(out);
            System.setErr(err);
        }
        var done = new Tool(status, outBytes.toString(UTF_8), errBytes.toString(UTF_8));
        out.println("# kafka-" + name + " " + String.join(" ", all) + "  -> " + status);
        log(out, done.out);
        log(out, done.err);
        return done;
    }

    static Tool run(String name, String... arguments) {
        return feed("", name, arguments);
    }

    /** As run, but the tool must succeed. */
    static String good(String name, String... arguments) {
        Tool done = run(name, arguments);
        if (done.status != 0) {
            throw new AssertionError("kafka-" + name + " ended with " + done.status + ": "
                + brief(done.err + done.out));
        }
        return done.out;
    }

    private static String brief(String text) {
        return text.length() > 300 ? text.substring(0, 300) + "…" : text;
    }

    private static int call(String name, String[] arguments, PrintStream err) {
        exited = null;
        try {
            Class.forName(name).getMethod("main", String[].class)
                .invoke(null, (Object) arguments);
            return exited == null ? 0 : exited;
        } catch (InvocationTargetException e) {
            if (exited != null) {
                return exited;
            }
            e.getCause().printStackTrace(err);
            return 1;
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static void log(PrintStream out, String text) {
        text.lines().limit(60).forEach(
            line -> out.println("#   " + (line.length() > 240 ? line.substring(0, 240) : line)));
    }
}
