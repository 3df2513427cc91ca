// SPDX-License-Identifier: Apache-2.0
// Checks of our own beliefs. A broker that is wrong is worse than one that is dead: `must` is
// always compiled in. It never judges foreign input (that is an error value), only our own code.
//
//     must(offset >= log->log_start_offset);
//     must_be(partition, PARTITION_MAGIC);       // object of the expected kind, not freed
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stdint.h>

#define must(condition)                                                                            \
    ((__builtin_expect(!!(condition), 1)) ? (void)0 : must_failed(__FILE__, __LINE__, #condition))

// Every long-lived object begins with `uint32_t magic`, set when made and cleared when freed.
#define must_be(object, expected) must((object) != NULL && (object)->magic == (expected))

// Prints the place and the condition, calls the hook, aborts.
_Noreturn void must_failed(const char *file, int line, const char *condition);

// Called once before abort, e.g. to print the last trace lines. NULL takes it away.
void must_set_hook(void (*hook)(void));

#endif
