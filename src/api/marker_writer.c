// SPDX-License-Identifier: Apache-2.0
// Tested by api/txn_test.c.
#include "api/marker_writer.h"

#include "api/node.h"
#include "base/mem.h"
#include "group/group_coordinator.h"
#include "metadata/metadata.h"
#include "record/batch_builder.h"
#include "replica/replicas.h"

struct marker_item {
    struct marker_write *write;
    struct txn_marker_partition *target;
    struct partition *partition; // counted, or NULL
    struct partition_waiter waiter;
    struct completion completion; // of the group coordinator
};

struct marker_write {
    struct node *node;
    struct txn_marker *marker;
    struct arena arena;
    atomic_int left; // items, and one for who starts them
    bool gone_is_fine;
    struct marker_item items[];
};

static void one_is_done(struct marker_write *write)
{
    if (atomic_fetch_sub(&write->left, 1) > 1)
        return;
    struct txn_marker *marker = write->marker;
    for (int32_t i = 0; i < marker->count; i++)
        partition_unref(write->items[i].partition);
    arena_fini(&write->arena);
    mem_free(write);
    marker->on_written(marker);
}

static bool is_in_cluster(struct metadata *metadata, const struct txn_marker_partition *target)
{
    metadata_lock_read(metadata);
    const struct metadata_topic *topic = metadata_find_topic(metadata, target->topic);
    bool is_there = topic != NULL && metadata_topic_partition(topic, target->index) != NULL;
    metadata_unlock(metadata);
    return is_there;
}

static void item_end(struct marker_item *item, enum kafka_error error)
{
    struct marker_write *write = item->write;
    if (error != KERR_NONE && write->gone_is_fine &&
        !is_in_cluster(write->node->metadata, item->target))
        error = KERR_NONE;
    item->target->error = error;
    one_is_done(write);
}

// ---- partitions ------------------------------------------------------------------------------------

static void wait_for_commit(struct marker_item *item)
{
    for (;;) {
        bool is_committed;
        enum kafka_error error =
            partition_check_committed(item->partition, item->waiter.offset, &is_committed);
        if (error != KERR_NONE || is_committed) {
            item_end(item, error);
            return;
        }
        item->waiter.changes = partition_changes(item->partition);
        if (partition_wait(&item->waiter) != PARTITION_SATISFIED)
            return; // it is woken when that changes
    }
}

static void on_wake(struct partition_waiter *waiter)
{
    wait_for_commit(container_of(waiter, struct marker_item, waiter));
}

static void write_item(struct marker_item *item, struct bytes batch, struct partition_woken *woken)
{
    struct marker_write *write = item->write;
    item->partition =
        replicas_find(write->node->replicas, item->target->topic, item->target->index);
    if (item->partition == NULL) {
        item_end(item, KERR_UNKNOWN_TOPIC_OR_PARTITION);
        return;
    }
    struct log_append_result result;
    struct log_append_transaction transaction = { LOG_VERIFICATION_NOT_REQUIRED,
                                                  write->marker->transaction_version };
    enum kafka_error error =
        partition_append_transactional(item->partition, batch, -1, -1, LOG_APPEND_COORDINATOR,
                                       &transaction, &write->arena, &result, woken);
    if (error != KERR_NONE) {
        item_end(item, error);
        return;
    }
    item->waiter = (struct partition_waiter){ .partition = item->partition,
                                              .kind = PARTITION_WAIT_FOR_COMMIT,
                                              .offset = result.last_offset + 1,
                                              .wake = on_wake };
    list_init(&item->waiter._link);
    wait_for_commit(item);
}

// ---- __consumer_offsets ----------------------------------------------------------------------------

static void on_group_done(struct completion *completion)
{
    struct marker_item *item = container_of(completion, struct marker_item, completion);
    item_end(item, item->target->error);
}

static void write_group_item(struct marker_item *item)
{
    const struct txn_marker *marker = item->write->marker;
    item->completion.complete = on_group_done;
    struct coordinator_transaction transaction = {
        .producer_id = marker->producer_id,
        .producer_epoch = marker->producer_epoch,
        .verification_guard = LOG_VERIFICATION_NOT_REQUIRED,
        .version = marker->transaction_version,
    };
    struct partition *partition =
        replicas_find(item->write->node->replicas, item->target->topic, item->target->index);
    if (partition == NULL) {
        item_end(item, KERR_UNKNOWN_TOPIC_OR_PARTITION);
        return;
    }
    partition_unref(partition);
    group_coordinator_end_transaction(item->write->node->groups, item->target->index, &transaction,
                                      marker->coordinator_epoch, marker->is_commit,
                                      &item->target->error, &item->write->arena, &item->completion);
}

// ---- the whole -------------------------------------------------------------------------------------

static struct bytes build(struct batch_builder *builder, struct node *node,
                          const struct txn_marker *marker)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT, .is_transactional = true,
                                     .is_control = true };
    options.producer_id = marker->producer_id;
    options.producer_epoch = marker->producer_epoch;
    uint8_t key[CONTROL_KEY_SIZE], value[END_TXN_MARKER_SIZE];
    control_key_encode(key, marker->is_commit ? CONTROL_COMMIT : CONTROL_ABORT);
    end_txn_marker_encode(value, marker->coordinator_epoch);
    batch_builder_init(builder, &options);
    batch_builder_add(builder, clock_wall_ms(node->clock), (struct bytes){ key, sizeof key },
                      (struct bytes){ value, sizeof value });
    return batch_builder_finish(builder);
}

static void start(struct node *node, struct txn_marker *marker, bool gone_is_fine)
{
    struct marker_write *write =
        mem_zalloc(sizeof *write + (size_t)marker->count * sizeof *write->items);
    write->node = node;
    write->marker = marker;
    write->gone_is_fine = gone_is_fine;
    arena_init(&write->arena);
    atomic_init(&write->left, marker->count + 1);
    struct batch_builder builder;
    struct bytes batch = build(&builder, node, marker);
    struct partition_woken woken;
    partition_woken_init(&woken);
    for (int32_t i = 0; i < marker->count; i++) {
        struct marker_item *item = &write->items[i];
        item->write = write;
        item->target = &marker->partitions[i];
        if (str_eqz(item->target->topic, GROUP_OFFSETS_TOPIC))
            write_group_item(item);
        else
            write_item(item, batch, &woken);
    }
    batch_builder_fini(&builder);
    partition_wake(&woken);
    one_is_done(write);
}

void marker_write(struct node *node, struct txn_marker *marker)
{
    start(node, marker, false);
}

static void sink_write(struct txn_marker_sink *sink, struct txn_marker *marker)
{
    start(container_of(sink, struct marker_writer, sink)->_node, marker, true);
}

void marker_writer_init(struct marker_writer *writer, struct node *node)
{
    *writer = (struct marker_writer){ .sink = { sink_write }, ._node = node };
}
