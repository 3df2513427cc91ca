// SPDX-License-Identifier: Apache-2.0
// Which brokers hold a new partition: striped over racks and, within a rack, over brokers, from a random start, so
// that leaders and replicas spread evenly and the replicas of one partition over as many racks as there are.
//
//     rack a: 1 2     rack b: 3     replicas 2     p0: 1 3    p1: 3 1    p2: 2 3 …
//
// A fenced broker may be a follower, never the first replica. A broker whose log dirs are all cordoned is left out.
#ifndef CONTROLLER_PLACEMENT_H
#define CONTROLLER_PLACEMENT_H

#include "controller/evaluation.h"

// Fills replicas[partition * replication_factor + i]. An error: INVALID_REPLICATION_FACTOR with Kafka's message.
struct answer placement_choose(struct evaluation *evaluation, int32_t partitions,
                               int32_t replication_factor, int32_t *replicas);

#endif
