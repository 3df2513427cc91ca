// SPDX-License-Identifier: Apache-2.0
#include "group.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

enum { MEMBERS = 4, LIMIT_MS = 30000 }; // three at first, and the one that joins later

struct reading {
    const struct index *index;
    const char *topic, *group;
    pthread_mutex_t lock; // guards all below but the atomics
    struct group_result result;
    char *seen;       // by sequence number
    int *last_of_key; // by key number: the last sequence number, or -1
    int64_t next_offset[GROUP_PARTITIONS];
    atomic_int received;
    atomic_int gate; // from this count on, members take one message at a time, and slowly
    atomic_int stop; // the limit has passed
};

struct member {
    struct reading *reading;
    pthread_t thread;
    atomic_int leave;
    atomic_int assigned; // partitions that it has now
    int64_t position[GROUP_PARTITIONS]; // after what it has taken in; -1: nothing yet
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void take(struct reading *r, const rd_kafka_message_t *m)
{
    const void *text = NULL;
    size_t size = 0;
    rd_kafka_headers_t *headers;
    int sequence = -1;

    if (rd_kafka_message_headers(m, &headers) == 0 &&
        rd_kafka_header_get_last(headers, "sequence", &text, &size) == 0 && size == sizeof sequence)
        memcpy(&sequence, text, sizeof sequence);

    pthread_mutex_lock(&r->lock);
    r->result.received++;
    if (m->offset != r->next_offset[m->partition])
        r->result.out_of_order++;
    r->next_offset[m->partition] = m->offset + 1;
    if (sequence < 0 || sequence >= r->index->count) {
        r->result.different++;
    } else {
        const struct index_message *want = &r->index->messages[sequence];
        if (m->key_len != want->key_size || memcmp(m->key, want->key, m->key_len) != 0 ||
            m->len != want->value_size || memcmp(m->payload, want->value, m->len) != 0)
            r->result.different++;
        if (r->seen[sequence])
            r->result.twice++;
        r->seen[sequence] = 1;
        if (sequence <= r->last_of_key[want->key_number])
            r->result.out_of_order++;
        r->last_of_key[want->key_number] = sequence;
    }
    pthread_mutex_unlock(&r->lock);
    atomic_fetch_add(&r->received, 1);
}

static void commit(struct member *member, rd_kafka_t *rk,
                   const rd_kafka_topic_partition_list_t *revoked)
{
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(revoked->cnt);

    for (int i = 0; i < revoked->cnt; i++) {
        int32_t partition = revoked->elems[i].partition;
        if (member->position[partition] >= 0)
            rd_kafka_topic_partition_list_add(offsets, revoked->elems[i].topic, partition)->offset =
                member->position[partition];
        member->position[partition] = -1;
    }
    rd_kafka_resp_err_t err = offsets->cnt > 0 ? rd_kafka_commit(rk, offsets, 0) : 0;
    if (err) {
        printf("# commit: %s\n", rd_kafka_err2str(err));
        pthread_mutex_lock(&member->reading->lock);
        member->reading->result.failed_commits += offsets->cnt;
        pthread_mutex_unlock(&member->reading->lock);
    }
    rd_kafka_topic_partition_list_destroy(offsets);
}

// Runs in the member's own thread, within a poll or the close.
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct member *member = opaque;

    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        pthread_mutex_lock(&member->reading->lock);
        member->reading->result.rebalances++;
        pthread_mutex_unlock(&member->reading->lock);
        rd_kafka_assign(rk, partitions);
        atomic_store(&member->assigned, partitions->cnt);
    } else {
        commit(member, rk, partitions);
        rd_kafka_assign(rk, NULL);
        atomic_store(&member->assigned, 0);
    }
}

static rd_kafka_t *consumer_new(const char *group, struct member *member)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *settings[] = {"bootstrap.servers",       getenv("BOOTSTRAP"),
                              "group.id",                group,
                              "enable.auto.commit",      "false",
                              "auto.offset.reset",       "earliest",
                              "session.timeout.ms",      "10000",
                              "heartbeat.interval.ms",   "200",
                              "queued.min.messages",     "2000",
                              "check.crcs",              "true",
                              "log_level",               "4"};

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i += 2) {
        if (rd_kafka_conf_set(conf, settings[i], settings[i + 1], why, sizeof why) !=
            RD_KAFKA_CONF_OK)
            abort();
    }
    rd_kafka_conf_set_opaque(conf, member);
    if (member != NULL)
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (rk == NULL)
        abort();
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

static void *member_run(void *argument)
{
    struct member *member = argument;
    struct reading *r = member->reading;
    rd_kafka_t *rk = consumer_new(r->group, member);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(topics, r->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    while (!atomic_load(&member->leave) && !atomic_load(&r->stop) &&
           atomic_load(&r->received) < r->index->count) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
        if (m == NULL)
            continue;
        // Slow, so that the next change of members finds most of the messages still to be read;
        // but not still, since a rebalance goes on within the polls.
        if (atomic_load(&r->received) >= atomic_load(&r->gate))
            usleep(2000);
        if (m->err) {
            printf("# consumer: %s\n", rd_kafka_message_errstr(m));
        } else {
            take(r, m);
            member->position[m->partition] = m->offset + 1;
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return NULL;
}

static void member_start(struct member *member, struct reading *reading)
{
    member->reading = reading;
    for (int p = 0; p < GROUP_PARTITIONS; p++)
        member->position[p] = -1;
    if (pthread_create(&member->thread, NULL, member_run, member) != 0)
        abort();
}

// Waits until so many messages are there and the living members have so many partitions each.
static void await(struct reading *r, const struct member *members, int count, int partitions_each,
                  double end_s)
{
    while (!atomic_load(&r->stop)) {
        int settled = atomic_load(&r->received) >= count;
        for (int i = 0; i < MEMBERS; i++) {
            if (members[i].reading != NULL && !atomic_load(&members[i].leave))
                settled &= atomic_load(&members[i].assigned) == partitions_each;
        }
        if (settled)
            return;
        usleep(1000);
        if (now_s() > end_s) {
            atomic_store(&r->stop, 1);
            r->result.timed_out = 1;
        }
    }
}

struct group_result group_read(const struct index *index, const char *topic, const char *group)
{
    struct reading r = {.index = index, .topic = topic, .group = group};
    struct member members[MEMBERS];
    double end_s = now_s() + GROUP_LIMIT_S;

    memset(members, 0, sizeof members);
    pthread_mutex_init(&r.lock, NULL);
    r.seen = calloc((size_t)index->count, 1);
    r.last_of_key = malloc((size_t)index->key_count * sizeof *r.last_of_key);
    if (r.seen == NULL || r.last_of_key == NULL)
        abort();
    for (int i = 0; i < index->key_count; i++)
        r.last_of_key[i] = -1;

    atomic_store(&r.gate, index->count / 3);
    for (int i = 0; i < 3; i++)
        member_start(&members[i], &r);
    await(&r, members, index->count / 3, GROUP_PARTITIONS / 3, end_s);
    atomic_store(&members[1].leave, 1);
    pthread_join(members[1].thread, NULL);
    atomic_store(&r.gate, index->count / 3 * 2);
    await(&r, members, index->count / 3 * 2, GROUP_PARTITIONS / 2, end_s);
    member_start(&members[3], &r);
    await(&r, members, index->count / 3 * 2, GROUP_PARTITIONS / 3, end_s);
    atomic_store(&r.gate, index->count);
    while (atomic_load(&r.received) < index->count && !atomic_load(&r.stop)) {
        usleep(1000);
        if (now_s() > end_s) {
            atomic_store(&r.stop, 1);
            r.result.timed_out = 1;
        }
    }
    pthread_join(members[0].thread, NULL);
    pthread_join(members[2].thread, NULL);
    pthread_join(members[3].thread, NULL);

    for (int i = 0; i < index->count; i++)
        r.result.missing += !r.seen[i];
    free(r.seen);
    free(r.last_of_key);
    pthread_mutex_destroy(&r.lock);
    return r.result;
}

long long group_committed(const char *topic, const char *group)
{
    rd_kafka_t *rk = consumer_new(group, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(GROUP_PARTITIONS);
    double end_s = now_s() + LIMIT_MS / 1000;
    rd_kafka_resp_err_t err;
    long long sum = 0;

    for (int p = 0; p < GROUP_PARTITIONS; p++)
        rd_kafka_topic_partition_list_add(list, topic, p);
    // A coordinator that has just started says so for as long as it reads its log.
    do {
        err = rd_kafka_committed(rk, list, LIMIT_MS);
        for (int p = 0; p < GROUP_PARTITIONS && err == 0; p++)
            err = list->elems[p].err;
        if (err != 0) {
            printf("# committed: %s\n", rd_kafka_err2name(err));
            usleep(50000);
        }
    } while (err != 0 && now_s() < end_s);
    for (int p = 0; p < GROUP_PARTITIONS && sum >= 0; p++)
        sum = err != 0 || list->elems[p].offset < 0 ? -1 : sum + list->elems[p].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return sum;
}
