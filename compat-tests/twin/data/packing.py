# SPDX-License-Identifier: Apache-2.0
"""What the log makes of a batch: compression.type, timestamps, sizes, and header fields that nobody should send."""
import records
from datakit import Topic, alter, at, begin, fetch, name_of, now_ms, only, produce, same, until

CODECS = {"uncompressed": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
TEXT = b"the same again and again " * 40
HOUR_MS = 3600000
PLAIN = dict(attributes=0, base=0, max=0, producer_id=-1, producer_epoch=-1, base_sequence=-1)


def put(c, t, data, version=12):
    got = produce(c, version, t, (0, data))[0]
    return name_of(got["ErrorCode"]), got["BaseOffset"]


def stored(c, t, offset=0):
    b, = records.batches(only(fetch(c, 12, (t, [at(0, offset)])))["Records"])
    same(True, b.crc_is_right)
    return b


def case_compression_type(twin):
    """The log's codec may be another one than the producer's; all else stays, and duplicates are known."""
    c = begin(twin)
    now = now_ms()
    for target in list(CODECS) + ["producer"]:
        for codec in (None, "gzip"):
            t = Topic(c, compression_type=target)
            data = records.batch([TEXT, b"2", b"3"], keys=[b"a", None, b"c"], timestamps=[now, now + 5, now - 3], codec=codec,
                                 producer_id=77, producer_epoch=3, base_sequence=0)
            for _ in range(2):
                same(("NONE", 0), put(c, t, data))
            b = stored(c, t)
            same(CODECS.get(target, 1 if codec else 0), b.attributes, target)
            same((3, 2, now, now + 5, 77, 3, 0), (b.count, b.last_delta, b.base_timestamp, b.max_timestamp, b.producer_id,
                                                  b.producer_epoch, b.base_sequence))
            if b.records:
                same([(0, now, b"a", TEXT), (1, now + 5, None, b"2"), (2, now - 3, b"c", b"3")], b.records)
            same(True, b.size < 300 or b.attributes == 0)


def case_compression_levels(twin):
    """A higher level takes no more room; what it was set to last counts."""
    c = begin(twin)
    value = b"".join(b'{"key":%d,"name":"user-%d","flag":%s}' % (i * 7919 % 10007, i * i % 977, b"true" if i % 3 else b"false")
                     for i in range(4000))
    for codec, levels in (("gzip", (1, 9)), ("lz4", (1, 17)), ("zstd", (1, 19))):
        t = Topic(c, compression_type=codec, **{"compression_%s_level" % codec: levels[0]})
        same(("NONE", 0), put(c, t, records.batch([value], base_timestamp=now_ms())))
        alter(c, "topic", t.name, **{"compression_%s_level" % codec: levels[1]})

        def shrinks():
            put(c, t, records.batch([value], base_timestamp=now_ms()))
            sizes = [b.size for b in records.batches(only(fetch(c, 12, (t, [at()])))["Records"])]
            return sizes[-1] < sizes[0]
        until("%s packs better" % codec, shrinks)


# What fields and the topic's compression.type and message.timestamp.type make of a batch of two records of `base` 0: an error, or
# what its header says, "now" being the time of the append.
FIELDS = [
    ("a delete horizon", dict(attributes=0x40), {
        ("producer", "CreateTime"): dict(attributes=0x40), ("producer", "LogAppendTime"): dict(attributes=0x48, max="now"),
        ("gzip", "CreateTime"): dict(attributes=1), ("gzip", "LogAppendTime"): dict(attributes=9, max="now")}),
    ("bits without meaning", dict(attributes=0x4480), {
        ("producer", "CreateTime"): dict(attributes=0x4480), ("producer", "LogAppendTime"): dict(attributes=8, max="now"),
        ("gzip", "CreateTime"): dict(attributes=1), ("gzip", "LogAppendTime"): dict(attributes=9, max="now")}),
    ("a wrong largest timestamp", dict(max_timestamp=5), {
        ("producer", "CreateTime"): {}, ("producer", "LogAppendTime"): dict(attributes=8, max="now"),
        ("gzip", "CreateTime"): dict(attributes=1), ("gzip", "LogAppendTime"): dict(attributes=9, max="now")}),
    ("the time of the append", dict(attributes=8), {
        ("producer", "CreateTime"): {}, ("producer", "LogAppendTime"): "INVALID_TIMESTAMP",
        ("gzip", "CreateTime"): dict(attributes=1), ("gzip", "LogAppendTime"): "INVALID_TIMESTAMP"}),
    ("an epoch alone", dict(producer_epoch=5), {
        ("producer", "CreateTime"): dict(producer_epoch=5), ("gzip", "CreateTime"): dict(attributes=1, producer_epoch=5)}),
    ("a sequence alone", dict(base_sequence=5), {
        ("producer", "CreateTime"): dict(base_sequence=5), ("gzip", "CreateTime"): dict(attributes=1, base_sequence=5)}),
    ("a producer without epoch", dict(producer_id=5, base_sequence=0), {
        ("producer", "CreateTime"): dict(producer_id=5, base_sequence=0), ("gzip", "CreateTime"): "UNKNOWN_SERVER_ERROR"}),
    ("a producer without sequence", dict(producer_id=5, producer_epoch=0), {
        ("producer", "CreateTime"): "INVALID_RECORD", ("gzip", "CreateTime"): "INVALID_RECORD"}),
    ("no codec's number", dict(attributes=5), {
        ("producer", "CreateTime"): "UNKNOWN_SERVER_ERROR", ("gzip", "CreateTime"): "UNKNOWN_SERVER_ERROR"}),
    ("gzip that is none", dict(attributes=1), {
        ("producer", "CreateTime"): "UNKNOWN_SERVER_ERROR", ("gzip", "CreateTime"): "UNKNOWN_SERVER_ERROR"}),
    ("lz4 that is none", dict(attributes=3), {
        ("producer", "CreateTime"): "UNKNOWN_SERVER_ERROR", ("gzip", "CreateTime"): "UNKNOWN_SERVER_ERROR"}),
]


def check_fields(c, what, base, fields, outcomes):
    for (codec, kind), want in outcomes.items():
        t = Topic(c, compression_type=codec, message_timestamp_type=kind)
        before = now_ms()
        error, offset = put(c, t, records.batch([b"x", b"y"], **fields))
        if isinstance(want, str):
            same((want, -1), (error, offset), what)
            continue
        same(("NONE", 0), (error, offset), what)
        b = stored(c, t)
        want = dict(PLAIN, base=base, max=base, **{}) | want
        got = dict(attributes=b.attributes, base=b.base_timestamp, max=b.max_timestamp, producer_id=b.producer_id,
                   producer_epoch=b.producer_epoch, base_sequence=b.base_sequence)
        if want["max"] == "now":
            same(True, before - 1000 <= b.max_timestamp <= now_ms() + 1000)
            want["max"] = b.max_timestamp
        same(want, got, "%s, %s %s" % (what, codec, kind))


def case_fields_that_nobody_should_send(twin):
    c = begin(twin)
    base = now_ms()
    for what, fields, outcomes in FIELDS:
        check_fields(c, what, base, dict(base_timestamp=base, **fields), outcomes)


def case_negative_timestamps(twin):
    """-1 is none; others may stay as they are, but a batch is not made anew of them."""
    c = begin(twin)
    check_fields(c, "none", -1, dict(timestamps=[-1, -1]), {
        ("producer", "CreateTime"): {}, ("gzip", "CreateTime"): dict(attributes=1),
        ("producer", "LogAppendTime"): dict(attributes=8, max="now"), ("gzip", "LogAppendTime"): dict(attributes=9, max="now")})
    check_fields(c, "negative", -5, dict(timestamps=[-5, -7]), {
        ("producer", "CreateTime"): dict(max=-1), ("producer", "LogAppendTime"): dict(attributes=8, max="now"),
        ("gzip", "CreateTime"): "UNKNOWN_SERVER_ERROR", ("gzip", "LogAppendTime"): "UNKNOWN_SERVER_ERROR"})


def case_timestamp_bounds(twin):
    c = begin(twin)
    t = Topic(c, message_timestamp_before_max_ms=HOUR_MS, message_timestamp_after_max_ms=2 * HOUR_MS)
    now = now_ms()
    inside = [now - HOUR_MS + 60000, now, now + 2 * HOUR_MS - 60000, -1]
    same(("NONE", 0), put(c, t, records.batch([b"v"] * 4, timestamps=inside)))
    for codec in (None, "gzip"):
        got = produce(c, 12, t, (0, records.batch([b"v"] * 4, codec=codec, timestamps=[
            now - HOUR_MS - 60000, now, now + 2 * HOUR_MS + 60000, 5])))[0]
        same(("INVALID_TIMESTAMP", -1, [0, 2, 3]), (name_of(got["ErrorCode"]), got["BaseOffset"],
                                                    [e["BatchIndex"] for e in got["RecordErrors"]]))
        text = got["RecordErrors"][1]["BatchIndexErrorMessage"]
        begin_text = "Timestamp %d of message with offset 2 is out of range. The timestamp should be within [" % (
            now + 2 * HOUR_MS + 60000)
        same(begin_text, text[:len(begin_text)])
        low, high = (int(n) for n in text[len(begin_text):-1].split(", "))
        same(3 * HOUR_MS, high - low)
    # The time of the append is not bound.
    t = Topic(c, message_timestamp_before_max_ms=0, message_timestamp_after_max_ms=0, message_timestamp_type="LogAppendTime")
    same(("NONE", 0), put(c, t, records.batch([b"v"], timestamps=[5])))


def case_sizes(twin):
    """max.message.bytes is asked before and after the batch is packed anew."""
    c = begin(twin)
    small = records.batch([TEXT * 10], base_timestamp=now_ms(), codec="gzip")
    large = records.batch([TEXT * 10], base_timestamp=now_ms())
    for compression, data, want in (("producer", small, "NONE"), ("uncompressed", small, "MESSAGE_TOO_LARGE"),
                                    ("gzip", large, "MESSAGE_TOO_LARGE"), ("uncompressed", large, "MESSAGE_TOO_LARGE")):
        t = Topic(c, compression_type=compression, max_message_bytes=2000)
        same(want, put(c, t, data)[0], compression)
    exact = records.batch([b"v" * 100], base_timestamp=now_ms())
    t = Topic(c, max_message_bytes=len(exact))
    same("NONE", put(c, t, exact)[0])
    t = Topic(c, max_message_bytes=len(exact) - 1)
    same("MESSAGE_TOO_LARGE", put(c, t, exact)[0])
    # The broker's own limit, changed while it runs.
    t = Topic(c)
    same("NONE", put(c, t, exact)[0])
    alter(c, "broker", "", message_max_bytes=len(exact) - 1)
    until("the limit counts", lambda: put(c, t, exact)[0] == "MESSAGE_TOO_LARGE")
    alter(c, "broker", "", message_max_bytes=None)
    until("it is gone", lambda: put(c, t, exact)[0] == "NONE")


def case_keys_within_compressed_batches(twin):
    c = begin(twin)
    for compression in ("producer", "uncompressed", "lz4"):
        t = Topic(c, cleanup_policy="compact", compression_type=compression)
        got = produce(c, 12, t, (0, records.batch([b"a", b"b", b"c"], keys=[None, b"k", None], codec="gzip",
                                                  base_timestamp=now_ms())))[0]
        same(("INVALID_RECORD", [0, 2]), (name_of(got["ErrorCode"]), [e["BatchIndex"] for e in got["RecordErrors"]]))
        same(("NONE", 0), put(c, t, records.batch([b"a", b"b"], keys=[b"", b"k"], codec="gzip", base_timestamp=now_ms())))
