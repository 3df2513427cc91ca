# SPDX-License-Identifier: Apache-2.0
"""What the workloads of scripts/bench share: brokers by turns, the generator, and notes of figures."""
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
import time

import frames
import memory
import meter
import network
import other
import process
import topics
import wire
from compat import broker as brokers
from figures import Figures

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
LOAD = os.path.join(TOP, "build", "bench-load")
ODRADEKD = os.path.join(TOP, "build", "odradekd")
# Topics that were deleted are gone from the disk soon, and do not fill it for the minute that is the default.
SETTINGS = ("log.segment.delete.delay.ms=100",)
COOL_BEFORE_MB = 20000
REMOVAL_LIMIT_S = 20


class NotHeld(Exception):
    """A fixed rate was more than the broker can do."""


def figures_of(line):
    return {k: float(v) for k, v in (pair.split("=") for pair in line.split())}


def load(*args):
    """Runs the generator (scripts/bench.d/load/main.c says with which arguments); its figures by name."""
    done = subprocess.run([LOAD, *map(str, args)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 3:
        raise NotHeld
    if done.returncode != 0:
        raise RuntimeError(f"bench-load {' '.join(map(str, args))}: status {done.returncode}")
    return figures_of(done.stdout)


class Bench:
    def __init__(self, args):
        self.args = args
        self.kinds = self.all_kinds = args.brokers.split(",")
        self.folder = tempfile.mkdtemp(prefix="odradek-bench-", dir=args.directory)
        self.figures = Figures()
        self.count, self.made = 0, []  # brokers
        self.warmed = {}
        self.workload = ""
        self.quick = None
        self.counting = False
        self.settings = {}  # kind -> more lines of server.properties, for all brokers of a workload

    def __enter__(self):
        memory.touch()
        network.enter()
        return self

    def __exit__(self, *_):
        self.clean_up()
        brokers.stop_all()
        subprocess.run(["rm", "-rf", self.folder], check=True)

    # ---- what is run

    def begin(self, name, module):
        """Another workload: the kinds that can do it, and of its shapes those of the set that was asked for."""
        self.workload = name
        self.kinds = [kind for kind in self.all_kinds if other.can(kind, name)]
        self.quick = getattr(module, "QUICK", True) if self.args.set == "quick" else None

    def shapes(self, shapes):
        """(name, what) of those that are to be run."""
        kinds = self.kinds
        for name, what in shapes.items():
            if self.quick is not None and self.quick is not True and name not in self.quick:
                continue
            if not fnmatch.fnmatch(name, self.args.shapes):
                continue
            self.kinds = [kind for kind in kinds if other.can(kind, self.workload, name)]
            self.say(name)
            yield name, what
        self.kinds = kinds

    @staticmethod
    def say(what):
        print("… " + what, file=sys.stderr, flush=True)

    def turns(self, count_calls=False):
        """(number of the round, kind of broker), for each repetition each kind once. With count_calls another round follows in
        which system calls are counted, and no other figure is noted."""
        for i in range(self.args.repeat + (1 if count_calls and meter.counter() else 0)):
            self.counting = i >= self.args.repeat
            for kind in self.kinds:
                self.settle()
                yield i, kind
        self.counting = False

    def settle(self):
        """What the last turn left to do is not this one's: files of deleted topics are gone, what was written is on the disk."""
        deadline = time.monotonic() + REMOVAL_LIMIT_S
        while any(self.is_removing(one) for one in self.made) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.sync()

    @staticmethod
    def is_removing(one):
        data = os.path.join(one.folder, "data")
        return os.path.isdir(data) and any(name.endswith("-delete") for name in os.listdir(data))

    # ---- brokers

    def fresh(self, kind, settings=(), command_before=()):
        """A broker on an empty directory of its own, not started; `settings`: lines of server.properties, `command_before`:
        words that its command line begins with."""
        self.count += 1
        folder = os.path.join(self.folder, f"{kind}-{self.count}")
        if kind in ("odradek", "kafka"):
            one = brokers.Broker.create(folder, kind, ODRADEKD, [*SETTINGS, *settings])
        else:
            one = other.Other(folder, kind)
        if command_before:
            words = [*command_before, *self.command(one)]
            with open(os.path.join(folder, "command"), "w") as out:
                out.write("\n".join(words) + "\n")
            one.command = words
        self.made.append(one)
        return one

    def warm(self, kind):
        """The one broker of this kind that runs for all workloads that can share it, warmed."""
        if kind not in self.warmed:
            one = self.fresh(kind)
            one.start()
            self.warm_up(one)
            self.warmed[kind] = one
        return self.warmed[kind]

    def warm_up(self, one):
        """Lets the JVM compile what produce and fetch need."""
        mb = self.args.warm
        self.topic(one, "warm")
        load("produce", one.bootstrap, "warm", 1, mb, 1024, 16384, 1, 5)
        load("consume", one.bootstrap, "warm", 1, int(mb * 0.99), 1 << 20)
        self.drop_topic(one, "warm")

    def done(self, one):
        """Stops a broker and removes what it kept."""
        one.stop()
        one.remove()

    def cool(self):
        """Stops the warmed brokers: for workloads that need the machine for themselves."""
        for one in self.warmed.values():
            self.done(one)
        self.warmed = {}

    def clean_up(self):
        """Ends and removes all brokers that are left: after a workload that failed, and at the end."""
        for one in self.made:
            if os.path.isdir(one.folder):
                if one.is_alive():
                    one.kill9()
                shutil.rmtree(one.folder, ignore_errors=True)
        self.made, self.warmed, self.counting = [], {}, False

    def spare_disk(self):
        """Clears the warmed brokers away when the disk becomes full."""
        if shutil.disk_usage(self.folder).free < COOL_BEFORE_MB * 1e6:
            self.cool()

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
            answer = link.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": name}])
            if answer["Responses"][0]["ErrorCode"] != 0:
                raise RuntimeError(f"{name} is not deleted: {answer}")

    # ---- figures

    def note(self, workload, kind, **figures):
        self.figures.note(workload, kind, self._kept(figures))

    def point(self, curve, x_name, x, kind, **figures):
        """A point of a curve: `figures` at `x`."""
        self.figures.point(curve, x_name, x, kind, self._kept(figures))

    def _kept(self, figures):
        return {name: value for name, value in figures.items() if ("system_calls" in name) == self.counting}

    def meter(self, one):
        """What a broker spends while something is done; in the counting round its system calls."""
        return (meter.CallCounter if self.counting else meter.Meter)(process.pid_of(one))

    def measured(self, one, *args):
        """Runs the generator against a running broker; its figures with those of meter.py."""
        with self.meter(one) as spent:
            figures = load(*args)
        return {**figures, **spent.figures}

    def held(self, kind, rate, measure, *args):
        """What measure(*args) gives; None, which is said: this kind does not hold the rate, a second."""
        try:
            return measure(*args)
        except NotHeld:
            self.say(f"{kind} does not hold {rate} a second")
            return None

    def requests(self, requests):
        """A file for the load `raw` (frames.py)."""
        return frames.write(os.path.join(self.folder, "requests"), requests)
