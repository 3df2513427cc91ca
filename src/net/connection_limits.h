// SPDX-License-Identifier: Apache-2.0
// How many connections there may be: max.connections, max.connections.per.ip (with overrides for some addresses)
// and max.connection.creation.rate, over all listeners. Thread-safe.
//
// As in Kafka, too many of one address are accepted and closed at once; at the broker's limit nobody is accepted
// until a connection ends; above the rate nobody is accepted until it is met again.
#ifndef NET_CONNECTION_LIMITS_H
#define NET_CONNECTION_LIMITS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hashmap.h"

struct connection_limits {
    int32_t max_connections;
    int32_t max_connections_per_ip;
    int32_t max_creation_rate; // a second
    pthread_mutex_t _lock;
    struct hashmap _addresses; // text of the address -> struct address
    int32_t _count;
    int64_t _tokens_us; // what may be spent; a connection costs 1 s / rate
    int64_t _filled_at_us;
};

enum connection_verdict {
    CONNECTION_ACCEPTED,
    CONNECTION_REFUSED, // close it: too many from this address
};

// The three limits are INT32_MAX: none.
void connection_limits_init(struct connection_limits *limits);
void connection_limits_fini(struct connection_limits *limits);
void connection_limits_set(struct connection_limits *limits, int32_t max_connections,
                           int32_t max_connections_per_ip, int32_t max_creation_rate);
// Another limit for one address, until they are all taken away again.
void connection_limits_override(struct connection_limits *limits, const char *address, int32_t max);
void connection_limits_clear_overrides(struct connection_limits *limits);

// Whether one more may be accepted now: 0; INT64_MAX when one must end first; else microseconds to wait.
int64_t connection_limits_wait_us(struct connection_limits *limits, int64_t now_us);
enum connection_verdict connection_limits_open(struct connection_limits *limits,
                                               const char *address);
void connection_limits_close(struct connection_limits *limits, const char *address);
int32_t connection_limits_count(struct connection_limits *limits);

#endif
