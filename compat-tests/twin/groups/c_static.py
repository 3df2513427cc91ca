# SPDX-License-Identifier: Apache-2.0
"""Static members (KIP-345, KIP-814): they return under a new id without a rebalance, and fence who was there."""
from member import RANGE, ROUND, Member, describe, leader_of, new_group, settle, subscription, wait_for


def case_a_static_member_joins_at_once(t):
    a = Member(t, new_group(t), instance="instance-a")
    answer = a.join()
    assert answer["ErrorCode"] == 0 and answer["MemberId"].startswith("instance-a-"), answer
    assert answer["Members"][0]["GroupInstanceId"] == "instance-a"
    a.sync({a: b"x"})
    assert describe(t, a.group)["Members"][0]["GroupInstanceId"] == "instance-a"


def case_a_leader_returns_without_a_rebalance(t):
    a, b = settle(*[Member(t, g, instance=i) for g in [new_group(t)] for i in ("a", "b")])
    leader = leader_of((a, b))
    again = Member(t, a.group, instance=leader.instance)
    answer = again.join()
    assert answer["GenerationId"] == leader.generation and answer["MemberId"] != leader.id, answer
    assert answer["Leader"] == answer["MemberId"] and answer["SkipAssignment"] is True, answer
    assert {m["GroupInstanceId"] for m in answer["Members"]} == {"a", "b"}, answer
    part = b"part 0" if leader is a else b"part 1"
    assert again.sync()["Assignment"] == part
    assert leader.heartbeat() == "FENCED_INSTANCE_ID"
    other = b if leader is a else a
    assert other.heartbeat() == again.heartbeat() == "NONE"


def case_before_version_9_a_returning_leader_hears_of_its_old_self(t):
    for version in (5, 8):
        a, = settle(Member(t, new_group(t), instance="a", version=version))
        again = Member(t, a.group, instance="a", version=version)
        answer = again.join()
        assert (answer["ErrorCode"], answer["Leader"], answer["Members"]) == (0, a.id, []), answer
        assert again.sync()["Assignment"] == b"part 0"


def case_a_follower_returns_without_a_rebalance(t):
    a, b = settle(*[Member(t, g, instance=i) for g in [new_group(t)] for i in ("a", "b")])
    leader = leader_of((a, b))
    follower = b if leader is a else a
    again = Member(t, a.group, instance=follower.instance)
    answer = again.join()
    assert (answer["GenerationId"], answer["Leader"], answer["SkipAssignment"], answer["Members"]) == \
        (leader.generation, leader.id, False, []), answer
    assert leader.heartbeat() == "NONE"


def case_other_protocols_rebalance(t):
    a, b = settle(*[Member(t, g, instance=i) for g in [new_group(t)] for i in ("a", "b")])
    assert a.protocol == "range"
    leader = leader_of((a, b))
    follower = b if leader is a else a
    again = Member(t, a.group, instance=follower.instance, protocols=(ROUND,))
    again.send_join()
    wait_for(lambda: leader.heartbeat() == "REBALANCE_IN_PROGRESS", "the rebalance")
    leader.join()
    again.joined()
    assert leader.protocol == again.protocol == "roundrobin"


def case_the_former_self_is_fenced_everywhere(t):
    a, = settle(Member(t, new_group(t), instance="a"))
    topic = t.topic()
    again = Member(t, a.group, instance="a")
    again.join()
    assert a.heartbeat() == "FENCED_INSTANCE_ID"
    assert t.error(a.sync()["ErrorCode"]) == "FENCED_INSTANCE_ID"
    assert a.commit(topic, 1) == "FENCED_INSTANCE_ID"
    answer = a.join()
    assert t.error(answer["ErrorCode"]) == "FENCED_INSTANCE_ID", answer
    assert (answer["MemberId"], answer["ProtocolType"], answer["ProtocolName"]) == (a.id, None, None), answer
    gone = a.link.call("LeaveGroup", 5, GroupId=a.group, Members=[{"MemberId": a.id, "GroupInstanceId": "a"}])
    assert t.error(gone["Members"][0]["ErrorCode"]) == "FENCED_INSTANCE_ID", gone
    assert again.heartbeat() == "NONE"


def case_a_join_that_waits_is_fenced(t):
    a, b = settle(*[Member(t, g, instance=i) for g in [new_group(t)] for i in ("a", "b")])
    leader = leader_of((a, b))
    leader.send_join() # waits for the other
    follower = b if leader is a else a
    wait_for(lambda: follower.heartbeat() == "REBALANCE_IN_PROGRESS", "the rebalance")
    again = Member(t, a.group, instance=leader.instance)
    again.send_join()
    answer = leader.link.receive()
    assert t.error(answer["ErrorCode"]) == "FENCED_INSTANCE_ID" and answer["MemberId"] == leader.id, answer
    follower.send_join()
    assert again.joined()["GenerationId"] == follower.joined()["GenerationId"] == leader.generation + 1


def case_an_instance_nobody_knows(t):
    a, = settle(Member(t, new_group(t), instance="a"))
    assert a.heartbeat(GroupInstanceId="z") == "UNKNOWN_MEMBER_ID"
    assert t.error(a.join(GroupInstanceId="z")["ErrorCode"]) == "UNKNOWN_MEMBER_ID"


def case_removed_by_instance(t):
    a, b = settle(*[Member(t, g, instance=i) for g in [new_group(t)] for i in ("a", "b")])
    answer = t.connect().call("LeaveGroup", 5, GroupId=a.group, Members=[
        {"MemberId": "", "GroupInstanceId": "a", "Reason": "moved"}, {"MemberId": "", "GroupInstanceId": "z"},
        {"MemberId": ""}, {"MemberId": b.id, "GroupInstanceId": "a"}])
    assert answer == {"ThrottleTimeMs": 0, "ErrorCode": 0, "Members": [
        {"MemberId": "", "GroupInstanceId": "a", "ErrorCode": 0},
        {"MemberId": "", "GroupInstanceId": "z", "ErrorCode": 25},
        {"MemberId": "", "GroupInstanceId": None, "ErrorCode": 25},
        {"MemberId": b.id, "GroupInstanceId": "a", "ErrorCode": 25}]}, answer
    assert b.heartbeat() == "REBALANCE_IN_PROGRESS"
    assert a.heartbeat() == "UNKNOWN_MEMBER_ID"


def case_an_absent_static_member_keeps_its_place(t):
    a, b = settle(*[Member(t, g, instance=i, rebalance_ms=500) for g in [new_group(t)] for i in ("a", "b")])
    a.protocols = (("range", subscription("t", data=b"other")), ROUND)
    answer = a.join() # b does not come
    assert answer["GenerationId"] == a.generation and len(answer["Members"]) == 2, answer
    assert answer["Leader"] == a.id
    assert RANGE[1] in [m["Metadata"] for m in answer["Members"]]
