# SPDX-License-Identifier: Apache-2.0
"""1,000 and 10,000 connections: made, idle, and each asking once a second"""
import subprocess
import time

import process
from bench import LOAD, figures_of
from figures import cost

GROUP = "life"
QUICK = ("connections-1000", "connections-10000")
SHAPES = {"connections-1000": 1000, "connections-10000": 10000}
IDLE_SECONDS, INTERVAL_MS, SECONDS = 5, 1000, 5


class Held:
    """The load `connections`, running."""

    def __init__(self, one, count, interval_ms):
        self.process = subprocess.Popen([LOAD, "connections", one.bootstrap, str(count), str(interval_ms), str(SECONDS)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("connected="):
            raise RuntimeError("not all connections were made")

    def end(self):
        """Its figures."""
        self.process.stdin.close()
        out = self.process.stdout.read()
        if self.process.wait() != 0:
            raise RuntimeError(f"connections: status {self.process.returncode}")
        return figures_of(out)


def run(bench):
    for name, count in bench.shapes(SHAPES):
        for _, kind in bench.turns(count_calls=True):
            one = bench.fresh(kind, ["max.connections.per.ip=2147483647"])
            one.start()
            pid = process.pid_of(one)
            Held(one, 10, 0).end()  # what the first connections cost is not of each
            before, began = process.resident_mb(pid), time.monotonic()
            held = Held(one, count, 0)
            took = time.monotonic() - began
            grown = process.resident_mb(pid) - before
            with bench.meter(one) as idle:
                time.sleep(IDLE_SECONDS)  # the figure is of connections over which nothing comes
            held.end()
            chatter = Held(one, count, INTERVAL_MS)
            with bench.meter(one) as spent:
                figures = chatter.end()
            if not bench.counting:
                bench.note(name, kind, resident_kb_per_connection=grown * 1024 / count, connected_per_second=count / took,
                           idle_cpu_percent=100 * idle.figures["cpu_seconds"] / IDLE_SECONDS,
                           idle_switches_per_second=idle.figures["switches"] / IDLE_SECONDS,
                           chatter_p50_ms=figures["p50_ms"], chatter_p99_ms=figures["p99_ms"], chatter_p999_ms=figures["p999_ms"])
            bench.note(name, kind, **cost({**figures, **spent.figures}, "requests"))
            bench.done(one)
