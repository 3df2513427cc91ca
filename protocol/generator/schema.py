# SPDX-License-Identifier: Apache-2.0
"""The schema language, and its parser.

A file holds one or more messages. `#` begins a comment; comment lines right above a message or a
field, or behind a field, belong to it and are carried into the C. A message begins at the margin:

    request  NAME api KEY    versions V [unstable N] flexible V listeners (broker|controller)...
    response NAME api KEY    versions V flexible V
    header   NAME            versions V flexible V
    data     NAME            versions V flexible V             stored or sent without a type number
    record   NAME in DOMAIN type N versions V flexible V       a record's value, its type in front
    key      NAME in DOMAIN type N versions V flexible V       a coordinator's record: its key…
    value    NAME in DOMAIN type N versions V flexible V       …and its value

and its fields follow, one a line, four spaces deeper; the fields of a struct follow the field that
introduces it, deeper again. `struct NAME V` introduces a struct that several fields use.

    NAME TYPE V [nullable V] [tag N] [default D] [ignorable] [key] [entity E] [classic]

V is a range of versions: `3`, `3-7`, `3+` or `none`.   TYPE is a primitive, a struct, or [] and one.
  nullable   null may stand there, at these versions
  tag        optional: kept by number in the tagged fields (KIP-482), at all its versions
  default    if it is not zero, false, empty; `null` for what may be null
  ignorable  may be dropped silently when written at a version that lacks it; else that is an error
  key        identifies an element among its siblings
  entity     what it names: topicName, brokerId, groupId, producerId, transactionalId
  classic    never in compact form, even where the message is flexible

errors.msg is of another kind: a line `errors`, then CODE NAME [retriable] [metadata].
"""
import re

PRIMITIVES = ("bool", "int8", "int16", "uint16", "int32", "uint32", "int64", "float64", "string",
              "bytes", "records", "uuid")
DOMAINS = ("metadata", "group", "transaction", "share", "remote_log")
ENTITIES = ("topicName", "brokerId", "groupId", "producerId", "transactionalId")
KINDS = ("request", "response", "header", "data", "record", "key", "value")
FOREVER = 32767


class SchemaError(Exception):
    pass


class Message:
    """kind, name, api/domain/type, versions, comment, and `body`, the root Struct."""


class Struct:
    """name (None for a message's own), versions, fields, comment."""

    def __init__(self, name, versions, comment):
        self.name, self.versions, self.comment, self.fields = name, versions, comment, []


class Field:
    """name, type (a primitive or a Struct), is_array, versions, nullable, tag, default…"""

    nullable, tag, default, ignorable, key, entity, classic = None, None, None, False, False, None, \
        False


def versions(text):
    """'3-7' -> (3, 7), '3+' -> (3, FOREVER), 'none' -> None"""
    if text == "none":
        return None
    m = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text)
    if not m:
        raise SchemaError(f"'{text}' is not a range of versions")
    first = int(m[1])
    last = FOREVER if m[2] else int(m[3]) if m[3] else first
    if last < first:
        raise SchemaError(f"'{text}' runs backwards")
    return first, last


def inside(inner, outer):
    """The part of a range of versions that another one has; None if there is none."""
    if inner is None or outer is None:
        return None
    first, last = max(inner[0], outer[0]), min(inner[1], outer[1])
    return (first, last) if first <= last else None


def options(words, takes):
    """['api', '3', 'key'] -> {'api': '3', 'key': True}; takes: word -> how many values (-1 many)."""
    out, i = {}, 0
    while i < len(words):
        word = words[i]
        if word not in takes or word in out:
            raise SchemaError(f"unexpected '{word}'")
        n = takes[word] if takes[word] >= 0 else len(words) - i - 1
        if i + n >= len(words) + (n == 0):
            raise SchemaError(f"'{word}' lacks its value")
        values = words[i + 1:i + 1 + n]
        out[word] = values if takes[word] < 0 else values[0] if n else True
        i += 1 + n
    return out


def parse_message(words, comment):
    m = Message()
    m.kind, m.name, m.comment = words[0], words[1], comment
    o = options(words[2:], {"api": 1, "in": 1, "type": 1, "versions": 1, "unstable": 1,
                            "flexible": 1, "listeners": -1})
    needed = {"request": {"api", "listeners"}, "response": {"api"}, "record": {"in", "type"},
              "key": {"in", "type"}, "value": {"in", "type"}}.get(m.kind, set())
    if set(o) - {"unstable"} != needed | {"versions", "flexible"}:
        raise SchemaError(f"a {m.kind} needs {sorted(needed | {'versions', 'flexible'})}")
    m.versions, m.flexible = versions(o["versions"]), versions(o["flexible"])
    m.unstable = int(o["unstable"]) if "unstable" in o else None
    m.api = int(o["api"]) if "api" in o else None
    m.domain, m.type = o.get("in"), int(o["type"]) if "type" in o else None
    m.listeners = o.get("listeners", [])
    if m.domain and m.domain not in DOMAINS:
        raise SchemaError(f"'{m.domain}' is none of {DOMAINS}")
    m.body = Struct(None, m.versions, comment)
    m.structs = {}
    return m


def parse_default(field, text):
    """A number, or None for null. Only what the schemas of Kafka use is known."""
    if text == "null":
        if field.nullable is None:
            raise SchemaError("null, but not nullable")
        return None
    if field.is_array or isinstance(field.type, Struct):
        raise SchemaError("an array or struct defaults to null or nothing")
    if field.type == "bool" and text == "true":
        return 1
    if field.type.lstrip("u").startswith("int"):
        return int(text)
    raise SchemaError(f"'{text}' cannot be the default of a {field.type}")


def parse_field(message, words, comment):
    """A field, and the Struct that its sub-fields go to (None if it has none)."""
    if len(words) < 3:
        raise SchemaError("a field is NAME TYPE VERSIONS …")
    f = Field()
    f.name, f.comment, f.versions = words[0], comment, versions(words[2])
    f.is_array = words[1].startswith("[]")
    name = words[1][2:] if f.is_array else words[1]
    introduced = None
    if name in PRIMITIVES:
        f.type = name
    elif name in message.structs:
        f.type = message.structs[name]
    else:
        f.type = introduced = message.structs[name] = Struct(name, f.versions, None)
    o = options(words[3:], {"nullable": 1, "tag": 1, "default": 1, "ignorable": 0, "key": 0,
                            "entity": 1, "classic": 0})
    f.nullable = versions(o["nullable"]) if "nullable" in o else None
    f.tag = int(o["tag"]) if "tag" in o else None
    f.has_default = "default" in o
    f.default = parse_default(f, o["default"]) if f.has_default else 0
    f.ignorable, f.key, f.classic = "ignorable" in o, "key" in o, "classic" in o
    f.entity = o.get("entity")
    if f.entity not in (None,) + ENTITIES:
        raise SchemaError(f"'{f.entity}' is none of {ENTITIES}")
    return f, introduced


def parse(text, where):
    """The Messages of one schema file."""
    messages, stack, comment = [], [], []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            code, _, note = line.partition("#")
            if not code.strip():
                comment = comment + [note.strip()] if note else []
                continue
            words = code.split()
            depth, odd = divmod(len(code) - len(code.lstrip(" ")), 4)
            if odd:
                raise SchemaError("indent by four spaces")
            said = " ".join(comment + ([note.strip()] if note else [])) or None
            comment = []
            if depth == 0:
                if words[0] not in KINDS or len(words) < 2:
                    raise SchemaError(f"a message begins with one of {KINDS}")
                messages.append(parse_message(words, said))
                stack = [messages[-1].body]
            elif words[0] == "struct" and len(words) == 3 and depth == 1 and stack:
                message = messages[-1]
                if words[1] in message.structs:
                    raise SchemaError(f"struct {words[1]} is there already")
                message.structs[words[1]] = Struct(words[1], versions(words[2]), said)
                stack = [message.body, message.structs[words[1]]]
            else:
                if depth > len(stack) or stack[depth - 1] is None:
                    raise SchemaError("deeper than anything it could belong to")
                field, introduced = parse_field(messages[-1], words, said)
                stack[depth - 1].fields.append(field)
                del stack[depth:]
                stack.append(introduced)
        except (SchemaError, ValueError) as e:
            raise SchemaError(f"{where}:{number}: {e}") from None
    for message in messages:
        try:
            check(message)
        except SchemaError as e:
            raise SchemaError(f"{where}: {message.name}: {e}") from None
    return messages


def check(message):
    """What can only be seen of a whole message. Narrows every range of versions to those that the
    message has."""
    message.flexible = inside(message.flexible, message.versions)
    structs = [message.body] + list(message.structs.values())
    for s in structs:
        s.versions = inside(s.versions, message.versions)
        for f in s.fields:
            f.versions = inside(f.versions, message.versions)
            f.nullable = inside(f.nullable, f.versions)
    for s in structs:
        if s.name and not s.fields:
            raise SchemaError(f"struct {s.name} has no fields")
        if len({f.name for f in s.fields}) != len(s.fields):
            raise SchemaError(f"two fields of {s.name} have one name")
        tags = sorted(f.tag for f in s.fields if f.tag is not None)
        if len(tags) > 31 or len(s.fields) > 255:
            raise SchemaError(f"{s.name} has more fields or tags than the codec can count")
        if len(set(tags)) != len(tags):
            raise SchemaError(f"two fields of {s.name} have one tag")
        for f in s.fields:
            if f.versions is None:
                raise SchemaError(f"{f.name} is in none of the message's versions")
            if isinstance(f.type, Struct) and inside(f.versions, f.type.versions) != f.versions:
                raise SchemaError(f"{f.name} is in versions that struct {f.type.name} lacks")
            if f.tag is not None and not message.flexible:
                raise SchemaError(f"{f.name} has a tag, but the message is never flexible")


def parse_errors(text, where):
    """errors.msg: [(code, name, retriable, metadata)], by code."""
    errors, begun = [], False
    for number, line in enumerate(text.split("\n"), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if not begun:
            begun = words == ["errors"]
            if begun:
                continue
        if not begun or len(words) < 2 or set(words[2:]) - {"retriable", "metadata"}:
            raise SchemaError(f"{where}:{number}: an error is CODE NAME [retriable] [metadata]")
        errors.append((int(words[0]), words[1], "retriable" in words, "metadata" in words))
    return sorted(errors)
