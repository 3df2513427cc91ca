# SPDX-License-Identifier: Apache-2.0
"""Committed offsets expire: at the time that an old client said, or offsets.retention.minutes (one here) after the
commit or after the group lost its members; and groups with them. What happened long ago is written into the log as it
would stand there."""
import struct
import time

import datakit
from member import Member, coordinator_is_there, describe, new_group, settle, subscription, wait_for
from producer import COMMIT, Producer, settled

PARTITIONS = 5 # of __consumer_offsets
CHECK_S = 0.2 # offsets.retention.check.interval.ms


def commit(t, group, topic, offset, retention_ms, version=4, **other):
    partitions = [{"PartitionIndex": 0, "CommittedOffset": offset, "CommittedMetadata": ""}]
    answer = t.connect().call("OffsetCommit", version, GroupId=group, RetentionTimeMs=retention_ms,
                              Topics=[{"Name": topic, "Partitions": partitions}], **other)
    return t.error(answer["Topics"][0]["Partitions"][0]["ErrorCode"])


def offset(t, group, topic):
    answer = t.connect().call("OffsetFetch", 8, Groups=[
        {"GroupId": group, "Topics": [{"Name": topic, "PartitionIndexes": [0]}]}])
    return answer["Groups"][0]["Topics"][0]["Partitions"][0]["CommittedOffset"]


def stays(condition):
    """For some checks."""
    end = time.monotonic() + 5 * CHECK_S
    while time.monotonic() < end:
        assert condition()
        time.sleep(CHECK_S / 2)


def case_an_offset_with_an_end_of_its_own(t):
    for version in (2, 3, 4):
        topic, group = t.topic(), new_group(t)
        assert commit(t, group, topic, 5, 700, version) == "NONE"
        assert offset(t, group, topic) == 5
        wait_for(lambda: offset(t, group, topic) == -1, "the offset has expired")
        wait_for(lambda: describe(t, group)["GroupState"] == "Dead", "the group with it")


def case_an_end_far_away(t):
    for retention_ms in (60000, 9223372036854775807 - 4102444800000):
        topic, group = t.topic(), new_group(t)
        assert commit(t, group, topic, 5, retention_ms) == "NONE"
        stays(lambda: offset(t, group, topic) == 5)


def case_a_later_commit_counts(t):
    topic, group = t.topic(), new_group(t)
    commit(t, group, topic, 5, 400)
    commit(t, group, topic, 6, -1)
    stays(lambda: offset(t, group, topic) == 6)
    assert describe(t, group)["GroupState"] == "Empty"


def case_a_group_without_offsets_goes_at_once(t):
    a = Member(t, new_group(t), version=3) # an id alone would not keep the group
    settle(a)
    stays(lambda: describe(t, a.group)["GroupState"] == "Stable")
    a.leave()
    wait_for(lambda: describe(t, a.group)["GroupState"] == "Dead", "the group has gone")


def case_members_keep_what_they_are_subscribed_to(t):
    used, free = t.topic(), t.topic()
    a, = settle(Member(t, new_group(t), version=3, protocols=(("range", subscription(used)),)))
    by = {"MemberId": a.id, "GenerationIdOrMemberEpoch": a.generation}
    assert commit(t, a.group, used, 1, 300, **by) == commit(t, a.group, free, 2, 300, **by) == "NONE"
    wait_for(lambda: offset(t, a.group, free) == -1, "what nobody reads has expired")
    stays(lambda: offset(t, a.group, used) == 1)
    a.leave()
    wait_for(lambda: offset(t, a.group, used) == -1, "the other too")
    wait_for(lambda: describe(t, a.group)["GroupState"] == "Dead", "and the group")


def case_members_that_do_not_say_keep_all(t):
    topic = t.topic()
    for other in ({"type_": "connect"}, {"protocols": (("range", b"\0"),)}):
        a, = settle(Member(t, new_group(t), version=3, **other))
        assert commit(t, a.group, topic, 1, 300, MemberId=a.id, GenerationIdOrMemberEpoch=a.generation) == "NONE"
        stays(lambda a=a: offset(t, a.group, topic) == 1)


def case_what_is_pending_is_waited_for(t):
    topic, group, p = t.topic(), new_group(t), Producer(t, t.name())
    assert p.init() == "NONE" and settled(p.add_offsets, group) == "NONE"
    assert commit(t, group, topic, 1, 100) == "NONE"
    assert p.commit_offsets(group, {(topic, 0): 5}) == "NONE"
    stays(lambda: offset(t, group, topic) in (1, -1) and describe(t, group)["GroupState"] == "Empty")
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    stays(lambda: offset(t, group, topic) == 5)


# ---- written long ago ----------------------------------------------------------------------------------------------

def text(s):
    return struct.pack(">h", -1) if s is None else struct.pack(">h", len(s)) + s.encode()


def offset_record(group, topic, committed, at_ms):
    """Key and value of OffsetCommit, version 3 of the value."""
    key = struct.pack(">h", 1) + text(group) + text(topic) + struct.pack(">i", 0)
    return key, struct.pack(">hqi", 3, committed, -1) + text("") + struct.pack(">q", at_ms)


def group_record(group, protocol_type, since_ms):
    """Of an empty group, version 3 of the value."""
    key = struct.pack(">h", 2) + text(group)
    return key, struct.pack(">h", 3) + text(protocol_type) + struct.pack(">i", 4) + text(None) + text(None) + \
        struct.pack(">qi", since_ms, 0)


def partition_of(group):
    h = 0
    for c in group:
        h = (31 * h + ord(c)) & 0xffffffff
    return min(h, (1 << 32) - h) % PARTITIONS


def write(t, group, *records):
    """Into the group's partition, as an administrator of internal topics may; read when the broker starts again."""
    link = t.connect(client_id="__admin_client")
    batch = datakit.batch([value for _, value in records], keys=[key for key, _ in records])
    answer = link.call("Produce", 9, Acks=-1, TimeoutMs=30000, TopicData=[
        {"Name": "__consumer_offsets", "PartitionData": [{"Index": partition_of(group), "Records": batch}]}])
    assert answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"] == 0, answer


def case_what_counts_is_when_the_group_became_empty(t):
    topic, now = t.topic(), int(time.time() * 1000)
    groups = [new_group(t) for _ in range(6)]
    long_ago, just_now = now - 3600000, now - 1000
    simple_old, simple_new, empty_new, empty_old, odd_old, unknown = groups
    write(t, simple_old, offset_record(simple_old, topic, 1, long_ago))
    write(t, simple_new, offset_record(simple_new, topic, 2, just_now))
    write(t, empty_new, group_record(empty_new, "consumer", just_now), offset_record(empty_new, topic, 3, long_ago))
    write(t, empty_old, group_record(empty_old, "consumer", long_ago), offset_record(empty_old, topic, 4, just_now))
    write(t, odd_old, group_record(odd_old, "connect", long_ago), offset_record(odd_old, topic, 5, just_now))
    write(t, unknown, group_record(unknown, "consumer", -1), offset_record(unknown, topic, 6, just_now))
    t.broker.stop()
    t.broker.start()
    for group in groups:
        coordinator_is_there(t, group)
    for group in (simple_old, empty_old, odd_old):
        wait_for(lambda group=group: offset(t, group, topic) == -1, "the offset has expired")
        wait_for(lambda group=group: describe(t, group)["GroupState"] == "Dead", "the group with it")
    stays(lambda: [offset(t, g, topic) for g in (simple_new, empty_new, unknown)] == [2, 3, 6])
