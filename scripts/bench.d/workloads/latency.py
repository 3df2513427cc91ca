# SPDX-License-Identifier: Apache-2.0
"""records of 1 KiB at fixed rates: delay to the acknowledgement and to a reader, from when each was due; a curve"""
from figures import cost, delays

GROUP = "latency"
QUICK = ("latency-1000", "latency-5000", "latency-20000")
SECONDS = 5

# name: records a second, acks
SHAPES = {
    "latency-1000": (1000, 1),
    "latency-5000": (5000, 1),
    "latency-20000": (20000, 1),
    "latency-5000-acks-all": (5000, -1),
}
CURVE = (500, 1000, 2000, 5000, 10000, 20000, 30000, 50000)


def measure(bench, one, topic, rate, acks):
    bench.topic(one, topic)
    try:
        figures = bench.measured(one, "latency", one.bootstrap, topic, rate, SECONDS, 1024, acks)
    finally:
        bench.drop_topic(one, topic)
    return {**delays(figures), **cost(figures, "records")}


def run(bench):
    for name, (rate, acks) in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            figures = bench.held(kind, rate, measure, bench, bench.warm(kind), f"{name}-{i}", rate, acks)
            bench.note(name, kind, not_held=int(figures is None), **(figures or {}))
    for name, rates in bench.shapes({"latency-by-rate": CURVE}):
        over = set()  # their curves have ended
        for rate in rates:
            for i, kind in bench.turns():
                if kind in over:
                    continue
                figures = bench.held(kind, rate, measure, bench, bench.warm(kind), f"{name}-{rate}-{i}", rate, 1)
                if figures is None:
                    over.add(kind)
                else:
                    bench.point(name, "records a second", rate, kind, **figures)
