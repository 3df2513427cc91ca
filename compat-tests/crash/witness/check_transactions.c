// SPDX-License-Identifier: Apache-2.0
// Reads the topics of `witness transact` as a reader of committed messages: of each transaction all messages are there once, or
// none; all when its commit was acknowledged, none when its abort was. In each partition transactions come in the order in
// which they were made. The group's offset is that of a transaction whose commit was at least asked for, and none older
// than the last acknowledged.
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

enum { SILENCE_LIMIT_S = 20, LINES_MAX = 20 };

struct transaction {
    uint8_t outcome;
    bool wants_commit;
    int count;
    uint32_t seen; // a bit a message
};

static int64_t faults;

static void fault(int64_t number, const char *what, const char *topic, int partition)
{
    if (faults++ < LINES_MAX)
        printf("%s transaction=%lld topic=%s partition=%d\n", what, (long long)number, topic,
               partition);
}

static struct transaction *take_ledger(const struct entries *entries, int64_t *count)
{
    *count = 0;
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].kind == ENTRY_TRANSACTION && entries->items[i].number >= *count)
            *count = entries->items[i].number + 1;
    struct transaction *transactions = calloc((size_t)*count + 1, sizeof *transactions);
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *e = &entries->items[i];
        if (e->kind != ENTRY_TRANSACTION)
            continue;
        struct transaction *t = &transactions[e->number];
        if (e->outcome > t->outcome)
            t->outcome = e->outcome;
        t->wants_commit = e->topic != 0;
        t->count = (int)e->offset;
    }
    return transactions;
}

static void take_message(const rd_kafka_message_t *m, struct transaction *transactions,
                         int64_t count, int64_t *newest)
{
    char head[64] = "";
    long long number;
    int i, of;
    const char *topic = rd_kafka_topic_name(m->rkt);
    memcpy(head, m->payload, m->len < sizeof head - 1 ? m->len : sizeof head - 1);
    if (sscanf(head, "%lld %d %d ", &number, &i, &of) != 3 || number < 0 || i < 0 || i >= of ||
        of > 31) {
        fault(-1, "different", topic, m->partition);
        return;
    }
    if (number < *newest)
        fault(number, "disorder", topic, m->partition);
    *newest = number;
    if (number >= count)
        return; // of after the ledger was read
    struct transaction *t = &transactions[number];
    if (t->count != of)
        fault(number, "different", topic, m->partition);
    if (t->seen & 1u << i)
        fault(number, "twice", topic, m->partition);
    t->seen |= 1u << i;
}

// A commit is acknowledged before its markers are written, so its messages may come a little later.
static bool has_all_committed(const struct transaction *transactions, int64_t count)
{
    for (int64_t n = 0; n < count; n++)
        if (transactions[n].outcome == OUTCOME_DONE &&
            transactions[n].seen != (1u << transactions[n].count) - 1)
            return false;
    return true;
}

static void judge(const struct transaction *transactions, int64_t count)
{
    for (int64_t n = 0; n < count; n++) {
        const struct transaction *t = &transactions[n];
        uint32_t all = (1u << t->count) - 1;
        if (t->outcome == OUTCOME_DONE && t->seen != all)
            fault(n, "lost or torn: committed", "", t->count);
        else if (t->outcome == OUTCOME_ABORTED && t->seen != 0)
            fault(n, "visible: aborted", "", t->count);
        else if (t->outcome == OUTCOME_ASKED && (t->seen != 0 && t->seen != all))
            fault(n, "torn", "", t->count);
        else if (t->outcome == OUTCOME_ASKED && t->seen != 0 && !t->wants_commit)
            fault(n, "visible: no commit was asked for", "", t->count);
    }
}

// Asked for without waiting for the transactions that are still open.
static void check_offset(const struct entries *entries, const struct options *options)
{
    int64_t done = -1, asked = -1;
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *e = &entries->items[i];
        if (e->kind != ENTRY_COMMIT)
            continue;
        asked = e->number > asked ? e->number : asked;
        done = e->outcome == OUTCOME_DONE && e->number > done ? e->number : done;
    }
    if (asked < 0)
        return;
    rd_kafka_t *rk = client_new(RD_KAFKA_CONSUMER, rd_kafka_conf_new(), options, "group.id",
                                options->name, "isolation.level", "read_uncommitted", NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, options->topics[0].name, 0);
    rd_kafka_resp_err_t error = rd_kafka_committed(rk, list, 20000);
    int64_t found = list->elems[0].offset;
    if (error != 0 || (done >= 0 && found < done) || found > asked) {
        printf("committed offset is %lld, acknowledged %lld, asked for %lld: %s\n",
               (long long)found, (long long)done, (long long)asked, rd_kafka_err2str(error));
        faults++;
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static int index_of(const rd_kafka_topic_partition_list_t *list, const rd_kafka_message_t *m)
{
    int at = 0;
    while (strcmp(list->elems[at].topic, rd_kafka_topic_name(m->rkt)) != 0 ||
           list->elems[at].partition != m->partition)
        at++;
    return at;
}

int check_transactions_run(const struct options *options)
{
    struct entries entries = ledger_read(options->ledger, options->upto_call);
    int64_t count;
    struct transaction *transactions = take_ledger(&entries, &count);
    rd_kafka_t *rk =
        client_new(RD_KAFKA_CONSUMER, rd_kafka_conf_new(), options, "group.id", options->name,
                   "enable.auto.commit", "false", "enable.partition.eof", "true", "check.crcs",
                   "true", "auto.offset.reset", "error", "fetch.wait.max.ms", "10",
                   "isolation.level", "read_committed", NULL);
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_partition_list_t *list = client_partitions(rk, options);
    int64_t newest[TOPICS_MAX * PARTITIONS_MAX], read = 0;
    for (int i = 0; i < list->cnt; i++)
        newest[i] = -1;
    rd_kafka_assign(rk, list);
    int left = list->cnt;
    bool is_at_end[TOPICS_MAX * PARTITIONS_MAX] = { false };
    double limit = client_now_s() + SILENCE_LIMIT_S;
    while ((left > 0 || !has_all_committed(transactions, count)) && client_now_s() < limit) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 200);
        if (m == NULL)
            continue;
        if (m->err == 0) {
            int at = index_of(list, m);
            take_message(m, transactions, count, &newest[at]);
            read++;
            limit = client_now_s() + SILENCE_LIMIT_S;
        } else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            int at = index_of(list, m);
            left -= !is_at_end[at];
            is_at_end[at] = true;
        } else {
            printf("error: %s\n", rd_kafka_message_errstr(m));
            faults++;
        }
        rd_kafka_message_destroy(m);
    }
    if (left > 0)
        fault(-1, "ends were not reached", "", left);
    judge(transactions, count);
    check_offset(&entries, options);
    printf("checked: %lld messages of %lld transactions read, %lld faults\n", (long long)read,
           (long long)count, (long long)faults);
    fflush(stdout);
    _exit(faults > 0);
}
