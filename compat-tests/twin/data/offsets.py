# SPDX-License-Identifier: Apache-2.0
import records
from datakit import Topic, ask, begin, name_of, now_ms, produce, same

NOTHING = ("NONE", -1, -1, -1)


def filled(c):
    """Times +0, +10, +20 | +50, +40 in two batches; partition 1 is empty."""
    t = Topic(c, 2)
    base = now_ms() - 1000
    produce(c, 12, t, (0, records.batch([b"a", b"b", b"c"], timestamps=[base, base + 10, base + 20])))
    produce(c, 12, t, (0, records.batch([b"d", b"e"], timestamps=[base + 50, base + 40])))
    return t, base


def case_list_offsets_special(twin):
    c = begin(twin)
    t, base = filled(c)
    since = {-1: 1, -2: 1, -3: 7, -4: 8, -5: 9, -6: 11, -7: 99}
    for version in range(1, 12):
        epoch = 0 if version >= 4 else -1
        full = {-1: ("NONE", -1, 5, epoch), -2: ("NONE", -1, 0, epoch), -3: ("NONE", base + 50, 3, epoch),
                -4: ("NONE", -1, 0, epoch), -5: NOTHING, -6: NOTHING}
        empty = {-1: ("NONE", -1, 0, epoch), -2: ("NONE", -1, 0, epoch), -3: NOTHING, -4: ("NONE", -1, 0, epoch),
                 -5: NOTHING, -6: NOTHING}
        for timestamp, first in since.items():
            got = ask(c, version, t, (0, timestamp), (1, timestamp))
            if version < first:
                same({p: ("UNSUPPORTED_VERSION", -1, -1, -1) for p in (0, 1)}, got, "v%d %d" % (version, timestamp))
            else:
                same({0: full[timestamp], 1: empty[timestamp]}, got, "v%d %d" % (version, timestamp))


def case_list_offsets_by_time(twin):
    c = begin(twin)
    t, base = filled(c)
    for version in (1, 4, 11):
        epoch = 0 if version >= 4 else -1
        for time, want in ((0, (base, 0)), (base, (base, 0)), (base + 1, (base + 10, 1)), (base + 20, (base + 20, 2)),
                           (base + 21, (base + 50, 3)), (base + 45, (base + 50, 3)), (base + 50, (base + 50, 3))):
            same(("NONE",) + want + (epoch,), ask(c, version, t, (0, time))[0], "+%d" % (time - base))
        same(NOTHING, ask(c, version, t, (0, base + 51))[0])
        same(NOTHING, ask(c, version, t, (1, base))[1])


def case_list_offsets_errors(twin):
    c = begin(twin)
    t, base = filled(c)
    same({0: ("INVALID_REQUEST", -1, -1, -1), 1: ("NONE", -1, 0, 0)}, ask(c, 11, t, (0, -1), (0, -2), (1, -1)))
    same({0: ("NONE", -1, 5, 0), 1: ("UNKNOWN_LEADER_EPOCH", -1, -1, -1), 9: ("UNKNOWN_TOPIC_OR_PARTITION", -1, -1, -1)},
         ask(c, 11, t, (0, -1, 0), (1, -1, 3), (9, -1)))
    same({0: ("UNKNOWN_TOPIC_OR_PARTITION", -1, -1, -1)}, ask(c, 11, t.name + "-not", (0, -1)))
    for replica_id in (-2, 1, 3):
        same(("NONE", -1, 5, 0), ask(c, 11, t, (0, -1), replica_id=replica_id)[0])
    same(("NONE", -1, 5, 0), ask(c, 11, t, (0, -1), isolation=1)[0])
    same(("UNKNOWN_SERVER_ERROR", -1, -1, -1), ask(c, 11, t, (0, -1), isolation=7)[0])
    same([], c.call("ListOffsets", 11, ReplicaId=-1, Topics=[])["Topics"])
    same([], c.call("ListOffsets", 11, ReplicaId=-1, Topics=[{"Name": t.name, "Partitions": []}])["Topics"])


def case_offset_for_leader_epoch(twin):
    c = begin(twin)
    t, _ = filled(c)

    def asked(version, *parts, topic=t.name, **more):
        answer = c.call("OffsetForLeaderEpoch", version, Topics=[{"Topic": topic, "Partitions": [
            dict({"Partition": p[0], "LeaderEpoch": p[1]}, **({"CurrentLeaderEpoch": p[2]} if len(p) > 2 else {}))
            for p in parts]}], **more)
        return [(p["Partition"], name_of(p["ErrorCode"]), p["LeaderEpoch"], p["EndOffset"])
                for x in answer["Topics"] for p in x["Partitions"]]
    for version in (2, 3, 4):
        same([(0, "NONE", 0, 5), (1, "NONE", 0, 0), (0, "NONE", -1, -1), (0, "NONE", -1, -1),
              (9, "UNKNOWN_TOPIC_OR_PARTITION", -1, -1), (1, "UNKNOWN_LEADER_EPOCH", -1, -1)],
             asked(version, (0, 0), (1, 0), (0, 5), (0, -1), (9, 0), (1, 0, 4)))
    same([(0, "UNKNOWN_TOPIC_OR_PARTITION", -1, -1)], asked(4, (0, 0), topic=t.name + "-not"))
    for replica_id in (-1, -2, 3):
        same([(0, "NONE", 0, 5)], asked(4, (0, 0), ReplicaId=replica_id))
