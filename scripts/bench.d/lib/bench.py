# SPDX-License-Identifier: Apache-2.0
"""What the workloads of scripts/bench share: brokers by turns, the generator, and the figures with their table."""
import json
import os
import platform
import statistics
import subprocess
import tempfile

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
        self.folder = tempfile.mkdtemp(prefix="odradek-bench-")
        self.figures = {}  # workload -> figure -> kind -> [values]
        self.count = 0
        self.warmed = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        brokers.stop_all()
        subprocess.run(["rm", "-rf", self.folder], check=True)

    # ---- brokers

    def turns(self):
        """(number of the round, kind of broker), for each repetition each kind once."""
        return ((i, kind) for i in range(self.args.repeat) for kind in self.kinds)

    def fresh(self, kind, settings=()):
        """A broker on an empty directory of its own, not started; `settings`: lines of server.properties."""
        self.count += 1
        return brokers.Broker.create(os.path.join(self.folder, f"{kind}-{self.count}"), kind, ODRADEKD, settings)

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
        with wire.Connection(one.bootstrap) as link:
            topics.create(link, name, partitions, configs)

    @staticmethod
    def drop_topic(one, name):
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
        print(f"{platform.machine()}, {os.cpu_count()} cores, {self.args.repeat} runs each by turns; median [lowest, highest]")
        print(f"{'':40}" + "".join(f"{kind:>28}" for kind in self.kinds) + f"{'ratio':>9}")
        for workload, figures in self.figures.items():
            for name, by_kind in figures.items():
                cells, medians = [], []
                for kind in self.kinds:
                    values = by_kind.get(kind)
                    medians.append(statistics.median(values) if values else None)
                    cells.append(f"{medians[-1]:.3g} [{min(values):.3g}, {max(values):.3g}]" if values else "-")
                known = len(medians) == 2 and medians[0] is not None and medians[1]
                print(f"{workload + ' ' + name:40}" + "".join(f"{cell:>28}" for cell in cells)
                      + f"{f'{medians[0] / medians[1]:.3f}' if known else '-':>9}")
        if self.args.json:
            with open(self.args.json, "w") as out:
                json.dump({"machine": platform.machine(), "cores": os.cpu_count(), "figures": self.figures}, out, indent=1)
