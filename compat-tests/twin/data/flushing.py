# SPDX-License-Identifier: Apache-2.0
"""flush.messages: what is acknowledged is on the disk. What of that a client can see."""
from datakit import Topic, at, batch, begin, connect, fetch, only, produce, produce_body, same
import records


def read(c, t, partition=0):
    return records.batches(only(fetch(c, 12, (t, [at(partition)])))["Records"])


def case_each_message(twin):
    c = begin(twin)
    t = Topic(c, flush_messages=1)
    for offset, acks in enumerate((1, -1, 1, -1)):
        got = produce(c, 12, t, (0, batch()), acks=acks)[0]
        same((0, offset, 0), (got["ErrorCode"], got["BaseOffset"], got["LogStartOffset"]))
        answer = only(fetch(c, 12, (t, [at(offset=offset)])))
        same(offset + 1, answer["HighWatermark"])
        same([offset], [b.base_offset for b in records.batches(answer["Records"])])


def case_answers_in_order(twin):
    """Twenty requests at once on one connection, to two partitions."""
    c = begin(twin)
    t = Topic(c, 2, flush_messages=1)
    for i in range(20):
        c.send("Produce", 12, **produce_body(12, t, [(i % 2, batch())], acks=1 if i % 3 else -1))
    got = [c.receive()["Responses"][0]["PartitionResponses"][0] for _ in range(20)]
    same([(i % 2, 0, i // 2) for i in range(20)], [(p["Index"], p["ErrorCode"], p["BaseOffset"]) for p in got])


def case_every_third_message(twin):
    c = begin(twin)
    t = Topic(c, flush_messages=3)
    for offset in range(7):
        same(offset, produce(c, 12, t, (0, batch()), acks=-1)[0]["BaseOffset"])
    same(list(range(7)), [b.base_offset for b in read(c, t)])


def case_acks_0(twin):
    c = begin(twin)
    t = Topic(c, flush_messages=1)
    with connect() as d:
        d.send("Produce", 12, **produce_body(12, t, [(0, batch())], acks=0))
        d.waiting.pop()
        same(1, produce(d, 12, t, (0, batch()), acks=1)[0]["BaseOffset"])
    same([0, 1], [b.base_offset for b in read(c, t)])


def case_killed(twin):
    """Acknowledged is there after kill -9, at the same offsets, and the log goes on behind it."""
    c = begin(twin)
    topics = [Topic(c, flush_messages=n) for n in (1, 2, 1000)]
    for t in topics:
        for offset in range(5):
            same(offset, produce(c, 12, t, (0, batch([b"%d" % offset])), acks=-1)[0]["BaseOffset"])
    twin.broker.kill9()
    twin.broker.start()
    c = twin.connect()
    for t in topics:
        same([b"%d" % i for i in range(5)], [b.records[0][3] for b in read(c, t)])
        same(5, produce(c, 12, t, (0, batch()), acks=-1)[0]["BaseOffset"])
