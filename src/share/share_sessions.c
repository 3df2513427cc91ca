// SPDX-License-Identifier: Apache-2.0
// Sessions by group and member, under one lock held for one pass over a session.
#include "share/share_sessions.h"

#include <pthread.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/mem.h"

struct share_session {
    int32_t epoch; // that its next request must have
    uint64_t connection_id;
    struct share_session_partition *partitions;
    size_t count;
    size_t capacity;
    struct str group; // in key
    struct str member;
    size_t key_size;
    char key[]; // group, NUL, member: neither id holds a NUL that would matter
};

// The session that a connection began last.
struct share_connection {
    uint64_t id;
    bool is_stale; // that session ended
    char *group;
    char *member;
};

struct share_group_count {
    char *group;
    int32_t sessions;
};

struct share_sessions {
    pthread_mutex_t lock;
    int32_t most;
    struct hashmap sessions;
    struct hashmap connections;
    struct hashmap groups;
};

struct share_sessions *share_sessions_new(int32_t most)
{
    struct share_sessions *sessions = mem_new(struct share_sessions);
    pthread_mutex_init(&sessions->lock, NULL);
    sessions->most = most;
    hashmap_init(&sessions->sessions);
    hashmap_init(&sessions->connections);
    hashmap_init(&sessions->groups);
    return sessions;
}

static void session_free(struct share_session *session)
{
    mem_free(session->partitions);
    mem_free(session);
}

static void connection_free(struct share_connection *connection)
{
    mem_free(connection->group);
    mem_free(connection->member);
    mem_free(connection);
}

static void group_free(struct share_group_count *group)
{
    mem_free(group->group);
    mem_free(group);
}

void share_sessions_free(struct share_sessions *sessions)
{
    if (sessions == NULL)
        return;
    struct share_session *session;
    struct share_connection *connection;
    struct share_group_count *group;
    for (size_t i = 0; (session = hashmap_next(&sessions->sessions, &i)) != NULL;)
        session_free(session);
    for (size_t i = 0; (connection = hashmap_next(&sessions->connections, &i)) != NULL;)
        connection_free(connection);
    for (size_t i = 0; (group = hashmap_next(&sessions->groups, &i)) != NULL;)
        group_free(group);
    hashmap_fini(&sessions->sessions);
    hashmap_fini(&sessions->connections);
    hashmap_fini(&sessions->groups);
    pthread_mutex_destroy(&sessions->lock);
    mem_free(sessions);
}

// ---- the maps, under the lock ----------------------------------------------------------------------

static struct share_session *session_new(struct str group, struct str member)
{
    struct share_session *session = mem_zalloc(sizeof *session + group.size + 1 + member.size);
    memcpy(session->key, group.data, group.size);
    memcpy(session->key + group.size + 1, member.data, member.size);
    session->key_size = group.size + 1 + member.size;
    session->group = (struct str){ session->key, group.size };
    session->member = (struct str){ session->key + group.size + 1, member.size };
    return session;
}

static struct share_session *find(const struct share_sessions *sessions, struct str group,
                                  struct str member)
{
    struct share_session *key = session_new(group, member);
    struct share_session *found = hashmap_find(&sessions->sessions, key->key, key->key_size);
    session_free(key);
    return found;
}

static struct share_group_count *count_of(struct share_sessions *sessions, struct str group)
{
    struct share_group_count *count = hashmap_find(&sessions->groups, group.data, group.size);
    if (count == NULL) {
        count = mem_new(struct share_group_count);
        count->group = str_dup(group);
        hashmap_put(&sessions->groups, count->group, group.size, count);
    }
    return count;
}

static void bind(struct share_sessions *sessions, const struct share_session *session)
{
    uint64_t id = session->connection_id;
    struct share_connection *connection = mem_new(struct share_connection);
    *connection = (struct share_connection){ .id = id,
                                             .group = str_dup(session->group),
                                             .member = str_dup(session->member) };
    struct share_connection *former =
        hashmap_put(&sessions->connections, &connection->id, sizeof connection->id, connection);
    if (former != NULL)
        connection_free(former);
}

static void take_out(struct share_sessions *sessions, struct share_session *session)
{
    struct share_connection *connection = hashmap_find(
        &sessions->connections, &session->connection_id, sizeof session->connection_id);
    if (connection != NULL)
        connection->is_stale = true;
    count_of(sessions, session->group)->sessions--;
    hashmap_remove(&sessions->sessions, session->key, session->key_size);
}

// ---- a session's partitions ------------------------------------------------------------------------

static size_t place_of(const struct share_session *session, struct uuid topic_id, int32_t index)
{
    size_t at = 0;
    while (at < session->count && (session->partitions[at].index != index ||
                                   !uuid_eq(session->partitions[at].topic_id, topic_id)))
        at++;
    return at;
}

static void remove_at(struct share_session *session, size_t at)
{
    session->count--;
    memmove(&session->partitions[at], &session->partitions[at + 1],
            (session->count - at) * sizeof *session->partitions);
}

static void append(struct share_session *session, struct share_session_partition partition)
{
    vec_reserve(session->partitions, session->count + 1, session->capacity);
    session->partitions[session->count++] = partition;
}

static void add(struct share_session *session, const struct share_session_partition *partition,
                bool must_be_told)
{
    struct share_session_partition added = *partition;
    added.must_be_told = must_be_told;
    if (place_of(session, added.topic_id, added.index) == session->count)
        append(session, added);
}

// ---- requests --------------------------------------------------------------------------------------

static int32_t next_epoch(int32_t epoch)
{
    return epoch == INT32_MAX ? 1 : epoch + 1;
}

static enum kafka_error begin(struct share_sessions *sessions,
                              const struct share_session_request *request,
                              struct share_session **out)
{
    struct share_session *former = find(sessions, request->group, request->member);
    if (request->has_acknowledgements)
        return KERR_INVALID_REQUEST;
    if (former != NULL) {
        take_out(sessions, former);
        session_free(former);
    }
    if ((int32_t)sessions->sessions.count >= sessions->most)
        return KERR_SHARE_SESSION_LIMIT_REACHED;
    struct share_session *session = session_new(request->group, request->member);
    session->epoch = 1;
    session->connection_id = request->connection_id;
    for (size_t i = 0; i < request->partitions_count; i++)
        add(session, &request->partitions[i], false);
    hashmap_put(&sessions->sessions, session->key, session->key_size, session);
    count_of(sessions, session->group)->sessions++;
    bind(sessions, session);
    *out = session;
    return KERR_NONE;
}

static enum kafka_error go_on(struct share_sessions *sessions,
                              const struct share_session_request *request,
                              struct share_session **out)
{
    struct share_session *session = find(sessions, request->group, request->member);
    if (session == NULL)
        return KERR_SHARE_SESSION_NOT_FOUND;
    if (request->epoch == SHARE_SESSION_FINAL_EPOCH)
        return KERR_NONE; // nothing is read
    if (session->epoch != request->epoch)
        return KERR_INVALID_SHARE_SESSION_EPOCH;
    for (size_t i = 0; i < request->partitions_count; i++)
        add(session, &request->partitions[i], true);
    for (size_t i = 0; i < request->forgotten_count; i++) {
        size_t at = place_of(session, request->forgotten[i].topic_id, request->forgotten[i].index);
        if (at < session->count)
            remove_at(session, at);
    }
    session->epoch = next_epoch(session->epoch);
    *out = session;
    return KERR_NONE;
}

enum kafka_error share_sessions_fetch(struct share_sessions *sessions,
                                      const struct share_session_request *request,
                                      struct arena *arena, struct share_session_partition **out,
                                      size_t *count)
{
    struct share_session *session = NULL;
    *out = NULL;
    *count = 0;
    pthread_mutex_lock(&sessions->lock);
    enum kafka_error error = request->epoch == SHARE_SESSION_FIRST_EPOCH
                                 ? begin(sessions, request, &session)
                                 : go_on(sessions, request, &session);
    if (session != NULL) {
        *count = session->count;
        *out = arena_dup(arena, session->partitions, session->count * sizeof **out);
    }
    pthread_mutex_unlock(&sessions->lock);
    return error;
}

enum kafka_error share_sessions_acknowledge(struct share_sessions *sessions, struct str group,
                                            struct str member, int32_t epoch)
{
    if (epoch == SHARE_SESSION_FIRST_EPOCH)
        return KERR_INVALID_SHARE_SESSION_EPOCH;
    pthread_mutex_lock(&sessions->lock);
    struct share_session *session = find(sessions, group, member);
    enum kafka_error error = session == NULL ? KERR_SHARE_SESSION_NOT_FOUND : KERR_NONE;
    if (session != NULL && epoch != SHARE_SESSION_FINAL_EPOCH) {
        if (session->epoch == epoch)
            session->epoch = next_epoch(epoch);
        else
            error = KERR_INVALID_SHARE_SESSION_EPOCH;
    }
    pthread_mutex_unlock(&sessions->lock);
    return error;
}

static bool answer_one(struct share_session *session, const struct share_session_answer *answer)
{
    size_t at = place_of(session, answer->topic_id, answer->index);
    if (at == session->count)
        return answer->has_records || answer->has_error;
    struct share_session_partition partition = session->partitions[at];
    bool is_told = answer->has_records || answer->has_error || partition.must_be_told;
    session->partitions[at].must_be_told = answer->has_error;
    if (answer->has_records) { // behind the others, so that none starves
        partition = session->partitions[at];
        remove_at(session, at);
        append(session, partition);
    }
    return is_told;
}

enum kafka_error share_sessions_answer(struct share_sessions *sessions, struct str group,
                                       struct str member, int32_t epoch,
                                       struct share_session_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        answers[i].is_told = true;
    if (epoch == SHARE_SESSION_FIRST_EPOCH || epoch == SHARE_SESSION_FINAL_EPOCH)
        return KERR_NONE;
    pthread_mutex_lock(&sessions->lock);
    struct share_session *session = find(sessions, group, member);
    bool is_current = session != NULL && session->epoch == next_epoch(epoch);
    for (size_t i = 0; is_current && i < count; i++)
        answers[i].is_told = answer_one(session, &answers[i]);
    pthread_mutex_unlock(&sessions->lock);
    return is_current ? KERR_NONE : KERR_INVALID_SHARE_SESSION_EPOCH;
}

// ---- endings ---------------------------------------------------------------------------------------

static bool end(struct share_sessions *sessions, struct str group, struct str member,
                struct arena *arena, struct share_session_end *out)
{
    struct share_session *session = find(sessions, group, member);
    *out = (struct share_session_end){ arena_str(arena, group), arena_str(arena, member), NULL, 0 };
    if (session == NULL)
        return false;
    out->partitions_count = session->count;
    out->partitions =
        arena_dup(arena, session->partitions, session->count * sizeof *session->partitions);
    take_out(sessions, session);
    session_free(session);
    return true;
}

bool share_sessions_end(struct share_sessions *sessions, struct str group, struct str member,
                        struct arena *arena, struct share_session_end *out)
{
    pthread_mutex_lock(&sessions->lock);
    bool has_ended = end(sessions, group, member, arena, out);
    pthread_mutex_unlock(&sessions->lock);
    return has_ended;
}

void share_sessions_end_all(struct share_sessions *sessions)
{
    struct share_session *session;
    pthread_mutex_lock(&sessions->lock);
    for (size_t at = 0; (session = hashmap_next(&sessions->sessions, &at)) != NULL; at = 0) {
        take_out(sessions, session);
        session_free(session);
    }
    pthread_mutex_unlock(&sessions->lock);
}

bool share_sessions_disconnect(struct share_sessions *sessions, uint64_t connection_id,
                               struct arena *arena, struct share_session_end *out, bool *has_ended,
                               bool *is_empty)
{
    pthread_mutex_lock(&sessions->lock);
    struct share_connection *connection =
        hashmap_remove(&sessions->connections, &connection_id, sizeof connection_id);
    *has_ended = *is_empty = false;
    if (connection != NULL) {
        struct str group = str_of(connection->group);
        out->group = arena_str(arena, group);
        if (!connection->is_stale)
            *has_ended = end(sessions, group, str_of(connection->member), arena, out);
        struct share_group_count *count = count_of(sessions, group);
        if (count->sessions == 0) {
            *is_empty = true;
            hashmap_remove(&sessions->groups, count->group, group.size);
            group_free(count);
        }
        connection_free(connection);
    }
    pthread_mutex_unlock(&sessions->lock);
    return connection != NULL;
}
