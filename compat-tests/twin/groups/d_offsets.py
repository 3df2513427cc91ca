# SPDX-License-Identifier: Apache-2.0
"""OffsetCommit and OffsetFetch at every version, by members and by hand."""
import time

from member import Member, coordinator_is_there, describe, new_group, settle, wait_for
from topics import topic_id

NOTHING = {"CommittedOffset": -1, "CommittedLeaderEpoch": -1, "Metadata": "", "ErrorCode": 0}


def fetch(t, group, topic, partitions=(0,), version=8, **other):
    """The partitions of one topic, by number, without their number."""
    if version < 8:
        answer = t.connect().call("OffsetFetch", version, GroupId=group, Topics=[
            {"Name": topic, "PartitionIndexes": list(partitions)}], **other)
        assert answer.get("ErrorCode", 0) == 0, answer
        found = answer["Topics"]
    else:
        which = {"TopicId": topic} if version >= 10 else {"Name": topic}
        answer = t.connect().call("OffsetFetch", version, Groups=[
            {"GroupId": group, "Topics": [dict(which, PartitionIndexes=list(partitions))]}], **other)
        assert answer["Groups"][0]["ErrorCode"] == 0, answer
        found = answer["Groups"][0]["Topics"]
    assert len(found) == 1, answer
    return {p.pop("PartitionIndex"): p for p in found[0]["Partitions"]}


def commit(t, group, version, topics, **other):
    answer = t.connect().call("OffsetCommit", version, GroupId=group, Topics=topics, **other)
    return [(topic.get("Name", topic.get("TopicId")), p["PartitionIndex"], t.error(p["ErrorCode"]))
            for topic in answer["Topics"] for p in topic["Partitions"]]


def case_by_hand_at_every_version(t):
    topic, group = t.topic(2), new_group(t)
    id_ = topic_id(t, topic)
    for version in range(2, 11):
        which = {"TopicId": id_} if version >= 10 else {"Name": topic}
        epoch = {"CommittedLeaderEpoch": 3} if version >= 6 else {}
        answer = commit(t, group, version, [dict(which, Partitions=[
            dict(epoch, PartitionIndex=1, CommittedOffset=version, CommittedMetadata="v%d" % version)])])
        assert answer == [(which.get("Name", id_), 1, "NONE")], answer
        for fetching in range(1, 11):
            found = fetch(t, group, id_ if fetching >= 10 else topic, (0, 1), version=fetching)
            wanted = {"CommittedOffset": version, "CommittedLeaderEpoch": 3 if version >= 6 else -1,
                      "Metadata": "v%d" % version, "ErrorCode": 0}
            assert found[1] == {k: wanted[k] for k in found[1]}, (version, fetching, found)
            assert found[0] == {k: NOTHING[k] for k in found[0]}, (version, fetching, found)
    state = describe(t, group)
    assert (state["GroupState"], state["ProtocolType"], state["Members"]) == ("Empty", "", []), state


def case_null_metadata_is_empty(t):
    topic, group = t.topic(), new_group(t)
    commit(t, group, 9, [{"Name": topic, "Partitions": [
        {"PartitionIndex": 0, "CommittedOffset": 1, "CommittedMetadata": None}]}])
    assert fetch(t, group, topic)[0]["Metadata"] == ""


def case_metadata_has_a_limit(t):
    topic, group = t.topic(3), new_group(t)
    parts = [{"PartitionIndex": 0, "CommittedOffset": 1, "CommittedMetadata": "x" * 11},
             {"PartitionIndex": 1, "CommittedOffset": 1, "CommittedMetadata": "x" * 10},
             {"PartitionIndex": 2, "CommittedOffset": 1, "CommittedMetadata": "é" * 10}]
    answer = commit(t, group, 9, [{"Name": topic, "Partitions": parts}])
    assert [error for _, _, error in answer] == ["OFFSET_METADATA_TOO_LARGE", "NONE", "NONE"], answer
    found = fetch(t, group, topic, (0, 1, 2))
    assert [found[i]["CommittedOffset"] for i in range(3)] == [-1, 1, 1], found


def case_unknown_topics_and_partitions(t):
    topic, group, nowhere = t.topic(), new_group(t), t.name("nowhere")
    part = lambda i: {"PartitionIndex": i, "CommittedOffset": 5, "CommittedMetadata": ""}
    answer = commit(t, group, 9, [{"Name": nowhere, "Partitions": [part(0), part(1)]},
                                  {"Name": topic, "Partitions": [part(0), part(7)]}])
    assert answer == [(nowhere, 0, "UNKNOWN_TOPIC_OR_PARTITION"), (nowhere, 1, "UNKNOWN_TOPIC_OR_PARTITION"),
                      (topic, 7, "UNKNOWN_TOPIC_OR_PARTITION"), (topic, 0, "NONE")], answer
    assert fetch(t, group, nowhere) == {0: NOTHING}
    id_ = topic_id(t, topic)
    stranger = type(id_)(reversed(id_)) if not isinstance(id_, bytes) else id_[::-1]
    answer = commit(t, group, 10, [{"TopicId": stranger, "Partitions": [part(0)]},
                                   {"TopicId": id_, "Partitions": [part(7), part(0)]}])
    assert answer == [(stranger, 0, "UNKNOWN_TOPIC_ID"), (id_, 7, "UNKNOWN_TOPIC_OR_PARTITION"), (id_, 0, "NONE")], answer
    found = fetch(t, group, stranger, (0, 3), version=10)
    assert found == {i: {"CommittedOffset": -1, "CommittedLeaderEpoch": -1, "Metadata": "", "ErrorCode": 100}
                     for i in (0, 3)}, found


def case_a_group_that_is_not_there(t):
    topic, group = t.topic(), new_group(t)
    assert fetch(t, group, topic, (0, 9)) == {0: NOTHING, 9: NOTHING}
    part = [{"PartitionIndex": 0, "CommittedOffset": 1, "CommittedMetadata": ""}]
    for version, error in ((2, "ILLEGAL_GENERATION"), (8, "ILLEGAL_GENERATION"), (9, "GROUP_ID_NOT_FOUND")):
        answer = commit(t, group, version, [{"Name": topic, "Partitions": part}], GenerationIdOrMemberEpoch=3,
                        MemberId="m")
        assert answer == [(topic, 0, error)], (version, answer)
    assert describe(t, group)["GroupState"] == "Dead"


def case_all_topics_of_a_group(t):
    one, two, group = t.topic(2), t.topic(), new_group(t)
    part = lambda i: {"PartitionIndex": i, "CommittedOffset": 10 + i, "CommittedMetadata": "m"}
    commit(t, group, 9, [{"Name": one, "Partitions": [part(1), part(0)]}, {"Name": two, "Partitions": [part(0)]}])
    wanted = {(one, 0): 10, (one, 1): 11, (two, 0): 10}
    for version in range(2, 8):
        answer = t.connect().call("OffsetFetch", version, GroupId=group, Topics=None)
        assert answer["ErrorCode"] == 0
        assert {(x["Name"], p["PartitionIndex"]): p["CommittedOffset"]
                for x in answer["Topics"] for p in x["Partitions"]} == wanted, answer
    for version in (8, 9):
        answer = t.connect().call("OffsetFetch", version, Groups=[{"GroupId": group, "Topics": None},
                                                                  {"GroupId": "none-" + group, "Topics": None}])
        assert {(x["Name"], p["PartitionIndex"]): p["CommittedOffset"]
                for x in answer["Groups"][0]["Topics"] for p in x["Partitions"]} == wanted, answer
        assert answer["Groups"][1] == {"GroupId": "none-" + group, "Topics": [], "ErrorCode": 0}, answer
    ids = {topic_id(t, one): one, topic_id(t, two): two}
    answer = t.connect().call("OffsetFetch", 10, Groups=[{"GroupId": group, "Topics": None}])
    assert {(ids[x["TopicId"]], p["PartitionIndex"]): p["CommittedOffset"]
            for x in answer["Groups"][0]["Topics"] for p in x["Partitions"]} == wanted, answer


def case_require_stable(t):
    topic, group = t.topic(), new_group(t)
    commit(t, group, 9, [{"Name": topic, "Partitions": [
        {"PartitionIndex": 0, "CommittedOffset": 4, "CommittedMetadata": ""}]}])
    assert fetch(t, group, topic, version=7, RequireStable=True)[0]["CommittedOffset"] == 4
    assert fetch(t, group, topic, version=9, RequireStable=True)[0]["CommittedOffset"] == 4


def case_members_commit_in_their_generation(t):
    topic = t.topic()
    a, = settle(Member(t, new_group(t)))
    assert a.commit(topic, 1) == "NONE"
    assert a.commit(topic, 2, GenerationIdOrMemberEpoch=a.generation + 1) == "ILLEGAL_GENERATION"
    assert a.commit(topic, 2, MemberId="m") == "UNKNOWN_MEMBER_ID"
    assert a.commit(topic, 2, GenerationIdOrMemberEpoch=-1) == "ILLEGAL_GENERATION"
    assert a.commit(topic, 2, GroupInstanceId="i") == "UNKNOWN_MEMBER_ID"
    assert a.commit(topic, 2, GenerationIdOrMemberEpoch=-1, MemberId="") == "UNKNOWN_MEMBER_ID" # by hand: too late
    assert fetch(t, a.group, topic)[0]["CommittedOffset"] == 1
    a.leave()
    assert a.commit(topic, 3) == "UNKNOWN_MEMBER_ID"
    assert a.commit(topic, 3, GenerationIdOrMemberEpoch=-1, MemberId="") == "NONE"
    assert fetch(t, a.group, topic)[0]["CommittedOffset"] == 3


def case_commits_around_a_rebalance(t):
    topic = t.topic()
    a, = settle(Member(t, new_group(t)))
    b = Member(t, a.group)
    b.take_id()
    b.send_join()
    wait_for(lambda: a.heartbeat() == "REBALANCE_IN_PROGRESS", "the rebalance")
    assert a.commit(topic, 7) == "NONE" # what it had still counts
    a.join()
    b.joined()
    assert a.commit(topic, 8) == "REBALANCE_IN_PROGRESS"
    assert fetch(t, a.group, topic)[0]["CommittedOffset"] == 7


def case_a_commit_is_a_heartbeat(t):
    topic = t.topic()
    a, = settle(Member(t, new_group(t), session_ms=1500))
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert a.commit(topic, 1) == "NONE"
        time.sleep(0.1)


def case_offsets_survive_a_restart(t):
    topic, group = t.topic(2), new_group(t)
    a, = settle(Member(t, t.name("group"), instance="a"))
    assert a.commit(topic, 42, partition=1, metadata="note") == "NONE"
    commit(t, group, 9, [{"Name": topic, "Partitions": [
        {"PartitionIndex": 0, "CommittedOffset": 9, "CommittedMetadata": ""}]}])
    before = describe(t, a.group)
    t.broker.kill9()
    t.broker.start()
    coordinator_is_there(t, group)
    coordinator_is_there(t, a.group)
    assert fetch(t, a.group, topic, (1,))[1] == {"CommittedOffset": 42, "CommittedLeaderEpoch": -1, "Metadata": "note",
                                                 "ErrorCode": 0}
    assert fetch(t, group, topic)[0]["CommittedOffset"] == 9
    assert describe(t, a.group) == before
    a.link = t.connect()
    assert a.heartbeat() == "NONE" # its session goes on
    assert a.commit(topic, 43, partition=1) == "NONE"


def case_a_deleted_topic_takes_its_offsets(t):
    topic, group = t.topic(), new_group(t)
    commit(t, group, 9, [{"Name": topic, "Partitions": [
        {"PartitionIndex": 0, "CommittedOffset": 9, "CommittedMetadata": ""}]}])
    assert fetch(t, group, topic)[0]["CommittedOffset"] == 9
    t.connect().call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": topic}])
    wait_for(lambda: fetch(t, group, topic)[0]["CommittedOffset"] == -1, "the offset is gone")
