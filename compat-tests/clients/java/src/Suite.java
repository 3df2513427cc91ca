// SPDX-License-Identifier: Apache-2.0

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.utils.AppInfoParser;

/** Runs the tests, all or the one named by an argument, a line each. */
public final class Suite {
    private Suite() {
    }

    private static Map<String, Kit.Attempt> tests() {
        Map<String, Kit.Attempt> tests = new LinkedHashMap<>();
        tests.put("produce", Data::produce);
        tests.put("consume-from-beginning", Data::consumeFromBeginning);
        tests.put("consume-from-time", Data::consumeFromTime);
        tests.put("group-commit-resume", Groups::commitResume);
        tests.put("group-balance", Groups::balance);
        tests.put("group-static-member", Groups::staticMember);
        tests.put("group-consumer-protocol", NewGroups::balance);
        tests.put("group-consumer-regex", NewGroups::expression);
        tests.put("group-consumer-migration", NewGroups::migration);
        for (String codec : new String[] {"gzip", "snappy", "lz4", "zstd"}) {
            tests.put("compression-" + codec, () -> Data.compression(codec));
        }
        tests.put("headers", Data::headers);
        tests.put("null-key-value", Data::nullKeyValue);
        tests.put("message-1mb", Data::message1mb);
        tests.put("message-too-large", Data::messageTooLarge);
        tests.put("idempotent-produce", Data::idempotentProduce);
        tests.put("read-committed", Data::readCommitted);
        tests.put("transactions", Transactions::transactions);
        tests.put("transactional-copy", Transactions::transactionalCopy);
        tests.put("auto-create-topic", Data::autoCreateTopic);
        tests.put("admin-cluster", Administration::cluster);
        tests.put("admin-topics", Administration::topics);
        tests.put("admin-create-partitions", Administration::createPartitions);
        tests.put("admin-configs", Administration::configs);
        tests.put("admin-groups", Groups::administration);
        tests.put("admin-group-offsets", Groups::offsets);
        tests.put("admin-list-offsets", Administration::listOffsets);
        tests.put("share-consume", Shares::consume);
        tests.put("share-acknowledge", Shares::acknowledge);
        tests.put("share-renew", Shares::renew);
        tests.put("share-together", Shares::together);
        tests.put("share-admin", Shares::administration);
        tests.put("admin-log-dirs", LogDirs::moves);
        return tests;
    }

    public static void main(String[] args) {
        System.out.println("# kafka-clients " + AppInfoParser.getVersion());
        tests().forEach((name, test) -> {
            if (args.length == 0 || args[0].equals(name)) {
                long begin = System.nanoTime();
                String line;
                try {
                    test.run();
                    line = "ok " + name;
                } catch (Throwable e) {
                    e.printStackTrace(System.out);
                    Throwable cause = e.getCause() == null ? e : e.getCause();
                    line = "not ok " + name + " " + String.valueOf(cause).replace('\n', ' ');
                }
                System.out.printf("# %s: %.1f s%n", name, (System.nanoTime() - begin) / 1e9);
                System.out.println(line);
            }
        });
        System.exit(0);
    }
}
