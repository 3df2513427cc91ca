# SPDX-License-Identifier: Apache-2.0
"""TxnOffsetCommit to groups of every kind, by members and others; and how its answers are arranged."""
from member import Member, coordinator_is_there, join_all
from newmember import NewMember, settle
from producer import COMMIT, Producer
from streams_member import Member as StreamsMember, subtopology

SHARE_MEMBER = "mmmmmmmmmmmmmmmmmmmmmm"


def begun(t, v2):
    topic, p = t.topic(2), Producer(t, t.name(), v2=v2)
    assert p.init() == "NONE"
    return topic, p


def group_of(t, p, prefix):
    """A name that the transaction may commit to."""
    group = t.name(prefix)
    coordinator_is_there(t, group)
    if not p.v2:
        assert p.add_offsets(group) == "NONE"
    return group


def commits(p, group, topic, member, generation, *others):
    """The error for each version."""
    versions = (5,) if p.v2 else (3, 4)
    errors = {p.commit_offsets(group, {(topic, 0): 5}, version=version, member=member, generation=generation,
                               instance=others[0] if others else None) for version in versions}
    assert len(errors) == 1, errors
    return errors.pop()


def epochs_are_checked(p, group, topic, member, epoch):
    assert commits(p, group, topic, "", -1) == "NONE" # clients of old do not say who they are
    assert commits(p, group, topic, member, epoch) == "NONE"
    for other in (epoch - 1, epoch + 1, 0, -1):
        assert commits(p, group, topic, member, other) == "ILLEGAL_GENERATION"
    for other in (epoch, -1):
        assert commits(p, group, topic, "other", other) == "UNKNOWN_MEMBER_ID"
    assert commits(p, group, topic, "", epoch) == "UNKNOWN_MEMBER_ID"
    assert commits(p, group, topic, member, epoch, "instance") == "NONE" # it is not looked at


def case_consumer_groups(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        group = group_of(t, p, "consumer")
        m = NewMember(t, group, [topic])
        m.join()
        settle(m)
        epochs_are_checked(p, group, topic, m.id, m.epoch)
        assert commits(p, group, topic, m.id, -2) == "ILLEGAL_GENERATION"
        epoch = m.epoch
        m.leave()
        # Nobody is left: whoever comes is a client without a group, or was one of the group.
        assert commits(p, group, topic, "", -1) == commits(p, group, topic, "other", -1) == "NONE"
        assert commits(p, group, topic, m.id, -1) == "NONE"
        assert commits(p, group, topic, m.id, epoch) == commits(p, group, topic, "", 3) == "UNKNOWN_MEMBER_ID"
        assert p.end(COMMIT) == "NONE"


def case_streams_groups(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        group = group_of(t, p, "streams")
        m = StreamsMember(t, group, [subtopology("0", [topic])])
        m.join()
        m.beat_until({"0": [0, 1]})
        epochs_are_checked(p, group, topic, m.name, m.epoch)
        m.leave()
        assert commits(p, group, topic, "", -1) == "NONE"
        assert commits(p, group, topic, m.name, m.epoch) == "UNKNOWN_MEMBER_ID"
        assert p.end(COMMIT) == "NONE"


def case_share_groups_have_no_such_offsets(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        group = group_of(t, p, "share")
        answer = p.link.call("ShareGroupHeartbeat", 1, GroupId=group, MemberId=SHARE_MEMBER, MemberEpoch=0,
                             SubscribedTopicNames=[topic])
        assert answer["ErrorCode"] == 0, answer
        for member, epoch in (("", -1), (SHARE_MEMBER, answer["MemberEpoch"]), ("other", 1)):
            assert commits(p, group, topic, member, epoch) == "GROUP_ID_NOT_FOUND"


def case_classic_groups(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        group = group_of(t, p, "classic")
        m = Member(t, group, instance="i")
        join_all(m)
        m.sync({m: b"all"})
        assert commits(p, group, topic, "", -1) == commits(p, group, topic, m.id, m.generation) == "NONE"
        assert commits(p, group, topic, m.id, m.generation, "i") == "NONE"
        for member, generation in (("other", m.generation), ("", -1), ("", m.generation)):
            assert commits(p, group, topic, member, generation, "i") == "FENCED_INSTANCE_ID"
        assert commits(p, group, topic, m.id, m.generation, "j") == "UNKNOWN_MEMBER_ID"
        for generation in (m.generation - 1, m.generation + 1):
            assert commits(p, group, topic, m.id, generation) == "ILLEGAL_GENERATION"
        assert commits(p, group, topic, m.id, -1, "i") == "ILLEGAL_GENERATION"
        assert commits(p, group, topic, "", m.generation) == commits(p, group, topic, "other", -1) == "UNKNOWN_MEMBER_ID"
        newcomer = Member(t, group)
        newcomer.take_id()
        newcomer.send_join() # the group rebalances from now on
        assert commits(p, group, topic, m.id, m.generation) == "NONE"
        assert p.end(COMMIT) == "NONE"


def case_groups_that_there_are_not(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        group = group_of(t, p, "none")
        for generation in (0, 5):
            assert commits(p, group, topic, "m", generation) == "ILLEGAL_GENERATION"
        assert commits(p, group, topic, "m", -1) == "NONE" # it is one without members now
        for generation in (0, 5):
            assert commits(p, group, topic, "m", generation) == "UNKNOWN_MEMBER_ID"
        assert p.end(COMMIT) == "NONE"


def case_how_answers_are_arranged(t):
    topic, p = begun(t, False)
    group, nowhere = group_of(t, p, "group"), t.name("nowhere")

    def ask(*topics, version=3, **other):
        answer = p.link.call("TxnOffsetCommit", version, **dict(dict(
            TransactionalId=p.name, GroupId=group, ProducerId=p.id, ProducerEpoch=p.epoch, GenerationId=-1, MemberId="",
            Topics=[{"Name": name, "Partitions": [{"PartitionIndex": i, "CommittedOffset": offset,
                                                   "CommittedMetadata": None} for i, offset in parts]}
                    for name, parts in topics]), **other))
        return [(r["Name"], [(x["PartitionIndex"], t.error(x["ErrorCode"])) for x in r["Partitions"]])
                for r in answer["Topics"]]

    unknown = "UNKNOWN_TOPIC_OR_PARTITION"
    assert ask() == ask((topic, [])) == []
    assert ask((nowhere, [])) == [(nowhere, [])]
    assert ask((topic, [(0, 5), (0, 6)])) == [(topic, [(0, "NONE"), (0, "NONE")])]
    assert ask((topic, [(0, 5)]), (topic, [(1, 5)])) == [(topic, [(0, "NONE")]), (topic, [(1, "NONE")])]
    assert ask((topic, [(0, 5), (8, 5)]), (topic, [(1, 5), (9, 5)])) == [
        (topic, [(8, unknown), (9, unknown), (0, "NONE"), (1, "NONE")])]
    for version in range(6):
        assert ask((topic, [(0, -7)]), version=version) == [(topic, [(0, "NONE")])]
    assert ask((nowhere, [(0, 5)]), GroupId="") == [(nowhere, [(0, unknown)])]
    assert ask((nowhere, [(0, 5)]), (topic, [(0, 5)]), GroupId="") == [
        (nowhere, [(0, unknown)]), (topic, [(0, "INVALID_GROUP_ID")])]
    assert ask((topic, [(0, 5)]), ProducerId=-1, ProducerEpoch=-1) == [(topic, [(0, "INVALID_PRODUCER_ID_MAPPING")])]
    assert ask((topic, [(0, 5)]), ProducerEpoch=-1) == [(topic, [(0, "INVALID_PRODUCER_EPOCH")])]
    # The partition of the group is in the transaction, so the id is not asked about again.
    assert ask((topic, [(0, 5)]), TransactionalId="") == ask((topic, [(0, 5)]), TransactionalId="other") == [
        (topic, [(0, "NONE")])]
    assert p.end(COMMIT) == "NONE"
