// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_DISK_POSIX_H
#define BASE_DISK_POSIX_H

#include <stdbool.h>

#include "base/disk.h"

// The machine's file systems; static, never freed.
struct disk *disk_posix(void);

// What the text of /proc/vmstat means for its is_behind. Linux lets writers wait from halfway between its two limits on
// (balance_dirty_pages); true a little before that, since a write that has just waited may have brought it below.
bool disk_posix_is_behind(const char *vmstat);

#endif
