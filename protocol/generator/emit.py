# SPDX-License-Identifier: Apache-2.0
"""Writes C from parsed schemas: a header of structs for each schema file, the tables of
descriptors (protocol/codec.h says what they mean), the errors, and the lists of keys."""
from . import names
from .schema import FOREVER, Struct, inside

HEAD = "// Generated from protocol/schema by protocol/generate.py. Do not edit.\n" \
       "// SPDX-License-Identifier: Apache-2.0\n"

C_TYPES = {"bool": "bool", "int8": "int8_t", "int16": "int16_t", "uint16": "uint16_t",
           "int32": "int32_t", "uint32": "uint32_t", "int64": "int64_t", "float64": "double",
           "string": "struct str", "bytes": "struct bytes", "records": "struct records",
           "uuid": "struct uuid"}
FIXED_SIZES = {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8,
               "float64": 8, "uuid": 16}
CLASSIC_SIZES = {"string": 2, "bytes": 4, "records": 4}


def version_text(v):
    if v is None:
        return "none"
    first, last = v
    return f"{first}+" if last == FOREVER else str(first) if first == last else f"{first}-{last}"


def holds(v, version):
    return v is not None and v[0] <= version <= v[1]


def is_struct(field):
    return isinstance(field.type, Struct)


def is_pointer(field):
    """A struct that may be null is kept behind a pointer."""
    return is_struct(field) and not field.is_array and field.nullable is not None


def used_structs(message):
    """The structs of a message, each after those it holds; the message's own last."""
    order = []

    def visit(s):
        for f in s.fields:
            if is_struct(f):
                visit(f.type)
        if s not in order:
            order.append(s)
    visit(message.body)
    return order


def min_size(s, version, flexible):
    """The fewest bytes in which a struct can be encoded."""
    total = 1 if flexible else 0
    for f in s.fields:
        if not holds(f.versions, version) or f.tag is not None:
            continue
        compact = flexible and not f.classic
        if f.is_array:
            total += 1 if compact else 4
        elif is_struct(f):
            total += 1 if holds(f.nullable, version) else min_size(f.type, version, flexible)
        elif f.type in FIXED_SIZES:
            total += FIXED_SIZES[f.type]
        else:
            total += 1 if compact else CLASSIC_SIZES[f.type]
    return total


# ---- structs --------------------------------------------------------------------------------------

def member_lines(message, f):
    name = names.member(f.name)
    base = "struct " + names.struct(message.name, f.type.name) if is_struct(f) else C_TYPES[f.type]
    star = "*" if f.is_array or is_pointer(f) else ""
    code = f"    {base} {star}{name};"
    said = [version_text(f.versions)]
    if f.tag is not None:
        said.append(f"tag {f.tag}")
    if f.nullable:
        said.append("null at " + version_text(f.nullable) if f.nullable != f.versions
                    else "may be null")
    if f.has_default:
        said.append("default " + ("null" if f.default is None else
                                  "true" if f.type == "bool" else str(f.default)))
    if f.entity:
        said.append(f.entity)
    note = ", ".join(said) + (". " + f.comment if f.comment else "")
    lines = [f"{code} // {note}"] if len(code) + len(note) < 96 else wrap(note, "    // ") + [code]
    return lines + ([f"    int32_t {name}_count;"] if f.is_array else [])


def wrap(text, lead, width=100):
    lines, line = [], lead.rstrip()
    for word in text.split():
        if len(line) + 1 + len(word) > width:
            lines.append(line)
            line = lead.rstrip()
        line += " " + word
    return lines + [line]


def members(message, s):
    """The C members of a struct, checked to be different from each other."""
    seen = set()
    for f in s.fields:
        for n in [names.member(f.name)] + ([names.member(f.name) + "_count"] * f.is_array):
            if n in seen:
                raise ValueError(f"{message.name}: two members are called {n}")
            seen.add(n)
    lines = [line for f in s.fields for line in member_lines(message, f)]
    if message.flexible:
        lines.append("    struct tagged_fields unknown_tagged_fields;")
    return lines or ["    char unused; // a struct without fields is no C"]


def title(m):
    where = f"api {m.api}, " if m.api is not None else \
        f"{m.domain} record {m.kind}, type {m.type}, " if m.domain else ""
    return f"{m.name}: {where}versions {version_text(m.versions)}" + \
        (f", flexible {version_text(m.flexible)}" if m.flexible else "")


def header(path, messages):
    guard = "PROTOCOL_" + path.replace("/", "_").replace(".", "_").upper()
    out = [HEAD, f"#ifndef {guard}", f"#define {guard}", "", '#include "protocol/codec.h"']
    for m in messages:
        for s in used_structs(m):
            out.append("")
            note = m.comment if s is m.body else s.comment
            if s is m.body:
                out += wrap(title(m), "// ")
            if note:
                out += wrap(note, "// ")
            out.append(f"struct {names.struct(m.name, s.name)} {{")
            out += members(m, s) + ["};"]
        out += [""] + [f"extern const struct message_desc {names.struct(m.name, s.name)}_desc;"
                       for s in used_structs(m)]
    return "\n".join(out + ["", "#endif", ""])


# ---- descriptors ----------------------------------------------------------------------------------

def c_range(v):
    return "{1, 0}" if v is None else f"{{{v[0]}, {v[1]}}}"


def field_row(message, s, f):
    flags = [flag for flag, on in [
        ("FIELD_ARRAY", f.is_array), ("FIELD_POINTER", is_pointer(f)),
        ("FIELD_IGNORABLE", f.ignorable), ("FIELD_CLASSIC", f.classic),
        ("FIELD_NULL_DEFAULT", f.default is None or f.type == "records"),
        ("FIELD_KEY", f.key)] if on]
    of = f"&{names.struct(message.name, f.type.name)}_desc" if is_struct(f) else "NULL"
    kind = "STRUCT" if is_struct(f) else f.type.upper()
    return f'    {{"{names.camel(f.name)}", {of}, {f.default or 0}, ' \
        f"offsetof(struct {names.struct(message.name, s.name)}, {names.member(f.name)}), " \
        f"{-1 if f.tag is None else f.tag}, {c_range(f.versions)}, {c_range(f.nullable)}, " \
        f"FIELD_{kind}, {' | '.join(flags) or 0}}},"


def default_value(message, s, indent):
    """A C initialiser with the schema's defaults; what is not named is zero."""
    out = []
    for f in s.fields:
        name, value = names.member(f.name), None
        if f.is_array:
            if f.default is None:
                out.append(f"{indent}.{name}_count = -1,")
            continue
        if is_pointer(f):
            c = names.struct(message.name, f.type.name)
            value = None if f.default is None else f"(struct {c} *)&{c}_default"
        elif is_struct(f):
            inner = default_value(message, f.type, indent + "    ")
            value = "{\n" + "\n".join(inner) + f"\n{indent}}}" if inner else None
        elif f.type == "records":
            value = "{.size = -1}"
        elif f.type in ("string", "bytes"):
            cast = "(const uint8_t *)" if f.type == "bytes" else ""
            value = None if f.default is None else f'{{.data = {cast}""}}'
        elif f.default:
            value = f.default
        if value is not None:
            out.append(f"{indent}.{name} = {value},")
    return out


def descriptor(message, s):
    """The tables of one struct."""
    c = names.struct(message.name, s.name)
    first, last = s.versions
    flexible_first = message.flexible[0] if message.flexible else None
    out = []
    if s.fields:
        out += [f"static const struct field_desc {c}_fields[] = {{"]
        out += [field_row(message, s, f) for f in s.fields] + ["};"]
    sizes = [min_size(s, v, flexible_first is not None and v >= flexible_first)
             for v in range(first, last + 1)]
    out.append(f"static const uint16_t {c}_min_sizes[] = {{{', '.join(map(str, sizes))}}};")
    tagged = sorted((f.tag, i) for i, f in enumerate(s.fields) if f.tag is not None)
    if tagged:
        out.append(f"static const uint8_t {c}_tagged[] = {{{', '.join(str(i) for _, i in tagged)}}};")
    out.append(f"static const struct {c} {c}_default = {{")
    out += (default_value(message, s, "    ") or ["    0,"]) + ["};"]
    out += [
        f"const struct message_desc {c}_desc = {{",
        f'    .name = "{s.name or message.name}",',
        f"    .struct_size = sizeof(struct {c}),"]
    if s.fields:
        out += [f"    .fields = {c}_fields,", f"    .field_count = {len(s.fields)},"]
    if tagged:
        out += [f"    .tagged = {c}_tagged,", f"    .tagged_count = {len(tagged)},"]
    out += [
        f"    .defaults = &{c}_default,",
        f"    .min_sizes = {c}_min_sizes,",
        f"    .versions = {c_range(s.versions)},",
        f"    .flexible_first = {flexible_first if message.flexible else 'INT16_MAX'},"]
    if message.flexible:
        out.append(f"    .unknown_offset = offsetof(struct {c}, unknown_tagged_fields),")
    if s is message.body:
        out.append(f"    .kind = MESSAGE_{message.kind.upper()},")
        key = message.api if message.api is not None else message.type
        if key is not None:
            out.append(f"    .key = {key},")
        out.append(f"    .last_stable = {message.unstable - 1 if message.unstable else last},")
        listeners = [f"LISTENER_{x.upper()}" for x in message.listeners]
        if listeners:
            out.append(f"    .listeners = {' | '.join(listeners)},")
    return out + ["};", ""]


def apis(messages):
    """[(key, name without Request)], by key."""
    return sorted((m.api, m.name[:-len("Request")]) for m in messages if m.kind == "request")


def descriptors(includes, messages):
    out = [HEAD, '#include "protocol/registry.h"', ""]
    out += [f'#include "protocol/{path}"' for path in includes] + [""]
    for m in messages:
        for s in used_structs(m):
            out += descriptor(m, s)

    def table(declared, rows):
        out.extend([f"const struct message_desc *const {declared} = {{"] + rows + ["};", ""])
    table("message_descs[]", [f"    &{names.snake(m.name)}_desc," for m in messages] + ["    NULL,"])
    for kind in ("request", "response"):
        table(f"{kind}_descs[API_COUNT]",
              [f"    [{m.api}] = &{names.snake(m.name)}_desc,"
               for m in sorted(messages, key=lambda m: m.api or 0) if m.kind == kind])
    for kinds in (("record", "key"), ("value",)):
        table(f"{'record' if 'record' in kinds else 'record_value'}_descs[RECORD_DOMAIN_COUNT]"
              "[RECORD_TYPE_COUNT]",
              [f"    [RECORD_DOMAIN_{m.domain.upper()}][{m.type}] = &{names.snake(m.name)}_desc,"
               for m in messages if m.kind in kinds])
    out.append("const char *const api_names[API_COUNT] = {")
    out += [f'    [{key}] = "{name}",' for key, name in apis(messages)] + ["};", ""]
    return "\n".join(out)


# ---- keys and errors ------------------------------------------------------------------------------

def api_keys(messages):
    rows = apis(messages)
    out = [HEAD, "#ifndef PROTOCOL_API_KEYS_H", "#define PROTOCOL_API_KEYS_H", "", "enum api_key {"]
    out += [f"    API_{names.snake(name).upper()} = {key}," for key, name in rows]
    out += ["};", "", "// One more than the highest key; some keys below it are not in use.",
            f"#define API_COUNT {rows[-1][0] + 1}", "", "#endif", ""]
    return "\n".join(out)


def record_types(messages):
    """One enum for each domain: METADATA_RECORD_PARTITION, GROUP_RECORD_OFFSET_COMMIT…"""
    out = [HEAD, "#ifndef PROTOCOL_RECORD_TYPES_H", "#define PROTOCOL_RECORD_TYPES_H", ""]
    domains = sorted({m.domain for m in messages if m.domain})
    out += ["enum record_domain {"] + [f"    RECORD_DOMAIN_{d.upper()}," for d in domains]
    out += ["};", f"#define RECORD_DOMAIN_COUNT {len(domains)}", ""]
    top = 0
    for domain in domains:
        rows = sorted((m.type, m.name) for m in messages
                      if m.domain == domain and m.kind in ("record", "key"))
        top = max(top, rows[-1][0])
        out.append(f"enum {domain}_record {{")
        for number, name in rows:
            short = names.snake(name).rsplit("_", 1)[0].upper()
            out.append(f"    {domain.upper()}_RECORD_{short} = {number},")
        out += ["};", ""]
    out += ["// One more than the highest type of any domain.", f"#define RECORD_TYPE_COUNT {top + 1}"]
    return "\n".join(out + ["", "#endif", ""])


def error_header(errors):
    out = [HEAD, "#ifndef PROTOCOL_KAFKA_ERROR_H", "#define PROTOCOL_KAFKA_ERROR_H", "",
           "#include <stdbool.h>", "", "// An answer to a client, as it stands in an error_code field.",
           "enum kafka_error {"]
    out += [f"    KERR_{name} = {code}," for code, name, _, _ in errors]
    out += ["};", "", "// Kafka's name of an error, e.g. NOT_COORDINATOR; NULL for a number it does "
            "not have.", "const char *kafka_error_name(int code);", "",
            "// The same request may succeed later.", "bool kafka_error_is_retriable(int code);", "",
            "// The asker's picture of the cluster is stale.",
            "bool kafka_error_is_stale_metadata(int code);", "", "#endif", ""]
    return "\n".join(out)


def error_source(errors):
    low, high = errors[0][0], errors[-1][0]
    out = [HEAD, '#include "protocol/kafka_error.h"', "", "#include <stddef.h>", "",
           "static const struct {", "    const char *name;", "    bool retriable;",
           "    bool stale_metadata;", f"}} errors[] = {{ // from {low}"]
    out += [f'    [{code - low}] = {{"{name}", {str(r).lower()}, {str(m).lower()}}},'
            for code, name, r, m in errors]
    out += ["};", "", "static bool is_known(int code)", "{",
            f"    return code >= {low} && code <= {high} && errors[code - ({low})].name != NULL;",
            "}", ""]
    for result, function, part, absent in [
            ("const char *", "kafka_error_name", "name", "NULL"),
            ("bool ", "kafka_error_is_retriable", "retriable", "false"),
            ("bool ", "kafka_error_is_stale_metadata", "stale_metadata", "false")]:
        out += [f"{result}{function}(int code)", "{",
                f"    return is_known(code) ? errors[code - ({low})].{part} : {absent};", "}", ""]
    return "\n".join(out)
