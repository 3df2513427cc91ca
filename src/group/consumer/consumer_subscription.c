// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/consumer_subscription.h"

#include <stdlib.h>

#include "group/metadata_hash.h"
#include "group/topic_index.h"

static struct subscribed_topic *topic_of(struct consumer_subscription *subscription,
                                         struct str name)
{
    struct subscribed_topic *topic = hashmap_find(&subscription->topics, name.data, name.size);
    if (topic == NULL) {
        topic = arena_new(subscription->arena, struct subscribed_topic);
        topic->name = name;
        hashmap_put(&subscription->topics, name.data, name.size, topic);
    }
    return topic;
}

static void drop_unused(struct consumer_subscription *subscription, struct subscribed_topic *topic)
{
    if (topic->by_name <= 0 && topic->by_regex <= 0)
        hashmap_remove(&subscription->topics, topic->name.data, topic->name.size);
}

static void count_names(struct consumer_subscription *subscription,
                        const struct member_metadata_value *metadata, int32_t change)
{
    for (int32_t i = 0; i < metadata->subscribed_topic_names_count; i++) {
        struct subscribed_topic *topic =
            topic_of(subscription, metadata->subscribed_topic_names[i]);
        topic->by_name += change;
        drop_unused(subscription, topic);
    }
}

static void count_resolved(struct consumer_subscription *subscription,
                           const struct consumer_group_regular_expression_value *value,
                           int32_t change)
{
    for (int32_t i = 0; value != NULL && i < value->topics_count; i++) {
        struct subscribed_topic *topic = topic_of(subscription, value->topics[i]);
        topic->by_regex += change;
        drop_unused(subscription, topic);
    }
}

// Members left with the expression.
static int32_t count_regex(struct consumer_subscription *subscription, struct str pattern,
                           int32_t change)
{
    struct subscribed_regex *regex =
        hashmap_find(&subscription->regexes, pattern.data, pattern.size);
    if (regex == NULL) {
        regex = arena_new(subscription->arena, struct subscribed_regex);
        regex->pattern = pattern;
        hashmap_put(&subscription->regexes, pattern.data, pattern.size, regex);
    }
    regex->members += change;
    if (regex->members <= 0)
        hashmap_remove(&subscription->regexes, pattern.data, pattern.size);
    return regex->members;
}

void consumer_subscription_count(struct consumer_subscription *subscription,
                                 const struct consumer_group *group, struct arena *arena)
{
    subscription->arena = arena;
    hashmap_init(&subscription->topics);
    hashmap_init(&subscription->regexes);
    const struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;) {
        count_names(subscription, member->metadata, 1);
        if (member_has_regex(member->metadata))
            count_regex(subscription, member->metadata->subscribed_topic_regex, 1);
    }
    const struct resolved_regex *regex;
    for (size_t i = 0; (regex = hashmap_next(&group->regexes, &i)) != NULL;)
        count_resolved(subscription, regex->value, 1);
}

void consumer_subscription_fini(struct consumer_subscription *subscription)
{
    hashmap_fini(&subscription->topics);
    hashmap_fini(&subscription->regexes);
}

static struct str regex_of(const struct member_metadata_value *metadata)
{
    return metadata != NULL && member_has_regex(metadata) ? metadata->subscribed_topic_regex
                                                          : STR_NULL;
}

void consumer_subscription_change(struct consumer_subscription *subscription,
                                  const struct consumer_group *group,
                                  const struct member_metadata_value *before,
                                  const struct member_metadata_value *after)
{
    struct str old_regex = regex_of(before), new_regex = regex_of(after);
    if (after != NULL)
        count_names(subscription, after, 1);
    if (before != NULL)
        count_names(subscription, before, -1);
    if (str_eq(old_regex, new_regex))
        return;
    if (!str_is_null(new_regex))
        count_regex(subscription, new_regex, 1);
    if (!str_is_null(old_regex) && count_regex(subscription, old_regex, -1) == 0) {
        const struct resolved_regex *resolved = consumer_group_regex(group, old_regex);
        if (resolved != NULL)
            count_resolved(subscription, resolved->value, -1);
    }
}

void consumer_subscription_resolve(struct consumer_subscription *subscription,
                                   const struct consumer_group_regular_expression_value *before,
                                   const struct consumer_group_regular_expression_value *after)
{
    count_resolved(subscription, after, 1);
    count_resolved(subscription, before, -1);
}

bool consumer_subscription_is_homogeneous(const struct consumer_subscription *subscription,
                                          int32_t member_count)
{
    size_t at = 0;
    const struct subscribed_regex *regex = hashmap_next(&subscription->regexes, &at);
    if (regex != NULL && regex->members != member_count)
        return false; // different expressions, or names beside them
    const struct subscribed_topic *topic;
    for (size_t i = 0; (topic = hashmap_next(&subscription->topics, &i)) != NULL;) {
        if (regex == NULL && topic->by_name != member_count)
            return false;
        if (regex != NULL && (topic->by_regex != 1 || topic->by_name > 0))
            return false;
    }
    return true;
}

struct named_hash {
    struct str name;
    int64_t hash;
};

static int by_name(const void *a, const void *b)
{
    return str_compare(((const struct named_hash *)a)->name, ((const struct named_hash *)b)->name);
}

int64_t consumer_subscription_hash(const struct consumer_subscription *subscription,
                                   struct topic_index *topics)
{
    struct named_hash *found =
        arena_array(subscription->arena, struct named_hash, subscription->topics.count + 1);
    size_t count = 0;
    const struct subscribed_topic *topic;
    topic_index_lock_read(topics);
    for (size_t i = 0; (topic = hashmap_next(&subscription->topics, &i)) != NULL;) {
        const struct indexed_topic *indexed = topic_index_find(topics, topic->name);
        if (indexed != NULL)
            found[count++] = (struct named_hash){ topic->name, indexed->hash };
    }
    topic_index_unlock(topics);
    qsort(found, count, sizeof *found, by_name);
    int64_t *hashes = arena_array(subscription->arena, int64_t, count + 1);
    for (size_t i = 0; i < count; i++)
        hashes[i] = found[i].hash;
    return metadata_hash_group(hashes, count);
}

bool consumer_group_subscribes(const struct consumer_group *group, struct str topic)
{
    const struct consumer_member *member;
    for (size_t i = 0; (member = hashmap_next(&group->members, &i)) != NULL;)
        for (int32_t t = 0; t < member->metadata->subscribed_topic_names_count; t++)
            if (str_eq(member->metadata->subscribed_topic_names[t], topic))
                return true;
    const struct resolved_regex *regex;
    for (size_t i = 0; (regex = hashmap_next(&group->regexes, &i)) != NULL;)
        for (int32_t t = 0; t < regex->value->topics_count; t++)
            if (str_eq(regex->value->topics[t], topic))
                return true;
    return false;
}
