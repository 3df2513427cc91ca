// SPDX-License-Identifier: Apache-2.0
// The entry points. Each checks what needs no state, enters the shard of the group, lets the folder's other
// units decide, and answers: at once, when what was written is committed, or when the group is ready.
#include "group/group_coordinator.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "group/classic_join.h"
#include "group/classic_leave.h"
#include "group/classic_sync.h"
#include "group/consumer/consumer_heartbeat.h"
#include "group/group_admin.h"
#include "group/group_commit.h"
#include "group/group_coordinator_private.h"
#include "group/group_expiry.h"
#include "metadata/metadata.h"

const struct group_config group_config_defaults = {
    .min_session_timeout_ms = 6000,
    .max_session_timeout_ms = 1800000,
    .max_size = INT32_MAX,
    .initial_rebalance_delay_ms = 3000,
    .offset_metadata_max_bytes = 4096,
    .offsets_retention_ms = INT64_C(10080) * 60 * 1000,
    .retention_check_interval_ms = 600000,
    .commit_timeout_ms = 5000,
    .load_buffer_bytes = 5242880,
    .consumer_max_size = INT32_MAX,
    .regex_refresh_interval_ms = 600000,
    .consumer_assignors = { "uniform", "range" },
    .share_max_size = 200,
    .share_initialize_retry_ms = 30000,
    .streams_max_size = INT32_MAX,
    .can_upgrade = true,
    .can_downgrade = true,
};

struct group_coordinator *group_coordinator_new(const struct group_coordinator_options *options)
{
    struct group_coordinator *groups = mem_new(struct group_coordinator);
    groups->context = (struct group_context){
        .config = options->config,
        .topics = topic_index_new(),
        .settings = group_settings_new(options->settings, options->trace),
    };
    group_background_init(&groups->context.background, options->wake, options->arg);
    groups->engine = coordinator_new(&(struct coordinator_options){
        .topic = GROUP_OFFSETS_TOPIC,
        .partition_count = options->partition_count,
        .log = options->log,
        .state_ops = &group_shard_ops,
        .owner = &groups->context,
        .clock = options->clock,
        .alarms = options->alarms,
        .trace = options->trace,
        .load_buffer_bytes = options->config.load_buffer_bytes,
        .compression = options->config.compression,
        .commit_timeout_ms = options->config.commit_timeout_ms,
    });
    return groups;
}

void group_coordinator_free(struct group_coordinator *groups)
{
    if (groups == NULL)
        return;
    coordinator_free(groups->engine);
    group_background_fini(&groups->context.background);
    topic_index_free(groups->context.topics);
    group_settings_free(groups->context.settings);
    mem_free(groups);
}

struct coordinator *group_coordinator_engine(struct group_coordinator *groups)
{
    return groups->engine;
}

static void finish(struct completion *completion)
{
    completion->complete(completion);
}

void group_coordinator_set_persister(struct group_coordinator *groups, struct persister *persister)
{
    groups->context.persister = persister;
}

struct topic_index *group_coordinator_topics(struct group_coordinator *groups)
{
    return groups->context.topics;
}

struct group_settings *group_coordinator_settings(struct group_coordinator *groups)
{
    return groups->context.settings;
}

void group_coordinator_run(struct group_coordinator *groups)
{
    group_background_run(&groups->context.background);
}

// ---- the metadata image ----------------------------------------------------------------------------

void group_coordinator_topics_deleted(struct group_coordinator *groups,
                                      const struct deleted_topic *topics, int32_t count)
{
    for (int32_t i = 0; i < coordinator_partition_count(groups->engine); i++) {
        struct coordinator_shard *shard = coordinator_shard_at(groups->engine, i);
        enum kafka_error error;
        struct group_shard *state = coordinator_enter(shard, &error);
        if (state == NULL)
            continue;
        group_expiry_topics_deleted(state, topics, count);
        coordinator_exit(shard);
    }
}

static void tell_deleted(struct group_coordinator *groups, const struct metadata_delta *delta)
{
    struct arena arena;
    arena_init(&arena);
    struct deleted_topic *deleted = arena_array(&arena, struct deleted_topic, delta->topics_count);
    int32_t count = 0;
    for (size_t i = 0; i < delta->topics_count; i++)
        if (delta->topics[i].change == METADATA_DELETED)
            deleted[count++] = (struct deleted_topic){ delta->topics[i].id, delta->topics[i].name };
    if (count > 0)
        group_coordinator_topics_deleted(groups, deleted, count);
    arena_fini(&arena);
}

void group_coordinator_take_metadata(struct group_coordinator *groups, struct metadata *metadata)
{
    topic_index_fill(groups->context.topics, metadata);
    group_settings_take_all(groups->context.settings, metadata);
}

void group_coordinator_metadata_changed(struct group_coordinator *groups, struct metadata *metadata,
                                        const struct metadata_delta *delta)
{
    for (size_t i = 0; i < delta->configs_count; i++)
        if (delta->configs[i].type == CONFIG_RESOURCE_GROUP)
            group_settings_take(groups->context.settings, metadata, delta->configs[i].name);
    topic_index_update(groups->context.topics, metadata, delta);
    if (delta->topics_count == 0)
        return;
    tell_deleted(groups, delta);
    for (int32_t i = 0; i < coordinator_partition_count(groups->engine); i++) {
        struct coordinator_shard *shard = coordinator_shard_at(groups->engine, i);
        enum kafka_error error;
        struct group_shard *state = coordinator_enter(shard, &error);
        if (state == NULL)
            continue;
        for (size_t t = 0; t < delta->topics_count; t++)
            group_shard_topic_changed(state, delta->topics[t].name);
        coordinator_exit(shard);
    }
}

// ---- answers that wait for commit ------------------------------------------------------------------

// One answer that is right unless what it rests on is not committed; then error_code is told so.
struct commit_wait {
    struct coordinator_wait wait;
    struct completion *completion;
    int16_t *error_code;
};

static void on_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct commit_wait *commit = container_of(wait, struct commit_wait, wait);
    if (error != KERR_NONE)
        *commit->error_code = (int16_t)error;
    coordinator_complete(wait->shard, commit->completion);
}

static void complete_when_committed(struct coordinator_shard *shard, struct arena *arena,
                                    int16_t *error_code, struct completion *completion)
{
    struct commit_wait *commit = arena_new(arena, struct commit_wait);
    commit->completion = completion;
    commit->error_code = error_code;
    coordinator_await_commit(shard, &commit->wait, on_committed);
}

// ---- the classic protocol --------------------------------------------------------------------------

struct str group_java_address(const char *host, struct arena *arena)
{
    uint8_t b[16];
    if (inet_pton(AF_INET6, host, b) != 1)
        return str_of(arena_printf(arena, "/%s", host));
    unsigned group[8];
    for (int i = 0; i < 8; i++)
        group[i] = get_be16(b + 2 * i);
    return str_of(arena_printf(arena, "/%x:%x:%x:%x:%x:%x:%x:%x", group[0], group[1], group[2],
                               group[3], group[4], group[5], group[6], group[7]));
}

static enum kafka_error check_join(const struct group_config *config,
                                   const struct join_group_request *request)
{
    if (request->group_id.size == 0)
        return KERR_INVALID_GROUP_ID;
    if (request->session_timeout_ms < config->min_session_timeout_ms ||
        request->session_timeout_ms > config->max_session_timeout_ms)
        return KERR_INVALID_SESSION_TIMEOUT;
    return KERR_NONE;
}

void group_coordinator_join(struct group_coordinator *groups,
                            const struct join_group_request *request, int16_t version,
                            const struct group_client *client, struct join_group_response *response,
                            struct arena *arena, struct completion *completion)
{
    response->protocol_name = version < 7 ? str_of("") : STR_NULL; // until there is one
    enum kafka_error error = check_join(&groups->context.config, request);
    if (error != KERR_NONE) {
        response->error_code = (int16_t)error;
        response->member_id = request->member_id;
        finish(completion);
        return;
    }
    struct join_group_request *owned = arena_dup(arena, request, sizeof *request);
    if (version == 0) // it has no rebalance timeout
        owned->rebalance_timeout_ms = owned->session_timeout_ms;
    struct classic_join *join = arena_new(arena, struct classic_join);
    *join = (struct classic_join){
        .request = owned,
        .version = version,
        .client_id = str_is_null(client->client_id) ? str_of("") : client->client_id,
        .client_host = group_java_address(client->host, arena),
        .response = response,
        .arena = arena,
        .completion = completion,
    };
    struct coordinator_shard *shard = group_coordinator_shard_of(groups, request->group_id);
    struct group_shard *state = coordinator_enter(shard, &error);
    if (state == NULL) {
        response->error_code = (int16_t)error;
        finish(completion);
        return;
    }
    classic_join(state, join);
    coordinator_exit(shard);
}

// As coordinator_enter, for the requests of a member: the empty id names no group of the protocol.
static struct group_shard *enter_named_group(struct group_coordinator *groups, struct str group_id,
                                             struct coordinator_shard **shard,
                                             enum kafka_error *error)
{
    *shard = group_coordinator_shard_of(groups, group_id);
    *error = group_id.size == 0 ? KERR_INVALID_GROUP_ID : KERR_NONE;
    return *error == KERR_NONE ? coordinator_enter(*shard, error) : NULL;
}

void group_coordinator_sync(struct group_coordinator *groups,
                            const struct sync_group_request *request,
                            struct sync_group_response *response, struct arena *arena,
                            struct completion *completion)
{
    struct coordinator_shard *shard;
    enum kafka_error error;
    struct group_shard *state = enter_named_group(groups, request->group_id, &shard, &error);
    if (state == NULL) {
        response->error_code = (int16_t)error;
        finish(completion);
        return;
    }
    struct classic_sync *sync = arena_new(arena, struct classic_sync);
    *sync = (struct classic_sync){ request, response, arena, completion };
    classic_sync(state, sync);
    coordinator_exit(shard);
}

void group_coordinator_heartbeat(struct group_coordinator *groups,
                                 const struct heartbeat_request *request,
                                 struct heartbeat_response *response, struct arena *arena,
                                 struct completion *completion)
{
    struct coordinator_shard *shard;
    enum kafka_error error;
    struct group_shard *state = enter_named_group(groups, request->group_id, &shard, &error);
    if (state == NULL) {
        // While the shard loads, its members have lost nothing yet: let them go on.
        response->error_code =
            error == KERR_COORDINATOR_LOAD_IN_PROGRESS ? KERR_NONE : (int16_t)error;
        finish(completion);
        return;
    }
    response->error_code = (int16_t)classic_heartbeat(state, request);
    complete_when_committed(shard, arena, &response->error_code, completion);
    coordinator_exit(shard);
}

void group_coordinator_leave(struct group_coordinator *groups,
                             const struct leave_group_request *request,
                             struct leave_group_response *response, struct arena *arena,
                             struct completion *completion)
{
    struct coordinator_shard *shard;
    enum kafka_error error;
    struct group_shard *state = enter_named_group(groups, request->group_id, &shard, &error);
    if (state == NULL) {
        response->error_code = (int16_t)error;
        finish(completion);
        return;
    }
    classic_leave(state, request, response, arena);
    complete_when_committed(shard, arena, &response->error_code, completion);
    coordinator_exit(shard);
}

// ---- the consumer protocol -------------------------------------------------------------------------

struct consumer_heartbeat_wait {
    struct coordinator_wait wait;
    struct consumer_group_heartbeat_response *response;
    struct completion *completion;
};

static void on_consumer_heartbeat_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct consumer_heartbeat_wait *heartbeat =
        container_of(wait, struct consumer_heartbeat_wait, wait);
    if (error != KERR_NONE) {
        message_init(&consumer_group_heartbeat_response_desc, heartbeat->response);
        heartbeat->response->error_code = (int16_t)error;
    }
    coordinator_complete(wait->shard, heartbeat->completion);
}

void group_coordinator_consumer_heartbeat(struct group_coordinator *groups,
                                          const struct consumer_group_heartbeat_request *request,
                                          int16_t version, const struct group_client *client,
                                          struct consumer_group_heartbeat_response *response,
                                          struct arena *arena, struct completion *completion)
{
    struct consumer_heartbeat heartbeat = {
        .request = request,
        .version = version,
        .client_id = str_is_null(client->client_id) ? str_of("") : client->client_id,
        .client_host = group_java_address(client->host, arena),
        .response = response,
        .arena = arena,
    };
    if (!consumer_heartbeat_check(&heartbeat, &groups->context.config)) {
        finish(completion);
        return;
    }
    struct coordinator_shard *shard = group_coordinator_shard_of(groups, request->group_id);
    enum kafka_error error;
    struct group_shard *state = coordinator_enter(shard, &error);
    if (state == NULL) {
        response->error_code = (int16_t)error;
        finish(completion);
        return;
    }
    consumer_heartbeat(state, &heartbeat);
    struct consumer_heartbeat_wait *wait = arena_new(arena, struct consumer_heartbeat_wait);
    wait->response = response;
    wait->completion = completion;
    coordinator_await_commit(shard, &wait->wait, on_consumer_heartbeat_committed);
    coordinator_exit(shard);
}

// ---- offsets ---------------------------------------------------------------------------------------

struct offsets_wait {
    struct coordinator_wait wait;
    const struct offset_commit_request *request;
    struct offset_commit_response *response;
    struct arena *arena;
    struct completion *completion;
};

static void on_offsets_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct offsets_wait *commit = container_of(wait, struct offsets_wait, wait);
    if (error != KERR_NONE)
        group_commit_refuse(commit->request, error, commit->response, commit->arena);
    coordinator_complete(wait->shard, commit->completion);
}

static void commit_offsets(struct group_coordinator *groups,
                           const struct offset_commit_request *request, int16_t version,
                           const struct coordinator_transaction *transaction,
                           struct offset_commit_response *response, struct arena *arena,
                           struct completion *completion)
{
    struct coordinator_shard *shard = group_coordinator_shard_of(groups, request->group_id);
    enum kafka_error error;
    struct group_shard *state = coordinator_enter(shard, &error);
    if (state == NULL) {
        group_commit_refuse(request, error, response, arena);
        finish(completion);
        return;
    }
    error = group_commit(state, request, version, transaction, response, arena);
    if (error != KERR_NONE)
        group_commit_refuse(request, error, response, arena);
    struct offsets_wait *commit = arena_new(arena, struct offsets_wait);
    *commit = (struct offsets_wait){
        .request = request, .response = response, .arena = arena, .completion = completion
    };
    coordinator_await_commit(shard, &commit->wait, on_offsets_committed);
    coordinator_exit(shard);
}

void group_coordinator_commit_offsets(struct group_coordinator *groups,
                                      const struct offset_commit_request *request, int16_t version,
                                      struct offset_commit_response *response, struct arena *arena,
                                      struct completion *completion)
{
    commit_offsets(groups, request, version, NULL, response, arena, completion);
}

void group_coordinator_commit_transactional(struct group_coordinator *groups,
                                            const struct offset_commit_request *request,
                                            const struct coordinator_transaction *transaction,
                                            struct offset_commit_response *response,
                                            struct arena *arena, struct completion *completion)
{
    commit_offsets(groups, request, 0, transaction, response, arena, completion);
}

struct marker_wait {
    struct coordinator_wait wait;
    enum kafka_error *error;
    struct completion *completion;
};

// Who has the marker written knows leaders, not group coordinators.
static enum kafka_error marker_error(enum kafka_error error)
{
    return error == KERR_COORDINATOR_NOT_AVAILABLE || error == KERR_COORDINATOR_LOAD_IN_PROGRESS ||
                   error == KERR_NOT_COORDINATOR
               ? KERR_NOT_LEADER_OR_FOLLOWER
               : error;
}

static void on_marker_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct marker_wait *marker = container_of(wait, struct marker_wait, wait);
    *marker->error = marker_error(error);
    coordinator_complete(wait->shard, marker->completion);
}

void group_coordinator_end_transaction(struct group_coordinator *groups, int32_t partition,
                                       const struct coordinator_transaction *transaction,
                                       int32_t coordinator_epoch, bool is_commit,
                                       enum kafka_error *error, struct arena *arena,
                                       struct completion *completion)
{
    *error = KERR_NOT_COORDINATOR;
    struct coordinator_shard *shard = NULL;
    if (partition >= 0 && partition < coordinator_partition_count(groups->engine)) {
        shard = coordinator_shard_at(groups->engine, partition);
        if (coordinator_enter(shard, error) == NULL)
            shard = NULL;
    }
    if (shard == NULL) {
        *error = marker_error(*error);
        finish(completion);
        return;
    }
    *error = coordinator_end_transaction(shard, transaction, coordinator_epoch, is_commit);
    if (*error == KERR_NONE) {
        struct marker_wait *marker = arena_new(arena, struct marker_wait);
        marker->error = error;
        marker->completion = completion;
        coordinator_await_commit(shard, &marker->wait, on_marker_committed);
        coordinator_exit(shard);
        return;
    }
    *error = marker_error(*error);
    coordinator_exit(shard);
    finish(completion);
}

void group_coordinator_fetch_offsets(struct group_coordinator *groups,
                                     const struct offset_fetch_request_group *request,
                                     bool require_stable,
                                     struct offset_fetch_response_group *response,
                                     struct arena *arena, struct completion *completion)
{
    response->group_id = request->group_id;
    struct coordinator_shard *shard = group_coordinator_shard_of(groups, request->group_id);
    enum kafka_error error;
    struct group_shard *state = coordinator_enter(shard, &error);
    if (state == NULL) {
        response->error_code = (int16_t)error;
        finish(completion);
        return;
    }
    group_fetch(state, request, require_stable, response, arena);
    complete_when_committed(shard, arena, &response->error_code, completion);
    coordinator_exit(shard);
}

void group_coordinator_delete_offsets(struct group_coordinator *groups,
                                      const struct offset_delete_request *request,
                                      struct offset_delete_response *response, struct arena *arena,
                                      struct completion *completion)
{
    struct coordinator_shard *shard;
    enum kafka_error error;
    struct group_shard *state = enter_named_group(groups, request->group_id, &shard, &error);
    if (state == NULL) {
        response->error_code = (int16_t)error;
        finish(completion);
        return;
    }
    error = group_delete_offsets(state, request, response, arena);
    response->error_code = (int16_t)error;
    complete_when_committed(shard, arena, &response->error_code, completion);
    coordinator_exit(shard);
}
