# SPDX-License-Identifier: Apache-2.0
"""old records read from the disk while new ones are written to another topic: what the writers notice"""
import os
import threading

from bench import load

GROUP = "storage"


def drop_cache(folder):
    """What the page cache holds of the files is written and let go."""
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".log"):
                with open(os.path.join(root, name), "rb") as file:
                    os.fsync(file.fileno())
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(bench):
    mb = bench.args.megabytes
    for i, kind in bench.turns():
        one = bench.warm(kind)
        old, new = f"cold-old-{i}", f"cold-new-{i}"
        bench.topic(one, old, 1, [("segment.bytes", 64 << 20)])
        bench.topic(one, new)
        load("produce", one.bootstrap, old, 1, mb, 1024, 16384, 1, 5)
        alone = load("producers", one.bootstrap, new, 1, 8, 20000, 1024, 1)
        drop_cache(one.folder)
        read = {}
        reader = threading.Thread(
            target=lambda: read.update(load("consume", one.bootstrap, old, 1, int(mb * 0.99), 1 << 20)))
        reader.start()
        beside = load("producers", one.bootstrap, new, 1, 8, 20000, 1024, 1)
        reader.join()
        bench.note("cold", kind, read_megabytes_per_second=read["megabytes_per_second"], p99_ms=beside["p99_ms"],
                   p99_ms_alone=alone["p99_ms"], requests_per_second=beside["requests_per_second"])
        bench.drop_topic(one, old)
        bench.drop_topic(one, new)
