# SPDX-License-Identifier: Apache-2.0
"""Share groups with share.isolation.level beside a transactional producer: records of aborted transactions are archived
when they are read and never given to anybody, markers are given as other records are, and nothing is read past the last
stable offset."""
import datakit
import shares
from producer import ABORT, COMMIT, Producer, settled
from shares import ACCEPT, GAP, RELEASE, Share

ACKNOWLEDGED, ARCHIVED = 2, 4


def begin(t, level="read_committed"):
    """The group's level is set before its share partition is loaded."""
    c = datakit.begin(t)
    group = t.name("share")
    datakit.alter(c, "group", group, share_isolation_level=level)
    return c, datakit.Topic(c), group


def producer(t):
    p = Producer(t, t.name("tx"))
    datakit.same("NONE", p.init())
    return p


def write(p, topic, *batches):
    datakit.same("NONE", settled(p.add, topic.name))
    for count in batches:
        datakit.same("NONE", settled(p.produce, topic.name, *[b"v"] * count))


def end(p, commit):
    datakit.same("NONE", settled(p.end, commit))
    p.reach("CompleteCommit" if commit else "CompleteAbort")


def transaction(p, topic, commit, *batches):
    write(p, topic, *batches)
    end(p, commit)


def case_aborted_records_are_never_given(t):
    c, topic, group = begin(t)
    p, q = producer(t), producer(t)
    transaction(p, topic, COMMIT, 3)    # 0 to 2, its marker 3
    transaction(p, topic, ABORT, 3)     # 4 to 6, 7
    transaction(p, topic, COMMIT, 2)    # 8 and 9, 10
    write(q, topic, 2)                  # 11 and 12
    transaction(p, topic, COMMIT, 2)    # 13 and 14, 15
    share = Share(t, topic, group=group)
    m = share.member()
    datakit.same(([(0, 3, 1), (7, 10, 1)], [(0, 2), (3, 3), (4, 6), (7, 7), (8, 9), (10, 10)]), m.look())
    datakit.same(([], []), m.look(MaxWaitMs=0)) # the last stable offset is 11
    datakit.same((0, []), shares.held(share))   # what is archived by reading is written with what comes next
    datakit.same("NONE", m.acknowledge((0, 3, ACCEPT), (8, 10, ACCEPT)))
    datakit.same((0, [(0, 3, ACKNOWLEDGED, 1), (8, 10, ACKNOWLEDGED, 1)]), shares.held(share))
    datakit.same("NONE", m.acknowledge((4, 6, ACCEPT))) # before the start: nobody minds
    m.link.send("ShareFetch", 2, GroupId=group, MemberId=m.name, ShareSessionEpoch=m.epoch, MaxWaitMs=20000, MinBytes=1,
                MaxBytes=1 << 20, MaxRecords=500, BatchSize=500, Topics=[], ForgottenTopicsData=[])
    datakit.same("NONE", settled(q.end, COMMIT))
    got = m.link.receive()["Responses"][0]["Partitions"][0]["AcquiredRecords"] # the marker moves the last stable offset
    m.epoch += 1
    datakit.same([(11, 16, 1)], [(a["FirstOffset"], a["LastOffset"], a["DeliveryCount"]) for a in got])
    datakit.same("NONE", m.acknowledge((7, 7, GAP), (11, 16, ACCEPT)))


def case_what_was_archived_by_reading_is_archived_again_after_a_crash(t):
    c, topic, group = begin(t)
    p = producer(t)
    transaction(p, topic, COMMIT, 3)
    transaction(p, topic, ABORT, 3)
    transaction(p, topic, COMMIT, 2)
    share = Share(t, topic, group=group)
    m = share.member()
    datakit.same([(0, 3, 1), (7, 10, 1)], m.look()[0])
    datakit.same("NONE", m.acknowledge((0, 2, ACCEPT), (8, 9, ACCEPT)))
    datakit.same((0, [(0, 2, ACKNOWLEDGED, 1), (8, 9, ACKNOWLEDGED, 1)]), shares.held(share))
    t.broker.kill9()
    t.broker.start()
    share.c = t.connect()
    shares.coordinator_is_there(share.c, group, topic.id)
    m = share.member()
    datakit.same([(3, 3, 1), (7, 7, 1), (10, 10, 1)], m.look()[0])
    datakit.same("NONE", m.acknowledge((3, 3, GAP), (7, 7, GAP), (10, 10, GAP)))
    datakit.same(([], []), m.look(MaxWaitMs=0))


def case_nothing_but_aborted_records(t):
    c, topic, group = begin(t)
    transaction(producer(t), topic, ABORT, 3)
    share = Share(t, topic, group=group)
    m = share.member()
    datakit.same(([(3, 3, 1)], [(3, 3)]), m.look())
    datakit.same("NONE", m.acknowledge((3, 3, GAP)))
    datakit.same((0, [(3, 3, ARCHIVED, 1)]), shares.held(share))


def interleaved(t, topic):
    p, q = producer(t), producer(t)
    write(p, topic, 2)                                                         # 0 and 1
    write(q, topic, 2)                                                         # 2 and 3, aborted by 6
    write(p, topic, 2)                                                         # 4 and 5, committed by 9
    end(q, ABORT)
    write(q, topic, 2)                                                         # 7 and 8, committed by 12
    end(p, COMMIT)
    datakit.produce(topic.c, 12, topic, (0, datakit.batch([b"v", b"v"])))      # 10 and 11
    end(q, COMMIT)


def looks(t, times, **how):
    c, topic, group = begin(t)
    interleaved(t, topic)
    m = Share(t, topic, group=group).member()
    return [m.look(**how) for _ in range(times)]


def case_limits_count_what_is_given(t):
    datakit.same([([(0, 1, 1), (4, 5, 1), (6, 8, 1), (9, 11, 1), (12, 12, 1)],
                   [(0, 1), (2, 3), (4, 5), (6, 6), (7, 8), (9, 9), (10, 11), (12, 12)])], looks(t, 1, BatchSize=2))
    datakit.same([([(0, 1, 1)], [(0, 1)]), ([(4, 6, 1)], [(4, 5), (6, 6)]), ([(7, 9, 1)], [(7, 8), (9, 9)]),
                  ([(10, 12, 1)], [(10, 11), (12, 12)])], looks(t, 4, MaxRecords=3))
    datakit.same([([(0, 1, 1)], [(0, 1)]), ([(4, 5, 1)], [(4, 5)]), ([(6, 8, 1)], [(6, 6), (7, 8)]),
                  ([(9, 11, 1)], [(9, 9), (10, 11)])], looks(t, 4, MaxRecords=3, ShareAcquireMode=1))
    datakit.same([([(0, 1, 1), (4, 4, 1)], [(0, 1), (2, 3), (4, 5)]),
                  ([(5, 5, 1), (6, 9, 1)], [(4, 5), (6, 6), (7, 8), (9, 9)]),
                  ([(10, 12, 1)], [(10, 11), (12, 12)])], looks(t, 3, MaxRecords=5, ShareAcquireMode=1))


def case_a_group_that_reads_uncommitted_gets_everything(t):
    c, topic, group = begin(t, "read_uncommitted")
    p = producer(t)
    transaction(p, topic, ABORT, 3)     # 0 to 2, 3
    transaction(p, topic, COMMIT, 3)    # 4 to 6, 7
    write(p, topic, 3)                  # 8 to 10
    share = Share(t, topic, group=group)
    m = share.member()
    datakit.same([(0, 10, 1)], m.look()[0])
    datakit.same("NONE", m.acknowledge((0, 10, RELEASE)))
    datakit.same((0, [(0, 10, 0, 1)]), shares.held(share))
    datakit.alter(c, "group", group, share_isolation_level="read_committed")
    datakit.Topic(c) # a later change of the image is there, so this one is
    datakit.same(([(3, 7, 2)], [(3, 3), (4, 6), (7, 7)]), m.look())
    datakit.same(([], []), m.look(MaxWaitMs=0))
    datakit.same(("INVALID_RECORD_STATE", "The offset cannot be acknowledged. The offset is not acquired."),
                 m.acknowledge((0, 7, ACCEPT)))
    datakit.same("NONE", m.acknowledge((3, 7, ACCEPT)))
    datakit.same((0, [(0, 2, 0, 1), (3, 7, ACKNOWLEDGED, 2), (8, 10, 0, 1)]), shares.held(share))
    end(p, ABORT)
    datakit.same(([(11, 11, 1)], [(11, 11)]), m.look())
