# SPDX-License-Identifier: Apache-2.0
"""EndTxn and InitProducerId in every version, state after state, with every wrong id and epoch; what a producer hears
whose transaction took too long."""
from producer import ABORT, COMMIT, Producer, settled, story


def begun(t, v2):
    topic, p = t.topic(2), Producer(t, t.name(), v2=v2)
    assert p.init() == "NONE"
    return topic, p


def fenced(version, since):
    return "PRODUCER_FENCED" if version >= since else "INVALID_PRODUCER_EPOCH"


def case_end_and_again(t):
    for version in range(5):
        topic, p = begun(t, False)
        # Versions 0 and 1 do not know PRODUCER_FENCED.
        assert p.end(COMMIT, version=version) == p.end(ABORT, version=version) == "INVALID_TXN_STATE"
        assert p.end(COMMIT, version=version, producer_id=-1) == "INVALID_PRODUCER_ID_MAPPING"
        for epoch in (-1, 1, 32767):
            assert p.end(COMMIT, version=version, epoch=epoch) == fenced(version, 2)
        for how, state in ((COMMIT, "CompleteCommit"), (ABORT, "CompleteAbort")):
            assert settled(p.add, topic) == "NONE" and p.produce(topic, b"x") == "NONE"
            assert p.end(how, version=version) == "NONE"
            p.reach(state)
            assert p.end(how, version=version) == p.end(how, version=version) == "NONE"
            assert p.end(not how, version=version) == "INVALID_TXN_STATE"
            assert p.end(COMMIT, version=5) == "INVALID_TXN_STATE" # version 5 would be the next transaction
        assert story(p.link, topic) == ["x", "commit", "x", "abort"]


def case_end_and_again_with_version_2(t):
    topic, p = begun(t, True)
    for how, state in ((COMMIT, "CompleteCommit"), (ABORT, "CompleteAbort")):
        assert settled(p.produce, topic, b"x") == "NONE"
        before = p.epoch
        assert p.end(how) == "NONE" and p.epoch == before + 1
        p.reach(state)
        for _ in range(2):
            assert p.end(how, epoch=before, keep=False) == "NONE"
        assert p.end(not how, epoch=before) == "INVALID_TXN_STATE"
        # An older client of the same producer: the epoch it should have is the newer one.
        assert p.end(how, version=4, epoch=before) == "PRODUCER_FENCED"
        assert p.end(how, version=4) == "NONE" and p.end(not how, version=4) == "INVALID_TXN_STATE"
        assert p.end(COMMIT) == "INVALID_TXN_STATE"
        assert p.describe()["ProducerEpoch"] == before + 1


def all_wrong(p):
    """Whoever names another producer, or an epoch that was never given, is fenced and changes nothing."""
    state = p.describe()
    for version in (3, 4, 5):
        for producer_id, epoch in ((p.id + 7, p.epoch), (-2, p.epoch)):
            assert p.init(version=version, producer_id=producer_id, epoch=epoch) == fenced(version, 4)
        for half in ({"producer_id": p.id}, {"epoch": p.epoch}):
            assert p.init(version=version, **half) == "INVALID_REQUEST"
        assert p.init(version=version, timeout_ms=0) == "INVALID_TRANSACTION_TIMEOUT"
    assert p.describe() == state


def wrong_epochs(p):
    for version in (3, 4, 5):
        for epoch in (p.epoch + 1, p.epoch - 1, 32766, 32767, -2):
            assert p.init(version=version, producer_id=p.id, epoch=epoch) == fenced(version, 4), (version, epoch)


def case_init_in_every_state(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        assert p.init() == "NONE" and p.epoch == 1
        all_wrong(p)
        wrong_epochs(p)
        assert p.state() == "Empty" and p.describe()["ProducerEpoch"] == 1
        if not v2:
            assert p.add(topic) == "NONE"
        assert p.produce(topic, b"a") == "NONE"
        all_wrong(p)
        assert p.state() == "Ongoing"
        assert p.end(COMMIT) == "NONE"
        p.reach("CompleteCommit")
        all_wrong(p)
        if not v2: # with version 2 the epoch before is the one whose answer may have been lost
            wrong_epochs(p)
        assert p.state() == "CompleteCommit"
        assert settled(p.init) == "NONE" and p.state() == "Empty"


def case_init_by_name_aborts_and_gives_the_fencing_epoch(t):
    for v2 in (False, True):
        for epoch in (0, 1, 2, 7): # not asked for: whoever names the producer id aborts what is open
            topic, p = begun(t, v2)
            assert p.init() == "NONE" and p.epoch == 1
            if not v2:
                assert p.add(topic) == "NONE"
            assert p.produce(topic, b"a") == "NONE"
            assert p.init(producer_id=p.id, epoch=epoch, keep=False) == "CONCURRENT_TRANSACTIONS"
            p.reach("CompleteAbort")
            assert p.describe()["ProducerEpoch"] == 2 and story(p.link, topic) == ["a", "abort"]
            if epoch == 1:
                for _ in range(2): # the same epoch again and again: its answer may be lost
                    assert p.init(producer_id=p.id, epoch=1, keep=False) == "NONE"
                    assert p.describe()["ProducerEpoch"] == 2 and p.state() == "Empty"
            assert p.end(COMMIT) == ("PRODUCER_FENCED" if not v2 or epoch == 1 else "INVALID_TXN_STATE")
            assert p.produce(topic, b"b") == "INVALID_PRODUCER_EPOCH"


def case_init_changes_the_timeout(t):
    p = Producer(t, t.name())
    for timeout_ms in (1000, 900000, 1):
        assert p.init(timeout_ms=timeout_ms) == "NONE" and p.describe()["TransactionTimeoutMs"] == timeout_ms


def case_what_is_heard_after_the_timeout(t):
    for v2 in (False, True):
        topic, p, group = t.topic(2), Producer(t, t.name(), v2=v2), t.name("group")
        assert p.init(timeout_ms=200) == "NONE"
        if not v2:
            assert p.add(topic, partitions=(0, 1)) == "NONE"
        assert p.produce(topic, b"a") == "NONE"
        p.reach("CompleteAbort")
        state = p.describe()
        assert (state["ProducerEpoch"], state["Topics"]) == (1, []), state
        for version in range(4):
            assert p.add(topic, version=version) == fenced(version, 2)
            assert p.add_offsets(group, version=version) == fenced(version, 2)
        assert p.ask(topic) == p.ask(topic, verify=False) == "PRODUCER_FENCED"
        for version in (3, 9, 10, 11, 12):
            for partition in (0, 1):
                assert p.produce(topic, b"b", version=version, partition=partition) == "INVALID_PRODUCER_EPOCH"
        for version in range(5):
            assert p.end(COMMIT, version=version) == p.end(ABORT, version=version) == fenced(version, 2)
        # To version 5 it looks like a retry of the abort.
        assert p.end(COMMIT, version=5) == "INVALID_TXN_STATE" and p.end(ABORT, version=5, keep=False) == "NONE"
        for version in (3, 4, 5):
            assert p.init(version=version, producer_id=p.id, epoch=0, keep=False) == "NONE"
        assert p.describe()["ProducerEpoch"] == 1 and p.state() == "Empty"
        assert story(p.link, topic) == ["a", "abort"] and story(p.link, topic, 1) == ([] if v2 else ["abort"])
