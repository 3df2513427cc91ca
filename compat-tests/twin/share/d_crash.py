# SPDX-License-Identifier: Apache-2.0
"""Many members at random against one share partition, while the broker is killed: no record is done with twice, none is
left over, and none is given to two members at a time."""
import random
import threading
import time

import datakit
import shares
import wire
from shares import ACCEPT, REJECT, RELEASE, Share

RECORDS, BATCH, MEMBERS = 1200, 20, 4
LIMIT_S = 120


class Witness:
    """What was answered. A write whose answer was lost may have happened or not."""

    def __init__(self):
        self.lock = threading.Lock()
        self.done, self.perhaps, self.held, self.wrong = set(), set(), {}, []

    def acquired(self, member, ranges):
        with self.lock:
            for first, last, _ in ranges:
                for offset in range(first, last + 1):
                    if offset in self.done:
                        self.wrong.append("%d given after it was done with" % offset)
                    if offset in self.held:
                        self.wrong.append("%d given to %s while %s has it" % (offset, member, self.held[offset]))
                    self.held[offset] = member

    def let_go(self, member):
        with self.lock:
            self.held = {o: m for o, m in self.held.items() if m != member}

    def leaving(self, first, last, is_done):
        with self.lock:
            for offset in range(first, last + 1):
                self.held.pop(offset, None) # from the request on another may have it
                if is_done:
                    self.perhaps.add(offset)

    def answered(self, first, last, is_done, error):
        with self.lock:
            if error != "NONE":
                self.wrong.append("acknowledging %d to %d: %s" % (first, last, error))
            elif is_done:
                self.done.update(range(first, last + 1))


def work(t, share, witness, rng, stop):
    name = t.name("w")
    while not stop.is_set():
        member = None
        try:
            member = share.member(name)
            while not stop.is_set():
                _, ranges, _ = member.fetch(MaxRecords=rng.randrange(1, 60), MaxWaitMs=300)
                witness.acquired(name, ranges)
                for first, last, deliveries in ranges: # not released so often that it is archived
                    kind = rng.choice([ACCEPT, ACCEPT, REJECT, RELEASE if deliveries < 3 else ACCEPT])
                    witness.leaving(first, last, kind != RELEASE)
                    witness.answered(first, last, kind != RELEASE, member.acknowledge((first, last, kind)))
        except (wire.Closed, OSError, AssertionError, KeyError, IndexError): # the broker is gone, or not quite there again
            witness.let_go(name)
            time.sleep(0.2)
        finally:
            if member is not None:
                member.link.close()


def case_a_broker_is_killed_under_many_members(t):
    c = datakit.begin(t)
    topic = datakit.Topic(c)
    for _ in range(RECORDS // BATCH):
        datakit.produce(c, 12, topic, (0, datakit.batch([b"v"] * BATCH)))
    share = Share(t, topic)
    witness, stop = Witness(), threading.Event()
    workers = [threading.Thread(target=work, args=(t, share, witness, random.Random(i), stop)) for i in range(MEMBERS)]
    for worker in workers:
        worker.start()
    try:
        end = time.monotonic() + LIMIT_S
        killed = False
        while time.monotonic() < end:
            with witness.lock:
                done = len(witness.done | witness.perhaps)
                sure = len(witness.done)
            if not killed and sure > RECORDS // 3:
                killed = True
                t.broker.kill9()
                with witness.lock:
                    witness.held.clear() # what was acquired is free again
                t.broker.start()
                shares.coordinator_is_there(t.connect(), share.group, topic.id)
            if killed and done >= RECORDS:
                break
            time.sleep(0.05)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    datakit.same([], witness.wrong)
    datakit.same(True, killed)
    datakit.same(RECORDS, len(witness.done | witness.perhaps))
