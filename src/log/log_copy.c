// SPDX-License-Identifier: Apache-2.0
// See log_copy.h. Tested by log_future_test.c.
#include "log/log_copy.h"

#include <errno.h>

#include "base/mem.h"

void log_copy_init(struct log_copy *copy, struct log *from, struct log *to)
{
    *copy = (struct log_copy){ .from = from, .to = to };
}

void log_copy_fini(struct log_copy *copy)
{
    mem_free(copy->_buffer);
    copy->_buffer = NULL;
}

int log_copy_align(struct log_copy *copy)
{
    for (;;) {
        int64_t end = log_end_offset(copy->to);
        int32_t epoch = log_latest_epoch(copy->to);
        int64_t keep;
        if (epoch < 0) {
            // Nothing is known of who wrote it: what was committed is the same everywhere.
            int64_t committed = log_high_watermark(copy->to), other = log_end_offset(copy->from);
            keep = end <= log_start_offset(copy->to) ? end : committed < other ? committed : other;
        } else {
            struct log_epoch_end theirs = log_epoch_end_offset(copy->from, epoch);
            struct log_epoch_end ours = log_epoch_end_offset(copy->to, theirs.leader_epoch);
            keep = theirs.leader_epoch == epoch ? theirs.end_offset
                   : theirs.leader_epoch < 0    ? log_start_offset(copy->to)
                   : ours.end_offset >= 0 && ours.end_offset < theirs.end_offset
                       ? ours.end_offset
                       : theirs.end_offset;
        }
        if (keep >= end)
            return 0;
        int error = log_truncate(copy->to, keep);
        if (error != 0)
            return error;
        if (log_latest_epoch(copy->to) == epoch || epoch < 0)
            return 0;
    }
}

static enum kafka_error follow_offsets(struct log_copy *copy)
{
    log_set_high_watermark(copy->to, log_high_watermark(copy->from));
    int64_t start = log_start_offset(copy->from);
    if (start <= log_start_offset(copy->to) || start > log_high_watermark(copy->to))
        return KERR_NONE;
    return log_set_start_offset(copy->to, start);
}

int64_t log_copy_some(struct log_copy *copy, int32_t max_bytes)
{
    enum { TRIES = 3 }; // its start may move on, or it may be cut, between two looks
    int64_t got = -ERANGE;
    copy->is_source_failed = false;
    for (int i = 0; i < TRIES && got == -ERANGE; i++) {
        int64_t start = log_start_offset(copy->from);
        int error = log_end_offset(copy->to) < start ? log_truncate_fully(copy->to, start)
                    : i > 0                          ? log_copy_align(copy)
                                                     : 0;
        if (error != 0)
            return error;
        got = log_read_batches(copy->from, log_end_offset(copy->to), max_bytes, INT64_MAX,
                               &copy->_buffer, &copy->_capacity);
    }
    if (got < 0) {
        copy->is_source_failed = true;
        return got;
    }
    if (got > 0 && log_append_follower(copy->to, (struct bytes){ copy->_buffer, (size_t)got },
                                       INT32_MAX, NULL) != KERR_NONE)
        return -EIO;
    return follow_offsets(copy) != KERR_NONE ? -EIO : got;
}
