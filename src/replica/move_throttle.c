// SPDX-License-Identifier: Apache-2.0
// Tested by log_mover_test.c.
#include "replica/move_throttle.h"

void move_throttle_init(struct move_throttle *throttle, int32_t window_count, int64_t window_ms)
{
    *throttle = (struct move_throttle){ .limit = INT64_MAX,
                                        .window_ms = window_ms,
                                        .window_count = window_count < MOVE_THROTTLE_WINDOWS_MAX
                                                            ? window_count
                                                            : MOVE_THROTTLE_WINDOWS_MAX };
    for (int i = 0; i < MOVE_THROTTLE_WINDOWS_MAX; i++)
        throttle->windows[i] = -1;
}

void move_throttle_record(struct move_throttle *throttle, int64_t now_ms, int64_t bytes)
{
    int64_t window = now_ms / throttle->window_ms;
    int slot = (int)(window % throttle->window_count);
    if (throttle->windows[slot] != window) {
        throttle->windows[slot] = window;
        throttle->bytes[slot] = 0;
    }
    throttle->bytes[slot] += bytes;
}

int64_t move_throttle_delay_ms(const struct move_throttle *throttle, int64_t now_ms)
{
    if (throttle->limit == INT64_MAX)
        return 0;
    int64_t window = now_ms / throttle->window_ms, oldest = window, total = 0;
    for (int i = 0; i < throttle->window_count; i++) {
        int64_t counted = throttle->windows[i];
        if (counted < 0 || counted <= window - throttle->window_count)
            continue;
        total += throttle->bytes[i];
        oldest = counted < oldest ? counted : oldest;
    }
    int64_t begin_ms = oldest * throttle->window_ms;
    int64_t elapsed_ms = now_ms - begin_ms;
    elapsed_ms = elapsed_ms < throttle->window_ms ? throttle->window_ms : elapsed_ms;
    // total * 1000 / elapsed > limit, without overflow for any real log
    int64_t needed_ms = throttle->limit == 0 ? INT64_MAX : total / throttle->limit * 1000;
    if (throttle->limit > 0 && total % throttle->limit > 0)
        needed_ms += (total % throttle->limit) * 1000 / throttle->limit;
    if (total == 0 || needed_ms <= elapsed_ms)
        return 0;
    // At the latest when the oldest window counts no more.
    int64_t until_ms = (oldest + throttle->window_count) * throttle->window_ms;
    int64_t delay_ms = until_ms - now_ms;
    if (needed_ms - elapsed_ms < delay_ms)
        delay_ms = needed_ms - elapsed_ms;
    return delay_ms < 1 ? 1 : delay_ms;
}
