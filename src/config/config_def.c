// SPDX-License-Identifier: Apache-2.0
// Text to value. Java's rules where they differ from C's: a number may carry a plus sign, white
// space around a value never counts, "true" is known in any case, a double may end in d or f.
#include "config/config_def.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "base/must.h"
#include "config/config_check.h"

void config_invalid(struct strbuf *message, struct str value, const char *name, const char *why)
{
    strbuf_printf(message, "Invalid value %.*s for configuration %s", STR_ARG(value), name);
    if (why != NULL)
        strbuf_printf(message, ": %s", why);
}

void config_double_format(double d, char out[CONFIG_DOUBLE_TEXT_SIZE])
{
    if (isnan(d) || isinf(d)) {
        snprintf(out, CONFIG_DOUBLE_TEXT_SIZE, "%s",
                 isnan(d) ? "NaN"
                 : d > 0  ? "Infinity"
                          : "-Infinity");
        return;
    }
    if (d == 0) {
        snprintf(out, CONFIG_DOUBLE_TEXT_SIZE, "%s", signbit(d) ? "-0.0" : "0.0");
        return;
    }
    // The fewest digits that read back as the same number.
    char scientific[CONFIG_DOUBLE_TEXT_SIZE];
    int precision = 0;
    do
        snprintf(scientific, sizeof scientific, "%.*e", precision, fabs(d));
    while (strtod(scientific, NULL) != fabs(d) && ++precision < 17);
    char digits[24];
    size_t count = 0;
    const char *at = scientific;
    for (; *at != 'e'; at++)
        if (*at != '.')
            digits[count++] = *at;
    int exponent = (int)strtol(at + 1, NULL, 10);
    const char *sign = d < 0 ? "-" : "";
    int n = (int)count;
    if (exponent >= 7 || exponent < -3)
        snprintf(out, CONFIG_DOUBLE_TEXT_SIZE, "%s%c.%.*sE%d", sign, digits[0], n > 1 ? n - 1 : 1,
                 n > 1 ? digits + 1 : "0", exponent);
    else if (exponent < 0)
        snprintf(out, CONFIG_DOUBLE_TEXT_SIZE, "%s0.%.*s%.*s", sign, -exponent - 1, "000", n,
                 digits);
    else if (n <= exponent + 1)
        snprintf(out, CONFIG_DOUBLE_TEXT_SIZE, "%s%.*s%.*s.0", sign, n, digits, exponent + 1 - n,
                 "000000");
    else
        snprintf(out, CONFIG_DOUBLE_TEXT_SIZE, "%s%.*s.%.*s", sign, exponent + 1, digits,
                 n - exponent - 1, digits + exponent + 1);
}

static bool double_parse(struct str text, double *out)
{
    char buffer[64];
    size_t size = text.size;
    if (size > 1 && strchr("dDfF", text.data[size - 1]) != NULL && text.data[0] != 'I')
        size--;
    if (size == 0 || size >= sizeof buffer)
        return false;
    memcpy(buffer, text.data, size);
    buffer[size] = '\0';
    const char *unsigned_part = buffer + (buffer[0] == '-' || buffer[0] == '+');
    if (strcmp(unsigned_part, "NaN") == 0 || strcmp(unsigned_part, "Infinity") == 0) {
        *out = unsigned_part[0] == 'N' ? (double)NAN : buffer[0] == '-' ? -HUGE_VAL : HUGE_VAL;
        return true;
    }
    if (strspn(unsigned_part, "0123456789.eE+-") != strlen(unsigned_part))
        return false;
    char *end;
    *out = strtod(buffer, &end);
    return *end == '\0';
}

static char *put(char *into, struct str text)
{
    if (text.size > 0)
        memcpy(into, text.data, text.size);
    into[text.size] = '\0';
    return into + text.size + 1;
}

// One block: the struct, and both texts behind it.
static struct config_value *value_new(struct str text, struct str raw)
{
    struct config_value *value = mem_zalloc(sizeof *value + text.size + raw.size + 2);
    char *copy = (char *)(value + 1);
    value->text = copy;
    value->raw = put(copy, text);
    put((char *)value->raw, raw);
    return value;
}

static struct config_value *number_value(const struct config_def *def, struct str trimmed,
                                         struct str text, struct strbuf *message)
{
    static const struct {
        const char *name;
        int64_t min, max;
    } kinds[] = {
        [CONFIG_TYPE_INT] = { "Not a number of type INT", INT32_MIN, INT32_MAX },
        [CONFIG_TYPE_SHORT] = { "Not a number of type SHORT", INT16_MIN, INT16_MAX },
        [CONFIG_TYPE_LONG] = { "Not a number of type LONG", INT64_MIN, INT64_MAX },
    };
    int64_t number;
    if (!str_to_int64(trimmed, &number) || number < kinds[def->type].min ||
        number > kinds[def->type].max) {
        config_invalid(message, text, def->name, kinds[def->type].name);
        return NULL;
    }
    char shown[24];
    snprintf(shown, sizeof shown, "%lld", (long long)number);
    struct config_value *value = value_new(str_of(shown), text);
    value->number = number;
    return value;
}

static bool is_regex_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Elements between commas, white space around them dropped; one block, the text first, then the
// elements, then the pointers (placed first for their alignment).
static struct config_value *list_value(const struct config_def *def, struct str trimmed,
                                       struct str raw)
{
    size_t most = trimmed.size == 0 ? 0 : 1;
    for (size_t i = 0; i < trimmed.size; i++)
        most += trimmed.data[i] == ',';
    struct config_value *value = mem_zalloc(sizeof *value + (most + 1) * sizeof(char *) +
                                            2 * (trimmed.size + 1) + raw.size + 1);
    const char **items = (const char **)(void *)(value + 1);
    char *text = (char *)(items + most + 1);
    value->raw = text + trimmed.size + 1;
    char *into = put(text + trimmed.size + 1, raw);
    size_t text_size = 0;
    value->list.items = items;
    value->text = text;
    for (size_t at = 0; most > 0 && at <= trimmed.size;) {
        size_t end = at;
        while (end < trimmed.size && trimmed.data[end] != ',')
            end++;
        size_t from = at, to = end;
        while (from < to && is_regex_space(trimmed.data[from]))
            from++;
        while (to > from && is_regex_space(trimmed.data[to - 1]))
            to--;
        memcpy(into, trimmed.data + from, to - from);
        into[to - from] = '\0';
        bool again = false;
        for (size_t i = 0; def->validator.check == CONFIG_CHECK_LIST && i < value->list.count; i++)
            again = again || strcmp(items[i], into) == 0;
        if (!again) {
            if (value->list.count > 0)
                text[text_size++] = ',';
            memcpy(text + text_size, into, to - from);
            text_size += to - from;
            items[value->list.count++] = into;
            into += to - from + 1;
        }
        at = end + 1;
    }
    return value;
}

static struct config_value *value_of_type(const struct config_def *def, struct str text,
                                          struct strbuf *message)
{
    struct str trimmed = str_trim(text);
    struct config_value *value;
    switch (def->type) {
    case CONFIG_TYPE_BOOLEAN: {
        bool yes = trimmed.size == 4 && strncasecmp(trimmed.data, "true", 4) == 0;
        if (!yes && !(trimmed.size == 5 && strncasecmp(trimmed.data, "false", 5) == 0)) {
            config_invalid(message, text, def->name, "Expected value to be either true or false");
            return NULL;
        }
        value = value_new(str_of(yes ? "true" : "false"), text);
        value->boolean = yes;
        return value;
    }
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_SHORT:
    case CONFIG_TYPE_LONG:
        return number_value(def, trimmed, text, message);
    case CONFIG_TYPE_DOUBLE: {
        double real;
        if (!double_parse(trimmed, &real)) {
            config_invalid(message, text, def->name, "Not a number of type DOUBLE");
            return NULL;
        }
        char shown[CONFIG_DOUBLE_TEXT_SIZE];
        config_double_format(real, shown);
        value = value_new(str_of(shown), text);
        value->real = real;
        return value;
    }
    case CONFIG_TYPE_LIST:
        return list_value(def, trimmed, text);
    case CONFIG_TYPE_STRING:
    case CONFIG_TYPE_CLASS:
    case CONFIG_TYPE_PASSWORD:
        return value_new(trimmed, text);
    }
    must(false);
    return NULL;
}

struct config_value *config_value_parse(const struct config_def *def, struct str text,
                                        struct strbuf *message)
{
    struct config_value *value =
        str_is_null(text) ? mem_zalloc(sizeof *value) : value_of_type(def, text, message);
    if (value == NULL)
        return NULL;
    if (config_check_value(def, value, message))
        return value;
    mem_free(value);
    return NULL;
}
