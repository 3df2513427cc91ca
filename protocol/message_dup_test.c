// SPDX-License-Identifier: Apache-2.0
// Copies of messages that outlive what they were made from.
#include "protocol/message_dup.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/testing.h"
#include "protocol/records/consumer_group_current_member_assignment.h"
#include "protocol/records/consumer_group_member_metadata.h"

// Every kind of field: strings null and empty, arrays of strings and of structs, a struct behind a pointer, bytes.
static void everything_is_copied(void)
{
    struct arena arena;
    arena_init(&arena);
    struct consumer_group_member_metadata_value in;
    message_init(&consumer_group_member_metadata_value_desc, &in);
    struct str topics[] = { str_of("a"), str_of("b") };
    struct consumer_group_member_metadata_value_classic_protocol protocol = {
        .name = str_of("range"), .metadata = { (const uint8_t *)"\1\2", 2 }
    };
    struct consumer_group_member_metadata_value_classic_member_metadata classic = {
        .session_timeout_ms = 7, .supported_protocols = &protocol, .supported_protocols_count = 1
    };
    in.instance_id = STR_NULL;
    in.client_id = str_of("");
    in.client_host = str_of("/127.0.0.1");
    in.subscribed_topic_names = topics;
    in.subscribed_topic_names_count = 2;
    in.classic_member_metadata = &classic;
    struct bytes before =
        codec_encode_bytes(&consumer_group_member_metadata_value_desc, 0, &arena, &in);
    struct consumer_group_member_metadata_value *copy =
        message_dup(&consumer_group_member_metadata_value_desc, &in);
    memset(topics, 0, sizeof topics);
    memset(&protocol, 0, sizeof protocol);
    memset(&classic, 0, sizeof classic);
    struct bytes after =
        codec_encode_bytes(&consumer_group_member_metadata_value_desc, 0, &arena, copy);
    CU_ASSERT(before.size > 0 && before.size == after.size &&
              memcmp(before.data, after.data, after.size) == 0);
    CU_ASSERT_PTR_NULL(copy->instance_id.data);
    CU_ASSERT_PTR_NOT_NULL(copy->client_id.data);
    mem_free(copy);
    arena_fini(&arena);
}

// A null array and an empty one stay what they are.
static void null_is_not_empty(void)
{
    int32_t none = 0;
    struct consumer_group_current_member_assignment_value_topic_partitions topics[2] = {
        { .partitions = &none, .partitions_count = 0, .assignment_epochs_count = -1 },
        { .partitions = &none,
          .partitions_count = 1,
          .assignment_epochs = &none,
          .assignment_epochs_count = 1 },
    };
    struct consumer_group_current_member_assignment_value in = { .assigned_partitions = topics,
                                                                 .assigned_partitions_count = 2 };
    struct consumer_group_current_member_assignment_value *copy =
        message_dup(&consumer_group_current_member_assignment_value_desc, &in);
    CU_ASSERT_PTR_NOT_NULL(copy->assigned_partitions[0].partitions);
    CU_ASSERT_PTR_NULL(copy->assigned_partitions[0].assignment_epochs);
    CU_ASSERT_EQUAL(copy->assigned_partitions[0].assignment_epochs_count, -1);
    CU_ASSERT_EQUAL(copy->assigned_partitions[1].assignment_epochs[0], 0);
    CU_ASSERT(copy->assigned_partitions[1].assignment_epochs != &none);
    mem_free(copy);
}

TEST_MAIN("message_dup", TEST(everything_is_copied), TEST(null_is_not_empty))
