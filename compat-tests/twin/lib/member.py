# SPDX-License-Identifier: Apache-2.0
"""Members of classic groups, one connection each, so that one may wait while others go on.

    a, b = Member(t, group), Member(t, group, instance="i")
    join_all(a, b)             # both are in one generation; .leader is its leader, .generation its number
    a.sync({a: b"for a", b: b"for b"}); b.sync()
"""
import select
import struct
import time


def subscription(*topics, data=b""):
    """What a consumer tells its leader, version 0. The broker reads it too: nonsense would upset it."""
    out = struct.pack(">hi", 0, len(topics))
    for topic in topics:
        out += struct.pack(">h", len(topic)) + topic.encode()
    return out + struct.pack(">i", len(data)) + data


RANGE, ROUND = ("range", subscription("t", data=b"range")), ("roundrobin", subscription("t", data=b"roundrobin"))


def coordinator_is_there(t, group):
    """Waits until the group has its coordinator: __consumer_offsets is made by the first who asks."""
    link, deadline = t.connect(), time.monotonic() + 60
    while True:
        found = link.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=[group])["Coordinators"][0]
        if found["ErrorCode"] == 0:
            beat = link.call("Heartbeat", 4, GroupId=group, GenerationId=1, MemberId="nobody")
            error = t.error(link.call("SyncGroup", 3, GroupId=group, GenerationId=1, MemberId="nobody")["ErrorCode"])
            if t.error(beat["ErrorCode"]) == error == "UNKNOWN_MEMBER_ID":
                return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def new_group(t):
    group = t.name("group")
    coordinator_is_there(t, group)
    return group


class Member:
    def __init__(self, t, group, instance=None, protocols=(RANGE, ROUND), version=9, session_ms=30000,
                 rebalance_ms=30000, type_="consumer", client_id="twin"):
        self.t, self.group, self.instance, self.protocols = t, group, instance, protocols
        self.version, self.session_ms, self.rebalance_ms, self.type = version, session_ms, rebalance_ms, type_
        self.link = t.connect(client_id=client_id)
        self.id, self.generation, self.leader, self.protocol = "", -1, None, None

    # ---- joining
    def send_join(self, **other):
        body = dict(GroupId=self.group, SessionTimeoutMs=self.session_ms, RebalanceTimeoutMs=self.rebalance_ms,
                    MemberId=self.id, ProtocolType=self.type,
                    Protocols=[{"Name": n, "Metadata": m} for n, m in self.protocols])
        if self.instance is not None:
            body["GroupInstanceId"] = self.instance
        body.update(other)
        self.link.send("JoinGroup", self.version, **body)

    def joined(self):
        """The answer to send_join, or to a second one if the first only gave us an id."""
        answer = self.link.receive()
        if self.t.error(answer["ErrorCode"]) == "MEMBER_ID_REQUIRED":
            self.id = answer["MemberId"]
            self.send_join()
            answer = self.link.receive()
        return self.note(answer)

    def note(self, answer):
        if answer["ErrorCode"] == 0:
            self.id, self.generation = answer["MemberId"], answer["GenerationId"]
            self.leader, self.protocol = answer["Leader"], answer["ProtocolName"]
        return answer

    def take_id(self):
        """The first step of KIP-394."""
        self.send_join()
        answer = self.link.receive()
        assert self.t.error(answer["ErrorCode"]) == "MEMBER_ID_REQUIRED", answer
        self.id = answer["MemberId"]
        return answer

    def join(self, **other):
        self.send_join(**other)
        return self.joined()

    # ---- the rest
    def send_sync(self, assignments=None, version=5, **other):
        body = dict(GroupId=self.group, GenerationId=self.generation, MemberId=self.id, ProtocolType=self.type,
                    ProtocolName=self.protocol or "range",
                    Assignments=[{"MemberId": getattr(m, "id", m), "Assignment": a} for m, a in
                                 (assignments or {}).items()])
        if self.instance is not None:
            body["GroupInstanceId"] = self.instance
        body.update(other)
        self.link.send("SyncGroup", version, **body)

    def sync(self, assignments=None, version=5, **other):
        self.send_sync(assignments, version, **other)
        return self.link.receive()

    def heartbeat(self, **other):
        body = dict(GroupId=self.group, GenerationId=self.generation, MemberId=self.id)
        if self.instance is not None:
            body["GroupInstanceId"] = self.instance
        body.update(other)
        return self.t.error(self.link.call("Heartbeat", 4, **body)["ErrorCode"])

    def leave(self):
        answer = self.link.call("LeaveGroup", 5, GroupId=self.group, Members=[{"MemberId": self.id}])
        assert answer["ErrorCode"] == 0, answer
        return self.t.error(answer["Members"][0]["ErrorCode"])

    def commit(self, topic, offset, partition=0, version=9, metadata="", **other):
        body = dict(GroupId=self.group, GenerationIdOrMemberEpoch=self.generation, MemberId=self.id, Topics=[
            {"Name": topic, "Partitions": [{"PartitionIndex": partition, "CommittedOffset": offset,
                                            "CommittedMetadata": metadata}]}])
        if self.instance is not None:
            body["GroupInstanceId"] = self.instance
        body.update(other)
        answer = self.link.call("OffsetCommit", version, **body)
        return self.t.error(answer["Topics"][0]["Partitions"][0]["ErrorCode"])


def describe(t, group, version=5):
    return t.connect().call("DescribeGroups", version, Groups=[group])["Groups"][0]


def wait_for(condition, what, limit_s=30):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "never: %s" % what
        time.sleep(0.02)


def join_all(*members):
    """All of them in one generation: those that are early join again when they hear of the others."""
    for m in members:
        if m.instance is None and m.id == "" and m.version >= 4:
            m.take_id()
    for m in members:
        m.send_join()
    waiting, deadline = list(members), time.monotonic() + 60
    while waiting or len({m.generation for m in members}) > 1:
        assert time.monotonic() < deadline, "the members do not come together"
        ready = select.select([m.link.socket for m in waiting], [], [], 0.02)[0]
        for m in [m for m in waiting if m.link.socket in ready]:
            answer = m.note(m.link.receive())
            assert answer["ErrorCode"] == 0, answer
            waiting.remove(m)
        for m in members:
            if m not in waiting and m.heartbeat() == "REBALANCE_IN_PROGRESS":
                m.send_join()
                waiting.append(m)
    return members


def leader_of(members):
    return next(m for m in members if m.id == m.leader)


def settle(*members):
    """One generation, synced: member i has b'part i'."""
    join_all(*members)
    leader = leader_of(members)
    parts = {m: b"part %d" % i for i, m in enumerate(members)}
    for m in members:
        m.send_sync(parts if m is leader else None)
    for i, m in enumerate(members):
        answer = m.link.receive()
        assert answer["ErrorCode"] == 0 and answer["Assignment"] == b"part %d" % i, answer
    return members
