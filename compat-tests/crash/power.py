# SPDX-License-Identifier: Apache-2.0
"""The power goes. A run under faults.so leaves a journal of every changing call. From it come the states that a power loss
after call n may leave on disk; a broker is started on each and must have everything that was acknowledged before.

A power loss keeps
    of a file     what it held at its last sync, and of every later write each 512-byte sector or not (what is lost reads as it
                  was before, zeros where there was nothing), and a size between that of the sync and the last one
    of the names  all changes (create, rename, unlink, mkdir, rmdir) up to the last sync of their folder, and of the changes
                  since, over all folders, any first part: file systems keep their order
The same model as src/log/disk_testing.h, for a whole broker."""
import os
import random
import shutil
import struct
import time

from stage import Find, Stage, brokers, end_witness, need

HEAD = struct.Struct("<BQQqI")
SECTOR = 512


class Inode:
    def __init__(self, data=b"", is_folder=False):
        self.is_folder = is_folder
        self.now = bytearray(data)
        self.synced = bytes(data)
        self.pending = []  # since the last sync: (position, data), or a size


class Disk:
    """Replays a journal; `crashed` tells what a power loss at this point may leave."""

    def __init__(self, folder):
        self.folder = folder
        self.names, self.inodes = {}, {}
        for here, folders, files in os.walk(folder):
            for name in folders:
                self.names[os.path.join(here, name)] = Inode(is_folder=True)
            for name in files:
                path = os.path.join(here, name)
                with open(path, "rb") as text:
                    self.names[path] = self.inodes[os.stat(path).st_ino] = Inode(text.read())
        self.names[folder] = Inode(is_folder=True)
        self.durable = dict(self.names)
        self.changes = []  # (folder, [(path, inode or None), …])

    def _change(self, folders, changes):
        for path, inode in changes:
            if inode is None:
                self.names.pop(path, None)
            else:
                self.names[path] = inode
        self.changes.append((folders, changes))

    def apply(self, op, ino, a, data):
        text = data.rstrip(b"\0").decode() if op in "cumrdn" else ""
        if op == "c":
            self.inodes[ino] = Inode()
            self._change({os.path.dirname(text)}, [(text, self.inodes[ino])])
        elif op == "m":
            self._change({os.path.dirname(text)}, [(text, Inode(is_folder=True))])
        elif op in "ur":
            self._change({os.path.dirname(text)}, [(text, None)])
        elif op == "n":
            before, after = text.split("\0")
            moved = [(p, i) for p, i in self.names.items() if p == before or p.startswith(before + "/")]
            gone = [(p, None) for p in self.names if p == after] if after not in dict(moved) else []
            self._change({os.path.dirname(before), os.path.dirname(after)},
                         gone + [(p, None) for p, _ in moved] + [(after + p[len(before):], i) for p, i in moved])
        elif op == "d":
            for folders, changes in [c for c in self.changes if text in c[0]]:
                for path, inode in changes:
                    self.durable.pop(path, None) if inode is None else self.durable.__setitem__(path, inode)
            self.changes = [c for c in self.changes if text not in c[0]]
        elif ino in self.inodes:
            inode = self.inodes[ino]
            if op == "w":
                _write(inode.now, a, data)
                inode.pending.append((a, data))
            elif op == "t":
                _resize(inode.now, a)
                inode.pending.append(a)
            elif op == "s":
                inode.synced, inode.pending = bytes(inode.now), []

    def crashed(self, rng, out):
        """Writes a state into the folder `out`."""
        names = dict(self.durable)
        for _, changes in self.changes[:rng.randint(0, len(self.changes))]:
            for path, inode in changes:
                names.pop(path, None) if inode is None else names.__setitem__(path, inode)
        for path in sorted(names):
            if any(names.get(parent) is None for parent in _parents(path, self.folder)):
                continue  # its folder's name did not survive
            target = out + path[len(self.folder):]
            if names[path].is_folder:
                os.makedirs(target, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "wb") as file:
                    file.write(_survivor(names[path], rng))


def _parents(path, top):
    while len(path) > len(top):
        path = os.path.dirname(path)
        yield path


def _resize(data, size):
    if size < len(data):
        del data[size:]
    else:
        data.extend(bytes(size - len(data)))


def _write(data, position, more):
    if position + len(more) > len(data):
        _resize(data, position + len(more))
    data[position:position + len(more)] = more


def _survivor(inode, rng):
    """What is left of a file: nothing, all, or some sectors of what was not synced."""
    luck = rng.choice(("none", "all", "some", "some", "grown"))
    if luck == "none" or not inode.pending:
        return inode.synced
    if luck == "all":
        return bytes(inode.now)
    data = bytearray(inode.synced)
    for change in inode.pending:
        if isinstance(change, int):
            if rng.random() < 0.5:
                _resize(data, change)
            continue
        position, more = change
        if luck == "grown":  # the size came through, the bytes did not
            _resize(data, max(len(data), position + len(more)))
            continue
        at = 0
        while at < len(more):
            size = min(SECTOR - (position + at) % SECTOR, len(more) - at)
            if rng.random() < 0.6:
                _write(data, position + at, more[at:at + size])
            at += size
    return bytes(data)


def journal(path):
    """(call, op, inode, a, data) each."""
    with open(path, "rb") as text:
        raw = text.read()
    at = 0
    while at + HEAD.size <= len(raw):
        op, call, ino, a, size = HEAD.unpack_from(raw, at)
        at += HEAD.size
        yield call, chr(op), ino, a, raw[at:at + size]
        at += size


def record(options, stage):
    """A run under the journal: starts, writes, stops cleanly, starts again, is killed. The base is what it began with."""
    stage.broker.start()
    stage.broker.stop()
    base = os.path.join(options.work, "base")
    disk = Disk(stage.data)
    shutil.copytree(stage.data, base)
    journal_path, counter = os.path.join(options.work, "journal"), os.path.join(options.work, "counter")
    with open(counter, "wb") as out:
        out.write(bytes(8))
    stage.with_faults(journal=journal_path, counter=counter)
    producer = stage.witness("produce", "--commits", "--churn", "--rate", 400, "--pause", 60, "--seed", options.seed, "--counter", counter,
                             background=True)
    transactor = stage.witness("transact", "--pause", 30, "--seed", options.seed, "--counter", counter, background=True)
    try:
        stage.broker.start()
        _until(counter, 400)
        need(stage.broker.stop() in (0, 143), "the clean stop under the journal")
        stage.broker.start()
        _until(counter, 800)
        said = end_witness(producer) + ", " + end_witness(transactor)
    finally:
        producer.kill()
        transactor.kill()
    stage.broker.kill9()
    options.say("the recorded run: " + said)
    return disk, list(journal(journal_path))


def _until(counter, calls):
    limit = time.monotonic() + 60
    begin = _calls(counter)
    while _calls(counter) < begin + calls and time.monotonic() < limit:
        time.sleep(0.01)


def _calls(counter):
    with open(counter, "rb") as text:
        return struct.unpack("<Q", text.read(8))[0]


def run(options):
    rng = random.Random(options.seed)
    # Every acknowledgement waits for its sync; so do those of the group's offsets.
    stage = Stage(options, "recorded", ["log.flush.interval.messages=1", "offsets.topic.num.partitions=1",
                                      "transaction.state.log.num.partitions=1"],
                  topics=["c-none:2:none:full", "c-lz4:1:lz4:full", "c-keyed:1:lz4:compacted",
                                                "c-short:1:none:retained"])
    disk, entries = record(options, stage)
    moments = sorted(rng.sample(range(1, len(entries)), min(options.rounds, len(entries) - 1)))
    finds = []
    at = 0
    for moment in moments:
        while at < moment:
            call, *entry = entries[at]
            disk.apply(*entry)
            at += 1
        why = try_state(options, stage, disk, random.Random(rng.random()), call)
        if why:
            finds.append("after call %d: %s" % (call, why))
            options.say(finds[-1][:600])
            if len(finds) >= 5:
                break
    options.say("%d states of %d calls" % (len(moments), len(entries)))
    if finds:
        raise Find("%d states: %s" % (len(finds), finds[0]))


def try_state(options, stage, disk, rng, call):
    """Starts a broker on one state; what is wrong with it, or nothing."""
    shutil.rmtree(stage.data)
    os.makedirs(stage.data)
    disk.crashed(rng, stage.data)
    kept = os.path.join(options.work, "state-%d" % call)
    shutil.copytree(stage.data, kept)
    stage.with_faults()
    why = None
    try:
        stage.broker.start()
        stage.check("--upto-call", call)
        stage.check_transactions("--upto-call", call)
        if stage.broker.stop() not in (0, 143):
            why = "the stop afterwards"
    except (Find, brokers.BrokerError) as error:
        why = str(error)
        if stage.broker.is_alive():
            stage.broker.kill9()
    if why:
        with open(os.path.join(kept, "said"), "w") as out:
            out.write(stage.broker.said())
    else:
        shutil.rmtree(kept)
    return why
