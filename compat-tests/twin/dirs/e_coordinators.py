# SPDX-License-Identifier: Apache-2.0
"""The directory with the topics of all coordinators fails: what each of their APIs answers then, and what is still there when
it has come back. What the real broker said stands in said/."""
import datakit
import shares
from coordinator_apis import GROUP, TOPIC, Table, named, topic_of, transactions_are_there
from dirkit import alter, block, committed, futures, same, states, unblock, until, where
from member import coordinator_is_there
from newmember import NewMember
from producer import Producer
from shares import ACCEPT, Share

STATES = ("__consumer_offsets", "__transaction_state", "__share_group_state")
NOT_THERE = "NOT_COORDINATOR"


def put(t, c, directory):
    """The coordinators' topics into this directory."""
    for topic in STATES:
        alter(t, c, [(directory, topic, [0, 1, 2, 3, 4])])
    for topic in STATES:
        until(lambda: set(where(c, topic).values()) == {directory} and not futures(c, topic), "moved")


def case_of_all_coordinators(t):
    c = datakit.begin(t)
    topic_id = topic_of(t)
    coordinator_is_there(t, GROUP)
    transactions_are_there(t)
    topic = datakit.Topic(c)
    datakit.produce(c, 12, topic, (0, datakit.batch([b"a", b"b"])))
    share = Share(t, topic)
    sharer = share.member()
    same([(0, 1, 1)], sharer.fetch()[1])
    m = NewMember(t, GROUP, [TOPIC])
    m.join()
    until(lambda: m.beat() and m.partitions() == 1, "assigned")
    answer = c.call("OffsetCommit", 9, GroupId=GROUP, MemberId=m.id, GenerationIdOrMemberEpoch=m.epoch, Topics=[
        {"Name": TOPIC, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 5}]}])
    same("NONE", t.error(answer["Topics"][0]["Partitions"][0]["ErrorCode"]))
    p = Producer(t, "the-transaction")
    p.init()
    put(t, c, "b")
    block(t, "b")
    for name in STATES:
        until(lambda: all(s[1] == -1 for s in states(c, name).values()), "told of " + name)
    # Its coordinators hear of it later than clients do, and what is asked in between may have no answer.
    until(lambda: committed(c, GROUP, TOPIC)[0] == NOT_THERE, "the groups' is gone")
    until(lambda: t.error(p.describe()["ErrorCode"]) == NOT_THERE, "that of transactions is gone")
    until(lambda: t.error(shares.read(c, share.group, topic.id)["ErrorCode"]) == NOT_THERE, "that of share groups is gone")
    table = Table(t, __file__, "failed", topic_id)
    # The real broker looks for the share coordinator for half a minute before it says that it knows of no offsets.
    table.ask("failed", skip=("DescribeShareGroupOffsets",))
    for key_type, key in ((0, GROUP), (1, "the-transaction"), (2, "%s:%s:0" % (share.group, shares.text(topic.id)))):
        found = c.call("FindCoordinator", 6, KeyType=key_type, CoordinatorKeys=[key])["Coordinators"][0]
        table.said("FindCoordinator of type %d" % key_type, named(t, {k: v for k, v in found.items() if k != "Key"}))
    table.said("InitProducerId", named(t, c.call("InitProducerId", 5, TransactionalId="the-transaction",
                                                  TransactionTimeoutMs=60000)))
    table.said("ListGroups", named(t, c.call("ListGroups", 5)))
    table.said("ListTransactions", named(t, c.call("ListTransactions", 1)))
    table.said("ReadShareGroupState", shares.read(c, share.group, topic.id))
    table.end()
    t.broker.stop()
    unblock(t, "b")
    t.broker.start()
    c = t.connect()
    until(lambda: committed(c, GROUP, TOPIC) == ("NONE", [5]), "back")
    shares.coordinator_is_there(t.connect(), share.group, topic.id)
    share.c = t.connect()
    same((0, []), shares.held(share))
    again = share.member()
    same([(0, 1, 1)], again.fetch()[1])
    same("NONE", again.acknowledge((0, 1, ACCEPT)))
    p = Producer(t, "the-transaction")
    until(lambda: p.init() == "NONE", "the transactional id")
