// SPDX-License-Identifier: Apache-2.0
#include "log/offset_map.h"

#include "base/testing.h"

static struct siphash key_of(const struct offset_map *map, int n)
{
    char text[32];
    snprintf(text, sizeof text, "key %d", n);
    return offset_map_key(map, (struct bytes){ (const uint8_t *)text, strlen(text) });
}

static bool put(struct offset_map *map, int n, int64_t offset)
{
    struct siphash key = key_of(map, n);
    offset_map_prefetch(map, &key);
    return offset_map_put(map, &key, offset);
}

static int64_t find(const struct offset_map *map, int n)
{
    struct siphash key = key_of(map, n);
    return offset_map_find(map, &key);
}

// Each key has the offset that was put last, offset 0 too; a key that never came has none.
static void the_last_offset_of_a_key_is_found(void)
{
    struct offset_map map;
    offset_map_init(&map, 24 * 1000, 0.9, 1 << 30);
    CU_ASSERT_EQUAL(map.slot_count, 1000);
    CU_ASSERT_EQUAL(map.count_max, 900);
    for (int i = 0; i < 450; i++)
        CU_ASSERT_TRUE(put(&map, i, i));
    for (int i = 0; i < 450; i += 2)
        CU_ASSERT_TRUE(put(&map, i, 1000 + i));
    CU_ASSERT_EQUAL(map.count, 450);
    for (int i = 0; i < 450; i++)
        CU_ASSERT_EQUAL(find(&map, i), i % 2 == 0 ? 1000 + i : i);
    CU_ASSERT_EQUAL(find(&map, 450), -1);
    offset_map_fini(&map);
}

// Full means: nothing more, not even for a key that is in it; and searching still ends.
static void a_full_map_takes_nothing(void)
{
    struct offset_map map;
    offset_map_init(&map, 24 * 100, 1.0, 1 << 30);
    CU_ASSERT_EQUAL(map.count_max, 99);
    for (int i = 0; i < 99; i++)
        CU_ASSERT_TRUE(put(&map, i, i));
    CU_ASSERT_FALSE(put(&map, 99, 99));
    CU_ASSERT_FALSE(put(&map, 5, 99));
    CU_ASSERT_EQUAL(find(&map, 5), 5);
    CU_ASSERT_EQUAL(find(&map, 99), -1);
    offset_map_fini(&map);
}

// A small log makes a small map, which takes all its keys; memory that is hardly any still makes progress.
static void the_size_follows_what_is_needed(void)
{
    struct offset_map map;
    offset_map_init(&map, 128 << 20, 0.9, 10);
    CU_ASSERT_TRUE(map.slot_count < 100);
    for (int i = 0; i < 10; i++)
        CU_ASSERT_TRUE(put(&map, i, i));
    offset_map_fini(&map);
    offset_map_init(&map, 0, 0.0, 1000);
    CU_ASSERT_TRUE(put(&map, 1, 7));
    CU_ASSERT_FALSE(put(&map, 2, 8));
    offset_map_fini(&map);
    offset_map_init(&map, INT64_MAX, 0.9, 0);
    CU_ASSERT_TRUE(put(&map, 1, 7));
    offset_map_fini(&map);
}

TEST_MAIN("offset_map", TEST(the_last_offset_of_a_key_is_found), TEST(a_full_map_takes_nothing),
          TEST(the_size_follows_what_is_needed))
