# SPDX-License-Identifier: Apache-2.0
"""What StreamsGroupHeartbeat and StreamsGroupDescribe refuse, and what members change while they are there: topology epochs,
processes, endpoints, racks and tags, settings of the group. What the real broker said stands in said/."""
import datakit
from a_members import begin as begin_group
from member import Member as ClassicMember, coordinator_is_there, wait_for
from newmember import NewMember
from said import Said
from streams_member import Member, describe, errors, info, statuses, subtopology


def begin(t, case):
    c, topic, group = begin_group(t)
    s = Said(t, __file__, case)
    s.call_it(GROUP=group, TOPIC=topic.name)
    return c, topic, group, s


def member(t, s, what, group, subtopologies, **more):
    m = Member(t, group, subtopologies, **more)
    s.call_it(**{what: m.name, "PROCESS-OF-" + what: m.process})
    return m


def configure(c, group, **configs):
    answer = c.call("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": 32, "ResourceName": group, "Configs": [
        {"Name": "streams." + k.replace("_", "."), "ConfigOperation": 1 if v is None else 0, "Value": v}
        for k, v in configs.items()]}])["Responses"][0]
    return datakit.name_of(answer["ErrorCode"]), answer["ErrorMessage"]


def one(c, group, m):
    return next(x for x in describe(c, group)["Members"] if x["MemberId"] == m.name)


def case_what_a_member_says_of_itself_changes(t):
    """Each change is a new group epoch; what is not said stays."""
    c, topic, group, s = begin(t, "changes")
    m = member(t, s, "M", group, [subtopology("0", [topic.name])], RackId="r", ClientTags=[{"Key": "a", "Value": "1"}],
               UserEndpoint={"Host": "h", "Port": 1})
    s("joined", m.join()["MemberEpoch"])
    for change in ({}, {"RackId": "s"}, {"ProcessId": "q"}, {"ClientTags": [{"Key": "a", "Value": "2"}]}, {"ClientTags": []},
                   {"UserEndpoint": {"Host": "h", "Port": 2}}, {"RebalanceTimeoutMs": 40000}):
        answer = m.beat(**change)
        s(repr(change), (answer["MemberEpoch"], answer["EndpointInformationEpoch"], answer["ActiveTasks"]))
    got = one(c, group, m)
    s("described", {k: got[k] for k in ("RackId", "ProcessId", "ClientTags", "UserEndpoint", "MemberEpoch", "TopologyEpoch")})
    m.leave()
    s.end()


def case_epochs_of_topologies(t):
    c, topic, group, s = begin(t, "epochs")
    sub = [subtopology("0", [topic.name])]
    a = member(t, s, "A", group, sub, topology_epoch=5)
    a.join()
    s("epoch -1", errors(member(t, s, "X", group, sub, topology_epoch=-1).first()))
    s("newer", errors(member(t, s, "Y", group, sub, topology_epoch=6).first()))
    b = member(t, s, "B", group, sub, topology_epoch=4)
    b.join()
    s("older", (statuses(b.last), one(c, group, b)["TopologyEpoch"], b.tasks["Active"]))
    b.beat()
    s("older again", statuses(b.last))
    s("other topology of the same epoch", errors(member(t, s, "Z", group, [], topology_epoch=5).first()))
    s("the group's", describe(c, group)["Topology"]["Epoch"])
    a.leave()
    b.leave()
    late = member(t, s, "L", group, [subtopology("0", [topic.name]), subtopology("1", [topic.name])], topology_epoch=6)
    s("newer, of a group that is empty", errors(late.first()))
    s.end()


def case_topologies_of_nothing(t):
    _, topic, group, s = begin(t, "nothing")
    for what, sub, epoch in (("no subtopology", [], 0), ("no id", [subtopology("", [topic.name])], 0),
                             ("no name of a source", [subtopology("0", [""])], 0),
                             ("a long name", [subtopology("0", [topic.name], changelogs=[info("x" * 250)])], 0),
                             ("epoch -1", [subtopology("0", [topic.name])], -1)):
        here = t.name("streams")
        coordinator_is_there(t, here)
        s.call_it(HERE=here)
        s(what, errors(member(t, s, "M", here, sub, topology_epoch=epoch).first()))
    s.end()


def case_a_shutdown_stays_until_all_are_gone(t):
    _, topic, group, s = begin(t, "shutdown")
    sub = [subtopology("0", [topic.name])]
    a, b = member(t, s, "A", group, sub), member(t, s, "B", group, sub)
    a.join()
    b.join()
    s("who asks", statuses(a.beat(ShutdownApplication=True)))
    s("the other", statuses(b.beat()))
    third = member(t, s, "C", group, sub)
    s("who comes", statuses(third.join()))
    s("asked again", statuses(b.beat(ShutdownApplication=True)))
    t.broker.stop()  # killed, the real one would come back after the members' sessions
    t.broker.start()
    coordinator_is_there(t, group)
    for m in (a, b, third):
        m.link = t.connect(client_id="twin")
    s("after a restart", statuses(a.beat()))
    for m in (a, b, third):
        m.leave()
    s.end()


def case_settings_of_a_group(t):
    c, topic, group, s = begin(t, "settings")
    for name, values in (("num.standby.replicas", ("-1", "x", "3", "2")), ("session.timeout.ms", ("1", "499", "60001", "9000")),
                         ("heartbeat.interval.ms", ("1", "15001", "900")), ("initial.rebalance.delay.ms", ("-1", "0")),
                         ("assignment.interval.ms", ("-1", "0", "70000")), ("acceptable.recovery.lag", ("1",)),
                         ("task.offset.interval.ms", ("1",)), ("warmup.replicas", ("1",)), ("num.warmup.replicas", ("1",))):
        for value in values:
            s("%s=%s" % (name, value), configure(c, group, **{name.replace(".", "_"): value}))
    got = c.call("DescribeConfigs", 4, Resources=[{"ResourceType": 32, "ResourceName": group, "ConfigurationKeys": None}])
    s("described", sorted((x["Name"], x["Value"], x["ConfigSource"]) for x in got["Results"][0]["Configs"]
                          if x["Name"].startswith("streams.")))
    m = member(t, s, "M", group, [subtopology("0", [topic.name])])
    answer = m.join()
    s("told", [answer[k] for k in ("HeartbeatIntervalMs", "AcceptableRecoveryLag", "TaskOffsetIntervalMs")])
    m.leave()
    s.end()


def case_other_kinds_of_groups(t):
    c, topic, group, s = begin(t, "kinds")
    m = member(t, s, "M", group, [subtopology("0", [topic.name])])
    m.join()
    classic = ClassicMember(t, group)
    s("JoinGroup", t.error(classic.link.call("JoinGroup", 9, GroupId=group, SessionTimeoutMs=10000, RebalanceTimeoutMs=10000,
                                             MemberId="", ProtocolType="consumer",
                                             Protocols=[{"Name": "range", "Metadata": b""}])["ErrorCode"]))
    for api, version, body in (
            ("ShareGroupHeartbeat", 1, dict(SubscribedTopicNames=[topic.name])),
            ("ConsumerGroupHeartbeat", 1, dict(SubscribedTopicNames=[topic.name], RebalanceTimeoutMs=1000, TopicPartitions=[]))):
        s(api, errors(c.call(api, version, GroupId=group, MemberId="x", MemberEpoch=0, **body)))
    for api, version in (("ConsumerGroupDescribe", 1), ("ShareGroupDescribe", 1)):
        s(api, errors(c.call(api, version, GroupIds=[group], IncludeAuthorizedOperations=False)["Groups"][0]))
    got = c.call("DescribeGroups", 6, Groups=[group])["Groups"][0]
    s("DescribeGroups", [got[k] for k in ("ErrorCode", "ErrorMessage", "GroupState")])
    m.leave()
    consumer = NewMember(t, t.name("consumer"), [topic.name])
    s.call_it(CONSUMERS=consumer.group)
    coordinator_is_there(t, consumer.group)
    consumer.join()
    other = member(t, s, "N", consumer.group, [subtopology("0", [topic.name])])
    s("of consumers", (errors(other.first()), errors(describe(c, consumer.group))))
    consumer.leave()
    s("of none any more", (errors(other.first()), errors(describe(c, consumer.group))))
    none = t.name("none")
    s.call_it(NONE=none)
    s("none", errors(describe(c, none)))
    s.end()


def case_many_groups_are_answered_in_the_order_of_a_map(t):
    """Asked for twice, without a name, and so many that the map grows. Their names are constant: the order depends on them."""
    c = datakit.begin(t)
    s = Said(t, __file__, "order")
    coordinator_is_there(t, "one")
    for ids in (["one", "one"], ["one", ""], ["two", "", "one"], ["", "", "one"], ["two", "one", "two"],
                ["g%d" % i for i in range(60)]):
        for api, version in (("StreamsGroupDescribe", 0), ("ConsumerGroupDescribe", 1), ("ShareGroupDescribe", 1)):
            answer = c.call(api, version, GroupIds=ids, IncludeAuthorizedOperations=False)["Groups"]
            s("%s %r" % (api, ids[:5]), [g["GroupId"] if t.error(g["ErrorCode"]) == "GROUP_ID_NOT_FOUND" else
                                         (g["GroupId"], t.error(g["ErrorCode"])) for g in answer])
        s("DescribeGroups %r" % ids[:5], [g["GroupId"] for g in c.call("DescribeGroups", 6, Groups=ids)["Groups"]])
        s("DeleteGroups %r" % ids[:5], [g["GroupId"] for g in c.call("DeleteGroups", 2, GroupsNames=ids)["Results"]])
    s.end()


def case_deleted_topics(t):
    """A source that goes leaves the group not ready; when it is back, all goes on."""
    c, topic, group, s = begin(t, "topics")
    m = member(t, s, "M", group, [subtopology("0", [topic.name])])
    m.join()
    m.beat()
    topic.delete()
    wait_for(lambda: statuses(m.beat()), "the missing topic")
    s("deleted", (statuses(m.last), m.tasks["Active"], m.epoch, describe(c, group)["GroupState"]))
    s("then", (m.beat()["ActiveTasks"], m.tasks["Active"], m.epoch))
    c.call("CreateTopics", 7, timeoutMs=30000, Topics=[{"Name": topic.name, "NumPartitions": 2, "ReplicationFactor": 1}])
    wait_for(lambda: not statuses(m.beat()), "the topic")
    m.beat()
    s("made again", (m.tasks["Active"], m.epoch, describe(c, group)["GroupState"]))
    c.call("CreatePartitions", 3, TimeoutMs=30000, ValidateOnly=False, Topics=[{"Name": topic.name, "Count": 5, "Assignments": None}])
    wait_for(lambda: m.beat() and {k: sorted(p) for k, p in m.tasks["Active"].items()} == {"0": [0, 1, 2, 3, 4]}, "the new partitions")
    s("larger", m.epoch)
    m.leave()
    s.end()
