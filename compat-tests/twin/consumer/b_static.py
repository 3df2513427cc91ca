# SPDX-License-Identifier: Apache-2.0
"""Static members of consumer groups: they leave for a while and come back under another id to the same partitions."""
from member import new_group
from newmember import NewMember, describe, settle, sizes


def two(t, group, topic):
    a, b = [NewMember(t, group, [topic], instance=i) for i in ("a", "b")]
    a.join(), b.join()
    return settle(a, b)


def case_comes_back_without_a_rebalance(t):
    topic, group = t.topic(4), new_group(t)
    a, b = two(t, group, topic)
    had, epoch = a.owned, describe(t, group)["GroupEpoch"]
    answer = a.leave(-2)
    assert (answer["ErrorCode"], answer["MemberId"], answer["MemberEpoch"]) == (0, a.id, -2), answer
    assert b.beat()["Assignment"] is None
    described = describe(t, group)
    assert {m["MemberId"]: m["MemberEpoch"] for m in described["Members"]}[a.id] == -2, described
    assert (described["GroupState"], described["GroupEpoch"]) == ("Reconciling", epoch), described
    again = NewMember(t, group, [topic], instance="a")
    answer = again.join()
    assert answer["ErrorCode"] == 0 and again.assigned == had and again.epoch == epoch, answer
    assert (describe(t, group)["GroupState"], describe(t, group)["GroupEpoch"]) == ("Stable", epoch)
    assert a.call(MemberEpoch=epoch)["ErrorCode"] != 0 and a.error() == "FENCED_INSTANCE_ID", a.last
    assert a.last["ErrorMessage"] == "Static member %s with instance id a was fenced by member %s." % (a.id, again.id)


def case_an_instance_that_is_there_is_not_taken(t):
    topic, group = t.topic(4), new_group(t)
    a, b = two(t, group, topic)
    other = NewMember(t, group, [topic], instance="a")
    answer = other.join()
    assert t.error(answer["ErrorCode"]) == "UNRELEASED_INSTANCE_ID", answer
    assert answer["ErrorMessage"] == ("Static member %s with instance id a cannot join the group because the instance "
                                      "id is owned by %s member." % (other.id, a.id)), answer
    assert a.beat()["ErrorCode"] == 0


def case_leaves_for_good(t):
    topic, group = t.topic(4), new_group(t)
    a, b = two(t, group, topic)
    assert a.leave(-1)["MemberEpoch"] == -1
    settle(b)
    assert sizes(describe(t, group)) == {b.id: (4, 4)}
    nobody = NewMember(t, group, [topic], instance="nobody")
    answer = nobody.call(MemberEpoch=1)
    assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == \
        ("UNKNOWN_MEMBER_ID", "Instance id nobody is unknown."), answer
    assert nobody.leave(-2)["ErrorCode"] and nobody.error() == "UNKNOWN_MEMBER_ID"


def case_comes_back_with_another_subscription(t):
    one, two_, group = t.topic(2), t.topic(3), new_group(t)
    a = NewMember(t, group, [one], instance="a")
    a.join()
    a.beat()
    a.leave(-2)
    again = NewMember(t, group, [two_], instance="a")
    answer = again.join()
    assert answer["ErrorCode"] == 0, answer
    assert (describe(t, group)["GroupEpoch"], again.epoch) == (3, 3), (answer, describe(t, group))
    assert again.partitions() == 3, answer


def case_is_removed_when_it_does_not_come_back(t):
    topic, group = t.topic(2), new_group(t)
    a = NewMember(t, group, [topic], instance="a")
    a.join()
    a.leave(-2)
    link = t.connect()
    answer = link.call("LeaveGroup", 5, GroupId=group, Members=[{"MemberId": "", "GroupInstanceId": "a"},
                                                              {"MemberId": "x", "GroupInstanceId": "b"}])
    assert [t.error(m["ErrorCode"]) for m in answer["Members"]] == ["NONE", "UNKNOWN_MEMBER_ID"], answer
    assert describe(t, group)["GroupState"] == "Empty"
