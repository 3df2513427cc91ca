// SPDX-License-Identifier: Apache-2.0
// Topics come, change and go; the index finds those that are there, by name and id.
#include "group/topic_index.h"

#include "base/testing.h"

static const struct uuid first = { { 1 } }, second = { { 2 } };

static void topics_come_and_go(void)
{
    struct topic_index *index = topic_index_new();
    topic_index_put(index, first, str_of("t"), 3, 77, 10);
    topic_index_lock_read(index);
    CU_ASSERT_EQUAL(topic_index_find(index, str_of("t"))->hash, 77);
    CU_ASSERT_PTR_NULL(topic_index_find(index, str_of("u")));
    CU_ASSERT_EQUAL(index->new_topics_version, 10);
    topic_index_unlock(index);
    topic_index_put(index, first, str_of("t"), 4, 78, 11); // more partitions: not a new topic
    CU_ASSERT_EQUAL(topic_index_find_by_id(index, first)->partitions_count, 4);
    CU_ASSERT(index->version == 11 && index->new_topics_version == 10);
    topic_index_remove(index, first, 12);
    CU_ASSERT_PTR_NULL(topic_index_find(index, str_of("t")));
    CU_ASSERT_PTR_NULL(topic_index_find_by_id(index, first));
    topic_index_free(index);
}

// Deleted and made again under the same name, told in either order: the newer one is found.
static void a_name_is_used_again(void)
{
    struct topic_index *index = topic_index_new();
    topic_index_put(index, first, str_of("t"), 1, 1, 1);
    topic_index_put(index, second, str_of("t"), 2, 2, 2);
    topic_index_remove(index, first, 2);
    CU_ASSERT(uuid_eq(topic_index_find(index, str_of("t"))->id, second));
    size_t at = 0;
    CU_ASSERT_PTR_NOT_NULL(topic_index_next(index, &at));
    CU_ASSERT_PTR_NULL(topic_index_next(index, &at));
    topic_index_free(index);
}

TEST_MAIN("topic_index", TEST(topics_come_and_go), TEST(a_name_is_used_again))
