# SPDX-License-Identifier: Apache-2.0
"""Every API of the coordinators at every version, asked of a broker in states that it answers with errors: before the
coordinators' topics exist, of groups that do not exist, without names, of groups of another kind, of members that are not in
them and with the wrong epoch. What the real broker said stands in said/, a line for each API, with the versions that say so."""
from coordinator_apis import GROUP, MEMBERS, TOPIC, Table, topic_of, transactions_are_there
from member import Member, coordinator_is_there
from newmember import NewMember
from streams_member import Member as StreamsMember, subtopology


def case_before_the_topics_of_the_coordinators_exist(t):
    table = Table(t, __file__, "absent", topic_of(t))
    table.ask("absent")
    table.end()


def case_of_what_does_not_exist(t):
    table = Table(t, __file__, "unknown", topic_of(t))
    coordinator_is_there(t, GROUP)
    transactions_are_there(t)
    table.ask("unknown")
    table.ask("no names", group="", member="", txn="", skip=("AddPartitionsToTxn",))
    table.end()


def case_of_a_classic_group(t):
    topic_id = topic_of(t)
    coordinator_is_there(t, "classic")
    m = Member(t, "classic", protocols=[("range", b"\0\0\0\0\0\0\0\0\0\0")])
    m.join()
    m.sync({m: b""})
    table = Table(t, __file__, "classic", topic_id)
    table.said.call_it(MEMBERID=m.id)
    table.ask("a stranger", group="classic", only=MEMBERS)
    table.ask("another generation", group="classic", member=m.id, epoch=9, only=set(MEMBERS) - {"LeaveGroup", "JoinGroup"})
    table.end()
    m.leave()


def case_of_a_consumer_group(t):
    topic_id = topic_of(t)
    coordinator_is_there(t, "consumers")
    m = NewMember(t, "consumers", [TOPIC])
    m.join()
    table = Table(t, __file__, "consumer", topic_id)
    table.said.call_it(MEMBERID=m.id)
    table.ask("a stranger", group="consumers", only=MEMBERS)
    table.ask("an epoch to come", group="consumers", member=m.id, epoch=9, only=set(MEMBERS) - {"LeaveGroup", "JoinGroup"})
    table.ask("an epoch of old", group="consumers", member=m.id, epoch=0,
              only=("OffsetCommit", "OffsetFetch", "TxnOffsetCommit", "SyncGroup", "Heartbeat"))
    table.end()
    m.leave()


def case_of_a_share_group(t):
    topic_id = topic_of(t)
    coordinator_is_there(t, "sharers")
    c = t.connect()
    joined = c.call("ShareGroupHeartbeat", 1, GroupId="sharers", MemberId="one", MemberEpoch=0, SubscribedTopicNames=[TOPIC])
    assert joined["ErrorCode"] == 0, joined
    table = Table(t, __file__, "share", topic_id)
    table.ask("a stranger", group="sharers", only=set(MEMBERS) - {"DescribeShareGroupOffsets"})
    table.ask("an epoch to come", group="sharers", member="one", epoch=9,
              only=("OffsetCommit", "OffsetFetch", "ShareGroupHeartbeat", "SyncGroup", "Heartbeat", "TxnOffsetCommit"))
    table.end()
    c.call("ShareGroupHeartbeat", 1, GroupId="sharers", MemberId="one", MemberEpoch=-1)


def case_of_a_streams_group(t):
    topic_id = topic_of(t)
    coordinator_is_there(t, "streamers")
    m = StreamsMember(t, "streamers", [subtopology("0", [TOPIC])], name="one", process="process")
    m.join()
    table = Table(t, __file__, "streams", topic_id)
    table.ask("a stranger", group="streamers", only=MEMBERS)
    table.ask("an epoch to come", group="streamers", member="one", epoch=9, only=set(MEMBERS) - {"LeaveGroup", "JoinGroup"})
    table.ask("an epoch of old", group="streamers", member="one", epoch=0, only=("OffsetCommit", "OffsetFetch", "TxnOffsetCommit"))
    table.end()
    m.leave()
