# SPDX-License-Identifier: Apache-2.0
"""Topologies of streams groups: topics that are missing, made, or have the wrong number of partitions; endpoints; standbys."""
import datakit
from a_members import begin
from member import wait_for
from streams_member import Member, describe, errors, info, statuses, subtopology


def case_missing_source_topics(t):
    c, topic, group = begin(t)
    names = [t.name("no-%s" % x) for x in "dbca"]
    m = Member(t, group, [subtopology("0", [topic.name] + names)])
    answer = m.join()
    first = sorted(names)[:3]
    datakit.same((2, [], [(1, "Source topics %s and 1 additional topics are missing." % ", ".join(first))]),
                 (answer["MemberEpoch"], answer["ActiveTasks"], statuses(answer)))
    datakit.same(("NotReady", 2, 2), tuple(describe(c, group)[k] for k in ("GroupState", "GroupEpoch", "AssignmentEpoch")))
    datakit.same([], [g for g in c.call("ListGroups", 5, StatesFilter=["NotReady"], TypesFilter=[])["Groups"]])
    datakit.same([group], [g["GroupId"] for g in c.call("ListGroups", 5, StatesFilter=["not_ready"],
                                                        TypesFilter=[])["Groups"]])
    c.call("CreateTopics", 7, timeoutMs=30000, Topics=[
        {"Name": n, "NumPartitions": 1, "ReplicationFactor": 1} for n in names])
    wait_for(lambda: not statuses(m.beat()), "the topics")
    datakit.same({"0": [0, 1, 2]}, m.tasks["Active"])
    m.leave()


def case_internal_topics_are_made(t):
    c, topic, group = begin(t)
    repartition, store, second = (t.name(x) for x in ("app-x-repartition", "app-s-changelog", "app-t-changelog"))
    m = Member(t, group, [
        subtopology("0", [topic.name], changelogs=[info(store, cleanup_policy="compact", segment_bytes="1048600")],
                    sinks=[repartition]),
        subtopology("1", [], changelogs=[second], repartitions=[info(repartition, retention_ms="-1")])])
    answer = m.join()
    datakit.same((2, []), (answer["MemberEpoch"], answer["ActiveTasks"]))
    (code, detail), = statuses(answer)
    head = "Internal topics are missing: "
    datakit.same((3, head, sorted([repartition, store, second])),
                 (code, detail[:len(head)], sorted(detail[len(head):].split(", "))))
    wait_for(lambda: not statuses(m.beat()), "the topics")
    datakit.same({"0": [0, 1, 2], "1": [0, 1, 2]}, m.tasks["Active"])
    made = {x["Name"]: x for x in c.call("Metadata", 12, Topics=[{"Name": n} for n in (repartition, store, second)])["Topics"]}
    datakit.same([3, 3, 3], [len(made[n]["Partitions"]) for n in (repartition, store, second)])
    configs = c.call("DescribeConfigs", 4, Resources=[{"ResourceType": 2, "ResourceName": store,
                                                       "ConfigurationKeys": ["cleanup.policy", "segment.bytes"]}])
    datakit.same([("cleanup.policy", "compact"), ("segment.bytes", "1048600")],
                 sorted((x["Name"], x["Value"]) for x in configs["Results"][0]["Configs"]))
    got = describe(c, group)["Topology"]["Subtopologies"]
    datakit.same([(store, 3, 0)], [(x["Name"], x["Partitions"], x["ReplicationFactor"])
                                   for x in got[0]["StateChangelogTopics"]])
    datakit.same([(repartition, 3)], [(x["Name"], x["Partitions"]) for x in got[1]["RepartitionSourceTopics"]])
    datakit.same([repartition], got[0]["RepartitionSinkTopics"])
    m.leave()


def case_internal_topics_that_cannot_be_made(t):
    c, topic, group = begin(t)
    store = t.name("app-bad-changelog")
    m = Member(t, group, [subtopology("0", [topic.name], changelogs=[info(store, replication=5)])])
    m.join()
    head = "Internal topics are missing: %s" % store
    wait_for(lambda: "Creation failed" in statuses(m.beat())[0][1], "the reason")
    detail = statuses(m.last)[0][1]
    datakit.same((head + "; Creation failed: %s (" % store, ")."), (detail[:len(head + store) + 21], detail[-2:]))
    m.leave()


def case_topologies_that_cannot_be(t):
    c, topic, group = begin(t)
    x, y = t.name("x"), t.name("y")

    def refused(*subs, **other):
        return errors(Member(t, group, list(subs)).first(**other))

    bad = "STREAMS_INVALID_TOPOLOGY"
    datakit.same((bad, "Changelog topic %s must have an undefined partition count, but it is set to 2." % x),
                 refused(subtopology("0", [topic.name], changelogs=[info(x, partitions=2)])))
    datakit.same((bad, "Use of Kafka internal topics __consumer_offsets in a Kafka Streams topology is prohibited."),
                 refused(subtopology("0", ["__consumer_offsets"])))
    datakit.same((bad, "Topic names a/b,.. are not valid topic names."), refused(subtopology("0", ["a/b", ".."])))
    datakit.same((bad, "No source topics found for subtopology 0"), refused(subtopology("0")))
    datakit.same((bad, "Failed to compute number of partitions for all repartition topics, because a repartition source "
                       "topic is never used as a sink topic."), refused(subtopology("0", [topic.name], repartitions=[x])))
    datakit.same((bad, "Failed to compute number of partitions for all repartition topics. There may be loops in the "
                       "topology that cannot be resolved."),
                 refused(subtopology("0", repartitions=[x], sinks=[y]), subtopology("1", repartitions=[y], sinks=[x])))
    datakit.same(("UNKNOWN_SERVER_ERROR", None), refused(subtopology("0", [topic.name]), subtopology("0", [topic.name])))
    datakit.same(("UNKNOWN_SERVER_ERROR", None), refused(subtopology("0", [topic.name], together=[([4], [])])))
    datakit.same(("UNKNOWN_SERVER_ERROR", None), refused(subtopology("0", [x]),
                                                         UserEndpoint={"Host": "h", "Port": 1}))
    datakit.same(("INVALID_REQUEST", "Regular expressions for source topics are not supported yet."),
                 refused(dict(subtopology("0"), SourceTopicRegex=["a"])))
    datakit.same("GROUP_ID_NOT_FOUND", datakit.name_of(describe(c, group)["ErrorCode"]))


def case_numbers_of_partitions(t):
    c, topic, group = begin(t)
    other = datakit.Topic(c, partitions=2)
    r, s = t.name("r"), t.name("s")

    def status(*subs):
        m = Member(t, t.name("streams"), list(subs))
        answer = statuses(m.join())
        m.leave()
        return answer

    wrong = "Following topics do not have the same number of partitions: [{%s}]"
    pair = sorted([(topic.name, 3), (other.name, 2)])
    datakit.same([(2, wrong % ", ".join("%s=%d" % x for x in pair))],
                 status(subtopology("0", [topic.name, other.name], together=[([0, 1], [])])))
    datakit.same([(2, "Number of partitions [2] of repartition topic [%s] doesn't match number of partitions [3] of the "
                      "source topic." % r)],
                 status(subtopology("0", [topic.name], sinks=[r], repartitions=[info(r, partitions=2)],
                                    together=[([0], [0])])))
    datakit.same([(2, wrong % ", ".join("%s=%d" % x for x in sorted([(r, 2), (s, 4)])))],
                 status(subtopology("0", [topic.name], sinks=[r, s]),
                        subtopology("1", repartitions=[info(r, partitions=2), info(s, partitions=4)],
                                    together=[([], [0, 1])])))
    datakit.same([(2, "Existing topic %s has different number of partitions: expected 3, found 2" % other.name)],
                 status(subtopology("0", [topic.name], changelogs=[other.name])))


def case_a_topology_stays(t):
    c, topic, group = begin(t)
    other = datakit.Topic(c)
    a = Member(t, group, [subtopology("0", [topic.name])], topology_epoch=3)
    a.join()
    b = Member(t, group, [subtopology("0", [topic.name, other.name])], topology_epoch=3)
    datakit.same(("INVALID_REQUEST", "Topology updates are not supported yet."), errors(b.first()))
    b.topology_epoch = 2
    datakit.same([(0, "The member's topology epoch 2 is behind the group's topology epoch 3.")], statuses(b.join()))
    a.leave()
    b.leave()


def case_endpoints_are_told(t):
    c, topic, group = begin(t, partitions=2)
    sub = [subtopology("0", [topic.name])]
    a = Member(t, group, sub, name="a", UserEndpoint={"Host": "one", "Port": 65000})
    answer = a.join()
    datakit.same((0, [({"Host": "one", "Port": 65000}, [(topic.name, [0, 1])], [])]), told(answer))
    answer = a.beat()
    datakit.same((0, None), (answer["EndpointInformationEpoch"], answer["PartitionsByUserEndpoint"]))
    b = Member(t, group, sub, name="b", UserEndpoint={"Host": "two", "Port": 2})
    b.join()
    a.beat_until({"0": [0]})
    a.beat()
    b.beat_until({"0": [1]})
    epoch, endpoints = told(b.send(EndpointInformationEpoch=0))
    assert epoch > 0
    datakit.same([("one", [(topic.name, [0])]), ("two", [(topic.name, [1])])],
                 sorted((e["Host"], active) for e, active, _ in endpoints))
    datakit.same(None, b.send(EndpointInformationEpoch=epoch)["PartitionsByUserEndpoint"])
    datakit.same([("one", 65000), ("two", 2)], sorted(
        (m["UserEndpoint"]["Host"], m["UserEndpoint"]["Port"]) for m in describe(c, group)["Members"]))
    a.leave()
    b.leave()


def told(answer):
    return answer["EndpointInformationEpoch"], [
        (e["UserEndpoint"], [(p["Topic"], p["Partitions"]) for p in e["ActivePartitions"]],
         [(p["Topic"], p["Partitions"]) for p in e["StandbyPartitions"]]) for e in answer["PartitionsByUserEndpoint"]]


def case_standbys(t):
    c, topic, group = begin(t, partitions=2)
    store = t.name("app-store-changelog")
    c.call("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": 32, "ResourceName": group, "Configs": [
        {"Name": "streams.num.standby.replicas", "ConfigOperation": 0, "Value": "1"}]}])
    sub = [subtopology("0", [topic.name], changelogs=[store])]
    a, b = Member(t, group, sub, name="a", process="p1"), Member(t, group, sub, name="b", process="p2")
    a.join()
    wait_for(lambda: not statuses(a.beat()), "the changelog")
    datakit.same(({"0": [0, 1]}, {}), (a.tasks["Active"], a.tasks["Standby"]))
    b.join()
    a.beat_until({"0": [0]})
    a.beat()
    b.beat_until({"0": [1]}, {"0": [0]})
    a.beat_until({"0": [0]}, {"0": [1]})
    datakit.same("Stable", describe(c, group)["GroupState"])
    c.call("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": 32, "ResourceName": group, "Configs": [
        {"Name": "streams.num.standby.replicas", "ConfigOperation": 0, "Value": "0"}]}])
    a.beat_until({"0": [0]}, {})
    b.beat_until({"0": [1]}, {})
    a.leave()
    b.leave()
