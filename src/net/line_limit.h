// SPDX-License-Identifier: Apache-2.0
// Keeps a misbehaving client from filling the log: at most LINE_LIMIT_A_SECOND lines of one kind a second, and the
// number of those left out is told with the next one. Thread-safe.
#ifndef NET_LINE_LIMIT_H
#define NET_LINE_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LINE_LIMIT_A_SECOND = 10 };

struct line_limit {
    atomic_llong _second;
    atomic_int _printed;
    atomic_int _left_out;
};

// Whether to print now; *left_out then is how many were not since the last one.
static inline bool line_limit_pass(struct line_limit *limit, int64_t now_us, int *left_out)
{
    int64_t second = now_us / 1000000;
    if (atomic_exchange(&limit->_second, second) != second)
        atomic_store(&limit->_printed, 0);
    if (atomic_fetch_add(&limit->_printed, 1) >= LINE_LIMIT_A_SECOND) {
        atomic_fetch_add(&limit->_left_out, 1);
        return false;
    }
    *left_out = atomic_exchange(&limit->_left_out, 0);
    return true;
}

#endif
