# SPDX-License-Identifier: Apache-2.0
"""What all campaigns stand on: a broker in a folder, the witness and faults.so, built here, and the judgement."""
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from compat import broker as brokers  # noqa: E402

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
# A topic a codec, whose every message is kept, and those that lose their oldest or their superseded ones meanwhile.
TOPICS = ["c-%s:2:%s:full" % (c, c) for c in CODECS] + ["c-short:2:none:retained", "c-keyed:2:lz4:compacted"]
TRANSACTION_TOPICS = ["c-txn:3:none:full", "c-txn-zstd:2:none:full"]
SETTINGS = ["auto.create.topics.enable=false", "log.retention.check.interval.ms=300", "log.cleaner.backoff.ms=200",
            "log.flush.offset.checkpoint.interval.ms=400", "log.flush.start.offset.checkpoint.interval.ms=400",
            "replica.high.watermark.checkpoint.interval.ms=300", "log.initial.task.delay.ms=100",
            "metadata.log.max.record.bytes.between.snapshots=4000"]


class Find(Exception):
    """Something is not as it must be."""


def need(condition, what, *args):
    if not condition:
        raise Find(what % args if args else what)


def build(folder):
    """Compiles the witness and faults.so into the folder, unless they are newer than their sources."""
    os.makedirs(folder, exist_ok=True)
    sources = [os.path.join(HERE, "witness", n) for n in sorted(os.listdir(os.path.join(HERE, "witness")))]
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
    rdkafka = subprocess.run(["pkg-config", "--cflags", "--libs", "rdkafka"], check=True, capture_output=True,
                             text=True).stdout.split()
    for name, inputs, more in (("witness", sources, rdkafka),
                               ("faults.so", [os.path.join(HERE, "faults.c")], ["-shared", "-fPIC", "-ldl"])):
        out = os.path.join(folder, name)
        if os.path.exists(out) and os.path.getmtime(out) > max(os.path.getmtime(i) for i in inputs):
            continue
        subprocess.run(["cc", *flags, "-o", out, *[i for i in inputs if i.endswith(".c")], *more], check=True)


class Stage:
    """One broker and one ledger in a folder that goes when all went well."""

    def __init__(self, options, name, settings=(), topics=None, kind=None):
        self.options = options
        self.tools = options.tools
        self.topics = topics or TOPICS
        self.folder = os.path.join(options.work, name)
        self.ledger = os.path.join(options.work, name + ".ledger")
        self.broker = brokers.Broker.create(self.folder, kind or options.broker, options.odradekd,
                                            SETTINGS + list(settings))
        self.data = os.path.join(self.folder, "data")
        self.plain_command = self.command()

    def command(self):
        with open(os.path.join(self.folder, "command")) as text:
            return text.read().split("\n")[:-1]

    def set_command(self, words):
        with open(os.path.join(self.folder, "command"), "w") as out:
            out.write("".join(w + "\n" for w in words))

    def with_faults(self, **variables):
        """From the next start on under faults.so, with these of its variables; none: without it."""
        words = ["FAULTS_%s=%s" % (k.upper(), v) for k, v in variables.items()]
        preload = ["env", "LD_PRELOAD=" + os.path.join(self.tools, "faults.so"), "FAULTS_DIR=" + self.data]
        if self.options.sanitized:
            preload.append("ASAN_OPTIONS=verify_asan_link_order=0")
        self.set_command((preload + words if variables else []) + self.plain_command)

    def witness(self, what, *args, background=False):
        transacts = "transact" in what
        words = [os.path.join(self.tools, "witness"), what, *[str(a) for a in args],
                 *(["--name", "transactor"] if transacts else []), self.broker.bootstrap,
                 self.ledger + ".transactions" if transacts else self.ledger,
                 *(TRANSACTION_TOPICS if transacts else self.topics)]
        if background:
            return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def check(self, *args):
        """The witness reads everything; raises a Find with its first lines."""
        status, said = self.witness("check", *args)
        need(status == 0, "the witness says: %s", " | ".join(said.strip().split("\n")[:8]))
        return said.strip().split("\n")[-1]


    def check_transactions(self, *args):
        status, said = self.witness("check-transactions", *args)
        need(status == 0, "the witness of transactions says: %s", " | ".join(said.strip().split("\n")[:8]))
        return said.strip().split("\n")[-1]


def end_witness(process, limit_s=180):
    """Lets it finish what it sent; it must be content."""
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=limit_s)
    need(process.returncode == 0, "the producer says: %s", said.strip()[-600:])
    return said.strip().split("\n")[-1]
