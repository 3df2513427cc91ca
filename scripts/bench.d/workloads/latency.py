# SPDX-License-Identifier: Apache-2.0
"""records of 1 KiB at fixed rates, acks=1: delay to the acknowledgement and to a reader, from when each was due"""

RATES = (1000, 5000, 20000)
SECONDS = 5


def run(bench):
    for rate in RATES:
        for i, kind in bench.turns():
            one = bench.warm(kind)
            topic = f"latency-{rate}-{i}"
            bench.topic(one, topic)
            figures = bench.measured(one, "latency", one.bootstrap, topic, rate, SECONDS, 1024, 1)
            cpu_us = figures.pop("cpu_seconds") / figures.pop("records") * 1e6
            bench.note(f"latency-{rate}", kind, cpu_us_per_record=cpu_us, **figures)
            bench.drop_topic(one, topic)
