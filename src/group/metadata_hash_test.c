// SPDX-License-Identifier: Apache-2.0
// The numbers are what Kafka 4.3.1's own Utils.computeTopicHash and computeGroupHash said.
#include "group/metadata_hash.h"

#include "base/testing.h"

static const struct uuid id = { { 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0,
                                  0xf0 } };

static int64_t without_racks(void)
{
    struct partition_racks partitions[3] = { { NULL, 0 } };
    return metadata_hash_topic(id, str_of("foo"), partitions, 3);
}

// Texts of every width in UTF-16, racks unsorted, twice, and with a comma.
static int64_t with_racks(void)
{
    struct str first[] = { str_of("z"), str_of("a,"), str_of("\u20ac\U0001f600") };
    struct str second[] = { str_of("r1"), str_of("r1") };
    struct partition_racks partitions[2] = { { first, 3 }, { second, 2 } };
    return metadata_hash_topic(id, str_of("b\u00e4r-\U0001f600"), partitions, 2);
}

static void topics(void)
{
    CU_ASSERT_EQUAL(without_racks(), INT64_C(4034163652042188457));
    CU_ASSERT_EQUAL(with_racks(), INT64_C(-5446460529321577532));
}

static void groups(void)
{
    int64_t hashes[2] = { with_racks(), without_racks() }; // as if named bar and foo
    CU_ASSERT_EQUAL(metadata_hash_group(hashes, 2), INT64_C(-3420478744016490730));
    CU_ASSERT_EQUAL(metadata_hash_group(NULL, 0), 0);
}

TEST_MAIN("metadata_hash", TEST(topics), TEST(groups))
