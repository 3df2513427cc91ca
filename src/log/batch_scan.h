// SPDX-License-Identifier: Apache-2.0
// Walks the batches of a segment file by their headers, reading ahead a little, or whole for checking.
//
//     struct batch_scan scan;
//     batch_scan_init(&scan, file, from_position, end_position);
//     while (batch_scan_next(&scan)) { … scan.header, scan.position, scan.size … }
//     if (scan.error != 0) …          // the disk's
//     if (scan.fault != NULL) …       // what lies at scan.position is no batch; it says why
//     batch_scan_fini(&scan);
//
// A segment may hold messages of magic 0 and 1 beside batches. Each shows here as a batch: its header says what a
// batch's would (old_records_header), only batch_scan_load gives the message as it is.
// Tested by log_test.c and log_faults_test.c.
#ifndef LOG_BATCH_SCAN_H
#define LOG_BATCH_SCAN_H

#include "base/disk.h"
#include "record/batch.h"

// How much is read at once: for the headers, and where all is to be checked, which fits a cache nearby.
enum { BATCH_SCAN_AHEAD = 8192, BATCH_SCAN_CHECK = 256 * 1024 };

struct batch_scan {
    const uint8_t *header; // 61 bytes of the present batch; made up for a message of magic 0 or 1
    int64_t position;      // of the present batch
    int64_t size;
    int error;
    const char *fault;
    bool
        only_cached; // set by the caller: error is -EAGAIN where the device would have to be waited for
    bool is_sparse; // set by the caller: the first batch is likely larger than what is read ahead
    bool is_old_format; // the present batch is a message of magic 0 or 1 (record/old_records.h)
    struct disk_file *_file;
    const uint8_t *_known; // headers that need not be read, of the next batches
    size_t _known_count;
    int64_t _next;
    int64_t _end;
    int64_t _buffer_position;
    size_t _buffer_used;
    uint8_t *_whole; // for batch_scan_load
    size_t _whole_capacity;
    uint8_t _old_header[BATCH_HEADER_SIZE];
    uint8_t *_buffer; // _small, or memory of its own
    size_t _buffer_size;
    uint8_t _small[BATCH_SCAN_AHEAD];
};

void batch_scan_init(struct batch_scan *scan, struct disk_file *file, int64_t position,
                     int64_t end);
// Every batch will be loaded: reads in large pieces, each byte about once.
void batch_scan_init_whole(struct batch_scan *scan, struct disk_file *file, int64_t position,
                           int64_t end);
// The first `count` headers are known from an earlier scan of the same file: BATCH_HEADER_SIZE bytes each, which stay
// the caller's. Before the first batch_scan_next, from position 0.
void batch_scan_know(struct batch_scan *scan, const uint8_t *headers, size_t count);
// False at the end, at a batch that is cut by the end, and at what cannot be a batch.
bool batch_scan_next(struct batch_scan *scan);
// The present batch in memory, valid until the next call; false when it cannot be read.
bool batch_scan_load(struct batch_scan *scan, struct bytes *batch);
// The present batch's CRC is right; `batch` is from batch_scan_load.
bool batch_scan_is_intact(const struct batch_scan *scan, struct bytes batch);
void batch_scan_fini(struct batch_scan *scan);

#endif
