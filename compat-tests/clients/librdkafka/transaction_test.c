// SPDX-License-Identifier: Apache-2.0
//
// Transactions: all or nothing, and the older of two producers is fenced.
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "kit.h"
#include "suite.h"

// Ends an error of the transaction calls; 0 for none.
static int bad(rd_kafka_error_t *error)
{
    if (error == NULL)
        return 0;
    printf("# %s: %s\n", rd_kafka_error_name(error), rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return 1;
}

// What a consumer of read_committed gets up to the end, one value behind the other.
static void committed(const char *topic, char *out, size_t size)
{
    const char *settings[] = {"group.id", "unused", "isolation.level", "read_committed",
                              "enable.partition.eof", "true", NULL};
    rd_kafka_t *consumer = kit_consumer(settings);
    kit_assign(consumer, topic, 0, RD_KAFKA_OFFSET_BEGINNING);
    out[0] = '\0';
    for (;;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, KIT_LIMIT_MS);
        if (m == NULL || m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            CU_ASSERT_TRUE(m != NULL && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF);
            if (m != NULL)
                rd_kafka_message_destroy(m);
            break;
        }
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%.*s ", (int)m->len, (const char *)m->payload);
        rd_kafka_message_destroy(m);
    }
    kit_consumer_close(consumer);
}

static void produce(rd_kafka_t *producer, const char *topic, const char *value)
{
    struct kit_message report;
    kit_produce(producer, topic, 0, NULL, 0, value, strlen(value), 0, NULL, &report);
    CU_ASSERT_EQUAL(report.err, RD_KAFKA_RESP_ERR_NO_ERROR);
}

void test_transactions(void)
{
    const char *topic = kit_topic("transactions", 1);
    const char *settings[] = {"transactional.id", kit_name("transactions-id"), "linger.ms", "0", NULL};
    rd_kafka_t *old = kit_producer(settings);
    CU_ASSERT_FALSE_FATAL(bad(rd_kafka_init_transactions(old, KIT_LIMIT_MS)));
    char want[1000] = "", got[1000], value[20];
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_FALSE(bad(rd_kafka_begin_transaction(old)));
        snprintf(value, sizeof value, "%d", i);
        produce(old, topic, value);
        if (i % 4 == 3) {
            CU_ASSERT_FALSE(bad(rd_kafka_abort_transaction(old, KIT_LIMIT_MS)));
        } else {
            CU_ASSERT_FALSE(bad(rd_kafka_commit_transaction(old, KIT_LIMIT_MS)));
            strcat(want, value);
            strcat(want, " ");
        }
    }
    committed(topic, got, sizeof got);
    CU_ASSERT_STRING_EQUAL(got, want);

    CU_ASSERT_FALSE(bad(rd_kafka_begin_transaction(old)));
    produce(old, topic, "old");
    committed(topic, got, sizeof got);
    CU_ASSERT_STRING_EQUAL(got, want);
    rd_kafka_t *young = kit_producer(settings);
    CU_ASSERT_FALSE_FATAL(bad(rd_kafka_init_transactions(young, KIT_LIMIT_MS)));
    CU_ASSERT_FALSE(bad(rd_kafka_begin_transaction(young)));
    produce(young, topic, "young");
    rd_kafka_error_t *error = rd_kafka_commit_transaction(old, KIT_LIMIT_MS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error); // it was fenced
    rd_kafka_error_destroy(error);
    CU_ASSERT_FALSE(bad(rd_kafka_commit_transaction(young, KIT_LIMIT_MS)));
    strcat(want, "young ");
    committed(topic, got, sizeof got);
    CU_ASSERT_STRING_EQUAL(got, want);
    rd_kafka_destroy(old);
    rd_kafka_destroy(young);
}
