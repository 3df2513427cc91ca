# SPDX-License-Identifier: Apache-2.0
"""Retention as clients and directories see it. Deleting is the background's business: a case waits for what is to come,
and then looks at everything at once."""
import os
import re

from datakit import (Topic, alter, ask, at, batch, begin, delete_one, fetch, name_of, now_ms, only, produce, same, until,
                     values)

DAY_MS = 86400000
TOLD = 100 # internal.segment.bytes below which every batch has a segment of its own


def earliest(c, t):
    error, _, offset, _ = ask(c, 11, t, (0, -2))[0]
    while error == "NOT_LEADER_OR_FOLLOWER": # just started
        error, _, offset, _ = ask(c, 11, t, (0, -2))[0]
    same("NONE", error)
    return offset


def begins_at(c, t, offset):
    until("%s begins at %d, but at %d" % (t.name, offset, earliest(c, t)), lambda: earliest(c, t) == offset)


def fill(c, t, count, age_ms=0, first=0):
    for i in range(count):
        same(first + i, produce(c, 12, t, (0, batch([b"%d" % (first + i)], base_timestamp=now_ms() - age_ms)))[0]["BaseOffset"])


def folder(twin, t):
    return os.path.join(twin.broker.folder, "data", "%s-0" % t.name)


def files(twin, t, active):
    """Names without zeros in front: 5.log. The indexes of the active segment come when they are used."""
    names = sorted(re.sub("^0+(?=[0-9])", "", f) for f in os.listdir(folder(twin, t)))
    return [n for n in names if n not in ("%d.index" % active, "%d.timeindex" % active, "leader-epoch-checkpoint",
                                          "partition.metadata")]


def case_by_size(twin):
    c = begin(twin)
    t = Topic(c, internal_segment_bytes=TOLD, retention_bytes=-1, segment_index_bytes=1000)
    fill(c, t, 10)
    size = os.path.getsize(os.path.join(folder(twin, t), "%020d.log" % 0))
    alter(c, "topic", t.name, retention_bytes=4 * size + 1)
    begins_at(c, t, 5) # what is kept is at least so much
    got = only(fetch(c, 12, (t, [at(0, 4)])))
    same(("OFFSET_OUT_OF_RANGE", -1), (name_of(got["ErrorCode"]), got["LogStartOffset"]))
    got = only(fetch(c, 12, (t, [at(0, 5)])))
    same((5, 10, [b"5"]), (got["LogStartOffset"], got["HighWatermark"], values(got["Records"])[:1]))
    same(5, produce(c, 12, t, (0, batch()))[0]["LogStartOffset"])
    alter(c, "topic", t.name, retention_bytes=0) # all; the log goes on
    begins_at(c, t, 11)
    same(("NONE", -1, 11, 0), ask(c, 11, t, (0, -1))[0])
    same(("NONE", -1, -1, -1), ask(c, 11, t, (0, 0))[0])
    same(("NONE", -1, -1, -1), ask(c, 11, t, (0, -3))[0])
    fill(c, t, 1, 0, 11)


def case_by_time(twin):
    c = begin(twin)
    t = Topic(c, internal_segment_bytes=TOLD, retention_ms=2 * DAY_MS)
    fill(c, t, 3, age_ms=3 * DAY_MS)
    fill(c, t, 2, age_ms=DAY_MS, first=3)
    begins_at(c, t, 3)
    fill(c, t, 1, first=5)
    alter(c, "topic", t.name, retention_ms=DAY_MS // 2)
    begins_at(c, t, 5)
    alter(c, "topic", t.name, retention_ms=1) # the active segment, too
    begins_at(c, t, 6)
    same([6], [ask(c, 11, t, (0, -1))[0][2]])
    fill(c, t, 1, first=6)
    begins_at(c, t, 7)


def case_a_young_segment_protects_those_behind_it(twin):
    c = begin(twin)
    t = Topic(c, internal_segment_bytes=TOLD, retention_ms=DAY_MS)
    fill(c, t, 1)
    fill(c, t, 2, age_ms=9 * DAY_MS, first=1)
    other = Topic(c, internal_segment_bytes=TOLD, retention_ms=DAY_MS) # looked at no earlier
    fill(c, other, 2, age_ms=9 * DAY_MS)
    begins_at(c, other, 2)
    fill(c, other, 2, age_ms=9 * DAY_MS, first=2)
    begins_at(c, other, 4)
    same(0, earliest(c, t))


def case_files(twin):
    c = begin(twin)
    t = Topic(c, internal_segment_bytes=TOLD, file_delete_delay_ms=3600000)
    fill(c, t, 3)
    same(["0.index", "0.log", "0.timeindex", "1.index", "1.log", "1.snapshot", "1.timeindex", "2.log", "2.snapshot"],
         files(twin, t, 2))
    same(("NONE", 2), delete_one(c, t, 2))
    until("2 segments go", lambda: "1.log.deleted" in files(twin, t, 2))
    until("their snapshots go", lambda: "1.snapshot.deleted" in files(twin, t, 2))
    same(["0.index.deleted", "0.log.deleted", "0.timeindex.deleted", "1.index.deleted", "1.log.deleted", "1.snapshot.deleted",
          "1.timeindex.deleted", "2.log", "2.snapshot"], files(twin, t, 2))
    # An empty new segment takes the place of all.
    alter(c, "topic", t.name, retention_bytes=0)
    begins_at(c, t, 3)
    until("the last snapshot goes", lambda: "2.snapshot.deleted" in files(twin, t, 3))
    same(["3.log", "3.snapshot"], [f for f in files(twin, t, 3) if f.startswith("3.")])
    same(0, os.path.getsize(os.path.join(folder(twin, t), "%020d.log" % 3)))
    # With a short delay they are unlinked.
    short = Topic(c, internal_segment_bytes=TOLD, file_delete_delay_ms=50, retention_bytes=0)
    fill(c, short, 2)
    begins_at(c, short, 2)
    until("files are gone", lambda: files(twin, short, 2) == ["2.log", "2.snapshot"])


def case_the_brokers_settings_count(twin):
    """Those that are altered while it runs, for topics without their own."""
    c = begin(twin)
    t = Topic(c, internal_segment_bytes=TOLD)
    own = Topic(c, internal_segment_bytes=TOLD, retention_ms=30 * DAY_MS)
    fill(c, own, 2, age_ms=3 * DAY_MS)
    fill(c, t, 2, age_ms=3 * DAY_MS)
    fill(c, t, 1, first=2)
    for name in ("", "1"):
        first = earliest(c, t)
        alter(c, "broker", name, log_retention_ms=2 * DAY_MS)
        begins_at(c, t, 2)
        same(0, first if name == "" else 0)
        alter(c, "broker", name, log_retention_ms=None)
    fill(c, t, 1, age_ms=3 * DAY_MS, first=3)
    alter(c, "broker", "", log_retention_bytes=0)
    begins_at(c, t, 4)
    begins_at(c, own, 2)
    alter(c, "broker", "", log_retention_bytes=None)


def case_the_log_start_survives(twin):
    """A clean stop writes its checkpoint, and so does time; then kill -9 does not bring back what was deleted."""
    c = begin(twin)
    t = Topic(c, retention_ms=-1)
    fill(c, t, 5)
    same(("NONE", 3), delete_one(c, t, 3))
    checkpoint = os.path.join(twin.broker.folder, "data", "log-start-offset-checkpoint")

    def is_written(line):
        with open(checkpoint) as text:
            return line in text.read().split("\n")
    until("the checkpoint is written", lambda: is_written("%s 0 3" % t.name))
    twin.broker.kill9()
    twin.broker.start()
    c = twin.connect()
    same(3, earliest(c, t))
    same([b"3", b"4"], values(only(fetch(c, 12, (t, [at(0, 3)])))["Records"]))
    same(("NONE", 4), delete_one(c, t, 4))
    twin.broker.stop()
    same(True, is_written("%s 0 4" % t.name))
    twin.broker.start()
    c = twin.connect()
    same(4, earliest(c, t))
    same(5, produce(c, 12, t, (0, batch()))[0]["BaseOffset"])


def case_producers_are_forgotten(twin):
    """producer.id.expiration.ms may change while the broker runs."""
    c = begin(twin)
    t = Topic(c)

    def put(sequence):
        data = batch([b"v"], producer_id=4711, producer_epoch=0, base_sequence=sequence)
        return name_of(produce(c, 12, t, (0, data))[0]["ErrorCode"])
    same("NONE", put(0))
    same("OUT_OF_ORDER_SEQUENCE_NUMBER", put(7))
    alter(c, "broker", "", producer_id_expiration_ms=1)
    until("the producer is unknown, any sequence is taken", lambda: put(7) == "NONE")
    alter(c, "broker", "", producer_id_expiration_ms=None)
    t = Topic(c)
    same("NONE", put(0))
    same("OUT_OF_ORDER_SEQUENCE_NUMBER", put(5))
