// SPDX-License-Identifier: Apache-2.0
// Nanoseconds for a message: `make protocol/codec_bench && protocol/codec_bench`. Figures for
// people; nothing here is asserted.
#include "base/must.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/header.h"
#include "protocol/messages/metadata.h"
#include "protocol/messages/produce.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 200000, PARTITIONS = 50 };

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// The blocks of a frame are asked for as a request's arena would give them: reset after each.
static void bench(const char *what, const struct message_desc *desc, int16_t version,
                  const void *message)
{
    struct arena frames, arena;
    arena_init(&frames);
    arena_init(&arena);
    struct bytes frame = codec_encode_bytes(desc, version, &frames, message);
    must(frame.data != NULL);
    void *out = arena_alloc(&frames, desc->struct_size);
    int rounds = (int)(ROUNDS * 100 / (100 + frame.size));
    int64_t begin = now_ns();
    for (int i = 0; i < rounds; i++) {
        struct reader r;
        reader_init(&r, frame.data, frame.size);
        must(codec_decode(desc, version, &r, &arena, out));
        arena_reset(&arena);
    }
    int64_t middle = now_ns();
    for (int i = 0; i < rounds; i++) {
        struct writer w;
        writer_init(&w, &arena);
        must(codec_encode(desc, version, &w, message));
        writer_finish(&w);
        arena_reset(&arena);
    }
    int64_t end = now_ns();
    printf("%-34s %6zu bytes  decode %7" PRId64 " ns  encode %7" PRId64 " ns\n", what, frame.size,
           (middle - begin) / rounds, (end - middle) / rounds);
    arena_fini(&frames);
    arena_fini(&arena);
}

static void bench_header(void)
{
    struct request_header header;
    message_init(&request_header_desc, &header);
    header.client_id = str_of("consumer-group-17");
    bench("RequestHeader v2", &request_header_desc, 2, &header);
}

static void bench_produce(void)
{
    static uint8_t batch[16384];
    struct produce_request_partition_produce_data partitions[PARTITIONS];
    struct produce_request_topic_produce_data topic = { .name = str_of("events"),
                                                        .partition_data = partitions,
                                                        .partition_data_count = 1 };
    struct produce_request req;
    message_init(&produce_request_desc, &req);
    req.topic_data = &topic;
    req.topic_data_count = 1;
    for (int i = 0; i < PARTITIONS; i++)
        partitions[i] = (struct produce_request_partition_produce_data){
            .index = i, .records = { .data = batch, .size = sizeof batch }
        };
    bench("ProduceRequest v12, 1 partition", &produce_request_desc, 12, &req);
    topic.partition_data_count = PARTITIONS;
    bench("ProduceRequest v12, 50 partitions", &produce_request_desc, 12, &req);
}

static void bench_fetch(void)
{
    struct fetch_request_fetch_partition partitions[PARTITIONS];
    struct fetch_request_fetch_topic topic = { .partitions = partitions,
                                               .partitions_count = PARTITIONS };
    struct fetch_request req;
    struct fetch_response_partition_data answers[PARTITIONS];
    struct fetch_response_fetchable_topic_response answer = { .partitions = answers,
                                                              .partitions_count = PARTITIONS };
    struct fetch_response resp;
    message_init(&fetch_request_desc, &req);
    message_init(&fetch_response_desc, &resp);
    for (int i = 0; i < PARTITIONS; i++) {
        message_init(&fetch_request_fetch_partition_desc, &partitions[i]);
        message_init(&fetch_response_partition_data_desc, &answers[i]);
        answers[i].records = (struct records){ .data = (const uint8_t *)"", .size = 0 };
    }
    bench("FetchRequest v17, empty", &fetch_request_desc, 17, &req);
    bench("FetchResponse v17, empty", &fetch_response_desc, 17, &resp);
    req.topics = &topic;
    req.topics_count = 1;
    resp.responses = &answer;
    resp.responses_count = 1;
    bench("FetchRequest v17, 50 partitions", &fetch_request_desc, 17, &req);
    bench("FetchResponse v17, 50 partitions", &fetch_response_desc, 17, &resp);
}

static void bench_metadata(void)
{
    static int32_t nodes[] = { 1, 2, 3 };
    struct metadata_response_partition partitions[PARTITIONS];
    struct metadata_response_topic topic = { .name = str_of("events"),
                                             .partitions = partitions,
                                             .partitions_count = PARTITIONS };
    struct metadata_response resp;
    message_init(&metadata_response_desc, &resp);
    resp.topics = &topic;
    resp.topics_count = 1;
    for (int i = 0; i < PARTITIONS; i++)
        partitions[i] = (struct metadata_response_partition){ .partition_index = i,
                                                              .replica_nodes = nodes,
                                                              .replica_nodes_count = 3,
                                                              .isr_nodes = nodes,
                                                              .isr_nodes_count = 3 };
    bench("MetadataResponse v12, 50 partitions", &metadata_response_desc, 12, &resp);
}

int main(void)
{
    bench_header();
    bench_produce();
    bench_fetch();
    bench_metadata();
    return 0;
}
