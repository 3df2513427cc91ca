# SPDX-License-Identifier: Apache-2.0
"""Every step at the wrong time, by the wrong producer, twice: what InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn
and EndTxn answer in each state, for clients of both transaction versions."""
from producer import ABORT, COMMIT, Producer, committed, settled, story


def begun(t, v2=False):
    topic, p = t.topic(), Producer(t, t.name(), v2=v2)
    assert p.init() == "NONE"
    return topic, p


def case_init_checks_its_request(t):
    p = Producer(t, t.name())
    assert p.init(timeout_ms=0) == "INVALID_TRANSACTION_TIMEOUT"
    assert p.init(timeout_ms=-5) == "INVALID_TRANSACTION_TIMEOUT"
    assert p.init(timeout_ms=900001) == "INVALID_TRANSACTION_TIMEOUT"
    assert p.init(producer_id=5) == "INVALID_REQUEST" and p.init(epoch=5) == "INVALID_REQUEST"
    answer = p.link.call("InitProducerId", 4, TransactionalId="", TransactionTimeoutMs=1000, ProducerId=-1,
                         ProducerEpoch=-1)
    assert t.error(answer["ErrorCode"]) == "INVALID_REQUEST", answer
    assert (answer["ProducerId"], answer["ProducerEpoch"]) == (-1, -1), answer
    assert p.describe()["ErrorCode"] == 105
    for version in range(6):
        assert p.init(version=version, timeout_ms=900000) == "NONE" and p.epoch == version


def case_init_without_an_id_gives_new_producers(t):
    p = Producer(t, t.name())
    ids = set()
    for version in range(6):
        answer = p.link.call("InitProducerId", version, TransactionalId=None, TransactionTimeoutMs=0, ProducerId=-1,
                             ProducerEpoch=-1)
        if t.error(answer["ErrorCode"]) == "COORDINATOR_LOAD_IN_PROGRESS":
            continue
        assert answer["ErrorCode"] == 0 and answer["ProducerEpoch"] == 0, answer
        ids.add(answer["ProducerId"])
    assert len(ids) >= 5


def case_init_raises_the_epoch_and_fences(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        q = Producer(t, p.name, v2=v2)
        assert q.init() == "NONE" and (q.id, q.epoch) == (p.id, 1)
        assert p.add(topic) == "PRODUCER_FENCED" and p.add(topic, version=1) == "INVALID_PRODUCER_EPOCH"
        assert p.add_offsets("g") == "PRODUCER_FENCED" and p.add_offsets("g", version=1) == "INVALID_PRODUCER_EPOCH"
        assert p.end(COMMIT) == "PRODUCER_FENCED"
        if not v2:
            assert p.end(COMMIT, version=1) == "INVALID_PRODUCER_EPOCH"


def case_init_by_a_producer_that_goes_on(t):
    _, p = begun(t)
    assert p.init(producer_id=p.id, epoch=p.epoch) == "NONE" and p.epoch == 1
    # Its answer was lost: the same again, as often as it likes.
    assert p.init(producer_id=p.id, epoch=0) == "NONE" and p.epoch == 1
    assert p.init(producer_id=p.id, epoch=0) == "NONE" and p.epoch == 1
    assert p.init(producer_id=p.id, epoch=7) == "PRODUCER_FENCED"
    assert p.init(producer_id=p.id, epoch=7, version=3) == "INVALID_PRODUCER_EPOCH"
    assert p.init(producer_id=p.id + 1, epoch=1) == "PRODUCER_FENCED"
    q = Producer(t, p.name)
    assert q.init() == "NONE" and q.epoch == 2
    assert p.init(producer_id=p.id, epoch=p.epoch) == "PRODUCER_FENCED"
    # An id that nobody has yet takes whoever comes, with a producer id of its own.
    new = Producer(t, t.name())
    assert new.init(producer_id=12345, epoch=3) == "NONE" and new.id != 12345 and new.epoch == 0


def case_init_aborts_what_is_open(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        if not v2:
            p.add(topic)
        assert p.produce(topic, b"a") == "NONE"
        q = Producer(t, p.name, v2=v2)
        assert q.init() == "CONCURRENT_TRANSACTIONS"
        assert settled(q.init) == "NONE" and q.epoch == 2 and q.id == p.id
        assert story(p.link, topic) == ["a", "abort"], story(p.link, topic)
        assert p.produce(topic, b"b") == "INVALID_PRODUCER_EPOCH"
        assert p.end(COMMIT) == "PRODUCER_FENCED"


def case_add_needs_an_id_and_its_producer(t):
    topic, p = begun(t)
    assert p.add(topic, producer_id=p.id + 1) == "INVALID_PRODUCER_ID_MAPPING"
    assert p.add(topic, epoch=1) == "PRODUCER_FENCED"
    assert p.add(topic, epoch=-1) == "PRODUCER_FENCED"
    nobody = Producer(t, t.name())
    assert nobody.add(topic, producer_id=1, epoch=0) == "INVALID_PRODUCER_ID_MAPPING"
    nobody.name = ""
    assert nobody.add(topic, producer_id=1, epoch=0) == "INVALID_REQUEST"
    assert p.state() == "Empty"
    for version in range(4):
        assert p.add(topic, version=version) == "NONE"
    assert p.state() == "Ongoing"


def case_add_takes_all_partitions_or_none(t):
    topic, p = begun(t)
    other = t.name("nowhere")
    assert p.add(topic, other) == {(topic, 0): "OPERATION_NOT_ATTEMPTED", (other, 0): "UNKNOWN_TOPIC_OR_PARTITION"}
    assert p.add(topic, partitions=(0, 1)) == {(topic, 0): "OPERATION_NOT_ATTEMPTED",
                                               (topic, 1): "UNKNOWN_TOPIC_OR_PARTITION"}
    assert p.state() == "Empty"


def case_add_by_a_broker(t):
    topic, p = begun(t)
    other = t.topic()
    for version in (4, 5):
        assert p.ask(topic, version=version) == "TRANSACTION_ABORTABLE"
    assert p.ask(topic, epoch=1) == "PRODUCER_FENCED"
    assert p.ask(topic, producer_id=p.id + 1) == "INVALID_PRODUCER_ID_MAPPING"
    assert p.ask(topic, name=t.name()) == "INVALID_PRODUCER_ID_MAPPING"
    assert p.ask(topic, name="") == "INVALID_REQUEST" and p.ask(topic, name="", verify=False) == "INVALID_REQUEST"
    assert p.ask(t.name()) == "UNKNOWN_TOPIC_OR_PARTITION"
    assert p.add(topic) == "NONE"
    assert p.ask(topic, other) == {(topic, 0): "NONE", (other, 0): "TRANSACTION_ABORTABLE"}
    assert p.ask(topic, other, verify=False) == "NONE" and p.ask(topic, other) == "NONE"
    assert p.ask(topic, verify=False, epoch=9) == "PRODUCER_FENCED"


def case_add_offsets_names_the_groups_partition(t):
    topic, p = begun(t)
    for version in range(5):
        assert p.add_offsets("some-group", version=version) == "NONE"
    topics = p.describe()["Topics"]
    assert [d["Topic"] for d in topics] == ["__consumer_offsets"] and len(topics[0]["Partitions"]) == 1, topics
    assert p.add_offsets("g", producer_id=p.id + 1) == "INVALID_PRODUCER_ID_MAPPING"
    nobody = Producer(t, t.name())
    assert nobody.add_offsets("g", producer_id=1, epoch=0) == "INVALID_PRODUCER_ID_MAPPING"


def case_end_by_clients_of_old(t):
    topic, p = begun(t)
    assert p.end(COMMIT) == "INVALID_TXN_STATE" and p.end(ABORT) == "INVALID_TXN_STATE"
    assert p.end(COMMIT, producer_id=p.id + 1) == "INVALID_PRODUCER_ID_MAPPING"
    assert p.end(COMMIT, epoch=1) == "PRODUCER_FENCED" and p.end(COMMIT, epoch=1, version=1) == "INVALID_PRODUCER_EPOCH"
    for version in range(5):
        for commit, state in ((COMMIT, "CompleteCommit"), (ABORT, "CompleteAbort")):
            assert settled(p.add, topic) == "NONE"
            assert p.end(commit, version=version) == "NONE"
            p.reach(state)
            assert settled(p.end, commit, version=version) == "NONE" # a retry
            assert p.end(not commit, version=version) == "INVALID_TXN_STATE"
    nobody = Producer(t, t.name())
    assert nobody.end(COMMIT, producer_id=1, epoch=0) == "INVALID_PRODUCER_ID_MAPPING"
    nobody.name = ""
    assert nobody.end(COMMIT, producer_id=1, epoch=0) == "INVALID_REQUEST"


def case_end_by_clients_of_version_2(t):
    topic, p = begun(t, v2=True)
    # EMPTY: nothing to commit; an abort is always possible and takes an epoch.
    assert p.end(COMMIT) == "INVALID_TXN_STATE"
    assert p.end(ABORT, epoch=-1) == "PRODUCER_FENCED"
    assert p.end(ABORT) == "NONE" and p.epoch == 1
    p.reach("CompleteAbort")
    # COMPLETE_ABORT
    assert p.end(ABORT, epoch=0, keep=False) == "NONE" # a retry
    assert p.end(COMMIT, epoch=0) == "INVALID_TXN_STATE"
    assert p.end(COMMIT) == "INVALID_TXN_STATE"
    assert p.end(ABORT, epoch=2) == "PRODUCER_FENCED"
    assert p.end(ABORT) == "NONE" and p.epoch == 2
    p.reach("CompleteAbort")
    # COMPLETE_COMMIT
    assert settled(p.produce, topic, b"a") == "NONE"
    assert p.end(COMMIT, producer_id=p.id + 1) == "INVALID_PRODUCER_ID_MAPPING"
    assert p.end(COMMIT, epoch=p.epoch - 1) == "PRODUCER_FENCED"
    assert p.end(COMMIT) == "NONE" and p.epoch == 3
    p.reach("CompleteCommit")
    assert p.end(COMMIT, epoch=2, keep=False) == "NONE"
    assert p.end(ABORT, epoch=2) == "INVALID_TXN_STATE"
    assert p.end(COMMIT) == "INVALID_TXN_STATE"
    assert p.end(ABORT) == "NONE" and p.epoch == 4
    p.reach("CompleteAbort")
    assert story(p.link, topic) == ["a", "commit"]


def case_a_client_may_become_one_of_version_2(t):
    topic, p = begun(t)
    p.add(topic)
    p.produce(topic, b"a")
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    p.v2 = True
    assert p.produce(topic, b"b") == "NONE"
    assert p.end(COMMIT) == "NONE" and p.epoch == 1
    p.reach("CompleteCommit")
    assert committed(p.link, topic) == ["a", "b"]


def case_who_takes_too_long_is_aborted(t):
    for v2 in (False, True):
        topic, p = t.topic(), Producer(t, t.name(), v2=v2)
        assert p.init(timeout_ms=300) == "NONE"
        if not v2:
            p.add(topic)
        assert p.produce(topic, b"a") == "NONE"
        p.reach("CompleteAbort")
        assert p.describe()["ProducerEpoch"] == 1
        assert story(p.link, topic) == ["a", "abort"]
        assert p.end(COMMIT) == ("INVALID_TXN_STATE" if v2 else "PRODUCER_FENCED")
        if v2: # it looks like a retry
            assert p.end(ABORT, keep=False) == "NONE"
        assert p.produce(topic, b"b") == "INVALID_PRODUCER_EPOCH"
        # It may go on, as if it had lost an answer: the broker fences as version 2 does, whatever the client is.
        assert settled(p.init, producer_id=p.id, epoch=p.epoch) == "NONE" and p.epoch == 1
