# SPDX-License-Identifier: Apache-2.0
"""A broker that is neither ours nor the real one, as a file in brokers/ describes it (brokers/README.md). It can be used
like compat's Broker."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import network
from compat import ports

PARTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BROKERS = os.path.join(PARTS, "brokers")
TOP = os.path.dirname(os.path.dirname(PARTS))
START_LIMIT_S = 30
_built = set()


def names():
    return sorted(name[:-5] for name in os.listdir(BROKERS) if name.endswith(".json"))


def described(kind):
    with open(os.path.join(BROKERS, kind + ".json")) as text:
        return json.load(text)


def can(kind, workload, shape=None):
    """Whether this kind of broker can do a workload, or a shape of one, at all."""
    if kind not in names():
        return True
    what = described(kind)
    return workload in what.get("only", [workload]) and not {workload, shape} & set(what.get("lacks", []))


class Other:
    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.process = None
        self.port = ports.pick(1)[0]
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.data = os.path.join(folder, "data")
        os.makedirs(self.data)
        what = described(kind)
        self.has_topics = what.get("topics", True)
        self.command = self._words(what["command"])
        with open(os.path.join(folder, "command"), "w") as out:  # as compat's Broker tells it
            out.write("\n".join(self.command) + "\n")
        if "build" in what and kind not in _built:
            with network.outside():
                subprocess.run(self._words(what["build"]), cwd=BROKERS, check=True)
            _built.add(kind)

    def _words(self, words):
        return [word.replace("{top}", TOP).replace("{port}", str(self.port)).replace("{data}", self.data) for word in words]

    def start(self):
        with open(os.path.join(self.folder, "broker.log"), "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with open(os.path.join(self.folder, "pid"), "w") as out:
            out.write(str(self.process.pid))
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{self.kind} does not start, see {self.folder}/broker.log")

    def _end(self, how):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait()

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        self._end(signal.SIGTERM)

    def kill9(self):
        self._end(signal.SIGKILL)

    def forget(self):
        """Starts again with nothing: where topics cannot be deleted."""
        self.stop()
        shutil.rmtree(self.data)
        os.makedirs(self.data)
        self.start()

    def remove(self):
        shutil.rmtree(self.folder)
