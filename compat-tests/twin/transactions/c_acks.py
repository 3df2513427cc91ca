# SPDX-License-Identifier: Apache-2.0
"""Transactional batches with other acks than all, and with such as there are not."""
import time

from producer import COMMIT, Producer, committed, story
from wire import Closed


def begun(t, v2):
    topic, p = t.topic(2), Producer(t, t.name(), v2=v2)
    assert p.init() == "NONE"
    if not v2:
        assert p.add(topic, partitions=(0, 1)) == "NONE"
    return topic, p


def request(p, topic, acks, *batches, name=None, version=None):
    """batches: of partition 0, 1 …"""
    return version or (12 if p.v2 else 10), dict(
        Acks=acks, TimeoutMs=5000, TransactionalId=p.name if name is None else name or None,
        TopicData=[{"Name": topic, "PartitionData": [{"Index": i, "Records": b} for i, b in enumerate(batches)]}])


def produce(p, topic, acks, *batches, **other):
    version, body = request(p, topic, acks, *batches, **other)
    return p.link.call("Produce", version, **body)["Responses"][0]["PartitionResponses"]


def is_closed_by(t, p, topic, *batches, **other):
    """acks=0 has no answer: an error ends the connection."""
    link = t.connect()
    version, body = request(p, topic, 0, *batches, **other)
    link.send_raw(link.encode("Produce", version, body))
    try:
        link.send("ApiVersions", 0)
        link.receive_frame()
        return False
    except Closed:
        return True


def case_acks_0_and_1(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        assert not is_closed_by(t, p, topic, p.batch(topic, b"a", sequence=0))
        deadline = time.monotonic() + 30
        while story(p.link, topic) != ["a"]: # nobody said when
            assert time.monotonic() < deadline
            time.sleep(0.02)
        part, = produce(p, topic, 1, p.batch(topic, b"b", sequence=1))
        assert (part["ErrorCode"], part["BaseOffset"]) == (0, 1), part
        assert p.state() == "Ongoing" and committed(p.link, topic) == []
        assert p.end(COMMIT) == "NONE"
        p.reach("CompleteCommit")
        assert committed(p.link, topic) == ["a", "b"]


def case_errors_with_acks_0_close_the_connection(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        assert not is_closed_by(t, p, topic, p.batch(topic, b"a", sequence=0))
        assert is_closed_by(t, p, topic, p.batch(topic, b"a", epoch=9))
        assert is_closed_by(t, p, t.topic(), p.batch(topic, b"a", sequence=5)) # not added, or out of order
        assert is_closed_by(t, p, topic, p.batch(topic, b"b", sequence=1), p.batch(topic, b"b", producer_id=p.id + 1))
        assert is_closed_by(t, p, topic, p.batch(topic, b"b", sequence=1), name="")
        assert is_closed_by(t, p, topic, p.batch(topic, b"b", sequence=1), name=t.name())


def case_acks_that_there_are_not(t):
    """The transaction is asked about first, and has the partition from then on."""
    for v2 in (False, True):
        topic, p = begun(t, v2)
        other = t.topic()
        for acks in (2, -2, 32767):
            part, = produce(p, topic, acks, p.batch(topic, b"a", sequence=0))
            assert t.error(part["ErrorCode"]) == "INVALID_REQUIRED_ACKS", part
            assert (part["BaseOffset"], part["LogStartOffset"], part["ErrorMessage"]) == (-1, -1, None), part
            part, = produce(p, topic, acks, p.batch(topic, b"a", epoch=9))
            assert t.error(part["ErrorCode"]) == "INVALID_PRODUCER_EPOCH", part
            for version, error in ((12, "INVALID_REQUIRED_ACKS"),) if v2 else ((10, "INVALID_TXN_STATE"),
                                                                               (11, "TRANSACTION_ABORTABLE")):
                part, = produce(p, other, acks, p.batch(other, b"a", sequence=0), version=version)
                assert t.error(part["ErrorCode"]) == error, part
        assert {d["Topic"] for d in p.describe()["Topics"]} == ({topic, other} if v2 else {topic})
        assert story(p.link, topic) == story(p.link, other) == []
