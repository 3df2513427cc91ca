# SPDX-License-Identifier: Apache-2.0
"""kill -9 with 2 GB that were never flushed, in one partition and in 100 with small segments: restart to the first ack"""
from bench import load

GROUP = "storage"

# name: partitions, segment.bytes
SHAPES = {
    "recovery-2gb": (1, 1 << 30),
    "recovery-2gb-many-segments": (100, 1 << 20),
}


def run(bench):
    mb = 2 * bench.args.megabytes
    for name, (partitions, segment_bytes) in bench.shapes(SHAPES):
        for _, kind in bench.turns():
            # So that neither has a checkpoint of what it flushed when a segment was full.
            one = bench.fresh(kind, ["log.flush.offset.checkpoint.interval.ms=3600000"])
            one.start()
            bench.topic(one, "t", partitions, [("segment.bytes", segment_bytes)])
            load("produce", one.bootstrap, "t", partitions, mb, 1024, 16384, 1, 5)
            one.kill9()
            bench.note(name, kind, **load("restart", one.bootstrap, "--", "t", *bench.command(one)))
            one.remove()
