// SPDX-License-Identifier: Apache-2.0
// What produce, transact and check share of librdkafka.
#ifndef WITNESS_CLIENT_H
#define WITNESS_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "content.h"
#include "ledger.h"

enum { TOPICS_MAX = 64, PARTITIONS_MAX = 64 };

struct options {
    const char *bootstrap, *ledger, *counter;
    struct topic topics[TOPICS_MAX];
    int topic_count;
    int64_t count; // messages in all; 0: until SIGTERM
    int rate;      // messages a second
    int pause_ms;  // between commits; twice that between topics
    uint64_t seed;
    uint64_t upto_call;  // check: what was acknowledged later is not asked for
    bool commits, churn; // produce: offsets of a group, and topics that come and go
    bool committed;      // check: as a reader of committed messages
    const char *name;    // of the group and the transactional id
};

extern atomic_bool client_stopping; // SIGTERM came

// A handle with these settings (name, value, …, NULL); ends the program when librdkafka does not like one.
rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, const struct options *options,
                       ...);
void client_sleep_ms(int ms);
double client_now_s(void);

// The topics with the settings of their kinds; returns when all are there.
void client_create_topics(const struct options *options);
// The answer about the one topic that was asked for.
rd_kafka_resp_err_t client_topic_result(rd_kafka_queue_t *queue, bool is_creation);
// The partitions of the topics that the broker has, each from its beginning.
rd_kafka_topic_partition_list_t *client_partitions(rd_kafka_t *rk, const struct options *options);

int produce_run(const struct options *options);
int transact_run(const struct options *options);
int check_transactions_run(const struct options *options);
int check_run(const struct options *options);

#endif
