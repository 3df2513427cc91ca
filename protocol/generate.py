#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generate.py SCHEMA_DIR OUT_DIR: writes the C of the protocol from its schema.

OUT_DIR gets messages/X.h for each SCHEMA_DIR/X.msg, records/X.h for each SCHEMA_DIR/records/X.msg,
api_keys.h, record_types.h, kafka_error.[ch] and descriptors.c. A file is touched only if it changes,
so that nothing is compiled again for nothing. Everything is sorted: the same schema, the same bytes.
"""
import os
import sys

sys.dont_write_bytecode = True
from generator import emit, schema  # noqa: E402


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path) and read(path) == text:
        return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def schema_files(folder):
    return sorted(n[:-4] for n in os.listdir(folder) if n.endswith(".msg"))


def pairs_match(messages):
    """Every request has its response, every key of a record its value."""
    for one, other, key in [("request", "response", lambda m: m.api),
                            ("key", "value", lambda m: (m.domain, m.type))]:
        ones = [key(m) for m in messages if m.kind == one]
        others = [key(m) for m in messages if m.kind == other]
        if sorted(ones) != sorted(others) or len(set(ones)) != len(ones):
            raise schema.SchemaError(f"some {one} and {other} do not pair")


def main(source, out):
    includes, everything, errors = [], [], []
    for folder, into in [("", "messages"), ("records", "records")]:
        for name in schema_files(os.path.join(source, folder)):
            path = os.path.join(source, folder, name + ".msg")
            if (folder, name) == ("", "errors"):
                errors = schema.parse_errors(read(path), path)
                continue
            messages = schema.parse(read(path), path)
            write(f"{out}/{into}/{name}.h", emit.header(f"{into}/{name}.h", messages))
            includes.append(f"{into}/{name}.h")
            everything += messages
    pairs_match(everything)
    write(f"{out}/descriptors.c", emit.descriptors(includes, everything))
    write(f"{out}/api_keys.h", emit.api_keys(everything))
    write(f"{out}/record_types.h", emit.record_types(everything))
    write(f"{out}/kafka_error.h", emit.error_header(errors))
    write(f"{out}/kafka_error.c", emit.error_source(errors))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(sys.argv[1], sys.argv[2])
    except (schema.SchemaError, ValueError, OSError) as e:
        sys.exit(f"generate.py: {e}")
