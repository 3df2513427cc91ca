// SPDX-License-Identifier: Apache-2.0
// The marker of a clean stop in a log directory: {"version":0,"brokerEpoch":31}.
// Tested by checkpoint_test.c.
#ifndef LOG_CLEAN_SHUTDOWN_H
#define LOG_CLEAN_SHUTDOWN_H

#include "base/disk.h"

// Whether the marker is there; *broker_epoch is -1 when it cannot be read.
bool clean_shutdown_read(struct disk *disk, const char *dir, int64_t *broker_epoch);
int clean_shutdown_write(struct disk *disk, const char *dir, int64_t broker_epoch);
int clean_shutdown_delete(struct disk *disk, const char *dir); // durably; fine when missing

#endif
