# SPDX-License-Identifier: Apache-2.0
"""Kafka Connect, one worker: real text from a file through a topic into a file, compared to the byte"""
import filecmp
import os
import time

import text
from bench import TOP
from compat import ports
from figures import cost
from java import Jvm

GROUP = "real"
QUICK = ("connect-file",)
POM = os.path.join(TOP, "compat-tests", "connect", "pom.xml")
SHARE = 0.05  # of --megabytes
LIMIT_S = 600
SHAPES = {"connect-file": SHARE}
WORKER = """bootstrap.servers={bootstrap}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename={folder}/offsets
listeners=http://127.0.0.1:{port}
"""
SOURCE = """name=reads
connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector
tasks.max=1
file={folder}/source
topic=connect
"""
SINK = """name=writes
connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
tasks.max=1
file={folder}/sink
topics=connect
"""


def await_size(path, size, jvm):
    deadline = time.monotonic() + LIMIT_S
    while not os.path.exists(path) or os.path.getsize(path) < size:
        jvm.check()
        if time.monotonic() > deadline:
            raise RuntimeError("connect: the sink's file is not whole")
        time.sleep(0.02)


def run(bench):
    for name, share in bench.shapes(SHAPES):
        for _, kind in bench.turns():
            one = bench.fresh(kind)
            one.start()
            bench.topic(one, "connect")
            paths = [os.path.join(one.folder, word) for word in ("worker", "reads", "writes")]
            for path, words in zip(paths, (WORKER, SOURCE, SINK)):
                with open(path, "w") as out:
                    out.write(words.format(bootstrap=one.bootstrap, folder=one.folder, port=ports.pick(1)[0]))
            source, sink, more = (os.path.join(one.folder, word) for word in ("source", "sink", "more"))
            with open(source, "w") as out:
                out.write("it runs\n")
            megabytes = bench.args.megabytes * share
            records = text.write(more, megabytes)
            jvm = Jvm(POM, os.path.join(one.folder, "connect.log"), "org.apache.kafka.connect.cli.ConnectStandalone", *paths)
            try:
                await_size(sink, os.path.getsize(source), jvm)
                began = time.monotonic()
                with bench.meter(one) as spent:
                    with open(more, "rb") as new, open(source, "ab") as out:
                        out.write(new.read())
                    await_size(sink, os.path.getsize(source), jvm)
                took = time.monotonic() - began
            finally:
                jvm.end()
            if not filecmp.cmp(source, sink, shallow=False):
                raise RuntimeError("connect: the files differ")
            bench.note(name, kind, records_per_second=records / took,
                       **cost({"megabytes": megabytes, "records": records, **spent.figures}, "records"))
            bench.done(one)
