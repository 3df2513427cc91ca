# SPDX-License-Identifier: Apache-2.0
"""Replicas move from one directory to another (KIP-113, KIP-858). replica.fetch.max.bytes is 100000 here: a slow move copies
nine of the batches of 10151 bytes, and then waits for eleven seconds."""
from dirkit import (alter, describe, epoch_end, fast, fetch, folders, futures, list_offset, place, produce, same, slow,
                    states, until, where)

BATCHES = 60
SIZE = 10151


def fill(c, topic, partition=0):
    for i in range(BATCHES):
        same(("NONE", 10 * i), produce(c, topic, partition, 10, 1000))


def case_a_replica_moves(t):
    c = t.connect()
    topic = place(t, c, "ab")
    fill(c, topic)
    content = fetch(c, topic)
    before = states(c, topic)
    same({(topic, 0): "NONE"}, alter(t, c, [("c", topic, [0])]))
    until(lambda: where(c, topic) == {0: "c", 1: "b"} and futures(c, topic) == {}, "moved")
    same({(topic, 0): (BATCHES * SIZE, 0, False)}, describe(c, [(topic, [0])])["c"][1])
    same(content, fetch(c, topic))
    same(before, states(c, topic)) # the same leader at the same epoch
    same(["0-delete"], folders(t, "a", topic))
    same(["0"], folders(t, "c", topic))
    same(("NONE", 10 * BATCHES), produce(c, topic))
    # And back, and once more after a restart.
    same({(topic, 0): "NONE"}, alter(t, c, [("a", topic, [0])]))
    until(lambda: where(c, topic)[0] == "a" and futures(c, topic) == {}, "moved back")
    t.broker.stop()
    t.broker.start()
    c = t.connect()
    same(("NONE", 10 * BATCHES + 10), list_offset(c, topic))
    same({0: "a", 1: "b"}, where(c, topic))
    same({(topic, 0): "NONE", (topic, 1): "NONE"}, alter(t, c, [("b", topic, [0]), ("c", topic, [1])]))
    until(lambda: where(c, topic) == {0: "b", 1: "c"} and futures(c, topic) == {}, "both")
    same(content[2], fetch(c, topic)[2][:len(content[2])])
    same("NONE", epoch_end(c, topic))


def case_slowly(t):
    c = t.connect()
    topic = place(t, c, "ab")
    fill(c, topic)
    slow(c)
    same({(topic, 0): "NONE"}, alter(t, c, [("b", topic, [0])]))
    future = {(topic, 0): (9 * SIZE, 10 * BATCHES - 90, True)}
    until(lambda: describe(c, [(topic, [0])])["b"][1] == future, "nine batches")
    same({(topic, 0): (BATCHES * SIZE, 0, False)}, describe(c, [(topic, [0])])["a"][1])
    same(["0-future", "1"], folders(t, "b", topic))
    # The log goes on meanwhile.
    same(("NONE", 10 * BATCHES), produce(c, topic))
    same(10 * BATCHES + 10 - 90, describe(c, [(topic, [0])])["b"][1][topic, 0][1])
    same({(topic, 0): "NONE"}, alter(t, c, [("b", topic, [0])])) # the same again: nothing changes
    same({0: "b"}, futures(c, topic))
    # Elsewhere: that copy goes, another begins.
    same({(topic, 0): "NONE"}, alter(t, c, [("c", topic, [0])]))
    same({0: "c"}, futures(c, topic))
    same(["0-delete", "1"], folders(t, "b", topic))
    # Where it is: that ends it.
    same({(topic, 0): "NONE"}, alter(t, c, [("a", topic, [0])]))
    same({}, futures(c, topic))
    same(["0-delete"], folders(t, "c", topic))
    same({0: "a", 1: "b"}, where(c, topic))
    fast(c)


def case_a_restart_goes_on_with_it(t):
    c = t.connect()
    topic = place(t, c, "ab")
    fill(c, topic)
    content = fetch(c, topic)
    slow(c)
    alter(t, c, [("c", topic, [0])])
    until(lambda: futures(c, topic) == {0: "c"}, "begun")
    t.broker.stop()
    same(["0-future"], folders(t, "c", topic))
    t.broker.start()
    c = t.connect()
    until(lambda: describe(c, [(topic, [0])])["c"][1].get((topic, 0), (0, 0, False))[2], "resumed")
    same({0: "a", 1: "b"}, where(c, topic))
    t.broker.kill9()
    t.broker.start()
    c = t.connect()
    until(lambda: futures(c, topic) == {0: "c"}, "resumed after kill -9")
    fast(c)
    until(lambda: where(c, topic)[0] == "c" and futures(c, topic) == {}, "moved")
    same(content, fetch(c, topic))


def case_a_topic_is_deleted_while_it_moves(t):
    c = t.connect()
    topic = place(t, c, "ab")
    fill(c, topic)
    slow(c)
    alter(t, c, [("c", topic, [0])])
    until(lambda: futures(c, topic) == {0: "c"}, "begun")
    answer = c.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": topic, "TopicId": bytes(16)}])
    same(0, answer["Responses"][0]["ErrorCode"])
    until(lambda: where(c, topic) == {} and futures(c, topic) == {}, "gone")
    until(lambda: [folders(t, d, topic) for d in "abc"] == [["0-delete"], ["1-delete"], ["0-delete"]], "renamed")
    fast(c)


def case_moved_by_hand_while_it_is_down(t):
    import os
    from dirkit import path
    c = t.connect()
    topic = place(t, c, "ab")
    same(("NONE", 0), produce(c, topic))
    t.broker.stop()
    os.rename(os.path.join(path(t, "a"), topic + "-0"), os.path.join(path(t, "c"), topic + "-0"))
    t.broker.start()
    c = t.connect()
    same({0: "c", 1: "b"}, where(c, topic))
    same(("NONE", 10), produce(c, topic))
    # The metadata have learnt it: with that directory away the partition has no leader.
    until(lambda: states(c, topic)[0][0] == "NONE", "led")
    t.broker.stop()
    os.rename(path(t, "c"), path(t, "x"))
    open(path(t, "c"), "w").close()
    t.broker.start()
    c = t.connect()
    same(("LEADER_NOT_AVAILABLE", -1), states(c, topic)[0][:2])
    same(("NONE", 1), states(c, topic)[1][:2])
    t.broker.stop()
    os.remove(path(t, "c"))
    os.rename(path(t, "x"), path(t, "c"))
    t.broker.start()
    c = t.connect()
    until(lambda: list_offset(c, topic) == ("NONE", 20), "back")
