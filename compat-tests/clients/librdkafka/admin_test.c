// SPDX-License-Identifier: Apache-2.0
//
// The admin calls that librdkafka has, each with an error that a broker must tell apart.
#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "kit.h"

static rd_kafka_t *admin;
static rd_kafka_queue_t *queue;

static void admin_begin(void)
{
    admin = kit_producer(NULL);
    queue = rd_kafka_queue_new(admin);
}

static void admin_end(void)
{
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(admin);
}

// The answer to the one request on its way; the request as a whole must have worked.
static rd_kafka_event_t *answer(void)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, KIT_LIMIT_MS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_EQUAL_FATAL(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    return event;
}

static rd_kafka_resp_err_t create(const char *name, int partitions, int replicas,
                                  const char *setting, const char *value)
{
    char why[512];
    size_t count;
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, replicas, why, sizeof why);

    if (setting != NULL)
        rd_kafka_NewTopic_set_config(topic, setting, value);
    rd_kafka_CreateTopics(admin, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = answer();
    rd_kafka_resp_err_t err = rd_kafka_topic_result_error(
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)[0]);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    return err;
}

static rd_kafka_resp_err_t delete(const char *name)
{
    size_t count;
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);

    rd_kafka_DeleteTopics(admin, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = answer();
    rd_kafka_resp_err_t err = rd_kafka_topic_result_error(
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count)[0]);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy(topic);
    return err;
}

// The partitions of a topic as Metadata for all topics tells them; -1 when it is not there.
static int partitions_of(const char *name)
{
    const struct rd_kafka_metadata *metadata;
    int found = -1;

    CU_ASSERT_EQUAL_FATAL(rd_kafka_metadata(admin, 1, NULL, &metadata, KIT_LIMIT_MS), 0);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        if (strcmp(topic->topic, name) != 0)
            continue;
        found = topic->partition_cnt;
        for (int p = 0; p < topic->partition_cnt; p++) {
            CU_ASSERT_EQUAL(topic->partitions[p].leader, 1);
            CU_ASSERT_EQUAL(topic->partitions[p].replica_cnt, 1);
            CU_ASSERT_EQUAL(topic->partitions[p].isr_cnt, 1);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

// A write is answered when the metadata log has it; a broker's reads show it once the broker has
// replayed that, a moment later. So the wanted answer is waited for.
static int partitions_become(const char *name, int want)
{
    for (int tries = 0; tries < KIT_LIMIT_MS / 10 && partitions_of(name) != want; tries++)
        usleep(10000);
    return partitions_of(name);
}

void test_admin_topics(void)
{
    const char *name = kit_name("admin");

    admin_begin();
    CU_ASSERT_EQUAL(create(name, 4, 1, NULL, NULL), RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(partitions_become(name, 4), 4);
    CU_ASSERT_EQUAL(create(name, 4, 1, NULL, NULL), RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
    CU_ASSERT_EQUAL(create("bad name!", 1, 1, NULL, NULL), RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
    CU_ASSERT_EQUAL(create(kit_name("rf"), 1, 2, NULL, NULL),
                    RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR);
    CU_ASSERT_EQUAL(create(kit_name("cfg"), 1, 1, "retention.ms", "soon"),
                    RD_KAFKA_RESP_ERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(create(kit_name("cfg"), 1, 1, "no.such.key", "1"),
                    RD_KAFKA_RESP_ERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(delete(name), RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(partitions_become(name, -1), -1);
    CU_ASSERT_EQUAL(delete(name), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    // The name is free again, and what was in the old topic is not in the new one.
    CU_ASSERT_EQUAL(create(name, 1, 1, NULL, NULL), RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(partitions_become(name, 1), 1);
    admin_end();
    kit_fill(NULL, name, 5, 5);
    CU_ASSERT_EQUAL(kit_check_filled(name, 0, 5, 5), 5);
}

static rd_kafka_resp_err_t grow(const char *name, size_t total)
{
    char why[512];
    size_t count;
    rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(name, total, why, sizeof why);

    rd_kafka_CreatePartitions(admin, &more, 1, NULL, queue);
    rd_kafka_event_t *event = answer();
    rd_kafka_resp_err_t err = rd_kafka_topic_result_error(rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event), &count)[0]);
    rd_kafka_event_destroy(event);
    rd_kafka_NewPartitions_destroy(more);
    return err;
}

void test_admin_create_partitions(void)
{
    const char *name = kit_topic("grow", 2);

    admin_begin();
    CU_ASSERT_EQUAL(grow(name, 5), RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(partitions_become(name, 5), 5);
    CU_ASSERT_EQUAL(grow(name, 3), RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
    CU_ASSERT_EQUAL(grow(name, 5), RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
    CU_ASSERT_EQUAL(grow(kit_name("none"), 3), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    admin_end();
}

// Copies a topic's config value (freed by the caller) and whether it is the default.
static char *config_get(const char *topic, const char *key, int *is_default)
{
    size_t count;
    char *found = NULL;
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

    rd_kafka_DescribeConfigs(admin, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = answer();
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT_EQUAL_FATAL(rd_kafka_ConfigResource_error(resources[0]), 0);
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), key) == 0) {
            found = strdup(rd_kafka_ConfigEntry_value(entries[i]));
            *is_default = rd_kafka_ConfigEntry_is_default(entries[i]);
        }
    }
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    return found;
}

static rd_kafka_resp_err_t config_set(const char *topic, const char *key, const char *value)
{
    size_t count;
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

    if (key != NULL)
        rd_kafka_ConfigResource_set_config(resource, key, value);
    rd_kafka_AlterConfigs(admin, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = answer();
    rd_kafka_resp_err_t err =
        rd_kafka_ConfigResource_error(rd_kafka_AlterConfigs_result_resources(
            rd_kafka_event_AlterConfigs_result(event), &count)[0]);
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    return err;
}

// The value must become `want`, and be the default's or not.
static void config_becomes(const char *topic, const char *key, const char *want, int want_default)
{
    int is_default = 0;
    char *value = config_get(topic, key, &is_default);

    for (int tries = 0; tries < KIT_LIMIT_MS / 10; tries++) {
        if (value != NULL && strcmp(value, want) == 0)
            break;
        free(value);
        usleep(10000);
        value = config_get(topic, key, &is_default);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    CU_ASSERT_STRING_EQUAL(value, want);
    CU_ASSERT_EQUAL(is_default, want_default);
    free(value);
}

void test_admin_configs(void)
{
    const char *topic = kit_topic("configs", 1);

    admin_begin();
    config_becomes(topic, "retention.ms", "604800000", 1);
    CU_ASSERT_EQUAL(config_set(topic, "retention.ms", "12345"), RD_KAFKA_RESP_ERR_NO_ERROR);
    config_becomes(topic, "retention.ms", "12345", 0);
    CU_ASSERT_EQUAL(config_set(topic, "retention.ms", "soon"), RD_KAFKA_RESP_ERR_INVALID_CONFIG);
    CU_ASSERT_EQUAL(config_set(topic, "cleanup.policy", "burn"), RD_KAFKA_RESP_ERR_INVALID_CONFIG);
    // AlterConfigs sets the whole: what is not named goes back to its default.
    CU_ASSERT_EQUAL(config_set(topic, "cleanup.policy", "compact"), RD_KAFKA_RESP_ERR_NO_ERROR);
    config_becomes(topic, "retention.ms", "604800000", 1);
    config_becomes(topic, "cleanup.policy", "compact", 0);
    CU_ASSERT_EQUAL(config_set(kit_name("none"), "retention.ms", "1"),
                    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    admin_end();
}

static int group_listed(const char *group)
{
    size_t count;
    int found = 0;

    rd_kafka_ListConsumerGroups(admin, NULL, queue);
    rd_kafka_event_t *event = answer();
    const rd_kafka_ConsumerGroupListing_t **groups = rd_kafka_ListConsumerGroups_result_valid(
        rd_kafka_event_ListConsumerGroups_result(event), &count);
    for (size_t i = 0; i < count; i++)
        found |= strcmp(rd_kafka_ConsumerGroupListing_group_id(groups[i]), group) == 0;
    rd_kafka_event_destroy(event);
    return found;
}

// The group's state; `members` gets their count.
static rd_kafka_consumer_group_state_t group_state(const char *group, size_t *members)
{
    size_t count;

    rd_kafka_DescribeConsumerGroups(admin, &group, 1, NULL, queue);
    rd_kafka_event_t *event = answer();
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    rd_kafka_consumer_group_state_t state = rd_kafka_ConsumerGroupDescription_state(groups[0]);
    *members = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
    if (*members == 1) {
        const rd_kafka_MemberDescription_t *member =
            rd_kafka_ConsumerGroupDescription_member(groups[0], 0);
        CU_ASSERT_STRING_EQUAL(rd_kafka_MemberDescription_client_id(member), "librdkafka-suite");
        CU_ASSERT_STRING_EQUAL(rd_kafka_MemberDescription_host(member), "/127.0.0.1");
        CU_ASSERT_EQUAL(rd_kafka_MemberAssignment_partitions(
                            rd_kafka_MemberDescription_assignment(member))->cnt, 1);
    }
    rd_kafka_event_destroy(event);
    return state;
}

static rd_kafka_resp_err_t group_delete(const char *group)
{
    size_t count;
    rd_kafka_DeleteGroup_t *delete_group = rd_kafka_DeleteGroup_new(group);

    rd_kafka_DeleteGroups(admin, &delete_group, 1, NULL, queue);
    rd_kafka_event_t *event = answer();
    const rd_kafka_error_t *error = rd_kafka_group_result_error(
        rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count)[0]);
    rd_kafka_resp_err_t err = error != NULL ? rd_kafka_error_code(error) : 0;
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteGroup_destroy(delete_group);
    return err;
}

void test_admin_groups(void)
{
    const char *topic = kit_topic("groups", 1);
    const char *group = kit_name("group");
    const char *settings[] = {"group.id", group, "auto.offset.reset", "earliest", "client.id",
                              "librdkafka-suite", "enable.auto.commit", "false", NULL};
    size_t members;
    struct kit_message m;

    kit_fill(NULL, topic, 1, 1);
    rd_kafka_t *consumer = kit_consumer(settings);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    CU_ASSERT_EQUAL_FATAL(kit_next(consumer, &m), 0);
    kit_message_free(&m);
    CU_ASSERT_EQUAL(rd_kafka_commit(consumer, NULL, 0), RD_KAFKA_RESP_ERR_NO_ERROR);

    admin_begin();
    CU_ASSERT_EQUAL(group_listed(group), 1);
    CU_ASSERT_EQUAL(group_state(group, &members), RD_KAFKA_CONSUMER_GROUP_STATE_STABLE);
    CU_ASSERT_EQUAL(members, 1);
    CU_ASSERT_EQUAL(group_delete(group), RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP);
    kit_consumer_close(consumer);
    CU_ASSERT_EQUAL(group_state(group, &members), RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY);
    CU_ASSERT_EQUAL(members, 0);
    CU_ASSERT_EQUAL(group_delete(group), RD_KAFKA_RESP_ERR_NO_ERROR);
    CU_ASSERT_EQUAL(group_listed(group), 0);
    CU_ASSERT_EQUAL(group_state(group, &members), RD_KAFKA_CONSUMER_GROUP_STATE_DEAD);
    CU_ASSERT_EQUAL(group_delete(group), RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND);
    admin_end();
}
