// SPDX-License-Identifier: Apache-2.0
// DeleteRecords, versions 0 to 2: moves the log start of partitions forward (KIP-107), to an offset or, for -1, to the
// high watermark. The answer tells where each begins now, its low watermark.
//
// As in Kafka each partition is answered once, below its topic, which is named once: of one that the request names
// twice the later offset counts, and a topic without partitions is not answered. With this broker as the only replica
// the low watermark is the log start, so nothing waits and timeout_ms has no meaning.
#include "api/dispatch.h"
#include "api/node.h"
#include "api/partition_set.h"
#include "protocol/messages/delete_records.h"
#include "replica/replicas.h"

struct delete_records_item {
    struct partition_name name;
    int64_t offset;
    struct partition *partition; // counted, or NULL
    struct delete_records_topic *topic;
};

struct delete_records_topic {
    struct partition_name name; // index -1
    int32_t count;
    struct delete_records_response_delete_records_topic_result *answer;
};

struct delete_records_plan {
    struct delete_records_topic *topics;
    struct delete_records_item *items;
    int32_t topics_count, items_count;
};

static struct delete_records_topic *find_topic(struct delete_records_plan *plan,
                                               struct partition_set *named, struct str name,
                                               uint64_t hash)
{
    struct delete_records_topic *topic = &plan->topics[plan->topics_count];
    topic->name = (struct partition_name){ name, UUID_ZERO, -1 };
    const struct partition_name *same = partition_set_add(named, &topic->name, hash);
    if (same != NULL)
        return container_of((struct partition_name *)(uintptr_t)same, struct delete_records_topic,
                            name);
    plan->topics_count++;
    return topic;
}

static void plan_make(struct request *request, struct delete_records_plan *plan)
{
    const struct delete_records_request *body = request->body;
    struct replicas *replicas = request->node->replicas;
    size_t most = 0;
    for (int32_t t = 0; t < body->topics_count; t++)
        most += (size_t)body->topics[t].partitions_count;
    plan->items = arena_array(&request->arena, struct delete_records_item, most);
    plan->topics = arena_array(&request->arena, struct delete_records_topic, body->topics_count);
    struct partition_set named_topics, named;
    partition_set_init(&named_topics, &request->arena, (size_t)body->topics_count);
    partition_set_init(&named, &request->arena, most);
    for (int32_t t = 0; t < body->topics_count; t++) {
        const struct delete_records_request_delete_records_topic *asked = &body->topics[t];
        if (asked->partitions_count == 0)
            continue;
        uint64_t hash = partition_set_hash(&named, asked->name, UUID_ZERO);
        struct delete_records_topic *topic =
            find_topic(plan, &named_topics, asked->name,
                       partition_set_hash(&named_topics, asked->name, UUID_ZERO));
        replicas_lock_read(replicas);
        const struct replica_topic *mine = replicas_find_topic(replicas, asked->name);
        for (int32_t p = 0; p < asked->partitions_count; p++) {
            struct delete_records_item *item = &plan->items[plan->items_count];
            int32_t index = asked->partitions[p].partition_index;
            item->name = (struct partition_name){ asked->name, UUID_ZERO, index };
            const struct partition_name *same = partition_set_add(&named, &item->name, hash);
            if (same != NULL) {
                item = container_of((struct partition_name *)(uintptr_t)same,
                                    struct delete_records_item, name);
                item->offset = asked->partitions[p].offset;
                continue;
            }
            plan->items_count++;
            topic->count++;
            item->topic = topic;
            item->offset = asked->partitions[p].offset;
            item->partition = replica_topic_partition(mine, index);
            if (item->partition != NULL)
                partition_ref(item->partition);
        }
        replicas_unlock(replicas);
    }
}

// A partition that is in the metadata but not here yet: whether its topic is internal is asked first, as in Kafka.
static enum kafka_error why_not_found(struct request *request, const struct partition_name *name)
{
    struct replicas *replicas = request->node->replicas;
    enum kafka_error error = replicas_why_not_found(replicas, name->topic, name->index);
    return error == KERR_NOT_LEADER_OR_FOLLOWER &&
                   replicas_is_internal(replicas, name->topic, UUID_ZERO)
               ? KERR_INVALID_TOPIC_EXCEPTION
               : error;
}

static enum kafka_error delete_records(struct request *request,
                                       const struct delete_records_item *item,
                                       int64_t *low_watermark)
{
    *low_watermark = -1;
    if (item->partition == NULL)
        return why_not_found(request, &item->name);
    if (item->partition->is_internal)
        return KERR_INVALID_TOPIC_EXCEPTION;
    return partition_delete_records(item->partition, item->offset, low_watermark);
}

void handle_delete_records(struct request *request);

void handle_delete_records(struct request *request)
{
    struct delete_records_response *response = request->response;
    struct arena *arena = &request->arena;
    struct delete_records_plan plan = { .topics_count = 0 };
    plan_make(request, &plan);
    response->topics = arena_array(
        arena, struct delete_records_response_delete_records_topic_result, plan.topics_count);
    response->topics_count = plan.topics_count;
    for (int32_t t = 0; t < plan.topics_count; t++) {
        struct delete_records_topic *topic = &plan.topics[t];
        topic->answer = &response->topics[t];
        topic->answer->name = topic->name.topic;
        topic->answer->partitions = arena_array(
            arena, struct delete_records_response_delete_records_partition_result, topic->count);
    }
    for (int32_t i = 0; i < plan.items_count; i++) {
        struct delete_records_item *item = &plan.items[i];
        struct delete_records_response_delete_records_topic_result *topic = item->topic->answer;
        int64_t low_watermark;
        enum kafka_error error = delete_records(request, item, &low_watermark);
        topic->partitions[topic->partitions_count++] =
            (struct delete_records_response_delete_records_partition_result){
                .partition_index = item->name.index,
                .low_watermark = low_watermark,
                .error_code = (int16_t)error,
            };
        partition_unref(item->partition);
    }
    request_reply(request);
}
