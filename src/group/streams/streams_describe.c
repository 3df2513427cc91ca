// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/streams/streams_group_test.c and compat-tests/twin/streams.
#include "group/streams/streams_describe.h"

#include <stdlib.h>

#include "group/group_shard.h"
#include "base/java_order.h"

// ---- the topology ----------------------------------------------------------------------------------

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

// Sorted. Of a configured topology each once.
static struct str *names_of(const struct str *names, int32_t *count, bool is_configured,
                            struct arena *arena)
{
    struct str *out = arena_array(arena, struct str, *count + 1);
    int32_t kept = 0;
    for (int32_t i = 0; i < *count; i++)
        out[i] = arena_str(arena, names[i]);
    if (*count > 1)
        qsort(out, (size_t)*count, sizeof *out, by_text);
    for (int32_t i = 0; i < *count; i++)
        if (!is_configured || kept == 0 || !str_eq(out[kept - 1], out[i]))
            out[kept++] = out[i];
    *count = kept;
    return out;
}

static int by_name(const void *a, const void *b)
{
    return str_compare(((const struct streams_group_describe_response_topic_info *)a)->name,
                       ((const struct streams_group_describe_response_topic_info *)b)->name);
}

// With the partitions of `configured`, which are in the same order once sorted, unless it is NULL.
static struct streams_group_describe_response_topic_info *
topics_of(const struct streams_topic_info *infos, int32_t count,
          const struct streams_internal_topic *configured, struct arena *arena)
{
    struct streams_group_describe_response_topic_info *out =
        arena_array(arena, struct streams_group_describe_response_topic_info, count + 1);
    for (int32_t i = 0; i < count; i++) {
        out[i].name = arena_str(arena, infos[i].name);
        out[i].partitions = infos[i].partitions;
        out[i].replication_factor = infos[i].replication_factor;
        out[i].topic_configs_count = infos[i].topic_configs_count;
        out[i].topic_configs = arena_array(arena, struct streams_group_describe_response_key_value,
                                           infos[i].topic_configs_count + 1);
        // Once configured they are a map; before, as they were sent.
        const size_t *order = configured != NULL ? streams_configs_order(&infos[i], arena) : NULL;
        for (int32_t c = 0; c < infos[i].topic_configs_count; c++) {
            size_t from = order != NULL ? order[c] : (size_t)c;
            out[i].topic_configs[c].key = arena_str(arena, infos[i].topic_configs[from].key);
            out[i].topic_configs[c].value = arena_str(arena, infos[i].topic_configs[from].value);
        }
    }
    if (count > 1)
        qsort(out, (size_t)count, sizeof *out, by_name);
    for (int32_t i = 0; configured != NULL && i < count; i++)
        out[i].partitions = configured[i].partitions;
    return out;
}

static void describe_subtopology(const struct streams_subtopology *from,
                                 const struct streams_configured_subtopology *configured,
                                 struct streams_group_describe_response_subtopology *out,
                                 struct arena *arena)
{
    out->subtopology_id = arena_str(arena, from->subtopology_id);
    out->source_topics_count = from->source_topics_count;
    out->source_topics =
        names_of(from->source_topics, &out->source_topics_count, configured != NULL, arena);
    out->repartition_sink_topics_count = from->repartition_sink_topics_count;
    out->repartition_sink_topics =
        names_of(from->repartition_sink_topics, &out->repartition_sink_topics_count,
                 configured != NULL, arena);
    out->repartition_source_topics_count = from->repartition_source_topics_count;
    out->repartition_source_topics =
        topics_of(from->repartition_source_topics, from->repartition_source_topics_count,
                  configured != NULL ? configured->repartition : NULL, arena);
    out->state_changelog_topics_count = from->state_changelog_topics_count;
    out->state_changelog_topics =
        topics_of(from->state_changelog_topics, from->state_changelog_topics_count,
                  configured != NULL ? configured->changelogs : NULL, arena);
}

static void describe_topology(const struct streams_group *group,
                              struct streams_group_describe_response_described_group *out,
                              struct arena *arena)
{
    const struct streams_configured *configured =
        group->configured != NULL && group->configured->is_ready ? group->configured : NULL;
    const struct streams_topology_value *topology =
        configured != NULL ? configured->topology : group->topology;
    const struct streams_subtopology **sorted = streams_topology_sorted(topology, arena);
    int32_t count = topology->subtopologies_count;
    out->topology = arena_new(arena, struct streams_group_describe_response_topology);
    out->topology->epoch = topology->epoch;
    out->topology->subtopologies_count = count;
    out->topology->subtopologies =
        arena_array(arena, struct streams_group_describe_response_subtopology, count + 1);
    for (int32_t i = 0; i < count; i++)
        describe_subtopology(sorted[i], configured != NULL ? &configured->subtopologies[i] : NULL,
                             &out->topology->subtopologies[i], arena);
}

// ---- members ---------------------------------------------------------------------------------------

static struct streams_group_describe_response_task_ids *
tasks_of(const struct streams_tasks *tasks, int32_t *count, struct arena *arena)
{
    struct streams_group_describe_response_task_ids *out;
    STREAMS_TASKS_INTO(out, *count, struct streams_group_describe_response_task_ids, tasks, arena);
    for (int32_t i = 0; i < *count; i++)
        out[i].subtopology_id = arena_str(arena, out[i].subtopology_id);
    return out;
}

static void describe_assignment(const struct streams_assignment *from,
                                struct streams_group_describe_response_assignment *out,
                                struct arena *arena)
{
    out->active_tasks = tasks_of(&from->kinds[STREAMS_ACTIVE], &out->active_tasks_count, arena);
    out->standby_tasks = tasks_of(&from->kinds[STREAMS_STANDBY], &out->standby_tasks_count, arena);
    out->warmup_tasks = tasks_of(&from->kinds[STREAMS_WARMUP], &out->warmup_tasks_count, arena);
}

static void describe_member(const struct streams_member *member,
                            struct streams_group_describe_response_member *out, struct arena *arena)
{
    const struct streams_metadata *metadata = &member->metadata;
    message_init(&streams_group_describe_response_member_desc, out);
    out->member_id = arena_str(arena, member->id);
    out->member_epoch = member->current.epoch;
    out->instance_id = arena_str(arena, metadata->instance_id);
    out->rack_id = arena_str(arena, metadata->rack_id);
    out->client_id = arena_str(arena, metadata->client_id);
    out->client_host = arena_str(arena, metadata->client_host);
    out->topology_epoch = metadata->topology_epoch;
    out->process_id = arena_str(arena, metadata->process_id);
    if (metadata->user_endpoint != NULL) {
        out->user_endpoint = arena_new(arena, struct streams_group_describe_response_endpoint);
        out->user_endpoint->host = arena_str(arena, metadata->user_endpoint->host);
        out->user_endpoint->port = metadata->user_endpoint->port;
    }
    out->client_tags_count = metadata->client_tags_count;
    out->client_tags = arena_array(arena, struct streams_group_describe_response_key_value,
                                   metadata->client_tags_count + 1);
    struct str *keys = arena_array(arena, struct str, metadata->client_tags_count + 1);
    for (int32_t i = 0; i < metadata->client_tags_count; i++)
        keys[i] = metadata->client_tags[i].key;
    size_t tags = (size_t)metadata->client_tags_count;
    const size_t *order = java_order_texts(keys, tags, java_buckets_grown(tags), arena);
    for (int32_t i = 0; i < metadata->client_tags_count; i++) {
        out->client_tags[i].key = arena_str(arena, metadata->client_tags[order[i]].key);
        out->client_tags[i].value = arena_str(arena, metadata->client_tags[order[i]].value);
    }
    describe_assignment(member->current.assigned, &out->assignment, arena);
    describe_assignment(member->target != NULL ? member->target : &streams_assignment_none,
                        &out->target_assignment, arena);
}

// Those that are known.
static struct timeline_entry *members_of(const struct streams_group *group, size_t *count,
                                         struct arena *arena)
{
    struct timeline_entry *entries =
        arena_array(arena, struct timeline_entry, group->members_count + 1);
    struct streams_member *member;
    *count = 0;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        if (member->is_known)
            entries[(*count)++] =
                (struct timeline_entry){ str_java_hash(member->id), member->place, member };
    timeline_sort(&group->order, entries, *count);
    return entries;
}

void streams_describe(const struct group_shard *shard, struct str group_id,
                      struct streams_group_describe_response_described_group *out,
                      struct arena *arena)
{
    struct group *any = group_shard_find(shard, group_id);
    const struct streams_group *group = streams_group_of(any);
    if (group == NULL) {
        out->error_code = KERR_GROUP_ID_NOT_FOUND;
        out->error_message = str_of(arena_printf(
            arena, any == NULL ? "Group %.*s not found." : "Group %.*s is not a streams group.",
            STR_ARG(group_id)));
        return;
    }
    if (group->topology == NULL) { // its records were torn apart: Kafka fails too
        out->error_code = KERR_UNKNOWN_SERVER_ERROR;
        return;
    }
    out->group_epoch = group->epoch;
    out->group_state = str_of(streams_group_state_name(group));
    out->assignment_epoch = group->assignment_epoch;
    describe_topology(group, out, arena);
    out->members =
        arena_array(arena, struct streams_group_describe_response_member, group->members_count + 1);
    size_t count;
    const struct timeline_entry *entries = members_of(group, &count, arena);
    for (size_t i = 0; i < count; i++)
        describe_member(entries[i].value, &out->members[out->members_count++], arena);
}

// ---- endpoints -------------------------------------------------------------------------------------

#define topic_partition streams_group_heartbeat_response_topic_partition

// As Kafka: a topic with fewer partitions than there are tasks gets the first of them, by their number; else
// they come as in a set.
static bool add_topic(const struct topic_index *topics, struct str name,
                      const struct streams_task_ids *ids, struct topic_partition *out,
                      struct arena *arena)
{
    const struct indexed_topic *topic = topic_index_find(topics, name);
    if (topic == NULL)
        return false;
    out->topic = arena_str(arena, name);
    out->partitions = ids->partitions;
    out->partitions_count = ids->count;
    if (topic->partitions_count < ids->count) {
        out->partitions_count = topic->partitions_count;
        return true;
    }
    out->partitions = arena_dup(arena, ids->partitions, (size_t)ids->count * sizeof(int32_t));
    java_order_ints(out->partitions, (size_t)ids->count, java_buckets_grown((size_t)ids->count),
                    arena);
    return true;
}

// The topics that a sub-topology reads, as a HashSet made of the sources to which the repartition topics were added.
static const struct str *read_by(const struct streams_subtopology *of, int32_t *count,
                                 struct arena *arena)
{
    int32_t most = of->source_topics_count + of->repartition_source_topics_count;
    struct str *names = arena_array(arena, struct str, most + 1);
    int32_t sources = of->source_topics_count;
    const struct str *source = names_of(of->source_topics, &sources, true, arena);
    *count = 0;
    for (int32_t i = 0; i < sources; i++)
        names[(*count)++] = source[i];
    for (int32_t i = 0; i < of->repartition_source_topics_count; i++)
        names[(*count)++] = of->repartition_source_topics[i].name;
    size_t buckets = java_buckets_after(java_buckets_copied((size_t)sources), (size_t)*count);
    const size_t *order = java_order_texts(names, (size_t)*count, buckets, arena);
    struct str *sorted = arena_array(arena, struct str, most + 1);
    for (int32_t i = 0; i < *count; i++)
        sorted[i] = names[order[i]];
    return sorted;
}

static bool partitions_of(const struct streams_group *group, const struct streams_tasks *tasks,
                          struct topic_partition **list, int32_t *list_count, struct arena *arena)
{
    int32_t count, most = 0;
    const struct streams_task_ids *ids = streams_tasks_group(tasks, &count, arena);
    const struct streams_configured *configured = group->configured;
    for (int32_t i = 0; i < count; i++) {
        const struct streams_configured_subtopology *at =
            streams_configured_find(configured, ids[i].subtopology);
        if (at == NULL)
            return false;
        most +=
            at->subtopology->source_topics_count + at->subtopology->repartition_source_topics_count;
    }
    *list = arena_array(arena, struct topic_partition, most + 1);
    *list_count = 0;
    for (int32_t i = 0; i < count; i++) {
        const struct streams_subtopology *at =
            streams_configured_find(configured, ids[i].subtopology)->subtopology;
        int32_t names_count;
        const struct str *names = read_by(at, &names_count, arena);
        for (int32_t t = 0; t < names_count; t++)
            if (!add_topic(group->shard->topics, names[t], &ids[i], &(*list)[(*list_count)++],
                           arena))
                return false;
    }
    return true;
}

static bool add_endpoint(const struct streams_group *group, const struct streams_metadata *metadata,
                         const struct streams_assignment *assigned,
                         struct streams_group_heartbeat_response *response, struct arena *arena)
{
    if (metadata->user_endpoint == NULL)
        return true;
    struct streams_group_heartbeat_response_endpoint_to_partitions *out =
        &response->partitions_by_user_endpoint[response->partitions_by_user_endpoint_count++];
    out->user_endpoint.host = arena_str(arena, metadata->user_endpoint->host);
    out->user_endpoint.port = metadata->user_endpoint->port;
    return group->configured->has_subtopologies &&
           partitions_of(group, &assigned->kinds[STREAMS_ACTIVE], &out->active_partitions,
                         &out->active_partitions_count, arena) &&
           partitions_of(group, &assigned->kinds[STREAMS_STANDBY], &out->standby_partitions,
                         &out->standby_partitions_count, arena);
}

bool streams_describe_endpoints(const struct streams_group *group, struct str member_id,
                                const struct streams_metadata *metadata,
                                const struct streams_assignment *assigned,
                                struct streams_group_heartbeat_response *response,
                                struct arena *arena)
{
    size_t count;
    const struct timeline_entry *entries = members_of(group, &count, arena);
    bool is_good = true;
    response->partitions_by_user_endpoint =
        arena_array(arena, struct streams_group_heartbeat_response_endpoint_to_partitions,
                    group->members_count + 1);
    response->partitions_by_user_endpoint_count = 0;
    topic_index_lock_read(group->shard->topics);
    for (size_t i = 0; is_good && i < count; i++) {
        const struct streams_member *member = entries[i].value;
        if (!str_eq(member->id, member_id))
            is_good =
                add_endpoint(group, &member->metadata, member->current.assigned, response, arena);
    }
    is_good = is_good && add_endpoint(group, metadata, assigned, response, arena);
    topic_index_unlock(group->shard->topics);
    return is_good;
}
