// SPDX-License-Identifier: Apache-2.0
// How many partitions the internal topics of a topology need, and which are missing: Kafka's InternalTopicManager.
// Sub-topologies and topics are gone through in the order of Java's hash maps, which decides where it matters.
// Tested by group/streams/streams_topology_test.c.
#include <stdlib.h>

#include "base/hashmap.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/strbuf.h"
#include "base/java_order.h"
#include "group/streams/streams_topology.h"

enum { NAMES_SHOWN = 3 };

struct count {
    int32_t partitions;
    bool is_fixed;    // a repartition topic whose number the topology gives,
    bool is_flexible; // or leaves open
};

// One configuration as it is worked out. The first of these that is set ends it: error, has_failed.
struct work {
    struct streams_configured *configured;
    struct topic_index *topics;
    struct arena *arena;                        // of it all
    const struct streams_subtopology **ordered; // as Java iterates
    int32_t count;
    struct hashmap decided; // struct count, by name
    struct hashmap kinds;   // struct count: fixed and flexible ones
    enum kafka_error error;
    struct str message;
    bool has_failed; // with a status
};

static bool fail(struct work *w, enum kafka_error error, const char *message)
{
    w->error = error;
    w->message = str_of(message);
    return false;
}

static bool fail_with_status(struct work *w, enum streams_status status, const char *detail)
{
    w->has_failed = true;
    w->configured->status = status;
    w->configured->detail = str_of(detail);
    return false;
}

static struct count *count_of(struct work *w, struct hashmap *map, struct str name)
{
    struct count *count = hashmap_find(map, name.data, name.size);
    if (count == NULL) {
        count = arena_new(w->arena, struct count);
        hashmap_put(map, name.data, name.size, count);
    }
    return count;
}

// -1: nobody knows.
static int32_t partitions_of(struct work *w, struct str name)
{
    const struct indexed_topic *topic = topic_index_find(w->topics, name);
    if (topic != NULL)
        return topic->partitions_count;
    const struct count *count = hashmap_find(&w->decided, name.data, name.size);
    return count != NULL ? count->partitions : -1;
}

static int by_name(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static char *summary(struct work *w, const struct str *names, int32_t count)
{
    char *text = arena_printf(w->arena, "%s", "");
    for (int32_t i = 0; i < count && i < NAMES_SHOWN; i++)
        text = arena_printf(w->arena, "%s%s%.*s", text, i > 0 ? ", " : "", STR_ARG(names[i]));
    return count <= NAMES_SHOWN
               ? text
               : arena_printf(w->arena, "%s and %d additional topics", text, count - NAMES_SHOWN);
}

// ---- source topics ---------------------------------------------------------------------------------

static bool check_sources(struct work *w)
{
    int32_t most = 0, count = 0, kept = 0;
    for (int32_t i = 0; i < w->count; i++)
        most += w->ordered[i]->source_topics_count;
    struct str *missing = arena_array(w->arena, struct str, most + 1);
    for (int32_t i = 0; i < w->count; i++)
        for (int32_t t = 0; t < w->ordered[i]->source_topics_count; t++)
            if (topic_index_find(w->topics, w->ordered[i]->source_topics[t]) == NULL)
                missing[count++] = w->ordered[i]->source_topics[t];
    if (count == 0)
        return true;
    qsort(missing, (size_t)count, sizeof *missing, by_name);
    for (int32_t i = 0; i < count; i++)
        if (kept == 0 || !str_eq(missing[kept - 1], missing[i]))
            missing[kept++] = missing[i];
    return fail_with_status(
        w, STREAMS_MISSING_SOURCE_TOPICS,
        arena_printf(w->arena, "Source topics %s are missing.", summary(w, missing, kept)));
}

// ---- repartition topics ----------------------------------------------------------------------------

// The most partitions of what the sub-topology reads, of what is known by now; -1: nothing is.
static int32_t most_read(struct work *w, const struct streams_subtopology *subtopology,
                         const struct hashmap *repartition)
{
    int32_t most = -1;
    for (int32_t t = 0; t < subtopology->repartition_source_topics_count; t++) {
        struct str name = subtopology->repartition_source_topics[t].name;
        const struct count *count = hashmap_find(repartition, name.data, name.size);
        if (count != NULL && (most == -1 || count->partitions > most))
            most = count->partitions;
    }
    for (int32_t t = 0; t < subtopology->source_topics_count; t++) {
        const struct indexed_topic *topic =
            topic_index_find(w->topics, subtopology->source_topics[t]);
        if (topic != NULL && (most == -1 || topic->partitions_count > most))
            most = topic->partitions_count;
    }
    return most;
}

static bool count_sinks(struct work *w, struct hashmap *repartition)
{
    bool is_open = true;
    while (is_open) {
        bool has_progress = false;
        is_open = false;
        for (int32_t i = 0; i < w->count; i++) {
            const struct streams_subtopology *at = w->ordered[i];
            for (int32_t t = 0; t < at->repartition_sink_topics_count; t++) {
                struct str sink = at->repartition_sink_topics[t];
                if (hashmap_find(repartition, sink.data, sink.size) != NULL)
                    continue;
                int32_t partitions = most_read(w, at, repartition);
                if (partitions == -1) {
                    is_open = true;
                    continue;
                }
                count_of(w, repartition, sink)->partitions = partitions;
                has_progress = true;
            }
        }
        if (is_open && !has_progress)
            return fail(w, KERR_STREAMS_INVALID_TOPOLOGY,
                        "Failed to compute number of partitions for all repartition topics. There "
                        "may be loops in the topology that cannot be resolved.");
    }
    return true;
}

static bool count_repartition(struct work *w)
{
    for (int32_t i = 0; i < w->count; i++)
        for (int32_t t = 0; t < w->ordered[i]->repartition_source_topics_count; t++) {
            const struct streams_topic_info *info = &w->ordered[i]->repartition_source_topics[t];
            struct count *kind = count_of(w, &w->kinds, info->name);
            kind->is_fixed |= info->partitions != 0;
            kind->is_flexible |= info->partitions == 0;
            if (info->partitions != 0)
                count_of(w, &w->decided, info->name)->partitions = info->partitions;
        }
    // Topics that exist do not hide what is decided here: `decided` holds repartition topics only, and no source topic
    // of a kind that exists is looked for in it.
    if (!count_sinks(w, &w->decided))
        return false;
    for (int32_t i = 0; i < w->count; i++)
        for (int32_t t = 0; t < w->ordered[i]->repartition_source_topics_count; t++) {
            struct str name = w->ordered[i]->repartition_source_topics[t].name;
            if (hashmap_find(&w->decided, name.data, name.size) == NULL)
                return fail(w, KERR_STREAMS_INVALID_TOPOLOGY,
                            "Failed to compute number of partitions for all repartition topics, "
                            "because a repartition source topic is never used as a sink topic.");
        }
    return true;
}

// ---- copartitioned topics --------------------------------------------------------------------------

struct copartition {
    struct str *names; // sorted, each once
    int32_t *partitions;
    int32_t count;
};

// "{a=1, b=2}", of those that are repartition topics, or are not.
static struct str counts_text(struct work *w, const struct copartition *group, bool of_repartition)
{
    struct strbuf text = STRBUF_EMPTY;
    strbuf_add_char(&text, '{');
    for (int32_t i = 0; i < group->count; i++) {
        struct str name = group->names[i];
        bool is_repartition = hashmap_find(&w->kinds, name.data, name.size) != NULL;
        if (is_repartition == of_repartition)
            strbuf_printf(&text, "%s%.*s=%d", text.size > 1 ? ", " : "", STR_ARG(name),
                          group->partitions[i]);
    }
    strbuf_add_char(&text, '}');
    struct str copy = arena_str(w->arena, strbuf_str(&text));
    strbuf_fini(&text);
    return copy;
}

static bool fail_unequal(struct work *w, const struct copartition *group, bool of_repartition)
{
    return fail_with_status(
        w, STREAMS_INCORRECTLY_PARTITIONED_TOPICS,
        arena_printf(w->arena, "Following topics do not have the same number of partitions: [%.*s]",
                     STR_ARG(counts_text(w, group, of_repartition))));
}

// All are repartition topics: as the fixed ones of the whole topology have it, else the most.
static bool number_for_repartition(struct work *w, const struct copartition *group, int32_t *number)
{
    bool has_fixed = false;
    *number = 0;
    for (int32_t i = 0; i < w->count; i++)
        for (int32_t t = 0; t < w->ordered[i]->repartition_source_topics_count; t++) {
            const struct streams_topic_info *info = &w->ordered[i]->repartition_source_topics[t];
            if (info->partitions == 0)
                continue;
            int32_t partitions = partitions_of(w, info->name);
            if (has_fixed && partitions != *number)
                return fail_unequal(w, group, true);
            has_fixed = true;
            *number = partitions;
        }
    if (has_fixed)
        return true;
    for (int32_t i = 0; i < group->count; i++)
        if (group->partitions[i] > *number)
            *number = group->partitions[i];
    return true;
}

static bool number_for_others(struct work *w, const struct copartition *group, int32_t *number)
{
    *number = -1;
    for (int32_t i = 0; i < group->count; i++) {
        struct str name = group->names[i];
        if (hashmap_find(&w->kinds, name.data, name.size) != NULL)
            continue;
        if (*number != -1 && group->partitions[i] != *number)
            return fail_unequal(w, group, false);
        *number = group->partitions[i];
    }
    return true;
}

static bool enforce(struct work *w, const struct copartition *group)
{
    int32_t number, repartition = 0;
    for (int32_t i = 0; i < group->count; i++) {
        group->partitions[i] = partitions_of(w, group->names[i]);
        if (group->partitions[i] == -1)
            return fail(w, KERR_UNKNOWN_SERVER_ERROR, NULL);
        repartition += hashmap_find(&w->kinds, group->names[i].data, group->names[i].size) != NULL;
    }
    if (group->count == 0)
        return true;
    if (repartition == group->count ? !number_for_repartition(w, group, &number)
                                    : !number_for_others(w, group, &number))
        return false;
    for (int32_t i = 0; i < group->count; i++) {
        struct str name = group->names[i];
        const struct count *kind = hashmap_find(&w->kinds, name.data, name.size);
        if (kind == NULL)
            continue;
        if (kind->is_fixed && group->partitions[i] != number)
            return fail_with_status(
                w, STREAMS_INCORRECTLY_PARTITIONED_TOPICS,
                arena_printf(w->arena,
                             "Number of partitions [%d] of repartition topic [%.*s] doesn't match "
                             "number of partitions [%d] of the source topic.",
                             group->partitions[i], STR_ARG(name), number));
    }
    for (int32_t i = 0; i < group->count; i++)
        if (hashmap_find(&w->kinds, group->names[i].data, group->names[i].size) != NULL)
            count_of(w, &w->decided, group->names[i])->partitions = number;
    return true;
}

static bool enforce_copartitioning(struct work *w)
{
    for (int32_t i = 0; i < w->count; i++) {
        const struct streams_subtopology *at = w->ordered[i];
        for (int32_t g = 0; g < at->copartition_groups_count; g++) {
            const struct streams_group_topology_value_copartition_group *from =
                &at->copartition_groups[g];
            int32_t most = from->source_topics_count + from->repartition_source_topics_count;
            struct copartition group = { arena_array(w->arena, struct str, most + 1),
                                         arena_array(w->arena, int32_t, most + 1), 0 };
            int32_t count = 0;
            for (int32_t t = 0; t < from->source_topics_count; t++) {
                int16_t index = from->source_topics[t];
                if (index < 0 || index >= at->source_topics_count)
                    return fail(w, KERR_UNKNOWN_SERVER_ERROR, NULL);
                group.names[count++] = at->source_topics[index];
            }
            for (int32_t t = 0; t < from->repartition_source_topics_count; t++) {
                int16_t index = from->repartition_source_topics[t];
                if (index < 0 || index >= at->repartition_source_topics_count)
                    return fail(w, KERR_UNKNOWN_SERVER_ERROR, NULL);
                group.names[count++] = at->repartition_source_topics[index].name;
            }
            if (count > 1)
                qsort(group.names, (size_t)count, sizeof *group.names, by_name);
            for (int32_t t = 0; t < count; t++)
                if (group.count == 0 || !str_eq(group.names[group.count - 1], group.names[t]))
                    group.names[group.count++] = group.names[t];
            if (!enforce(w, &group))
                return false;
        }
    }
    return true;
}

// ---- changelogs and tasks --------------------------------------------------------------------------

// The most partitions of what it reads; false: it reads nothing, or something of nobody knows how many.
static bool count_tasks(struct work *w, const struct streams_subtopology *subtopology,
                        int32_t *tasks)
{
    *tasks = -1;
    int32_t count = subtopology->source_topics_count + subtopology->repartition_source_topics_count;
    for (int32_t t = 0; t < count; t++) {
        struct str name =
            t < subtopology->source_topics_count
                ? subtopology->source_topics[t]
                : subtopology->repartition_source_topics[t - subtopology->source_topics_count].name;
        int32_t partitions = partitions_of(w, name);
        if (partitions == -1)
            return fail(w, KERR_UNKNOWN_SERVER_ERROR, NULL);
        if (partitions > *tasks)
            *tasks = partitions;
    }
    return *tasks != -1 ||
           fail(w, KERR_STREAMS_INVALID_TOPOLOGY,
                arena_printf(w->arena, "No source topics found for subtopology %.*s",
                             STR_ARG(subtopology->subtopology_id)));
}

static bool count_changelogs(struct work *w)
{
    // Kept apart until all are known: a changelog is nobody's source while they are counted.
    int32_t *tasks = arena_array(w->arena, int32_t, w->count + 1);
    for (int32_t i = 0; i < w->count; i++)
        if (!count_tasks(w, w->ordered[i], &tasks[i]))
            return false;
    for (int32_t i = 0; i < w->count; i++)
        for (int32_t t = 0; t < w->ordered[i]->state_changelog_topics_count; t++)
            count_of(w, &w->decided, w->ordered[i]->state_changelog_topics[t].name)->partitions =
                tasks[i];
    return true;
}

// ---- the outcome -----------------------------------------------------------------------------------

static int by_topic(const void *a, const void *b)
{
    return str_compare(((const struct streams_internal_topic *)a)->name,
                       ((const struct streams_internal_topic *)b)->name);
}

static bool make_internal(struct work *w, const struct streams_topic_info *infos, int32_t count,
                          struct streams_internal_topic **out)
{
    *out = arena_array(w->arena, struct streams_internal_topic, count + 1);
    for (int32_t t = 0; t < count; t++) {
        struct str name = infos[t].name;
        const struct count *decided = hashmap_find(&w->decided, name.data, name.size);
        int32_t partitions = infos[t].partitions != 0 ? infos[t].partitions
                             : decided != NULL        ? decided->partitions
                                                      : 0;
        if (partitions < 1)
            return fail(w, KERR_UNKNOWN_SERVER_ERROR, NULL);
        (*out)[t] = (struct streams_internal_topic){ name, partitions, &infos[t] };
    }
    if (count > 1)
        qsort(*out, (size_t)count, sizeof **out, by_topic);
    for (int32_t t = 1; t < count; t++)
        if (str_eq((*out)[t - 1].name, (*out)[t].name))
            return fail(w, KERR_UNKNOWN_SERVER_ERROR, NULL);
    return true;
}

static bool make_subtopologies(struct work *w)
{
    struct streams_configured *configured = w->configured;
    const struct streams_subtopology **sorted =
        streams_topology_sorted(configured->topology, w->arena);
    configured->subtopologies =
        arena_array(w->arena, struct streams_configured_subtopology, w->count + 1);
    for (int32_t i = 0; i < w->count; i++) {
        struct streams_configured_subtopology *out = &configured->subtopologies[i];
        out->subtopology = sorted[i];
        if (!count_tasks(w, sorted[i], &out->tasks_count))
            return false;
        if (!make_internal(w, sorted[i]->repartition_source_topics,
                           sorted[i]->repartition_source_topics_count, &out->repartition) ||
            !make_internal(w, sorted[i]->state_changelog_topics,
                           sorted[i]->state_changelog_topics_count, &out->changelogs))
            return false;
        if (out->tasks_count <= 0)
            return fail(w, KERR_UNKNOWN_SERVER_ERROR, NULL);
    }
    return true;
}

// All internal topics, each once, the last one counts; in Java's order.
static struct streams_internal_topic *all_internal(struct work *w, int32_t *count)
{
    const struct streams_configured *configured = w->configured;
    int32_t most = 0, found = 0;
    for (int32_t i = 0; i < w->count; i++) {
        const struct streams_subtopology *at = configured->subtopologies[i].subtopology;
        most += at->repartition_source_topics_count + at->state_changelog_topics_count;
    }
    struct streams_internal_topic *topics =
        arena_array(w->arena, struct streams_internal_topic, most + 1);
    int32_t *hashes = arena_array(w->arena, int32_t, most + 1);
    struct hashmap places;
    hashmap_init(&places);
    for (int32_t i = 0; i < 2 * w->count; i++) {
        const struct streams_configured_subtopology *at = &configured->subtopologies[i / 2];
        const struct streams_internal_topic *from = i % 2 == 0 ? at->repartition : at->changelogs;
        int32_t n = i % 2 == 0 ? at->subtopology->repartition_source_topics_count
                               : at->subtopology->state_changelog_topics_count;
        for (int32_t t = 0; t < n; t++) {
            struct streams_internal_topic *place =
                hashmap_find(&places, from[t].name.data, from[t].name.size);
            if (place == NULL) {
                hashes[found] = str_java_hash(from[t].name);
                place = &topics[found++];
                hashmap_put(&places, from[t].name.data, from[t].name.size, place);
            }
            *place = from[t];
        }
    }
    hashmap_fini(&places);
    const size_t *order =
        java_order(hashes, (size_t)found, java_buckets_grown((size_t)found), w->arena);
    struct streams_internal_topic *ordered =
        arena_array(w->arena, struct streams_internal_topic, found + 1);
    for (int32_t i = 0; i < found; i++)
        ordered[i] = topics[order[i]];
    *count = found;
    return ordered;
}

static bool find_missing(struct work *w)
{
    struct streams_configured *configured = w->configured;
    int32_t count;
    struct streams_internal_topic *all = all_internal(w, &count);
    struct str *names = arena_array(w->arena, struct str, count + 1);
    configured->missing = all;
    for (int32_t i = 0; i < count; i++) {
        const struct indexed_topic *topic = topic_index_find(w->topics, all[i].name);
        if (topic == NULL) {
            names[configured->missing_count] = all[i].name;
            configured->missing[configured->missing_count++] = all[i];
        } else if (topic->partitions_count != all[i].partitions) {
            configured->missing_count = 0;
            return fail_with_status(
                w, STREAMS_INCORRECTLY_PARTITIONED_TOPICS,
                arena_printf(
                    w->arena,
                    "Existing topic %.*s has different number of partitions: expected %d, found %d",
                    STR_ARG(all[i].name), all[i].partitions, topic->partitions_count));
        }
    }
    configured->has_subtopologies = true;
    configured->is_ready = configured->missing_count == 0;
    configured->status = STREAMS_MISSING_INTERNAL_TOPICS;
    if (!configured->is_ready)
        configured->detail = str_of(arena_printf(w->arena, "Internal topics are missing: %s",
                                                 summary(w, names, configured->missing_count)));
    return true;
}

static void order_subtopologies(struct work *w)
{
    const struct streams_topology_value *topology = w->configured->topology;
    w->count = topology->subtopologies_count;
    w->ordered = arena_array(w->arena, const struct streams_subtopology *, w->count + 1);
    int32_t *hashes = arena_array(w->arena, int32_t, w->count + 1);
    for (int32_t i = 0; i < w->count; i++)
        hashes[i] = str_java_hash(topology->subtopologies[i].subtopology_id);
    const size_t *order =
        java_order(hashes, (size_t)w->count, java_buckets_grown((size_t)w->count), w->arena);
    for (int32_t i = 0; i < w->count; i++)
        w->ordered[i] = &topology->subtopologies[order[i]];
}

// A copy of its own: the record's value does not live as long.
static const struct streams_topology_value *copy_topology(const struct streams_topology_value *from,
                                                          struct arena *arena)
{
    struct bytes bytes = codec_encode_bytes(&streams_group_topology_value_desc, 0, arena, from);
    struct streams_topology_value *copy = arena_new(arena, struct streams_topology_value);
    struct reader reader;
    reader_init(&reader, bytes.data, bytes.size);
    must(codec_decode(&streams_group_topology_value_desc, 0, &reader, arena,
                      copy)); // as just written
    return copy;
}

struct streams_configured *streams_configure(const struct streams_topology_value *topology,
                                             struct topic_index *topics, struct arena *arena,
                                             enum kafka_error *error, struct str *message)
{
    struct streams_configured *configured = mem_new(struct streams_configured);
    arena_init(&configured->arena);
    configured->topology = copy_topology(topology, &configured->arena);
    struct work w = { .configured = configured, .topics = topics, .arena = &configured->arena };
    hashmap_init(&w.decided);
    hashmap_init(&w.kinds);
    order_subtopologies(&w);
    topic_index_lock_read(topics);
    if (check_sources(&w) && count_repartition(&w) && enforce_copartitioning(&w) &&
        count_changelogs(&w) && make_subtopologies(&w) && find_missing(&w))
        configured->subtopologies_count = w.count;
    topic_index_unlock(topics);
    hashmap_fini(&w.decided);
    hashmap_fini(&w.kinds);
    *error = w.error;
    if (w.error == KERR_NONE)
        return configured;
    *message = arena_str(arena, w.message);
    streams_configured_free(configured);
    return NULL;
}

void streams_configured_free(struct streams_configured *configured)
{
    if (configured == NULL)
        return;
    arena_fini(&configured->arena);
    mem_free(configured);
}
