// SPDX-License-Identifier: Apache-2.0
// See the header. The image's read lock is held while a topic is looked at, never together with the index's.
#include "group/topic_index.h"

#include "base/mem.h"
#include "group/metadata_hash.h"
#include "metadata/metadata.h"

struct topic_index *topic_index_new(void)
{
    struct topic_index *index = mem_new(struct topic_index);
    pthread_rwlock_init(&index->_lock, NULL);
    hashmap_init(&index->_by_name);
    hashmap_init(&index->_by_id);
    index->new_topics_version = -1;
    return index;
}

static void topic_free(struct indexed_topic *topic)
{
    mem_free((void *)(uintptr_t)topic->name.data);
    mem_free(topic);
}

void topic_index_free(struct topic_index *index)
{
    if (index == NULL)
        return;
    struct indexed_topic *topic;
    for (size_t i = 0; (topic = hashmap_next(&index->_by_id, &i)) != NULL;)
        topic_free(topic);
    hashmap_fini(&index->_by_name);
    hashmap_fini(&index->_by_id);
    pthread_rwlock_destroy(&index->_lock);
    mem_free(index);
}

static void remove_topic(struct topic_index *index, struct uuid id)
{
    struct indexed_topic *topic = hashmap_remove(&index->_by_id, &id, sizeof id);
    if (topic == NULL)
        return;
    if (hashmap_find(&index->_by_name, topic->name.data, topic->name.size) == topic)
        hashmap_remove(&index->_by_name, topic->name.data, topic->name.size);
    topic_free(topic);
}

void topic_index_put(struct topic_index *index, struct uuid id, struct str name,
                     int32_t partitions_count, int64_t hash, int64_t version)
{
    pthread_rwlock_wrlock(&index->_lock);
    struct indexed_topic *topic = hashmap_find(&index->_by_id, &id, sizeof id);
    bool is_new = topic == NULL;
    // Leaders come and go, which is nothing to a group.
    if (is_new || topic->partitions_count != partitions_count || topic->hash != hash ||
        !str_eq(topic->name, name)) {
        remove_topic(index, id);
        topic = mem_new(struct indexed_topic);
        *topic = (struct indexed_topic){ id, { str_dup(name), name.size }, partitions_count, hash };
        hashmap_put(&index->_by_id, &topic->id, sizeof topic->id, topic);
        hashmap_put(&index->_by_name, topic->name.data, topic->name.size, topic);
    }
    index->version = version;
    if (is_new)
        index->new_topics_version = version;
    pthread_rwlock_unlock(&index->_lock);
}

void topic_index_remove(struct topic_index *index, struct uuid id, int64_t version)
{
    pthread_rwlock_wrlock(&index->_lock);
    remove_topic(index, id);
    index->version = version;
    pthread_rwlock_unlock(&index->_lock);
}

// ---- from the image --------------------------------------------------------------------------------

static struct partition_racks racks_of(const struct metadata *metadata,
                                       const struct metadata_partition *partition,
                                       struct arena *arena)
{
    struct str *racks = arena_array(arena, struct str, partition->replicas_count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < partition->replicas_count; i++) {
        const struct metadata_broker *broker =
            metadata_find_broker(metadata, partition->replicas[i]);
        if (broker != NULL && !str_is_null(broker->rack))
            racks[count++] = broker->rack;
    }
    return (struct partition_racks){ racks, count };
}

static int64_t hash_of(const struct metadata *metadata, const struct metadata_topic *topic,
                       struct arena *arena)
{
    struct partition_racks *partitions =
        arena_array(arena, struct partition_racks, topic->partitions_count + 1);
    for (int32_t i = 0; i < topic->partitions_count; i++)
        partitions[i] = racks_of(metadata, &topic->partitions[i], arena);
    return metadata_hash_topic(topic->id, (struct str){ topic->name, topic->name_size }, partitions,
                               topic->partitions_count);
}

// A topic as the index shall have it, in the arena. Under the image's lock.
static struct indexed_topic copy_of(const struct metadata *metadata,
                                    const struct metadata_topic *topic, struct arena *arena)
{
    return (struct indexed_topic){
        .id = topic->id,
        .name = arena_str(arena, (struct str){ topic->name, topic->name_size }),
        .partitions_count = topic->partitions_count,
        .hash = hash_of(metadata, topic, arena),
    };
}

static void put_all(struct topic_index *index, const struct indexed_topic *topics, size_t count,
                    int64_t version)
{
    for (size_t i = 0; i < count; i++)
        topic_index_put(index, topics[i].id, topics[i].name, topics[i].partitions_count,
                        topics[i].hash, version);
}

void topic_index_fill(struct topic_index *index, struct metadata *metadata)
{
    struct arena arena;
    arena_init(&arena);
    metadata_lock_read(metadata);
    struct indexed_topic *topics =
        arena_array(&arena, struct indexed_topic, metadata_topics_count(metadata) + 1);
    size_t count = 0;
    const struct metadata_topic *topic;
    for (size_t at = 0; (topic = metadata_next_topic(metadata, &at)) != NULL;)
        topics[count++] = copy_of(metadata, topic, &arena);
    int64_t version = metadata->offset;
    metadata_unlock(metadata);
    put_all(index, topics, count, version);
    pthread_rwlock_wrlock(&index->_lock);
    index->version = index->new_topics_version = version;
    pthread_rwlock_unlock(&index->_lock);
    arena_fini(&arena);
}

void topic_index_update(struct topic_index *index, struct metadata *metadata,
                        const struct metadata_delta *delta)
{
    struct arena arena;
    arena_init(&arena);
    struct indexed_topic *topics =
        arena_array(&arena, struct indexed_topic, delta->topics_count + 1);
    size_t count = 0;
    metadata_lock_read(metadata);
    int64_t version = metadata->offset;
    for (size_t i = 0; i < delta->topics_count; i++) {
        const struct metadata_topic *topic =
            metadata_find_topic_by_id(metadata, delta->topics[i].id);
        if (topic != NULL)
            topics[count++] = copy_of(metadata, topic, &arena);
    }
    metadata_unlock(metadata);
    for (size_t i = 0; i < delta->topics_count; i++)
        if (delta->topics[i].change == METADATA_DELETED)
            topic_index_remove(index, delta->topics[i].id, version);
    put_all(index, topics, count, version);
    pthread_rwlock_wrlock(&index->_lock);
    index->version = version;
    pthread_rwlock_unlock(&index->_lock);
    arena_fini(&arena);
}

// ---- reading ---------------------------------------------------------------------------------------

void topic_index_lock_read(struct topic_index *index)
{
    pthread_rwlock_rdlock(&index->_lock);
}

void topic_index_unlock(struct topic_index *index)
{
    pthread_rwlock_unlock(&index->_lock);
}

const struct indexed_topic *topic_index_find(const struct topic_index *index, struct str name)
{
    return hashmap_find(&index->_by_name, name.data, name.size);
}

const struct indexed_topic *topic_index_find_by_id(const struct topic_index *index, struct uuid id)
{
    return hashmap_find(&index->_by_id, &id, sizeof id);
}

const struct indexed_topic *topic_index_next(const struct topic_index *index, size_t *at)
{
    return hashmap_next(&index->_by_id, at);
}
