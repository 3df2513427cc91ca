# SPDX-License-Identifier: Apache-2.0
"""Members at the edges of the classic protocol: odd ids and protocols, those who leave together, who are late, who are
too many; what the others hear of it."""
import time

from member import RANGE, ROUND, Member, coordinator_is_there, describe, join_all, leader_of, new_group, settle
from member import subscription, wait_for


def error_of(t, answer):
    return t.error(answer["ErrorCode"])


def leave(t, group, *members, version=5):
    answer = t.connect().call("LeaveGroup", version, GroupId=group, Members=list(members))
    assert answer["ErrorCode"] == 0, answer
    return [(m["MemberId"], m["GroupInstanceId"], t.error(m["ErrorCode"])) for m in answer["Members"]]


def rebalancing(t, *others):
    for m in others:
        wait_for(lambda m=m: m.heartbeat() == "REBALANCE_IN_PROGRESS", "the rebalance")


# ---- ids and protocols ---------------------------------------------------------------------------------------------

def case_an_instance_id_without_letters(t):
    a = Member(t, new_group(t), instance="")
    answer = a.join()
    assert answer["ErrorCode"] == 0 and len(answer["MemberId"]) == 37 and answer["MemberId"][0] == "-", answer
    assert answer["Members"][0]["GroupInstanceId"] == "", answer
    assert a.heartbeat() == "NONE"


def case_without_a_client_id(t):
    member = Member(t, new_group(t), client_id=None)
    assert member.take_id()["MemberId"][0] == "-"
    settle(member)
    assert describe(t, member.group)["Members"][0]["ClientId"] == ""


def case_ids_that_are_long(t):
    group = "g" * 30000
    coordinator_is_there(t, group)
    a = Member(t, group, instance="i" * 249, client_id="c" * 20000)
    settle(a)
    assert a.id.startswith("i" * 249 + "-")
    found = describe(t, group)
    assert (found["GroupId"], found["GroupState"], found["Members"][0]["ClientId"]) == (group, "Stable", "c" * 20000)
    b = Member(t, new_group(t), client_id="d" * 30000)
    settle(b)
    assert b.id.startswith("d" * 30000 + "-")


def case_a_protocol_named_twice(t):
    for other in ((RANGE, ROUND, RANGE), (RANGE, ("range", b"another"), ROUND)):
        member = Member(t, new_group(t), protocols=other)
        answer = member.join()
        assert error_of(t, answer) == "NONE" and answer["ProtocolName"] == "roundrobin", answer
        assert answer["Members"][0]["Metadata"] == ROUND[1], answer


def case_metadata_of_any_size(t):
    big = subscription("t", data=b"x" * 200000)
    for protocols in ((("range", b""),), (("range", big),), (("", b"of no name"),)):
        member = Member(t, new_group(t), type_="other", protocols=protocols)
        answer = member.join()
        assert error_of(t, answer) == "NONE" and answer["ProtocolName"] == (protocols[0][0] or None), answer
        assert answer["Members"][0]["Metadata"] == protocols[0][1]
        assert member.sync({member: big}, ProtocolName=protocols[0][0])["Assignment"] == big
        found = describe(t, member.group)["Members"][0]
        assert (found["MemberMetadata"], found["MemberAssignment"]) == (protocols[0][1], big)


def case_the_first_decides_the_type(t):
    group = new_group(t)
    a = Member(t, group, type_="connect")
    b = Member(t, group)
    a.take_id() # being expected is not enough
    settle(b)
    assert error_of(t, a.join()) == "INCONSISTENT_GROUP_PROTOCOL"
    b.leave()
    wait_for(lambda: describe(t, group)["GroupState"] == "Empty", "the group is empty")
    answer = a.join() # empty again, any type will do
    assert (error_of(t, answer), answer["ProtocolType"], answer["GenerationId"]) == ("NONE", "connect", 3), answer


def case_an_expected_member_has_no_instance(t):
    a = Member(t, new_group(t))
    a.take_id()
    answer = a.join(GroupInstanceId="i")
    assert (error_of(t, answer), answer["MemberId"], answer["GenerationId"]) == ("UNKNOWN_SERVER_ERROR", "", -1), answer
    assert error_of(t, a.join()) == "NONE"


def case_sessions_of_the_least_and_the_greatest_length(t):
    group = new_group(t)
    for session_ms, error in ((199, "INVALID_SESSION_TIMEOUT"), (200, "NONE"), (1800000, "NONE"),
                              (1800001, "INVALID_SESSION_TIMEOUT"), (-1, "INVALID_SESSION_TIMEOUT")):
        for version in (0, 3):
            member = Member(t, t.name("group"), version=version, session_ms=session_ms)
            if version == 0:
                answer = member.link.call("JoinGroup", 0, GroupId=member.group, SessionTimeoutMs=session_ms,
                                          MemberId="", ProtocolType="consumer", Protocols=[{"Name": "range", "Metadata": b""}])
            else:
                answer = member.join()
            assert error_of(t, answer) == error, (session_ms, version, answer)
    assert describe(t, group)["GroupState"] == "Dead"


def case_generations_of_a_member_that_comes_and_goes(t):
    group = new_group(t)
    for round_ in range(3):
        a, = settle(Member(t, group))
        assert a.generation == 2 * round_ + 1
        a.leave()


# ---- leaving -------------------------------------------------------------------------------------------------------

def case_many_leave_at_once(t):
    group = new_group(t)
    a, b, c = settle(Member(t, group), Member(t, group, instance="b"), Member(t, group, instance="c"))
    pending = Member(t, group)
    pending.take_id()
    gone = leave(t, group, {"MemberId": a.id}, {"MemberId": a.id}, {"MemberId": "x"}, {"MemberId": pending.id},
                 {"MemberId": "", "GroupInstanceId": "b", "Reason": "r" * 300},
                 {"MemberId": b.id, "GroupInstanceId": "b"}, {"MemberId": "y", "GroupInstanceId": "c"},
                 {"MemberId": "y", "GroupInstanceId": "z"}, {"MemberId": ""},
                 {"MemberId": "", "GroupInstanceId": "z"}, {"MemberId": c.id})
    assert gone == [(a.id, None, "NONE"), (a.id, None, "UNKNOWN_MEMBER_ID"), ("x", None, "UNKNOWN_MEMBER_ID"),
                    (pending.id, None, "NONE"), ("", "b", "NONE"), (b.id, "b", "UNKNOWN_MEMBER_ID"),
                    ("y", "c", "FENCED_INSTANCE_ID"), ("y", "z", "UNKNOWN_MEMBER_ID"), ("", None, "UNKNOWN_MEMBER_ID"),
                    ("", "z", "UNKNOWN_MEMBER_ID"), (c.id, None, "NONE")], gone
    assert describe(t, group)["GroupState"] == "Empty"
    assert error_of(t, pending.join()) == "UNKNOWN_MEMBER_ID"


def case_nobody_leaves(t):
    a, = settle(Member(t, new_group(t)))
    for version in (3, 4, 5):
        assert leave(t, a.group, version=version) == []
        assert leave(t, a.group, {"MemberId": "x"}, version=version) == [("x", None, "UNKNOWN_MEMBER_ID")]
    assert a.heartbeat() == "NONE"


def case_who_waits_to_join_is_removed(t):
    group = new_group(t)
    a, b = settle(Member(t, group, instance="a"), Member(t, group, instance="b"))
    leader = leader_of((a, b))
    other = b if leader is a else a
    leader.send_join() # waits for the other
    rebalancing(t, other)
    assert leave(t, group, {"MemberId": "", "GroupInstanceId": leader.instance}) == [("", leader.instance, "NONE")]
    answer = leader.link.receive()
    assert (error_of(t, answer), answer["MemberId"], answer["GenerationId"], answer["Leader"]) == \
        ("UNKNOWN_MEMBER_ID", "", -1, ""), answer
    answer = other.join()
    assert (answer["Leader"], len(answer["Members"])) == (other.id, 1), answer
    assert answer["GenerationId"] == leader.generation + 1


def case_the_one_who_is_missing_leaves(t):
    a, b = settle(*[Member(t, g) for g in [new_group(t)] * 2])
    leader = leader_of((a, b))
    other = b if leader is a else a
    leader.send_join()
    rebalancing(t, other)
    assert other.leave() == "NONE"
    before = leader.generation
    answer = leader.joined()
    assert (answer["GenerationId"], len(answer["Members"])) == (before + 1, 1), answer


def case_the_one_who_is_expected_leaves(t):
    a, = settle(Member(t, new_group(t)))
    pending = Member(t, a.group)
    pending.take_id()
    a.send_join()
    wait_for(lambda: describe(t, a.group)["GroupState"] == "PreparingRebalance", "the rebalance")
    assert pending.leave() == "NONE"
    assert a.joined()["GenerationId"] == 2


def case_leaving_between_join_and_sync(t):
    a = Member(t, new_group(t))
    b = Member(t, a.group)
    join_all(a, b)
    leader = leader_of((a, b))
    follower = b if leader is a else a
    follower.send_sync()
    before = leader.generation
    assert leader.leave() == "NONE"
    answer = follower.link.receive()
    assert (error_of(t, answer), answer["Assignment"], answer["ProtocolName"]) == ("REBALANCE_IN_PROGRESS", b"", None)
    answer = follower.join()
    assert (answer["GenerationId"], answer["Leader"]) == (before + 1, follower.id), answer


# ---- being late ----------------------------------------------------------------------------------------------------

def two_late_ones(t):
    """Two members that have joined and 700 ms to sync: leader, follower."""
    a = Member(t, new_group(t), rebalance_ms=700)
    b = Member(t, a.group, rebalance_ms=700)
    join_all(a, b)
    leader = leader_of((a, b))
    return leader, b if leader is a else a


def case_who_does_not_sync_is_out(t):
    leader, follower = two_late_ones(t)
    assert leader.sync({leader: b"all"})["Assignment"] == b"all" # the other never asks for its part
    assert describe(t, leader.group)["GroupState"] == "Stable"
    wait_for(lambda: leader.heartbeat() == "REBALANCE_IN_PROGRESS", "the other is out")
    assert follower.heartbeat() == "UNKNOWN_MEMBER_ID"
    assert len(leader.join()["Members"]) == 1


def case_a_leader_that_does_not_sync_is_out(t):
    leader, follower = two_late_ones(t)
    follower.send_sync()
    answer = follower.link.receive()
    assert error_of(t, answer) == "REBALANCE_IN_PROGRESS", answer
    assert leader.heartbeat() == "UNKNOWN_MEMBER_ID"
    answer = follower.join()
    assert (answer["Leader"], len(answer["Members"])) == (follower.id, 1), answer


def case_a_session_ends_while_others_wait_to_join(t):
    a, = settle(Member(t, new_group(t)))
    late = Member(t, a.group, session_ms=600)
    settle(a, late)
    leader = leader_of((a, late))
    if leader is a:
        a.send_join()
    else:
        a.protocols = (("range", subscription("t", data=b"changed")), ROUND)
        a.send_join()
    answer = a.joined() # long before the rebalance timeout
    assert [m["MemberId"] for m in answer["Members"]] == [a.id], answer
    assert late.heartbeat() == "UNKNOWN_MEMBER_ID"


def case_a_session_ends_in_the_middle(t):
    a = Member(t, new_group(t))
    b = Member(t, a.group, session_ms=600)
    join_all(a, b)
    a.send_sync({a: b"a"} if leader_of((a, b)) is a else None) # the other says nothing any more
    if leader_of((a, b)) is a:
        assert error_of(t, a.link.receive()) == "NONE"
        wait_for(lambda: a.heartbeat() == "REBALANCE_IN_PROGRESS", "the other is out")
    else:
        assert error_of(t, a.link.receive()) == "REBALANCE_IN_PROGRESS"
    assert b.heartbeat() == "UNKNOWN_MEMBER_ID"


def case_who_waits_for_the_others_does_not_expire(t):
    a = Member(t, new_group(t), session_ms=500)
    settle(a)
    b = Member(t, a.group)
    settle(a, b)
    a.send_join(Protocols=[{"Name": "range", "Metadata": b"new"}])
    rebalancing(t, b)
    end = time.monotonic() + 1.5 # three sessions of a
    while time.monotonic() < end:
        assert b.heartbeat() == "REBALANCE_IN_PROGRESS"
        time.sleep(0.05)
    b.send_join()
    assert a.joined()["GenerationId"] == b.joined()["GenerationId"]


def case_nobody_rejoins_but_the_static_stay(t):
    group = new_group(t)
    a, b = settle(Member(t, group, instance="a", rebalance_ms=400), Member(t, group, instance="b", rebalance_ms=400))
    c = Member(t, group, rebalance_ms=400)
    c.take_id()
    c.send_join()
    answer = c.joined() # the two others are late; they keep their places
    assert (answer["Leader"], len(answer["Members"]), answer["GenerationId"]) == (c.id, 3, a.generation + 1), answer
    assert a.heartbeat(GenerationId=a.generation + 1) == "NONE"
    assert a.heartbeat() == "ILLEGAL_GENERATION"


# ---- being too many ------------------------------------------------------------------------------------------------

def case_a_full_group_takes_who_was_there(t):
    group = new_group(t)
    members = settle(*[Member(t, group, instance=i) for i in ("a", "b", "c", "d")])
    for version in range(2, 10):
        extra = Member(t, group, version=version)
        answer = extra.join()
        assert (error_of(t, answer), answer["MemberId"], answer["GenerationId"]) == ("GROUP_MAX_SIZE_REACHED", "", -1)
    answer = Member(t, group, instance="e").join()
    assert error_of(t, answer) == "GROUP_MAX_SIZE_REACHED"
    answer = Member(t, group).join(MemberId="unheard-of")
    assert (error_of(t, answer), answer["MemberId"]) == ("GROUP_MAX_SIZE_REACHED", ""), answer
    # One who comes back as an instance is turned away too: it has no id that is known.
    answer = Member(t, group, instance="a").join()
    assert error_of(t, answer) == "GROUP_MAX_SIZE_REACHED", answer
    assert members[0].heartbeat() == "NONE"


def full(t, group):
    """Whether the group has no place for one more; who finds one gives it up."""
    probe = Member(t, group)
    probe.send_join()
    answer = probe.link.receive()
    if error_of(t, answer) == "GROUP_MAX_SIZE_REACHED":
        return True
    probe.id = answer["MemberId"]
    probe.leave()
    return False


def case_places_are_for_who_rejoins_first(t):
    group = new_group(t)
    a, b, c = settle(*[Member(t, group, rebalance_ms=1500) for _ in range(3)])
    leader = leader_of((a, b, c))
    others = [m for m in (a, b, c) if m is not leader]
    expected = [Member(t, group, rebalance_ms=1500) for _ in range(3)]
    for m in expected:
        m.take_id()
    leader.send_join()
    rebalancing(t, *others)
    for m in (others[0], expected[0], expected[1]):
        m.send_join()
    wait_for(lambda: full(t, group), "four wait")
    for late in (others[1], expected[2]): # a member, and one that only has an id
        answer = late.join()
        assert (error_of(t, answer), answer["MemberId"]) == ("GROUP_MAX_SIZE_REACHED", ""), answer
        assert late.heartbeat() == "UNKNOWN_MEMBER_ID"
    assert len({m.joined()["GenerationId"] for m in (leader, others[0], expected[0], expected[1])}) == 1
    assert len(describe(t, group)["Members"]) == 4
