# SPDX-License-Identifier: Apache-2.0
"""Transactions and a broker that goes and comes back."""
import random

from member import coordinator_is_there, wait_for
from producer import ABORT, COMMIT, Producer, committed, log, settled, story, switch_verification


def broker_comes_back(t, *producers):
    t.broker.kill9()
    t.broker.start()
    for p in producers:
        p.link = t.connect()
        p._find()


def case_what_is_open_goes_on(t):
    topic, group = t.topic(2), t.name("group")
    coordinator_is_there(t, group)
    old, new = Producer(t, t.name()), Producer(t, t.name(), v2=True)
    for p in (old, new):
        assert p.init() == "NONE"
    assert old.add(topic, partitions=(0, 1)) == "NONE" and old.add_offsets(group) == "NONE"
    assert old.produce(topic, b"old-1") == "NONE" and new.produce(topic, b"new-1") == "NONE"
    assert old.commit_offsets(group, {(topic, 0): 4}) == "NONE"
    broker_comes_back(t, old, new)
    coordinator_is_there(t, group)
    assert old.state() == new.state() == "Ongoing"
    assert old.produce(topic, b"old-2") == "NONE" and new.produce(topic, b"new-2", partition=1) == "NONE"
    assert log(old.link, topic, isolation=1)[1]["LastStableOffset"] == 0
    assert old.end(COMMIT) == "NONE" and new.end(ABORT) == "NONE"
    old.reach("CompleteCommit")
    new.reach("CompleteAbort")
    assert committed(old.link, topic) == ["old-1", "old-2"] and committed(old.link, topic, 1) == []
    fetched = old.link.call("OffsetFetch", 8, RequireStable=True, Groups=[
        {"GroupId": group, "Topics": [{"Name": topic, "PartitionIndexes": [0]}]}])
    assert fetched["Groups"][0]["Topics"][0]["Partitions"][0]["CommittedOffset"] == 4, fetched


def case_what_was_answered_stays(t):
    topic, p = t.topic(), Producer(t, t.name(), v2=True)
    p.init()
    assert p.produce(topic, b"a") == "NONE" and p.end(COMMIT) == "NONE"
    broker_comes_back(t, p)
    p.reach("CompleteCommit")
    # The real broker, killed before its markers are written, may complete the transaction without them: then it hangs.
    wait_for(lambda: committed(p.link, topic) == ["a"], "what was committed is seen")
    assert p.describe()["ProducerEpoch"] == 1
    assert p.end(COMMIT, epoch=0, keep=False) == "NONE" # as if the answer had been lost
    assert settled(p.produce, topic, b"b") == "NONE" and p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert story(p.link, topic) == ["a", "commit", "b", "commit"]


def case_a_producer_that_goes_on_is_fenced_after_a_restart(t):
    p = Producer(t, t.name())
    p.init()
    assert p.init(producer_id=p.id, epoch=0) == "NONE" and p.epoch == 1
    broker_comes_back(t, p)
    # Its last epoch is not in the log: what was a retry is a fenced producer now.
    assert p.init(producer_id=p.id, epoch=0, keep=False) == "PRODUCER_FENCED"
    assert p.init(producer_id=p.id, epoch=1) == "NONE" and p.epoch == 2


def case_random_transactions_are_all_or_nothing(t):
    """Of every transaction either all values or none are seen, and what was answered is what is seen."""
    chance = random.Random(7)
    topic = t.topic(3)
    producers = [Producer(t, t.name(), v2=bool(i % 2)) for i in range(4)]
    for p in producers:
        assert p.init() == "NONE"
        p.open, p.count = None, 0
    outcome = {}  # transaction -> (its values by partition, committed or not)
    for step in range(160):
        if step in (50, 110):
            broker_comes_back(t, *producers)
        p = chance.choice(producers)
        if p.open is None:
            p.open, p.count = [], p.count + 1
            if not p.v2:
                assert settled(p.add, topic, partitions=(0, 1, 2)) == "NONE"
        if len(p.open) < 3 and chance.random() < 0.6:
            value, partition = "%s/%d/%d" % (p.name, p.count, len(p.open)), chance.randrange(3)
            assert settled(p.produce, topic, value.encode(), partition=partition) == "NONE"
            p.open.append((partition, value))
        elif chance.random() < 0.1: # it is replaced by another one, and its transaction with it
            assert settled(p.init) == "NONE"
            outcome[p.name, p.count], p.open = (p.open, ABORT), None
        elif p.open or not p.v2:
            how = chance.random() < 0.7
            assert settled(p.end, how) == "NONE"
            outcome[p.name, p.count], p.open = (p.open, how), None
            p.reach("CompleteCommit" if how else "CompleteAbort")
    for p in producers:
        if p.open:
            assert settled(p.init) == "NONE" # aborts
    link = t.connect()
    want = [[] for _ in range(3)]
    for values, how in outcome.values():
        for partition, value in values if how else ():
            want[partition].append(value)
    for partition in range(3):
        got = committed(link, topic, partition)
        assert sorted(got) == sorted(want[partition]), (partition, got, want[partition])
        batches, part = log(link, topic, partition, isolation=1)
        assert part["LastStableOffset"] == part["HighWatermark"], part


def case_verification_may_be_switched_off(t):
    topic, p = t.topic(), Producer(t, t.name())
    p.init()
    assert p.produce(topic, b"a") == "INVALID_TXN_STATE"
    switch_verification(t, p, topic, False)
    switch_verification(t, p, t.topic(), True)
    p.add(topic)
    assert p.end(ABORT) == "NONE"
    p.reach("CompleteAbort")
    assert story(p.link, topic) == ["a", "abort"]
