// SPDX-License-Identifier: Apache-2.0
// Kafka's small text files: a version, a count, that many lines.
//
//     0                    version
//     2                    lines that follow
//     topic-a 0 1234       recovery-point-offset-checkpoint, log-start-offset-checkpoint,
//     topic-a 1 99         replication-offset-checkpoint: topic, partition, offset
//
// leader-epoch-checkpoint has lines "epoch offset". An empty file is a valid one without lines. Any other
// deviation is -EBADMSG, as Kafka then takes the directory offline.
// Written whole beside the old one and renamed over it.
#ifndef LOG_CHECKPOINT_H
#define LOG_CHECKPOINT_H

#include "base/disk.h"
#include "base/strbuf.h"

#define RECOVERY_POINT_CHECKPOINT "recovery-point-offset-checkpoint"
#define LOG_START_CHECKPOINT      "log-start-offset-checkpoint"
#define HIGH_WATERMARK_CHECKPOINT "replication-offset-checkpoint"

// Walks the lines of such a text.
struct checkpoint_reader {
    struct str _rest;
    int64_t _left; // lines announced and not yet taken
};

// False when the two head lines are wrong.
bool checkpoint_reader_init(struct checkpoint_reader *reader, struct str text);
// The next line; false when there are no more. Check checkpoint_reader_done then.
bool checkpoint_reader_next(struct checkpoint_reader *reader, struct str *line);
bool checkpoint_reader_done(const struct checkpoint_reader *reader);
// Splits a line at runs of white space; the number of words, or max + 1 when there are more.
int checkpoint_split(struct str line, struct str *words, int max);

// Calls `each` for every line of an offset checkpoint. A missing file is an empty one. 0, -EBADMSG, or the
// disk's error.
int checkpoint_read(struct disk *disk, const char *path,
                    void (*each)(void *arg, struct str topic, int32_t partition, int64_t offset),
                    void *arg);

// Replaces a whole file so that a killed process leaves the old or the new content; with is_synced so does a power
// loss, once the caller has synced the folder (disk_write_atomic does that itself).
int disk_replace(struct disk *disk, const char *path, const void *data, size_t size,
                 bool is_synced);

// Gathers lines, then writes.
struct checkpoint_writer {
    struct strbuf _lines;
    size_t _count;
};

void checkpoint_writer_init(struct checkpoint_writer *writer);
void checkpoint_writer_add(struct checkpoint_writer *writer, struct str topic, int32_t partition,
                           int64_t offset);
void checkpoint_writer_add_epoch(struct checkpoint_writer *writer, int32_t epoch,
                                 int64_t start_offset);
void checkpoint_writer_print(const struct checkpoint_writer *writer, struct strbuf *out);
int checkpoint_writer_write(const struct checkpoint_writer *writer, struct disk *disk,
                            const char *path); // disk_write_atomic
void checkpoint_writer_fini(struct checkpoint_writer *writer);

#endif
