// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/topic_names.h"

#include "base/mem.h"
#include "base/must.h"

const char *topic_name_fault(struct str name, struct arena *arena)
{
    if (name.size == 0)
        return "the empty string is not allowed";
    if (str_eqz(name, ".") || str_eqz(name, ".."))
        return arena_printf(arena, "'%.*s' is not allowed", STR_ARG(name));
    if (name.size > TOPIC_NAME_MAX)
        return arena_printf(arena, "the length of '%.*s' is longer than the max allowed length %d",
                            STR_ARG(name), TOPIC_NAME_MAX);
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!is_legal)
            return arena_printf(
                arena,
                "'%.*s' contains one or more characters other than ASCII alphanumerics, '.', '_' "
                "and '-'",
                STR_ARG(name));
    }
    return NULL;
}

// The names that share a unified one; nearly always a single one.
struct group {
    struct str *names; // each for mem_free
    size_t count;
    size_t capacity;
    size_t unified_size;
    char unified[TOPIC_NAME_MAX];
};

// False: the name has neither character.
static bool unify(struct str name, char out[TOPIC_NAME_MAX])
{
    bool has_any = false;
    for (size_t i = 0; i < name.size; i++) {
        has_any = has_any || name.data[i] == '.' || name.data[i] == '_';
        out[i] = name.data[i] == '.' ? '_' : name.data[i];
    }
    return has_any;
}

void topic_names_init(struct topic_names *names)
{
    hashmap_init(&names->_by_unified);
}

static void group_free(struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        mem_free((char *)group->names[i].data);
    mem_free(group->names);
    mem_free(group);
}

void topic_names_fini(struct topic_names *names)
{
    struct group *group;
    for (size_t at = 0; (group = hashmap_next(&names->_by_unified, &at)) != NULL;)
        group_free(group);
    hashmap_fini(&names->_by_unified);
}

void topic_names_add(struct topic_names *names, struct str name)
{
    char unified[TOPIC_NAME_MAX];
    if (name.size > TOPIC_NAME_MAX || !unify(name, unified))
        return;
    struct group *group = hashmap_find(&names->_by_unified, unified, name.size);
    if (group == NULL) {
        group = mem_new(struct group);
        group->unified_size = name.size;
        memcpy(group->unified, unified, name.size);
        hashmap_put(&names->_by_unified, group->unified, group->unified_size, group);
    }
    vec_reserve(group->names, group->count + 1, group->capacity);
    group->names[group->count++] = (struct str){ str_dup(name), name.size };
}

void topic_names_remove(struct topic_names *names, struct str name)
{
    char unified[TOPIC_NAME_MAX];
    if (name.size > TOPIC_NAME_MAX || !unify(name, unified))
        return;
    struct group *group = hashmap_find(&names->_by_unified, unified, name.size);
    must(group != NULL);
    for (size_t i = 0; i < group->count; i++) {
        if (str_eq(group->names[i], name)) {
            mem_free((char *)group->names[i].data);
            group->names[i] = group->names[--group->count];
            break;
        }
    }
    if (group->count == 0) {
        hashmap_remove(&names->_by_unified, group->unified, group->unified_size);
        group_free(group);
    }
}

struct str topic_names_find(const struct topic_names *names, struct str name)
{
    char unified[TOPIC_NAME_MAX];
    if (name.size > TOPIC_NAME_MAX || !unify(name, unified))
        return STR_NULL;
    const struct group *group = hashmap_find(&names->_by_unified, unified, name.size);
    return group == NULL ? STR_NULL : group->names[0];
}
