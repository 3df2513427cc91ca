// SPDX-License-Identifier: Apache-2.0

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.storage.internals.checkpoint.LeaderEpochCheckpointFile;
import org.apache.kafka.storage.internals.checkpoint.OffsetCheckpointFile;
import org.apache.kafka.storage.internals.checkpoint.PartitionMetadataFile;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.tools.DumpLogSegments;

/** kafka-dump-log over every file of a directory, each with all that it can be asked, and Kafka's readers over the checkpoints. */
final class Files {
    /** What the tool says when it finds something wrong. */
    private static final Pattern WRONG = Pattern.compile(
        "(?i)mismatch|isvalid: false|out of order|not found for offset|invalid|exception|corrupt|does not|failed|could not|error");

    private Files() { }

    static String check(String data) throws Exception {
        Exit.setExitProcedure((status, message) -> {
            throw new IllegalStateException("the tool ended with " + status + ": " + message);
        });
        Exit.setHaltProcedure((status, message) -> {
            throw new IllegalStateException("the tool halted with " + status + ": " + message);
        });
        int count = 0;
        LogDirFailureChannel failures = new LogDirFailureChannel(10);
        try (Stream<Path> paths = java.nio.file.Files.walk(Path.of(data))) {
            for (Path path : paths.filter(java.nio.file.Files::isRegularFile).sorted().toList()) {
                checkFile(path, failures);
                count++;
            }
        }
        return count + " files";
    }

    private static void checkFile(Path path, LogDirFailureChannel failures) throws Exception {
        String name = path.getFileName().toString();
        String folder = path.getParent().getFileName().toString();
        File file = path.toFile();
        if (folder.endsWith("-delete"))
            return;
        switch (name) {
        case "leader-epoch-checkpoint" -> new LeaderEpochCheckpointFile(file, failures).read();
        case "recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint",
            "cleaner-offset-checkpoint" -> new OffsetCheckpointFile(file, failures).read();
        case "partition.metadata" -> new PartitionMetadataFile(file, failures).read();
        default -> {
            if (name.endsWith(".index") || name.endsWith(".timeindex")) {
                dump(path);
                dump(path, "--index-sanity-check");
                dump(path, "--verify-index-only");
            } else if (name.endsWith(".snapshot") || name.endsWith(".txnindex")) {
                dump(path);
            } else if (name.endsWith(".log") || name.endsWith(".checkpoint") && folder.startsWith("__cluster_metadata")) {
                dump(path, "--deep-iteration", "--print-data-log");
                String decoder = folder.startsWith("__cluster_metadata") ? "--cluster-metadata-decoder"
                    : folder.startsWith("__transaction_state") ? "--transaction-log-decoder"
                    : folder.startsWith("__consumer_offsets") ? "--offsets-decoder"
                    : folder.startsWith("__share_group_state") ? "--share-group-state-decoder" : null;
                if (decoder != null)
                    dump(path, "--deep-iteration", decoder);
            }
        }
        }
    }

    private static void dump(Path path, String... options) throws Exception {
        List<String> args = new ArrayList<>(List.of("--files", path.toString()));
        args.addAll(Arrays.asList(options));
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream before = System.out;
        PrintStream errorsBefore = System.err;
        try (PrintStream catching = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            System.setOut(catching);
            System.setErr(catching);
            DumpLogSegments.main(args.toArray(new String[0]));
        } catch (Throwable e) {
            throw new IllegalStateException(path + " " + Arrays.toString(options) + ": " + e, e);
        } finally {
            System.setOut(before);
            System.setErr(errorsBefore);
        }
        said.toString(StandardCharsets.UTF_8).lines().filter(l -> !l.contains(" payload: ") && !l.startsWith("Dumping ")
            && !l.contains("reading invalid file") && WRONG.matcher(l).find()).findFirst().ifPresent(l -> {
                throw new IllegalStateException(path + " " + Arrays.toString(options) + " says: " + l);
            });
    }
}
