// SPDX-License-Identifier: Apache-2.0
// A log with everything in it that a cleaner has to tell apart, made at random from a seed, and a model of what may and
// must be left of it: keys written over and over, tombstones, records without key, all codecs, idempotent producers,
// transactions that overlap, committed, aborted and open.
#ifndef LOG_CLEANER_TESTING_H
#define LOG_CLEANER_TESTING_H

#include "log/cleaner.h"
#include "log/disk_testing.h"

enum { WORKLOAD_PRODUCERS = 6, WORKLOAD_NOW_MS = 1700000 };

#define WORKLOAD_TIME_MS (INT64_C(1700000000000))

struct workload_record {
    int64_t offset;
    int key; // -1: none
    bool is_tombstone;
    int txn;         // index of its transaction, -1: none
    uint32_t number; // what value and timestamp are made of
};

struct workload_txn {
    int producer;
    int64_t first_offset;
    int64_t marker_offset; // -1: open
    bool is_aborted;
};

struct workload {
    struct memory_disk *disk;
    struct trace trace;
    struct arena arena;
    struct log_config config;
    struct log *log;
    int keys;         // how many different ones
    bool has_keyless; // some records have no key
    bool has_open;    // transactions may stay open
    uint64_t random;
    uint32_t next_number;
    int32_t sequences[WORKLOAD_PRODUCERS];
    int open_txn[WORKLOAD_PRODUCERS]; // -1: none
    struct workload_record *records;  // by offset
    size_t record_count, record_capacity;
    struct workload_txn *txns;
    size_t txn_count, txn_capacity;
};

// A fresh log on a fresh disk.
void workload_init(struct workload *w, uint64_t seed);
void workload_fini(struct workload *w);
uint64_t workload_random(struct workload *w, uint64_t below);
// Appends until so many batches are in; ends all transactions unless has_open.
void workload_append(struct workload *w, int batches);
// Opens the log again as after a kill: nothing is believed. without_snapshots: producers are read from the batches.
int workload_reopen(struct workload *w, bool without_snapshots);

// Cleans as the manager would. map_bytes 0: enough. 0 or what cleaner_clean says; *end_offset: clean before it.
int workload_clean(struct workload *w, int64_t checkpoint, int64_t map_bytes, int64_t later_ms,
                   int64_t *end_offset);

enum workload_tombstones { TOMBSTONES_STAY, TOMBSTONES_GO, TOMBSTONES_MAY_GO };

// The log is what a cleaning up to clean_offset may leave. is_partial: or anything between that and what was appended.
void workload_check(struct workload *w, int64_t clean_offset, enum workload_tombstones tombstones,
                    bool is_partial);

#endif
