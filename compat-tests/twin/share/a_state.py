# SPDX-License-Identifier: Apache-2.0
"""The share coordinator: its topic, and the five requests with which brokers keep the state of share partitions."""
import datakit
import shares

AVAILABLE, ACKNOWLEDGED, ARCHIVED = 0, 2, 4
UNKNOWN = bytes([7] * 16)


def begin(t):
    c = datakit.begin(t)
    topic = datakit.Topic(c, partitions=2)
    group = t.name("g")
    shares.coordinator_is_there(c, group, topic.id)
    return c, topic, group


def case_the_coordinator_is_found_by_share_partition(t):
    c, topic, group = begin(t)
    host, port = t.bootstrap.split(":")
    key = "%s:%s:%d" % (group, shares.text(topic.id), 1)
    found = c.call("FindCoordinator", 6, KeyType=2, CoordinatorKeys=[key, "a:" + key, "g", "g:x:1", ":%s:1" %
                                                                     shares.text(topic.id), key + "x"])["Coordinators"]
    there = {"NodeId": 1, "Host": host, "Port": int(port), "ErrorCode": 0, "ErrorMessage": ""}
    for answer in found[:2]:
        datakit.same(dict(there, Key=answer["Key"]), answer)
    for answer in found[2:]:
        datakit.same({"NodeId": -1, "Host": "", "Port": -1, "ErrorCode": 42, "ErrorMessage": "", "Key": answer["Key"]},
                     answer)


def case_the_topic_is_internal_and_never_expires(t):
    c, _, _ = begin(t)
    topic = c.call("Metadata", 12, Topics=[{"Name": "__share_group_state"}])["Topics"][0]
    assert topic["IsInternal"] is True and len(topic["Partitions"]) == 5, topic
    wanted = {"cleanup.policy": "delete", "compression.type": "producer", "segment.bytes": "104857600",
              "retention.ms": "-1", "min.insync.replicas": "1"}
    configs = c.call("DescribeConfigs", 4, Resources=[
        {"ResourceType": 2, "ResourceName": "__share_group_state",
         "ConfigurationKeys": sorted(wanted)}])["Results"][0]["Configs"]
    datakit.same(wanted, {x["Name"]: x["Value"] for x in configs})


def case_state_begins_and_grows(t):
    c, topic, group = begin(t)
    none = {"ErrorCode": 0, "ErrorMessage": None, "Partition": 0}
    datakit.same(dict(none, StateEpoch=0, LeaderEpoch=0, StartOffset=-1, DeliveryCompleteCount=-1),
                 shares.summary(c, group, topic.id))
    datakit.same(none, shares.initialize(c, group, topic.id, state_epoch=3, start=5))
    datakit.same(dict(none, StateEpoch=3, LeaderEpoch=0, StartOffset=5, DeliveryCompleteCount=0),
                 shares.summary(c, group, topic.id))
    datakit.same(none, shares.write(c, group, topic.id, (5, 9, AVAILABLE, 1), (10, 12, ACKNOWLEDGED, 1), start=5, done=3))
    datakit.same(none, shares.write(c, group, topic.id, (7, 7, ARCHIVED, 2), done=4))
    part = shares.read(c, group, topic.id)
    datakit.same([(5, 6, AVAILABLE, 1), (7, 7, ARCHIVED, 2), (8, 9, AVAILABLE, 1), (10, 12, ACKNOWLEDGED, 1)],
                 shares.batches_of(part))
    datakit.same((3, 5), (part["StateEpoch"], part["StartOffset"]))
    datakit.same(none, shares.write(c, group, topic.id, start=8, done=3))
    datakit.same([(8, 9, AVAILABLE, 1), (10, 12, ACKNOWLEDGED, 1)], shares.batches_of(shares.read(c, group, topic.id)))
    datakit.same(3, shares.summary(c, group, topic.id)["DeliveryCompleteCount"])
    datakit.same(-1, shares.summary(c, group, topic.id, version=0).get("DeliveryCompleteCount", -1))
    datakit.same(none, shares.delete(c, group, topic.id))
    datakit.same(none, shares.delete(c, group, topic.id))
    datakit.same(-1, shares.summary(c, group, topic.id)["StartOffset"])


def errors(part):
    return datakit.name_of(part["ErrorCode"]), part["ErrorMessage"]


def case_what_was_not_begun_is_neither_read_nor_written(t):
    c, topic, group = begin(t)
    datakit.same(("INVALID_REQUEST", "Read operation on uninitialized share partition not allowed."),
                 errors(shares.read(c, group, topic.id)))
    datakit.same(("INVALID_REQUEST", "Write operation on uninitialized share partition not allowed."),
                 errors(shares.write(c, group, topic.id)))


def case_epochs_of_old_are_fenced(t):
    c, topic, group = begin(t)
    old_leader = ("FENCED_LEADER_EPOCH", "The leader epoch in the request is older than the epoch on the broker.")
    old_state = ("FENCED_STATE_EPOCH", "The share coordinator rejected the request because the share-group state epoch "
                                       "did not match.")
    shares.initialize(c, group, topic.id, state_epoch=4)
    datakit.same(old_state, errors(shares.initialize(c, group, topic.id, state_epoch=3)))
    datakit.same(0, shares.read(c, group, topic.id, leader_epoch=6)["ErrorCode"])
    datakit.same(6, shares.summary(c, group, topic.id)["LeaderEpoch"])
    datakit.same(old_leader, errors(shares.read(c, group, topic.id, leader_epoch=5)))
    datakit.same(old_leader, errors(shares.write(c, group, topic.id, leader_epoch=5, state_epoch=3)))
    datakit.same(old_state, errors(shares.write(c, group, topic.id, leader_epoch=6, state_epoch=3)))
    datakit.same(0, shares.write(c, group, topic.id, leader_epoch=7, state_epoch=5)["ErrorCode"])
    datakit.same(6, shares.summary(c, group, topic.id)["LeaderEpoch"])


def case_partitions_that_do_not_exist(t):
    c, topic, group = begin(t)
    unknown = ("UNKNOWN_TOPIC_OR_PARTITION", "This server does not host this topic-partition.")
    negative = ("INVALID_REQUEST", "The partition id cannot be a negative number.")
    for call in (shares.initialize, shares.summary, shares.delete):
        datakit.same(unknown, errors(call(c, group, topic.id, partition=2)))
        datakit.same(negative, errors(call(c, group, topic.id, partition=-1)))
    shares.coordinator_is_there(c, group, UNKNOWN)
    datakit.same(unknown, errors(shares.initialize(c, group, UNKNOWN)))
    datakit.same(negative, errors(shares.read(c, group, topic.id, partition=-1)))
    datakit.same(negative, errors(shares.write(c, group, topic.id, partition=-1)))


def case_empty_requests_are_answered_with_nothing(t):
    c, topic, group = begin(t)
    for api in ("InitializeShareGroupState", "ReadShareGroupState", "WriteShareGroupState", "DeleteShareGroupState",
                "ReadShareGroupStateSummary"):
        for body in ({"GroupId": group, "Topics": []},
                     {"GroupId": group, "Topics": [{"TopicId": topic.id, "Partitions": []}]}):
            datakit.same([], c.call(api, 0, **body)["Results"], api)


def case_state_outlives_the_broker(t):
    c, topic, group = begin(t)
    shares.initialize(c, group, topic.id, state_epoch=2, start=1)
    shares.write(c, group, topic.id, (1, 3, ACKNOWLEDGED, 1), start=1, done=3)
    t.broker.kill9()
    t.broker.start()
    c = t.connect()
    shares.coordinator_is_there(c, group, topic.id)
    datakit.same([(1, 3, ACKNOWLEDGED, 1)], shares.batches_of(shares.read(c, group, topic.id)))
    datakit.same(3, shares.summary(c, group, topic.id)["DeliveryCompleteCount"])
