// SPDX-License-Identifier: Apache-2.0
// Snapshot files of the metadata log (KIP-630), named by what they hold: everything below an end offset, and the epoch
// of the last record in it.
//
//     00000000000000000123-0000000004.checkpoint           mode 0400
//        control batch   SNAPSHOT_HEADER, and when kraft.version >= 1: KRAFT_VERSION, KRAFT_VOTERS
//        data batches    the image, see image_writer.h
//        control batch   SNAPSHOT_FOOTER
//
// Offsets run from 0 in the file and mean nothing; every batch has the snapshot's epoch.
// (1) A file is complete when it has its name: it is written as .checkpoint.part, synced, renamed. One without a
//     footer is refused all the same.
#ifndef METADATA_SNAPSHOT_H
#define METADATA_SNAPSHOT_H

#include "base/disk.h"
#include "metadata/control.h"
#include "metadata/metadata.h"
#include "metadata/replay.h"

struct snapshot_id {
    int64_t end_offset; // exclusive
    int32_t epoch;
};

enum { SNAPSHOT_NAME_SIZE = 43 }; // with the NUL
#define SNAPSHOT_SUFFIX ".checkpoint"

void snapshot_name_format(struct snapshot_id id, char out[SNAPSHOT_NAME_SIZE]);
bool snapshot_name_parse(const char *name, struct snapshot_id *out); // complete snapshots only

// What a snapshot says besides its image.
struct snapshot_head {
    int64_t last_contained_log_timestamp;
    int16_t kraft_version;              // 0: neither version nor voters are written
    const struct voters_record *voters; // NULL at kraft.version 0
};

// Writes the snapshot of an image into `folder`. 0 or -errno.
int snapshot_write(struct disk *disk, const char *folder, struct snapshot_id id,
                   const struct snapshot_head *head, const struct metadata *metadata,
                   int64_t now_ms);

// The bytes of a snapshot that holds these records (entries NULL: none), appended to `out`: the genesis snapshot and
// bootstrap.checkpoint.
void snapshot_encode(struct strbuf *out, int32_t epoch, const struct snapshot_head *head,
                     const struct metadata_entries *entries, int64_t now_ms);

// Reads a snapshot's bytes. Its records go into `replay` (NULL: none are expected to matter), their control records
// into `head` (voters in the arena). False: *reason says why (arena or static).
bool snapshot_decode(struct bytes file, struct arena *arena, struct snapshot_head *head,
                     struct replay *replay, const char **reason);
// The same, each record decoded in the arena.
bool snapshot_decode_entries(struct bytes file, struct snapshot_head *head,
                             struct metadata_entries *entries, const char **reason);

#endif
