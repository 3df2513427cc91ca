# SPDX-License-Identifier: Apache-2.0
"""A broker under test, ours or the real one, in a directory of its own.

All that is known about it stands in files in that directory, so that the harness and a suite
(through `brokerctl`, see README.md) may start and stop the same broker by turns:

    kind               odradek or kafka
    command            the command line, one argument a line
    odradekd           where our daemon is, for when it becomes one
    server.properties  the same for both kinds
    data/              log.dirs
    pid, status        of the process; its exit status, once it ended
    broker.log         what it said

Both kinds get the same configuration. A broker is ready when it answers a Metadata request in
which it names itself: a Kafka broker that still catches up answers, but knows no broker."""

import base64
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import uuid

from compat import ports

LIB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START_LIMIT_S = 90
STOP_LIMIT_S = 60

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=5
group.initial.rebalance.delay.ms=0
"""

# A shell stays the parent, to note the exit status whoever it is that stops the broker.
KEEPER = 'cd "$1"; rm -f status; shift; "$@" >> broker.log 2>&1 & echo $! > pid.new; ' \
         'mv pid.new pid; wait $!; ' \
         'echo $? > status.new; mv status.new status'

_started = []
_started_lock = threading.Lock()


class BrokerError(Exception):
    """The broker did not start, did not stop, or went away by itself."""


class Broker:
    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.kind = self._read("kind")
        self.bootstrap = self._read("bootstrap")
        self.log_begin = 0

    @staticmethod
    def create(folder, kind, odradekd, settings=(), format_with=None):
        """Writes the configuration of a new broker into `folder` (made here), with `settings`
        (`key=value` each; `{folder}` in them is the folder, `{controller}` its controller's port) at its end. Starts nothing.
        `format_with`: arguments of the format command beside the two that it needs; when not
        given, the real broker's is --standalone, and ours formats itself when it starts."""
        folder = os.path.abspath(folder)
        os.makedirs(os.path.join(folder, "data"))
        client, controller = ports.pick(2)
        properties = os.path.join(folder, "server.properties")
        with open(properties, "w") as out:
            out.write(PROPERTIES.format(client=client, controller=controller,
                                        data=os.path.join(folder, "data")))
            out.writelines(line.replace("{folder}", folder).replace("{controller}", str(controller)) + "\n"
                           for line in settings)
        if kind == "kafka" or format_with is not None:
            command = [os.path.join(LIB, "kafka"), "tool", "storage"] if kind == "kafka" \
                else [os.path.abspath(odradekd)]
            arguments = ["--standalone"] if format_with is None else format_with
            subprocess.run(command + ["format", "-t", _cluster_id(), "-c", properties, *arguments],
                           check=True, stdout=subprocess.DEVNULL)
        for name, text in (("odradekd", os.path.abspath(odradekd or "odradekd")),
                           ("bootstrap", "127.0.0.1:%d" % client)):
            with open(os.path.join(folder, name), "w") as out:
                out.write(text + "\n")
        _write_kind(folder, kind)
        return Broker(folder)

    def become(self, kind):
        """The other broker goes on with the same files, the next time that it is started."""
        if self.is_alive():
            raise BrokerError("the broker runs")
        _write_kind(self.folder, kind)
        self.kind = kind

    def start(self):
        """Starts the process and waits until it is ready."""
        self.launch()
        self.wait_ready()

    def launch(self):
        """Starts the process."""
        if self.is_alive():
            raise BrokerError("the broker runs already")
        log = os.path.join(self.folder, "broker.log")
        self.log_begin = os.path.getsize(log) if os.path.exists(log) else 0
        for name in ("pid", "status"):
            self._remove(name)
        keeper = subprocess.Popen(["sh", "-c", KEEPER, "keeper", self.folder]
                                  + self._read("command").split("\n"),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True)
        with _started_lock:
            _started.append(self)
        # The keeper outlives this call by design; when it ends, it is reaped here.
        threading.Thread(target=keeper.wait, daemon=True).start()
        while not self._exists("pid"):  # who kills it must know whom
            time.sleep(0.001)

    def wait_ready(self):
        """Waits until what was launched is ready."""
        log = os.path.join(self.folder, "broker.log")
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self._exists("status"):
                raise BrokerError("the broker ended with status %s while starting: %s"
                                  % (self._read("status"), self._last_line()))
            if names_itself(self.bootstrap) and (self.kind == "kafka"
                                                 or self._said_ready(log, self.log_begin)):
                break
            time.sleep(0.02)
        else:
            raise BrokerError("no answer within %d s: %s" % (START_LIMIT_S, self._last_line()))

    @staticmethod
    def _said_ready(log, begin):
        """Its `ready` line is a promise too: scripts wait for it."""
        with open(log, "rb") as text:
            text.seek(begin)
            return b" ready " in text.read()

    def stop(self):
        """A clean stop by SIGTERM; returns the exit status as a shell would give it."""
        return self._end(signal.SIGTERM)

    def kill9(self):
        return self._end(signal.SIGKILL)

    def said(self):
        """What it said since it was last started."""
        with open(os.path.join(self.folder, "broker.log"), errors="replace") as log:
            log.seek(self.log_begin)
            return log.read()

    def is_alive(self):
        return self._exists("pid") and not self._exists("status")

    def remove(self):
        """Removes the directory of a broker that has ended."""
        shutil.rmtree(self.folder)

    def _end(self, how):
        deadline = time.monotonic() + STOP_LIMIT_S
        if not self._exists("status"):
            try:
                os.kill(int(self._read("pid")), how)
            except (ProcessLookupError, FileNotFoundError):
                pass
        while not self._exists("status"):
            if time.monotonic() > deadline:
                os.kill(int(self._read("pid")), signal.SIGKILL)
                raise BrokerError("still there %d s after signal %d" % (STOP_LIMIT_S, how))
            time.sleep(0.01)
        return int(self._read("status"))

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _exists(self, name):
        return os.path.exists(self._path(name))

    def _read(self, name):
        with open(self._path(name)) as text:
            return text.read().strip()

    def _remove(self, name):
        if self._exists(name):
            os.remove(self._path(name))

    def _last_line(self):
        lines = self._read("broker.log").split("\n") if self._exists("broker.log") else []
        return lines[-1][:300] if lines else "it said nothing"


def _write_kind(folder, kind):
    properties = os.path.join(folder, "server.properties")
    if kind == "kafka":
        command = [os.path.join(LIB, "kafka"), "broker", properties]
    else:
        with open(os.path.join(folder, "odradekd")) as text:
            command = [text.read().strip(), properties, "--format"]
    for name, words in (("kind", [kind]), ("command", command)):
        with open(os.path.join(folder, name), "w") as out:
            out.write("\n".join(words) + "\n")


def _cluster_id():
    """A random id as Kafka's tool makes them: none begins with '-', like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def stop_all():
    """Ends what this process started and did not stop, by its id."""
    with _started_lock:
        for one in _started:
            if os.path.isdir(one.folder) and one.is_alive():
                try:
                    one.kill9()
                except (BrokerError, OSError):
                    pass
        _started.clear()


def names_itself(bootstrap):
    """Asks for Metadata (key 3, version 1, no topics); true when the answer names a broker."""
    host, port = bootstrap.rsplit(":", 1)
    client = b"compat"
    body = struct.pack(">hhih", 3, 1, 1, len(client)) + client + struct.pack(">i", 0)
    try:
        with socket.create_connection((host, int(port)), timeout=5) as link:
            link.sendall(struct.pack(">i", len(body)) + body)
            answer = _receive(link, struct.unpack(">i", _receive(link, 4))[0])
    except OSError:
        return False
    correlation, brokers = struct.unpack(">ii", answer[:8])
    return correlation == 1 and brokers > 0


def _receive(link, size):
    data = b""
    while len(data) < size:
        more = link.recv(size - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data
