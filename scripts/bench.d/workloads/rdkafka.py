# SPDX-License-Identifier: Apache-2.0
"""C programs with librdkafka: one and four producers, plain and compressed; one consumer and four in a group"""
import os
import subprocess

import frames
from bench import TOP, figures_of
from figures import cost

GROUP = "throughput"
QUICK = ("rdkafka-1", "rdkafka-4")

# name: clients, partitions, record bytes, acks, codec
SHAPES = {
    "rdkafka-1": (1, 1, 1024, "1", "none"),
    "rdkafka-1-100b": (1, 1, 100, "1", "none"),
    "rdkafka-1-zstd": (1, 1, 1024, "all", "zstd"),
    "rdkafka-4": (4, 12, 1024, "all", "none"),
}
PROGRAM = os.path.join(TOP, "build", "bench-rdkafka")
SHARE = {100: 0.2, 1024: 1.0}  # of --megabytes
LIMIT_S = 600


def rdkafka(*arguments):
    return figures_of(subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True,
                                     timeout=LIMIT_S).stdout)


def run(bench):
    subprocess.run([os.path.join(TOP, "scripts", "lib", "packages"), "librdkafka-dev"], check=True)
    subprocess.run(["make", "-s", "-C", os.path.join(TOP, "build"), "bench-rdkafka"], check=True)
    for name, (clients, partitions, record_bytes, acks, codec) in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            one = bench.warm(kind)
            topic, megabytes = f"{name}-{i}", max(1, int(bench.args.megabytes * SHARE[record_bytes]))
            bench.topic(one, topic, partitions)
            frames.await_coordinators(one.bootstrap, [topic])
            with bench.meter(one) as spent:
                figures = rdkafka("produce", one.bootstrap, topic, megabytes, record_bytes, acks, codec, clients)
            bench.note(name + "-produce", kind, megabytes_per_second=figures["megabytes_per_second"],
                       **cost({**figures, **spent.figures}, "records"))
            with bench.meter(one) as spent:
                figures = rdkafka("consume", one.bootstrap, topic, int(figures["records"]), topic, clients)
            bench.note(name + "-consume", kind, megabytes_per_second=figures["megabytes_per_second"],
                       **cost({**figures, **spent.figures}, "records"))
            bench.drop_topic(one, topic)
