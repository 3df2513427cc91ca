// SPDX-License-Identifier: Apache-2.0
// The names, levels and messages that Kafka 4.3.1's storage tool gives.
#include "broker/release.h"

#include "base/testing.h"

static int16_t found(const char *name, bool with_testing)
{
    struct strbuf message = STRBUF_EMPTY;
    int16_t level = release_find(str_of(name), with_testing, &message);
    CU_ASSERT_EQUAL(level == 0, message.size > 0);
    strbuf_fini(&message);
    return level;
}

static void releases_are_found_by_full_and_short_name(void)
{
    CU_ASSERT_EQUAL(found("4.3-IV0", false), 30);
    CU_ASSERT_EQUAL(found("3.7-IV3", false), 18);
    CU_ASSERT_EQUAL(found("3.7", false), 19);
    CU_ASSERT_EQUAL(found("4.0", false), 25);
    CU_ASSERT_EQUAL(found("4.0.1", false), 25);
    CU_ASSERT_EQUAL(found("4.4-IV0", false), 0);
    CU_ASSERT_EQUAL(found("4.4-IV0", true), 31);
    CU_ASSERT_EQUAL(found("4.4", true), 0);
    CU_ASSERT_EQUAL(found("4", true), 0);
    CU_ASSERT_EQUAL(found("3.7-IV9", true), 0);
    CU_ASSERT_EQUAL(found("", true), 0);
    CU_ASSERT_STRING_EQUAL(release_name(7), "3.3-IV3");
}

static void an_unknown_release_is_told_what_there_is(void)
{
    struct strbuf message = STRBUF_EMPTY;
    release_find(str_of("9.9"), false, &message);
    CU_ASSERT_STRING_EQUAL(
        message.data,
        "Unknown metadata.version '9.9'. Supported metadata.version are: 3.3-IV3, 3.4-IV0, "
        "3.5-IV0, "
        "3.5-IV1, 3.5-IV2, 3.6-IV0, 3.6-IV1, 3.6-IV2, 3.7-IV0, 3.7-IV1, 3.7-IV2, 3.7-IV3, 3.7-IV4, "
        "3.8-IV0, 3.9-IV0, 4.0-IV0, 4.0-IV1, 4.0-IV2, 4.0-IV3, 4.1-IV0, 4.1-IV1, 4.2-IV0, 4.2-IV1, "
        "4.3-IV0");
    strbuf_fini(&message);
}

static void features_come_with_their_release(void)
{
    static const int16_t latest[FEATURE_COUNT] = { 1, 2, 1, 1, 1, 1 };
    static const int16_t of_4_0[FEATURE_COUNT] = { 1, 2, 1, 0, 0, 0 };
    for (int i = 0; i < FEATURE_COUNT; i++) {
        CU_ASSERT_EQUAL(feature_default_level(feature_names[i], RELEASE_LATEST), latest[i]);
        CU_ASSERT_EQUAL(feature_default_level(feature_names[i], 25), of_4_0[i]);
        CU_ASSERT_EQUAL(feature_default_level(feature_names[i], 18), 0);
    }
    CU_ASSERT_EQUAL(
        feature_level_find(str_of("eligible.leader.replicas.version"), 1)->needs_release, 23);
    CU_ASSERT_PTR_NULL(feature_level_find(str_of("group.version"), 9));
    CU_ASSERT_PTR_NULL(feature_level_find(str_of("foo"), 1));
}

TEST_MAIN("release", TEST(releases_are_found_by_full_and_short_name),
          TEST(an_unknown_release_is_told_what_there_is), TEST(features_come_with_their_release))
