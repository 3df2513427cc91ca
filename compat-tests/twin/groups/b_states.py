# SPDX-License-Identifier: Apache-2.0
"""What every request is answered in every state of a classic group, and the answers' defaults."""
from member import RANGE, ROUND, Member, describe, join_all, leader_of, new_group, settle, subscription, wait_for

REFUSED = {"ThrottleTimeMs": 0, "GenerationId": -1, "ProtocolType": None, "ProtocolName": None, "Leader": "",
           "SkipAssignment": False, "Members": []}


def case_a_join_is_checked_before_the_group(t):
    link, group = t.connect(), new_group(t)
    join = dict(SessionTimeoutMs=30000, RebalanceTimeoutMs=30000, ProtocolType="consumer",
                Protocols=[{"Name": "range", "Metadata": b""}])
    for version in range(10):
        def refused(error, member="", **changes):
            body = dict(join, GroupId=group, MemberId="")
            body.update(changes)
            if version == 0:
                del body["RebalanceTimeoutMs"]
            answer = link.call("JoinGroup", version, **body)
            wanted = dict(REFUSED, ErrorCode=answer["ErrorCode"], MemberId=member)
            if version < 7:
                wanted["ProtocolName"] = ""
            assert answer == {k: wanted[k] for k in answer}, answer
            assert t.error(answer["ErrorCode"]) == error, (version, answer)
        refused("INVALID_GROUP_ID", GroupId="")
        refused("INVALID_SESSION_TIMEOUT", SessionTimeoutMs=199, MemberId="m", member="m")
        refused("INVALID_SESSION_TIMEOUT", SessionTimeoutMs=1800001)
        refused("UNKNOWN_MEMBER_ID", MemberId="m", member="m")
        refused("INCONSISTENT_GROUP_PROTOCOL", Protocols=[], GroupId=t.name("other"))
        refused("INCONSISTENT_GROUP_PROTOCOL", ProtocolType="", GroupId=t.name("other"))


def case_a_refused_first_join_leaves_an_empty_group(t):
    group = new_group(t)
    assert describe(t, group)["GroupState"] == "Dead"
    assert t.error(Member(t, group, protocols=()).join()["ErrorCode"]) == "INCONSISTENT_GROUP_PROTOCOL"
    assert describe(t, group)["GroupState"] == "Empty"


def case_requests_of_nobody(t):
    group, link = new_group(t), t.connect()
    for version in range(5):
        beat = lambda g: t.error(link.call("Heartbeat", version, GroupId=g, GenerationId=1, MemberId="m")["ErrorCode"])
        assert (beat(""), beat(group)) == ("INVALID_GROUP_ID", "UNKNOWN_MEMBER_ID")
    for version in range(6):
        names = {"ProtocolType": "consumer", "ProtocolName": "range"} if version >= 5 else {}
        for g, error in (("", "INVALID_GROUP_ID"), (group, "UNKNOWN_MEMBER_ID")):
            answer = link.call("SyncGroup", version, GroupId=g, GenerationId=1, MemberId="m", **names)
            assert t.error(answer["ErrorCode"]) == error and answer["Assignment"] == b"", answer
    answer = link.call("SyncGroup", 5, GroupId=group, GenerationId=1, MemberId="m")
    assert t.error(answer["ErrorCode"]) == "INCONSISTENT_GROUP_PROTOCOL", answer
    assert (answer["ProtocolType"], answer["ProtocolName"]) == (None, None)
    for version in range(3):
        leave = lambda g: t.error(link.call("LeaveGroup", version, GroupId=g, MemberId="m")["ErrorCode"])
        assert (leave(""), leave(group)) == ("INVALID_GROUP_ID", "UNKNOWN_MEMBER_ID")
    for version in (3, 4, 5):
        answer = link.call("LeaveGroup", version, GroupId="", Members=[{"MemberId": "m"}])
        assert t.error(answer["ErrorCode"]) == "INVALID_GROUP_ID" and answer["Members"] == [], answer
        answer = link.call("LeaveGroup", version, GroupId=group, Members=[
            {"MemberId": "m"}, {"MemberId": "", "GroupInstanceId": "i"}])
        assert answer == {"ThrottleTimeMs": 0, "ErrorCode": 0, "Members": [
            {"MemberId": "m", "GroupInstanceId": None, "ErrorCode": 25},
            {"MemberId": "", "GroupInstanceId": "i", "ErrorCode": 25}]}, answer


def case_an_id_is_given_first(t):
    member = Member(t, new_group(t), client_id="the-client")
    answer = member.take_id()
    assert answer["MemberId"].startswith("the-client-") and len(answer["MemberId"]) == len("the-client-") + 36, answer
    assert answer == dict(REFUSED, ErrorCode=79, MemberId=answer["MemberId"]), answer
    assert member.heartbeat() == "UNKNOWN_MEMBER_ID" # pending is no member
    assert describe(t, member.group)["Members"] == []
    assert member.leave() == "NONE"
    assert t.error(member.join()["ErrorCode"]) == "UNKNOWN_MEMBER_ID"


def case_versions_before_4_join_at_once(t):
    for version in range(4):
        member = Member(t, new_group(t), version=version)
        answer = member.join()
        assert answer["ErrorCode"] == 0 and answer["GenerationId"] == 1 and answer["Leader"] == answer["MemberId"]
        assert answer["ProtocolName"] == "range"
        assert answer["Members"] == [{"MemberId": answer["MemberId"], "Metadata": RANGE[1]}], answer


def case_a_pending_id_expires_with_its_session(t):
    a, = settle(Member(t, new_group(t)))
    pending = Member(t, a.group, session_ms=300)
    pending.take_id()
    answer = a.join() # waits for the other, but not for the whole rebalance timeout
    assert answer["GenerationId"] == 2 and len(answer["Members"]) == 1, answer
    assert t.error(pending.join()["ErrorCode"]) == "UNKNOWN_MEMBER_ID"


def case_one_member_from_join_to_stable(t):
    member = Member(t, new_group(t))
    answer = member.join()
    assert answer == {"ThrottleTimeMs": 0, "ErrorCode": 0, "GenerationId": 1, "ProtocolType": "consumer",
                      "ProtocolName": "range", "Leader": member.id, "SkipAssignment": False, "MemberId": member.id,
                      "Members": [{"MemberId": member.id, "GroupInstanceId": None, "Metadata": RANGE[1]}]}, answer
    state = describe(t, member.group)
    assert (state["GroupState"], state["ProtocolType"], state["ProtocolData"]) == \
        ("CompletingRebalance", "consumer", ""), state
    assert state["Members"] == [{"MemberId": member.id, "GroupInstanceId": None, "ClientId": "twin",
                                 "ClientHost": "/127.0.0.1", "MemberMetadata": b"", "MemberAssignment": b""}], state
    assert member.heartbeat() == "NONE"
    assert member.heartbeat(GenerationId=0) == "ILLEGAL_GENERATION"
    again = member.join() # it lost our answer
    assert again == answer, again
    synced = member.sync({member: b"all", "nobody": b"x"})
    assert synced == {"ThrottleTimeMs": 0, "ErrorCode": 0, "ProtocolType": "consumer", "ProtocolName": "range",
                      "Assignment": b"all"}, synced
    assert member.sync() == synced # any time later
    state = describe(t, member.group)
    assert (state["GroupState"], state["ProtocolData"]) == ("Stable", "range")
    assert (state["Members"][0]["MemberMetadata"], state["Members"][0]["MemberAssignment"]) == (RANGE[1], b"all")
    assert member.leave() == "NONE" and member.leave() == "UNKNOWN_MEMBER_ID"
    state = describe(t, member.group)
    assert (state["GroupState"], state["ProtocolType"], state["Members"]) == ("Empty", "consumer", []), state
    assert member.heartbeat() == "UNKNOWN_MEMBER_ID"
    assert t.error(member.sync()["ErrorCode"]) == "UNKNOWN_MEMBER_ID"


def case_sync_is_checked(t):
    member = Member(t, new_group(t))
    member.join()
    sync = lambda **other: t.error(member.sync({member: b"a"}, **other)["ErrorCode"])
    assert sync(GenerationId=7) == "ILLEGAL_GENERATION"
    assert sync(MemberId="m") == "UNKNOWN_MEMBER_ID"
    assert sync(ProtocolType="connect") == "INCONSISTENT_GROUP_PROTOCOL"
    assert sync(ProtocolName="roundrobin") == "INCONSISTENT_GROUP_PROTOCOL"
    assert sync(GroupInstanceId="i") == "UNKNOWN_MEMBER_ID"
    assert sync(version=4, ProtocolName=None) == "NONE"


def case_a_second_member_rebalances(t):
    a, b = Member(t, new_group(t)), None
    settle(a)
    b = Member(t, a.group)
    b.take_id()
    b.send_join()
    wait_for(lambda: a.heartbeat() == "REBALANCE_IN_PROGRESS", "the rebalance")
    assert describe(t, a.group)["GroupState"] == "PreparingRebalance"
    refused = a.sync({a: b""})
    assert refused == {"ThrottleTimeMs": 0, "ErrorCode": 27, "ProtocolType": None, "ProtocolName": None,
                       "Assignment": b""}, refused
    mine = a.join()
    theirs = b.joined()
    assert mine["GenerationId"] == theirs["GenerationId"] == 2 and mine["Leader"] == theirs["Leader"] == a.id
    assert {m["MemberId"] for m in mine["Members"]} == {a.id, b.id} and theirs["Members"] == [], (mine, theirs)
    b.send_sync() # waits for the leader
    assert a.heartbeat() == b.t.error(0)
    assert t.error(a.sync({a: b"of a", b: b"of b"})["ErrorCode"]) == "NONE"
    assert b.link.receive()["Assignment"] == b"of b"


def case_a_member_forgotten_by_the_leader_gets_nothing(t):
    a, b = Member(t, new_group(t)), None
    b = Member(t, a.group)
    join_all(a, b)
    leader = leader_of((a, b))
    follower = b if leader is a else a
    follower.send_sync()
    assert leader.sync({leader: b"all"})["Assignment"] == b"all"
    answer = follower.link.receive()
    assert (answer["ErrorCode"], answer["Assignment"]) == (0, b""), answer


def case_a_follower_that_joins_again_hears_the_same(t):
    a, b = settle(*[Member(t, g) for g in [new_group(t)] * 2])
    follower = b if leader_of((a, b)) is a else a
    before = follower.generation
    answer = follower.join()
    assert (answer["GenerationId"], answer["Members"], answer["Leader"]) == (before, [], leader_of((a, b)).id), answer
    assert a.heartbeat() == b.heartbeat() == "NONE"


def case_a_leader_that_joins_again_rebalances(t):
    a, b = settle(*[Member(t, g) for g in [new_group(t)] * 2])
    leader = leader_of((a, b))
    leader.send_join()
    follower = b if leader is a else a
    wait_for(lambda: follower.heartbeat() == "REBALANCE_IN_PROGRESS", "the rebalance")
    before = follower.generation
    follower.join()
    leader.joined()
    assert leader.generation == follower.generation == before + 1


def case_new_metadata_rebalances(t):
    member, = settle(Member(t, new_group(t)))
    other = Member(t, member.group)
    settle(member, other)
    follower = other if leader_of((member, other)) is member else member
    changed = subscription("t", data=b"changed")
    follower.protocols = (("range", changed), ROUND)
    follower.send_join()
    leader = leader_of((member, other))
    wait_for(lambda: leader.heartbeat() == "REBALANCE_IN_PROGRESS", "the rebalance")
    answer = leader.join()
    assert changed in [m["Metadata"] for m in answer["Members"]], answer
    follower.joined()


def case_protocols_must_fit(t):
    a, = settle(Member(t, new_group(t)))
    join = lambda **other: t.error(Member(t, a.group, **other).join()["ErrorCode"])
    assert join(protocols=(("sticky", b""),)) == "INCONSISTENT_GROUP_PROTOCOL"
    assert join(type_="connect") == "INCONSISTENT_GROUP_PROTOCOL"
    assert t.error(a.join(Protocols=[{"Name": "sticky", "Metadata": b""}])["ErrorCode"]) == "INCONSISTENT_GROUP_PROTOCOL"


def case_the_protocol_is_voted(t):
    group = new_group(t)
    all_three = lambda *names: tuple((n, subscription("t", data=n.encode())) for n in names)
    members = [Member(t, group, protocols=all_three("a", "b", "c")), Member(t, group, protocols=all_three("b", "a")),
               Member(t, group, protocols=all_three("b", "c", "a"))]
    join_all(*members)
    assert {m.protocol for m in members} == {"b"}


def case_a_session_ends(t):
    a = Member(t, new_group(t), session_ms=300)
    settle(a)
    wait_for(lambda: describe(t, a.group)["GroupState"] == "Empty", "the member expired")
    assert a.heartbeat() == "UNKNOWN_MEMBER_ID"


def case_who_does_not_rejoin_is_out(t):
    a = Member(t, new_group(t), rebalance_ms=500)
    settle(a)
    b = Member(t, a.group, rebalance_ms=500)
    answer = b.join()
    assert answer["GenerationId"] == 2 and [m["MemberId"] for m in answer["Members"]] == [b.id], answer
    assert a.heartbeat() == "UNKNOWN_MEMBER_ID"


def case_who_does_not_sync_is_out(t):
    a, b = join_all(*[Member(t, g, rebalance_ms=700) for g in [new_group(t)] * 2])
    leader = leader_of((a, b))
    follower = b if leader is a else a
    assert t.error(leader.sync({leader: b"x"})["ErrorCode"]) == "NONE"
    wait_for(lambda: leader.heartbeat() == "REBALANCE_IN_PROGRESS", "the follower is out")
    assert follower.heartbeat() == "UNKNOWN_MEMBER_ID"


def case_a_group_is_full(t):
    members = settle(*[Member(t, g) for g in [new_group(t)] * 4])
    extra = Member(t, members[0].group)
    answer = extra.join()
    assert answer == dict(REFUSED, ErrorCode=81, MemberId=""), answer


def case_leaving_one_by_one(t):
    a, b = settle(*[Member(t, g) for g in [new_group(t)] * 2])
    leader = leader_of((a, b))
    follower = b if leader is a else a
    assert leader.leave() == "NONE"
    assert follower.heartbeat() == "REBALANCE_IN_PROGRESS"
    answer = follower.join()
    assert answer["Leader"] == follower.id and len(answer["Members"]) == 1, answer
