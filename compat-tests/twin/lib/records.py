# SPDX-License-Identifier: Apache-2.0
"""Record batches of format 2, made and taken apart by hand, so that every field can be wrong on purpose."""
import gzip
import struct

from wire import Reader, varint

_table = []
for _n in range(256):
    for _ in range(8):
        _n = _n >> 1 ^ 0x82F63B78 if _n & 1 else _n >> 1
    _table.append(_n)


def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc = _table[(crc ^ b) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def record(offset_delta=0, timestamp_delta=0, key=None, value=b"", headers=(), attributes=0):
    body = struct.pack("b", attributes) + varint(timestamp_delta) + varint(offset_delta)
    for part in (key, value):
        body += varint(-1) if part is None else varint(len(part)) + part
    body += varint(len(headers))
    for name, content in headers:
        body += varint(len(name)) + name.encode()
        body += varint(-1) if content is None else varint(len(content)) + content
    return varint(len(body)) + body


def batch(values=(b"v",), base_offset=0, leader_epoch=-1, magic=2, attributes=0, base_timestamp=1000,
          max_timestamp=None, timestamps=None, producer_id=-1, producer_epoch=-1, base_sequence=-1, keys=None,
          codec=None, last_offset_delta=None, count=None, bad_crc=False, body=None):
    """A batch of the given values; `timestamps` are absolute."""
    timestamps = timestamps or [base_timestamp] * len(values)
    base_timestamp = timestamps[0] if timestamps else base_timestamp
    if body is None:
        body = b"".join(record(i, timestamps[i] - base_timestamp, keys[i] if keys else None, v)
                        for i, v in enumerate(values))
    if codec == "gzip":
        body, attributes = gzip.compress(body), attributes | 1
    max_timestamp = max(timestamps, default=base_timestamp) if max_timestamp is None else max_timestamp
    delta = len(values) - 1 if last_offset_delta is None else last_offset_delta
    tail = struct.pack(">hiqqqhii", attributes, delta, base_timestamp, max_timestamp, producer_id, producer_epoch,
                       base_sequence, len(values) if count is None else count) + body
    crc = crc32c(tail) ^ (1 if bad_crc else 0)
    return struct.pack(">qiibI", base_offset, 9 + len(tail), leader_epoch, magic, crc) + tail


class Batch:
    """One batch as it came; `records` are (offset, timestamp, key, value) when not compressed."""

    def __init__(self, data):
        (self.base_offset, self.size, self.leader_epoch, self.magic, self.crc, self.attributes, self.last_delta,
         self.base_timestamp, self.max_timestamp, self.producer_id, self.producer_epoch, self.base_sequence,
         self.count) = struct.unpack(">qiibIhiqqqhii", data[:61])
        self.crc_is_right = crc32c(data[21:12 + self.size]) == self.crc
        self.last_offset = self.base_offset + self.last_delta
        self.records = []
        body = data[61:12 + self.size]
        if self.attributes & 7 == 1:
            body = gzip.decompress(body)
        elif self.attributes & 7:
            return
        r = Reader(body)
        for _ in range(self.count):
            r.varint()
            r.take(1)
            time, offset = r.varint(), r.varint()
            parts = []
            for _ in range(2):
                n = r.varint()
                parts.append(None if n < 0 else r.take(n))
            for _ in range(r.varint()):
                r.take(r.varint())
                n = r.varint()
                r.take(max(n, 0))
            self.records.append((self.base_offset + offset, self.base_timestamp + time, *parts))


def batches(data):
    """The whole batches in `data`; what is left of a cut one at the end is dropped."""
    out, at = [], 0
    while at + 61 <= len(data):
        size = struct.unpack(">i", data[at + 8:at + 12])[0] + 12
        if at + size > len(data):
            break
        out.append(Batch(data[at:at + size]))
        at += size
    return out
