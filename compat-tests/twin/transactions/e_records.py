# SPDX-License-Identifier: Apache-2.0
"""What transactions leave in __transaction_state: every field of every record, which tags were written, and the batches."""
import os
import struct

import records
import wire
from member import coordinator_is_there
from producer import ABORT, COMMIT, Producer, settled

EMPTY, ONGOING, PREPARE_COMMIT, PREPARE_ABORT, COMPLETE_COMMIT, COMPLETE_ABORT = range(6)


def value_schema():
    path = os.path.join(wire.PROTOCOL, "schema", "records", "transaction_log.msg")
    with open(path, encoding="utf-8") as text:
        return next(m for m in wire.schema.parse(text.read(), path) if m.name == "TransactionLogValue")


def story_of(p, timeout_ms):
    """(state, epoch, topics or None, transaction version or None when it was not written); the rest is checked here."""
    schema, out, last = value_schema(), [], 0
    key = struct.pack(">hh", 0, len(p.name)) + p.name.encode()
    for partition in range(5):
        answer = p.link.call("Fetch", 12, MaxWaitMs=0, MinBytes=0, IsolationLevel=0, Topics=[
            {"Topic": "__transaction_state", "Partitions": [
                {"Partition": partition, "FetchOffset": 0, "PartitionMaxBytes": 1 << 24}]}])
        for batch in records.batches(answer["Responses"][0]["Partitions"][0]["Records"] or b""):
            for record in batch.records:
                if record[2] != key:
                    continue
                assert (batch.count, batch.attributes, batch.producer_id, batch.base_sequence) == (1, 0, -1, -1)
                r = wire.Reader(record[3])
                version = r.fixed(">h")
                assert version == 1
                fields = wire.read_struct(r, schema.body, version, True)
                assert r.at == len(record[3])
                # The one before is told whether it is another or not, unless there is none.
                assert fields.pop("ProducerId") == p.id and fields.pop("PreviousProducerId") == p.id
                updated, start = fields.pop("TransactionLastUpdateTimestampMs"), fields.pop("TransactionStartTimestampMs")
                state = fields.pop("TransactionStatus")
                assert last <= updated <= record[1] and (start == -1 if state == EMPTY else 0 < start <= updated), fields
                last = updated
                topics = fields.pop("TransactionPartitions")
                if topics is not None:
                    topics = {x["Topic"]: sorted(x["PartitionIds"]) for x in topics}
                assert fields.pop("TransactionTimeoutMs") == timeout_ms
                out.append((state, fields.pop("ProducerEpoch"), topics, fields.pop("ClientTransactionVersion", None)))
                assert not fields, fields
    return out


def begun(t, v2):
    topic, other, p, group = t.topic(2), t.topic(), Producer(t, t.name(), v2=v2), t.name("group")
    coordinator_is_there(t, group)
    assert p.init(timeout_ms=12345) == "NONE"
    return topic, other, p, group


def fence(t, p):
    q = Producer(t, p.name, v2=p.v2)
    assert q.init(timeout_ms=12345) == "CONCURRENT_TRANSACTIONS"
    assert settled(q.init, timeout_ms=12345) == "NONE"


def case_records_of_older_clients(t):
    topic, other, p, group = begun(t, False)
    assert p.add(topic, partitions=(0, 1)) == p.add(other) == p.add(topic) == p.add_offsets(group) == "NONE"
    assert p.produce(topic, b"a") == p.commit_offsets(group, {(topic, 0): 1}) == p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert settled(p.add, topic) == p.end(ABORT) == "NONE"
    p.reach("CompleteAbort")
    assert p.init(timeout_ms=12345) == "NONE"
    for epoch in (1, 1): # and again, as if the answer was lost
        assert p.init(timeout_ms=12345, producer_id=p.id, epoch=epoch, keep=False) == "NONE"
    p.epoch = 2
    assert p.add(topic) == "NONE"
    fence(t, p)
    found = story_of(p, 12345)
    offsets = found[3][2]["__consumer_offsets"]
    assert len(offsets) == 1
    all_ = {topic: [0, 1], other: [0], "__consumer_offsets": offsets}
    assert found == [
        (EMPTY, 0, None, None), (ONGOING, 0, {topic: [0, 1]}, None), (ONGOING, 0, {topic: [0, 1], other: [0]}, None),
        (ONGOING, 0, all_, None), (PREPARE_COMMIT, 0, all_, None), (COMPLETE_COMMIT, 0, {}, None),
        (ONGOING, 0, {topic: [0]}, None), (PREPARE_ABORT, 0, {topic: [0]}, None), (COMPLETE_ABORT, 0, {}, None),
        (EMPTY, 1, None, None), (EMPTY, 2, None, None), (EMPTY, 2, None, None),
        # The broker fences as one of version 2.
        (ONGOING, 2, {topic: [0]}, None), (PREPARE_ABORT, 3, {topic: [0]}, 2), (COMPLETE_ABORT, 3, {}, 2),
        (EMPTY, 4, None, 2)], found


def case_records_of_version_2(t):
    topic, other, p, group = begun(t, True)
    for name, partition in ((topic, 0), (topic, 1), (other, 0), (topic, 0)):
        assert p.produce(name, b"a", partition=partition) == "NONE"
    assert p.commit_offsets(group, {(topic, 0): 1}) == p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert p.end(ABORT) == "NONE" # of nothing
    p.reach("CompleteAbort")
    assert settled(p.produce, topic, b"b") == p.end(ABORT) == "NONE"
    p.reach("CompleteAbort")
    assert p.init(timeout_ms=12345) == p.produce(topic, b"c") == "NONE"
    fence(t, p)
    found = story_of(p, 12345)
    offsets = found[4][2]["__consumer_offsets"]
    all_ = {topic: [0, 1], other: [0], "__consumer_offsets": offsets}
    assert found == [
        (EMPTY, 0, None, None), (ONGOING, 0, {topic: [0]}, 2), (ONGOING, 0, {topic: [0, 1]}, 2),
        (ONGOING, 0, {topic: [0, 1], other: [0]}, 2), (ONGOING, 0, all_, 2), (PREPARE_COMMIT, 1, all_, 2),
        (COMPLETE_COMMIT, 1, {}, 2), (PREPARE_ABORT, 2, {}, 2), (COMPLETE_ABORT, 2, {}, 2),
        (ONGOING, 2, {topic: [0]}, 2), (PREPARE_ABORT, 3, {topic: [0]}, 2), (COMPLETE_ABORT, 3, {}, 2),
        (EMPTY, 4, None, 2), (ONGOING, 4, {topic: [0]}, 2), (PREPARE_ABORT, 5, {topic: [0]}, 2),
        (COMPLETE_ABORT, 5, {}, 2), (EMPTY, 6, None, 2)], found
