// SPDX-License-Identifier: Apache-2.0
#include "replica/partition.h"

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/testing.h"
#include "log/log_flusher.h"
#include "record/batch_builder.h"

enum { ME = 1, OTHER = 2, THIRD = 3 };

struct fixture {
    char folder[200];
    struct trace trace;
    struct log *log;
    struct log_flusher *flusher;
    struct partition *partition;
    struct arena arena;
    struct partition_woken woken;
};

static void set_state(struct fixture *f, int32_t leader, int32_t epoch, const int32_t *replicas,
                      int32_t replicas_count, const int32_t *isr, int32_t isr_count)
{
    static int32_t partition_epoch;
    struct partition_state state = { leader,         epoch, ++partition_epoch, replicas,
                                     replicas_count, isr,   isr_count };
    partition_apply(f->partition, f->log, &state, &f->woken);
}

static void lead_alone(struct fixture *f, int32_t epoch)
{
    set_state(f, ME, epoch, (int32_t[]){ ME }, 1, (int32_t[]){ ME }, 1);
}

static void lead_three(struct fixture *f, int32_t epoch)
{
    set_state(f, ME, epoch, (int32_t[]){ ME, OTHER, THIRD }, 3, (int32_t[]){ ME, OTHER, THIRD }, 3);
}

static void begin_flushing(struct fixture *f, struct log_flusher *flusher)
{
    f->flusher = flusher;
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(f->folder, sizeof f->folder));
    trace_init(&f->trace, clock_posix(), TRACE_ERROR, -1);
    arena_init(&f->arena);
    partition_woken_init(&f->woken);
    struct uuid id = uuid_random();
    char dir[220];
    snprintf(dir, sizeof dir, "%s/t-0", f->folder);
    struct log_options options = { .disk = disk_posix(),
                                   .clock = clock_posix(),
                                   .trace = &f->trace,
                                   .dir = dir,
                                   .config = &log_config_default,
                                   .topic_id = id,
                                   .flusher = flusher };
    CU_ASSERT_EQUAL_FATAL(log_open(&options, &f->log), 0);
    f->partition = partition_new(str_of("t"), id, 0, ME, false);
}

static void begin(struct fixture *f)
{
    begin_flushing(f, NULL);
}

static void end(struct fixture *f)
{
    CU_ASSERT_PTR_EQUAL(partition_close(f->partition, PARTITION_DELETED, &f->woken), f->log);
    partition_wake(&f->woken);
    partition_unref(f->partition);
    CU_ASSERT_EQUAL(log_close(f->log), 0);
    if (f->flusher != NULL)
        log_flusher_free(f->flusher);
    arena_fini(&f->arena);
    trace_fini(&f->trace);
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), f->folder), 0);
}

static enum kafka_error append(struct fixture *f, int records, int16_t acks, int64_t *base_offset)
{
    struct batch_builder builder;
    batch_builder_init(&builder, &(struct batch_options){ BATCH_OPTIONS_DEFAULT });
    for (int i = 0; i < records; i++)
        batch_builder_add(&builder, clock_wall_ms(clock_posix()), BYTES_NULL,
                          (struct bytes){ (const uint8_t *)"v", 1 });
    struct log_append_result result;
    enum kafka_error error = partition_append(f->partition, batch_builder_finish(&builder), acks,
                                              -1, LOG_APPEND_CLIENT, &f->arena, &result, &f->woken);
    if (base_offset != NULL)
        *base_offset = result.first_offset;
    batch_builder_fini(&builder);
    return error;
}

static struct partition_read read_at(struct fixture *f, int32_t replica_id,
                                     enum partition_isolation isolation,
                                     struct partition_fetch fetch)
{
    struct partition_read out;
    struct partition_reader reader = { replica_id, isolation, replica_id >= 0, false };
    partition_read(f->partition, &reader, &fetch, 1 << 20, true, &out, &f->woken);
    disk_file_unref(out.slice.file);
    return out;
}

static struct partition_fetch from(int64_t offset)
{
    return (struct partition_fetch){ .fetch_offset = offset,
                                     .current_leader_epoch = -1,
                                     .last_fetched_epoch = -1 };
}

static void alone_all_is_committed_at_once(void)
{
    struct fixture f;
    begin(&f);
    CU_ASSERT_EQUAL(append(&f, 1, 1, NULL), KERR_NOT_LEADER_OR_FOLLOWER);
    lead_alone(&f, 0);
    int64_t base;
    CU_ASSERT_EQUAL(append(&f, 3, -1, &base), KERR_NONE);
    CU_ASSERT_EQUAL(base, 0);
    CU_ASSERT_EQUAL(append(&f, 2, 1, &base), KERR_NONE);
    CU_ASSERT_EQUAL(base, 3);
    CU_ASSERT_EQUAL(partition_high_watermark(f.partition), 5);
    bool committed;
    CU_ASSERT_EQUAL(partition_check_committed(f.partition, 5, &committed), KERR_NONE);
    CU_ASSERT_TRUE(committed);
    struct partition_read got = read_at(&f, -1, READ_UNCOMMITTED, from(0));
    CU_ASSERT_EQUAL(got.error, KERR_NONE);
    CU_ASSERT_EQUAL(got.high_watermark, 5);
    CU_ASSERT_EQUAL(got.last_stable_offset, 5);
    CU_ASSERT_EQUAL(got.log_start_offset, 0);
    CU_ASSERT_TRUE(got.slice.size > 0);
    CU_ASSERT_EQUAL(read_at(&f, -1, READ_UNCOMMITTED, from(5)).slice.size, 0);
    got = read_at(&f, -1, READ_UNCOMMITTED, from(6));
    CU_ASSERT_EQUAL(got.error, KERR_OFFSET_OUT_OF_RANGE);
    CU_ASSERT_EQUAL(got.high_watermark, -1);
    end(&f);
}

static void followers_commit_by_fetching(void)
{
    struct fixture f;
    begin(&f);
    lead_three(&f, 0);
    CU_ASSERT_EQUAL(append(&f, 4, -1, NULL), KERR_NONE);
    CU_ASSERT_EQUAL(partition_high_watermark(f.partition), 0);
    CU_ASSERT_EQUAL(read_at(&f, -1, READ_UNCOMMITTED, from(0)).slice.size, 0);
    CU_ASSERT_TRUE(read_at(&f, OTHER, READ_TO_LOG_END, from(0)).slice.size > 0);
    read_at(&f, OTHER, READ_TO_LOG_END, from(4));
    CU_ASSERT_EQUAL(partition_high_watermark(f.partition), 0); // the third has not fetched
    read_at(&f, THIRD, READ_TO_LOG_END, from(3));
    CU_ASSERT_EQUAL(partition_high_watermark(f.partition), 3);
    bool committed;
    CU_ASSERT_EQUAL(partition_check_committed(f.partition, 4, &committed), KERR_NONE);
    CU_ASSERT_FALSE(committed);
    // The third falls out of the ISR: it no longer holds the others up, nor does a step back of its fetches.
    set_state(&f, ME, 0, (int32_t[]){ ME, OTHER, THIRD }, 3, (int32_t[]){ ME, OTHER }, 2);
    CU_ASSERT_EQUAL(partition_high_watermark(f.partition), 4);
    read_at(&f, THIRD, READ_TO_LOG_END, from(1));
    CU_ASSERT_EQUAL(partition_high_watermark(f.partition), 4);
    // Not a replica.
    CU_ASSERT_EQUAL(read_at(&f, 9, READ_TO_LOG_END, from(0)).error, KERR_NOT_LEADER_OR_FOLLOWER);
    struct partition_fetch fetch = from(0);
    fetch.current_leader_epoch = 0;
    CU_ASSERT_EQUAL(read_at(&f, 9, READ_TO_LOG_END, fetch).error, KERR_UNKNOWN_LEADER_EPOCH);
    end(&f);
}

static void too_few_in_sync(void)
{
    struct fixture f;
    begin(&f);
    atomic_store(&f.partition->min_insync_replicas, 2);
    lead_alone(&f, 0);
    CU_ASSERT_EQUAL(append(&f, 1, -1, NULL), KERR_NONE); // it has no more replicas than one
    set_state(&f, ME, 0, (int32_t[]){ ME, OTHER, THIRD }, 3, (int32_t[]){ ME }, 1);
    CU_ASSERT_EQUAL(append(&f, 1, -1, NULL), KERR_NOT_ENOUGH_REPLICAS);
    CU_ASSERT_EQUAL(append(&f, 1, 1, NULL), KERR_NONE);
    bool committed;
    CU_ASSERT_EQUAL(partition_check_committed(f.partition, 2, &committed),
                    KERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    CU_ASSERT_TRUE(committed);
    end(&f);
}

static void epochs_are_checked(void)
{
    struct fixture f;
    begin(&f);
    lead_alone(&f, 3);
    append(&f, 2, 1, NULL);
    lead_alone(&f, 5);
    append(&f, 2, 1, NULL);
    struct partition_fetch fetch = from(0);
    fetch.current_leader_epoch = 4;
    CU_ASSERT_EQUAL(read_at(&f, -1, READ_UNCOMMITTED, fetch).error, KERR_FENCED_LEADER_EPOCH);
    fetch.current_leader_epoch = 6;
    CU_ASSERT_EQUAL(read_at(&f, -1, READ_UNCOMMITTED, fetch).error, KERR_UNKNOWN_LEADER_EPOCH);
    fetch.current_leader_epoch = 5;
    CU_ASSERT_EQUAL(read_at(&f, -1, READ_UNCOMMITTED, fetch).error, KERR_NONE);

    struct log_epoch_end epoch_end;
    CU_ASSERT_EQUAL(partition_epoch_end_offset(f.partition, -1, 3, &epoch_end), KERR_NONE);
    CU_ASSERT_EQUAL(epoch_end.leader_epoch, 3);
    CU_ASSERT_EQUAL(epoch_end.end_offset, 2);
    CU_ASSERT_EQUAL(partition_epoch_end_offset(f.partition, -1, 6, &epoch_end), KERR_NONE);
    CU_ASSERT_EQUAL(epoch_end.end_offset, -1);
    CU_ASSERT_EQUAL(partition_epoch_end_offset(f.partition, 4, 3, &epoch_end),
                    KERR_FENCED_LEADER_EPOCH);

    // KIP-595: the reader has records up to 3 of epoch 3, which here ended at 2.
    fetch = from(3);
    fetch.last_fetched_epoch = 3;
    struct partition_read got = read_at(&f, -1, READ_UNCOMMITTED, fetch);
    CU_ASSERT_EQUAL(got.error, KERR_NONE);
    CU_ASSERT_EQUAL(got.diverging_epoch, 3);
    CU_ASSERT_EQUAL(got.diverging_end_offset, 2);
    CU_ASSERT_EQUAL(got.slice.size, 0);
    fetch = from(2);
    fetch.last_fetched_epoch = 3;
    CU_ASSERT_EQUAL(read_at(&f, -1, READ_UNCOMMITTED, fetch).diverging_epoch, -1);
    fetch.last_fetched_epoch = 9;
    CU_ASSERT_EQUAL(read_at(&f, -1, READ_UNCOMMITTED, fetch).error, KERR_OFFSET_OUT_OF_RANGE);
    end(&f);
}

static void a_stale_state_is_ignored(void)
{
    struct fixture f;
    begin(&f);
    lead_alone(&f, 7);
    struct partition_state old = {
        OTHER, 6, 0, (int32_t[]){ ME, OTHER }, 2, (int32_t[]){ ME, OTHER }, 2
    };
    CU_ASSERT_EQUAL(partition_apply(f.partition, f.log, &old, &f.woken), 0);
    int32_t leader, epoch;
    partition_leader(f.partition, &leader, &epoch);
    CU_ASSERT_EQUAL(leader, ME);
    CU_ASSERT_EQUAL(epoch, 7);
    end(&f);
}

// ---- waiting ------------------------------------------------------------------------------------------------

struct sleeper {
    struct partition_waiter waiter;
    atomic_llong missing_bytes;
    int woken;
};

static void on_wake(struct partition_waiter *waiter)
{
    container_of(waiter, struct sleeper, waiter)->woken++;
}

static void sleep_for_data(struct fixture *f, struct sleeper *s, int64_t seen,
                           int64_t missing_bytes)
{
    *s = (struct sleeper){ .waiter = { .partition = f->partition,
                                       .kind = PARTITION_WAIT_FOR_DATA,
                                       .offset = seen,
                                       .isolation = READ_UNCOMMITTED,
                                       .changes = partition_changes(f->partition),
                                       .missing_bytes = &s->missing_bytes,
                                       .wake = on_wake } };
    list_init(&s->waiter._link);
    atomic_init(&s->missing_bytes, missing_bytes);
}

static void an_append_wakes_once_when_told(void)
{
    struct fixture f;
    begin(&f);
    lead_alone(&f, 0);
    struct sleeper s;
    sleep_for_data(&f, &s, 0, 1);
    CU_ASSERT_EQUAL(partition_wait(&s.waiter), PARTITION_WAITS);
    CU_ASSERT_EQUAL(partition_wait(&s.waiter), PARTITION_WAITS_STILL);
    append(&f, 1, 1, NULL);
    append(&f, 1, 1, NULL);
    CU_ASSERT_EQUAL(s.woken, 0); // not before the one who appends says so
    CU_ASSERT_EQUAL(partition_wait(&s.waiter), PARTITION_WAITS_STILL);
    CU_ASSERT_FALSE(partition_unwait(&s.waiter));
    partition_wake(&f.woken);
    CU_ASSERT_EQUAL(s.woken, 1);
    CU_ASSERT_FALSE(partition_unwait(&s.waiter));
    CU_ASSERT_EQUAL(partition_wait(&s.waiter), PARTITION_SATISFIED); // it has seen 0, there are 2
    s.waiter.offset = 2;
    CU_ASSERT_EQUAL(partition_wait(&s.waiter), PARTITION_WAITS);
    CU_ASSERT_TRUE(partition_unwait(&s.waiter));
    append(&f, 1, 1, NULL);
    partition_wake(&f.woken);
    CU_ASSERT_EQUAL(s.woken, 1);
    end(&f);
}

static void bytes_add_up(void)
{
    struct fixture f;
    begin(&f);
    lead_alone(&f, 0);
    struct sleeper s;
    sleep_for_data(&f, &s, 0, 200); // a batch of one such record has 68 or 69 bytes
    CU_ASSERT_EQUAL(partition_wait(&s.waiter), PARTITION_WAITS);
    append(&f, 1, 1, NULL);
    append(&f, 1, 1, NULL);
    partition_wake(&f.woken);
    CU_ASSERT_EQUAL(s.woken, 0);
    append(&f, 1, 1, NULL);
    partition_wake(&f.woken);
    CU_ASSERT_EQUAL(s.woken, 1);
    end(&f);
}

static void commits_wake_producers(void)
{
    struct fixture f;
    begin(&f);
    set_state(&f, ME, 0, (int32_t[]){ ME, OTHER }, 2, (int32_t[]){ ME, OTHER }, 2);
    append(&f, 2, -1, NULL);
    append(&f, 2, -1, NULL);
    struct sleeper first, second, data;
    sleep_for_data(&f, &first, 2, 0);
    sleep_for_data(&f, &second, 4, 0);
    first.waiter.kind = second.waiter.kind = PARTITION_WAIT_FOR_COMMIT;
    sleep_for_data(&f, &data, 0, 1000000);
    CU_ASSERT_EQUAL(partition_wait(&first.waiter), PARTITION_WAITS);
    CU_ASSERT_EQUAL(partition_wait(&second.waiter), PARTITION_WAITS);
    CU_ASSERT_EQUAL(partition_wait(&data.waiter), PARTITION_WAITS);
    read_at(&f, OTHER, READ_TO_LOG_END, from(2));
    partition_wake(&f.woken);
    CU_ASSERT_EQUAL(first.woken, 1);
    CU_ASSERT_EQUAL(second.woken, 0);
    CU_ASSERT_EQUAL(data.woken, 1); // how many bytes became visible is not known: it looks
    read_at(&f, OTHER, READ_TO_LOG_END, from(4));
    partition_wake(&f.woken);
    CU_ASSERT_EQUAL(second.woken, 1);
    end(&f);
}

// What the disk does not have yet is not committed: no consumer sees it, and nobody waits with a thread.
static void what_is_not_synced_is_not_committed(void)
{
    struct fixture f;
    struct trace trace;
    trace_init(&trace, clock_posix(), TRACE_ERROR, -1);
    begin_flushing(&f, log_flusher_new(0));
    struct log_config config = log_config_default;
    config.flush_messages = 1;
    log_set_config(f.log, &config);
    lead_alone(&f, 0);
    struct sleeper flushed, committed, data;
    for (int64_t round = 0; round < 2; round++) {
        append(&f, 2, 1, NULL);
        append(&f, 2, 1, NULL);
        int64_t begin_offset = 4 * round, end_offset = 4 * round + 4;
        CU_ASSERT_EQUAL(partition_high_watermark(f.partition), begin_offset);
        CU_ASSERT_EQUAL(partition_log_end_offset(f.partition), end_offset);
        bool is_settled = true;
        CU_ASSERT_EQUAL(partition_check_flushed(f.partition, end_offset, &is_settled), KERR_NONE);
        CU_ASSERT_FALSE(is_settled);
        CU_ASSERT_EQUAL(partition_check_committed(f.partition, end_offset, &is_settled), KERR_NONE);
        CU_ASSERT_FALSE(is_settled);
        sleep_for_data(&f, &flushed, end_offset, 0);
        sleep_for_data(&f, &committed, end_offset, 0);
        sleep_for_data(&f, &data, begin_offset, 1);
        flushed.waiter.kind = PARTITION_WAIT_FOR_FLUSH;
        committed.waiter.kind = PARTITION_WAIT_FOR_COMMIT;
        CU_ASSERT_EQUAL(partition_wait(&flushed.waiter), PARTITION_WAITS);
        CU_ASSERT_EQUAL(partition_wait(&committed.waiter), PARTITION_WAITS);
        CU_ASSERT_EQUAL(partition_wait(&data.waiter), PARTITION_WAITS);
        partition_wake(&f.woken);
        CU_ASSERT_EQUAL(flushed.woken + committed.woken + data.woken, 0);
        log_flusher_run(f.flusher);
        CU_ASSERT_EQUAL(flushed.woken, 1);
        CU_ASSERT_EQUAL(committed.woken, 1);
        CU_ASSERT_EQUAL(data.woken, 1);
        CU_ASSERT_EQUAL(partition_high_watermark(f.partition), end_offset);
        CU_ASSERT_EQUAL(partition_check_flushed(f.partition, end_offset, &is_settled), KERR_NONE);
        CU_ASSERT_TRUE(is_settled);
    }
    end(&f);
    trace_fini(&trace);
}

static void losing_the_lead_wakes_all(void)
{
    struct fixture f;
    begin(&f);
    set_state(&f, ME, 0, (int32_t[]){ ME, OTHER }, 2, (int32_t[]){ ME, OTHER }, 2);
    append(&f, 1, -1, NULL);
    struct sleeper data, commit;
    sleep_for_data(&f, &data, 0, 1000000);
    sleep_for_data(&f, &commit, 1, 0);
    commit.waiter.kind = PARTITION_WAIT_FOR_COMMIT;
    CU_ASSERT_EQUAL(partition_wait(&data.waiter), PARTITION_WAITS);
    CU_ASSERT_EQUAL(partition_wait(&commit.waiter), PARTITION_WAITS);
    set_state(&f, OTHER, 1, (int32_t[]){ ME, OTHER }, 2, (int32_t[]){ OTHER }, 1);
    partition_wake(&f.woken);
    CU_ASSERT_EQUAL(data.woken, 1);
    CU_ASSERT_EQUAL(commit.woken, 1);
    bool committed;
    CU_ASSERT_EQUAL(partition_check_committed(f.partition, 1, &committed),
                    KERR_NOT_LEADER_OR_FOLLOWER);
    // Whoever read before the change does not go to sleep after it.
    CU_ASSERT_EQUAL(partition_wait(&data.waiter), PARTITION_SATISFIED);
    end(&f);
}

static void offsets_by_time(void)
{
    struct fixture f;
    begin(&f);
    lead_alone(&f, 2);
    struct log_timestamp_offset found;
    CU_ASSERT_EQUAL(partition_offset_for_time(f.partition, PARTITION_LATEST, -1, true,
                                              READ_UNCOMMITTED, -1, true, &found),
                    KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, 0);
    CU_ASSERT_EQUAL(found.leader_epoch, 2);
    CU_ASSERT_EQUAL(partition_offset_for_time(f.partition, PARTITION_MAX_TIMESTAMP, -1, true,
                                              READ_UNCOMMITTED, -1, true, &found),
                    KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, -1);
    append(&f, 3, 1, NULL);
    CU_ASSERT_EQUAL(partition_offset_for_time(f.partition, PARTITION_EARLIEST, -1, true,
                                              READ_UNCOMMITTED, -1, true, &found),
                    KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, 0);
    CU_ASSERT_EQUAL(found.timestamp, -1);
    CU_ASSERT_EQUAL(found.leader_epoch, 2);
    CU_ASSERT_EQUAL(partition_offset_for_time(f.partition, PARTITION_AT_TIME, 5, true,
                                              READ_UNCOMMITTED, -1, true, &found),
                    KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, 0);
    CU_ASSERT_EQUAL(partition_offset_for_time(f.partition, PARTITION_AT_TIME, INT64_MAX, true,
                                              READ_UNCOMMITTED, -1, true, &found),
                    KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, -1);
    CU_ASSERT_EQUAL(partition_offset_for_time(f.partition, PARTITION_LATEST, -1, true,
                                              READ_UNCOMMITTED, 1, true, &found),
                    KERR_FENCED_LEADER_EPOCH);
    end(&f);
}

static void a_new_leader_does_not_know_what_is_committed(void)
{
    struct fixture f;
    begin(&f);
    lead_three(&f, 0);
    append(&f, 3, 1, NULL);
    set_state(&f, OTHER, 1, (int32_t[]){ ME, OTHER, THIRD }, 3, (int32_t[]){ ME, OTHER, THIRD }, 3);
    lead_three(&f, 2); // its epoch begins at 3, the high watermark is 0
    struct log_timestamp_offset found;
    CU_ASSERT_EQUAL(partition_offset_for_time(f.partition, PARTITION_LATEST, -1, true,
                                              READ_UNCOMMITTED, -1, true, &found),
                    KERR_OFFSET_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(partition_offset_for_time(f.partition, PARTITION_LATEST, -1, false,
                                              READ_UNCOMMITTED, -1, true, &found),
                    KERR_NONE);
    CU_ASSERT_EQUAL(found.offset, 3);
    end(&f);
}

static void a_closed_partition_says_why(void)
{
    struct fixture f;
    begin(&f);
    lead_alone(&f, 0);
    partition_close(f.partition, PARTITION_FAILED, &f.woken);
    CU_ASSERT_EQUAL(append(&f, 1, 1, NULL), KERR_KAFKA_STORAGE_ERROR);
    CU_ASSERT_EQUAL(read_at(&f, -1, READ_UNCOMMITTED, from(0)).error, KERR_KAFKA_STORAGE_ERROR);
    CU_ASSERT_FALSE(partition_is_gone(f.partition));
    lead_alone(&f, 1);
    CU_ASSERT_EQUAL(append(&f, 1, 1, NULL), KERR_NONE);
    struct log *log = partition_close(f.partition, PARTITION_STOPPED, &f.woken);
    CU_ASSERT_EQUAL(append(&f, 1, 1, NULL), KERR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_PTR_EQUAL(log, f.log);
    lead_alone(&f, 2);
    end(&f);
}

// The leader's log starts later, as far as its policy and the high watermark let it.
static void records_are_deleted(void)
{
    struct fixture f;
    begin(&f);
    int64_t low;
    CU_ASSERT_EQUAL(partition_delete_records(f.partition, 0, &low), KERR_NOT_LEADER_OR_FOLLOWER);
    lead_three(&f, 1);
    CU_ASSERT_EQUAL(append(&f, 10, 1, NULL), KERR_NONE);
    CU_ASSERT_EQUAL(partition_delete_records(f.partition, 1, &low), KERR_OFFSET_OUT_OF_RANGE);
    CU_ASSERT_EQUAL(low, -1);
    CU_ASSERT_EQUAL(partition_delete_records(f.partition, -1, &low), KERR_NONE);
    CU_ASSERT_EQUAL(low, 0);
    lead_alone(&f, 2); // all is committed
    CU_ASSERT_EQUAL(append(&f, 1, 1, NULL), KERR_NONE);
    CU_ASSERT_EQUAL(partition_delete_records(f.partition, 4, &low), KERR_NONE);
    CU_ASSERT_EQUAL(low, 4);
    CU_ASSERT_EQUAL(partition_delete_records(f.partition, 3, &low), KERR_NONE);
    CU_ASSERT_EQUAL(low, 4);
    CU_ASSERT_EQUAL(partition_delete_records(f.partition, -2, &low), KERR_OFFSET_OUT_OF_RANGE);
    struct log_config config = log_config_default;
    config.cleanup_compact = true;
    config.cleanup_delete = false;
    log_set_config(f.log, &config);
    CU_ASSERT_EQUAL(partition_delete_records(f.partition, 5, &low), KERR_POLICY_VIOLATION);
    config.cleanup_compact = false; // no policy at all
    log_set_config(f.log, &config);
    CU_ASSERT_EQUAL(partition_delete_records(f.partition, -1, &low), KERR_NONE);
    CU_ASSERT_EQUAL(low, 11);
    end(&f);
}

TEST_MAIN("partition", TEST(records_are_deleted), TEST(alone_all_is_committed_at_once),
          TEST(followers_commit_by_fetching), TEST(too_few_in_sync), TEST(epochs_are_checked),
          TEST(a_stale_state_is_ignored), TEST(an_append_wakes_once_when_told), TEST(bytes_add_up),
          TEST(commits_wake_producers), TEST(what_is_not_synced_is_not_committed),
          TEST(losing_the_lead_wakes_all), TEST(offsets_by_time),
          TEST(a_new_leader_does_not_know_what_is_committed), TEST(a_closed_partition_says_why))
