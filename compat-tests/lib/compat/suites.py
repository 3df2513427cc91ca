# SPDX-License-Identifier: Apache-2.0
"""Finding the suites, building each once for one content, and running them.

A suite is a folder with
    suite    executable: `suite build` fills $BUILD_DIR, `suite run` tests against $BOOTSTRAP and
             prints `ok TEST`, `not ok TEST reason` or `skip TEST reason`, one line each
    tests    the names of its tests, one a line; a test that says nothing has failed
    needs    what must be there to build and run it (needs.py)
    server.properties  (may lack) lines more for the broker's configuration
    inputs   (may lack) the files that its build depends on, one a line; otherwise all of them
"""

import collections
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from compat import needs, results
from compat.broker import Broker, BrokerError

LIB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD_LIMIT_S = 900
RUN_LIMIT_S = 420

Setting = collections.namedtuple(
    "Setting", "kind odradekd build prefix install keep settings results stop")


def discover(here):
    """All suites, in the order in which a person wants to see them fail."""
    folders = [os.path.join(here, "clients", name)
               for name in sorted(os.listdir(os.path.join(here, "clients")))]
    folders += [os.path.join(here, name) for name in ("tools", "packages", "handover", "streams", "copier", "connect")]
    return [Suite(f) for f in folders if os.path.exists(os.path.join(f, "suite"))]


def _lines(path):
    """The lines of a small file, without comments and blanks."""
    with open(path) as text:
        stripped = [line.split("#", 1)[0].strip() for line in text]
    return [line for line in stripped if line]


class Suite:
    def __init__(self, folder):
        self.folder = folder
        self.name = os.path.basename(folder)
        self.tests = _lines(os.path.join(folder, "tests")) + ["broker"]
        self.needs = _lines(os.path.join(folder, "needs"))

    def go(self, setting):
        """Installs, builds, runs; every test of the suite gets exactly one line."""
        if setting.stop.is_set():
            return
        report = _Report(self, setting)
        lacking = needs.lacking(self.needs, setting.install)
        if lacking:
            for test in self.tests:
                report.say(results.SKIPPED, test, lacking)
            return
        log_path = os.path.join(setting.results.folder,
                                "%s-%s.log" % (setting.kind, self.name))
        with open(log_path, "w", buffering=1, errors="replace") as log:
            build = self._build(setting, log)
            if build is None:
                for test in self.tests:
                    report.say(results.FAILED, test, "the build failed, see " + log_path)
                return
            self._run(setting, report, build, log)
            report.close("did not run, see " + log_path)

    def _content(self):
        """A name for what the build depends on: files, and the versions of what it needs.

        The files are all of the suite and of the sources that several share, or those that the
        suite's `inputs` names."""
        inputs = os.path.join(self.folder, "inputs")
        if os.path.exists(inputs):
            paths = [os.path.join(self.folder, name) for name in _lines(inputs)]
        else:
            tops = [self.folder] + [os.path.join(LIB, name) for name in ("c", "go")]
            paths = [os.path.join(where, name) for top in tops
                     for where, _, files in os.walk(top) for name in files]
        sum_ = hashlib.sha256(needs.versions(self.needs).encode())
        for path in sorted(paths):
            sum_.update(os.path.relpath(path, LIB).encode() + b"\0")
            with open(path, "rb") as data:
                sum_.update(data.read())
        return sum_.hexdigest()[:16]

    def _build(self, setting, log):
        """Returns the folder of the finished build, or None."""
        parent = os.path.join(setting.build, self.name)
        folder = os.path.join(parent, self._content())
        done = os.path.join(folder, ".done")
        if os.path.exists(done):
            return folder
        shutil.rmtree(parent, ignore_errors=True)
        os.makedirs(folder)
        env = dict(os.environ, BUILD_DIR=folder, COMPAT_LIB=LIB)
        status = _tracked([os.path.join(self.folder, "suite"), "build"], env, log, BUILD_LIMIT_S,
                          setting.stop, lambda line: None)
        if status != 0:
            return None
        with open(done, "w"):
            pass
        return folder

    def _run(self, setting, report, build, log):
        work = tempfile.mkdtemp(prefix="compat-%s-" % self.name)
        broker = None
        try:
            own_settings = os.path.join(self.folder, "server.properties")
            broker = Broker.create(os.path.join(work, "broker"), setting.kind, setting.odradekd,
                                   (_lines(own_settings) if os.path.exists(own_settings) else [])
                                   + setting.settings)
            broker.start()
            own = os.path.join(work, "work")
            os.makedirs(own)
            env = dict(os.environ, BUILD_DIR=build, COMPAT_LIB=LIB, WORK_DIR=own,
                       BOOTSTRAP=broker.bootstrap, BROKER_DIR=broker.folder,
                       BROKER_KIND=broker.kind,
                       BROKER_CTL="%s %s" % (os.path.join(LIB, "brokerctl"), broker.folder),
                       RUN_ID="%s%x" % (self.name, int(time.time())))
            status = _tracked([os.path.join(self.folder, "suite"), "run"], env, log, RUN_LIMIT_S,
                              setting.stop, report.take)
            if status != 0:
                report.close("did not run: the suite %s, see %s" % (_fate(status), log.name),
                             but="broker")
            self._check_broker(broker, report)
        except (BrokerError, OSError, subprocess.CalledProcessError) as error:
            report.say(results.FAILED, "broker", str(error))
            report.close("did not run: %s" % error)
        finally:
            if broker is not None:
                if broker.is_alive():
                    broker.kill9()
                path = os.path.join(broker.folder, "broker.log")
                if os.path.exists(path):
                    shutil.copy(path, log.name.replace(".log", ".broker.log"))
            if not setting.keep:
                shutil.rmtree(work)

    @staticmethod
    def _check_broker(broker, report):
        """The broker lived through the suite, and ends as it should when told to.

        The JVM leaves by the signal's number after its shutdown hooks; ours says 0."""
        broker = Broker(broker.folder)  # which may have become the other kind
        if not broker.is_alive():
            report.say(results.FAILED, "broker", "it is gone")
            return
        status = broker.stop()
        clean = os.path.exists(os.path.join(broker.folder, "data", ".kafka_cleanshutdown"))
        if status != (0 if broker.kind == "odradek" else 143):
            report.say(results.FAILED, "broker", "it " + _fate(status) + " upon SIGTERM")
        elif not clean:
            report.say(results.FAILED, "broker", "it left no .kafka_cleanshutdown")
        else:
            report.say(results.PASSED, "broker")


class _Report:
    """Sees to it that each test of a suite is counted once, and none that is not listed."""

    def __init__(self, suite, setting):
        self._left = list(suite.tests)
        self._prefix = setting.prefix + suite.name + "/"
        self._results = setting.results

    def take(self, line):
        for outcome in (results.PASSED, results.FAILED, results.SKIPPED):
            if line.startswith(outcome + " "):
                test, _, reason = line[len(outcome) + 1:].strip().partition(" ")
                self.say(outcome, test, reason)
                return

    def say(self, outcome, test, reason=""):
        if test in self._left:
            self._left.remove(test)
            self._results.add(outcome, self._prefix + test, reason)
        else:
            self._results.fail(self._prefix + test, "told twice, or not in the suite's list")

    def close(self, reason, but=None):
        for test in [t for t in self._left if t != but]:
            self.say(results.FAILED, test, reason)


def _fate(status):
    if status == "late":
        return "took more than its time and was ended"
    if isinstance(status, int) and status > 128:
        return "ended by signal %d" % (status - 128)
    return "ended with status %s" % status


def _tracked(command, env, log, limit_s, stop, take):
    """Runs a command in a session of its own, copies what it says to `log`, hands each line on.

    Returns its status as a shell would give it, or "late"."""
    log.write("$ %s\n" % " ".join(command))
    child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace",
                             start_new_session=True, cwd=os.path.dirname(command[0]))

    def read():
        for line in child.stdout:
            log.write(line)
            take(line.rstrip("\n"))
    reader = threading.Thread(target=read)
    reader.start()
    end = time.monotonic() + limit_s
    late = False
    while True:
        try:
            child.wait(timeout=0.5)
            break
        except subprocess.TimeoutExpired:
            if time.monotonic() > end or stop.is_set():
                late = True
                os.killpg(child.pid, signal.SIGKILL)
    # What the suite left behind in its session would keep the pipe open, and the machine busy.
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    reader.join()
    status = child.returncode
    log.write("$ status %s%s\n" % (status, " (late)" if late else ""))
    return "late" if late else status if status >= 0 else 128 - status
