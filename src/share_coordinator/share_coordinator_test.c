// SPDX-License-Identifier: Apache-2.0
// A share coordinator over a log in memory: every call, snapshots after updates, fencing, restart, cutting the log.
#include "share_coordinator/share_coordinator.h"

#include "record/record.h"

#include "share_coordinator/share_records.h"
#include "share_coordinator/testing_share.h"

static struct share_state_call call_of(enum share_state_op op)
{
    return (struct share_state_call){ .op = op,
                                      .group = str_of("g"),
                                      .topic_id = testing_topic(1),
                                      .partition = 0,
                                      .leader_epoch = -1,
                                      .state_epoch = -1 };
}

static enum kafka_error initialize(struct share_fixture *f, int32_t state_epoch,
                                   int64_t start_offset)
{
    struct share_state_call call = call_of(SHARE_STATE_INITIALIZE);
    call.state_epoch = state_epoch;
    call.start_offset = start_offset;
    return testing_share_call(f, &call);
}

static enum kafka_error write_batch(struct share_fixture *f, int32_t leader_epoch,
                                    int64_t start_offset, struct share_batch batch)
{
    struct share_state_call call = call_of(SHARE_STATE_WRITE);
    call.leader_epoch = leader_epoch;
    call.start_offset = start_offset;
    call.delivery_complete_count = 1;
    call.batches = &batch;
    call.batches_count = 1;
    return testing_share_call(f, &call);
}

static struct share_state_call read_back(struct share_fixture *f, int32_t leader_epoch)
{
    struct share_state_call call = call_of(SHARE_STATE_READ);
    call.leader_epoch = leader_epoch;
    testing_share_call(f, &call);
    return call;
}

static int32_t partition_in_charge(struct share_fixture *f)
{
    return share_coordinator_partition_for(f->coordinator, str_of("g"), testing_topic(1), 0);
}

// How many snapshots and updates the log of the partition in charge has.
static void count_records(struct share_fixture *f, int *snapshots, int *updates)
{
    const struct testing_partition *p = &f->log.partitions[partition_in_charge(f)];
    struct bytes rest = { (const uint8_t *)p->bytes.data, p->bytes.size }, batch;
    *snapshots = *updates = 0;
    while (batch_next(&rest, &batch) == BATCH_FOUND) {
        struct record_iter it;
        struct record record;
        record_iter_init(&it, batch, RECORDS_WHOLE);
        while (record_iter_next(&it, &record)) {
            struct share_log_record parsed;
            CU_ASSERT_FATAL(share_record_decode(record.key, record.value, &f->arena, &parsed));
            *(parsed.is_snapshot ? snapshots : updates) += 1;
        }
        record_iter_fini(&it);
    }
}

static void state_is_begun_written_and_read_back(void)
{
    struct share_fixture f;
    share_fixture_init(&f, NULL);
    CU_ASSERT_EQUAL(read_back(&f, 0).error, KERR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(write_batch(&f, 0, 0, (struct share_batch){ 0, 9, 1, SHARE_ACKNOWLEDGED }),
                    KERR_INVALID_REQUEST);
    CU_ASSERT_EQUAL(initialize(&f, 1, -1), KERR_NONE);
    CU_ASSERT_EQUAL(write_batch(&f, 0, 5, (struct share_batch){ 0, 9, 1, SHARE_ACKNOWLEDGED }),
                    KERR_NONE);
    for (int restarts = 0; restarts < 2; restarts++) {
        struct share_state_call got = read_back(&f, 0);
        CU_ASSERT_EQUAL(got.error, KERR_NONE);
        CU_ASSERT_EQUAL(got.start_offset, 5);
        CU_ASSERT_EQUAL(got.state_epoch, 1);
        CU_ASSERT_EQUAL_FATAL(got.batches_count, 1);
        CU_ASSERT_EQUAL(got.batches[0].first_offset, 5);
        CU_ASSERT_EQUAL(got.batches[0].last_offset, 9);
        struct share_state_call summary = call_of(SHARE_STATE_SUMMARY);
        CU_ASSERT_EQUAL(testing_share_call(&f, &summary), KERR_NONE);
        CU_ASSERT_EQUAL(summary.delivery_complete_count, 1);
        CU_ASSERT_EQUAL(summary.start_offset, 5);
        share_fixture_restart(&f);
    }
    share_fixture_fini(&f);
}

static void what_is_not_there_is_summed_up_as_unset(void)
{
    struct share_fixture f;
    share_fixture_init(&f, NULL);
    struct share_state_call call = call_of(SHARE_STATE_SUMMARY);
    CU_ASSERT_EQUAL(testing_share_call(&f, &call), KERR_NONE);
    CU_ASSERT_EQUAL(call.start_offset, -1);
    CU_ASSERT_EQUAL(call.delivery_complete_count, -1);
    CU_ASSERT_EQUAL(call.leader_epoch, 0);
    CU_ASSERT_EQUAL(call.state_epoch, 0);
    call.partition = 3; // the topic has 0, 1, 2
    CU_ASSERT_EQUAL(testing_share_call(&f, &call), KERR_UNKNOWN_TOPIC_OR_PARTITION);
    call.partition = -1;
    CU_ASSERT_EQUAL(testing_share_call(&f, &call), KERR_INVALID_REQUEST);
    CU_ASSERT_TRUE(str_eqz(call.error_message, "The partition id cannot be a negative number."));
    struct share_state_call gone = call_of(SHARE_STATE_DELETE);
    CU_ASSERT_EQUAL(testing_share_call(&f, &gone), KERR_NONE); // nothing to forget
    share_fixture_fini(&f);
}

static void epochs_of_old_are_fenced(void)
{
    struct share_fixture f;
    share_fixture_init(&f, NULL);
    CU_ASSERT_EQUAL(initialize(&f, 3, 0), KERR_NONE);
    CU_ASSERT_EQUAL(initialize(&f, 2, 0), KERR_FENCED_STATE_EPOCH);
    CU_ASSERT_EQUAL(read_back(&f, 7).error, KERR_NONE); // makes 7 known
    share_fixture_restart(&f);
    CU_ASSERT_EQUAL(read_back(&f, 6).error, KERR_FENCED_LEADER_EPOCH);
    CU_ASSERT_EQUAL(write_batch(&f, 6, 0, (struct share_batch){ 0, 0, 1, SHARE_AVAILABLE }),
                    KERR_FENCED_LEADER_EPOCH);
    CU_ASSERT_EQUAL(write_batch(&f, -1, 0, (struct share_batch){ 0, 0, 1, SHARE_AVAILABLE }),
                    KERR_NONE);
    share_fixture_fini(&f);
}

static void a_snapshot_follows_enough_updates(void)
{
    struct share_fixture f;
    struct share_coordinator_config config = share_coordinator_config_defaults;
    config.updates_per_snapshot = 3;
    share_fixture_init(&f, &config);
    initialize(&f, 1, 0);
    for (int i = 0; i < 9; i++)
        write_batch(&f, 0, 0, (struct share_batch){ i, i, 1, SHARE_ARCHIVED });
    int snapshots, updates;
    count_records(&f, &snapshots, &updates);
    CU_ASSERT_EQUAL(snapshots, 1 + 2); // S uuu S uuu S u
    CU_ASSERT_EQUAL(updates, 7);
    share_fixture_restart(&f);
    struct share_state_call got = read_back(&f, 0);
    CU_ASSERT_EQUAL_FATAL(got.batches_count, 1);
    CU_ASSERT_EQUAL(got.batches[0].last_offset, 8);
    share_fixture_fini(&f);
}

static void cold_partitions_are_snapshotted_and_the_log_is_cut(void)
{
    struct share_fixture f;
    share_fixture_init(&f, NULL);
    initialize(&f, 1, 0);
    write_batch(&f, 0, 0, (struct share_batch){ 0, 4, 1, SHARE_ARCHIVED });
    testing_advance(&f.log, 300000); // the snapshot is at offset 2
    testing_advance(&f.log, 300000);
    CU_ASSERT_EQUAL(f.pruned_to, 2);
    CU_ASSERT_EQUAL(f.prunes, 1);
    int snapshots, updates;
    count_records(&f, &snapshots, &updates);
    CU_ASSERT_EQUAL(snapshots, 2); // not again while nothing happens
    struct share_state_call gone = call_of(SHARE_STATE_DELETE);
    CU_ASSERT_EQUAL(testing_share_call(&f, &gone), KERR_NONE);
    CU_ASSERT_EQUAL(read_back(&f, 0).error, KERR_INVALID_REQUEST);
    testing_advance(&f.log, 300000);
    CU_ASSERT_EQUAL(f.pruned_to, 3);
    share_fixture_fini(&f);
}

static void deleted_topics_take_their_state_along(void)
{
    struct share_fixture f;
    share_fixture_init(&f, NULL);
    initialize(&f, 1, 0);
    struct uuid ids[] = { testing_topic(2), testing_topic(1) };
    share_coordinator_topics_deleted(f.coordinator, ids, 1);
    CU_ASSERT_EQUAL(read_back(&f, 0).error, KERR_NONE);
    share_coordinator_topics_deleted(f.coordinator, ids, 2);
    share_fixture_restart(&f);
    CU_ASSERT_EQUAL(read_back(&f, 0).error, KERR_INVALID_REQUEST);
    share_fixture_fini(&f);
}

static void nothing_is_answered_before_it_is_committed(void)
{
    struct share_fixture f;
    share_fixture_init(&f, NULL);
    f.log.holds_back = true;
    struct share_state_call call = call_of(SHARE_STATE_INITIALIZE);
    call.state_epoch = 1;
    call.completion.complete = testing_share_done;
    call.arena = &f.arena;
    persister_call(share_coordinator_persister(f.coordinator), &call);
    CU_ASSERT_PTR_NOT_NULL(call.completion.complete);
    testing_commit(&f.log, share_coordinator_engine(f.coordinator));
    CU_ASSERT_PTR_NULL(call.completion.complete);
    CU_ASSERT_EQUAL(call.error, KERR_NONE);
    f.log.fail_next = KERR_NOT_LEADER_OR_FOLLOWER;
    CU_ASSERT_EQUAL(initialize(&f, 1, 0), KERR_NOT_COORDINATOR);
    coordinator_resigned(share_coordinator_engine(f.coordinator), partition_in_charge(&f), -1);
    CU_ASSERT_EQUAL(initialize(&f, 1, 0), KERR_NOT_COORDINATOR);
    share_fixture_fini(&f);
}

TEST_MAIN("share_coordinator", TEST(state_is_begun_written_and_read_back),
          TEST(what_is_not_there_is_summed_up_as_unset), TEST(epochs_of_old_are_fenced),
          TEST(a_snapshot_follows_enough_updates),
          TEST(cold_partitions_are_snapshotted_and_the_log_is_cut),
          TEST(deleted_topics_take_their_state_along),
          TEST(nothing_is_answered_before_it_is_committed))
