# SPDX-License-Identifier: Apache-2.0
"""Directories handed from one broker to the other and back, in the middle of a move."""
from dirkit import (alter, describe, fast, fetch, futures, list_offset, place, produce, same, slow, states, until, where)

BATCHES = 60


def hand_over(t, kill=False):
    """The other broker goes on with the same files; a connection to it."""
    if kill:
        t.broker.kill9()
    else:
        t.broker.stop()
    t.broker.become("kafka" if t.broker.kind == "odradek" else "odradek")
    t.broker.start()
    return t.connect()


def has_all(c, topic, count, content):
    for partition in range(2):
        until(lambda p=partition: list_offset(c, topic, p) == ("NONE", count), "%d records" % count)
        error, high_watermark, records = fetch(c, topic, partition)
        same(("NONE", count, content[partition]), (error, high_watermark, records[:len(content[partition])]))


def begun(c, topic, directory):
    until(lambda: describe(c, [(topic, [0])])[directory][1].get((topic, 0), (0, 0, False))[0] > 0, "copied a piece")
    same({0: directory}, futures(c, topic))


def case_a_move_that_the_other_broker_ends(t):
    c = t.connect()
    first = t.broker.kind
    topic = place(t, c, "ab")
    for partition in range(2):
        for i in range(BATCHES):
            same(("NONE", 10 * i), produce(c, topic, partition, 10, 1000))
    content = [fetch(c, topic, partition)[2] for partition in range(2)]
    slow(c)
    same({(topic, 0): "NONE"}, alter(t, c, [("c", topic, [0])]))
    begun(c, topic, "c")
    # The other finds the copy, and goes on with it.
    c = hand_over(t)
    begun(c, topic, "c")
    has_all(c, topic, 10 * BATCHES, content)
    same(("NONE", 10 * BATCHES), produce(c, topic, 0))
    same(("NONE", 10 * BATCHES), produce(c, topic, 1))
    fast(c)
    until(lambda: where(c, topic) == {0: "c", 1: "b"} and futures(c, topic) == {}, "moved")
    has_all(c, topic, 10 * BATCHES + 10, content)
    # And begins one that the first ends, after kill -9.
    slow(c)
    same({(topic, 0): "NONE"}, alter(t, c, [("a", topic, [0])]))
    begun(c, topic, "a")
    c = hand_over(t, kill=True)
    same(first, t.broker.kind)
    begun(c, topic, "a")
    has_all(c, topic, 10 * BATCHES + 10, content)
    fast(c)
    until(lambda: where(c, topic) == {0: "a", 1: "b"} and futures(c, topic) == {}, "moved back")
    same(("NONE", 10 * BATCHES + 10), produce(c, topic, 0))
    until(lambda: states(c, topic)[0][:2] == ("NONE", 1), "led")
    # What was moved here is where the other looks for it.
    c = hand_over(t)
    same({0: "a", 1: "b"}, where(c, topic))
    until(lambda: list_offset(c, topic, 0) == ("NONE", 10 * BATCHES + 20), "everything")
    same(content[0], fetch(c, topic, 0)[2][:len(content[0])])
    c = hand_over(t)
    same({0: "a", 1: "b"}, where(c, topic))
    until(lambda: list_offset(c, topic, 0) == ("NONE", 10 * BATCHES + 20), "everything")
