# SPDX-License-Identifier: Apache-2.0
"""A broker whose group.coordinator.rebalance.protocols names classic alone, in a cluster whose features allow all kinds.
What the real broker said stands in said/."""
import datakit
import shares
import streams_member
from groupkit import everything_about
from member import Member, coordinator_is_there, subscription
from newmember import NewMember
from said import Said


def case_classic_groups_alone(t):
    c = datakit.begin(t)
    topic, group = datakit.Topic(c, partitions=2), t.name("group")
    coordinator_is_there(t, group)
    s = Said(t, __file__, "answers")
    answer = c.call("ApiVersions", 4, ClientSoftwareName="twin", ClientSoftwareVersion="1")
    s("ApiVersions", sorted((a["ApiKey"], a["MinVersion"], a["MaxVersion"]) for a in answer["ApiKeys"]
                            if a["ApiKey"] in (68, 69, 76, 77, 88, 89)))
    s("features", sorted((f["Name"], f["MaxVersionLevel"]) for f in answer["FinalizedFeatures"]))
    new = NewMember(t, group, [topic.name])
    streams = streams_member.Member(t, group, [streams_member.subtopology("0", [topic.name])])
    s.call_it(GROUP=group, TOPIC=topic.name, NEW=new.id, SUBSCRIPTION=subscription(topic.name))
    s("ConsumerGroupHeartbeat", new.join())
    s("StreamsGroupHeartbeat", streams.first())
    everything_about(s, c, t, group)
    old = Member(t, group, protocols=(("range", subscription(topic.name)),))
    joined = old.join()
    s.call_it(OLD=old.id)
    s("JoinGroup", joined)
    s("SyncGroup", old.sync({old: b"part"}))
    s("Heartbeat", old.heartbeat())
    everything_about(s, c, t, group)
    s("ConsumerGroupHeartbeat to a classic group", new.join())
    # Share groups are not asked for by that setting.
    sharing = t.name("share")
    coordinator_is_there(t, sharing)
    s.call_it(SHARE=sharing, TOPIC_ID=topic.id, KEY="%s:%s:0" % (sharing, shares.text(topic.id)))
    s("ShareGroupHeartbeat", c.call("ShareGroupHeartbeat", 1, GroupId=sharing, MemberId="AAAAAAAAAAAAAAAAAAAAAA",
                                    MemberEpoch=0, SubscribedTopicNames=[topic.name])["ErrorCode"])
    s("LeaveGroup", old.leave())
    s("configs", c.call("DescribeConfigs", 4, Resources=[
        {"ResourceType": 4, "ResourceName": "1",
         "ConfigurationKeys": ["group.coordinator.rebalance.protocols"]}])["Results"][0]["Configs"][0]["Value"])
    s.end()
