// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <err.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, const struct options *options,
                       ...)
{
    char why[512];
    va_list args;
    const char *name;
    va_start(args, options);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", options->bootstrap, why, sizeof why) !=
        RD_KAFKA_CONF_OK)
        errx(2, "%s", why);
    rd_kafka_conf_set(conf, "reconnect.backoff.ms", "20", why, sizeof why);
    rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "200", why, sizeof why);
    rd_kafka_conf_set(conf, "log_level", "2", why, sizeof why);
    while ((name = va_arg(args, const char *)) != NULL)
        if (rd_kafka_conf_set(conf, name, va_arg(args, const char *), why, sizeof why) !=
            RD_KAFKA_CONF_OK)
            errx(2, "%s", why);
    va_end(args);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (rk == NULL)
        errx(2, "%s", why);
    return rk;
}

void client_sleep_ms(int ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000L };
    nanosleep(&time, NULL);
}

double client_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

rd_kafka_resp_err_t client_topic_result(rd_kafka_queue_t *queue, bool is_creation)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 5000);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event != NULL && (error = rd_kafka_event_error(event)) == 0) {
        size_t count;
        const rd_kafka_topic_result_t **results =
            is_creation
                ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event),
                                                      &count)
                : rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event),
                                                      &count);
        error = rd_kafka_topic_result_error(results[0]);
    }
    if (event != NULL)
        rd_kafka_event_destroy(event);
    return error;
}

// Small segments, so that rolling, retention and compaction happen while the test runs.
static const char *const settings_of_kind[][11] = {
    [TOPIC_FULL] = { "segment.ms", "3000", "index.interval.bytes", "512", NULL },
    [TOPIC_RETAINED] = { "segment.ms", "500", "retention.bytes", "200000", "file.delete.delay.ms",
                         "100", NULL },
    [TOPIC_COMPACTED] = { "cleanup.policy", "compact", "segment.ms", "500",
                          "min.cleanable.dirty.ratio", "0.01", "file.delete.delay.ms", "100",
                          NULL },
};

static bool create_topic(rd_kafka_t *rk, const struct topic *topic)
{
    rd_kafka_queue_t *queue =
        rd_kafka_queue_new(rk); // an answer that comes too late is not the next one's
    char why[128];
    rd_kafka_NewTopic_t *request =
        rd_kafka_NewTopic_new(topic->name, topic->partitions, 1, why, sizeof why);
    for (const char *const *s = settings_of_kind[topic->kind]; *s != NULL; s += 2)
        rd_kafka_NewTopic_set_config(request, s[0], s[1]);
    rd_kafka_CreateTopics(rk, &request, 1, NULL, queue);
    rd_kafka_NewTopic_destroy(request);
    rd_kafka_resp_err_t error = client_topic_result(queue, true);
    rd_kafka_queue_destroy(queue);
    return error == 0 || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
}

void client_create_topics(const struct options *options)
{
    rd_kafka_t *rk = client_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), options, NULL);
    for (int i = 0; i < options->topic_count; i++)
        while (!create_topic(rk, &options->topics[i]) && !atomic_load(&client_stopping))
            client_sleep_ms(50);
    rd_kafka_destroy(rk);
}

static int partitions_there(const rd_kafka_metadata_t *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strcmp(metadata->topics[i].topic, name) == 0)
            return metadata->topics[i].partition_cnt;
    return 0;
}

rd_kafka_topic_partition_list_t *client_partitions(rd_kafka_t *rk, const struct options *options)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    const rd_kafka_metadata_t *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 1, NULL, &metadata, 20000);
    if (error != 0)
        errx(2, "no metadata: %s", rd_kafka_err2str(error));
    for (int t = 0; t < options->topic_count; t++) {
        int there = partitions_there(metadata, options->topics[t].name);
        for (int p = 0; p < options->topics[t].partitions && p < there; p++)
            rd_kafka_topic_partition_list_add(list, options->topics[t].name, p)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_metadata_destroy(metadata);
    return list;
}
