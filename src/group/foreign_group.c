// SPDX-License-Identifier: Apache-2.0
// The set of live keys of a group that is not understood.
#include "group/foreign_group.h"

#include "base/mem.h"
#include "protocol/record_types.h"

struct foreign_key {
    size_t size;
    uint8_t data[];
};

enum group_type foreign_group_type(int16_t record_type)
{
    if (record_type >= GROUP_RECORD_STREAMS_GROUP_METADATA)
        return GROUP_STREAMS;
    return GROUP_SHARE;
}

static bool is_member(int16_t record_type)
{
    return record_type == GROUP_RECORD_SHARE_GROUP_MEMBER_METADATA ||
           record_type == GROUP_RECORD_STREAMS_GROUP_MEMBER_METADATA;
}

struct foreign_group *foreign_group_new(struct str id, enum group_type type)
{
    struct foreign_group *group = mem_new(struct foreign_group);
    group->base.type = type;
    group->base.id = (struct str){ str_dup(id), id.size };
    hashmap_init(&group->keys);
    return group;
}

void foreign_group_free(struct foreign_group *group)
{
    struct foreign_key *key;
    for (size_t i = 0; (key = hashmap_next(&group->keys, &i)) != NULL;)
        mem_free(key);
    hashmap_fini(&group->keys);
    mem_free((void *)(uintptr_t)group->base.id.data);
    mem_free(group);
}

bool foreign_group_replay(struct foreign_group *group, int16_t record_type, struct bytes key,
                          bool is_tombstone)
{
    struct foreign_key *known = hashmap_find(&group->keys, key.data, key.size);
    if (is_tombstone && known != NULL) {
        hashmap_remove(&group->keys, known->data, known->size);
        mem_free(known);
        group->member_count -= is_member(record_type);
    } else if (!is_tombstone && known == NULL) {
        known = mem_alloc(sizeof *known + key.size);
        known->size = key.size;
        memcpy(known->data, key.data, key.size);
        hashmap_put(&group->keys, known->data, known->size, known);
        group->member_count += is_member(record_type);
    }
    return group->keys.count > 0;
}

bool foreign_group_next_key(const struct foreign_group *group, size_t *position, struct bytes *key)
{
    struct foreign_key *next = hashmap_next(&group->keys, position);
    if (next != NULL)
        *key = (struct bytes){ next->data, next->size };
    return next != NULL;
}
