# SPDX-License-Identifier: Apache-2.0
"""Metadata, DescribeCluster, DescribeTopicPartitions, at every version."""
import time

ZERO = bytes(16)
TOPIC_OPERATIONS, CLUSTER_OPERATIONS, NOT_ASKED = 3576, 8096, -2147483648


def metadata(link, version, topics, create=False, **more):
    body = {"Topics": None if topics is None else [{"Name": n} for n in topics]}
    if version >= 4:
        body["AllowAutoTopicCreation"] = create
    body.update(more)
    return link.call("Metadata", version, **body)


def topic_id(link, name):
    return metadata(link, 12, [name])["Topics"][0]["TopicId"]


def case_a_topic_at_every_version(t):
    name, link = t.topic(partitions=2), t.connect()
    for version in range(14):
        answer = metadata(link, version, [name])
        (topic,) = answer["Topics"]
        assert (topic["ErrorCode"], topic["Name"]) == (0, name), topic
        partitions = sorted(topic["Partitions"], key=lambda p: p["PartitionIndex"])
        assert [p["PartitionIndex"] for p in partitions] == [0, 1]
        for p in partitions:
            assert (p["ErrorCode"], p["LeaderId"], p["ReplicaNodes"], p["IsrNodes"]) == (0, 1, [1], [1]), p
            assert version < 7 or p["LeaderEpoch"] == 0, p
            assert version < 5 or p["OfflineReplicas"] == [], p
        if version >= 1:
            assert topic["IsInternal"] is False and answer["ControllerId"] == 1
        if version >= 10:
            assert topic["TopicId"] != ZERO
        if version >= 8:
            assert topic["TopicAuthorizedOperations"] == NOT_ASKED
        if version >= 13:
            assert answer["ErrorCode"] == 0
        (broker,) = answer["Brokers"]
        host, port = t.bootstrap.rsplit(":", 1)
        assert (broker["NodeId"], broker["Port"]) == (1, int(port)), broker
        assert version < 1 or broker["Rack"] is None


def case_no_topics_and_all_topics(t):
    name, link = t.topic(), t.connect()
    assert name in [x["Name"] for x in metadata(link, 0, [])["Topics"]]  # in version 0, none means all
    for version in range(1, 14):
        assert metadata(link, version, [])["Topics"] == []
        assert name in [x["Name"] for x in metadata(link, version, None)["Topics"]]


def case_a_topic_that_is_not_there(t):
    link = t.connect()
    for version in range(4, 14):
        name = t.name()
        (topic,) = metadata(link, version, [name])["Topics"]
        assert t.error(topic["ErrorCode"]) == "UNKNOWN_TOPIC_OR_PARTITION", topic
        assert (topic["Name"], topic["Partitions"]) == (name, [])
        (topic,) = metadata(link, version, ["a b"])["Topics"]
        assert t.error(topic["ErrorCode"]) == "INVALID_TOPIC_EXCEPTION", topic
        (topic,) = metadata(link, version, ["a b"], create=True)["Topics"]
        assert t.error(topic["ErrorCode"]) == "INVALID_TOPIC_EXCEPTION", topic


def case_topics_are_created_by_asking(t):
    link = t.connect()
    for version in (0, 3, 4, 9, 12):
        name = t.name()
        (topic,) = metadata(link, version, [name], create=True)["Topics"]
        assert t.error(topic["ErrorCode"]) == "UNKNOWN_TOPIC_OR_PARTITION", topic
        until = time.monotonic() + 20
        while True:
            (topic,) = metadata(link, 12, [name])["Topics"]
            if topic["ErrorCode"] == 0:
                break
            assert t.error(topic["ErrorCode"]) == "UNKNOWN_TOPIC_OR_PARTITION", topic
            assert time.monotonic() < until
        assert len(topic["Partitions"]) == 1


def case_by_id(t):
    name, link = t.topic(), t.connect()
    known, unknown = topic_id(link, name), bytes(range(16))
    for version in (12, 13):
        answer = link.call("Metadata", version, AllowAutoTopicCreation=True,
                           Topics=[{"Name": None, "TopicId": i} for i in (known, unknown, known)])
        topics = {x["TopicId"]: x for x in answer["Topics"]}
        assert len(answer["Topics"]) == 2
        assert (topics[known]["Name"], topics[known]["ErrorCode"]) == (name, 0)
        assert topics[unknown]["Name"] is None
        assert t.error(topics[unknown]["ErrorCode"]) == "UNKNOWN_TOPIC_ID"
        # With any id in the request, names in it are passed over.
        answer = link.call("Metadata", version, AllowAutoTopicCreation=False,
                           Topics=[{"Name": name}, {"Name": None, "TopicId": unknown}])
        assert [t.error(x["ErrorCode"]) for x in answer["Topics"]] == ["UNKNOWN_TOPIC_ID"]


def case_ids_before_their_time(t):
    name, link = t.topic(), t.connect()
    for version in (10, 11):
        answer = link.call("Metadata", version, Topics=[{"Name": name, "TopicId": bytes(range(16))}])
        assert [t.error(x["ErrorCode"]) for x in answer["Topics"]] == ["INVALID_REQUEST"], answer
        assert answer["Brokers"] == [] and answer["ClusterId"] is None and answer["ControllerId"] == -1


def case_neither_name_nor_id(t):
    name, link = t.topic(), t.connect()
    for version in (12, 13):
        answer = link.call("Metadata", version, Topics=[{"Name": None}, {"Name": name}])
        assert [(x["Name"], t.error(x["ErrorCode"])) for x in answer["Topics"]] == [
            ("", "UNKNOWN_SERVER_ERROR"), (name, "UNKNOWN_SERVER_ERROR")], answer
        assert answer["Brokers"] == []
        assert version < 13 or t.error(answer["ErrorCode"]) == "UNKNOWN_SERVER_ERROR", answer


def case_a_name_twice(t):
    name, link = t.topic(), t.connect()
    assert [x["Name"] for x in metadata(link, 12, [name, name])["Topics"]] == [name]


def case_authorised_operations(t):
    name, link = t.topic(), t.connect()
    for version in (8, 9, 10):
        answer = metadata(link, version, [name, t.name()], IncludeClusterAuthorizedOperations=True,
                          IncludeTopicAuthorizedOperations=True)
        assert answer["ClusterAuthorizedOperations"] == CLUSTER_OPERATIONS
        assert [x["TopicAuthorizedOperations"] for x in answer["Topics"]] == [TOPIC_OPERATIONS] * 2
    answer = metadata(link, 10, [name])
    assert answer["ClusterAuthorizedOperations"] == NOT_ASKED
    answer = metadata(link, 13, [name], IncludeTopicAuthorizedOperations=True)
    assert answer["Topics"][0]["TopicAuthorizedOperations"] == TOPIC_OPERATIONS
    unknown = link.call("Metadata", 13, IncludeTopicAuthorizedOperations=True, AllowAutoTopicCreation=False,
                        Topics=[{"Name": None, "TopicId": bytes(range(16))}])["Topics"][0]
    assert unknown["TopicAuthorizedOperations"] == NOT_ASKED


def case_the_cluster(t):
    link = t.connect()
    cluster = metadata(link, 2, [])["ClusterId"]
    for version in range(3):
        answer = link.call("DescribeCluster", version, IncludeClusterAuthorizedOperations=True)
        assert (answer["ErrorCode"], answer["ErrorMessage"]) == (0, None)
        assert (answer["ClusterId"], answer["ControllerId"]) == (cluster, 1)
        assert answer["ClusterAuthorizedOperations"] == CLUSTER_OPERATIONS
        assert version < 1 or answer["EndpointType"] == 1
        (broker,) = answer["Brokers"]
        assert (broker["BrokerId"], broker["Rack"]) == (1, None)
        assert version < 2 or broker["IsFenced"] is False
        answer = link.call("DescribeCluster", version)
        assert answer["ClusterAuthorizedOperations"] == NOT_ASKED
    assert len(link.call("DescribeCluster", 2, IncludeFencedBrokers=True)["Brokers"]) == 1
    for version in (1, 2):
        answer = link.call("DescribeCluster", version, EndpointType=2)
        assert t.error(answer["ErrorCode"]) == "MISMATCHED_ENDPOINT_TYPE"
        assert answer["ErrorMessage"] == ("The request was sent to an endpoint of type BROKER, but we wanted an "
                                          "endpoint of type CONTROLLER"), answer
        assert answer["Brokers"] == [] and answer["ClusterId"] == "" and answer["ControllerId"] == -1
        answer = link.call("DescribeCluster", version, EndpointType=3)
        assert t.error(answer["ErrorCode"]) == "UNSUPPORTED_ENDPOINT_TYPE"
        assert answer["ErrorMessage"] == "Unsupported endpoint type 3", answer


def pages(link, names, limit, cursor=None):
    while True:
        answer = link.call("DescribeTopicPartitions", 0, Topics=[{"Name": n} for n in names],
                           ResponsePartitionLimit=limit, Cursor=cursor)
        yield answer
        cursor = answer["NextCursor"]
        if cursor is None:
            return


def case_partitions_in_pages(t):
    link = t.connect()
    a, b, c = t.topic(partitions=3), t.topic(partitions=2), t.name()
    a, b = sorted((a, b))
    sizes = {a: len(metadata(link, 12, [a])["Topics"][0]["Partitions"]),
             b: len(metadata(link, 12, [b])["Topics"][0]["Partitions"])}
    seen = []
    for answer in pages(link, [b, a, b], 2):
        got = sum(len(x["Partitions"]) for x in answer["Topics"])
        assert 1 <= got <= 2
        for topic in answer["Topics"]:
            assert topic["ErrorCode"] == 0 and topic["TopicAuthorizedOperations"] == TOPIC_OPERATIONS
            seen += [(topic["Name"], p["PartitionIndex"]) for p in topic["Partitions"]]
            for p in topic["Partitions"]:
                assert (p["ErrorCode"], p["LeaderId"], p["LeaderEpoch"]) == (0, 1, 0), p
                assert (p["ReplicaNodes"], p["IsrNodes"], p["OfflineReplicas"]) == ([1], [1], []), p
                assert (p["EligibleLeaderReplicas"], p["LastKnownElr"]) == ([], []), p
    assert seen == [(n, i) for n in (a, b) for i in range(sizes[n])], seen
    (answer,) = pages(link, [c, a], 100)
    errors = {x["Name"]: t.error(x["ErrorCode"]) for x in answer["Topics"]}
    assert errors == {a: "NONE", c: "UNKNOWN_TOPIC_OR_PARTITION"}, errors
    (answer,) = pages(link, ["a b"], 100)
    assert t.error(answer["Topics"][0]["ErrorCode"]) == "INVALID_TOPIC_EXCEPTION"
    everything = [x["Name"] for answer in pages(link, [], 2000) for x in answer["Topics"]]
    assert a in everything and everything == sorted(everything)


def case_where_a_page_ends(t):
    link = t.connect()
    a, b = sorted((t.topic(partitions=2), t.topic(partitions=2)))
    first = next(pages(link, [a, b], 2))
    assert first["NextCursor"] == {"TopicName": b, "PartitionIndex": 0}, first["NextCursor"]
    first = next(pages(link, [a, b], 3))
    assert first["NextCursor"] == {"TopicName": b, "PartitionIndex": 1}, first["NextCursor"]
    first = next(pages(link, [a, b], 0))  # at least one
    assert first["NextCursor"] == {"TopicName": a, "PartitionIndex": 1}, first["NextCursor"]
    beyond = next(pages(link, [a], 10, {"TopicName": a, "PartitionIndex": 7}))
    assert beyond["Topics"][0]["Partitions"] == [] and beyond["NextCursor"] is None
    for cursor in ({"TopicName": t.name(), "PartitionIndex": 0}, {"TopicName": a, "PartitionIndex": -1}):
        answer = next(pages(link, [a], 10, cursor))
        assert [t.error(x["ErrorCode"]) for x in answer["Topics"]] == ["INVALID_REQUEST"], answer
