// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/evaluation.h"

static uint64_t next_random(struct evaluation *evaluation)
{
    // splitmix64
    uint64_t z = *evaluation->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t evaluation_random(struct evaluation *evaluation, uint32_t bound)
{
    return (uint32_t)(next_random(evaluation) % bound);
}

struct uuid evaluation_uuid(struct evaluation *evaluation)
{
    uint64_t random[2] = { next_random(evaluation), next_random(evaluation) };
    uint8_t bytes[sizeof random];
    memcpy(bytes, random, sizeof bytes);
    return uuid_from_random(bytes);
}

bool broker_is_active(const struct metadata *metadata, int32_t id)
{
    const struct metadata_broker *broker = metadata_find_broker(metadata, id);
    return broker != NULL && !broker->fenced && !broker->in_controlled_shutdown;
}

struct uuid broker_default_dir(const struct metadata *metadata, int32_t id)
{
    const struct metadata_broker *broker = metadata_find_broker(metadata, id);
    struct uuid unassigned = UUID_ZERO;
    unassigned.bytes[15] = 1;
    if (broker == NULL)
        return unassigned;
    if (broker->log_dirs_count == 0)
        return UUID_ZERO; // MIGRATING: the broker tells no directories
    return broker->log_dirs_count == 1 ? broker->log_dirs[0] : unassigned;
}
