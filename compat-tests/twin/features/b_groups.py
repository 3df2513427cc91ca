# SPDX-License-Identifier: Apache-2.0
"""What each API answers when a feature of groups is off, for groups that were there before, and when it is on again.
What the real broker said stands in said/."""
import datakit
import records
import shares
import streams_member
from features import change
from groupkit import everything_about
from member import Member, coordinator_is_there, describe as describe_classic, subscription
from newmember import NewMember, describe, ids_of, settle
from said import Said


def offered(c, *keys):
    answer = c.call("ApiVersions", 4, ClientSoftwareName="twin", ClientSoftwareVersion="1")
    return sorted((a["ApiKey"], a["MinVersion"], a["MaxVersion"]) for a in answer["ApiKeys"] if a["ApiKey"] in keys)


def case_consumer_groups_are_off(t):
    c, topic, group = t.connect(), t.topic(2), t.name("group")
    s = Said(t, __file__, "consumer")
    coordinator_is_there(t, group)
    m = NewMember(t, group, [topic])
    m.join()
    settle(m)
    s.call_it(GROUP=group, TOPIC=topic, MEMBER=m.id, TOPIC_ID=ids_of(t, topic)[1][topic],
              SUBSCRIPTION=subscription(topic))
    assert m.commit(topic, 3) == "NONE"
    change(c, "group.version", 0)
    s("ApiVersions", offered(c, 68, 69))
    s("heartbeat", m.call())
    s("another joins", NewMember(t, group, [topic]).join())
    s("a new group", NewMember(t, t.name("new"), [topic], version=0).join())
    s("leaving", m.leave())
    everything_about(s, c, t, group)
    s("ConsumerGroupDescribe of none", describe(t, "none", 0))
    s("commit", m.commit(topic, 4))
    s("commit of another epoch", m.commit(topic, 4, GenerationIdOrMemberEpoch=77))
    s("commit of a stranger", m.commit(topic, 4, MemberId="stranger"))
    found = c.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=[group])["Coordinators"]
    s("FindCoordinator", found)
    s("OffsetFetch", c.call("OffsetFetch", 9, RequireStable=False, Groups=[
        {"GroupId": group, "MemberId": m.id, "MemberEpoch": m.epoch,
         "Topics": [{"Name": topic, "PartitionIndexes": [0, 1]}]}])["Groups"][0])
    # By the old protocol.
    old = Member(t, group, protocols=(("range", subscription(topic)),))
    joined = old.join()
    s.call_it(OLD=old.id)
    s("JoinGroup", joined)
    s("SyncGroup", old.sync())
    s("Heartbeat", old.heartbeat())
    s("DescribeGroups of both", describe_classic(t, group, 6))
    s("LeaveGroup", old.leave())
    s("DeleteGroups", [c.call("DeleteGroups", 2, GroupsNames=[g])["Results"] for g in (group, "none")])
    s("OffsetDelete", c.call("OffsetDelete", 0, GroupId=group, Topics=[
        {"Name": topic, "Partitions": [{"PartitionIndex": 0}]}]))
    change(c, "group.version", 1)
    s("heartbeat, on again", m.call())
    settle(m)
    s("described, on again", describe(t, group))
    s.end()


def case_share_groups_are_off(t):
    c = datakit.begin(t)
    topic = datakit.Topic(c, partitions=1)
    share = shares.Share(t, topic)
    s = Said(t, __file__, "share")
    m, other = share.member(), share.member()
    assert datakit.produce_error(c, 12, topic, records.batch((b"a", b"b"))) == "NONE"
    assert m.fetch() == ("NONE", [(0, 1, 1)], [b"a", b"b"])
    group, id = t.name("members"), "AAAAAAAAAAAAAAAAAAAAAA"
    coordinator_is_there(t, group)
    beat = dict(GroupId=group, MemberId=id, MemberEpoch=0, SubscribedTopicNames=[topic.name])
    epoch = c.call("ShareGroupHeartbeat", 1, **beat)["MemberEpoch"]
    s.call_it(GROUP=group, SHARE=share.group, TOPIC=topic.name, TOPIC_ID=topic.id, MEMBER=m.name)
    change(c, "share.version", 0)
    s("ApiVersions", offered(c, 76, 77, 78, 79, 83, 84, 85, 86, 87, 90, 91, 92))
    s("joining", c.call("ShareGroupHeartbeat", 1, **beat))
    s("heartbeat", c.call("ShareGroupHeartbeat", 1, GroupId=group, MemberId=id, MemberEpoch=epoch))
    s("leaving", c.call("ShareGroupHeartbeat", 1, GroupId=group, MemberId=id, MemberEpoch=-1))
    everything_about(s, c, t, group)
    s("ShareFetch", m.ask(MaxWaitMs=0))
    s("ShareFetch, the last", m.ask(MaxWaitMs=0, epoch=-1))
    s("ShareAcknowledge", m.send_acks((0, 0, 1)))
    asked = [{"GroupId": share.group, "Topics": [{"TopicName": topic.name, "Partitions": [0]}]},
             {"GroupId": "none", "Topics": None}]
    s("DescribeShareGroupOffsets", c.call("DescribeShareGroupOffsets", 0, Groups=asked))
    s("AlterShareGroupOffsets", c.call("AlterShareGroupOffsets", 0, GroupId=share.group, Topics=[
        {"TopicName": topic.name, "Partitions": [{"PartitionIndex": 0, "StartOffset": 0}]}]))
    s("DeleteShareGroupOffsets", c.call("DeleteShareGroupOffsets", 0, GroupId=share.group, Topics=[
        {"TopicName": topic.name}]))
    # The share coordinator goes on.
    s("ReadShareGroupState", shares.read(c, share.group, topic.id))
    s("ReadShareGroupStateSummary", shares.summary(c, share.group, topic.id))
    s("WriteShareGroupState", shares.write(c, share.group, topic.id, start=0))
    s("InitializeShareGroupState", shares.initialize(c, share.group, topic.id, state_epoch=5, start=0))
    key = "%s:%s:0" % (share.group, shares.text(topic.id))
    s.call_it(KEY=key)
    s("FindCoordinator", c.call("FindCoordinator", 6, KeyType=2, CoordinatorKeys=[key])["Coordinators"])
    s("DeleteGroups", c.call("DeleteGroups", 2, GroupsNames=[group])["Results"])
    change(c, "share.version", 1)
    s("ShareFetch, on again", m.ask(MaxWaitMs=0))
    s("what it had is free", other.fetch())
    s("heartbeat, on again", c.call("ShareGroupHeartbeat", 1, GroupId=group, MemberId=id, MemberEpoch=epoch))
    everything_about(s, c, t, group)
    s.end()


def case_streams_groups_are_off(t):
    c = datakit.begin(t)
    topic, group = datakit.Topic(c, partitions=2), t.name("streams")
    coordinator_is_there(t, group)
    s = Said(t, __file__, "streams")
    m = streams_member.Member(t, group, [streams_member.subtopology("0", [topic.name])])
    m.join()
    s.call_it(GROUP=group, TOPIC=topic.name, MEMBER=m.name, PROCESS=m.process, TOPIC_ID=topic.id)
    change(c, "streams.version", 0)
    s("ApiVersions", offered(c, 88, 89))
    s("heartbeat", m.send())
    s("joining", m.first())
    s("leaving", m.leave())
    everything_about(s, c, t, group)
    s("DeleteGroups", c.call("DeleteGroups", 2, GroupsNames=[group])["Results"])
    old = Member(t, group, protocols=(("range", subscription(topic.name)),))
    old.send_join()
    s("JoinGroup", old.link.receive())
    change(c, "streams.version", 1)
    s("heartbeat, on again", m.send())
    everything_about(s, c, t, group)
    s.end()
