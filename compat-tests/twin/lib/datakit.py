# SPDX-License-Identifier: Apache-2.0
"""Short names for the long requests of producing and fetching, for cases. `c = begin(t)` starts a case.
Every expectation here was seen of the real broker first."""
import time

import records
import wire

ERRORS = wire.errors()
MIB = 1 << 20
LIMIT_S = 60
_names = {code: name for name, code in ERRORS.items()}
_twin = None


def begin(t):
    """A connection; the topics of the case are made through t."""
    global _twin
    _twin = t
    return t.connect()


def connect():
    return _twin.connect()


def name_of(code):
    return _names[code]


def same(want, got, what=""):
    if want != got:
        raise AssertionError("%swanted %r, got %r" % (what and what + ": ", want, got))


def now_ms():
    return int(time.time() * 1000)


class Topic:
    """A new topic that is led: its name and id."""

    def __init__(self, c, partitions=1, **configs):
        self.c = c
        self.name = _twin.topic(partitions, **configs)
        self.id = c.call("Metadata", 12, Topics=[{"Name": self.name}])["Topics"][0]["TopicId"]

    def delete(self):
        self.c.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": self.name, "TopicId": bytes(16)}])


def batch(*args, **fields):
    """Of now, so that no retention takes it away."""
    fields.setdefault("base_timestamp", now_ms())
    return records.batch(*args, **fields)


def _topic_key(version, since, topic, key, id_key):
    if version >= since:
        return {id_key: topic if isinstance(topic, bytes) else topic.id}
    return {key: topic if isinstance(topic, str) else topic.name}


def produce_body(version, topic, parts, acks=1, timeout_ms=10000, transactional_id=None):
    """parts: (partition, records)…"""
    data = dict(_topic_key(version, 13, topic, "Name", "TopicId"),
                PartitionData=[{"Index": i, "Records": r} for i, r in parts])
    return dict(Acks=acks, TimeoutMs=timeout_ms, TransactionalId=transactional_id, TopicData=[data])


def produce(c, version, topic, *parts, **options):
    """{partition: its response}"""
    answer = c.call("Produce", version, **produce_body(version, topic, parts, **options))
    return {p["Index"]: p for t in answer["Responses"] for p in t["PartitionResponses"]}


def produce_error(c, version, topic, data, partition=0, **options):
    return name_of(produce(c, version, topic, (partition, data), **options)[partition]["ErrorCode"])


def fetch_body(version, topics, max_wait_ms=0, min_bytes=1, **options):
    """topics: (topic, [partition's fields])…"""
    out = []
    for topic, parts in topics:
        out.append(dict(_topic_key(version, 13, topic, "Topic", "TopicId"), Partitions=[
            dict({"Partition": 0, "FetchOffset": 0, "PartitionMaxBytes": MIB}, **p) for p in parts]))
    return dict(MaxWaitMs=max_wait_ms, MinBytes=min_bytes, Topics=out, **options)


def fetch(c, version, *topics, **options):
    return c.call("Fetch", version, **fetch_body(version, topics, **options))


def only(answer):
    """The one partition of a Fetch answer."""
    same(1, len(answer["Responses"]))
    same(1, len(answer["Responses"][0]["Partitions"]))
    return answer["Responses"][0]["Partitions"][0]


def values(data):
    return [r[3] for b in records.batches(data) for r in b.records]


def at(partition=0, offset=0, **fields):
    return dict({"Partition": partition, "FetchOffset": offset}, **fields)


def ask(c, version, topic, *parts, isolation=0, replica_id=-1):
    """parts: (partition, timestamp[, current leader epoch]); answers (error, timestamp, offset, leader epoch)."""
    body = {"ReplicaId": replica_id, "Topics": [{"Name": topic if isinstance(topic, str) else topic.name, "Partitions": [
        dict({"PartitionIndex": p[0], "Timestamp": p[1]}, **({"CurrentLeaderEpoch": p[2]} if len(p) > 2 else {}))
        for p in parts]}]}
    if version >= 2:
        body["IsolationLevel"] = isolation
    answer = c.call("ListOffsets", version, **body)
    return {p["PartitionIndex"]: (name_of(p["ErrorCode"]), p["Timestamp"], p["Offset"], p.get("LeaderEpoch", -1))
            for t in answer["Topics"] for p in t["Partitions"]}


def delete_records(c, version, *topics, timeout_ms=10000):
    """topics: (topic, [(partition, offset)…]); answers {topic: {partition: (error, low watermark)}}."""
    answer = c.call("DeleteRecords", version, TimeoutMs=timeout_ms, Topics=[
        {"Name": t if isinstance(t, str) else t.name,
         "Partitions": [{"PartitionIndex": p, "Offset": o} for p, o in parts]} for t, parts in topics])
    same(0, answer["ThrottleTimeMs"])
    return {t["Name"]: {p["PartitionIndex"]: (name_of(p["ErrorCode"]), p["LowWatermark"]) for p in t["Partitions"]}
            for t in answer["Topics"]}


def delete_one(c, topic, offset, version=2):
    got = delete_records(c, version, (topic, [(0, offset)]))
    same([topic if isinstance(topic, str) else topic.name], list(got))
    return got[topic if isinstance(topic, str) else topic.name][0]


def until(what, look):
    """What the background does, it does some time."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        got = look()
        if got:
            return got
        if time.monotonic() > deadline:
            raise AssertionError("still not: " + what)
        time.sleep(0.02)


def alter(c, kind, name, **configs):
    c_type = {"topic": 2, "broker": 4, "group": 32}[kind]
    answer = c.call("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": c_type, "ResourceName": name, "Configs": [
        {"Name": k.replace("_", "."), "ConfigOperation": 1 if v is None else 0, "Value": None if v is None else str(v)}
        for k, v in configs.items()]}])
    same([(0, None)], [(r["ErrorCode"], r["ErrorMessage"] or None) for r in answer["Responses"]])
