# SPDX-License-Identifier: Apache-2.0
"""Kafka's own producer-perf-test, consumer-perf-test, share-consumer-perf-test and e2e-latency, as they come"""
import os
import re
import subprocess

from bench import TOP
from figures import cost

GROUP = "tools"
QUICK = ("producer-perf-test", "consumer-perf-test", "e2e-latency")
KAFKA = os.path.join(TOP, "compat-tests", "lib", "kafka")
RECORD_BYTES, LATENCY_RECORDS, LIMIT_S = 1000, 5000, 600


def tool(name, *arguments):
    done = subprocess.run([KAFKA, "tool", name, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stdout[-1000:]} {done.stderr[-1000:]}")
    return done.stdout


def produce(one, topic, records):
    out = tool("producer-perf-test", "--topic", topic, "--num-records", records, "--record-size", RECORD_BYTES, "--throughput", -1,
               "--bootstrap-server", one.bootstrap, "--command-property", "acks=1")
    found = re.findall(r"(\d+) records sent, ([\d.]+) records/sec \(([\d.]+) MB/sec\).* ([\d.]+) ms avg latency.*"
                       r" (\d+) ms 99th, (\d+) ms 99\.9th", out)
    if not found or int(found[-1][0]) != records:
        raise RuntimeError("producer-perf-test: " + out)
    return {"records": records, "records_per_second": float(found[-1][1]), "average_ms": float(found[-1][3]),
            "p99_ms": float(found[-1][4]), "p999_ms": float(found[-1][5])}


def rates(name, out, records):
    """The row of a table with a header, as both consumers' tools print it."""
    lines = [line for line in out.splitlines() if "," in line]
    row = dict(zip((word.strip() for word in lines[0].split(",")), (word.strip() for word in lines[-1].split(","))))
    count = next(float(v) for k, v in row.items() if k.startswith("data.consumed.in.nMsg") or k.startswith("total.records"))
    rate = next(float(v) for k, v in row.items() if k in ("nMsg.sec", "records.sec"))
    if count < records:
        raise RuntimeError(f"{name} got {count} of {records}: {out}")
    return {"records": count, "records_per_second": rate}


def consume(one, topic, records):
    out = tool("consumer-perf-test", "--topic", topic, "--num-records", records, "--bootstrap-server", one.bootstrap)
    return rates("consumer-perf-test", out, records)


def share_consume(one, topic, records):
    group = topic + "-group"
    subprocess.run([KAFKA, "tool", "configs", "--bootstrap-server", one.bootstrap, "--alter", "--group", group, "--add-config",
                    "share.auto.offset.reset=earliest"], check=True, stdout=subprocess.DEVNULL)
    out = tool("share-consumer-perf-test", "--topic", topic, "--num-records", records, "--bootstrap-server", one.bootstrap,
               "--group", group)
    return rates("share-consumer-perf-test", out, records)


def latency(one, topic, _):
    out = tool("e2e-latency", one.bootstrap, topic, LATENCY_RECORDS, 1, 100)
    found = re.search(r"Percentiles: 50th = (\d+), 99th = (\d+), 99\.9th = (\d+)", out)
    average = re.search(r"Avg latency: ([\d.]+) ms", out)
    if found is None or average is None:
        raise RuntimeError("e2e-latency: " + out)
    return {"records": LATENCY_RECORDS, "average_ms": float(average[1]), "p50_ms": float(found[1]), "p99_ms": float(found[2]),
            "p999_ms": float(found[3])}


# name: what it does, whether there must be records before
SHAPES = {"producer-perf-test": (produce, False), "consumer-perf-test": (consume, True),
          "share-consumer-perf-test": (share_consume, True), "e2e-latency": (latency, False)}


def run(bench):
    for name, (do, needs_records) in bench.shapes(SHAPES):
        for i, kind in bench.turns():
            one = bench.warm(kind)
            topic, records = f"{name}-{i}", bench.args.megabytes * 1000 // RECORD_BYTES * 1000
            bench.topic(one, topic)
            if needs_records:
                produce(one, topic, records)
            with bench.meter(one) as spent:
                figures = do(one, topic, records)
            shown = {key: value for key, value in figures.items() if key != "records"}
            bench.note(name, kind, **shown, **cost({**figures, **spent.figures}, "records"))
            bench.drop_topic(one, topic)
