// SPDX-License-Identifier: Apache-2.0
// See log_manager.h. The manager's lock guards the map of logs, the list of work and the directories' state; no
// log is called under it: events of a log (log_options.on_event) take it.
#include "log/log_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/hashmap.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/must.h"
#include "log/checkpoint.h"
#include "log/clean_shutdown.h"
#include "log/partition_dir.h"

#define METADATA_TOPIC     "__cluster_metadata"
#define REMOTE_INDEX_CACHE "remote-log-index-cache"

const struct log_manager_options log_manager_options_default = {
    .recovery_threads_per_dir = 2,
    .has_thread = true,
    .recovery_point_checkpoint_ms = 60000,
    .log_start_checkpoint_ms = 60000,
    .high_watermark_checkpoint_ms = 5000,
    .flush_check_ms = INT64_MAX,
    .producer_id_expiration_ms = 86400000,
    .producer_id_expiration_check_ms = 600000,
};

enum { IDLE_FILES_MS = 60000, MANAGER_MAGIC = 0x106a6e7 };

// Everything that recurs, in the order in which it is done when due together.
enum chore {
    CHORE_RECOVERY_POINTS,
    CHORE_LOG_STARTS,
    CHORE_HIGH_WATERMARKS,
    CHORE_FLUSH,
    CHORE_EXPIRE_PRODUCERS,
    CHORE_IDLE_FILES,
    CHORE_COUNT,
};

struct work { // one thing to do with one log, once
    struct list link;
    enum work_kind { WORK_FLUSH, WORK_GARBAGE, WORK_DELETE } kind;
    struct log *log; // a reference
    int64_t due_ms;
};

struct log_dir {
    char *path;
    struct disk_file *lock;
    bool was_clean;
    bool is_loaded;
    bool is_offline;
    int64_t broker_epoch; // of the clean stop
    size_t log_count;
    uint64_t checkpoints_written
        [3]; // hashes of what the files hold, by enum checkpoint_kind; 0: not written yet
};

struct managed { // value of the map
    struct log *log;
    struct log_dir *dir;
};

struct log_manager {
    uint32_t magic;
    struct log_manager_options options;
    struct log_dir *dirs;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct hashmap logs; // "topic-N" → struct managed
    struct list work;
    int64_t chore_due_ms[CHORE_COUNT];
    bool is_stopping;
    bool has_thread;
    pthread_t thread;
};

static int64_t now_ms(const struct log_manager *manager)
{
    return clock_wall_ms(manager->options.clock);
}

static int64_t later(int64_t now, int64_t delay_ms)
{
    return delay_ms > INT64_MAX - now ? INT64_MAX : now + delay_ms;
}

// ---- directories --------------------------------------------------------------------------------------

static void fail_dir(struct log_manager *manager, struct log_dir *dir, int error)
{
    pthread_mutex_lock(&manager->lock);
    bool is_first = !dir->is_offline;
    dir->is_offline = true;
    pthread_mutex_unlock(&manager->lock);
    if (!is_first)
        return;
    trace_error(manager->options.trace, "log directory failed dir=\"%s\" error=\"%s\"", dir->path,
                strerror(-error));
    if (manager->options.on_dir_failed != NULL)
        manager->options.on_dir_failed(manager->options.arg, dir->path, error);
}

static struct log_dir *dir_of(struct log_manager *manager, const char *log_path)
{
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        size_t size = strlen(manager->dirs[i].path);
        if (strncmp(manager->dirs[i].path, log_path, size) == 0 && log_path[size] == '/' &&
            strchr(log_path + size + 1, '/') == NULL)
            return &manager->dirs[i];
    }
    return NULL;
}

static void add_work(struct log_manager *manager, enum work_kind kind, struct log *log,
                     int64_t due_ms)
{
    struct work *work = mem_new(struct work);
    work->kind = kind;
    work->log = log_ref(log);
    work->due_ms = due_ms;
    pthread_mutex_lock(&manager->lock);
    list_append(&manager->work, &work->link);
    pthread_cond_signal(&manager->wake);
    pthread_mutex_unlock(&manager->lock);
}

static void on_log_event(void *arg, struct log *log, enum log_event event)
{
    struct log_manager *manager = arg;
    struct log_config config;
    switch (event) {
    case LOG_EVENT_ROLLED:
        add_work(manager, WORK_FLUSH, log, now_ms(manager));
        break;
    case LOG_EVENT_FILES:
        log_get_config(log, &config);
        add_work(manager, WORK_GARBAGE, log, later(now_ms(manager), config.file_delete_delay_ms));
        break;
    case LOG_EVENT_FAILED: {
        struct log_dir *dir = dir_of(manager, log_dir(log));
        if (dir != NULL)
            fail_dir(manager, dir, -EIO);
        break;
    }
    }
}

static int open_dir(struct log_manager *manager, struct log_dir *dir)
{
    struct disk *disk = manager->options.disk;
    struct trace *trace = manager->options.trace;
    int error = disk_mkdirs(disk, dir->path);
    if (error == 0) {
        char *path = mem_printf("%s/.lock", dir->path);
        error = disk_open(disk, path, DISK_CREATE, &dir->lock);
        mem_free(path);
    }
    if (error == 0)
        error = disk->ops->lock_file(dir->lock);
    if (error == -EAGAIN) {
        trace_error(trace, "log directory in use by another process dir=\"%s\"", dir->path);
        return error;
    }
    if (error == 0) {
        dir->was_clean = clean_shutdown_read(disk, dir->path, &dir->broker_epoch);
        error = clean_shutdown_delete(disk, dir->path);
    }
    if (error != 0)
        trace_error(trace, "log directory cannot be used dir=\"%s\" error=\"%s\"", dir->path,
                    strerror(-error));
    return error;
}

static void manager_free(struct log_manager *manager)
{
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        disk_file_unref(manager->dirs[i].lock);
        mem_free(manager->dirs[i].path);
    }
    mem_free(manager->dirs);
    hashmap_fini(&manager->logs);
    pthread_mutex_destroy(&manager->lock);
    pthread_cond_destroy(&manager->wake);
    manager->magic = 0;
    mem_free(manager);
}

static char *path_without_slash(const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    return str_dup((struct str){ path, size });
}

int log_manager_open(const struct log_manager_options *options, struct log_manager **out)
{
    must(options->dir_count > 0 && options->config_of != NULL);
    struct log_manager *manager = mem_new(struct log_manager);
    manager->magic = MANAGER_MAGIC;
    manager->options = *options;
    manager->dirs = mem_zalloc(options->dir_count * sizeof *manager->dirs);
    pthread_mutex_init(&manager->lock, NULL);
    pthread_cond_init(&manager->wake, NULL);
    hashmap_init(&manager->logs);
    list_init(&manager->work);
    for (size_t i = 0; i < options->dir_count; i++)
        manager->dirs[i].path = path_without_slash(options->dirs[i]);
    int error = 0;
    for (size_t i = 0; i < options->dir_count && error == 0; i++)
        error = open_dir(manager, &manager->dirs[i]);
    if (error != 0)
        manager_free(manager);
    else
        *out = manager;
    return error;
}

int64_t log_manager_previous_broker_epoch(const struct log_manager *manager)
{
    int64_t epoch = manager->dirs[0].was_clean ? manager->dirs[0].broker_epoch : -1;
    for (size_t i = 1; i < manager->options.dir_count; i++)
        if (!manager->dirs[i].was_clean || manager->dirs[i].broker_epoch != epoch)
            return -1;
    return epoch;
}

// ---- loading --------------------------------------------------------------------------------------------

struct known_offsets { // of one partition, from the checkpoints
    char *name;
    int64_t recovery_point;
    int64_t log_start;
    int64_t high_watermark;
};

struct loading { // of one directory
    struct log_manager *manager;
    struct log_dir *dir;
    struct hashmap offsets; // "topic-N" → struct known_offsets
    size_t field;           // which of them is being read, as an offset into the struct
    char **names;
    size_t name_count, name_capacity;
    atomic_size_t next;
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

static int collect_dir(void *arg, const char *name)
{
    struct loading *loading = arg;
    char *path = mem_printf("%s/%s", loading->dir->path, name);
    struct disk_stat st;
    struct disk *disk = loading->manager->options.disk;
    bool is_directory = disk->ops->stat(disk, path, &st) == 0 && st.is_directory;
    mem_free(path);
    if (!is_directory || strcmp(name, REMOTE_INDEX_CACHE) == 0)
        return 0;
    struct partition_dir parsed = partition_dir_parse(name);
    if (parsed.kind == PARTITION_DIR_NONE) {
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

static int open_log(struct log_manager *manager, const char *path, struct str topic,
                    struct uuid topic_id, const struct known_offsets *known, bool is_clean,
                    struct log **out)
{
    struct log_config config;
    manager->options.config_of(manager->options.arg, topic, &config);
    struct log_options options = { .disk = manager->options.disk,
                                   .clock = manager->options.clock,
                                   .trace = manager->options.trace,
                                   .dir = path,
                                   .config = &config,
                                   .topic_id = topic_id,
                                   .is_clean = is_clean,
                                   .recovery_point = known == NULL ? 0 : known->recovery_point,
                                   .log_start_offset = known == NULL ? 0 : known->log_start,
                                   .producer_id_expiration_ms =
                                       manager->options.producer_id_expiration_ms,
                                   .on_event = on_log_event,
                                   .arg = manager };
    int error = log_open(&options, out);
    if (error == 0 && known != NULL)
        log_set_high_watermark(*out, known->high_watermark);
    return error;
}

// Takes the reference. -EBADMSG when there is such a log already.
static int put_log(struct log_manager *manager, struct log_dir *dir, struct log *log)
{
    struct managed *managed = mem_new(struct managed);
    *managed = (struct managed){ log, dir };
    pthread_mutex_lock(&manager->lock);
    struct managed *other = hashmap_find(&manager->logs, log_name(log), strlen(log_name(log)));
    if (other == NULL) {
        hashmap_put(&manager->logs, log_name(log), strlen(log_name(log)), managed);
        dir->log_count++;
    }
    pthread_mutex_unlock(&manager->lock);
    if (other == NULL)
        return 0;
    trace_error(manager->options.trace, "partition found twice dir=\"%s\" other=\"%s\"",
                log_dir(log), other->dir->path);
    mem_free(managed);
    log_abandon(log);
    return -EBADMSG;
}

static int rename_log(struct log_manager *manager, struct log_dir *dir, struct log *log,
                      const char *suffix)
{
    struct partition_dir parsed = partition_dir_parse(log_name(log));
    char *name = partition_dir_name_with(parsed.topic, parsed.partition, suffix);
    char *path = mem_printf("%s/%s", dir->path, name);
    trace_info(manager->options.trace, "log renamed log=%s to=\"%s\"", log_name(log), path);
    int error = log_rename(log, path);
    mem_free(path);
    mem_free(name);
    return error;
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
        // Kafka waits with these, too, but nobody can have a use for them any more.
        error = disk_remove_tree(manager->options.disk, path);
        break;
    case PARTITION_DIR_LOG: {
        const struct known_offsets *known = hashmap_find(&loading->offsets, name, strlen(name));
        error =
            open_log(manager, path, parsed.topic, UUID_ZERO, known, loading->dir->was_clean, &log);
        if (error != 0)
            break;
        if (loading->is_stray != NULL &&
            loading->is_stray(loading->arg, parsed.topic, parsed.partition, log_topic_id(log))) {
            trace_warn(manager->options.trace, "log is stray dir=\"%s\"", path);
            error = rename_log(manager, loading->dir, log, "-stray");
            log_abandon(log);
        } else {
            error = put_log(manager, loading->dir, log);
        }
        break;
    }
    case PARTITION_DIR_STRAY:
    case PARTITION_DIR_FUTURE: // moves between directories are not resumed yet: the copy stays where it is
    case PARTITION_DIR_NONE:
        break;
    }
    if (error != 0)
        trace_error(manager->options.trace, "log cannot be opened dir=\"%s\" error=\"%s\"", path,
                    strerror(-error));
    mem_free(path);
    return error;
}

static void *load_some(void *arg)
{
    struct loading *loading = arg;
    size_t i;
    while ((i = atomic_fetch_add(&loading->next, 1)) < loading->name_count) {
        int error = load_log(loading, loading->names[i]);
        int none = 0;
        if (error != 0)
            atomic_compare_exchange_strong(&loading->error, &none, error);
    }
    return NULL;
}

static int load_dir(struct log_manager *manager, struct log_dir *dir, log_is_stray is_stray,
                    void *arg)
{
    enum { THREADS_MAX = 64 };
    struct loading loading = { .manager = manager, .dir = dir, .is_stray = is_stray, .arg = arg };
    struct disk *disk = manager->options.disk;
    hashmap_init(&loading.offsets);
    int error = read_checkpoints(&loading);
    if (error == 0)
        error = disk->ops->list(disk, dir->path, collect_dir, &loading);
    if (error == 0 && loading.name_count > 0)
        trace_info(manager->options.trace, "logs loading dir=\"%s\" count=%zu clean=%d", dir->path,
                   loading.name_count, dir->was_clean);
    pthread_t threads[THREADS_MAX];
    int wanted = manager->options.recovery_threads_per_dir < THREADS_MAX
                     ? manager->options.recovery_threads_per_dir
                     : THREADS_MAX;
    int started = 0;
    if (error == 0) {
        while (started < wanted && (size_t)started < loading.name_count / 2 &&
               pthread_create(&threads[started], NULL, load_some, &loading) == 0)
            started++;
        load_some(&loading);
        for (int i = 0; i < started; i++)
            pthread_join(threads[i], NULL);
        error = atomic_load(&loading.error);
    }
    for (size_t i = 0; i < loading.name_count; i++)
        mem_free(loading.names[i]);
    mem_free(loading.names);
    forget_offsets(&loading);
    hashmap_fini(&loading.offsets);
    dir->is_loaded = error == 0;
    return error;
}

static void *background(void *arg);

int log_manager_load(struct log_manager *manager, log_is_stray is_stray, void *arg)
{
    must_be(manager, MANAGER_MAGIC);
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        int error = load_dir(manager, &manager->dirs[i], is_stray, arg);
        if (error == -EBADMSG)
            return error;
        if (error != 0)
            fail_dir(manager, &manager->dirs[i], error);
    }
    const struct log_manager_options *o = &manager->options;
    const int64_t intervals[CHORE_COUNT] = {
        [CHORE_RECOVERY_POINTS] = o->recovery_point_checkpoint_ms,
        [CHORE_LOG_STARTS] = o->log_start_checkpoint_ms,
        [CHORE_HIGH_WATERMARKS] = o->high_watermark_checkpoint_ms,
        [CHORE_FLUSH] = o->flush_check_ms,
        [CHORE_EXPIRE_PRODUCERS] = o->producer_id_expiration_check_ms,
        [CHORE_IDLE_FILES] = IDLE_FILES_MS,
    };
    for (int i = 0; i < CHORE_COUNT; i++)
        manager->chore_due_ms[i] = later(now_ms(manager), intervals[i]);
    if (manager->options.has_thread) {
        must(pthread_create(&manager->thread, NULL, background, manager) == 0);
        manager->has_thread = true;
    }
    return 0;
}

// ---- logs -----------------------------------------------------------------------------------------------

struct log *log_manager_find(struct log_manager *manager, struct str topic, int32_t partition)
{
    char *name = mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_find(&manager->logs, name, strlen(name));
    struct log *log = managed == NULL || managed->dir->is_offline ? NULL : log_ref(managed->log);
    pthread_mutex_unlock(&manager->lock);
    mem_free(name);
    return log;
}

struct log *log_manager_next(struct log_manager *manager, size_t *position)
{
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_next(&manager->logs, position);
    struct log *log = managed == NULL ? NULL : log_ref(managed->log);
    pthread_mutex_unlock(&manager->lock);
    return log;
}

size_t log_manager_count(struct log_manager *manager)
{
    pthread_mutex_lock(&manager->lock);
    size_t count = manager->logs.count;
    pthread_mutex_unlock(&manager->lock);
    return count;
}

static struct log_dir *choose_dir(struct log_manager *manager)
{
    struct log_dir *best = NULL;
    pthread_mutex_lock(&manager->lock);
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        struct log_dir *dir = &manager->dirs[i];
        if (!dir->is_offline && (best == NULL || dir->log_count < best->log_count))
            best = dir;
    }
    pthread_mutex_unlock(&manager->lock);
    return best;
}

int log_manager_create(struct log_manager *manager, struct str topic, int32_t partition,
                       struct uuid topic_id, struct log **out)
{
    *out = log_manager_find(manager, topic, partition);
    if (*out != NULL) {
        int error = uuid_is_zero(topic_id) ? 0 : log_assign_topic_id(*out, topic_id);
        if (error != 0) {
            log_unref(*out);
            *out = NULL;
        }
        return error;
    }
    struct log_dir *dir = choose_dir(manager);
    if (dir == NULL)
        return -ENODEV;
    char *path = mem_printf("%s/%.*s-%" PRId32, dir->path, STR_ARG(topic), partition);
    struct log *log;
    int error = open_log(manager, path, topic, topic_id, NULL, false, &log);
    mem_free(path);
    if (error != 0) {
        if (error != -EEXIST)
            fail_dir(manager, dir, error);
        return error;
    }
    log_ref(log);
    error = put_log(manager, dir, log);
    if (error != 0)
        log_unref(log);
    else
        *out = log;
    return error;
}

int log_manager_delete(struct log_manager *manager, struct str topic, int32_t partition)
{
    char *name = mem_printf("%.*s-%" PRId32, STR_ARG(topic), partition);
    pthread_mutex_lock(&manager->lock);
    struct managed *managed = hashmap_remove(&manager->logs, name, strlen(name));
    if (managed != NULL)
        managed->dir->log_count--;
    pthread_mutex_unlock(&manager->lock);
    mem_free(name);
    if (managed == NULL)
        return -ENOENT;
    struct log_config config;
    log_get_config(managed->log, &config);
    int error = rename_log(manager, managed->dir, managed->log, "-delete");
    if (error == 0)
        add_work(manager, WORK_DELETE, managed->log,
                 later(now_ms(manager), config.file_delete_delay_ms));
    log_unref(managed->log);
    mem_free(managed);
    return error;
}

void log_manager_config_changed(struct log_manager *manager, struct str topic)
{
    struct log_config config;
    manager->options.config_of(manager->options.arg, topic, &config);
    struct log *log;
    for (size_t i = 0; (log = log_manager_next(manager, &i)) != NULL; log_unref(log))
        if (str_eq(partition_dir_parse(log_name(log)).topic, topic))
            log_set_config(log, &config);
}

// ---- checkpoints ----------------------------------------------------------------------------------------

enum checkpoint_kind { CHECKPOINT_RECOVERY_POINT, CHECKPOINT_LOG_START, CHECKPOINT_HIGH_WATERMARK };

struct log_list {
    struct log **items; // references
    size_t count, capacity;
};

static void list_logs(struct log_manager *manager, const struct log_dir *dir, struct log_list *list)
{
    *list = (struct log_list){ 0 };
    pthread_mutex_lock(&manager->lock);
    struct managed *managed;
    for (size_t i = 0; (managed = hashmap_next(&manager->logs, &i)) != NULL;) {
        if (managed->dir != dir)
            continue;
        vec_reserve(list->items, list->count + 1, list->capacity);
        list->items[list->count++] = log_ref(managed->log);
    }
    pthread_mutex_unlock(&manager->lock);
}

static void log_list_fini(struct log_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        log_unref(list->items[i]);
    mem_free(list->items);
}

static int write_checkpoint(struct log_manager *manager, struct log_dir *dir,
                            enum checkpoint_kind kind)
{
    static const char *const names[] = { RECOVERY_POINT_CHECKPOINT, LOG_START_CHECKPOINT,
                                         HIGH_WATERMARK_CHECKPOINT };
    struct log_list list;
    struct checkpoint_writer writer;
    list_logs(manager, dir, &list);
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
        error = checkpoint_writer_write(&writer, manager->options.disk, path, true);
        dir->checkpoints_written[kind] = error == 0 ? hash : 0;
        mem_free(path);
    }
    checkpoint_writer_fini(&writer);
    log_list_fini(&list);
    return error;
}

static int write_checkpoints(struct log_manager *manager, enum checkpoint_kind kind)
{
    int first = 0;
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        struct log_dir *dir = &manager->dirs[i];
        pthread_mutex_lock(&manager->lock);
        bool is_offline = dir->is_offline;
        pthread_mutex_unlock(&manager->lock);
        int error = is_offline ? 0 : write_checkpoint(manager, dir, kind);
        if (error != 0)
            fail_dir(manager, dir, error);
        first = first == 0 ? error : first;
    }
    return first;
}

int log_manager_checkpoint(struct log_manager *manager)
{
    int first = 0;
    for (int kind = CHECKPOINT_RECOVERY_POINT; kind <= CHECKPOINT_HIGH_WATERMARK; kind++) {
        int error = write_checkpoints(manager, (enum checkpoint_kind)kind);
        first = first == 0 ? error : first;
    }
    return first;
}

// ---- in the background ----------------------------------------------------------------------------------

static void flush_if_old(struct log_manager *manager, struct log *log)
{
    struct log_config config;
    log_get_config(log, &config);
    if (log_end_offset(log) > log_recovery_point(log) &&
        now_ms(manager) - log_last_flush_ms(log) >= config.flush_ms)
        log_flush(log, INT64_MAX);
}

// For every log of every directory, on references.
static void each_log(struct log_manager *manager,
                     void (*call)(struct log_manager *manager, struct log *log))
{
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        struct log_list list;
        list_logs(manager, &manager->dirs[i], &list);
        for (size_t n = 0; n < list.count; n++)
            call(manager, list.items[n]);
        log_list_fini(&list);
    }
}

static void expire_producers(struct log_manager *manager, struct log *log)
{
    (void)manager;
    log_expire_producers(log);
}

static void close_idle_files(struct log_manager *manager, struct log *log)
{
    (void)manager;
    log_close_idle_files(log);
}

static int64_t do_chore(struct log_manager *manager, enum chore chore)
{
    switch (chore) {
    case CHORE_RECOVERY_POINTS:
        write_checkpoints(manager, CHECKPOINT_RECOVERY_POINT);
        return manager->options.recovery_point_checkpoint_ms;
    case CHORE_LOG_STARTS:
        write_checkpoints(manager, CHECKPOINT_LOG_START);
        return manager->options.log_start_checkpoint_ms;
    case CHORE_HIGH_WATERMARKS:
        write_checkpoints(manager, CHECKPOINT_HIGH_WATERMARK);
        return manager->options.high_watermark_checkpoint_ms;
    case CHORE_FLUSH:
        each_log(manager, flush_if_old);
        return manager->options.flush_check_ms;
    case CHORE_EXPIRE_PRODUCERS:
        each_log(manager, expire_producers);
        return manager->options.producer_id_expiration_check_ms;
    case CHORE_IDLE_FILES:
    case CHORE_COUNT:
        break;
    }
    each_log(manager, close_idle_files);
    return IDLE_FILES_MS;
}

static void do_work(struct log_manager *manager, struct work *work)
{
    int error = 0;
    switch (work->kind) {
    case WORK_FLUSH:
        log_flush(work->log,
                  log_active_segment_offset(work->log)); // a failure is the log's own event
        break;
    case WORK_GARBAGE:
        error = log_delete_garbage(work->log);
        break;
    case WORK_DELETE:
        trace_info(manager->options.trace, "log deleted dir=\"%s\"", log_dir(work->log));
        error = log_delete(log_ref(work->log));
        break;
    }
    if (error != 0)
        trace_error(manager->options.trace, "log files cannot be deleted dir=\"%s\" error=\"%s\"",
                    log_dir(work->log), strerror(-error));
    log_unref(work->log);
    mem_free(work);
}

// The first piece of work that is due, taken off the list; else when the next one will be.
static struct work *take_work(struct log_manager *manager, int64_t now, int64_t *next_ms)
{
    struct work *due = NULL;
    pthread_mutex_lock(&manager->lock);
    list_for_each_safe(at, following, &manager->work)
    {
        struct work *work = container_of(at, struct work, link);
        if (work->due_ms <= now) {
            due = work;
            list_remove(at);
            break;
        }
        if (work->due_ms < *next_ms)
            *next_ms = work->due_ms;
    }
    pthread_mutex_unlock(&manager->lock);
    return due;
}

int64_t log_manager_run(struct log_manager *manager)
{
    int64_t now = now_ms(manager), next = INT64_MAX;
    struct work *work;
    while ((work = take_work(manager, now, &next)) != NULL)
        do_work(manager, work);
    for (int i = 0; i < CHORE_COUNT; i++) {
        if (manager->chore_due_ms[i] <= now)
            manager->chore_due_ms[i] = later(now, do_chore(manager, (enum chore)i));
        if (manager->chore_due_ms[i] < next)
            next = manager->chore_due_ms[i];
    }
    return next;
}

static void *background(void *arg)
{
    struct log_manager *manager = arg;
    for (;;) {
        int64_t next = log_manager_run(manager);
        pthread_mutex_lock(&manager->lock);
        // What was added since the run may be due before `next`.
        list_for_each(at, &manager->work) if (container_of(at, struct work, link)->due_ms < next)
            next = container_of(at, struct work, link)->due_ms;
        struct timespec until = { .tv_sec = (time_t)(next / 1000),
                                  .tv_nsec = (long)(next % 1000) * 1000000 };
        if (!manager->is_stopping && next > now_ms(manager))
            pthread_cond_timedwait(&manager->wake, &manager->lock, &until);
        bool is_stopping = manager->is_stopping;
        pthread_mutex_unlock(&manager->lock);
        if (is_stopping)
            return NULL;
    }
}

// ---- stopping -------------------------------------------------------------------------------------------

static void stop_thread(struct log_manager *manager)
{
    pthread_mutex_lock(&manager->lock);
    manager->is_stopping = true;
    pthread_cond_signal(&manager->wake);
    pthread_mutex_unlock(&manager->lock);
    if (manager->has_thread)
        pthread_join(manager->thread, NULL);
    manager->has_thread = false;
    struct list *at;
    while ((at = list_pop(&manager->work)) != NULL) {
        struct work *work = container_of(at, struct work, link);
        // Directories named -delete and files named .deleted are removed at the next start.
        log_unref(work->log);
        mem_free(work);
    }
}

static int close_dir(struct log_manager *manager, struct log_dir *dir, int64_t broker_epoch)
{
    struct log_list list;
    int error = 0;
    list_logs(manager, dir, &list);
    for (size_t i = 0; i < list.count; i++) {
        int result = log_close(log_ref(list.items[i]));
        error = error == 0 ? result : error;
    }
    log_list_fini(&list);
    if (dir->is_offline)
        return error;
    for (int kind = CHECKPOINT_RECOVERY_POINT; kind <= CHECKPOINT_HIGH_WATERMARK && error == 0;
         kind++)
        error = write_checkpoint(manager, dir, (enum checkpoint_kind)kind);
    if (error == 0 && dir->is_loaded)
        error = clean_shutdown_write(manager->options.disk, dir->path, broker_epoch);
    return error;
}

static void drop_logs(struct log_manager *manager)
{
    struct managed *managed;
    for (size_t i = 0; (managed = hashmap_next(&manager->logs, &i)) != NULL;) {
        log_abandon(managed->log);
        mem_free(managed);
    }
}

int log_manager_close(struct log_manager *manager, int64_t broker_epoch)
{
    must_be(manager, MANAGER_MAGIC);
    stop_thread(manager);
    int error = 0;
    for (size_t i = 0; i < manager->options.dir_count; i++) {
        int result = close_dir(manager, &manager->dirs[i], broker_epoch);
        error = error == 0 ? result : error;
    }
    drop_logs(manager);
    manager_free(manager);
    return error;
}

void log_manager_abandon(struct log_manager *manager)
{
    must_be(manager, MANAGER_MAGIC);
    stop_thread(manager);
    drop_logs(manager);
    manager_free(manager);
}
