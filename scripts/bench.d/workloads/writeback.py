# SPDX-License-Identifier: Apache-2.0
"""four connections write faster than the disk takes it: what a paced writer to another topic and its reader notice"""
import threading

import memory
from bench import load
from figures import delays

GROUP = "storage"
DIRTY_BYTES = 200 << 20  # what the kernel lets be unwritten meanwhile
RATE, SECONDS = 1000, 8


def run(bench):
    mb = 3 * bench.args.megabytes
    with memory.dirty_limit(DIRTY_BYTES):
        for i, kind in bench.turns():
            one = bench.warm(kind)
            flooded, paced = f"flooded-{i}", f"paced-{i}"
            bench.topic(one, flooded, 4)
            bench.topic(one, paced)
            flood = {}
            writers = threading.Thread(
                target=lambda: flood.update(load("produce", one.bootstrap, flooded, 4, mb, 1024, 16384, 1, 5, 0, 4)))
            writers.start()
            beside = load("latency", one.bootstrap, paced, RATE, SECONDS, 1024, 1)
            writers.join()
            bench.note("writeback", kind, flood_megabytes_per_second=flood["megabytes_per_second"],
                       **delays(beside))
            bench.drop_topic(one, flooded)
            bench.drop_topic(one, paced)
