// SPDX-License-Identifier: Apache-2.0
// The commands of kafka-storage.sh, with its flags, output and exit status, as words of the daemon:
//
//     odradekd format -t CLUSTER_ID -c CONFIG [-g] [-s | -N | -I VOTERS] [-r RELEASE] [-f NAME=LEVEL]…
//     odradekd info -c CONFIG
//     odradekd random-uuid
//     odradekd version-mapping [-r RELEASE]
//     odradekd feature-dependencies -f NAME=LEVEL…
#ifndef BROKER_FORMAT_COMMAND_H
#define BROKER_FORMAT_COMMAND_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/disk.h"

// Is argv[1] one of these words?
bool format_command_is(int argc, char **argv);
// Runs it; what it says goes to standard output and error. Returns the exit status.
int format_command_run(int argc, char **argv, struct disk *disk, struct clock *clock);

#endif
