// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"
#include "base/testing.h"

// The metadata topic's id is the number one, written as Kafka writes it.
static void text_is_kafkas(void)
{
    struct uuid one = { { [15] = 1 } }, back;
    char text[UUID_TEXT_SIZE];
    uuid_format(one, text);
    CU_ASSERT_STRING_EQUAL(text, "AAAAAAAAAAAAAAAAAAAAAQ");
    CU_ASSERT_TRUE(uuid_parse(str_of(text), &back) && uuid_eq(one, back));
    CU_ASSERT_TRUE(uuid_is_reserved(one));
}

static void random_ids_come_back(void)
{
    for (int i = 0; i < 1000; i++) {
        struct uuid u = uuid_random(), back;
        char text[UUID_TEXT_SIZE];
        uuid_format(u, text);
        CU_ASSERT_TRUE(uuid_parse(str_of(text), &back) && uuid_eq(u, back));
        CU_ASSERT_NOT_EQUAL(text[0], '-');
        CU_ASSERT_EQUAL(u.bytes[6] >> 4, 4);
    }
}

static void bad_texts_are_refused(void)
{
    struct uuid u;
    CU_ASSERT_FALSE(uuid_parse(str_of("AAAAAAAAAAAAAAAAAAAAA"), &u));
    CU_ASSERT_FALSE(uuid_parse(str_of("AAAAAAAAAAAAAAAAAAAAA!"), &u));
    CU_ASSERT_FALSE(uuid_parse(str_of("AAAAAAAAAAAAAAAAAAAAAB"), &u)); // left-over bits set
}

TEST_MAIN("uuid", TEST(text_is_kafkas), TEST(random_ids_come_back), TEST(bad_texts_are_refused))
