# SPDX-License-Identifier: Apache-2.0
"""The first rebalance of an empty group waits for more members (KIP-134):
group.initial.rebalance.delay.ms is a second."""
import time

from member import Member, describe, new_group

DELAY_S = 1.0


def waited(begin, least, most=None):
    took = time.monotonic() - begin
    assert took > least - 0.05 and (most is None or took < most), "%.2f s" % took


def case_the_first_waits_a_while(t):
    a = Member(t, new_group(t))
    begin = time.monotonic()
    a.take_id()
    a.send_join()
    time.sleep(DELAY_S / 2)
    state = describe(t, a.group)
    assert (state["GroupState"], len(state["Members"])) == ("PreparingRebalance", 1), state
    assert a.joined()["GenerationId"] == 1
    waited(begin, DELAY_S, 2 * DELAY_S)


def case_whoever_comes_meanwhile_is_in_the_first_generation(t):
    group = new_group(t)
    members = [Member(t, group) for _ in range(3)]
    begin = time.monotonic()
    for m in members: # each begins the wait anew
        m.take_id()
        m.send_join()
        time.sleep(DELAY_S / 2)
    answers = [m.joined() for m in members]
    waited(begin, 2 * DELAY_S)
    assert [a["GenerationId"] for a in answers] == [1, 1, 1], answers
    assert sorted(len(a["Members"]) for a in answers) == [0, 0, 3], answers


def case_not_longer_than_the_rebalance_timeout(t):
    group = new_group(t)
    members = [Member(t, group, rebalance_ms=1300) for _ in range(2)]
    begin = time.monotonic()
    members[0].take_id()
    members[0].send_join()
    time.sleep(DELAY_S / 2)
    members[1].take_id()
    members[1].send_join() # 300 ms are left
    assert [m.joined()["GenerationId"] for m in members] == [1, 1]
    waited(begin, 1.3, 1.9)


def case_whoever_leaves_meanwhile_ends_nothing(t):
    group = new_group(t)
    a, b = Member(t, group), Member(t, group)
    for m in (a, b):
        m.take_id()
    begin = time.monotonic()
    for m in (a, b):
        m.send_join()
    while len(describe(t, group)["Members"]) < 2:
        time.sleep(0.02)
    gone = t.connect().call("LeaveGroup", 5, GroupId=group, Members=[{"MemberId": a.id}])
    assert t.error(gone["Members"][0]["ErrorCode"]) == "NONE"
    answer = a.link.receive()
    assert (t.error(answer["ErrorCode"]), answer["MemberId"]) == ("UNKNOWN_MEMBER_ID", ""), answer
    assert len(b.joined()["Members"]) == 1
    waited(begin, DELAY_S)


def case_all_leave_and_the_wait_goes_on(t):
    a = Member(t, new_group(t))
    a.take_id()
    a.send_join()
    while not describe(t, a.group)["Members"]:
        time.sleep(0.02)
    t.connect().call("LeaveGroup", 5, GroupId=a.group, Members=[{"MemberId": a.id}])
    assert describe(t, a.group)["GroupState"] == "PreparingRebalance"
    other = Member(t, a.group, type_="connect")
    assert t.error(other.join()["ErrorCode"]) == "INCONSISTENT_GROUP_PROTOCOL" # the type of who was there
    b = Member(t, a.group, protocols=(("p", b""),))
    assert b.join()["GenerationId"] == 1


def case_a_rebalance_that_is_not_the_first_does_not_wait(t):
    a = Member(t, new_group(t))
    a.join()
    begin = time.monotonic()
    assert a.sync({a: b""})["ErrorCode"] == 0
    assert a.join()["GenerationId"] == 2
    waited(begin, 0, DELAY_S)
