# SPDX-License-Identifier: Apache-2.0
"""A byte of a file is another one, for every kind of file that a broker keeps, after a clean stop and after kill -9. Then the broker
starts, and either everything that was acknowledged is there, or the damage is told: by a refusal to start, by an error to the reader,
or by a line of the broker's log that names the file (and, for the log's own data, the position). Nothing is silently skipped."""
import glob
import os
import random
import re
import shutil

from stage import Find, Stage, brokers, end_witness, need

# kind: (pattern, how many bytes at the end of the newest file to choose from; 0: any)
KINDS = {
    "log": "c-*/*.log", "index": "c-*/*.index", "timeindex": "c-*/*.timeindex", "txnindex": "c-*/*.txnindex",
    "snapshot": "c-*/*.snapshot", "leader-epochs": "c-*/leader-epoch-checkpoint", "partition.metadata":
    "c-*/partition.metadata", "recovery-point": "recovery-point-offset-checkpoint", "log-start":
    "log-start-offset-checkpoint", "high-watermark": "replication-offset-checkpoint", "cleaner-offset":
    "cleaner-offset-checkpoint", "clean-shutdown": ".kafka_cleanshutdown", "meta.properties": "meta.properties",
    "bootstrap": "bootstrap.checkpoint", "quorum-state": "__cluster_metadata-0/quorum-state", "metadata-log":
    "__cluster_metadata-0/*.log", "metadata-snapshot": "__cluster_metadata-0/*.checkpoint", "metadata-epochs":
    "__cluster_metadata-0/leader-epoch-checkpoint", "offsets-log": "__consumer_offsets-*/*.log",
}


def prepare(options, how):
    stage = Stage(options, "flipped-" + how)
    stage.broker.start()
    producer = stage.witness("produce", "--commits", "--churn", "--count", 6000, "--rate", 2500, "--pause", 20,
                             background=True)
    said, _ = producer.communicate(timeout=120)
    need(producer.returncode == 0, "the producer says: %s", said[-300:])
    if how == "killed":  # some segments and checkpoints are of a stop before
        stage.broker.stop()
        stage.broker.start()
        stage.broker.kill9()
    else:
        stage.broker.stop()
    shutil.copytree(stage.data, os.path.join(options.work, "base-" + how))
    return stage


def run(options):
    rng = random.Random(options.seed)
    stages = {how: prepare(options, how) for how in ("clean", "killed")}
    table, finds = {}, []
    for number in range(options.rounds):
        for kind, pattern in KINDS.items():
            how = "clean" if rng.random() < 0.5 else "killed"
            try:
                outcome = flip(options, stages[how], how, kind, pattern, rng)
            except Find as error:
                finds.append("%s, %s: %s" % (kind, how, error))
                options.say(finds[-1][:700])
                outcome = "SILENT"
            if outcome:
                row = table.setdefault(kind, {}).setdefault(how + ": " + outcome, 0)
                table[kind][how + ": " + outcome] = row + 1
    for kind, outcomes in table.items():
        options.say("%-18s %s" % (kind, ", ".join("%s %d" % o for o in sorted(outcomes.items()))))
    if finds:
        raise Find("%d flips: %s" % (len(finds), finds[0]))


def flip(options, stage, how, kind, pattern, rng):
    shutil.rmtree(stage.data)
    shutil.copytree(os.path.join(options.work, "base-" + how), stage.data)
    files = [f for f in sorted(glob.glob(os.path.join(stage.data, pattern))) if os.path.getsize(f) > 0]
    if not files:
        return None
    path = rng.choice(files)
    position = rng.randrange(os.path.getsize(path))
    bit = 1 << rng.randrange(8)
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ bit]))
    where = "%s position %d bit %d" % (os.path.relpath(path, stage.data), position, bit)
    names = (os.path.basename(path), os.path.basename(os.path.dirname(path)))
    try:
        stage.broker.start()
    except brokers.BrokerError as error:
        if stage.broker.is_alive():
            stage.broker.kill9()
            raise Find("%s: no answer and no end: %s" % (where, error)) from error
        told = told_of(stage, names)
        need(told, "%s: refused without naming the file: %s", where, stage.broker.said()[-500:])
        return "refused"
    status, said = stage.witness("check")
    told = told_of(stage, names)
    stopped = stage.broker.stop()
    if status == 0:
        need(stopped in (0, 143), "%s: all was there, but the stop ended with status %d: %s", where, stopped,
             stage.broker.said()[-500:])
        return "all there, told" if told else "all there"
    if reader_told(said):
        return "reader told"
    if kind == "log" and only_moved(said):
        return "all there, at other offsets"
    need(told, "%s: the witness says %s; the broker says nothing of it", where, " | ".join(said.strip().split("\n")[:3]))
    if "log" in kind:
        need("position" in told or "offset" in told, "%s: no position is named: %s", where, told)
    return "lost, told"


def only_moved(said):
    """A batch's offset and epoch stand outside its checksum, in Kafka too: everything is there, some of it elsewhere."""
    faults = [l for l in said.split("\n") if " topic=" in l]
    return faults and all(l.startswith("at another offset") for l in faults)


def reader_told(said):
    """Whether every partition that lacks something answered with an error for it."""
    lines = said.split("\n")
    errors = set(re.findall(r"^error (topic=\S+ partition=\d+):", said, re.M))
    lacking = {m.group(0) for line in lines if not line.startswith("error ")
               for m in [re.search(r"topic=\S+ partition=\d+", line)] if m}
    return bool(errors) and lacking <= errors


def told_of(stage, names):
    """A warning or error that names the file, or at least its folder; rather one that names the position as well."""
    found = ""
    for line in stage.broker.said().split("\n"):
        if any(level in line for level in ("WARN", "ERROR", "FATAL", "odradekd:")) and "without effect" not in line and \
                any(n in line for n in names if n != "data"):
            if "position" in line or "offset" in line:
                return line
            found = found or line
    return found
