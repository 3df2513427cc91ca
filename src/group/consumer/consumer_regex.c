// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/consumer/consumer_regex_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_regex.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "group/consumer/consumer_records.h"
#include "group/consumer/consumer_subscription.h"
#include "group/topic_regex.h"

enum { MIN_INTERVAL_MS = 10000 };

// ---- what a member brings --------------------------------------------------------------------------

static int32_t count_subscribers(const struct consumer_group *group, struct str pattern)
{
    int32_t count = 0;
    const struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        count += str_eq(member->metadata->subscribed_topic_regex, pattern);
    return count;
}

static enum kafka_error check(struct str pattern, struct arena *arena, struct str *message)
{
    const char *reason;
    struct topic_regex *regex = topic_regex_compile(pattern, &reason);
    if (regex == NULL) {
        *message = str_of(arena_printf(
            arena, "SubscribedTopicRegex `%.*s` is not a valid regular expression: %s.",
            STR_ARG(pattern), reason));
        return KERR_INVALID_REGULAR_EXPRESSION;
    }
    topic_regex_free(regex);
    return KERR_NONE;
}

static enum kafka_error take_change(struct consumer_update *update, bool *is_new,
                                    struct str *message)
{
    const struct consumer_group *group = update->group;
    struct str before = update->before.metadata.subscribed_topic_regex;
    struct str after = update->member.metadata.subscribed_topic_regex;
    if (str_eq(before, after))
        return KERR_NONE;
    update->regex_change = REGEX_UPDATED;
    if (before.size > 0 && count_subscribers(group, before) == 1)
        consumer_add_regex(group, before, NULL);
    if (after.size == 0) {
        if (before.size > 0)
            update->regex_change = REGEX_UPDATED_AND_RESOLVED;
        return KERR_NONE;
    }
    if (count_subscribers(group, after) == 0) {
        *is_new = true;
        return check(after, update->arena, message);
    }
    if (consumer_group_regex(group, after) != NULL)
        update->regex_change = REGEX_UPDATED_AND_RESOLVED;
    return KERR_NONE;
}

// Expressions that the group will have, each once.
static size_t count_expressions(const struct consumer_update *update)
{
    struct consumer_subscription subscription;
    consumer_subscription_count(&subscription, update->group, update->arena);
    consumer_subscription_change(&subscription, update->group, &update->before.metadata,
                                 &update->member.metadata);
    size_t count = subscription.regexes.count;
    consumer_subscription_fini(&subscription);
    return count;
}

static bool is_due(const struct consumer_update *update, bool is_new)
{
    const struct consumer_group *group = update->group;
    const struct group_shard *state = update->state;
    if ((!is_new && group->regex_count == 0) || group->is_resolving)
        return false;
    int64_t now_ms = coordinator_wall_ms(state->shard);
    size_t at = 0;
    const struct resolved_regex *any = hashmap_next(&group->regexes, &at);
    int64_t last_ms = any != NULL ? any->value->timestamp : INT64_MIN / 2;
    int64_t version = any != NULL ? any->value->version : 0;
    if (now_ms <= last_ms + MIN_INTERVAL_MS)
        return false;
    size_t expressions = count_expressions(update);
    topic_index_lock_read(state->topics);
    bool has_new_topics = version < state->topics->new_topics_version;
    topic_index_unlock(state->topics);
    return expressions > 0 && (is_new || expressions != group->regexes.count || has_new_topics ||
                               now_ms > last_ms + state->config->regex_refresh_interval_ms);
}

enum kafka_error consumer_regex_update(struct consumer_update *update, struct str *message)
{
    bool is_new = false;
    enum kafka_error error = take_change(update, &is_new, message);
    if (error == KERR_NONE)
        update->must_resolve = is_due(update, is_new);
    return error;
}

// ---- in the background -----------------------------------------------------------------------------

struct resolution {
    struct background_task task;
    struct coordinator_shard *shard;
    struct arena arena;
    struct str group_id;
    struct str *patterns;
    struct consumer_group_regular_expression_value *resolved; // one for each
    int32_t count;
};

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

// All names, copied: matching takes longer than the index may be locked.
static struct str *list_topics(struct topic_index *topics, struct arena *arena, size_t *count,
                               int64_t *version)
{
    size_t capacity = 0;
    struct str *names = NULL;
    const struct indexed_topic *topic;
    *count = 0;
    topic_index_lock_read(topics);
    for (size_t at = 0; (topic = topic_index_next(topics, &at)) != NULL;) {
        vec_reserve(names, *count + 1, capacity);
        names[(*count)++] = arena_str(arena, topic->name);
    }
    *version = topics->version;
    topic_index_unlock(topics);
    return names;
}

static void match(struct resolution *r, int32_t place, const struct str *names, size_t count)
{
    const char *reason;
    struct topic_regex *regex = topic_regex_compile(r->patterns[place], &reason);
    struct consumer_group_regular_expression_value *value = &r->resolved[place];
    value->topics = arena_array(&r->arena, struct str, count + 1);
    for (size_t i = 0; regex != NULL && i < count; i++)
        if (topic_regex_matches(regex, names[i]))
            value->topics[value->topics_count++] = names[i];
    qsort(value->topics, (size_t)value->topics_count, sizeof(struct str), by_text);
    topic_regex_free(regex);
}

static bool has_same_topics(const struct consumer_group_regular_expression_value *a,
                            const struct consumer_group_regular_expression_value *b)
{
    if (a == NULL || a->topics_count != b->topics_count)
        return a == NULL && b->topics_count == 0;
    for (int32_t i = 0; i < a->topics_count; i++)
        if (!str_eq(a->topics[i], b->topics[i]))
            return false;
    return true;
}

// Records of what was found. Expressions that nobody has any more are left out.
static void write_resolved(struct resolution *r, struct consumer_group *group)
{
    struct group_shard *state = group->shard;
    struct consumer_subscription subscription;
    bool has_changed = false;
    consumer_subscription_count(&subscription, group, &r->arena);
    for (int32_t i = 0; i < r->count; i++) {
        if (count_subscribers(group, r->patterns[i]) == 0)
            continue;
        const struct resolved_regex *present = consumer_group_regex(group, r->patterns[i]);
        const struct consumer_group_regular_expression_value *before =
            present != NULL ? present->value : NULL;
        if (!has_same_topics(before, &r->resolved[i])) {
            consumer_subscription_resolve(&subscription, before, &r->resolved[i]);
            has_changed = true;
        }
        consumer_add_regex(group, r->patterns[i], &r->resolved[i]);
    }
    int64_t hash = consumer_subscription_hash(&subscription, state->topics);
    consumer_subscription_fini(&subscription);
    has_changed = has_changed || hash != group->metadata_hash;
    if (has_changed)
        consumer_add_epoch(group, group->epoch + 1, hash);
    if (coordinator_append(state->shard, true) == KERR_NONE && has_changed) {
        group->refresh_deadline_ms = coordinator_wall_ms(state->shard) + INT32_MAX;
        group->refresh_epoch = group->epoch;
    }
}

static void free_resolution(struct background_task *task)
{
    struct resolution *r = container_of(task, struct resolution, task);
    arena_fini(&r->arena);
    mem_free(r);
}

static void resolve(struct background_task *task)
{
    struct resolution *r = container_of(task, struct resolution, task);
    enum kafka_error error;
    struct group_shard *state = coordinator_enter(r->shard, &error);
    if (state == NULL) {
        free_resolution(task);
        return;
    }
    struct topic_index *topics = state->topics;
    int64_t started_ms = coordinator_wall_ms(r->shard), version;
    coordinator_exit(r->shard);

    size_t count;
    struct str *names = list_topics(topics, &r->arena, &count, &version);
    for (int32_t i = 0; i < r->count; i++) {
        match(r, i, names, count);
        r->resolved[i].version = version;
        r->resolved[i].timestamp = started_ms;
    }
    mem_free(names);

    state = coordinator_enter(r->shard, &error);
    if (state != NULL) {
        struct consumer_group *group = group_shard_find_consumer(state, r->group_id);
        if (group != NULL) {
            group->is_resolving = false;
            write_resolved(r, group);
        }
        coordinator_exit(r->shard);
    }
    free_resolution(task);
}

void consumer_regex_schedule(struct consumer_group *group)
{
    struct group_shard *state = group->shard;
    struct resolution *r = mem_new(struct resolution);
    struct consumer_subscription subscription;
    arena_init(&r->arena);
    r->task.run = resolve;
    r->task.drop = free_resolution;
    r->shard = state->shard;
    r->group_id = arena_str(&r->arena, group->base.id);
    consumer_subscription_count(&subscription, group, &r->arena);
    r->patterns = arena_array(&r->arena, struct str, subscription.regexes.count + 1);
    r->resolved = arena_array(&r->arena, struct consumer_group_regular_expression_value,
                              subscription.regexes.count + 1);
    const struct subscribed_regex *regex;
    for (size_t i = 0; (regex = hashmap_next(&subscription.regexes, &i)) != NULL;)
        r->patterns[r->count++] = arena_str(&r->arena, regex->pattern);
    consumer_subscription_fini(&subscription);
    group->is_resolving = true;
    group_background_add(state->background, &r->task);
}
