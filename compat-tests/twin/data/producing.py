# SPDX-License-Identifier: Apache-2.0
import records
import wire
from datakit import (ERRORS, Topic, at, batch, begin, connect, fetch, name_of, now_ms, only, produce, produce_body,
                     produce_error, same, values)

NOTHING = {"BaseOffset": -1, "LogAppendTimeMs": -1, "LogStartOffset": -1, "RecordErrors": [], "ErrorMessage": None}


def refused(error, **but):
    return {**NOTHING, "Index": 0, "ErrorCode": ERRORS[error], **but}


def case_every_version(twin):
    c = begin(twin)
    t = Topic(c)
    for offset, version in enumerate(range(3, 14)):
        got = produce(c, version, t, (0, batch()))[0]
        want = {"Index": 0, "ErrorCode": 0, "BaseOffset": offset, "LogAppendTimeMs": -1}
        if version >= 5:
            want["LogStartOffset"] = 0
        if version >= 8:
            want.update(RecordErrors=[], ErrorMessage=None)
        same(want, got, "v%d" % version)
    got = records.batches(only(fetch(c, 12, (t, [at()])))["Records"])
    same(list(range(11)), [b.base_offset for b in got])
    same({0}, {b.leader_epoch for b in got})
    same(True, all(b.crc_is_right for b in got))


def case_unknown_topics(twin):
    c = begin(twin)
    t = Topic(c, 2)
    same(refused("UNKNOWN_TOPIC_OR_PARTITION"), produce(c, 12, t.name + "-not", (0, batch()))[0])
    same(refused("UNKNOWN_TOPIC_ID"), produce(c, 13, b"\1" * 16, (0, batch()))[0])
    same(refused("UNKNOWN_TOPIC_ID"), produce(c, 13, bytes(16), (0, batch()))[0])
    got = produce(c, 13, t, (9, batch()), (1, batch()))
    same("UNKNOWN_TOPIC_OR_PARTITION", name_of(got[9]["ErrorCode"]))
    same(0, got[1]["ErrorCode"])


def case_acks(twin):
    c = begin(twin)
    t = Topic(c)
    same(refused("INVALID_REQUIRED_ACKS"), produce(c, 12, t, (0, batch()), acks=2)[0])
    same(refused("UNKNOWN_TOPIC_OR_PARTITION", Index=9), produce(c, 12, t, (9, batch()), acks=2)[9])
    for offset, a in enumerate((1, -1)):
        same(offset, produce(c, 12, t, (0, batch()), acks=a)[0]["BaseOffset"])
    # A topic of one replica has them all in sync, whatever min.insync.replicas says.
    t = Topic(c, min_insync_replicas=2)
    same("NONE", produce_error(c, 12, t, batch(), acks=-1))


def case_acks_0(twin):
    """No answer; an error ends the connection."""
    c = begin(twin)
    t = Topic(c)

    def outcome(partition, data):
        with connect() as d:
            d.send("Produce", 12, **produce_body(12, t, [(partition, data)], acks=0))
            d.waiting.pop()
            try:
                d.call("ApiVersions", 0)
                return "lives"
            except wire.Closed:
                return "closed"
    same("lives", outcome(0, batch()))
    same("closed", outcome(9, batch()))
    same("closed", outcome(0, batch(bad_crc=True)))
    same("closed", outcome(0, batch([b"x" * 1100000])))
    same([b"v"], values(only(fetch(c, 12, (t, [at()])))["Records"]))


def case_log_append_time(twin):
    c = begin(twin)
    t = Topic(c, message_timestamp_type="LogAppendTime")
    before = now_ms()
    got = produce(c, 12, t, (0, batch([b"1", b"2"], base_timestamp=5)))[0]
    same(True, before <= got["LogAppendTimeMs"] <= now_ms())
    b, = records.batches(only(fetch(c, 12, (t, [at()])))["Records"])
    same(got["LogAppendTimeMs"], b.max_timestamp)
    same(8, b.attributes)
    same(True, b.crc_is_right)


def case_bad_records(twin):
    c = begin(twin)
    t = Topic(c)
    same(0, produce(c, 12, t, (0, batch()))[0]["BaseOffset"])
    for what, data in (("two batches", batch() + batch()), ("none", b""), ("a piece", b"hello")):
        same(refused("INVALID_RECORD"), produce(c, 12, t, (0, data))[0], what)
    same(refused("INVALID_RECORD"), produce(c, 12, t, (0, batch(magic=1)))[0])
    same(refused("CORRUPT_MESSAGE"), produce(c, 12, t, (0, batch(bad_crc=True)))[0])
    same(refused("CORRUPT_MESSAGE", ErrorMessage="Invalid magic found in record: 101"),
         produce(c, 12, t, (0, b"hello" * 40))[0])
    same(refused("CORRUPT_MESSAGE", ErrorMessage="Record size 3 is less than the minimum record overhead (14)"),
         produce(c, 12, t, (0, bytes(11) + b"\3" + bytes(80)))[0])
    short = batch()[:8] + (20).to_bytes(4, "big") + batch()[12:32]
    same(refused("UNKNOWN_SERVER_ERROR"), produce(c, 12, t, (0, short))[0], "shorter than its header")
    same(refused("INVALID_RECORD", LogStartOffset=0), produce(c, 12, t, (0, batch([], count=0)))[0], "no records")
    two = [b"a", b"b"]
    for what, data in (("count", batch(two, count=3)), ("offset delta", batch(two, last_offset_delta=5)),
                       ("control", batch(attributes=32)), ("base offset", batch(base_offset=77))):
        same(refused("INVALID_RECORD", LogStartOffset=0), produce(c, 12, t, (0, data))[0], what)
    same(1, produce(c, 12, t, (0, batch(leader_epoch=77)))[0]["BaseOffset"])
    same(0, records.batches(only(fetch(c, 12, (t, [at(0, 1)])))["Records"])[0].leader_epoch)
    # What cannot be taken apart fails its neighbours too.
    t2 = Topic(c, 2)
    got = produce(c, 12, t2, (0, batch()), (1, b"hello" * 40))
    same({0: "CORRUPT_MESSAGE", 1: "CORRUPT_MESSAGE"}, {i: name_of(p["ErrorCode"]) for i, p in got.items()})
    got = produce(c, 12, t2, (0, batch()), (1, batch(bad_crc=True)))
    same({0: "NONE", 1: "CORRUPT_MESSAGE"}, {i: name_of(p["ErrorCode"]) for i, p in got.items()})


def case_record_errors(twin):
    c = begin(twin)
    t = Topic(c, cleanup_policy="compact")
    why = "Compacted topic cannot accept message without key in topic partition %s-0" % t.name
    got = produce(c, 12, t, (0, batch([b"a", b"b"], keys=[b"1", None])))[0]
    same("INVALID_RECORD", name_of(got["ErrorCode"]))
    same([{"BatchIndex": 1, "BatchIndexErrorMessage": why}], got["RecordErrors"])
    same((-1, 0), (got["BaseOffset"], got["LogStartOffset"]))
    same(True, got["ErrorMessage"].startswith("One or more records have been rejected due to 1 record errors in total"))
    same({"Index": 0, "ErrorCode": 87, "BaseOffset": -1, "LogAppendTimeMs": -1, "LogStartOffset": 0},
         produce(c, 7, t, (0, batch([b"a", b"b"])))[0])
    t = Topic(c)
    got = produce(c, 12, t, (0, batch([b"a", b"b"], timestamps=[now_ms(), now_ms() + 7200000])))[0]
    same("INVALID_TIMESTAMP", name_of(got["ErrorCode"]))
    same([1], [e["BatchIndex"] for e in got["RecordErrors"]])
    same("One or more records have been rejected due to invalid timestamp", got["ErrorMessage"])


def case_too_large(twin):
    c = begin(twin)
    t = Topic(c, max_message_bytes=1000)
    same(refused("MESSAGE_TOO_LARGE"), produce(c, 12, t, (0, batch([b"x" * 1000])))[0])
    same("NONE", produce_error(c, 12, t, batch([b"x" * 900])))


def case_zstd_before_v7(twin):
    c = begin(twin)
    t = Topic(c)
    got = produce(c, 6, t, (0, batch(attributes=4)))[0]
    same({"Index": 0, "ErrorCode": 76, "BaseOffset": -1, "LogAppendTimeMs": -1, "LogStartOffset": -1}, got)


def case_named_twice(twin):
    c = begin(twin)
    t = Topic(c)
    answer = c.call("Produce", 12, **produce_body(12, t, [(0, batch([b"a"])), (0, batch([b"b", b"c"]))]))
    same(1, len(answer["Responses"][0]["PartitionResponses"]))
    same([b"b", b"c"], values(only(fetch(c, 12, (t, [at()])))["Records"]))
    same({"Responses": [], "ThrottleTimeMs": 0}, c.call("Produce", 12, Acks=1, TimeoutMs=1000, TopicData=[]))


def new_producer_id(c):
    for _ in range(1000):
        got = c.call("InitProducerId", 4, TransactionalId=None, TransactionTimeoutMs=1000)
        if got["ErrorCode"] != ERRORS["COORDINATOR_LOAD_IN_PROGRESS"]:
            break
    same((0, 0), (got["ErrorCode"], got["ProducerEpoch"]))
    return got["ProducerId"]


def case_idempotence(twin):
    c = begin(twin)
    t = Topic(c, 2)
    id_ = new_producer_id(c)

    def put(sequence, count=1, epoch=0, id_=id_, partition=0):
        data = batch([b"v"] * count, producer_id=id_, producer_epoch=epoch, base_sequence=sequence)
        got = produce(c, 12, t, (partition, data))[partition]
        return name_of(got["ErrorCode"]), got["BaseOffset"]
    same(("NONE", 0), put(0, 2))
    same(("NONE", 0), put(0, 2), "a duplicate")
    same(("OUT_OF_ORDER_SEQUENCE_NUMBER", -1), put(5))
    same(("NONE", 2), put(2, 3))
    same(("NONE", 0), put(0, 2), "an older duplicate")
    same(("OUT_OF_ORDER_SEQUENCE_NUMBER", -1), put(0, 1), "not the same batch")
    same(("OUT_OF_ORDER_SEQUENCE_NUMBER", -1), put(3, 1, 1), "a new epoch begins with 0")
    same(("NONE", 5), put(0, 1, 1))
    same(("INVALID_PRODUCER_EPOCH", -1), put(5, 1, 0))
    same(("NONE", 6), put(9, 1, 0, id_ + 5000), "of a producer not known any sequence is taken")
    for i in range(5):
        same(("NONE", 7 + i), put(1 + i, 1, 1))
    same(("NONE", 7), put(1, 1, 1), "the fifth last is still known")
    same("OUT_OF_ORDER_SEQUENCE_NUMBER", put(0, 1, 1)[0], "the sixth last is not")
    same(("NONE", 0), put(0, partition=1), "each partition counts by itself")


def case_producer_ids(twin):
    c = begin(twin)
    first = new_producer_id(c)
    got = []
    for version in range(6):
        answer = c.call("InitProducerId", version, TransactionalId=None, TransactionTimeoutMs=0)
        same((0, 0), (answer["ErrorCode"], answer["ProducerEpoch"]))
        got.append(answer["ProducerId"])
    same(list(range(first + 1, first + 7)), got)

    def asked(version=3, transactional_id=None, timeout_ms=1000, **more):
        answer = c.call("InitProducerId", version, TransactionalId=transactional_id, TransactionTimeoutMs=timeout_ms,
                        **more)
        return name_of(answer["ErrorCode"]), answer["ProducerId"], answer["ProducerEpoch"]
    same(("NONE", first + 7, 0), asked(ProducerId=first, ProducerEpoch=0), "a new one, whatever it had")
    same(("INVALID_REQUEST", -1, -1), asked(ProducerId=first))
    same(("INVALID_REQUEST", -1, -1), asked(ProducerEpoch=3))
    same(("INVALID_REQUEST", -1, -1), asked(transactional_id=""))
    same(("INVALID_TRANSACTION_TIMEOUT", -1, -1), asked(transactional_id="x", timeout_ms=0))
    same(("INVALID_TRANSACTION_TIMEOUT", -1, -1), asked(transactional_id="x", timeout_ms=900001))


def case_producer_id_blocks(twin):
    """Blocks of a thousand: a run of them never ends and gives none twice."""
    c = begin(twin)
    seen = set()
    for _ in range(2100):
        seen.add(new_producer_id(c))
    same(2100, len(seen))


def case_transactional_without_id(twin):
    c = begin(twin)
    t = Topic(c)
    data = batch(attributes=16, producer_id=5, producer_epoch=0, base_sequence=0)
    same(refused("TRANSACTIONAL_ID_AUTHORIZATION_FAILED"), produce(c, 12, t, (0, data))[0])
    same("NONE", produce_error(c, 12, t, batch(), transactional_id="x"))


def case_internal_topic(twin):
    c = begin(twin)
    c.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=["g"])
    for _ in range(2000):
        if c.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=["g"])["Coordinators"][0]["ErrorCode"] == 0:
            break
    for _ in range(2000):  # told where it is, its partitions may not be led yet
        got = produce(c, 12, "__consumer_offsets", (0, batch()))[0]
        if got["ErrorCode"] != ERRORS["NOT_LEADER_OR_FOLLOWER"]:
            break
    same(refused("INVALID_TOPIC_EXCEPTION"), got)
