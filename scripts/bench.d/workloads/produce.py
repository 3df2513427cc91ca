# SPDX-License-Identifier: Apache-2.0
"""one partition, 1 KiB records in 16 KiB batches, acks=1, five in flight"""


def run(bench):
    for i, kind in bench.turns():
        one = bench.warm(kind)
        bench.topic(one, f"produce-{i}")
        figures = bench.measured(one, "produce", one.bootstrap, f"produce-{i}", 1, bench.args.megabytes, 1024, 16384, 1, 5)
        bench.note("produce", kind, cpu_seconds_per_gb=figures["cpu_seconds"] / figures["megabytes"] * 1000,
                   megabytes_per_second=figures["megabytes_per_second"])
        bench.drop_topic(one, f"produce-{i}")
