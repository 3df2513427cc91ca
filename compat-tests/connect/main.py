# SPDX-License-Identifier: Apache-2.0
"""Kafka Connect against the broker under test: real text from a file through a topic into a file.

standalone      one worker, source and sink in it, stopped and started in between
exactly-once    a distributed worker with an exactly-once source, killed twice, then the broker killed under source and sink: the topic
                holds each line once, the sink's file each line, and a sink that begins again goes on behind them
mirror          MirrorMaker 2 between the broker under test and the real one, both ways, with the offsets of groups
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
sys.path[:0] = [LIB, os.path.join(os.path.dirname(LIB), "twin", "lib")]
import wire  # noqa: E402
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
        try:
            self.process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired as late:
            self.process.send_signal(signal.SIGQUIT)  # its threads, into the log
            time.sleep(2)
            self.process.kill()
            self.process.wait()
            print(self.tail())
            raise AssertionError("the worker does not end: " + self.where("shutdown-hook", "DistributedHerder")) from late

    def tail(self):
        with open(self.log, errors="replace") as text_:
            return text_.read()[-60000:]

    def where(self, *threads):
        """What the threads of the dump stand in whose names have one of these words."""
        stacks = [stack.splitlines() for stack in self.tail().split("\n\n") if any(word in stack.split("\n")[0] for word in threads)]
        return "; ".join(" < ".join(line.split("(")[0].split(".")[-1] for line in stack if "\tat " in line) for stack in stacks)

    def until(self, what, condition):
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                print(self.tail())
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


class Distributed:
    """A distributed worker with exactly-once sources; `start` begins another with the same topics. It waits for the end of
    transactions that a killed one left open."""

    def __init__(self):
        self.rest, self.jvm = ports.pick(1)[0], None
        names = "".join("%s.storage.topic=%s-%s\n%s.storage.replication.factor=1\n" % (what, RUN_ID, what, what)
                        for what in ("config", "offset", "status"))
        self.config = put("distributed.properties", "bootstrap.servers=%s\n%sgroup.id=%s-workers\n%slisteners=http://127.0.0.1:%d\n"
                          "exactly.once.source.support=enabled\nproducer.transaction.timeout.ms=10000\n"
                          "session.timeout.ms=6000\nheartbeat.interval.ms=1000\n"
                          "rebalance.timeout.ms=5000\nscheduled.rebalance.max.delay.ms=0\noffset.flush.interval.ms=500\n"
                          % (BOOTSTRAP, CONVERTERS, RUN_ID, names, self.rest))

    def start(self):
        self.jvm = Jvm("distributed.log", "org.apache.kafka.connect.cli.ConnectDistributed", self.config)

    def _ask(self, method, where, body=None):
        """What the worker says; None: it does not, or it refuses."""
        request = urllib.request.Request("http://127.0.0.1:%d/connectors/%s" % (self.rest, where),
                                         body and json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read()
        except OSError:
            return None

    def put(self, connector, config):
        self.jvm.until("the worker", lambda: self._ask("PUT", connector + "/config", config) is not None)

    def until_in_topic(self, topic, count, source):
        """The topic has so many lines of this connector's. The client's race (java/src/Transactions.java) ends a source for good, with either
        broker, until somebody starts it again: that is done for nothing else."""
        def is_reached():
            status = json.loads(self._ask("GET", source + "/status") or "{}")
            for task in status.get("tasks", []):
                if task["state"] == "FAILED" and "InvalidTxnStateException" in task["trace"]:
                    print("# the client's commit overtook its records: the source is started again")
                    self._ask("POST", "%s/tasks/%d/restart" % (source, task["id"]))
            return len(topic_lines(topic)) >= count
        self.jvm.until("the topic", is_reached)


def broker(word):
    subprocess.run([*os.environ["BROKER_CTL"].split(), word], check=True, timeout=LIMIT_S)


def exactly_once():
    # Kafka's file source keeps what it has read behind a full batch until the file grows: the last one of a third must be full.
    lines, batch = text(), 50
    third = len(lines) // 3 // batch * batch
    lines = lines[:3 * third]
    topic, sink = RUN_ID + "-once", "once-sink.txt"
    worker = Distributed()
    reads = {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1",
             "file": put("once.txt", ""), "topic": topic, "batch.size": str(batch), "exactly.once.support": "required"}
    writes = {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "tasks.max": "1",
              "file": path(sink), "topics": topic, "consumer.override.isolation.level": "read_committed",
              "consumer.override.auto.offset.reset": "earliest"}
    for turn in range(3):
        part = lines[turn * third:(turn + 1) * third]
        put("once.txt", "".join(line + "\n" for line in part), "a")
        worker.start()
        try:
            worker.put("once", reads)
            if turn == 2:
                worker.put("writes", writes)
            # It is killed twice while it goes on, then the broker under it; then it may finish.
            worker.until_in_topic(topic, turn * third + 200, "once")
            if turn == 2:
                broker("kill9")
                broker("start")
                worker.until_in_topic(topic, len(lines), "once")
                worker.jvm.until("the sink's file", lambda: len(set(read_lines(sink))) >= len(lines))
        finally:
            worker.jvm.end(signal.SIGTERM if turn == 2 else signal.SIGKILL)
    same(lines, topic_lines(topic), "the topic")
    same(lines, list(dict.fromkeys(read_lines(sink))), "the sink's file")
    before, last = read_lines(sink), "the last line"
    put("once.txt", last + "\n", "a")
    worker.start()
    try:
        worker.jvm.until("the last line", lambda: last in read_lines(sink))
    finally:
        worker.jvm.end()
    same([*before, last], read_lines(sink), "what a sink that begins again writes")


def group_reads(bootstrap, topic):
    """What a member of the group `readers` finds until the end; its offsets are committed."""
    got = subprocess.run(["kcat", "-b", bootstrap, "-q", "-e", "-X", "auto.offset.reset=earliest", "-G", RUN_ID + "-readers", topic],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True)
    return got.stdout.decode(errors="replace").splitlines()


def committed(bootstrap, topic):
    """Where that group goes on; -1: nothing is committed."""
    with wire.Connection(bootstrap) as link:
        group = link.call("OffsetFetch", 8, RequireStable=False, Groups=[{"GroupId": RUN_ID + "-readers", "Topics": [
            {"Name": topic, "PartitionIndexes": [0]}]}])["Groups"][0]
        return group["Topics"][0]["Partitions"][0]["CommittedOffset"] if group["ErrorCode"] == 0 else -1


def mirror_goes_on(jvm, source, topic, target, alias, values):
    """A group that read everything at the source goes on at the target with what comes then: nothing is left out."""
    copy = alias + "." + topic
    jvm.until("the offsets of the group in " + copy, lambda: committed(target, copy) > 0)
    more = ["later %d" % i for i in range(20)]
    subprocess.run(["kcat", "-b", source, "-P", "-t", topic], input="".join(m + "\n" for m in more).encode(), check=True, timeout=60)
    jvm.until("the later lines", lambda: len(topic_lines(copy, target)) >= len(values) + len(more))
    begin = committed(target, copy)
    same((values + more)[begin:], group_reads(target, copy), "what the group finds in " + copy)


def mirror():
    lines = text()
    other = Broker.create(path("other"), "kafka", None)
    other.start()
    here, there = RUN_ID + "-here", RUN_ID + "-there"
    jvm = None
    try:
        values = [line.split(" ", 1)[1] for line in lines]
        for bootstrap, topic in ((BOOTSTRAP, here), (other.bootstrap, there)):
            subprocess.run(["kcat", "-b", bootstrap, "-P", "-t", topic, "-z", "zstd", "-K", " ", "-H", "from=" + topic],
                           input="".join(line + "\n" for line in lines).encode(), check=True, timeout=60)
            same(values, group_reads(bootstrap, topic), "what a group finds at the source")
        config = put("mirror.properties", "clusters=A,B\nA.bootstrap.servers=%s\nB.bootstrap.servers=%s\n"
                     "A->B.enabled=true\nB->A.enabled=true\nA->B.topics=%s\nB->A.topics=%s\nreplication.factor=1\n"
                     "checkpoints.topic.replication.factor=1\nheartbeats.topic.replication.factor=1\n"
                     "offset-syncs.topic.replication.factor=1\noffset.storage.replication.factor=1\n"
                     "status.storage.replication.factor=1\nconfig.storage.replication.factor=1\n"
                     "A.producer.acks=all\nB.producer.acks=all\n"
                     "A.consumer.auto.offset.reset=earliest\nB.consumer.auto.offset.reset=earliest\n"
                     "groups=%s-readers\nsync.group.offsets.enabled=true\nsync.group.offsets.interval.seconds=1\n"
                     "emit.checkpoints.interval.seconds=1\nrefresh.groups.interval.seconds=1\noffset.lag.max=0\n"
                     % (BOOTSTRAP, other.bootstrap, here, there, RUN_ID))
        jvm = Jvm("mirror.log", "org.apache.kafka.connect.mirror.MirrorMaker", config)
        jvm.until("from here to there", lambda: len(topic_lines("A." + here, other.bootstrap)) >= len(values))
        jvm.until("from there to here", lambda: len(topic_lines("B." + there)) >= len(values))
        same(values, topic_lines("A." + here, other.bootstrap), "the copy there")
        same(values, topic_lines("B." + there), "the copy here")
        jvm.until("heartbeats from there", lambda: len(topic_lines("heartbeats")) > 0)
        mirror_goes_on(jvm, BOOTSTRAP, here, other.bootstrap, "A", values)
        mirror_goes_on(jvm, other.bootstrap, there, BOOTSTRAP, "B", values)
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
