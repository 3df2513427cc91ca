// SPDX-License-Identifier: Apache-2.0
// Tested by metadata_test.c.
#include "api/cluster_view.h"

#include <stdlib.h>

static int compare_brokers(const void *a, const void *b)
{
    int32_t x = ((const struct view_broker *)a)->broker->id;
    int32_t y = ((const struct view_broker *)b)->broker->id;
    return (x > y) - (x < y);
}

struct view_brokers view_brokers(const struct cluster_view *view, bool with_fenced)
{
    struct view_brokers brokers = { NULL, 0 };
    brokers.items =
        arena_array(view->arena, struct view_broker, metadata_brokers_count(view->metadata) + 1);
    const struct metadata_broker *broker;
    for (size_t at = 0; (broker = metadata_next_broker(view->metadata, &at)) != NULL;) {
        const struct metadata_endpoint *endpoint =
            metadata_broker_endpoint(broker, view->listener_name);
        if (endpoint != NULL && (with_fenced || !broker->fenced))
            brokers.items[brokers.count++] = (struct view_broker){ broker, endpoint };
    }
    qsort(brokers.items, (size_t)brokers.count, sizeof *brokers.items, compare_brokers);
    return brokers;
}

int32_t view_controller_id(const struct cluster_view *view, int32_t own_id)
{
    int32_t any = -1;
    const struct metadata_broker *broker;
    for (size_t at = 0; (broker = metadata_next_broker(view->metadata, &at)) != NULL;)
        if (!broker->fenced &&
            (any < 0 || broker->id == own_id || (any != own_id && broker->id < any)))
            any = broker->id;
    return any;
}

int32_t view_leader(const struct cluster_view *view, const struct metadata_partition *partition)
{
    const struct metadata_broker *broker = metadata_find_broker(view->metadata, partition->leader);
    return broker != NULL && metadata_broker_endpoint(broker, view->listener_name) != NULL
               ? broker->id
               : -1;
}

// Directory ids that Kafka reserves (unassigned, migrating) count as online, but the one for "lost".
static bool is_dir_online(const struct metadata_broker *broker, struct uuid dir)
{
    struct uuid lost = UUID_ZERO;
    lost.bytes[15] = 2;
    if (uuid_eq(dir, lost))
        return false;
    if (uuid_is_reserved(dir) || broker->log_dirs_count == 0)
        return true;
    for (int32_t i = 0; i < broker->log_dirs_count; i++)
        if (uuid_eq(broker->log_dirs[i], dir))
            return true;
    return false;
}

struct view_ids view_offline_replicas(const struct cluster_view *view,
                                      const struct metadata_partition *partition)
{
    struct view_ids ids = { NULL, 0 };
    for (int32_t i = 0; i < partition->replicas_count; i++) {
        const struct metadata_broker *broker =
            metadata_find_broker(view->metadata, partition->replicas[i]);
        bool is_online =
            broker != NULL && !broker->fenced &&
            metadata_broker_endpoint(broker, view->listener_name) != NULL &&
            (i >= partition->directories_count || is_dir_online(broker, partition->directories[i]));
        if (is_online)
            continue;
        if (ids.items == NULL)
            ids.items = arena_array(view->arena, int32_t, partition->replicas_count);
        ids.items[ids.count++] = partition->replicas[i];
    }
    return ids;
}

struct view_ids view_ids(const struct cluster_view *view, const int32_t *ids, int32_t count)
{
    struct view_ids copy = { NULL, count };
    if (count > 0)
        copy.items = arena_dup(view->arena, ids, (size_t)count * sizeof *ids);
    return copy;
}

struct view_ids view_live_ids(const struct cluster_view *view, const int32_t *ids, int32_t count)
{
    struct view_ids live = { arena_array(view->arena, int32_t, count + 1), 0 };
    for (int32_t i = 0; i < count; i++) {
        const struct metadata_broker *broker = metadata_find_broker(view->metadata, ids[i]);
        if (broker != NULL && !broker->fenced &&
            metadata_broker_endpoint(broker, view->listener_name) != NULL)
            live.items[live.count++] = ids[i];
    }
    return live;
}
