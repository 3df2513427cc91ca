# SPDX-License-Identifier: Apache-2.0
"""Random transactions of several producers at once, some of which share an id, while the broker is killed in the middle
of all. A transaction is seen as a whole or not at all, as it was answered; its offsets go with it. Last of the area.
In the environment: TXN_SEED, and TXN_KILLS, how often the broker is killed."""
import os
import random
import threading
import time

import records
from member import coordinator_is_there
from producer import ABORT, COMMIT, Producer
from wire import Closed

PARTITIONS, LIMIT_S = 3, 120
NOT_NOW = {"CONCURRENT_TRANSACTIONS", "COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR",
           "NOT_LEADER_OR_FOLLOWER", "NOT_ENOUGH_REPLICAS", "UNKNOWN_TOPIC_OR_PARTITION"}
# The last one: its transaction was aborted by another one, and its commit looks like a retry of the wrong end.
FENCED = {"PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH", "INVALID_TXN_STATE"}
WORKERS = 5


class Fenced(Exception):
    """Another producer has the id now."""


class Attempt:
    """A transaction, and what is known of it."""

    def __init__(self, name, number):
        self.name, self.number = name, number
        self.values = []     # (partition, value), the first one in partition 0
        self.has_offset = False
        self.asked = None    # COMMIT or ABORT, once that is sent
        self.is_sure = False # it was answered

    @property
    def may_be_seen(self):
        return self.asked is COMMIT

    @property
    def must_be_seen(self):
        return self.asked is COMMIT and self.is_sure


class Stage:
    """What the producers share."""

    def __init__(self, t, seed, names):
        self.t, self.seed, self.names = t, seed, names
        self.topic, self.sources, self.group = t.topic(PARTITIONS), t.topic(len(names)), t.name("group")
        self.attempts, self.counts, self.lock = [], {}, threading.Lock()
        self.is_over, self.failures = False, []
        self.deaths = 0

    def begin(self, name):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1
            self.attempts.append(Attempt(name, self.counts[name]))
            return self.attempts[-1]

    def worker(self, index):
        try:
            Worker(self, index).run()
        except Exception as e:  # whatever it is, the case fails
            self.failures.append("producer %d: %r" % (index, e))


class Worker:
    def __init__(self, stage, index):
        self.stage, self.chance = stage, random.Random(stage.seed * 100 + index)
        self.place = index % len(stage.names)
        self.name = stage.names[self.place]
        self.is_alone = sum(i % len(stage.names) == self.place for i in range(WORKERS)) == 1

    def run(self):
        while not self.stage.is_over:
            deaths = self.stage.deaths
            try:
                p = Producer(self.stage.t, self.name, v2=self.chance.random() < 0.5)
                self.ask(p.init)
                for _ in range(self.chance.randrange(1, 8)):
                    self.transaction(p)
            except Fenced:
                pass
            except (Closed, OSError) as e:
                deadline = time.monotonic() + LIMIT_S
                while self.stage.deaths == deaths: # it must have been the broker's death
                    if time.monotonic() > deadline:
                        raise AssertionError("the broker was not killed, but %r" % e) from e
                    time.sleep(0.02)
                time.sleep(0.1)

    def ask(self, call, *args, **options):
        """Until the answer is one that stays."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            answer = call(*args, **options)
            if answer == "NONE":
                return
            if answer in FENCED and not self.is_alone:
                raise Fenced
            assert answer in NOT_NOW, (call.__name__, answer)
            assert time.monotonic() < deadline, "always " + answer
            time.sleep(0.01)

    def transaction(self, p):
        stage, chance = self.stage, self.chance
        attempt = stage.begin(self.name)
        if not p.v2:
            self.ask(p.add, stage.topic, partitions=tuple(range(PARTITIONS)))
        for i in range(chance.randrange(1, 5)):
            partition = chance.randrange(PARTITIONS) if i else 0
            value = "%s/%d/%d" % (self.name, attempt.number, i)
            attempt.values.append((partition, value))
            self.ask(p.produce, stage.topic, value.encode(), partition=partition)
        if chance.random() < 0.7:
            if not p.v2:
                self.ask(p.add_offsets, stage.group)
            attempt.has_offset = True
            self.ask(p.commit_offsets, stage.group, {(stage.sources, self.place): attempt.number})
        if chance.random() < 0.1:
            raise Fenced # it fences itself: the next one of its id aborts this
        attempt.asked = COMMIT if chance.random() < 0.7 else ABORT
        epoch, deaths = p.epoch, stage.deaths
        try:
            self.ask(p.end, attempt.asked)
        except Closed:
            if chance.random() < 0.5:
                raise
            while stage.deaths == deaths:
                time.sleep(0.02)
            p.link = stage.t.connect()
            p._find()
            self.ask(p.end, attempt.asked, epoch=epoch) # carried out already, or now
        attempt.is_sure = True


class Reader:
    """A consumer of read_committed, which may be asked for more while all goes on."""

    def __init__(self, t, topic):
        self.t, self.topic = t, topic
        self.link = t.connect()
        self.offsets, self.values = [0] * PARTITIONS, [[] for _ in range(PARTITIONS)]

    def read(self, partition):
        """True when it is at the end, and nothing is open."""
        answer = self.link.call("Fetch", 12, MaxWaitMs=0, MinBytes=0, IsolationLevel=1, Topics=[
            {"Topic": self.topic, "Partitions": [{"Partition": partition, "FetchOffset": self.offsets[partition],
                                                  "PartitionMaxBytes": 1 << 20}]}])
        part = answer["Responses"][0]["Partitions"][0]
        if part["ErrorCode"] != 0:
            assert self.t.error(part["ErrorCode"]) in NOT_NOW, part
            return False
        aborted = sorted(part["AbortedTransactions"] or [], key=lambda a: a["FirstOffset"])
        gone = set()
        for batch in records.batches(part["Records"] or b""):
            while aborted and aborted[0]["FirstOffset"] <= batch.last_offset:
                gone.add(aborted.pop(0)["ProducerId"])
            if batch.attributes & 32:
                gone -= {batch.producer_id} if batch.records[0][2][3] == 0 else set()
            elif batch.producer_id not in gone:
                self.values[partition] += [r[3].decode() for r in batch.records]
            self.offsets[partition] = batch.last_offset + 1
        return self.offsets[partition] == part["LastStableOffset"] == part["HighWatermark"]

    def read_now_and_then(self, stage):
        while not stage.is_over:
            try:
                for partition in range(PARTITIONS):
                    self.read(partition)
                time.sleep(0.05)
            except (Closed, OSError):
                time.sleep(0.1)
                try:
                    self.link = self.t.connect()
                except OSError:
                    pass
            except Exception as e:  # whatever it is, the case fails
                stage.failures.append("reader: %r" % e)
                return

    def read_all(self):
        deadline = time.monotonic() + LIMIT_S
        for partition in range(PARTITIONS):
            while not self.read(partition):
                assert time.monotonic() < deadline, "partition %d stays open" % partition


def check(stage, seen):
    """seen: the values of each partition."""
    every = [v for values in seen for v in values]
    assert len(set(every)) == len(every), "something is there twice"
    known = {value: attempt for attempt in stage.attempts for _, value in attempt.values}
    found = {}  # attempt -> what is seen of it
    for partition, values in enumerate(seen):
        for value in values:
            found.setdefault(known.get(value), []).append((partition, value))
    assert None not in found, "something is there that nobody wrote: %r" % found[None]
    for attempt in stage.attempts:
        told = "%s/%d" % (attempt.name, attempt.number)
        there = found.get(attempt, [])
        assert not there or attempt.may_be_seen, "%s is seen, though not committed" % told
        assert there == sorted(attempt.values) or (not there and not attempt.must_be_seen), (
            "%s: wrote %r, seen %r, asked %r, sure %r" % (told, attempt.values, there, attempt.asked, attempt.is_sure))
    link = stage.t.connect()
    fetched = link.call("OffsetFetch", 8, RequireStable=True, Groups=[{"GroupId": stage.group, "Topics": [
        {"Name": stage.sources, "PartitionIndexes": list(range(len(stage.names)))}]}])["Groups"][0]
    for place, name in enumerate(stage.names):
        part = next(p for p in fetched["Topics"][0]["Partitions"] if p["PartitionIndex"] == place)
        of_it = [known[v] for v in seen[0] if known[v].name == name and known[v].has_offset]
        want = of_it[-1].number if of_it else -1
        assert (part["ErrorCode"], part["CommittedOffset"]) == (0, want), (name, part, want)


def case_random_transactions_and_kills(t):
    seed, kills = int(os.environ.get("TXN_SEED", "1")), int(os.environ.get("TXN_KILLS", "4"))
    chance = random.Random(seed)
    stage = Stage(t, seed, [t.name("random-%d" % seed) for _ in range(3)]) # two of them are shared by two
    coordinator_is_there(t, stage.group)
    for name in stage.names:
        Producer(t, name) # the coordinator is there too
    reader = Reader(t, stage.topic)
    threads = [threading.Thread(target=stage.worker, args=(i,)) for i in range(WORKERS)]
    threads.append(threading.Thread(target=reader.read_now_and_then, args=(stage,)))
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            time.sleep(0.1 + chance.random())
            t.broker.kill9()
            t.broker.start()
            stage.deaths += 1
        time.sleep(0.5)
    finally:
        stage.is_over = True
        for thread in threads:
            thread.join()
    assert not stage.failures, stage.failures
    for index, name in enumerate(stage.names): # the last transactions are aborted
        Worker(stage, index).ask(Producer(t, name).init)
    last = Reader(t, stage.topic)
    last.read_all()
    check(stage, last.values)
    for early, all_ in zip(reader.values, last.values):
        assert early == all_[:len(early)], "what was seen once is no longer there"
    sure = sum(a.must_be_seen for a in stage.attempts)
    unsure = sum(a.may_be_seen and not a.is_sure for a in stage.attempts)
    print("# seed %d: %d transactions, %d committed, %d perhaps" % (seed, len(stage.attempts), sure, unsure))
    assert sure > 10, "nothing was tried"
