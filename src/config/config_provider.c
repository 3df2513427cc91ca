// SPDX-License-Identifier: Apache-2.0
// Tested by config_load_test.c.
#include "config/config_provider.h"

#include <stdio.h>

#include "base/mem.h"

enum provider_kind { PROVIDER_FILE, PROVIDER_DIRECTORY, PROVIDER_ENVIRONMENT, PROVIDER_KINDS };

static const char *const provider_classes[PROVIDER_KINDS] = {
    "org.apache.kafka.common.config.provider.FileConfigProvider",
    "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
    "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
};

struct provider {
    struct str name;
    enum provider_kind kind;
    const char *allowed_paths; // comma separated; NULL: every path
};

enum { PROVIDERS_MAX = 16 };

struct providers {
    const struct config_source_files *from;
    struct provider items[PROVIDERS_MAX];
    size_t count;
};

// A setting of a provider: config.providers.<name>.<what>
static const char *setting(const struct properties *p, struct str name, const char *what)
{
    struct strbuf key = STRBUF_EMPTY;
    strbuf_printf(&key, "config.providers.%.*s.%s", STR_ARG(name), what);
    const char *value = properties_get(p, key.data);
    strbuf_fini(&key);
    return value;
}

static bool provider_open(struct providers *providers, const struct properties *p, struct str name,
                          struct strbuf *message)
{
    const char *class = setting(p, name, "class");
    int kind = 0;
    if (class == NULL)
        return true; // as Kafka: named, but not there
    while (kind < PROVIDER_KINDS && !str_eqz(str_trim(str_of(class)), provider_classes[kind]))
        kind++;
    if (kind == PROVIDER_KINDS) {
        strbuf_printf(
            message, "config.providers.%.*s.class: %s is not there; allowed are %s, %s, %s",
            STR_ARG(name), class, provider_classes[0], provider_classes[1], provider_classes[2]);
        return false;
    }
    if (setting(p, name, "param.allowlist.pattern") != NULL) {
        strbuf_printf(message,
                      "config.providers.%.*s.param.allowlist.pattern: patterns are not supported",
                      STR_ARG(name));
        return false;
    }
    if (providers->count == PROVIDERS_MAX) {
        strbuf_printf(message, "config.providers: at most %d providers", (int)PROVIDERS_MAX);
        return false;
    }
    providers->items[providers->count++] =
        (struct provider){ name, (enum provider_kind)kind,
                           setting(p, name, "param.allowed.paths") };
    return true;
}

static bool path_is_allowed(const struct provider *provider, const char *path)
{
    if (provider->allowed_paths == NULL)
        return true;
    if (strstr(path, "..") != NULL)
        return false;
    for (struct str rest = str_of(provider->allowed_paths); rest.size > 0;) {
        size_t size = 0;
        while (size < rest.size && rest.data[size] != ',')
            size++;
        struct str one = str_trim((struct str){ rest.data, size });
        while (one.size > 1 && one.data[one.size - 1] == '/')
            one.size--;
        if (one.size > 0 && strncmp(path, one.data, one.size) == 0 &&
            (path[one.size] == '\0' || path[one.size] == '/' || one.data[one.size - 1] == '/'))
            return true;
        size += size < rest.size;
        rest = (struct str){ rest.data + size, rest.size - size };
    }
    return false;
}

// 1: `out` has the value; 0: there is none; -1: a message was appended.
static int look_up_file(const struct providers *providers, const char *path, const char *key,
                        struct strbuf *out, struct strbuf *message)
{
    struct strbuf text = STRBUF_EMPTY;
    struct properties p = PROPERTIES_EMPTY;
    int error = disk_read_whole(providers->from->disk, path, &text);
    int found = 0;
    if (error != 0 || !properties_parse(&p, strbuf_str(&text), message)) {
        strbuf_printf(message, "%sCould not read properties from file %s", error != 0 ? "" : ": ",
                      path);
        found = -1;
    } else if (properties_get(&p, key) != NULL) {
        strbuf_addz(out, properties_get(&p, key));
        found = 1;
    }
    strbuf_fini(&text);
    properties_fini(&p);
    return found;
}

static int look_up(const struct providers *providers, const struct provider *provider,
                   const char *path, const char *key, struct strbuf *out, struct strbuf *message)
{
    if (provider->kind == PROVIDER_ENVIRONMENT) {
        const char *(*environment)(const char *) = providers->from->environment;
        const char *value = environment == NULL || path[0] != '\0' ? NULL : environment(key);
        if (value != NULL)
            strbuf_addz(out, value);
        return value != NULL;
    }
    if (path[0] == '\0' || !path_is_allowed(provider, path))
        return 0; // Kafka logs it and leaves the text as it is
    if (provider->kind == PROVIDER_FILE)
        return look_up_file(providers, path, key, out, message);
    struct strbuf file = STRBUF_EMPTY;
    strbuf_printf(&file, "%s/%s", path, key);
    int error =
        strchr(key, '/') != NULL ? -1 : disk_read_whole(providers->from->disk, file.data, out);
    strbuf_fini(&file);
    return error == 0;
}

// The ${…} at text[at] into `out`. Its end, or `at` when it is none or stays as it is; SIZE_MAX: failed.
static size_t expand_one(const struct providers *providers, struct str text, size_t at,
                         struct strbuf *out, struct strbuf *message)
{
    size_t end = at + 2;
    while (end < text.size && text.data[end] != '}')
        end++;
    struct str inside = { text.data + at + 2, end - at - 2 };
    const char *first = end == text.size ? NULL : memchr(inside.data, ':', inside.size);
    if (first == NULL)
        return at;
    struct str name = { inside.data, (size_t)(first - inside.data) };
    struct str rest = { first + 1, inside.size - name.size - 1 };
    const char *second = memchr(rest.data, ':', rest.size);
    struct str path = { rest.data, second == NULL ? 0 : (size_t)(second - rest.data) };
    struct str key = second == NULL ? rest : (struct str){ second + 1, rest.size - path.size - 1 };
    for (size_t i = 0; i < providers->count; i++) {
        if (!str_eq(providers->items[i].name, name))
            continue;
        char *path_z = str_dup(path), *key_z = str_dup(key);
        int found = look_up(providers, &providers->items[i], path_z, key_z, out, message);
        mem_free(path_z);
        mem_free(key_z);
        return found > 0 ? end + 1 : found == 0 ? at : SIZE_MAX;
    }
    return at;
}

static bool expand(const struct providers *providers, struct property *property,
                   struct strbuf *message)
{
    struct str text = str_of(property->value);
    struct strbuf out = STRBUF_EMPTY;
    size_t at = 0;
    while (at < text.size) {
        size_t end = at;
        if (text.data[at] == '$' && at + 1 < text.size && text.data[at + 1] == '{')
            end = expand_one(providers, text, at, &out, message);
        if (end == SIZE_MAX)
            break;
        if (end == at)
            strbuf_add_char(&out, text.data[end++]);
        at = end;
    }
    bool ok = at == text.size;
    if (ok) {
        mem_free(property->value);
        property->value = str_dup(strbuf_str(&out));
    }
    strbuf_fini(&out);
    return ok;
}

bool config_provide(const struct config_source_files *from, struct properties *p,
                    struct strbuf *message)
{
    struct providers providers = { .from = from, .count = 0 };
    const char *names = properties_get(p, "config.providers");
    char *copy = mem_strdup(names);
    bool ok = true;
    for (struct str rest = str_of(copy); ok && rest.size > 0;) {
        size_t size = 0;
        while (size < rest.size && rest.data[size] != ',')
            size++;
        struct str name = str_trim((struct str){ rest.data, size });
        if (name.size > 0)
            ok = provider_open(&providers, p, name, message);
        size += size < rest.size;
        rest = (struct str){ rest.data + size, rest.size - size };
    }
    for (size_t i = 0; ok && providers.count > 0 && i < p->count; i++)
        if (strncmp(p->items[i].name, "config.providers", strlen("config.providers")) != 0)
            ok = expand(&providers, &p->items[i], message);
    mem_free(copy);
    return ok;
}
