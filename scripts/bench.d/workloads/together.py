# SPDX-License-Identifier: Apache-2.0
"""a writer and a reader together, 16 KiB batches: what a broker can do at most, and delays at 10, 50 and 90 % of that"""
import statistics

from bench import NotHeld
from figures import cost

GROUP = "latency"
QUICK = ("together",)
SECONDS = 5
SHARES = (10, 50, 90)
SHAPES = {"together": (1024, 16384)}


def measure(bench, one, topic, rate, record_bytes, batch_bytes):
    bench.topic(one, topic)
    try:
        return bench.measured(one, "latency", one.bootstrap, topic, rate, SECONDS, record_bytes, 1, batch_bytes)
    finally:
        bench.drop_topic(one, topic)


def delays(figures):
    return {name: value for name, value in figures.items() if name.endswith("_us")}


def run(bench):
    for name, sizes in bench.shapes(SHAPES):
        capacity = {}
        for i, kind in bench.turns(count_calls=True):
            try:
                figures = measure(bench, bench.warm(kind), f"{name}-{i}", 0, *sizes)
            except NotHeld:
                bench.say(f"{kind}: the reader is not done ten seconds after the writer")
                continue
            bench.note(name, kind, requests_per_second=figures["requests_per_second"], **cost(figures, "requests"))
            if not bench.counting:
                capacity.setdefault(kind, []).append(figures["requests_per_second"])
        most = {kind: statistics.median(values) for kind, values in capacity.items()}
        least = min(most.values())
        for share in SHARES:
            delays_at(bench, f"{name}-{share}%", sizes, {kind: int(least * share / 100) for kind in most})
        for share in SHARES:
            own = {kind: int(most[kind] * share / 100) for kind in most if most[kind] > least}
            for kind, figures in delays_at(bench, f"{name}-{share}%-of-own", sizes, own):
                bench.point(f"{name}-by-load", "% of capacity", share, kind, **figures)
