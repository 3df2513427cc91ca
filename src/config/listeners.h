// SPDX-License-Identifier: Apache-2.0
// Where this node listens and what it tells others to connect to: `listeners`, `advertised.listeners`,
// `listener.security.protocol.map`, `controller.listener.names`, `inter.broker.listener.name`.
//
//     listeners=EXTERNAL://:9092,CONTROLLER://10.0.0.1:9093
//               └ name ┘ └ host: empty = every interface; port: 0 = any free one
//     advertised.listeners=EXTERNAL://kafka.example.com:19092     without it: as listeners
//
// Invariants:
// (1) Names are upper case and there once; each has a protocol from the map.
// (2) A controller's listener (named in controller.listener.names) is not told to clients.
// (3) advertised_host empty means this machine's canonical name, advertised_port 0 the bound port:
//     only who opened the socket can fill these in.
#ifndef CONFIG_LISTENERS_H
#define CONFIG_LISTENERS_H

#include "config/config.h"

// Kafka's ids of security protocols, as registrations carry them.
enum listener_protocol {
    LISTENER_PLAINTEXT = 0,
    LISTENER_SSL = 1,
    LISTENER_SASL_PLAINTEXT = 2,
    LISTENER_SASL_SSL = 3,
};

struct listener {
    const char *name;
    enum listener_protocol protocol;
    const char *host;
    int32_t port;
    bool is_controller;
    bool is_advertised;
    const char *advertised_host;
    int32_t advertised_port;
};

struct listeners {
    struct listener *items; // in the order of `listeners`
    size_t count;
    const char *inter_broker_name;
    void *_memory;
};

// Reads and checks the keys above. False, with Kafka's message appended, when Kafka refuses them.
// The names and hosts live until listeners_fini.
bool listeners_resolve(const struct config *config, struct listeners *out, struct strbuf *message);
void listeners_fini(struct listeners *listeners);
const struct listener *listeners_find(const struct listeners *listeners, const char *name);
// "PLAINTEXT", "SASL_SSL" …
const char *listener_protocol_name(enum listener_protocol protocol);
// A key's value for one listener: `listener.name.<lower case name>.<key>` or else the key's own text.
const char *listener_setting(const struct config *config, const char *listener_name,
                             enum config_key key);

#endif
