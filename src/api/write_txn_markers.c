// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/transactions.
// WriteTxnMarkers, versions 1 and 2: other brokers' transaction coordinators, and kafka-transactions when it aborts a
// transaction that hangs, have markers written here. Answered when all are committed or have failed.
//
// (1) Kafka gathers the results in maps: a producer id that several markers name is answered once, so is each partition
//     of it, and a marker without partitions is not answered.
// (2) A partition that one marker names twice gets one marker. Kafka then forgets to answer, and so it does when the
//     last marker names only partitions that it has not. Here these are answered.
#include <stdatomic.h>
#include <stdlib.h>

#include "api/dispatch.h"
#include "api/marker_writer.h"
#include "api/node.h"
#include "api/partition_set.h"
#include "protocol/messages/write_txn_markers.h"

struct write_txn_markers {
    struct request *request;
    atomic_int left; // markers, and one for the handler
};

struct marker_of_request {
    struct txn_marker marker;
    struct write_txn_markers *all;
};

// ---- the answer ------------------------------------------------------------------------------------

struct marker_result {
    int64_t producer_id;
    int32_t marker; // its place in the request
    const struct txn_marker_partition *written;
};

static int compare_results(const void *left, const void *right)
{
    const struct marker_result *a = left, *b = right;
    if (a->producer_id != b->producer_id)
        return a->producer_id < b->producer_id ? -1 : 1;
    int order = str_compare(a->written->topic, b->written->topic);
    if (order != 0)
        return order;
    if (a->written->index != b->written->index)
        return a->written->index < b->written->index ? -1 : 1;
    return a->marker < b->marker ? -1 : a->marker > b->marker;
}

// By producer id, topic and partition.
static struct marker_result *sort_results(struct request *request,
                                          const struct marker_of_request *markers, size_t *count)
{
    const struct write_txn_markers_request *body = request->body;
    size_t most = 0;
    for (int32_t m = 0; m < body->markers_count; m++)
        most += (size_t)markers[m].marker.count;
    struct marker_result *results = arena_array(&request->arena, struct marker_result, most + 1);
    *count = 0;
    for (int32_t m = 0; m < body->markers_count; m++)
        for (int32_t p = 0; p < markers[m].marker.count; p++)
            results[(*count)++] = (struct marker_result){ markers[m].marker.producer_id, m,
                                                          &markers[m].marker.partitions[p] };
    qsort(results, *count, sizeof *results, compare_results);
    return results;
}

static void fill_topic(struct write_txn_markers_response_writable_txn_marker_topic_result *out,
                       const struct marker_result *results, size_t count, struct arena *arena)
{
    out->name = results[0].written->topic;
    out->partitions = arena_array(
        arena, struct write_txn_markers_response_writable_txn_marker_partition_result, count);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && results[i + 1].written->index == results[i].written->index)
            continue; // the last one counts
        out->partitions[out->partitions_count++] =
            (struct write_txn_markers_response_writable_txn_marker_partition_result){
                .partition_index = results[i].written->index,
                .error_code = (int16_t)results[i].written->error,
            };
    }
}

static void fill_producer(struct write_txn_markers_response_writable_txn_marker_result *out,
                          const struct marker_result *results, size_t count, struct arena *arena)
{
    out->producer_id = results[0].producer_id;
    size_t topics = 1;
    for (size_t i = 1; i < count; i++)
        topics += !str_eq(results[i].written->topic, results[i - 1].written->topic);
    out->topics = arena_array(
        arena, struct write_txn_markers_response_writable_txn_marker_topic_result, topics);
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1;
             end < count && str_eq(results[end].written->topic, results[begin].written->topic);)
            end++;
        fill_topic(&out->topics[out->topics_count++], results + begin, end - begin, arena);
    }
}

// (1)
static void fill(struct request *request)
{
    const struct write_txn_markers_request *body = request->body;
    struct write_txn_markers_response *response = request->response;
    size_t count;
    const struct marker_result *results = sort_results(request, request->state, &count);
    response->markers =
        arena_array(&request->arena, struct write_txn_markers_response_writable_txn_marker_result,
                    body->markers_count + 1);
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1;
             end < count && results[end].producer_id == results[begin].producer_id;)
            end++;
        fill_producer(&response->markers[response->markers_count++], results + begin, end - begin,
                      &request->arena);
    }
}

// ---- the request -----------------------------------------------------------------------------------

static void one_is_done(struct write_txn_markers *all)
{
    if (atomic_fetch_sub(&all->left, 1) > 1)
        return;
    fill(all->request);
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
    size_t most = 0;
    for (int32_t t = 0; t < asked->topics_count; t++)
        most += (size_t)asked->topics[t].partition_indexes_count;
    marker->partitions = arena_array(&request->arena, struct txn_marker_partition, most + 1);
    struct partition_name *names = arena_array(&request->arena, struct partition_name, most + 1);
    struct partition_set named; // (2)
    partition_set_init(&named, &request->arena, most);
    for (int32_t t = 0; t < asked->topics_count; t++) {
        struct str topic = asked->topics[t].name;
        uint64_t hash = partition_set_hash(&named, topic, UUID_ZERO);
        for (int32_t p = 0; p < asked->topics[t].partition_indexes_count; p++) {
            int32_t index = asked->topics[t].partition_indexes[p];
            names[marker->count] = (struct partition_name){ topic, UUID_ZERO, index };
            if (partition_set_add(&named, &names[marker->count], hash) == NULL)
                marker->partitions[marker->count++] =
                    (struct txn_marker_partition){ .topic = topic, .index = index };
        }
    }
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
