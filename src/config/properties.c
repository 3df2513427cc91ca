// SPDX-License-Identifier: Apache-2.0
// Two steps as in Java: natural lines are joined to a logical one (comments and blank lines gone,
// continuation marks taken out), then the line is split at its first separator and unescaped.
#include "config/properties.h"

#include <stdio.h>

#include "base/mem.h"

struct line_reader {
    struct str text;
    size_t at;
    int line;    // of the next byte, from 1
    int started; // where the logical line began
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

// The next character; \r\n counts as one line end. False at the end of the text.
static bool reader_next(struct line_reader *r, char *c)
{
    if (r->at == r->text.size)
        return false;
    *c = r->text.data[r->at++];
    if (*c == '\r' && r->at < r->text.size && r->text.data[r->at] == '\n')
        r->at++;
    r->line += is_line_end(*c);
    return true;
}

// Puts the next logical line into `line` (emptied first). False at the end of the text.
static bool logical_line(struct line_reader *r, struct strbuf *line)
{
    bool skip_blanks = true, continued = false, backslash = false;
    char c;
    line->size = 0;
    while (reader_next(r, &c)) {
        if (skip_blanks) {
            if (is_blank(c) || (!continued && is_line_end(c)))
                continue;
            skip_blanks = continued = false;
        }
        if (line->size == 0 && (c == '#' || c == '!')) {
            while (!is_line_end(c) && reader_next(r, &c))
                continue;
            skip_blanks = true;
        } else if (!is_line_end(c)) {
            if (line->size == 0)
                r->started = r->line;
            strbuf_add_char(line, c);
            backslash = c == '\\' && !backslash;
        } else if (line->size == 0) {
            skip_blanks = true;
        } else if (backslash) {
            line->size--; // the mark is not part of the line
            skip_blanks = continued = true;
            backslash = false;
        } else {
            return true;
        }
    }
    line->size -= backslash;
    return line->size > 0;
}

static void add_utf8(struct strbuf *out, uint32_t c)
{
    if (c < 0x80) {
        strbuf_add_char(out, (char)c);
    } else if (c < 0x800) {
        strbuf_add_char(out, (char)(0xc0 | c >> 6));
        strbuf_add_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        strbuf_add_char(out, (char)(0xe0 | c >> 12));
        strbuf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        strbuf_add_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        strbuf_add_char(out, (char)(0xf0 | c >> 18));
        strbuf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        strbuf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        strbuf_add_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

// A half of a surrogate pair waits in *high; alone it becomes '?', as when Java encodes it.
static void add_utf16(struct strbuf *out, uint32_t *high, uint32_t unit)
{
    if (*high != 0 && unit >= 0xdc00 && unit <= 0xdfff) {
        add_utf8(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
        *high = 0;
        return;
    }
    if (*high != 0)
        strbuf_add_char(out, '?');
    *high = unit >= 0xd800 && unit <= 0xdbff ? unit : 0;
    if (*high == 0)
        add_utf8(out, unit >= 0xdc00 && unit <= 0xdfff ? '?' : unit);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

// Escapes out, ISO-8859-1 to UTF-8. False on a malformed \u.
static bool unescape(struct str raw, struct strbuf *out)
{
    uint32_t high = 0;
    out->size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        uint32_t unit = (uint8_t)raw.data[i];
        if (unit == '\\' && i + 1 < raw.size) {
            char c = raw.data[++i];
            unit = c == 't'   ? '\t'
                   : c == 'r' ? '\r'
                   : c == 'n' ? '\n'
                   : c == 'f' ? '\f'
                              : (uint8_t)c;
            if (c == 'u') {
                if (raw.size - i <= 4)
                    return false;
                unit = 0;
                for (int k = 0; k < 4; k++) {
                    int digit = hex_digit(raw.data[++i]);
                    if (digit < 0)
                        return false;
                    unit = unit << 4 | (uint32_t)digit;
                }
            }
        }
        add_utf16(out, &high, unit);
    }
    if (high != 0)
        strbuf_add_char(out, '?');
    return true;
}

static void split(struct str line, struct str *name, struct str *value)
{
    size_t at = 0;
    bool backslash = false, separated = false;
    for (; at < line.size; at++) {
        char c = line.data[at];
        if (!backslash && (c == '=' || c == ':' || is_blank(c)))
            break;
        backslash = c == '\\' && !backslash;
    }
    *name = (struct str){ line.data, at };
    for (; at < line.size; at++) {
        char c = line.data[at];
        if (is_blank(c))
            continue;
        if (separated || (c != '=' && c != ':'))
            break;
        separated = true;
    }
    *value = (struct str){ line.data + at, line.size - at };
}

bool properties_parse(struct properties *p, struct str text, struct strbuf *message)
{
    struct line_reader reader = { text, 0, 1, 1 };
    struct strbuf line = STRBUF_EMPTY, name = STRBUF_EMPTY, value = STRBUF_EMPTY;
    bool ok = true;
    while (ok && logical_line(&reader, &line)) {
        struct str raw_name, raw_value;
        split(strbuf_str(&line), &raw_name, &raw_value);
        ok = unescape(raw_name, &name) && unescape(raw_value, &value);
        if (ok)
            properties_set(p, strbuf_str(&name), strbuf_str(&value));
        else
            strbuf_printf(message, "line %d: Malformed \\uxxxx encoding.", reader.started);
    }
    strbuf_fini(&line);
    strbuf_fini(&name);
    strbuf_fini(&value);
    return ok;
}

static struct property *find(const struct properties *p, struct str name)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_eqz(name, p->items[i].name))
            return &p->items[i];
    return NULL;
}

// A NUL (only an escape can make one) ends the text: nothing here may hold one.
static struct str without_nul(struct str s)
{
    return (struct str){ s.data, strnlen(s.data, s.size) };
}

void properties_set(struct properties *p, struct str name, struct str value)
{
    name = without_nul(name);
    value = without_nul(value);
    struct property *property = find(p, name);
    if (property == NULL) {
        vec_reserve(p->items, p->count + 1, p->capacity);
        property = &p->items[p->count++];
        *property = (struct property){ str_dup(name), NULL };
    }
    mem_free(property->value);
    property->value = str_dup(value);
}

const char *properties_get(const struct properties *p, const char *name)
{
    const struct property *property = find(p, str_of(name));
    return property == NULL ? NULL : property->value;
}

void properties_fini(struct properties *p)
{
    for (size_t i = 0; i < p->count; i++) {
        mem_free(p->items[i].name);
        mem_free(p->items[i].value);
    }
    mem_free(p->items);
    *p = PROPERTIES_EMPTY;
}

// One code point of UTF-8 that Java writes as one or two \uXXXX; moves past it.
static const char *escape_unicode(struct strbuf *out, const char *at)
{
    uint8_t first = (uint8_t)*at++;
    int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    uint32_t c = more == 0 ? first : first & (0x3fu >> more);
    while (more-- > 0 && *at != '\0')
        c = c << 6 | ((uint8_t)*at++ & 0x3f);
    if (c >= 0x10000) {
        strbuf_printf(out, "\\u%04X", 0xd800 + ((c - 0x10000) >> 10 & 0x3ff));
        c = 0xdc00 + (c & 0x3ff);
    }
    strbuf_printf(out, "\\u%04X", c);
    return at - 1;
}

// Spaces are escaped throughout a name, at the start of a value only.
static void escape(struct strbuf *out, const char *text, bool is_name)
{
    for (const char *at = text; *at != '\0'; at++) {
        static const char named[] = "\tt\nn\rr\ff";
        const char *pair = strchr("\t\n\r\f", *at);
        if (*at == ' ' && (is_name || at == text)) {
            strbuf_addz(out, "\\ ");
        } else if (pair != NULL) {
            strbuf_add_char(out, '\\');
            strbuf_add_char(out, named[2 * (pair - "\t\n\r\f") + 1]);
        } else if (*at < ' ' || *at > '~') {
            at = escape_unicode(out, at);
        } else if (strchr("=:#!\\", *at) != NULL) {
            strbuf_add_char(out, '\\');
            strbuf_add_char(out, *at);
        } else {
            strbuf_add_char(out, *at);
        }
    }
}

void properties_format(const struct properties *p, struct strbuf *out)
{
    for (size_t i = 0; i < p->count; i++) {
        escape(out, p->items[i].name, true);
        strbuf_add_char(out, '=');
        escape(out, p->items[i].value, false);
        strbuf_add_char(out, '\n');
    }
}
