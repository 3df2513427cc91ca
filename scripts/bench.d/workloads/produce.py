# SPDX-License-Identifier: Apache-2.0
"""records to one and many partitions, small and large batches, one record a request; acks=1, five in flight"""

# name: partitions, megabytes of 1,000, record bytes, batch bytes
SHAPES = {
    "produce": (1, 1.0, 1024, 16384),
    "produce-12": (12, 1.0, 1024, 16384),
    "produce-1000": (1000, 1.0, 1024, 16384),
    "produce-900k": (1, 2.0, 1024, 900 << 10),
    "produce-100b": (1, 0.3, 100, 16384),
    "produce-single": (1, 0.02, 100, 1),
}


def run(bench):
    for name, (partitions, share, record_bytes, batch_bytes) in SHAPES.items():
        for i, kind in bench.turns():
            one = bench.warm(kind)
            topic = f"{name}-{i}"
            bench.topic(one, topic, partitions)
            figures = bench.measured(one, "produce", one.bootstrap, topic, partitions, int(bench.args.megabytes * share),
                                     record_bytes, batch_bytes, 1, 5)
            cpu = figures["cpu_seconds"]
            bench.note(name, kind, cpu_seconds_per_gb=cpu / figures["megabytes"] * 1000,
                       cpu_us_per_record=cpu / figures["records"] * 1e6, cpu_us_per_request=cpu / figures["requests"] * 1e6,
                       megabytes_per_second=figures["megabytes_per_second"])
            bench.drop_topic(one, topic)
