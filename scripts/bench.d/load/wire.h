// SPDX-License-Identifier: Apache-2.0
// What the loads share: a blocking socket, requests that are encoded once, and one batch of records.
// Anything that goes wrong ends the program with a reason.
#ifndef LOAD_WIRE_H
#define LOAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    PRODUCE = 0,
    FETCH = 1,
    LIST_OFFSETS = 2,
    METADATA = 3,
    JOIN_GROUP = 11,
    HEARTBEAT = 12,
    SYNC_GROUP = 14,
    CREATE_TOPICS = 19,
    DELETE_TOPICS = 20,
    INIT_PRODUCER_ID = 22,
    END_TXN = 26,
    CONSUMER_GROUP_HEARTBEAT = 68,
    SHARE_GROUP_HEARTBEAT = 76,
    SHARE_FETCH = 78,
};

// Positions in a batch.
enum { BATCH_CRC = 17, BATCH_ATTRIBUTES = 21, BATCH_PRODUCER_ID = 43, BATCH_RECORDS = 61 };

_Noreturn void fail(const char *what, const char *detail);
_Noreturn void fail_with(const char *what, int error); // an error code of Kafka's
double now_ms(void);

int try_connect(const char *address); // HOST:PORT, IPv4; -1 when nobody listens
int write_all(int fd, const uint8_t *data, size_t size); // 0, or -1 when the connection closed
int read_all(int fd, uint8_t *into, size_t size);
// One answer without its length, in a buffer that is used again. NULL: closed.
uint8_t *read_answer(int fd, size_t *size);
void allow_connections(size_t count); // raises the limit of descriptors

// Bytes under construction; whoever made `data` made it large enough.
struct out {
    uint8_t *data;
    size_t size;
};

void add_int(struct out *out, int64_t v, int bytes);
void add_string(struct out *out, const char *s);
void add_varint(struct out *out, int32_t v);
void add_uvarint(struct out *out, size_t v);
void add_compact(struct out *out, const char *s); // a string of flexible versions
void begin_request(struct out *out, int api_key, int version); // header version 1, correlation id 0
void end_request(struct out *out);
uint32_t take_uvarint(const uint8_t **at);
// Sends a request and waits for its answer, as read_answer() gives it.
uint8_t *call(int fd, const struct out *request);

// A v2 batch of records with a value of record_bytes each, as many as fit in batch_bytes (at least one). Its size.
size_t encode_batch(uint8_t *at, size_t record_bytes, size_t batch_bytes, int *record_count);
// A Produce request of one such batch, in memory of its own. The number of records. `codec`: as in a batch's attributes;
// with one, values are of words, which compress as text does, and batch_bytes are before compression.
int encode_produce(struct out *out, const char *topic, int partition, size_t record_bytes, size_t batch_bytes, int acks,
                   int codec);
size_t produce_batch_at(const char *topic); // where the batch stands in it
void check_produced(const uint8_t *answer, size_t topic_size); // the answer to such a request; fail() upon an error
void produce_batch(int fd, const char *topic, struct bytes batch); // to partition 0, and waits until it is acknowledged

// The loads, by main.c: `args` is what stands behind HOST:PORT; NULL for what was left out.
int run_start(const char *address, char **args);
int run_join(const char *address, char **args);
int run_produce(const char *address, char **args);
int run_consume(const char *address, char **args);
int run_producers(const char *address, char **args);
int run_create_topics(const char *address, char **args);
int run_delete_topics(const char *address, char **args);
int run_restart(const char *address, char **args);
int run_latency(const char *address, char **args);
int run_transaction(const char *address, char **args);
int run_fill(const char *address, char **args);
int run_lines(const char *address, char **args);
int run_raw(const char *address, char **args);
int run_connections(const char *address, char **args);
int run_join_classic(const char *address, char **args);
int run_open_transactions(const char *address, char **args);
int run_share(const char *address, char **args);

#endif
