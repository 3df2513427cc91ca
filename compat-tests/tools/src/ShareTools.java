// SPDX-License-Identifier: Apache-2.0

import java.util.Arrays;
import java.util.regex.Pattern;

/** The tests of the tools of share groups: every command of kafka-share-groups, and what consumes in a share group. */
final class ShareTools {
    private ShareTools() {
    }

    /** A group that begins at the first record. */
    private static String group(String what) {
        String group = Tools.named(what);
        Tools.has(Tool.good("configs", "--entity-type", "groups", "--entity-name", group, "--alter", "--add-config",
            "share.auto.offset.reset=earliest"), "Completed updating config for group " + group + ".");
        return group;
    }

    private static String consume(String topic, String group, int count, String... more) {
        Tool done = Tool.run("console-share-consumer", Tools.concat(new String[] {"--topic", topic, "--group", group,
            "--max-messages", String.valueOf(count), "--timeout-ms", "30000"}, more));
        Tools.same(0, done.status());
        Tools.has(done.err(), "Processed a total of " + count + " messages");
        return done.out();
    }

    private static String describe(String group, String... more) {
        return Tool.good("share-groups", Tools.concat(new String[] {"--describe", "--group", group}, more));
    }

    /** Members leave and what they took is acknowledged a moment after they say so. */
    private static void becomes(String group, String topic, String lag) {
        Tools.becomes("^" + group + " +" + topic + " +0 +[0-9]+ +" + lag + " *$", "share-groups", "--describe",
            "--group", group);
    }

    private static void starts(String group, String topic, String start, String lag) {
        Tools.matches(describe(group), "^" + group + " +" + topic + " +0 +" + start + " +" + lag + " *$");
    }

    static void listDescribe() {
        String topic = Tools.topic("share-list", 1);
        String group = group("share-list");
        Tools.produce(topic, Tools.numbers(1, 10));
        Tools.same(Tools.numbers(1, 10), consume(topic, group, 10));
        Tools.matches(Tool.good("share-groups", "--list"), "^" + group + "$");
        Tools.becomes("^" + group + " +Empty", "share-groups", "--list", "--state");
        Tools.matches(Tool.good("share-groups", "--list", "--state", "Empty"), "^" + group + " +Empty");
        Tools.lacks(Tool.good("share-groups", "--list", "--state", "Stable"), group);
        for (String filter : new String[] {"--share", "--group-type=share", "--protocol=share"}) {
            Tools.matches(Tool.good("groups", "--list", filter), "^" + group + " +Share +share *$");
        }
        Tools.lacks(Tool.good("groups", "--list", "--consumer"), group);
        becomes(group, topic, "0");
        Tools.matches(describe(group, "--offsets", "--verbose"), "^" + group + " +" + topic + " +0 +0 +[0-9]+ +0 *$");
        String where = "^" + group + " +" + Pattern.quote(System.getenv("BOOTSTRAP")) + " +\\(1\\) +";
        Tools.matches(describe(group, "--state"), where + "Empty +0 *$");
        Tools.matches(describe(group, "--state", "--verbose"), where + "Empty +4 +3 +0 *$");
        Tool members = Tool.run("share-groups", "--describe", "--group", group, "--members");
        Tools.has(members.out() + members.err(), "Share group '" + group + "' has no active members.");
        Tools.matches(Tool.good("share-groups", "--describe", "--all-groups", "--state"), where);
        Tools.has(Tool.run("share-groups", "--describe", "--group", group + "-none").out(), "GroupIdNotFoundException");
    }

    static void reset() {
        String topic = Tools.topic("share-reset", 1);
        String group = group("share-reset");
        Tools.produce(topic, Tools.numbers(1, 10));
        consume(topic, group, 10);
        Tools.becomes("^" + group + " +Empty", "share-groups", "--list", "--state");
        String[][] cases = {{"0", "--to-earliest"}, {"10", "--to-latest"}, {"0", "--to-datetime",
            "2020-01-01T00:00:00.000"}, {"10", "--to-datetime", "2199-01-01T00:00:00.000"}};
        for (String[] one : cases) {
            for (String how : new String[] {"--dry-run", "--execute"}) {
                String[] scope = how.equals("--dry-run") ? new String[] {"--all-topics"}
                    : new String[] {"--topic", topic + ":0"};
                String[] where = Tools.concat(Arrays.copyOfRange(one, 1, one.length), scope);
                String said = Tool.good("share-groups",
                    Tools.concat(new String[] {"--reset-offsets", "--group", group, how}, where));
                Tools.matches(said, "^" + group + " +" + topic + " +0 +" + one[0] + " *$");
            }
            starts(group, topic, one[0], String.valueOf(10 - Integer.parseInt(one[0])));
        }
        String fresh = Tools.named("share-made"); // resetting makes a group
        Tool.good("share-groups", "--reset-offsets", "--group", fresh, "--execute", "--to-earliest", "--topic", topic);
        Tools.matches(describe(fresh, "--state", "--verbose"), " Empty +1 +1 +0 *$");
        starts(fresh, topic, "0", "10");
        Tools.same(Tools.numbers(1, 10), consume(topic, fresh, 10));
    }

    static void delete() {
        String topic = Tools.topic("share-delete", 1);
        String group = group("share-delete");
        Tools.produce(topic, Tools.numbers(1, 3));
        consume(topic, group, 3);
        becomes(group, topic, "0");
        Tools.becomes("^" + group + " +Empty", "share-groups", "--list", "--state");
        Tools.matches(Tool.good("share-groups", "--delete-offsets", "--group", group, "--topic", topic),
            "^" + topic + " +Successful *$");
        Tools.has(describe(group), "Share group '" + group + "' has no offset information.");
        Tools.matches(Tool.run("share-groups", "--delete-offsets", "--group", group, "--topic", topic).out(),
            "^" + topic + " +Error: .*There is no offset information to delete.");
        Tools.has(Tool.good("share-groups", "--delete", "--group", group),
            "Deletion of requested share groups ('" + group + "') was successful.");
        Tools.lacks(Tool.good("share-groups", "--list"), group);
        Tools.has(Tool.run("share-groups", "--delete", "--group", group).out(),
            "Group '" + group + "' is not a share group.");
    }

    static void consumer() {
        String topic = Tools.topic("share-console", 1);
        String group = group("share-console");
        Tools.produce(topic, Tools.numbers(1, 5));
        String counted = "--formatter-property=print.delivery=true";
        Tools.same("Delivery:1\t1\nDelivery:1\t2\nDelivery:1\t3\nDelivery:1\t4\nDelivery:1\t5\n",
            consume(topic, group, 5, "--release", counted));
        Tools.same("Delivery:2\t1\nDelivery:2\t2\nDelivery:2\t3\nDelivery:2\t4\nDelivery:2\t5\n",
            consume(topic, group, 5, "--reject", counted));
        Tools.produce(topic, Tools.numbers(6, 8));
        Tools.same(Tools.numbers(6, 8), consume(topic, group, 3));
        becomes(group, topic, "0");
    }

    static void perfTest() {
        String topic = Tools.topic("share-perf", 2);
        String group = group("share-perf");
        Tools.produce(topic, Tools.numbers(1, 1000));
        String said = Tool.good("share-consumer-perf-test", "--topic", topic, "--group", group, "--num-records", "1000",
            "--threads", "2", "--timeout", "30000", "--hide-header");
        Tools.matches(said, "^[0-9-]+ [0-9:]+, [0-9-]+ [0-9:]+, [0-9.]+, [0-9.]+, [0-9.]+, 1000, ");
    }
}
