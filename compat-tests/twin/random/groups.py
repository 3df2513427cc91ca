# SPDX-License-Identifier: Apache-2.0
"""Members at random that come, leave, die and come back, and commit offsets, while the broker is killed: classic groups,
groups of the consumer protocol with static members and expressions, both kinds of members in one group, and groups of the
streams protocol. No partition and no active task has two owners, no committed offset is lost or goes back, and no member is
forgotten by a restart. In the environment: GROUPS_SEED, GROUPS_KILLS, how often the broker is killed under each kind."""
import os
import random
import struct
import threading
import time

import datakit
import wire
from member import Member, coordinator_is_there, subscription
from newmember import NewMember, ids_of
from streams_member import Member as StreamsMember, subtopology

PARTITIONS, WORKERS, LIMIT_S = 6, 4, 120
NOT_NOW = {"COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR"}
SESSION_MS = 6000


class Witness:
    """Who holds what, and what was committed. Told before a member lets others have a partition, and after it got one."""

    def __init__(self):
        self.lock, self.owner, self.sure, self.tried, self.wrong = threading.Lock(), {}, {}, {}, []
        self.commits = self.gains = 0

    def holds(self, name, partitions):
        with self.lock:
            for p in partitions:
                if self.owner.get(p, name) != name:
                    self.wrong.append("%s got %d, which %s has" % (name, p, self.owner[p]))
                self.gains += self.owner.get(p) != name
                self.owner[p] = name
            for p in [p for p, who in self.owner.items() if who == name and p not in partitions]:
                del self.owner[p]

    def committing(self, partition):
        with self.lock:
            self.tried[partition] = self.tried.get(partition, 0) + 1
            return self.tried[partition]

    def committed(self, partition, offset):
        with self.lock:
            self.sure[partition] = offset
            self.commits += 1

    def check_committed(self, partition, offset):
        with self.lock:
            low, high = self.sure.get(partition, -1), self.tried.get(partition, -1)
            if not low <= offset <= high:
                self.wrong.append("%d: %d is committed, not %d to %d" % (partition, offset, low, high))


class Forgotten(Exception):
    """The group does not know the member any more, or fenced it."""


class Consumer:
    """Of the consumer protocol."""

    def __init__(self, t, group, topic, name, rng):
        self.t, self.topic = t, topic
        instance = name if rng.random() < 0.4 else None
        regex = topic if rng.random() < 0.4 else None
        self.is_static = instance is not None
        self.m = NewMember(t, group, [] if regex else [topic], regex=regex, instance=instance, client_id=name)
        self.has_joined = False

    def reconnect(self):
        self.m.link = self.t.connect()

    def step(self):
        answer = self.m.beat() if self.has_joined else self.m.join()
        error = self.m.error()
        if error in NOT_NOW or error == "UNRELEASED_INSTANCE_ID":
            time.sleep(0.05)
            return None
        if error != "NONE":
            raise Forgotten(error)
        self.has_joined = True
        return set().union(*self.m.assigned.values()) if answer["Assignment"] is not None else None

    def commit(self, partition, offset):
        return self.m.commit(self.topic, offset, partition)

    def leave(self, rng):
        self.m.leave(-2 if self.is_static and rng.random() < 0.5 else -1)


class Classic:
    """Of the classic protocol, eager: it lets go of everything before it joins again."""

    def __init__(self, t, group, topic, name, rng):
        self.t, self.topic, self.name = t, topic, name
        self.m = Member(t, group, protocols=[("range", subscription(topic))], session_ms=SESSION_MS, rebalance_ms=SESSION_MS,
                        client_id=name)
        self.is_in = False

    def reconnect(self):
        self.m.link = self.t.connect()

    def check(self, error):
        """True: go on. False: later, or from the join on."""
        if error == "NONE":
            return True
        if error not in NOT_NOW | {"REBALANCE_IN_PROGRESS"}:
            raise Forgotten(error)
        time.sleep(0.05 if error in NOT_NOW else 0)
        return False

    def step(self):
        if self.is_in:
            error = self.m.heartbeat()
            if error != "REBALANCE_IN_PROGRESS":
                self.check(error)
                return None
            self.is_in = False
            return set()  # let go first
        answer = self.m.join()
        if not self.check(self.t.error(answer["ErrorCode"])):
            return None
        shares = {}
        if answer["Leader"] == self.m.id and not answer["SkipAssignment"]:
            ids = sorted(m["MemberId"] for m in answer["Members"])
            for i, one in enumerate(ids):
                shares[one] = assignment(self.topic, list(range(i, PARTITIONS, len(ids))))
        answer = self.m.sync(shares)
        if not self.check(self.t.error(answer["ErrorCode"])):
            return None
        self.is_in = True
        return partitions_of(answer["Assignment"])

    def commit(self, partition, offset):
        return self.m.commit(self.topic, offset, partition)

    def leave(self, _rng):
        self.m.leave()


class Streams:
    """Of the streams protocol: some are of one process, each task has a standby."""

    def __init__(self, t, group, topic, name, rng):
        self.t, self.topic = t, topic
        self.m = StreamsMember(t, group, [subtopology("0", [topic], changelogs=["store"])], name=name,
                               process="process-%d" % rng.randrange(3))
        self.is_in = False

    def reconnect(self):
        self.m.link = self.t.connect()

    def step(self):
        answer = self.m.say() if self.is_in else self.m.first()
        error = self.t.error(answer["ErrorCode"])
        if error in NOT_NOW:
            time.sleep(0.05)
            return None
        if error != "NONE":
            raise Forgotten(error)
        self.m.note()
        self.is_in = True
        return set(self.m.tasks["Active"].get("0", [])) if answer["ActiveTasks"] is not None else None

    def commit(self, partition, offset):
        return self.m.commit(self.topic, offset, partition)

    def leave(self, _rng):
        self.m.leave()


def assignment(topic, partitions):
    return (struct.pack(">hih", 0, 1, len(topic)) + topic.encode() + struct.pack(">i", len(partitions))
            + b"".join(struct.pack(">i", p) for p in partitions) + struct.pack(">i", -1))


def partitions_of(data):
    if not data:
        return set()
    at, found = 6, set()
    for _ in range(struct.unpack_from(">i", data, 2)[0]):
        at += 2 + struct.unpack_from(">h", data, at)[0]
        count = struct.unpack_from(">i", data, at)[0]
        found |= set(struct.unpack_from(">%di" % count, data, at + 4))
        at += 4 + 4 * count
    return found


class Stage:
    def __init__(self, t, kinds, seed):
        self.t, self.kinds, self.seed = t, kinds, seed
        self.topic, self.group = t.topic(PARTITIONS), t.name("group")
        streams_with_standbys(t, self.group)
        self.witness, self.stop, self.deaths = Witness(), threading.Event(), 0

    def one_life(self, name, rng):
        """A member from its first join until it leaves, dies or is forgotten."""
        member = rng.choice(self.kinds)(self.t, self.group, self.topic, name, rng)
        held, last_heard, ends = set(), time.monotonic(), time.monotonic() + rng.uniform(0.3, 3)
        try:
            while not self.stop.is_set() and time.monotonic() < ends:
                deaths = self.deaths
                try:
                    now_held = member.step()
                    last_heard = time.monotonic()
                    if now_held is not None:
                        held = now_held
                        self.witness.holds(name, held)
                    if held and rng.random() < 0.5:
                        partition = rng.choice(sorted(held))
                        offset = self.witness.committing(partition)
                        if member.commit(partition, offset) == "NONE":
                            self.witness.committed(partition, offset)
                    time.sleep(rng.uniform(0, 0.03))
                except Forgotten as why:
                    # Fenced: an answer that told it a newer epoch was lost. Unknown: only after a silence.
                    if str(why) == "UNKNOWN_MEMBER_ID" and held and time.monotonic() - last_heard < SESSION_MS / 2000:
                        self.witness.wrong.append("%s is forgotten, deaths %d" % (name, deaths))
                    return
                except (wire.Closed, OSError):
                    while not self.stop.is_set():
                        try:
                            member.reconnect()
                            break
                        except OSError:
                            time.sleep(0.02)
            self.witness.holds(name, set())
            if rng.random() < 0.7:
                member.leave(rng)
        except (wire.Closed, OSError, AssertionError): # it wanted to leave, the broker is gone
            pass
        finally:
            self.witness.holds(name, set())
            member.m.link.close()

    def work(self, number):
        rng, life = random.Random("%s %d" % (self.seed, number)), 0
        while not self.stop.is_set():
            life += 1
            try:
                self.one_life("w%d-%d" % (number, life), rng)
            except (wire.Closed, OSError): # no broker to connect to
                time.sleep(0.05)

    def check_offsets(self):
        coordinator_is_there(self.t, self.group)
        answer = self.t.connect().call("OffsetFetch", 8, Groups=[{"GroupId": self.group, "Topics": [
            {"Name": self.topic, "PartitionIndexes": list(range(PARTITIONS))}]}], RequireStable=True)["Groups"][0]
        datakit.same("NONE", self.t.error(answer["ErrorCode"]))
        for part in answer["Topics"][0]["Partitions"]:
            self.witness.check_committed(part["PartitionIndex"], part["CommittedOffset"])


def streams_with_standbys(t, group):
    answer = t.connect().call("IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
        {"ResourceType": 32, "ResourceName": group, "Configs": [
            {"Name": "streams.num.standby.replicas", "ConfigOperation": 0, "Value": "1"}]}])
    datakit.same("NONE", t.error(answer["Responses"][0]["ErrorCode"]))


def play(t, kinds, gains=5):
    seed, kills = os.environ.get("GROUPS_SEED", "1"), int(os.environ.get("GROUPS_KILLS", "1"))
    print("seed %s" % seed)
    stage = Stage(t, kinds, seed)
    coordinator_is_there(t, stage.group)
    ids_of(t, stage.topic)
    workers = [threading.Thread(target=stage.work, args=(i,)) for i in range(WORKERS)]
    for worker in workers:
        worker.start()
    rng = random.Random(seed)
    try:
        while stage.deaths < kills and not stage.witness.wrong:
            before = stage.witness.commits, stage.witness.gains
            pause, end = time.monotonic() + rng.uniform(1, 2), time.monotonic() + LIMIT_S
            while time.monotonic() < pause or stage.witness.commits < before[0] + 20 or stage.witness.gains < before[1] + gains:
                assert time.monotonic() < end, "the group stands still"
                time.sleep(0.02)
            t.broker.kill9()
            stage.deaths += 1
            t.broker.start()
            stage.check_offsets()
    finally:
        stage.stop.set()
        for worker in workers:
            worker.join()
    stage.check_offsets()
    datakit.same([], stage.witness.wrong)


def case_classic_members(t):
    play(t, [Classic])


def case_members_of_the_consumer_protocol(t):
    play(t, [Consumer])


def case_both_in_one_group(t):
    play(t, [Classic, Consumer])


def case_members_of_the_streams_protocol(t):
    play(t, [Streams], gains=40) # its assignor moves few tasks
