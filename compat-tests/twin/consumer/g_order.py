# SPDX-License-Identifier: Apache-2.0
"""The order in which members of consumer and share groups are described: that of the map of Kafka's coordinator, which
comes and goes with its history."""
import datakit
from member import coordinator_is_there
from newmember import NewMember

NAMES = ["one", "two", "three", "four", "five"]
FIRST, LATER = ["four", "one", "two", "five", "three"], ["one", "four", "five", "three"]


def order(c, api, version, group):
    described = c.call(api, version, GroupIds=[group], IncludeAuthorizedOperations=False)["Groups"][0]
    return [m["MemberId"] for m in described["Members"]]


def case_consumer_groups(t):
    c, topic, group = datakit.begin(t), t.topic(1), t.name("ordered")
    coordinator_is_there(t, group)
    members = {name: NewMember(t, group, [topic], id=name) for name in NAMES}
    for m in members.values():
        assert m.join()["ErrorCode"] == 0, m.last
    datakit.same(FIRST, order(c, "ConsumerGroupDescribe", 1, group))
    members["two"].leave()
    members["one"].leave()
    members["one"].join()
    members["four"].beat()
    datakit.same(LATER, order(c, "ConsumerGroupDescribe", 1, group))
    for name in ("one", "three", "four", "five"):
        members[name].leave()


def case_share_groups(t):
    c, topic, group = datakit.begin(t), t.topic(1), t.name("ordered")
    coordinator_is_there(t, group)

    def beat(name, epoch):
        answer = c.call("ShareGroupHeartbeat", 1, GroupId=group, MemberId=name, MemberEpoch=epoch,
                        SubscribedTopicNames=[topic] if epoch == 0 else None)
        assert answer["ErrorCode"] == 0, answer

    for name in NAMES:
        beat(name, 0)
    datakit.same(FIRST, order(c, "ShareGroupDescribe", 1, group))
    beat("two", -1)
    beat("one", -1)
    beat("one", 0)
    datakit.same(LATER, order(c, "ShareGroupDescribe", 1, group))
    for name in ("one", "three", "four", "five"):
        beat(name, -1)
