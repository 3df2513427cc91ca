// SPDX-License-Identifier: Apache-2.0
//
// Real input at size: the Debian package index of the machine, some 64,000 stanzas and 50 MB, each
// stanza a message keyed by its package's name, into six partitions, with every codec; read back by
// a group of three with rebalances in the middle (group.h); and all of it again after the broker
// was killed by signal 9 and started anew.
//
// packages INDEX [TEST]: $BOOTSTRAP, $RUN_ID, $BROKER_DIR and $BROKER_CTL must be set.
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CUnit/CUnit.h>
#include <librdkafka/rdkafka.h>

#include "group.h"
#include "index.h"
#include "lines.h"

enum { LIMIT_MS = 60000 };

static struct index index_;

static const char *name(const char *what, const char *codec)
{
    static char text[4][256];
    static int turn;
    char *out = text[turn++ % 4];
    snprintf(out, sizeof text[0], "%s-%s-%s", getenv("RUN_ID"), what, codec);
    return out;
}

// Sends one word to the broker's control; fails the test when that fails.
static void control(const char *word)
{
    char command[1024];
    snprintf(command, sizeof command, "%s %s", getenv("BROKER_CTL"), word);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
}

static rd_kafka_t *producer_new(const char *codec, const char *idempotent, int *failed);

// Creates the topic and waits until each partition is served.
static void topic_create(const char *topic)
{
    char why[512];
    int failed = 0;
    int64_t low, high;
    rd_kafka_t *rk = producer_new("none", "false", &failed);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *new_topic =
        rd_kafka_NewTopic_new(topic, GROUP_PARTITIONS, 1, why, sizeof why);

    rd_kafka_CreateTopics(rk, &new_topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, LIMIT_MS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_EQUAL_FATAL(rd_kafka_event_error(event), 0);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(new_topic);
    for (int p = 0; p < GROUP_PARTITIONS; p++) {
        rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__IN_PROGRESS;
        for (int tries = 0; err != 0 && tries < LIMIT_MS / 10; tries++) {
            err = rd_kafka_query_watermark_offsets(rk, topic, p, &low, &high, LIMIT_MS);
            if (err != 0)
                usleep(10000);
        }
        CU_ASSERT_EQUAL_FATAL(err, 0);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    int *failed = opaque;
    (void)rk;
    if (m->err) {
        if ((*failed)++ == 0)
            printf("# delivery: %s\n", rd_kafka_err2str(m->err));
    }
}

static rd_kafka_t *producer_new(const char *codec, const char *idempotent, int *failed)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *settings[] = {"bootstrap.servers",           getenv("BOOTSTRAP"),
                              "compression.codec",           codec,
                              "enable.idempotence",          idempotent,
                              "acks",                        "all",
                              "linger.ms",                   "20",
                              "queue.buffering.max.messages", "20000",
                              "retry.backoff.ms",            "20",
                              "reconnect.backoff.max.ms",    "200",
                              "log_level",                   "3"};

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i += 2) {
        if (rd_kafka_conf_set(conf, settings[i], settings[i + 1], why, sizeof why) !=
            RD_KAFKA_CONF_OK)
            abort();
    }
    rd_kafka_conf_set_opaque(conf, failed);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (rk == NULL)
        abort();
    return rk;
}

static void produce_one(rd_kafka_t *rk, const char *topic, int sequence)
{
    const struct index_message *m = &index_.messages[sequence];
    rd_kafka_resp_err_t err;

    // A full queue is what slows us down to the broker's pace.
    while ((err = rd_kafka_producev(
                rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(m->key, m->key_size),
                RD_KAFKA_V_VALUE((void *)m->value, m->value_size),
                RD_KAFKA_V_HEADER("sequence", &sequence, sizeof sequence),
                RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(rk, 10);
    CU_ASSERT_EQUAL_FATAL(err, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_poll(rk, 0);
}

// The bytes of all the topic's log files.
static size_t log_bytes(const char *topic)
{
    size_t sum = 0;
    for (int p = 0; p < GROUP_PARTITIONS; p++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/data/%s-%d", getenv("BROKER_DIR"), topic, p);
        DIR *folder = opendir(path);
        CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            size_t length = strlen(entry->d_name);
            struct stat stat;
            if (length > 4 && strcmp(entry->d_name + length - 4, ".log") == 0 &&
                fstatat(dirfd(folder), entry->d_name, &stat, 0) == 0)
                sum += (size_t)stat.st_size;
        }
        closedir(folder);
    }
    return sum;
}

static void produce(const char *codec)
{
    const char *topic = name("packages", codec);
    int failed = 0;

    topic_create(topic);
    rd_kafka_t *rk = producer_new(codec, "false", &failed);
    for (int i = 0; i < index_.count; i++)
        produce_one(rk, topic, i);
    CU_ASSERT_EQUAL(rd_kafka_flush(rk, LIMIT_MS), 0);
    CU_ASSERT_EQUAL(failed, 0);

    int64_t sum = 0;
    for (int p = 0; p < GROUP_PARTITIONS; p++) {
        int64_t low, high;
        CU_ASSERT_EQUAL(rd_kafka_query_watermark_offsets(rk, topic, p, &low, &high, LIMIT_MS), 0);
        CU_ASSERT_EQUAL(low, 0);
        CU_ASSERT(high > 0);
        sum += high;
    }
    CU_ASSERT_EQUAL(sum, index_.count);
    rd_kafka_destroy(rk);

    // What was sent compressed is kept so; what was not, is not.
    size_t bytes = log_bytes(topic);
    printf("# %s: %zu bytes in the log of %zu\n", codec, bytes, index_.value_bytes);
    if (strcmp(codec, "none") == 0) {
        CU_ASSERT(bytes > index_.value_bytes);
    } else {
        CU_ASSERT(bytes < index_.value_bytes / 4 * 3);
    }
}

// Three members, then two, then three again, have got partitions.
enum { ASSIGNMENTS_LEAST = 8 };

static void check_read(const char *topic, const char *group)
{
    struct group_result result = group_read(&index_, topic, group);

    printf("# received %d, missing %d, twice %d, out of order %d, different %d, assignments %d\n",
           result.received, result.missing, result.twice, result.out_of_order, result.different,
           result.rebalances);
    CU_ASSERT_EQUAL(result.timed_out, 0);
    CU_ASSERT_EQUAL(result.failed_commits, 0);
    CU_ASSERT_EQUAL(result.missing, 0);
    CU_ASSERT_EQUAL(result.twice, 0);
    CU_ASSERT_EQUAL(result.out_of_order, 0);
    CU_ASSERT_EQUAL(result.different, 0);
    CU_ASSERT_EQUAL(result.received, index_.count);
    CU_ASSERT(result.rebalances >= ASSIGNMENTS_LEAST);
    CU_ASSERT_EQUAL(group_committed(topic, group), index_.count);
}

static void group(const char *codec)
{
    check_read(name("packages", codec), name("group", codec));
}

static void kill9_restart(void)
{
    control("kill9");
    control("start");
}

static void committed_after_kill9(const char *codec)
{
    CU_ASSERT_EQUAL(group_committed(name("packages", codec), name("group", codec)), index_.count);
}

static void group_after_kill9(const char *codec)
{
    check_read(name("packages", codec), name("after", codec));
}

static void *kill9_run(void *killed)
{
    control("kill9");
    atomic_store((atomic_int *)killed, 1);
    control("start");
    return NULL;
}

// An idempotent producer keeps on while the broker dies and comes back: it sends again what had no
// answer, and the broker, which knows the producer from its log, takes in each message once.
static void kill9_while_producing(void)
{
    const char *topic = name("packages", "killed");
    int failed = 0;
    atomic_int killed = 0;
    pthread_t killer;

    topic_create(topic);
    rd_kafka_t *rk = producer_new("lz4", "true", &failed);
    for (int i = 0; i < index_.count; i++) {
        if (i == index_.count / 2)
            CU_ASSERT_EQUAL_FATAL(pthread_create(&killer, NULL, kill9_run, &killed), 0);
        // The last quarter is certain to begin with the broker gone.
        while (i == index_.count / 4 * 3 && !atomic_load(&killed))
            rd_kafka_poll(rk, 1);
        produce_one(rk, topic, i);
    }
    pthread_join(killer, NULL);
    CU_ASSERT_EQUAL(rd_kafka_flush(rk, LIMIT_MS), 0);
    CU_ASSERT_EQUAL(failed, 0);
    rd_kafka_destroy(rk);
    check_read(topic, name("group", "killed"));
}

#define CODEC(codec)                                                                               \
    static void codec##_produce(void)                                                              \
    {                                                                                              \
        produce(#codec);                                                                           \
    }                                                                                              \
    static void codec##_group(void)                                                                \
    {                                                                                              \
        group(#codec);                                                                             \
    }                                                                                              \
    static void codec##_committed_after_kill9(void)                                                \
    {                                                                                              \
        committed_after_kill9(#codec);                                                             \
    }                                                                                              \
    static void codec##_group_after_kill9(void)                                                    \
    {                                                                                              \
        group_after_kill9(#codec);                                                                 \
    }
CODEC(none)
CODEC(gzip)
CODEC(snappy)
CODEC(lz4)
CODEC(zstd)

#define BEFORE(codec) {#codec "-produce", codec##_produce}, {#codec "-group", codec##_group}
#define AFTER(codec)                                                                               \
    {#codec "-committed-after-kill9", codec##_committed_after_kill9},                              \
        {#codec "-group-after-kill9", codec##_group_after_kill9}

static const struct lines_test tests[] = {
    BEFORE(none), BEFORE(gzip), BEFORE(snappy), BEFORE(lz4), BEFORE(zstd),
    {"kill9-restart", kill9_restart},
    AFTER(none), AFTER(gzip), AFTER(snappy), AFTER(lz4), AFTER(zstd),
    {"kill9-while-producing", kill9_while_producing},
};

int main(int argc, char **argv)
{
    if (argc < 2 || index_read(&index_, argv[1]) != 0) {
        fprintf(stderr, "no package index\n");
        return 2;
    }
    printf("# librdkafka %s; %d stanzas, %d messages of %d keys, %zu bytes\n",
           rd_kafka_version_str(), index_.stanza_count, index_.count, index_.key_count,
           index_.value_bytes);
    return lines_run(tests, (int)(sizeof tests / sizeof *tests), argc > 2 ? argv[2] : NULL);
}
