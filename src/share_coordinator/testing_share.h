// SPDX-License-Identifier: Apache-2.0
// For tests: a share coordinator over an internal topic in memory, and calls that are answered at once.
#ifndef SHARE_COORDINATOR_TESTING_SHARE_H
#define SHARE_COORDINATOR_TESTING_SHARE_H

#include "base/must.h"
#include "base/testing.h"
#include "coordinator/testing_log.h"
#include "share_coordinator/share_coordinator.h"

struct share_fixture {
    struct testing_log log;
    struct share_coordinator_config config;
    struct share_coordinator *coordinator;
    struct arena arena;
    int32_t topic_partitions; // of every topic
    int64_t pruned_to;        // by the last prune
    int prunes;
};

static inline int32_t testing_topic_partitions(void *owner, struct uuid topic_id)
{
    return uuid_is_zero(topic_id) ? 0 : ((struct share_fixture *)owner)->topic_partitions;
}

static inline void testing_prune(void *owner, int32_t partition, int64_t before_offset)
{
    struct share_fixture *f = owner;
    (void)partition;
    f->pruned_to = before_offset;
    f->prunes++;
}

static inline void share_fixture_open(struct share_fixture *f)
{
    f->coordinator = share_coordinator_new(
        &(struct share_coordinator_options){ .config = f->config,
                                             .partition_count = TESTING_PARTITIONS,
                                             .log = &f->log.log,
                                             .clock = &f->log.clock,
                                             .alarms = &f->log.alarms,
                                             .trace = &f->log.trace,
                                             .topic_partitions = testing_topic_partitions,
                                             .prune = testing_prune,
                                             .owner = f });
    testing_elect(share_coordinator_engine(f->coordinator));
}

static inline void share_fixture_init(struct share_fixture *f,
                                      const struct share_coordinator_config *config)
{
    *f = (struct share_fixture){ .topic_partitions = 3, .pruned_to = -1 };
    testing_log_init(&f->log);
    f->config = config != NULL ? *config : share_coordinator_config_defaults;
    arena_init(&f->arena);
    share_fixture_open(f);
}

static inline void share_fixture_restart(struct share_fixture *f)
{
    share_coordinator_free(f->coordinator);
    share_fixture_open(f);
}

static inline void share_fixture_fini(struct share_fixture *f)
{
    share_coordinator_free(f->coordinator);
    testing_log_fini(&f->log);
    arena_fini(&f->arena);
}

static inline void testing_share_done(struct completion *completion)
{
    container_of(completion, struct share_state_call, completion)->completion.complete = NULL;
}

static inline struct uuid testing_topic(uint8_t number)
{
    struct uuid id = UUID_ZERO;
    id.bytes[0] = 0x40;
    id.bytes[15] = number;
    return id;
}

// Makes the call, which must be answered at once, and gives its error.
static inline enum kafka_error testing_share_call(struct share_fixture *f,
                                                  struct share_state_call *call)
{
    call->completion.complete = testing_share_done;
    call->arena = &f->arena;
    persister_call(share_coordinator_persister(f->coordinator), call);
    must(call->completion.complete == NULL);
    return call->error;
}

#endif
