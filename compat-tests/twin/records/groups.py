# SPDX-License-Identifier: Apache-2.0
"""Classic groups and groups of the consumer protocol: their members, generations and offsets."""
import datakit
import member as classic
from member import coordinator_is_there, join_all, subscription
from newmember import NewMember, settle
from producer import Producer, settled
from stored import Story


def begin(t):
    story = Story(t)
    group = story.named("G")
    coordinator_is_there(t, group)
    return story, group


def delete(story, group):
    answer = story.c.call("DeleteGroups", 2, GroupsNames=[group])
    datakit.same([0], [r["ErrorCode"] for r in answer["Results"]])


def commit(link, group, topic, offset, version=9, member="", generation=-1, **fields):
    topic_key = {"TopicId": topic} if isinstance(topic, bytes) else {"Name": topic}
    body = dict(GroupId=group, GenerationIdOrMemberEpoch=generation, MemberId=member, Topics=[dict(topic_key, Partitions=[
        dict({"PartitionIndex": 0, "CommittedOffset": offset, "CommittedMetadata": ""}, **fields)])])
    if version < 5:
        body["RetentionTimeMs"] = -1
    answer = link.call("OffsetCommit", version, **body)
    datakit.same(0, answer["Topics"][0]["Partitions"][0]["ErrorCode"])


def case_classic_members(t):
    story, group = begin(t)
    topic = story.topic("T", partitions=2)
    protocols = (("range", subscription(topic, data=b"r")), ("roundrobin", subscription(topic)))
    a = classic.Member(t, group, protocols=protocols, rebalance_ms=40000)
    b = classic.Member(t, group, instance="i", protocols=protocols[:1], client_id="other", session_ms=20000)
    join_all(a)
    a.sync({a: b"all of it"})
    story.stands_for(a.id, "a")
    b.send_join()
    classic.wait_for(lambda: a.heartbeat() == "REBALANCE_IN_PROGRESS", "the rebalance")
    a.send_join()
    a.joined()
    b.joined()
    story.stands_for(b.id, "b")
    leader, other = (a, b) if a.leader == a.id else (b, a)
    leader.send_sync({a: b"for a", b: b""})
    leader.link.receive()
    other.sync()
    datakit.same("NONE", a.commit(topic, 5, metadata="noted"))
    datakit.same("NONE", a.commit(topic, 6))
    again = classic.Member(t, group, instance="i", protocols=protocols[:1], client_id="other", session_ms=20000)
    again.join() # in the place of b, without a rebalance
    story.stands_for(again.id, "b2")
    datakit.same("NONE", a.leave())
    left = story.c.call("LeaveGroup", 5, GroupId=group, Members=[{"MemberId": "", "GroupInstanceId": "i"}])
    datakit.same([0], [m["ErrorCode"] for m in left["Members"]])
    classic.wait_for(lambda: classic.describe(t, group)["GroupState"] == "Empty", "nobody")
    deleted = story.c.call("OffsetDelete", 0, GroupId=group, Topics=[{"Name": topic, "Partitions": [{"PartitionIndex": 0}]}])
    datakit.same(0, deleted["ErrorCode"])
    delete(story, group)
    story.same("classic-group")


def case_offsets_of_nobody(t):
    story, group = begin(t)
    topic = story.topic("T")
    for version in (2, 5, 9):
        commit(story.c, group, topic, version, version=version)
    commit(story.c, group, topic, 11, CommittedMetadata="some", CommittedLeaderEpoch=0)
    commit(story.c, group, story.id_of(topic), 12, version=10)
    p = Producer(t, t.name("tx"))
    datakit.same("NONE", p.init())
    for is_committed, offset in ((True, 20), (False, 30)):
        datakit.same("NONE", settled(p.add_offsets, group))
        datakit.same("NONE", p.commit_offsets(group, {(topic, 0): offset}, metadata="t"))
        datakit.same("NONE", settled(p.end, is_committed))
        p.reach("CompleteCommit" if is_committed else "CompleteAbort")
    delete(story, group)
    story.same("offsets")


def case_members_of_the_consumer_protocol(t):
    story, group = begin(t)
    one, two = story.topics("T", "U", partitions=2)
    a = NewMember(t, group, [one], id="a" * 22, rack="r", assignor="uniform")
    b = NewMember(t, group, [one], id="b" * 22, instance="i", rebalance_ms=20000, client_id="other")
    a.join()
    settle(a)
    b.join()
    settle(a, b)
    datakit.same("NONE", a.commit(one, 4))
    a.topics = [one, two]
    a.full(TopicPartitions=None)
    settle(a, b)
    b.leave(epoch=-2) # will be back
    back = NewMember(t, group, [one], id="c" * 22, instance="i", rebalance_ms=20000, client_id="other")
    back.join()
    settle(a, back)
    back.leave()
    settle(a)
    a.leave()
    delete(story, group)
    story.same("consumer-group")


def case_a_regular_expression(t):
    story, group = begin(t)
    one = story.topic("T")
    m = NewMember(t, group, regex=one + ".*", id="m" * 22)
    m.join()
    settle(m)
    while not m.assigned:
        settle(m)
    m.full(SubscribedTopicRegex="", SubscribedTopicNames=[one], TopicPartitions=None)
    settle(m)
    m.leave()
    delete(story, group)
    story.same("regular-expression")


def case_a_classic_group_becomes_one_of_the_consumer_protocol_and_back(t):
    story, group = begin(t)
    topic = story.topic("T", partitions=2)
    old = classic.Member(t, group, protocols=(("range", subscription(topic)),))
    join_all(old)
    old.sync({old: b"\0\0" + b"\0\0\0\1" + bytes([0, len(topic)]) + topic.encode() + b"\0\0\0\1\0\0\0\0\xff\xff\xff\xff"})
    story.stands_for(old.id, "old")
    new = NewMember(t, group, [topic], id="n" * 22)
    new.join()
    new.leave()
    classic.wait_for(lambda: classic.describe(t, group)["ErrorCode"] == 0, "a classic group again")
    datakit.same("NONE", old.leave())
    delete(story, group)
    story.same("migration")
