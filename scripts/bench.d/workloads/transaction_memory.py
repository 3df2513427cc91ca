# SPDX-License-Identifier: Apache-2.0
"""memory per transaction that is open, with a record each; opened a second"""
import subprocess

import process
import producer
from workloads.transaction import Clients

GROUP = "groups"
COUNT, COORDINATORS_ASKED = 2000, 40
SHAPES = {"open-transactions": COUNT}


def live_mb(kind, pid):
    """What is in use of the JVM's heap after a full collection; of others what is resident. A heap that is taken at the start
    says nothing by its size."""
    if kind != "kafka":
        return process.resident_mb(pid)
    text = subprocess.run(["jcmd", str(pid), "GC.class_histogram"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(text.strip().splitlines()[-1].split()[2]) / 1048576


def run(bench):
    for name, count in bench.shapes(SHAPES):
        for i, kind in bench.turns():
            one = bench.fresh(kind)
            one.start()
            bench.topic(one, name)
            for n in range(COORDINATORS_ASKED):  # all partitions of the coordinator are there
                producer.Producer(Clients(one), f"before-{n}").init()
            bench.topic(one, "warm")
            bench.measured(one, "open-transactions", one.bootstrap, "warm", 100)
            pid = process.pid_of(one)
            live, resident = live_mb(kind, pid), process.resident_mb(pid)
            figures = bench.measured(one, "open-transactions", one.bootstrap, name, count)
            bench.note(name, kind, live_kb_per_transaction=(live_mb(kind, pid) - live) * 1024 / count,
                       resident_kb_per_transaction=(process.resident_mb(pid) - resident) * 1024 / count,
                       transactions_per_second=figures["transactions_per_second"])
            bench.done(one)
