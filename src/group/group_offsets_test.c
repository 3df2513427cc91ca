// SPDX-License-Identifier: Apache-2.0
#include "group/group_offsets.h"

#include "base/testing.h"

static const struct str g = { "g", 1 }, t = { "t", 1 };

static void put(struct group_offsets *offsets, int32_t partition, int64_t offset,
                const char *metadata)
{
    struct committed_offset committed = { .offset = offset, .metadata = str_of(metadata) };
    group_offsets_put(offsets, g, t, partition, &committed);
}

// Partitions may come in any order; each keeps its last offset and metadata.
static void the_last_commit_counts(void)
{
    struct group_offsets offsets;
    group_offsets_init(&offsets);
    for (int32_t i = 0; i < 100; i++)
        put(&offsets, i * 37 % 100, i, "first");
    for (int32_t i = 0; i < 100; i += 2)
        put(&offsets, i, 1000 + i, i % 4 == 0 ? "" : "second");
    for (int32_t i = 0; i < 100; i++) {
        const struct committed_offset *found = group_offsets_find(&offsets, g, t, i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        if (i % 2 == 0)
            CU_ASSERT(found->offset == 1000 + i &&
                      str_eqz(found->metadata, i % 4 == 0 ? "" : "second"))
        else
            CU_ASSERT(found->offset * 37 % 100 == i && str_eqz(found->metadata, "first"))
    }
    CU_ASSERT_PTR_NULL(group_offsets_find(&offsets, g, t, 100));
    CU_ASSERT_PTR_NULL(group_offsets_find(&offsets, g, str_of("other"), 0));
    CU_ASSERT_PTR_NULL(group_offsets_find(&offsets, t, t, 0));
    group_offsets_fini(&offsets);
}

// Nothing is left of a group when its last offset goes.
static void removing_leaves_nothing(void)
{
    struct group_offsets offsets;
    group_offsets_init(&offsets);
    for (int32_t i = 0; i < 10; i++)
        put(&offsets, i, i, "m");
    group_offsets_remove(&offsets, g, t, 99);
    group_offsets_remove(&offsets, g, g, 0);
    for (int32_t i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(offset_group_topic(group_offsets_group(&offsets, g), t)->count,
                        (size_t)(10 - i));
        group_offsets_remove(&offsets, g, t, (i * 3) % 10);
        CU_ASSERT_PTR_NULL(group_offsets_find(&offsets, g, t, (i * 3) % 10));
    }
    CU_ASSERT_PTR_NULL(group_offsets_group(&offsets, g));
    CU_ASSERT_EQUAL(offsets.groups.count, 0);
    group_offsets_fini(&offsets);
}

TEST_MAIN("group_offsets", TEST(the_last_commit_counts), TEST(removing_leaves_nothing))
