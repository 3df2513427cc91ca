# SPDX-License-Identifier: Apache-2.0
"""Messages of the formats before batches, magic 0 and 1, as brokers before 0.11 left them on disk:

    int64 offset | int32 size | uint32 CRC-32 of the rest | int8 magic | int8 attributes | (magic 1: int64 timestamp) |
    int32 key size | key | int32 value size | value

Compressed ones are the value of a message whose offset is that of the last within; in magic 1 the offsets within count
from 0."""
import gzip
import struct
import zlib


def message(offset, value=b"v", key=None, magic=1, timestamp=1000, attributes=0, bad_crc=False):
    body = struct.pack(">bb", magic, attributes)
    if magic == 1:
        body += struct.pack(">q", timestamp)
    for part in (key, value):
        body += struct.pack(">i", -1) if part is None else struct.pack(">i", len(part)) + part
    return struct.pack(">qiI", offset, 4 + len(body), zlib.crc32(body) ^ (1 if bad_crc else 0)) + body


def compressed(messages, last_offset, magic=1, timestamp=1000, attributes=1):
    """`messages` in bytes, their offsets as the magic wants them; by gzip."""
    return message(last_offset, gzip.compress(messages, mtime=0), None, magic, timestamp, attributes)
