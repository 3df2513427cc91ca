// SPDX-License-Identifier: Apache-2.0
// The entry points: checks, the shard, and what follows when it is committed.
// Tested by group/share/share_group_test.c and compat-tests/twin/share.
#include "group/share/share_groups.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "group/share/share_group_admin.h"
#include "group/share/share_group_beat.h"
#include "protocol/error_message.h"

static struct coordinator_shard *shard_of(struct group_coordinator *groups, struct str id)
{
    struct coordinator *engine = group_coordinator_engine(groups);
    return coordinator_shard_at(engine, coordinator_partition_for(engine, id));
}

static void finish(struct completion *completion)
{
    completion->complete(completion);
}

// ---- heartbeat -------------------------------------------------------------------------------------

struct beat_wait {
    struct coordinator_wait wait;
    struct share_group_heartbeat_response *response;
    struct completion *completion;
    struct share_init *init; // what is to be begun afterwards, or NULL
};

static bool is_blank(struct str s)
{
    return !str_is_null(s) && str_trim(s).size == 0;
}

static const char *check(const struct share_group_heartbeat_request *request)
{
    if (is_blank(request->member_id))
        return "MemberId can't be empty.";
    if (is_blank(request->group_id))
        return "GroupId can't be empty.";
    if (is_blank(request->rack_id))
        return "RackId can't be empty.";
    if (request->member_epoch == 0 && request->subscribed_topic_names_count <= 0)
        return "SubscribedTopicNames must be set in first request.";
    if (request->member_epoch < -1)
        return "MemberEpoch is invalid.";
    return NULL;
}

static void on_beat_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct beat_wait *beat = container_of(wait, struct beat_wait, wait);
    if (error != KERR_NONE) {
        message_init(&share_group_heartbeat_response_desc, beat->response);
        beat->response->error_code = (int16_t)error;
        share_init_free(beat->init);
    } else if (beat->init != NULL) {
        coordinator_complete(wait->shard, &beat->init->completion);
    }
    coordinator_complete(wait->shard, beat->completion);
}

// Kafka's text of an address without a name.
static struct str address_of(const struct group_client *client, struct arena *arena)
{
    return group_java_address(client->host, arena);
}

void share_groups_heartbeat(struct group_coordinator *groups,
                            const struct share_group_heartbeat_request *request,
                            const struct group_client *client,
                            struct share_group_heartbeat_response *response, struct arena *arena,
                            struct completion *completion)
{
    const char *wrong = check(request);
    enum kafka_error error;
    if (wrong != NULL) {
        response->error_code = KERR_INVALID_REQUEST;
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
    wait->completion = completion;
    wait->init = share_init_new(state, request->group_id, SHARE_STATE_INITIALIZE);
    share_group_beat(state, request,
                     str_is_null(client->client_id) ? str_of("") : client->client_id,
                     address_of(client, arena), response, arena, wait->init);
    if (wait->init->topics.count == 0) {
        share_init_free(wait->init);
        wait->init = NULL;
    }
    coordinator_await_commit(shard, &wait->wait, on_beat_committed);
    coordinator_exit(shard);
}

// ---- describe --------------------------------------------------------------------------------------

struct describe_wait {
    struct coordinator_wait wait;
    struct share_group_describe_response_described_group *out;
    struct completion *completion;
};

// Kafka has no words for a group without a name.
static void describe_failed(struct share_group_describe_response_described_group *out,
                            enum kafka_error error)
{
    out->error_code = (int16_t)error;
    if (error != KERR_INVALID_GROUP_ID)
        out->error_message = str_of(kafka_error_message(error));
}

static void on_described(struct coordinator_wait *wait, enum kafka_error error)
{
    struct describe_wait *describe = container_of(wait, struct describe_wait, wait);
    if (error != KERR_NONE)
        describe_failed(describe->out, error);
    coordinator_complete(wait->shard, describe->completion);
}

void share_groups_describe(struct group_coordinator *groups, struct str group_id,
                           struct share_group_describe_response_described_group *out,
                           struct arena *arena, struct completion *completion)
{
    enum kafka_error error = KERR_INVALID_GROUP_ID;
    struct coordinator_shard *shard = shard_of(groups, group_id);
    struct group_shard *state = group_id.size > 0 ? coordinator_enter(shard, &error) : NULL;
    out->group_id = group_id;
    if (state == NULL) {
        describe_failed(out, error);
        finish(completion);
        return;
    }
    share_group_describe(state, group_id, out, arena);
    struct describe_wait *wait = arena_new(arena, struct describe_wait);
    wait->out = out;
    wait->completion = completion;
    coordinator_await_commit(shard, &wait->wait, on_described);
    coordinator_exit(shard);
}

enum kafka_error share_groups_initialized(struct group_coordinator *groups, struct str group_id,
                                          struct share_topics *out)
{
    enum kafka_error error = KERR_NONE;
    *out = (struct share_topics){ 0 };
    struct coordinator_shard *shard = shard_of(groups, group_id);
    struct group_shard *state = coordinator_enter(shard, &error);
    if (state == NULL)
        return error;
    const struct share_group *group = share_group_of(group_shard_find(state, group_id));
    if (group != NULL)
        *out = share_topics_copy(&group->initialized);
    coordinator_exit(shard);
    return KERR_NONE;
}

// ---- altering and deleting: a record, then the persister, then a record --------------------------------

struct change_wait {
    struct coordinator_wait wait;
    int16_t *error_code;
    struct completion *completion;
    struct share_init *init;
    struct alter_share_group_offsets_response *altered;
    struct delete_share_group_offsets_response *deleted;
    struct arena *arena;
};

static void on_change_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    struct change_wait *change = container_of(wait, struct change_wait, wait);
    if (error == KERR_NONE && change->init->topics.count > 0) {
        coordinator_complete(wait->shard, &change->init->completion);
        return;
    }
    if (error != KERR_NONE)
        *change->error_code = (int16_t)error;
    share_init_free(change->init);
    coordinator_complete(wait->shard, change->completion);
}

static void end_change(struct share_init *init)
{
    finish(((struct change_wait *)init->user)->completion);
}

static void on_altered(struct share_init *init, struct group_shard *shard)
{
    struct change_wait *change = init->user;
    share_group_offsets_altered(init, change->altered);
    share_init_finish(init, shard);
}

void share_groups_alter_offsets(struct group_coordinator *groups,
                                const struct alter_share_group_offsets_request *request,
                                struct alter_share_group_offsets_response *response,
                                struct arena *arena, struct completion *completion)
{
    enum kafka_error error = KERR_INVALID_GROUP_ID;
    struct coordinator_shard *shard = shard_of(groups, request->group_id);
    struct group_shard *state =
        request->group_id.size > 0 ? coordinator_enter(shard, &error) : NULL;
    if (state == NULL) {
        response->error_code = (int16_t)error;
        response->error_message = str_of(kafka_error_message(error));
        finish(completion);
        return;
    }
    struct change_wait *change = arena_new(arena, struct change_wait);
    *change = (struct change_wait){ .error_code = &response->error_code,
                                    .completion = completion,
                                    .altered = response,
                                    .arena = arena };
    change->init = share_init_new(state, request->group_id, SHARE_STATE_INITIALIZE);
    change->init->on_done = on_altered;
    change->init->after = end_change;
    change->init->user = change;
    share_group_alter_offsets(state, request, response, arena, change->init);
    coordinator_await_commit(shard, &change->wait, on_change_committed);
    coordinator_exit(shard);
}

static void on_deleted(struct share_init *init, struct group_shard *shard)
{
    struct change_wait *change = init->user;
    share_group_offsets_deleted(init, shard, change->deleted, change->arena);
}

void share_groups_delete_offsets(struct group_coordinator *groups,
                                 const struct delete_share_group_offsets_request *request,
                                 struct delete_share_group_offsets_response *response,
                                 struct arena *arena, struct completion *completion)
{
    enum kafka_error error = KERR_INVALID_GROUP_ID;
    struct coordinator_shard *shard = shard_of(groups, request->group_id);
    struct group_shard *state =
        request->group_id.size > 0 ? coordinator_enter(shard, &error) : NULL;
    if (state == NULL) {
        response->error_code = (int16_t)error;
        response->error_message = str_of(kafka_error_message(error));
        finish(completion);
        return;
    }
    struct change_wait *change = arena_new(arena, struct change_wait);
    *change = (struct change_wait){ .error_code = &response->error_code,
                                    .completion = completion,
                                    .deleted = response,
                                    .arena = arena };
    change->init = share_init_new(state, request->group_id, SHARE_STATE_DELETE);
    change->init->on_done = on_deleted;
    change->init->after = end_change;
    change->init->user = change;
    share_group_delete_offsets(state, request, response, arena, change->init);
    coordinator_await_commit(shard, &change->wait, on_change_committed);
    coordinator_exit(shard);
}

// ---- deleting groups -------------------------------------------------------------------------------

struct state_deletion {
    atomic_int left;
    struct completion *completion;
};

struct group_state_deletion {
    struct state_deletion *all;
    enum kafka_error *error;
};

static void one_less(struct state_deletion *deletion)
{
    if (atomic_fetch_sub(&deletion->left, 1) > 1)
        return;
    struct completion *completion = deletion->completion;
    mem_free(deletion);
    finish(completion);
}

// What could not be deleted stays in the group's record, and is tried again when the group is deleted again.
static void end_deletion(struct share_init *init)
{
    struct group_state_deletion *deletion = init->user;
    *deletion->error = share_init_error(init);
    one_less(deletion->all);
}

void share_groups_delete_state(struct group_coordinator *groups, const struct str *group_ids,
                               int32_t count, enum kafka_error *errors,
                               struct completion *completion)
{
    struct state_deletion *deletion = mem_new(struct state_deletion);
    deletion->completion = completion;
    atomic_init(&deletion->left, count + 1);
    for (int32_t i = 0; i < count; i++) {
        enum kafka_error error;
        struct coordinator_shard *shard = shard_of(groups, group_ids[i]);
        struct group_shard *state = coordinator_enter(shard, &error);
        struct share_init *init = NULL;
        if (state != NULL) {
            init = share_init_new(state, group_ids[i], SHARE_STATE_DELETE);
            struct group_state_deletion *of = arena_new(&init->arena, struct group_state_deletion);
            *of = (struct group_state_deletion){ deletion, &errors[i] };
            init->user = of;
            init->after = end_deletion;
            if (!share_group_begin_delete(state, group_ids[i], init)) {
                share_init_free(init);
                init = NULL;
            }
            coordinator_exit(shard);
        }
        if (init != NULL)
            share_init_start(init);
        else
            one_less(deletion);
    }
    one_less(deletion);
}
