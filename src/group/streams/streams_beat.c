// SPDX-License-Identifier: Apache-2.0
// See the header. The texts of errors are Kafka's: administrators search for them.
// Tested by group/streams/streams_group_test.c and compat-tests/twin/streams.
#include "group/streams/streams_beat.h"

#include <stdlib.h>

#include "base/mem.h"
#include "group/group_shard.h"
#include "base/java_order.h"
#include "group/streams/streams_describe.h"
#include "group/streams/streams_reconcile.h"
#include "group/streams/streams_records.h"
#include "group/streams/streams_session.h"
#include "group/streams/streams_target.h"

enum { STATUSES_MAX = 5, EPOCH_LEAVE = -1, EPOCH_LEAVE_STATIC = -2 };

// One heartbeat as it is evaluated.
struct beat {
    struct group_shard *shard;
    const struct streams_group_heartbeat_request *request;
    struct streams_group_heartbeat_response *response;
    struct streams_new_topics *topics;
    struct arena *arena;
    struct streams_group *group;
    bool is_new_group;               // it comes to be when its records are replayed
    struct streams_member *member;   // NULL: a new one
    struct streams_metadata updated; // what it becomes
    struct streams_current current;
    const struct streams_topology_value *topology;
    bool has_changed; // the group's epoch has to
    int64_t hash;
    int32_t validated_topology_epoch;
    const char *standby_replicas;
    int32_t epoch; // of the group, as it becomes
    int32_t target_epoch;
    const struct streams_assignment *target;
    bool has_new_current;
    bool is_first_delayed; // the first assignment shall wait
};

static bool refuse(struct beat *b, enum kafka_error error, const char *message)
{
    b->response->error_code = (int16_t)error;
    b->response->error_message = str_of(message);
    return false;
}

#define REFUSE(beat, error, ...) refuse((beat), (error), arena_printf((beat)->arena, __VA_ARGS__))

static void add_status(struct beat *b, enum streams_status status, const char *detail)
{
    struct streams_group_heartbeat_response *response = b->response;
    response->status[response->status_count].status_code = (int8_t)status;
    response->status[response->status_count++].status_detail = str_of(detail);
}

// ---- leaving ---------------------------------------------------------------------------------------

static void leave(struct beat *b)
{
    const struct streams_group_heartbeat_request *request = b->request;
    struct group *any = group_shard_find(b->shard, request->group_id);
    b->group = streams_group_of(any);
    if (b->group == NULL) {
        REFUSE(b, KERR_GROUP_ID_NOT_FOUND,
               any == NULL ? "Group %.*s not found." : "Group %.*s is not a streams group.",
               STR_ARG(request->group_id));
        return;
    }
    if (request->shutdown_application && b->group->shutdown_member == NULL &&
        b->group->members_count > 0)
        b->group->shutdown_member = str_dup(request->member_id);
    struct streams_member *member = streams_group_find(b->group, request->member_id);
    if (member == NULL) {
        REFUSE(b, KERR_UNKNOWN_MEMBER_ID, "Member %.*s is not a member of group %.*s.",
               STR_ARG(request->member_id), STR_ARG(request->group_id));
        return;
    }
    enum kafka_error error = streams_session_fence(member);
    if (error != KERR_NONE) {
        refuse(b, error, NULL);
        return;
    }
    b->response->member_id = request->member_id;
    b->response->member_epoch = request->member_epoch;
}

// ---- who sends it ----------------------------------------------------------------------------------

// What it says it owns is what it was assigned, or part of it.
static bool is_contained(const struct streams_group_heartbeat_request_task_ids *owned,
                         int32_t count, const struct streams_tasks *assigned)
{
    if (count < 0)
        return false;
    for (int32_t i = 0; i < count; i++) {
        bool has_any = false;
        for (int32_t t = 0; t < assigned->count && !has_any; t++)
            has_any = str_eq(assigned->items[t].subtopology, owned[i].subtopology_id);
        if (!has_any)
            return false;
        for (int32_t p = 0; p < owned[i].partitions_count; p++)
            if (streams_tasks_find(assigned, owned[i].subtopology_id, owned[i].partitions[p]) ==
                NULL)
                return false;
    }
    return true;
}

static bool check_epoch(struct beat *b)
{
    const struct streams_group_heartbeat_request *request = b->request;
    const struct streams_current *current = &b->member->current;
    const struct streams_tasks *assigned = current->assigned->kinds;
    int32_t received = request->member_epoch;
    if (received == 0 || received == current->epoch)
        return true;
    if (received < current->epoch && received == current->previous_epoch &&
        is_contained(request->active_tasks, request->active_tasks_count,
                     &assigned[STREAMS_ACTIVE]) &&
        is_contained(request->standby_tasks, request->standby_tasks_count,
                     &assigned[STREAMS_STANDBY]) &&
        is_contained(request->warmup_tasks, request->warmup_tasks_count, &assigned[STREAMS_WARMUP]))
        return true; // the answer with the new epoch was lost
    return REFUSE(b, KERR_FENCED_MEMBER_EPOCH,
                  "The streams group member has a %s member epoch (%d) than the one known by the "
                  "group coordinator (%d). The member must abandon all its partitions and rejoin.",
                  received > current->epoch ? "greater" : "smaller", received, current->epoch);
}

// An empty classic group of the name makes place.
static bool is_empty_classic(struct group *group)
{
    return group != NULL && group->type == GROUP_CLASSIC &&
           container_of(group, struct classic_group, base)->state == CLASSIC_EMPTY;
}

static bool find_group(struct beat *b)
{
    struct str id = b->request->group_id;
    bool is_joining = b->request->member_epoch == 0;
    struct group *any = group_shard_find(b->shard, id);
    if (any == NULL && !is_joining)
        return REFUSE(b, KERR_GROUP_ID_NOT_FOUND, "Streams group %.*s not found.", STR_ARG(id));
    b->is_new_group = any == NULL || (is_joining && is_empty_classic(any));
    if (b->is_new_group && any != NULL)
        group_shard_add_tombstones(b->shard, any);
    if (!b->is_new_group && any->type != GROUP_STREAMS)
        return REFUSE(b, KERR_GROUP_ID_NOT_FOUND, "Group %.*s is not a streams group.",
                      STR_ARG(id));
    b->group = b->is_new_group ? streams_group_new(b->shard, id) : streams_group_of(any);
    int32_t most = b->shard->config->streams_max_size;
    return !is_joining || b->group->members_count < most ||
           REFUSE(b, KERR_GROUP_MAX_SIZE_REACHED,
                  "The streams group has reached its maximum capacity of %d members.", most);
}

static bool find_member(struct beat *b)
{
    b->member = streams_group_find(b->group, b->request->member_id);
    if (b->member != NULL)
        return check_epoch(b);
    return b->request->member_epoch == 0 ||
           REFUSE(b, KERR_UNKNOWN_MEMBER_ID, "Member %.*s is not a member of group %.*s.",
                  STR_ARG(b->request->member_id), STR_ARG(b->request->group_id));
}

static int by_key(const void *a, const void *b)
{
    return str_compare(((const struct streams_group_member_metadata_value_key_value *)a)->key,
                       ((const struct streams_group_member_metadata_value_key_value *)b)->key);
}

static bool take_tags(struct beat *b)
{
    const struct streams_group_heartbeat_request *request = b->request;
    int32_t count = request->client_tags_count;
    if (count < 0)
        return true;
    struct streams_group_member_metadata_value_key_value *tags =
        arena_array(b->arena, struct streams_group_member_metadata_value_key_value, count + 1);
    for (int32_t i = 0; i < count; i++) {
        tags[i].key = request->client_tags[i].key;
        tags[i].value = request->client_tags[i].value;
    }
    if (count > 1)
        qsort(tags, (size_t)count, sizeof *tags, by_key);
    for (int32_t i = 1; i < count; i++)
        if (str_eq(tags[i - 1].key, tags[i].key))
            return refuse(b, KERR_UNKNOWN_SERVER_ERROR, NULL);
    b->updated.client_tags = tags;
    b->updated.client_tags_count = count;
    return true;
}

// What the member becomes by what it says, before anything is assigned.
static bool update_member(struct beat *b, struct str client_id, struct str client_host)
{
    const struct streams_group_heartbeat_request *request = b->request;
    struct streams_metadata *updated = &b->updated;
    message_init(&streams_group_member_metadata_value_desc, updated);
    *updated = b->member != NULL ? b->member->metadata : *updated;
    if (b->member == NULL) {
        updated->instance_id = updated->rack_id = STR_NULL;
        updated->process_id = str_of("");
        updated->topology_epoch = -1;
    }
    if (!str_is_null(request->rack_id))
        updated->rack_id = request->rack_id;
    if (request->rebalance_timeout_ms != -1)
        updated->rebalance_timeout_ms = request->rebalance_timeout_ms;
    if (request->topology != NULL)
        updated->topology_epoch = request->topology->epoch;
    updated->client_id = client_id;
    updated->client_host = client_host;
    if (!str_is_null(request->process_id))
        updated->process_id = request->process_id;
    if (request->user_endpoint != NULL) {
        updated->user_endpoint =
            arena_new(b->arena, struct streams_group_member_metadata_value_endpoint);
        updated->user_endpoint->host = request->user_endpoint->host;
        updated->user_endpoint->port = request->user_endpoint->port;
    }
    if (!take_tags(b))
        return false;
    static const struct streams_current nothing = { .state = STREAMS_STABLE,
                                                    .assigned = &streams_assignment_none,
                                                    .pending = &streams_assignment_none };
    b->current = b->member != NULL ? b->member->current : nothing;
    b->has_changed = b->member == NULL || !streams_metadata_equal(&b->member->metadata, updated);
    if (b->has_changed)
        streams_record_member(b->shard->shard, b->group->base.id, request->member_id, updated);
    return true;
}

// ---- the topology ----------------------------------------------------------------------------------

static bool update_topology(struct beat *b)
{
    const struct streams_group_heartbeat_request_topology *from = b->request->topology;
    b->topology = b->group->topology;
    if (from == NULL)
        return b->topology != NULL || refuse(b, KERR_UNKNOWN_SERVER_ERROR, NULL);
    const struct streams_topology_value *topology = streams_topology_of(from, b->arena);
    if (from->epoch < 0 || streams_topology_has_twins(topology, b->arena))
        return refuse(b, KERR_UNKNOWN_SERVER_ERROR, NULL);
    if (b->topology == NULL) {
        b->topology = topology;
        streams_record_topology(b->shard->shard, b->group->base.id, topology);
        return true;
    }
    return b->topology->epoch > from->epoch ||
           streams_topology_equal(b->topology, topology, b->arena) ||
           REFUSE(b, KERR_INVALID_REQUEST, "Topology updates are not supported yet.");
}

static void tell_stale(struct beat *b)
{
    const struct streams_topology_value *topology = b->group->topology;
    if (topology != NULL && b->updated.topology_epoch < topology->epoch)
        add_status(b, STREAMS_STALE_TOPOLOGY,
                   arena_printf(b->arena,
                                "The member's topology epoch %d is behind the group's topology "
                                "epoch %d.",
                                b->updated.topology_epoch, topology->epoch));
}

static bool configure(struct beat *b)
{
    struct streams_group *group = b->group;
    enum kafka_error error;
    struct str message;
    struct streams_configured *configured =
        streams_configure(b->topology, b->shard->topics, b->arena, &error, &message);
    if (configured == NULL) {
        b->response->error_code = (int16_t)error;
        b->response->error_message = message;
        return false;
    }
    streams_configured_free(group->configured);
    group->configured = configured;
    return true;
}

static bool look_at_topics(struct beat *b)
{
    struct streams_group *group = b->group;
    topic_index_lock_read(b->shard->topics);
    int64_t version = b->shard->topics->version;
    topic_index_unlock(b->shard->topics);
    b->hash = group->metadata_hash;
    if (group->topology != NULL && group->configured != NULL && group->seen_version == version)
        return true;
    b->hash = streams_topology_hash(b->topology, b->shard->topics, b->arena);
    bool has_other_topics = b->hash != group->metadata_hash;
    b->has_changed |= has_other_topics;
    if ((has_other_topics || group->topology == NULL || group->configured == NULL) && !configure(b))
        return false;
    group->seen_version = version;
    return true;
}

static bool check_tasks(struct beat *b,
                        const struct streams_group_heartbeat_request_task_ids *tasks, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        struct str id = tasks[i].subtopology_id;
        const struct streams_configured_subtopology *found =
            streams_configured_find(b->group->configured, id);
        if (found == NULL)
            return REFUSE(b, KERR_INVALID_REQUEST,
                          "Subtopology %.*s does not exist in the topology.", STR_ARG(id));
        for (int32_t p = 0; p < tasks[i].partitions_count; p++)
            if (tasks[i].partitions[p] < 0 || tasks[i].partitions[p] >= found->tasks_count)
                return REFUSE(b, KERR_INVALID_REQUEST,
                              "Task %d for subtopology %.*s is invalid. Number of tasks for this "
                              "subtopology: %d",
                              tasks[i].partitions[p], STR_ARG(id), found->tasks_count);
    }
    return true;
}

static bool validate_topology(struct beat *b)
{
    const struct streams_group_heartbeat_request *request = b->request;
    b->validated_topology_epoch = -1;
    if (b->group->configured->is_ready) {
        b->validated_topology_epoch = b->topology->epoch;
        if (!check_tasks(b, request->active_tasks, request->active_tasks_count) ||
            !check_tasks(b, request->standby_tasks, request->standby_tasks_count) ||
            !check_tasks(b, request->warmup_tasks, request->warmup_tasks_count))
            return false;
    }
    b->has_changed |= b->validated_topology_epoch != b->group->validated_topology_epoch;
    return true;
}

// ---- the group's epoch, its target -----------------------------------------------------------------

static int32_t setting(const struct beat *b, enum group_key key)
{
    return group_settings_int(b->shard->settings, b->group->base.id, key);
}

static int32_t update_epoch(struct beat *b)
{
    struct streams_group *group = b->group;
    int32_t standby_replicas = setting(b, GROUP_STREAMS_NUM_STANDBY_REPLICAS);
    b->standby_replicas = arena_printf(b->arena, "%d", standby_replicas);
    b->has_changed |= group->has_other_configs || group->standby_replicas == NULL ||
                      strcmp(group->standby_replicas, b->standby_replicas) != 0;
    b->epoch = group->epoch;
    if (b->has_changed)
        streams_record_epoch(b->shard->shard, group->base.id, ++b->epoch, b->hash,
                             b->validated_topology_epoch, b->standby_replicas);
    return standby_replicas;
}

static void update_target(struct beat *b, int32_t standby_replicas)
{
    struct streams_group *group = b->group;
    b->is_first_delayed =
        group->members_count == 0 && setting(b, GROUP_STREAMS_INITIAL_REBALANCE_DELAY_MS) > 0;
    b->target_epoch = group->assignment_epoch;
    b->target = &streams_assignment_none;
    if (b->is_first_delayed || streams_session_is_delayed(group)) {
        add_status(b, STREAMS_ASSIGNMENT_DELAYED,
                   "Assignment delayed due to the configured initial rebalance delay.");
        return;
    }
    if (b->member != NULL && b->member->target != NULL)
        b->target = b->member->target;
    if (group->assignment_epoch >= b->epoch)
        return;
    if (!streams_target_is_due(group)) {
        add_status(b, STREAMS_ASSIGNMENT_DELAYED,
                   "Assignment delayed due to the configured assignment interval.");
        return;
    }
    b->target_epoch = b->epoch;
    b->target =
        streams_target_update(&(struct streams_target){ .group = group,
                                                        .epoch = b->epoch,
                                                        .configured = group->configured,
                                                        .standby_replicas = standby_replicas,
                                                        .member_id = b->request->member_id,
                                                        .metadata = &b->updated },
                              b->arena);
}

static bool reconcile(struct beat *b)
{
    const struct streams_group_heartbeat_request *request = b->request;
    struct streams_assignment owned;
    struct streams_reconcile input = { .group = b->group,
                                       .process_id = b->updated.process_id,
                                       .target_epoch = b->target_epoch,
                                       .target = b->target };
    if (streams_current_is_reconciled(&b->current, b->target_epoch))
        return true;
    if (request->active_tasks_count >= 0 && request->standby_tasks_count >= 0 &&
        request->warmup_tasks_count >= 0) {
        STREAMS_TASKS_FROM(owned.kinds[STREAMS_ACTIVE], request->active_tasks,
                           request->active_tasks_count, b->arena);
        STREAMS_TASKS_FROM(owned.kinds[STREAMS_STANDBY], request->standby_tasks,
                           request->standby_tasks_count, b->arena);
        STREAMS_TASKS_FROM(owned.kinds[STREAMS_WARMUP], request->warmup_tasks,
                           request->warmup_tasks_count, b->arena);
        input.owned = &owned;
    }
    struct streams_current before = b->current;
    if (!streams_reconcile(&input, &b->current, b->arena))
        return REFUSE(b, KERR_FENCED_MEMBER_EPOCH,
                      "The streams group member is in a unknown state. The member must abandon all "
                      "its tasks and rejoin.");
    b->has_new_current = !streams_current_equal(&before, &b->current);
    if (b->has_new_current)
        streams_record_current(b->shard->shard, b->group->base.id, request->member_id, &b->current);
    return true;
}

// ---- the answer ------------------------------------------------------------------------------------

// In the order of Java's HashMap by sub-topology.
static struct streams_group_heartbeat_response_task_ids *
answer_tasks(struct beat *b, enum streams_task_kind kind, int32_t *count)
{
    const struct streams_task_ids *ids =
        streams_tasks_group(&b->current.assigned->kinds[kind], count, b->arena);
    struct streams_group_heartbeat_response_task_ids *out =
        arena_array(b->arena, struct streams_group_heartbeat_response_task_ids, *count + 1);
    int32_t *hashes = arena_array(b->arena, int32_t, *count + 1);
    for (int32_t i = 0; i < *count; i++)
        hashes[i] = str_java_hash(ids[i].subtopology);
    const size_t *order =
        java_order(hashes, (size_t)*count, java_buckets_grown((size_t)*count), b->arena);
    for (int32_t i = 0; i < *count; i++) {
        out[i].subtopology_id = arena_str(b->arena, ids[order[i]].subtopology);
        out[i].partitions = ids[order[i]].partitions;
        out[i].partitions_count = ids[order[i]].count;
    }
    return out;
}

static bool has_new_tasks(const struct beat *b)
{
    return b->request->member_epoch == 0 || b->member == NULL ||
           !streams_assignment_equal(b->member->current.assigned, b->current.assigned, true);
}

static bool answer(struct beat *b)
{
    struct streams_group *group = b->group;
    struct streams_group_heartbeat_response *response = b->response;
    response->member_id = b->request->member_id;
    response->member_epoch = b->current.epoch;
    response->heartbeat_interval_ms = setting(b, GROUP_STREAMS_HEARTBEAT_INTERVAL_MS);
    if (has_new_tasks(b)) {
        response->active_tasks = answer_tasks(b, STREAMS_ACTIVE, &response->active_tasks_count);
        response->standby_tasks = answer_tasks(b, STREAMS_STANDBY, &response->standby_tasks_count);
        response->warmup_tasks = answer_tasks(b, STREAMS_WARMUP, &response->warmup_tasks_count);
        group->endpoint_epoch += b->updated.user_endpoint != NULL;
    }
    if (group->endpoint_epoch != b->request->endpoint_information_epoch &&
        !streams_describe_endpoints(group, b->request->member_id, &b->updated, b->current.assigned,
                                    response, b->arena))
        return refuse(b, KERR_UNKNOWN_SERVER_ERROR, NULL);
    if (!b->is_new_group) // that of a new group is not kept
        response->endpoint_information_epoch = group->endpoint_epoch;
    const struct streams_configured *configured = group->configured;
    if (!configured->is_ready)
        add_status(b, configured->status, arena_str(b->arena, configured->detail).data);
    const char *shutdown = group->shutdown_member;
    char *asked = shutdown == NULL && b->request->shutdown_application
                      ? (char *)(uintptr_t)arena_str(b->arena, b->request->member_id).data
                      : NULL;
    if (shutdown != NULL || asked != NULL)
        add_status(b, STREAMS_SHUTDOWN_APPLICATION,
                   arena_printf(b->arena,
                                "Streams group member %s encountered a fatal error and requested a "
                                "shutdown for the entire application.",
                                shutdown != NULL ? shutdown : asked));
    if (!configured->is_ready)
        streams_new_topics_of(configured, b->topics, b->arena);
    return true;
}

// ---- the whole -------------------------------------------------------------------------------------

static bool evaluate(struct beat *b, struct str client_id, struct str client_host)
{
    if (!find_group(b) || !find_member(b) || !update_member(b, client_id, client_host) ||
        !update_topology(b))
        return false;
    tell_stale(b);
    if (!look_at_topics(b) || !validate_topology(b))
        return false;
    update_target(b, update_epoch(b));
    return reconcile(b) && answer(b);
}

// What the member and the group have in memory only.
static void follow_up(struct beat *b)
{
    struct streams_group *group =
        streams_group_of(group_shard_find(b->shard, b->request->group_id));
    struct streams_member *member =
        group != NULL ? streams_group_find(group, b->request->member_id) : NULL;
    if (member == NULL)
        return;
    streams_session_renew(member);
    if (b->has_new_current) // else the time that it has runs on
        streams_session_watch_revocation(member);
    if (b->is_first_delayed)
        streams_session_delay(group, setting(b, GROUP_STREAMS_INITIAL_REBALANCE_DELAY_MS));
    if (b->request->shutdown_application && !b->is_new_group && group->shutdown_member == NULL)
        group->shutdown_member = str_dup(b->request->member_id);
}

void streams_beat(struct group_shard *shard, const struct streams_group_heartbeat_request *request,
                  struct str client_id, struct str client_host,
                  struct streams_group_heartbeat_response *response,
                  struct streams_new_topics *topics, struct arena *arena)
{
    struct beat b = {
        .shard = shard, .request = request, .response = response, .topics = topics, .arena = arena
    };
    *topics = (struct streams_new_topics){ 0 };
    response->status =
        arena_array(arena, struct streams_group_heartbeat_response_status, STATUSES_MAX);
    response->status_count = 0;
    if (request->member_epoch == EPOCH_LEAVE || request->member_epoch == EPOCH_LEAVE_STATIC) {
        leave(&b);
        return;
    }
    enum kafka_error error = KERR_NONE;
    bool is_done = evaluate(&b, client_id, client_host);
    if (is_done)
        error = coordinator_append(shard->shard, true);
    else
        coordinator_discard(shard->shard);
    if (!is_done || error != KERR_NONE) {
        int16_t code = is_done ? (int16_t)error : response->error_code;
        struct str message = is_done ? STR_NULL : response->error_message;
        message_init(&streams_group_heartbeat_response_desc, response);
        response->error_code = code;
        response->error_message = message;
        *topics = (struct streams_new_topics){ 0 };
    } else {
        follow_up(&b);
    }
    if (b.is_new_group && b.group != NULL)
        streams_group_free(b.group);
}
