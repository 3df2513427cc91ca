# SPDX-License-Identifier: Apache-2.0
"""old records read from the disk while new ones are written to another topic: as many as go, and what a paced writer notices"""
import os
import threading

from bench import load
from figures import delays

GROUP = "storage"
SECONDS = 8
STEP = 8 << 20
SHAPES = {"cold": None, "cold-1000": 1000, "cold-5000": 5000}  # records a second; None: as many as eight producers can


def drop_cache(folder):
    """What the page cache holds of the files is written and let go; in steps, since the kernel gives the processor to nobody else
    during one, and of folios that lie in one as a whole."""
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".log"):
                with open(os.path.join(root, name), "rb") as file:
                    os.fsync(file.fileno())
                    for at in range(0, os.fstat(file.fileno()).st_size, STEP):
                        os.posix_fadvise(file.fileno(), at, STEP, os.POSIX_FADV_DONTNEED)


class Reader:
    """Reads a topic from the disk, again and again, until the block ends; then .megabytes_per_second is of all readings."""

    def __init__(self, one, topic, megabytes):
        self.one, self.topic, self.megabytes = one, topic, megabytes
        self.seconds, self.readings, self.is_over, self.error = 0.0, 0, False, None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.is_over:
                drop_cache(self.one.folder)
                figures = load("consume", self.one.bootstrap, self.topic, 1, self.megabytes, 1 << 20)
                self.seconds += self.megabytes / figures["megabytes_per_second"]
                self.readings += 1
        except Exception as error:  # told by the thread that waits for this one
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        if self.error is not None:
            raise self.error
        self.megabytes_per_second = self.megabytes * self.readings / self.seconds


def as_many(one, topic):
    figures = load("producers", one.bootstrap, topic, 1, 8, 20000, 1024, 1)
    return {"requests_per_second": figures["requests_per_second"], "ack_p99_us": 1000 * figures["p99_ms"]}


def paced(one, topic, rate):
    return delays(load("latency", one.bootstrap, topic, rate, SECONDS, 1024, 1))


def run(bench):
    mb = bench.args.megabytes
    for name, rate in bench.shapes(SHAPES):
        for i, kind in bench.turns():
            one = bench.warm(kind)
            old, new = f"{name}-old-{i}", f"{name}-new-{i}"
            bench.topic(one, old, 1, [("segment.bytes", 64 << 20)])
            bench.topic(one, new)
            load("produce", one.bootstrap, old, 1, mb, 1024, 16384, 1, 5)
            with Reader(one, old, int(mb * 0.99)) as reader:
                figures = as_many(one, new) if rate is None else bench.held(kind, rate, paced, one, new, rate)
            bench.note(name, kind, not_held=int(figures is None),
                       read_megabytes_per_second=reader.megabytes_per_second, **(figures or {}))
            bench.drop_topic(one, old)
            bench.drop_topic(one, new)
