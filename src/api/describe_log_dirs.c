// SPDX-License-Identifier: Apache-2.0
// DescribeLogDirs, versions 1 to 5: what lies in each of log.dirs (KIP-113, KIP-827, KIP-1066), in their order.
//
//     topics     null: everything; else only the partitions that are named
//     size       of the .log files
//     lag        of a log: behind its high watermark, 0 for a leader; of a future: behind the log; -1 without a log
//     offline    KAFKA_STORAGE_ERROR, nothing else is known
#include <stdlib.h>

#include "api/dispatch.h"
#include "api/node.h"
#include "api/partition_set.h"
#include "log/log_dirs.h"
#include "log/partition_dir.h"
#include "metadata/feature_versions.h"
#include "metadata/metadata.h"
#include "protocol/messages/describe_log_dirs.h"
#include "protocol/registry.h"

struct wanted_partitions {
    struct partition_set set;
    bool is_all;
};

static void wanted_make(struct request *request, struct wanted_partitions *wanted)
{
    const struct describe_log_dirs_request *body = request->body;
    wanted->is_all = body->topics_count < 0;
    size_t most = 0, count = 0;
    for (int32_t t = 0; !wanted->is_all && t < body->topics_count; t++)
        most += (size_t)body->topics[t].partitions_count;
    struct partition_name *names = arena_array(&request->arena, struct partition_name, most);
    partition_set_init(&wanted->set, &request->arena,
                       most + 2); // never without slots: it is searched
    for (int32_t t = 0; !wanted->is_all && t < body->topics_count; t++) {
        const struct describe_log_dirs_request_describable_log_dir_topic *topic = &body->topics[t];
        uint64_t hash = partition_set_hash(&wanted->set, topic->topic, UUID_ZERO);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            names[count] = (struct partition_name){ topic->topic, UUID_ZERO, topic->partitions[p] };
            partition_set_add(&wanted->set, &names[count++], hash);
        }
    }
}

static bool is_wanted(struct wanted_partitions *wanted, struct str topic, int32_t partition)
{
    struct partition_name name = { topic, UUID_ZERO, partition };
    uint64_t hash = partition_set_hash(&wanted->set, topic, UUID_ZERO);
    return wanted->is_all || partition_set_has(&wanted->set, &name, hash);
}

static int64_t offset_lag(struct node *node, const struct log_dir_entry *entry, struct str topic,
                          int32_t partition)
{
    struct log *log = log_manager_find(node->logs, topic, partition);
    int64_t lag = -1, end = log_end_offset(entry->log);
    if (log != NULL && entry->is_future)
        lag = log_end_offset(log) - end;
    else if (log != NULL)
        lag = log_high_watermark(log) > end ? log_high_watermark(log) - end : 0;
    log_unref(log);
    return lag;
}

static int compare_names(const void *a, const void *b)
{
    const struct log_dir_entry *x = a, *y = b;
    return strcmp(log_name(x->log), log_name(y->log));
}

static void fill_topics(struct request *request, struct log_dir_entry *entries, size_t count,
                        struct wanted_partitions *wanted,
                        struct describe_log_dirs_response_describe_log_dirs_result *out)
{
    qsort(entries, count, sizeof *entries, compare_names);
    out->topics = arena_array(&request->arena,
                              struct describe_log_dirs_response_describe_log_dirs_topic, count);
    struct describe_log_dirs_response_describe_log_dirs_topic *topic = NULL;
    for (size_t i = 0; i < count; i++) {
        struct partition_dir name = partition_dir_parse(log_name(entries[i].log));
        if (!is_wanted(wanted, name.topic, name.partition))
            continue;
        if (topic == NULL || !str_eq(topic->name, name.topic)) {
            topic = &out->topics[out->topics_count++];
            message_init(&describe_log_dirs_response_describe_log_dirs_topic_desc, topic);
            topic->name = arena_str(&request->arena, name.topic);
            topic->partitions = arena_array(
                &request->arena, struct describe_log_dirs_response_describe_log_dirs_partition,
                count - i);
        }
        struct describe_log_dirs_response_describe_log_dirs_partition *partition =
            &topic->partitions[topic->partitions_count++];
        message_init(&describe_log_dirs_response_describe_log_dirs_partition_desc, partition);
        partition->partition_index = name.partition;
        partition->partition_size = log_size_bytes(entries[i].log);
        partition->offset_lag = offset_lag(request->node, &entries[i], name.topic, name.partition);
        partition->is_future_key = entries[i].is_future;
    }
}

void handle_describe_log_dirs(struct request *request)
{
    struct describe_log_dirs_response *response = request->response;
    struct node *node = request->node;
    struct wanted_partitions wanted;
    wanted_make(request, &wanted);
    metadata_lock_read(node->metadata);
    bool tells_cordoned =
        has_cordoned_log_dirs(metadata_feature_level(node->metadata, "metadata.version"));
    metadata_unlock(node->metadata);
    size_t count = log_dirs_count(node->logs);
    response->results = arena_array(
        &request->arena, struct describe_log_dirs_response_describe_log_dirs_result, count);
    response->results_count = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        struct describe_log_dirs_response_describe_log_dirs_result *result = &response->results[i];
        struct log_dir_state state = log_dirs_state(node->logs, i);
        message_init(&describe_log_dirs_response_describe_log_dirs_result_desc, result);
        result->log_dir = arena_strz(&request->arena, state.path);
        int64_t total = state.is_offline ? -1 : log_dirs_total_bytes(node->logs, i);
        int64_t usable = state.is_offline ? -1 : log_dirs_usable_bytes(node->logs, i);
        if (total < 0 || usable < 0) {
            result->error_code = KERR_KAFKA_STORAGE_ERROR;
            continue;
        }
        result->total_bytes = total;
        result->usable_bytes = usable;
        result->is_cordoned = tells_cordoned && state.is_cordoned;
        struct log_dir_entry *entries;
        size_t logs = log_dirs_list(node->logs, i, &entries);
        fill_topics(request, entries, logs, &wanted, result);
        log_dir_entries_free(entries, logs);
    }
    request_reply(request);
}
