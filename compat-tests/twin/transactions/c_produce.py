# SPDX-License-Identifier: Apache-2.0
"""Produce inside transactions: who may write, before what, in which order."""
from producer import ABORT, COMMIT, Producer, committed, settled, story


def begun(t, v2=False):
    topic, p = t.topic(), Producer(t, t.name(), v2=v2)
    assert p.init() == "NONE"
    return topic, p


def case_a_partition_has_to_be_in_the_transaction(t):
    topic, p = begun(t)
    part = p.produce(topic, b"a", whole=True)
    assert t.error(part["ErrorCode"]) == "INVALID_TXN_STATE", part
    assert part["ErrorMessage"] == "Partition was not added to the transaction", part
    assert (part["BaseOffset"], part["LogStartOffset"], part["LogAppendTimeMs"]) == (-1, -1, -1), part
    part = p.produce(topic, b"a", version=11, whole=True)
    assert t.error(part["ErrorCode"]) == "TRANSACTION_ABORTABLE" and part["ErrorMessage"] is None, part
    assert p.state() == "Empty" and story(p.link, topic) == []
    p.add(topic)
    for version in range(3, 12):
        assert p.produce(topic, b"v%d" % version, version=version) == "NONE"
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    # The next transaction begins with adding again.
    assert p.produce(topic, b"x") == "INVALID_TXN_STATE"


def case_version_2_adds_by_producing(t):
    topic, p = begun(t, v2=True)
    other = t.topic()
    for version in (12,):
        assert p.produce(topic, b"a", version=version) == "NONE"
    assert p.produce(other, b"b") == "NONE"
    assert {d["Topic"] for d in p.describe()["Topics"]} == {topic, other}
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert committed(p.link, topic) == ["a"] and committed(p.link, other) == ["b"]


def case_unknown_ids_and_producers(t):
    for v2 in (False, True):
        topic, p = begun(t, v2)
        assert p.produce(topic, b"a", name=t.name()) == "INVALID_PRODUCER_ID_MAPPING"
        assert p.produce(topic, b"a", producer_id=p.id + 1000) == "INVALID_PRODUCER_ID_MAPPING"
        assert p.produce(topic, b"a", name="") == "INVALID_REQUEST"
        part = p.produce(topic, b"a", epoch=5, whole=True)
        assert t.error(part["ErrorCode"]) == "INVALID_PRODUCER_EPOCH" and part["ErrorMessage"] is None, part
        assert p.produce(t.name("nowhere"), b"a") == "UNKNOWN_TOPIC_OR_PARTITION"


def case_two_producers_in_one_request(t):
    topic, p = t.topic(2), Producer(t, t.name())
    p.init()
    p.add(topic, partitions=(0, 1))
    answer = p.link.call("Produce", 10, Acks=-1, TimeoutMs=10000, TransactionalId=p.name, TopicData=[
        {"Name": topic, "PartitionData": [{"Index": 0, "Records": p.batch(topic, b"a")},
                                          {"Index": 1, "Records": p.batch(topic, b"a", producer_id=p.id + 1)}]}])
    parts = answer["Responses"][0]["PartitionResponses"]
    assert [t.error(x["ErrorCode"]) for x in parts] == ["INVALID_PRODUCER_ID_MAPPING"] * 2, parts


def case_sequences_of_version_2_begin_at_0(t):
    topic, p = begun(t, v2=True)
    assert p.produce(topic, b"a", sequence=5) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert p.state() == "Ongoing" # it was added all the same
    assert p.produce(topic, b"a", sequence=0) == "NONE"
    assert p.produce(topic, b"b", sequence=2) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert p.produce(topic, b"b", sequence=1) == "NONE"
    assert p.produce(topic, b"b", sequence=1) == "NONE" # a retry
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert settled(p.produce, topic, b"c", sequence=2) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert p.produce(topic, b"c", sequence=0) == "NONE"
    assert story(p.link, topic) == ["a", "b", "commit", "c"]


def case_sequences_of_old_clients_go_on(t):
    topic, p = begun(t)
    p.add(topic)
    assert p.produce(topic, b"a", sequence=7) == "NONE" # whoever is not known may begin anywhere
    assert p.produce(topic, b"b", sequence=9) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert p.produce(topic, b"b", sequence=8) == "NONE"
    p.end(COMMIT)
    p.reach("CompleteCommit")
    assert settled(p.add, topic) == "NONE"
    assert p.produce(topic, b"c", sequence=9) == "NONE"
    p.end(COMMIT)
    p.reach("CompleteCommit")
    assert settled(p.add, topic) == "NONE"
    # While a transaction begins, no sequence may be above the lowest that was tried: the gap could not be filled.
    assert p.produce(topic, b"d", sequence=0) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert p.produce(topic, b"d", sequence=10) == "OUT_OF_ORDER_SEQUENCE_NUMBER"


def case_plain_batches_inside_a_transaction(t):
    topic, p = begun(t)
    p.add(topic)
    assert p.produce(topic, b"a") == "NONE"
    assert p.produce(topic, b"b", attributes=0) == "INVALID_TXN_STATE"
    # Without the id of the transaction its batches are nobody's.
    data = p.batch(topic, b"c")
    answer = p.link.call("Produce", 10, Acks=-1, TimeoutMs=1000, TransactionalId=None, TopicData=[
        {"Name": topic, "PartitionData": [{"Index": 0, "Records": data}]}])
    part = answer["Responses"][0]["PartitionResponses"][0]
    print_error = t.error(part["ErrorCode"])
    assert print_error == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", part
    assert p.end(ABORT) == "NONE"


def case_control_batches_are_not_for_clients(t):
    topic, p = begun(t)
    p.add(topic)
    assert p.produce(topic, b"a", attributes=48, version=10) == "INVALID_RECORD"


def case_an_old_epoch_is_fenced_by_the_log(t):
    topic, p = begun(t)
    p.add(topic)
    p.produce(topic, b"a")
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    q = Producer(t, p.name)
    assert settled(q.init) == "NONE" and q.epoch == 1
    q.add(topic)
    assert q.produce(topic, b"b") == "NONE"
    assert p.produce(topic, b"x") == "INVALID_PRODUCER_EPOCH"
    q.end(COMMIT)
    q.reach("CompleteCommit")
    assert committed(q.link, topic) == ["a", "b"]
