// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_DISK_POSIX_H
#define BASE_DISK_POSIX_H

#include "base/disk.h"

// The machine's file systems; static, never freed.
struct disk *disk_posix(void);

#endif
