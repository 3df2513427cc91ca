// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by group/group_coordinator_test.c and compat-tests/twin/groups.
#include "group/group_commit.h"

#include "group/classic_rebalance.h"
#include "group/group_records.h"
#include "group/streams/streams_group.h"

enum { VERSION_MEMBER_EPOCH = 9 };

// ---- who may commit --------------------------------------------------------------------------------

static enum kafka_error validate_classic(struct classic_group *group,
                                         const struct offset_commit_request *request,
                                         bool is_transactional)
{
    int32_t generation = request->generation_id_or_member_epoch;
    if (generation < 0 && group->state == CLASSIC_EMPTY)
        return KERR_NONE; // whoever assigns partitions by hand
    if (generation < 0 && request->member_id.size == 0 && str_is_null(request->group_instance_id))
        return is_transactional ? KERR_NONE
                                : KERR_UNKNOWN_MEMBER_ID; // old ones do not say who they are
    enum kafka_error error =
        classic_validate_member(group, request->member_id, request->group_instance_id);
    if (error != KERR_NONE)
        return error;
    if (generation != group->generation)
        return KERR_ILLEGAL_GENERATION;
    if (is_transactional) // neither renews the session nor cares for the rebalance
        return KERR_NONE;
    if (group->state == CLASSIC_COMPLETING_REBALANCE)
        return KERR_REBALANCE_IN_PROGRESS;
    classic_renew_session(group, classic_group_find(group, request->member_id));
    return KERR_NONE;
}

// A member whose epoch is older may still commit what it was assigned at that epoch or before (KIP-1251).
static enum kafka_error validate_older(const struct consumer_member *member,
                                       const struct offset_commit_request *request,
                                       enum kafka_error stale)
{
    const struct member_current_value *current = member->current;
    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct offset_commit_request_topic *topic = &request->topics[t];
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            int32_t partition = topic->partitions[p].partition_index;
            int32_t epoch = member_assignment_epoch(current->assigned_partitions,
                                                    current->assigned_partitions_count,
                                                    topic->topic_id, partition);
            if (epoch == -1)
                epoch = member_assignment_epoch(current->partitions_pending_revocation,
                                                current->partitions_pending_revocation_count,
                                                topic->topic_id, partition);
            if (epoch == -1 || request->generation_id_or_member_epoch < epoch)
                return stale;
        }
    }
    return KERR_NONE;
}

static enum kafka_error validate_consumer(const struct consumer_group *group,
                                          const struct offset_commit_request *request,
                                          int16_t version, bool is_transactional)
{
    int32_t epoch = request->generation_id_or_member_epoch;
    if (epoch < 0 && consumer_group_size(group) == 0)
        return KERR_NONE;
    if (is_transactional && epoch == -1 && request->member_id.size == 0 &&
        str_is_null(request->group_instance_id))
        return KERR_NONE;
    const struct consumer_member *member = consumer_group_find(group, request->member_id);
    if (member == NULL)
        return KERR_UNKNOWN_MEMBER_ID;
    bool is_classic = member_is_classic(member->metadata);
    if (!is_transactional && !is_classic && version < VERSION_MEMBER_EPOCH)
        return KERR_UNSUPPORTED_VERSION;
    enum kafka_error stale =
        is_classic || is_transactional ? KERR_ILLEGAL_GENERATION : KERR_STALE_MEMBER_EPOCH;
    if (epoch == member->current->member_epoch)
        return KERR_NONE;
    return epoch > member->current->member_epoch ? stale : validate_older(member, request, stale);
}

// The same for a member of a streams group, by its tasks.
static enum kafka_error validate_older_streams(const struct streams_group *group,
                                               const struct streams_member *member,
                                               const struct offset_commit_request *request,
                                               enum kafka_error stale)
{
    const struct streams_current *current = &member->current;
    if (group->topology == NULL)
        return stale;
    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct offset_commit_request_topic *topic = &request->topics[t];
        const struct streams_subtopology *reader =
            streams_topology_reader(group->topology, topic->name);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            int32_t partition = topic->partitions[p].partition_index;
            const struct streams_task *task =
                reader == NULL ? NULL
                               : streams_tasks_find(&current->assigned->kinds[STREAMS_ACTIVE],
                                                    reader->subtopology_id, partition);
            if (reader != NULL && task == NULL)
                task = streams_tasks_find(&current->pending->kinds[STREAMS_ACTIVE],
                                          reader->subtopology_id, partition);
            if (task == NULL || request->generation_id_or_member_epoch < task->epoch)
                return stale;
        }
    }
    return KERR_NONE;
}

static enum kafka_error validate_streams(const struct streams_group *group,
                                         const struct offset_commit_request *request,
                                         int16_t version, bool is_transactional)
{
    int32_t epoch = request->generation_id_or_member_epoch;
    if (epoch < 0 && group->members_count == 0)
        return KERR_NONE;
    if (is_transactional && epoch == -1 && request->member_id.size == 0 &&
        str_is_null(request->group_instance_id))
        return KERR_NONE;
    const struct streams_member *member = streams_group_find(group, request->member_id);
    if (member == NULL)
        return KERR_UNKNOWN_MEMBER_ID;
    if (!is_transactional && version < VERSION_MEMBER_EPOCH)
        return KERR_UNSUPPORTED_VERSION;
    if (epoch == member->current.epoch)
        return KERR_NONE;
    enum kafka_error stale = is_transactional ? KERR_ILLEGAL_GENERATION : KERR_STALE_MEMBER_EPOCH;
    return epoch > member->current.epoch ? stale
                                         : validate_older_streams(group, member, request, stale);
}

static enum kafka_error validate(struct group_shard *state,
                                 const struct offset_commit_request *request, int16_t version,
                                 bool is_transactional)
{
    bool is_by_hand = request->generation_id_or_member_epoch < 0;
    struct group *group = group_shard_find(state, request->group_id);
    if (group == NULL) { // replaying the first offset makes a simple group
        if (is_by_hand)
            return KERR_NONE;
        return version >= VERSION_MEMBER_EPOCH && !is_transactional ? KERR_GROUP_ID_NOT_FOUND
                                                                    : KERR_ILLEGAL_GENERATION;
    }
    if (group->type == GROUP_CLASSIC)
        return validate_classic(container_of(group, struct classic_group, base), request,
                                is_transactional);
    if (group->type == GROUP_SHARE)
        return KERR_GROUP_ID_NOT_FOUND;
    if (group->type == GROUP_CONSUMER)
        return validate_consumer(container_of(group, struct consumer_group, base), request, version,
                                 is_transactional);
    return validate_streams(streams_group_of(group), request, version, is_transactional);
}

// ---- commit ----------------------------------------------------------------------------------------

// The limit counts characters as Java does: UTF-16 units.
static bool is_too_long(struct str metadata, int32_t limit)
{
    if (metadata.size <= (size_t)limit)
        return false;
    size_t units = 0;
    for (size_t i = 0; i < metadata.size; i++) {
        uint8_t byte = (uint8_t)metadata.data[i];
        units += (byte & 0xc0) != 0x80; // each first byte
        units += byte >= 0xf0;          // surrogate pairs
    }
    return units > (size_t)limit;
}

static int64_t expiry(int64_t retention_ms, int64_t now_ms)
{
    int64_t at;
    if (retention_ms == -1)
        return -1;
    return __builtin_add_overflow(now_ms, retention_ms, &at) ? INT64_MAX : at;
}

static enum kafka_error add_partition(struct group_shard *state,
                                      const struct offset_commit_request *request,
                                      const struct offset_commit_request_topic *topic,
                                      const struct offset_commit_request_partition *partition,
                                      int64_t now_ms)
{
    if (is_too_long(partition->committed_metadata, state->config->offset_metadata_max_bytes))
        return KERR_OFFSET_METADATA_TOO_LARGE;
    struct committed_offset committed = {
        .offset = partition->committed_offset,
        .leader_epoch = partition->committed_leader_epoch,
        .metadata =
            str_is_null(partition->committed_metadata) ? str_of("") : partition->committed_metadata,
        .commit_timestamp_ms = now_ms,
        .expire_timestamp_ms = expiry(request->retention_time_ms, now_ms),
        .topic_id = topic->topic_id,
    };
    group_record_add_offset(state->shard, request->group_id, topic->name,
                            partition->partition_index, &committed);
    return KERR_NONE;
}

static struct offset_commit_response_topic *
response_topic(struct offset_commit_response *response,
               const struct offset_commit_request_topic *topic, struct arena *arena)
{
    struct offset_commit_response_topic *out = &response->topics[response->topics_count++];
    out->name = topic->name;
    out->topic_id = topic->topic_id;
    out->partitions =
        arena_array(arena, struct offset_commit_response_partition, topic->partitions_count);
    out->partitions_count = topic->partitions_count;
    return out;
}

enum kafka_error group_commit(struct group_shard *state,
                              const struct offset_commit_request *request, int16_t version,
                              const struct coordinator_transaction *transaction,
                              struct offset_commit_response *response, struct arena *arena)
{
    enum kafka_error error = validate(state, request, version, transaction != NULL);
    if (error != KERR_NONE)
        return error;
    int64_t now_ms = coordinator_wall_ms(state->shard);
    response->topics =
        arena_array(arena, struct offset_commit_response_topic, request->topics_count);
    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct offset_commit_request_topic *topic = &request->topics[t];
        struct offset_commit_response_topic *out = response_topic(response, topic, arena);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            const struct offset_commit_request_partition *partition = &topic->partitions[p];
            out->partitions[p].partition_index = partition->partition_index;
            out->partitions[p].error_code =
                (int16_t)add_partition(state, request, topic, partition, now_ms);
        }
    }
    error = transaction != NULL ? coordinator_append_transactional(state->shard, transaction)
                                : coordinator_append(state->shard, true);
    if (error != KERR_NONE)
        response->topics_count = 0;
    return error;
}

void group_commit_refuse(const struct offset_commit_request *request, enum kafka_error error,
                         struct offset_commit_response *response, struct arena *arena)
{
    response->topics_count = 0;
    response->topics =
        arena_array(arena, struct offset_commit_response_topic, request->topics_count);
    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct offset_commit_request_topic *topic = &request->topics[t];
        struct offset_commit_response_topic *out = response_topic(response, topic, arena);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            out->partitions[p].partition_index = topic->partitions[p].partition_index;
            out->partitions[p].error_code = (int16_t)error;
        }
    }
}

// ---- fetch -----------------------------------------------------------------------------------------

// `committed` NULL: there is none.
static struct offset_fetch_response_partitions answer(int32_t partition,
                                                      const struct committed_offset *committed,
                                                      bool is_unstable, struct arena *arena)
{
    struct offset_fetch_response_partitions out = { .partition_index = partition,
                                                    .committed_offset = -1,
                                                    .committed_leader_epoch = -1,
                                                    .metadata = str_of("") };
    if (is_unstable) {
        out.error_code = KERR_UNSTABLE_OFFSET_COMMIT;
    } else if (committed != NULL) {
        out.committed_offset = committed->offset;
        out.committed_leader_epoch = committed->leader_epoch;
        out.metadata = arena_str(arena, committed->metadata);
    }
    return out;
}

// An offset of an older topic of the same name is none. Ids that are not known are not compared.
static bool is_of_topic(const struct committed_offset *committed, struct uuid topic_id)
{
    return uuid_is_zero(committed->topic_id) || uuid_is_zero(topic_id) ||
           uuid_eq(committed->topic_id, topic_id);
}

static void fetch_some(const struct group_shard *state,
                       const struct offset_fetch_request_group *request, bool require_stable,
                       struct offset_fetch_response_group *response, struct arena *arena)
{
    bool is_known = group_shard_find(state, request->group_id) != NULL;
    const struct offset_group *group =
        is_known ? group_offsets_group(&state->offsets, request->group_id) : NULL;
    response->topics =
        arena_array(arena, struct offset_fetch_response_topics, request->topics_count);
    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct offset_fetch_request_topics *topic = &request->topics[t];
        const struct offset_topic *offsets =
            group != NULL ? offset_group_topic(group, topic->name) : NULL;
        struct offset_fetch_response_topics *out = &response->topics[response->topics_count++];
        out->name = topic->name;
        out->topic_id = topic->topic_id;
        out->partitions = arena_array(arena, struct offset_fetch_response_partitions,
                                      topic->partition_indexes_count);
        for (int32_t p = 0; p < topic->partition_indexes_count; p++) {
            int32_t partition = topic->partition_indexes[p];
            const struct committed_offset *committed =
                offsets != NULL ? offset_topic_find(offsets, partition) : NULL;
            if (committed != NULL && !is_of_topic(committed, topic->topic_id))
                committed = NULL;
            bool is_unstable = require_stable && group_shard_is_unstable(state, request->group_id,
                                                                         topic->name, partition);
            out->partitions[out->partitions_count++] =
                answer(partition, committed, is_unstable, arena);
        }
    }
}

static void fetch_all(const struct group_shard *state,
                      const struct offset_fetch_request_group *request, bool require_stable,
                      struct offset_fetch_response_group *response, struct arena *arena)
{
    const struct offset_group *group = group_offsets_group(&state->offsets, request->group_id);
    if (group == NULL || group_shard_find(state, request->group_id) == NULL)
        return;
    response->topics = arena_array(arena, struct offset_fetch_response_topics, group->topics.count);
    struct offset_topic *topic;
    for (size_t i = 0; (topic = hashmap_next(&group->topics, &i)) != NULL;) {
        struct offset_fetch_response_topics *out = &response->topics[response->topics_count++];
        out->name = arena_str(arena, topic->name);
        out->partitions = arena_array(arena, struct offset_fetch_response_partitions, topic->count);
        for (size_t p = 0; p < topic->count; p++) {
            const struct offset_partition *at = &topic->partitions[p];
            bool is_unstable =
                require_stable &&
                group_shard_is_unstable(state, request->group_id, topic->name, at->partition);
            out->partitions[out->partitions_count++] =
                answer(at->partition, &at->committed, is_unstable, arena);
        }
    }
}

static enum kafka_error validate_streams_fetch(const struct streams_group *group,
                                               const struct offset_fetch_request_group *request)
{
    if (str_is_null(request->member_id) && request->member_epoch < 0)
        return KERR_NONE;
    const struct streams_member *member =
        str_is_null(request->member_id) ? NULL : streams_group_find(group, request->member_id);
    if (member == NULL)
        return KERR_UNKNOWN_MEMBER_ID;
    return request->member_epoch == member->current.epoch ? KERR_NONE : KERR_STALE_MEMBER_EPOCH;
}

// A member of a consumer group says who it is and is told if it lags behind; who does not say is an administrator.
static enum kafka_error validate_fetch(const struct group_shard *state,
                                       const struct offset_fetch_request_group *request)
{
    const struct streams_group *streams =
        streams_group_of(group_shard_find(state, request->group_id));
    if (streams != NULL)
        return validate_streams_fetch(streams, request);
    const struct consumer_group *group = group_shard_find_consumer(state, request->group_id);
    if (group == NULL || (str_is_null(request->member_id) && request->member_epoch < 0))
        return KERR_NONE;
    const struct consumer_member *member =
        str_is_null(request->member_id) ? NULL : consumer_group_find(group, request->member_id);
    if (member == NULL)
        return KERR_UNKNOWN_MEMBER_ID;
    if (request->member_epoch == member->current->member_epoch)
        return KERR_NONE;
    return member_is_classic(member->metadata) ? KERR_ILLEGAL_GENERATION : KERR_STALE_MEMBER_EPOCH;
}

void group_fetch(const struct group_shard *state, const struct offset_fetch_request_group *request,
                 bool require_stable, struct offset_fetch_response_group *response,
                 struct arena *arena)
{
    response->error_code = (int16_t)validate_fetch(state, request);
    if (response->error_code != KERR_NONE)
        return;
    if (request->topics_count < 0)
        fetch_all(state, request, require_stable, response, arena);
    else
        fetch_some(state, request, require_stable, response, arena);
}
