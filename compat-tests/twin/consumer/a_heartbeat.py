# SPDX-License-Identifier: Apache-2.0
"""ConsumerGroupHeartbeat: members come, share partitions, change their minds and leave."""
import topics
from member import new_group, wait_for
from newmember import NewMember, describe, ids_of, settle, sizes


def case_one_member_has_everything(t):
    topic, group = t.topic(3), new_group(t)
    names, ids = ids_of(t, topic)
    a = NewMember(t, group, [topic])
    answer = a.join()
    assert answer["ErrorCode"] == 0 and answer["ErrorMessage"] is None, answer
    assert (answer["MemberId"], answer["MemberEpoch"], answer["HeartbeatIntervalMs"]) == (a.id, 2, 1000), answer
    assert answer["Assignment"]["TopicPartitions"] == [{"TopicId": ids[topic], "Partitions": [0, 1, 2]}], answer
    answer = a.beat()
    assert (answer["MemberEpoch"], answer["Assignment"]) == (2, None), answer
    full = a.full()
    assert full["MemberEpoch"] == 2 and full["Assignment"] is not None, full


def case_version_0_is_given_an_id(t):
    topic, group = t.topic(1), new_group(t)
    a = NewMember(t, group, [topic], version=0)
    answer = a.join()
    assert answer["ErrorCode"] == 0 and len(answer["MemberId"]) == 22, answer


def case_a_second_member_waits_for_what_the_first_gives_up(t):
    topic, group = t.topic(4), new_group(t)
    a, b = NewMember(t, group, [topic], client_id="a"), NewMember(t, group, [topic], client_id="b")
    a.join()
    a.beat()
    answer = b.join()
    assert (answer["MemberEpoch"], answer["Assignment"]["TopicPartitions"]) == (3, []), answer
    described = describe(t, group)
    assert (described["GroupState"], described["GroupEpoch"], described["AssignmentEpoch"]) == \
        ("Reconciling", 3, 3), described
    assert sizes(described) == {a.id: (4, 2), b.id: (0, 2)}, described
    # a is told of less, in its old epoch, and has until the rebalance timeout to give it up.
    answer = a.beat()
    assert answer["MemberEpoch"] == 2 and a.partitions() == 2, answer
    assert b.beat()["Assignment"] is None
    assert sizes(describe(t, group))[a.id] == (4, 2)
    answer = a.beat()  # it says that it holds less
    assert (answer["MemberEpoch"], answer["Assignment"]) == (3, None), answer
    answer = b.beat()
    assert answer["MemberEpoch"] == 3 and b.partitions() == 2, answer
    described = describe(t, group)
    assert described["GroupState"] == "Stable" and sizes(described) == {a.id: (2, 2), b.id: (2, 2)}, described


def case_described_whole(t):
    topic, group = t.topic(2), new_group(t)
    a = NewMember(t, group, [topic], client_id="client-a", rack="r1")
    a.join()
    a.beat()
    d = describe(t, group)
    (m,) = d["Members"]
    assert (d["ErrorCode"], d["ErrorMessage"], d["AssignorName"], d["AuthorizedOperations"]) == \
        (0, None, "uniform", -2147483648), d
    assert (m["ClientId"], m["ClientHost"], m["RackId"], m["InstanceId"], m["MemberEpoch"], m["MemberType"]) == \
        ("client-a", "/127.0.0.1", "r1", None, 2, 1), m
    assert (m["SubscribedTopicNames"], m["SubscribedTopicRegex"]) == ([topic], ""), m
    assert m["Assignment"] == m["TargetAssignment"] and \
        m["Assignment"]["TopicPartitions"][0]["TopicName"] == topic, m
    d = describe(t, group, version=0)
    assert d["Members"][0]["MemberEpoch"] == 2
    whole = t.connect().call("ConsumerGroupDescribe", 1, GroupIds=[group, "nobody", ""],
                             IncludeAuthorizedOperations=True)["Groups"]
    by = {g["GroupId"]: g for g in whole}
    assert by[group]["AuthorizedOperations"] == 3400, by
    assert (t.error(by["nobody"]["ErrorCode"]), by["nobody"]["ErrorMessage"]) == \
        ("GROUP_ID_NOT_FOUND", "Group nobody not found."), by
    assert (t.error(by[""]["ErrorCode"]), by[""]["ErrorMessage"]) == ("INVALID_GROUP_ID", None), by


def case_listed_with_filters(t):
    topic, group = t.topic(1), new_group(t)
    NewMember(t, group, [topic]).join()

    def listed(**filters):
        answer = t.connect().call("ListGroups", 5, **filters)
        return [g for g in answer["Groups"] if g["GroupId"] == group]
    assert listed() == [{"GroupId": group, "ProtocolType": "consumer", "GroupState": "Stable",
                         "GroupType": "consumer"}], listed()
    assert len(listed(TypesFilter=["Consumer"])) == len(listed(StatesFilter=["stable"])) == 1
    assert listed(TypesFilter=["classic"]) == listed(StatesFilter=["Empty", "Assigning"]) == []


def case_leaving(t):
    topic, group = t.topic(4), new_group(t)
    a, b = NewMember(t, group, [topic]), NewMember(t, group, [topic])
    a.join(), b.join()
    settle(a, b)
    answer = a.leave()
    assert (answer["ErrorCode"], answer["MemberId"], answer["MemberEpoch"], answer["HeartbeatIntervalMs"],
            answer["Assignment"]) == (0, a.id, -1, 0, None), answer
    assert describe(t, group)["GroupEpoch"] == 4
    assert a.call(MemberEpoch=3)["ErrorCode"] != 0 and a.error() == "UNKNOWN_MEMBER_ID", a.last
    assert a.last["ErrorMessage"] == "Member %s is not a member of group %s." % (a.id, group), a.last
    b.beat()
    assert b.epoch == 4 and b.partitions() == 4, b.last
    b.leave()
    d = describe(t, group)
    assert (d["GroupState"], d["GroupEpoch"], d["AssignmentEpoch"], d["Members"]) == ("Empty", 5, 4, []), d


def case_a_subscription_changes(t):
    one, two, group = t.topic(2), t.topic(3), new_group(t)
    names, _ = ids_of(t, one, two)
    a = NewMember(t, group, [one])
    a.join()
    a.beat()
    answer = a.call(SubscribedTopicNames=[two])
    assert answer["MemberEpoch"] == 2 and answer["Assignment"]["TopicPartitions"] == [], answer
    assert describe(t, group)["GroupEpoch"] == 3
    answer = a.beat()
    assert answer["MemberEpoch"] == 3 and {names[x] for x in a.assigned} == {two}, answer
    assert a.call(SubscribedTopicNames=[])["ErrorCode"] == 0
    assert a.beat()["MemberEpoch"] == 4 and a.partitions() == 0, (a.last, describe(t, group))


def case_a_topic_grows_and_appears(t):
    topic, group = t.topic(1), new_group(t)
    late = t.name("late")
    a = NewMember(t, group, [topic, late])
    a.join()
    a.beat()
    assert a.partitions() == 1
    link = t.connect()
    link.call("CreatePartitions", 3, Topics=[{"Name": topic, "Count": 3, "Assignments": None}], TimeoutMs=30000,
              ValidateOnly=False)
    wait_for(lambda: a.beat()["ErrorCode"] == 0 and a.partitions() == 3, "the new partitions")
    epoch = a.epoch
    topics.create(link, late, 2)
    wait_for(lambda: a.beat()["ErrorCode"] == 0 and a.partitions() == 5, "the new topic")
    assert a.epoch == epoch + 1, a.last
    link.call("DeleteTopics", 6, Topics=[{"Name": late}], TimeoutMs=30000)
    wait_for(lambda: a.beat()["ErrorCode"] == 0 and a.partitions() == 3, "the deletion")


def case_the_range_assignor(t):
    one, two, group = t.topic(3), t.topic(3), new_group(t)
    a, b = [NewMember(t, group, [one, two], assignor="range", id="member-" + x) for x in "ab"]
    a.join(), b.join()
    settle(a, b)
    assert set(map(frozenset, a.assigned.values())) == {frozenset((0, 1))}, a.assigned
    assert set(map(frozenset, b.assigned.values())) == {frozenset((2,))}, b.assigned
    assert describe(t, group)["AssignorName"] == "range"


def case_assigned_as_kafka_does(t):
    """Fixed ids, so that the order of Java's tables decides the same way."""
    topic, group = t.topic(7), new_group(t)
    members = [NewMember(t, group, [topic], id="member-%d" % i) for i in range(3)]
    for m in members:
        m.join()
    settle(*members)
    got = [sorted(next(iter(m.assigned.values()))) for m in members]
    assert got == [[0, 1], [4, 5, 6], [2, 3]], got
    members[1].leave()
    settle(members[0], members[2])
    got = [sorted(next(iter(m.assigned.values()))) for m in (members[0], members[2])]
    assert got == [[0, 1, 5, 6], [2, 3, 4]], got


def case_a_lost_answer(t):
    """The previous epoch is accepted from a member that holds no more than it was given."""
    topic, group = t.topic(2), new_group(t)
    a, b = NewMember(t, group, [topic]), NewMember(t, group, [topic])
    a.join()
    a.beat()
    b.join()
    a.beat()
    a.beat()
    assert a.epoch == 3
    answer = a.call(MemberEpoch=2, TopicPartitions=a.holding())
    assert (answer["ErrorCode"], answer["MemberEpoch"]) == (0, 3), answer
    answer = a.call(MemberEpoch=2)
    assert t.error(answer["ErrorCode"]) == "FENCED_MEMBER_EPOCH", answer
    a.epoch = 3
    answer = a.call(MemberEpoch=99)
    assert answer["ErrorMessage"] == (
        "The consumer group member has a greater member epoch (99) than the one known by the group coordinator (3). "
        "The member must abandon all its partitions and rejoin."), answer


def case_rejoining_with_epoch_0(t):
    topic, group = t.topic(2), new_group(t)
    a = NewMember(t, group, [topic])
    a.join()
    a.beat()
    answer = a.join()
    assert (answer["ErrorCode"], answer["MemberEpoch"]) == (0, 2) and a.partitions() == 2, answer


def case_group_max_size(t):
    topic, group = t.topic(1), new_group(t)
    for i in range(5):
        assert NewMember(t, group, [topic]).join()["ErrorCode"] == 0
    answer = NewMember(t, group, [topic]).join()
    assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == \
        ("GROUP_MAX_SIZE_REACHED", "The consumer group has reached its maximum capacity of 5 members."), answer


def case_bad_requests(t):
    topic, group = t.topic(1), new_group(t)

    def refused(**body):
        m = NewMember(t, group, [topic], version=body.pop("version", 1))
        whole = dict(dict(MemberEpoch=0, RebalanceTimeoutMs=1000, SubscribedTopicNames=[topic], TopicPartitions=[]),
                     **body)
        answer = m.call(**{k: v for k, v in whole.items() if v is not NotImplemented})
        assert (answer["MemberId"], answer["MemberEpoch"], answer["HeartbeatIntervalMs"], answer["Assignment"]) == \
            (None, 0, 0, None), answer
        return t.error(answer["ErrorCode"]), answer["ErrorMessage"]
    none = NotImplemented
    for body, message in (
            (dict(MemberId=""), "MemberId can't be empty."),
            (dict(MemberId="  "), "MemberId can't be empty."),
            (dict(GroupId=""), "GroupId can't be empty."),
            (dict(InstanceId=" "), "InstanceId can't be empty."),
            (dict(RackId=""), "RackId can't be empty."),
            (dict(RebalanceTimeoutMs=none), "RebalanceTimeoutMs must be provided in first request."),
            (dict(TopicPartitions=none), "TopicPartitions must be empty when (re-)joining."),
            (dict(SubscribedTopicNames=none), "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null "
                                              "when (re-)joining."),
            (dict(MemberEpoch=-2), "InstanceId can't be null."),
            (dict(MemberEpoch=-3), "MemberEpoch is invalid."),
            (dict(version=0, MemberId="", MemberEpoch=1), "MemberId can't be empty.")):
        assert refused(**body) == ("INVALID_REQUEST", message), (body, refused(**body))
    error, message = refused(ServerAssignor="best")
    assert error == "UNSUPPORTED_ASSIGNOR", error
    assert message in ("ServerAssignor best is not supported. Supported assignors: uniform, range.",
                       "ServerAssignor best is not supported. Supported assignors: range, uniform."), message
    nobody = t.name("nobody")
    assert refused(GroupId=nobody, MemberEpoch=1) == \
        ("GROUP_ID_NOT_FOUND", "Consumer group %s not found." % nobody)
    assert refused(GroupId=nobody, MemberEpoch=-1) == ("GROUP_ID_NOT_FOUND", "Group %s not found." % nobody)


def case_a_session_expires(t):
    topic, group = t.topic(2), new_group(t)
    t.connect().call("IncrementalAlterConfigs", 1, Resources=[
        {"ResourceType": 32, "ResourceName": group, "Configs": [
            {"Name": "consumer.session.timeout.ms", "ConfigOperation": 0, "Value": "500"},
            {"Name": "consumer.heartbeat.interval.ms", "ConfigOperation": 0, "Value": "200"}]}])
    a, b = NewMember(t, group, [topic]), NewMember(t, group, [topic])
    wait_for(lambda: a.join()["HeartbeatIntervalMs"] == 200, "the setting")
    b.join()
    wait_for(lambda: a.beat() and len(describe(t, group)["Members"]) == 1, "b to be fenced")
    answer = b.beat()
    assert t.error(answer["ErrorCode"]) == "UNKNOWN_MEMBER_ID", answer
    wait_for(lambda: a.beat() and a.partitions() == 2, "all partitions")


def case_partitions_not_given_up_in_time(t):
    topic, group = t.topic(2), new_group(t)
    a, b = NewMember(t, group, [topic], rebalance_ms=500), NewMember(t, group, [topic])
    a.join()
    a.beat()
    b.join()

    def fenced():
        a.call(TopicPartitions=None)
        b.beat()
        return a.error() == "UNKNOWN_MEMBER_ID"
    wait_for(fenced, "a to be fenced")
    wait_for(lambda: b.beat() and b.partitions() == 2, "all partitions")
