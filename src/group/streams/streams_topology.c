// SPDX-License-Identifier: Apache-2.0
// The topology as data: from a request, compared, hashed, searched.
// Tested by group/streams/streams_topology_test.c.
#include "group/streams/streams_topology.h"

#include <stdlib.h>

#include "base/hashmap.h"
#include "base/java_order.h"
#include "group/metadata_hash.h"

#define request_topic_info streams_group_heartbeat_request_topic_info

static struct streams_topic_info *infos_of(const struct request_topic_info *from, int32_t count,
                                           struct arena *arena)
{
    struct streams_topic_info *infos = arena_array(arena, struct streams_topic_info, count + 1);
    for (int32_t i = 0; i < count; i++) {
        struct streams_group_topology_value_topic_config *configs =
            arena_array(arena, struct streams_group_topology_value_topic_config,
                        from[i].topic_configs_count + 1);
        for (int32_t c = 0; c < from[i].topic_configs_count; c++) {
            configs[c].key = from[i].topic_configs[c].key;
            configs[c].value = from[i].topic_configs[c].value;
        }
        infos[i].name = from[i].name;
        infos[i].partitions = from[i].partitions;
        infos[i].replication_factor = from[i].replication_factor;
        infos[i].topic_configs = configs;
        infos[i].topic_configs_count = from[i].topic_configs_count;
    }
    return infos;
}

static void fill_groups(struct streams_subtopology *to,
                        const struct streams_group_heartbeat_request_subtopology *from,
                        struct arena *arena)
{
    to->copartition_groups_count = from->copartition_groups_count;
    to->copartition_groups =
        arena_array(arena, struct streams_group_topology_value_copartition_group,
                    from->copartition_groups_count + 1);
    for (int32_t g = 0; g < from->copartition_groups_count; g++) {
        const struct streams_group_heartbeat_request_copartition_group *group =
            &from->copartition_groups[g];
        struct streams_group_topology_value_copartition_group *out = &to->copartition_groups[g];
        out->source_topics = group->source_topics;
        out->source_topics_count = group->source_topics_count;
        out->source_topic_regex = group->source_topic_regex;
        out->source_topic_regex_count = group->source_topic_regex_count;
        out->repartition_source_topics = group->repartition_source_topics;
        out->repartition_source_topics_count = group->repartition_source_topics_count;
    }
}

struct streams_topology_value *
streams_topology_of(const struct streams_group_heartbeat_request_topology *request,
                    struct arena *arena)
{
    struct streams_topology_value *value = arena_new(arena, struct streams_topology_value);
    value->epoch = request->epoch;
    value->subtopologies_count = request->subtopologies_count;
    value->subtopologies =
        arena_array(arena, struct streams_subtopology, request->subtopologies_count + 1);
    for (int32_t i = 0; i < request->subtopologies_count; i++) {
        const struct streams_group_heartbeat_request_subtopology *from = &request->subtopologies[i];
        struct streams_subtopology *to = &value->subtopologies[i];
        to->subtopology_id = from->subtopology_id;
        to->source_topics = from->source_topics;
        to->source_topics_count = from->source_topics_count;
        to->source_topic_regex = from->source_topic_regex;
        to->source_topic_regex_count = from->source_topic_regex_count;
        to->repartition_sink_topics = from->repartition_sink_topics;
        to->repartition_sink_topics_count = from->repartition_sink_topics_count;
        to->state_changelog_topics =
            infos_of(from->state_changelog_topics, from->state_changelog_topics_count, arena);
        to->state_changelog_topics_count = from->state_changelog_topics_count;
        to->repartition_source_topics =
            infos_of(from->repartition_source_topics, from->repartition_source_topics_count, arena);
        to->repartition_source_topics_count = from->repartition_source_topics_count;
        fill_groups(to, from, arena);
    }
    return value;
}

static int by_id(const void *a, const void *b)
{
    return str_compare((*(const struct streams_subtopology *const *)a)->subtopology_id,
                       (*(const struct streams_subtopology *const *)b)->subtopology_id);
}

const struct streams_subtopology **
streams_topology_sorted(const struct streams_topology_value *topology, struct arena *arena)
{
    const struct streams_subtopology **sorted =
        arena_array(arena, const struct streams_subtopology *, topology->subtopologies_count + 1);
    for (int32_t i = 0; i < topology->subtopologies_count; i++)
        sorted[i] = &topology->subtopologies[i];
    if (topology->subtopologies_count > 1)
        qsort((void *)sorted, (size_t)topology->subtopologies_count, sizeof *sorted, by_id);
    return sorted;
}

bool streams_topology_has_twins(const struct streams_topology_value *topology, struct arena *arena)
{
    const struct streams_subtopology **sorted = streams_topology_sorted(topology, arena);
    for (int32_t i = 1; i < topology->subtopologies_count; i++)
        if (str_eq(sorted[i - 1]->subtopology_id, sorted[i]->subtopology_id))
            return true;
    return false;
}

static struct bytes encoded(const struct streams_topology_value *topology, struct arena *arena)
{
    const struct streams_subtopology **sorted = streams_topology_sorted(topology, arena);
    struct streams_topology_value value = { .epoch = topology->epoch,
                                            .subtopologies_count = topology->subtopologies_count };
    value.subtopologies =
        arena_array(arena, struct streams_subtopology, topology->subtopologies_count + 1);
    for (int32_t i = 0; i < topology->subtopologies_count; i++)
        value.subtopologies[i] = *sorted[i];
    return codec_encode_bytes(&streams_group_topology_value_desc, 0, arena, &value);
}

bool streams_topology_equal(const struct streams_topology_value *a,
                            const struct streams_topology_value *b, struct arena *arena)
{
    struct bytes x = encoded(a, arena), y = encoded(b, arena);
    return x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
}

static int by_name(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

const size_t *streams_configs_order(const struct streams_topic_info *info, struct arena *arena)
{
    size_t count = (size_t)info->topic_configs_count;
    struct str *keys = arena_array(arena, struct str, count + 1);
    for (size_t i = 0; i < count; i++)
        keys[i] = info->topic_configs[i].key;
    return java_order_texts(keys, count, java_buckets_grown(count), arena);
}

int64_t streams_topology_hash(const struct streams_topology_value *topology,
                              struct topic_index *topics, struct arena *arena)
{
    int32_t most = 0, count = 0;
    for (int32_t i = 0; i < topology->subtopologies_count; i++) {
        const struct streams_subtopology *at = &topology->subtopologies[i];
        most += at->source_topics_count + at->repartition_source_topics_count +
                at->state_changelog_topics_count;
    }
    struct str *names = arena_array(arena, struct str, most + 1);
    for (int32_t i = 0; i < topology->subtopologies_count; i++) {
        const struct streams_subtopology *at = &topology->subtopologies[i];
        for (int32_t t = 0; t < at->source_topics_count; t++)
            names[count++] = at->source_topics[t];
        for (int32_t t = 0; t < at->repartition_source_topics_count; t++)
            names[count++] = at->repartition_source_topics[t].name;
        for (int32_t t = 0; t < at->state_changelog_topics_count; t++)
            names[count++] = at->state_changelog_topics[t].name;
    }
    if (count > 1)
        qsort(names, (size_t)count, sizeof *names, by_name);
    int64_t *hashes = arena_array(arena, int64_t, count + 1);
    size_t found = 0;
    topic_index_lock_read(topics);
    for (int32_t i = 0; i < count; i++) {
        const struct indexed_topic *topic =
            i > 0 && str_eq(names[i], names[i - 1]) ? NULL : topic_index_find(topics, names[i]);
        if (topic != NULL)
            hashes[found++] = topic->hash;
    }
    topic_index_unlock(topics);
    return metadata_hash_group(hashes, found);
}

static bool reads(const struct streams_subtopology *subtopology, struct str topic)
{
    for (int32_t t = 0; t < subtopology->source_topics_count; t++)
        if (str_eq(subtopology->source_topics[t], topic))
            return true;
    for (int32_t t = 0; t < subtopology->repartition_source_topics_count; t++)
        if (str_eq(subtopology->repartition_source_topics[t].name, topic))
            return true;
    return false;
}

const struct streams_subtopology *
streams_topology_reader(const struct streams_topology_value *topology, struct str topic)
{
    for (int32_t i = 0; i < topology->subtopologies_count; i++)
        if (reads(&topology->subtopologies[i], topic))
            return &topology->subtopologies[i];
    return NULL;
}

const struct streams_configured_subtopology *
streams_configured_find(const struct streams_configured *configured, struct str id)
{
    for (int32_t i = 0; i < configured->subtopologies_count; i++)
        if (str_eq(configured->subtopologies[i].subtopology->subtopology_id, id))
            return &configured->subtopologies[i];
    return NULL;
}
