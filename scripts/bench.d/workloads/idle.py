# SPDX-License-Identifier: Apache-2.0
"""resident memory, CPU and context switches over ten seconds, of a broker just started"""
import time

import process

GROUP = "life"
QUICK = True
SECONDS = 10


def run(bench):
    for _, kind in bench.turns():
        one = bench.fresh(kind)
        one.start()
        pid = process.pid_of(one)
        time.sleep(12)  # of a broker that has been idle for a while, with its first checkpoints written
        cpu, switched = process.cpu_seconds(pid), process.switches(pid)
        time.sleep(SECONDS)
        bench.note("idle", kind, resident_mb=process.resident_mb(pid),
                   cpu_percent=100 * (process.cpu_seconds(pid) - cpu) / SECONDS,
                   switches_per_second=(process.switches(pid) - switched) / SECONDS)
        one.stop()
        one.remove()
