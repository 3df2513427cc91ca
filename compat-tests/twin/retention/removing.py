# SPDX-License-Identifier: Apache-2.0
"""What becomes of the directories of topics that are deleted, and of those that nobody knows."""
import os
import re
import shutil

import topics
from datakit import Topic, at, begin, delete_one, fetch, fetch_body, name_of, only, same, until, values
from retaining import fill, folder


def directories(twin, suffix):
    return [d for d in os.listdir(os.path.join(twin.broker.folder, "data")) if d.endswith(suffix)]


def case_a_deleted_topic(twin):
    c = begin(twin)
    t = Topic(c)
    fill(c, t, 3)
    t.delete()
    until("the directory has another name", lambda: not os.path.exists(folder(twin, t)))
    for name in directories(twin, "-delete"):
        same(True, re.fullmatch(r"%s-0\.[0-9a-f]{32}-delete" % re.escape(t.name), name) is not None)
    until("it is gone", lambda: directories(twin, "-delete") == [])


def case_the_longest_name(twin):
    """The name is cut so that the directory's has 255 characters."""
    c = begin(twin)
    name = twin.name("n" * 200).ljust(249, "x")
    topics.create(c, name)
    c.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": name, "TopicId": bytes(16)}])
    found = until("it is renamed", lambda: directories(twin, "-delete"))
    same([255], [len(d) for d in found])
    same(name[:213], found[0][:213])
    until("it is gone", lambda: directories(twin, "-delete") == [])


def case_deleted_while_consumers_wait_and_read(twin):
    c, other = begin(twin), twin.connect()
    t = Topic(c)
    fill(c, t, 3)
    body = fetch_body(13, [(t, [at(0, 3)])], max_wait_ms=30000)
    c.send("Fetch", 13, **body)
    t.c = other
    t.delete()
    # Which one depends on how far the deletion is when it looks.
    got = name_of(only(c.receive())["ErrorCode"])
    same(True, got in ("UNKNOWN_TOPIC_OR_PARTITION", "NOT_LEADER_OR_FOLLOWER"), got)


def case_the_name_is_free_at_once(twin):
    """What the checkpoints knew of the old one does not reach the new one, also after kill -9."""
    c = begin(twin)
    t = Topic(c)
    fill(c, t, 5)
    same(("NONE", 4), delete_one(c, t, 4))
    checkpoint = os.path.join(twin.broker.folder, "data", "log-start-offset-checkpoint")
    until("the checkpoint is written", lambda: "%s 0 4" % t.name in open(checkpoint).read())
    t.delete()
    until("the directory has another name", lambda: not os.path.exists(folder(twin, t)))
    topics.create(c, t.name)
    until("the checkpoint is written", lambda: t.name not in open(checkpoint).read())
    twin.broker.kill9()
    twin.broker.start()
    c = t.c = twin.connect()
    t.id = c.call("Metadata", 12, Topics=[{"Name": t.name}])["Topics"][0]["TopicId"]
    fill(c, t, 2)
    same([b"0", b"1"], values(only(fetch(c, 12, (t, [at(0, 0)])))["Records"]))


def case_a_restart_goes_on_deleting(twin):
    c = begin(twin)
    t = Topic(c)
    fill(c, t, 3)
    twin.broker.stop()
    os.rename(folder(twin, t), folder(twin, t) + "." + "0" * 32 + "-delete")
    twin.broker.start()
    until("it is gone", lambda: directories(twin, "-delete") == [])
    c = t.c = twin.connect() # the metadata have the topic still: it begins anew, empty
    same(0, only(fetch(c, 12, (t, [at(0, 0)])))["HighWatermark"])


def case_strays_are_set_aside(twin):
    c = begin(twin)
    t = Topic(c)
    fill(c, t, 3)
    twin.broker.stop()
    stray = os.path.join(twin.broker.folder, "data", "ghost-7")
    shutil.copytree(folder(twin, t), stray)
    with open(os.path.join(stray, "partition.metadata"), "w") as metadata:
        metadata.write("version: 0\ntopic_id: AAAAAAAAQACAAAAAAAAAAQ")
    twin.broker.start()
    name, = directories(twin, "-stray")
    same(True, re.fullmatch(r"ghost-7\.[0-9a-f]{32}-stray", name) is not None)
    same(False, os.path.exists(stray))
    same(True, os.path.exists(os.path.join(twin.broker.folder, "data", name, "%020d.log" % 0)))
    twin.broker.stop()
    twin.broker.start()
    same([name], directories(twin, "-stray")) # for ever
    c = twin.connect()
    same(3, only(fetch(c, 12, (t, [at(0, 0)])))["HighWatermark"])
