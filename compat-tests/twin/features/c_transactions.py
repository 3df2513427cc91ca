# SPDX-License-Identifier: Apache-2.0
"""transaction.version 0, 1 and 2: what producers of the old and of the new protocol (KIP-890) are answered, and how
their transactions are kept."""
import struct

from features import change
from member import coordinator_is_there
from producer import ABORT, COMMIT, Producer, committed, log, settled, story
from said import Said


def kept(link, name):
    """(version of its value, state) of each record of a transactional id, in their order."""
    out = []
    for partition in range(5):
        for batch in log(link, "__transaction_state", partition)[0]:
            for record in batch.records:
                key = record[2]
                (size,) = struct.unpack_from(">h", key, 2)
                if key[4:4 + size].decode() == name and record[3] is not None:
                    out.append(struct.unpack_from(">h", record[3])[0])
    return out


def finish(p, commit):
    """Ends the transaction; once it has ended, where it is then."""
    answer = p.end(commit)
    if answer == "NONE":
        p.reach("CompleteCommit" if commit else "CompleteAbort")
    return answer, p.state()


def conversation(t, v2, is_too_old):
    """One transaction that commits, with offsets, and one that aborts. The answers.

    The records of version 0 cannot say that a producer is of the new protocol, so nothing of it can be kept. (What the
    real broker says after that is left out: it holds the transaction for one that is changing, until it restarts.)"""
    topic, group, p = t.topic(), t.name("group"), Producer(t, t.name(), v2=v2)
    coordinator_is_there(t, group)
    said = [p.init(), p.epoch]
    if v2 and is_too_old:
        return said + [p.produce(topic, b"a"), story(p.link, topic), kept(p.link, p.name)]
    if not v2:
        said += [p.produce(topic, b"early"), p.add(topic), p.add_offsets(group)]
    said += [p.produce(topic, b"a"), p.commit_offsets(group, {(topic, 0): 5}), p.state()]
    epoch = p.epoch
    said += [finish(p, COMMIT), p.epoch - epoch]
    if not v2:
        said.append(settled(p.add, topic))
    said += [settled(p.produce, topic, b"b"), finish(p, ABORT), p.epoch - epoch]
    said += [p.end(COMMIT), p.end(ABORT, epoch=epoch, keep=False), story(p.link, topic), committed(p.link, topic)]
    fetched = p.link.call("OffsetFetch", 8, RequireStable=True, Groups=[
        {"GroupId": group, "Topics": [{"Name": topic, "PartitionIndexes": [0]}]}])
    said.append(fetched["Groups"][0]["Topics"][0]["Partitions"][0]["CommittedOffset"])
    said.append(sorted(set(kept(p.link, p.name))))
    return said


def case_each_version_with_each_producer(t):
    c = t.connect()
    s = Said(t, __file__, "versions")
    for level in (2, 1, 0, 1, 2, 0):
        change(c, "transaction.version", level)
        for v2 in (False, True):
            s("transaction.version %d, a producer of %d" % (level, 2 if v2 else 0), conversation(t, v2, level == 0))
    change(c, "transaction.version", 2)
    s.end()


def case_a_change_within_a_transaction(t):
    c, topic = t.connect(), t.topic()
    s = Said(t, __file__, "within")
    for first, then in ((2, 0), (0, 2), (2, 1), (1, 0)):
        for v2 in (False, True):
            change(c, "transaction.version", first)
            p = Producer(t, t.name(), v2=v2)
            said = [p.init()]
            if not v2:
                said.append(p.add(topic))
            said.append(p.produce(topic, b"a"))
            change(c, "transaction.version", then)
            if said[-1] == "NONE":
                said += [p.produce(topic, b"b"), finish(p, COMMIT)]
            if not (v2 and 0 in (first, then)):
                said += [p.epoch, p.describe()["ProducerEpoch"], kept(p.link, p.name), p.init(), p.epoch]
            s("from %d to %d, a producer of %d" % (first, then, 2 if v2 else 0), said)
    change(c, "transaction.version", 2)
    s.end()


def case_a_producer_after_a_change(t):
    """What a producer left behind under one version, taken over under another."""
    c, topic = t.connect(), t.topic()
    s = Said(t, __file__, "after")
    for first, then in ((2, 0), (2, 1), (1, 0), (0, 2)):
        for v2 in (False, True):
            for how in (COMMIT, None):  # None: the transaction is open still
                if v2 and first == 0:
                    continue
                change(c, "transaction.version", first)
                p = Producer(t, t.name(), v2=v2)
                assert p.init() == "NONE" and (v2 or p.add(topic) == "NONE") and p.produce(topic, b"a") == "NONE"
                if how is not None:
                    finish(p, how)
                change(c, "transaction.version", then)
                old = Producer(t, p.name)
                said = [old.init(), old.epoch]
                if said[0] == "NONE" or how is None:
                    said += [settled(old.init), old.epoch, old.add(topic), old.produce(topic, b"b"),
                             finish(old, COMMIT), kept(c, p.name)]
                s("from %d to %d, a producer of %d, %s" % (first, then, 2 if v2 else 0,
                                                         "open" if how is None else "ended"), said)
    change(c, "transaction.version", 2)
    s.end()
