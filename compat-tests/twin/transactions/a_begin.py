# SPDX-License-Identifier: Apache-2.0
"""From the coordinator to the first transactions. First of the area: it sees the topic of the transactions come to be."""
from producer import ABORT, COMMIT, Producer, committed, log, settled, story


def case_the_coordinator_comes_with_the_first_question(t):
    link = t.connect()
    first = link.call("FindCoordinator", 3, Key="t", KeyType=1)
    if first["ErrorCode"] != 0: # a broker that is quick may be there already
        assert first == {"ThrottleTimeMs": 0, "ErrorCode": 15, "ErrorMessage": "The coordinator is not available.",
                         "NodeId": -1, "Host": "", "Port": -1}, first
    Producer(t, "t")
    host, port = t.bootstrap.split(":")
    there = {"ErrorCode": 0, "NodeId": 1, "Host": host, "Port": int(port), "ErrorMessage": ""}
    answer = link.call("FindCoordinator", 4, KeyType=1, CoordinatorKeys=["t", "u"])
    assert answer["Coordinators"] == [dict(there, Key="t"), dict(there, Key="u")], answer


def case_the_topic_is_internal_and_compacted(t):
    Producer(t, "t")
    link = t.connect()
    topic = link.call("Metadata", 12, Topics=[{"Name": "__transaction_state"}])["Topics"][0]
    assert topic["IsInternal"] is True and len(topic["Partitions"]) == 5, topic
    wanted = {"cleanup.policy": "compact", "compression.type": "uncompressed", "segment.bytes": "104857600",
              "unclean.leader.election.enable": "false", "min.insync.replicas": "1"}
    configs = link.call("DescribeConfigs", 4, Resources=[
        {"ResourceType": 2, "ResourceName": "__transaction_state", "ConfigurationKeys": sorted(wanted)}])
    assert {c["Name"]: c["Value"] for c in configs["Results"][0]["Configs"]} == wanted, configs


def case_a_transaction_commits(t):
    topic, p = t.topic(2), Producer(t, t.name())
    assert p.init() == "NONE" and p.epoch == 0
    assert p.state() == "Empty"
    assert p.add(topic) == "NONE"
    assert p.state() == "Ongoing"
    assert p.produce(topic, b"a", b"b") == "NONE"
    assert committed(p.link, topic) == []
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert story(p.link, topic) == ["a", "b", "commit"] and committed(p.link, topic) == ["a", "b"]
    batches, part = log(p.link, topic, isolation=1)
    assert (part["HighWatermark"], part["LastStableOffset"], part["AbortedTransactions"]) == (3, 3, []), part
    marker = batches[1]
    assert (marker.producer_id, marker.producer_epoch, marker.base_sequence, marker.attributes) == (p.id, 0, -1, 48)
    assert marker.records[0][2:] == (bytes([0, 0, 0, 1]), bytes(6)), marker.records


def case_a_transaction_aborts(t):
    topic, p = t.topic(), Producer(t, t.name())
    p.init()
    p.add(topic)
    p.produce(topic, b"a")
    p.produce(topic, b"b")
    _, part = log(p.link, topic, isolation=1)
    assert (part["HighWatermark"], part["LastStableOffset"]) == (2, 0), part
    assert p.end(ABORT) == "NONE"
    p.reach("CompleteAbort")
    assert story(p.link, topic) == ["a", "b", "abort"] and committed(p.link, topic) == []
    _, part = log(p.link, topic, isolation=1)
    assert part["AbortedTransactions"] == [{"ProducerId": p.id, "FirstOffset": 0}], part
    # The next one commits, with sequences that go on.
    assert settled(p.add, topic) == "NONE"
    assert p.produce(topic, b"c") == "NONE" and p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert committed(p.link, topic) == ["c"]


def case_a_transaction_of_version_2_commits_and_aborts(t):
    topic, p = t.topic(), Producer(t, t.name(), v2=True)
    assert p.init() == "NONE" and p.epoch == 0
    assert p.produce(topic, b"a") == "NONE"
    assert p.state() == "Ongoing"
    assert p.end(COMMIT) == "NONE" and p.epoch == 1
    p.reach("CompleteCommit")
    assert p.describe()["ProducerEpoch"] == 1
    assert settled(p.produce, topic, b"b") == "NONE"
    assert p.end(ABORT) == "NONE" and p.epoch == 2
    p.reach("CompleteAbort")
    assert story(p.link, topic) == ["a", "commit", "b", "abort"] and committed(p.link, topic) == ["a"]
    batches, _ = log(p.link, topic)
    assert [b.producer_epoch for b in batches] == [0, 1, 1, 2]


def case_transactions_of_two_producers_overlap(t):
    topic, p, q = t.topic(), Producer(t, t.name()), Producer(t, t.name(), v2=True)
    p.init()
    q.init()
    p.add(topic)
    p.produce(topic, b"p1")
    q.produce(topic, b"q1")
    p.produce(topic, b"p2")
    assert q.end(COMMIT) == "NONE"
    q.reach("CompleteCommit")
    _, part = log(p.link, topic, isolation=1)
    assert part["LastStableOffset"] == 0 and committed(p.link, topic) == []
    assert p.end(ABORT) == "NONE"
    p.reach("CompleteAbort")
    assert committed(p.link, topic) == ["q1"]
    assert story(p.link, topic) == ["p1", "q1", "p2", "commit", "abort"]


def case_a_transaction_spans_partitions_and_topics(t):
    one, two, p = t.topic(3), t.topic(), Producer(t, t.name())
    p.init()
    assert p.add(one, partitions=(0, 2)) == "NONE" and p.add(two) == "NONE"
    assert {d["Topic"]: sorted(d["Partitions"]) for d in p.describe()["Topics"]} == {one: [0, 2], two: [0]}
    p.produce(one, b"x", partition=2)
    p.produce(two, b"y")
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert p.describe()["Topics"] == []
    # A marker also where nothing was written, none where nothing was added.
    assert [story(p.link, one, i) for i in range(3)] == [["commit"], [], ["x", "commit"]]
    assert story(p.link, two) == ["y", "commit"]
