// SPDX-License-Identifier: Apache-2.0
// The three checkpoint files of a directory: recovery points, log starts, high watermarks.
#include <string.h>

#include "base/mem.h"
#include "log/checkpoint.h"
#include "log/log_manager_internal.h"
#include "log/partition_dir.h"

int log_checkpoints_write(struct log_manager *manager, struct log_dir *dir,
                          enum checkpoint_kind kind)
{
    static const char *const names[] = { RECOVERY_POINT_CHECKPOINT, LOG_START_CHECKPOINT,
                                         HIGH_WATERMARK_CHECKPOINT };
    struct log_list list;
    struct checkpoint_writer writer;
    pthread_mutex_lock(&manager->checkpoints_lock);
    log_list_fill(manager, dir, &list);
    checkpoint_writer_init(&writer);
    for (size_t i = 0; i < list.count; i++) {
        struct log *log = list.items[i];
        struct partition_dir parsed = partition_dir_parse(log_name(log));
        int64_t offset = kind == CHECKPOINT_RECOVERY_POINT ? log_recovery_point(log)
                         : kind == CHECKPOINT_LOG_START    ? log_start_offset(log)
                                                           : log_high_watermark(log);
        // Where the log starts with its first segment the files say so themselves.
        if (kind == CHECKPOINT_LOG_START && offset <= log_first_segment_offset(log))
            continue;
        checkpoint_writer_add(&writer, parsed.topic, parsed.partition, offset);
    }
    // An idle broker leaves the disk alone.
    uint64_t hash = hash_bytes(writer._lines.data, writer._lines.size) | 1;
    int error = 0;
    if (hash != dir->checkpoints_written[kind]) {
        char *path = mem_printf("%s/%s", dir->path, names[kind]);
        error = checkpoint_writer_write(&writer, manager->options.disk, path);
        dir->checkpoints_written[kind] = error == 0 ? hash : 0;
        mem_free(path);
    }
    pthread_mutex_unlock(&manager->checkpoints_lock);
    checkpoint_writer_fini(&writer);
    log_list_fini(&list);
    return error;
}

int log_checkpoints_write_all(struct log_manager *manager, enum checkpoint_kind kind)
{
    int first = 0;
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        struct log_dir *dir = &manager->dirs[i];
        int error =
            log_dir_is_offline(manager, dir) ? 0 : log_checkpoints_write(manager, dir, kind);
        if (error != 0)
            log_dir_fail(manager, dir, error);
        first = first == 0 ? error : first;
    }
    return first;
}

int log_manager_checkpoint(struct log_manager *manager)
{
    int first = 0;
    for (int kind = CHECKPOINT_RECOVERY_POINT; kind <= CHECKPOINT_HIGH_WATERMARK; kind++) {
        int error = log_checkpoints_write_all(manager, (enum checkpoint_kind)kind);
        first = first == 0 ? error : first;
    }
    return first;
}
