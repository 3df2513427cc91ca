# SPDX-License-Identifier: Apache-2.0
"""Offsets of a group committed inside transactions."""
from member import Member, coordinator_is_there, join_all
from producer import ABORT, COMMIT, Producer, settled, story


def begun(t, v2=False):
    topic, group, p = t.topic(2), t.name("group"), Producer(t, t.name(), v2=v2)
    coordinator_is_there(t, group)
    assert p.init() == "NONE"
    return topic, group, p


def offsets(p, group, topic, stable=False, version=8):
    """{partition: committed offset, or the name of its error}"""
    answer = p.link.call("OffsetFetch", version, RequireStable=stable, Groups=[
        {"GroupId": group, "Topics": [{"Name": topic, "PartitionIndexes": [0, 1]}]}])["Groups"][0]
    assert answer["ErrorCode"] == 0, answer
    return {x["PartitionIndex"]: p.error(x["ErrorCode"]) if x["ErrorCode"] else x["CommittedOffset"]
            for x in answer["Topics"][0]["Partitions"]}


def case_offsets_count_when_the_transaction_commits(t):
    for v2 in (False, True):
        topic, group, p = begun(t, v2)
        if not v2:
            assert p.add_offsets(group) == "NONE"
        assert p.commit_offsets(group, {(topic, 0): 5}) == "NONE"
        assert offsets(p, group, topic) == {0: -1, 1: -1}
        assert offsets(p, group, topic, stable=True) == {0: "UNSTABLE_OFFSET_COMMIT", 1: -1}
        assert p.end(COMMIT) == "NONE"
        p.reach("CompleteCommit")
        assert offsets(p, group, topic, stable=True) == {0: 5, 1: -1}


def case_offsets_go_when_it_aborts(t):
    for v2 in (False, True):
        topic, group, p = begun(t, v2)
        for offset, commit in ((3, COMMIT), (9, ABORT)):
            if not v2:
                assert settled(p.add_offsets, group) == "NONE"
            assert settled(p.commit_offsets, group, {(topic, 0): offset}) == "NONE"
            assert p.end(commit) == "NONE"
            p.reach("CompleteCommit" if commit else "CompleteAbort")
        assert offsets(p, group, topic, stable=True) == {0: 3, 1: -1}


def case_the_last_of_a_transaction_counts(t):
    topic, group, p = begun(t)
    p.add_offsets(group)
    assert p.commit_offsets(group, {(topic, 0): 1, (topic, 1): 1}) == "NONE"
    assert p.commit_offsets(group, {(topic, 0): 2}) == "NONE"
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert offsets(p, group, topic) == {0: 2, 1: 1}


def case_a_commit_outside_comes_between(t):
    topic, group, p = begun(t)
    p.add_offsets(group)
    assert p.commit_offsets(group, {(topic, 0): 1, (topic, 1): 1}) == "NONE"
    p.link.call("OffsetCommit", 8, GroupId=group, GenerationIdOrMemberEpoch=-1, MemberId="", Topics=[
        {"Name": topic, "Partitions": [{"PartitionIndex": 0, "CommittedOffset": 7, "CommittedMetadata": ""}]}])
    assert offsets(p, group, topic) == {0: 7, 1: -1}
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert offsets(p, group, topic) == {0: 7, 1: 1} # what was written last stays


def case_the_transaction_is_checked(t):
    topic, group, p = begun(t)
    to = {(topic, 0): 5}
    for version in range(4):
        assert p.commit_offsets(group, to, version=version) == "INVALID_TXN_STATE", version
    assert p.commit_offsets(group, to, version=4) == "TRANSACTION_ABORTABLE"
    assert p.commit_offsets(group, to, version=4, producer_id=p.id + 1) == "INVALID_PRODUCER_ID_MAPPING"
    assert p.commit_offsets(group, to, version=4, epoch=8) == "INVALID_PRODUCER_EPOCH"
    assert p.commit_offsets(group, to, version=5, epoch=8) == "INVALID_PRODUCER_EPOCH"
    assert p.commit_offsets("", to) == "INVALID_GROUP_ID"
    p.add_offsets(group)
    for version in range(5):
        assert p.commit_offsets(group, to, version=version) == "NONE"
    assert p.end(COMMIT) == "NONE"


def case_partitions_are_checked_one_by_one(t):
    topic, group, p = begun(t)
    nowhere = t.name("nowhere")
    p.add_offsets(group)
    assert p.commit_offsets(group, {(topic, 0): 1, (topic, 9): 1, (nowhere, 0): 1}) == {
        (topic, 0): "NONE", (topic, 9): "UNKNOWN_TOPIC_OR_PARTITION", (nowhere, 0): "UNKNOWN_TOPIC_OR_PARTITION"}
    assert p.commit_offsets(group, {(topic, 1): 1}, metadata="x" * 5000) == "OFFSET_METADATA_TOO_LARGE"
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert offsets(p, group, topic) == {0: 1, 1: -1}


def case_the_member_is_checked(t):
    topic, group, p = begun(t)
    p.add_offsets(group)
    to = {(topic, 0): 5}
    assert p.commit_offsets(group, to, generation=3, member="m") == "ILLEGAL_GENERATION" # there is no such group
    m = Member(t, group)
    join_all(m)
    assert p.commit_offsets(group, to) == "NONE" # clients of old do not say who they are
    assert p.commit_offsets(group, to, generation=m.generation, member=m.id) == "NONE" # though it has not synced
    m.sync({m: b"all"})
    assert p.commit_offsets(group, to, generation=m.generation, member=m.id) == "NONE"
    assert p.commit_offsets(group, to, generation=m.generation + 1, member=m.id) == "ILLEGAL_GENERATION"
    assert p.commit_offsets(group, to, generation=m.generation, member="other") == "UNKNOWN_MEMBER_ID"
    assert p.commit_offsets(group, to, generation=-1, member=m.id) == "ILLEGAL_GENERATION"
    assert p.commit_offsets(group, to, generation=m.generation, member=m.id, instance="i") == "UNKNOWN_MEMBER_ID"
    assert p.end(COMMIT) == "NONE"


def case_a_fenced_producer_commits_nothing(t):
    for v2 in (False, True):
        topic, group, p = begun(t, v2)
        if not v2:
            p.add_offsets(group)
        assert p.commit_offsets(group, {(topic, 0): 5}) == "NONE"
        q = Producer(t, p.name, v2=v2)
        assert settled(q.init) == "NONE"
        assert p.commit_offsets(group, {(topic, 0): 6}) == "INVALID_PRODUCER_EPOCH"
        assert offsets(q, group, topic, stable=True) == {0: -1, 1: -1}


def case_deleting_waits_for_the_transaction(t):
    topic, group, p = begun(t)
    p.add_offsets(group)
    p.commit_offsets(group, {(topic, 0): 5})
    answer = p.link.call("DeleteGroups", 2, GroupsNames=[group])["Results"][0]
    assert t.error(answer["ErrorCode"]) == "NONE", answer
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert offsets(p, group, topic) == {0: -1, 1: -1}
