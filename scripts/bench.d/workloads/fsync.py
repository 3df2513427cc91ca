# SPDX-License-Identifier: Apache-2.0
"""flush.messages=1: each acknowledged record is on the disk; 1 and 64 producers, one partition and many"""

GROUP = "storage"
QUICK = ("fsync-1", "fsync-64")

# name: partitions, producers, requests for each round
SHAPES = {
    "fsync-1": (1, 1, 500),
    "fsync-64": (1, 64, 20000),
    "fsync-64-over-16": (16, 64, 10000),
}


def run(bench):
    for name, (partitions, producers, requests) in bench.shapes(SHAPES):
        for i, kind in bench.turns():
            one = bench.warm(kind)
            topic = f"{name}-{i}"
            bench.topic(one, topic, partitions, [("flush.messages", 1)])
            figures = bench.measured(one, "producers", one.bootstrap, topic, partitions, producers, requests, 1024, -1)
            bench.note(name, kind, requests_per_second=figures["requests_per_second"], p50_ms=figures["p50_ms"],
                       p99_ms=figures["p99_ms"], cpu_us_per_request=figures["cpu_seconds"] / figures["requests"] * 1e6)
            bench.drop_topic(one, topic)
