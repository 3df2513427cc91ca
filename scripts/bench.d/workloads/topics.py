# SPDX-License-Identifier: Apache-2.0
"""topics created and deleted a second: ten clients with one topic a request, and one client with 100 a request"""

GROUP = "life"
QUICK = ("topics-single", "topics-batch")

# name: topics for ours and for the JVM, topics in a request, clients
SHAPES = {
    "topics-single": (5000, 200, 1, 10),
    "topics-batch": (5000, 400, 100, 1),
}


def run(bench):
    for name, (many, few, batch, clients) in bench.shapes(SHAPES):
        for i, kind in bench.turns():
            one = bench.fresh(kind)
            one.start()
            count = few if kind == "kafka" else many
            for what in ("create", "delete"):
                figures = bench.measured(one, f"{what}-topics", one.bootstrap, "t", count, 1, batch, clients)
                bench.note(f"{name}-{what}", kind, topics_per_second=figures["topics_per_second"],
                           cpu_ms_per_topic=figures["cpu_seconds"] / count * 1000, p99_ms=figures["p99_ms"])
            one.stop()
            one.remove()
