// SPDX-License-Identifier: Apache-2.0
// Share sessions (KIP-932): a member names the partitions that it fetches once; then it sends what changed and is told
// only of partitions with news. A session belongs to a member of a group and, since it cannot be resumed elsewhere, to
// the connection that began it.
//
//     epoch 0, partitions  ──> a new session, in place of the member's former one
//     epoch 1, 2, …        ──> partitions added and forgotten; acknowledgements count up as well
//     epoch -1             ──> acknowledgements, then the session ends and what the member holds is given back
//     connection closed    ──> as -1
//
// (1) At most group.share.max.share.sessions live; none is evicted for another.
// (2) The epoch orders the requests of a session: another than the session's is refused, and so is the answer of a
//     fetch that was overtaken.
// (3) When a connection closes and its group has no session left here, nobody needs the group's share partitions.
// Safe from any thread.
#ifndef SHARE_SHARE_SESSIONS_H
#define SHARE_SHARE_SESSIONS_H

#include "base/arena.h"
#include "base/uuid.h"
#include "protocol/kafka_error.h"

struct share_sessions;

enum { SHARE_SESSION_FIRST_EPOCH = 0, SHARE_SESSION_FINAL_EPOCH = -1 };

struct share_session_partition {
    struct uuid topic_id;
    int32_t index;
    bool is_known;     // its topic was, when it was added
    bool must_be_told; // even without records
};

struct share_session_request {
    struct str group;
    struct str member;
    int32_t epoch;
    uint64_t connection_id;
    bool has_acknowledgements;
    const struct share_session_partition *partitions; // must_be_told is not looked at
    size_t partitions_count;
    const struct share_session_partition *forgotten;
    size_t forgotten_count;
};

struct share_sessions *share_sessions_new(int32_t most);
void share_sessions_free(struct share_sessions *sessions);

// A fetch: what it is to read, in the arena, in the order of the session. SHARE_SESSION_NOT_FOUND,
// INVALID_SHARE_SESSION_EPOCH, SHARE_SESSION_LIMIT_REACHED, INVALID_REQUEST (acknowledgements in the first request).
enum kafka_error share_sessions_fetch(struct share_sessions *sessions,
                                      const struct share_session_request *request,
                                      struct arena *arena, struct share_session_partition **out,
                                      size_t *count);
// An acknowledgement.
enum kafka_error share_sessions_acknowledge(struct share_sessions *sessions, struct str group,
                                            struct str member, int32_t epoch);

// Of the answer to a fetch with this epoch, a partition: whether it is to be told.
struct share_session_answer {
    struct uuid topic_id;
    int32_t index;
    bool has_records;
    bool has_error;
    bool is_told; // out
};
// Which partitions are told. INVALID_SHARE_SESSION_EPOCH when another request has overtaken it.
enum kafka_error share_sessions_answer(struct share_sessions *sessions, struct str group,
                                       struct str member, int32_t epoch,
                                       struct share_session_answer *answers, size_t count);

// What ended with a session.
struct share_session_end {
    struct str group;
    struct str member;
    struct share_session_partition *partitions;
    size_t partitions_count;
};
// Ends the member's session. False if there is none. All in the arena.
bool share_sessions_end(struct share_sessions *sessions, struct str group, struct str member,
                        struct arena *arena, struct share_session_end *out);
// Share groups were switched off: all sessions end, and what their members hold is forgotten with the share partitions.
void share_sessions_end_all(struct share_sessions *sessions);
// A connection has closed. False: it had no session at all. `has_ended`: the one that it had is in `out`, whose group
// is set in any case. `is_empty`: the group has none left.
bool share_sessions_disconnect(struct share_sessions *sessions, uint64_t connection_id,
                               struct arena *arena, struct share_session_end *out, bool *has_ended,
                               bool *is_empty);

#endif
