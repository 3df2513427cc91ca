// SPDX-License-Identifier: Apache-2.0
// Whether groups of a newer protocol are served at all.
#ifndef API_GROUP_PROTOCOL_H
#define API_GROUP_PROTOCOL_H

#include <stdbool.h>

struct node;

// group.coordinator.rebalance.protocols lists it and the feature (group.version …) has at least this level.
bool group_protocol_is_served(const struct node *node, const char *protocol, const char *feature,
                              int level);

#endif
