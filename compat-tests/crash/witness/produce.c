// SPDX-License-Identifier: Apache-2.0
// The idempotent producer, and beside it, each in a thread of its own, a group that commits offsets and topics that
// come and go.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

enum { IN_FLIGHT_MAX = 100, END_LIMIT_S = 120 };

struct production {
    const struct options *options;
    struct ledger *ledger;
    rd_kafka_t *rk;
    int64_t next[TOPICS_MAX][PARTITIONS_MAX];
    int in_flight[TOPICS_MAX][PARTITIONS_MAX];
    int64_t sent, acknowledged;
    bool has_failed;
    atomic_bool is_ending;
};

struct sent { // opaque of a message
    uint16_t topic;
    uint16_t partition;
    int64_t number;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct production *p = opaque;
    struct sent *sent = message->_private;
    (void)rk;
    p->in_flight[sent->topic][sent->partition]--;
    if (message->err == 0) {
        ledger_add(p->ledger, (struct entry){ ENTRY_MESSAGE, OUTCOME_DONE, sent->topic,
                                              sent->partition, sent->number, message->offset, 0 });
        p->acknowledged++;
    } else {
        printf("produce failed topic=%s partition=%d number=%lld: %s\n",
               p->options->topics[sent->topic].name, sent->partition, (long long)sent->number,
               rd_kafka_err2str(message->err));
        p->has_failed = true;
    }
    free(sent);
}

static void on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    struct production *p = opaque;
    if (error != RD_KAFKA_RESP_ERR__FATAL)
        return;
    char text[512];
    rd_kafka_resp_err_t original = rd_kafka_fatal_error(rk, text, sizeof text);
    printf("produce fatal: %s (%s) %s\n", rd_kafka_err2name(original), text, reason);
    p->has_failed = true;
}

// One more message to the partition, unless enough are on their way.
static bool send_one(struct production *p, int topic, int partition)
{
    static uint8_t value[CONTENT_MAX];
    char key[32];
    if (p->in_flight[topic][partition] >= IN_FLIGHT_MAX)
        return false;
    struct sent *sent = calloc(1, sizeof *sent);
    *sent = (struct sent){ (uint16_t)topic, (uint16_t)partition, p->next[topic][partition] };
    size_t size =
        content_make(topic, partition, sent->number, p->options->topics[topic].kind, value, key);
    size_t key_size = strlen(key);
    rd_kafka_resp_err_t error = rd_kafka_producev(
        p->rk, RD_KAFKA_V_TOPIC(p->options->topics[topic].name), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(value, size),
        RD_KAFKA_V_KEY(key_size == 0 ? NULL : key, key_size), RD_KAFKA_V_OPAQUE(sent),
        RD_KAFKA_V_END);
    if (error != 0) {
        free(sent);
        return false;
    }
    p->next[topic][partition]++;
    p->in_flight[topic][partition]++;
    p->sent++;
    return true;
}

static void send_all(struct production *p)
{
    uint64_t random = p->options->seed * 2654435761u + 1;
    double begin = client_now_s();
    while (!atomic_load(&client_stopping) && !p->has_failed &&
           (p->options->count == 0 || p->sent < p->options->count)) {
        int64_t allowed = (int64_t)((client_now_s() - begin) * p->options->rate) + 20;
        int topic = (int)(content_random(&random) % (uint64_t)p->options->topic_count);
        int partition =
            (int)(content_random(&random) % (uint64_t)p->options->topics[topic].partitions);
        bool is_sent = p->sent < allowed && send_one(p, topic, partition);
        rd_kafka_poll(p->rk, is_sent ? 0 : 2);
    }
    // All that was sent is acknowledged in the end, whatever happened in between.
    double limit = client_now_s() + END_LIMIT_S;
    while (p->acknowledged < p->sent && !p->has_failed && client_now_s() < limit)
        rd_kafka_poll(p->rk, 50);
    if (p->acknowledged < p->sent && !p->has_failed) {
        printf("produce: %lld messages were not acknowledged within %d s\n",
               (long long)(p->sent - p->acknowledged), END_LIMIT_S);
        p->has_failed = true;
    }
}

// ---- offsets of a group ----------------------------------------------------------------------------------------

static void *commit_offsets(void *arg)
{
    struct production *p = arg;
    rd_kafka_t *rk = client_new(RD_KAFKA_CONSUMER, rd_kafka_conf_new(), p->options, "group.id",
                                p->options->name, "enable.auto.commit", "false", NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, p->options->topics[0].name, 0);
    for (int64_t n = 1; !atomic_load(&p->is_ending); n++) {
        struct entry entry = { .kind = ENTRY_COMMIT, .outcome = OUTCOME_ASKED, .number = n };
        list->elems[0].offset = n;
        ledger_add(p->ledger, entry);
        if (rd_kafka_commit(rk, list, 0) == 0) {
            entry.outcome = OUTCOME_DONE;
            ledger_add(p->ledger, entry);
        }
        client_sleep_ms(p->options->pause_ms);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return NULL;
}

// ---- topics ----------------------------------------------------------------------------------------------------

static bool change_topic(struct production *p, rd_kafka_t *rk, int64_t number, bool is_creation)
{
    char name[300];
    rd_kafka_queue_t *queue =
        rd_kafka_queue_new(rk); // an answer that comes too late is not the next one's
    snprintf(name, sizeof name, "%s-churn-%lld", p->options->name, (long long)number);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(
        rk, is_creation ? RD_KAFKA_ADMIN_OP_CREATETOPICS : RD_KAFKA_ADMIN_OP_DELETETOPICS);
    char why[128];
    rd_kafka_AdminOptions_set_request_timeout(options, 4000, why, sizeof why);
    struct entry entry = { .kind = is_creation ? ENTRY_TOPIC_CREATED : ENTRY_TOPIC_DELETED,
                           .outcome = OUTCOME_ASKED,
                           .number = number };
    ledger_add(p->ledger, entry);
    if (is_creation) {
        rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, 2, 1, why, sizeof why);
        rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
        rd_kafka_NewTopic_destroy(topic);
    } else {
        rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
        rd_kafka_DeleteTopics(rk, &topic, 1, options, queue);
        rd_kafka_DeleteTopic_destroy(topic);
    }
    bool is_done = client_topic_result(queue, is_creation) == 0;
    if (is_done) {
        entry.outcome = OUTCOME_DONE;
        ledger_add(p->ledger, entry);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return is_done;
}

static void *churn_topics(void *arg)
{
    struct production *p = arg;
    rd_kafka_t *rk = client_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), p->options, NULL);
    for (int64_t n = 0; !atomic_load(&p->is_ending); n++) {
        change_topic(p, rk, n, true);
        if (n % 4 != 0 && n > 2)
            change_topic(p, rk, n - 2, false);
        client_sleep_ms(2 * p->options->pause_ms);
    }
    rd_kafka_destroy(rk);
    return NULL;
}

int produce_run(const struct options *options)
{
    struct production p = { .options = options,
                            .ledger = ledger_create(options->ledger, options->counter) };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, &p);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    p.rk = client_new(RD_KAFKA_PRODUCER, conf, options, "enable.idempotence", "true", "linger.ms",
                      "2", "message.timeout.ms", "0", "retry.backoff.ms", "20", "socket.timeout.ms",
                      "10000", "topic.metadata.refresh.interval.ms", "1000", NULL);
    client_create_topics(
        options); // before anything names them: that would make them with other settings
    for (int i = 0; i < options->topic_count; i++) {
        rd_kafka_topic_conf_t *topic_conf = rd_kafka_topic_conf_new();
        char why[128];
        rd_kafka_topic_conf_set(topic_conf, "compression.codec", options->topics[i].codec, why,
                                sizeof why);
        rd_kafka_topic_new(p.rk, options->topics[i].name, topic_conf); // held to the end
    }
    pthread_t committer, churner;
    if (options->commits)
        pthread_create(&committer, NULL, commit_offsets, &p);
    if (options->churn)
        pthread_create(&churner, NULL, churn_topics, &p);
    send_all(&p);
    atomic_store(&p.is_ending, true);
    if (options->commits)
        pthread_join(committer, NULL);
    if (options->churn)
        pthread_join(churner, NULL);
    printf("acknowledged %lld\n", (long long)p.acknowledged);
    ledger_close(p.ledger);
    fflush(stdout);
    _exit(p.has_failed ? 1 : 0); // no destroying of what waits for a broker
}
