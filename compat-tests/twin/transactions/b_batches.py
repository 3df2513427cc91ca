# SPDX-License-Identifier: Apache-2.0
"""AddPartitionsToTxn as brokers send it: many transactions at once, some to add, some to verify, some of them wrong."""
from producer import COMMIT, Producer, settled


def begun(t):
    topic, p = t.topic(2), Producer(t, t.name())
    assert p.init() == "NONE"
    return topic, p


def ask(t, *transactions, version=5):
    """transactions: (producer, verify only, [(topic, partitions)…], fields…). The results as they came, by position."""
    answer = t.connect().call("AddPartitionsToTxn", version, Transactions=[
        dict(dict(TransactionalId=p.name, ProducerId=p.id, ProducerEpoch=p.epoch, VerifyOnly=verify,
                  Topics=[{"Name": n, "Partitions": i} for n, i in topics]), **dict(*fields))
        for p, verify, topics, *fields in transactions])
    assert answer["ErrorCode"] == 0, answer
    return [(r["TransactionalId"], [(x["Name"], [(y["PartitionIndex"], t.error(y["PartitionErrorCode"]))
                                                 for y in x["ResultsByPartition"]]) for x in r["TopicResults"]])
            for r in answer["ResultsByTransaction"]]


def in_it(p):
    return {(d["Topic"], i) for d in p.describe()["Topics"] for i in d["Partitions"]}


def case_two_ids(t):
    (topic, p), (other, q) = begun(t), begun(t)
    for version in (4, 5):
        assert ask(t, (p, False, [(topic, [0, 1])]), (q, False, [(other, [0])]), version=version) == [
            (p.name, [(topic, [(0, "NONE"), (1, "NONE")])]), (q.name, [(other, [(0, "NONE")])])]
    assert in_it(p) == {(topic, 0), (topic, 1)} and in_it(q) == {(other, 0)}
    # One that fails leaves the other alone.
    assert ask(t, (p, True, [(topic, [0])], {"ProducerEpoch": 5}), (q, False, [(other, [1])])) == [
        (p.name, [(topic, [(0, "PRODUCER_FENCED")])]), (q.name, [(other, [(1, "NONE")])])]
    assert ask(t, (p, False, [(topic, [0])], {"TransactionalId": ""}), (q, True, [(other, [1])])) == [
        ("", [(topic, [(0, "INVALID_REQUEST")])]), (q.name, [(other, [(1, "NONE")])])]


def case_an_id_twice(t):
    """Each time its last partitions are meant; what is added is answered by the names of the first."""
    (topic, p), other = begun(t), t.topic(2)
    assert ask(t, (p, False, [(topic, [0])]), (p, False, [(topic, [0])])) == [(p.name, [(topic, [(0, "NONE")])])] * 2
    assert ask(t, (p, False, [(topic, [1])]), (p, False, [(other, [1])])) == [(p.name, [(topic, [(1, "NONE")])])] * 2
    assert in_it(p) == {(topic, 0), (other, 1)}
    assert ask(t, (p, True, [(topic, [0])]), (p, False, [(other, [0])])) == [
        (p.name, [(other, [(0, "TRANSACTION_ABORTABLE")])]), (p.name, [(topic, [(0, "NONE")])])]
    assert in_it(p) == {(topic, 0), (other, 0), (other, 1)}


def case_unknown_ones_among_them(t):
    (topic, p), (other, q), nowhere = begun(t), begun(t), t.name("nowhere")
    assert p.add(topic) == "NONE" and q.add(other) == "NONE"
    for verify in (True, False):
        mixed, fine = ask(t, (p, verify, [(topic, [0, 7, -1]), (nowhere, [0, 0])]), (q, verify, [(other, [0])]))
        assert fine == (q.name, [(other, [(0, "NONE")])]), fine
        assert {n: sorted(parts) for n, parts in mixed[1]} == {
            topic: [(-1, "UNKNOWN_TOPIC_OR_PARTITION"), (0, "OPERATION_NOT_ATTEMPTED"),
                    (7, "UNKNOWN_TOPIC_OR_PARTITION")],
            nowhere: [(0, "UNKNOWN_TOPIC_OR_PARTITION")]}, mixed
    assert in_it(p) == {(topic, 0)}
    (_, found), = ask(t, (q, True, [(other, [0, 1]), (topic, [0])]))
    assert {n: sorted(parts) for n, parts in found} == {
        other: [(0, "NONE"), (1, "TRANSACTION_ABORTABLE")], topic: [(0, "TRANSACTION_ABORTABLE")]}, found


def case_names_twice(t):
    """What is added is answered as it was named, the rest once each."""
    topic, p = begun(t)
    assert ask(t, (p, False, [(topic, [0]), (topic, [1])])) == [(p.name, [(topic, [(0, "NONE")]), (topic, [(1, "NONE")])])]
    assert ask(t, (p, False, [(topic, [0, 0])])) == [(p.name, [(topic, [(0, "NONE"), (0, "NONE")])])]
    (_, [(name, parts)]), = ask(t, (p, True, [(topic, [0]), (topic, [1])])) # in the order of a map
    assert (name, sorted(parts)) == (topic, [(0, "NONE"), (1, "NONE")])
    assert ask(t, (p, True, [(topic, [0, 0])])) == [(p.name, [(topic, [(0, "NONE")])])]
    answer = p.link.call("AddPartitionsToTxn", 3, V3AndBelowTransactionalId=p.name, V3AndBelowProducerId=p.id,
                         V3AndBelowProducerEpoch=0, V3AndBelowTopics=[{"Name": topic, "Partitions": [0, 0]},
                                                                      {"Name": topic, "Partitions": [1]}])
    assert [(r["Name"], len(r["ResultsByPartition"])) for r in answer["ResultsByTopicV3AndBelow"]] == [
        (topic, 2), (topic, 1)], answer
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")


def case_nothing_to_add(t):
    """A transaction begins, without a partition."""
    topic, p = begun(t)
    assert ask(t, (p, True, [])) == [(p.name, [])] and ask(t, (p, True, [(topic, [])])) == [(p.name, [])]
    assert p.state() == "Empty"
    assert ask(t, (p, False, [(topic, [])])) == [(p.name, [(topic, [])])]
    assert p.state() == "Ongoing" and in_it(p) == set()
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    answer = p.link.call("AddPartitionsToTxn", 3, V3AndBelowTransactionalId=p.name, V3AndBelowProducerId=p.id,
                         V3AndBelowProducerEpoch=0, V3AndBelowTopics=[])
    assert answer["ResultsByTopicV3AndBelow"] == [] and p.state() == "Ongoing"
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
    assert settled(p.add_offsets, "") == "NONE" # an empty group has a partition too
    assert p.end(COMMIT) == "NONE"
    p.reach("CompleteCommit")
