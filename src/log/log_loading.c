// SPDX-License-Identifier: Apache-2.0
// The start: every log of every directory, by several threads.
//
//     checkpoints ─► offsets by name;  folders ─► -delete: removed;  stray: renamed;  else: opened and put into the map
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/crew.h"
#include "base/mem.h"
#include "base/must.h"
#include "log/checkpoint.h"
#include "log/log_dirs.h"
#include "log/log_manager_internal.h"
#include "log/partition_dir.h"

#define METADATA_TOPIC     "__cluster_metadata"
#define REMOTE_INDEX_CACHE "remote-log-index-cache"

struct loading { // of one directory
    struct log_manager *manager;
    struct log_dir *dir;
    struct hashmap offsets; // "topic-N" → struct known_offsets
    size_t field;           // which of them is being read, as an offset into the struct
    char **names;
    size_t name_count, name_capacity;
    atomic_size_t done;
    atomic_llong told_us; // when something was said of it last
    atomic_int error;
    log_is_stray is_stray;
    void *arg;
};

static void note_offset(void *arg, struct str topic, int32_t partition, int64_t offset)
{
    struct loading *loading = arg;
    char *name = mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
    struct known_offsets *known = hashmap_find(&loading->offsets, name, strlen(name));
    if (known == NULL) {
        known = mem_new(struct known_offsets);
        known->name = name;
        hashmap_put(&loading->offsets, known->name, strlen(known->name), known);
    } else {
        mem_free(name);
    }
    if (offset > 0)
        memcpy((char *)known + loading->field, &offset, sizeof offset);
}

static void forget_offsets(struct loading *loading)
{
    struct known_offsets *known;
    for (size_t i = 0; (known = hashmap_next(&loading->offsets, &i)) != NULL;) {
        mem_free(known->name);
        mem_free(known);
    }
    hashmap_fini(&loading->offsets);
    hashmap_init(&loading->offsets);
}

// A checkpoint that cannot be parsed means that recovery reads more, as in Kafka.
static int read_checkpoints(struct loading *loading)
{
    static const struct {
        const char *name;
        size_t field;
    } files[] = { { RECOVERY_POINT_CHECKPOINT, offsetof(struct known_offsets, recovery_point) },
                  { LOG_START_CHECKPOINT, offsetof(struct known_offsets, log_start) },
                  { HIGH_WATERMARK_CHECKPOINT, offsetof(struct known_offsets, high_watermark) } };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = mem_printf("%s/%s", loading->dir->path, files[i].name);
        loading->field = files[i].field;
        int error = checkpoint_read(loading->manager->options.disk, path, note_offset, loading);
        if (error == -EBADMSG) {
            trace_warn(loading->manager->options.trace,
                       "checkpoint unreadable, taken for empty file=\"%s\"", path);
            struct known_offsets *known;
            for (size_t n = 0; (known = hashmap_next(&loading->offsets, &n)) != NULL;)
                memset((char *)known + files[i].field, 0, sizeof(int64_t));
            error = 0;
        }
        mem_free(path);
        if (error != 0)
            return error;
    }
    return 0;
}

static bool is_folder(struct loading *loading, const char *name)
{
    char *path = mem_printf("%s/%s", loading->dir->path, name);
    struct disk_stat st;
    struct disk *disk = loading->manager->options.disk;
    bool is_directory = disk->ops->stat(disk, path, &st) == 0 && st.is_directory;
    mem_free(path);
    return is_directory;
}

// A file that is named like a partition is found out when it is opened: thousands need not be asked for that.
static int collect_dir(void *arg, const char *name)
{
    struct loading *loading = arg;
    if (strcmp(name, REMOTE_INDEX_CACHE) == 0)
        return 0;
    struct partition_dir parsed = partition_dir_parse(name);
    if (parsed.kind == PARTITION_DIR_NONE) {
        if (!is_folder(loading, name))
            return 0;
        trace_error(loading->manager->options.trace,
                    "log directory holds a folder that is no partition's dir=\"%s\" name=\"%s\"",
                    loading->dir->path, name);
        return -EBADMSG;
    }
    if (str_eqz(parsed.topic, METADATA_TOPIC))
        return 0;
    vec_reserve(loading->names, loading->name_count + 1, loading->name_capacity);
    loading->names[loading->name_count++] = mem_strdup(name);
    return 0;
}

static int load_log(struct loading *loading, const char *name)
{
    struct log_manager *manager = loading->manager;
    struct partition_dir parsed = partition_dir_parse(name);
    char *path = mem_printf("%s/%s", loading->dir->path, name);
    int error = 0;
    struct log *log;
    switch (parsed.kind) {
    case PARTITION_DIR_DELETE:
        log_chores_add_dir(manager, path);
        break;
    case PARTITION_DIR_LOG:
    case PARTITION_DIR_FUTURE: {
        bool is_future = parsed.kind == PARTITION_DIR_FUTURE;
        char *key = mem_printf("%.*s-%" PRId32, STR_ARG(parsed.topic), parsed.partition);
        const struct known_offsets *known = hashmap_find(&loading->offsets, key, strlen(key));
        mem_free(key);
        error = log_manager_open_log(manager, path, parsed.topic, UUID_ZERO, known, false,
                                     loading->dir->was_clean, &log);
        if (error != 0)
            break;
        if (loading->is_stray != NULL &&
            loading->is_stray(loading->arg, parsed.topic, parsed.partition, log_topic_id(log))) {
            trace_warn(manager->options.trace, "log is stray dir=\"%s\"", path);
            error = log_manager_rename_log(manager, loading->dir, log, "-stray", false);
            log_abandon(log);
        } else {
            error = log_manager_put(manager, is_future ? &manager->futures : &manager->logs,
                                    loading->dir, log);
        }
        break;
    }
    case PARTITION_DIR_STRAY:
    case PARTITION_DIR_NONE:
        break;
    }
    if (error == -ENOTDIR)
        error = 0; // a mere file
    if (error != 0)
        trace_error(manager->options.trace, "log cannot be opened dir=\"%s\" error=\"%s\"", path,
                    strerror(-error));
    mem_free(path);
    return error;
}

// A start that takes long says how far it is, every few seconds, as operators know it from Kafka.
static void tell_progress(struct loading *loading)
{
    enum { TELL_EVERY_US = 2000000 };
    size_t done = atomic_fetch_add(&loading->done, 1) + 1;
    int64_t now_us = clock_monotonic_us(loading->manager->options.clock);
    long long told_us = atomic_load(&loading->told_us);
    if (now_us - told_us >= TELL_EVERY_US &&
        atomic_compare_exchange_strong(&loading->told_us, &told_us, now_us))
        trace_info(loading->manager->options.trace, "logs loading dir=\"%s\" done=%zu left=%zu",
                   loading->dir->path, done, loading->name_count - done);
}

static void load_one(void *arg, size_t i)
{
    struct loading *loading = arg;
    int error = load_log(loading, loading->names[i]), none = 0;
    if (error != 0)
        atomic_compare_exchange_strong(&loading->error, &none, error);
    tell_progress(loading);
}

static int load_dir(struct log_manager *manager, struct log_dir *dir, log_is_stray is_stray,
                    void *arg)
{
    struct loading loading = { .manager = manager, .dir = dir, .is_stray = is_stray, .arg = arg };
    struct disk *disk = manager->options.disk;
    int64_t began_us = clock_monotonic_us(manager->options.clock);
    atomic_init(&loading.told_us, began_us);
    hashmap_init(&loading.offsets);
    int error = read_checkpoints(&loading);
    if (error == 0)
        error = disk->ops->list(disk, dir->path, collect_dir, &loading);
    if (error == 0 && loading.name_count > 0)
        trace_info(manager->options.trace, "logs loading dir=\"%s\" count=%zu clean=%d", dir->path,
                   loading.name_count, dir->was_clean);
    if (error == 0) {
        int threads = manager->options.recovery_threads_per_dir;
        // Threads that there are no logs for are of use within a log.
        dir->check_threads = loading.name_count == 0 ? 0 : threads / (int)loading.name_count;
        crew_run(threads, loading.name_count, load_one, &loading);
        dir->check_threads = 0;
        error = atomic_load(&loading.error);
    }
    if (error == 0 && loading.name_count > 0)
        trace_info(manager->options.trace, "logs loaded dir=\"%s\" count=%zu ms=%" PRId64,
                   dir->path, loading.name_count,
                   (clock_monotonic_us(manager->options.clock) - began_us) / 1000);
    for (size_t i = 0; i < loading.name_count; i++)
        mem_free(loading.names[i]);
    mem_free(loading.names);
    forget_offsets(&loading);
    hashmap_fini(&loading.offsets);
    dir->is_loaded = error == 0;
    return error;
}

struct load_all {
    struct log_manager *manager;
    log_is_stray is_stray;
    void *arg;
    int *errors; // of the directories
};

static void load_one_dir(void *arg, size_t i)
{
    struct load_all *all = arg;
    struct log_dir *dir = &all->manager->dirs[i];
    if (!dir->is_offline)
        all->errors[i] = load_dir(all->manager, dir, all->is_stray, all->arg);
}

int log_manager_load(struct log_manager *manager, log_is_stray is_stray, void *arg)
{
    must_be(manager, LOG_MANAGER_MAGIC);
    size_t dir_count = manager->options.dir_count;
    int *errors = mem_zalloc(dir_count * sizeof *errors);
    struct load_all all = { manager, is_stray, arg, errors };
    // Directories are disks of their own: each has its threads, at the same time.
    crew_run(manager->options.recovery_threads_per_dir > 0 ? (int)dir_count : 1, dir_count,
             load_one_dir, &all);
    int bad = 0;
    for (size_t i = 0; i < dir_count; i++) {
        if (errors[i] == -EBADMSG)
            bad = errors[i];
        else if (errors[i] != 0)
            log_dir_fail(manager, &manager->dirs[i], errors[i]);
    }
    mem_free(errors);
    if (bad != 0)
        return bad;
    if (log_dirs_all_offline(manager))
        return -ENODEV;
    pthread_mutex_lock(&manager->lock);
    manager->is_loaded = true;
    pthread_mutex_unlock(&manager->lock);
    log_chores_start(manager);
    return 0;
}
