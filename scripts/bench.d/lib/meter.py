# SPDX-License-Identifier: Apache-2.0
"""What a broker spends while something is done to it. System calls are counted in runs of their own, whose other figures are
thrown away: the counting costs. perf counts them by a tracepoint, which needs no hardware counters; strace where that is not
allowed."""
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time

import process

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
EVENT = "raw_syscalls:sys_enter"


class Meter:
    """`with Meter(pid) as meter: …`, then meter.figures: cpu_seconds, switches, peak_mb, written_mb, and how busy the
    generator was (load_cores: its CPU seconds a second; near 1 a generator of one thread is what limits); and which part of
    the time the host did not let this machine run (steal_percent): a delay of a quiet machine was measured near 0."""

    def __init__(self, pid):
        self.pid = pid

    def _read(self):
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"cpu_seconds": process.cpu_seconds(self.pid), "switches": process.switches(self.pid),
                "written_mb": process.written_mb(self.pid), "load_cores": usage.ru_utime + usage.ru_stime,
                "wall_seconds": time.monotonic(), "steal_percent": stolen_seconds()}

    def __enter__(self):
        process.forget_peak(self.pid)
        self.before = self._read()
        return self

    def __exit__(self, failed, *_):
        if failed is None:
            after = self._read()
            self.figures = {name: after[name] - self.before[name] for name in after}
            self.figures["load_cores"] /= self.figures["wall_seconds"]
            self.figures["steal_percent"] *= 100 / self.figures["wall_seconds"] / os.cpu_count()
            self.figures["peak_mb"] = process.peak_mb(self.pid)


def stolen_seconds():
    with open("/proc/stat") as text:
        return int(text.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


class CallCounter:
    """The same form, but only figures["system_calls"]."""

    def __init__(self, pid):
        self.out = tempfile.NamedTemporaryFile(prefix="odradek-calls-")
        if counter() == "perf":
            # The command begins when the counter runs; closing its input ends both.
            command = ["perf", "stat", "-x,", "-e", EVENT, "-o", self.out.name, "-p", str(pid), "--", "sh", "-c", "echo; cat"]
        else:
            command = ["sh", "-c", f"strace -f -c -q -o {self.out.name} -p {pid} & echo; cat; kill -INT $!; wait $!"]
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process.stdout.readline()
        if counter() == "strace":
            time.sleep(1)  # it does not say when it has attached to all threads
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        text = self.out.read().decode()
        if counter() == "perf":
            # A process that never ran is not counted, which is none.
            found = re.search(r"^(\d+|<not counted>),", text, re.M)
        else:
            found = re.search(r"^100\.00\s+\S+\s+(?:\d+\s+)?(\d+).*total$", text, re.M)
        if found is None:
            raise RuntimeError("system calls were not counted: " + text)
        self.figures = {"system_calls": int(found.group(1).replace("<not counted>", "0"))}


_counter = []


def _works(*command):
    return shutil.which(command[0]) is not None and subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def counter():
    """"perf", "strace", or None: installed when missing, and tried."""
    if not _counter:
        tries = (("perf", "linux-perf", ("perf", "stat", "-e", EVENT, "true")), ("strace", "strace", ("strace", "-c", "true")))
        found = None
        for name, package, command in tries:
            if found is None and not _works(*command):
                subprocess.run([os.path.join(TOP, "scripts", "lib", "packages"), package], check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if found is None and _works(*command):
                found = name
        _counter.append(found)
    return _counter[0]
