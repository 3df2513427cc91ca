// SPDX-License-Identifier: Apache-2.0
// Topologies against the topics of a cluster: numbers of partitions, what is missing, what cannot be.
#include "group/streams/streams_topology.h"

#include "base/testing.h"

struct kit {
    struct arena arena;
    struct topic_index *topics;
    struct streams_topology_value topology;
    struct streams_subtopology subtopologies[3];
};

static void kit_init(struct kit *kit)
{
    *kit = (struct kit){ .topics = topic_index_new() };
    arena_init(&kit->arena);
    kit->topology.subtopologies = kit->subtopologies;
    for (uint8_t i = 0; i < 3; i++) {
        struct uuid id = UUID_ZERO;
        id.bytes[15] = (uint8_t)(i + 1);
        topic_index_put(kit->topics, id,
                        str_of(i == 0   ? "two"
                               : i == 1 ? "four"
                                        : "four-too"),
                        i == 0 ? 2 : 4, 100 + i, 1);
    }
}

static void kit_fini(struct kit *kit)
{
    topic_index_free(kit->topics);
    arena_fini(&kit->arena);
}

static struct streams_subtopology *kit_add(struct kit *kit, const char *id)
{
    struct streams_subtopology *at = &kit->subtopologies[kit->topology.subtopologies_count++];
    at->subtopology_id = str_of(id);
    return at;
}

static void set_names(struct kit *kit, struct str **names, int32_t *count, const char *first,
                      const char *second)
{
    *names = arena_array(&kit->arena, struct str, 2);
    (*names)[0] = str_of(first);
    (*names)[1] = str_of(second);
    *count = second != NULL ? 2 : 1;
}

static void set_info(struct kit *kit, struct streams_topic_info **infos, int32_t *count,
                     const char *name, int32_t partitions)
{
    *infos = arena_array(&kit->arena, struct streams_topic_info, 1);
    (*infos)->name = str_of(name);
    (*infos)->partitions = partitions;
    *count = 1;
}

#define SOURCES(at, first, second)                                                                 \
    set_names(&kit, &(at)->source_topics, &(at)->source_topics_count, first, second)
#define SINKS(at, first)                                                                           \
    set_names(&kit, &(at)->repartition_sink_topics, &(at)->repartition_sink_topics_count, first,   \
              NULL)
#define CHANGELOG(at, name)                                                                        \
    set_info(&kit, &(at)->state_changelog_topics, &(at)->state_changelog_topics_count, name, 0)
#define REPARTITION(at, name, partitions)                                                          \
    set_info(&kit, &(at)->repartition_source_topics, &(at)->repartition_source_topics_count, name, \
             partitions)

static struct streams_configured *configure(struct kit *kit, enum kafka_error *error)
{
    struct str message = STR_NULL;
    return streams_configure(&kit->topology, kit->topics, &kit->arena, error, &message);
}

static int32_t missing(const struct streams_configured *configured, const char *name)
{
    for (int32_t i = 0; i < configured->missing_count; i++)
        if (str_eqz(configured->missing[i].name, name))
            return configured->missing[i].partitions;
    return -1;
}

// Numbers pass through repartition topics to those who read them, whatever the order of sub-topologies.
static void numbers_pass_through(void)
{
    struct kit kit;
    enum kafka_error error;
    kit_init(&kit);
    struct streams_subtopology *last = kit_add(&kit, "0"), *middle = kit_add(&kit, "1"),
                               *first = kit_add(&kit, "2");
    SOURCES(first, "four", "two");
    SINKS(first, "r1");
    REPARTITION(middle, "r1", 0);
    SINKS(middle, "r2");
    REPARTITION(last, "r2", 0);
    CHANGELOG(last, "store");
    struct streams_configured *configured = configure(&kit, &error);
    CU_ASSERT_EQUAL_FATAL(error, KERR_NONE);
    CU_ASSERT_FALSE(configured->is_ready);
    CU_ASSERT_EQUAL(configured->status, STREAMS_MISSING_INTERNAL_TOPICS);
    CU_ASSERT_EQUAL(configured->missing_count, 3);
    CU_ASSERT_EQUAL(missing(configured, "r1"), 4);
    CU_ASSERT_EQUAL(missing(configured, "r2"), 4);
    CU_ASSERT_EQUAL(missing(configured, "store"), 4);
    CU_ASSERT_EQUAL(streams_configured_find(configured, str_of("0"))->tasks_count, 4);
    streams_configured_free(configured);
    kit_fini(&kit);
}

static void a_fixed_number_holds(void)
{
    struct kit kit;
    enum kafka_error error;
    kit_init(&kit);
    struct streams_subtopology *first = kit_add(&kit, "0"), *second = kit_add(&kit, "1");
    SOURCES(first, "four", NULL);
    SINKS(first, "r");
    REPARTITION(second, "r", 7);
    CHANGELOG(second, "store");
    struct streams_configured *configured = configure(&kit, &error);
    CU_ASSERT_EQUAL_FATAL(error, KERR_NONE);
    CU_ASSERT_EQUAL(missing(configured, "r"), 7);
    CU_ASSERT_EQUAL(missing(configured, "store"), 7);
    streams_configured_free(configured);
    kit_fini(&kit);
}

static struct streams_group_topology_value_copartition_group *
together(struct kit *kit, struct streams_subtopology *at)
{
    static int16_t both[] = { 0, 1 };
    at->copartition_groups =
        arena_array(&kit->arena, struct streams_group_topology_value_copartition_group, 1);
    at->copartition_groups_count = 1;
    at->copartition_groups->source_topics = both;
    at->copartition_groups->source_topics_count = at->source_topics_count;
    at->copartition_groups->repartition_source_topics = both;
    at->copartition_groups->repartition_source_topics_count = at->repartition_source_topics_count;
    return at->copartition_groups;
}

// A repartition topic that is read together with a source topic has as many partitions as that.
static void copartitioned_topics_are_equal(void)
{
    struct kit kit;
    enum kafka_error error;
    kit_init(&kit);
    struct streams_subtopology *first = kit_add(&kit, "0"), *second = kit_add(&kit, "1");
    SOURCES(first, "two", NULL);
    SINKS(first, "r");
    SOURCES(second, "four", NULL);
    REPARTITION(second, "r", 0);
    together(&kit, second);
    struct streams_configured *configured = configure(&kit, &error);
    CU_ASSERT_EQUAL_FATAL(error, KERR_NONE);
    CU_ASSERT_EQUAL(missing(configured, "r"), 4);
    streams_configured_free(configured);
    SOURCES(second, "four", "two");
    together(&kit, second);
    configured = configure(&kit, &error);
    CU_ASSERT_EQUAL_FATAL(error, KERR_NONE);
    CU_ASSERT_EQUAL(configured->status, STREAMS_INCORRECTLY_PARTITIONED_TOPICS);
    CU_ASSERT_TRUE(str_eqz(configured->detail, "Following topics do not have the same number of "
                                               "partitions: [{four=4, two=2}]"));
    CU_ASSERT_FALSE(configured->has_subtopologies);
    streams_configured_free(configured);
    kit_fini(&kit);
}

static void what_cannot_be_is_refused(void)
{
    struct kit kit;
    enum kafka_error error;
    kit_init(&kit);
    struct streams_subtopology *first = kit_add(&kit, "0");
    CU_ASSERT_PTR_NULL(configure(&kit, &error)); // reads nothing
    CU_ASSERT_EQUAL(error, KERR_STREAMS_INVALID_TOPOLOGY);
    REPARTITION(first, "r", 0); // nobody writes it
    CU_ASSERT_PTR_NULL(configure(&kit, &error));
    CU_ASSERT_EQUAL(error, KERR_STREAMS_INVALID_TOPOLOGY);
    SINKS(first, "r"); // it does itself: a loop
    CU_ASSERT_PTR_NULL(configure(&kit, &error));
    CU_ASSERT_EQUAL(error, KERR_STREAMS_INVALID_TOPOLOGY);
    kit_fini(&kit);
}

static void they_are_compared_and_hashed(void)
{
    struct kit kit, other;
    kit_init(&kit);
    struct streams_subtopology *a = kit_add(&kit, "0"), *b = kit_add(&kit, "1");
    SOURCES(a, "two", NULL);
    SOURCES(b, "four", NULL);
    other = kit;
    other.topology.subtopologies = other.subtopologies;
    other.subtopologies[0] = kit.subtopologies[1];
    other.subtopologies[1] = kit.subtopologies[0];
    CU_ASSERT_TRUE(streams_topology_equal(&kit.topology, &other.topology, &kit.arena));
    CU_ASSERT_EQUAL(streams_topology_hash(&kit.topology, kit.topics, &kit.arena),
                    streams_topology_hash(&other.topology, kit.topics, &kit.arena));
    CU_ASSERT_FALSE(streams_topology_has_twins(&kit.topology, &kit.arena));
    CU_ASSERT_PTR_EQUAL(streams_topology_reader(&kit.topology, str_of("four")), b);
    other.subtopologies[1].subtopology_id = str_of("1");
    CU_ASSERT_TRUE(streams_topology_has_twins(&other.topology, &kit.arena));
    CU_ASSERT_FALSE(streams_topology_equal(&kit.topology, &other.topology, &kit.arena));
    kit_fini(&kit);
}

TEST_MAIN("streams_topology", TEST(numbers_pass_through), TEST(a_fixed_number_holds),
          TEST(copartitioned_topics_are_equal), TEST(what_cannot_be_is_refused),
          TEST(they_are_compared_and_hashed))
