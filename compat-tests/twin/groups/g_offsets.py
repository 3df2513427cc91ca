# SPDX-License-Identifier: Apache-2.0
"""Committed offsets at the edges: empty, long and repeated names, odd offsets, who may commit at each version, topics
that were made anew, offsets deleted by hand (KIP-496) and with their group."""
import topics
from member import Member, coordinator_is_there, describe, leader_of, new_group, settle, subscription, wait_for
from producer import ABORT, COMMIT, Producer, settled

NOTHING = {"CommittedOffset": -1, "CommittedLeaderEpoch": -1, "Metadata": "", "ErrorCode": 0}
NO_ID = bytes(16)


def part(partition, offset, metadata="", **other):
    return dict(other, PartitionIndex=partition, CommittedOffset=offset, CommittedMetadata=metadata)


def commit(t, group, asked, version=9, **other):
    """asked: (name or id, [partitions]); the answer alike, with the names of the errors."""
    key = "TopicId" if version >= 10 else "Name"
    answer = t.connect().call("OffsetCommit", version, GroupId=group, Topics=[
        {key: topic, "Partitions": partitions} for topic, partitions in asked], **other)
    assert answer.get("ThrottleTimeMs", 0) == 0
    return [(topic[key], [(p["PartitionIndex"], t.error(p["ErrorCode"])) for p in topic["Partitions"]])
            for topic in answer["Topics"]]


def commit_one(t, group, topic, offset, version=9, partition=0, **other):
    (_, ((_, error),)), = commit(t, group, [(topic, [part(partition, offset)])], version, **other)
    return error


def fetched(t, group, asked, version=9, **other):
    """asked: (name or id, [partitions]), or None for all. The answer alike: (partition, offset or error)."""
    key = "TopicId" if version >= 10 else "Name"
    if asked is not None:
        asked = [{key: topic, "PartitionIndexes": partitions} for topic, partitions in asked]
    if version >= 8:
        groups = [dict(other, GroupId=group, Topics=asked)]
        answer = t.connect().call("OffsetFetch", version, Groups=groups)["Groups"][0]
    else:
        answer = t.connect().call("OffsetFetch", version, GroupId=group, Topics=asked)
    assert answer.get("ErrorCode", 0) == 0, answer
    return [(topic[key], [(p["PartitionIndex"], t.error(p["ErrorCode"]) if p["ErrorCode"] else p["CommittedOffset"])
                          for p in topic["Partitions"]]) for topic in answer["Topics"]]


def delete_offsets(t, group, asked):
    """The error of the whole, or as commit."""
    answer = t.connect().call("OffsetDelete", 0, GroupId=group, Topics=[
        {"Name": topic, "Partitions": [{"PartitionIndex": p} for p in partitions]} for topic, partitions in asked])
    if answer["ErrorCode"]:
        assert answer["Topics"] == [], answer
        return t.error(answer["ErrorCode"])
    return [(topic["Name"], [(p["PartitionIndex"], t.error(p["ErrorCode"])) for p in topic["Partitions"]])
            for topic in answer["Topics"]]


def delete_groups(t, *groups, version=2):
    results = t.connect().call("DeleteGroups", version, GroupsNames=list(groups))["Results"]
    return sorted((r["GroupId"], t.error(r["ErrorCode"])) for r in results)


# ---- names ---------------------------------------------------------------------------------------------------------

def case_the_group_without_a_name(t):
    coordinator_is_there(t, new_group(t))
    topic = t.topic()
    id_ = topics.topic_id(t, topic)
    for version in range(2, 11):
        assert commit_one(t, "", id_ if version >= 10 else topic, 10 + version, version) == "NONE"
        for fetching in range(1, 11):
            which = id_ if fetching >= 10 else topic
            assert fetched(t, "", [(which, [0])], fetching) == [(which, [(0, 10 + version)])]
    assert fetched(t, "", None) == [(topic, [(0, 20)])]
    assert delete_offsets(t, "", [(topic, [0])]) == "INVALID_GROUP_ID"
    found = describe(t, "")
    assert (found["ErrorCode"], found["GroupState"], found["ProtocolType"]) == (0, "Empty", ""), found
    assert "" in [g["GroupId"] for g in t.connect().call("ListGroups", 5)["Groups"]]
    assert delete_groups(t, "") == [("", "NONE")]
    assert fetched(t, "", None) == []


def case_long_names(t):
    topic = t.topic()
    group = "é" * 15000
    coordinator_is_there(t, group)
    assert commit_one(t, group, topic, 7) == "NONE"
    assert fetched(t, group, [(topic, [0]), ("n" * 32000, [0])]) == [(topic, [(0, 7)]), ("n" * 32000, [(0, -1)])]
    assert commit(t, group, [("n" * 32000, [part(0, 1)]), ("", [part(0, 1)])]) == \
        [("n" * 32000, [(0, "UNKNOWN_TOPIC_OR_PARTITION")]), ("", [(0, "UNKNOWN_TOPIC_OR_PARTITION")])]


def case_named_twice_in_a_commit(t):
    a, b, group = t.topic(3), t.topic(1), new_group(t)
    known = [(a, [part(0, 1), part(0, 2), part(2, 5)]), (b, [part(0, 3)]), (a, [part(1, 4), part(0, 6)])]
    assert commit(t, group, known) == [(a, [(0, "NONE"), (0, "NONE"), (2, "NONE")]), (b, [(0, "NONE")]),
                                       (a, [(1, "NONE"), (0, "NONE")])]
    assert fetched(t, group, [(a, [0, 1, 2])]) == [(a, [(0, 6), (1, 4), (2, 5)])]
    mixed = [(a, [part(9, 1), part(0, 2)]), ("none", [part(0, 1), part(0, 1)]),
             (a, [part(8, 4), part(1, 6), part(9, 1)]), ("none", [part(3, 1)]), (b, [part(0, 5)]), (b, [part(-1, 5)])]
    answer = commit(t, group, mixed)
    none = "UNKNOWN_TOPIC_OR_PARTITION"
    assert answer == [(a, [(9, none), (8, none), (9, none), (0, "NONE"), (1, "NONE")]),
                      ("none", [(0, none), (0, none), (3, none)]), (b, [(-1, none), (0, "NONE")])], answer


def case_named_twice_in_a_fetch(t):
    a, group, other = t.topic(2), new_group(t), new_group(t)
    commit_one(t, group, a, 5)
    assert fetched(t, group, [(a, [0, 1, 0]), (a, [0])]) == [(a, [(0, 5), (1, -1), (0, 5)]), (a, [(0, 5)])]
    ask = {"GroupId": group, "Topics": [{"Name": a, "PartitionIndexes": [0]}]}
    for version in (8, 9):
        answer = t.connect().call("OffsetFetch", version, Groups=[ask, dict(ask, GroupId=other), ask])["Groups"]
        assert [g["GroupId"] for g in answer] == [group, other, group]
        assert [g["Topics"][0]["Partitions"][0]["CommittedOffset"] for g in answer] == [5, -1, 5]
        assert t.connect().call("OffsetFetch", version, Groups=[])["Groups"] == []


def case_nothing_in_a_request(t):
    topic, group = t.topic(), new_group(t)
    for version in range(2, 11):
        assert commit(t, group, [], version) == []
        which = topics.topic_id(t, topic) if version >= 10 else topic
        assert commit(t, group, [(which, [])], version) == []
    assert describe(t, group)["GroupState"] == "Dead"
    for version in range(1, 11):
        assert fetched(t, group, [], version) == []
        which = topics.topic_id(t, topic) if version >= 10 else topic
        assert fetched(t, group, [(which, [])], version) == [(which, [])]


def case_topics_without_an_id(t):
    topic, group = t.topic(), new_group(t)
    id_ = topics.topic_id(t, topic)
    assert commit(t, group, [(NO_ID, [part(0, 1)]), (id_, [part(0, 2)]), (NO_ID, [part(4, 1)])], 10) == [
        (NO_ID, [(0, "UNKNOWN_TOPIC_ID"), (4, "UNKNOWN_TOPIC_ID")]), (id_, [(0, "NONE")])]
    assert fetched(t, group, [(NO_ID, [0]), (id_, [0]), (NO_ID, [4, 5])], 10) == [
        (id_, [(0, 2)]), (NO_ID, [(0, "UNKNOWN_TOPIC_ID")]),
        (NO_ID, [(4, "UNKNOWN_TOPIC_ID"), (5, "UNKNOWN_TOPIC_ID")])]


# ---- what is committed ---------------------------------------------------------------------------------------------

def case_any_number_is_an_offset(t):
    topic, group = t.topic(), new_group(t)
    for offset in (0, -1, -2, -9223372036854775808, 9223372036854775807):
        for epoch in (-1, -7, 0, 2147483647):
            answer = commit(t, group, [(topic, [part(0, offset, CommittedLeaderEpoch=epoch)])])
            assert answer == [(topic, [(0, "NONE")])]
            found = t.connect().call("OffsetFetch", 9, Groups=[
                {"GroupId": group, "Topics": [{"Name": topic, "PartitionIndexes": [0]}]}])["Groups"][0]["Topics"][0]
            assert found["Partitions"] == [{"PartitionIndex": 0, "CommittedOffset": offset, "Metadata": "",
                                            "ErrorCode": 0, "CommittedLeaderEpoch": epoch}], found


def case_a_refused_commit_makes_no_group(t):
    topic, group = t.topic(), new_group(t)
    assert commit(t, group, [(topic, [part(0, 1, "x" * 11)])]) == [(topic, [(0, "OFFSET_METADATA_TOO_LARGE")])]
    assert describe(t, group)["GroupState"] == "Dead"
    nobody = new_group(t)
    assert commit_one(t, nobody, topic, 1, GenerationIdOrMemberEpoch=0) == "GROUP_ID_NOT_FOUND"
    assert describe(t, nobody)["GroupState"] == "Dead"


def case_limits_count_characters(t):
    topic, group = t.topic(4), new_group(t)
    texts = ("\U0001f600" * 5, "\U0001f600" * 5 + "x", "日" * 10, "日" * 11)
    assert commit(t, group, [(topic, [part(i, i, text) for i, text in enumerate(texts)])]) == [
        (topic, [(0, "NONE"), (1, "OFFSET_METADATA_TOO_LARGE"), (2, "NONE"), (3, "OFFSET_METADATA_TOO_LARGE")])]


def case_a_topic_made_anew_has_no_offsets(t):
    topic, group = t.topic(), new_group(t)
    old = topics.topic_id(t, topic)
    commit_one(t, group, topic, 5)
    t.connect().call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": topic}])
    wait_for(lambda: fetched(t, group, [(topic, [0])]) == [(topic, [(0, -1)])], "the offset is gone")
    topics.create(t.connect(), topic)
    new = topics.topic_id(t, topic)
    assert new != old
    assert fetched(t, group, [(old, [0]), (new, [0])], 10) == [(new, [(0, -1)]), (old, [(0, "UNKNOWN_TOPIC_ID")])]
    assert commit_one(t, group, old, 6, version=10) == "UNKNOWN_TOPIC_ID"
    assert commit_one(t, group, new, 7, version=10) == "NONE"
    assert fetched(t, group, [(topic, [0])]) == [(topic, [(0, 7)])]


# ---- who may commit ------------------------------------------------------------------------------------------------

def case_members_at_every_version(t):
    topic = t.topic()
    id_ = topics.topic_id(t, topic)
    a, = settle(Member(t, new_group(t), instance="i"))
    again = Member(t, a.group)
    for version in range(2, 11):
        which = id_ if version >= 10 else topic
        by = lambda offset, **who: commit_one(t, a.group, which, offset, version, **who)
        me = {"MemberId": a.id, "GenerationIdOrMemberEpoch": a.generation}
        assert by(version, **me) == "NONE"
        assert by(1, **dict(me, GenerationIdOrMemberEpoch=0)) == "ILLEGAL_GENERATION"
        assert by(1, **dict(me, GenerationIdOrMemberEpoch=-1)) == "ILLEGAL_GENERATION"
        assert by(1, MemberId="x", GenerationIdOrMemberEpoch=a.generation) == "UNKNOWN_MEMBER_ID"
        assert by(1) == "UNKNOWN_MEMBER_ID"
        if version >= 7:
            assert by(version, GroupInstanceId="i", **me) == "NONE"
            assert by(1, GroupInstanceId="z", **me) == "UNKNOWN_MEMBER_ID"
            assert by(1, GroupInstanceId="i", MemberId="x", GenerationIdOrMemberEpoch=1) == "FENCED_INSTANCE_ID"
        assert fetched(t, a.group, [(topic, [0])]) == [(topic, [(0, version)])]
    again.take_id()
    assert commit_one(t, a.group, topic, 1, MemberId=again.id, GenerationIdOrMemberEpoch=1) == "UNKNOWN_MEMBER_ID"


def case_a_fetch_does_not_ask_who(t):
    topic = t.topic()
    a, = settle(Member(t, new_group(t)))
    a.commit(topic, 3)
    for who in ({}, {"MemberId": "x", "MemberEpoch": 7}, {"MemberId": a.id, "MemberEpoch": 99}):
        assert fetched(t, a.group, [(topic, [0])], **who) == [(topic, [(0, 3)])]


# ---- deleting ------------------------------------------------------------------------------------------------------

def case_offsets_are_deleted(t):
    topic, other, group = t.topic(3), t.topic(), new_group(t)
    commit(t, group, [(topic, [part(0, 1), part(1, 2), part(2, 3)]), (other, [part(0, 4)])])
    none = "UNKNOWN_TOPIC_OR_PARTITION"
    assert delete_offsets(t, group, [(topic, [0, 7, 0]), ("none", [0, 0]), (topic, [2, 7]), (other, [])]) == [
        (topic, [(7, none), (7, none), (0, "NONE"), (0, "NONE"), (2, "NONE")]), ("none", [(0, none), (0, none)])]
    assert fetched(t, group, [(topic, [0, 1, 2]), (other, [0])]) == [
        (topic, [(0, -1), (1, 2), (2, -1)]), (other, [(0, 4)])]
    assert delete_offsets(t, group, [(topic, [0])]) == [(topic, [(0, "NONE")])] # there is none any more
    assert delete_offsets(t, group, []) == []
    assert delete_offsets(t, new_group(t), [(topic, [0])]) == "GROUP_ID_NOT_FOUND"
    assert delete_offsets(t, new_group(t), []) == "GROUP_ID_NOT_FOUND"
    delete_offsets(t, group, [(topic, [1]), (other, [0])])
    assert describe(t, group)["GroupState"] == "Empty" # without offsets it is still there


def case_offsets_of_topics_in_use_stay(t):
    used, free, group = t.topic(), t.topic(), new_group(t)
    a, b = settle(*[Member(t, group, protocols=(("range", subscription(s)),)) for s in (used, "else")])
    a.commit(used, 1)
    a.commit(free, 2)
    assert delete_offsets(t, group, [(free, [0, 3]), (used, [0, 3])]) == [
        (free, [(3, "UNKNOWN_TOPIC_OR_PARTITION"), (0, "NONE")]),
        (used, [(3, "UNKNOWN_TOPIC_OR_PARTITION"), (0, "GROUP_SUBSCRIBED_TO_TOPIC")])]
    assert fetched(t, group, [(used, [0]), (free, [0])]) == [(used, [(0, 1)]), (free, [(0, -1)])]
    leader = leader_of((a, b))
    leader.send_join()
    wait_for(lambda: describe(t, group)["GroupState"] == "PreparingRebalance", "the rebalance")
    assert delete_offsets(t, group, [(used, [0])]) == [(used, [(0, "GROUP_SUBSCRIBED_TO_TOPIC")])]
    (b if leader is a else a).join()
    leader.joined()
    assert delete_offsets(t, group, [(used, [0])]) == [(used, [(0, "GROUP_SUBSCRIBED_TO_TOPIC")])]
    for m in (a, b):
        m.leave()
    assert delete_offsets(t, group, [(used, [0])]) == [(used, [(0, "NONE")])]


def case_offsets_of_members_that_say_nothing(t):
    topic, group = t.topic(), new_group(t)
    a, = settle(Member(t, group, protocols=(("range", b"\0"),))) # no subscription that one can read
    a.commit(topic, 1)
    assert delete_offsets(t, group, [(topic, [0])]) == [(topic, [(0, "GROUP_SUBSCRIBED_TO_TOPIC")])]
    other, = settle(Member(t, new_group(t), type_="connect"))
    other.commit(topic, 1)
    assert delete_offsets(t, other.group, [(topic, [0])]) == "NON_EMPTY_GROUP"
    other.leave()
    assert delete_offsets(t, other.group, [(topic, [0])]) == [(topic, [(0, "NONE")])]


def begun(t):
    group, p = new_group(t), Producer(t, t.name())
    assert p.init() == "NONE" and settled(p.add_offsets, group) == "NONE"
    return group, p


def case_a_deleted_offset_takes_what_is_pending(t):
    for commit_it in (COMMIT, ABORT):
        topic = t.topic(2)
        group, p = begun(t)
        assert p.commit_offsets(group, {(topic, 0): 5, (topic, 1): 6}) == "NONE"
        assert delete_offsets(t, group, [(topic, [0])]) == [(topic, [(0, "NONE")])]
        assert p.end(commit_it) == "NONE"
        p.reach("CompleteCommit" if commit_it else "CompleteAbort")
        assert fetched(t, group, [(topic, [0, 1])]) == [(topic, [(0, -1), (1, 6 if commit_it else -1)])]


def case_a_deleted_group_takes_what_is_pending(t):
    for committed in (False, True):
        topic = t.topic(2)
        group, p = begun(t)
        if committed:
            commit_one(t, group, topic, 1)
        assert p.commit_offsets(group, {(topic, 0): 5, (topic, 1): 6}) == "NONE"
        found = describe(t, group)
        assert (found["GroupState"], found["ProtocolType"]) == ("Empty", ""), found
        assert delete_groups(t, group, group, "none-" + group) == [
            (group, "NONE"), ("none-" + group, "GROUP_ID_NOT_FOUND")]
        assert describe(t, group)["GroupState"] == "Dead"
        assert p.end(COMMIT) == "NONE"
        p.reach("CompleteCommit")
        assert fetched(t, group, [(topic, [0, 1])]) == [(topic, [(0, -1), (1, -1)])]
        assert describe(t, group)["GroupState"] == "Dead"
        t.broker.kill9() # and so the log says
        t.broker.start()
        coordinator_is_there(t, group)
        assert fetched(t, group, [(topic, [0, 1])]) == [(topic, [(0, -1), (1, -1)])]
        assert describe(t, group)["GroupState"] == "Dead"


def case_what_is_pending_is_deleted_with_its_topic(t):
    topic = t.topic()
    group, p = begun(t)
    assert p.commit_offsets(group, {(topic, 0): 5}) == "NONE"
    t.connect().call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": topic}])
    ask = [{"GroupId": group, "Topics": [{"Name": topic, "PartitionIndexes": [0]}]}]
    stable = lambda: t.connect().call("OffsetFetch", 9, RequireStable=True, Groups=ask)["Groups"][0]["Topics"][0]
    wait_for(lambda: stable()["Partitions"][0]["ErrorCode"] == 0, "it is not pending any more")
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert fetched(t, group, None) == []


def case_an_empty_group_with_an_expected_member_is_deleted(t):
    member = Member(t, new_group(t))
    member.take_id()
    assert delete_groups(t, member.group) == [(member.group, "NONE")]
    assert t.error(member.join()["ErrorCode"]) == "UNKNOWN_MEMBER_ID"
    member.id = ""
    assert member.join()["GenerationId"] == 1
