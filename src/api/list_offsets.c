// SPDX-License-Identifier: Apache-2.0
// ListOffsets, versions 1 to 11: where a partition begins and ends, and where a time is in it.
//
//     timestamp  since  answer (offset, timestamp -1 unless said)
//     >= 0       1      the first record at or after it, with its timestamp; -1 when there is none
//     -1         1      latest: the first offset that the reader may not see yet
//     -2         1      earliest
//     -3         7      the record with the largest timestamp, with it (KIP-734); -1 in an empty partition
//     -4         8      earliest on this broker's disk: the same, as there is no tiered storage (KIP-405)
//     -5         9      latest in tiered storage (KIP-1005): -1
//     -6         11     earliest that waits for upload (KIP-1023): -1
//     others, and those of a later version: UNSUPPORTED_VERSION
//
// A partition that is named twice is answered once, with INVALID_REQUEST. As there is no tiered storage nothing waits,
// and timeout_ms has no meaning.
#include "api/dispatch.h"
#include "api/node.h"
#include "api/partition_set.h"
#include "protocol/messages/list_offsets.h"
#include "replica/replicas.h"

enum {
    LATEST = -1,
    EARLIEST = -2,
    MAX_TIMESTAMP = -3,
    EARLIEST_LOCAL = -4,
    LATEST_TIERED = -5,
    EARLIEST_PENDING_UPLOAD = -6,
    CONSUMER_REPLICA_ID = -1,
    DEBUGGING_REPLICA_ID = -2,
};

struct list_offsets_item {
    struct partition_name name;
    const struct list_offsets_request_list_offsets_partition *asked;
    struct list_offsets_response_list_offsets_partition_response *answer;
    struct partition *partition; // counted, or NULL
    bool is_duplicate;
};

static bool is_supported(int64_t timestamp, int16_t version)
{
    static const int16_t since[] = {
        [-LATEST] = 1,         [-EARLIEST] = 1,      [-MAX_TIMESTAMP] = 7,
        [-EARLIEST_LOCAL] = 8, [-LATEST_TIERED] = 9, [-EARLIEST_PENDING_UPLOAD] = 11,
    };
    return timestamp >= 0 || (timestamp >= EARLIEST_PENDING_UPLOAD && version >= since[-timestamp]);
}

static enum kafka_error answer(struct request *request, const struct list_offsets_item *item,
                               struct log_timestamp_offset *found)
{
    const struct list_offsets_request *body = request->body;
    if (item->is_duplicate)
        return KERR_INVALID_REQUEST;
    if (!is_supported(item->asked->timestamp, request->api_version))
        return KERR_UNSUPPORTED_VERSION;
    // Kafka's exception, when it asks what this level is.
    if (body->isolation_level < 0 || body->isolation_level > 1)
        return KERR_UNKNOWN_SERVER_ERROR;
    if (item->partition == NULL)
        return replicas_why_not_found(request->node->replicas, item->name.topic, item->name.index);
    enum partition_time_query query = PARTITION_AT_TIME;
    switch (item->asked->timestamp) {
    case LATEST:
        query = PARTITION_LATEST;
        break;
    case EARLIEST:
    case EARLIEST_LOCAL:
        query = PARTITION_EARLIEST;
        break;
    case MAX_TIMESTAMP:
        query = PARTITION_MAX_TIMESTAMP;
        break;
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
        query = PARTITION_NOWHERE;
        break;
    default:
        break;
    }
    enum kafka_error error = partition_offset_for_time(
        item->partition, query, item->asked->timestamp, body->replica_id == CONSUMER_REPLICA_ID,
        body->isolation_level == 1 ? READ_COMMITTED : READ_UNCOMMITTED,
        item->asked->current_leader_epoch, body->replica_id != DEBUGGING_REPLICA_ID, found);
    // Older clients do not know that error; both make them try again.
    if (error == KERR_OFFSET_NOT_AVAILABLE && request->api_version < 5)
        error = KERR_LEADER_NOT_AVAILABLE;
    return error;
}

// Finds the partitions and lays out the reply. Topics without partitions are not in it.
static int32_t items_make(struct request *request, struct list_offsets_item *items, size_t most)
{
    const struct list_offsets_request *body = request->body;
    struct list_offsets_response *response = request->response;
    struct replicas *replicas = request->node->replicas;
    int32_t count = 0;
    struct partition_set named;
    partition_set_init(&named, &request->arena, most);
    response->topics =
        arena_array(&request->arena, struct list_offsets_response_list_offsets_topic_response,
                    body->topics_count);
    for (int32_t t = 0; t < body->topics_count; t++) {
        const struct list_offsets_request_list_offsets_topic *topic = &body->topics[t];
        struct list_offsets_response_list_offsets_topic_response *out =
            &response->topics[response->topics_count];
        out->name = topic->name;
        out->partitions = arena_array(&request->arena,
                                      struct list_offsets_response_list_offsets_partition_response,
                                      topic->partitions_count);
        uint64_t hash = partition_set_hash(&named, topic->name, UUID_ZERO);
        replicas_lock_read(replicas);
        const struct replica_topic *found = replicas_find_topic(replicas, topic->name);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            struct list_offsets_item *item = &items[count];
            *item = (struct list_offsets_item){
                .name = { topic->name, UUID_ZERO, topic->partitions[p].partition_index },
                .asked = &topic->partitions[p],
            };
            const struct partition_name *same = partition_set_add(&named, &item->name, hash);
            if (same != NULL) {
                container_of((struct partition_name *)(uintptr_t)same, struct list_offsets_item,
                             name)
                    ->is_duplicate = true;
                continue;
            }
            item->answer = &out->partitions[out->partitions_count++];
            struct partition *partition = replica_topic_partition(found, item->name.index);
            if (partition != NULL)
                item->partition = partition_ref(partition);
            count++;
        }
        replicas_unlock(replicas);
        response->topics_count += out->partitions_count > 0;
    }
    return count;
}

void handle_list_offsets(struct request *request);

void handle_list_offsets(struct request *request)
{
    const struct list_offsets_request *body = request->body;
    size_t most = 0;
    for (int32_t t = 0; t < body->topics_count; t++)
        most += (size_t)body->topics[t].partitions_count;
    struct list_offsets_item *items =
        arena_array(&request->arena, struct list_offsets_item, most + 1);
    int32_t count = items_make(request, items, most);
    for (int32_t i = 0; i < count; i++) {
        struct log_timestamp_offset found = { -1, -1, -1 };
        enum kafka_error error = answer(request, &items[i], &found);
        *items[i].answer = (struct list_offsets_response_list_offsets_partition_response){
            .partition_index = items[i].name.index,
            .error_code = (int16_t)error,
            .timestamp = error == KERR_NONE ? found.timestamp : -1,
            .offset = error == KERR_NONE ? found.offset : -1,
            .leader_epoch =
                error == KERR_NONE && request->api_version >= 4 ? found.leader_epoch : -1,
        };
        partition_unref(items[i].partition);
    }
    request_reply(request);
}
