// SPDX-License-Identifier: Apache-2.0
// Follows an image by hand, with real logs in a folder.
#include "replica/replicas.h"

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "config/config.h"
#include "log/log_manager.h"
#include "metadata/image.h"

enum { ME = 1 };

struct fixture {
    char folder[200];
    struct trace trace;
    struct config *config;
    struct metadata *metadata;
    struct log_manager *logs;
    struct replicas *replicas;
};

static void config_of(void *arg, struct str topic, struct log_config *out)
{
    replicas_topic_config(((struct fixture *)arg)->replicas, topic, out);
}

static bool is_stray(void *arg, struct str topic, int32_t partition, struct uuid topic_id)
{
    return replicas_is_stray(((struct fixture *)arg)->replicas, topic, partition, topic_id);
}

static void start(struct fixture *f)
{
    struct log_manager_options options = log_manager_options_default;
    const char *dirs[] = { f->folder };
    options.disk = disk_posix();
    options.clock = clock_posix();
    options.trace = &f->trace;
    options.dirs = dirs;
    options.dir_count = 1;
    options.recovery_threads_per_dir = 0;
    options.has_thread = false;
    options.config_of = config_of;
    options.arg = f;
    CU_ASSERT_EQUAL_FATAL(log_manager_open(&options, &f->logs), 0);
    f->replicas = replicas_new(&(struct replicas_options){ .clock = clock_posix(),
                                                           .trace = &f->trace,
                                                           .config = f->config,
                                                           .metadata = f->metadata,
                                                           .logs = f->logs,
                                                           .node_id = ME });
    CU_ASSERT_EQUAL_FATAL(log_manager_load(f->logs, is_stray, f), 0);
}

static void stop(struct fixture *f)
{
    replicas_stop(f->replicas);
    replicas_free(f->replicas);
    CU_ASSERT_EQUAL(log_manager_close(f->logs, 1), 0);
}

static void begin(struct fixture *f)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(f->folder, sizeof f->folder));
    trace_init(&f->trace, clock_posix(), TRACE_ERROR, -1);
    f->config = config_new();
    f->metadata = metadata_new();
    start(f);
}

static void end(struct fixture *f)
{
    stop(f);
    metadata_free(f->metadata);
    config_free(f->config);
    trace_fini(&f->trace);
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), f->folder), 0);
}

static void tell(struct fixture *f, enum metadata_change change, const char *name, struct uuid id,
                 int32_t index)
{
    struct metadata_topic_change topic = { .change = change,
                                           .id = id,
                                           .name = str_of(name),
                                           .partitions = &index,
                                           .partitions_count = change == METADATA_DELETED ? 0 : 1 };
    metadata_tell(f->metadata, &(struct metadata_delta){ .topics = &topic, .topics_count = 1 });
}

// In the image only: partition `index` of a topic, made when it is new.
static struct uuid put(struct fixture *f, const char *name, int32_t index, int32_t replica,
                       int32_t leader_epoch)
{
    static int32_t epoch;
    image_lock(f->metadata);
    const struct metadata_topic *topic = metadata_find_topic(f->metadata, str_of(name));
    if (topic == NULL)
        topic = image_topic_add(f->metadata, str_of(name), uuid_random());
    image_partition_set(f->metadata, image_topic(f->metadata, topic->id), index,
                        &(struct metadata_partition){ .replicas = &replica,
                                                      .replicas_count = 1,
                                                      .isr = &replica,
                                                      .isr_count = 1,
                                                      .leader = replica,
                                                      .leader_epoch = leader_epoch,
                                                      .partition_epoch = ++epoch });
    metadata_unlock(f->metadata);
    return topic->id;
}

static bool leads(struct fixture *f, const char *name, int32_t index, int32_t epoch)
{
    struct partition *partition = replicas_find(f->replicas, str_of(name), index);
    if (partition == NULL)
        return false;
    int32_t leader, leader_epoch;
    partition_leader(partition, &leader, &leader_epoch);
    partition_unref(partition);
    return leader == ME && leader_epoch == epoch;
}

static bool on_disk(const struct fixture *f, const char *name)
{
    char *path = mem_printf("%s/%s", f->folder, name);
    bool exists = disk_exists(disk_posix(), path);
    mem_free(path);
    return exists;
}

static void the_first_image_and_what_follows(void)
{
    struct fixture f;
    begin(&f);
    struct uuid id = put(&f, "there", 0, ME, 3);
    put(&f, "elsewhere", 0, 2, 0);
    replicas_start(f.replicas);
    CU_ASSERT_TRUE(leads(&f, "there", 0, 3));
    log_manager_run(f.logs); // files come in the background
    CU_ASSERT_TRUE(on_disk(&f, "there-0"));
    CU_ASSERT_PTR_NULL(replicas_find(f.replicas, str_of("elsewhere"), 0));
    CU_ASSERT_EQUAL(replicas_why_not_found(f.replicas, str_of("elsewhere"), 0),
                    KERR_NOT_LEADER_OR_FOLLOWER);
    CU_ASSERT_EQUAL(replicas_why_not_found(f.replicas, str_of("elsewhere"), 1),
                    KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(replicas_why_not_found_by_id(f.replicas, id, 1),
                    KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(replicas_why_not_found_by_id(f.replicas, uuid_random(), 0),
                    KERR_UNKNOWN_TOPIC_ID);

    struct uuid other = put(&f, "new", 0, ME, 0);
    tell(&f, METADATA_CREATED, "new", other, 0);
    CU_ASSERT_TRUE(leads(&f, "new", 0, 0));
    put(&f, "new", 2, ME, 0); // partitions 1 and 2 are added, 1 is another broker's
    put(&f, "new", 1, 2, 0);
    tell(&f, METADATA_CHANGED, "new", other, 2);
    tell(&f, METADATA_CHANGED, "new", other, 1);
    CU_ASSERT_TRUE(leads(&f, "new", 2, 0));
    CU_ASSERT_PTR_NULL(replicas_find(f.replicas, str_of("new"), 1));
    put(&f, "new", 0, ME, 4);
    tell(&f, METADATA_CHANGED, "new", other, 0);
    CU_ASSERT_TRUE(leads(&f, "new", 0, 4));
    replicas_lock_read(f.replicas);
    const struct replica_topic *topic = replicas_find_topic_by_id(f.replicas, other);
    CU_ASSERT_PTR_EQUAL(topic, replicas_find_topic(f.replicas, str_of("new")));
    CU_ASSERT_PTR_NULL(replica_topic_partition(topic, 3));
    CU_ASSERT_PTR_NULL(replica_topic_partition(topic, -1));
    replicas_unlock(f.replicas);
    end(&f);
}

static void a_deleted_topic_and_one_of_the_same_name(void)
{
    struct fixture f;
    begin(&f);
    struct uuid first = put(&f, "t", 0, ME, 0);
    replicas_start(f.replicas);
    struct partition *kept = replicas_find(f.replicas, str_of("t"), 0);
    image_lock(f.metadata);
    image_topic_remove(f.metadata, image_topic(f.metadata, first));
    metadata_unlock(f.metadata);
    struct uuid second = put(&f, "t", 0, ME, 0);
    // Both in one publication, as a compacted snapshot may bring them.
    int32_t index = 0;
    struct metadata_topic_change changes[] = {
        { .change = METADATA_CREATED,
          .id = second,
          .name = str_of("t"),
          .partitions = &index,
          .partitions_count = 1 },
        { .change = METADATA_DELETED, .id = first, .name = str_of("t") },
    };
    metadata_tell(f.metadata, &(struct metadata_delta){ .topics = changes, .topics_count = 2 });
    CU_ASSERT_TRUE(partition_is_gone(kept));
    CU_ASSERT_EQUAL(partition_log_end_offset(kept), -1);
    partition_unref(kept);
    struct partition *now = replicas_find(f.replicas, str_of("t"), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(now);
    CU_ASSERT_TRUE(uuid_eq(now->topic_id, second));
    partition_unref(now);
    CU_ASSERT_TRUE(leads(&f, "t", 0, 0));
    end(&f);
}

static void a_replica_that_moves_away(void)
{
    struct fixture f;
    begin(&f);
    struct uuid id = put(&f, "t", 0, ME, 0);
    replicas_start(f.replicas);
    put(&f, "t", 0, 2, 1);
    tell(&f, METADATA_CHANGED, "t", id, 0);
    CU_ASSERT_PTR_NULL(replicas_find(f.replicas, str_of("t"), 0));
    CU_ASSERT_FALSE(on_disk(&f, "t-0"));
    end(&f);
}

static void strays_are_set_aside(void)
{
    struct fixture f;
    begin(&f);
    struct uuid id = put(&f, "gone", 0, ME, 0);
    put(&f, "stays", 0, ME, 0);
    replicas_start(f.replicas);
    stop(&f);
    image_topic_remove(f.metadata, image_topic(f.metadata, id));
    start(&f);
    replicas_start(f.replicas);
    CU_ASSERT_TRUE(leads(&f, "stays", 0, 0));
    CU_ASSERT_TRUE(on_disk(&f, "stays-0"));
    CU_ASSERT_FALSE(on_disk(&f, "gone-0"));
    end(&f);
}

static void configs_reach_partitions_and_logs(void)
{
    struct fixture f;
    begin(&f);
    put(&f, "t", 0, ME, 0);
    replicas_start(f.replicas);
    struct partition *partition = replicas_find(f.replicas, str_of("t"), 0);
    CU_ASSERT_EQUAL(atomic_load(&partition->min_insync_replicas), 1);
    image_lock(f.metadata);
    image_config_set(f.metadata, CONFIG_RESOURCE_TOPIC, str_of("t"), str_of("min.insync.replicas"),
                     str_of("3"));
    image_config_set(f.metadata, CONFIG_RESOURCE_TOPIC, str_of("t"), str_of("max.message.bytes"),
                     str_of("123"));
    metadata_unlock(f.metadata);
    struct metadata_config_change change = { CONFIG_RESOURCE_TOPIC, str_of("t") };
    metadata_tell(f.metadata, &(struct metadata_delta){ .configs = &change, .configs_count = 1 });
    CU_ASSERT_EQUAL(atomic_load(&partition->min_insync_replicas), 3);
    struct log_config config;
    log_get_config(partition->log, &config);
    CU_ASSERT_EQUAL(config.max_message_bytes, 123);
    partition_unref(partition);
    end(&f);
}

struct watcher {
    struct partition_observer observer;
    int elected, resigned;
    int64_t high_watermark;
};

static void on_leader(struct partition_observer *observer, int32_t index, int32_t leader_epoch)
{
    (void)leader_epoch;
    container_of(observer, struct watcher, observer)->elected += index + 1;
}

static void on_resigned(struct partition_observer *observer, int32_t index, int32_t leader_epoch)
{
    (void)leader_epoch;
    container_of(observer, struct watcher, observer)->resigned += index + 1;
}

static void observers_hear_of_their_topic(void)
{
    struct fixture f;
    begin(&f);
    struct watcher watcher = { .observer = { .on_leader = on_leader, .on_resigned = on_resigned } };
    replicas_observe(f.replicas, "mine", &watcher.observer);
    put(&f, "other", 0, ME, 0);
    put(&f, "mine", 0, ME, 0);
    struct uuid id = put(&f, "mine", 1, ME, 0);
    replicas_start(f.replicas);
    CU_ASSERT_EQUAL(watcher.elected, 1 + 2);
    put(&f, "mine", 1, ME, 1);
    tell(&f, METADATA_CHANGED, "mine", id, 1);
    CU_ASSERT_EQUAL(watcher.elected, 1 + 2 + 2);
    image_lock(f.metadata);
    image_topic_remove(f.metadata, image_topic(f.metadata, id));
    metadata_unlock(f.metadata);
    tell(&f, METADATA_DELETED, "mine", id, 0);
    CU_ASSERT_EQUAL(watcher.resigned, 1 + 2);
    end(&f);
}

TEST_MAIN("replicas", TEST(the_first_image_and_what_follows),
          TEST(a_deleted_topic_and_one_of_the_same_name), TEST(a_replica_that_moves_away),
          TEST(strays_are_set_aside), TEST(configs_reach_partitions_and_logs),
          TEST(observers_hear_of_their_topic))
