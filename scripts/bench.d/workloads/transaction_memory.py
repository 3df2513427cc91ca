# SPDX-License-Identifier: Apache-2.0
"""memory per transaction that is open, with a record each; opened a second"""
import process
import producer
from workloads.transaction import Clients

GROUP = "groups"
COUNT, COORDINATORS_ASKED = 2000, 40
SHAPES = {"open-transactions": COUNT}


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
            live, resident = process.live_mb(pid), process.resident_mb(pid)
            figures = bench.measured(one, "open-transactions", one.bootstrap, name, count)
            bench.note(name, kind, live_kb_per_transaction=(process.live_mb(pid) - live) * 1024 / count,
                       resident_kb_per_transaction=(process.resident_mb(pid) - resident) * 1024 / count,
                       transactions_per_second=figures["transactions_per_second"])
            bench.done(one)
