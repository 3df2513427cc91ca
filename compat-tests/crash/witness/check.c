// SPDX-License-Identifier: Apache-2.0
// Reads everything that the broker has and holds it against the ledger. For a topic of kind
//     full        the messages are number 0, 1, 2, … in this order, each at the offset that was acknowledged,
//                 with the bytes that were sent, and as far as the last acknowledged one at least
//     retained    the same, from the number at which the log begins
//     compacted   numbers ascend, bytes and offsets are right, and of each key the newest acknowledged message is
//                 there, or a newer one
// Then the group's committed offset is not below the last acknowledged nor above the last asked for, and topics that
// were acknowledged as created and never asked to go are there, those that were acknowledged as deleted are not.
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

enum { SILENCE_LIMIT_S = 30, LINES_MAX = 20, UNKNOWN = -1 };

struct part {         // of one partition
    int64_t *offsets; // acknowledged, by number; UNKNOWN: was not
    int64_t count;    // numbers known of, acknowledged or not
    int64_t last_acknowledged;
    int64_t last_seen; // -1: none yet
    int64_t seen;
    int64_t newest_of_key[CONTENT_KEYS], seen_of_key[CONTENT_KEYS];
    bool is_at_end;
};

struct checking {
    const struct options *options;
    struct entries entries;
    struct part parts[TOPICS_MAX][PARTITIONS_MAX];
    int64_t faults;
};

static void fault(struct checking *c, int topic, int partition, int64_t number, int64_t offset,
                  const char *what)
{
    if (c->faults++ < LINES_MAX)
        printf("%s topic=%s partition=%d number=%lld offset=%lld\n", what,
               c->options->topics[topic].name, partition, (long long)number, (long long)offset);
}

static int key_number(const char *key)
{
    return key[0] == '\0' ? 0 : atoi(key + 4);
}

static void take_entries(struct checking *c)
{
    static uint8_t value[CONTENT_MAX];
    char key[32];
    for (int t = 0; t < c->options->topic_count; t++)
        for (int p = 0; p < c->options->topics[t].partitions; p++) {
            struct part *part = &c->parts[t][p];
            part->last_acknowledged = part->last_seen = -1;
            for (int k = 0; k < CONTENT_KEYS; k++)
                part->newest_of_key[k] = part->seen_of_key[k] = -1;
        }
    for (size_t i = 0; i < c->entries.count; i++) {
        const struct entry *e = &c->entries.items[i];
        if (e->kind != ENTRY_MESSAGE || e->topic >= c->options->topic_count ||
            e->outcome != OUTCOME_DONE)
            continue;
        struct part *part = &c->parts[e->topic][e->partition];
        if (e->number >= part->count) {
            part->offsets =
                realloc(part->offsets, (size_t)(e->number + 1) * 2 * sizeof *part->offsets);
            while (part->count <= e->number)
                part->offsets[part->count++] = UNKNOWN;
        }
        part->offsets[e->number] = e->offset;
        if (e->number > part->last_acknowledged)
            part->last_acknowledged = e->number;
        content_make(e->topic, e->partition, e->number, c->options->topics[e->topic].kind, value,
                     key);
        if (e->number > part->newest_of_key[key_number(key)])
            part->newest_of_key[key_number(key)] = e->number;
    }
}

static int topic_index(const struct checking *c, const char *name)
{
    for (int i = 0; i < c->options->topic_count; i++)
        if (strcmp(c->options->topics[i].name, name) == 0)
            return i;
    errx(2, "a message of another topic: %s", name);
}

static void take_message(struct checking *c, const rd_kafka_message_t *m)
{
    static uint8_t value[CONTENT_MAX];
    char key[32];
    int topic = topic_index(c, rd_kafka_topic_name(m->rkt));
    struct part *part = &c->parts[topic][m->partition];
    enum topic_kind kind = c->options->topics[topic].kind;
    int64_t number = content_number(m->payload, m->len);
    size_t size = number < 0 ? 0 : content_make(topic, m->partition, number, kind, value, key);
    if (number < 0 || size != m->len || memcmp(value, m->payload, size) != 0 ||
        strlen(key) != m->key_len || memcmp(key, m->key == NULL ? "" : m->key, m->key_len) != 0) {
        fault(c, topic, m->partition, number, m->offset, "different");
        return;
    }
    if (number == part->last_seen)
        fault(c, topic, m->partition, number, m->offset, "twice");
    else if (number < part->last_seen)
        fault(c, topic, m->partition, number, m->offset, "disorder");
    else if (number > part->last_seen + 1 &&
             (kind == TOPIC_FULL || (kind == TOPIC_RETAINED && part->seen > 0)))
        fault(c, topic, m->partition, part->last_seen + 1, m->offset, "missing before");
    if (number < part->count && part->offsets[number] != UNKNOWN && part->offsets[number] >= 0 &&
        part->offsets[number] != m->offset)
        fault(c, topic, m->partition, number, m->offset, "at another offset than acknowledged");
    part->last_seen = number;
    part->seen++;
    part->seen_of_key[key_number(key)] = number;
}

static void check_end(struct checking *c, int topic, int partition)
{
    struct part *part = &c->parts[topic][partition];
    if (c->options->topics[topic].kind != TOPIC_COMPACTED) {
        if (part->last_seen < part->last_acknowledged &&
            !(c->options->topics[topic].kind == TOPIC_RETAINED && part->seen == 0))
            fault(c, topic, partition, part->last_seen + 1, part->last_acknowledged,
                  "lost from number to offset:");
        return;
    }
    for (int k = 0; k < CONTENT_KEYS; k++)
        if (part->seen_of_key[k] < part->newest_of_key[k])
            fault(c, topic, partition, part->newest_of_key[k], part->seen_of_key[k],
                  "lost newest of its key");
}

static void read_all(struct checking *c, rd_kafka_t *rk)
{
    rd_kafka_topic_partition_list_t *list = client_partitions(rk, c->options);
    // A partition that is not there must not have had an acknowledged message.
    for (int t = 0; t < c->options->topic_count; t++)
        for (int p = 0; p < c->options->topics[t].partitions; p++)
            c->parts[t][p].is_at_end =
                rd_kafka_topic_partition_list_find(list, c->options->topics[t].name, p) == NULL;
    int64_t left = list->cnt;
    rd_kafka_assign(rk, list);
    double limit = client_now_s() + SILENCE_LIMIT_S;
    while (left > 0 && client_now_s() < limit) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 200);
        if (m == NULL)
            continue;
        if (m->err == 0) {
            take_message(c, m);
            limit = client_now_s() + SILENCE_LIMIT_S;
        } else if (m->rkt != NULL) {
            struct part *part =
                &c->parts[topic_index(c, rd_kafka_topic_name(m->rkt))][m->partition];
            if (m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                printf("error topic=%s partition=%d: %s\n", rd_kafka_topic_name(m->rkt),
                       m->partition, rd_kafka_message_errstr(m));
                c->faults++;
            }
            left -= !part->is_at_end;
            part->is_at_end = true;
        }
        rd_kafka_message_destroy(m);
    }
    for (int t = 0; t < c->options->topic_count; t++)
        for (int p = 0; p < c->options->topics[t].partitions; p++) {
            if (!c->parts[t][p].is_at_end)
                fault(c, t, p, -1, c->parts[t][p].seen, "its end was not reached");
            check_end(c, t, p);
        }
    rd_kafka_topic_partition_list_destroy(list);
}

static void check_commits(struct checking *c, rd_kafka_t *rk)
{
    int64_t done = -1, asked = -1;
    for (size_t i = 0; i < c->entries.count; i++) {
        const struct entry *e = &c->entries.items[i];
        if (e->kind != ENTRY_COMMIT)
            continue;
        asked = e->number > asked ? e->number : asked;
        if (e->outcome == OUTCOME_DONE && e->number > done)
            done = e->number;
    }
    if (asked < 0)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, c->options->topics[0].name, 0);
    rd_kafka_resp_err_t error = rd_kafka_committed(rk, list, 20000);
    int64_t found = list->elems[0].offset;
    if (error != 0 || (found < done && done >= 0) || found > asked) {
        printf("committed offset is %lld, acknowledged %lld, asked for %lld: %s\n",
               (long long)found, (long long)done, (long long)asked, rd_kafka_err2str(error));
        c->faults++;
    }
    rd_kafka_topic_partition_list_destroy(list);
}

// What is known of a churned topic: 'c' its creation was acknowledged, 'd' its deletion, '?' it may be or not.
static void check_topics(struct checking *c, rd_kafka_t *rk)
{
    int64_t count = 0;
    for (size_t i = 0; i < c->entries.count; i++)
        if (c->entries.items[i].kind == ENTRY_TOPIC_CREATED && c->entries.items[i].number >= count)
            count = c->entries.items[i].number + 1;
    if (count == 0)
        return;
    char *state = calloc((size_t)count, 1);
    for (size_t i = 0; i < c->entries.count; i++) {
        const struct entry *e = &c->entries.items[i];
        if (e->kind == ENTRY_TOPIC_CREATED)
            state[e->number] = e->outcome == OUTCOME_DONE ? 'c' : '?';
        else if (e->kind == ENTRY_TOPIC_DELETED)
            state[e->number] = e->outcome == OUTCOME_DONE ? 'd' : '?';
    }
    const rd_kafka_metadata_t *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 1, NULL, &metadata, 20000);
    if (error != 0)
        errx(2, "no metadata: %s", rd_kafka_err2str(error));
    size_t prefix = strlen(c->options->name) + 7;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const char *name = metadata->topics[i].topic;
        int64_t number = strncmp(name, c->options->name, prefix - 7) == 0 &&
                                 strncmp(name + prefix - 7, "-churn-", 7) == 0
                             ? atoll(name + prefix)
                             : -1;
        if (number < 0 || number >= count)
            continue;
        if (state[number] == 'd' && ++c->faults <= LINES_MAX)
            printf("topic %s is there, its deletion was acknowledged\n", name);
        state[number] = '!';
    }
    for (int64_t n = 0; n < count; n++)
        if (state[n] == 'c' && ++c->faults <= LINES_MAX)
            printf("topic %s-churn-%lld is lost, its creation was acknowledged\n", c->options->name,
                   (long long)n);
    rd_kafka_metadata_destroy(metadata);
    free(state);
}

int check_run(const struct options *options)
{
    struct checking *c = calloc(1, sizeof *c);
    c->options = options;
    c->entries = ledger_read(options->ledger, options->upto_call);
    take_entries(c);
    rd_kafka_t *rk = client_new(
        RD_KAFKA_CONSUMER, rd_kafka_conf_new(), options, "group.id", options->name,
        "enable.auto.commit", "false", "enable.partition.eof", "true", "check.crcs", "true",
        "auto.offset.reset", "error", "fetch.wait.max.ms", "10", "fetch.error.backoff.ms", "10",
        "isolation.level", options->committed ? "read_committed" : "read_uncommitted", NULL);
    rd_kafka_poll_set_consumer(rk);
    read_all(c, rk);
    check_commits(c, rk);
    check_topics(c, rk);
    int64_t seen = 0, acknowledged = 0;
    for (int t = 0; t < options->topic_count; t++)
        for (int p = 0; p < options->topics[t].partitions; p++) {
            seen += c->parts[t][p].seen;
            acknowledged += c->parts[t][p].last_acknowledged + 1;
        }
    printf("checked: %lld messages read, %lld acknowledged, %lld faults\n", (long long)seen,
           (long long)acknowledged, (long long)c->faults);
    fflush(stdout);
    _exit(c->faults > 0);
}
