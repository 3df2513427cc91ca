# SPDX-License-Identifier: Apache-2.0
"""Logs with messages of magic 0 and 1, as brokers before 0.11 left them: opened, kept, found by offset and time, sent as they
are. Nobody may produce such any more (data/producing)."""
import glob
import os

from datakit import Topic, alter, ask, at, batch, begin, delete_one, fetch, name_of, now_ms, only, produce, same, until
from old_records import compressed, message


def segment(twin, t, base=0):
    return os.path.join(twin.broker.folder, "data", "%s-0" % t.name, "%020d.log" % base)


def install(twin, data, is_clean=True, age_s=0, **configs):
    """A topic whose log is `data`, as a broker of old left it, after a clean stop or a crash."""
    begin(twin)
    t = Topic(twin.connect(), **dict({"retention_ms": -1}, **configs))
    twin.broker.stop() if is_clean else twin.broker.kill9()
    path = segment(twin, t)
    with open(path, "wb") as out:
        out.write(data)
    os.utime(path, (now_ms() / 1000 - age_s,) * 2)
    folder = os.path.dirname(path)
    for stale in glob.glob(path[:-4] + ".*index") + glob.glob(folder + "/*.snapshot") + glob.glob(folder + "/leader-epoch*"):
        os.remove(stale)
    twin.broker.start()
    t.c = twin.connect()
    while ask(t.c, 11, t, (0, -1))[0][0] == "NOT_LEADER_OR_FOLLOWER":
        pass
    return t.c, t


def mixture(now):
    """Offsets 0–2 magic 0; 3–5 magic 1; 6–9 magic 1 by gzip; 10–11 magic 0 by gzip; 12 magic 1 with the time of its append.
    Answers the pieces by their last offset."""
    pieces = {i: message(i, b"zero%d" % i, magic=0) for i in range(3)}
    pieces.update({3 + i: message(3 + i, b"one%d" % i, timestamp=now + i) for i in range(3)})
    pieces[9] = compressed(b"".join(message(i, b"z%d" % i, timestamp=now + 10 + i) for i in range(4)), 9, timestamp=now + 13)
    pieces[11] = compressed(b"".join(message(10 + i, b"y%d" % i, magic=0) for i in range(2)), 11, magic=0)
    pieces[12] = message(12, b"append", timestamp=now + 50, attributes=8)
    return pieces


def check_mixture(c, t, pieces, now):
    data = b"".join(pieces.values())
    for version in (4, 9, 12, 16):
        for offset in range(14):
            got = only(fetch(c, version, (t, [at(0, offset)])))
            want = b"".join(piece for last, piece in pieces.items() if last >= offset)
            same(("NONE", 13, want), (name_of(got["ErrorCode"]), got["HighWatermark"], got["Records"] or b""),
                 "v%d from %d" % (version, offset))
    same(data[:len(pieces[0])], only(fetch(c, 12, (t, [at(0, 0, PartitionMaxBytes=1)])))["Records"])
    for timestamp, want in ((0, (now, 3)), (now, (now, 3)), (now + 2, (now + 2, 5)), (now + 3, (now + 10, 6)),
                            (now + 11, (now + 11, 7)), (now + 13, (now + 13, 9)), (now + 14, (now + 50, 12)),
                            (now + 50, (now + 50, 12)), (now + 51, (-1, -1)), (-3, (now + 50, 12))):
        same(("NONE",) + want + (-1,), ask(c, 11, t, (0, timestamp))[0], "time %d" % (timestamp - now))
    same(["NONE", -1, 13], list(ask(c, 11, t, (0, -1))[0][:3]))
    same(("NONE", -1, 0, -1), ask(c, 11, t, (0, -2))[0])


def case_after_a_clean_stop(twin):
    now = now_ms()
    c, t = install(twin, b"".join(mixture(now).values()))
    check_mixture(c, t, mixture(now), now)
    # Batches follow; then all is found after a restart, too.
    same(13, produce(c, 12, t, (0, batch([b"new"], base_timestamp=now + 60)))[0]["BaseOffset"])
    twin.broker.stop()
    twin.broker.start()
    c = twin.connect()
    while ask(c, 11, t, (0, -1))[0][0] == "NOT_LEADER_OR_FOLLOWER":
        pass
    same(("NONE", now + 60, 13), ask(c, 11, t, (0, now + 51))[0][:3])
    same(("NONE", now + 11, 7, -1), ask(c, 11, t, (0, now + 11))[0])
    got = only(fetch(c, 12, (t, [at(0, 8)])))
    same((14, True), (got["HighWatermark"], got["Records"].startswith(mixture(now)[9])))
    answer = c.call("OffsetForLeaderEpoch", 4, Topics=[{"Topic": t.name, "Partitions": [
        {"Partition": 0, "LeaderEpoch": 0}]}])["Topics"][0]["Partitions"][0]
    same((0, 13), (answer["LeaderEpoch"], answer["EndOffset"]))


def case_after_a_crash(twin):
    now = now_ms()
    c, t = install(twin, b"".join(mixture(now).values()), is_clean=False)
    check_mixture(c, t, mixture(now), now)
    same(13, produce(c, 12, t, (0, batch([b"new"], base_timestamp=now + 60)))[0]["BaseOffset"])


def case_damage_is_cut_away(twin):
    now = now_ms()
    data = b"".join(mixture(now).values())
    for what, tail in (("checksum", message(13, b"bad", bad_crc=True) + message(14)), ("zeros", bytes(100)),
                       ("cut", message(13)[:-3]), ("too small", message(13)[:8] + bytes([0, 0, 0, 13]) + message(13)[12:])):
        c, t = install(twin, data + tail, is_clean=False)
        same(13, ask(c, 11, t, (0, -1))[0][2], what)
        same(len(data), os.path.getsize(segment(twin, t)), what)


def case_gaps_as_compaction_leaves_them(twin):
    pieces = {5: message(5), 9: message(9), 30: compressed(message(0) + message(7), 30)}
    for is_clean in (False, True):
        c, t = install(twin, b"".join(pieces.values()), is_clean)
        same(["NONE", -1, 31], list(ask(c, 11, t, (0, -1))[0][:3]))
        for offset in (0, 5, 6, 9, 10, 22, 24, 30, 31):
            same(b"".join(piece for last, piece in pieces.items() if last >= offset),
                 only(fetch(c, 12, (t, [at(0, offset)])))["Records"] or b"")
        same(("NONE", 1000, 5, -1), ask(c, 11, t, (0, 1))[0])


def case_what_lies_within_is_not_checked(twin):
    """Its checksums are a producer's business; who searches by time finds it."""
    c, t = install(twin, compressed(message(0, bad_crc=True) + message(1), 1), is_clean=False)
    same(2, ask(c, 11, t, (0, -1))[0][2])
    same(("NONE", 1000, 0, -1), ask(c, 11, t, (0, 1))[0])


def case_log_append_time(twin):
    """The time of the wrapper is that of all within."""
    inner = b"".join(message(i, timestamp=5) for i in range(3))
    c, t = install(twin, compressed(inner, 2, timestamp=2000, attributes=9))
    same(("NONE", 2000, 0, -1), ask(c, 11, t, (0, 6))[0])
    same(("NONE", -1, -1, -1), ask(c, 11, t, (0, 2001))[0])


def case_log_start_within(twin):
    now = now_ms()
    c, t = install(twin, b"".join(mixture(now).values()))
    same(("NONE", 8), delete_one(c, t, 8))
    same(("NONE", now + 12, 8, -1), ask(c, 11, t, (0, now))[0])
    got = only(fetch(c, 12, (t, [at(0, 8)])))
    same((8, True), (got["LogStartOffset"], got["Records"].startswith(mixture(now)[9])))
    same("OFFSET_OUT_OF_RANGE", name_of(only(fetch(c, 12, (t, [at(0, 7)])))["ErrorCode"]))


def case_retention_goes_by_the_file(twin):
    """Messages of magic 0 have no time: that of their file counts."""
    c, t = install(twin, b"".join(message(i, magic=0) for i in range(3)), age_s=3 * 86400)
    same(0, ask(c, 11, t, (0, -2))[0][2])
    alter(c, "topic", t.name, retention_ms=4 * 86400000)
    young, other = install(twin, b"".join(message(i, magic=0) for i in range(3)), age_s=9 * 86400, retention_ms=8 * 86400000)
    until("the older one goes", lambda: ask(young, 11, other, (0, -2))[0][2] == 3)
    same(0, ask(young, 11, t, (0, -2))[0][2])
    alter(young, "topic", t.name, retention_ms=2 * 86400000)
    until("so does the younger one", lambda: ask(young, 11, t, (0, -2))[0][2] == 3)


def case_committed_offsets_of_old(twin):
    """__consumer_offsets is read whatever its format."""
    c = begin(twin)
    t = Topic(c)
    c.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=["g"])
    folders = [os.path.join(twin.broker.folder, "data", "__consumer_offsets-%d" % i) for i in range(5)]
    until("the topic is made", lambda: all(os.path.exists(f) for f in folders))

    def text(s):
        return len(s).to_bytes(2, "big") + s.encode()
    key = (1).to_bytes(2, "big") + text("old-group") + text(t.name) + bytes(4)
    value = (1).to_bytes(2, "big") + (77).to_bytes(8, "big") + text("noted") + now_ms().to_bytes(8, "big") \
        + (now_ms() + 86400000).to_bytes(8, "big")
    twin.broker.stop()
    for folder in folders: # in all: its group is in one of them
        for stale in glob.glob(folder + "/*.*index") + glob.glob(folder + "/*.snapshot") + glob.glob(folder + "/leader-epoch*"):
            os.remove(stale)
        with open(os.path.join(folder, "%020d.log" % 0), "wb") as out:
            out.write(message(0, value, key, timestamp=now_ms()))
    twin.broker.start()
    c = twin.connect()

    def fetched():
        answer = c.call("OffsetFetch", 8, Groups=[{"GroupId": "old-group", "Topics": [
            {"Name": t.name, "PartitionIndexes": [0]}]}])["Groups"][0]
        return answer["ErrorCode"] == 0 and answer["Topics"][0]["Partitions"][0]
    got = until("the group is loaded", fetched)
    same((77, "noted", 0), (got["CommittedOffset"], got["Metadata"], got["ErrorCode"]))
