# SPDX-License-Identifier: Apache-2.0
"""a writer and a reader together, 16 KiB batches: the most there is, delays at 10, 50, 90 % of the slowest's and of the own"""
import statistics

from bench import NotHeld
from figures import cost, delays

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


def at_rates(bench, name, sizes, rates):
    """Notes what each kind does at its rate, in batches a second; (kind, delays) of those that held it."""
    held = []
    for i, kind in bench.turns():
        if kind not in rates:
            continue
        figures = bench.held(kind, rates[kind], measure, bench, bench.warm(kind), f"{name.replace('%', '')}-{i}", rates[kind], *sizes)
        if figures is None:
            bench.note(name, kind, not_held=1)
            continue
        bench.note(name, kind, rate=rates[kind], not_held=0, **delays(figures), **cost(figures, "requests"))
        held.append((kind, delays(figures)))
    return held


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
        for share in SHARES:  # the same rate for all: of what the slowest can do
            at_rates(bench, f"{name}-{share}%", sizes, {kind: int(min(most.values()) * share / 100) for kind in most})
        for share in SHARES:
            own = {kind: int(can * share / 100) for kind, can in most.items()}
            for kind, figures in at_rates(bench, f"{name}-{share}%-of-own", sizes, own):
                bench.point(f"{name}-by-load", "% of capacity", share, kind, **figures)
