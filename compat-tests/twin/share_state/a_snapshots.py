# SPDX-License-Identifier: Apache-2.0
"""The topic __share_group_state while it is in use: snapshots after so many updates, those of partitions that rest, and the log
cut behind the oldest that is needed. One partition holds all of it (server.properties)."""
import datakit
import records
import shares
from member import wait_for
from shares import ACCEPT, RELEASE, Share

STATE = "__share_group_state"
SNAPSHOT, UPDATE = 0, 1


def offset(c, timestamp):
    """-2: the start of the state's log; -1: its end."""
    error, _, found, _ = datakit.ask(c, 7, STATE, (0, timestamp))[0]
    datakit.same("NONE", error)
    return found


def kinds(c, topic_id, begin=0):
    """Of the records of a topic's share partition in the log: snapshot or update, as their keys say."""
    at = datakit.at(0, max(begin, offset(c, -2)))
    data = datakit.only(datakit.fetch(c, 12, (STATE, [at])))["Records"]
    return [int.from_bytes(r[2][:2], "big") for b in records.batches(data) for r in b.records if topic_id in r[2]]


def begin(t, count):
    c = datakit.begin(t)
    topic = datakit.Topic(c)
    for _ in range(count):
        datakit.produce(c, 12, topic, (0, datakit.batch([b"v"])))
    return c, topic, Share(t, topic)


def case_a_snapshot_comes_after_so_many_updates(t):
    c, topic, share = begin(t, 14)
    before = offset(c, -1)
    m = share.member()
    left = 14
    while left > 0:
        left -= sum(last - first + 1 for first, last, _ in m.fetch()[1])
    for i in range(14):
        datakit.same("NONE", m.acknowledge((i, i, ACCEPT)))
    every = [UPDATE] * 5 + [SNAPSHOT] + [UPDATE] * 5 + [SNAPSHOT] + [UPDATE] * 2
    got = []  # the log may be cut behind a snapshot already, or just while we look
    wait_for(lambda: got or got.extend(kinds(c, topic.id, before)[:14]) or got, "records")
    datakit.same(every[len(every) - len(got):], got)
    assert got.count(SNAPSHOT) > 0, got


def case_the_log_is_cut_behind_the_oldest_snapshot_that_is_needed(t):
    c, topic, share = begin(t, 3)
    m = share.member()
    acquired = m.fetch()[1]
    start = offset(c, -2)
    datakit.same("NONE", m.acknowledge((acquired[0][0], acquired[0][0], RELEASE)))
    held = shares.held(share)
    # Those of the cases before rest, get a snapshot each, and nothing before these is needed any more.
    wait_for(lambda: offset(c, -2) > start and kinds(c, topic.id)[:1] == [SNAPSHOT], "the cut")
    datakit.same(held, shares.held(share))
    t.broker.stop()
    t.broker.start()
    shares.coordinator_is_there(t.connect(), share.group, topic.id)
    share.c = t.connect()
    datakit.same(held, shares.held(share))
