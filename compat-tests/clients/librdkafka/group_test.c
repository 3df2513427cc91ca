// SPDX-License-Identifier: Apache-2.0
//
// Consumer groups: positions that outlive a consumer, and partitions shared among members.
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "kit.h"

static void subscribe(rd_kafka_t *consumer, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    CU_ASSERT_EQUAL_FATAL(rd_kafka_subscribe(consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
}

static int64_t committed(rd_kafka_t *consumer, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0);
    CU_ASSERT_EQUAL(rd_kafka_committed(consumer, list, KIT_LIMIT_MS), 0);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return offset;
}

void test_group_commit_resume(void)
{
    const char *topic = kit_topic("resume", 1);
    const char *settings[] = {"group.id", kit_name("resume-group"), "enable.auto.commit", "false",
                              "auto.offset.reset", "earliest", NULL};
    struct kit_message m;

    kit_fill(NULL, topic, 100, 10);
    rd_kafka_t *consumer = kit_consumer(settings);
    CU_ASSERT_EQUAL(committed(consumer, topic), RD_KAFKA_OFFSET_INVALID);
    subscribe(consumer, topic);
    for (int i = 0; i < 40; i++) {
        CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
        CU_ASSERT_EQUAL(m.offset, i);
        kit_message_free(&m);
    }
    CU_ASSERT_EQUAL(rd_kafka_commit(consumer, NULL, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(committed(consumer, topic), 40);
    kit_consumer_close(consumer);

    consumer = kit_consumer(settings);
    subscribe(consumer, topic);
    for (int i = 40; i < 100; i++) {
        CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
        CU_ASSERT_EQUAL(m.offset, i);
        kit_message_free(&m);
    }
    kit_consumer_close(consumer);
}

static int assigned(rd_kafka_t *consumer)
{
    rd_kafka_topic_partition_list_t *list;
    CU_ASSERT_EQUAL_FATAL(rd_kafka_assignment(consumer, &list), RD_KAFKA_RESP_ERR_NO_ERROR);
    int count = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}

// Polls all members until each has `want` partitions. There is nothing to consume.
static int settle(rd_kafka_t **members, int count, int want)
{
    for (int tries = 0; tries < KIT_LIMIT_MS / 50 / count; tries++) {
        int settled = 0;
        for (int i = 0; i < count; i++) {
            rd_kafka_message_t *m = rd_kafka_consumer_poll(members[i], 50);
            if (m != NULL)
                rd_kafka_message_destroy(m);
        }
        for (int i = 0; i < count; i++)
            settled += assigned(members[i]) == want;
        if (settled == count)
            return 0;
    }
    return -1;
}

static void check_balance(const char *strategy)
{
    char what[64];
    snprintf(what, sizeof what, "balance-%s", strategy);
    const char *topic = kit_topic(what, 6);
    snprintf(what, sizeof what, "group-%s", strategy);
    const char *settings[] = {"group.id", kit_name(what), "partition.assignment.strategy", strategy,
                              "session.timeout.ms", "6000", "heartbeat.interval.ms", "200", NULL};
    rd_kafka_t *members[3];

    for (int i = 0; i < 3; i++) {
        members[i] = kit_consumer(settings);
        subscribe(members[i], topic);
        CU_ASSERT_EQUAL_FATAL(settle(members, i + 1, 6 / (i + 1)), 0);
    }
    kit_consumer_close(members[2]);
    CU_ASSERT_EQUAL(settle(members, 2, 3), 0);
    kit_consumer_close(members[1]);
    CU_ASSERT_EQUAL(settle(members, 1, 6), 0);
    kit_consumer_close(members[0]);
}

void test_consumer_group_balance(void)
{
    check_balance("range");
    check_balance("roundrobin");
    check_balance("cooperative-sticky");
}

void test_offsets_watermarks(void)
{
    const char *topic = kit_topic("watermarks", 2);
    const char *settings[] = {"group.id", "unused", NULL};
    int64_t low, high;

    kit_fill(NULL, topic, 33, 10);
    rd_kafka_t *consumer = kit_consumer(settings);
    CU_ASSERT_EQUAL(rd_kafka_query_watermark_offsets(consumer, topic, 0, &low, &high, KIT_LIMIT_MS),
                    RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(low, 0);
    CU_ASSERT_EQUAL(high, 33);
    CU_ASSERT_EQUAL(rd_kafka_query_watermark_offsets(consumer, topic, 1, &low, &high, KIT_LIMIT_MS),
                    RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(low, 0);
    CU_ASSERT_EQUAL(high, 0);
    // From the end, relative to it, and a position outside, which resets.
    struct kit_message m;
    kit_assign(consumer, topic, 0, RD_KAFKA_OFFSET_TAIL(3));
    CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
    CU_ASSERT_EQUAL(m.offset, 30);
    kit_message_free(&m);
    kit_consumer_close(consumer);

    const char *reset[] = {"group.id", "unused", "auto.offset.reset", "earliest", NULL};
    consumer = kit_consumer(reset);
    kit_assign(consumer, topic, 0, 5000);
    CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
    CU_ASSERT_EQUAL(m.offset, 0);
    kit_message_free(&m);
    kit_consumer_close(consumer);
}
