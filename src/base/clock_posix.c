// SPDX-License-Identifier: Apache-2.0
#include "base/clock_posix.h"

#include <time.h>

static int64_t posix_wall_ms(struct clock *clock)
{
    struct timespec t;
    (void)clock;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t posix_monotonic_us(struct clock *clock)
{
    struct timespec t;
    (void)clock;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct clock *clock_posix(void)
{
    static struct clock clock = { posix_wall_ms, posix_monotonic_us };
    return &clock;
}
