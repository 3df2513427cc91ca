# SPDX-License-Identifier: Apache-2.0
"""Share groups for cases: the share coordinator's calls, and a member that fetches and acknowledges.

    s = Share(t, topic)             # topic: datakit.Topic; a group of its own, its state begun at 0
    m = s.member(); m.fetch()       # (error, acquired ranges, offsets of the records)
    m.acknowledge((0, 4, ACCEPT))   # the error of the partition"""
import base64
import time

import datakit
import records

GAP, ACCEPT, RELEASE, REJECT, RENEW = range(5)


def text(topic_id):
    return base64.urlsafe_b64encode(topic_id).decode().rstrip("=")


def coordinator_is_there(c, group, topic_id, partition=0):
    """Waits until the state's topic is there and loaded."""
    deadline = time.monotonic() + 60
    key = "%s:%s:%d" % (group, text(topic_id), partition)
    while True:
        found = c.call("FindCoordinator", 6, KeyType=2, CoordinatorKeys=[key])["Coordinators"][0]
        if found["ErrorCode"] == 0:
            error = datakit.name_of(summary(c, group, topic_id, partition)["ErrorCode"])
            if error not in ("NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE"):
                return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def _one(c, api, version, group, topic_id, **fields):
    answer = c.call(api, version, GroupId=group, Topics=[{"TopicId": topic_id, "Partitions": [fields]}])
    result = answer["Results"]
    assert len(result) == 1 and result[0]["TopicId"] == topic_id and len(result[0]["Partitions"]) == 1, answer
    part = result[0]["Partitions"][0]
    assert part["Partition"] == fields["Partition"], part
    return part


def initialize(c, group, topic_id, partition=0, state_epoch=1, start=-1):
    return _one(c, "InitializeShareGroupState", 0, group, topic_id, Partition=partition, StateEpoch=state_epoch,
                StartOffset=start)


def read(c, group, topic_id, partition=0, leader_epoch=-1):
    return _one(c, "ReadShareGroupState", 0, group, topic_id, Partition=partition, LeaderEpoch=leader_epoch)


def summary(c, group, topic_id, partition=0, leader_epoch=-1, version=1):
    return _one(c, "ReadShareGroupStateSummary", version, group, topic_id, Partition=partition,
                LeaderEpoch=leader_epoch)


def write(c, group, topic_id, *batches, partition=0, state_epoch=-1, leader_epoch=-1, start=-1, done=0):
    """batches: (first, last, state, deliveries)"""
    return _one(c, "WriteShareGroupState", 1, group, topic_id, Partition=partition, StateEpoch=state_epoch,
                LeaderEpoch=leader_epoch, StartOffset=start, DeliveryCompleteCount=done,
                StateBatches=[{"FirstOffset": f, "LastOffset": l, "DeliveryState": s, "DeliveryCount": d}
                              for f, l, s, d in batches])


def delete(c, group, topic_id, partition=0):
    return _one(c, "DeleteShareGroupState", 0, group, topic_id, Partition=partition)


def held(share):
    """What is persisted: the start, and the batches (first, last, state, deliveries)."""
    part = share.state()
    return part["StartOffset"], batches_of(part)


def batches_of(part):
    return [(b["FirstOffset"], b["LastOffset"], b["DeliveryState"], b["DeliveryCount"]) for b in part["StateBatches"]]


class Share:
    def __init__(self, t, topic, start=0, group=None):
        self.t, self.topic = t, topic
        self.group = group or t.name("share")
        self.c = t.connect()
        coordinator_is_there(self.c, self.group, topic.id)
        assert initialize(self.c, self.group, topic.id, start=start)["ErrorCode"] == 0

    def member(self, name=None):
        return Member(self, name or self.t.name("m"))

    def state(self):
        return read(self.c, self.group, self.topic.id)


class Member:
    def __init__(self, share, name):
        self.share, self.name, self.epoch = share, name, 0
        self.link = share.t.connect()

    def ask(self, acks=(), version=2, epoch=None, **other):
        """One ShareFetch, as it comes. acks: (first, last, types…)"""
        fields = dict(GroupId=self.share.group, MemberId=self.name,
                      ShareSessionEpoch=self.epoch if epoch is None else epoch, MaxWaitMs=5000, MinBytes=1,
                      MaxBytes=1 << 20, MaxRecords=500, BatchSize=500, ForgottenTopicsData=[],
                      Topics=[{"TopicId": self.share.topic.id, "Partitions": [
                          {"PartitionIndex": 0, "AcknowledgementBatches": _batches(acks)}]}])
        fields.update(other)
        answer = self.link.call("ShareFetch", version, **fields)
        if answer["ErrorCode"] == 0 and epoch is None:
            self.epoch += 1
        return answer

    def fetch(self, acks=(), **other):
        """(acknowledge error, acquired (first, last, deliveries), values)"""
        deadline = time.monotonic() + 30
        while True: # the real broker may answer before its share partition is loaded
            answer = self.ask(acks, **other)
            assert answer["ErrorCode"] == 0, answer
            parts = [p for r in answer["Responses"] for p in r["Partitions"]]
            if parts or other.get("MaxWaitMs") == 0 or acks:
                break
            assert time.monotonic() < deadline
        if not parts:
            return "NONE", [], []
        part = parts[0]
        assert part["ErrorCode"] == 0, part
        acquired = [(a["FirstOffset"], a["LastOffset"], a["DeliveryCount"]) for a in part["AcquiredRecords"]]
        return (datakit.name_of(part["AcknowledgeErrorCode"]), acquired,
                datakit.values(part["Records"]) if part["Records"] else [])

    def look(self, **other):
        """The first answer that tells of the partition: acquired (first, last, deliveries), and the batches of the log
        (first, last) that came with them. Without MaxWaitMs it waits until there is one."""
        deadline = time.monotonic() + 30
        while True:
            answer = self.ask(**other)
            assert answer["ErrorCode"] == 0, answer
            parts = [p for r in answer["Responses"] for p in r["Partitions"]]
            if parts or "MaxWaitMs" in other:
                break
            assert time.monotonic() < deadline, "nothing is acquired"
        if not parts:
            return [], []
        datakit.same("NONE", datakit.name_of(parts[0]["ErrorCode"]))
        return ([(a["FirstOffset"], a["LastOffset"], a["DeliveryCount"]) for a in parts[0]["AcquiredRecords"]],
                [(b.base_offset, b.last_offset) for b in records.batches(parts[0]["Records"] or b"")])

    def send_acks(self, *acks, version=2, epoch=None, renew=False, topic_id=None, partition=0):
        answer = self.link.call("ShareAcknowledge", version, GroupId=self.share.group, MemberId=self.name,
                                ShareSessionEpoch=self.epoch if epoch is None else epoch, IsRenewAck=renew,
                                Topics=[{"TopicId": topic_id or self.share.topic.id, "Partitions": [
                                    {"PartitionIndex": partition, "AcknowledgementBatches": _batches(acks)}]}])
        if answer["ErrorCode"] == 0 and epoch is None:
            self.epoch += 1
        return answer

    def acknowledge(self, *acks, **other):
        """The error of the request, or of the partition with its words."""
        answer = self.send_acks(*acks, **other)
        if answer["ErrorCode"] != 0:
            return datakit.name_of(answer["ErrorCode"])
        parts = [p for r in answer["Responses"] for p in r["Partitions"]]
        if not parts:
            return None
        error = datakit.name_of(parts[0]["ErrorCode"])
        return error if parts[0]["ErrorMessage"] is None else (error, parts[0]["ErrorMessage"])

    def close(self):
        return self.acknowledge(epoch=-1)


def _batches(acks):
    return [{"FirstOffset": a[0], "LastOffset": a[1], "AcknowledgeTypes": list(a[2:])} for a in acks]
