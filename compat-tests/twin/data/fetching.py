# SPDX-License-Identifier: Apache-2.0
import time

import records
from datakit import Topic, at, batch, begin, connect, fetch, fetch_body, name_of, only, produce, same, values

# A partition of an answer, as the versions since 12 say it.
EMPTY = {"PartitionIndex": 0, "ErrorCode": 0, "HighWatermark": 0, "LastStableOffset": 0, "LogStartOffset": 0,
         "AbortedTransactions": None, "PreferredReadReplica": -1, "Records": b""}
FAILED = dict(EMPTY, HighWatermark=-1, LastStableOffset=-1, LogStartOffset=-1)


def fields(version, partition):
    """Without those that the version lacks."""
    gone = (["LogStartOffset"] if version < 5 else []) + (["PreferredReadReplica"] if version < 11 else [])
    return {k: v for k, v in partition.items() if k not in gone}


def case_every_version(twin):
    """Empty records are empty, never null, and the list of aborted transactions is null, not empty."""
    c = begin(twin)
    t = Topic(c, 2)
    produce(c, 12, t, (1, batch([b"a", b"b"])))
    for version in range(4, 19):
        same(fields(version, EMPTY), only(fetch(c, version, (t, [at()]))), "v%d" % version)
        got = only(fetch(c, version, (t, [at(1)])))
        same([b"a", b"b"], values(got.pop("Records")))
        want = dict(EMPTY, PartitionIndex=1, HighWatermark=2, LastStableOffset=2)
        del want["Records"]
        same(fields(version, want), got, "v%d" % version)
        got = only(fetch(c, version, (t, [at()]), IsolationLevel=1))
        same([], got["AbortedTransactions"], "read_committed")


def case_errors(twin):
    c = begin(twin)
    t = Topic(c, 2)
    for version in (4, 11, 12, 13, 16, 18):
        def got(topic=t, **fetch_fields):
            return only(fetch(c, version, (topic, [at(**fetch_fields)])))
        for offset in (5, -1):
            same(fields(version, dict(FAILED, ErrorCode=1)), got(offset=offset), "out of range")
        missing = b"\1" * 16 if version >= 13 else t.name + "-not"
        same(fields(version, dict(FAILED, ErrorCode=100 if version >= 13 else 3, AbortedTransactions=[])), got(missing))
        same(fields(version, dict(FAILED, ErrorCode=3, PartitionIndex=9, AbortedTransactions=[])), got(partition=9))
        if version >= 9:
            same(fields(version, dict(FAILED, ErrorCode=75)), got(CurrentLeaderEpoch=7), "epoch")
            same(fields(version, EMPTY), got(CurrentLeaderEpoch=0), "epoch")
        if version >= 12:
            same(EMPTY, got(LastFetchedEpoch=0))
            same(dict(FAILED, ErrorCode=1), got(LastFetchedEpoch=3))
            same(dict(EMPTY, DivergingEpoch={"Epoch": 0, "EndOffset": 0}), got(LastFetchedEpoch=0, offset=5))


def case_what_kafka_does_not_expect(twin):
    """An isolation level that there is not, or limits below zero: the errors of its exceptions."""
    c = begin(twin)
    t = Topic(c)
    for version in (4, 7, 12, 18):
        got = fetch(c, version, (t, [at()]), IsolationLevel=7)
        if version >= 7:
            same((-1, 0), (got["ErrorCode"], got["SessionId"]))
        if version < 13:
            same(fields(version, dict(FAILED, ErrorCode=-1, AbortedTransactions=[])), only(got))
        else:
            same([], got["Responses"])
    same(EMPTY, only(fetch(c, 12, (t, [at(PartitionMaxBytes=-1)]))), "nothing there to read")
    produce(c, 12, t, (0, batch()))
    same(dict(FAILED, ErrorCode=-1), only(fetch(c, 12, (t, [at(PartitionMaxBytes=-1)]))))
    same(dict(FAILED, ErrorCode=-1), only(fetch(c, 12, (t, [at()]), MaxBytes=-1)))
    same([b"v"], values(only(fetch(c, 12, (t, [at()]), min_bytes=-5, max_wait_ms=20000))["Records"]))


def case_replicas(twin):
    """This broker is not the leader of replicas that the partition does not have; the debugging consumer may read."""
    c = begin(twin)
    t = Topic(c)
    leads = {"CurrentLeader": {"LeaderId": 1, "LeaderEpoch": 0}}
    for replica_id in (1, 5):
        same(dict(FAILED, ErrorCode=6), only(fetch(c, 12, (t, [at()]), ReplicaId=replica_id)))
        same(dict(FAILED, ErrorCode=75), only(fetch(c, 12, (t, [at(CurrentLeaderEpoch=0)]), ReplicaId=replica_id)))
        got = fetch(c, 17, (t, [at()]), ReplicaState={"ReplicaId": replica_id, "ReplicaEpoch": -1})
        same(dict(FAILED, ErrorCode=6, **leads), only(got))
        same(False, "NodeEndpoints" in got)
    same(EMPTY, only(fetch(c, 12, (t, [at()]), ReplicaId=-2)))


def sizes(got):
    return {p["PartitionIndex"]: len(p["Records"]) for t in got["Responses"] for p in t["Partitions"]}


def case_limits(twin):
    """One batch at least from the first partition that has some; then partition, request."""
    c = begin(twin)
    t = Topic(c, 4)
    data = batch([b"x" * 1000])
    n = len(data)
    for i in (1, 2, 3):
        for _ in range(3):
            produce(c, 12, t, (i, data))

    def got(*parts, **options):
        return sizes(fetch(c, 12, (t, list(parts)), **options))
    every = [at(i) for i in range(4)]
    same({0: 0, 1: 3 * n, 2: 3 * n, 3: 3 * n}, got(*every))
    same({0: 0, 1: n, 2: 0, 3: 0}, got(*every, MaxBytes=1), "the first with records gives a batch")
    same({0: 0, 1: n, 2: 0, 3: 0}, got(*every, MaxBytes=n))
    same({0: 0, 1: 2 * n, 2: 0, 3: 0}, got(*every, MaxBytes=2 * n))
    same({0: 0, 1: 3 * n, 2: n + 10, 3: 0}, got(*every, MaxBytes=4 * n + 10), "the last is cut")
    small = [at(i, PartitionMaxBytes=10) for i in range(4)]
    same({0: 0, 1: n, 2: 0, 3: 0}, got(*small), "only the first may exceed its own limit; no mere pieces")
    same({3: n, 1: 0, 2: 0, 0: 0}, got(*small[::-1]))
    same({1: 2 * n}, got(at(1, 1)))
    same({1: 0}, got(at(1, 3)))
    same({0: 0, 1: n}, got(at(0, PartitionMaxBytes=0), at(1, PartitionMaxBytes=0)))


def case_whole_batches(twin):
    """A fetch from within a batch gives it whole."""
    c = begin(twin)
    t = Topic(c)
    produce(c, 12, t, (0, batch([b"a", b"b", b"c"])))
    produce(c, 12, t, (0, batch([b"d"])))
    got = records.batches(only(fetch(c, 12, (t, [at(0, 2)])))["Records"])
    same([0, 3], [b.base_offset for b in got])


def case_waits_and_wakes(twin):
    c = begin(twin)
    t = Topic(c, 3)
    with connect() as d:
        d.send("Fetch", 12, **fetch_body(12, [(t, [at(0), at(1)])], max_wait_ms=25000))
        produce(c, 12, t, (2, batch()))
        produce(c, 12, t, (1, batch([b"woken"])))
        got = d.receive()
        same([b"", [b"woken"]], [p["Records"] and values(p["Records"]) for p in got["Responses"][0]["Partitions"]])


def case_waits_for_min_bytes(twin):
    c = begin(twin)
    t = Topic(c, 2)
    data = batch([b"x" * 100])
    with connect() as d:
        d.send("Fetch", 12, **fetch_body(12, [(t, [at(0), at(1)])], max_wait_ms=25000, min_bytes=3 * len(data)))
        produce(c, 12, t, (0, data))
        produce(c, 12, t, (1, data))
        produce(c, 12, t, (0, data))
        same({0: 2 * len(data), 1: len(data)}, sizes(d.receive()))


def case_gives_up_waiting(twin):
    c = begin(twin)
    t = Topic(c)
    produce(c, 12, t, (0, batch([b"less"])))
    started = time.monotonic()
    got = only(fetch(c, 12, (t, [at()]), max_wait_ms=300, min_bytes=100000))
    same(True, time.monotonic() - started >= 0.25)
    same([b"less"], values(got["Records"]))


def case_error_does_not_wait(twin):
    """One of a partition that exists. Those that do not exist are told in the end, and last."""
    c = begin(twin)
    t = Topic(c, 2)
    got = fetch(c, 12, (t, [at(0), at(1, 77)]), max_wait_ms=20000)
    same([(0, 0), (1, 1)], [(p["PartitionIndex"], p["ErrorCode"]) for p in got["Responses"][0]["Partitions"]])
    got = fetch(c, 12, (t.name + "-not", [at(0)]), max_wait_ms=20000)
    same(3, only(got)["ErrorCode"])
    started = time.monotonic()
    got = fetch(c, 12, (t, [at(9), at(0)]), max_wait_ms=300)
    same(True, time.monotonic() - started >= 0.25)
    same([(0, 0), (9, 3)], [(p["PartitionIndex"], p["ErrorCode"]) for p in got["Responses"][0]["Partitions"]])


def case_topic_is_deleted_while_waiting(twin):
    c = begin(twin)
    t = Topic(c)
    with connect() as d:
        d.send("Fetch", 12, **fetch_body(12, [(t, [at()])], max_wait_ms=25000))
        c.call("Metadata", 12, Topics=[])
        t.delete()
        same("UNKNOWN_TOPIC_OR_PARTITION", name_of(only(d.receive())["ErrorCode"]))


def case_named_twice(twin):
    c = begin(twin)
    t = Topic(c)
    produce(c, 12, t, (0, batch([b"a"])))
    produce(c, 12, t, (0, batch([b"b"])))
    same([b"b"], values(only(fetch(c, 12, (t, [at(0, 0), at(0, 1)])))["Records"]))


def case_pipelined(twin):
    """Answers come in the order of the requests, also when the first one waits."""
    c = begin(twin)
    t = Topic(c, 2)
    produce(c, 12, t, (1, batch([b"there"])))
    with connect() as d:
        d.send("Fetch", 12, **fetch_body(12, [(t, [at(0)])], max_wait_ms=25000))
        d.send("Fetch", 12, **fetch_body(12, [(t, [at(1)])]))
        produce(c, 12, t, (0, batch([b"first"])))
        same([b"first"], values(only(d.receive())["Records"]))
        same([b"there"], values(only(d.receive())["Records"]))
