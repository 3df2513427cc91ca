// SPDX-License-Identifier: Apache-2.0
// Threads for what may wait for the disk, so that those who must not wait hand it over.
//
//     struct load { struct work work; … };
//     load->work.run = run_load;
//     workers_submit(workers, &load->work);            // any thread; given away until `run` is called
//
// A thread is started when there is work and the others are busy, up to the most; then it stays. Work is begun in the
// order in which it came. It may submit itself again, and other work.
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include "base/list.h"

enum { WORKERS_THREADS_MAX = 16 };

struct workers;

struct work {
    struct list _link;
    void (*run)(struct work *work);
};

// `name`, at most 15 characters, is the threads'. threads_max 0: workers_run does the work, in tests and simulations.
struct workers *workers_new(const char *name, int threads_max);
// Ends when all that was submitted has been run. Nobody but that submits any more. NULL is fine.
void workers_free(struct workers *workers);
// Without any thread, because none could be started, the caller runs it.
void workers_submit(struct workers *workers, struct work *work);
// Runs all that waits, on this thread.
void workers_run(struct workers *workers);

#endif
