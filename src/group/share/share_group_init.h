// SPDX-License-Identifier: Apache-2.0
// The state of a share group's partitions is begun, or forgotten, by the persister; the group's record says how far
// that has come:
//
//     to be begun ──> record: initializing ──committed──> persister: INITIALIZE each
//                         ^                                    │ all done         │ some failed
//                         └── tried again with a later         v                  v
//                             heartbeat, after a while    record: initialized  record: not initializing
//
// One struct share_init is one such round, on the heap; it owns itself once started.
#ifndef GROUP_SHARE_SHARE_GROUP_INIT_H
#define GROUP_SHARE_SHARE_GROUP_INIT_H

#include <stdatomic.h>

#include "group/group_shard.h"
#include "group/share/share_group.h"
#include "share_coordinator/persister.h"

struct share_init_call {
    struct share_state_call call;
    struct share_init *init;
};

struct share_init {
    struct completion completion; // starts it, without any lock
    struct coordinator_shard *shard;
    struct persister *persister;
    char *group;
    enum share_state_op op;
    int32_t state_epoch;
    struct share_topics topics;    // and partitions
    int64_t *start_offsets;        // of each partition in turn; NULL: all unset
    struct share_init_call *calls; // in the same order
    int32_t count;
    atomic_int left;
    // When all are answered, with the shard entered (NULL: it is gone); may append. Then, when that is committed and
    // no lock is held, `after`. Either may be NULL; none frees it.
    void (*on_done)(struct share_init *init, struct group_shard *shard);
    void (*after)(struct share_init *init);
    void *user;
    struct coordinator_wait wait;
    struct arena arena;
};

struct share_init *share_init_new(struct group_shard *shard, struct str group,
                                  enum share_state_op op);
void share_init_free(struct share_init *init);
// Makes the calls; frees it in the end.
void share_init_start(struct share_init *init);
// The first error among the calls.
enum kafka_error share_init_error(const struct share_init *init);
// The first error among those of a topic.
enum kafka_error share_init_topic_error(const struct share_init *init, size_t topic);

// Topics of these names, with the partitions whose state is not begun, into init->topics; adds the record that says
// so. False: there are none.
bool share_init_begin(struct share_group *group, int32_t epoch, const struct str *names,
                      int32_t count, struct share_init *init);
// As on_done: the record that they are begun, or are not.
void share_init_finish(struct share_init *init, struct group_shard *shard);
// Adds the record that these are being begun.
void share_init_add_record(struct share_group *group, const struct share_topics *topics);

#endif
