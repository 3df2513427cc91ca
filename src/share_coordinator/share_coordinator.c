// SPDX-License-Identifier: Apache-2.0
// The entry points. See the header.
#include "share_coordinator/share_coordinator.h"

#include <inttypes.h>

#include "base/mem.h"
#include "share_coordinator/share_shard.h"

const struct share_coordinator_config share_coordinator_config_defaults = {
    .updates_per_snapshot = 500,
    .cold_snapshot_ms = 300000,
    .prune_interval_ms = 300000,
    .write_timeout_ms = 5000,
    .load_buffer_bytes = 5242880,
};

struct share_coordinator {
    struct share_coordinator_options options;
    struct coordinator *engine;
    struct persister persister;
};

static void call_local(struct persister *persister, struct share_state_call *call);

struct share_coordinator *share_coordinator_new(const struct share_coordinator_options *options)
{
    struct share_coordinator *coordinator = mem_new(struct share_coordinator);
    coordinator->options = *options;
    coordinator->persister.call = call_local;
    coordinator->engine = coordinator_new(&(struct coordinator_options){
        .topic = SHARE_STATE_TOPIC,
        .partition_count = options->partition_count,
        .log = options->log,
        .state_ops = &share_shard_ops,
        .owner = coordinator,
        .clock = options->clock,
        .alarms = options->alarms,
        .trace = options->trace,
        .load_buffer_bytes = options->config.load_buffer_bytes,
        .compression = options->config.compression,
        .commit_timeout_ms = options->config.write_timeout_ms,
    });
    return coordinator;
}

void share_coordinator_free(struct share_coordinator *coordinator)
{
    if (coordinator == NULL)
        return;
    coordinator_free(coordinator->engine);
    mem_free(coordinator);
}

struct coordinator *share_coordinator_engine(struct share_coordinator *coordinator)
{
    return coordinator->engine;
}

struct persister *share_coordinator_persister(struct share_coordinator *coordinator)
{
    return &coordinator->persister;
}

const struct share_coordinator_options *
share_coordinator_options_of(const struct share_coordinator *coordinator)
{
    return &coordinator->options;
}

int32_t share_coordinator_partition_for(struct share_coordinator *coordinator, struct str group,
                                        struct uuid topic_id, int32_t partition)
{
    char topic[UUID_TEXT_SIZE];
    uuid_format(topic_id, topic);
    char *key = mem_printf("%.*s:%s:%" PRId32, STR_ARG(group), topic, partition);
    int32_t chosen = coordinator_partition_for(coordinator->engine, str_of(key));
    mem_free(key);
    return chosen;
}

static void on_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct share_state_call *call = container_of(wait, struct share_state_call, _wait);
    if (error != KERR_NONE) {
        call->error = error;
        call->is_unavailable = true;
    }
    coordinator_complete(wait->shard, &call->completion);
}

static void call_local(struct persister *persister, struct share_state_call *call)
{
    struct share_coordinator *coordinator =
        container_of(persister, struct share_coordinator, persister);
    call->error = KERR_NONE;
    call->error_message = STR_NULL;
    call->is_unavailable = false;
    struct coordinator_shard *shard = coordinator_shard_at(
        coordinator->engine,
        share_coordinator_partition_for(coordinator, call->group, call->topic_id, call->partition));
    struct share_shard *state = coordinator_enter(shard, &call->error);
    if (state == NULL) {
        call->is_unavailable = true;
        call->completion.complete(&call->completion);
        return;
    }
    share_shard_evaluate(state, call);
    if (call->is_unavailable)
        coordinator_complete(shard, &call->completion);
    else
        coordinator_await_commit(shard, &call->_wait, on_committed);
    coordinator_exit(shard);
}

void share_coordinator_topics_deleted(struct share_coordinator *coordinator, const struct uuid *ids,
                                      int32_t count)
{
    for (int32_t i = 0; i < coordinator_partition_count(coordinator->engine); i++) {
        struct coordinator_shard *shard = coordinator_shard_at(coordinator->engine, i);
        enum kafka_error error;
        struct share_shard *state = coordinator_enter(shard, &error);
        if (state == NULL)
            continue;
        share_shard_forget_topics(state, ids, count);
        coordinator_exit(shard);
    }
}
