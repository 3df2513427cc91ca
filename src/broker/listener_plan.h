// SPDX-License-Identifier: Apache-2.0
// What `listeners` and its companions say: where to listen, in which role, and what to tell clients.
//
//     listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
//     advertised.listeners, listener.security.protocol.map, controller.listener.names, inter.broker.listener.name
#ifndef BROKER_LISTENER_PLAN_H
#define BROKER_LISTENER_PLAN_H

#include "base/strbuf.h"
#include "config/config.h"
#include "net/listener.h"

enum { LISTENERS_MAX = 16 };

struct listener_plan {
    struct endpoint endpoint;
    char *advertised_host; // NULL for a controller's
    int advertised_port;   // 0: the port that is bound
};

struct listener_plans {
    struct listener_plan items[LISTENERS_MAX];
    int count;
};

// False with `message` appended, naming the key, when this cannot be served.
bool listener_plans_read(const struct config *config, struct listener_plans *plans, struct strbuf *message);
void listener_plans_fini(struct listener_plans *plans);

#endif
