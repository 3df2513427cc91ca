// SPDX-License-Identifier: Apache-2.0
// What this node tells the cluster about where it listens, once the sockets are bound: the configuration may leave a
// host to the machine's own name, and a port to the system.
#ifndef BROKER_ENDPOINTS_H
#define BROKER_ENDPOINTS_H

#include "broker/network.h"
#include "metadata/metadata.h"

struct endpoints {
    struct metadata_endpoint *items; // the brokers' listeners first, then the controllers'
    int32_t brokers_count;
    int32_t controllers_count;
    struct arena _arena;
};

// Names are borrowed from `listeners`.
void endpoints_make(struct endpoints *endpoints, const struct listeners *listeners,
                    const struct network *network);
void endpoints_fini(struct endpoints *endpoints);

#endif
