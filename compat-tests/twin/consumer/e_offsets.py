# SPDX-License-Identifier: Apache-2.0
"""Offsets of consumer groups: with member epochs, fetched, deleted, and who may."""
from member import Member, join_all, new_group
from newmember import NewMember, describe, ids_of, settle


def fetch(t, group, topic, version=9, **more):
    asked = dict(dict(GroupId=group, MemberId=None, MemberEpoch=-1,
                      Topics=[{"Name": topic, "PartitionIndexes": [0]}]), **more)
    answer = t.connect().call("OffsetFetch", version, Groups=[asked], RequireStable=False)["Groups"][0]
    if answer["ErrorCode"]:
        return t.error(answer["ErrorCode"])
    return answer["Topics"][0]["Partitions"][0]["CommittedOffset"]


def case_epochs(t):
    topic, group = t.topic(4), new_group(t)
    a, b = NewMember(t, group, [topic]), NewMember(t, group, [topic])
    a.join()
    a.beat()
    assert a.commit(topic, 1) == "NONE"
    assert a.commit(topic, 1, GenerationIdOrMemberEpoch=9) == "STALE_MEMBER_EPOCH"
    assert a.commit(topic, 1, GenerationIdOrMemberEpoch=1) == "STALE_MEMBER_EPOCH"
    assert a.commit(topic, 1, GenerationIdOrMemberEpoch=-1) == "STALE_MEMBER_EPOCH"
    assert a.commit(topic, 1, MemberId="nobody") == "UNKNOWN_MEMBER_ID"
    assert a.commit(topic, 1, MemberId="", GenerationIdOrMemberEpoch=-1) == "UNKNOWN_MEMBER_ID"
    assert a.commit(topic, 1, version=8) == "UNSUPPORTED_VERSION"
    b.join()
    settle(a, b)
    mine, his = [next(iter(m.owned.values())) for m in (a, b)]
    # With the epoch at which it was assigned what it kept: accepted. For what is another's now: not.
    assert a.commit(topic, 2, partition=min(mine), GenerationIdOrMemberEpoch=2) == "NONE"
    assert a.commit(topic, 2, partition=min(his), GenerationIdOrMemberEpoch=2) == "STALE_MEMBER_EPOCH"
    assert a.commit(topic, 2, partition=min(his)) == "NONE"
    assert b.commit(topic, 2, partition=min(his), GenerationIdOrMemberEpoch=2) == "STALE_MEMBER_EPOCH"
    _, ids = ids_of(t, topic)
    answer = a.link.call("OffsetCommit", 10, GroupId=group, GenerationIdOrMemberEpoch=a.epoch, MemberId=a.id, Topics=[
        {"TopicId": ids[topic], "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 9, "CommittedMetadata": ""}]}])
    assert answer["Topics"][0]["Partitions"][0]["ErrorCode"] == 0, answer
    assert fetch(t, group, topic) == 9


def case_fetched_by_whom(t):
    topic, group = t.topic(1), new_group(t)
    a = NewMember(t, group, [topic])
    a.join()
    a.commit(topic, 3)
    assert fetch(t, group, topic) == 3
    assert fetch(t, group, topic, MemberId=a.id, MemberEpoch=2) == 3
    assert fetch(t, group, topic, MemberId=a.id, MemberEpoch=1) == "STALE_MEMBER_EPOCH"
    assert fetch(t, group, topic, MemberId=a.id, MemberEpoch=3) == "STALE_MEMBER_EPOCH"
    assert fetch(t, group, topic, MemberId="nobody", MemberEpoch=2) == "UNKNOWN_MEMBER_ID"
    assert fetch(t, group, topic, MemberId="", MemberEpoch=2) == "UNKNOWN_MEMBER_ID"
    assert fetch(t, t.name("nobody"), topic, MemberId=a.id, MemberEpoch=2) == -1


def case_by_hand_when_empty(t):
    topic, group = t.topic(1), new_group(t)
    a = NewMember(t, group, [topic])
    a.join()
    a.leave()
    assert a.commit(topic, 4, MemberId="", GenerationIdOrMemberEpoch=-1) == "NONE"
    assert a.commit(topic, 4, MemberId="x", GenerationIdOrMemberEpoch=3) == "UNKNOWN_MEMBER_ID"
    assert fetch(t, group, topic) == 4
    assert describe(t, group)["GroupState"] == "Empty"


def delete(t, group, *topics):
    answer = t.connect().call("OffsetDelete", 0, GroupId=group, Topics=[
        {"Name": name, "Partitions": [{"PartitionIndex": p} for p in partitions]} for name, partitions in topics])
    return t.error(answer["ErrorCode"]), {
        x["Name"]: {p["PartitionIndex"]: t.error(p["ErrorCode"]) for p in x["Partitions"]} for x in answer["Topics"]}


def case_deleted(t):
    used, other, group = t.topic(1), t.topic(2), new_group(t)
    a = NewMember(t, group, [used])
    a.join()
    for topic in (used, other):
        assert a.commit(topic, 5) == "NONE"
    assert delete(t, group, (used, [0]), (other, [0, 1, 7]), ("no-such-topic", [0])) == ("NONE", {
        used: {0: "GROUP_SUBSCRIBED_TO_TOPIC"}, "no-such-topic": {0: "UNKNOWN_TOPIC_OR_PARTITION"},
        other: {0: "NONE", 1: "NONE", 7: "UNKNOWN_TOPIC_OR_PARTITION"}})
    assert (fetch(t, group, used), fetch(t, group, other)) == (5, -1)
    assert delete(t, t.name("nobody"), (used, [0])) == ("GROUP_ID_NOT_FOUND", {})
    assert delete(t, t.name("nobody")) == ("GROUP_ID_NOT_FOUND", {})
    assert delete(t, "", (used, [0])) == ("INVALID_GROUP_ID", {})
    assert delete(t, group) == ("NONE", {})


def case_deleted_of_classic_groups(t):
    topic = t.topic(1)
    simple = NewMember(t, new_group(t), [topic])
    assert simple.commit(topic, 1, MemberId="", GenerationIdOrMemberEpoch=-1) == "NONE"
    assert delete(t, simple.group, (topic, [0])) == ("NONE", {topic: {0: "NONE"}})
    assert fetch(t, simple.group, topic) == -1
    for type_, expected in (("consumer", ("NONE", {topic: {0: "NONE"}})), ("other", ("NON_EMPTY_GROUP", {}))):
        member = Member(t, new_group(t), type_=type_)
        join_all(member)
        assert delete(t, member.group, (topic, [0])) == expected, type_
    member = Member(t, new_group(t), protocols=(("range", b"\0\0\0\0\0\1" + len(topic).to_bytes(2, "big") +
                                                 topic.encode() + b"\xff\xff\xff\xff"),))
    join_all(member)
    assert delete(t, member.group, (topic, [0])) == ("NONE", {topic: {0: "GROUP_SUBSCRIBED_TO_TOPIC"}})


def case_groups_are_deleted(t):
    topic, group = t.topic(1), new_group(t)
    a = NewMember(t, group, [topic])
    a.join()
    link = t.connect()

    def deleted():
        return t.error(link.call("DeleteGroups", 2, GroupsNames=[group])["Results"][0]["ErrorCode"])
    assert deleted() == "NON_EMPTY_GROUP"
    a.commit(topic, 5)
    a.leave()
    assert deleted() == "NONE" and deleted() == "GROUP_ID_NOT_FOUND"
    assert fetch(t, group, topic) == -1
    assert t.error(describe(t, group)["ErrorCode"]) == "GROUP_ID_NOT_FOUND"
    assert NewMember(t, group, [topic]).join()["MemberEpoch"] == 2
