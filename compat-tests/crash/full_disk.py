# SPDX-License-Identifier: Apache-2.0
"""A small file system fills up, with a producer at work; then it is given room, the broker is started again, and nothing that was
acknowledged is lost. Needs to mount a tmpfs, so root; elsewhere it says that it was skipped."""
import os
import subprocess
import time

from stage import Stage, end_witness, need

SMALL, LARGE = "6m", "60m"
FILLING_LIMIT_S = 90


def mount(folder, size, *more):
    return subprocess.run(["mount", *more, "-t", "tmpfs", "-o", ("remount," if more else "") + "size=" + size, "tmpfs", folder],
                          capture_output=True, text=True, check=False)


def run(options):
    probe = os.path.join(options.work, "probe")
    os.makedirs(probe)
    done = mount(probe, "1m")
    if done.returncode != 0:
        return "nothing can be mounted here: " + done.stderr.strip()
    subprocess.run(["umount", probe], check=True)
    for number in range(options.rounds):
        fill(options, number)
    return None


def fill(options, number):
    stage = Stage(options, "full-%d" % number, topics=["c-none:3:none:full", "c-gzip:1:gzip:full"])
    if options.broker == "kafka":
        keep = os.path.join(options.work, "formatted")
        os.rename(stage.data, keep)
        os.makedirs(stage.data)
    need(mount(stage.data, SMALL).returncode == 0, "mount")
    try:
        if options.broker == "kafka":
            subprocess.run(["cp", "-a", keep + "/.", stage.data], check=True)
        stage.broker.start()
        producer = stage.witness("produce", "--commits", "--rate", 6000, "--seed", options.seed + number, background=True)
        try:
            options.say(overflow(stage, producer))
            need(mount(stage.data, LARGE, "-i").returncode == 0, "remount")
            stage.broker.start()
            time.sleep(0.5)  # some more messages
            said = end_witness(producer)
        finally:
            producer.kill()
        options.say("with room again: %s, %s" % (said, stage.check()))
        need(stage.broker.stop() in (0, 143), "the last stop")
        stage.broker.start()
        stage.check()
        stage.broker.stop()
    finally:
        if stage.broker.is_alive():
            stage.broker.kill9()
        subprocess.run(["umount", stage.data], check=False)


def overflow(stage, producer):
    """Until the broker has ended, as Kafka does when its last log directory fails."""
    limit = time.monotonic() + FILLING_LIMIT_S
    while stage.broker.is_alive() and time.monotonic() < limit and producer.poll() is None:
        time.sleep(0.02)
    free = os.statvfs(stage.data)
    need(producer.poll() is None, "the producer gave up: %s", producer.communicate()[0] if producer.poll() else "")
    told = [l for l in stage.broker.said().split("\n") if "No space left" in l]
    if stage.broker.is_alive():
        stage.broker.kill9()
        need(False, "with %d bytes free the broker did not stop within %d s; it said %s", free.f_bavail * free.f_frsize,
             FILLING_LIMIT_S, told[:2])
    need(told, "it does not say why it ended: %s", stage.broker.said()[-400:])
    return "full: ended with status %s, said: %s" % (stage.broker._read("status"), told[0][:300])
