# SPDX-License-Identifier: Apache-2.0
"""offsets committed a second, one partition a request: 50 groups, and 2,000 groups over 50 connections"""
import frames
from figures import cost

GROUP = "groups"
QUICK = ("commit", "commit-2000-groups")
CONNECTIONS, DEPTH, SECONDS, WARM_SECONDS = 50, 4, 4, 3
SHAPES = {"commit": 50, "commit-2000-groups": 2000}
ERROR_AT = -2  # the last thing in an answer


def commits(topic, groups):
    """OffsetCommit by hand, as tools and old consumers send it."""
    return [(ERROR_AT, "OffsetCommit", 7, {
        "GroupId": group, "GenerationIdOrMemberEpoch": -1, "MemberId": "", "Topics": [
            {"Name": topic, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 123456, "CommittedMetadata": ""}]}]})
        for group in groups]


def run(bench):
    for name, count in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            one = bench.warm(kind)
            topic, groups = f"{name}-{i}", [f"{name}-{i}-{g}" for g in range(count)]
            bench.topic(one, topic)
            frames.await_coordinators(one.bootstrap, groups[:CONNECTIONS])
            path = bench.requests(commits(topic, groups))
            bench.measured(one, "raw", one.bootstrap, path, CONNECTIONS, DEPTH, WARM_SECONDS)
            figures = bench.measured(one, "raw", one.bootstrap, path, CONNECTIONS, DEPTH, SECONDS)
            bench.note(name, kind, commits_per_second=figures["requests_per_second"], p99_ms=figures["p99_ms"],
                       **cost(figures, "requests"))
            bench.drop_topic(one, topic)
