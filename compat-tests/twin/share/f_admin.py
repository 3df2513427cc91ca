# SPDX-License-Identifier: Apache-2.0
"""How share groups look while members come and go; and every way to describe, alter and delete their offsets, with what is
refused."""
import time

import datakit
import shares
from c_members import Member, begin, describe, errors
from member import Member as ClassicMember, coordinator_is_there
from newmember import NewMember

UNKNOWN_PARTITION = "This server does not host this topic-partition."
UNEXPECTED = "The server experienced an unexpected error when processing the request."
NOWHERE = bytes(16)


def epochs(c, group):
    got = describe(c, group)
    datakit.same((0, "simple"), (got["ErrorCode"], got["AssignorName"]))
    return got["GroupState"], got["GroupEpoch"], got["AssignmentEpoch"], {m["MemberId"]: m["MemberEpoch"]
                                                                         for m in got["Members"]}


def case_epochs_as_members_come_and_go(t):
    c, topic, group = begin(t)
    datakit.alter(c, "group", group, share_assignment_interval_ms=60000)
    a, b, d = (Member(t, group, [topic.name], name=name) for name in "abd")
    a.beat()
    datakit.same(("Stable", 2, 2, {"a": 2}), epochs(c, group))
    deadline = time.monotonic() + 30
    while epochs(c, group)[1] == 2: # a new epoch as soon as the state of the partitions is begun
        assert time.monotonic() < deadline
        a.beat()
    datakit.same(("Stable", 3, 2, {"a": 2}), epochs(c, group)) # to be assigned when the interval is over
    b.beat()
    datakit.same(("Stable", 4, 2, {"a": 2, "b": 2}), epochs(c, group))
    datakit.alter(c, "group", group, share_assignment_interval_ms=0)
    datakit.until("an assignment", lambda: b.beat()["MemberEpoch"] == 4)
    datakit.same(("Stable", 4, 4, {"a": 2, "b": 4}), epochs(c, group))
    a.beat()
    datakit.same([[0], [1]], sorted([a.assigned[topic.id], b.assigned[topic.id]])) # which is whose depends on the topic's id
    datakit.same(("Stable", 4, 4, {"a": 4, "b": 4}), epochs(c, group))
    b.leave()
    datakit.same(("Stable", 5, 4, {"a": 4}), epochs(c, group))
    a.leave()
    datakit.same(("Empty", 6, 4, {}), epochs(c, group))
    d.beat()
    datakit.same(("Stable", 7, 7, {"d": 7}), epochs(c, group))
    datakit.same({topic.id: [0, 1]}, d.assigned)


def others(t, topic):
    """A consumer group and a classic group."""
    new, old = t.name("new"), t.name("old")
    coordinator_is_there(t, new)
    NewMember(t, new, [topic.name]).join()
    coordinator_is_there(t, old)
    ClassicMember(t, old).join()
    return new, old


def case_who_is_described_and_listed(t):
    c, topic, group = begin(t)
    Member(t, group, [topic.name]).beat()
    wrong = dict(ErrorMessage=None, GroupState="", GroupEpoch=0, AssignmentEpoch=0, AssignorName="", Members=[],
                 AuthorizedOperations=-2147483648)
    answers = c.call("ShareGroupDescribe", 1, GroupIds=["", group, group], IncludeAuthorizedOperations=True)["Groups"]
    datakit.same(dict(wrong, ErrorCode=24, GroupId=""), answers[0])
    datakit.same([(group, 3400), (group, 3400)], [(g["GroupId"], g["AuthorizedOperations"]) for g in answers[1:]])
    datakit.same([], c.call("ShareGroupDescribe", 1, GroupIds=[], IncludeAuthorizedOperations=False)["Groups"])
    for other in others(t, topic):
        message = "Group %s is not a share group." % other
        datakit.same(dict(wrong, ErrorCode=69, ErrorMessage=message, GroupId=other), describe(c, other))
        datakit.same(("GROUP_ID_NOT_FOUND", message), errors(Member(t, other, [topic.name]).send()))
        datakit.same(("GROUP_ID_NOT_FOUND", message), errors(alter(c, other, (topic.name, [(0, 1)]))))
        datakit.same(("GROUP_ID_NOT_FOUND", message), errors(forget(c, other, topic.name)))
    for states, types, is_listed in ((["Stable"], [], True), (["stable"], [], True), (["Empty"], [], False),
                                     (["Dead", "Bogus"], [], False), ([], ["Share"], True),
                                     ([], ["classic", "share"], True), ([], ["consumer"], False), ([], ["bogus"], False)):
        answer = c.call("ListGroups", 5, StatesFilter=states, TypesFilter=types)
        datakit.same((0, is_listed), (answer["ErrorCode"], group in [g["GroupId"] for g in answer["Groups"]]),
                     repr((states, types)))


def alter(c, group, *topics):
    return c.call("AlterShareGroupOffsets", 0, GroupId=group, Topics=[
        {"TopicName": name, "Partitions": [{"PartitionIndex": i, "StartOffset": o} for i, o in parts]}
        for name, parts in topics])


def altered(c, group, *topics):
    answer = alter(c, group, *topics)
    datakit.same((0, None), (answer["ErrorCode"], answer["ErrorMessage"]))
    return [(x["TopicName"], x["TopicId"], [(p["PartitionIndex"], p["ErrorCode"], p["ErrorMessage"])
                                           for p in x["Partitions"]]) for x in answer["Responses"]]


def forget(c, group, *topics):
    return c.call("DeleteShareGroupOffsets", 0, GroupId=group, Topics=[{"TopicName": name} for name in topics])


def forgotten(c, group, *topics):
    answer = forget(c, group, *topics)
    datakit.same((0, None), (answer["ErrorCode"], answer["ErrorMessage"]))
    return [(x["TopicName"], x["TopicId"], x["ErrorCode"], x["ErrorMessage"]) for x in answer["Responses"]]


def offsets(c, group, *topics, version=1):
    """topics: (name, partitions)…, all without"""
    wanted = [{"TopicName": name, "Partitions": parts} for name, parts in topics] if topics else None
    got = c.call("DescribeShareGroupOffsets", version, Groups=[{"GroupId": group, "Topics": wanted}])["Groups"]
    datakit.same([group], [g["GroupId"] for g in got])
    if got[0]["ErrorCode"] != 0:
        datakit.same([], got[0]["Topics"])
        return datakit.name_of(got[0]["ErrorCode"]), got[0]["ErrorMessage"]
    return [(x["TopicName"], x["TopicId"], [(p["PartitionIndex"], p["StartOffset"], p["LeaderEpoch"], p.get("Lag"),
                                             p["ErrorCode"], p["ErrorMessage"]) for p in x["Partitions"]])
            for x in got[0]["Topics"]]


def case_altering_makes_a_group(t):
    c, topic, group = begin(t)
    datakit.produce(c, 12, topic, (0, datakit.batch([b"1", b"2", b"3"])))
    datakit.same([(topic.name, topic.id, [(0, 0, None)])], altered(c, group, (topic.name, [(0, 1)])))
    datakit.same(("Empty", 1, 1, {}), epochs(c, group))
    datakit.same([(topic.name, topic.id, [(0, 1, 0, 2, 0, None)])], offsets(c, group))
    datakit.same([(topic.name, topic.id, [(1, 0, None)])], altered(c, group, (topic.name, [(1, -1)])))
    datakit.same([(topic.name, topic.id, [(0, 1, 0, 2, 0, None), (1, -1, 0, -1, 0, None)])], offsets(c, group))
    datakit.same([(topic.name, topic.id, [(0, 1, 0, None, 0, None), (1, -1, 0, None, 0, None)])],
                 offsets(c, group, version=0))
    datakit.same((1, 0), tuple(shares.summary(c, group, topic.id)[k] for k in ("StateEpoch", "LeaderEpoch")))
    m = Member(t, group, [topic.name])
    datakit.same({"TopicPartitions": [{"TopicId": topic.id, "Partitions": [0, 1]}]}, m.beat()["Assignment"])
    datakit.same(("Stable", 2, 2, {m.name: 2}), epochs(c, group))


def case_what_may_be_altered(t):
    c, topic, group = begin(t)
    datakit.produce(c, 12, topic, (0, datakit.batch([b"1", b"2", b"3"])))
    for first, lag in ((500, -497), (-5, 8)): # whatever is asked for
        altered(c, group, (topic.name, [(0, first)]))
        datakit.same([(topic.name, topic.id, [(0, first, 0, lag, 0, None)])], offsets(c, group))
    datakit.same([(topic.name, topic.id, [(0, 0, None), (0, 0, None)])], altered(c, group, (topic.name, [(0, 1), (0, 2)])))
    datakit.same([(topic.name, topic.id, [(0, 0, None), (0, 0, None)])],
                 altered(c, group, (topic.name, [(0, 1)]), (topic.name, [(0, 2)])))
    datakit.same([(topic.name, topic.id, [(0, 2, 0, 1, 0, None)])], offsets(c, group))
    datakit.same([(topic.name, topic.id, [])], altered(c, group, (topic.name, [])))
    datakit.same([], altered(c, group))
    datakit.same([("", NOWHERE, [(0, 3, UNKNOWN_PARTITION)])], altered(c, group, ("", [(0, 1)])))
    datakit.same(("INVALID_GROUP_ID", "The group id is invalid."), errors(alter(c, "", (topic.name, [(0, 1)]))))
    other = t.name("other") # Kafka can delete it no more
    datakit.same(("UNKNOWN_SERVER_ERROR", "Initialize share group parameters has invalid partitionId - %s %s -1" %
                  (other, shares.text(topic.id))), errors(alter(c, other, (topic.name, [(-1, 1)]))))


def case_what_offsets_can_be_asked_for(t):
    c, topic, group = begin(t)
    datakit.produce(c, 12, topic, (0, datakit.batch([b"1", b"2", b"3"])))
    altered(c, group, (topic.name, [(0, 2)]))
    datakit.same([(topic.name, topic.id, [(0, 2, 0, 1, 0, None), (1, -1, 0, -1, 0, None), (9, -1, 0, -1, 0, None)])],
                 offsets(c, group, (topic.name, [1, 0, 0]), (topic.name, [9])))
    datakit.same([(topic.name, topic.id, [(0, 2, 0, 1, 0, None)]), ("nowhere", NOWHERE, [(3, -1, 0, -1, 0, None)])],
                 offsets(c, group, ("nowhere", [3]), (topic.name, [0])))
    datakit.same(("UNKNOWN_SERVER_ERROR", UNEXPECTED), offsets(c, group, (topic.name, [])))
    datakit.same(("UNKNOWN_SERVER_ERROR", UNEXPECTED), offsets(c, group, (topic.name, [0, -1])))
    datakit.same(("UNKNOWN_SERVER_ERROR", UNEXPECTED), offsets(c, "", (topic.name, [0])))
    datakit.same([], offsets(c, ""))
    datakit.same([], c.call("DescribeShareGroupOffsets", 1, Groups=[])["Groups"])
    nobody = t.name("nobody")
    for other in (nobody, *others(t, topic)):
        datakit.same([], offsets(c, other))
        datakit.same([(topic.name, topic.id, [(0, -1, 0, -1, 0, None)])], offsets(c, other, (topic.name, [0])))


def case_what_may_be_forgotten(t):
    c, topic, group = begin(t)
    altered(c, group, (topic.name, [(0, 2), (1, 2)]))
    datakit.same([(topic.name, topic.id, 0, None)], forgotten(c, group, topic.name, topic.name))
    datakit.same([], offsets(c, group))
    datakit.same([(topic.name, NOWHERE, 3, "There is no offset information to delete.")],
                 forgotten(c, group, topic.name))
    datakit.same([], forgotten(c, group))
    datakit.same([("", NOWHERE, 3, UNKNOWN_PARTITION)], forgotten(c, group, ""))
    datakit.same(("INVALID_GROUP_ID", "The group id is invalid."), errors(forget(c, "", topic.name)))
    datakit.same(("Empty", 1, 1, {}), epochs(c, group))
    altered(c, group, (topic.name, [(0, 2)]))
    datakit.same((1, 2), tuple(shares.summary(c, group, topic.id)[k] for k in ("StateEpoch", "StartOffset")))
    names = [group, t.name("nobody"), "", *others(t, topic)]
    results = c.call("DeleteGroups", 2, GroupsNames=names)["Results"]
    datakit.same({names[0]: "NONE", names[1]: "GROUP_ID_NOT_FOUND", "": "GROUP_ID_NOT_FOUND",
                  names[3]: "NON_EMPTY_GROUP", names[4]: "NON_EMPTY_GROUP"},
                 {r["GroupId"]: datakit.name_of(r["ErrorCode"]) for r in results})
    datakit.same((0, -1), tuple(shares.summary(c, group, topic.id)[k] for k in ("StateEpoch", "StartOffset")))
