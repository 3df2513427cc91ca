// SPDX-License-Identifier: Apache-2.0
// A job of many like pieces, done by several threads: what a start and a stop do with thousands of logs.
//
//     crew_run(threads, count, each, arg);     // each(arg, 0) … each(arg, count - 1), in no order
//
// The caller is one of the threads; the others end before it returns. If threads cannot be started, fewer do it all.
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include <stddef.h>

enum { CREW_THREADS_MAX = 64 };

void crew_run(int threads, size_t count, void (*each)(void *arg, size_t piece), void *arg);

#endif
