// SPDX-License-Identifier: Apache-2.0
#include "api/fetch_sessions.h"

#include <pthread.h>

#include "base/hashmap.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/must.h"

enum {
    SESSION_MAGIC = 0x46534553,
    SESSION_EPOCH_INITIAL = 0,
    SESSION_EPOCH_FINAL = -1,
    SESSION_ID_RANGE = INT32_MAX / FETCH_SESSION_SHARDS,
    KEY_ID_SIZE = sizeof(struct uuid) + sizeof(int32_t),
};

// A partition in a session. Its key is the topic's id or name, and the partition.
struct fetch_session_entry {
    struct list _order;
    struct partition_fetch fetch;
    struct partition *partition; // counted, or NULL
    int64_t high_watermark;      // as the client was told; -1: it was told an error
    int64_t log_start_offset;    // as the client was told
    int32_t index;
    uint32_t key_size;
    uint8_t key[];
};

struct fetch_session {
    uint32_t magic;
    atomic_int _refs;
    pthread_mutex_t _lock; // guards all that follows, save what is said to be the shard's
    struct hashmap _entries;
    struct list _order;
    int32_t id;
    int32_t epoch;
    bool uses_topic_ids;
    bool is_privileged; // a follower's

    // The shard's:
    struct list _used; // the shard's sessions, longest unused first
    int64_t _created_ms;
    int64_t _used_ms;
    size_t _size; // entries when it was last used
    bool _evictable_by_followers;
    bool _evictable_by_all;
};

struct shard {
    pthread_mutex_t lock;
    struct hashmap sessions; // by id
    struct list used;
    int64_t partitions_count;
    size_t slots;
};

struct fetch_sessions {
    struct clock *clock;
    struct shard shards[FETCH_SESSION_SHARDS];
    atomic_uint next_shard;
};

static void session_unref(struct fetch_session *session)
{
    if (atomic_fetch_sub(&session->_refs, 1) != 1)
        return;
    struct list *link;
    while ((link = list_pop(&session->_order)) != NULL) {
        struct fetch_session_entry *entry = container_of(link, struct fetch_session_entry, _order);
        partition_unref(entry->partition);
        mem_free(entry);
    }
    hashmap_fini(&session->_entries);
    pthread_mutex_destroy(&session->_lock);
    session->magic = 0;
    mem_free(session);
}

struct fetch_sessions *fetch_sessions_new(struct clock *clock, int32_t slots)
{
    struct fetch_sessions *sessions = mem_new(struct fetch_sessions);
    sessions->clock = clock;
    for (int i = 0; i < FETCH_SESSION_SHARDS; i++) {
        struct shard *shard = &sessions->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        hashmap_init(&shard->sessions);
        list_init(&shard->used);
        shard->slots = slots > 0 ? (size_t)slots / FETCH_SESSION_SHARDS : 0;
    }
    return sessions;
}

// The shard's lock is held.
static void shard_remove(struct shard *shard, struct fetch_session *session)
{
    if (hashmap_remove(&shard->sessions, &session->id, sizeof session->id) == NULL)
        return;
    list_remove(&session->_used);
    shard->partitions_count -= (int64_t)session->_size;
    session_unref(session);
}

void fetch_sessions_free(struct fetch_sessions *sessions)
{
    if (sessions == NULL)
        return;
    for (int i = 0; i < FETCH_SESSION_SHARDS; i++) {
        struct shard *shard = &sessions->shards[i];
        while (!list_is_empty(&shard->used))
            shard_remove(shard, container_of(shard->used.next, struct fetch_session, _used));
        hashmap_fini(&shard->sessions);
        pthread_mutex_destroy(&shard->lock);
    }
    mem_free(sessions);
}

// NULL for a number that belongs to no shard.
static struct shard *shard_of(struct fetch_sessions *sessions, int32_t id)
{
    int32_t number = id / SESSION_ID_RANGE;
    return number >= 0 && number < FETCH_SESSION_SHARDS ? &sessions->shards[number] : NULL;
}

static int32_t epoch_next(int32_t epoch)
{
    return epoch < 0 ? SESSION_EPOCH_FINAL : epoch == INT32_MAX ? 1 : epoch + 1;
}

// ---- the cache ----------------------------------------------------------------------------------------------

static void shard_touch(struct shard *shard, struct fetch_session *session, int64_t now_ms)
{
    list_remove(&session->_used);
    list_append(&shard->used, &session->_used);
    session->_used_ms = now_ms;
    shard->partitions_count += (int64_t)session->_entries.count - (int64_t)session->_size;
    session->_size = session->_entries.count;
    session->_evictable_by_all = now_ms - session->_created_ms > FETCH_SESSION_EVICTION_MS;
    session->_evictable_by_followers = session->_evictable_by_all || !session->is_privileged;
}

// Followers' sessions are worth more, then those with more partitions.
static int worth_compare(bool privileged_a, size_t size_a, bool privileged_b, size_t size_b)
{
    if (privileged_a != privileged_b)
        return privileged_a ? 1 : -1;
    return size_a == size_b ? 0 : size_a > size_b ? 1 : -1;
}

static bool shard_try_evict(struct shard *shard, bool privileged, size_t size, int64_t now_ms)
{
    if (list_is_empty(&shard->used))
        return false;
    struct fetch_session *oldest = container_of(shard->used.next, struct fetch_session, _used);
    if (now_ms - oldest->_used_ms > FETCH_SESSION_EVICTION_MS) {
        shard_remove(shard, oldest);
        return true;
    }
    struct fetch_session *least = NULL;
    list_for_each(at, &shard->used)
    {
        struct fetch_session *s = container_of(at, struct fetch_session, _used);
        if (!(privileged ? s->_evictable_by_followers : s->_evictable_by_all))
            continue;
        int order = least == NULL ? -1
                                  : worth_compare(s->is_privileged, s->_size, least->is_privileged,
                                                  least->_size);
        if (order < 0 || (order == 0 && s->id < least->id))
            least = s;
    }
    // Ids are above 0, so a new session that is worth the same comes before, and may not evict.
    if (least == NULL || worth_compare(privileged, size, least->is_privileged, least->_size) <= 0)
        return false;
    shard_remove(shard, least);
    return true;
}

static int32_t shard_new_id(struct fetch_sessions *sessions, struct shard *shard)
{
    int32_t number = (int32_t)(shard - sessions->shards);
    for (;;) {
        struct uuid random = uuid_random();
        int32_t id =
            number * SESSION_ID_RANGE + (int32_t)(get_be32(random.bytes) % SESSION_ID_RANGE);
        if (id != 0 && hashmap_find(&shard->sessions, &id, sizeof id) == NULL)
            return id;
    }
}

size_t fetch_sessions_count(struct fetch_sessions *sessions)
{
    size_t count = 0;
    for (int i = 0; i < FETCH_SESSION_SHARDS; i++) {
        pthread_mutex_lock(&sessions->shards[i].lock);
        count += sessions->shards[i].sessions.count;
        pthread_mutex_unlock(&sessions->shards[i].lock);
    }
    return count;
}

int64_t fetch_sessions_partitions_count(struct fetch_sessions *sessions)
{
    int64_t count = 0;
    for (int i = 0; i < FETCH_SESSION_SHARDS; i++) {
        pthread_mutex_lock(&sessions->shards[i].lock);
        count += sessions->shards[i].partitions_count;
        pthread_mutex_unlock(&sessions->shards[i].lock);
    }
    return count;
}

// ---- entries ------------------------------------------------------------------------------------------------

// Writes the key of a partition into `scratch`, which the caller has made large enough; returns its size.
static uint32_t key_make(uint8_t *scratch, bool by_id, struct str topic, const struct uuid *id,
                         int32_t index)
{
    uint32_t size = by_id ? (uint32_t)sizeof *id : (uint32_t)topic.size;
    if (size > 0)
        memcpy(scratch, by_id ? (const void *)id->bytes : topic.data, size);
    put_be32(scratch + size, (uint32_t)index);
    return size + (uint32_t)sizeof index;
}

static size_t key_room(struct str topic)
{
    return (topic.size > sizeof(struct uuid) ? topic.size : sizeof(struct uuid)) + sizeof(int32_t);
}

static struct fetch_session_entry *session_add(struct fetch_session *session, const uint8_t *key,
                                               uint32_t key_size, int32_t index)
{
    struct fetch_session_entry *entry = mem_zalloc(sizeof *entry + key_size);
    memcpy(entry->key, key, key_size);
    entry->key_size = key_size;
    entry->index = index;
    entry->high_watermark = entry->log_start_offset = -1;
    list_init(&entry->_order);
    list_append(&session->_order, &entry->_order);
    hashmap_put(&session->_entries, entry->key, key_size, entry);
    return entry;
}

static void fetch_from_request(struct partition_fetch *fetch,
                               const struct fetch_request_fetch_partition *from)
{
    *fetch = (struct partition_fetch){
        .fetch_offset = from->fetch_offset,
        .log_start_offset = from->log_start_offset,
        .current_leader_epoch = from->current_leader_epoch,
        .last_fetched_epoch = from->last_fetched_epoch,
        .max_bytes = from->partition_max_bytes,
    };
}

static void session_update(struct fetch_session *session, const struct fetch_request *request,
                           struct arena *arena)
{
    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct fetch_request_fetch_topic *topic = &request->topics[t];
        uint8_t *key = arena_alloc(arena, key_room(topic->topic));
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            const struct fetch_request_fetch_partition *partition = &topic->partitions[p];
            uint32_t size = key_make(key, session->uses_topic_ids, topic->topic, &topic->topic_id,
                                     partition->partition);
            struct fetch_session_entry *entry = hashmap_find(&session->_entries, key, size);
            if (entry == NULL)
                entry = session_add(session, key, size, partition->partition);
            fetch_from_request(&entry->fetch, partition);
        }
    }
    for (int32_t t = 0; t < request->forgotten_topics_data_count; t++) {
        const struct fetch_request_forgotten_topic *topic = &request->forgotten_topics_data[t];
        uint8_t *key = arena_alloc(arena, key_room(topic->topic));
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            uint32_t size = key_make(key, session->uses_topic_ids, topic->topic, &topic->topic_id,
                                     topic->partitions[p]);
            struct fetch_session_entry *entry = hashmap_remove(&session->_entries, key, size);
            if (entry == NULL)
                continue;
            list_remove(&entry->_order);
            partition_unref(entry->partition);
            mem_free(entry);
        }
    }
}

// ---- what is asked ------------------------------------------------------------------------------------------

static void items_from_session(struct fetch_context *context, struct fetch_session *session,
                               struct arena *arena)
{
    context->items_count = (int32_t)session->_entries.count;
    context->items = arena_array(arena, struct fetch_item, context->items_count);
    struct fetch_item *item = context->items;
    // Entries may be forgotten while the fetch is parked: names are copied, once for neighbours of one topic.
    struct str name = STR_NULL;
    list_for_each(at, &session->_order)
    {
        struct fetch_session_entry *entry = container_of(at, struct fetch_session_entry, _order);
        size_t size = entry->key_size - sizeof(int32_t);
        if (session->uses_topic_ids) {
            memcpy(item->name.topic_id.bytes, entry->key, sizeof item->name.topic_id.bytes);
        } else {
            struct str own = { (const char *)entry->key, size };
            if (!str_eq(name, own))
                name = arena_str(arena, own);
            item->name.topic = name;
        }
        item->name.index = entry->index;
        item->fetch = entry->fetch;
        item->entry = entry;
        if (entry->partition != NULL)
            item->partition = partition_ref(entry->partition);
        item++;
    }
}

static void items_from_request(struct fetch_context *context, const struct fetch_request *request,
                               struct arena *arena)
{
    size_t most = 0;
    for (int32_t t = 0; t < request->topics_count; t++)
        most += request->topics[t].partitions_count > 0
                    ? (size_t)request->topics[t].partitions_count
                    : 0;
    context->items = arena_array(arena, struct fetch_item, most);
    // One that is named twice is read once, as it was asked last.
    struct partition_set named;
    partition_set_init(&named, arena, most);
    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct fetch_request_fetch_topic *topic = &request->topics[t];
        struct partition_name name = { context->uses_topic_ids ? STR_NULL : topic->topic,
                                       context->uses_topic_ids ? topic->topic_id : UUID_ZERO, 0 };
        uint64_t hash = partition_set_hash(&named, name.topic, name.topic_id);
        for (int32_t p = 0; p < topic->partitions_count; p++) {
            struct fetch_item *item = &context->items[context->items_count];
            name.index = topic->partitions[p].partition;
            item->name = name;
            const struct partition_name *same = partition_set_add(&named, &item->name, hash);
            if (same == NULL)
                context->items_count++;
            else
                item =
                    container_of((struct partition_name *)(uintptr_t)same, struct fetch_item, name);
            fetch_from_request(&item->fetch, &topic->partitions[p]);
        }
    }
}

static void context_refuse(struct fetch_context *context, enum kafka_error error)
{
    context->kind = FETCH_CONTEXT_REFUSED;
    context->error = error;
}

static void context_open_full(struct fetch_context *context, struct fetch_sessions *sessions,
                              const struct fetch_request *request, struct arena *arena)
{
    if (request->session_id != 0) {
        struct shard *shard = shard_of(sessions, request->session_id);
        if (shard == NULL) {
            context_refuse(context, KERR_UNKNOWN_SERVER_ERROR);
            return;
        }
        pthread_mutex_lock(&shard->lock);
        struct fetch_session *old =
            hashmap_find(&shard->sessions, &request->session_id, sizeof request->session_id);
        if (old != NULL)
            shard_remove(shard, old);
        pthread_mutex_unlock(&shard->lock);
    }
    context->kind = request->session_epoch == SESSION_EPOCH_FINAL ? FETCH_CONTEXT_SESSIONLESS
                                                                  : FETCH_CONTEXT_FULL;
    items_from_request(context, request, arena);
}

void fetch_context_open(struct fetch_context *context, struct fetch_sessions *sessions,
                        const struct fetch_request *request, int16_t version, bool is_from_follower,
                        struct arena *arena)
{
    *context = (struct fetch_context){ .uses_topic_ids = version >= 13,
                                       .is_from_follower = is_from_follower };
    if (request->session_epoch == SESSION_EPOCH_INITIAL ||
        request->session_epoch == SESSION_EPOCH_FINAL) {
        context_open_full(context, sessions, request, arena);
        return;
    }
    struct shard *shard = shard_of(sessions, request->session_id);
    if (shard == NULL) { // Kafka's exception
        context_refuse(context, KERR_UNKNOWN_SERVER_ERROR);
        return;
    }
    pthread_mutex_lock(&shard->lock);
    struct fetch_session *session =
        hashmap_find(&shard->sessions, &request->session_id, sizeof request->session_id);
    if (session == NULL) {
        context_refuse(context, KERR_FETCH_SESSION_ID_NOT_FOUND);
        pthread_mutex_unlock(&shard->lock);
        return;
    }
    must_be(session, SESSION_MAGIC);
    pthread_mutex_lock(&session->_lock);
    bool is_emptied = false;
    if (session->epoch != request->session_epoch) {
        context_refuse(context, KERR_INVALID_FETCH_SESSION_EPOCH);
    } else if (session->uses_topic_ids != context->uses_topic_ids) {
        context_refuse(context, KERR_FETCH_SESSION_TOPIC_ID_ERROR);
    } else {
        session_update(session, request, arena);
        is_emptied = session->_entries.count == 0;
        if (!is_emptied) {
            shard_touch(shard, session, clock_wall_ms(sessions->clock));
            session->epoch = epoch_next(session->epoch);
            atomic_fetch_add(&session->_refs, 1);
            context->kind = FETCH_CONTEXT_INCREMENTAL;
            context->session = session;
            context->epoch = session->epoch;
            items_from_session(context, session, arena);
        }
    }
    pthread_mutex_unlock(&session->_lock);
    if (is_emptied) {
        shard_remove(shard, session);
        context->kind = FETCH_CONTEXT_SESSIONLESS;
        items_from_request(context, request, arena);
    }
    pthread_mutex_unlock(&shard->lock);
}

// ---- what is told -------------------------------------------------------------------------------------------

static void entry_remember_partition(struct fetch_session_entry *entry,
                                     const struct fetch_item *item)
{
    if (entry->partition == item->partition || item->partition == NULL)
        return;
    partition_unref(entry->partition);
    entry->partition = partition_ref(item->partition);
}

static int32_t session_make(struct fetch_sessions *sessions, const struct fetch_context *context,
                            struct arena *arena)
{
    struct shard *shard =
        &sessions->shards[atomic_fetch_add(&sessions->next_shard, 1) % FETCH_SESSION_SHARDS];
    int64_t now_ms = clock_wall_ms(sessions->clock);
    int32_t id = 0;
    pthread_mutex_lock(&shard->lock);
    if (shard->sessions.count < shard->slots ||
        shard_try_evict(shard, context->is_from_follower, (size_t)context->items_count, now_ms)) {
        struct fetch_session *session = mem_new(struct fetch_session);
        session->magic = SESSION_MAGIC;
        atomic_init(&session->_refs, 1);
        pthread_mutex_init(&session->_lock, NULL);
        hashmap_init(&session->_entries);
        list_init(&session->_order);
        list_init(&session->_used);
        session->id = id = shard_new_id(sessions, shard);
        session->epoch = epoch_next(SESSION_EPOCH_INITIAL);
        session->uses_topic_ids = context->uses_topic_ids;
        session->is_privileged = context->is_from_follower;
        session->_created_ms = now_ms;
        for (int32_t i = 0; i < context->items_count; i++) {
            const struct fetch_item *item = &context->items[i];
            uint8_t small[512], *key = small;
            if (key_room(item->name.topic) > sizeof small)
                key = arena_alloc(arena, key_room(item->name.topic));
            uint32_t size = key_make(key, session->uses_topic_ids, item->name.topic,
                                     &item->name.topic_id, item->name.index);
            struct fetch_session_entry *entry = session_add(session, key, size, item->name.index);
            entry->fetch = item->fetch;
            entry->high_watermark = item->result.high_watermark;
            entry->log_start_offset = item->result.log_start_offset;
            entry_remember_partition(entry, item);
        }
        hashmap_put(&shard->sessions, &session->id, sizeof session->id, session);
        shard_touch(shard, session, now_ms);
    }
    pthread_mutex_unlock(&shard->lock);
    return id;
}

// Whether the client must hear of this partition; notes what it hears. As KIP-227: records, an error, a diverging
// epoch, or another high watermark or log start offset than the last time.
static bool entry_tell(struct fetch_session_entry *entry, const struct partition_read *result)
{
    bool is_news =
        result->slice.size > 0 || result->error != KERR_NONE || result->diverging_epoch >= 0;
    if (entry->high_watermark != result->high_watermark ||
        entry->log_start_offset != result->log_start_offset)
        is_news = true;
    entry->high_watermark = result->error != KERR_NONE ? -1 : result->high_watermark;
    entry->log_start_offset = result->log_start_offset;
    return is_news;
}

void fetch_context_close(struct fetch_context *context, struct fetch_sessions *sessions,
                         struct arena *arena, int32_t *session_id, enum kafka_error *error,
                         bool **must_reply)
{
    *session_id = 0;
    *error = context->error;
    *must_reply = arena_alloc(arena, (size_t)context->items_count + 1);
    memset(*must_reply, context->kind != FETCH_CONTEXT_INCREMENTAL,
           (size_t)context->items_count + 1);
    if (context->kind == FETCH_CONTEXT_FULL)
        *session_id = session_make(sessions, context, arena);
    if (context->kind != FETCH_CONTEXT_INCREMENTAL)
        return;

    struct fetch_session *session = context->session;
    pthread_mutex_lock(&session->_lock);
    *session_id = session->id;
    if (session->epoch != context->epoch) {
        *error = KERR_INVALID_FETCH_SESSION_EPOCH;
    } else {
        for (int32_t i = 0; i < context->items_count; i++) {
            struct fetch_item *item = &context->items[i];
            struct fetch_session_entry *entry = item->entry;
            entry_remember_partition(entry, item);
            (*must_reply)[i] = entry_tell(entry, &item->result);
            if (item->result.slice.size > 0) {
                list_remove(&entry->_order);
                list_append(&session->_order, &entry->_order);
            }
        }
    }
    pthread_mutex_unlock(&session->_lock);
}

void fetch_context_release(struct fetch_context *context)
{
    if (context->session != NULL)
        session_unref(context->session);
    context->session = NULL;
    for (int32_t i = 0; i < context->items_count; i++) {
        partition_unref(context->items[i].partition);
        context->items[i].partition = NULL;
    }
}
