# SPDX-License-Identifier: Apache-2.0
"""ShareFetch and ShareAcknowledge: sessions, what is acquired, what may be acknowledged, and what is delivered again."""
import os
import time

import datakit
import shares
from shares import ACCEPT, GAP, REJECT, RELEASE, RENEW, Share

UNKNOWN = bytes([7] * 16)
NOT_ACQUIRED = ("INVALID_RECORD_STATE", "The batch cannot be acknowledged. The batch is not in the acquired state.")


def begin(t, *batches, start=0, **configs):
    """A share group over a topic with batches of so many records."""
    c = datakit.begin(t)
    topic = datakit.Topic(c, **configs)
    add(c, topic, *batches)
    return c, topic, Share(t, topic, start)


def add(c, topic, *batches):
    for count in batches:
        datakit.produce(c, 12, topic, (0, datakit.batch([b"%d" % i for i in range(count)])))


def acquired(member):
    """What the first answer with records gives."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        got = member.fetch()[1]
        if got:
            return got
    raise AssertionError("nothing is acquired")


def loaded(member):
    """Asks until the share partition answers at all; the first offset, if it gave records."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = member.ask(epoch=0, MaxWaitMs=100)["Responses"]
        if answer:
            member.epoch = 1
            ranges = answer[0]["Partitions"][0]["AcquiredRecords"]
            return ranges[0]["FirstOffset"] if ranges else None
    raise AssertionError("it is never loaded")


def case_whole_batches_are_acquired(t):
    _, _, share = begin(t, 5, 5, 5)
    a, b = share.member(), share.member()
    error, acquired, values = a.fetch(MaxRecords=7)
    datakit.same(("NONE", [(0, 9, 1)], 10), (error, acquired, len(values)))
    datakit.same([(10, 14, 1)], b.fetch()[1])
    datakit.same([], a.fetch(MaxWaitMs=0)[1])
    datakit.same("NONE", a.acknowledge((0, 9, ACCEPT)))
    datakit.same("NONE", b.acknowledge((10, 14, ACCEPT)))
    # The start that is written is that of before the write: it is found again from what was acknowledged.
    datakit.same((10, [(10, 14, 2, 1)]), (share.state()["StartOffset"], shares.batches_of(share.state())))


def case_batches_in_flight_are_of_the_size_asked_for(t):
    _, _, share = begin(t, 5, 5, 5)
    datakit.same([(0, 9, 1), (10, 14, 1)], share.member().fetch(BatchSize=8)[1])


def case_a_record_limit_splits_batches(t):
    _, _, share = begin(t, 5, 5)
    a, b = share.member(), share.member()
    datakit.same([(0, 2, 1)], a.fetch(MaxRecords=3, ShareAcquireMode=1)[1])
    datakit.same([(3, 4, 1), (5, 5, 1)], b.fetch(MaxRecords=3, ShareAcquireMode=1)[1])
    datakit.same("NONE", a.acknowledge((0, 2, ACCEPT)))
    datakit.same([(0, 2, 2, 1)], shares.batches_of(share.state()))


def case_the_first_fetch_makes_a_session(t):
    _, topic, share = begin(t, 1)
    a = share.member()
    for epoch, error in ((1, "SHARE_SESSION_NOT_FOUND"), (-1, "SHARE_SESSION_NOT_FOUND")):
        datakit.same(error, datakit.name_of(a.ask(epoch=epoch, MaxWaitMs=0)["ErrorCode"]))
    datakit.same("INVALID_REQUEST", datakit.name_of(a.ask([(0, 0, ACCEPT)], epoch=0)["ErrorCode"]))
    datakit.same("INVALID_SHARE_SESSION_EPOCH", a.acknowledge((0, 0, ACCEPT), epoch=0))
    datakit.same("SHARE_SESSION_NOT_FOUND", a.acknowledge((0, 0, ACCEPT), epoch=1))
    datakit.same([(0, 0, 1)], a.fetch()[1])
    for epoch in (0 + 2, 7):
        datakit.same("INVALID_SHARE_SESSION_EPOCH",
                     datakit.name_of(a.ask(epoch=a.epoch + epoch, MaxWaitMs=0)["ErrorCode"]))
    datakit.same("INVALID_SHARE_SESSION_EPOCH", a.acknowledge((0, 0, ACCEPT), epoch=a.epoch + 1))
    for member in ("", "x" * 37):
        answer = a.ask(MemberId=member, epoch=0)
        datakit.same(("INVALID_REQUEST", []), (datakit.name_of(answer["ErrorCode"]), answer["Responses"]))


def case_a_session_remembers_its_partitions(t):
    _, topic, share = begin(t, 2)
    a = share.member()
    datakit.same([(0, 1, 1)], a.fetch()[1])
    datakit.same([], a.ask(Topics=[], MaxWaitMs=0)["Responses"])
    a.acknowledge((0, 1, RELEASE))
    datakit.same([(0, 1, 2)], a.fetch(Topics=[])[1])
    a.acknowledge((0, 1, RELEASE))
    forget = [{"TopicId": topic.id, "Partitions": [0]}]
    datakit.same([], a.ask(Topics=[], ForgottenTopicsData=forget, MaxWaitMs=0)["Responses"])


def case_who_may_acknowledge_what(t):
    _, _, share = begin(t, 5, 5)
    a, b = share.member(), share.member()
    a.fetch(MaxRecords=1)
    b.fetch(MaxRecords=1)
    datakit.same(("INVALID_RECORD_STATE", "Member is not the owner of batch record"), b.acknowledge((0, 4, ACCEPT)))
    datakit.same(("INVALID_REQUEST", "Batch record not found. The last offset in request is past acquired records."),
                 b.acknowledge((5, 12, ACCEPT)))
    datakit.same(("INVALID_REQUEST", "Batch record not found. The first offset in request is past acquired records."),
                 b.acknowledge((20, 22, ACCEPT)))
    datakit.same("NONE", a.acknowledge((0, 4, ACCEPT, RELEASE, REJECT, GAP, ACCEPT)))
    datakit.same([(0, 0, 2, 1), (1, 1, 0, 1), (2, 3, 4, 1), (4, 4, 2, 1)], shares.batches_of(share.state()))
    datakit.same(("INVALID_RECORD_STATE", "The offset cannot be acknowledged. The offset is not acquired."),
                 a.acknowledge((1, 4, ACCEPT)))
    datakit.same("NONE", b.acknowledge((5, 9, RELEASE)))
    datakit.same(NOT_ACQUIRED, b.acknowledge((5, 9, ACCEPT)))


def case_malformed_acknowledgements(t):
    _, topic, share = begin(t, 5)
    a = share.member()
    a.fetch()
    for acks in ([(3, 2, ACCEPT)], [(2, 3, ACCEPT), (0, 1, ACCEPT)], [(0, 4)], [(0, 4, ACCEPT, ACCEPT)],
                 [(0, 4, 5)], [(0, 4, -1)], [(0, 4, RENEW)]):
        datakit.same("INVALID_REQUEST", a.acknowledge(*acks), repr(acks))
    datakit.same("INVALID_REQUEST", a.acknowledge((0, 4, RENEW), version=1))
    datakit.same("UNKNOWN_TOPIC_ID", a.acknowledge((0, 4, ACCEPT), topic_id=UNKNOWN))
    datakit.same("UNKNOWN_TOPIC_OR_PARTITION", a.acknowledge((0, 4, ACCEPT), partition=1))
    datakit.same(None, a.acknowledge())
    datakit.same("NONE", a.acknowledge((0, 4, ACCEPT)))


def case_acknowledgements_come_with_a_fetch(t):
    _, _, share = begin(t, 5, 5)
    a = share.member()
    a.fetch(MaxRecords=1)
    datakit.same(("NONE", [(5, 9, 1)]), a.fetch([(0, 4, ACCEPT)])[:2])
    answer = a.ask([(5, 9, ACCEPT)], MaxWaitMs=0)
    part = answer["Responses"][0]["Partitions"][0]
    datakit.same((0, 0, b"", []), (part["ErrorCode"], part["AcknowledgeErrorCode"], part["Records"] or b"",
                                   part["AcquiredRecords"]))
    datakit.same(30000, answer["AcquisitionLockTimeoutMs"])
    datakit.same((5, [(5, 9, 2, 1)]), (share.state()["StartOffset"], shares.batches_of(share.state())))


def case_renewals(t):
    _, _, share = begin(t, 5)
    a = share.member()
    a.fetch()
    datakit.same("NONE", a.acknowledge((0, 4, RENEW), renew=True))
    datakit.same("INVALID_REQUEST", datakit.name_of(a.ask([(0, 4, RENEW)], IsRenewAck=True, epoch=a.epoch)["ErrorCode"]))
    answer = a.ask([(0, 4, RENEW)], IsRenewAck=True, MaxBytes=0, MinBytes=0, MaxRecords=0, MaxWaitMs=0)
    part = answer["Responses"][0]["Partitions"][0]
    datakit.same((0, 0), (answer["ErrorCode"], part["AcknowledgeErrorCode"]))
    datakit.same("NONE", a.acknowledge((0, 4, ACCEPT), renew=True))


def case_a_closed_session_gives_its_records_back(t):
    _, _, share = begin(t, 5)
    a, b = share.member(), share.member()
    a.fetch()
    datakit.same(None, a.close())
    datakit.same([(0, 4, 2)], b.fetch()[1])
    datakit.same("SHARE_SESSION_NOT_FOUND", a.acknowledge((0, 4, ACCEPT), epoch=2))
    b.link.close()
    c = share.member()
    datakit.same([(0, 4, 3)], c.fetch()[1])


def case_deliveries_are_limited(t):
    _, _, share = begin(t, 8)
    a = share.member()
    seen = []
    for _ in range(7):
        acquired = a.fetch()[1]
        seen.append(acquired)
        for first, last, _ in acquired:
            datakit.same("NONE", a.acknowledge((first, last, RELEASE)))
    datakit.same([[(0, 7, 1)], [(0, 7, 2)], [(0, 7, 3)], [(0, 3, 4)], [(0, 0, 5)], [(1, 1, 5)], [(2, 2, 5)]], seen)
    datakit.same((2, [(2, 2, 4, 5), (3, 3, 0, 4), (4, 7, 0, 3)]),
                 (share.state()["StartOffset"], shares.batches_of(share.state())))


def case_a_waiting_fetch_wakes_up(t):
    c, topic, share = begin(t, 2)
    a, b = share.member(), share.member()
    a.fetch()
    b.ask(MaxWaitMs=0)
    b.link.send("ShareFetch", 2, GroupId=share.group, MemberId=b.name, ShareSessionEpoch=1, MaxWaitMs=3000,
                          MinBytes=1, MaxBytes=1 << 20, MaxRecords=500, BatchSize=500, Topics=[],
                          ForgottenTopicsData=[])
    datakit.same("NONE", a.acknowledge((0, 1, RELEASE)))
    part = b.link.receive()["Responses"][0]["Partitions"][0]
    datakit.same((0, 1, 2), tuple(part["AcquiredRecords"][0][k] for k in ("FirstOffset", "LastOffset", "DeliveryCount")))
    b.link.send("ShareFetch", 2, GroupId=share.group, MemberId=b.name, ShareSessionEpoch=2, MaxWaitMs=3000,
                          MinBytes=1, MaxBytes=1 << 20, MaxRecords=500, BatchSize=500, Topics=[],
                          ForgottenTopicsData=[])
    add(c, topic, 1)
    part = b.link.receive()["Responses"][0]["Partitions"][0]
    datakit.same((2, 2, 1), tuple(part["AcquiredRecords"][0][k] for k in ("FirstOffset", "LastOffset", "DeliveryCount")))


def asked(*partitions):
    return [{"TopicId": topic, "Partitions": [{"PartitionIndex": index, "AcknowledgementBatches": []}]}
            for topic, index in partitions]


def case_unknown_topics_and_partitions(t):
    _, topic, share = begin(t, 1)
    a = share.member()
    for epoch, topics in ((0, asked((topic.id, 3))), (1, [])):
        answer = a.ask(Topics=topics, epoch=epoch, MaxWaitMs=100)
        part = answer["Responses"][0]["Partitions"][0]
        datakit.same((0, 3, "UNKNOWN_TOPIC_OR_PARTITION"),
                     (answer["ErrorCode"], part["PartitionIndex"], datakit.name_of(part["ErrorCode"])))
    for epoch, topics in ((2, asked((UNKNOWN, 0))), (3, [])): # such a session is of no use any more
        answer = a.ask(Topics=topics, epoch=epoch, MaxWaitMs=100)
        datakit.same(("UNKNOWN_SERVER_ERROR", []), (datakit.name_of(answer["ErrorCode"]), answer["Responses"]))
    answer = share.member().ask(ShareAcquireMode=2, MaxWaitMs=100)
    datakit.same("UNKNOWN_SERVER_ERROR", datakit.name_of(answer["ErrorCode"]))


def case_what_was_not_begun_cannot_be_read(t):
    c = datakit.begin(t)
    topic = datakit.Topic(c)
    share = Share(t, topic)
    share.group = t.name("other")
    a = share.member()
    answer = a.ask()
    while not answer["Responses"]:
        answer = a.ask()
    datakit.same("UNKNOWN_SERVER_ERROR", datakit.name_of(answer["Responses"][0]["Partitions"][0]["ErrorCode"]))


def case_where_a_group_begins(t):
    c = datakit.begin(t)
    for reset, start in (("latest", 3), ("earliest", 0), ("by_duration:PT1H", 0)):
        topic = datakit.Topic(c)
        add(c, topic, 3)
        share = Share(t, topic, start=-1)
        done = c.call("IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
            {"ResourceType": 32, "ResourceName": share.group, "Configs": [
                {"Name": "share.auto.offset.reset", "ConfigOperation": 0, "Value": reset}]}])
        datakit.same(0, done["Responses"][0]["ErrorCode"])
        a = share.member()
        first = loaded(a)
        add(c, topic, 2)
        datakit.same(start, first if first is not None else acquired(a)[0][0], reset)


def case_the_log_start_passes_records(t):
    c, topic, share = begin(t, 5, 5)
    a = share.member()
    a.fetch(MaxRecords=1)
    datakit.delete_one(c, topic, 7)
    datakit.same([(5, 9, 1)], acquired(share.member())) # the batch of the log that holds 7
    datakit.same("NONE", a.acknowledge((0, 4, ACCEPT)))


def case_records_that_are_on_disk_only(t):
    c = datakit.begin(t)
    topic = datakit.Topic(c)
    values = [b"%d " % i * 20000 for i in range(20)]
    for value in values:
        datakit.produce(c, 12, topic, (0, datakit.batch([value])))
    folder = os.path.join(t.broker.folder, "data", topic.name + "-0")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    m, got = Share(t, topic).member(), []
    while len(got) < len(values):
        _, runs, read = m.fetch([(len(got) - 1, len(got) - 1, ACCEPT)] if got else (), MaxRecords=3)
        datakit.same(sum(last - first + 1 for first, last, _ in runs), len(read))
        got += read
    datakit.same(values, got)
