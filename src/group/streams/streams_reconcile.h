// SPDX-License-Identifier: Apache-2.0
// The next assignment of a member on its way to its target: Kafka's CurrentAssignmentBuilder.
//
//                      ┌── has to give tasks up ──> UNREVOKED ──(it owns them no more)──┐
//     STABLE ──target──┤                                                                ├──> the way begins anew
//                      ├── others still have them ──> UNRELEASED ──(each heartbeat)─────┘
//                      └── nothing in the way ──> STABLE at the target's epoch
//
// A task is not released while another process runs it actively, or the member's own process has it in any way.
#ifndef GROUP_STREAMS_STREAMS_RECONCILE_H
#define GROUP_STREAMS_STREAMS_RECONCILE_H

#include "group/streams/streams_group.h"

struct streams_reconcile {
    const struct streams_group *group; // who has what now
    struct str process_id;             // the member's
    int32_t target_epoch;
    const struct streams_assignment *target;
    const struct streams_assignment *owned; // as it says; NULL: it does not say
};

// *current becomes the next one, what it points to in the arena. False: its state is not known, it must rejoin.
bool streams_reconcile(const struct streams_reconcile *input, struct streams_current *current,
                       struct arena *arena);
// Whether the records would say the same.
bool streams_current_equal(const struct streams_current *a, const struct streams_current *b);

#endif
