# SPDX-License-Identifier: Apache-2.0
"""A topic that can be used: created, and led. A broker answers CreateTopics before its partitions are led."""
import time

LIMIT_S = 30


def topic_id(t, name):
    return t.connect().call("Metadata", 12, Topics=[{"Name": name}])["Topics"][0]["TopicId"]


def create(link, name, partitions=1, configs=()):
    """`configs`: pairs of name and value. Raises AssertionError with the broker's answer when refused."""
    answer = link.call("CreateTopics", 7, timeoutMs=30000, Topics=[
        {"Name": name, "NumPartitions": partitions, "ReplicationFactor": 1,
         "Configs": [{"Name": key, "Value": str(value)} for key, value in configs]}])
    assert answer["Topics"][0]["ErrorCode"] == 0, answer["Topics"][0]["ErrorMessage"]
    return await_led(link, name, partitions)


def await_led(link, name, partitions):
    """Until all partitions of a topic, which may not be known yet, are led; its name."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        offsets = link.call("ListOffsets", 7, ReplicaId=-1, Topics=[{"Name": name, "Partitions": [
            {"PartitionIndex": i, "Timestamp": -1} for i in range(partitions)]}])["Topics"][0]
        if all(p["ErrorCode"] == 0 for p in offsets["Partitions"]):
            return name
        assert time.monotonic() < deadline, "not led: %r" % offsets
        time.sleep(0.02)
