// SPDX-License-Identifier: Apache-2.0
#include "broker/release.h"

#include "base/must.h"

static const char *const names[] = {
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1",
    "3.6-IV2", "3.7-IV0", "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0",
    "3.9-IV0", "4.0-IV0", "4.0-IV1", "4.0-IV2", "4.0-IV3", "4.1-IV0", "4.1-IV1",
    "4.2-IV0", "4.2-IV1", "4.3-IV0", "4.4-IV0",
};
_Static_assert(sizeof names / sizeof *names == RELEASE_TESTING - RELEASE_FIRST + 1, "a name each");

const char *const feature_names[FEATURE_COUNT] = {
    "kraft.version", "transaction.version", "group.version", "eligible.leader.replicas.version",
    "share.version", "streams.version",
};

static const struct feature_level levels[] = {
    { "kraft.version", 0, 7, 0 },
    { "kraft.version", 1, 21, 0 },
    { "transaction.version", 0, 7, 0 },
    { "transaction.version", 1, 24, 0 },
    { "transaction.version", 2, 24, 0 },
    { "group.version", 0, 7, 0 },
    { "group.version", 1, 22, 0 },
    { "eligible.leader.replicas.version", 0, 7, 0 },
    { "eligible.leader.replicas.version", 1, 26, 23 },
    { "share.version", 0, 7, 0 },
    { "share.version", 1, 28, 0 },
    { "streams.version", 0, 7, 0 },
    { "streams.version", 1, 29, 0 },
};

const char *release_name(int16_t level)
{
    must(level >= RELEASE_FIRST && level <= RELEASE_TESTING);
    return names[level - RELEASE_FIRST];
}

// Is `name` the release of `full`, i.e. equal up to the second dot or the dash?
static bool is_short_for(struct str name, const char *full)
{
    size_t dots = 0, end = 0;
    while (end < name.size && (dots += name.data[end] == '.') < 2)
        end++;
    size_t size = strcspn(full, "-");
    return end == size && memcmp(name.data, full, size) == 0 &&
           memchr(name.data, '-', name.size) == NULL;
}

int16_t release_find(struct str name, bool with_testing, struct strbuf *message)
{
    int16_t last = with_testing ? RELEASE_TESTING : RELEASE_LATEST;
    for (int16_t level = last; level >= RELEASE_FIRST; level--)
        if (str_eqz(name, release_name(level)) ||
            (level <= RELEASE_LATEST && is_short_for(name, release_name(level))))
            return level;
    strbuf_printf(message, "Unknown metadata.version '%.*s'. Supported metadata.version are: ",
                  STR_ARG(name));
    for (int16_t level = RELEASE_FIRST; level <= last; level++)
        strbuf_printf(message, "%s%s", level > RELEASE_FIRST ? ", " : "", release_name(level));
    return 0;
}

int16_t feature_default_level(const char *name, int16_t release)
{
    int16_t level = 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].name, name) == 0 && levels[i].since <= release &&
            levels[i].level > level)
            level = levels[i].level;
    return level;
}

const struct feature_level *feature_level_find(struct str name, int16_t level)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (str_eqz(name, levels[i].name) && levels[i].level == level)
            return &levels[i];
    return NULL;
}
