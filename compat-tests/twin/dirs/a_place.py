# SPDX-License-Identifier: Apache-2.0
"""Where new partitions go, and what DescribeLogDirs tells of them (KIP-113, KIP-827, KIP-1066)."""
import os

from dirkit import (alter, configure, describe, fetch, path, place, produce, same, until, where)


def case_the_directory_with_the_fewest(t):
    c = t.connect()
    before = {d: len(logs) for d, (_, logs) in describe(c).items()}
    topic = t.topic(7)
    after = {d: len(logs) for d, (_, logs) in describe(c).items()}
    same(7, sum(after.values()) - sum(before.values()))
    assert max(after.values()) - min(after.values()) <= 1, after
    same(set(range(7)), set(where(c, topic)))


def case_described_by_name_and_version(t):
    c = t.connect()
    topic = place(t, c, "abb")
    same(("NONE", 0), produce(c, topic, 1))
    for version in (1, 2, 3, 4, 5):
        got = describe(c, [(topic, [0, 1, 99]), ("nobodys", [0])], version)
        same({"a": ("NONE", {(topic, 0): (0, 0, False)}), "b": ("NONE", {(topic, 1): (1151, 0, False)}),
              "c": ("NONE", {})}, got, "version %d" % version)
        answer = c.call("DescribeLogDirs", version, Topics=[])
        same([[], [], []], [r["Topics"] for r in answer["Results"]])
        for r in answer["Results"]:
            same(version >= 4, r.get("TotalBytes", -1) > 0)
            same(version >= 4, r.get("UsableBytes", -1) > 0)
            if version >= 5:
                same(False, r["IsCordoned"])
    answer = c.call("DescribeLogDirs", 4, Topics=None)
    same([path(t, d) for d in "abc"], [r["LogDir"] for r in answer["Results"]])
    assert (topic, 2) in describe(c)["b"][1]


def case_a_wish_is_remembered_until_the_topic_is_made(t):
    c = t.connect()
    name = t.name()
    same({(name, 0): "UNKNOWN_TOPIC_OR_PARTITION", (name, 2): "UNKNOWN_TOPIC_OR_PARTITION",
          (name, 7): "UNKNOWN_TOPIC_OR_PARTITION"}, alter(t, c, [("b", name, [0, 2]), ("c", name, [7])], version=1))
    same({(name, 0): "UNKNOWN_TOPIC_OR_PARTITION"}, alter(t, c, [("c", name, [0])]))
    c.call("CreateTopics", 7, timeoutMs=30000, Topics=[{"Name": name, "NumPartitions": 3, "ReplicationFactor": 1}])
    until(lambda: len(where(c, name)) == 3, "made")
    got = where(c, name)
    same(("c", "b"), (got[0], got[2]))


def case_what_is_wrong(t):
    c = t.connect()
    topic = place(t, c, "a")
    same({(topic, 0): "LOG_DIR_NOT_FOUND"}, alter(t, c, [(path(t, "d"), topic, [0])]))
    same({(topic, 0): "LOG_DIR_NOT_FOUND"}, alter(t, c, [(path(t, "a") + "/", topic, [0])]))
    same({(topic, 0): "LOG_DIR_NOT_FOUND"}, alter(t, c, [("", topic, [0])]))
    same({(topic, 0): "NONE"}, alter(t, c, [("a", topic, [0])])) # where it is
    same({(topic, 9): "UNKNOWN_TOPIC_OR_PARTITION", (topic, -1): "UNKNOWN_TOPIC_OR_PARTITION"},
         alter(t, c, [("a", topic, [9, -1])]))
    same({("a/b", 0): "UNKNOWN_TOPIC_OR_PARTITION"}, alter(t, c, [("a", "a/b", [0])]))
    # topic-N.<32 digits>-future has to fit 255 bytes.
    long = "t" * 213
    same({(long, 0): "UNKNOWN_TOPIC_OR_PARTITION", (long, 10): "INVALID_TOPIC_EXCEPTION",
          (long + "t", 0): "INVALID_TOPIC_EXCEPTION"}, alter(t, c, [("a", long, [0, 10]), ("a", long + "t", [0])]))
    # Named twice: the last one counts.
    same({(topic, 0): "NONE"}, alter(t, c, [("nowhere/", topic, [0]), ("a", topic, [0])]))
    same({}, alter(t, c, []))
    same({0: "a"}, where(c, topic))


def cordon(c, value, operation=0, broker="1"):
    return configure(c, value, "cordoned.log.dirs", operation, broker)


def cordoned(c):
    answer = c.call("DescribeLogDirs", 5, Topics=[])
    return [os.path.basename(r["LogDir"]) for r in answer["Results"] if r["IsCordoned"]]


def case_cordoned_directories_take_nothing_new(t):
    c = t.connect()
    topic = place(t, c, "ab")
    same(("NONE", None), cordon(c, path(t, "a")))
    until(lambda: cordoned(c) == ["a"], "cordoned")
    same({(topic, 1): "INVALID_REPLICA_ASSIGNMENT", (topic, 0): "INVALID_REPLICA_ASSIGNMENT",
          ("new", 0): "INVALID_REPLICA_ASSIGNMENT"}, alter(t, c, [("a", topic, [0, 1]), ("a", "new", [0])]))
    assert "a" not in where(c, t.topic(6)).values()
    same(("NONE", 0), produce(c, topic, 0)) # what is there goes on
    same(10, fetch(c, topic, 0)[1])
    same("INVALID_REQUEST", cordon(c, path(t, "d"))[0])
    same("INVALID_REQUEST", cordon(c, "*," + path(t, "b"))[0])
    error, message = cordon(c, path(t, "a"), broker="")
    same("INVALID_REQUEST", error)
    assert message.endswith("broker id must be specified: [cordoned.log.dirs]"), message
    same(("NONE", None), cordon(c, path(t, "b"), operation=2))
    until(lambda: cordoned(c) == ["a", "b"], "two")
    same(("NONE", None), cordon(c, "*"))
    until(lambda: cordoned(c) == ["a", "b", "c"], "all")
    answer = c.call("CreateTopics", 7, timeoutMs=30000, Topics=[
        {"Name": t.name(), "NumPartitions": 1, "ReplicationFactor": 1}])["Topics"][0]
    same("INVALID_REPLICATION_FACTOR", t.error(answer["ErrorCode"]))
    same("Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all their log "
         "directories cordoned.", answer["ErrorMessage"])
    # An assignment by hand is served all the same.
    name = t.name()
    answer = c.call("CreateTopics", 7, timeoutMs=30000, Topics=[
        {"Name": name, "NumPartitions": -1, "ReplicationFactor": -1,
         "Assignments": [{"PartitionIndex": 0, "BrokerIds": [1]}]}])["Topics"][0]
    same(0, answer["ErrorCode"])
    until(lambda: len(where(c, name)) == 1, "made")
    t.broker.stop()
    t.broker.start()
    c = t.connect()
    until(lambda: cordoned(c) == ["a", "b", "c"], "still all after a restart")
    same(("NONE", None), cordon(c, "", operation=1))
    until(lambda: cordoned(c) == [], "none")
    t.topic(1)
