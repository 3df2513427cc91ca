# SPDX-License-Identifier: Apache-2.0
"""What the workloads of scripts/bench share: brokers by turns, the generator, and the figures with their table."""
import json
import os
import platform
import statistics
import subprocess
import tempfile

import memory
import other
import process
import topics
import wire
from compat import broker as brokers

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
LOAD = os.path.join(TOP, "build", "bench-load")
ODRADEKD = os.path.join(TOP, "build", "odradekd")


def load(*args):
    """Runs the generator (scripts/bench.d/load/main.c says with which arguments); its figures by name."""
    out = subprocess.run([LOAD, *map(str, args)], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {k: float(v) for k, v in (pair.split("=") for pair in out.split())}


class Bench:
    def __init__(self, args):
        self.args = args
        self.kinds = args.brokers.split(",")
        self.others = []
        self.folder = tempfile.mkdtemp(prefix="odradek-bench-")
        self.figures = {}  # workload -> figure -> kind -> [values]
        self.count = 0
        self.warmed = {}

    def __enter__(self):
        memory.touch()
        return self

    def __exit__(self, *_):
        brokers.stop_all()
        for one in self.others:
            one.kill9()
        subprocess.run(["rm", "-rf", self.folder], check=True)

    # ---- brokers

    def turns(self):
        """(number of the round, kind of broker), for each repetition each kind once."""
        return ((i, kind) for i in range(self.args.repeat) for kind in self.kinds)

    def fresh(self, kind, settings=()):
        """A broker on an empty directory of its own, not started; `settings`: lines of server.properties."""
        self.count += 1
        folder = os.path.join(self.folder, f"{kind}-{self.count}")
        if kind in ("odradek", "kafka"):
            return brokers.Broker.create(folder, kind, ODRADEKD, settings)
        self.others.append(other.Other(folder, kind))
        return self.others[-1]

    def warm(self, kind):
        """The one broker of this kind that runs for all workloads that can share it, warmed."""
        if kind not in self.warmed:
            one = self.warmed[kind] = self.fresh(kind)
            one.start()
            self.warm_up(one)
        return self.warmed[kind]

    def warm_up(self, one):
        """Lets the JVM compile what produce and fetch need."""
        mb = self.args.warm
        self.topic(one, "warm")
        load("produce", one.bootstrap, "warm", 1, mb, 1024, 16384, 1, 5)
        load("consume", one.bootstrap, "warm", 1, int(mb * 0.99), 1 << 20)
        self.drop_topic(one, "warm")

    def cool(self):
        """Stops the warmed brokers: for workloads that need the machine for themselves."""
        for one in self.warmed.values():
            one.stop()
            one.remove()
        self.warmed = {}

    @staticmethod
    def command(one):
        with open(os.path.join(one.folder, "command")) as text:
            return text.read().split("\n")[:-1]

    @staticmethod
    def topic(one, name, partitions=1, configs=()):
        if not getattr(one, "has_topics", True):
            return
        with wire.Connection(one.bootstrap) as link:
            topics.create(link, name, partitions, configs)

    @staticmethod
    def drop_topic(one, name):
        if not getattr(one, "has_topics", True):
            one.forget()
            return
        with wire.Connection(one.bootstrap) as link:
            link.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": name}])

    # ---- figures

    def note(self, workload, kind, **figures):
        for name, value in figures.items():
            self.figures.setdefault(workload, {}).setdefault(name, {}).setdefault(kind, []).append(value)

    def measured(self, one, *args):
        """Runs the generator against a running broker; its figures, and cpu_seconds of the broker meanwhile."""
        pid = process.pid_of(one)
        before = process.cpu_seconds(pid)
        figures = load(*args)
        figures["cpu_seconds"] = process.cpu_seconds(pid) - before
        return figures

    def report(self):
        first, *rest = self.kinds
        print(f"{platform.machine()}, {os.cpu_count()} cores, {self.args.repeat} runs each by turns; median [lowest, highest]")
        print(f"{'':40}" + "".join(f"{kind:>28}" for kind in self.kinds)
              + "".join(f"{f'{first}/{kind}':>18}" for kind in rest))
        for workload, figures in self.figures.items():
            for name, by_kind in figures.items():
                medians = {kind: statistics.median(values) for kind, values in by_kind.items()}
                cells = [f"{medians[kind]:.3g} [{min(by_kind[kind]):.3g}, {max(by_kind[kind]):.3g}]" if kind in medians else "-"
                         for kind in self.kinds]
                ratios = [f"{medians[first] / medians[kind]:.3f}" if first in medians and medians.get(kind) else "-"
                          for kind in rest]
                print(f"{workload + ' ' + name:40}" + "".join(f"{cell:>28}" for cell in cells)
                      + "".join(f"{ratio:>18}" for ratio in ratios))
        if self.args.json:
            with open(self.args.json, "w") as out:
                json.dump({"machine": platform.machine(), "cores": os.cpu_count(), "figures": self.figures}, out, indent=1)
