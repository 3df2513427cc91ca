// SPDX-License-Identifier: Apache-2.0
// What the witness was told, on a file of its own that no broker touches: an entry for every acknowledgement, written
// before the next message is sent. The reader takes nothing else for true.
//
//     entry: kind u8 · outcome u8 · topic u16 · partition i32 · number i64 · offset i64 · call u64      (32 bytes, this
//     machine's byte order)
//
// `call` is how many changing calls the broker had made when the acknowledgement was here (0 without faults.so): what
// has a call not above n was acknowledged before the broker's call n + 1.
#ifndef WITNESS_LEDGER_H
#define WITNESS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum entry_kind {
    ENTRY_MESSAGE = 1,   // number: of the message in its partition
    ENTRY_COMMIT,        // of an offset: number is what was committed; topic 0, partition 0
    ENTRY_TOPIC_CREATED, // number: of the topic
    ENTRY_TOPIC_DELETED,
    ENTRY_TRANSACTION, // number: of the transaction
};

enum entry_outcome {
    OUTCOME_ASKED = 1, // it was sent; nothing is known yet
    OUTCOME_DONE,      // acknowledged
    OUTCOME_ABORTED,   // a transaction: its abort was acknowledged
};

struct entry {
    uint8_t kind;
    uint8_t outcome;
    uint16_t topic;
    int32_t partition;
    int64_t number;
    int64_t offset;
    uint64_t call;
};

struct ledger;

struct ledger *
ledger_create(const char *path,
              const char *counter_path); // appends when there; counter_path may be NULL
// Safe from any thread. `call` is filled in.
void ledger_add(struct ledger *ledger, struct entry entry);
void ledger_close(struct ledger *ledger);

struct entries {
    struct entry *items;
    size_t count;
};

struct entries ledger_read(const char *path,
                           uint64_t upto_call); // those of later calls are as if only asked for
uint64_t ledger_call(const struct ledger *ledger);

#endif
