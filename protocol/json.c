// SPDX-License-Identifier: Apache-2.0
// The exact text matters: Kafka's tools print it, people compare it, and the wire oracle holds ours
// against Kafka's. Jackson's habits that show: no spaces, control characters as \u00XX with capital
// hexadecimal digits, nothing beyond that escaped, NaN and the infinities in quotes.
#include "protocol/json.h"

#include "base/must.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// ---- values
// ---------------------------------------------------------------------------------------

// The bytes of the well-formed UTF-8 sequence at p; 0 if malformed, and then *bad is how many bytes
// Java replaces by one U+FFFD: the longest beginning of a good sequence, at least 1.
static size_t utf8_sequence(const uint8_t *p, size_t left, size_t *bad)
{
    uint8_t low = 0x80, high = 0xbf; // what the second byte may be
    size_t size;
    *bad = 1;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        size = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        size = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        size = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < size; i++) {
        if (i == left || p[i] < low || p[i] > high) {
            *bad = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    // An encoded surrogate is well-formed in its bytes; Java sees it when it has all three.
    if (size == 3 && p[0] == 0xed && p[1] >= 0xa0) {
        *bad = 3;
        return 0;
    }
    return size;
}

static void print_control(uint8_t c, struct strbuf *out)
{
    static const char *const short_forms[0x20] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"
    };
    if (short_forms[c] != NULL)
        strbuf_addz(out, short_forms[c]);
    else
        strbuf_printf(out, "\\u%04X", c);
}

static void print_string(struct str s, struct strbuf *out)
{
    const uint8_t *p = (const uint8_t *)s.data;
    if (p == NULL) {
        strbuf_addz(out, "null");
        return;
    }
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < s.size;) {
        size_t bad, size = utf8_sequence(p + i, s.size - i, &bad);
        if (size == 0) {
            strbuf_addz(out, "\xef\xbf\xbd");
            size = bad;
        } else if (p[i] < 0x20) {
            print_control(p[i], out);
        } else {
            if (p[i] == '"' || p[i] == '\\')
                strbuf_add_char(out, '\\');
            strbuf_add(out, p + i, size);
        }
        i += size;
    }
    strbuf_add_char(out, '"');
}

static void print_base64(const uint8_t *data, size_t size, struct strbuf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (data == NULL) {
        strbuf_addz(out, "null");
        return;
    }
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t v = (uint32_t)data[i] << 16;
        v |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        v |= left > 2 ? data[i + 2] : 0;
        char four[4] = { digits[v >> 18], digits[v >> 12 & 63],
                         left > 1 ? digits[v >> 6 & 63] : '=', left > 2 ? digits[v & 63] : '=' };
        strbuf_add(out, four, sizeof four);
    }
    strbuf_add_char(out, '"');
}

// Java's Double.toString: the fewest digits that give the same number again, but at least two;
// plain between 0.001 and 10,000,000, else with an exponent.
static void print_float64(double v, struct strbuf *out)
{
    if (isnan(v) || isinf(v)) {
        strbuf_addz(out, isnan(v) ? "\"NaN\"" : v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    if (v == 0) {
        strbuf_addz(out, signbit(v) ? "-0.0" : "0.0");
        return;
    }
    char text[40];
    int digits = 2;
    do
        snprintf(text, sizeof text, "%.*e", digits - 1, v);
    while (strtod(text, NULL) != v && ++digits <= 17);
    // text is -d.ddde±xx
    char *e = strchr(text, 'e');
    must(e != NULL);
    int exponent = (int)strtol(e + 1, NULL, 10);
    const char *first = text + (v < 0);
    char all[20];
    size_t n = 0;
    for (const char *p = first; p < e; p++)
        if (*p != '.')
            all[n++] = *p;
    while (n > 1 && all[n - 1] == '0')
        n--;
    if (v < 0)
        strbuf_add_char(out, '-');
    bool is_plain = exponent >= -3 && exponent < 7;
    int before = is_plain ? exponent + 1 : 1; // digits before the point
    if (before <= 0)
        strbuf_add_char(out, '0');
    for (int i = 0; i < before; i++)
        strbuf_add_char(out, (size_t)i < n ? all[i] : '0');
    strbuf_add_char(out, '.');
    for (int i = before; i < 0; i++)
        strbuf_add_char(out, '0');
    size_t next = before > 0 ? (size_t)before : 0;
    if (next >= n)
        strbuf_add_char(out, '0');
    else
        strbuf_add(out, all + next, n - next);
    if (!is_plain)
        strbuf_printf(out, "E%d", exponent);
}

static void print_uuid(struct uuid u, struct strbuf *out)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(u, text);
    strbuf_printf(out, "\"%s\"", text);
}

// ---- structs
// --------------------------------------------------------------------------------------

static void print_struct(const struct message_desc *desc, int version, enum json_records records,
                         const void *in, struct strbuf *out);

static void print_value(const struct field_desc *f, int version, enum json_records records,
                        const void *at, struct strbuf *out)
{
    switch ((enum field_type)f->type) {
    case FIELD_BOOL:
        strbuf_addz(out, *(const bool *)at ? "true" : "false");
        break;
    case FIELD_INT8:
        strbuf_printf(out, "%d", *(const int8_t *)at);
        break;
    case FIELD_INT16:
        strbuf_printf(out, "%d", *(const int16_t *)at);
        break;
    case FIELD_UINT16:
        strbuf_printf(out, "%d", *(const uint16_t *)at);
        break;
    case FIELD_INT32:
        strbuf_printf(out, "%" PRId32, *(const int32_t *)at);
        break;
    case FIELD_UINT32:
        strbuf_printf(out, "%" PRIu32, *(const uint32_t *)at);
        break;
    case FIELD_INT64:
        strbuf_printf(out, "%" PRId64, *(const int64_t *)at);
        break;
    case FIELD_FLOAT64:
        print_float64(*(const double *)at, out);
        break;
    case FIELD_UUID:
        print_uuid(*(const struct uuid *)at, out);
        break;
    case FIELD_STRING:
        print_string(*(const struct str *)at, out);
        break;
    case FIELD_BYTES:
        print_base64(((const struct bytes *)at)->data, ((const struct bytes *)at)->size, out);
        break;
    case FIELD_RECORDS:
        strbuf_addz(out, ((const struct records *)at)->size < 0 ? "null" : "\"\"");
        break;
    case FIELD_STRUCT:
        if (f->flags & FIELD_POINTER)
            at = codec_pointer(at);
        if (at == NULL)
            strbuf_addz(out, "null");
        else
            print_struct(f->of, version, records, at, out);
        break;
    }
}

static void print_array(const struct field_desc *f, int version, enum json_records records,
                        const void *at, struct strbuf *out)
{
    int32_t count = codec_array_count(at);
    const char *element = codec_pointer(at);
    if (count < 0) {
        strbuf_addz(out, "null");
        return;
    }
    strbuf_add_char(out, '[');
    for (int32_t i = 0; i < count; i++, element += codec_element_size(f)) {
        if (i > 0)
            strbuf_add_char(out, ',');
        print_value(f, version, records, element, out);
    }
    strbuf_add_char(out, ']');
}

static void print_struct(const struct message_desc *desc, int version, enum json_records records,
                         const void *in, struct strbuf *out)
{
    const char *separator = "{";
    for (unsigned i = 0; i < desc->field_count; i++) {
        const struct field_desc *f = &desc->fields[i];
        const void *at = (const char *)in + f->offset;
        if (!version_in(f->versions, version) || (f->tag >= 0 && codec_is_default(f, at)))
            continue;
        if (f->type == FIELD_RECORDS && records == JSON_RECORDS_SIZE &&
            ((const struct records *)at)->size >= 0) {
            strbuf_printf(out, "%s\"%sSizeInBytes\":%" PRId32, separator, f->name,
                          ((const struct records *)at)->size);
        } else {
            strbuf_printf(out, "%s\"%s\":", separator, f->name);
            if (f->flags & FIELD_ARRAY)
                print_array(f, version, records, at, out);
            else
                print_value(f, version, records, at, out);
        }
        separator = ",";
    }
    strbuf_addz(out, *separator == '{' ? "{}" : "}");
}

void json_print(const struct message_desc *desc, int16_t version, enum json_records records,
                const void *in, struct strbuf *out)
{
    must(version_in(desc->versions, version));
    print_struct(desc, version, records, in, out);
}
