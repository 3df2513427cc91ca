// SPDX-License-Identifier: Apache-2.0
// Our side of the group oracle: reads questions from GroupOracle.java, a line each, and answers with a line.
//
//     A NAME HOMOGENEOUS TOPICS MEMBERS  then lines: a topic `UUID PARTITIONS`, a member `ID INSTANCE|- NAMES
//       SUBSCRIBED place… TOPICS (place COUNT partition…)…`  -> what each member shall have, in order
//     S STANDBYS SUBTOPOLOGIES MEMBERS   then lines: a sub-topology `ID TASKS STATEFUL`, a member `ID PROCESS` and its
//       active and standby tasks, each `COUNT (SUBTOPOLOGY PARTITION)…`     -> the same of each member, sorted
//     O BUCKETS text…                    -> the texts in the order of a HashSet: g grown, c copied
//     R HEX name…                        -> `E reason` or a digit for each name
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/java_order.h"
#include "group/partition_assignor.h"
#include "group/streams/streams_assignor.h"
#include "group/topic_regex.h"

static char *line;
static size_t line_capacity;
static char *rest; // of the line

static bool read_line(void)
{
    ssize_t size = getline(&line, &line_capacity, stdin);
    if (size <= 0)
        return false;
    line[size - 1] = '\0';
    rest = line;
    return true;
}

static char *word(void)
{
    char *start = rest + strspn(rest, " ");
    rest = start + strcspn(start, " ");
    if (*rest != '\0')
        *rest++ = '\0';
    return start;
}

static int32_t number(void)
{
    return (int32_t)strtol(word(), NULL, 10);
}

static uint8_t hex_byte(const char *text)
{
    unsigned value;
    must(sscanf(text, "%2x", &value) == 1);
    return (uint8_t)value;
}

// ---- assignors -------------------------------------------------------------------------------------

static void read_topic(struct assignor_topic *topic, struct arena *arena)
{
    must(read_line());
    const char *id = word();
    for (int i = 0; i < 16; i++)
        topic->id.bytes[i] = hex_byte(id + 2 * i);
    topic->partitions_count = number();
    topic->is_assigned = arena_array(arena, uint8_t, topic->partitions_count + 1);
}

static void read_member(struct assignor_input *input, struct assignor_member *member,
                        struct arena *arena)
{
    must(read_line());
    member->id = arena_strz(arena, word());
    const char *instance = word();
    member->instance_id = strcmp(instance, "-") == 0 ? STR_NULL : arena_strz(arena, instance);
    member->subscribed_names = number();
    member->subscribed_count = number();
    int32_t *places = arena_array(arena, int32_t, member->subscribed_count + 1);
    for (int32_t i = 0; i < member->subscribed_count; i++)
        places[i] = number();
    member->subscribed = places;
    member->current.count = number();
    member->current.topics = arena_array(arena, struct assigned_topic, member->current.count + 1);
    for (int32_t t = 0; t < member->current.count; t++) {
        struct assigned_topic *topic = &member->current.topics[t];
        topic->topic = number();
        topic->count = number();
        topic->partitions = arena_array(arena, int32_t, topic->count + 1);
        for (int32_t p = 0; p < topic->count; p++) {
            topic->partitions[p] = number();
            if (topic->partitions[p] < input->topics[topic->topic].partitions_count)
                input->topics[topic->topic].is_assigned[topic->partitions[p]] = 1;
        }
    }
}

static void answer_assignment(struct arena *arena)
{
    assignor_function *assign = assignor_find(arena_strz(arena, word()));
    struct assignor_input input = { .is_homogeneous = number() != 0 };
    input.topic_count = number();
    input.member_count = number();
    input.topics = arena_array(arena, struct assignor_topic, input.topic_count + 1);
    input.members = arena_array(arena, struct assignor_member, input.member_count + 1);
    for (int32_t t = 0; t < input.topic_count; t++)
        read_topic(&input.topics[t], arena);
    for (int32_t m = 0; m < input.member_count; m++)
        read_member(&input, &input.members[m], arena);
    assign(&input, arena);
    for (int32_t m = 0; m < input.member_count; m++) {
        const struct assignment *target = &input.members[m].target;
        printf("%s%d", m > 0 ? " | " : "", target->count);
        for (int32_t t = 0; t < target->count; t++) {
            printf(" %d %d", target->topics[t].topic, target->topics[t].count);
            for (int32_t p = 0; p < target->topics[t].count; p++)
                printf(" %d", target->topics[t].partitions[p]);
        }
    }
    printf("\n");
}

// ---- tasks -----------------------------------------------------------------------------------------

static struct streams_tasks read_tasks(struct arena *arena)
{
    struct streams_tasks tasks = { NULL, number() };
    tasks.items = arena_array(arena, struct streams_task, tasks.count + 1);
    for (int32_t i = 0; i < tasks.count; i++) {
        tasks.items[i].subtopology = arena_strz(arena, word());
        tasks.items[i].partition = number();
    }
    streams_tasks_sort(&tasks);
    return tasks;
}

static void print_tasks(const struct streams_tasks *tasks)
{
    printf("%d", tasks->count);
    for (int32_t i = 0; i < tasks->count; i++)
        printf(" %.*s %d", STR_ARG(tasks->items[i].subtopology), tasks->items[i].partition);
}

static void answer_tasks(struct arena *arena)
{
    int32_t standbys = number(), topology_count = number(), count = number();
    struct streams_assignor_topology *topology =
        arena_array(arena, struct streams_assignor_topology, topology_count + 1);
    struct streams_assignor_member *members =
        arena_array(arena, struct streams_assignor_member, count + 1);
    struct str *asked = arena_array(arena, struct str, count + 1);
    for (int32_t s = 0; s < topology_count; s++) {
        must(read_line());
        topology[s].id = arena_strz(arena, word());
        topology[s].tasks_count = number();
        topology[s].is_stateful = number() != 0;
    }
    for (int32_t m = 0; m < count; m++) {
        must(read_line());
        struct streams_assignment *former = arena_new(arena, struct streams_assignment);
        asked[m] = members[m].id = arena_strz(arena, word());
        members[m].process_id = arena_strz(arena, word());
        former->kinds[STREAMS_ACTIVE] = read_tasks(arena);
        former->kinds[STREAMS_STANDBY] = read_tasks(arena);
        members[m].former = former;
    }
    streams_assignor_sort(members, count, arena);
    streams_assign(members, count, topology, topology_count, standbys, arena);
    for (int32_t a = 0; a < count; a++)
        for (int32_t m = 0; m < count; m++)
            if (str_eq(members[m].id, asked[a])) {
                printf("%s", a > 0 ? " | " : "");
                print_tasks(&members[m].assigned.kinds[STREAMS_ACTIVE]);
                printf(" ");
                print_tasks(&members[m].assigned.kinds[STREAMS_STANDBY]);
            }
    printf("\n");
}

// ---- order, expressions ----------------------------------------------------------------------------

static void answer_order(struct arena *arena)
{
    bool is_grown = strcmp(word(), "g") == 0;
    struct str texts[1000];
    int32_t hashes[1000];
    size_t count = 0;
    for (; *rest != '\0' && count < 1000; count++) {
        texts[count] = str_of(word());
        hashes[count] = str_java_hash(texts[count]);
    }
    size_t *order = java_order(hashes, count,
                               is_grown ? java_buckets_grown(count) : java_buckets_copied(count),
                               arena);
    for (size_t i = 0; i < count; i++)
        printf("%s%.*s", i > 0 ? " " : "", STR_ARG(texts[order[i]]));
    printf("\n");
}

static void answer_regex(struct arena *arena)
{
    const char *hex = word();
    size_t size = strlen(hex) / 2;
    char *pattern = arena_alloc(arena, size + 1);
    for (size_t i = 0; i < size; i++)
        pattern[i] = (char)hex_byte(hex + 2 * i);
    const char *reason;
    struct topic_regex *regex = topic_regex_compile((struct str){ pattern, size }, &reason);
    if (regex == NULL)
        printf("E %s", reason);
    while (regex != NULL && *rest != '\0')
        printf("%d", topic_regex_matches(regex, str_of(word())));
    printf("\n");
    topic_regex_free(regex);
}

int main(void)
{
    while (read_line()) {
        struct arena arena;
        arena_init(&arena);
        char kind = *word();
        if (kind == 'A')
            answer_assignment(&arena);
        else if (kind == 'S')
            answer_tasks(&arena);
        else if (kind == 'O')
            answer_order(&arena);
        else
            answer_regex(&arena);
        arena_fini(&arena);
        fflush(stdout);
    }
    free(line);
    return 0;
}
