// SPDX-License-Identifier: Apache-2.0
// What a share fetch reads of a partition's log: a slice of a file, and where its batches lie, by their headers.
#ifndef SHARE_SHARE_READ_H
#define SHARE_SHARE_READ_H

#include "base/arena.h"
#include "replica/partition.h"
#include "share/share_partition.h"

struct share_read {
    struct partition_read read; // its slice is the caller's to let go
    struct share_span *spans;   // arena memory; of share_read_batches, as is what follows
    int32_t *positions;         // of each span in the slice; one more for the end of the last
    size_t spans_count;
};

struct share_reader {
    bool is_committed; // up to the last stable offset; batches of aborted transactions are marked
    bool only_cached;  // rather learn that it is cold than wait for the device
};

// Reads from the offset on. The error, and whether it is cold, is in out->read.
void share_read(struct partition *partition, const struct share_reader *reader, int64_t offset,
                int32_t max_bytes, struct share_read *out);
// Where the batches lie in what was read, up to the one that holds last_wanted; the slice is cut to them. False: they
// are cold.
bool share_read_batches(struct partition *partition, const struct share_reader *reader,
                        int64_t offset, int64_t last_wanted, struct arena *arena,
                        struct share_read *read);
// Waits for the device, so that the next look finds the same in memory. Nobody's lock is held.
void share_read_load(struct partition *partition, bool is_committed, int64_t offset,
                     int32_t max_bytes, int64_t last_wanted);
// Cuts the slice to the batches that hold [first, last].
void share_read_cut(struct share_read *read, int64_t first_offset, int64_t last_offset);

#endif
