# SPDX-License-Identifier: Apache-2.0
"""Membership of streams groups: heartbeats, epochs, tasks that move, leaving, sessions, describing."""
import time

import datakit
from member import coordinator_is_there, wait_for
from streams_member import Member, describe, errors, statuses, subtopology

NO_TASKS = {"ActiveTasks": [], "StandbyTasks": [], "WarmupTasks": []}


def begin(t, partitions=3):
    c = datakit.begin(t)
    topic = datakit.Topic(c, partitions=partitions)
    group = t.name("streams")
    coordinator_is_there(t, group)
    return c, topic, group


def case_a_member_joins_and_runs_all(t):
    c, topic, group = begin(t)
    m = Member(t, group, [subtopology("0", [topic.name])])
    answer = m.join(RackId="r", ClientTags=[{"Key": "zone", "Value": "z"}, {"Key": "a", "Value": "b"}])
    datakit.same((m.name, 2, 1000, 0, 0, [], [], None, 0), tuple(answer[k] for k in (
        "MemberId", "MemberEpoch", "HeartbeatIntervalMs", "AcceptableRecoveryLag", "TaskOffsetIntervalMs", "Status",
        "StandbyTasks", "PartitionsByUserEndpoint", "EndpointInformationEpoch")))
    datakit.same([{"SubtopologyId": "0", "Partitions": [0, 1, 2]}], answer["ActiveTasks"])
    datakit.same([], answer["WarmupTasks"])
    answer = m.beat()
    datakit.same((2, None, None, None, []),
                 tuple(answer[k] for k in ("MemberEpoch", "ActiveTasks", "StandbyTasks", "WarmupTasks", "Status")))
    datakit.same({"0": [0, 1, 2]}, m.tasks["Active"])
    got = describe(c, group)
    datakit.same((0, None, "Stable", 2, 2), tuple(got[k] for k in (
        "ErrorCode", "ErrorMessage", "GroupState", "GroupEpoch", "AssignmentEpoch")))
    datakit.same({"Epoch": 0, "Subtopologies": [{"SubtopologyId": "0", "SourceTopics": [topic.name],
                                                 "RepartitionSinkTopics": [], "StateChangelogTopics": [],
                                                 "RepartitionSourceTopics": []}]}, got["Topology"])
    one = got["Members"][0]
    datakit.same((m.name, 2, None, "r", "twin", "/127.0.0.1", 0, m.process, None, [], [], False),
                 tuple(one[k] for k in ("MemberId", "MemberEpoch", "InstanceId", "RackId", "ClientId", "ClientHost",
                                        "TopologyEpoch", "ProcessId", "UserEndpoint", "TaskOffsets", "TaskEndOffsets",
                                        "IsClassic")))
    datakit.same([("a", "b"), ("zone", "z")], sorted((x["Key"], x["Value"]) for x in one["ClientTags"]))
    whole = dict(NO_TASKS, ActiveTasks=[{"SubtopologyId": "0", "Partitions": [0, 1, 2]}])
    datakit.same(whole, one["Assignment"])
    datakit.same(whole, one["TargetAssignment"])
    listed = [g for g in c.call("ListGroups", 5, StatesFilter=[], TypesFilter=["streams"])["Groups"]
              if g["GroupId"] == group]
    datakit.same([("streams", "Stable", "streams")],
                 [(g["ProtocolType"], g["GroupState"], g["GroupType"]) for g in listed])
    again = m.join()
    datakit.same((2, [{"SubtopologyId": "0", "Partitions": [0, 1, 2]}]), (again["MemberEpoch"], again["ActiveTasks"]))


def case_tasks_move_from_one_to_another(t):
    c, topic, group = begin(t, partitions=4)
    sub = [subtopology("0", [topic.name])]
    a, b = Member(t, group, sub, name="a"), Member(t, group, sub, name="b")
    a.join()
    datakit.same({"0": [0, 1, 2, 3]}, a.tasks["Active"])
    answer = b.join()
    datakit.same((3, []), (answer["MemberEpoch"], answer["ActiveTasks"]))
    datakit.same("Reconciling", describe(c, group)["GroupState"])
    answer = a.beat()                                      # is told to give two up
    datakit.same((2, [{"SubtopologyId": "0", "Partitions": [0, 1]}]), (answer["MemberEpoch"], answer["ActiveTasks"]))
    datakit.same([], b.beat()["ActiveTasks"] or [])
    answer = a.beat()                                      # has given them up
    datakit.same((3, None), (answer["MemberEpoch"], answer["ActiveTasks"]))
    answer = b.beat()
    datakit.same((3, [{"SubtopologyId": "0", "Partitions": [2, 3]}]), (answer["MemberEpoch"], answer["ActiveTasks"]))
    datakit.same(("Stable", 3, 3), tuple(describe(c, group)[k] for k in ("GroupState", "GroupEpoch", "AssignmentEpoch")))
    left = b.leave()
    datakit.same((0, b.name, -1, 0, [], None), tuple(left[k] for k in (
        "ErrorCode", "MemberId", "MemberEpoch", "HeartbeatIntervalMs", "Status", "ActiveTasks")))
    answer = a.beat()
    datakit.same((4, [{"SubtopologyId": "0", "Partitions": [0, 1, 2, 3]}]),
                 (answer["MemberEpoch"], answer["ActiveTasks"]))
    t.broker.stop()
    t.broker.start()
    coordinator_is_there(t, group)
    a.link = t.connect(client_id="twin")
    answer = a.beat()
    datakit.same((4, None), (answer["MemberEpoch"], answer["ActiveTasks"]))
    datakit.same("Stable", describe(t.connect(), group)["GroupState"])


def case_one_process_has_a_task_once(t):
    c, topic, group = begin(t, partitions=2)
    sub = [subtopology("0", [topic.name])]
    a, b = Member(t, group, sub, name="a", process="p"), Member(t, group, sub, name="b", process="p")
    a.join()
    b.join()
    a.beat_until({"0": [0]})
    a.beat()
    b.beat_until({"0": [1]})


def case_what_is_malformed(t):
    c, topic, group = begin(t)
    m = Member(t, group, [subtopology("0", [topic.name])])
    for want, other in (
            ("MemberId can't be empty.", dict(MemberId="")),
            ("GroupId can't be empty.", dict(GroupId="")),
            ("RackId can't be empty.", dict(RackId=" ")),
            ("RebalanceTimeoutMs must be provided in first request.", dict(RebalanceTimeoutMs=-1)),
            ("ActiveTasks must be empty when (re-)joining.", dict(ActiveTasks=None)),
            ("StandbyTasks must be empty when (re-)joining.", dict(StandbyTasks=None)),
            ("WarmupTasks must be empty when (re-)joining.", dict(WarmupTasks=None)),
            ("Topology must be non-null when (re-)joining.", dict(Topology=None)),
            ("Static membership is not yet supported.", dict(InstanceId="i")),
            ("TaskOffsets are not supported yet.", dict(TaskOffsets=[])),
            ("TaskEndOffsets are not supported yet.", dict(TaskEndOffsets=[])),
            ("WarmupTasks are not supported yet.", dict(WarmupTasks=[{"SubtopologyId": "0", "Partitions": [0]}])),
            ("Topology can only be provided when (re-)joining.", dict(MemberEpoch=1)),
            ("If one task-type is non-null, all must be non-null.", dict(MemberEpoch=1, Topology=None, ActiveTasks=None)),
            ("MemberEpoch is -3, but must be greater than or equal to -2.", dict(MemberEpoch=-3)),
            ("InstanceId can't be null.", dict(MemberEpoch=-2))):
        datakit.same(("INVALID_REQUEST", want), errors(m.first(**other)), want)


def case_epochs_and_names_that_are_wrong(t):
    c, topic, group = begin(t)
    m = Member(t, group, [subtopology("0", [topic.name])])
    datakit.same(("GROUP_ID_NOT_FOUND", "Streams group %s not found." % group), errors(m.send(MemberEpoch=1)))
    datakit.same(("GROUP_ID_NOT_FOUND", "Group %s not found." % group), errors(m.leave()))
    m.join()
    m.beat()
    wrong = ("The streams group member has a %s member epoch (%d) than the one known by the group coordinator (%d). The "
             "member must abandon all its partitions and rejoin.")
    datakit.same(("FENCED_MEMBER_EPOCH", wrong % ("greater", 9, 2)), errors(m.send(MemberEpoch=9)))
    datakit.same(("FENCED_MEMBER_EPOCH", wrong % ("smaller", 1, 2)), errors(m.send(MemberEpoch=1)))
    other = Member(t, group, m.subtopologies)
    unknown = ("UNKNOWN_MEMBER_ID", "Member %s is not a member of group %s." % (other.name, group))
    datakit.same(unknown, errors(other.send(MemberEpoch=1)))
    datakit.same(unknown, errors(other.leave()))
    datakit.same(("INVALID_REQUEST", "Subtopology 7 does not exist in the topology."), errors(m.send(
        ActiveTasks=[{"SubtopologyId": "7", "Partitions": [0]}], StandbyTasks=[], WarmupTasks=[])))
    datakit.same(("INVALID_REQUEST", "Task 3 for subtopology 0 is invalid. Number of tasks for this subtopology: 3"),
                 errors(m.send(ActiveTasks=[{"SubtopologyId": "0", "Partitions": [3]}], StandbyTasks=[],
                               WarmupTasks=[])))
    for _ in range(2):
        Member(t, group, m.subtopologies).join()
    datakit.same(("GROUP_MAX_SIZE_REACHED", "The streams group has reached its maximum capacity of 3 members."),
                 errors(other.first()))
    got = describe(c, t.name("none"))
    datakit.same("GROUP_ID_NOT_FOUND", datakit.name_of(got["ErrorCode"]))
    datakit.same("INVALID_GROUP_ID", datakit.name_of(describe(c, "")["ErrorCode"]))
    answer = c.call("ConsumerGroupHeartbeat", 1, GroupId=group, MemberId="x", MemberEpoch=0, RebalanceTimeoutMs=1000,
                    SubscribedTopicNames=[topic.name], TopicPartitions=[])
    datakit.same("GROUP_ID_NOT_FOUND", datakit.name_of(answer["ErrorCode"]))


def case_a_silent_member_goes(t):
    c, topic, group = begin(t)
    m = Member(t, group, [subtopology("0", [topic.name])])
    c.call("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": 32, "ResourceName": group, "Configs": [
        {"Name": "streams.session.timeout.ms", "ConfigOperation": 0, "Value": "1500"},
        {"Name": "streams.heartbeat.interval.ms", "ConfigOperation": 0, "Value": "700"}]}])
    wait_for(lambda: m.join()["HeartbeatIntervalMs"] == 700, "the setting")
    wait_for(lambda: describe(c, group)["GroupState"] == "Empty", "the end of its session")
    datakit.same([], describe(c, group)["Members"])
    datakit.same("UNKNOWN_MEMBER_ID", errors(m.send())[0])


def case_the_first_assignment_may_wait(t):
    c, topic, group = begin(t)
    m = Member(t, group, [subtopology("0", [topic.name])])
    c.call("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": 32, "ResourceName": group, "Configs": [
        {"Name": "streams.initial.rebalance.delay.ms", "ConfigOperation": 0, "Value": "2000"}]}])
    time.sleep(0.5)
    answer = m.join()
    late = (5, "Assignment delayed due to the configured initial rebalance delay.")
    datakit.same((1, [], [late]), (answer["MemberEpoch"], answer["ActiveTasks"], statuses(answer)))
    datakit.same([late], statuses(m.beat()))
    datakit.same("Assigning", describe(c, group)["GroupState"])
    wait_for(lambda: describe(c, group)["AssignmentEpoch"] == 2, "the delay to end")
    datakit.same({"0": [0, 1, 2]}, (m.beat(), m.tasks["Active"])[1])


def case_a_shutdown_is_told_to_all(t):
    c, topic, group = begin(t)
    sub = [subtopology("0", [topic.name])]
    a, b = Member(t, group, sub), Member(t, group, sub)
    a.join()
    b.join()
    a.leave(ShutdownApplication=True)
    datakit.same([(4, "Streams group member %s encountered a fatal error and requested a shutdown for the entire "
                      "application." % a.name)], statuses(b.beat()))
    b.leave()
    datakit.same([], statuses(b.join()))


def case_offsets_of_members(t):
    c, topic, group = begin(t)
    m = Member(t, group, [subtopology("0", [topic.name])])
    m.join()

    def commit(member, epoch, partition=0):
        answer = c.call("OffsetCommit", 9, GroupId=group, GenerationIdOrMemberEpoch=epoch, MemberId=member, Topics=[
            {"Name": topic.name, "Partitions": [{"PartitionIndex": partition, "CommittedOffset": 5,
                                                 "CommittedLeaderEpoch": -1, "CommittedMetadata": ""}]}])
        return datakit.name_of(answer["Topics"][0]["Partitions"][0]["ErrorCode"])

    datakit.same("NONE", commit(m.name, m.epoch))
    datakit.same("STALE_MEMBER_EPOCH", commit(m.name, m.epoch + 1))
    datakit.same("STALE_MEMBER_EPOCH", commit(m.name, m.epoch - 1))
    datakit.same("UNKNOWN_MEMBER_ID", commit("x", m.epoch))
    datakit.same("UNKNOWN_MEMBER_ID", commit("", -1))

    def fetch(member, epoch):
        answer = c.call("OffsetFetch", 9, Groups=[{"GroupId": group, "MemberId": member, "MemberEpoch": epoch, "Topics": [
            {"Name": topic.name, "PartitionIndexes": [0]}]}], RequireStable=False)["Groups"][0]
        return datakit.name_of(answer["ErrorCode"]) if answer["ErrorCode"] else answer["Topics"][0]["Partitions"][0][
            "CommittedOffset"]

    datakit.same(5, fetch(m.name, m.epoch))
    datakit.same(5, fetch(None, -1))
    datakit.same("STALE_MEMBER_EPOCH", fetch(m.name, m.epoch - 1))
    datakit.same("UNKNOWN_MEMBER_ID", fetch("x", 1))
    deleted = c.call("OffsetDelete", 0, GroupId=group, Topics=[{"Name": topic.name, "Partitions": [{"PartitionIndex": 0}]}])
    datakit.same((0, "GROUP_SUBSCRIBED_TO_TOPIC"), (deleted["ErrorCode"], datakit.name_of(
        deleted["Topics"][0]["Partitions"][0]["ErrorCode"])))
    datakit.same("NON_EMPTY_GROUP", datakit.name_of(
        c.call("DeleteGroups", 2, GroupsNames=[group])["Results"][0]["ErrorCode"]))
    m.leave()
    datakit.same("NONE", commit("", -1))
    datakit.same(0, c.call("DeleteGroups", 2, GroupsNames=[group])["Results"][0]["ErrorCode"])
    datakit.same("GROUP_ID_NOT_FOUND", datakit.name_of(describe(c, group)["ErrorCode"]))
    datakit.same(2, m.join()["MemberEpoch"])
