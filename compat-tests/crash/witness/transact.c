// SPDX-License-Identifier: Apache-2.0
// A transactional producer: transactions of a few messages over all partitions, committed or aborted as the seed says, some
// with an offset of a group. What it does not know the end of, it leaves, and a new producer of the same name ends it: so of
// such a transaction all may be there or nothing.
//
//     ledger  TRANSACTION t ASKED before its first message; DONE, ABORTED when its end was acknowledged
//             topic 1: its commit was asked for (an abort was not: it may have been committed)
//             COMMIT t in the transactions with an offset: ASKED before, DONE after the transaction's end
//     value   "t i n …": message i of the n of transaction t
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

enum { CALL_LIMIT_MS = 10000, SIZE_MAX_MESSAGES = 12 };

struct transactor {
    const struct options *options;
    struct ledger *ledger;
    rd_kafka_t *rk;
    uint64_t random;
    int64_t committed, aborted, unknown;
    bool has_failed;
};

// What went wrong tells what to do: again, abort, or begin with a new producer.
enum result { RESULT_DONE, RESULT_ABORT, RESULT_NEW_PRODUCER };

static enum result take_error(rd_kafka_error_t *error, bool *again)
{
    *again = false;
    if (error == NULL)
        return RESULT_DONE;
    *again = rd_kafka_error_is_retriable(error);
    enum result result =
        rd_kafka_error_txn_requires_abort(error) ? RESULT_ABORT : RESULT_NEW_PRODUCER;
    rd_kafka_error_destroy(error);
    return result;
}

static void stop_producer(struct transactor *t)
{
    if (t->rk == NULL)
        return;
    rd_kafka_purge(t->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy_flags(t->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    t->rk = NULL;
}

static bool start_producer(struct transactor *t)
{
    t->rk = client_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), t->options, "transactional.id",
                       t->options->name, "linger.ms", "1", "retry.backoff.ms", "20",
                       "transaction.timeout.ms", "60000", "message.timeout.ms", "30000",
                       "socket.timeout.ms", "10000", NULL);
    bool again = true;
    while (again && !atomic_load(&client_stopping))
        if (take_error(rd_kafka_init_transactions(t->rk, CALL_LIMIT_MS), &again) == RESULT_DONE)
            return true;
    stop_producer(t);
    return false;
}

static bool send_messages(struct transactor *t, int64_t number, int count)
{
    char value[400];
    for (int i = 0; i < count; i++) {
        int topic = i % t->options->topic_count;
        int partition =
            (int)(content_random(&t->random) % (uint64_t)t->options->topics[topic].partitions);
        int size = snprintf(value, sizeof value, "%lld %d %d ", (long long)number, i, count);
        memset(value + size, 'a' + i, (size_t)(sizeof value - (size_t)size));
        size_t whole = (size_t)size + content_random(&t->random) % (sizeof value - (size_t)size);
        if (rd_kafka_producev(t->rk, RD_KAFKA_V_TOPIC(t->options->topics[topic].name),
                              RD_KAFKA_V_PARTITION(partition),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_VALUE(value, whole), RD_KAFKA_V_END) != 0)
            return false;
    }
    return true;
}

static enum result send_offset(struct transactor *t, int64_t number)
{
    rd_kafka_consumer_group_metadata_t *group =
        rd_kafka_consumer_group_metadata_new(t->options->name);
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(offsets, t->options->topics[0].name, 0)->offset = number;
    bool again = true;
    enum result result = RESULT_ABORT;
    while (again && !atomic_load(&client_stopping))
        result = take_error(
            rd_kafka_send_offsets_to_transaction(t->rk, offsets, group, CALL_LIMIT_MS), &again);
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_consumer_group_metadata_destroy(group);
    return result;
}

static enum result end_transaction(struct transactor *t, bool commit)
{
    bool again = true;
    enum result result = RESULT_NEW_PRODUCER;
    double limit = client_now_s() + 60;
    while (again && client_now_s() < limit)
        result = take_error(commit ? rd_kafka_commit_transaction(t->rk, CALL_LIMIT_MS)
                                   : rd_kafka_abort_transaction(t->rk, CALL_LIMIT_MS),
                            &again);
    return result;
}

static void one_transaction(struct transactor *t, int64_t number)
{
    struct entry entry = { .kind = ENTRY_TRANSACTION, .number = number };
    struct entry offset = { .kind = ENTRY_COMMIT, .outcome = OUTCOME_ASKED, .number = number };
    int count = 1 + (int)(content_random(&t->random) % SIZE_MAX_MESSAGES);
    bool wants_commit = content_random(&t->random) % 4 != 0,
         has_offset = content_random(&t->random) % 3 == 0;
    bool again;
    enum result result = take_error(rd_kafka_begin_transaction(t->rk), &again);
    if (result != RESULT_DONE) {
        stop_producer(t);
        return;
    }
    entry.offset = count;
    entry.topic = wants_commit;
    entry.outcome = OUTCOME_ASKED;
    ledger_add(t->ledger, entry);
    if (!send_messages(t, number, count))
        result = RESULT_ABORT;
    if (result == RESULT_DONE && has_offset) {
        if (wants_commit)
            ledger_add(t->ledger, offset);
        result = send_offset(t, number);
    }
    bool commits = result == RESULT_DONE && wants_commit;
    if (result != RESULT_NEW_PRODUCER)
        result = end_transaction(t, commits);
    if (commits && result == RESULT_ABORT) { // the commit cannot be: it is aborted instead
        commits = false;
        result = end_transaction(t, false);
    }
    if (result == RESULT_DONE) {
        entry.outcome = commits ? OUTCOME_DONE : OUTCOME_ABORTED;
        ledger_add(t->ledger, entry);
        offset.outcome = OUTCOME_DONE;
        if (commits && has_offset)
            ledger_add(t->ledger, offset);
        t->committed += commits;
        t->aborted += !commits;
    } else {
        t->unknown++;
        stop_producer(t);
    }
}

int transact_run(const struct options *options)
{
    struct transactor t = { .options = options,
                            .ledger = ledger_create(options->ledger, options->counter),
                            .random = options->seed * 2654435761u + 7 };
    client_create_topics(options);
    for (int64_t n = 0;
         !atomic_load(&client_stopping) && (options->count == 0 || n < options->count); n++) {
        while (t.rk == NULL && !atomic_load(&client_stopping))
            start_producer(&t);
        if (t.rk != NULL)
            one_transaction(&t, n);
        client_sleep_ms(options->pause_ms);
    }
    printf("transactions: %lld committed, %lld aborted, %lld unknown\n", (long long)t.committed,
           (long long)t.aborted, (long long)t.unknown);
    fflush(stdout);
    _exit(0);
}
