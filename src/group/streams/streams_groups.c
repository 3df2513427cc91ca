// SPDX-License-Identifier: Apache-2.0
// The entry points: checks, the shard, and the answer when it is committed.
// Tested by group/streams/streams_group_test.c and compat-tests/twin/streams.
#include "group/streams/streams_groups.h"

#include "group/streams/streams_beat.h"
#include "group/streams/streams_describe.h"

static struct coordinator_shard *shard_of(struct group_coordinator *groups, struct str id)
{
    struct coordinator *engine = group_coordinator_engine(groups);
    return coordinator_shard_at(engine, coordinator_partition_for(engine, id));
}

static void finish(struct completion *completion)
{
    completion->complete(completion);
}

// ---- internal topics -------------------------------------------------------------------------------

// In the order of Java's HashMap by key.
static void copy_configs(const struct streams_topic_info *info,
                         struct create_topics_request_creatable_topic *out, struct arena *arena)
{
    int32_t count = info->topic_configs_count;
    const size_t *order = streams_configs_order(info, arena);
    out->configs = message_array(&create_topics_request_creatable_topic_config_desc, arena, count);
    out->configs_count = count;
    for (int32_t i = 0; i < count; i++) {
        out->configs[i].name = arena_str(arena, info->topic_configs[order[i]].key);
        out->configs[i].value = arena_str(arena, info->topic_configs[order[i]].value);
    }
}

void streams_new_topics_of(const struct streams_configured *configured,
                           struct streams_new_topics *topics, struct arena *arena)
{
    topics->count = configured->missing_count;
    topics->items =
        message_array(&create_topics_request_creatable_topic_desc, arena, topics->count);
    for (int32_t i = 0; i < topics->count; i++) {
        const struct streams_internal_topic *from = &configured->missing[i];
        struct create_topics_request_creatable_topic *out = &topics->items[i];
        int16_t replication_factor = from->info->replication_factor;
        out->name = arena_str(arena, from->name);
        out->num_partitions = from->partitions;
        out->replication_factor = replication_factor != 0 ? replication_factor : -1;
        copy_configs(from->info, out, arena);
    }
}

// ---- heartbeat -------------------------------------------------------------------------------------

struct beat_wait {
    struct coordinator_wait wait;
    struct streams_group_heartbeat_response *response;
    struct streams_new_topics *topics;
    struct completion *completion;
};

static bool is_blank(struct str s)
{
    return !str_is_null(s) && str_trim(s).size == 0;
}

static const char *check_features(const struct streams_group_heartbeat_request *request)
{
    if (!str_is_null(request->instance_id))
        return "Static membership is not yet supported.";
    if (request->task_offsets_count >= 0)
        return "TaskOffsets are not supported yet.";
    if (request->task_end_offsets_count >= 0)
        return "TaskEndOffsets are not supported yet.";
    if (request->warmup_tasks_count > 0)
        return "WarmupTasks are not supported yet.";
    for (int32_t i = 0; request->topology != NULL && i < request->topology->subtopologies_count;
         i++)
        if (request->topology->subtopologies[i].source_topic_regex_count > 0)
            return "Regular expressions for source topics are not supported yet.";
    return NULL;
}

static const char *check_join(const struct streams_group_heartbeat_request *request)
{
    if (request->rebalance_timeout_ms == -1)
        return "RebalanceTimeoutMs must be provided in first request.";
    if (request->active_tasks_count != 0)
        return "ActiveTasks must be empty when (re-)joining.";
    if (request->standby_tasks_count != 0)
        return "StandbyTasks must be empty when (re-)joining.";
    if (request->warmup_tasks_count != 0)
        return "WarmupTasks must be empty when (re-)joining.";
    if (request->topology == NULL)
        return "Topology must be non-null when (re-)joining.";
    return NULL;
}

static const char *check_changelogs(const struct streams_group_heartbeat_request *request,
                                    struct arena *arena)
{
    for (int32_t i = 0; i < request->topology->subtopologies_count; i++) {
        const struct streams_group_heartbeat_request_subtopology *at =
            &request->topology->subtopologies[i];
        for (int32_t t = 0; t < at->state_changelog_topics_count; t++)
            if (at->state_changelog_topics[t].partitions != 0)
                return arena_printf(arena,
                                    "Changelog topic %.*s must have an undefined partition count, "
                                    "but it is set to %d.",
                                    STR_ARG(at->state_changelog_topics[t].name),
                                    at->state_changelog_topics[t].partitions);
    }
    return NULL;
}

static const char *check_tasks(const struct streams_group_heartbeat_request *request)
{
    int given = (request->active_tasks_count >= 0) + (request->standby_tasks_count >= 0) +
                (request->warmup_tasks_count >= 0);
    if (given != 0 && given != 3)
        return "If one task-type is non-null, all must be non-null.";
    if (request->member_epoch != 0 && request->topology != NULL)
        return "Topology can only be provided when (re-)joining.";
    return NULL;
}

// What is wrong with it, or NULL.
static const char *check(const struct streams_group_heartbeat_request *request,
                         enum kafka_error *error, struct arena *arena)
{
    *error = KERR_INVALID_REQUEST;
    const char *wrong = check_features(request);
    if (wrong != NULL)
        return wrong;
    if (is_blank(request->member_id))
        return "MemberId can't be empty.";
    if (is_blank(request->group_id))
        return "GroupId can't be empty.";
    if (is_blank(request->rack_id))
        return "RackId can't be empty.";
    if (request->member_epoch == 0) {
        wrong = check_join(request);
        if (wrong != NULL)
            return wrong;
        wrong = check_changelogs(request, arena);
        if (wrong != NULL) {
            *error = KERR_STREAMS_INVALID_TOPOLOGY;
            return wrong;
        }
    } else if (request->member_epoch == -2) { // instance ids were refused above
        return "InstanceId can't be null.";
    } else if (request->member_epoch < -2) {
        return arena_printf(arena, "MemberEpoch is %d, but must be greater than or equal to -2.",
                            request->member_epoch);
    }
    return check_tasks(request);
}

static void on_beat_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct beat_wait *beat = container_of(wait, struct beat_wait, wait);
    if (error != KERR_NONE) {
        message_init(&streams_group_heartbeat_response_desc, beat->response);
        beat->response->error_code = (int16_t)error;
        *beat->topics = (struct streams_new_topics){ 0 };
    }
    coordinator_complete(wait->shard, beat->completion);
}

void streams_groups_heartbeat(struct group_coordinator *groups,
                              const struct streams_group_heartbeat_request *request,
                              const struct group_client *client,
                              struct streams_group_heartbeat_response *response,
                              struct streams_new_topics *topics, struct arena *arena,
                              struct completion *completion)
{
    enum kafka_error error;
    *topics = (struct streams_new_topics){ 0 };
    const char *wrong = check(request, &error, arena);
    if (wrong != NULL) {
        response->error_code = (int16_t)error;
        response->error_message = str_of(wrong);
        finish(completion);
        return;
    }
    struct coordinator_shard *shard = shard_of(groups, request->group_id);
    struct group_shard *state = coordinator_enter(shard, &error);
    if (state == NULL) {
        response->error_code = (int16_t)error;
        finish(completion);
        return;
    }
    struct beat_wait *wait = arena_new(arena, struct beat_wait);
    wait->response = response;
    wait->topics = topics;
    wait->completion = completion;
    streams_beat(state, request, str_is_null(client->client_id) ? str_of("") : client->client_id,
                 group_java_address(client->host, arena), response, topics, arena);
    coordinator_await_commit(shard, &wait->wait, on_beat_committed);
    coordinator_exit(shard);
}

// ---- describe --------------------------------------------------------------------------------------

struct describe_wait {
    struct coordinator_wait wait;
    struct streams_group_describe_response_described_group *out;
    struct completion *completion;
};

static void on_described(struct coordinator_wait *wait, enum kafka_error error)
{
    struct describe_wait *describe = container_of(wait, struct describe_wait, wait);
    if (error != KERR_NONE) {
        struct str id = describe->out->group_id;
        message_init(&streams_group_describe_response_described_group_desc, describe->out);
        describe->out->group_id = id;
        describe->out->error_code = (int16_t)error;
    }
    coordinator_complete(wait->shard, describe->completion);
}

void streams_groups_describe(struct group_coordinator *groups, struct str group_id,
                             struct streams_group_describe_response_described_group *out,
                             struct arena *arena, struct completion *completion)
{
    enum kafka_error error = KERR_INVALID_GROUP_ID;
    struct coordinator_shard *shard = shard_of(groups, group_id);
    struct group_shard *state = group_id.size > 0 ? coordinator_enter(shard, &error) : NULL;
    out->group_id = group_id;
    if (state == NULL) {
        out->error_code = (int16_t)error;
        finish(completion);
        return;
    }
    streams_describe(state, group_id, out, arena);
    struct describe_wait *wait = arena_new(arena, struct describe_wait);
    wait->out = out;
    wait->completion = completion;
    coordinator_await_commit(shard, &wait->wait, on_described);
    coordinator_exit(shard);
}
