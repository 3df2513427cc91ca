// SPDX-License-Identifier: Apache-2.0
// DescribeTopicPartitions (KIP-966): topics by name in the order of their names, in pages of so many partitions. The
// cursor says where a page begins; a page that does not reach the end says where the next one does.
// Tested by metadata_test.c.
#include <stdlib.h>

#include "api/authorized_operations.h"
#include "api/cluster_view.h"
#include "api/dispatch.h"
#include "api/node.h"
#include "config/config.h"
#include "controller/topic_names.h"
#include "protocol/messages/describe_topic_partitions.h"

struct paging {
    struct request *request;
    const struct describe_topic_partitions_request *body;
    struct describe_topic_partitions_response *response;
    struct cluster_view view;
    struct str *names; // sorted, each once, from the cursor's topic on
    int32_t count;
    int32_t left; // partitions that still fit the page
    bool is_all;
};

static int compare_names(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void take_name(struct paging *paging, struct str name)
{
    if (paging->body->cursor == NULL || str_compare(name, paging->body->cursor->topic_name) >= 0)
        paging->names[paging->count++] = name;
}

static void collect_names(struct paging *paging)
{
    size_t most = paging->is_all ? metadata_topics_count(paging->view.metadata)
                                 : (size_t)paging->body->topics_count;
    paging->names = arena_array(&paging->request->arena, struct str, most + 1);
    const struct metadata_topic *topic;
    for (size_t at = 0;
         paging->is_all && (topic = metadata_next_topic(paging->view.metadata, &at)) != NULL;)
        take_name(paging, (struct str){ topic->name, topic->name_size });
    for (int32_t i = 0; i < paging->body->topics_count; i++)
        take_name(paging, paging->body->topics[i].name);
    qsort(paging->names, (size_t)paging->count, sizeof *paging->names, compare_names);
    int32_t kept = 0;
    for (int32_t i = 0; i < paging->count; i++)
        if (i == 0 || !str_eq(paging->names[i], paging->names[kept - 1]))
            paging->names[kept++] = paging->names[i];
    paging->count = kept;
}

static void set_next(struct paging *paging, struct str topic_name, int32_t partition)
{
    struct describe_topic_partitions_response_cursor *cursor =
        arena_new(&paging->request->arena, struct describe_topic_partitions_response_cursor);
    message_init(&describe_topic_partitions_response_cursor_desc, cursor);
    cursor->topic_name = arena_str(&paging->request->arena, topic_name);
    cursor->partition_index = partition;
    paging->response->next_cursor = cursor;
}

static struct describe_topic_partitions_response_topic *
add_topic(struct paging *paging, enum kafka_error error, struct str name)
{
    struct describe_topic_partitions_response_topic *topic =
        &paging->response->topics[paging->response->topics_count++];
    message_init(&describe_topic_partitions_response_topic_desc, topic);
    topic->error_code = (int16_t)error;
    topic->name = arena_str(&paging->request->arena, name);
    topic->topic_authorized_operations = TOPIC_OPERATIONS_ALL;
    return topic;
}

static void fill_partition(const struct paging *paging, const struct metadata_partition *from,
                           int32_t index,
                           struct describe_topic_partitions_response_partition *partition)
{
    const struct cluster_view *view = &paging->view;
    struct view_ids replicas = view_ids(view, from->replicas, from->replicas_count);
    struct view_ids isr = view_ids(view, from->isr, from->isr_count);
    struct view_ids elr =
        view_ids(view, from->eligible_leader_replicas, from->eligible_leader_replicas_count);
    struct view_ids last_known = view_ids(view, from->last_known_elr, from->last_known_elr_count);
    struct view_ids offline = view_offline_replicas(view, from);
    message_init(&describe_topic_partitions_response_partition_desc, partition);
    partition->partition_index = index;
    partition->leader_id = view_leader(view, from);
    partition->leader_epoch = from->leader_epoch;
    partition->replica_nodes = replicas.items;
    partition->replica_nodes_count = replicas.count;
    partition->isr_nodes = isr.items;
    partition->isr_nodes_count = isr.count;
    partition->eligible_leader_replicas = elr.items;
    partition->eligible_leader_replicas_count = elr.count;
    partition->last_known_elr = last_known.items;
    partition->last_known_elr_count = last_known.count;
    partition->offline_replicas = offline.items;
    partition->offline_replicas_count = offline.count;
}

// False: the page ends in this topic.
static bool add_existing(struct paging *paging, const struct metadata_topic *from)
{
    struct str name = { from->name, from->name_size };
    const struct describe_topic_partitions_request_cursor *cursor = paging->body->cursor;
    int32_t first =
        cursor != NULL && str_eq(cursor->topic_name, name) ? cursor->partition_index : 0;
    int32_t end = from->partitions_count - first > paging->left ? first + paging->left
                                                                : from->partitions_count;
    struct describe_topic_partitions_response_topic *topic = add_topic(paging, KERR_NONE, name);
    topic->topic_id = from->id;
    topic->is_internal = from->is_internal;
    topic->partitions =
        arena_array(&paging->request->arena, struct describe_topic_partitions_response_partition,
                    end > first ? end - first + 1 : 1);
    for (int32_t i = first; i < end; i++)
        if (from->partitions[i].replicas != NULL)
            fill_partition(paging, &from->partitions[i], i,
                           &topic->partitions[topic->partitions_count++]);
    paging->left -= topic->partitions_count;
    if (end >= from->partitions_count)
        return true;
    set_next(paging, name, end);
    return false;
}

static void fill_page(struct paging *paging)
{
    collect_names(paging);
    paging->response->topics =
        arena_array(&paging->request->arena, struct describe_topic_partitions_response_topic,
                    paging->count + 1);
    for (int32_t i = 0; i < paging->count; i++) {
        if (paging->left <= 0) {
            set_next(paging, paging->names[i], 0);
            return;
        }
        const struct metadata_topic *topic =
            metadata_find_topic(paging->view.metadata, paging->names[i]);
        if (topic != NULL) {
            if (!add_existing(paging, topic))
                return;
        } else if (!paging->is_all) {
            const char *fault = topic_name_fault(paging->names[i], &paging->request->arena);
            add_topic(paging,
                      fault != NULL ? KERR_INVALID_TOPIC_EXCEPTION
                                    : KERR_UNKNOWN_TOPIC_OR_PARTITION,
                      paging->names[i]);
        }
    }
}

// The cursor's topic must be among those asked for, and its partition a number of one.
static bool is_cursor_valid(const struct describe_topic_partitions_request *body)
{
    const struct describe_topic_partitions_request_cursor *cursor = body->cursor;
    if (cursor == NULL)
        return true;
    bool is_named = body->topics_count == 0;
    for (int32_t i = 0; i < body->topics_count; i++)
        is_named = is_named || str_eq(body->topics[i].name, cursor->topic_name);
    return is_named && cursor->partition_index >= 0;
}

static void answer_invalid(struct request *request)
{
    const struct describe_topic_partitions_request *body = request->body;
    struct describe_topic_partitions_response *response = request->response;
    response->topics = arena_array(&request->arena, struct describe_topic_partitions_response_topic,
                                   body->topics_count + 1);
    for (int32_t i = 0; i < body->topics_count; i++) {
        struct describe_topic_partitions_response_topic *topic =
            &response->topics[response->topics_count++];
        message_init(&describe_topic_partitions_response_topic_desc, topic);
        topic->name = body->topics[i].name;
        topic->error_code = KERR_INVALID_REQUEST;
    }
}

void handle_describe_topic_partitions(struct request *request)
{
    struct paging paging = { .request = request,
                             .body = request->body,
                             .response = request->response };
    struct node *node = request->node;
    if (!is_cursor_valid(paging.body)) {
        answer_invalid(request);
        request_reply(request);
        return;
    }
    int32_t most = config_int(node->config, CONFIG_MAX_REQUEST_PARTITION_SIZE_LIMIT);
    int32_t asked = paging.body->response_partition_limit;
    paging.left = asked < most ? asked : most;
    if (paging.left < 1)
        paging.left = 1;
    paging.is_all = paging.body->topics_count == 0;
    metadata_lock_read(node->metadata);
    paging.view =
        (struct cluster_view){ node->metadata, request->client->listener_name, &request->arena };
    fill_page(&paging);
    metadata_unlock(node->metadata);
    request_reply(request);
}
