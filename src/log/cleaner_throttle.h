// SPDX-License-Identifier: Apache-2.0
// log.cleaner.io.max.bytes.per.second, arithmetic only. As Kafka's Throttler: looks every 300 ms whether all cleaners
// together were too fast, and then has all of them wait as long as makes it right.
//
//     period began        now        throttled until; the next period begins here
//     ────┬────────────────┬──────────────────┬────
//         │ bytes, in less time than they may │
#ifndef LOG_CLEANER_THROTTLE_H
#define LOG_CLEANER_THROTTLE_H

#include <stdint.h>

enum { CLEANER_THROTTLE_CHECK_US = 300000 };

struct cleaner_throttle {
    int64_t period_began_us;
    int64_t period_bytes;
    int64_t throttled_until_us;
};

void cleaner_throttle_init(struct cleaner_throttle *throttle, int64_t now_us);
// Bytes were read or written. Until when whoever did it waits: `now_us` or later.
int64_t cleaner_throttle_note(struct cleaner_throttle *throttle, double bytes_per_second,
                              int64_t bytes, int64_t now_us);

#endif
