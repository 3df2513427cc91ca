// SPDX-License-Identifier: Apache-2.0
// Committing and fetching offsets, under the shard's lock.
#ifndef GROUP_GROUP_COMMIT_H
#define GROUP_GROUP_COMMIT_H

#include "group/group_shard.h"

// Checks the request, writes one record for each partition that is in order, and fills the response. An
// error concerns all partitions: nothing was written and the response is empty. With a transaction the offsets count
// when it commits, and a member's generation is all that is asked of it.
enum kafka_error group_commit(struct group_shard *state,
                              const struct offset_commit_request *request, int16_t version,
                              const struct coordinator_transaction *transaction,
                              struct offset_commit_response *response, struct arena *arena);
// Each partition of the request, with this error.
void group_commit_refuse(const struct offset_commit_request *request, enum kafka_error error,
                         struct offset_commit_response *response, struct arena *arena);

// Fills topics: those asked for, or all that the group has. require_stable: partitions that an open
// transaction writes get UNSTABLE_OFFSET_COMMIT (KIP-447).
void group_fetch(const struct group_shard *state, const struct offset_fetch_request_group *request,
                 bool require_stable, struct offset_fetch_response_group *response,
                 struct arena *arena);

#endif
