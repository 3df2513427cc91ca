# SPDX-License-Identifier: Apache-2.0
"""1,000 and 5,000 partitions with a record each: restart to the first acknowledgement after a clean stop, memory, stop"""
import topics
import wire
from bench import load

GROUP = "storage"
QUICK = ("partitions-1000",)

# name: topics, partitions each
SHAPES = {
    "partitions-1000": (1000, 1),
    "partitions-5000": (500, 10),
}


def run(bench):
    for name, (count, partitions) in bench.shapes(SHAPES):
        ready = {}
        for kind in bench.kinds:
            one = ready[kind] = bench.fresh(kind)
            one.start()
            load("create-topics", one.bootstrap, "t", count, partitions, 50, 1)
            with wire.Connection(one.bootstrap) as link:
                for i in range(count):
                    topics.await_led(link, f"t-{i}", partitions)
            for i in range(count):
                load("producers", one.bootstrap, f"t-{i}", partitions, partitions, partitions, 100, 1)
            one.stop()
        for _, kind in bench.turns():
            one = ready[kind]
            bench.note(name, kind, **load("restart", one.bootstrap, "--", "t-0", *bench.command(one)))
        for one in ready.values():
            one.remove()
