// SPDX-License-Identifier: Apache-2.0
#include "replica/replicas.h"

#include <inttypes.h>

#include "base/hashmap.h"
#include "base/mem.h"
#include "base/must.h"
#include "config/config.h"
#include "log/log_dirs.h"
#include "log/log_future.h"
#include "log/log_manager.h"
#include "log/partition_dir.h"
#include "metadata/feature_versions.h"
#include "metadata/metadata.h"

struct observed {
    char *topic;
    struct partition_observer *observer;
    struct list link;
};

struct replicas {
    struct replicas_options options;
    pthread_mutex_t changes; // held by whoever changes partitions or where they live; before `lock`
    pthread_rwlock_t lock;   // guards the maps and the topics in them
    struct hashmap by_name;
    struct hashmap by_id;
    struct list observed; // fixed once started
    struct metadata_subscription subscription;
    bool is_started;
};

struct replicas *replicas_new(const struct replicas_options *options)
{
    struct replicas *replicas = mem_new(struct replicas);
    replicas->options = *options;
    pthread_mutex_init(&replicas->changes, NULL);
    role_lock_init(&replicas->lock);
    hashmap_init(&replicas->by_name);
    hashmap_init(&replicas->by_id);
    list_init(&replicas->observed);
    return replicas;
}

void replicas_observe(struct replicas *replicas, const char *topic,
                      struct partition_observer *observer)
{
    must(!replicas->is_started);
    struct observed *observed = mem_new(struct observed);
    observed->topic = mem_strdup(topic);
    observed->observer = observer;
    list_append(&replicas->observed, &observed->link);
}

static struct partition_observer *observer_of(struct replicas *replicas, struct str topic)
{
    list_for_each(at, &replicas->observed)
    {
        struct observed *observed = container_of(at, struct observed, link);
        if (str_eqz(topic, observed->topic))
            return observed->observer;
    }
    return NULL;
}

void replicas_lock_changes(struct replicas *replicas)
{
    pthread_mutex_lock(&replicas->changes);
}

void replicas_unlock_changes(struct replicas *replicas)
{
    pthread_mutex_unlock(&replicas->changes);
}

// ---- finding ------------------------------------------------------------------------------------------------

void replicas_lock_read(struct replicas *replicas)
{
    pthread_rwlock_rdlock(&replicas->lock);
}

void replicas_unlock(struct replicas *replicas)
{
    pthread_rwlock_unlock(&replicas->lock);
}

const struct replica_topic *replicas_find_topic(const struct replicas *replicas, struct str name)
{
    return hashmap_find(&replicas->by_name, name.data, name.size);
}

const struct replica_topic *replicas_find_topic_by_id(const struct replicas *replicas,
                                                      struct uuid id)
{
    return hashmap_find(&replicas->by_id, id.bytes, sizeof id.bytes);
}

struct partition *replicas_find(struct replicas *replicas, struct str topic, int32_t index)
{
    replicas_lock_read(replicas);
    struct partition *found = replica_topic_partition(replicas_find_topic(replicas, topic), index);
    if (found != NULL)
        partition_ref(found);
    replicas_unlock(replicas);
    return found;
}

enum kafka_error replicas_why_not_found(struct replicas *replicas, struct str topic, int32_t index)
{
    struct metadata *metadata = replicas->options.metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *found = metadata_find_topic(metadata, topic);
    bool exists = found != NULL && metadata_topic_partition(found, index) != NULL;
    metadata_unlock(metadata);
    return exists ? KERR_NOT_LEADER_OR_FOLLOWER : KERR_UNKNOWN_TOPIC_OR_PARTITION;
}

enum kafka_error replicas_why_not_found_by_id(struct replicas *replicas, struct uuid topic_id,
                                              int32_t index)
{
    struct metadata *metadata = replicas->options.metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *found = metadata_find_topic_by_id(metadata, topic_id);
    bool exists = found != NULL && metadata_topic_partition(found, index) != NULL;
    metadata_unlock(metadata);
    if (found == NULL)
        return KERR_UNKNOWN_TOPIC_ID;
    return exists ? KERR_NOT_LEADER_OR_FOLLOWER : KERR_UNKNOWN_TOPIC_OR_PARTITION;
}

bool replicas_is_internal(struct replicas *replicas, struct str topic, struct uuid topic_id)
{
    struct metadata *metadata = replicas->options.metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *found = str_is_null(topic)
                                             ? metadata_find_topic_by_id(metadata, topic_id)
                                             : metadata_find_topic(metadata, topic);
    bool is_internal = found != NULL && found->is_internal;
    metadata_unlock(metadata);
    return is_internal;
}

// ---- the table ----------------------------------------------------------------------------------------------

// The topic, made when it is new. For the one thread that changes the table.
static struct replica_topic *topic_obtain(struct replicas *replicas, struct str name,
                                          struct uuid id)
{
    struct replica_topic *topic = hashmap_find(&replicas->by_id, id.bytes, sizeof id.bytes);
    if (topic != NULL)
        return topic;
    topic = mem_zalloc(sizeof *topic + name.size + 1);
    char *own = (char *)(topic + 1);
    memcpy(own, name.data, name.size);
    topic->name = (struct str){ own, name.size };
    topic->id = id;
    pthread_rwlock_wrlock(&replicas->lock);
    hashmap_put(&replicas->by_name, topic->name.data, topic->name.size, topic);
    hashmap_put(&replicas->by_id, topic->id.bytes, sizeof topic->id.bytes, topic);
    pthread_rwlock_unlock(&replicas->lock);
    return topic;
}

static void topic_put(struct replicas *replicas, struct replica_topic *topic, int32_t index,
                      struct partition *partition)
{
    pthread_rwlock_wrlock(&replicas->lock);
    if (index >= topic->partitions_count) {
        topic->partitions =
            mem_realloc(topic->partitions, (size_t)(index + 1) * sizeof *topic->partitions);
        while (topic->partitions_count <= index)
            topic->partitions[topic->partitions_count++] = NULL;
    }
    topic->partitions[index] = partition;
    pthread_rwlock_unlock(&replicas->lock);
}

static void partition_remove_log(struct replicas *replicas, struct partition *partition)
{
    struct partition_woken woken;
    partition_woken_init(&woken);
    struct log *log = partition_close(partition, PARTITION_DELETED, &woken);
    partition_wake(&woken);
    if (log != NULL) {
        log_unref(log);
        int error = log_manager_delete(replicas->options.logs, partition->topic, partition->index);
        if (error != 0)
            trace_error(replicas->options.trace,
                        "log cannot be deleted topic=%.*s partition=%d error=%d",
                        STR_ARG(partition->topic), (int)partition->index, error);
    }
    trace_info(replicas->options.trace, "partition deleted topic=%.*s partition=%d",
               STR_ARG(partition->topic), (int)partition->index);
    partition_unref(partition);
}

static void topic_remove(struct replicas *replicas, struct uuid id)
{
    pthread_rwlock_wrlock(&replicas->lock);
    struct replica_topic *topic = hashmap_remove(&replicas->by_id, id.bytes, sizeof id.bytes);
    if (topic != NULL &&
        hashmap_find(&replicas->by_name, topic->name.data, topic->name.size) == topic)
        hashmap_remove(&replicas->by_name, topic->name.data, topic->name.size);
    pthread_rwlock_unlock(&replicas->lock);
    if (topic == NULL)
        return;
    for (int32_t i = 0; i < topic->partitions_count; i++)
        if (topic->partitions[i] != NULL)
            partition_remove_log(replicas, topic->partitions[i]);
    mem_free(topic->partitions);
    mem_free(topic);
}

// ---- following the metadata ---------------------------------------------------------------------------------

// What is to be done for a partition, copied out of the image so that logs are opened without its lock.
struct wanted {
    struct str topic; // in the arena
    struct uuid topic_id;
    bool is_internal;
    int32_t index;
    bool is_mine;
    int32_t min_insync_replicas;
    struct uuid directory;        // of this replica; zero: not told
    struct partition_state state; // its arrays are in the arena
};

struct plan {
    struct arena arena;
    struct wanted *items;
    size_t count, capacity;
    struct replica_directory *misplaced;
    size_t misplaced_count, misplaced_capacity;
    bool has_assignments; // the metadata hold directories
};

static void plan_add(struct replicas *replicas, struct plan *plan,
                     const struct metadata_topic *topic, struct str name, int32_t index,
                     int32_t min_insync_replicas)
{
    const struct metadata_partition *from = metadata_topic_partition(topic, index);
    if (from == NULL)
        return;
    bool is_mine = false;
    struct uuid directory = UUID_ZERO;
    for (int32_t i = 0; i < from->replicas_count; i++) {
        if (from->replicas[i] != replicas->options.node_id)
            continue;
        is_mine = true;
        directory = i < from->directories_count ? from->directories[i] : UUID_ZERO;
    }
    if (!is_mine && hashmap_find(&replicas->by_id, topic->id.bytes, sizeof topic->id.bytes) == NULL)
        return;
    vec_reserve(plan->items, plan->count + 1, plan->capacity);
    plan->items[plan->count++] = (struct wanted){
        .topic = name,
        .topic_id = topic->id,
        .is_internal = topic->is_internal,
        .index = index,
        .is_mine = is_mine,
        .min_insync_replicas = min_insync_replicas,
        .directory = directory,
        .state = {
            .leader = from->leader,
            .leader_epoch = from->leader_epoch,
            .partition_epoch = from->partition_epoch,
            .replicas = arena_dup(&plan->arena, from->replicas, (size_t)from->replicas_count * sizeof(int32_t)),
            .replicas_count = from->replicas_count,
            .isr = arena_dup(&plan->arena, from->isr, (size_t)from->isr_count * sizeof(int32_t)),
            .isr_count = from->isr_count,
        },
    };
}

static void topic_config(struct replicas *replicas, const struct metadata_topic *topic,
                         struct log_config *out)
{
    const struct metadata_configs *overrides = topic->configs;
    log_config_resolve(replicas->options.config, overrides != NULL ? overrides->entries : NULL,
                       overrides != NULL ? overrides->count : 0, out);
}

// Whether a log may be made for a replica that has none: with a directory out of service it may be there.
static bool may_be_made(struct replicas *replicas, struct uuid directory)
{
    struct log_manager *logs = replicas->options.logs;
    const struct uuid unassigned = { .bytes = { [15] = 1 } };
    if (uuid_eq(directory, unassigned) || !log_dirs_any_offline(logs))
        return true;
    ptrdiff_t dir = log_dirs_find_id(logs, directory);
    return dir >= 0 && !log_dirs_state(logs, (size_t)dir).is_offline;
}

// 0 with the log, 0 and NULL when it is not to be there, or -errno.
static int obtain_log(struct replicas *replicas, const struct replica_topic *topic,
                      const struct wanted *wanted, struct log **out)
{
    struct log_manager *logs = replicas->options.logs;
    *out = NULL;
    if (log_manager_dir_of(logs, topic->name, wanted->index) >= 0 ||
        may_be_made(replicas, wanted->directory))
        return log_manager_create(logs, topic->name, wanted->index, topic->id, wanted->directory,
                                  out);
    trace_warn(replicas->options.trace,
               "log not made, it may be in a directory that is offline topic=%.*s partition=%d",
               STR_ARG(topic->name), (int)wanted->index);
    return 0;
}

static void note_misplaced(struct replicas *replicas, struct plan *plan,
                           const struct replica_topic *topic, const struct wanted *wanted)
{
    const struct replicas_options *o = &replicas->options;
    ptrdiff_t dir = log_manager_dir_of(o->logs, topic->name, wanted->index);
    if (dir < 0 || o->on_misplaced == NULL || !plan->has_assignments)
        return;
    struct uuid id = log_dirs_state(o->logs, (size_t)dir).id;
    if (uuid_is_zero(id) || uuid_eq(id, wanted->directory) ||
        (o->is_moving_to != NULL &&
         o->is_moving_to(o->arg, topic->name, wanted->index, wanted->directory)))
        return;
    vec_reserve(plan->misplaced, plan->misplaced_count + 1, plan->misplaced_capacity);
    plan->misplaced[plan->misplaced_count++] =
        (struct replica_directory){ topic->id, wanted->index, id };
}

static void wanted_apply(struct replicas *replicas, struct plan *plan, const struct wanted *wanted)
{
    struct replica_topic *topic = topic_obtain(replicas, wanted->topic, wanted->topic_id);
    struct partition *partition = replica_topic_partition(topic, wanted->index);
    if (!wanted->is_mine) {
        if (partition != NULL) {
            topic_put(replicas, topic, wanted->index, NULL);
            partition_remove_log(replicas, partition);
        }
        return;
    }
    bool is_new = partition == NULL;
    if (!is_new && partition->is_offline)
        return; // its directory failed; that ends with the next start
    struct log *log = is_new ? NULL : partition->log;
    int error = 0;
    if (log == NULL) // the reference stays with the partition until it is closed
        error = obtain_log(replicas, topic, wanted, &log);
    if (is_new) {
        partition = partition_new(topic->name, topic->id, wanted->index, replicas->options.node_id,
                                  wanted->is_internal);
        partition->observer = observer_of(replicas, topic->name);
    }
    atomic_store(&partition->min_insync_replicas, wanted->min_insync_replicas);
    struct partition_woken woken;
    partition_woken_init(&woken);
    unsigned changes = 0;
    if (error == 0) {
        changes = partition_apply(partition, log, &wanted->state, &woken);
        note_misplaced(replicas, plan, topic, wanted);
    } else {
        trace_error(replicas->options.trace,
                    "log cannot be opened topic=%.*s partition=%d error=%d", STR_ARG(topic->name),
                    (int)wanted->index, error);
        partition_close(partition, PARTITION_FAILED, &woken);
    }
    // It leads before it can be found, so that no client is told otherwise.
    if (is_new)
        topic_put(replicas, topic, wanted->index, partition);
    partition_wake(&woken);
    partition_tell(partition, changes);
}

static void plan_begin(struct replicas *replicas, struct plan *plan)
{
    *plan = (struct plan){ .items = NULL };
    arena_init(&plan->arena);
    metadata_lock_read(replicas->options.metadata);
    plan->has_assignments = has_directory_assignment(
        metadata_feature_level(replicas->options.metadata, "metadata.version"));
}

// The metadata's lock has been let go.
static void plan_carry_out(struct replicas *replicas, struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        wanted_apply(replicas, plan, &plan->items[i]);
    if (plan->misplaced_count > 0)
        replicas->options.on_misplaced(replicas->options.arg, plan->misplaced,
                                       plan->misplaced_count);
    mem_free(plan->misplaced);
    mem_free(plan->items);
    arena_fini(&plan->arena);
}

static void plan_topic(struct replicas *replicas, struct plan *plan,
                       const struct metadata_topic *topic, const int32_t *partitions, int32_t count)
{
    struct log_config config;
    topic_config(replicas, topic, &config);
    struct str name = arena_str(&plan->arena, (struct str){ topic->name, topic->name_size });
    for (int32_t i = 0; i < count; i++)
        plan_add(replicas, plan, topic, name, partitions != NULL ? partitions[i] : i,
                 config.min_insync_replicas);
}

void replicas_topic_config(struct replicas *replicas, struct str topic, struct log_config *out)
{
    struct metadata *metadata = replicas->options.metadata;
    metadata_lock_read(metadata);
    const struct metadata_topic *found = metadata_find_topic(metadata, topic);
    if (found != NULL)
        topic_config(replicas, found, out);
    else
        log_config_resolve(replicas->options.config, NULL, 0, out);
    metadata_unlock(metadata);
}

bool replicas_is_stray(struct replicas *replicas, struct str topic, int32_t index,
                       struct uuid topic_id)
{
    struct metadata *metadata = replicas->options.metadata;
    metadata_lock_read(metadata);
    // A log of old has no id on disk: then the name decides.
    const struct metadata_topic *found = uuid_is_zero(topic_id)
                                             ? metadata_find_topic(metadata, topic)
                                             : metadata_find_topic_by_id(metadata, topic_id);
    const struct metadata_partition *partition =
        found != NULL ? metadata_topic_partition(found, index) : NULL;
    bool is_mine = false;
    for (int32_t i = 0; partition != NULL && i < partition->replicas_count; i++)
        is_mine |= partition->replicas[i] == replicas->options.node_id;
    metadata_unlock(metadata);
    return !is_mine;
}

// New configs of one topic, or of all (null).
static void reconfigure(struct replicas *replicas, struct str name)
{
    size_t at = 0;
    struct replica_topic *topic;
    while ((topic = hashmap_next(&replicas->by_id, &at)) != NULL) {
        if (!str_is_null(name) && !str_eq(topic->name, name))
            continue;
        struct log_config config;
        replicas_topic_config(replicas, topic->name, &config);
        for (int32_t i = 0; i < topic->partitions_count; i++)
            if (topic->partitions[i] != NULL)
                atomic_store(&topic->partitions[i]->min_insync_replicas,
                             config.min_insync_replicas);
        log_manager_config_changed(replicas->options.logs, topic->name);
    }
}

void replicas_reconfigure(struct replicas *replicas)
{
    reconfigure(replicas, STR_NULL);
    log_manager_config_changed(replicas->options.logs, str_of(""));
}

static void on_change(struct metadata_subscription *subscription,
                      const struct metadata_delta *delta)
{
    struct replicas *replicas = container_of(subscription, struct replicas, subscription);
    struct metadata *metadata = replicas->options.metadata;
    replicas_lock_changes(replicas);
    for (size_t i = 0; i < delta->topics_count; i++)
        if (delta->topics[i].change == METADATA_DELETED)
            topic_remove(replicas, delta->topics[i].id);

    struct plan plan;
    plan_begin(replicas, &plan);
    for (size_t i = 0; i < delta->topics_count; i++) {
        const struct metadata_topic_change *change = &delta->topics[i];
        const struct metadata_topic *topic = metadata_find_topic_by_id(metadata, change->id);
        if (change->change != METADATA_DELETED && topic != NULL)
            plan_topic(replicas, &plan, topic, change->partitions, change->partitions_count);
    }
    metadata_unlock(metadata);
    plan_carry_out(replicas, &plan);
    replicas_unlock_changes(replicas);

    for (size_t i = 0; i < delta->configs_count; i++) {
        if (delta->configs[i].type == CONFIG_RESOURCE_TOPIC)
            reconfigure(replicas, delta->configs[i].name);
        else if (delta->configs[i].type == CONFIG_RESOURCE_BROKER)
            reconfigure(replicas, STR_NULL);
    }
}

// A future log without a current one is what is left of the partition when a broker died between the two names, or when
// somebody took the other away: it is the log from now on. With a directory out of service the log may be there, unless
// the metadata say otherwise.
static void recover_futures(struct replicas *replicas)
{
    struct log_manager *logs = replicas->options.logs;
    struct log *future, *log;
    for (size_t i = 0; (future = log_future_next(logs, &i)) != NULL; log_unref(future)) {
        struct partition_dir name = partition_dir_parse(log_name(future));
        if (log_manager_dir_of(logs, name.topic, name.partition) >= 0)
            continue;
        struct uuid here = log_dirs_state(logs, (size_t)log_dirs_of(logs, future)).id;
        struct metadata *metadata = replicas->options.metadata;
        bool is_assigned = false;
        metadata_lock_read(metadata);
        const struct metadata_topic *topic = metadata_find_topic(metadata, name.topic);
        const struct metadata_partition *partition =
            topic == NULL ? NULL : metadata_topic_partition(topic, name.partition);
        for (int32_t k = 0; partition != NULL && k < partition->directories_count; k++)
            is_assigned |= partition->replicas[k] == replicas->options.node_id &&
                           uuid_eq(partition->directories[k], here);
        metadata_unlock(metadata);
        if ((is_assigned || !log_dirs_any_offline(logs)) &&
            log_future_promote(logs, name.topic, name.partition, &log) == 0) {
            log_unref(log);
            i = 0; // the table has changed
        }
    }
}

void replicas_start(struct replicas *replicas)
{
    struct metadata *metadata = replicas->options.metadata;
    struct plan plan;
    replicas_lock_changes(replicas);
    recover_futures(replicas);
    plan_begin(replicas, &plan);
    size_t at = 0;
    const struct metadata_topic *topic;
    while ((topic = metadata_next_topic(metadata, &at)) != NULL)
        plan_topic(replicas, &plan, topic, NULL, topic->partitions_count);
    metadata_unlock(metadata);
    replicas->is_started = true;
    plan_carry_out(replicas, &plan);
    replicas_unlock_changes(replicas);
    replicas->subscription.on_change = on_change;
    metadata_subscribe(metadata, &replicas->subscription);
}

size_t replicas_dir_failed(struct replicas *replicas, size_t dir)
{
    struct partition **failed = NULL;
    size_t count = 0, capacity = 0, at = 0;
    struct replica_topic *topic;
    struct partition_woken woken;
    partition_woken_init(&woken);
    replicas_lock_changes(replicas); // so that nothing changes the table
    while ((topic = hashmap_next(&replicas->by_id, &at)) != NULL) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            struct partition *partition = topic->partitions[i];
            struct log *log = partition == NULL ? NULL : partition_log(partition);
            if (log != NULL && log_dirs_of(replicas->options.logs, log) == (ptrdiff_t)dir) {
                vec_reserve(failed, count + 1, capacity);
                failed[count++] = partition_ref(partition);
            }
            log_unref(log);
        }
    }
    for (size_t i = 0; i < count; i++)
        log_unref(partition_close(failed[i], PARTITION_FAILED, &woken));
    replicas_unlock_changes(replicas);
    partition_wake(&woken);
    for (size_t i = 0; i < count; i++)
        partition_unref(failed[i]);
    mem_free(failed);
    return count;
}

void replicas_stop(struct replicas *replicas)
{
    if (!replicas->is_started)
        return;
    replicas->is_started = false;
    metadata_unsubscribe(replicas->options.metadata, &replicas->subscription);
    struct partition_woken woken;
    partition_woken_init(&woken);
    size_t at = 0;
    struct replica_topic *topic;
    while ((topic = hashmap_next(&replicas->by_id, &at)) != NULL)
        for (int32_t i = 0; i < topic->partitions_count; i++)
            if (topic->partitions[i] != NULL)
                log_unref(partition_close(topic->partitions[i], PARTITION_STOPPED, &woken));
    partition_wake(&woken);
}

void replicas_free(struct replicas *replicas)
{
    if (replicas == NULL)
        return;
    must(!replicas->is_started);
    size_t at = 0;
    struct replica_topic *topic;
    while ((topic = hashmap_next(&replicas->by_id, &at)) != NULL) {
        for (int32_t i = 0; i < topic->partitions_count; i++)
            partition_unref(topic->partitions[i]);
        mem_free(topic->partitions);
        mem_free(topic);
    }
    hashmap_fini(&replicas->by_name);
    hashmap_fini(&replicas->by_id);
    struct list *link;
    while ((link = list_pop(&replicas->observed)) != NULL) {
        struct observed *observed = container_of(link, struct observed, link);
        mem_free(observed->topic);
        mem_free(observed);
    }
    pthread_rwlock_destroy(&replicas->lock);
    pthread_mutex_destroy(&replicas->changes);
    mem_free(replicas);
}
