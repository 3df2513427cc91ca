// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// WriteTxnMarkers, versions 1 and 2: other brokers' transaction coordinators, and kafka-transactions when it aborts a
// transaction that hangs, have markers written here. Answered when all are committed or have failed.
#include <stdatomic.h>

#include "api/dispatch.h"
#include "api/marker_writer.h"
#include "api/node.h"
#include "protocol/messages/write_txn_markers.h"

struct write_txn_markers {
    struct request *request;
    atomic_int left; // markers, and one for the handler
    struct txn_marker *markers;
};

struct marker_of_request {
    struct txn_marker marker;
    struct write_txn_markers *all;
};

static void fill(struct request *request, const struct marker_of_request *markers)
{
    const struct write_txn_markers_request *body = request->body;
    struct write_txn_markers_response *response = request->response;
    response->markers =
        arena_array(&request->arena, struct write_txn_markers_response_writable_txn_marker_result,
                    body->markers_count + 1);
    response->markers_count = body->markers_count;
    for (int32_t m = 0; m < body->markers_count; m++) {
        const struct write_txn_markers_request_writable_txn_marker *asked = &body->markers[m];
        struct write_txn_markers_response_writable_txn_marker_result *out = &response->markers[m];
        const struct txn_marker_partition *written = markers[m].marker.partitions;
        out->producer_id = asked->producer_id;
        out->topics = arena_array(
            &request->arena, struct write_txn_markers_response_writable_txn_marker_topic_result,
            asked->topics_count + 1);
        for (int32_t t = 0; t < asked->topics_count; t++) {
            struct write_txn_markers_response_writable_txn_marker_topic_result *topic =
                &out->topics[out->topics_count++];
            topic->name = asked->topics[t].name;
            topic->partitions_count = asked->topics[t].partition_indexes_count;
            topic->partitions =
                arena_array(&request->arena,
                            struct write_txn_markers_response_writable_txn_marker_partition_result,
                            topic->partitions_count + 1);
            for (int32_t p = 0; p < topic->partitions_count; p++, written++) {
                topic->partitions[p].partition_index = written->index;
                topic->partitions[p].error_code = (int16_t)written->error;
            }
        }
    }
}

static void one_is_done(struct write_txn_markers *all)
{
    if (atomic_fetch_sub(&all->left, 1) > 1)
        return;
    fill(all->request, all->request->state);
    request_reply(all->request);
}

static void on_written(struct txn_marker *marker)
{
    one_is_done(container_of(marker, struct marker_of_request, marker)->all);
}

static void marker_make(struct request *request, struct txn_marker *marker,
                        const struct write_txn_markers_request_writable_txn_marker *asked)
{
    *marker = (struct txn_marker){ .producer_id = asked->producer_id,
                                   .producer_epoch = asked->producer_epoch,
                                   .transaction_version = asked->transaction_version,
                                   .coordinator_epoch = asked->coordinator_epoch,
                                   .is_commit = asked->transaction_result,
                                   .on_written = on_written };
    int32_t most = 0;
    for (int32_t t = 0; t < asked->topics_count; t++)
        most += asked->topics[t].partition_indexes_count;
    marker->partitions = arena_array(&request->arena, struct txn_marker_partition, most + 1);
    for (int32_t t = 0; t < asked->topics_count; t++)
        for (int32_t p = 0; p < asked->topics[t].partition_indexes_count; p++)
            marker->partitions[marker->count++] =
                (struct txn_marker_partition){ .topic = asked->topics[t].name,
                                               .index = asked->topics[t].partition_indexes[p] };
}

void handle_write_txn_markers(struct request *request);

void handle_write_txn_markers(struct request *request)
{
    const struct write_txn_markers_request *body = request->body;
    struct marker_of_request *markers =
        arena_array(&request->arena, struct marker_of_request, body->markers_count + 1);
    struct write_txn_markers *all = arena_new(&request->arena, struct write_txn_markers);
    all->request = request;
    request->state = markers;
    atomic_init(&all->left, body->markers_count + 1);
    for (int32_t m = 0; m < body->markers_count; m++) {
        markers[m].all = all;
        marker_make(request, &markers[m].marker, &body->markers[m]);
    }
    bool has_nobody = false; // no batch can be made of it, which in Kafka fails the request
    for (int32_t m = 0; m < body->markers_count; m++)
        has_nobody |= body->markers[m].producer_id == -1 || body->markers[m].producer_epoch == -1;
    for (int32_t m = 0; m < body->markers_count; m++) {
        if (!has_nobody) {
            marker_write(request->node, &markers[m].marker);
            continue;
        }
        for (int32_t p = 0; p < markers[m].marker.count; p++)
            markers[m].marker.partitions[p].error = KERR_UNKNOWN_SERVER_ERROR;
        one_is_done(all);
    }
    one_is_done(all);
}
