// SPDX-License-Identifier: Apache-2.0
// The tables of config_keys.def, topic_keys.def and group_keys.def as data, and finding a key by
// its name: a search by halves over the broker's sorted names, a walk over the few of the others.
#include "config/config.h"

#include "base/must.h"

// The words of the tables.
#define REQUIRED NULL, .required = true
#define ANY                                                                                        \
    {                                                                                              \
        .check = CONFIG_CHECK_ANY                                                                  \
    }
#define AT_LEAST(n)                                                                                \
    {                                                                                              \
        .check = CONFIG_CHECK_RANGE, .min = (n)                                                    \
    }
#define BETWEEN(n, m)                                                                              \
    {                                                                                              \
        .check = CONFIG_CHECK_RANGE, .min = (n), .max = (m), .has_max = true                       \
    }
#define ONE_OF(v)                                                                                  \
    {                                                                                              \
        .check = CONFIG_CHECK_ONE_OF, .values = v                                                  \
    }
#define ONE_OF_ANY_CASE(v)                                                                         \
    {                                                                                              \
        .check = CONFIG_CHECK_ONE_OF_ANY_CASE, .values = v                                         \
    }
#define FILLED        .empty_ok = false
#define EMPTY         .empty_ok = true
#define NULLABLE      .null_ok = true
#define EMPTY_OR_NULL .empty_ok = true, .null_ok = true
#define LIST(may_be, v)                                                                            \
    {                                                                                              \
        .check = CONFIG_CHECK_LIST, .values = v, may_be                                            \
    }
#define NON_EMPTY                                                                                  \
    {                                                                                              \
        .check = CONFIG_CHECK_NON_EMPTY                                                            \
    }
#define NON_NULL                                                                                   \
    {                                                                                              \
        .check = CONFIG_CHECK_NON_NULL                                                             \
    }
#define GZIP_LEVEL                                                                                 \
    {                                                                                              \
        .check = CONFIG_CHECK_GZIP_LEVEL                                                           \
    }
#define VOTERS                                                                                     \
    {                                                                                              \
        .check = CONFIG_CHECK_VOTERS                                                               \
    }
#define SERVERS                                                                                    \
    {                                                                                              \
        .check = CONFIG_CHECK_SERVERS                                                              \
    }
#define THROTTLED_REPLICAS                                                                         \
    {                                                                                              \
        .check = CONFIG_CHECK_THROTTLED_REPLICAS                                                   \
    }
#define OFFSET_RESET                                                                               \
    {                                                                                              \
        .check = CONFIG_CHECK_OFFSET_RESET                                                         \
    }
#define SYNONYMS(...)                                                                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define NO_SYNONYM                                                                                 \
    {                                                                                              \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

// clang-format off
static const struct config_def broker_defs[CONFIG_KEY_COUNT] = {
#define KEY(id, name_, type_, default_, validator_, importance_, update_, effect_)                 \
    [CONFIG_##id] = { .name = name_,                                                               \
        .type = CONFIG_TYPE_##type_,                                                               \
        .default_text = default_,                                                                  \
        .validator = validator_,                                                                   \
        .importance = CONFIG_IMPORTANCE_##importance_,                                             \
        .update = CONFIG_UPDATE_##update_,                                                         \
        .effect = CONFIG_EFFECT_##effect_ },
#define INTERNAL_KEY(id, name_, type_, default_, validator_, importance_, update_, effect_)        \
    [CONFIG_##id] = { .name = name_,                                                               \
        .type = CONFIG_TYPE_##type_,                                                               \
        .default_text = default_,                                                                  \
        .internal = true,                                                                          \
        .validator = validator_,                                                                   \
        .importance = CONFIG_IMPORTANCE_##importance_,                                             \
        .update = CONFIG_UPDATE_##update_,                                                         \
        .effect = CONFIG_EFFECT_##effect_ },
#include "config/config_keys.def"
#undef KEY
#undef INTERNAL_KEY
};

static const struct config_def topic_defs[TOPIC_KEY_COUNT] = {
#define KEY(id, name_, type_, default_, validator_, importance_, synonyms_)                        \
    [TOPIC_##id] = { .name = name_,                                                                \
        .type = CONFIG_TYPE_##type_,                                                               \
        .default_text = default_,                                                                  \
        .validator = validator_,                                                                   \
        .importance = CONFIG_IMPORTANCE_##importance_ },
#define INTERNAL_KEY(id, name_, type_, default_, validator_, importance_, synonyms_)               \
    [TOPIC_##id] = { .name = name_,                                                                \
        .type = CONFIG_TYPE_##type_,                                                               \
        .default_text = default_,                                                                  \
        .internal = true,                                                                          \
        .validator = validator_,                                                                   \
        .importance = CONFIG_IMPORTANCE_##importance_ },
#include "config/topic_keys.def"
#undef KEY
#undef INTERNAL_KEY
};

static const struct config_synonyms topic_synonyms[TOPIC_KEY_COUNT] = {
#define KEY(id, name_, type_, default_, validator_, importance_, synonyms_)                        \
    [TOPIC_##id] = { .items = synonyms_ },
#define INTERNAL_KEY(id, name_, type_, default_, validator_, importance_, synonyms_)               \
    [TOPIC_##id] = { .items = synonyms_ },
#include "config/topic_keys.def"
#undef KEY
#undef INTERNAL_KEY
};

static const struct config_def group_defs[GROUP_KEY_COUNT] = {
#define KEY(id, name_, type_, default_, validator_, importance_, synonyms_)                        \
    [GROUP_##id] = { .name = name_,                                                                \
        .type = CONFIG_TYPE_##type_,                                                               \
        .default_text = default_,                                                                  \
        .validator = validator_,                                                                   \
        .importance = CONFIG_IMPORTANCE_##importance_ },
#include "config/group_keys.def"
#undef KEY
};

static const struct config_synonyms group_synonyms[GROUP_KEY_COUNT] = {
#define KEY(id, name_, type_, default_, validator_, importance_, synonyms_)                        \
    [GROUP_##id] = { .items = synonyms_ },
#include "config/group_keys.def"
#undef KEY
};
// clang-format on

const struct config_def *config_def_of(enum config_key key)
{
    must((unsigned)key < CONFIG_KEY_COUNT);
    return &broker_defs[key];
}

const struct config_def *topic_def_of(enum topic_key key)
{
    must((unsigned)key < TOPIC_KEY_COUNT);
    return &topic_defs[key];
}

const struct config_def *group_def_of(enum group_key key)
{
    must((unsigned)key < GROUP_KEY_COUNT);
    return &group_defs[key];
}

const struct config_synonyms *topic_synonyms_of(enum topic_key key)
{
    must((unsigned)key < TOPIC_KEY_COUNT);
    return &topic_synonyms[key];
}

const struct config_synonyms *group_synonyms_of(enum group_key key)
{
    must((unsigned)key < GROUP_KEY_COUNT);
    return &group_synonyms[key];
}

// A walk: names are looked up when a file is read or an operator asks, never per request.
static bool find(const struct config_def *defs, size_t count, struct str name, size_t *position)
{
    for (*position = 0; *position < count; ++*position)
        if (str_eqz(name, defs[*position].name))
            return true;
    return false;
}

bool config_key_find(struct str name, enum config_key *key)
{
    size_t position;
    if (!find(broker_defs, CONFIG_KEY_COUNT, name, &position))
        return false;
    *key = (enum config_key)position;
    return true;
}

bool topic_key_find(struct str name, enum topic_key *key)
{
    size_t position;
    if (!find(topic_defs, TOPIC_KEY_COUNT, name, &position))
        return false;
    *key = (enum topic_key)position;
    return true;
}

bool group_key_find(struct str name, enum group_key *key)
{
    size_t position;
    if (!find(group_defs, GROUP_KEY_COUNT, name, &position))
        return false;
    *key = (enum group_key)position;
    return true;
}
