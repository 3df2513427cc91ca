// SPDX-License-Identifier: Apache-2.0
// Fetch sessions (KIP-227): a consumer with many partitions names each once; afterwards it sends only what changed
// and is told only what changed. A session is its ordered set of partitions and an epoch, which both sides count.
//
//     client                                  broker
//     id 0, epoch 0, all its partitions  ──>  FULL: answers all, makes a session S of them, replies its id
//     id S, epoch 1, changed and forgotten ─> INCREMENTAL: reads all of S, replies those with news
//     id S, epoch 2, …
//     id S, epoch -1, partitions         ──>  SESSIONLESS: S is closed; as a request of a client without sessions
//
// (1) At most `max.incremental.fetch.session.cache.slots` sessions live, an eighth of them in each of eight shards; a
//     session id says its shard. A new one may evict: the longest unused one after two minutes of silence, else the
//     smallest of those older than two minutes, if it is no larger than the new one; followers' are preferred. If
//     none may go, the reply carries session id 0.
// (2) The epoch orders the requests of a session: a request whose epoch is not the session's is answered with
//     INVALID_FETCH_SESSION_EPOCH, and so is one that was overtaken while it was parked. As only requests change a
//     session, its entries cannot have changed while the epoch is the one that the request made.
// (3) Partitions stand in the order in which they came; one that sent records moves behind all others, so that none
//     starves when max_bytes does not reach to the last (fetch_context_close).
// (4) An entry caches the partition that it names: a fetch of a session looks nothing up.
//
// Locks: shard → session, both held for the time of one pass over the entries.
#ifndef API_FETCH_SESSIONS_H
#define API_FETCH_SESSIONS_H

#include "api/partition_set.h"
#include "base/arena.h"
#include "base/clock.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/fetch.h"
#include "replica/partition.h"

enum { FETCH_SESSION_SHARDS = 8, FETCH_SESSION_EVICTION_MS = 120000 };

struct fetch_session;
struct fetch_session_entry;
struct fetch_sessions;

// One partition of a fetch: what is asked, and what came out of the read.
struct fetch_item {
    struct partition_name name; // by topic name before version 13, by id since
    struct partition_fetch fetch;
    struct partition *partition;       // a counted reference; NULL: not found (yet)
    struct fetch_session_entry *entry; // of an INCREMENTAL fetch
    struct partition_read result;
};

enum fetch_context_kind {
    FETCH_CONTEXT_REFUSED, // reply `error` and nothing else; UNKNOWN_SERVER_ERROR: as for any exception
    FETCH_CONTEXT_SESSIONLESS,
    FETCH_CONTEXT_FULL,
    FETCH_CONTEXT_INCREMENTAL,
};

struct fetch_context {
    enum fetch_context_kind kind;
    enum kafka_error error;
    struct fetch_session *session; // INCREMENTAL: a counted reference
    int32_t epoch;                 // INCREMENTAL: that the session has got by this request
    bool uses_topic_ids;
    bool is_from_follower;
    struct fetch_item *items; // in the order in which they are read
    int32_t items_count;
};

struct fetch_sessions *fetch_sessions_new(struct clock *clock, int32_t slots);
void fetch_sessions_free(struct fetch_sessions *sessions);

// Finds out what a request asks for, updating its session. Items are in the arena; those of a session bring the
// partition that was found the last time.
void fetch_context_open(struct fetch_context *context, struct fetch_sessions *sessions,
                        const struct fetch_request *request, int16_t version, bool is_from_follower,
                        struct arena *arena);

// The reply is about to be made. Fills session id and error; `must_reply` (one per item, in the arena) tells which
// items go into it. Makes the session of a FULL fetch, with what the client is now told.
void fetch_context_close(struct fetch_context *context, struct fetch_sessions *sessions,
                         struct arena *arena, int32_t *session_id, enum kafka_error *error,
                         bool **must_reply);

// Lets go of the session and of the partitions.
void fetch_context_release(struct fetch_context *context);

// How many live, and with how many partitions in all; for tests and metrics.
size_t fetch_sessions_count(struct fetch_sessions *sessions);
int64_t fetch_sessions_partitions_count(struct fetch_sessions *sessions);

#endif
