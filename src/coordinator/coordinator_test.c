// SPDX-License-Identifier: Apache-2.0
// The engine, with a state that keeps the last value of each one-letter key and a log in memory.
#include "coordinator/coordinator.h"

#include <errno.h>

#include "base/must.h"
#include "base/testing.h"
#include "coordinator/testing_log.h"
#include "record/batch_builder.h"

struct letters {
    struct coordinator_shard *shard;
    char value[256];
    int pending; // records of transactions
    int loaded, unloaded;
    struct timer timer;
    int rings;
};

static struct letters *last_created;

static void *create(struct coordinator_shard *shard, void *owner)
{
    (void)owner;
    struct letters *state = mem_new(struct letters);
    state->shard = shard;
    last_created = state;
    return state;
}

static void destroy(void *object)
{
    struct letters *state = object;
    coordinator_cancel_timer(state->shard, &state->timer);
    mem_free(state);
}

static int replay(void *object, int64_t offset, int64_t producer_id, struct bytes key,
                  struct bytes value)
{
    struct letters *state = object;
    (void)offset;
    if (key.size != 1)
        return -EINVAL;
    if (producer_id >= 0)
        state->pending++;
    else
        state->value[key.data[0]] = value.data == NULL ? 0 : (char)value.data[0];
    return 0;
}

static void replay_end_transaction(void *object, int64_t producer_id, bool committed)
{
    struct letters *state = object;
    CU_ASSERT_EQUAL(producer_id, 77);
    state->pending = committed ? 100 + state->pending : 0;
}

static void on_loaded(void *object)
{
    ((struct letters *)object)->loaded++;
}

static void on_unloaded(void *object)
{
    struct letters *state = object;
    state->unloaded++;
    coordinator_cancel_timer(state->shard, &state->timer);
}

static const struct coordinator_state_ops letters_ops = { create,    destroy,
                                                          replay,    replay_end_transaction,
                                                          on_loaded, on_unloaded };

static struct coordinator *make(struct testing_log *log)
{
    return coordinator_new(&(struct coordinator_options){ .topic = "letters",
                                                          .partition_count = TESTING_PARTITIONS,
                                                          .log = &log->log,
                                                          .state_ops = &letters_ops,
                                                          .clock = &log->clock,
                                                          .alarms = &log->alarms,
                                                          .trace = &log->trace,
                                                          .load_buffer_bytes = 1000,
                                                          .commit_timeout_ms = 5000 });
}

static struct bytes text(const char *z)
{
    return (struct bytes){ (const uint8_t *)z, strlen(z) };
}

static enum kafka_error put(struct coordinator *coordinator, int32_t partition, const char *key,
                            const char *value)
{
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, partition);
    enum kafka_error error;
    if (coordinator_enter(shard, &error) == NULL)
        return error;
    coordinator_add(shard, text(key), value == NULL ? BYTES_NULL : text(value));
    error = coordinator_append(shard, true);
    coordinator_exit(shard);
    return error;
}

static char get(struct coordinator *coordinator, int32_t partition, char key)
{
    enum kafka_error error;
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, partition);
    struct letters *state = coordinator_enter(shard, &error);
    must(state != NULL);
    char value = state->value[(unsigned char)key];
    coordinator_exit(shard);
    return value;
}

// A wait that remembers how it ended.
struct waiting {
    struct coordinator_wait wait;
    struct completion completion;
    int ended, completed;
    enum kafka_error error;
};

static void on_completed(struct completion *completion)
{
    container_of(completion, struct waiting, completion)->completed++;
}

static void on_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct waiting *w = container_of(wait, struct waiting, wait);
    w->ended++;
    w->error = error;
    w->completion.complete = on_completed;
    coordinator_complete(wait->shard, &w->completion);
}

static void put_and_wait(struct coordinator *coordinator, const char *key, struct waiting *w)
{
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, 0);
    enum kafka_error error;
    must(coordinator_enter(shard, &error) != NULL);
    coordinator_add(shard, text(key), text("v"));
    CU_ASSERT_EQUAL(coordinator_append(shard, true), KERR_NONE);
    *w = (struct waiting){ 0 };
    coordinator_await_commit(shard, &w->wait, on_committed);
    CU_ASSERT_EQUAL(w->completed, 0);
    coordinator_exit(shard);
}

// A shard serves nobody before it leads and has read its log, and nobody after it lost its partition.
static void a_shard_serves_while_it_leads(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    CU_ASSERT_EQUAL(put(coordinator, 1, "a", "1"), KERR_NOT_COORDINATOR);
    coordinator_elected(coordinator, 1, 5);
    CU_ASSERT_EQUAL(put(coordinator, 1, "a", "1"), KERR_COORDINATOR_LOAD_IN_PROGRESS);
    coordinator_load(coordinator);
    CU_ASSERT_EQUAL(put(coordinator, 1, "a", "1"), KERR_NONE);
    CU_ASSERT_EQUAL(get(coordinator, 1, 'a'), '1');
    CU_ASSERT_EQUAL(put(coordinator, 2, "a", "1"), KERR_NOT_COORDINATOR);
    coordinator_resigned(coordinator, 1, 4); // of an epoch long gone
    CU_ASSERT_EQUAL(get(coordinator, 1, 'a'), '1');
    coordinator_resigned(coordinator, 1, 6);
    CU_ASSERT_EQUAL(put(coordinator, 1, "a", "2"), KERR_NOT_COORDINATOR);
    coordinator_elected(coordinator, 1, 6); // an old story
    CU_ASSERT_EQUAL(put(coordinator, 1, "a", "2"), KERR_NOT_COORDINATOR);
    coordinator_elected(coordinator, 1, 7);
    coordinator_load(coordinator);
    CU_ASSERT_EQUAL(get(coordinator, 1, 'a'), '1');
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

// The state after a restart is the state before: overwritten values and tombstones too.
static void a_restart_replays_the_same_state(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    testing_elect(coordinator);
    put(coordinator, 0, "a", "1");
    put(coordinator, 0, "b", "1");
    put(coordinator, 0, "a", "2");
    put(coordinator, 0, "b", NULL);
    put(coordinator, 3, "c", "9");
    coordinator_free(coordinator);
    coordinator = make(&log);
    testing_elect(coordinator);
    CU_ASSERT_EQUAL(get(coordinator, 0, 'a'), '2');
    CU_ASSERT_EQUAL(get(coordinator, 0, 'b'), 0);
    CU_ASSERT_EQUAL(get(coordinator, 3, 'c'), '9');
    CU_ASSERT_EQUAL(last_created->loaded, 1);
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

// All records of an evaluation are one batch. If it cannot be appended nothing has changed, and nothing of it is left
// for the next.
static void an_evaluation_is_one_batch_or_nothing(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    testing_elect(coordinator);
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, 0);
    enum kafka_error error;
    for (int attempt = 0; attempt < 2; attempt++) {
        log.fail_next = attempt == 0 ? KERR_NOT_ENOUGH_REPLICAS : KERR_NONE;
        must(coordinator_enter(shard, &error) != NULL);
        coordinator_add(shard, text("x"), text("1"));
        coordinator_add(shard, text("y"), text("2"));
        CU_ASSERT_EQUAL(coordinator_append(shard, true),
                        attempt == 0 ? KERR_COORDINATOR_NOT_AVAILABLE : KERR_NONE);
        coordinator_exit(shard);
        CU_ASSERT_EQUAL(log.partitions[0].batches, attempt);
        CU_ASSERT_EQUAL(get(coordinator, 0, 'x'), attempt == 0 ? 0 : '1');
    }
    CU_ASSERT_EQUAL(log.partitions[0].end, 2);
    must(coordinator_enter(shard, &error) != NULL);
    CU_ASSERT_EQUAL(coordinator_append(shard, true), KERR_NONE); // nothing was added
    coordinator_exit(shard);
    CU_ASSERT_EQUAL(log.partitions[0].batches, 1);
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

// Errors of the log are told to clients as Kafka's coordinators tell them.
static void log_errors_become_coordinator_errors(void)
{
    CU_ASSERT_EQUAL(coordinator_client_error(KERR_NOT_LEADER_OR_FOLLOWER), KERR_NOT_COORDINATOR);
    CU_ASSERT_EQUAL(coordinator_client_error(KERR_KAFKA_STORAGE_ERROR), KERR_NOT_COORDINATOR);
    CU_ASSERT_EQUAL(coordinator_client_error(KERR_UNKNOWN_TOPIC_OR_PARTITION),
                    KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(coordinator_client_error(KERR_NOT_ENOUGH_REPLICAS),
                    KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(coordinator_client_error(KERR_REQUEST_TIMED_OUT),
                    KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(coordinator_client_error(KERR_MESSAGE_TOO_LARGE), KERR_UNKNOWN_SERVER_ERROR);
    CU_ASSERT_EQUAL(coordinator_client_error(KERR_INVALID_PRODUCER_EPOCH),
                    KERR_INVALID_PRODUCER_EPOCH);
}

// Independent records are split so that no batch becomes large.
static void a_heap_of_tombstones_goes_in_pieces(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    testing_elect(coordinator);
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, 0);
    enum kafka_error error;
    static uint8_t large[100000] = { 'v' };
    must(coordinator_enter(shard, &error) != NULL);
    for (int i = 0; i < 10; i++)
        coordinator_add(shard, text("k"), (struct bytes){ large, sizeof large });
    CU_ASSERT_EQUAL(coordinator_append_each(shard), KERR_NONE);
    coordinator_exit(shard);
    CU_ASSERT_EQUAL(log.partitions[0].end, 10);
    CU_ASSERT(log.partitions[0].batches >= 3 && log.partitions[0].batches <= 5);
    CU_ASSERT_EQUAL(get(coordinator, 0, 'k'), 'v');
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

// An answer waits until the high watermark has passed what was written before it, and keeps its place among others.
static void answers_wait_for_the_high_watermark(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    testing_elect(coordinator);
    log.holds_back = true;
    struct waiting first, second;
    put_and_wait(coordinator, "a", &first);
    put_and_wait(coordinator, "b", &second);
    coordinator_on_high_watermark(coordinator, 0, 1);
    CU_ASSERT(first.ended == 1 && first.completed == 1 && first.error == KERR_NONE);
    CU_ASSERT_EQUAL(second.ended, 0);
    testing_commit(&log, coordinator);
    CU_ASSERT(second.ended == 1 && second.completed == 1 && second.error == KERR_NONE);
    struct waiting read; // a read has nothing to wait for now
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, 0);
    enum kafka_error error;
    must(coordinator_enter(shard, &error) != NULL);
    read = (struct waiting){ 0 };
    coordinator_await_commit(shard, &read.wait, on_committed);
    CU_ASSERT(read.ended == 1 && read.completed == 0);
    coordinator_exit(shard);
    CU_ASSERT_EQUAL(read.completed, 1);
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

// The high watermark may be told from within append, while the shard is locked.
static void news_from_within_append_is_not_lost(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    testing_elect(coordinator);
    log.told = coordinator;
    struct waiting w;
    put_and_wait(coordinator, "a", &w);
    CU_ASSERT(w.ended == 1 && w.completed == 1);
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

// What is not committed in time is given up for the client (offsets.commit.timeout.ms), what loses its leader at once.
static void waits_end_with_time_or_leadership(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    testing_elect(coordinator);
    log.holds_back = true;
    struct waiting slow, lost;
    put_and_wait(coordinator, "a", &slow);
    testing_advance(&log, 4999);
    CU_ASSERT_EQUAL(slow.ended, 0);
    put_and_wait(coordinator, "b", &lost);
    testing_advance(&log, 1);
    CU_ASSERT(slow.completed == 1 && slow.error == KERR_COORDINATOR_NOT_AVAILABLE);
    CU_ASSERT_EQUAL(lost.ended, 0);
    coordinator_resigned(coordinator, 0, 0);
    CU_ASSERT(lost.completed == 1 && lost.error == KERR_NOT_COORDINATOR);
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

static void on_ring(struct timer *timer)
{
    struct letters *state = container_of(timer, struct letters, timer);
    state->rings++;
    coordinator_add(state->shard, text("t"), text("r"));
    coordinator_append(state->shard, true);
}

// A timer that was moved away rings at its new time only, and what it does is like any evaluation.
static void timers_ring_under_the_lock(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    testing_elect(coordinator);
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, 2);
    enum kafka_error error;
    struct letters *state = coordinator_enter(shard, &error);
    timer_init(&state->timer, on_ring);
    coordinator_set_timer(shard, &state->timer, 100000);
    coordinator_exit(shard);
    testing_advance(&log, 50);
    coordinator_enter(shard, &error);
    coordinator_set_timer(shard, &state->timer, 200000);
    coordinator_exit(shard);
    testing_advance(&log, 149);
    CU_ASSERT_EQUAL(state->rings, 0);
    testing_advance(&log, 1);
    CU_ASSERT_EQUAL(state->rings, 1);
    CU_ASSERT_EQUAL(get(coordinator, 2, 't'), 'r');
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

static void add_batch(struct testing_log *log, const struct batch_options *options,
                      struct bytes key, struct bytes value)
{
    struct batch_builder builder;
    batch_builder_init(&builder, options);
    batch_builder_add(&builder, 1, key, value);
    struct bytes batch = batch_builder_finish(&builder);
    int64_t end;
    testing_append(&log->log, 0, (uint8_t *)(uintptr_t)batch.data, batch.size, &end);
    batch_builder_fini(&builder);
}

// Records of a transaction wait for its marker.
static void transactions_are_replayed_apart(void)
{
    for (int committed = 0; committed < 2; committed++) {
        struct testing_log log;
        testing_log_init(&log);
        struct batch_options options = { BATCH_OPTIONS_DEFAULT };
        options.producer_id = 77;
        options.producer_epoch = 0;
        options.base_sequence = 0;
        options.is_transactional = true;
        add_batch(&log, &options, text("a"), text("1"));
        uint8_t key[CONTROL_KEY_SIZE], value[END_TXN_MARKER_SIZE];
        control_key_encode(key, committed ? CONTROL_COMMIT : CONTROL_ABORT);
        end_txn_marker_encode(value, 0);
        options.is_control = true;
        options.base_sequence = -1;
        add_batch(&log, &options, (struct bytes){ key, sizeof key },
                  (struct bytes){ value, sizeof value });
        struct coordinator *coordinator = make(&log);
        coordinator_elected(coordinator, 0, 0);
        coordinator_load(coordinator);
        CU_ASSERT_EQUAL(last_created->pending, committed ? 101 : 0);
        coordinator_free(coordinator);
        testing_log_fini(&log);
    }
}

// A log that cannot be understood is served by nobody, rather than wrongly.
static void a_damaged_log_is_not_served(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    testing_elect(coordinator);
    put(coordinator, 0, "a", "1");
    put(coordinator, 1, "a", "1");
    coordinator_free(coordinator);
    log.partitions[0].bytes.data[66] ^= 1; // under the CRC
    coordinator = make(&log);
    testing_elect(coordinator);
    CU_ASSERT_EQUAL(put(coordinator, 0, "a", "1"), KERR_NOT_COORDINATOR);
    CU_ASSERT_EQUAL(put(coordinator, 1, "a", "1"), KERR_NONE);
    coordinator_free(coordinator);
    log.partitions[0].bytes.data[66] ^= 1;
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    add_batch(&log, &options, text("two"), text("letters"));
    coordinator = make(&log);
    testing_elect(coordinator);
    CU_ASSERT_EQUAL(put(coordinator, 0, "a", "1"), KERR_NOT_COORDINATOR);
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

// Java's hash of the name, made positive as Kafka does it, modulo the partitions. "polygenelubricants" hashes to
// Integer.MIN_VALUE.
static void groups_are_spread_as_in_kafka(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct coordinator *coordinator = make(&log);
    CU_ASSERT_EQUAL(coordinator_partition_for(coordinator, str_of("")), 0);
    CU_ASSERT_EQUAL(coordinator_partition_for(coordinator, str_of("polygenelubricants")), 0);
    CU_ASSERT_EQUAL(coordinator_partition_for(coordinator, str_of("a")), 97 % TESTING_PARTITIONS);
    CU_ASSERT_EQUAL(coordinator_partition_for(coordinator, str_of("billing")), 1); // -109829509
    coordinator_free(coordinator);
    testing_log_fini(&log);
}

TEST_MAIN("coordinator", TEST(a_shard_serves_while_it_leads),
          TEST(a_restart_replays_the_same_state), TEST(an_evaluation_is_one_batch_or_nothing),
          TEST(log_errors_become_coordinator_errors), TEST(a_heap_of_tombstones_goes_in_pieces),
          TEST(answers_wait_for_the_high_watermark), TEST(news_from_within_append_is_not_lost),
          TEST(waits_end_with_time_or_leadership), TEST(timers_ring_under_the_lock),
          TEST(transactions_are_replayed_apart), TEST(a_damaged_log_is_not_served),
          TEST(groups_are_spread_as_in_kafka))
