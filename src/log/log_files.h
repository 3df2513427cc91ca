// SPDX-License-Identifier: Apache-2.0
// Where a log's files are: what its segments and indexes need to open them when first used.
#ifndef LOG_LOG_FILES_H
#define LOG_LOG_FILES_H

#include "base/clock.h"
#include "base/disk.h"
#include "base/trace.h"

struct log_files {
    struct disk *disk;
    struct clock *clock;
    struct trace *trace;
    char *dir; // changes when the directory is renamed
};

#endif
