# SPDX-License-Identifier: Apache-2.0
"""Many members at random against one share partition, while the broker is killed: no record is done with twice, none is
left over, none is given to two members at a time, and each is given with the number of its delivery. In the
environment: SHARE_SEED, and SHARE_KILLS, how often the broker is killed."""
import os
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
        # Of each record: how often it was given for certain and, where a broker that was killed had not written that, at most.
        self.least, self.most, self.written = {}, {}, {}
        self.kills = 0

    def acquired(self, member, ranges, kills):
        """`kills`: how many there had been when it was asked for."""
        with self.lock:
            if kills != self.kills: # an answer from before
                for first, last, deliveries in ranges:
                    self.most.update((offset, deliveries) for offset in range(first, last + 1))
                return
            for first, last, deliveries in ranges:
                for offset in range(first, last + 1):
                    least, most = self.least.get(offset, 0) + 1, self.most.get(offset, 0) + 1
                    if not least <= deliveries <= most:
                        self.wrong.append("%d given for the %dth time, %d to %d expected" % (offset, deliveries, least, most))
                    self.least[offset] = self.most[offset] = deliveries
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

    def killed(self):
        """What was acquired is free again; how often that was given is only what was written when it was released."""
        with self.lock:
            self.kills += 1
            self.held.clear()
            self.least = dict(self.written)

    def answered(self, first, last, deliveries, is_done, error):
        with self.lock:
            if error != "NONE":
                self.wrong.append("acknowledging %d to %d: %s" % (first, last, error))
            elif is_done:
                self.done.update(range(first, last + 1))
            else:
                self.written.update((offset, deliveries) for offset in range(first, last + 1))


def work(t, share, witness, rng, stop):
    name = t.name("w")
    while not stop.is_set():
        member = None
        try:
            member = share.member(name)
            while not stop.is_set():
                kills = witness.kills
                _, ranges, _ = member.fetch(MaxRecords=rng.randrange(1, 60), MaxWaitMs=300)
                witness.acquired(name, ranges, kills)
                for first, last, deliveries in ranges: # not released so often that it is archived
                    kind = rng.choice([ACCEPT, ACCEPT, REJECT, RELEASE if deliveries < 3 else ACCEPT])
                    witness.leaving(first, last, kind != RELEASE)
                    witness.answered(first, last, deliveries, kind != RELEASE, member.acknowledge((first, last, kind)))
        except (wire.Closed, OSError, AssertionError, KeyError, IndexError): # the broker is gone, or not quite there again
            witness.let_go(name)
            time.sleep(0.2)
        finally:
            if member is not None:
                member.link.close()


def case_a_broker_is_killed_under_many_members(t):
    seed, kills = os.environ.get("SHARE_SEED", "1"), int(os.environ.get("SHARE_KILLS", "1"))
    records = RECORDS * kills
    c = datakit.begin(t)
    topic = datakit.Topic(c)
    for _ in range(records // BATCH):
        datakit.produce(c, 12, topic, (0, datakit.batch([b"v"] * BATCH)))
    share = Share(t, topic)
    witness, stop = Witness(), threading.Event()
    workers = [threading.Thread(target=work, args=(t, share, witness, random.Random(f"{seed}-{i}"), stop))
               for i in range(MEMBERS)]
    for worker in workers:
        worker.start()
    try:
        end = time.monotonic() + LIMIT_S * kills
        while time.monotonic() < end and not witness.wrong:
            with witness.lock:
                done = len(witness.done | witness.perhaps)
                sure = len(witness.done)
            if witness.kills < kills and sure > records * (witness.kills + 1) // (kills + 2):
                t.broker.kill9()
                witness.killed()
                t.broker.start()
                shares.coordinator_is_there(t.connect(), share.group, topic.id)
            if witness.kills == kills and done >= records:
                break
            time.sleep(0.05)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    datakit.same([], witness.wrong)
    datakit.same(kills, witness.kills)
    datakit.same(records, len(witness.done | witness.perhaps))
