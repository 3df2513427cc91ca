# SPDX-License-Identifier: Apache-2.0
"""from the page cache, 1 MiB a fetch: one partition, 12, small records, compressed, 20 readers of the same records"""
from bench import load
from figures import cost

GROUP = "throughput"
QUICK = ("consume", "consume-12", "consume-20-readers")

# name: partitions, readers, share of --megabytes, record bytes, codec
SHAPES = {
    "consume": (1, 1, 1.0, 1024, 0),
    "consume-12": (12, 1, 1.0, 1024, 0),
    "consume-100b": (1, 1, 0.5, 100, 0),
    "consume-lz4": (1, 1, 0.5, 1024, 3),
    "consume-20-readers": (1, 20, 0.3, 1024, 0),
}
FETCH_BYTES = 1 << 20


def run(bench):
    for name, (partitions, readers, share, record_bytes, codec) in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            one = bench.warm(kind)
            topic = f"{name}-{i}"
            bench.topic(one, topic, partitions)
            filled = load("produce", one.bootstrap, topic, partitions, max(1, int(bench.args.megabytes * share)), record_bytes,
                          16384, 1, 5, codec)
            figures = bench.measured(one, "consume", one.bootstrap, topic, partitions, int(filled["sent_megabytes"] * 0.99),
                                     FETCH_BYTES, readers)
            bench.note(name, kind, megabytes_per_second=figures["megabytes_per_second"], **cost(figures, "requests"))
            bench.drop_topic(one, topic)
