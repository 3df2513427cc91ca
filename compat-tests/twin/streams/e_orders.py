# SPDX-License-Identifier: Apache-2.0
"""The order of members, topics, configs and tags: that of the maps of Kafka's coordinator."""
import datakit
import topics
from a_members import begin
from b_topologies import told
from member import wait_for
from streams_member import Member, describe, info, statuses, subtopology

SOURCES = ["orders-%s" % x for x in ("lines", "titles", "words", "authors")]
CONFIGS = dict(cleanup_policy="delete", retention_ms="1000000", segment_bytes="1048600", message_timestamp_type="CreateTime",
               segment_ms="600000", max_message_bytes="1000000")

REPARTITION = ["orders-r", "orders-s"]
TOPICS = ["orders-authors", "orders-titles", "orders-lines", "orders-words"] + REPARTITION
PARTITIONS = {"one": ([0, 1, 2, 3, 4, 5, 6],) * 2, "two": ([16, 10, 11, 12, 13, 14, 15], [10, 11, 12, 13, 14, 15]),
              "three": ([17, 18, 19, 7, 8, 9], [16, 17, 18, 19, 7, 8, 9])}


def case_orders_are_those_of_maps(t):
    c, _, group = begin(t)
    for name in SOURCES:
        topics.create(c, name, 20, [])
    tags = [{"Key": k, "Value": "v"} for k in ("zone", "cluster", "rack", "host", "floor")]
    subs = [subtopology("0", SOURCES, changelogs=[info("orders-store", **CONFIGS)],
                        sinks=REPARTITION),
            subtopology("1", repartitions=[info("orders-r", partitions=20, **CONFIGS), info("orders-s", partitions=20)])]
    members = [Member(t, group, subs, name=n, process="process-" + n, ClientTags=tags,
                      UserEndpoint={"Host": n, "Port": 1}) for n in ("one", "two", "three")]
    members[0].join()
    wait_for(lambda: not statuses(members[0].beat()), "the topics")
    for m in members[1:]:
        m.join()
    wait_for(lambda: [m.beat() for m in members] and describe(c, group)["GroupState"] == "Stable", "stable")
    got = describe(c, group)
    datakit.same(["one", "two", "three"], [m["MemberId"] for m in got["Members"]])
    datakit.same(["cluster", "rack", "zone", "host", "floor"], [x["Key"] for x in got["Members"][0]["ClientTags"]])
    first, second = got["Topology"]["Subtopologies"]
    for topic in first["StateChangelogTopics"][0], second["RepartitionSourceTopics"][0]:
        datakit.same(["cleanup.policy", "max.message.bytes", "message.timestamp.type", "retention.ms", "segment.bytes",
                      "segment.ms"], [x["Key"] for x in topic["TopicConfigs"]])
    for m, hosts in zip(members, (["two", "three", "one"], ["one", "three", "two"], ["one", "two", "three"])):
        endpoints = told(m.send(EndpointInformationEpoch=0))[1]
        datakit.same(hosts, [e["Host"] for e, _, _ in endpoints])
        for e, active, _ in endpoints:
            # Sub-topologies come in an order that the JVM rolls dice for, at each start.
            datakit.same(TOPICS, sorted((name for name, _ in active), key=lambda name: name in REPARTITION))
            for name, partitions in active:
                datakit.same(PARTITIONS[e["Host"]][name in REPARTITION], partitions)
