# SPDX-License-Identifier: Apache-2.0
"""Members of a streams group (KIP-1071) until it is stable: their heartbeats all at once, round after round."""
import time

import streams_member
import wire

LIMIT_S = 120


class Names:
    """What streams_member.Member asks of a test."""

    def __init__(self, bootstrap):
        self.bootstrap, self.count = bootstrap, 0

    def connect(self, **_):
        return wire.Connection(self.bootstrap, client_id="bench")

    def name(self, what):
        self.count += 1
        return f"{what}-{self.count}"


def stabilise(bootstrap, group, topic, count):
    """The topic has two partitions for each member. Milliseconds until all members are in one
    epoch and hold every task between them."""
    t = Names(bootstrap)
    members = [streams_member.Member(t, group, [streams_member.subtopology("0", [topic])]) for _ in range(count)]
    begin = time.monotonic()
    for member in members:
        member.join()
    while True:
        held = sum(len(p) for member in members for p in member.tasks["Active"].values())
        if held == 2 * count and len({member.epoch for member in members}) == 1:
            break
        if time.monotonic() - begin > LIMIT_S:
            raise RuntimeError(f"the group does not become stable: {held} tasks of {2 * count} are held")
        for member in members:
            member.beat()
    took = (time.monotonic() - begin) * 1000
    for member in members:
        member.link.close()
    return took
