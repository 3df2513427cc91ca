# SPDX-License-Identifier: Apache-2.0
"""members from the first heartbeat to a stable group: 50 and 500 of the consumer protocol, the classic and the streams one"""
import frames
import process
import streams_group
from figures import cost

GROUP = "groups"
QUICK = ("members-consumer-50", "members-consumer-500", "members-classic-50", "members-classic-500")
# Assignments without an interval: the brokers' own delays are not what is compared.
SETTINGS = ("group.consumer.assignment.interval.ms=0", "group.consumer.max.size=10000", "group.streams.max.size=10000",
            "group.streams.assignment.interval.ms=0", "group.streams.initial.rebalance.delay.ms=0")
HEARTBEAT_MS = 100
TOPIC = "members"  # two partitions for each member

# name: protocol, members
SHAPES = {
    "members-consumer-50": ("consumer", 50),
    "members-consumer-500": ("consumer", 500),
    "members-classic-50": ("classic", 50),
    "members-classic-500": ("classic", 500),
    "members-streams-50": ("streams", 50),
}


def stabilise(bench, one, protocol, group, members):
    if protocol == "consumer":
        return bench.measured(one, "join", one.bootstrap, group, TOPIC, members, 2 * members)
    if protocol == "classic":
        return bench.measured(one, "join-classic", one.bootstrap, group, members, HEARTBEAT_MS)
    with bench.meter(one) as spent:
        stable_ms = streams_group.stabilise(one.bootstrap, group, TOPIC, members)
    return {"stable_ms": stable_ms, **spent.figures}


def run(bench):
    for name, (protocol, members) in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            one = bench.fresh(kind, SETTINGS)
            one.start()
            if protocol != "classic":  # whose brokers do not look at what is subscribed
                bench.topic(one, TOPIC, 2 * members)
            pid = process.pid_of(one)
            for group in ("warm", f"group-{i}"):
                frames.await_coordinators(one.bootstrap, [group])
                before = process.live_mb(pid)
                figures = stabilise(bench, one, protocol, group, members)
                grown = process.live_mb(pid) - before
            if bench.counting:
                bench.note(name, kind, system_calls_per_member=figures["system_calls"] / members)
            else:
                bench.note(name, kind, stable_ms=figures["stable_ms"], **cost({**figures, "members": members}, "members"),
                           live_kb_per_member=grown * 1024 / members)
            bench.done(one)
