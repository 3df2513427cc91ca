// SPDX-License-Identifier: Apache-2.0
#include "base/hashmap.h"
#include "base/testing.h"

// Thousands of puts and removes in a pseudo-random order agree with a plain array.
static void agrees_with_an_array(void)
{
    enum { KEYS = 3000 };
    static int keys[KEYS];
    static char present[KEYS];
    struct hashmap map;
    hashmap_init(&map);
    uint32_t random = 12345;
    size_t count = 0;
    for (int i = 0; i < KEYS; i++)
        keys[i] = i;
    for (int step = 0; step < 60000; step++) {
        random = random * 1664525 + 1013904223;
        int k = (int)(random >> 8) % KEYS;
        if ((random >> 30) != 0) {
            CU_ASSERT_PTR_EQUAL(hashmap_put(&map, &keys[k], sizeof k, &keys[k]),
                                present[k] ? &keys[k] : NULL);
            count += !present[k];
            present[k] = 1;
        } else {
            CU_ASSERT_PTR_EQUAL(hashmap_remove(&map, &k, sizeof k), present[k] ? &keys[k] : NULL);
            count -= present[k] != 0;
            present[k] = 0;
        }
    }
    CU_ASSERT_EQUAL(map.count, count);
    size_t seen = 0;
    int *value;
    for (size_t i = 0; (value = hashmap_next(&map, &i)) != NULL; seen++)
        CU_ASSERT_TRUE(present[*value]);
    CU_ASSERT_EQUAL(seen, count);
    for (int i = 0; i < KEYS; i++)
        CU_ASSERT_PTR_EQUAL(hashmap_find(&map, &i, sizeof i), present[i] ? &keys[i] : NULL);
    hashmap_fini(&map);
}

// A prefix is another key, and so is the empty one.
static void keys_are_whole(void)
{
    struct hashmap map;
    hashmap_init(&map);
    CU_ASSERT_PTR_NULL(hashmap_find(&map, "a", 1));
    hashmap_put(&map, "abcdefghi", 9, "nine");
    hashmap_put(&map, "abcdefgh", 8, "eight");
    hashmap_put(&map, "", 0, "none");
    CU_ASSERT_STRING_EQUAL(hashmap_find(&map, "abcdefghi", 9), "nine");
    CU_ASSERT_STRING_EQUAL(hashmap_find(&map, "abcdefgh", 8), "eight");
    CU_ASSERT_STRING_EQUAL(hashmap_find(&map, "", 0), "none");
    CU_ASSERT_PTR_NULL(hashmap_find(&map, "abc", 3));
    hashmap_fini(&map);
}

TEST_MAIN("hashmap", TEST(agrees_with_an_array), TEST(keys_are_whole))
