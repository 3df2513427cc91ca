# SPDX-License-Identifier: Apache-2.0
"""Short names for the cases beside it: a broker with the log directories a, b and c in its `data`."""
import os
import shutil
import time

import records
import wire

ERRORS = {code: name for name, code in wire.errors().items()}
LIMIT_S = 60


def path(t, directory):
    return os.path.join(t.broker.folder, "data", directory)


def block(t, directory):
    """Fails it: a folder in the way of the new high watermark checkpoint is a write that fails."""
    os.makedirs(os.path.join(path(t, directory), "replication-offset-checkpoint.tmp", "x"))


def unblock(t, directory):
    shutil.rmtree(os.path.join(path(t, directory), "replication-offset-checkpoint.tmp"))


def same(want, got, what=""):
    if want != got:
        raise AssertionError("%swanted %r, got %r" % (what and what + ": ", want, got))


def until(condition, what):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain: " + what
        time.sleep(0.02)


def alter(t, c, moves, version=2):
    """moves: (directory or path, topic, partitions). {(topic, partition): error}"""
    dirs = [{"Path": d if "/" in d or d == "" else path(t, d), "Topics": [{"Name": topic, "Partitions": partitions}]}
            for d, topic, partitions in moves]
    answer = c.call("AlterReplicaLogDirs", version, Dirs=dirs)
    names = [r["TopicName"] for r in answer["Results"]]
    same(len(names), len(set(names)), "topics named once")
    return {(r["TopicName"], p["PartitionIndex"]): ERRORS[p["ErrorCode"]]
            for r in answer["Results"] for p in r["Partitions"]}


def describe(c, topics=None, version=4):
    """{directory: (error, {(topic, partition): (size, lag, is future)})}"""
    answer = c.call("DescribeLogDirs", version, Topics=topics and [
        {"Topic": topic, "Partitions": partitions} for topic, partitions in topics])
    same(["a", "b", "c"], [os.path.basename(r["LogDir"]) for r in answer["Results"]], "the order of log.dirs")
    return {os.path.basename(r["LogDir"]): (ERRORS[r["ErrorCode"]], {
        (topic["Name"], p["PartitionIndex"]): (p["PartitionSize"], p["OffsetLag"], p["IsFutureKey"])
        for topic in r["Topics"] for p in topic["Partitions"]}) for r in answer["Results"]}


def where(c, topic):
    """{partition: directory} of the logs, futures left out."""
    return {key[1]: d for d, (_, logs) in describe(c).items() for key, log in logs.items()
            if key[0] == topic and not log[2]}


def futures(c, topic):
    return {key[1]: d for d, (_, logs) in describe(c).items() for key, log in logs.items()
            if key[0] == topic and log[2]}


def place(t, c, placement):
    """A topic with its partitions in these directories: "aab" is 0 and 1 in a, 2 in b."""
    name = t.name("dirs")
    for partition, d in enumerate(placement):
        same({(name, partition): "UNKNOWN_TOPIC_OR_PARTITION"}, alter(t, c, [(d, name, [partition])]))
    answer = c.call("CreateTopics", 7, timeoutMs=30000, Topics=[
        {"Name": name, "NumPartitions": len(placement), "ReplicationFactor": 1}])
    same(0, answer["Topics"][0]["ErrorCode"])
    until(lambda: all(list_offset(c, name, p)[0] == "NONE" for p in range(len(placement))), "led")
    same(dict(enumerate(placement)), where(c, name))
    return name


def produce(c, topic, partition=0, count=10, size=100):
    batch = records.batch([b"x" * size] * count, base_timestamp=int(time.time() * 1000))
    answer = c.call("Produce", 9, Acks=-1, TimeoutMs=30000, TopicData=[
        {"Name": topic, "PartitionData": [{"Index": partition, "Records": batch}]}])
    one = answer["Responses"][0]["PartitionResponses"][0]
    return ERRORS[one["ErrorCode"]], one["BaseOffset"]


def fetch(c, topic, partition=0, offset=0):
    answer = c.call("Fetch", 12, ReplicaId=-1, MaxWaitMs=0, MinBytes=0, MaxBytes=1 << 24, SessionId=0, SessionEpoch=-1,
                    Topics=[{"Topic": topic, "Partitions": [{"Partition": partition, "FetchOffset": offset,
                                                             "PartitionMaxBytes": 1 << 24}]}])
    one = answer["Responses"][0]["Partitions"][0]
    return ERRORS[one["ErrorCode"]], one["HighWatermark"], one["Records"] or b""


def list_offset(c, topic, partition=0):
    answer = c.call("ListOffsets", 7, ReplicaId=-1, Topics=[
        {"Name": topic, "Partitions": [{"PartitionIndex": partition, "Timestamp": -1}]}])
    one = answer["Topics"][0]["Partitions"][0]
    return ERRORS[one["ErrorCode"]], one["Offset"]


def epoch_end(c, topic, partition=0):
    answer = c.call("OffsetForLeaderEpoch", 4, ReplicaId=-1, Topics=[
        {"Topic": topic, "Partitions": [{"Partition": partition, "CurrentLeaderEpoch": -1, "LeaderEpoch": 0}]}])
    return ERRORS[answer["Topics"][0]["Partitions"][0]["ErrorCode"]]


def committed(c, group, topic):
    """Of partition 0: the group's error, and the offsets there are."""
    one = c.call("OffsetFetch", 8, Groups=[{"GroupId": group, "Topics": [
        {"Name": topic, "PartitionIndexes": [0]}]}])["Groups"][0]
    return ERRORS[one["ErrorCode"]], [p["CommittedOffset"] for x in one["Topics"] for p in x["Partitions"]]


def states(c, topic):
    """{partition: (error, leader, leader epoch, ISR, offline replicas)} of Metadata."""
    topic = c.call("Metadata", 12, Topics=[{"Name": topic}])["Topics"][0]
    return {p["PartitionIndex"]: (ERRORS[p["ErrorCode"]], p["LeaderId"], p["LeaderEpoch"], p["IsrNodes"],
                                  p["OfflineReplicas"]) for p in topic["Partitions"]}


def configure(c, value, key="replica.alter.log.dirs.io.max.bytes.per.second", operation=0, broker="1"):
    """Sets (0), deletes (1) or appends to (2) a setting of the broker; the error and its message."""
    answer = c.call("IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
        {"ResourceType": 4, "ResourceName": broker, "Configs": [
            {"Name": key, "ConfigOperation": operation, "Value": value}]}])["Responses"][0]
    return ERRORS[answer["ErrorCode"]], answer["ErrorMessage"]


def slow(c):
    """From now on a move copies one piece, and then nothing for long."""
    same("NONE", configure(c, "1")[0])


def fast(c):
    same("NONE", configure(c, "", operation=1)[0])


def folders(t, directory, topic):
    """What there is of a topic, without the random part of names: ["t-0", "t-1.-delete"]."""
    names = []
    for name in os.listdir(path(t, directory)):
        if name.startswith(topic + "-"):
            head, _, tail = name.partition(".")
            names.append(head[len(topic) + 1:] + ("" if not tail else "-" + tail.split("-")[1]))
    return sorted(names)
