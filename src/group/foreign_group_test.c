// SPDX-License-Identifier: Apache-2.0
// Groups of types that are not served: as a JVM broker left them, seen through the entry points.
#include "group/foreign_group.h"
#include "group/testing_groups.h"
#include "protocol/record_types.h"

static struct str listed_type(struct fixture *f, const char *group)
{
    struct call call;
    struct list_groups_request request = { 0 };
    struct list_groups_response response = { 0 };
    call_init(&call);
    group_coordinator_list(f->groups, &request, &response, &f->arena, &call.completion);
    must(call.done == 1);
    for (int32_t i = 0; i < response.groups_count; i++)
        if (str_eqz(response.groups[i].group_id, group))
            return response.groups[i].group_type;
    return STR_NULL;
}

static void a_streams_group(struct fixture *f, const char *group, bool with_member)
{
    if (with_member)
        foreign_record(f, GROUP_RECORD_STREAMS_GROUP_MEMBER_METADATA, group, "member", "whatever");
    foreign_record(f, GROUP_RECORD_STREAMS_GROUP_METADATA, group, "", "epoch");
    foreign_record(f, GROUP_RECORD_STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA, group, "", "epoch");
}

// It is listed as what it is, described to nobody as classic, and its members keep classic ones out.
static void it_keeps_its_name(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    a_streams_group(&f, "g", true);
    foreign_record(&f, GROUP_RECORD_STREAMS_GROUP_METADATA, "k", "", "epoch");
    fixture_restart(&f);
    CU_ASSERT(str_eqz(listed_type(&f, "g"), "streams"));
    CU_ASSERT(str_eqz(listed_type(&f, "k"), "streams"));
    CU_ASSERT(is_in_state(&f, "g", "Dead"));
    CU_ASSERT_EQUAL(describe(&f, "g").error_code, KERR_GROUP_ID_NOT_FOUND);
    CU_ASSERT(str_eqz(describe(&f, "g").error_message, "Group g is not a classic group."));
    struct join join;
    join_send(&f, &join, "g", str_of(""));
    CU_ASSERT_EQUAL(join.response.error_code, KERR_INCONSISTENT_GROUP_PROTOCOL);
    CU_ASSERT_EQUAL(commit_offset(&f, "g", "t", 0, 1), KERR_UNKNOWN_MEMBER_ID);
    CU_ASSERT_EQUAL(delete_group(&f, "g"), KERR_NON_EMPTY_GROUP);
    fixture_fini(&f);
}

// When it is empty it can be deleted, all of it, with its offsets.
static void it_is_deleted_whole(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    a_streams_group(&f, "g", true);
    foreign_record(&f, GROUP_RECORD_STREAMS_GROUP_MEMBER_METADATA, "g", "member", NULL);
    CU_ASSERT_EQUAL(commit_offset(&f, "g", "t", 0, 5), KERR_NONE);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 5);
    CU_ASSERT_EQUAL(delete_group(&f, "g"), KERR_NONE);
    fixture_restart(&f);
    CU_ASSERT_PTR_NULL(listed_type(&f, "g").data);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), -1);
    CU_ASSERT_EQUAL(delete_group(&f, "g"), KERR_GROUP_ID_NOT_FOUND);
    fixture_fini(&f);
}

// An empty one makes place for a classic group of its name; its offsets stay.
static void it_makes_place_when_empty(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    commit_offset(&f, "g", "t", 0, 5); // the simple group becomes a streams group
    a_streams_group(&f, "g", false);
    CU_ASSERT(str_eqz(listed_type(&f, "g"), "streams"));
    struct join join;
    settle_one(&f, &join, "g");
    CU_ASSERT(str_eqz(listed_type(&f, "g"), "classic"));
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 5);
    fixture_restart(&f);
    CU_ASSERT(is_in_state(&f, "g", "Stable"));
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 5);
    fixture_fini(&f);
}

TEST_MAIN("foreign_group", TEST(it_keeps_its_name), TEST(it_is_deleted_whole),
          TEST(it_makes_place_when_empty))
