# SPDX-License-Identifier: Apache-2.0
"""The n-th changing call of a run goes wrong, for an n a round and each way in turn: an error, a full disk with half of the write
done, a short write, death just before it. Then the broker is started without faults. The producer, which lives on, gets all its
messages acknowledged in the end, and each is there once and in order."""
import os
import random
import shutil
import struct
import subprocess
import time

from stage import Find, Stage, brokers, end_witness, need

KINDS = [("eio", False), ("eio", True), ("enospc", False), ("enospc", True), ("short", False), ("kill", False)]
MESSAGES = 400
PATIENCE_S = 10  # of a broker that neither ends nor goes on


def run(options):
    rng = random.Random(options.seed)
    stage = Stage(options, "faulty", topics=["c-none:2:none:full", "c-zstd:1:zstd:full", "c-keyed:1:lz4:compacted"])
    stage.broker.start()
    stage.broker.stop()
    base = os.path.join(options.work, "base")
    shutil.copytree(stage.data, base)
    counter = os.path.join(options.work, "counter")
    calls, _ = one(options, stage, base, counter, 0, None)
    options.say("a run without faults makes %d changing calls" % calls)
    outcomes, finds = {}, []
    for number in range(options.rounds):
        kind = KINDS[number % len(KINDS)]
        at = rng.randrange(1, calls + 1)
        try:
            _, outcome = one(options, stage, base, counter, at, kind)
            key = (kind[0] + (" for good" if kind[1] else ""), outcome)
            outcomes[key] = outcomes.get(key, 0) + 1
        except (Find, brokers.BrokerError, subprocess.SubprocessError) as error:
            finds.append("%s%s at call %d: %s" % (kind[0], " for good" if kind[1] else "", at, error))
            options.say(finds[-1][:600] + " || " + " | ".join(stage.broker.said().strip().split("\n")[-4:])[:800])
            shutil.copytree(stage.folder, os.path.join(options.work, "find-%d" % at))
            if stage.broker.is_alive():
                stage.broker.kill9()
            if len(finds) >= 5:
                break
    for (kind, outcome), count in sorted(outcomes.items()):
        options.say("%-16s %3d times %s" % (kind, count, outcome))
    if finds:
        raise Find("%d rounds: %s" % (len(finds), finds[0]))


def one(options, stage, base, counter, at, kind):
    """One run; returns its calls and how the broker took the fault."""
    shutil.rmtree(stage.data)
    shutil.copytree(base, stage.data)
    for ledger in (stage.ledger, stage.ledger + ".transactions"):
        if os.path.exists(ledger):
            os.remove(ledger)
    with open(counter, "wb") as out:
        out.write(bytes(8))
    variables = {"counter": counter}
    if kind:
        variables.update(at=at, kind=kind[0], **({"stays": 1} if kind[1] else {}))
    stage.with_faults(**variables)
    producer = stage.witness("produce", "--commits", "--churn", "--count", MESSAGES, "--rate", 1500, "--pause", 20,
                             background=True)
    transactor = stage.witness("transact", "--pause", 30, background=True)
    try:
        outcome = suffer(stage, producer)
        with open(counter, "rb") as text:
            calls = struct.unpack("<Q", text.read(8))[0]
        stage.with_faults()
        stage.broker.start()
        said, _ = producer.communicate(timeout=150)
        need(producer.returncode == 0, "the producer says: %s", said.strip()[-400:])
        end_witness(transactor)
        stage.check()
        stage.check_transactions()
        need(stage.broker.stop() in (0, 143), "the stop at the end")
    finally:
        for process in (producer, transactor):
            process.kill()
            process.wait()
    return calls, outcome


def suffer(stage, producer):
    """The part of the run in which the fault may happen: start, serve, stop. Leaves the broker ended."""
    try:
        stage.broker.start()
    except brokers.BrokerError:
        if stage.broker.is_alive():
            stage.broker.kill9()
        return "refused to start" if b"ERROR" in stage.broker.said().encode() else "ended while starting"
    last, since = -1, time.monotonic()
    while producer.poll() is None and stage.broker.is_alive():
        now = messages_acknowledged(stage.ledger)
        if now != last:
            last, since = now, time.monotonic()
        need(time.monotonic() - since < PATIENCE_S or not stage.broker.is_alive(),
             "neither did it stop nor was anything acknowledged for %d s: %s", PATIENCE_S, stage.broker.said()[-500:])
        time.sleep(0.02)
    if not stage.broker.is_alive():
        return "ended by itself"
    status = stage.broker.stop()
    return "served all, stopped with status %d" % status


def messages_acknowledged(ledger):
    if not os.path.exists(ledger):
        return 0
    with open(ledger, "rb") as text:
        return text.read()[::32].count(1)  # a byte an entry: its kind
