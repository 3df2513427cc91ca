#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Transactions that outlive their broker, for the suite beside it: a producer whose state is kept in a file between calls.

  transactions.py open NAME       a transaction of NAME begins: one record, and the offset of a group
  transactions.py go-on NAME      one record more, to the same transaction
  transactions.py end NAME commit|abort
  transactions.py read VALUE…     what a consumer of read_committed gets is exactly that; so is the group's offset

NAMEs that end in "2" are of transaction version 2. Run in $WORK_DIR, with $BOOTSTRAP and $RUN_ID."""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "twin", "lib"), os.path.join(os.path.dirname(HERE), "lib")]
import producer  # noqa: E402
import topics  # noqa: E402
import wire  # noqa: E402

TOPIC, GROUP = os.environ["RUN_ID"] + "-txn", os.environ["RUN_ID"] + "-txn-group"
ERRORS = {code: name for name, code in wire.errors().items()}


class Here:
    """What a producer of the twin tests wants."""

    def connect(self):
        return wire.Connection(os.environ["BOOTSTRAP"])

    def error(self, code):
        return ERRORS[code]


def same(want, got):
    if want != got:
        sys.exit("wanted %r, got %r" % (want, got))


def group_is_there(link):
    deadline = time.monotonic() + 60
    while True:
        found = link.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=[GROUP])["Coordinators"][0]
        fetched = link.call("OffsetFetch", 8, RequireStable=False, Groups=[{"GroupId": GROUP, "Topics": None}])
        if found["ErrorCode"] == 0 and fetched["Groups"][0]["ErrorCode"] == 0:
            return
        assert time.monotonic() < deadline, (found, fetched)
        time.sleep(0.02)


def load(name):
    p = producer.Producer(Here(), os.environ["RUN_ID"] + "-" + name, v2=name.endswith("2"))
    if os.path.exists(name + ".json"):
        with open(name + ".json", encoding="utf-8") as file:
            p.id, p.epoch, p.sequence, p.written = json.load(file)
    else:
        p.sequence = p.written = 0
    return p


def save(name, p):
    with open(name + ".json", "w", encoding="utf-8") as file:
        json.dump([p.id, p.epoch, p.sequence, p.written], file)


def write(name, p):
    value = ("%s-%d" % (name, p.written)).encode()
    same("NONE", producer.settled(p.produce, TOPIC, value, sequence=p.sequence))
    p.sequence += 1
    p.written += 1
    same("NONE", producer.settled(p.commit_offsets, GROUP, {(TOPIC, 0): p.written}))


def begin(name):
    p = load(name)
    if not any(t["Name"] == TOPIC and t["ErrorCode"] == 0
               for t in p.link.call("Metadata", 12, Topics=[{"Name": TOPIC}], AllowAutoTopicCreation=False)["Topics"]):
        topics.create(p.link, TOPIC)
    group_is_there(p.link)
    if p.id < 0:
        same("NONE", producer.settled(p.init))
    if not p.v2:
        same("NONE", producer.settled(p.add, TOPIC))
        same("NONE", p.add_offsets(GROUP))
    write(name, p)
    save(name, p)


def go_on(name):
    p = load(name)
    group_is_there(p.link)
    same("Ongoing", p.state())
    write(name, p)
    save(name, p)


def end(name, how):
    p = load(name)
    group_is_there(p.link)
    epoch = p.epoch
    same("NONE", producer.settled(p.end, how == "commit"))
    p.reach("CompleteCommit" if how == "commit" else "CompleteAbort")
    if p.epoch != epoch:
        p.sequence = 0
    save(name, p)


def read(*values):
    link = Here().connect()
    group_is_there(link)
    same(list(values), producer.committed(link, TOPIC))
    fetched = link.call("OffsetFetch", 8, RequireStable=False, Groups=[
        {"GroupId": GROUP, "Topics": [{"Name": TOPIC, "PartitionIndexes": [0]}]}])
    offset = fetched["Groups"][0]["Topics"][0]["Partitions"][0]["CommittedOffset"]
    same(int(values[-1].rpartition("-")[2]) + 1 if values else -1, offset)


if __name__ == "__main__":
    {"open": begin, "go-on": go_on, "end": end, "read": read}[sys.argv[1]](*sys.argv[2:])
