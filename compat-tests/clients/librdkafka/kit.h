// SPDX-License-Identifier: Apache-2.0
//
// What the tests share: clients made from pairs of settings, topics of a unique name, and
// produce and consume calls that wait for all of it or fail the test. A wait ends upon what it
// waits for; KIT_LIMIT_MS only bounds it where the broker never answers.
#ifndef KIT_H
#define KIT_H

#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

enum { KIT_LIMIT_MS = 30000 };

// What a delivery report, or a consumed message, said. Freed with kit_message_free.
struct kit_message {
    rd_kafka_resp_err_t err;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    char *key; // NULL for a null key
    size_t key_size;
    char *value; // NULL for a null value
    size_t value_size;
    rd_kafka_headers_t *headers; // NULL for none
};

// A producer or consumer on $BOOTSTRAP; `settings` are name, value, …, NULL. Aborts upon a
// setting that the library does not have.
rd_kafka_t *kit_producer(const char *const *settings);
rd_kafka_t *kit_consumer(const char *const *settings);
void kit_consumer_close(rd_kafka_t *consumer);

// A name that no other run and no other test has. Valid until the process ends.
const char *kit_name(const char *what);

// Creates a topic; fails the test upon an error. Returns its name.
const char *kit_topic(const char *what, int partitions);

// Produces one message (key or value may be NULL; timestamp 0 is now; takes the headers) and, with
// `report`, waits for the delivery report and fills it in: err, partition, offset.
void kit_produce(rd_kafka_t *producer, const char *topic, int32_t partition, const void *key,
                 size_t key_size, const void *value, size_t value_size, int64_t timestamp_ms,
                 rd_kafka_headers_t *headers, struct kit_message *report);

// Waits for every outstanding delivery. Returns how many failed, of those without a report, since
// the last call.
int kit_flush(rd_kafka_t *producer);

// Assigns one partition from `offset` (RD_KAFKA_OFFSET_BEGINNING and so on are allowed).
void kit_assign(rd_kafka_t *consumer, const char *topic, int32_t partition, int64_t offset);

// The next message. Returns 0, or -1 when none came within the limit.
int kit_next(rd_kafka_t *consumer, struct kit_message *message);
void kit_message_free(struct kit_message *message);

// Produces "<i>" (padded with `pad` bytes) for i in [0, count) to partition 0 and waits for it.
void kit_fill(const char *const *settings, const char *topic, int count, size_t pad);

// Reads [from, count) of what kit_fill wrote from the partition's start (+from). Returns how many
// were as they ought to be, in order, before the first that was not.
int kit_check_filled(const char *topic, int from, int count, size_t pad);

#endif
