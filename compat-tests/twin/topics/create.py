# SPDX-License-Identifier: Apache-2.0
"""CreateTopics, DeleteTopics: what is refused, and how."""


def create(link, version=7, validate=False, **topic):
    body = {"Name": "x", "NumPartitions": 1, "ReplicationFactor": 1}
    body.update(topic)
    return link.call("CreateTopics", version, timeoutMs=30000, validateOnly=validate, Topics=[body])["Topics"][0]


def case_a_topic_exists_once(t):
    link, name = t.connect(), t.name()
    first = create(link, Name=name, NumPartitions=3)
    assert (first["ErrorCode"], first["NumPartitions"], first["ReplicationFactor"]) == (0, 3, 1), first
    assert first["TopicId"] != bytes(16) and first["TopicId"] != "AAAAAAAAAAAAAAAAAAAAAA"
    again = create(link, Name=name)
    assert t.error(again["ErrorCode"]) == "TOPIC_ALREADY_EXISTS"
    assert again["ErrorMessage"] == "Topic '%s' already exists." % name, again["ErrorMessage"]


def case_bad_names_are_refused(t):
    link = t.connect()
    for name in ("", ".", "..", "a b", "a/b", "x" * 250):
        answer = create(link, Name=name)
        assert t.error(answer["ErrorCode"]) == "INVALID_TOPIC_EXCEPTION", (name, answer)


def case_names_that_collide_as_metrics_are_refused(t):
    link, name = t.connect(), t.name("a.b")
    assert create(link, Name=name)["ErrorCode"] == 0
    answer = create(link, Name=name.replace(".", "_"))
    assert t.error(answer["ErrorCode"]) == "INVALID_TOPIC_EXCEPTION", answer


def case_numbers_are_checked(t):
    link = t.connect()
    assert t.error(create(link, Name=t.name(), NumPartitions=0)["ErrorCode"]) == "INVALID_PARTITIONS"
    assert t.error(create(link, Name=t.name(), ReplicationFactor=0)["ErrorCode"]) == "INVALID_REPLICATION_FACTOR"
    assert t.error(create(link, Name=t.name(), ReplicationFactor=2)["ErrorCode"]) == "INVALID_REPLICATION_FACTOR"
    assert create(link, Name=t.name(), NumPartitions=-1, ReplicationFactor=-1)["ErrorCode"] == 0


def case_configs_are_checked(t):
    link = t.connect()
    bad = create(link, Name=t.name(), Configs=[{"Name": "retention.ms", "Value": "soon"}])
    assert t.error(bad["ErrorCode"]) == "INVALID_CONFIG", bad
    unknown = create(link, Name=t.name(), Configs=[{"Name": "no.such", "Value": "1"}])
    assert t.error(unknown["ErrorCode"]) == "INVALID_CONFIG", unknown


def case_validation_creates_nothing(t):
    link, name = t.connect(), t.name()
    assert create(link, Name=name, validate=True)["ErrorCode"] == 0
    topic = link.call("Metadata", 12, Topics=[{"Name": name}], AllowAutoTopicCreation=False)["Topics"][0]
    assert t.error(topic["ErrorCode"]) == "UNKNOWN_TOPIC_OR_PARTITION", topic


def case_a_deleted_topic_is_gone(t):
    link, name = t.connect(), t.topic()
    gone = link.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": name}])["Responses"][0]
    assert gone["ErrorCode"] == 0, gone
    again = link.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": name}])["Responses"][0]
    assert t.error(again["ErrorCode"]) == "UNKNOWN_TOPIC_OR_PARTITION", again
