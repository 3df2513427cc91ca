# SPDX-License-Identifier: Apache-2.0
"""Speaks Kafka's protocol to a broker, message by message, without a client's opinions.

    c = wire.Connection("127.0.0.1:9092")
    answer = c.call("Fetch", 12, MaxWaitMs=0, MinBytes=1, Topics=[{"Topic": "t", "Partitions": [
        {"Partition": 0, "FetchOffset": 0, "PartitionMaxBytes": 1 << 20}]}])
    answer["Responses"][0]["Partitions"][0]["Records"]

Messages are dicts with Kafka's field names; what a request leaves out has the schema's default. Records are bytes,
null is None. The schemas are those in protocol/schema, parsed by the generator's own parser; encoding and decoding
are written here a second time, so that a fault of the C codec cannot hide. A connection that the broker closed
raises Closed."""
import os
import socket
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROTOCOL = os.path.join(HERE, "..", "..", "..", "protocol")
sys.path.insert(0, PROTOCOL)
from generator import schema  # noqa: E402

_messages = {}


class Closed(Exception):
    """The broker ended the connection."""


def message(name):
    """The schema of ProduceRequest and so on; loaded once."""
    if not _messages:
        folder = os.path.join(PROTOCOL, "schema")
        for file in sorted(os.listdir(folder)):
            if file.endswith(".msg") and file != "errors.msg":
                with open(os.path.join(folder, file)) as text:
                    for m in schema.parse(text.read(), file):
                        _messages[m.name] = m
    return _messages[name]


def errors():
    """{name: code}"""
    with open(os.path.join(PROTOCOL, "schema", "errors.msg")) as text:
        return {name: code for code, name, _, _ in schema.parse_errors(text.read(), "errors.msg")}


def inside(version, range_):
    return range_ is not None and range_[0] <= version <= range_[1]


# ---- writing --------------------------------------------------------------------------------------------------

def uvarint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def varint(n):
    return uvarint((n << 1) ^ (n >> 63))


FIXED = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d"}


def _default(field, version):
    if field.is_array:
        return None if field.has_default and field.default is None else []
    if isinstance(field.type, schema.Struct):
        return None if field.has_default and field.default is None else {}
    if field.type in ("string", "bytes", "records"):
        if field.has_default and field.default is None:
            return None
        return "" if field.type == "string" else b""
    if field.type == "uuid":
        return bytes(16)
    return field.default


def _write_value(type_, value, version, flexible, array):
    if array:
        if value is None:
            return b"\0" if flexible else struct.pack(">i", -1)
        head = uvarint(len(value) + 1) if flexible else struct.pack(">i", len(value))
        return head + b"".join(_write_value(type_, v, version, flexible, False) for v in value)
    if isinstance(type_, schema.Struct):
        return write_struct(type_, value, version, flexible)
    if type_ == "bool":
        return b"\1" if value else b"\0"
    if type_ in FIXED:
        return struct.pack(FIXED[type_], value)
    if type_ == "uuid":
        return value
    if type_ == "string" and value is not None:
        value = value.encode()
    if value is None:
        return b"\0" if flexible else struct.pack(">h" if type_ == "string" else ">i", -1)
    if flexible:
        return uvarint(len(value) + 1) + value
    return struct.pack(">h" if type_ == "string" else ">i", len(value)) + value


def write_struct(s, values, version, flexible):
    left = set(values)
    out, tagged = b"", []
    for f in s.fields:
        left.discard(f.name)
        if not inside(version, f.versions):
            continue
        value = values.get(f.name, _default(f, version))
        is_nullable = isinstance(f.type, schema.Struct) and not f.is_array and inside(version, f.nullable)
        if f.tag is not None:
            if f.name in values:
                data = b"" if value is None and is_nullable else _write_value(f.type, value, version, True, f.is_array)
                tagged.append((f.tag, uvarint(value is not None) + data if is_nullable else data))
            continue
        if is_nullable:
            out += struct.pack(">b", -1 if value is None else 1)
            if value is None:
                continue
        out += _write_value(f.type, value, version, flexible and not f.classic, f.is_array)
    if left:
        raise KeyError("no field %s in %s" % (left, s.name))
    if flexible:
        out += uvarint(len(tagged))
        for tag, data in sorted(tagged):
            out += uvarint(tag) + uvarint(len(data)) + data
    return out


# ---- reading --------------------------------------------------------------------------------------------------

class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n < 0 or self.at + n > len(self.data):
            raise ValueError("%d bytes wanted at %d of %d" % (n, self.at, len(self.data)))
        self.at += n
        return self.data[self.at - n:self.at]

    def fixed(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def uvarint(self):
        shift = value = 0
        while True:
            b = self.take(1)[0]
            value |= (b & 127) << shift
            if b < 128:
                return value
            shift += 7

    def varint(self):
        n = self.uvarint()
        return (n >> 1) ^ -(n & 1)


def _read_value(r, type_, version, flexible, array):
    if array:
        count = r.uvarint() - 1 if flexible else r.fixed(">i")
        return None if count < 0 else [_read_value(r, type_, version, flexible, False) for _ in range(count)]
    if isinstance(type_, schema.Struct):
        return read_struct(r, type_, version, flexible)
    if type_ == "bool":
        return r.take(1) != b"\0"
    if type_ in FIXED:
        return r.fixed(FIXED[type_])
    if type_ == "uuid":
        return r.take(16)
    size = r.uvarint() - 1 if flexible else r.fixed(">h" if type_ == "string" else ">i")
    if size < 0:
        return None
    data = r.take(size)
    return data.decode() if type_ == "string" else data


def read_struct(r, s, version, flexible):
    """Tagged fields that were not sent are not in the dict."""
    out = {}
    for f in s.fields:
        if inside(version, f.versions) and f.tag is None:
            nullable = isinstance(f.type, schema.Struct) and not f.is_array and inside(version, f.nullable)
            if nullable and r.fixed(">b") < 0:
                out[f.name] = None
                continue
            out[f.name] = _read_value(r, f.type, version, flexible and not f.classic, f.is_array)
    if flexible:
        by_tag = {f.tag: f for f in s.fields if f.tag is not None and inside(version, f.versions)}
        for _ in range(r.uvarint()):
            tag, size = r.uvarint(), r.uvarint()
            data = Reader(r.take(size))
            if tag in by_tag:
                f = by_tag[tag]
                nullable = isinstance(f.type, schema.Struct) and not f.is_array and inside(version, f.nullable)
                if nullable and data.uvarint() == 0:
                    out[f.name] = None
                    continue
                out[f.name] = _read_value(data, f.type, version, True, f.is_array)
            else:
                out[tag] = data.data
    return out


# ---- a connection ---------------------------------------------------------------------------------------------

class Connection:
    def __init__(self, bootstrap, timeout_s=30, client_id="twin"):
        host, _, port = bootstrap.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client_id = client_id
        self.correlation_id = 0
        self.waiting = []  # (correlation id, schema, version) of answers that are due

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def encode(self, name, version, body):
        """The frame of a request, with its length in front."""
        m = message(name + "Request")
        flexible = inside(version, m.flexible)
        self.correlation_id += 1
        out = struct.pack(">hhi", m.api, version, self.correlation_id)
        id_ = self.client_id
        out += struct.pack(">h", -1) if id_ is None else struct.pack(">h", len(id_)) + id_.encode()
        out += b"\0" if flexible else b""
        out += write_struct(m.body, body, version, flexible)
        return struct.pack(">i", len(out)) + out

    def send(self, name, version, **body):
        frame = self.encode(name, version, body)
        self.waiting.append((self.correlation_id, message(name + "Response"), version))
        self.send_raw(frame)

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except (ConnectionResetError, BrokenPipeError) as e:
            raise Closed from e

    def read_exactly(self, n):
        out = b""
        while len(out) < n:
            try:
                more = self.socket.recv(n - len(out))
            except ConnectionResetError as e:
                raise Closed from e
            if not more:
                raise Closed
            out += more
        return out

    def receive_frame(self):
        return self.read_exactly(struct.unpack(">i", self.read_exactly(4))[0])

    def receive(self):
        """The answer to the oldest request that has none yet."""
        correlation_id, m, version = self.waiting.pop(0)
        frame = self.receive_frame()
        r = Reader(frame)
        got = r.fixed(">i")
        if got != correlation_id:
            raise ValueError("correlation id %d, wanted %d" % (got, correlation_id))
        flexible = inside(version, m.flexible)
        if flexible and m.api != 18:
            for _ in range(r.uvarint()):
                r.uvarint()
                r.take(r.uvarint())
        out = read_struct(r, m.body, version, flexible)
        if r.at != len(frame):
            raise ValueError("%d bytes behind the answer" % (len(frame) - r.at))
        return out

    def call(self, name, version, **body):
        self.send(name, version, **body)
        return self.receive()

    def expect_silence_then_close(self):
        """True if the broker ends the connection without a byte."""
        try:
            data = self.socket.recv(1)
        except ConnectionResetError:
            return True
        return data == b""
