# SPDX-License-Identifier: Apache-2.0
"""What a conversation left in __consumer_offsets and __share_group_state, record by record, against a file of what the real
broker left after the same one.

    story = Story(t)
    group, topic = story.named("G"), story.topic("T")     # a name that stands as G in the file; a topic, its id as T-id
    …
    story.same("NAME")                                    # with stored/NAME.txt beside the case

A line a record: its kind, the key's fields, the value's version and fields, as they come on disk. Each record is encoded anew
from what was decoded and must come out to the byte, so equal lines are equal bytes but for what is different each time: names
and ids, times (0 stays 0), hashes of topics. Which records share a batch is not told: the real broker waits a little for more.
`TWIN_RECORD=1 twin/run --broker kafka --only …` writes the files; nothing else does."""
import itertools
import os
import struct
import sys

import datakit
import records
import topics
import wire
from generator import schema

TIMES = ("timestamp", "currentstatetimestamp", "committimestamp", "createtimestamp", "writetimestamp",
         "assignmenttimestamp")
HASHES = ("metadatahash", "version") # of topics; the version is that of the image an expression was resolved with
SPACES = {"__consumer_offsets": "group", "__share_group_state": "share"}
_kinds = {}


def kinds(space):
    """{type of the key: (key's schema, value's schema)}"""
    if space not in _kinds:
        found = {}
        folder = os.path.join(wire.PROTOCOL, "schema", "records")
        for file in sorted(os.listdir(folder)):
            with open(os.path.join(folder, file)) as text:
                for m in schema.parse(text.read(), file):
                    if m.kind in ("key", "value") and m.domain == space:
                        found.setdefault(m.type, {})[m.kind] = m
        _kinds[space] = {n: (pair["key"], pair["value"]) for n, pair in found.items()}
    return _kinds[space]


def decoded(m, version, data, what):
    flexible = wire.inside(version, m.flexible)
    r = wire.Reader(data)
    fields = wire.read_struct(r, m.body, version, flexible)
    again = wire.write_struct(m.body, fields, version, flexible)
    assert r.at == len(data) and again == data, "%s is not as it should be encoded: %s" % (what, data.hex())
    return fields


def sorted_where_any(lines):
    """Of members that go together the order is that of a map by ids which are other ones each time."""
    kind = lambda line: line[:line.index("(")] if line.endswith(" gone") else line
    return [line for _, run in itertools.groupby(lines, kind) for line in sorted(run)]


def place(id_):
    """Where a topic's id goes in Java's HashMap, but for its size."""
    high, low = struct.unpack(">QQ", id_)
    return spread((high ^ low) >> 32 ^ (high ^ low) & 0xFFFFFFFF)


def spread(hash_):
    """Where something with this hash goes in Java's HashMap, but for its size."""
    return hash_ ^ hash_ >> 16


def java_hash(text):
    hash_ = 0
    for unit in text.encode("utf-16-be")[1::2]: # of what is in the first 256 characters
        hash_ = hash_ * 31 + unit & 0xFFFFFFFF
    return hash_


class Story:
    def __init__(self, t):
        self.t, self.c = t, datakit.begin(t)
        self.words = {}         # what stands in the records: what stands in the file

    def named(self, word):
        name = self.t.name("stored").ljust(24, "-")
        self.words[name] = word
        return name

    def stands_for(self, value, word):
        self.words[value] = word
        return value

    def topic(self, word, partitions=1, **configs):
        """Its name."""
        name = topics.create(self.t.connect(), self.named(word), partitions,
                             [(k.replace("_", "."), v) for k, v in configs.items()])
        self.stands_for(self.id_of(name), word + "-id")
        return name

    def topics(self, first, second, partitions=1):
        """The names of two that Java's maps by id give in this order, whatever their size."""
        while True:
            names = [self.topic(word, partitions) for word in (first, second)]
            one, other = (place(self.id_of(name)) for name in names)
            if all(one % size < other % size for size in (2, 4, 8, 16)):
                return names

    def id_of(self, name):
        return self.c.call("Metadata", 12, Topics=[{"Name": name}])["Topics"][0]["TopicId"]

    # ---- reading

    def _batches(self, topic):
        found = self.c.call("Metadata", 12, Topics=[{"Name": topic}])["Topics"][0]
        for partition in range(len(found["Partitions"])):
            at = 0
            while True:
                part = datakit.only(datakit.fetch(self.c, 12, (topic, [datakit.at(partition, at)])))
                datakit.same("NONE", datakit.name_of(part["ErrorCode"]))
                batches = [b for b in records.batches(part["Records"]) if b.last_offset >= at]
                if not batches:
                    break
                at = batches[-1].last_offset + 1
                yield from batches

    def _shown(self, value):
        if isinstance(value, dict):
            return {k: 0 if v == 0 else "time" if str(k).lower() in TIMES else "hash" if str(k).lower() in HASHES
                    else self._shown(v) for k, v in value.items()}
        if isinstance(value, list) and value and isinstance(value[0], dict) and "memberId" in value[0]: # each time with other ids
            ids = [m["memberId"] for m in value]
            datakit.same(sorted(ids, key=lambda id_: spread(java_hash(id_)) % 16), ids, "the order of Java's map")
            return sorted((self._shown(m) for m in value), key=lambda m: m["memberId"])
        if isinstance(value, list):
            return [self._shown(v) for v in value]
        if value in self.words:
            return self.words[value]
        if isinstance(value, str):
            return self._replaced(value)
        if isinstance(value, bytes):
            for name, word in self.words.items():
                value = value.replace(name.encode() if isinstance(name, str) else name, b"<" + word.encode() + b">")
        return value

    def _replaced(self, value):
        for name, word in self.words.items():
            if isinstance(name, str):
                value = value.replace(name, word)
        return value

    def lines(self, *stores):
        """Of all records that name one of ours in their key; those of share partitions by their keys."""
        ours = [w.encode() if isinstance(w, str) else w for w in self.words]
        out = []
        for topic in stores:
            found = [self._line(SPACES[topic], key, value) for batch in self._batches(topic) if not batch.attributes & 32
                     for _, _, key, value in batch.records if any(w in key for w in ours)]
            if topic == "__share_group_state": # whose partition hangs on the topic's id
                found.sort(key=lambda line: line[line.index("("):line.index(")")])
            out += found
        return sorted_where_any(out)

    def _line(self, space, key, value):
        number = struct.unpack(">h", key[:2])[0]
        of_key, of_value = kinds(space)[number]
        name = of_key.name[:-len("Key")]
        told = self._shown(decoded(of_key, 0, key[2:], name))
        line = "%s(%s)" % (name, ", ".join("%s=%r" % pair for pair in told.items()))
        if value is None:
            return line + " gone"
        version = struct.unpack(">h", value[:2])[0]
        told = self._shown(decoded(of_value, version, value[2:], name))
        return line + " v%d %s" % (version, ", ".join("%s=%r" % pair for pair in told.items()))

    # ---- comparing

    def same(self, name, *stores):
        caller = sys._getframe(1).f_globals["__file__"]
        path = os.path.join(os.path.dirname(os.path.abspath(caller)), "stored", name + ".txt")
        got = self.lines(*(stores or ("__consumer_offsets",)))
        if os.environ.get("TWIN_RECORD") == "1" and self.t.kind == "kafka":
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as out:
                out.write("".join(line + "\n" for line in got))
        with open(path) as text:
            want = text.read().splitlines()
        for n, (one, other) in enumerate(zip(want, got)):
            datakit.same(one, other, "record %d" % n)
        datakit.same(want[len(got):], got[len(want):], "more records")
