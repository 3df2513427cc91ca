# SPDX-License-Identifier: Apache-2.0
"""offsets committed a second, and members of a consumer group until it is stable (assignments without an interval)"""

SETTINGS = ("group.consumer.assignment.interval.ms=0",)


def run(bench):
    for i, kind in bench.turns():
        one = bench.fresh(kind, SETTINGS)
        one.start()
        bench.topic(one, "offsets", 1)
        bench.measured(one, "commit", one.bootstrap, "offsets", 50, 4, 1)  # groups and __consumer_offsets are made
        figures = bench.measured(one, "commit", one.bootstrap, "offsets", 50, 4, 5)
        bench.note("commit", kind, commits_per_second=figures["commits_per_second"],
                   cpu_us_per_commit=figures["cpu_seconds"] / figures["commits"] * 1e6)
        for members in (50, 500):
            bench.topic(one, f"join-{members}", 2 * members)
            figures = bench.measured(one, "join", one.bootstrap, f"join-{members}", members, 2 * members)
            bench.note(f"join-{members}", kind, stable_ms=figures["stable_ms"])
        one.stop()
        one.remove()
