# SPDX-License-Identifier: Apache-2.0
"""ListGroups, DescribeGroups, DeleteGroups."""
from member import Member, describe, new_group, settle, wait_for


def listed(t, version, **filters):
    answer = t.connect().call("ListGroups", version, **filters)
    assert answer["ErrorCode"] == 0, answer
    return {g.pop("GroupId"): g for g in answer["Groups"]}


def commit(t, group, topic):
    t.connect().call("OffsetCommit", 9, GroupId=group, Topics=[{"Name": topic, "Partitions": [
        {"PartitionIndex": 0, "CommittedOffset": 1, "CommittedMetadata": ""}]}])


def case_groups_are_listed(t):
    a, = settle(Member(t, new_group(t), type_="connect", protocols=(("p", b""),)))
    simple = new_group(t)
    commit(t, simple, t.topic())
    for version in range(6):
        groups = listed(t, version)
        stable = {"ProtocolType": "connect", "GroupState": "Stable", "GroupType": "classic"}
        empty = {"ProtocolType": "", "GroupState": "Empty", "GroupType": "classic"}
        assert groups[a.group] == {k: stable[k] for k in groups[a.group]}, groups[a.group]
        assert groups[simple] == {k: empty[k] for k in groups[simple]}, groups[simple]


def case_lists_are_filtered(t):
    a, = settle(Member(t, new_group(t)))
    simple = new_group(t)
    commit(t, simple, t.topic())
    both = {a.group, simple}
    seen = lambda version, **filters: both & set(listed(t, version, **filters))
    assert seen(4, StatesFilter=["Stable"]) == {a.group}
    assert seen(4, StatesFilter=[" stable "]) == {a.group}
    assert seen(4, StatesFilter=["Empty", "STABLE"]) == both
    assert seen(4, StatesFilter=["Bogus"]) == set()
    assert seen(5, TypesFilter=["classic"]) == seen(5, TypesFilter=["CLASSIC"]) == both
    assert seen(5, TypesFilter=["consumer"]) == seen(5, TypesFilter=["Bogus"]) == set()
    assert seen(5, TypesFilter=["classic"], StatesFilter=["Empty"]) == {simple}


def case_groups_are_described(t):
    a, = settle(Member(t, new_group(t), client_id="the client"))
    for version in range(7):
        asked = {"IncludeAuthorizedOperations": True} if version >= 3 else {}
        answer = t.connect().call("DescribeGroups", version, Groups=[a.group, "none-" + a.group], **asked)
        found = {g.pop("GroupId"): g for g in answer["Groups"]}
        wanted = {"ErrorCode": 0, "ErrorMessage": None, "GroupState": "Stable", "ProtocolType": "consumer",
                  "ProtocolData": "range", "AuthorizedOperations": 3400, "Members": [
                      {"MemberId": a.id, "GroupInstanceId": None, "ClientId": "the client",
                       "ClientHost": "/127.0.0.1", "MemberMetadata": dict(a.protocols)["range"],
                       "MemberAssignment": b"part 0"}]}
        if version < 4:
            del wanted["Members"][0]["GroupInstanceId"]
        assert found[a.group] == {k: wanted[k] for k in found[a.group]}, found
        dead = {"ErrorCode": 0, "ErrorMessage": None, "GroupState": "Dead", "ProtocolType": "", "ProtocolData": "",
                "Members": [], "AuthorizedOperations": 3400}
        if version >= 6:
            dead.update(ErrorCode=69, ErrorMessage="Group none-%s not found." % a.group, AuthorizedOperations=-2147483648)
        none = found["none-" + a.group]
        assert none == {k: dead[k] for k in none}, none
    assert describe(t, a.group)["AuthorizedOperations"] == -2147483648 # not asked for


def case_groups_are_deleted(t):
    topic = t.topic()
    a, = settle(Member(t, new_group(t)))
    simple, other = new_group(t), new_group(t)
    commit(t, simple, topic)
    commit(t, other, topic)
    for version in (0, 1, 2):
        commit(t, simple, topic)
        answer = t.connect().call("DeleteGroups", version, GroupsNames=[simple, a.group, "none-" + simple, simple])
        assert answer["ThrottleTimeMs"] == 0
        assert sorted((r["GroupId"], t.error(r["ErrorCode"])) for r in answer["Results"]) == sorted([
            (simple, "NONE"), (a.group, "NON_EMPTY_GROUP"), ("none-" + simple, "GROUP_ID_NOT_FOUND")]), answer
        assert describe(t, simple)["GroupState"] == "Dead"
    answer = t.connect().call("OffsetFetch", 8, Groups=[{"GroupId": simple, "Topics": None},
                                                        {"GroupId": other, "Topics": None}])
    assert [len(g["Topics"]) for g in answer["Groups"]] == [0, 1], answer
    a.leave()
    answer = t.connect().call("DeleteGroups", 2, GroupsNames=[a.group])
    assert answer["Results"] == [{"GroupId": a.group, "ErrorCode": 0}], answer


def case_named_twice_and_without_a_name(t):
    a, = settle(Member(t, new_group(t)))
    for version in range(7):
        found = t.connect().call("DescribeGroups", version, Groups=[a.group, "", a.group, "none-" + a.group])["Groups"]
        state = {g["GroupId"]: g["GroupState"] for g in found}
        assert sorted(g["GroupId"] for g in found) == sorted([a.group, "", a.group, "none-" + a.group]), found
        assert (state[a.group], state[""], state["none-" + a.group]) == ("Stable", "Dead", "Dead"), found
        assert t.connect().call("DescribeGroups", version, Groups=[])["Groups"] == []
    for version in range(3):
        results = t.connect().call("DeleteGroups", version, GroupsNames=["", a.group, "", a.group])["Results"]
        assert sorted((r["GroupId"], t.error(r["ErrorCode"])) for r in results) == [
            ("", "GROUP_ID_NOT_FOUND"), (a.group, "NON_EMPTY_GROUP")], results
        assert t.connect().call("DeleteGroups", version, GroupsNames=[])["Results"] == []


def case_every_state_is_listed_by_its_name(t):
    group = new_group(t)
    a = Member(t, group)
    listed_as = lambda: [state for state in ("Empty", "preparingrebalance", "COMPLETINGREBALANCE", "Stable", "Dead",
                                             "Assigning", "Reconciling", "NotReady", "")
                         if group in listed(t, 5, StatesFilter=[state])]
    a.take_id()
    assert listed_as() == ["Empty"]
    a.join()
    assert listed_as() == ["COMPLETINGREBALANCE"]
    a.sync({a: b""})
    assert listed_as() == ["Stable"]
    b = Member(t, group)
    b.take_id()
    b.send_join()
    wait_for(lambda: listed_as() == ["preparingrebalance"], "the rebalance")
    a.join()
    b.joined()
    for m in (a, b):
        m.leave()
    wait_for(lambda: listed_as() == ["Empty"], "all have left")
    for types in (["classic", "share"], ["Classic", "Bogus"], [], ["streams", "CLASSIC"]):
        assert group in listed(t, 5, TypesFilter=types), types
    for types in ([""], ["streams"], ["share"], ["unknown"], [" classic "]):
        assert group not in listed(t, 5, TypesFilter=types), types
