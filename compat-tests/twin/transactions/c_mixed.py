# SPDX-License-Identifier: Apache-2.0
"""One Produce with batches of every kind: of the transaction or not, of partitions that are in it, are not, or are not at
all. And transactions whose topic is deleted, or whose records are."""
import time

import records
from producer import ABORT, COMMIT, TRANSACTIONAL, Producer, committed, story

LIMIT_S = 30


def begun(t, v2=False):
    topic, p = t.topic(2), Producer(t, t.name(), v2=v2)
    assert p.init() == "NONE"
    return topic, p


def plain(**fields):
    return records.batch([b"x"], base_timestamp=int(time.time() * 1000), **fields)


def produce(p, *parts, version=None):
    """parts: (topic, partition, batch). The errors in their order."""
    topics = {}
    for topic, index, data in parts:
        topics.setdefault(topic, []).append({"Index": index, "Records": data})
    answer = p.link.call("Produce", version or (12 if p.v2 else 10), Acks=-1, TimeoutMs=10000, TransactionalId=p.name,
                         TopicData=[{"Name": n, "PartitionData": x} for n, x in topics.items()])
    errors = {(r["Name"], x["Index"]): p.error(x["ErrorCode"])
              for r in answer["Responses"] for x in r["PartitionResponses"]}
    return [errors[topic, index] for topic, index, _ in parts]


def in_it(p):
    return {(d["Topic"], i) for d in p.describe()["Topics"] for i in d["Partitions"]}


def case_each_partition_for_itself(t):
    for v2 in (False, True):
        (topic, p), other, nowhere = begun(t, v2), t.topic(2), t.name("nowhere")
        if not v2:
            assert p.add(topic) == "NONE"
        parts = [(topic, 0), (topic, 1), (other, 0), (other, 7), (nowhere, 0)]
        batches = [(name, i, p.batch(name, b"a", sequence=0)) for name, i in parts]
        unknown = ["UNKNOWN_TOPIC_OR_PARTITION"] * 2
        if v2:
            assert produce(p, *batches) == ["NONE"] * 3 + unknown
        else:
            assert produce(p, *batches) == ["NONE"] + ["INVALID_TXN_STATE"] * 2 + unknown
            assert produce(p, *batches[1:], version=11) == ["TRANSACTION_ABORTABLE"] * 2 + unknown
        assert in_it(p) == (set(parts[:3]) if v2 else {(topic, 0)})
        assert p.end(COMMIT) == "NONE"


def case_batches_outside_the_transaction(t):
    for v2 in (False, True):
        (topic, p), other = begun(t, v2), t.topic(2)
        if not v2:
            assert p.add(topic) == "NONE"
        # Without a producer id, transactional or not; and with one, but not transactional.
        assert produce(p, (other, 0, plain(attributes=TRANSACTIONAL))) == ["NONE"]
        assert produce(p, (topic, 0, p.batch(topic, b"a", sequence=0)), (other, 0, plain())) == ["NONE"] * 2
        assert produce(p, (other, 1, plain(producer_id=p.id, producer_epoch=0, base_sequence=0))) == ["NONE"]
        assert in_it(p) == {(topic, 0)}
        assert story(p.link, other) == ["x", "x"] and story(p.link, other, 1) == ["x"]
        assert committed(p.link, other) == ["x", "x"] and committed(p.link, topic) == []
        assert p.end(ABORT) == "NONE"


def case_batches_that_cannot_be(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        if not v2:
            assert p.add(topic) == "NONE"
        assert produce(p, (topic, 0, p.batch(topic, b"a", sequence=-1))) == ["INVALID_RECORD"]
        assert produce(p, (topic, 0, p.batch(topic, b"a", sequence=0, epoch=-1))) == ["INVALID_PRODUCER_EPOCH"]
        two = p.batch(topic, b"a", sequence=0) + p.batch(topic, b"a", sequence=1)
        assert produce(p, (topic, 0, two)) == ["INVALID_RECORD"]
        internal = ("__transaction_state", 0)
        assert produce(p, (*internal, p.batch(topic, b"a", sequence=0))) == [
            "INVALID_TOPIC_EXCEPTION" if v2 else "INVALID_TXN_STATE"]
        assert (internal in in_it(p)) is v2 # it was asked about before
        assert story(p.link, topic) == []
        assert p.end(ABORT) == "NONE"
        p.reach("CompleteAbort")


def case_a_topic_is_deleted(t):
    for v2 in (False, True):
        (topic, p), other = begun(t, v2), t.topic()
        if not v2:
            assert p.add(topic, other) == "NONE"
        assert p.produce(topic, b"a") == p.produce(other, b"b") == "NONE"
        answer = p.link.call("DeleteTopics", 6, Topics=[{"Name": topic}], TimeoutMs=30000)
        assert answer["Responses"][0]["ErrorCode"] == 0, answer
        deadline = time.monotonic() + LIMIT_S
        while p.produce(topic, b"c", sequence=1) != "UNKNOWN_TOPIC_OR_PARTITION":
            assert time.monotonic() < deadline
        assert in_it(p) == {(topic, 0), (other, 0)} # the coordinator does not look
        assert p.end(COMMIT) == "NONE"
        p.reach("CompleteCommit")
        assert committed(p.link, other) == ["b"]


def case_records_are_deleted(t):
    topic, p = begun(t)
    assert p.add(topic) == p.produce(topic, b"a") == p.produce(topic, b"b") == p.produce(topic, b"c") == "NONE"

    def delete(offset):
        answer = p.link.call("DeleteRecords", 2, TimeoutMs=10000, Topics=[
            {"Name": topic, "Partitions": [{"PartitionIndex": 0, "Offset": offset}]}])["Topics"][0]["Partitions"][0]
        assert answer["ErrorCode"] == 0 and answer["LowWatermark"] == (3 if offset == -1 else offset), answer
        fetched = p.link.call("Fetch", 12, MaxWaitMs=0, MinBytes=0, IsolationLevel=1, Topics=[
            {"Topic": topic, "Partitions": [{"Partition": 0, "FetchOffset": answer["LowWatermark"],
                                             "PartitionMaxBytes": 1 << 20}]}])["Responses"][0]["Partitions"][0]
        producer, = p.link.call("DescribeProducers", 0, Topics=[{"Name": topic, "PartitionIndexes": [0]}])[
            "Topics"][0]["Partitions"][0]["ActiveProducers"]
        return (fetched["LogStartOffset"], fetched["LastStableOffset"], fetched["HighWatermark"],
                producer["LastSequence"], producer["CurrentTxnStartOffset"])

    # What is stable is never before the log's start; the transaction stays open.
    assert delete(1) == (1, 1, 3, 2, 0) and delete(2) == (2, 2, 3, 2, 0) and delete(-1) == (3, 3, 3, 2, 0)
    assert p.produce(topic, b"d") == p.end(ABORT) == "NONE"
    p.reach("CompleteAbort")
    fetched = p.link.call("Fetch", 12, MaxWaitMs=0, MinBytes=0, IsolationLevel=1, Topics=[
        {"Topic": topic, "Partitions": [{"Partition": 0, "FetchOffset": 3, "PartitionMaxBytes": 1 << 20}]}])
    part = fetched["Responses"][0]["Partitions"][0]
    assert (part["LastStableOffset"], part["AbortedTransactions"]) == (5, [{"ProducerId": p.id, "FirstOffset": 0}]), part
