# SPDX-License-Identifier: Apache-2.0
"""Looking at transactions, and ending those that hang: ListTransactions, DescribeTransactions, DescribeProducers,
WriteTxnMarkers."""
import time

from producer import ABORT, COMMIT, Producer, committed, log, settled, story


def begun(t, v2=False, name=None):
    topic, p = t.topic(), Producer(t, name or t.name(), v2=v2)
    assert p.init() == "NONE"
    return topic, p


def listed(link, version=2, **filters):
    filters.setdefault("StateFilters", [])
    filters.setdefault("ProducerIdFilters", [])
    answer = link.call("ListTransactions", version, **filters)
    return {s["TransactionalId"]: (s["ProducerId"], s["TransactionState"]) for s in answer["TransactionStates"]}, answer


def case_lists_and_their_filters(t):
    name = t.name("list")
    topic, a = begun(t, name=name + "-a")
    _, b = begun(t, name=name + "-b")
    b.add(topic)
    link = t.connect()
    for version in range(3):
        found, answer = listed(link, version)
        assert found[a.name] == (a.id, "Empty") and found[b.name] == (b.id, "Ongoing"), answer
        assert answer["ErrorCode"] == 0 and answer["UnknownStateFilters"] == []
    assert listed(link, ProducerIdFilters=[a.id])[0] == {a.name: (a.id, "Empty")}
    assert listed(link, ProducerIdFilters=[1 << 60])[0] == {}
    found, answer = listed(link, StateFilters=["Ongoing", "Nonsense", "ongoing"])
    assert b.name in found and a.name not in found and answer["UnknownStateFilters"] == ["Nonsense", "ongoing"], answer
    found, answer = listed(link, StateFilters=["Nonsense"])
    assert found == {} and answer["UnknownStateFilters"] == ["Nonsense"]
    for state in ("Empty", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "PrepareEpochFence",
                  "Dead"):
        assert listed(link, StateFilters=[state])[1]["UnknownStateFilters"] == [], state
    time.sleep(0.3)
    assert b.name in listed(link, DurationFilter=100)[0] and b.name not in listed(link, DurationFilter=3600000)[0]
    assert a.name in listed(link, DurationFilter=100)[0] # without a start it is very old
    assert set(listed(link, TransactionalIdPattern=name + "-.*")[0]) == {a.name, b.name}
    assert set(listed(link, TransactionalIdPattern=name + "-[b-z]")[0]) == {b.name}
    assert listed(link, TransactionalIdPattern=name)[0] == {}
    assert a.name in listed(link, TransactionalIdPattern="")[0] and a.name in listed(link, TransactionalIdPattern=None)[0]
    assert set(listed(link, TransactionalIdPattern=name + "-.*", StateFilters=["Ongoing"])[0]) == {b.name}
    answer = listed(link, TransactionalIdPattern="(ab")[1]
    assert t.error(answer["ErrorCode"]) == "INVALID_REGULAR_EXPRESSION", answer
    assert answer["TransactionStates"] == [] and answer["UnknownStateFilters"] == [], answer
    b.end(ABORT)


def case_descriptions(t):
    topic, p = begun(t)
    empty = p.describe()
    assert empty == {"ErrorCode": 0, "TransactionalId": p.name, "TransactionState": "Empty",
                     "TransactionTimeoutMs": 60000, "TransactionStartTimeMs": -1, "ProducerId": p.id,
                     "ProducerEpoch": 0, "Topics": []}, empty
    before = int(time.time() * 1000) - 1000
    p.add(topic)
    open_ = p.describe()
    assert before < open_["TransactionStartTimeMs"] < before + 60000, open_
    assert open_["Topics"] == [{"Topic": topic, "Partitions": [0]}], open_
    p.end(COMMIT)
    p.reach("CompleteCommit")
    done = p.describe()
    assert done["TransactionStartTimeMs"] == open_["TransactionStartTimeMs"] and done["Topics"] == [], done
    answer = p.link.call("DescribeTransactions", 0, TransactionalIds=["no-such-id", "", p.name])["TransactionStates"]
    assert [t.error(s["ErrorCode"]) for s in answer] == ["TRANSACTIONAL_ID_NOT_FOUND", "INVALID_REQUEST", "NONE"], answer
    assert answer[0] == {"ErrorCode": 105, "TransactionalId": "no-such-id", "TransactionState": "",
                         "TransactionTimeoutMs": 0, "TransactionStartTimeMs": 0, "ProducerId": 0, "ProducerEpoch": 0,
                         "Topics": []}, answer


def producers(link, topic, partition=0):
    answer = link.call("DescribeProducers", 0, Topics=[{"Name": topic, "PartitionIndexes": [partition]}])
    return answer["Topics"][0]["Partitions"][0]


def case_producers(t):
    topic, p = begun(t)
    part = producers(p.link, topic)
    assert part == {"PartitionIndex": 0, "ErrorCode": 0, "ErrorMessage": None, "ActiveProducers": []}, part
    p.add(topic)
    p.produce(topic, b"a", b"b")
    active = producers(p.link, topic)["ActiveProducers"]
    assert len(active) == 1, active
    assert {k: v for k, v in active[0].items() if k != "LastTimestamp"} == {
        "ProducerId": p.id, "ProducerEpoch": 0, "LastSequence": 1, "CoordinatorEpoch": -1, "CurrentTxnStartOffset": 0}
    assert abs(active[0]["LastTimestamp"] - time.time() * 1000) < 60000
    p.end(COMMIT)
    p.reach("CompleteCommit")
    active = producers(p.link, topic)["ActiveProducers"][0]
    assert (active["LastSequence"], active["CoordinatorEpoch"], active["CurrentTxnStartOffset"]) == (1, 0, -1), active
    assert producers(p.link, topic, 1) == {
        "PartitionIndex": 1, "ErrorCode": 3, "ErrorMessage": None, "ActiveProducers": []}, producers(p.link, topic, 1)
    nowhere = producers(p.link, t.name("nowhere"))
    assert (t.error(nowhere["ErrorCode"]), nowhere["ErrorMessage"]) == (
        "UNKNOWN_TOPIC_OR_PARTITION", "This server does not host this topic-partition."), nowhere
    bad = producers(p.link, "bad/name")
    assert t.error(bad["ErrorCode"]) == "INVALID_TOPIC_EXCEPTION", bad
    assert bad["ErrorMessage"].startswith("Topic name is invalid: 'bad/name' contains one or more"), bad


def write_marker(p, topic, commit, epoch=None, coordinator_epoch=0, version=2, transaction_version=None, partition=0,
                 producer_id=None):
    marker = {"ProducerId": p.id if producer_id is None else producer_id,
              "ProducerEpoch": p.epoch if epoch is None else epoch, "TransactionResult": commit,
              "CoordinatorEpoch": coordinator_epoch, "Topics": [{"Name": topic, "PartitionIndexes": [partition]}]}
    if transaction_version is not None:
        marker["TransactionVersion"] = transaction_version
    answer = p.link.call("WriteTxnMarkers", version, Markers=[marker])["Markers"]
    assert len(answer) == 1 and answer[0]["ProducerId"] == marker["ProducerId"], answer
    part = answer[0]["Topics"][0]["Partitions"][0]
    assert part["PartitionIndex"] == partition
    return p.error(part["ErrorCode"])


def case_markers_end_what_hangs(t):
    topic, p = begun(t)
    p.add(topic)
    p.produce(topic, b"a")
    assert log(p.link, topic, isolation=1)[1]["LastStableOffset"] == 0
    assert write_marker(p, topic, ABORT) == "NONE"
    assert log(p.link, topic, isolation=1)[1]["LastStableOffset"] == 2
    assert story(p.link, topic) == ["a", "abort"] and committed(p.link, topic) == []
    # The coordinator knows nothing of it, but the partition has no transaction any more.
    assert p.state() == "Ongoing"
    assert p.produce(topic, b"b") == "NONE" # it is verified again
    assert write_marker(p, topic, COMMIT, version=1) == "NONE"
    assert story(p.link, topic) == ["a", "abort", "b", "commit"]


def case_markers_are_checked(t):
    topic, p = begun(t)
    p.add(topic)
    p.produce(topic, b"a")
    for nobody in ({"epoch": -1}, {"producer_id": -1}):
        assert write_marker(p, topic, ABORT, **nobody) == "UNKNOWN_SERVER_ERROR"
    assert write_marker(p, topic, ABORT, transaction_version=2) == "INVALID_PRODUCER_EPOCH"
    assert write_marker(p, topic, ABORT, partition=1) == "UNKNOWN_TOPIC_OR_PARTITION"
    assert write_marker(p, t.name("nowhere"), ABORT) == "UNKNOWN_TOPIC_OR_PARTITION"
    assert write_marker(p, topic, ABORT, coordinator_epoch=5) == "NONE"
    assert write_marker(p, topic, ABORT, coordinator_epoch=4) == "TRANSACTION_COORDINATOR_FENCED"
    assert write_marker(p, topic, ABORT, coordinator_epoch=5, epoch=3, transaction_version=2) == "NONE"
    assert write_marker(p, topic, ABORT, coordinator_epoch=5, epoch=3, transaction_version=2) == "NONE" # a retry
    assert write_marker(p, topic, ABORT, coordinator_epoch=5, epoch=2, transaction_version=2) == "INVALID_PRODUCER_EPOCH"
    # Markers of a producer that never wrote are written too.
    assert write_marker(p, topic, COMMIT, producer_id=p.id + 100000) == "NONE"
    answer = p.link.call("WriteTxnMarkers", 1, Markers=[])
    assert answer == {"Markers": []}, answer


def case_an_aborted_id_may_begin_anew(t):
    topic, p = begun(t, v2=True)
    assert p.produce(topic, b"a") == "NONE"
    q = Producer(t, p.name, v2=True)
    assert settled(q.init) == "NONE"
    assert settled(q.produce, topic, b"b") == "NONE"
    assert q.end(COMMIT) == "NONE"
    q.reach("CompleteCommit")
    assert committed(q.link, topic) == ["b"]
