# SPDX-License-Identifier: Apache-2.0
"""What limits members of share groups: how long a record is theirs, renewals, how many records may be out, how many sessions."""
import time

import datakit
import shares
from b_fetch import acquired, begin
from member import wait_for
from shares import ACCEPT, RELEASE, RENEW

LOCK_MS = 2000
SESSIONS = 40  # server.properties


def configure(c, share, **configs):
    answer = c.call("IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
        {"ResourceType": 32, "ResourceName": share.group, "Configs": [
            {"Name": "share." + k.replace("_", "."), "ConfigOperation": 0, "Value": str(v)} for k, v in configs.items()]}])
    datakit.same("NONE", datakit.name_of(answer["Responses"][0]["ErrorCode"]), answer["Responses"][0]["ErrorMessage"])


def case_a_lock_that_expires_gives_the_records_back(t):
    c, _, share = begin(t, 5, 5)
    configure(c, share, record_lock_duration_ms=LOCK_MS)
    a, b = share.member(), share.member()
    began = time.monotonic()
    datakit.same([(0, 9, 1)], acquired(a))
    datakit.same(LOCK_MS, a.ask(MaxWaitMs=0)["AcquisitionLockTimeoutMs"])
    datakit.same("NONE", a.acknowledge((0, 1, ACCEPT)))
    # Nothing is new, so it waits until the rest is free again: each record has its own time when a batch is in parts.
    again = acquired(b)
    assert time.monotonic() - began >= LOCK_MS / 1000, "before its time"
    wait_for(lambda: again[-1][1] == 9 or again.extend(b.fetch(MaxWaitMs=100)[1]), "the last record")
    datakit.same([(offset, 2) for offset in range(2, 10)],
                 [(offset, times) for first, last, times in again for offset in range(first, last + 1)])
    datakit.same(("INVALID_RECORD_STATE", "Member is not the owner of offset"), a.acknowledge((2, 9, ACCEPT)))
    datakit.same("NONE", b.acknowledge((2, 9, ACCEPT)))


def case_a_lock_that_expires_too_often_is_the_last(t):
    c, _, share = begin(t, 3, 1)
    configure(c, share, record_lock_duration_ms=1000, delivery_count_limit=2)
    a = share.member()
    datakit.same([(0, 2, 1)], a.fetch(MaxRecords=1)[1])
    datakit.same([(3, 3, 1)], a.fetch(MaxRecords=1)[1])
    datakit.same("NONE", a.acknowledge((3, 3, ACCEPT)))
    datakit.same([(0, 2, 2)], acquired(a))
    wait_for(lambda: shares.held(share) == (0, [(0, 2, 4, 2), (3, 3, 2, 1)]), "the end of the second lock")
    datakit.same([], a.fetch(MaxWaitMs=0)[1])
    datakit.same("NONE", a.acknowledge((0, 2, ACCEPT)))  # it is behind the group's start


def case_renewals_keep_a_lock(t):
    c, _, share = begin(t, 5)
    configure(c, share, record_lock_duration_ms=LOCK_MS)
    a, b = share.member(), share.member()
    began = time.monotonic()
    datakit.same([(0, 4, 1)], acquired(a))
    while time.monotonic() - began < 2 * LOCK_MS / 1000:
        time.sleep(LOCK_MS / 1000 / 8)
        datakit.same("NONE", a.acknowledge((0, 4, RENEW), renew=True))
        datakit.same([], b.fetch(MaxWaitMs=0)[1])
    renewed = time.monotonic()
    datakit.same([(0, 4, 2)], acquired(b))
    assert time.monotonic() - renewed >= LOCK_MS / 1000 / 2, "a renewal does not begin the lock anew"
    datakit.same(("INVALID_RECORD_STATE", "Member is not the owner of batch record"),
                 a.acknowledge((0, 4, RENEW), renew=True))


def case_a_part_of_a_batch_is_renewed(t):
    c, _, share = begin(t, 6)
    configure(c, share, record_lock_duration_ms=LOCK_MS)
    a, b = share.member(), share.member()
    datakit.same([(0, 5, 1)], acquired(a))
    until = time.monotonic() + 1.5 * LOCK_MS / 1000
    seen = []
    while time.monotonic() < until:
        time.sleep(LOCK_MS / 1000 / 8)
        datakit.same("NONE", a.acknowledge((2, 3, RENEW), renew=True))
        seen += b.fetch(MaxWaitMs=0)[1]
    datakit.same([(0, 1, 2), (4, 5, 2)], sorted(seen))
    datakit.same("NONE", a.acknowledge((2, 3, RENEW, ACCEPT), renew=True))
    datakit.same("NONE", a.acknowledge((2, 2, ACCEPT)))


def case_renewals_may_be_forbidden(t):
    c, _, share = begin(t, 2)
    configure(c, share, renew_acknowledge_enable="false")
    a = share.member()
    datakit.same([(0, 1, 1)], acquired(a))
    answer = a.send_acks((0, 1, RENEW), renew=True)
    parts = [(p["PartitionIndex"], datakit.name_of(p["ErrorCode"]), p["ErrorMessage"])
             for r in answer["Responses"] for p in r["Partitions"]]
    datakit.same(("NONE", None, [(0, "INVALID_RECORD_STATE", "Renewing acquisition locks is not enabled for the group.")]),
                 (datakit.name_of(answer["ErrorCode"]), answer["ErrorMessage"], parts))
    datakit.same("NONE", a.acknowledge((0, 1, ACCEPT)))


def case_so_many_records_may_be_out(t):
    c, _, share = begin(t, *[10] * 15)
    configure(c, share, partition_max_record_locks=100)
    a, b = share.member(), share.member()
    datakit.same([(0, 99, 1)], acquired(a))
    datakit.same([], a.fetch(MaxWaitMs=0)[1])
    datakit.same([], b.fetch(MaxWaitMs=0)[1])
    datakit.same("NONE", a.acknowledge((10, 19, ACCEPT)))
    datakit.same([], b.fetch(MaxWaitMs=0)[1])  # what begins the window is still out
    datakit.same("NONE", a.acknowledge((0, 9, ACCEPT)))
    datakit.same([(100, 119, 1)], acquired(b))
    datakit.same("NONE", a.acknowledge((50, 59, RELEASE)))
    datakit.same([(50, 59, 2)], acquired(b))
    datakit.same([], a.fetch(MaxWaitMs=0)[1])


def case_more_locks_by_a_batch_that_is_larger(t):
    c, _, share = begin(t, 90, 150, 10)
    configure(c, share, partition_max_record_locks=100)
    a = share.member()
    datakit.same([[(0, 239, 1)], []], [acquired(a), a.fetch(MaxWaitMs=0)[1]])


def opened(share, count):
    """So many members, each with a session; those who got none with the error."""
    members = [share.member() for _ in range(count)]
    return members, [datakit.name_of(m.ask(MaxWaitMs=0)["ErrorCode"]) for m in members]


def case_so_many_sessions_are_kept(t):
    _, _, share = begin(t, 1)
    first = share.member()
    # Those of the cases before go with their connections, which the broker may not have seen yet.
    wait_for(lambda: datakit.name_of(first.ask(MaxWaitMs=0, epoch=0)["ErrorCode"]) == "NONE", "room for a session")
    members, errors = [], []
    while len(members) < SESSIONS + 5:
        more, said = opened(share, 1)
        members += more
        errors += said
    datakit.same("SHARE_SESSION_LIMIT_REACHED", errors[-1])
    refused = [m for m, error in zip(members, errors) if error != "NONE"]
    kept = [m for m, error in zip(members, errors) if error == "NONE"]
    datakit.same({"NONE", "SHARE_SESSION_LIMIT_REACHED"}, set(errors))
    datakit.same("SHARE_SESSION_NOT_FOUND", datakit.name_of(refused[0].ask(MaxWaitMs=0, epoch=1)["ErrorCode"]))
    kept[0].link.close()
    wait_for(lambda: datakit.name_of(refused[0].ask(MaxWaitMs=0, epoch=0)["ErrorCode"]) == "NONE", "the room of one that left")
    datakit.same("SHARE_SESSION_LIMIT_REACHED", datakit.name_of(refused[1].ask(MaxWaitMs=0, epoch=0)["ErrorCode"]))
    datakit.same(None, kept[1].close())
    datakit.same("NONE", datakit.name_of(refused[1].ask(MaxWaitMs=0, epoch=0)["ErrorCode"]))
