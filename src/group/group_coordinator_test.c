// SPDX-License-Identifier: Apache-2.0
// The entry points when the log fails, lags, loads or changes hands, and across restarts. What they answer to requests
// in good times is in compat-tests/twin/groups, against the real broker too.
#include "group/group_coordinator.h"

#include "group/group_records.h"
#include "group/testing_groups.h"
#include "record/batch_builder.h"

// A restart in between changes nothing that was answered: members, generation, assignment, offsets.
static void a_restart_changes_nothing(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b;
    struct sync sync_a, sync_b;
    join_new(&f, &a, "g");
    join_new(&f, &b, "g");
    testing_advance(&f.log, 6000);
    sync_send(&f, &sync_a, &a);
    sync_send(&f, &sync_b, &b);
    CU_ASSERT(sync_b.call.done == 1 &&
              sync_b.response.assignment.size == b.response.member_id.size);
    for (int i = 0; i < 20; i++)
        commit_offset(&f, "simple", "t", i % 4, i);
    struct describe_groups_response_described_group before = describe(&f, "g");
    fixture_restart(&f);
    struct describe_groups_response_described_group after = describe(&f, "g");
    CU_ASSERT(str_eqz(after.group_state, "Stable") && after.members_count == 2);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(str_eq(before.members[i].member_id, after.members[i].member_id));
        CU_ASSERT(str_eqz(after.members[i].client_host, "/10.0.0.1") &&
                  str_eqz(after.members[i].client_id, "client"));
        CU_ASSERT_EQUAL(before.members[i].member_assignment.size,
                        after.members[i].member_assignment.size);
        CU_ASSERT_EQUAL(before.members[i].member_metadata.size,
                        after.members[i].member_metadata.size);
    }
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(committed_offset_of(&f, "simple", "t", i), 16 + i);
    CU_ASSERT(heartbeat(&f, &a) == KERR_NONE && heartbeat(&f, &b) == KERR_NONE);
    sync_send(&f, &sync_b, &b);
    CU_ASSERT_EQUAL(sync_b.response.assignment.size, b.response.member_id.size);
    testing_advance(&f.log, 10000); // sessions were started anew when the group was loaded
    CU_ASSERT(is_in_state(&f, "g", "Empty"));
    fixture_restart(&f);
    CU_ASSERT(is_in_state(&f, "g", "Empty") && str_eqz(describe(&f, "g").protocol_type, "stream"));
    fixture_fini(&f);
}

// A first join whose group cannot be written leaves no group; a commit that cannot be written no offset.
static void a_failed_append_leaves_no_trace(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a;
    f.log.fail_next = KERR_NOT_LEADER_OR_FOLLOWER;
    join_send(&f, &a, "g", str_of(""));
    CU_ASSERT(a.call.done == 1 && a.response.error_code == KERR_NOT_COORDINATOR);
    CU_ASSERT(is_in_state(&f, "g", "Dead"));
    commit_offset(&f, "h", "t", 0, 1);
    f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
    CU_ASSERT_EQUAL(commit_offset(&f, "h", "t", 0, 2), KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "h", "t", 0), 1);
    f.log.fail_next = KERR_MESSAGE_TOO_LARGE;
    CU_ASSERT_EQUAL(commit_offset(&f, "i", "t", 0, 2), KERR_UNKNOWN_SERVER_ERROR);
    CU_ASSERT(is_in_state(&f, "i", "Dead"));
    f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
    CU_ASSERT_EQUAL(delete_group(&f, "h"), KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "h", "t", 0), 1);
    fixture_fini(&f);
}

// An assignment that cannot be written is told to all, and the group begins again.
static void a_failed_assignment_rebalances(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b;
    struct sync sync_a, sync_b;
    join_new(&f, &a, "g");
    join_new(&f, &b, "g");
    testing_advance(&f.log, 6000);
    sync_send(&f, &sync_b, &b);
    f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
    sync_send(&f, &sync_a, &a);
    CU_ASSERT(sync_a.call.done == 1 &&
              sync_a.response.error_code == KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT(sync_b.call.done == 1 &&
              sync_b.response.error_code == KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT(is_in_state(&f, "g", "PreparingRebalance"));
    fixture_fini(&f);
}

// A static member whose return cannot be written has not returned: its former self goes on.
static void a_failed_return_is_undone(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, again;
    struct sync sync;
    join_prepare(&f, &a, "g", str_of(""), "range", NULL);
    a.request.group_instance_id = str_of("i");
    join_go(&f, &a, 9);
    testing_advance(&f.log, 3000);
    sync_send(&f, &sync, &a);
    CU_ASSERT_EQUAL(sync.response.error_code, KERR_NONE);
    f.log.fail_next = KERR_NOT_ENOUGH_REPLICAS;
    join_prepare(&f, &again, "g", str_of(""), "range", "other");
    again.request.group_instance_id = str_of("i");
    join_go(&f, &again, 9);
    CU_ASSERT(again.call.done == 1 && again.response.error_code == KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_NONE);
    join_go(&f, &again, 9);
    CU_ASSERT(again.call.done == 2 && str_eq(again.response.leader, again.response.member_id));
    CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_UNKNOWN_MEMBER_ID); // it did not say its instance
    fixture_restart(&f);
    CU_ASSERT_EQUAL(heartbeat(&f, &again), KERR_NONE);
    fixture_fini(&f);
}

// With a lagging high watermark: a commit and a fetch behind it wait, a group is not Stable before its record is.
static void answers_wait_for_commit(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a;
    struct sync sync;
    join_new(&f, &a, "g");
    testing_advance(&f.log, 3000);
    f.log.holds_back = true;
    sync_send(&f, &sync, &a);
    CU_ASSERT_EQUAL(sync.call.done, 0);
    testing_commit(&f.log, group_coordinator_engine(f.groups));
    CU_ASSERT(sync.call.done == 1 && sync.response.error_code == KERR_NONE);
    CU_ASSERT(is_in_state(&f, "g", "Stable"));
    struct commit commit;
    commit_send(&f, &commit, "h", "t", 0, 9);
    CU_ASSERT_EQUAL(commit.call.done, 0);
    struct call fetch;
    int32_t zero = 0;
    struct offset_fetch_request_topics topic = { .name = str_of("t"),
                                                 .partition_indexes = &zero,
                                                 .partition_indexes_count = 1 };
    struct offset_fetch_request_group request = { .group_id = str_of("h"),
                                                  .topics = &topic,
                                                  .topics_count = 1 };
    struct offset_fetch_response_group response = { 0 };
    call_init(&fetch);
    group_coordinator_fetch_offsets(f.groups, &request, false, &response, &f.arena,
                                    &fetch.completion);
    CU_ASSERT_EQUAL(fetch.done, 0);
    testing_commit(&f.log, group_coordinator_engine(f.groups));
    CU_ASSERT(commit.call.done == 1 && commit_error(&commit) == KERR_NONE);
    CU_ASSERT(fetch.done == 1 && response.topics[0].partitions[0].committed_offset == 9);
    fixture_fini(&f);
}

// A coordinator that loses its partition answers everyone who waits, and forgets; another lead finds it all again.
static void a_lost_shard_answers_all(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    struct join a, b;
    struct commit commit;
    settle_one(&f, &a, "g");
    join_new(&f, &b, "g"); // waits for a
    struct coordinator *engine = group_coordinator_engine(f.groups);
    int32_t partition = coordinator_partition_for(engine, str_of("g"));
    f.log.holds_back = true;
    commit_send(&f, &commit, "g", "t", 0, 1);
    CU_ASSERT_EQUAL(commit_error(&commit), KERR_UNKNOWN_MEMBER_ID);
    coordinator_resigned(engine, partition, 1);
    CU_ASSERT(b.call.done == 1 && b.response.error_code == KERR_NOT_COORDINATOR);
    CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_NOT_COORDINATOR);
    coordinator_elected(engine, partition, 2);
    CU_ASSERT_EQUAL(heartbeat(&f, &a), KERR_NONE); // loading: nobody is disturbed
    struct join other;
    join_send(&f, &other, "g", str_of(""));
    CU_ASSERT_EQUAL(other.response.error_code, KERR_COORDINATOR_LOAD_IN_PROGRESS);
    f.log.partitions[partition].high_watermark = f.log.partitions[partition].end;
    coordinator_load(engine);
    CU_ASSERT(heartbeat(&f, &a) == KERR_NONE && is_in_state(&f, "g", "Stable"));
    fixture_fini(&f);
}

// Lists and deletions that span shards are whole, and lack only what other brokers have.
static void many_shards_answer_as_one(void)
{
    struct fixture f;
    fixture_init(&f, NULL);
    char names[40][8];
    struct str ids[40];
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "g%d", i);
        ids[i] = str_of(names[i]);
        commit_offset(&f, names[i], "t", 0, i);
    }
    struct call call;
    struct list_groups_request request = { 0 };
    struct list_groups_response list = { 0 };
    call_init(&call);
    group_coordinator_list(f.groups, &request, &list, &f.arena, &call.completion);
    CU_ASSERT(call.done == 1 && list.groups_count == 40 && list.error_code == KERR_NONE);
    struct delete_groups_response deleted = { 0 };
    call_init(&call);
    group_coordinator_delete(f.groups, ids, 39, &deleted, &f.arena, &call.completion);
    CU_ASSERT(call.done == 1 && deleted.results_count == 39);
    for (int i = 0; i < 39; i++)
        CU_ASSERT(str_eq(deleted.results[i].group_id, ids[i]) &&
                  deleted.results[i].error_code == KERR_NONE)
    struct coordinator *engine = group_coordinator_engine(f.groups);
    for (int32_t i = 0; i < TESTING_PARTITIONS; i++)
        if (i != coordinator_partition_for(engine, ids[39]))
            coordinator_resigned(engine, i, 1);
    memset(&list, 0, sizeof list);
    call_init(&call);
    group_coordinator_list(f.groups, &request, &list, &f.arena, &call.completion);
    CU_ASSERT(call.done == 1 && list.error_code == KERR_NONE && list.groups_count == 1);
    CU_ASSERT(str_eq(list.groups[0].group_id, ids[39]));
    fixture_fini(&f);
}

// Offsets committed in a transaction appear when it commits, unless a later plain commit stands; until then a stable
// fetch is refused.
static void transactional_offsets_wait_for_their_end(void)
{
    static const uint8_t key[] = { 0, 1, 0, 1, 'g', 0, 1, 't', 0, 0, 0, 0 };
    uint8_t value[] = { 0, 3, 0, 0, 0, 0, 0, 0,    0,    50,   0,    0,
                        0, 1, 0, 0, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0 };
    struct fixture f;
    fixture_init(&f, NULL);
    commit_offset(&f, "g", "t", 0, 7);
    int32_t partition = coordinator_partition_for(group_coordinator_engine(f.groups), str_of("g"));
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.producer_id = 3;
    options.producer_epoch = 0;
    options.base_sequence = 0;
    options.is_transactional = true;
    struct batch_builder builder;
    batch_builder_init(&builder, &options);
    batch_builder_add(&builder, 1, (struct bytes){ key, sizeof key },
                      (struct bytes){ value, sizeof value });
    struct bytes batch = batch_builder_finish(&builder);
    int64_t end;
    testing_append(&f.log.log, partition, (uint8_t *)(uintptr_t)batch.data, batch.size, &end);
    fixture_restart(&f);
    struct call call;
    int32_t zero = 0;
    struct offset_fetch_request_topics topic = { .name = str_of("t"),
                                                 .partition_indexes = &zero,
                                                 .partition_indexes_count = 1 };
    struct offset_fetch_request_group request = { .group_id = str_of("g"),
                                                  .topics = &topic,
                                                  .topics_count = 1 };
    for (int stable = 0; stable < 2; stable++) {
        struct offset_fetch_response_group response = { 0 };
        call_init(&call);
        group_coordinator_fetch_offsets(f.groups, &request, stable == 1, &response, &f.arena,
                                        &call.completion);
        const struct offset_fetch_response_partitions *p = &response.topics[0].partitions[0];
        CU_ASSERT_EQUAL(p->error_code, stable ? KERR_UNSTABLE_OFFSET_COMMIT : KERR_NONE);
        CU_ASSERT_EQUAL(p->committed_offset, stable ? -1 : 7);
    }
    uint8_t control[CONTROL_KEY_SIZE], marker[END_TXN_MARKER_SIZE];
    control_key_encode(control, CONTROL_COMMIT);
    end_txn_marker_encode(marker, 0);
    options.is_control = true;
    options.base_sequence = -1;
    batch_builder_reset(&builder, &options);
    batch_builder_add(&builder, 1, (struct bytes){ control, sizeof control },
                      (struct bytes){ marker, sizeof marker });
    batch = batch_builder_finish(&builder);
    testing_append(&f.log.log, partition, (uint8_t *)(uintptr_t)batch.data, batch.size, &end);
    fixture_restart(&f);
    CU_ASSERT_EQUAL(committed_offset_of(&f, "g", "t", 0), 50);
    batch_builder_fini(&builder);
    fixture_fini(&f);
}

// A group's record that cannot be (a member twice, members without a protocol) is not served, rather than wrongly.
static void impossible_records_are_not_served(void)
{
    struct group_metadata_value_member_metadata twice[2] = {
        { .member_id = { "m", 1 },
          .client_id = { "c", 1 },
          .client_host = { "/h", 2 },
          .subscription = { (const uint8_t *)"", 0 },
          .assignment = { (const uint8_t *)"", 0 } },
    };
    twice[1] = twice[0];
    for (int attempt = 0; attempt < 2; attempt++) {
        struct fixture f;
        fixture_init(&f, NULL);
        struct group_metadata_value value = { .protocol_type = { "consumer", 8 },
                                              .protocol = { attempt == 0 ? "range" : NULL,
                                                            attempt == 0 ? 5 : 0 },
                                              .members = twice,
                                              .members_count = attempt == 0 ? 2 : 1 };
        struct coordinator *engine = group_coordinator_engine(f.groups);
        struct coordinator_shard *shard =
            coordinator_shard_at(engine, coordinator_partition_for(engine, str_of("g")));
        enum kafka_error error;
        must(coordinator_enter(shard, &error) != NULL);
        group_record_add_metadata(shard, str_of("g"), &value);
        CU_ASSERT_EQUAL(coordinator_append(shard, false), KERR_NONE);
        coordinator_exit(shard);
        fixture_restart(&f);
        CU_ASSERT_EQUAL(commit_offset(&f, "g", "t", 0, 1), KERR_NOT_COORDINATOR);
        fixture_fini(&f);
    }
}

TEST_MAIN("group_coordinator", TEST(impossible_records_are_not_served),
          TEST(a_restart_changes_nothing), TEST(a_failed_append_leaves_no_trace),
          TEST(a_failed_assignment_rebalances), TEST(a_failed_return_is_undone),
          TEST(answers_wait_for_commit), TEST(a_lost_shard_answers_all),
          TEST(many_shards_answer_as_one), TEST(transactional_offsets_wait_for_their_end))
