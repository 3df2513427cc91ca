// SPDX-License-Identifier: Apache-2.0
// What of a batch stays when a log is cleaned, decided as Kafka 4.3 does (Cleaner, MemoryRecords.filterTo):
//
//     data of an aborted transaction ─────────────────────────────────► no record stays
//     marker whose transaction has no data left: first seen so ──────► stays, gets a delete horizon (KIP-534)
//                                                horizon reached ────► goes
//     record behind the map's end ───────────────────────────────────► stays
//     record without a key, or with a later one of the same key ─────► goes
//     tombstone ──────────────── stays until the horizon, which the batch gets when it is first cleaned
//
//     all records stay ─► the batch as it is          some ─► a new batch: same base and last offset, sequence,
//     none ─► nothing; but an empty batch, a header          epoch, codec; base timestamp that of the first record,
//             only, where it is its producer's last one,     or the horizon
//             or the last below first_uncleanable_offset
//
// Messages of magic 0 and 1 come here as batches (record/old_records.h) and leave as such.
// A horizon is written where base timestamp was, with a bit in the attributes; timestamps of records are the same.
// Tested by cleaner_filter_test.c.
#ifndef LOG_CLEANER_FILTER_H
#define LOG_CLEANER_FILTER_H

#include "base/strbuf.h"
#include "log/cleaner_txns.h"
#include "log/log_cleaning.h"
#include "log/offset_map.h"
#include "record/record.h"

struct cleaner_filter {
    // Set by the caller, borrowed; the map is filled by cleaner_filter_map and read by cleaner_filter_batch.
    struct offset_map *map;
    struct cleaner_txns *txns;
    const struct last_record *producers; // by producer id
    size_t producer_count;
    int64_t now_ms;
    int64_t delete_retention_ms;
    int64_t first_uncleanable_offset;
    // The batch was made of a message of magic 0 or 1, with these attributes (codec, timestamp type): its tombstones
    // have no horizon yet; they go if their file is old enough.
    bool is_old, drops_old_tombstones;
    int old_attributes;
    // Counted.
    int64_t records_read, records_kept, keyless_records;
    // The present batch.
    const char *fault;       // why -EBADMSG
    struct aborted_txn kept; // an abort marker that stays; producer id -1: none
    struct filter_record *_records;
    size_t _capacity;
    struct strbuf _flat;   // its header and records, not compressed
    struct strbuf _packed; // records that stay, before compression
};

void cleaner_filter_fini(struct cleaner_filter *filter); // its own memory

// Puts the keys of a batch at or after `from` into the map. 1 when the map is full: it knows all offsets up to its
// latest_offset and none behind. 0, or -EBADMSG.
int cleaner_filter_map(struct cleaner_filter *filter, struct bytes batch, int64_t from);
// Appends to `out` what stays of the batch: one batch or nothing. 0, or -EBADMSG.
int cleaner_filter_batch(struct cleaner_filter *filter, struct bytes batch, struct strbuf *out);

#endif
