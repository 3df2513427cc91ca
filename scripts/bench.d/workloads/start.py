# SPDX-License-Identifier: Apache-2.0
"""exec to the first Metadata answer on an empty directory; a clean stop"""
from bench import load

GROUP = "life"
QUICK = True


def run(bench):
    for _, kind in bench.turns():
        one = bench.fresh(kind)
        bench.note("start", kind, **load("start", one.bootstrap, "--", *bench.command(one)))
        one.remove()
