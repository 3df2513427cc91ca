# SPDX-License-Identifier: Apache-2.0
"""one partition from the page cache, 1 MiB a fetch"""
from bench import load


def run(bench):
    for i, kind in bench.turns():
        one = bench.warm(kind)
        mb = bench.args.megabytes
        bench.topic(one, f"consume-{i}")
        load("produce", one.bootstrap, f"consume-{i}", 1, mb, 1024, 16384, 1, 5)
        figures = bench.measured(one, "consume", one.bootstrap, f"consume-{i}", 1, int(mb * 0.99), 1 << 20)
        bench.note("consume", kind, cpu_seconds_per_gb=figures["cpu_seconds"] / figures["megabytes"] * 1000,
                   megabytes_per_second=figures["megabytes_per_second"])
        bench.drop_topic(one, f"consume-{i}")
