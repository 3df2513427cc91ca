// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/placement.h"

#include <stdlib.h>

struct broker_list {
    int32_t *ids;
    int32_t count;
    int32_t index;  // of the next to be given in this epoch
    int32_t offset; // where this epoch began
    int32_t epoch;
};

struct rack {
    struct str name; // null: brokers without a rack
    struct broker_list unfenced;
    struct broker_list fenced;
};

struct racks {
    struct evaluation *evaluation;
    struct rack *items;
    int32_t count;
    int32_t brokers_count;
    int32_t unfenced_count;
    int32_t epoch;  // one partition is one epoch
    int32_t offset; // the rack that the next partition begins with
};

static bool has_usable_dir(const struct metadata_broker *broker)
{
    if (broker->cordoned_log_dirs_count <= 0 || broker->log_dirs_count == 0)
        return true;
    for (int32_t i = 0; i < broker->log_dirs_count; i++) {
        bool is_cordoned = false;
        for (int32_t j = 0; j < broker->cordoned_log_dirs_count; j++)
            is_cordoned = is_cordoned || uuid_eq(broker->log_dirs[i], broker->cordoned_log_dirs[j]);
        if (!is_cordoned)
            return true;
    }
    return false;
}

static int compare_brokers(const void *a, const void *b)
{
    const struct metadata_broker *x = *(const struct metadata_broker *const *)a;
    const struct metadata_broker *y = *(const struct metadata_broker *const *)b;
    int by_rack = str_compare(x->rack, y->rack);
    return by_rack != 0 ? by_rack : (x->id > y->id) - (x->id < y->id);
}

static void list_begin(struct evaluation *evaluation, struct broker_list *list)
{
    if (list->count > 0)
        list->offset = (int32_t)evaluation_random(evaluation, (uint32_t)list->count);
}

static void racks_init(struct racks *racks, struct evaluation *evaluation)
{
    *racks = (struct racks){ .evaluation = evaluation };
    struct arena *arena = evaluation->arena;
    size_t total = metadata_brokers_count(evaluation->metadata);
    const struct metadata_broker **brokers =
        arena_array(arena, const struct metadata_broker *, total + 1);
    const struct metadata_broker *broker;
    size_t count = 0;
    for (size_t at = 0; (broker = metadata_next_broker(evaluation->metadata, &at)) != NULL;)
        if (has_usable_dir(broker))
            brokers[count++] = broker;
    qsort(brokers, count, sizeof *brokers, compare_brokers);
    racks->items = arena_array(arena, struct rack, count + 1);
    racks->brokers_count = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !str_eq(brokers[i]->rack, brokers[i - 1]->rack)) {
            struct rack *rack = &racks->items[racks->count++];
            rack->name = brokers[i]->rack;
            rack->unfenced.ids = arena_array(arena, int32_t, count);
            rack->fenced.ids = arena_array(arena, int32_t, count);
        }
        struct rack *rack = &racks->items[racks->count - 1];
        struct broker_list *list = brokers[i]->fenced ? &rack->fenced : &rack->unfenced;
        list->ids[list->count++] = brokers[i]->id;
        racks->unfenced_count += !brokers[i]->fenced;
    }
    for (int32_t i = 0; i < racks->count; i++) {
        list_begin(evaluation, &racks->items[i].unfenced);
        list_begin(evaluation, &racks->items[i].fenced);
    }
    if (racks->count > 0)
        racks->offset = (int32_t)evaluation_random(evaluation, (uint32_t)racks->count);
}

static void shuffle_ids(struct evaluation *evaluation, struct broker_list *list)
{
    for (int32_t i = list->count - 1; i > 0; i--) {
        int32_t j = (int32_t)evaluation_random(evaluation, (uint32_t)i + 1);
        int32_t id = list->ids[i];
        list->ids[i] = list->ids[j];
        list->ids[j] = id;
    }
}

// After a round in which every broker led once, another order: else the same brokers would always follow each other.
static void racks_shuffle(struct racks *racks)
{
    for (int32_t i = racks->count - 1; i > 0; i--) {
        int32_t j = (int32_t)evaluation_random(racks->evaluation, (uint32_t)i + 1);
        struct rack rack = racks->items[i];
        racks->items[i] = racks->items[j];
        racks->items[j] = rack;
    }
    for (int32_t i = 0; i < racks->count; i++) {
        shuffle_ids(racks->evaluation, &racks->items[i].unfenced);
        shuffle_ids(racks->evaluation, &racks->items[i].fenced);
    }
}

// The next broker of a list for the partition `epoch`; -1 when each was given.
static int32_t list_next(struct broker_list *list, int32_t epoch)
{
    if (list->count == 0)
        return -1;
    if (list->epoch != epoch) {
        list->epoch = epoch;
        list->index = 0;
        list->offset = (list->offset + 1) % list->count;
    }
    if (list->index >= list->count)
        return -1;
    return list->ids[(list->index++ + list->offset) % list->count];
}

static int32_t rack_next(struct rack *rack, int32_t epoch)
{
    int32_t id = list_next(&rack->unfenced, epoch);
    return id >= 0 ? id : list_next(&rack->fenced, epoch);
}

static void place_one(struct racks *racks, int32_t replication_factor, int32_t *replicas)
{
    if (racks->epoch == racks->unfenced_count && racks->unfenced_count > 1) {
        racks_shuffle(racks);
        racks->epoch = 0;
    }
    if (racks->offset == racks->count)
        racks->offset = 0;
    int32_t first_rack = racks->offset;
    while ((replicas[0] = list_next(&racks->items[first_rack].unfenced, racks->epoch)) < 0)
        first_rack = (first_rack + 1) % racks->count;
    int32_t at = racks->offset;
    for (int32_t i = 1; i < replication_factor; i++) {
        int32_t id = -1;
        while (id < 0) {
            if (at == first_rack)
                first_rack = -1; // it has its replica; from the second round on it takes part
            else
                id = rack_next(&racks->items[at], racks->epoch);
            at = (at + 1) % racks->count;
        }
        replicas[i] = id;
    }
    racks->epoch++;
    racks->offset++;
}

struct answer placement_choose(struct evaluation *evaluation, int32_t partitions,
                               int32_t replication_factor, int32_t *replicas)
{
    struct racks racks;
    racks_init(&racks, evaluation);
    if (replication_factor <= 0)
        return (struct answer){
            KERR_INVALID_REPLICATION_FACTOR,
            arena_printf(evaluation->arena,
                         "Invalid replication factor %d: the replication factor must be positive.",
                         replication_factor)
        };
    if (racks.unfenced_count == 0)
        return (struct answer){
            KERR_INVALID_REPLICATION_FACTOR,
            "All brokers are currently fenced, or have all their log directories cordoned."
        };
    if (replication_factor > racks.brokers_count)
        return (struct answer){
            KERR_INVALID_REPLICATION_FACTOR,
            arena_printf(evaluation->arena,
                         "The target replication factor of %d cannot be reached because only %d "
                         "broker(s) are "
                         "registered or some brokers have all their log directories cordoned.",
                         replication_factor, racks.brokers_count)
        };
    for (int32_t i = 0; i < partitions; i++)
        place_one(&racks, replication_factor, replicas + (size_t)i * (size_t)replication_factor);
    return ANSWER_OK;
}
