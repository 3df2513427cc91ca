# SPDX-License-Identifier: Apache-2.0
"""real text, a record a line, through kcat with compression and back, compared to the byte"""
import os
import subprocess
import time

import network
import text
from bench import TOP
from figures import cost

GROUP = "real"
QUICK = ("text-zstd",)
SHAPES = {"text-zstd": "zstd", "text-lz4": "lz4"}
LIMIT_S = 1800


def write_all(one, topic, codec, path):
    subprocess.run(["kcat", "-P", "-b", one.bootstrap, "-t", topic, "-z", codec, "-X", "acks=1", "-X", "linger.ms=50",
                    "-X", "queue.buffering.max.messages=1000000", "-l", path], check=True, timeout=LIMIT_S)


def read_all(one, topic, path):
    """Reads the topic to its end and compares it with the file, both as they come. With a smaller queue the client does not
    fetch for up to a second each time that it is full, and who answers faster is asked less."""
    pipe = (f"kcat -C -q -e -b {one.bootstrap} -t {topic} -p 0 -o beginning -X check.crcs=true"
            f" -X fetch.message.max.bytes=1048576 -X queued.min.messages=2000000 | cmp - {path}")
    subprocess.run(["bash", "-o", "pipefail", "-c", pipe], check=True, timeout=LIMIT_S)


def run(bench):
    with network.outside():
        subprocess.run([os.path.join(TOP, "scripts", "lib", "packages"), "kcat"], check=True)
    path, megabytes = os.path.join(bench.folder, "text"), bench.args.megabytes
    records = text.write(path, megabytes)
    for name, codec in bench.shapes(SHAPES):
        for i, kind in bench.turns():
            one = bench.warm(kind)
            topic = f"{name}-{i}"
            bench.topic(one, topic)
            for what, do in (("write", lambda: write_all(one, topic, codec, path)), ("read", lambda: read_all(one, topic, path))):  # noqa: B023
                began = time.monotonic()
                with bench.meter(one) as spent:
                    do()
                took = time.monotonic() - began
                bench.note(f"{name}-{what}", kind, megabytes_per_second=megabytes / took, records_per_second=records / took,
                           **cost({"megabytes": megabytes, "records": records, **spent.figures}, "records"))
            bench.drop_topic(one, topic)
    os.remove(path)
