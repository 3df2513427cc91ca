# SPDX-License-Identifier: Apache-2.0
"""compaction of a topic full of keys written over and over: many and few keys, plain and compressed"""
import glob
import os
import time

import process
import wire
from bench import load

GROUP = "storage"

# name: share of --megabytes, record bytes, keys, codec
SHAPES = {
    "clean": (0.5, 1000, 50000, 0),
    "clean-100b": (0.25, 100, 400000, 0),
    "clean-lz4": (0.25, 1000, 50000, 3),
}
SETTINGS = ("log.cleaner.backoff.ms=200", "log.segment.bytes=4194304", "log.message.timestamp.before.max.ms=9223372036854775807",
            "log.cleaner.min.cleanable.ratio=0.01")
LIMIT_S = 600


def checkpoint(one, topic):
    """The first dirty offset, or -1."""
    try:
        with open(os.path.join(one.folder, "data", "cleaner-offset-checkpoint")) as text:
            found = [int(line.split()[2]) for line in text.read().splitlines()[2:] if line.startswith(topic + " 0 ")]
    except OSError:
        found = []
    return found[0] if found else -1


def clean(bench, one, topic, megabytes, record_bytes, keys, codec):
    """Fills a topic, makes it compacted, and waits until it is clean; figures of the cleaning alone."""
    bench.topic(one, topic)
    load("fill", one.bootstrap, topic, megabytes, record_bytes, 16384, keys, codec)
    logs = sorted(glob.glob(os.path.join(one.folder, "data", topic + "-0", "*.log")))
    active, bytes_dirty = int(os.path.basename(logs[-1])[:20]), sum(os.path.getsize(path) for path in logs[:-1])
    pid = process.pid_of(one)
    began, cpu = time.monotonic(), process.cpu_seconds(pid)
    with wire.Connection(one.bootstrap) as link:
        link.call("IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
            {"ResourceType": 2, "ResourceName": topic, "Configs": [
                {"Name": "cleanup.policy", "ConfigOperation": 0, "Value": "compact"}]}])
    while checkpoint(one, topic) < active:
        assert time.monotonic() - began < LIMIT_S, "%s has not cleaned %s" % (one.kind, topic)
        time.sleep(0.02)  # a figure of whole rounds: the broker itself waits 0.2 s between them
    seconds, cpu = time.monotonic() - began, process.cpu_seconds(pid) - cpu
    bench.drop_topic(one, topic)
    return {"cpu_seconds_per_gb": cpu / bytes_dirty * 1e9, "megabytes_per_second": bytes_dirty / 1e6 / seconds,
            "resident_mb": process.resident_mb(pid)}


def run(bench):
    bench.cool()
    brokers = {}
    for kind in bench.kinds:
        brokers[kind] = bench.fresh(kind, SETTINGS)
        brokers[kind].start()
        # The JVM compiles what cleaning needs.
        for name, (share, *shape) in SHAPES.items():
            clean(bench, brokers[kind], "warm-" + name, max(20, int(bench.args.megabytes * share)), *shape)
    for name, (share, *shape) in bench.shapes(SHAPES):
        for i, kind in bench.turns():
            megabytes = max(20, int(bench.args.megabytes * share))
            bench.note(name, kind, **clean(bench, brokers[kind], "%s-%d" % (name, i), megabytes, *shape))
    for one in brokers.values():
        one.stop()
        one.remove()
