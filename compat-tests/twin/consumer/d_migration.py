# SPDX-License-Identifier: Apache-2.0
"""Groups that change their protocol while they live, and both kinds of members in one group (KIP-848)."""
from member import Member, coordinator_is_there, describe as describe_classic, join_all, new_group
from newmember import NewMember, describe, settle, sizes
from oldmember import Old, assigned, assignment, classic_group


def case_an_upgrade(t):
    topic = t.topic(4)
    a = classic_group(t, topic, 4)
    generation = a.generation
    b = NewMember(t, a.group, [topic])
    answer = b.join()
    assert (answer["ErrorCode"], answer["MemberEpoch"], b.partitions()) == (0, generation + 1, 0), answer
    d = describe(t, a.group)
    assert (d["GroupEpoch"], d["AssignmentEpoch"], sizes(d)) == \
        (generation + 1, generation + 1, {a.id: (4, 2), b.id: (0, 2)}), d
    assert {m["MemberId"]: m["MemberType"] for m in d["Members"]} == {a.id: 0, b.id: 1}, d
    assert t.error(describe_classic(t, a.group, 6)["ErrorCode"]) == "GROUP_ID_NOT_FOUND"
    assert a.heartbeat() == "REBALANCE_IN_PROGRESS"
    answer = a.rejoin()
    assert (answer["ErrorCode"], answer["GenerationId"], answer["Leader"], answer["Members"], answer["ProtocolName"],
            answer["ProtocolType"], answer["SkipAssignment"]) == \
        (0, generation, "", [], "range", "consumer", False), answer
    assert len(a.owned) == 2, a.owned
    assert a.heartbeat() == "REBALANCE_IN_PROGRESS"  # it gave up two: rejoin to say so
    assert a.rejoin()["GenerationId"] == generation + 1
    assert a.heartbeat() == "NONE"
    b.beat()
    assert b.partitions() == 2 and len(a.owned) == 2


def case_a_downgrade(t):
    topic = t.topic(4)
    a = classic_group(t, topic, 4)
    b = NewMember(t, a.group, [topic])
    b.join()
    while a.heartbeat() == "REBALANCE_IN_PROGRESS":
        a.rejoin()
    b.beat()
    b.beat()
    b.leave()
    d = describe_classic(t, a.group, 6)
    assert (d["ErrorCode"], d["GroupState"], d["ProtocolType"]) == (0, "PreparingRebalance", "consumer"), d
    assert [m["MemberId"] for m in d["Members"]] == [a.id], d
    assert t.error(describe(t, a.group)["ErrorCode"]) == "GROUP_ID_NOT_FOUND"
    assert a.heartbeat() == "REBALANCE_IN_PROGRESS"
    epoch = a.generation
    answer = a.join()
    assert (answer["ErrorCode"], answer["Leader"], answer["GenerationId"]) == (0, a.id, epoch + 1), answer
    assert a.sync({a: assignment([(topic, range(4))])})["ErrorCode"] == 0
    assert describe_classic(t, a.group)["GroupState"] == "Stable"


def case_a_classic_member_joins_a_consumer_group(t):
    topic, group = t.topic(4), new_group(t)
    a = NewMember(t, group, [topic])
    a.join()
    a.beat()
    b = Old(t, group, topic)
    first = b.take_id()
    assert first["MemberId"] and describe(t, group)["GroupEpoch"] == 2, first
    answer = b.rejoin()
    assert (answer["ErrorCode"], answer["GenerationId"]) == (0, 3) and b.owned == set(), answer
    assert b.heartbeat() == "NONE"  # a has not given up yet
    a.beat(), a.beat()
    assert b.heartbeat() == "REBALANCE_IN_PROGRESS"
    assert b.rejoin()["GenerationId"] == 3 and len(b.owned) == 2
    assert b.heartbeat() == "NONE"
    assert b.heartbeat(GenerationId=2) == "ILLEGAL_GENERATION"
    assert t.error(b.sync(GenerationId=9)["ErrorCode"]) == "ILLEGAL_GENERATION"
    assert t.error(b.sync(ProtocolName="other")["ErrorCode"]) == "INCONSISTENT_GROUP_PROTOCOL"
    assert b.commit(topic, 5) == "NONE" and b.commit(topic, 5, GenerationIdOrMemberEpoch=9) == "ILLEGAL_GENERATION"
    assert a.call(MemberEpoch=a.epoch)["ErrorCode"] == 0
    # A member of the new protocol has nothing to say by the old one.
    stranger = Member(t, group)
    stranger.id, stranger.generation = a.id, a.epoch
    assert stranger.heartbeat() == "UNKNOWN_MEMBER_ID"
    assert b.leave() == "NONE"
    settle(a)
    assert a.partitions() == 4


def case_who_may_not_join(t):
    topic, group = t.topic(1), new_group(t)
    a = NewMember(t, group, [topic])
    a.join()
    other = Member(t, group, type_="other")
    other.send_join()
    answer = other.link.receive()
    assert t.error(answer["ErrorCode"]) == "INCONSISTENT_GROUP_PROTOCOL" and answer["MemberId"] == "", answer
    classic = Member(t, t.name("streams"), type_="stream")
    coordinator_is_there(t, classic.group)
    join_all(classic)
    answer = NewMember(t, classic.group, [topic]).join()
    assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == (
        "GROUP_ID_NOT_FOUND", "Cannot upgrade classic group %s to consumer group because the group does not use the "
        "consumer embedded protocol." % classic.group), answer
    custom = classic_group(t, topic, 1)
    custom.join()
    custom.sync({custom: assignment([(topic, [0])], data=b"mine")})
    answer = NewMember(t, custom.group, [topic]).join()
    assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == (
        "GROUP_ID_NOT_FOUND", "Cannot upgrade classic group %s to consumer group because an unsupported custom "
        "assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting "
        "the upgrade." % custom.group), answer


def case_empty_groups_change_at_once(t):
    topic = t.topic(2)
    a = classic_group(t, topic, 2)
    assert a.commit(topic, 7) == "NONE"
    a.leave()
    b = NewMember(t, a.group, [topic])
    answer = b.join()
    assert (answer["ErrorCode"], answer["MemberEpoch"], b.partitions()) == (0, 2, 2), answer
    b.leave()
    c = Old(t, a.group, topic)
    join_all(c)
    assert c.generation == 1 and describe_classic(t, a.group)["GroupState"] == "CompletingRebalance"
    fetched = t.connect().call("OffsetFetch", 9, Groups=[{"GroupId": a.group, "MemberId": None, "MemberEpoch": -1,
                                                          "Topics": [{"Name": topic, "PartitionIndexes": [0]}]}],
                               RequireStable=False)["Groups"][0]
    assert fetched["Topics"][0]["Partitions"][0]["CommittedOffset"] == 7, fetched


def case_a_static_member_changes_its_protocol_and_back(t):
    topic = t.topic(2)
    a = classic_group(t, topic, 2, instance="a")
    b = NewMember(t, a.group, [topic], instance="a")
    answer = b.join()
    assert answer["ErrorCode"] == 0 and b.partitions() == 2, answer
    assert a.heartbeat() == "FENCED_INSTANCE_ID"
    epoch = b.epoch
    c = Old(t, a.group, topic, instance="a")
    answer = c.join()
    assert (answer["ErrorCode"], answer["GenerationId"]) == (0, epoch), answer
    d = describe_classic(t, a.group, 6)
    assert (d["ErrorCode"], d["GroupState"]) == (0, "Stable"), d
    synced = c.sync()
    assert assigned(synced["Assignment"]) == {topic: {0, 1}}, synced
    assert c.heartbeat() == "NONE"
