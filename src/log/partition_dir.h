// SPDX-License-Identifier: Apache-2.0
// Names in a log directory, and the file that ties a partition's directory to its topic.
//
//     topic-N                                   a partition; the topic may hold dashes, N is behind the last one
//     topic-N.<32 hex>-delete | -stray | -future  being deleted | owned by nobody | moving between directories
//     partition.metadata                        "version: 0\ntopic_id: <22 characters>", no line end behind it
// Tested by checkpoint_test.c.
#ifndef LOG_PARTITION_DIR_H
#define LOG_PARTITION_DIR_H

#include "base/disk.h"
#include "base/uuid.h"

enum partition_dir_kind {
    PARTITION_DIR_NONE, // no name of a partition: Kafka refuses to start with such a directory
    PARTITION_DIR_LOG,
    PARTITION_DIR_DELETE,
    PARTITION_DIR_STRAY,
    PARTITION_DIR_FUTURE,
};

struct partition_dir {
    enum partition_dir_kind kind;
    struct str topic; // into the name
    int32_t partition;
};

struct partition_dir partition_dir_parse(const char *name);
// A fresh name with a random id, for suffix "-delete", "-stray" or "-future"; mem_free it. The topic is cut so
// that -delete and -stray names fit 255 bytes.
char *partition_dir_name_with(struct str topic, int32_t partition, const char *suffix);

enum { LOG_FILE_NAME_SIZE = 48 };

// "00000000000000000042" + suffix.
void log_file_name(char out[LOG_FILE_NAME_SIZE], int64_t offset, const char *suffix);
// The offset of such a name with exactly this suffix, or -1.
int64_t log_file_offset(const char *name, const char *suffix);
char *log_file_path(const char *dir, int64_t offset, const char *suffix); // mem_free it

// -ENOENT, also for one that a power loss has torn; -EBADMSG when it is not what Kafka writes.
int partition_metadata_read(struct disk *disk, const char *dir, struct uuid *topic_id);
// Whole or not at all: disk_replace.
int partition_metadata_write(struct disk *disk, const char *dir, struct uuid topic_id,
                             bool is_synced);

#endif
