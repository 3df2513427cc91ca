// SPDX-License-Identifier: Apache-2.0
// Makes one log follow another in the same process, batch by batch, as they are:
// how a future log (log_future.h) is filled.
//
//     from   log start ──────────────────────── high watermark ── log end
//     to     log start ───────────── log end ─┤ log_copy_some
//
// The copy may have been left by an earlier run, while the original went on, was cut, or lost its beginning;
// log_copy_align finds by leader epochs (KIP-101) how much of it still is what the original holds, and cuts the rest.
// By one thread for one copy; the original may be appended to at the same time.
#ifndef LOG_LOG_COPY_H
#define LOG_LOG_COPY_H

#include "log/log.h"

struct log_copy {
    struct log *from; // borrowed
    struct log *to;
    bool is_source_failed; // after an error: `from` cannot be read; else `to` cannot be written
    uint8_t *_buffer;
    size_t _capacity;
};

void log_copy_init(struct log_copy *copy, struct log *from, struct log *to);
void log_copy_fini(struct log_copy *copy);
// Before the first batch. 0 or -errno.
int log_copy_align(struct log_copy *copy);
// Copies at most max_bytes, or one batch if it is larger; returns the bytes, 0 when there was nothing left, or
// -errno. Log start and high watermark follow.
int64_t log_copy_some(struct log_copy *copy, int32_t max_bytes);

#endif
