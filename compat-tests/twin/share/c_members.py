# SPDX-License-Identifier: Apache-2.0
"""Membership of share groups: heartbeats, epochs, assignments, sessions, and how groups are described and deleted."""
import time

import datakit
import shares
from member import coordinator_is_there, wait_for

WRONG_EPOCH = "FENCED_MEMBER_EPOCH"


class Member:
    def __init__(self, t, group, topics, name=None):
        self.group, self.topics, self.name, self.epoch = group, topics, name or t.name("member"), 0
        self.link = t.connect()
        self.assigned = {}

    def send(self, **other):
        body = dict(GroupId=self.group, MemberId=self.name, MemberEpoch=self.epoch, RackId=None,
                    SubscribedTopicNames=self.topics if self.epoch == 0 else None)
        body.update(other)
        return self.link.call("ShareGroupHeartbeat", 1, **body)

    def beat(self, **other):
        answer = self.send(**other)
        assert answer["ErrorCode"] == 0, answer
        self.epoch = answer["MemberEpoch"]
        if answer["Assignment"] is not None:
            self.assigned = {tp["TopicId"]: tp["Partitions"] for tp in answer["Assignment"]["TopicPartitions"]}
        return answer

    def beat_until(self, wanted):
        """wanted: {topic id: partitions}"""
        deadline = time.monotonic() + 60
        while {k: sorted(v) for k, v in self.assigned.items()} != wanted:
            assert time.monotonic() < deadline, self.assigned
            self.beat()
            time.sleep(0.05)

    def leave(self):
        return self.send(MemberEpoch=-1)


def begin(t, partitions=2):
    c = datakit.begin(t)
    topic = datakit.Topic(c, partitions=partitions)
    group = t.name("sg")
    coordinator_is_there(t, group)
    return c, topic, group


def errors(answer):
    return datakit.name_of(answer["ErrorCode"]), answer["ErrorMessage"]


def describe(c, group):
    return c.call("ShareGroupDescribe", 1, GroupIds=[group], IncludeAuthorizedOperations=False)["Groups"][0]


def case_a_member_joins_and_is_assigned_what_is_begun(t):
    c, topic, group = begin(t)
    m = Member(t, group, [topic.name])
    answer = m.beat()
    datakit.same((0, None, m.name, 2, 5000, {"TopicPartitions": []}),
                 tuple(answer[k] for k in ("ErrorCode", "ErrorMessage", "MemberId", "MemberEpoch", "HeartbeatIntervalMs",
                                           "Assignment")))
    m.beat_until({topic.id: [0, 1]})
    datakit.same(3, m.epoch)
    datakit.same(None, m.beat()["Assignment"])
    datakit.same({"TopicPartitions": [{"TopicId": topic.id, "Partitions": [0, 1]}]},
                 m.beat(SubscribedTopicNames=[topic.name])["Assignment"])
    datakit.same((0, -1, -1), tuple(shares.summary(c, group, topic.id, p)[k] for p, k in (
        (0, "ErrorCode"), (0, "StartOffset"), (1, "StartOffset"))))
    datakit.same(2, shares.summary(c, group, topic.id)["StateEpoch"])
    got = describe(c, group)
    datakit.same(("Stable", 3, 3, "simple"),
                 tuple(got[k] for k in ("GroupState", "GroupEpoch", "AssignmentEpoch", "AssignorName")))
    one = got["Members"][0]
    datakit.same((m.name, None, 3, "twin", "/127.0.0.1", [topic.name]),
                 tuple(one[k] for k in ("MemberId", "RackId", "MemberEpoch", "ClientId", "ClientHost",
                                        "SubscribedTopicNames")))
    datakit.same([{"TopicId": topic.id, "TopicName": topic.name, "Partitions": [0, 1]}],
                 one["Assignment"]["TopicPartitions"])


def case_members_share_partitions(t):
    c, topic, group = begin(t, partitions=1)
    a, b = Member(t, group, [topic.name]), Member(t, group, [topic.name])
    a.beat()
    a.beat_until({topic.id: [0]})
    b.beat()
    b.beat_until({topic.id: [0]})
    a.beat_until({topic.id: [0]})


def case_malformed_heartbeats(t):
    c, topic, group = begin(t)
    m = Member(t, group, [topic.name])
    datakit.same(("INVALID_REQUEST", None), errors(m.send(MemberId="")))
    datakit.same(("INVALID_REQUEST", None), errors(m.send(MemberId="x" * 37)))
    datakit.same(("INVALID_REQUEST", "GroupId can't be empty."), errors(m.send(GroupId="")))
    datakit.same(("INVALID_REQUEST", "RackId can't be empty."), errors(m.send(RackId="")))
    datakit.same(("INVALID_REQUEST", "SubscribedTopicNames must be set in first request."),
                 errors(m.send(SubscribedTopicNames=None)))
    datakit.same(("INVALID_REQUEST", "SubscribedTopicNames must be set in first request."),
                 errors(m.send(SubscribedTopicNames=[])))
    datakit.same(("INVALID_REQUEST", "MemberEpoch is invalid."), errors(m.send(MemberEpoch=-2)))


def case_epochs_and_names_that_are_wrong(t):
    c, topic, group = begin(t)
    m = Member(t, group, [topic.name])
    datakit.same(("GROUP_ID_NOT_FOUND", "Share group %s not found." % group), errors(m.send(MemberEpoch=1)))
    datakit.same(("GROUP_ID_NOT_FOUND", "Group %s not found." % group), errors(m.leave()))
    m.beat()
    m.beat_until({topic.id: [0, 1]})
    datakit.same(WRONG_EPOCH, errors(m.send(MemberEpoch=9))[0])
    datakit.same(0, m.send(MemberEpoch=m.epoch - 1)["ErrorCode"]) # the one before: the answer may have been lost
    other = Member(t, group, [topic.name])
    datakit.same(("UNKNOWN_MEMBER_ID", "Member %s is not a member of group %s." % (other.name, group)),
                 errors(other.send(MemberEpoch=1)))
    datakit.same(("UNKNOWN_MEMBER_ID", "Member %s is not a member of group %s." % (other.name, group)),
                 errors(other.leave()))
    left = m.leave()
    datakit.same((0, m.name, -1, 0, None), tuple(left[k] for k in ("ErrorCode", "MemberId", "MemberEpoch",
                                                                   "HeartbeatIntervalMs", "Assignment")))
    datakit.same(("Empty", 4, []), tuple(describe(c, group)[k] for k in ("GroupState", "GroupEpoch", "Members")))


def case_topics_come_and_go(t):
    c, topic, group = begin(t, partitions=1)
    second = datakit.Topic(c)
    m = Member(t, group, [topic.name])
    m.beat()
    m.beat_until({topic.id: [0]})
    m.topics = [topic.name, second.name]
    m.beat(SubscribedTopicNames=m.topics)
    m.beat_until({topic.id: [0], second.id: [0]})
    c.call("CreatePartitions", 3, TimeoutMs=30000, ValidateOnly=False,
           Topics=[{"Name": topic.name, "Count": 2, "Assignments": None}])
    m.beat_until({topic.id: [0, 1], second.id: [0]})
    m.beat(SubscribedTopicNames=[second.name])
    m.beat_until({second.id: [0]})


def case_groups_are_listed_by_type(t):
    c, topic, group = begin(t)
    Member(t, group, [topic.name]).beat()
    found = [g for g in c.call("ListGroups", 5, StatesFilter=[], TypesFilter=["share"])["Groups"]
             if g["GroupId"] == group]
    datakit.same([{"GroupId": group, "ProtocolType": "share", "GroupState": "Stable", "GroupType": "share"}], found)
    found = c.call("DescribeGroups", 6, Groups=[group], IncludeAuthorizedOperations=False)["Groups"][0]
    datakit.same(("GROUP_ID_NOT_FOUND", "Group %s is not a classic group." % group, "Dead"),
                 (datakit.name_of(found["ErrorCode"]), found["ErrorMessage"], found["GroupState"]))
    got = describe(c, t.name("nobody"))
    datakit.same("GROUP_ID_NOT_FOUND", datakit.name_of(got["ErrorCode"]))


def offsets(c, group, topics=None, version=1):
    got = c.call("DescribeShareGroupOffsets", version, Groups=[{"GroupId": group, "Topics": topics}])["Groups"][0]
    datakit.same((group, 0, None), (got["GroupId"], got["ErrorCode"], got["ErrorMessage"]))
    return {(x["TopicName"], p["PartitionIndex"]): (p["StartOffset"], p.get("Lag"), p["ErrorCode"])
            for x in got["Topics"] for p in x["Partitions"]}


def case_offsets_are_described_altered_and_deleted(t):
    c, topic, group = begin(t)
    for _ in range(2):
        datakit.produce(c, 12, topic, (0, datakit.batch([b"1", b"2", b"3"])))
    datakit.same({}, offsets(c, group))
    m = Member(t, group, [topic.name])
    m.beat()
    m.beat_until({topic.id: [0, 1]})
    datakit.same({(topic.name, 0): (-1, -1, 0), (topic.name, 1): (-1, -1, 0)}, offsets(c, group))
    alter = dict(GroupId=group, Topics=[
        {"TopicName": topic.name, "Partitions": [{"PartitionIndex": 0, "StartOffset": 2},
                                                 {"PartitionIndex": 7, "StartOffset": 2}]},
        {"TopicName": "nowhere", "Partitions": [{"PartitionIndex": 0, "StartOffset": 2}]}])
    datakit.same(("NON_EMPTY_GROUP", "The group is not empty."), errors(c.call("AlterShareGroupOffsets", 0, **alter)))
    forget = dict(GroupId=group, Topics=[{"TopicName": topic.name}, {"TopicName": "nowhere"}])
    datakit.same(("NON_EMPTY_GROUP", "The group is not empty."), errors(c.call("DeleteShareGroupOffsets", 0, **forget)))
    m.leave()
    answer = c.call("AlterShareGroupOffsets", 0, **alter)
    datakit.same((0, {(topic.name, 0): 0, (topic.name, 7): 3, ("nowhere", 0): 3}),
                 (answer["ErrorCode"], {(x["TopicName"], p["PartitionIndex"]): p["ErrorCode"]
                                        for x in answer["Responses"] for p in x["Partitions"]}))
    datakit.same({(topic.name, 0): (2, 4, 0), (topic.name, 1): (-1, -1, 0)}, offsets(c, group))
    datakit.same({(topic.name, 0): (2, 4, 0), ("nowhere", 1): (-1, -1, 0)},
                 offsets(c, group, [{"TopicName": topic.name, "Partitions": [0]},
                                    {"TopicName": "nowhere", "Partitions": [1]}]))
    answer = c.call("DeleteShareGroupOffsets", 0, **forget)
    datakit.same((0, {topic.name: (0, None), "nowhere": (3, "This server does not host this topic-partition.")}),
                 (answer["ErrorCode"], {x["TopicName"]: (x["ErrorCode"], x["ErrorMessage"])
                                        for x in answer["Responses"]}))
    datakit.same({}, offsets(c, group))
    answer = c.call("DeleteShareGroupOffsets", 0, GroupId=group, Topics=[{"TopicName": topic.name}])
    datakit.same({topic.name: (3, "There is no offset information to delete.")},
                 {x["TopicName"]: (x["ErrorCode"], x["ErrorMessage"]) for x in answer["Responses"]})
    nobody = t.name("nobody")
    datakit.same(("GROUP_ID_NOT_FOUND", "Group %s not found." % nobody), errors(
        c.call("DeleteShareGroupOffsets", 0, GroupId=nobody, Topics=[{"TopicName": topic.name}])))


def case_a_group_is_deleted_with_its_state(t):
    c, topic, group = begin(t)
    m = Member(t, group, [topic.name])
    m.beat()
    m.beat_until({topic.id: [0, 1]})
    delete = lambda: datakit.name_of(c.call("DeleteGroups", 2, GroupsNames=[group])["Results"][0]["ErrorCode"])
    datakit.same("NON_EMPTY_GROUP", delete())
    m.leave()
    datakit.same("NONE", delete())
    datakit.same("GROUP_ID_NOT_FOUND", delete())
    datakit.same(0, shares.summary(c, group, topic.id)["StateEpoch"])
    datakit.same("GROUP_ID_NOT_FOUND", datakit.name_of(describe(c, group)["ErrorCode"]))


def case_sessions_end_and_groups_outlive_the_broker(t):
    c, topic, group = begin(t)
    m = Member(t, group, [topic.name])
    m.beat()
    m.beat_until({topic.id: [0, 1]})
    t.broker.kill9()
    t.broker.start()
    coordinator_is_there(t, group)
    m.link = t.connect()
    datakit.same((3, None), tuple(m.beat()[k] for k in ("MemberEpoch", "Assignment")))
    datakit.same({topic.id: [0, 1]}, {x["TopicId"]: x["Partitions"] for x in
                                      describe(m.link, group)["Members"][0]["Assignment"]["TopicPartitions"]})


def case_a_group_says_how_often_its_members_beat_and_how_long_they_are_waited_for(t):
    c, topic, group = begin(t)
    datakit.alter(c, "group", group, share_heartbeat_interval_ms="700", share_session_timeout_ms="1500")
    a = Member(t, group, [topic.name])
    wait_for(lambda: a.beat()["HeartbeatIntervalMs"] == 700, "the setting")
    datakit.same([a.name], [m["MemberId"] for m in describe(c, group)["Members"]])
    wait_for(lambda: describe(c, group)["Members"] == [], "the end of its session")
    datakit.same((("UNKNOWN_MEMBER_ID", "Member %s is not a member of group %s." % (a.name, group)), "Empty"),
                 (errors(a.send()), describe(c, group)["GroupState"]))
