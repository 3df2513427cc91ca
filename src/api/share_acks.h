// SPDX-License-Identifier: Apache-2.0
// The acknowledgements that a ShareFetch or a ShareAcknowledge carries: checked, given to their share partitions, and
// gathered again, one result for each partition.
#ifndef API_SHARE_ACKS_H
#define API_SHARE_ACKS_H

#include <stdatomic.h>

#include "api/request.h"
#include "share/share_manager.h"
#include "share/share_sessions.h"

struct share_acks;

struct share_ack {
    struct share_acks *acks;
    struct uuid topic_id;
    int32_t index;
    struct share_acknowledgement *batches;
    int32_t batches_count;
    bool is_answered; // the others are left out of the answer
    struct shared_partition *shared;
    struct share_result result; // complete when `done` is called
};

struct share_acks {
    struct request *request;
    struct share_ack *items;
    int32_t count;
    atomic_int _left;
    void (*done)(struct share_acks *acks); // once, on any thread, perhaps within share_acks_start
};

// For up to `most` partitions, in the request's arena.
void share_acks_init(struct share_acks *acks, struct request *request, int32_t most);
// A partition with its acknowledgements.
struct share_ack *share_acks_add(struct share_acks *acks, struct uuid topic_id, int32_t index,
                                 int32_t batches);
// Checks them all and acknowledges. `may_renew`: the version knows renewals; `is_renew`: the request says it does.
void share_acks_start(struct share_acks *acks, struct str group, struct str member, bool may_renew,
                      bool is_renew, void (*done)(struct share_acks *acks));

// What both requests ask first: NONE, or the error of the whole request.
enum kafka_error share_request_check(const struct request *request, struct str group,
                                     struct str member);
// Whether share.version allows share groups.
bool share_groups_are_enabled(const struct request *request);
// Whether the topic is known, and has that partition.
enum kafka_error share_partition_known(const struct request *request, struct uuid topic_id,
                                       int32_t index);
// A session has ended: what its member holds is given back.
void share_session_release(struct share_manager *shares, const struct share_session_end *end);
// The connection is gone, on its reactor.
void share_client_gone(struct node *node, uint64_t connection_id);

#endif
