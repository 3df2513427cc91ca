# SPDX-License-Identifier: Apache-2.0
"""Members of consumer groups (KIP-848), one connection each.

    a = NewMember(t, group, [topic]); a.join()          # the answer; .epoch, .assigned {topic name: {partitions}} follow
    a.beat()                                            # says what it holds as soon as it was told
    settle(a, b)                                        # until all are stable with what they shall have
"""
import time
import uuid


def ids_of(t, *names):
    """Names of topics by id, ids by name."""
    answer = t.connect().call("Metadata", 12, Topics=[{"Name": n} for n in names], AllowAutoTopicCreation=False)
    return {x["TopicId"]: x["Name"] for x in answer["Topics"]}, {x["Name"]: x["TopicId"] for x in answer["Topics"]}


class NewMember:
    def __init__(self, t, group, topics=(), regex=None, instance=None, version=1, rebalance_ms=30000, assignor=None,
                 rack=None, client_id="twin", id=None):
        self.t, self.group, self.topics, self.regex, self.instance = t, group, list(topics), regex, instance
        self.version, self.rebalance_ms, self.assignor, self.rack = version, rebalance_ms, assignor, rack
        self.link = t.connect(client_id=client_id)
        self.id = id if id is not None else (str(uuid.uuid4()) if version >= 1 else "")
        self.epoch, self.assigned, self.owned, self.names = 0, {}, {}, {}
        self.last, self.has_news = None, False

    def call(self, **body):
        body = dict(dict(GroupId=self.group, MemberId=self.id, MemberEpoch=self.epoch), **body)
        if self.instance is not None:
            body.setdefault("InstanceId", self.instance)
        answer = self.link.call("ConsumerGroupHeartbeat", self.version, **body)
        self.last = answer
        if answer["ErrorCode"] == 0:
            self.epoch = answer["MemberEpoch"]
            if answer["MemberId"] is not None:
                self.id = answer["MemberId"]
            if answer["Assignment"] is not None:
                self.has_news = True
                self.assigned = {p["TopicId"]: set(p["Partitions"]) for p in answer["Assignment"]["TopicPartitions"]}
        return answer

    def full(self, **body):
        more = dict(RebalanceTimeoutMs=self.rebalance_ms, TopicPartitions=self.holding())
        if self.topics or self.regex is None:
            more["SubscribedTopicNames"] = self.topics
        if self.regex is not None:
            more["SubscribedTopicRegex"] = self.regex
        for name, value in (("ServerAssignor", self.assignor), ("RackId", self.rack)):
            if value is not None:
                more[name] = value
        return self.call(**dict(more, **body))

    def holding(self):
        return [{"TopicId": t, "Partitions": sorted(p)} for t, p in self.owned.items() if p]

    def join(self, **body):
        self.epoch, self.owned = 0, {}
        return self.full(MemberEpoch=0, **body)

    def beat(self, **body):
        """As a client: takes over what it was assigned, and tells so with its next heartbeat."""
        if self.has_news:
            self.has_news = False
            self.owned = {t: set(p) for t, p in self.assigned.items()}
            return self.call(TopicPartitions=self.holding(), **body)
        return self.call(**body)

    def error(self):
        return self.t.error(self.last["ErrorCode"])

    def leave(self, epoch=-1):
        return self.call(MemberEpoch=epoch)

    def commit(self, topic, offset, partition=0, version=9, **other):
        body = dict(GroupId=self.group, GenerationIdOrMemberEpoch=self.epoch, MemberId=self.id, Topics=[
            {"Name": topic, "Partitions": [{"PartitionIndex": partition, "CommittedOffset": offset,
                                            "CommittedMetadata": ""}]}])
        body.update(other)
        answer = self.link.call("OffsetCommit", version, **body)
        return self.t.error(answer["Topics"][0]["Partitions"][0]["ErrorCode"])

    def partitions(self):
        return sum(len(p) for p in self.assigned.values())


def describe(t, group, version=1):
    return t.connect().call("ConsumerGroupDescribe", version, GroupIds=[group])["Groups"][0]


def sizes(described):
    """How many partitions each member has and shall have."""
    def count(assignment):
        return sum(len(p["Partitions"]) for p in assignment["TopicPartitions"])
    return {m["MemberId"]: (count(m["Assignment"]), count(m["TargetAssignment"])) for m in described["Members"]}


def settle(*members, limit_s=30):
    """Heartbeats until the group is stable and each member holds what it was assigned."""
    deadline = time.monotonic() + limit_s
    t, group = members[0].t, members[0].group
    while True:
        for m in members:
            answer = m.beat()
            assert answer["ErrorCode"] == 0, answer
        if not any(m.has_news for m in members) and describe(t, group)["GroupState"] == "Stable":
            return members
        assert time.monotonic() < deadline, describe(t, group)
        time.sleep(0.02)
