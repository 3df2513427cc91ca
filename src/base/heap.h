// SPDX-License-Identifier: Apache-2.0
// The C library's heaps, set up for a broker: bytes that come and go by the megabyte stay with the process while they do.
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

// Before the first thread.
void heap_set_up(void);
// Gives the kernel back whatever nobody uses. Takes each heap's lock; some microseconds a megabyte.
void heap_give_back(void);

#endif
