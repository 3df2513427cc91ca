// SPDX-License-Identifier: Apache-2.0
// A broker of modules: what main starts and stops.
//
//     broker_start   configuration checked ─> directories known (or formatted) ─> sockets bound, reactors run
//                    ─> logs recovered ─> controller: image replayed ─> partitions, groups ─> registered, in service
//                    ─> clients accepted ─> "ready" in the log
//     broker_stop    out of service ─> no new clients ─> whoever waits is answered ─> connections closed
//                    ─> controller stopped ─> logs closed cleanly
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "base/clock.h"
#include "base/disk.h"
#include "base/strbuf.h"
#include "base/trace.h"
#include "config/config.h"

struct broker;
struct node;

struct broker_options {
    struct config *config; // borrowed
    struct disk *disk;
    struct clock *clock;
    struct trace *trace;
    bool format;            // format directories that are not yet
    void (*on_fatal)(void); // the metadata log failed: stop the broker; any thread
    int64_t started_us;     // when the process began, for the line that says "ready"
};

// NULL with one line in `message` saying what to do about it.
struct broker *broker_start(const struct broker_options *options, struct strbuf *message);
// Its modules; for tests, and for who embeds a broker.
struct node *broker_node(struct broker *broker);
// False when it did not stop cleanly: on_fatal came before.
bool broker_stop(struct broker *broker);

#endif
