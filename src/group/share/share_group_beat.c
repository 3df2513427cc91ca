// SPDX-License-Identifier: Apache-2.0
// See the header. The texts of errors are Kafka's: administrators search for them.
// Tested by group/share/share_group_test.c and compat-tests/twin/share.
#include "group/share/share_group_beat.h"

#include "base/mem.h"
#include "group/share/share_assignor.h"
#include "group/share/share_group_records.h"

enum { EPOCH_LEAVE = -1, STATE_STABLE = 0 };

// One heartbeat as it is evaluated.
struct beat {
    struct group_shard *shard;
    const struct share_group_heartbeat_request *request;
    struct share_group_heartbeat_response *response;
    struct arena *arena;
    struct share_group *group;
    struct share_member *member; // NULL: a new one
    struct share_member updated; // what it becomes; its texts are in the arena, its topics borrowed
    struct str *names;           // that the group subscribes to, with `updated`
    int32_t names_count;
    int32_t epoch; // of the group, as it becomes
    bool has_changed;
    const struct share_topics *target;
    int32_t target_epoch;
    struct share_topics assigned; // what `updated` gets
    struct share_assignor_member *all;
    size_t all_count;
};

static bool refuse(struct beat *b, enum kafka_error error, const char *message)
{
    b->response->error_code = (int16_t)error;
    b->response->error_message = str_of(message);
    return false;
}

#define REFUSE(beat, error, ...) refuse((beat), (error), arena_printf((beat)->arena, __VA_ARGS__))

// ---- sessions and leaving --------------------------------------------------------------------------

void share_group_renew_session(struct share_member *member)
{
    struct group_shard *shard = member->group->shard;
    int32_t ms =
        group_settings_int(shard->settings, member->group->base.id, GROUP_SHARE_SESSION_TIMEOUT_MS);
    coordinator_set_timer(shard->shard, &member->session,
                          coordinator_now_us(shard->shard) + (int64_t)ms * 1000);
}

static enum kafka_error remove_member(struct share_group *group, struct share_member *member)
{
    struct coordinator_shard *shard = group->shard->shard;
    struct str id = group->base.id;
    struct arena arena;
    int32_t count;
    arena_init(&arena);
    struct str *names = share_group_subscriptions(group, member, NULL, &arena, &count);
    int64_t hash = share_group_hash(group, names, count, &arena);
    arena_fini(&arena);
    share_group_record_tombstone(shard, GROUP_RECORD_SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT, id,
                                 str_of(member->id));
    share_group_record_tombstone(shard, GROUP_RECORD_SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER, id,
                                 str_of(member->id));
    share_group_record_tombstone(shard, GROUP_RECORD_SHARE_GROUP_MEMBER_METADATA, id,
                                 str_of(member->id));
    share_group_record_epoch(shard, id, group->epoch + 1, hash);
    return coordinator_append(shard, true);
}

void share_group_session_over(struct timer *timer)
{
    struct share_member *member = container_of(timer, struct share_member, session);
    struct share_group *group = member->group;
    trace_info(group->shard->trace, "share group member expired group=\"%.*s\" member=\"%s\"",
               STR_ARG(group->base.id), member->id);
    if (remove_member(group, member) != KERR_NONE)
        share_group_renew_session(member); // tried again
}

static void leave(struct beat *b)
{
    const struct share_group_heartbeat_request *request = b->request;
    struct group *any = group_shard_find(b->shard, request->group_id);
    b->group = share_group_of(any);
    if (b->group == NULL) {
        REFUSE(b, KERR_GROUP_ID_NOT_FOUND,
               any == NULL ? "Group %.*s not found." : "Group %.*s is not a share group.",
               STR_ARG(request->group_id));
        return;
    }
    struct share_member *member = share_group_find(b->group, request->member_id);
    if (member == NULL || !member->is_known) {
        REFUSE(b, KERR_UNKNOWN_MEMBER_ID, "Member %.*s is not a member of group %.*s.",
               STR_ARG(request->member_id), STR_ARG(request->group_id));
        return;
    }
    enum kafka_error error = remove_member(b->group, member);
    if (error != KERR_NONE) {
        refuse(b, error, NULL);
        return;
    }
    b->response->member_id = request->member_id;
    b->response->member_epoch = request->member_epoch;
}

// ---- who sends it ----------------------------------------------------------------------------------

static bool check_epoch(struct beat *b)
{
    int32_t received = b->request->member_epoch;
    if (received == 0 || received == b->member->epoch)
        return true;
    if (received > b->member->epoch)
        return REFUSE(
            b, KERR_FENCED_MEMBER_EPOCH,
            "The share group member has a greater member epoch (%d) than the one known by "
            "the group coordinator (%d). The member must abandon all its partitions and "
            "rejoin.",
            received, b->member->epoch);
    return received == b->member->previous_epoch ||
           REFUSE(
               b, KERR_FENCED_MEMBER_EPOCH,
               "The share group member has a smaller member epoch (%d) than the one known by the "
               "group coordinator (%d), and it does not match the previous member epoch (%d). "
               "The member must abandon all its partitions and rejoin.",
               received, b->member->epoch, b->member->previous_epoch);
}

static bool find_member(struct beat *b)
{
    const struct share_group_heartbeat_request *request = b->request;
    struct group *any = group_shard_find(b->shard, request->group_id);
    bool may_join = request->member_epoch == 0;
    if (any == NULL && !may_join)
        return REFUSE(b, KERR_GROUP_ID_NOT_FOUND, "Share group %.*s not found.",
                      STR_ARG(request->group_id));
    if (any != NULL && any->type != GROUP_SHARE)
        return REFUSE(b, KERR_GROUP_ID_NOT_FOUND, "Group %.*s is not a share group.",
                      STR_ARG(request->group_id));
    b->group = any != NULL ? share_group_of(any) : share_group_new(b->shard, request->group_id);
    struct share_member *member = share_group_find(b->group, request->member_id);
    b->member = member != NULL && member->is_known ? member : NULL;
    int32_t most = b->shard->config->share_max_size;
    if (b->member == NULL && b->group->members_count >= most)
        return REFUSE(b, KERR_GROUP_MAX_SIZE_REACHED,
                      "The share group has reached its maximum capacity of %d members.", most);
    if (b->member == NULL && !may_join)
        return REFUSE(b, KERR_UNKNOWN_MEMBER_ID, "Member %.*s is not a member of group %.*s.",
                      STR_ARG(request->member_id), STR_ARG(request->group_id));
    return b->member == NULL || check_epoch(b);
}

static char *text(struct beat *b, struct str s)
{
    return str_is_null(s) ? NULL : (char *)(uintptr_t)arena_str(b->arena, s).data;
}

// What the member becomes by what it says, before anything is assigned. Whether its subscription changed.
static bool update_member(struct beat *b, struct str client_id, struct str client_host)
{
    const struct share_group_heartbeat_request *request = b->request;
    const struct share_member *member = b->member;
    struct share_member *updated = &b->updated;
    *updated = (struct share_member){ .group = b->group,
                                      .id = text(b, request->member_id),
                                      .client_id = text(b, client_id),
                                      .client_host = text(b, client_host) };
    if (member != NULL) {
        updated->rack = member->rack;
        updated->epoch = member->epoch;
        updated->previous_epoch = member->previous_epoch;
        updated->state = member->state;
    }
    if (!str_is_null(request->rack_id))
        updated->rack = text(b, request->rack_id);
    if (request->subscribed_topic_names_count >= 0) {
        share_member_subscribe(updated, request->subscribed_topic_names,
                               request->subscribed_topic_names_count);
    } else if (member != NULL) {
        struct str *names = arena_array(b->arena, struct str, member->topics_count + 1);
        for (int32_t i = 0; i < member->topics_count; i++)
            names[i] = str_of(member->topics[i]);
        share_member_subscribe(updated, names, member->topics_count);
    }
    bool has_other_topics = member == NULL || updated->topics_count != member->topics_count;
    for (int32_t i = 0; !has_other_topics && i < updated->topics_count; i++)
        has_other_topics = strcmp(updated->topics[i], member->topics[i]) != 0;
    if (member == NULL || has_other_topics ||
        !str_eq(str_of(updated->rack), str_of(member->rack)) ||
        strcmp(updated->client_id, member->client_id) != 0 ||
        strcmp(updated->client_host, member->client_host) != 0)
        share_group_record_member(b->shard->shard, b->group->base.id, updated);
    return has_other_topics;
}

// ---- the group's epoch -----------------------------------------------------------------------------

static bool is_subscribed(const struct beat *b, const char *name)
{
    for (int32_t i = 0; name != NULL && i < b->names_count; i++)
        if (str_eqz(b->names[i], name))
            return true;
    return false;
}

static bool is_assigned_to_any(const struct share_group *group, struct uuid topic,
                               int32_t partition)
{
    struct share_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (share_topic_has(share_topics_find(&member->target, topic), partition))
            return true;
    return false;
}

// Partitions whose state was begun since the last assignment.
static bool has_unassigned(const struct beat *b)
{
    const struct share_group *group = b->group;
    if (group->members_count == 0)
        return false;
    for (size_t t = 0; t < group->initialized.count; t++) {
        const struct share_topic *topic = &group->initialized.items[t];
        if (!is_subscribed(b, topic->name))
            continue;
        for (int32_t p = 0; p < topic->count; p++)
            if (!is_assigned_to_any(group, topic->id, topic->partitions[p]))
                return true;
    }
    return false;
}

static int64_t topics_version(const struct beat *b)
{
    topic_index_lock_read(b->shard->topics);
    int64_t version = b->shard->topics->version;
    topic_index_unlock(b->shard->topics);
    return version;
}

static void update_epoch(struct beat *b, bool has_other_topics)
{
    struct share_group *group = b->group;
    int64_t version = topics_version(b);
    b->epoch = group->epoch;
    b->has_changed = has_other_topics;
    b->names = share_group_subscriptions(group, NULL, NULL, b->arena, &b->names_count);
    if (group->assignment_epoch >= group->epoch)
        b->has_changed |= has_unassigned(b);
    if (!b->has_changed && group->seen_version == version)
        return;
    b->names = share_group_subscriptions(group, b->member, &b->updated, b->arena, &b->names_count);
    int64_t hash = share_group_hash(group, b->names, b->names_count, b->arena);
    b->has_changed |= hash != group->metadata_hash;
    group->seen_version = version;
    if (b->has_changed)
        share_group_record_epoch(b->shard->shard, group->base.id, ++b->epoch, hash);
}

// ---- assigning -------------------------------------------------------------------------------------

static void fill_assignor_member(struct beat *b, struct share_assignor_member *into,
                                 const struct share_member *member,
                                 const struct share_topics *former)
{
    struct uuid *topics = arena_array(b->arena, struct uuid, member->topics_count + 1);
    into->id = str_of(member->id);
    into->topics = topics;
    into->former = former;
    for (int32_t i = 0; i < member->topics_count; i++) {
        const struct indexed_topic *topic =
            topic_index_find(b->shard->topics, str_of(member->topics[i]));
        if (topic != NULL)
            topics[into->topics_count++] = topic->id;
    }
}

static bool is_homogeneous(const struct beat *b, int32_t members)
{
    for (int32_t i = 0; i < b->names_count; i++) {
        struct share_member *at;
        int32_t count = 0;
        for (size_t m = 0; (at = hashmap_next(&b->group->members, &m)) != NULL;)
            for (int32_t t = 0; at != b->member && at->is_known && t < at->topics_count; t++)
                count += str_eqz(b->names[i], at->topics[t]);
        for (int32_t t = 0; t < b->updated.topics_count; t++)
            count += str_eqz(b->names[i], b->updated.topics[t]);
        if (count != members)
            return false;
    }
    return true;
}

static bool is_due(const struct beat *b)
{
    int64_t interval = group_settings_int(b->shard->settings, b->group->base.id,
                                          GROUP_SHARE_ASSIGNMENT_INTERVAL_MS);
    return b->group->assignment_ms == 0 || interval == 0 ||
           coordinator_wall_ms(b->shard->shard) >= b->group->assignment_ms + interval;
}

static void record_targets(struct beat *b)
{
    struct coordinator_shard *shard = b->shard->shard;
    for (size_t i = 0; i < b->all_count; i++) {
        const struct share_assignor_member *at = &b->all[i];
        const struct share_member *member = share_group_find(b->group, at->id);
        if (member == NULL || !member->has_target ||
            !share_topics_equal(&member->target, &at->assigned))
            share_group_record_target(shard, b->group->base.id, at->id, &at->assigned);
        if (str_eqz(at->id, b->updated.id))
            b->target = &at->assigned;
    }
    share_group_record_target_epoch(shard, b->group->base.id, b->epoch, coordinator_wall_ms(shard));
}

static void assign(struct beat *b)
{
    static const struct share_topics none = { 0 };
    struct share_group *group = b->group;
    b->target = b->member != NULL ? &b->member->target : &none;
    b->target_epoch = group->assignment_epoch;
    if (group->assignment_epoch >= b->epoch || !is_due(b))
        return;
    int32_t members = group->members_count + (b->member == NULL);
    b->all = arena_array(b->arena, struct share_assignor_member, members);
    struct share_member *member;
    topic_index_lock_read(b->shard->topics);
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (member->is_known && member != b->member)
            fill_assignor_member(b, &b->all[b->all_count++], member, &member->target);
    fill_assignor_member(b, &b->all[b->all_count++], &b->updated, b->target);
    topic_index_unlock(b->shard->topics);
    share_assignor_sort(b->all, b->all_count);
    share_assign(b->all, b->all_count, is_homogeneous(b, members), &group->initialized);
    b->target_epoch = b->epoch;
    record_targets(b);
}

// The member goes to its target, without topics that it does not subscribe to.
static void reconcile(struct beat *b)
{
    struct share_member *updated = &b->updated;
    if (b->member != NULL)
        b->assigned = share_topics_copy(&b->member->assigned);
    updated->assigned = b->assigned;
    bool has_new_epoch = b->target_epoch != updated->epoch;
    if (!b->has_changed && !has_new_epoch && updated->state == STATE_STABLE)
        return;
    if (has_new_epoch || b->has_changed) {
        share_topics_fini(&b->assigned);
        topic_index_lock_read(b->shard->topics);
        for (size_t i = 0; i < b->target->count; i++) {
            const struct share_topic *topic = &b->target->items[i];
            const struct indexed_topic *known = topic_index_find_by_id(b->shard->topics, topic->id);
            bool is_wanted = false;
            for (int32_t t = 0; known != NULL && t < updated->topics_count; t++)
                is_wanted |= str_eqz(known->name, updated->topics[t]);
            struct share_topic *to =
                is_wanted ? share_topics_get(&b->assigned, topic->id, STR_NULL) : NULL;
            for (int32_t p = 0; to != NULL && p < topic->count; p++)
                share_topic_add(to, topic->partitions[p]);
        }
        topic_index_unlock(b->shard->topics);
        updated->assigned = b->assigned;
    }
    if (has_new_epoch) {
        updated->state = STATE_STABLE;
        updated->previous_epoch = updated->epoch;
        updated->epoch = b->target_epoch;
    }
    if (b->member == NULL || has_new_epoch ||
        !share_topics_equal(&b->member->assigned, &b->assigned))
        share_group_record_current(b->shard->shard, b->group->base.id, updated);
}

// ---- the answer ------------------------------------------------------------------------------------

static void answer(struct beat *b, bool is_told)
{
    struct share_group_heartbeat_response *response = b->response;
    response->member_id = arena_strz(b->arena, b->updated.id);
    response->member_epoch = b->updated.epoch;
    response->heartbeat_interval_ms = group_settings_int(b->shard->settings, b->group->base.id,
                                                         GROUP_SHARE_HEARTBEAT_INTERVAL_MS);
    if (!is_told)
        return;
    response->assignment = arena_new(b->arena, struct share_group_heartbeat_response_assignment);
    response->assignment->topic_partitions = arena_array(
        b->arena, struct share_group_heartbeat_response_topic_partitions, b->assigned.count);
    response->assignment->topic_partitions_count = (int32_t)b->assigned.count;
    for (size_t i = 0; i < b->assigned.count; i++) {
        const struct share_topic *topic = &b->assigned.items[i];
        struct share_group_heartbeat_response_topic_partitions *to =
            &response->assignment->topic_partitions[i];
        to->topic_id = topic->id;
        to->partitions_count = topic->count;
        to->partitions = arena_dup(b->arena, topic->partitions,
                                   (size_t)topic->count * sizeof *topic->partitions);
    }
}

static void evaluate(struct beat *b, struct str client_id, struct str client_host,
                     struct share_init *init)
{
    bool has_other_topics = update_member(b, client_id, client_host);
    update_epoch(b, has_other_topics);
    assign(b);
    reconcile(b);
    share_init_begin(b->group, b->epoch, b->names, b->names_count, init);
    bool is_told = b->request->member_epoch == 0 || b->request->subscribed_topic_names_count >= 0 ||
                   !share_topics_equal(&b->member->assigned, &b->assigned);
    answer(b, is_told);
    enum kafka_error error = coordinator_append(b->shard->shard, true);
    if (error != KERR_NONE) {
        share_topics_fini(&init->topics);
        message_init(&share_group_heartbeat_response_desc, b->response);
        refuse(b, error, NULL);
        return;
    }
    struct share_group *group = share_group_of(group_shard_find(b->shard, b->request->group_id));
    struct share_member *member =
        group != NULL ? share_group_find(group, b->request->member_id) : NULL;
    if (member == NULL)
        return;
    group->seen_version = b->group->seen_version;
    share_group_renew_session(member);
}

static void beat_fini(struct beat *b)
{
    for (int32_t i = 0; i < b->updated.topics_count; i++)
        mem_free(b->updated.topics[i]);
    mem_free(b->updated.topics);
    share_topics_fini(&b->assigned);
    for (size_t i = 0; i < b->all_count; i++)
        share_topics_fini(&b->all[i].assigned);
    bool is_new =
        b->group != NULL && group_shard_find(b->shard, b->request->group_id) != &b->group->base;
    if (is_new)
        share_group_free(b->group);
}

void share_group_beat(struct group_shard *shard,
                      const struct share_group_heartbeat_request *request, struct str client_id,
                      struct str client_host, struct share_group_heartbeat_response *response,
                      struct arena *arena, struct share_init *init)
{
    struct beat b = { .shard = shard, .request = request, .response = response, .arena = arena };
    if (request->member_epoch == EPOCH_LEAVE) {
        leave(&b);
        return;
    }
    if (find_member(&b))
        evaluate(&b, client_id, client_host, init);
    beat_fini(&b);
}
