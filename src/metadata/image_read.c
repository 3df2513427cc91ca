// SPDX-License-Identifier: Apache-2.0
// What metadata.h promises its readers: the image made, its lock, its subscribers, the questions. What changes it is in
// image.c. Tested by replay_test.c.
#include "metadata/metadata.h"

#include "base/mem.h"
#include "base/must.h"
#include "config/log_config.h"
#include "metadata/image.h"

struct metadata *metadata_new(void)
{
    struct metadata *metadata = mem_new(struct metadata);
    // The controller must get in under a storm of readers, who never take the lock twice.
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int failed = pthread_rwlock_init(&metadata->_lock, &attributes);
    must(failed == 0);
    pthread_rwlockattr_destroy(&attributes);
    failed = pthread_mutex_init(&metadata->_subscriptions_lock, NULL);
    must(failed == 0);
    hashmap_init(&metadata->_topics_by_name);
    hashmap_init(&metadata->_topics_by_id);
    hashmap_init(&metadata->_configs);
    hashmap_init(&metadata->_brokers);
    hashmap_init(&metadata->_controllers);
    hashmap_init(&metadata->_features);
    hashmap_init(&metadata->_stored);
    list_init(&metadata->_subscriptions);
    metadata->next_producer_id = -1;
    metadata->offset = -1;
    return metadata;
}

void metadata_free(struct metadata *metadata)
{
    if (metadata == NULL)
        return;
    must(list_is_empty(&metadata->_subscriptions));
    image_clear(metadata);
    hashmap_fini(&metadata->_topics_by_name);
    hashmap_fini(&metadata->_topics_by_id);
    hashmap_fini(&metadata->_configs);
    hashmap_fini(&metadata->_brokers);
    hashmap_fini(&metadata->_controllers);
    hashmap_fini(&metadata->_features);
    hashmap_fini(&metadata->_stored);
    pthread_mutex_destroy(&metadata->_subscriptions_lock);
    pthread_rwlock_destroy(&metadata->_lock);
    mem_free(metadata);
}

// A thread that took the lock twice would wait for a writer that waits for it.
static _Thread_local int locks_held;

void image_lock(struct metadata *metadata)
{
    must(locks_held == 0);
    int failed = pthread_rwlock_wrlock(&metadata->_lock);
    must(failed == 0);
    locks_held++;
}

void metadata_lock_read(struct metadata *metadata)
{
    must(locks_held == 0);
    int failed = pthread_rwlock_rdlock(&metadata->_lock);
    must(failed == 0);
    locks_held++;
}

void metadata_unlock(struct metadata *metadata)
{
    must(locks_held == 1);
    locks_held--;
    int failed = pthread_rwlock_unlock(&metadata->_lock);
    must(failed == 0);
}

void metadata_subscribe(struct metadata *metadata, struct metadata_subscription *subscription)
{
    pthread_mutex_lock(&metadata->_subscriptions_lock);
    list_append(&metadata->_subscriptions, &subscription->_link);
    pthread_mutex_unlock(&metadata->_subscriptions_lock);
}

void metadata_unsubscribe(struct metadata *metadata, struct metadata_subscription *subscription)
{
    pthread_mutex_lock(&metadata->_subscriptions_lock);
    list_remove(&subscription->_link);
    pthread_mutex_unlock(&metadata->_subscriptions_lock);
}

void metadata_tell(struct metadata *metadata, const struct metadata_delta *delta)
{
    pthread_mutex_lock(&metadata->_subscriptions_lock);
    list_for_each(at, &metadata->_subscriptions)
    {
        struct metadata_subscription *subscription =
            container_of(at, struct metadata_subscription, _link);
        subscription->on_change(subscription, delta);
    }
    pthread_mutex_unlock(&metadata->_subscriptions_lock);
}

const struct metadata_topic *metadata_find_topic(const struct metadata *metadata, struct str name)
{
    return name.data == NULL ? NULL
                             : hashmap_find(&metadata->_topics_by_name, name.data, name.size);
}

const struct metadata_topic *metadata_find_topic_by_id(const struct metadata *metadata,
                                                       struct uuid id)
{
    return hashmap_find(&metadata->_topics_by_id, id.bytes, sizeof id.bytes);
}

size_t metadata_topics_count(const struct metadata *metadata)
{
    return metadata->_topics_by_id.count;
}

const struct metadata_topic *metadata_next_topic(const struct metadata *metadata, size_t *at)
{
    return hashmap_next(&metadata->_topics_by_id, at);
}

const struct metadata_partition *metadata_topic_partition(const struct metadata_topic *topic,
                                                          int32_t partition)
{
    if (partition < 0 || partition >= topic->partitions_count ||
        topic->partitions[partition].replicas == NULL)
        return NULL;
    return &topic->partitions[partition];
}

const struct metadata_configs *metadata_find_configs(const struct metadata *metadata,
                                                     enum config_resource type, struct str name)
{
    char key[IMAGE_CONFIG_KEY_MAX];
    if (name.data == NULL || name.size + 1 > sizeof key)
        return NULL;
    key[0] = (char)type;
    memcpy(key + 1, name.data, name.size);
    return hashmap_find(&metadata->_configs, key, name.size + 1);
}

struct str metadata_config_value(const struct metadata_configs *configs, const char *key)
{
    for (size_t i = 0; configs != NULL && i < configs->count; i++)
        if (str_eqz(configs->entries[i].name, key))
            return configs->entries[i].value;
    return STR_NULL;
}

const struct metadata_configs *metadata_next_configs(const struct metadata *metadata, size_t *at)
{
    return hashmap_next(&metadata->_configs, at);
}

const struct metadata_broker *metadata_find_broker(const struct metadata *metadata, int32_t id)
{
    return hashmap_find(&metadata->_brokers, &id, sizeof id);
}

size_t metadata_brokers_count(const struct metadata *metadata)
{
    return metadata->_brokers.count;
}

const struct metadata_broker *metadata_next_broker(const struct metadata *metadata, size_t *at)
{
    return hashmap_next(&metadata->_brokers, at);
}

const struct metadata_endpoint *metadata_broker_endpoint(const struct metadata_broker *broker,
                                                         const char *listener_name)
{
    for (int32_t i = 0; i < broker->endpoints_count; i++)
        if (str_eqz(broker->endpoints[i].listener_name, listener_name))
            return &broker->endpoints[i];
    return NULL;
}

const struct metadata_controller *metadata_find_controller(const struct metadata *metadata,
                                                           int32_t id)
{
    return hashmap_find(&metadata->_controllers, &id, sizeof id);
}

const struct metadata_controller *metadata_next_controller(const struct metadata *metadata,
                                                           size_t *at)
{
    return hashmap_next(&metadata->_controllers, at);
}

int16_t metadata_feature_level(const struct metadata *metadata, const char *name)
{
    const struct metadata_feature *feature = hashmap_find(&metadata->_features, name, strlen(name));
    return feature == NULL ? 0 : feature->level;
}

const struct metadata_feature *metadata_next_feature(const struct metadata *metadata, size_t *at)
{
    return hashmap_next(&metadata->_features, at);
}
