// SPDX-License-Identifier: Apache-2.0
// "Call me when it is done", for work that may end later and on another thread (a join that waits
// for other members, a record that waits to be committed). Embedded in what waits, e.g. struct
// request.
//
// The callee calls `complete` exactly once, perhaps before the starting call has returned, and
// never while it holds a lock: it collects completions under its lock and calls them after
// unlocking. Until then the callee may write the result and allocate from the waiter's arena;
// nobody else touches them.
#ifndef BASE_COMPLETION_H
#define BASE_COMPLETION_H

#include "base/list.h"

struct completion {
    void (*complete)(struct completion *completion);
    struct list link; // free for the callee, to collect completions
};

// Calls every completion of the list, in order, emptying it. The caller holds no lock.
static inline void completions_run(struct list *completions)
{
    struct list *link;
    while ((link = list_pop(completions)) != NULL) {
        struct completion *completion = container_of(link, struct completion, link);
        completion->complete(completion);
    }
}

#endif
