// SPDX-License-Identifier: Apache-2.0
// Tested by broker_test.c.
#include "broker/endpoints.h"

#include <limits.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

// As Java's InetAddress.getLocalHost().getCanonicalHostName(): what the machine calls itself.
static struct str own_host_name(struct arena *arena)
{
    char name[HOST_NAME_MAX + 1] = "localhost";
    gethostname(name, sizeof name - 1);
    struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM }, *found;
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return str_of("localhost");
    struct str own = arena_strz(arena, found->ai_canonname != NULL ? found->ai_canonname : name);
    freeaddrinfo(found);
    return own;
}

static struct metadata_endpoint make(struct arena *arena, const struct listener *listener,
                                     int bound_port)
{
    bool has_host = listener->advertised_host != NULL && listener->advertised_host[0] != '\0';
    return (struct metadata_endpoint){
        .listener_name = str_of(listener->name),
        .host = has_host ? str_of(listener->advertised_host) : own_host_name(arena),
        .port = (uint16_t)(listener->advertised_port != 0 ? listener->advertised_port : bound_port),
        .security_protocol = (int16_t)listener->protocol,
    };
}

void endpoints_make(struct endpoints *endpoints, const struct listeners *listeners,
                    const struct network *network)
{
    *endpoints = (struct endpoints){ .brokers_count = 0 };
    arena_init(&endpoints->_arena);
    endpoints->items = arena_array(&endpoints->_arena, struct metadata_endpoint, listeners->count);
    for (size_t i = 0; i < listeners->count; i++)
        if (listeners->items[i].is_advertised && !listeners->items[i].is_controller)
            endpoints->items[endpoints->brokers_count++] =
                make(&endpoints->_arena, &listeners->items[i], network_port(network, i));
    for (size_t i = 0; i < listeners->count; i++)
        if (listeners->items[i].is_controller)
            endpoints->items[endpoints->brokers_count + endpoints->controllers_count++] =
                make(&endpoints->_arena, &listeners->items[i], network_port(network, i));
}

void endpoints_fini(struct endpoints *endpoints)
{
    arena_fini(&endpoints->_arena);
}
