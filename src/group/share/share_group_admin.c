// SPDX-License-Identifier: Apache-2.0
// See the header. The texts of errors are Kafka's.
// Tested by group/share/share_group_test.c and compat-tests/twin/share.
#include "group/share/share_group_admin.h"

#include "base/mem.h"
#include "group/share/share_group_records.h"
#include "protocol/error_message.h"

// ---- describe --------------------------------------------------------------------------------------

static void describe_member(const struct group_shard *shard, const struct share_member *member,
                            struct share_group_describe_response_member *out, struct arena *arena)
{
    out->member_id = arena_strz(arena, member->id);
    out->rack_id = arena_strz(arena, member->rack);
    out->member_epoch = member->epoch;
    out->client_id = arena_strz(arena, member->client_id);
    out->client_host = arena_strz(arena, member->client_host);
    out->subscribed_topic_names = arena_array(arena, struct str, member->topics_count);
    out->subscribed_topic_names_count = member->topics_count;
    for (int32_t i = 0; i < member->topics_count; i++)
        out->subscribed_topic_names[i] = arena_strz(arena, member->topics[i]);
    struct share_group_describe_response_topic_partitions *to = arena_array(
        arena, struct share_group_describe_response_topic_partitions, member->assigned.count);
    out->assignment.topic_partitions = to;
    topic_index_lock_read(shard->topics);
    for (size_t i = 0; i < member->assigned.count; i++) {
        const struct share_topic *topic = &member->assigned.items[i];
        const struct indexed_topic *known = topic_index_find_by_id(shard->topics, topic->id);
        if (known == NULL)
            continue;
        to->topic_id = topic->id;
        to->topic_name = arena_str(arena, known->name);
        to->partitions_count = topic->count;
        to->partitions =
            arena_dup(arena, topic->partitions, (size_t)topic->count * sizeof *topic->partitions);
        to++;
        out->assignment.topic_partitions_count++;
    }
    topic_index_unlock(shard->topics);
}

void share_group_describe(const struct group_shard *shard, struct str id,
                          struct share_group_describe_response_described_group *out,
                          struct arena *arena)
{
    struct group *any = group_shard_find(shard, id);
    const struct share_group *group = share_group_of(any);
    out->group_id = id;
    if (group == NULL) {
        out->error_code = KERR_GROUP_ID_NOT_FOUND;
        out->error_message = str_of(arena_printf(
            arena, any == NULL ? "Group %.*s not found." : "Group %.*s is not a share group.",
            STR_ARG(id)));
        return;
    }
    out->group_state = str_of(share_group_state_name(group));
    out->group_epoch = group->epoch;
    out->assignment_epoch = group->assignment_epoch;
    out->assignor_name = str_of("simple");
    out->members =
        arena_array(arena, struct share_group_describe_response_member, group->members_count + 1);
    struct timeline_entry *entries =
        arena_array(arena, struct timeline_entry, group->members_count + 1);
    size_t count = 0;
    struct share_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (member->is_known)
            entries[count++] =
                (struct timeline_entry){ str_java_hash(str_of(member->id)), member->place, member };
    timeline_sort(&group->order, entries, count);
    for (size_t i = 0; i < count; i++)
        describe_member(shard, entries[i].value, &out->members[out->members_count++], arena);
}

// ---- alter -----------------------------------------------------------------------------------------

// The answer of a topic, which may be named more than once, with room for so many more partitions.
static struct alter_share_group_offsets_response_topic *
altered_topic(struct alter_share_group_offsets_response *response, struct str name, int32_t more,
              struct arena *arena)
{
    struct alter_share_group_offsets_response_topic *topic = response->responses;
    int32_t left = response->responses_count;
    while (left > 0 && !str_eq(topic->topic_name, name))
        topic++, left--;
    if (left == 0) {
        response->responses_count++;
        topic->topic_name = name;
    }
    struct alter_share_group_offsets_response_partition *partitions = arena_array(
        arena, struct alter_share_group_offsets_response_partition, topic->partitions_count + more);
    if (topic->partitions_count > 0)
        memcpy(partitions, topic->partitions, (size_t)topic->partitions_count * sizeof *partitions);
    topic->partitions = partitions;
    return topic;
}

static void alter_topic(struct group_shard *shard,
                        const struct alter_share_group_offsets_request_topic *topic,
                        struct alter_share_group_offsets_response_topic *out,
                        struct share_topics *altered)
{
    topic_index_lock_read(shard->topics);
    const struct indexed_topic *known = topic_index_find(shard->topics, topic->topic_name);
    if (known != NULL)
        out->topic_id = known->id;
    struct share_topic *into =
        known != NULL ? share_topics_get(altered, known->id, known->name) : NULL;
    for (int32_t p = 0; p < topic->partitions_count; p++) {
        struct alter_share_group_offsets_response_partition *answer =
            &out->partitions[out->partitions_count++];
        answer->partition_index = topic->partitions[p].partition_index;
        if (known != NULL && answer->partition_index < known->partitions_count) {
            share_topic_add(into, answer->partition_index);
            continue;
        }
        answer->error_code = KERR_UNKNOWN_TOPIC_OR_PARTITION;
        answer->error_message = str_of(kafka_error_message(KERR_UNKNOWN_TOPIC_OR_PARTITION));
    }
    topic_index_unlock(shard->topics);
}

// The words with which Kafka's persister refuses a negative partition; NULL: there is none. Kafka has written by then
// that its state is being begun, which no deletion of the group can end; here nothing is written.
static char *negative_partition(const struct share_topics *altered, struct str group,
                                struct arena *arena)
{
    char id[UUID_TEXT_SIZE];
    for (size_t t = 0; t < altered->count; t++) {
        const struct share_topic *topic = &altered->items[t];
        if (topic->count == 0 || topic->partitions[0] >= 0) // they ascend
            continue;
        uuid_format(topic->id, id);
        return arena_printf(
            arena, "Initialize share group parameters has invalid partitionId - %.*s %s %d",
            STR_ARG(group), id, topic->partitions[0]);
    }
    return NULL;
}

static int64_t offset_of(const struct alter_share_group_offsets_request *request, const char *name,
                         int32_t partition)
{
    int64_t offset = -1;
    for (int32_t t = 0; t < request->topics_count; t++)
        for (int32_t p = 0; p < request->topics[t].partitions_count; p++)
            if (str_eqz(request->topics[t].topic_name, name) &&
                request->topics[t].partitions[p].partition_index == partition)
                offset = request->topics[t].partitions[p].start_offset;
    return offset;
}

static void fill_offsets(const struct alter_share_group_offsets_request *request,
                         struct share_init *init)
{
    size_t count = 0, at = 0;
    for (size_t t = 0; t < init->topics.count; t++)
        count += (size_t)init->topics.items[t].count;
    init->start_offsets = mem_alloc((count + 1) * sizeof *init->start_offsets);
    for (size_t t = 0; t < init->topics.count; t++) {
        const struct share_topic *topic = &init->topics.items[t];
        for (int32_t p = 0; p < topic->count; p++)
            init->start_offsets[at++] = offset_of(request, topic->name, topic->partitions[p]);
    }
}

static void refuse_alter(struct alter_share_group_offsets_response *response,
                         enum kafka_error error, const char *message)
{
    message_init(&alter_share_group_offsets_response_desc, response);
    response->error_code = (int16_t)error;
    response->error_message = str_of(message);
}

void share_group_alter_offsets(struct group_shard *shard,
                               const struct alter_share_group_offsets_request *request,
                               struct alter_share_group_offsets_response *response,
                               struct arena *arena, struct share_init *init)
{
    struct group *any = group_shard_find(shard, request->group_id);
    struct share_group *group = share_group_of(any);
    if (any != NULL && group == NULL) {
        response->error_code = KERR_GROUP_ID_NOT_FOUND;
        response->error_message = str_of(
            arena_printf(arena, "Group %.*s is not a share group.", STR_ARG(request->group_id)));
        return;
    }
    if (group != NULL && group->members_count > 0) {
        response->error_code = KERR_NON_EMPTY_GROUP;
        response->error_message = str_of(kafka_error_message(KERR_NON_EMPTY_GROUP));
        return;
    }
    if (group == NULL)
        group = share_group_new(shard, request->group_id);
    response->responses =
        arena_array(arena, struct alter_share_group_offsets_response_topic, request->topics_count);
    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct alter_share_group_offsets_request_topic *topic = &request->topics[t];
        alter_topic(shard, topic,
                    altered_topic(response, topic->topic_name, topic->partitions_count, arena),
                    &init->topics);
    }
    const char *wrong = negative_partition(&init->topics, request->group_id, arena);
    if (wrong != NULL) {
        if (any == NULL)
            share_group_free(group);
        share_topics_fini(&init->topics);
        refuse_alter(response, KERR_UNKNOWN_SERVER_ERROR, wrong);
        return;
    }
    for (size_t t = 0; t < init->topics.count; t++)
        init->topics.items[t].since_ms = coordinator_wall_ms(shard->shard);
    init->state_epoch = group->epoch;
    fill_offsets(request, init);
    if (init->topics.count > 0)
        share_init_add_record(group, &init->topics);
    if (any == NULL)
        share_group_free(group);
    enum kafka_error error = coordinator_append(shard->shard, true);
    if (error == KERR_NONE)
        return;
    share_topics_fini(&init->topics);
    refuse_alter(response, error, NULL);
}

void share_group_offsets_altered(const struct share_init *init,
                                 struct alter_share_group_offsets_response *response)
{
    for (int32_t i = 0; i < init->count; i++) {
        const struct share_state_call *call = &init->calls[i].call;
        for (int32_t t = 0; call->error != KERR_NONE && t < response->responses_count; t++) {
            struct alter_share_group_offsets_response_topic *topic = &response->responses[t];
            for (int32_t p = 0; p < topic->partitions_count; p++) {
                if (!uuid_eq(topic->topic_id, call->topic_id) ||
                    topic->partitions[p].partition_index != call->partition)
                    continue;
                topic->partitions[p].error_code = (int16_t)call->error;
                topic->partitions[p].error_message = call->error_message;
            }
        }
    }
}

// ---- delete ----------------------------------------------------------------------------------------

static struct delete_share_group_offsets_response_topic *
add_answer(struct delete_share_group_offsets_response *response, struct str name,
           enum kafka_error error, const char *message)
{
    struct delete_share_group_offsets_response_topic *out =
        &response->responses[response->responses_count++];
    *out = (struct delete_share_group_offsets_response_topic){ .topic_name = name,
                                                               .error_code = (int16_t)error,
                                                               .error_message = str_of(message) };
    return out;
}

static void add_all_partitions(struct share_topics *into, const struct indexed_topic *topic)
{
    struct share_topic *to = share_topics_get(into, topic->id, topic->name);
    for (int32_t p = 0; p < topic->partitions_count; p++)
        share_topic_add(to, p);
}

// Under the lock of the topics: where the topic goes.
static void delete_topic(const struct group_shard *shard, struct str name,
                         struct share_topics *initialized, struct share_topics *deleting,
                         struct delete_share_group_offsets_response *response,
                         struct share_topics *chosen)
{
    const struct indexed_topic *known = topic_index_find(shard->topics, name);
    if (known == NULL) {
        add_answer(response, name, KERR_UNKNOWN_TOPIC_OR_PARTITION,
                   kafka_error_message(KERR_UNKNOWN_TOPIC_OR_PARTITION));
        return;
    }
    const struct share_topic *has = share_topics_find(initialized, known->id);
    if (has != NULL) {
        struct share_topic *to = share_topics_get(chosen, known->id, known->name);
        for (int32_t p = 0; p < has->count; p++)
            share_topic_add(to, has->partitions[p]);
        share_topics_remove(initialized, known->id);
        share_topics_get(deleting, known->id, known->name);
    } else if (share_topics_find(deleting, known->id) != NULL) {
        add_all_partitions(chosen, known);
    } else {
        add_answer(response, name, KERR_UNKNOWN_TOPIC_OR_PARTITION,
                   "There is no offset information to delete.");
    }
}

void share_group_delete_offsets(struct group_shard *shard,
                                const struct delete_share_group_offsets_request *request,
                                struct delete_share_group_offsets_response *response,
                                struct arena *arena, struct share_init *init)
{
    struct group *any = group_shard_find(shard, request->group_id);
    struct share_group *group = share_group_of(any);
    if (group == NULL) {
        response->error_code = KERR_GROUP_ID_NOT_FOUND;
        response->error_message = str_of(arena_printf(
            arena, any == NULL ? "Group %.*s not found." : "Group %.*s is not a share group.",
            STR_ARG(request->group_id)));
        return;
    }
    if (group->members_count > 0) {
        response->error_code = KERR_NON_EMPTY_GROUP;
        response->error_message = str_of(kafka_error_message(KERR_NON_EMPTY_GROUP));
        return;
    }
    response->responses =
        arena_array(arena, struct delete_share_group_offsets_response_topic, request->topics_count);
    if (!group->has_state)
        return;
    struct share_topics initialized = share_topics_copy(&group->initialized);
    struct share_topics deleting = share_topics_copy(&group->deleting);
    topic_index_lock_read(shard->topics);
    for (int32_t t = 0; t < request->topics_count; t++)
        delete_topic(shard, request->topics[t].topic_name, &initialized, &deleting, response,
                     &init->topics);
    topic_index_unlock(shard->topics);
    share_group_record_state(shard->shard, group->base.id, &group->initializing, &initialized,
                             &deleting);
    share_topics_fini(&initialized);
    share_topics_fini(&deleting);
    enum kafka_error error = coordinator_append(shard->shard, true);
    if (error == KERR_NONE)
        return;
    share_topics_fini(&init->topics);
    message_init(&delete_share_group_offsets_response_desc, response);
    response->error_code = (int16_t)error;
}

void share_group_offsets_deleted(struct share_init *init, struct group_shard *shard,
                                 struct delete_share_group_offsets_response *response,
                                 struct arena *arena)
{
    struct share_group *group =
        shard != NULL ? share_group_of(group_shard_find(shard, str_of(init->group))) : NULL;
    struct share_topics deleting = { 0 };
    if (group != NULL)
        deleting = share_topics_copy(&group->deleting);
    bool has_deleted = false;
    for (size_t t = 0; t < init->topics.count; t++) {
        enum kafka_error error = share_init_topic_error(init, t);
        struct delete_share_group_offsets_response_topic *out =
            add_answer(response, arena_strz(arena, init->topics.items[t].name), error, NULL);
        out->topic_id = init->topics.items[t].id;
        if (error != KERR_NONE)
            continue;
        share_topics_remove(&deleting, init->topics.items[t].id);
        has_deleted = true;
    }
    if (group != NULL && has_deleted) {
        share_group_record_state(shard->shard, group->base.id, &group->initializing,
                                 &group->initialized, &deleting);
        enum kafka_error error = coordinator_append(shard->shard, true);
        if (error != KERR_NONE)
            response->error_code = (int16_t)error;
    }
    share_topics_fini(&deleting);
}

bool share_group_begin_delete(struct group_shard *shard, struct str id, struct share_init *init)
{
    struct share_group *group = share_group_of(group_shard_find(shard, id));
    if (group == NULL || group->members_count > 0 || !group->has_state)
        return false;
    share_topics_merge(&init->topics, &group->initialized);
    share_topics_merge(&init->topics, &group->initializing);
    topic_index_lock_read(shard->topics);
    for (size_t t = 0; t < group->deleting.count; t++) {
        const struct indexed_topic *known =
            topic_index_find_by_id(shard->topics, group->deleting.items[t].id);
        if (known != NULL)
            add_all_partitions(&init->topics, known);
    }
    topic_index_unlock(shard->topics);
    static const struct share_topics none = { 0 };
    share_group_record_state(shard->shard, id, &none, &none, &init->topics);
    if (coordinator_append(shard->shard, true) != KERR_NONE || init->topics.count == 0)
        return false;
    return true;
}

void share_group_forget_topics(struct share_group *group, const struct deleted_topic *topics,
                               int32_t count)
{
    bool has_any = false;
    for (int32_t i = 0; i < count; i++)
        has_any |= share_topics_find(&group->initializing, topics[i].id) != NULL ||
                   share_topics_find(&group->initialized, topics[i].id) != NULL ||
                   share_topics_find(&group->deleting, topics[i].id) != NULL;
    if (!has_any)
        return;
    struct share_topics initializing = share_topics_copy(&group->initializing);
    struct share_topics initialized = share_topics_copy(&group->initialized);
    struct share_topics deleting = share_topics_copy(&group->deleting);
    for (int32_t i = 0; i < count; i++) {
        share_topics_remove(&initializing, topics[i].id);
        share_topics_remove(&initialized, topics[i].id);
        share_topics_remove(&deleting, topics[i].id);
    }
    share_group_record_state(group->shard->shard, group->base.id, &initializing, &initialized,
                             &deleting);
    share_topics_fini(&initializing);
    share_topics_fini(&initialized);
    share_topics_fini(&deleting);
}
