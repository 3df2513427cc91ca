// SPDX-License-Identifier: Apache-2.0
// Reads a segment file from a position to its end, whole batches through one large buffer, and checks each: for the
// cleaner, which looks at everything once. (batch_scan.h looks at headers, and at little.)
//
//     struct batch_reader reader;
//     batch_reader_init(&reader, buffer_bytes);
//     batch_reader_open(&reader, file, from, end);           // again for the next file
//     struct bytes batch;
//     int result;
//     while ((result = batch_reader_next(&reader, &batch)) == 1) …   // 0: the end; -EBADMSG: reader.fault says why
//     batch_reader_fini(&reader);
// Tested by cleaner_test.c.
#ifndef LOG_BATCH_READER_H
#define LOG_BATCH_READER_H

#include "base/disk.h"
#include "record/batch.h"

struct batch_reader {
    int64_t position;  // of the batch that batch_reader_next gave, or of the fault
    const char *fault; // why -EBADMSG
    bool is_old; // what batch_reader_next gave is a message of magic 0 or 1 (record/old_records.h)
    struct disk_file *_file; // borrowed
    int64_t _next;           // position of the next batch
    int64_t _end;
    int64_t _buffer_position;
    size_t _buffer_used;
    uint8_t *_buffer;
    size_t _capacity; // grows to the largest batch
    size_t _capacity_wanted;
};

void batch_reader_init(struct batch_reader *reader, size_t buffer_bytes);
void batch_reader_fini(struct batch_reader *reader);
// A buffer that grew for a large batch is given back.
void batch_reader_open(struct batch_reader *reader, struct disk_file *file, int64_t from,
                       int64_t end);
// 1 and a batch or an older message, whose checksum is right, valid until the next call; 0 at the end; -EBADMSG for
// anything else; or the disk's error.
int batch_reader_next(struct batch_reader *reader, struct bytes *batch);

#endif
