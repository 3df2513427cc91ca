# SPDX-License-Identifier: Apache-2.0
"""Members of the classic protocol that subscribe for real, for groups that change their protocol.

    a = classic_group(t, topic, 4)      # one member that has all four partitions
    a.rejoin()                          # joins and syncs again; the join's answer, .owned follows"""
import struct

from member import Member, join_all, new_group


def subscription(topics, owned=()):
    """Version 1: topics, no data, owned partitions."""
    out = struct.pack(">hi", 1, len(topics))
    for topic in topics:
        out += struct.pack(">h", len(topic)) + topic.encode()
    out += struct.pack(">i", -1) + struct.pack(">i", len(owned))
    for topic, partitions in owned:
        out += struct.pack(">h", len(topic)) + topic.encode() + struct.pack(">i", len(partitions))
        out += b"".join(struct.pack(">i", p) for p in partitions)
    return out


def assignment(topics, version=1, data=b""):
    out = struct.pack(">hi", version, len(topics))
    for topic, partitions in topics:
        out += struct.pack(">h", len(topic)) + topic.encode() + struct.pack(">i", len(partitions))
        out += b"".join(struct.pack(">i", p) for p in partitions)
    return out + (struct.pack(">i", len(data)) + data if data else struct.pack(">i", -1))


def assigned(data):
    """{topic: {partitions}} of an assignment."""
    version, count = struct.unpack_from(">hi", data)
    at, out = 6, {}
    for _ in range(count):
        (size,) = struct.unpack_from(">h", data, at)
        name = data[at + 2:at + 2 + size].decode()
        at += 2 + size
        (n,) = struct.unpack_from(">i", data, at)
        out[name] = set(struct.unpack_from(">%di" % n, data, at + 4))
        at += 4 + 4 * n
    return out


class Old(Member):
    """A classic member that subscribes for real, and says what it owns."""

    def __init__(self, t, group, topic, **more):
        super().__init__(t, group, protocols=(("range", subscription([topic])),), **more)
        self.topic, self.owned = topic, set()

    def rejoin(self):
        self.protocols = (("range", subscription([self.topic], [(self.topic, sorted(self.owned))])),)
        answer = self.join()
        if answer["ErrorCode"] == 0:
            synced = self.sync()
            assert synced["ErrorCode"] == 0, synced
            self.owned = assigned(synced["Assignment"]).get(self.topic, set())
        return answer


def classic_group(t, topic, partitions, **more):
    """One classic member that has everything."""
    group = new_group(t)
    a = Old(t, group, topic, **more)
    join_all(a)
    answer = a.sync({a: assignment([(topic, range(partitions))])})
    assert answer["ErrorCode"] == 0, answer
    a.owned = set(range(partitions))
    return a
