// SPDX-License-Identifier: Apache-2.0
// See the header.
// Tested by group/share/share_group_test.c.
#include "group/share/share_group_init.h"

#include "base/mem.h"
#include "group/share/share_group_records.h"

// ---- a round of calls ------------------------------------------------------------------------------

static void on_start(struct completion *completion)
{
    share_init_start(container_of(completion, struct share_init, completion));
}

struct share_init *share_init_new(struct group_shard *shard, struct str group,
                                  enum share_state_op op)
{
    struct share_init *init = mem_new(struct share_init);
    init->completion.complete = on_start;
    init->shard = shard->shard;
    init->persister = shard->persister;
    init->group = str_dup(group);
    init->op = op;
    arena_init(&init->arena);
    return init;
}

void share_init_free(struct share_init *init)
{
    if (init == NULL)
        return;
    share_topics_fini(&init->topics);
    mem_free(init->start_offsets);
    mem_free(init->group);
    arena_fini(&init->arena);
    mem_free(init);
}

static void end(struct share_init *init)
{
    if (init->after != NULL)
        init->after(init);
    share_init_free(init);
}

static void on_end(struct completion *completion)
{
    end(container_of(completion, struct share_init, completion));
}

static void on_committed(struct coordinator_wait *wait, enum kafka_error error)
{
    (void)error; // what was not written is begun anew after a while
    coordinator_complete(wait->shard, &container_of(wait, struct share_init, wait)->completion);
}

static void all_answered(struct share_init *init)
{
    enum kafka_error error;
    struct group_shard *shard = coordinator_enter(init->shard, &error);
    if (init->on_done != NULL)
        init->on_done(init, shard);
    if (shard == NULL) {
        end(init);
        return;
    }
    struct coordinator_shard *left = init->shard; // it may be gone before the shard is left
    init->completion.complete = on_end;
    coordinator_await_commit(left, &init->wait, on_committed);
    coordinator_exit(left);
}

static void one_less(struct share_init *init)
{
    if (atomic_fetch_sub(&init->left, 1) == 1)
        all_answered(init);
}

static void on_answered(struct completion *completion)
{
    one_less(container_of(completion, struct share_init_call, call.completion)->init);
}

void share_init_start(struct share_init *init)
{
    for (size_t t = 0; t < init->topics.count; t++)
        init->count += init->topics.items[t].count;
    init->calls = arena_array(&init->arena, struct share_init_call, init->count + 1);
    int32_t at = 0;
    for (size_t t = 0; t < init->topics.count; t++) {
        const struct share_topic *topic = &init->topics.items[t];
        for (int32_t p = 0; p < topic->count; p++, at++) {
            init->calls[at].init = init;
            init->calls[at].call = (struct share_state_call){
                .op = init->op,
                .group = str_of(init->group),
                .topic_id = topic->id,
                .partition = topic->partitions[p],
                .state_epoch = init->state_epoch,
                .leader_epoch = -1,
                .start_offset = init->start_offsets != NULL ? init->start_offsets[at] : -1,
                .arena = &init->arena,
                .completion = { .complete = on_answered },
            };
        }
    }
    atomic_init(&init->left, init->count + 1);
    for (int32_t i = 0; i < init->count; i++)
        persister_call(init->persister, &init->calls[i].call);
    one_less(init);
}

enum kafka_error share_init_error(const struct share_init *init)
{
    for (int32_t i = 0; i < init->count; i++)
        if (init->calls[i].call.error != KERR_NONE)
            return init->calls[i].call.error;
    return KERR_NONE;
}

enum kafka_error share_init_topic_error(const struct share_init *init, size_t topic)
{
    for (int32_t i = 0; i < init->count; i++)
        if (init->calls[i].call.error != KERR_NONE &&
            uuid_eq(init->calls[i].call.topic_id, init->topics.items[topic].id))
            return init->calls[i].call.error;
    return KERR_NONE;
}

// ---- beginning state -------------------------------------------------------------------------------

void share_init_add_record(struct share_group *group, const struct share_topics *topics)
{
    struct share_topics initializing = share_topics_copy(&group->initializing);
    struct share_topics deleting = share_topics_copy(&group->deleting);
    share_topics_merge(&initializing, topics);
    for (size_t i = 0; i < initializing.count; i++)
        share_topics_remove(&deleting, initializing.items[i].id);
    share_group_record_state(group->shard->shard, group->base.id, &initializing,
                             &group->initialized, &deleting);
    share_topics_fini(&initializing);
    share_topics_fini(&deleting);
}

// The partitions of the topic whose state is neither begun nor being begun since a short while.
static void add_missing(struct share_group *group, const struct indexed_topic *topic,
                        int64_t now_ms, struct share_topics *into)
{
    const struct share_topic *done = share_topics_find(&group->initialized, topic->id);
    const struct share_topic *begun = share_topics_find(&group->initializing, topic->id);
    if (begun != NULL &&
        now_ms - begun->since_ms >= group->shard->config->share_initialize_retry_ms)
        begun = NULL;
    for (int32_t p = 0; p < topic->partitions_count; p++) {
        if (share_topic_has(done, p) || share_topic_has(begun, p))
            continue;
        struct share_topic *missing = share_topics_get(into, topic->id, topic->name);
        missing->since_ms = now_ms;
        share_topic_add(missing, p);
    }
}

bool share_init_begin(struct share_group *group, int32_t epoch, const struct str *names,
                      int32_t count, struct share_init *init)
{
    struct topic_index *topics = group->shard->topics;
    int64_t now_ms = coordinator_wall_ms(group->shard->shard);
    topic_index_lock_read(topics);
    for (int32_t i = 0; i < count; i++) {
        const struct indexed_topic *topic = topic_index_find(topics, names[i]);
        if (topic != NULL)
            add_missing(group, topic, now_ms, &init->topics);
    }
    topic_index_unlock(topics);
    if (init->topics.count == 0)
        return false;
    init->state_epoch = epoch;
    init->on_done = share_init_finish;
    share_init_add_record(group, &init->topics);
    return true;
}

static void remove_all(struct share_topics *from, const struct share_topics *what)
{
    for (size_t i = 0; i < what->count; i++) {
        struct share_topic *topic = share_topics_find(from, what->items[i].id);
        for (int32_t p = 0; topic != NULL && p < what->items[i].count; p++)
            share_topic_drop(topic, what->items[i].partitions[p]);
        if (topic != NULL && topic->count == 0)
            share_topics_remove(from, what->items[i].id);
    }
}

void share_init_finish(struct share_init *init, struct group_shard *shard)
{
    struct share_group *group =
        shard != NULL ? share_group_of(group_shard_find(shard, str_of(init->group))) : NULL;
    if (group == NULL)
        return;
    struct share_topics initializing = share_topics_copy(&group->initializing);
    struct share_topics initialized = share_topics_copy(&group->initialized);
    remove_all(&initializing, &init->topics);
    if (share_init_error(init) == KERR_NONE)
        share_topics_merge(&initialized, &init->topics);
    else
        trace_warn(shard->trace, "share state not begun group=\"%s\" error=%s", init->group,
                   kafka_error_name(share_init_error(init)));
    share_group_record_state(shard->shard, group->base.id, &initializing, &initialized,
                             &group->deleting);
    coordinator_append(shard->shard, true); // not written: begun anew after a while
    share_topics_fini(&initializing);
    share_topics_fini(&initialized);
}
