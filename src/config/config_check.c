// SPDX-License-Identifier: Apache-2.0
// Tested by config_def_test.c.
#include "config/config_check.h"

#include <stdio.h>
#include <strings.h>

// Is `s` one of the ", "-separated values?
static bool is_one_of(const char *values, const char *s, bool any_case)
{
    size_t size = strlen(s);
    for (const char *at = values; at != NULL; at = strstr(at, ", ") ? strstr(at, ", ") + 2 : NULL) {
        size_t length = strcspn(at, ",");
        if (length == size && (any_case ? strncasecmp(at, s, size) : strncmp(at, s, size)) == 0)
            return true;
    }
    return false;
}

static bool range_is_kept(const struct config_def *def, const struct config_value *value,
                          struct strbuf *message)
{
    const struct config_validator *v = &def->validator;
    char why[80];
    if (value->text == NULL) {
        config_invalid(message, str_of("null"), def->name, "Value must be non-null");
        return false;
    }
    double d = def->type == CONFIG_TYPE_DOUBLE ? value->real : (double)value->number;
    if (d < v->min)
        snprintf(why, sizeof why, "Value must be at least %.15g", v->min);
    else if (v->has_max && d > v->max)
        snprintf(why, sizeof why, "Value must be no more than %.15g", v->max);
    else
        return true;
    config_invalid(message, str_of(value->text), def->name, why);
    return false;
}

static bool one_of_is_kept(const struct config_def *def, const struct config_value *value,
                           bool any_case, struct strbuf *message)
{
    if (value->text != NULL && is_one_of(def->validator.values, value->text, any_case))
        return true;
    struct strbuf why = STRBUF_EMPTY;
    strbuf_printf(&why, "String must be one of%s: %s", any_case ? " (case insensitive)" : "",
                  def->validator.values);
    config_invalid(message, str_of(value->text == NULL ? "null" : value->text), def->name,
                   why.data);
    strbuf_fini(&why);
    return false;
}

// Duplicates were taken out by the parser, as Kafka does before it checks.
static bool list_is_kept(const struct config_def *def, const struct config_value *value,
                         struct strbuf *message)
{
    const struct config_validator *v = &def->validator;
    if (value->text == NULL) {
        if (v->null_ok)
            return true;
        strbuf_printf(message, "Configuration '%s' values must not be null.", def->name);
        return false;
    }
    if (value->list.count == 0 && !v->empty_ok) {
        strbuf_printf(message,
                      "Configuration '%s' must not be empty. Valid values include: ", def->name);
        if (v->values != NULL)
            strbuf_printf(message, "[%s]", v->values);
        else
            strbuf_addz(message, "any non-empty value");
        return false;
    }
    for (size_t i = 0; i < value->list.count; i++) {
        const char *item = value->list.items[i];
        if (item[0] == '\0') {
            strbuf_printf(message, "Configuration '%s' values must not be empty.", def->name);
            return false;
        }
        if (v->values != NULL && !is_one_of(v->values, item, false)) {
            struct config_value one = { .text = item };
            return one_of_is_kept(def, &one, false, message);
        }
    }
    return true;
}

static bool is_host_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-%._", c) != NULL);
}

bool config_host_port(struct str text, struct str *host, int32_t *port)
{
    struct str rest = text;
    for (size_t i = 0; i + 2 < text.size; i++) {
        if (memcmp(text.data + i, "://", 3) == 0) {
            rest = (struct str){ text.data + i + 3, text.size - i - 3 };
            break;
        }
        if (!is_host_char(text.data[i]))
            break;
    }
    size_t colon = rest.size;
    while (colon > 0 && rest.data[colon - 1] != ':')
        colon--;
    int64_t number;
    if (colon == 0 || colon == rest.size || rest.data[colon] == '-' || rest.data[colon] == '+' ||
        !str_to_int64((struct str){ rest.data + colon, rest.size - colon }, &number) ||
        number > INT32_MAX)
        return false;
    *port = (int32_t)number;
    *host = (struct str){ rest.data, colon - 1 };
    if (host->size > 0 && host->data[0] == '[')
        host->data++, host->size--;
    if (host->size > 0 && host->data[host->size - 1] == ']')
        host->size--;
    for (size_t i = 0; i < host->size; i++)
        if (!is_host_char(host->data[i]) && host->data[i] != ':')
            return false;
    return true;
}

static bool voters_are_kept(const struct config_value *value, struct strbuf *message)
{
    static const char form[] = "Each entry should be in the form `{id}@{host}:{port}`.";
    for (size_t i = 0; i < value->list.count; i++) {
        const char *entry = value->list.items[i];
        const char *at = strchr(entry, '@');
        if (at == NULL || strchr(at + 1, '@') != NULL || at[1] == '\0') {
            strbuf_printf(message, "Invalid configuration value for controller.quorum.voters. %s",
                          form);
            return false;
        }
        int64_t id;
        if (!str_to_int64((struct str){ entry, (size_t)(at - entry) }, &id) || id < INT32_MIN ||
            id > INT32_MAX) {
            strbuf_printf(message, "Failed to parse voter ID as an integer from %.*s",
                          (int)(at - entry), entry);
            return false;
        }
        struct str host;
        int32_t port;
        if (!config_host_port(str_of(at + 1), &host, &port)) {
            strbuf_printf(message,
                          "Failed to parse host name from entry %s for the configuration "
                          "controller.quorum.voters. %s",
                          entry, form);
            return false;
        }
    }
    return true;
}

static bool servers_are_kept(const struct config_def *def, const struct config_value *value,
                             struct strbuf *message)
{
    for (size_t i = 0; i < value->list.count; i++) {
        struct str host;
        int32_t port;
        if (config_host_port(str_of(value->list.items[i]), &host, &port))
            continue;
        strbuf_printf(
            message,
            "Failed to parse host name from %s for the configuration %s. Each entry should be "
            "in the form \"{host}:{port}\"",
            value->list.items[i], def->name);
        return false;
    }
    return true;
}

// "*", or a list of partition:broker.
static bool throttled_are_kept(const struct config_def *def, const struct config_value *value,
                               struct strbuf *message)
{
    bool all = true;
    size_t stars = 0, filled = 0;
    for (size_t i = 0; i < value->list.count; i++) {
        const char *s = value->list.items[i];
        if (*s == '\0')
            continue;
        filled++;
        stars += strcmp(s, "*") == 0;
        size_t first = strspn(s, "0123456789");
        size_t second = s[first] == ':' ? strspn(s + first + 1, "0123456789") : 0;
        all = all && first > 0 && second > 0 && s[first + 1 + second] == '\0';
    }
    if (all || (stars == 1 && filled == 1))
        return true;
    struct strbuf shown = STRBUF_EMPTY;
    strbuf_add_char(&shown, '[');
    for (size_t i = 0; i < value->list.count; i++)
        strbuf_printf(&shown, "%s%s", i > 0 ? ", " : "", value->list.items[i]);
    strbuf_add_char(&shown, ']');
    struct strbuf why = STRBUF_EMPTY;
    strbuf_printf(&why,
                  "%s must be the literal '*' or a list of replicas in the following format: "
                  "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
                  def->name);
    config_invalid(message, strbuf_str(&shown), def->name, why.data);
    strbuf_fini(&shown);
    strbuf_fini(&why);
    return false;
}

// ISO-8601 as java.time.Duration reads it: [-+]P[nD][T[nH][nM][n.nS]], at least one part.
static bool is_duration(const char *s, bool *negative)
{
    *negative = false;
    if (*s == '-' || *s == '+')
        *negative = *s++ == '-';
    if ((*s | 32) != 'p')
        return false;
    s++;
    const char *units = "dhms";
    bool in_time = false, any = false, any_since_t = false;
    while (*s != '\0') {
        if ((*s | 32) == 't') {
            if (in_time)
                return false;
            in_time = true, any_since_t = false, s++;
            if (*units == 'd')
                units++;
            continue;
        }
        if (*s == '-' || *s == '+')
            *negative = *negative || *s == '-', s++;
        size_t digits = strspn(s, "0123456789");
        s += digits;
        bool fraction = digits > 0 && (*s == '.' || *s == ',');
        if (fraction)
            s += 1 + strspn(s + 1, "0123456789");
        const char *unit = strchr(units, *s | 32);
        if (digits == 0 || *s == '\0' || unit == NULL || (*unit == 'd') == in_time ||
            (fraction && *unit != 's'))
            return false;
        units = unit + 1;
        any = any_since_t = true;
        s++;
    }
    return any && (!in_time || any_since_t);
}

static bool offset_reset_is_kept(const struct config_def *def, const struct config_value *value,
                                 struct strbuf *message)
{
    const char *s = value->text == NULL ? "null" : value->text;
    static const char by_duration[] = "by_duration:";
    bool negative = false;
    if (strcasecmp(s, "latest") == 0 || strcasecmp(s, "earliest") == 0 ||
        (strncasecmp(s, by_duration, sizeof by_duration - 1) == 0 &&
         is_duration(s + sizeof by_duration - 1, &negative) && !negative))
        return true;
    struct strbuf why = STRBUF_EMPTY;
    strbuf_printf(
        &why,
        "Invalid value `%s` for configuration %s. The value must be either 'earliest', 'latest' "
        "or of the format 'by_duration:<PnDTnHnMn.nS>'.",
        s, def->name);
    config_invalid(message, str_of(s), def->name, why.data);
    strbuf_fini(&why);
    return false;
}

bool config_check_value(const struct config_def *def, const struct config_value *value,
                        struct strbuf *message)
{
    switch (def->validator.check) {
    case CONFIG_CHECK_ANY:
        return true;
    case CONFIG_CHECK_RANGE:
        return range_is_kept(def, value, message);
    case CONFIG_CHECK_ONE_OF:
        return one_of_is_kept(def, value, false, message);
    case CONFIG_CHECK_ONE_OF_ANY_CASE:
        return one_of_is_kept(def, value, true, message);
    case CONFIG_CHECK_LIST:
        return list_is_kept(def, value, message);
    case CONFIG_CHECK_NON_EMPTY:
        if (value->text == NULL || value->text[0] != '\0')
            return true;
        config_invalid(message, str_of(""), def->name, "String must be non-empty");
        return false;
    case CONFIG_CHECK_NON_NULL:
        if (value->text != NULL)
            return true;
        config_invalid(message, str_of("null"), def->name, "entry must be non null");
        return false;
    case CONFIG_CHECK_GZIP_LEVEL:
        if (value->text != NULL &&
            (value->number == -1 || (value->number >= 1 && value->number <= 9)))
            return true;
        config_invalid(message, str_of(value->text == NULL ? "null" : value->text), def->name,
                       value->text == NULL ? "Value must be non-null"
                                           : "Value must be between 1 and 9 or equal to -1");
        return false;
    case CONFIG_CHECK_VOTERS:
        return voters_are_kept(value, message);
    case CONFIG_CHECK_SERVERS:
        return servers_are_kept(def, value, message);
    case CONFIG_CHECK_THROTTLED_REPLICAS:
        return throttled_are_kept(def, value, message);
    case CONFIG_CHECK_OFFSET_RESET:
        return offset_reset_is_kept(def, value, message);
    }
    return true;
}

void config_validator_format(const struct config_validator *v, struct strbuf *out)
{
    switch (v->check) {
    case CONFIG_CHECK_RANGE:
        strbuf_printf(out, "[%.15g,...", v->min);
        if (v->has_max)
            strbuf_printf(out, ",%.15g", v->max);
        strbuf_add_char(out, ']');
        break;
    case CONFIG_CHECK_ONE_OF:
    case CONFIG_CHECK_LIST:
        if (v->values != NULL)
            strbuf_printf(out, "[%s]", v->values);
        break;
    case CONFIG_CHECK_ONE_OF_ANY_CASE:
        strbuf_printf(out, "(case insensitive) [%s]", v->values);
        break;
    case CONFIG_CHECK_GZIP_LEVEL:
        strbuf_addz(out, "[1,...,9] or -1");
        break;
    case CONFIG_CHECK_NON_EMPTY:
        strbuf_addz(out, "non-empty string");
        break;
    case CONFIG_CHECK_NON_NULL:
        strbuf_addz(out, "non-null string");
        break;
    case CONFIG_CHECK_VOTERS:
    case CONFIG_CHECK_SERVERS:
        strbuf_addz(out, "non-empty list");
        break;
    case CONFIG_CHECK_THROTTLED_REPLICAS:
        strbuf_addz(out, "[partitionId]:[brokerId],[partitionId]:[brokerId],...");
        break;
    case CONFIG_CHECK_OFFSET_RESET:
        strbuf_addz(out, "[latest, earliest, by_duration:PnDTnHnMn.nS]");
        break;
    case CONFIG_CHECK_ANY:
        break;
    }
}
