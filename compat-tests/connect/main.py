# SPDX-License-Identifier: Apache-2.0
"""Kafka Connect against the broker under test: real text from a file through a topic into a file.

standalone      one worker, source and sink in it, stopped and started in between
exactly-once    a distributed worker with exactly-once sources, killed twice: the topic holds each line once
mirror          MirrorMaker 2 between the broker under test and the real one, both ways
"""
import glob
import json
import os
import signal
import subprocess
import sys
import time
import traceback
import urllib.request

LIB = os.environ["COMPAT_LIB"]
sys.path.insert(0, LIB)
from compat import ports  # noqa: E402
from compat.broker import Broker  # noqa: E402

BOOTSTRAP, RUN_ID, WORK = os.environ["BOOTSTRAP"], os.environ["RUN_ID"], os.environ["WORK_DIR"]
LIMIT_S = 90
CONVERTERS = """key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
"""


def text():
    """Licences, a line of text a line, none empty and all different."""
    lines = []
    for path in sorted(glob.glob("/usr/share/common-licenses/*")):
        if not os.path.islink(path):
            with open(path, encoding="utf-8") as licence:
                lines += ["%s %d %s" % (os.path.basename(path), n, line.rstrip()) for n, line in enumerate(licence)]
    return lines


def path(name):
    return os.path.join(WORK, name)


def put(name, content, mode="w"):
    with open(path(name), mode, encoding="utf-8") as out:
        out.write(content)
    return path(name)


class Jvm:
    """A Java program of the suite's class path."""

    def __init__(self, log, *command):
        with open(os.path.join(os.environ["BUILD_DIR"], "classpath")) as text_:
            classpath = text_.read().strip()
        self.log = path(log)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                ["java", "-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath, *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(timeout=LIMIT_S)

    def until(self, what, condition):
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, errors="replace") as text_:
                    print(text_.read()[-6000:])
                raise AssertionError("%s: %s" % (what, "the worker ended" if self.process.poll() is not None else "too slow"))
            time.sleep(0.2)


def topic_lines(topic, bootstrap=BOOTSTRAP):
    """All that a read_committed reader finds."""
    got = subprocess.run(["kcat", "-b", bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q",
                          "-X", "isolation.level=read_committed"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         timeout=60, check=False)
    return got.stdout.decode(errors="replace").splitlines()


def same(want, got, what):
    if want == got:
        return
    at = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
    raise AssertionError("%s: wanted %d lines, got %d; line %d: wanted %r, got %r"
                         % (what, len(want), len(got), at, want[at:at + 1], got[at:at + 1]))


def read_lines(name):
    if not os.path.exists(path(name)):
        return []
    with open(path(name), encoding="utf-8") as lines:
        return lines.read().splitlines()


def standalone():
    lines, topic, sink = text(), RUN_ID + "-standalone", "sink.txt"
    source = put("source.txt", "")
    worker = put("standalone.properties", "bootstrap.servers=%s\n%soffset.storage.file.filename=%s\n"
                 "offset.flush.interval.ms=500\nlisteners=http://127.0.0.1:%d\n"
                 % (BOOTSTRAP, CONVERTERS, path("offsets"), ports.pick(1)[0]))
    reads = put("source.properties", "name=reads\nconnector.class=org.apache.kafka.connect.file.FileStreamSourceConnector\n"
                "tasks.max=1\nfile=%s\ntopic=%s\n" % (source, topic))
    writes = put("sink.properties", "name=writes\nconnector.class=org.apache.kafka.connect.file.FileStreamSinkConnector\n"
                 "tasks.max=1\nfile=%s\ntopics=%s\n" % (path(sink), topic))
    half = len(lines) // 2
    for part in (lines[:half], lines[half:]):
        put("source.txt", "".join(line + "\n" for line in part), "a")
        before = len(read_lines(sink))
        jvm = Jvm("standalone.log", "org.apache.kafka.connect.cli.ConnectStandalone", worker, reads, writes)
        try:
            jvm.until("the sink's file", lambda: len(read_lines(sink)) >= before + len(part))  # noqa: B023
        finally:
            jvm.end()
    same(lines, read_lines(sink), "the sink's file")
    same(lines, topic_lines(topic), "the topic")


def exactly_once():
    lines, topic = text(), RUN_ID + "-once"
    source = put("once.txt", "")
    rest = ports.pick(1)[0]
    names = "".join("%s.storage.topic=%s-%s\n%s.storage.replication.factor=1\n" % (what, RUN_ID, what, what)
                    for what in ("config", "offset", "status"))
    worker = put("distributed.properties", "bootstrap.servers=%s\n%sgroup.id=%s-workers\n%slisteners=http://127.0.0.1:%d\n"
                 "exactly.once.source.support=enabled\nsession.timeout.ms=6000\nheartbeat.interval.ms=1000\n"
                 "rebalance.timeout.ms=5000\nscheduled.rebalance.max.delay.ms=0\n" % (BOOTSTRAP, CONVERTERS, RUN_ID, names, rest))
    config = {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1",
              "file": source, "topic": topic, "batch.size": "50", "exactly.once.support": "required"}
    third = len(lines) // 3
    for turn in range(3):
        part = lines[turn * third:] if turn == 2 else lines[turn * third:(turn + 1) * third]
        put("once.txt", "".join(line + "\n" for line in part), "a")
        jvm = Jvm("distributed.log", "org.apache.kafka.connect.cli.ConnectDistributed", worker)

        def configured():
            request = urllib.request.Request("http://127.0.0.1:%d/connectors/once/config" % rest,  # noqa: B023
                                             json.dumps(config).encode(), {"Content-Type": "application/json"}, method="PUT")
            try:
                with urllib.request.urlopen(request, timeout=10):
                    return True
            except OSError:
                return False

        try:
            jvm.until("the worker", configured)
            # Twice it is killed while it goes on, the last time it may finish.
            wanted = len(lines) if turn == 2 else turn * third + 200
            jvm.until("the topic", lambda: len(topic_lines(topic)) >= wanted)  # noqa: B023
        finally:
            jvm.end(signal.SIGTERM if turn == 2 else signal.SIGKILL)
    same(lines, topic_lines(topic), "the topic")


def mirror():
    lines = text()
    other = Broker.create(path("other"), "kafka", None)
    other.start()
    here, there = RUN_ID + "-here", RUN_ID + "-there"
    jvm = None
    try:
        for bootstrap, topic in ((BOOTSTRAP, here), (other.bootstrap, there)):
            subprocess.run(["kcat", "-b", bootstrap, "-P", "-t", topic, "-z", "zstd", "-K", " ", "-H", "from=" + topic],
                           input="".join(line + "\n" for line in lines).encode(), check=True, timeout=60)
        config = put("mirror.properties", "clusters=A,B\nA.bootstrap.servers=%s\nB.bootstrap.servers=%s\n"
                     "A->B.enabled=true\nB->A.enabled=true\nA->B.topics=%s\nB->A.topics=%s\nreplication.factor=1\n"
                     "checkpoints.topic.replication.factor=1\nheartbeats.topic.replication.factor=1\n"
                     "offset-syncs.topic.replication.factor=1\noffset.storage.replication.factor=1\n"
                     "status.storage.replication.factor=1\nconfig.storage.replication.factor=1\n"
                     "A.producer.acks=all\nB.producer.acks=all\n"
                     "A.consumer.auto.offset.reset=earliest\nB.consumer.auto.offset.reset=earliest\n"
                     % (BOOTSTRAP, other.bootstrap, here, there))
        jvm = Jvm("mirror.log", "org.apache.kafka.connect.mirror.MirrorMaker", config)
        values = [line.split(" ", 1)[1] for line in lines]
        jvm.until("from here to there", lambda: len(topic_lines("A." + here, other.bootstrap)) >= len(values))
        jvm.until("from there to here", lambda: len(topic_lines("B." + there)) >= len(values))
        same(values, topic_lines("A." + here, other.bootstrap), "the copy there")
        same(values, topic_lines("B." + there), "the copy here")
        jvm.until("heartbeats from there", lambda: len(topic_lines("heartbeats")) > 0)
    finally:
        if jvm is not None:
            jvm.end()
        other.kill9()


def main():
    tests = {"standalone": standalone, "exactly-once": exactly_once, "mirror": mirror}
    for name in sys.argv[1:] or tests:
        begin = time.monotonic()
        try:
            tests[name]()
            line = "ok " + name
        except Exception as error:  # pylint: disable=broad-except
            traceback.print_exc(file=sys.stdout)
            line = "not ok %s %s" % (name, str(error).replace("\n", " ")[:400])
        print("# %s: %.1f s" % (name, time.monotonic() - begin))
        print(line, flush=True)


main()
