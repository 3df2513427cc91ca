# SPDX-License-Identifier: Apache-2.0
"""Transactional ids that nobody uses, and producers that no longer write, are forgotten: by the coordinator, by
partitions, and for good."""
import struct
import time

import records
from producer import ABORT, COMMIT, Producer, story

EXPIRATION_S = 1.5


def wait_for(condition, what):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "never: " + what
        time.sleep(0.05)


def is_known(p):
    error = p.error(p.describe()["ErrorCode"])
    assert error in ("NONE", "TRANSACTIONAL_ID_NOT_FOUND"), error
    return error == "NONE"


def expires(p):
    wait_for(lambda: not is_known(p), "the id is forgotten")


def begun(t, v2=False):
    topic, p = t.topic(2), Producer(t, t.name(), v2=v2)
    assert p.init() == "NONE"
    return topic, p


def active(link, topic, partition=0):
    answer = link.call("DescribeProducers", 0, Topics=[{"Name": topic, "PartitionIndexes": [partition]}])
    return {x["ProducerId"]: (x["ProducerEpoch"], x["LastSequence"], x["CurrentTxnStartOffset"])
            for x in answer["Topics"][0]["Partitions"][0]["ActiveProducers"]}


def state_records(link, name):
    """What __transaction_state holds of an id: True for a record, False for its end."""
    out = []
    for partition in range(5):
        answer = link.call("Fetch", 12, MaxWaitMs=0, MinBytes=0, IsolationLevel=0, Topics=[
            {"Topic": "__transaction_state", "Partitions": [
                {"Partition": partition, "FetchOffset": 0, "PartitionMaxBytes": 1 << 22}]}])
        for batch in records.batches(answer["Responses"][0]["Partitions"][0]["Records"] or b""):
            key = struct.pack(">hh", 0, len(name)) + name.encode()
            out += [r[3] is not None for r in batch.records if r[2] == key]
    return out


def case_an_id_that_nobody_uses(t):
    both = [begun(t, v2) for v2 in (False, True)]
    for topic, p in both:
        expires(p)
        assert p.add(topic) == p.end(COMMIT) == p.end(ABORT) == "INVALID_PRODUCER_ID_MAPPING"
        assert p.produce(topic, b"a") == p.ask(topic) == "INVALID_PRODUCER_ID_MAPPING"
        assert state_records(p.link, p.name) == [True, False]
        # Who names the producer that was gets another one.
        before = p.id
        assert p.init(producer_id=p.id, epoch=p.epoch) == "NONE" and p.id != before and p.epoch == 0
        assert state_records(p.link, p.name) == [True, False, True]


def case_an_id_that_was_used(t):
    ended = []
    for v2, how in ((False, COMMIT), (False, ABORT), (True, COMMIT), (True, ABORT)):
        topic, p = begun(t, v2)
        if not v2:
            assert p.add(topic) == "NONE"
        assert p.produce(topic, b"a") == "NONE" and p.end(how) == "NONE"
        ended.append((topic, p, how))
    for topic, p, how in ended:
        expires(p)
        assert p.end(how) == "INVALID_PRODUCER_ID_MAPPING"
        assert state_records(p.link, p.name)[-1] is False
        assert story(p.link, topic) == ["a", "commit" if how else "abort"]


def case_what_is_open_and_what_is_used_stays(t):
    (topic, p), (_, q) = begun(t), begun(t)
    assert p.add(topic) == "NONE" and p.produce(topic, b"a") == "NONE"
    end = time.monotonic() + 2 * EXPIRATION_S
    while time.monotonic() < end:
        assert q.init() == "NONE" and is_known(p)
        time.sleep(0.2)
    assert p.state() == "Ongoing" and q.state() == "Empty"
    # The partition forgets its producer neither, while its transaction is open.
    assert active(p.link, topic) == {p.id: (0, 0, 0)}
    assert p.end(COMMIT) == "NONE"
    expires(p)
    expires(q)


def case_what_is_forgotten_stays_forgotten(t):
    _, p = begun(t)
    _, q = begun(t)
    expires(p)
    assert q.init() == "NONE"
    t.broker.kill9()
    t.broker.start()
    for one in (p, q):
        one.link = t.connect()
        one._find()
    assert not is_known(p)
    assert q.init() == "NONE" # whether it was forgotten meanwhile or not


def case_partitions_forget_producers(t):
    both = []
    for v2 in (False, True):
        topic, p = begun(t, v2)
        if not v2:
            assert p.add(topic) == "NONE"
        assert p.produce(topic, b"a", b"b") == "NONE" and p.end(COMMIT) == "NONE"
        p.reach("CompleteCommit")
        assert active(p.link, topic) == {p.id: (1, -1, -1) if v2 else (0, 1, -1)}, active(p.link, topic)
        both.append((topic, p))
    for topic, p in both:
        wait_for(lambda: active(p.link, topic) == {}, "the producer is forgotten")  # noqa: B023


def plain(t, p, topic, sequence, producer_id, epoch=0):
    data = records.batch([b"v"], producer_id=producer_id, producer_epoch=epoch, base_sequence=sequence,
                         base_timestamp=int(time.time() * 1000))
    answer = p.link.call("Produce", 10, Acks=-1, TimeoutMs=10000, TransactionalId=None, TopicData=[
        {"Name": topic, "PartitionData": [{"Index": 0, "Records": data}]}])
    return t.error(answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"])


def case_a_forgotten_producer_may_go_on(t):
    topic, p = begun(t)
    answer = p.link.call("InitProducerId", 5, TransactionalId=None, TransactionTimeoutMs=0, ProducerId=-1,
                         ProducerEpoch=-1)
    producer_id = answer["ProducerId"]
    assert plain(t, p, topic, 0, producer_id) == plain(t, p, topic, 1, producer_id) == "NONE"
    assert plain(t, p, topic, 5, producer_id) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    wait_for(lambda: active(p.link, topic) == {}, "the producer is forgotten")
    assert plain(t, p, topic, 5, producer_id) == "NONE"
    assert plain(t, p, topic, 1, producer_id) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert active(p.link, topic) == {producer_id: (0, 5, -1)}
    # A start may find it in the log again, but not for long.
    wait_for(lambda: active(p.link, topic) == {}, "the producer is forgotten")
    t.broker.kill9()
    t.broker.start()
    p.link = t.connect()
    wait_for(lambda: p.link.call("ListOffsets", 7, ReplicaId=-1, Topics=[{"Name": topic, "Partitions": [
        {"PartitionIndex": 0, "Timestamp": -1}]}])["Topics"][0]["Partitions"][0]["ErrorCode"] == 0, "it is led")
    wait_for(lambda: active(p.link, topic) == {}, "the producer is forgotten")
