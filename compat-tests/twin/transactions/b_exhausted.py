# SPDX-License-Identifier: Apache-2.0
"""Epochs end at 32767: before, a transactional id takes another producer id."""
from producer import ABORT, COMMIT, Producer, log, settled, story

LAST = 32766 # the last one that a producer is given; 32767 is left to fence it


class Aged(Producer):
    """A producer that was initialised very often; `of()` counts its producer ids from 0."""

    def __init__(self, t, epoch, v2=False):
        super().__init__(t, t.name(), v2=v2)
        assert self.init() == "NONE"
        self.ids = [self.id]
        while self.epoch < epoch:
            count = min(400, epoch - self.epoch)
            for _ in range(count):
                self.link.send("InitProducerId", 5, TransactionalId=self.name, TransactionTimeoutMs=60000, ProducerId=-1,
                               ProducerEpoch=-1)
            for _ in range(count):
                answer = self.link.receive()
                assert answer["ErrorCode"] == 0, answer
                self.epoch = answer["ProducerEpoch"]

    def of(self, producer_id):
        if producer_id not in self.ids:
            self.ids.append(producer_id)
        return self.ids.index(producer_id)

    def is_at(self):
        state = self.describe()
        return state["TransactionState"], self.of(state["ProducerId"]), state["ProducerEpoch"]


def case_ending_transactions_of_version_2(t):
    topic, p = t.topic(), Aged(t, LAST - 1, v2=True)
    old = p.id
    assert p.produce(topic, b"a") == p.end(COMMIT) == "NONE" and (p.of(p.id), p.epoch) == (0, LAST)
    p.reach("CompleteCommit")
    assert settled(p.produce, topic, b"b") == p.end(COMMIT) == "NONE" and (p.of(p.id), p.epoch) == (1, 0)
    p.reach("CompleteCommit")
    assert p.is_at() == ("CompleteCommit", 1, 0)
    # Its answer may have been lost.
    for epoch, errors in ((LAST, ("NONE", "INVALID_TXN_STATE")), (LAST - 1, ("INVALID_PRODUCER_ID_MAPPING",) * 2),
                          (LAST + 1, ("INVALID_PRODUCER_ID_MAPPING",) * 2), (0, ("INVALID_PRODUCER_ID_MAPPING",) * 2)):
        for how, error in zip((COMMIT, ABORT), errors):
            assert p.end(how, producer_id=old, epoch=epoch) == error, (how, epoch)
    for epoch, error in ((LAST - 1, "PRODUCER_FENCED"), (LAST + 1, "PRODUCER_FENCED"), (LAST, "NONE")):
        assert p.init(producer_id=old, epoch=epoch, keep=False) == error
    assert p.is_at() == ("Empty", 1, 0)
    assert p.init() == "NONE" and (p.of(p.id), p.epoch) == (1, 1)
    assert p.produce(topic, b"c") == p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert story(p.link, topic) == ["a", "commit", "b", "commit", "c", "commit"]
    assert [(p.of(b.producer_id), b.producer_epoch) for b in log(p.link, topic)[0]] == [
        (0, LAST - 1), (0, LAST), (0, LAST), (0, LAST + 1), (1, 1), (1, 2)]


def case_init_of_older_clients(t):
    topic, p = t.topic(), Aged(t, LAST)
    for epoch in (LAST - 1, LAST + 1): # there is no epoch to give
        assert p.init(producer_id=p.id, epoch=epoch) == "UNKNOWN_SERVER_ERROR"
    assert p.add(topic) == p.produce(topic, b"a") == p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    old = p.id
    assert settled(p.init, producer_id=old, epoch=LAST) == "NONE" and (p.of(p.id), p.epoch) == (1, 0)
    assert p.init(producer_id=old, epoch=LAST, keep=False) == "NONE" and p.is_at() == ("Empty", 1, 0)
    assert p.init(producer_id=old, epoch=LAST - 1) == "PRODUCER_FENCED"
    assert p.add(topic) == p.produce(topic, b"b") == p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert story(p.link, topic) == ["a", "commit", "b", "commit"]


def case_fencing(t):
    for v2 in (False, True):
        topic, p = t.topic(), Aged(t, LAST, v2=v2)
        if not v2:
            assert p.add(topic) == "NONE"
        assert p.produce(topic, b"a") == "NONE"
        q = Producer(t, p.name, v2=v2)
        assert q.init() == "CONCURRENT_TRANSACTIONS"
        p.reach("CompleteAbort")
        assert p.is_at() == ("CompleteAbort", 1, 0)
        assert p.produce(topic, b"x") == "INVALID_PRODUCER_EPOCH" and p.add(topic) == "INVALID_PRODUCER_ID_MAPPING"
        assert p.end(COMMIT, version=4) == "INVALID_PRODUCER_ID_MAPPING"
        # With version 2 it looks like the retry of the one whose answer brought the new id.
        assert p.end(COMMIT) == ("INVALID_TXN_STATE" if v2 else "INVALID_PRODUCER_ID_MAPPING")
        assert p.end(ABORT, keep=False) == ("NONE" if v2 else "INVALID_PRODUCER_ID_MAPPING")
        assert settled(q.init) == "NONE" and (p.of(q.id), q.epoch) == (1, 1)
        assert [(p.of(b.producer_id), b.producer_epoch) for b in log(q.link, topic)[0]] == [(0, LAST), (0, LAST + 1)]
