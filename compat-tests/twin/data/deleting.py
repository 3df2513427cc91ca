# SPDX-License-Identifier: Apache-2.0
"""DeleteRecords (KIP-107)."""
import records
from datakit import (Topic, ask, at, batch, begin, delete_one, delete_records, fetch, name_of, now_ms, only, produce, same,
                     values)


def filled(c, count=10, partitions=1, **configs):
    t = Topic(c, partitions, **configs)
    for i in range(count):
        produce(c, 12, t, (0, batch([b"%d" % i])))
    return t


def case_delete_records_every_version(twin):
    c = begin(twin)
    t = filled(c)
    for version in (0, 1, 2):
        same(("NONE", version + 3), delete_one(c, t, version + 3, version))
    same(("NONE", 10), delete_one(c, t, -1))
    same(("NONE", 10), delete_one(c, t, 10))
    same(("NONE", 10), delete_one(c, t, 2)) # never back
    same(10, produce(c, 12, t, (0, batch()))[0]["BaseOffset"])
    same(("NONE", 11), delete_one(c, t, -1))


def case_delete_records_is_seen_by_all(twin):
    c = begin(twin)
    t = filled(c)
    same(("NONE", 4), delete_one(c, t, 4))
    got = produce(c, 12, t, (0, batch([b"10"])))[0]
    same((10, 4), (got["BaseOffset"], got["LogStartOffset"]))
    for version in (4, 5, 12):
        got = only(fetch(c, version, (t, [at(0, 4)])))
        same([b"%d" % i for i in range(4, 11)], values(got["Records"]))
        same(("NONE", 11), (name_of(got["ErrorCode"]), got["HighWatermark"]))
        if version >= 5:
            same(4, got["LogStartOffset"])
        got = only(fetch(c, version, (t, [at(0, 3)])))
        same(("OFFSET_OUT_OF_RANGE", -1), (name_of(got["ErrorCode"]), got["HighWatermark"]))
        if version >= 5:
            same(-1, got["LogStartOffset"])
    same(("NONE", -1, 4, 0), ask(c, 11, t, (0, -2))[0])
    same(("NONE", -1, 4, 0), ask(c, 11, t, (0, -4))[0])
    same(4, ask(c, 11, t, (0, 0))[0][2])


def case_delete_records_within_a_batch(twin):
    """The batch is still sent whole; who reads drops what lies before the log start."""
    c = begin(twin)
    t = Topic(c)
    base = now_ms() - 1000
    produce(c, 12, t, (0, records.batch([b"a", b"b", b"c"], timestamps=[base, base + 10, base + 20])))
    same(("NONE", 2), delete_one(c, t, 2))
    got = only(fetch(c, 12, (t, [at(0, 2)])))
    same((2, [b"a", b"b", b"c"]), (got["LogStartOffset"], values(got["Records"])))
    same("OFFSET_OUT_OF_RANGE", name_of(only(fetch(c, 12, (t, [at(0, 1)])))["ErrorCode"]))
    same(("NONE", base + 20, 2, 0), ask(c, 11, t, (0, base))[0])
    same(("NONE", base + 20, 2, 0), ask(c, 11, t, (0, -3))[0])
    same(("NONE", 3), delete_one(c, t, 3))
    same(("NONE", -1, 3, 0), ask(c, 11, t, (0, -2))[0])
    same(("NONE", -1, -1, -1), ask(c, 11, t, (0, base))[0])
    same(b"", only(fetch(c, 12, (t, [at(0, 3)])))["Records"] or b"")


def case_delete_records_errors(twin):
    c = begin(twin)
    t = filled(c, 5, 2)
    for offset in (6, 1 << 40, -2, -(1 << 62)):
        same(("OFFSET_OUT_OF_RANGE", -1), delete_one(c, t, offset))
    same({t.name: {0: ("NONE", 2), 1: ("NONE", 0), 9: ("UNKNOWN_TOPIC_OR_PARTITION", -1)},
          t.name + "-not": {0: ("UNKNOWN_TOPIC_OR_PARTITION", -1)}},
         delete_records(c, 2, (t, [(0, 2), (1, -1), (9, 0)]), (t.name + "-not", [(0, 0)])))
    same(("OFFSET_OUT_OF_RANGE", -1), delete_records(c, 2, (t, [(1, 1)]))[t.name][1])
    same({}, delete_records(c, 2))
    same({}, delete_records(c, 2, (t, [])))
    same({}, delete_records(c, 2, (t.name + "-not", [])))
    same({0: ("UNKNOWN_TOPIC_OR_PARTITION", -1)}, delete_records(c, 2, ("", [(0, 0)]))[""])
    # Named twice: the later offset counts.
    same({t.name: {0: ("NONE", 3)}}, delete_records(c, 2, (t, [(0, 4), (0, 3)])))
    same({t.name: {0: ("NONE", 4), 1: ("NONE", 0)}}, delete_records(c, 2, (t, [(0, 99)]), (t, [(1, 0)]), (t, [(0, 4)])))
    same(("NONE", 5), delete_one(c, t, -1, 0))
    same({0: ("NONE", 5)}, delete_records(c, 2, (t, [(0, 0)]), timeout_ms=-1)[t.name])


def case_delete_records_by_policy(twin):
    c = begin(twin)
    for policy, want in (("compact", ("POLICY_VIOLATION", -1)), ("delete", ("NONE", 1)), ("compact,delete", ("NONE", 1)),
                         ("", ("NONE", 1))):
        t = Topic(c, cleanup_policy=policy)
        produce(c, 12, t, (0, batch([b"v", b"w"], keys=[b"k", b"l"])))
        same(want, delete_one(c, t, 1), policy)
        if policy == "compact": # asked before the offset
            same(want, delete_one(c, t, 77))
    c.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=["some-group"])
    topic = "__consumer_offsets"
    while True:
        answer = c.call("Metadata", 12, Topics=[{"Name": topic, "TopicId": bytes(16)}])["Topics"][0]
        if answer["Partitions"]:
            break
    same(("INVALID_TOPIC_EXCEPTION", -1), delete_one(c, topic, 0))
    same(("INVALID_TOPIC_EXCEPTION", -1), delete_one(c, topic, -9))
    same({99: ("UNKNOWN_TOPIC_OR_PARTITION", -1)}, delete_records(c, 2, (topic, [(99, 0)]))[topic])
