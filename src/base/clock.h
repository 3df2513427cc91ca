// SPDX-License-Identifier: Apache-2.0
// The seam for time. The broker passes the machine's clock, the simulator its own.
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(struct clock *clock);      // since 1970, may jump
    int64_t (*monotonic_us)(struct clock *clock); // since some moment, never goes back
};

static inline int64_t clock_wall_ms(struct clock *clock)
{
    return clock->wall_ms(clock);
}

static inline int64_t clock_monotonic_us(struct clock *clock)
{
    return clock->monotonic_us(clock);
}

#endif
