# SPDX-License-Identifier: Apache-2.0
"""The cleaner makes batches of messages of magic 0 and 1, also of those that it keeps whole. Magic 1 has the time of the append for
all within, magic 0 none; a tombstone gets its horizon as any other."""
import records
from datakit import at, fetch, now_ms, only, produce, same, until
from old_records import compressed, message
from serving import install


def case_old_messages_become_batches(twin):
    now = now_ms()
    data = b"".join([
        message(0, b"a0", b"a", magic=0), message(1, b"b1", b"b", magic=0), message(2, b"a2", b"a", magic=0),
        message(3, b"no key", None, magic=0), message(4, None, b"t", magic=0),
        message(5, b"c5", b"c", timestamp=now), message(6, b"c6", b"c", timestamp=now + 1),
        message(7, None, b"u", timestamp=now),
        compressed(message(0, b"d8", b"d", timestamp=now) + message(1, b"e9", b"e", timestamp=now + 5)
                   + message(2, b"d10", b"d", timestamp=now + 2), 10, timestamp=now + 5),
        compressed(message(11, b"f11", b"f", magic=0) + message(12, b"g12", b"g", magic=0), 12, magic=0),
        compressed(message(13, b"f13", b"f", magic=0) + message(14, b"f14", b"f", magic=0), 14, magic=0),
        compressed(message(0, b"h15", b"h", timestamp=3) + message(1, b"h16", b"h", timestamp=4), 16, timestamp=now + 6,
                   attributes=9),
        compressed(message(0, b"i17", b"i", timestamp=3) + message(1, b"j18", b"j", timestamp=4), 18, timestamp=now + 6)])
    c, t = install(twin, data, cleanup_policy="compact", min_cleanable_dirty_ratio="0.001", internal_segment_bytes=len(data))
    for i in range(6): # so that the old ones are in a segment that is no more written to
        produce(c, 12, t, (0, records.batch([b"x" * 200], keys=[b"later%d" % i], base_timestamp=now)))

    def cleaned():
        got = only(fetch(c, 12, (t, [at()])))["Records"]
        return None if got.startswith(data[:100]) else got
    got = records.batches(until("it is cleaned", cleaned))
    want = [(1, 0, [(1, -1, b"b", b"b1")]), (2, 0, [(2, -1, b"a", b"a2")]), (4, 0x40, [(4, -1, b"t", None)]),
            (6, 0, [(6, now + 1, b"c", b"c6")]), (7, 0x40, [(7, now, b"u", None)]),
            (9, 1, [(9, now + 5, b"e", b"e9"), (10, now + 2, b"d", b"d10")]), (12, 1, [(12, -1, b"g", b"g12")]),
            (14, 1, [(14, -1, b"f", b"f14")]), (16, 9, [(16, now + 6, b"h", b"h16")]),
            (17, 1, [(17, 3, b"i", b"i17"), (18, 4, b"j", b"j18")])]
    for b in got[:len(want)]: # the header has a horizon or the append time where records count from
        base = now + 6 if b.attributes & 8 else b.records[0][1]
        b.records = [(o, base if b.attributes & 0x48 else ts, k, v) for o, ts, k, v in b.records]
        same((True, -1), (b.crc_is_right, b.leader_epoch))
    for w, b in zip(want, got):
        if b.attributes & 0x40:
            w = (w[0], w[1], [(w[2][0][0], b.records[0][1]) + w[2][0][2:]])
        same(w, (b.base_offset, b.attributes, b.records))
