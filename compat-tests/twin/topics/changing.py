# SPDX-License-Identifier: Apache-2.0
"""CreateTopics in detail, CreatePartitions and DeleteTopics, at every version."""

ZERO = bytes(16)


def create_all(link, version, topics, validate=False):
    bodies = []
    for topic in topics:
        body = {"NumPartitions": 1, "ReplicationFactor": 1}
        body.update(topic)
        bodies.append(body)
    return link.call("CreateTopics", version, timeoutMs=30000, validateOnly=validate, Topics=bodies)["Topics"]


def create(link, version=7, **topic):
    (answer,) = create_all(link, version, [topic])
    return answer


def case_every_version_creates(t):
    link = t.connect()
    for version in range(2, 8):
        name = t.name()
        topic = create(link, version, Name=name, NumPartitions=2, Configs=[{"Name": "retention.ms", "Value": "60000"}])
        assert (topic["Name"], topic["ErrorCode"], topic["ErrorMessage"]) == (name, 0, None), topic
        if version >= 5:
            assert (topic["NumPartitions"], topic["ReplicationFactor"]) == (2, 1), topic
            names = [c["Name"] for c in topic["Configs"]]
            assert names == sorted(names)
            config = {c["Name"]: c for c in topic["Configs"]}
            assert (config["retention.ms"]["Value"], config["retention.ms"]["ConfigSource"]) == ("60000", 1)
            assert (config["min.insync.replicas"]["Value"], config["min.insync.replicas"]["ConfigSource"]) == ("1", 3)
            assert (config["cleanup.policy"]["Value"], config["cleanup.policy"]["ConfigSource"]) == ("delete", 5)
            for c in topic["Configs"]:
                assert (c["ReadOnly"], c["IsSensitive"]) == (False, False), c
        if version >= 7:
            assert topic["TopicId"] != ZERO


def case_the_configs_of_a_new_topic(t):
    topic = create(t.connect(), Name=t.name())
    assert {c["Name"]: c["Value"] for c in topic["Configs"]} == {
        "cleanup.policy": "delete", "compression.gzip.level": "-1", "compression.lz4.level": "9",
        "compression.type": "producer", "compression.zstd.level": "3", "delete.retention.ms": "86400000",
        "file.delete.delay.ms": "60000", "flush.messages": "9223372036854775807", "flush.ms": "9223372036854775807",
        "follower.replication.throttled.replicas": "", "index.interval.bytes": "4096",
        "leader.replication.throttled.replicas": "", "local.retention.bytes": "-2", "local.retention.ms": "-2",
        "max.compaction.lag.ms": "9223372036854775807", "max.message.bytes": "1048588",
        "message.timestamp.after.max.ms": "3600000", "message.timestamp.before.max.ms": "9223372036854775807",
        "message.timestamp.type": "CreateTime", "min.cleanable.dirty.ratio": "0.5", "min.compaction.lag.ms": "0",
        "min.insync.replicas": "1", "preallocate": "false", "remote.log.copy.disable": "false",
        "remote.log.delete.on.disable": "false", "remote.storage.enable": "false", "retention.bytes": "-1",
        "retention.ms": "604800000", "segment.bytes": "1073741824", "segment.index.bytes": "10485760",
        "segment.jitter.ms": "0", "segment.ms": "604800000", "unclean.leader.election.enable": "false"}, topic


def case_what_is_said_of_mistakes(t):
    link, dotted = t.connect(), t.name("a.b")
    create(link, Name=dotted)
    name = t.name()
    assignment = lambda index, *ids: {"PartitionIndex": index, "BrokerIds": list(ids)}  # noqa: E731
    manual = {"Name": name, "NumPartitions": -1, "ReplicationFactor": -1}
    cases = [
        ({"Name": ""}, "INVALID_TOPIC_EXCEPTION", "Topic name is invalid: the empty string is not allowed"),
        ({"Name": "."}, "INVALID_TOPIC_EXCEPTION", "Topic name is invalid: '.' is not allowed"),
        ({"Name": "x" * 250}, "INVALID_TOPIC_EXCEPTION", "Topic name is invalid: the length of '" + "x" * 250 +
         "' is longer than the max allowed length 249"),
        ({"Name": "a b"}, "INVALID_TOPIC_EXCEPTION", "Topic name is invalid: 'a b' contains one or more characters "
         "other than ASCII alphanumerics, '.', '_' and '-'"),
        ({"Name": dotted.replace(".", "_")}, "INVALID_TOPIC_EXCEPTION",
         "Topic '%s' collides with existing topic: %s" % (dotted.replace(".", "_"), dotted)),
        ({"Name": dotted}, "TOPIC_ALREADY_EXISTS", "Topic '%s' already exists." % dotted),
        ({"Name": name, "NumPartitions": 0}, "INVALID_PARTITIONS",
         "Number of partitions was set to an invalid non-positive value."),
        ({"Name": name, "ReplicationFactor": -2}, "INVALID_REPLICATION_FACTOR",
         "Replication factor must be larger than 0, or -1 to use the default value."),
        ({"Name": name, "ReplicationFactor": 3}, "INVALID_REPLICATION_FACTOR",
         "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because "
         "only 1 broker(s) are registered or some brokers have all their log directories cordoned."),
        ({"Name": "__cluster_metadata"}, "INVALID_REQUEST",
         "Creation of internal topic __cluster_metadata is prohibited."),
        ({"Name": name, "NumPartitions": 10001}, "POLICY_VIOLATION",
         "Excessively large number of partitions per request."),
        ({"Name": name, "Configs": [{"Name": "retention.ms", "Value": None}]}, "INVALID_CONFIG",
         "Null value not supported for topic configs: retention.ms"),
        ({"Name": name, "Configs": [{"Name": "no.such", "Value": "1"}]}, "INVALID_CONFIG",
         "Unknown topic config name: no.such"),
        ({"Name": name, "Configs": [{"Name": "retention.ms", "Value": "soon"}]}, "INVALID_CONFIG",
         "Invalid value soon for configuration retention.ms: Not a number of type LONG"),
        ({"Name": name, "ReplicationFactor": -1, "NumPartitions": 1, "Assignments": [assignment(0, 1)]},
         "INVALID_REQUEST", "A manual partition assignment was specified, but numPartitions was not set to -1."),
        ({"Name": name, "NumPartitions": -1, "Assignments": [assignment(0, 1)]}, "INVALID_REQUEST",
         "A manual partition assignment was specified, but replication factor was not set to -1."),
        (dict(manual, Assignments=[assignment(0, 1), assignment(0, 1)]), "INVALID_REPLICA_ASSIGNMENT",
         "Found multiple manual partition assignments for partition 0"),
        (dict(manual, Assignments=[assignment(1, 1)]), "INVALID_REPLICA_ASSIGNMENT",
         "partitions should be a consecutive 0-based integer sequence"),
        (dict(manual, Assignments=[assignment(0)]), "INVALID_REPLICA_ASSIGNMENT",
         "The manual partition assignment includes an empty replica list."),
        (dict(manual, Assignments=[assignment(0, 7)]), "INVALID_REPLICA_ASSIGNMENT",
         "The manual partition assignment includes broker 7, but no such broker is registered."),
        (dict(manual, Assignments=[assignment(0, 1, 1)]), "INVALID_REPLICA_ASSIGNMENT",
         "The manual partition assignment includes the broker 1 more than once."),
    ]
    for topic, error, message in cases:
        answer = create(link, **topic)
        assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == (error, message), (topic, answer)
    answer = create(link, **dict(manual, Assignments=[assignment(1, 1), assignment(0, 1)]))
    assert (answer["ErrorCode"], answer["NumPartitions"], answer["ReplicationFactor"]) == (0, 2, 1), answer


def case_several_topics_in_one_request(t):
    link, once, twice = t.connect(), t.name(), t.name()
    answers = create_all(link, 7, [{"Name": twice}, {"Name": once}, {"Name": twice}, {"Name": "a b"}])
    got = {a["Name"]: (t.error(a["ErrorCode"]), a["ErrorMessage"]) for a in answers}
    assert len(answers) == 3
    assert got[once] == ("NONE", None)
    assert got[twice] == ("INVALID_REQUEST", "Duplicate topic name."), got
    assert got["a b"][0] == "INVALID_TOPIC_EXCEPTION"
    assert create_all(link, 7, []) == []


def grow(link, version, validate=False, **topic):
    body = {"Assignments": None}
    body.update(topic)
    (answer,) = link.call("CreatePartitions", version, TimeoutMs=30000, ValidateOnly=validate, Topics=[body])["Results"]
    return answer


def case_partitions_are_added(t):
    link = t.connect()
    for version in range(4):
        name = t.topic(partitions=2)
        assert grow(link, version, Name=name, Count=4, validate=True)["ErrorCode"] == 0
        answer = grow(link, version, Name=name, Count=3)
        assert (answer["Name"], answer["ErrorCode"], answer["ErrorMessage"]) == (name, 0, None), answer
        cases = [
            ({"Name": name, "Count": 3}, "INVALID_PARTITIONS", "Topic already has 3 partition(s)."),
            ({"Name": name, "Count": 2}, "INVALID_PARTITIONS",
             "The topic %s currently has 3 partition(s); 2 would not be an increase." % name),
            ({"Name": t.name(), "Count": 2}, "UNKNOWN_TOPIC_OR_PARTITION", None),
            ({"Name": name, "Count": 5, "Assignments": [{"BrokerIds": [1]}]}, "INVALID_REPLICA_ASSIGNMENT",
             "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."),
            ({"Name": name, "Count": 4, "Assignments": [{"BrokerIds": [9]}]}, "INVALID_REPLICA_ASSIGNMENT",
             "The manual partition assignment includes broker 9, but no such broker is registered."),
            ({"Name": name, "Count": 4, "Assignments": [{"BrokerIds": [1]}]}, "NONE", None),
        ]
        for topic, error, message in cases:
            answer = grow(link, version, **topic)
            assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == (error, message), (topic, answer)


def case_the_same_topic_twice_is_not_grown(t):
    link, name = t.connect(), t.topic()
    body = {"Name": name, "Count": 2, "Assignments": None}
    results = link.call("CreatePartitions", 3, TimeoutMs=30000, Topics=[body, body])["Results"]
    assert [(r["Name"], t.error(r["ErrorCode"]), r["ErrorMessage"]) for r in results] == [
        (name, "INVALID_REQUEST", "Duplicate topic name.")], results


def delete(link, version, names):
    if version >= 6:
        return link.call("DeleteTopics", version, TimeoutMs=30000, Topics=[{"Name": n} for n in names])["Responses"]
    return link.call("DeleteTopics", version, TimeoutMs=30000, TopicNames=names)["Responses"]


def case_every_version_deletes(t):
    link = t.connect()
    for version in range(1, 7):
        name, unknown, twice = t.topic(), t.name(), t.topic()
        answers = {a["Name"]: a for a in delete(link, version, [name, unknown, twice, twice])}
        assert {n: t.error(a["ErrorCode"]) for n, a in answers.items()} == {
            name: "NONE", unknown: "UNKNOWN_TOPIC_OR_PARTITION", twice: "INVALID_REQUEST"}, answers
        if version >= 5:
            assert answers[name]["ErrorMessage"] is None
            assert answers[unknown]["ErrorMessage"] == "This server does not host this topic-partition."
            assert answers[twice]["ErrorMessage"] == "Duplicate topic name."
        if version >= 6:
            assert answers[name]["TopicId"] != ZERO and answers[unknown]["TopicId"] == ZERO


def case_topics_are_deleted_by_id(t):
    link, name, both = t.connect(), t.topic(), t.topic()
    ids = {x["Name"]: x["TopicId"] for x in link.call("Metadata", 12, Topics=[{"Name": name}, {"Name": both}])["Topics"]}
    unknown = bytes(range(16))
    answers = link.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[
        {"Name": None, "TopicId": ids[name]}, {"Name": None, "TopicId": unknown}, {"Name": None, "TopicId": ZERO},
        {"Name": "x", "TopicId": unknown}, {"Name": None, "TopicId": ids[both]}, {"Name": both}])["Responses"]
    got = sorted((str(a["Name"]), t.error(a["ErrorCode"]), str(a["ErrorMessage"])) for a in answers)
    assert got == sorted([
        (name, "NONE", "None"),
        ("None", "UNKNOWN_TOPIC_ID", "This server does not host this topic ID."),
        ("None", "INVALID_REQUEST", "Neither topic name nor id were specified."),
        ("x", "INVALID_REQUEST", "You may not specify both topic name and topic id."),
        (both, "INVALID_REQUEST", "The provided topic name maps to an ID that was already supplied."),
    ]), got
    twice = link.call("DeleteTopics", 6, TimeoutMs=30000,
                      Topics=[{"Name": None, "TopicId": ids[both]}, {"Name": None, "TopicId": ids[both]}])["Responses"]
    assert [(a["Name"], t.error(a["ErrorCode"]), a["ErrorMessage"]) for a in twice] == [
        (None, "INVALID_REQUEST", "Duplicate topic id.")], twice


def case_who_cannot_wait_gets_nothing(t):
    link, name, there = t.connect(), t.name(), t.topic()
    for timeout in (0, -1):
        (answer,) = link.call("CreateTopics", 7, timeoutMs=timeout, Topics=[
            {"Name": name, "NumPartitions": 1, "ReplicationFactor": 1}])["Topics"]
        assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == ("REQUEST_TIMED_OUT", None), answer
        (answer,) = link.call("CreatePartitions", 3, TimeoutMs=timeout, Topics=[
            {"Name": there, "Count": 2, "Assignments": None}])["Results"]
        assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == ("REQUEST_TIMED_OUT", None), answer
        (answer,) = link.call("DeleteTopics", 6, TimeoutMs=timeout, Topics=[{"Name": there}])["Responses"]
        assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == ("REQUEST_TIMED_OUT", None), answer
    topics = link.call("Metadata", 12, AllowAutoTopicCreation=False, Topics=[{"Name": name}, {"Name": there}])["Topics"]
    assert {x["Name"]: (t.error(x["ErrorCode"]), len(x["Partitions"])) for x in topics} == {
        name: ("UNKNOWN_TOPIC_OR_PARTITION", 0), there: ("NONE", 1)}, topics
