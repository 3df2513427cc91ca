# SPDX-License-Identifier: Apache-2.0
"""Directories fail (KIP-112, KIP-858). A file instead of the directory is one that cannot be used from the start."""
import os
import shutil
import subprocess

from compat import broker as brokers
from dirkit import (alter, block, committed, describe, epoch_end, fetch, futures, list_offset, path, place, produce, same,
                    states, unblock, until, where)


OFFLINE = "KAFKA_STORAGE_ERROR"


def take_away(t, directory):
    os.rename(path(t, directory), path(t, directory) + ".away")
    open(path(t, directory), "w").close()


def bring_back(t, directory):
    os.remove(path(t, directory))
    os.rename(path(t, directory) + ".away", path(t, directory))


def answers(c, topic, partition):
    return (produce(c, topic, partition)[0], fetch(c, topic, partition)[0], list_offset(c, topic, partition)[0],
            epoch_end(c, topic, partition))


def case_one_fails_and_the_others_go_on(t):
    c = t.connect()
    topic = place(t, c, "abcb")
    for p in range(4):
        same(("NONE", 0), produce(c, topic, p))
    block(t, "b")
    until(lambda: produce(c, topic, 1)[0] == OFFLINE, "failed")
    until(lambda: states(c, topic)[1][1] == -1, "the controller knows")
    for p in (1, 3):
        same((OFFLINE,) * 4, answers(c, topic, p))
        same(("LEADER_NOT_AVAILABLE", -1, 1, [], [1]), states(c, topic)[p])
    for p in (0, 2):
        same(("NONE",) * 4, answers(c, topic, p))
        same(("NONE", 1, 0, [1], []), states(c, topic)[p])
    answer = c.call("DescribeTopicPartitions", 0, Topics=[{"Name": topic}], ResponsePartitionLimit=9)
    one = answer["Topics"][0]["Partitions"][1]
    same(([], [1], [1], [1]), (one["IsrNodes"], one["EligibleLeaderReplicas"], one["LastKnownElr"],
                               one["OfflineReplicas"]))
    answer = c.call("DescribeLogDirs", 5, Topics=None)["Results"][1]
    same((OFFLINE, [], -1, -1, False), (t.error(answer["ErrorCode"]), answer["Topics"], answer["TotalBytes"],
                                        answer["UsableBytes"], answer["IsCordoned"]))
    # Nothing goes there, and nothing moves: a copy could lie in what is offline.
    same({(topic, 0): OFFLINE, (topic, 1): OFFLINE}, alter(t, c, [("b", topic, [0]), ("a", topic, [1])]))
    same({(topic, 2): OFFLINE, ("new", 0): OFFLINE}, alter(t, c, [("a", topic, [2]), ("b", "new", [0])]))
    same({}, futures(c, topic))
    # New partitions go elsewhere.
    other = t.topic(4)
    same({"a", "c"}, set(where(c, other).values()))
    answer = c.call("CreatePartitions", 3, TimeoutMs=30000, ValidateOnly=False, Topics=[
        {"Name": topic, "Count": 6, "Assignments": None}])
    same(0, answer["Results"][0]["ErrorCode"])
    until(lambda: {4, 5} <= set(where(c, topic)), "more partitions")
    t.broker.stop()
    exists = [os.path.exists(os.path.join(path(t, d), ".kafka_cleanshutdown")) for d in "abc"]
    same([True, False, True], exists)
    unblock(t, "b")
    # It is still away at the start: then it is another broker's for all that clients know.
    take_away(t, "b")
    t.broker.start()
    c = t.connect()
    for p in (1, 3):
        same(("NOT_LEADER_OR_FOLLOWER",) * 4, answers(c, topic, p))
        same(("LEADER_NOT_AVAILABLE", -1, 1, [], [1]), states(c, topic)[p])
    for p in (0, 2):
        until(lambda p=p: answers(c, topic, p) == ("NONE",) * 4, "led")
    same(OFFLINE, describe(c)["b"][0])
    same({"a", "c"}, set(where(c, t.topic(4)).values()))
    c.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": other, "TopicId": bytes(16)}])
    t.broker.stop()
    # And back, with everything that was acknowledged.
    bring_back(t, "b")
    t.broker.start()
    c = t.connect()
    for p in range(4):
        until(lambda p=p: list_offset(c, topic, p)[0] == "NONE", "led")
        same(("NONE", 1), states(c, topic)[p][:2])
    assert list_offset(c, topic, 1)[1] >= 10 and list_offset(c, topic, 3)[1] == 10
    same("NONE", describe(c)["b"][0])
    same({0: "a", 1: "b", 2: "c", 3: "b"}, {p: d for p, d in where(c, topic).items() if p < 4})


def case_a_roll_that_fails(t):
    """The name of the next segment is taken by a folder that is not empty."""
    c = t.connect()
    name = place(t, c, "b")
    same(("NONE", 0), produce(c, name, 0, 10, 60000))
    folder = os.path.join(path(t, "b"), name + "-0")
    os.makedirs(os.path.join(folder, "00000000000000000010.log", "x"))
    c.call("IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
        {"ResourceType": 2, "ResourceName": name, "Configs": [
            {"Name": "segment.bytes", "ConfigOperation": 0, "Value": "1048576"}]}])
    until(lambda: produce(c, name, 0, 10, 60000)[0] == OFFLINE, "rolled")
    until(lambda: states(c, name)[0][1] == -1, "told")
    t.broker.stop()
    shutil.rmtree(os.path.join(folder, "00000000000000000010.log"))
    t.broker.start()
    c = t.connect()
    until(lambda: list_offset(c, name) == ("NONE", 10), "back")


def case_a_coordinator_in_it(t):
    c = t.connect()
    alter(t, c, [("b", "__consumer_offsets", [0, 1, 2, 3, 4])])
    topic = place(t, c, "a")

    def find():
        one = c.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=["g"])["Coordinators"][0]
        return t.error(one["ErrorCode"]), one["NodeId"]

    def commit():
        answer = c.call("OffsetCommit", 8, GroupId="g", GenerationIdOrMemberEpoch=-1, MemberId="", Topics=[
            {"Name": topic, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 5}]}])
        return t.error(answer["Topics"][0]["Partitions"][0]["ErrorCode"])

    until(lambda: find()[0] == "NONE", "found")
    until(lambda: commit() == "NONE", "loaded")
    same({"b"}, set(where(c, "__consumer_offsets").values()))
    # Moved under its coordinator, which does not notice.
    alter(t, c, [("c", "__consumer_offsets", [0, 1, 2, 3, 4])])
    until(lambda: set(where(c, "__consumer_offsets").values()) == {"c"} and not futures(c, "__consumer_offsets"), "moved")
    same(("NONE", [5]), committed(c, "g", topic))
    same("NONE", commit())
    block(t, "c")
    until(lambda: commit() == "NOT_COORDINATOR", "failed")
    until(lambda: find() == ("COORDINATOR_NOT_AVAILABLE", -1), "told")
    same(("NOT_COORDINATOR", []), committed(c, "g", topic))
    t.broker.stop()
    unblock(t, "c")
    t.broker.start()
    c = t.connect()
    until(lambda: committed(c, "g", topic) == ("NONE", [5]), "back")


def case_that_of_the_metadata_log_stops_the_broker(t):
    c = t.connect()
    topic = place(t, c, "a")
    block(t, "a")
    try:
        for _ in range(10000):
            produce(c, topic)
    except Exception: # closed
        pass
    until(lambda: not t.broker.is_alive(), "ended")
    same(1, t.broker.stop())
    unblock(t, "a")
    t.broker.start()
    c = t.connect()
    until(lambda: list_offset(c, topic)[0] == "NONE", "back")


def refused(t):
    try:
        t.broker.start()
    except brokers.BrokerError as e:
        assert "ended with status 1 " in str(e), e
        return True
    return False


def case_two_logs_of_one_partition_are_refused(t):
    c = t.connect()
    topic = place(t, c, "ab")
    same(("NONE", 0), produce(c, topic))
    t.broker.stop()
    future = topic + "-0.00112233445566778899aabbccddeeff-future"
    original = os.path.join(path(t, "a"), topic + "-0")
    second = os.path.join(path(t, "b"), topic + "-0")
    shutil.copytree(original, second)
    assert refused(t)
    shutil.rmtree(second)
    for d in "bc":
        shutil.copytree(original, os.path.join(path(t, d), future))
    assert refused(t)
    shutil.rmtree(os.path.join(path(t, "b"), future))
    # One future is a move that was under way.
    t.broker.start()
    c = t.connect()
    until(lambda: where(c, topic) == {0: "c", 1: "b"} and futures(c, topic) == {}, "moved")
    until(lambda: list_offset(c, topic) == ("NONE", 10), "led")
    same(("NONE", 10), produce(c, topic))


def case_a_future_alone_is_the_log(t):
    """What a broker leaves that dies between the two names; the metadata name its directory already."""
    c = t.connect()
    topic = place(t, c, "b")
    same(("NONE", 0), produce(c, topic))
    t.broker.stop()
    os.rename(os.path.join(path(t, "b"), topic + "-0"),
              os.path.join(path(t, "b"), topic + "-0.00112233445566778899aabbccddeeff-future"))
    t.broker.start()
    c = t.connect()
    until(lambda: list_offset(c, topic) == ("NONE", 10), "there")
    same({0: "b"}, where(c, topic))
    same({}, futures(c, topic))


def case_the_metadata_log_in_another_directory_is_refused(t):
    t.broker.stop()
    folder = os.path.join(path(t, "b"), "__cluster_metadata-0")
    os.mkdir(folder)
    assert refused(t)
    os.rmdir(folder)
    t.broker.start()


def case_a_full_disk(t):
    """A small file system in the place of a directory; as root only, and where it may be mounted."""
    folder = path(t, "c")
    t.broker.stop()
    os.rename(folder, folder + ".away")
    os.mkdir(folder)
    is_mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", folder], check=False,
                                stderr=subprocess.DEVNULL).returncode == 0
    if not is_mounted: # the broker goes on without this case
        os.rmdir(folder)
        os.rename(folder + ".away", folder)
        t.broker.start()
        return
    try:
        shutil.copy(os.path.join(folder + ".away", "meta.properties"), folder)
        t.broker.start()
        c = t.connect()
        topic = place(t, c, "ca")
        same(("NONE", 0), produce(c, topic, 0))
        with open(os.path.join(folder, "fill"), "wb", 0) as fill:
            try:
                while True:
                    fill.write(bytes(4096))
            except OSError: # full
                pass
        same((OFFLINE, -1), produce(c, topic, 0, 10, 60000))
        same(("NONE", 0), produce(c, topic, 1))
        until(lambda: states(c, topic)[0][1] == -1, "told")
        same((OFFLINE,) * 4, answers(c, topic, 0))
        same(OFFLINE, describe(c)["c"][0])
        t.broker.stop()
        os.remove(os.path.join(folder, "fill"))
        t.broker.start()
        c = t.connect()
        until(lambda: list_offset(c, topic, 0) == ("NONE", 10), "what was acknowledged, and no more")
        same(("NONE", 10), produce(c, topic, 0))
        t.broker.stop()
    finally:
        if t.broker.is_alive():
            t.broker.kill9()
        subprocess.run(["umount", folder], check=True)
        os.rmdir(folder)
        os.rename(folder + ".away", folder)
        t.broker.start()
