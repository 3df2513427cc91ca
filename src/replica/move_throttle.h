// SPDX-License-Identifier: Apache-2.0
// How fast replicas may be copied between directories:
// replica.alter.log.dirs.io.max.bytes.per.second, measured as Kafka does, over the last
// alter.log.dirs.replication.quota.window.num windows of …window.size.seconds each.
//
//     rate = bytes in the windows still counted / (time since the oldest of them began, at least one window)
//
// What is copied is noted afterwards, so one piece always goes; then all wait until the rate has sunk to the limit.
// Under the mover's lock.
#ifndef REPLICA_MOVE_THROTTLE_H
#define REPLICA_MOVE_THROTTLE_H

#include <stdint.h>

enum { MOVE_THROTTLE_WINDOWS_MAX = 64 };

struct move_throttle {
    int64_t limit; // bytes a second; INT64_MAX: none
    int64_t window_ms;
    int32_t window_count;
    int64_t bytes[MOVE_THROTTLE_WINDOWS_MAX]; // of window n at n % window_count
    int64_t windows[MOVE_THROTTLE_WINDOWS_MAX];
};

void move_throttle_init(struct move_throttle *throttle, int32_t window_count, int64_t window_ms);
void move_throttle_record(struct move_throttle *throttle, int64_t now_ms, int64_t bytes);
// How long to wait before the next piece; 0: go.
int64_t move_throttle_delay_ms(const struct move_throttle *throttle, int64_t now_ms);

#endif
