// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner_throttle.h"

// A rate of next to nothing waits until it is changed.
#define FOREVER_US (INT64_MAX / 2)

void cleaner_throttle_init(struct cleaner_throttle *throttle, int64_t now_us)
{
    *throttle = (struct cleaner_throttle){ .period_began_us = now_us };
}

int64_t cleaner_throttle_note(struct cleaner_throttle *throttle, double bytes_per_second,
                              int64_t bytes, int64_t now_us)
{
    int64_t elapsed_us = now_us - throttle->period_began_us;
    throttle->period_bytes += bytes;
    if (elapsed_us >= CLEANER_THROTTLE_CHECK_US) {
        double due_us =
            bytes_per_second > 0 ? (double)throttle->period_bytes / bytes_per_second * 1e6 : 1e18;
        if (due_us > (double)elapsed_us)
            throttle->throttled_until_us =
                due_us < 1e15 ? throttle->period_began_us + (int64_t)due_us : FOREVER_US;
        throttle->period_bytes = 0;
        throttle->period_began_us =
            throttle->throttled_until_us > now_us ? throttle->throttled_until_us : now_us;
    }
    return throttle->throttled_until_us > now_us ? throttle->throttled_until_us : now_us;
}
