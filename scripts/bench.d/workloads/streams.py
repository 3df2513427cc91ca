# SPDX-License-Identifier: Apache-2.0
"""Kafka's own Streams WordCountDemo over real text, from the first record to the last count"""
import collections
import os
import re
import time

import text
import wire
from bench import TOP, load
from figures import cost
from java import Jvm

GROUP = "real"
QUICK = ("streams-word-count",)
POM = os.path.join(TOP, "scripts", "bench.d", "java", "streams.xml")
INPUT, OUTPUT = "streams-plaintext-input", "streams-wordcount-output"
LINES = 40000
LIMIT_S = 300
PROPERTIES = """bootstrap.servers={bootstrap}
application.id=bench-word-count
state.dir={folder}/state
commit.interval.ms=1000
statestore.cache.max.bytes=0
replication.factor=1
"""
SHAPES = {"streams-word-count": LINES}


def words(line):
    """As the demo splits: what Java's split(\"\\\\W+\") gives."""
    if line == "":
        return [""]
    found = re.split(r"[^A-Za-z0-9_]+", line.lower())
    while found and found[-1] == "":
        found.pop()
    return found


def end_offset(link, topic):
    return link.call("ListOffsets", 7, ReplicaId=-1, Topics=[{"Name": topic, "Partitions": [
        {"PartitionIndex": 0, "Timestamp": -1}]}])["Topics"][0]["Partitions"][0]["Offset"]


def feed(bench, one, lines):
    """A record for each line."""
    path = os.path.join(bench.folder, "lines")
    with open(path, "wb") as out:
        out.write(b"\n".join(lines) + b"\n")
    load("lines", one.bootstrap, INPUT, path, 200)
    os.remove(path)


def await_words(link, jvm, count):
    """A record for each word, as nothing is cached."""
    deadline = time.monotonic() + LIMIT_S
    while (there := end_offset(link, OUTPUT)) < count:
        jvm.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"word count: {there} of {count}")
        time.sleep(0.02)
    if there != count:
        raise RuntimeError(f"word count: {there} counts of {count} words")


def run(bench):
    lines = text.lines()[:LINES]
    counts = collections.Counter(word for line in lines for word in words(line.decode()))
    total = sum(counts.values())
    for name, _ in bench.shapes(SHAPES):
        for _, kind in bench.turns():
            one = bench.fresh(kind)
            one.start()
            for topic in (INPUT, OUTPUT):
                bench.topic(one, topic)
            properties = os.path.join(one.folder, "streams.properties")
            with open(properties, "w") as out:
                out.write(PROPERTIES.format(bootstrap=one.bootstrap, folder=one.folder))
            jvm = Jvm(POM, os.path.join(one.folder, "streams.log"), "org.apache.kafka.streams.examples.wordcount.WordCountDemo",
                      properties)
            try:
                with wire.Connection(one.bootstrap) as link:
                    feed(bench, one, [b"warm up"])  # it runs
                    await_words(link, jvm, 2)
                    began = time.monotonic()
                    with bench.meter(one) as spent:
                        feed(bench, one, lines)
                        await_words(link, jvm, 2 + total)
                    took = time.monotonic() - began
            finally:
                jvm.end()
            bench.note(name, kind, seconds=took, words_per_second=total / took,
                       **cost({"words": total, **spent.figures}, "words"))
            bench.done(one)
