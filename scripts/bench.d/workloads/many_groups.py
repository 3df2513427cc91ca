# SPDX-License-Identifier: Apache-2.0
"""2,000 consumer groups with a member each: first heartbeats answered a second, memory per group"""
import frames
import process
from bench import load
from figures import cost

GROUP = "groups"
COUNT, CONNECTIONS, DEPTH, SECONDS = 2000, 50, 4, 3
ERROR_AT = 4 + 1 + 4  # correlation id, no tags, throttle time
SHAPES = {"many-groups": COUNT}


def joins(topic, groups):
    return [(ERROR_AT, "ConsumerGroupHeartbeat", 1, {
        "GroupId": group, "MemberId": "AAAAAAAAAAAAAAAAAAAABA", "MemberEpoch": 0, "RebalanceTimeoutMs": 60000,
        "SubscribedTopicNames": [topic], "TopicPartitions": []}) for group in groups]


def run(bench):
    for name, count in bench.shapes(SHAPES):
        for _, kind in bench.turns():
            one = bench.fresh(kind)
            one.start()
            bench.topic(one, name)
            before = [f"before-{i}" for i in range(CONNECTIONS)]
            frames.await_coordinators(one.bootstrap, before)
            load("raw", one.bootstrap, bench.requests(joins(name, before)), CONNECTIONS, DEPTH, SECONDS)  # to warm it
            live = process.live_mb(process.pid_of(one))
            # A member that joins again is answered like one that joins: all of them join several times.
            figures = bench.measured(one, "raw", one.bootstrap, bench.requests(joins(name, [f"g-{i}" for i in range(count)])),
                                     CONNECTIONS, DEPTH, SECONDS)
            if figures["requests"] < count:
                raise RuntimeError(f"{kind} had not time for {count} groups: {figures}")
            bench.note(name, kind, joins_per_second=figures["requests_per_second"], p99_ms=figures["p99_ms"],
                       live_kb_per_group=(process.live_mb(process.pid_of(one)) - live) * 1024 / count, **cost(figures, "requests"))
            bench.done(one)
