# SPDX-License-Identifier: Apache-2.0
"""cost per request over three orders of magnitude of topics, partitions, connections, groups and segments; cores"""
import os
import random

import frames
import topics
import wire
from bench import load
from figures import cost
from workloads.commit import commits

GROUP = "scaling"
XS = (1, 10, 100, 1000)
SECONDS, DEPTH = 3, 4
SEGMENTED_MB, SEGMENT_BYTES_MIN = 1020, 1 << 20
FETCH_ERROR_AT = 8
METADATA_ERROR_AT = -36  # the one partition's, before whom it is led by and where it is


def make_topics(one, count, partitions=1):
    load("create-topics", one.bootstrap, "t", count, partitions, min(count, 100), 1)
    with wire.Connection(one.bootstrap) as link:
        for i in range(count):
            topics.await_led(link, f"t-{i}", partitions)


def fetch(topic, partition, offset):
    return (FETCH_ERROR_AT, "Fetch", 11, {
        "ReplicaId": -1, "MaxWaitMs": 500, "MinBytes": 1, "MaxBytes": 4096, "IsolationLevel": 0, "SessionId": 0,
        "SessionEpoch": -1, "ForgottenTopicsData": [], "RackId": "", "Topics": [{"Topic": topic, "Partitions": [
            {"Partition": partition, "CurrentLeaderEpoch": -1, "FetchOffset": offset, "LogStartOffset": -1,
             "PartitionMaxBytes": 4096}]}]})


def by_topics(bench, one, count):
    """Metadata of one topic by name, while so many exist."""
    make_topics(one, count)
    requests = [(METADATA_ERROR_AT, "Metadata", 9, {"Topics": [{"Name": f"t-{i}"}], "AllowAutoTopicCreation": False})
                for i in range(count)]
    return "raw", bench.requests(requests), 8, DEPTH, SECONDS


def by_partitions(bench, one, count):
    """A record to each of them by turns."""
    make_topics(one, 1, count)
    load("producers", one.bootstrap, "t-0", count, count, count, 100, 1)
    return "produce", "t-0", count, 3, 100, 1, 1, 8 * DEPTH


def by_connections(bench, one, count):
    """A record by each of them, one in flight on each."""
    make_topics(one, 1)
    return "producers", "t-0", 1, count, 30000, 100, 1


def by_groups(bench, one, count):
    """An offset committed by each of them by turns."""
    make_topics(one, 1)
    groups = [f"g-{i}" for i in range(count)]
    frames.await_coordinators(one.bootstrap, groups)
    return "raw", bench.requests(commits("t-0", groups)), 8, DEPTH, SECONDS


def by_segments(bench, one, count):
    """A fetch of 4 KiB at any offset of a gigabyte in so many segments: as much to keep in memory whatever their number."""
    bench.topic(one, "t-0", 1, [("segment.bytes", max(SEGMENT_BYTES_MIN, (1 << 30) // count))])
    load("produce", one.bootstrap, "t-0", 1, SEGMENTED_MB, 1024, 16384, 1, 5)
    os.sync()
    with wire.Connection(one.bootstrap) as link:
        end = link.call("ListOffsets", 7, ReplicaId=-1, Topics=[{"Name": "t-0", "Partitions": [
            {"PartitionIndex": 0, "Timestamp": -1}]}])["Topics"][0]["Partitions"][0]["Offset"]
    chance = random.Random(count)
    return "raw", bench.requests([fetch("t-0", 0, chance.randrange(end)) for _ in range(2000)]), 8, DEPTH, SECONDS


CURVES = {"scaling-topics": by_topics, "scaling-partitions": by_partitions, "scaling-connections": by_connections,
          "scaling-groups": by_groups, "scaling-segments": by_segments}
# The first word of a broker's command line, and how many cores it has then.
CORES = {1: ("taskset", "-c", "0"), 2: ("taskset", "-c", "0,1")}


def run(bench):
    bench.cool()
    for name, make in bench.shapes(CURVES):
        for x in XS:
            for _, kind in bench.turns():
                one = bench.fresh(kind)
                one.start()
                load_name, *arguments = make(bench, one, x)
                for warm in (True, False):
                    figures = bench.measured(one, load_name, one.bootstrap, *arguments)
                    if not warm:
                        per = cost(figures, "requests")
                        bench.point(name, name.split("-")[1], x, kind, cpu_us_per_request=per["cpu_us_per_request"],
                                    p99_ms=figures["p99_ms"], peak_mb=per["peak_mb"])
                bench.done(one)
    for name, _ in bench.shapes({"scaling-cores": None}):
        for cores, words in CORES.items():
            for _, kind in bench.turns():
                one = bench.fresh(kind, command_before=words)
                one.start()
                bench.topic(one, "t", 16)
                for megabytes in (bench.args.megabytes // 2, bench.args.megabytes):  # to warm it, then measured
                    figures = bench.measured(one, "produce", one.bootstrap, "t", 16, megabytes, 1024, 16384, 1, 5, 0, 16)
                bench.point(name, "cores", cores, kind, megabytes_per_second=figures["megabytes_per_second"],
                            megabytes_per_cpu_second=figures["megabytes"] / figures["cpu_seconds"])
                bench.done(one)
