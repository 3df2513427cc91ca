// SPDX-License-Identifier: Apache-2.0
#include "net/connection_limits.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum { SECOND_US = 1000000 };

struct address {
    int32_t count;
    int32_t max; // -1: the common limit
    char text[];
};

void connection_limits_init(struct connection_limits *limits)
{
    *limits = (struct connection_limits){
        .max_connections = INT32_MAX,
        .max_connections_per_ip = INT32_MAX,
        .max_creation_rate = INT32_MAX,
        ._tokens_us = SECOND_US,
    };
    pthread_mutex_init(&limits->_lock, NULL);
    hashmap_init(&limits->_addresses);
}

void connection_limits_fini(struct connection_limits *limits)
{
    struct address *address;
    for (size_t i = 0; (address = hashmap_next(&limits->_addresses, &i)) != NULL;)
        mem_free(address);
    hashmap_fini(&limits->_addresses);
    pthread_mutex_destroy(&limits->_lock);
}

void connection_limits_set(struct connection_limits *limits, int32_t max_connections,
                           int32_t max_connections_per_ip, int32_t max_creation_rate)
{
    pthread_mutex_lock(&limits->_lock);
    limits->max_connections = max_connections;
    limits->max_connections_per_ip = max_connections_per_ip;
    limits->max_creation_rate = max_creation_rate;
    pthread_mutex_unlock(&limits->_lock);
}

static struct address *find_or_make(struct connection_limits *limits, const char *text)
{
    size_t size = strlen(text);
    struct address *address = hashmap_find(&limits->_addresses, text, size);
    if (address != NULL)
        return address;
    address = mem_zalloc(sizeof *address + size + 1);
    address->max = -1;
    memcpy(address->text, text, size);
    hashmap_put(&limits->_addresses, address->text, size, address);
    return address;
}

void connection_limits_override(struct connection_limits *limits, const char *address, int32_t max)
{
    pthread_mutex_lock(&limits->_lock);
    find_or_make(limits, address)->max = max;
    pthread_mutex_unlock(&limits->_lock);
}

void connection_limits_clear_overrides(struct connection_limits *limits)
{
    pthread_mutex_lock(&limits->_lock);
    struct address *address;
    for (size_t i = 0; (address = hashmap_next(&limits->_addresses, &i)) != NULL;) {
        address->max = -1;
        if (address->count > 0)
            continue;
        hashmap_remove(&limits->_addresses, address->text, strlen(address->text));
        mem_free(address);
        i = 0; // as the map asks for
    }
    pthread_mutex_unlock(&limits->_lock);
}

int64_t connection_limits_wait_us(struct connection_limits *limits, int64_t now_us)
{
    int64_t wait_us = 0;
    pthread_mutex_lock(&limits->_lock);
    int32_t rate = limits->max_creation_rate;
    if (limits->_count >= limits->max_connections || rate == 0) {
        wait_us = INT64_MAX;
    } else if (rate < INT32_MAX) {
        if (limits->_filled_at_us != 0)
            limits->_tokens_us += now_us - limits->_filled_at_us;
        if (limits->_tokens_us > SECOND_US) // a second's worth may come at once
            limits->_tokens_us = SECOND_US;
        limits->_filled_at_us = now_us;
        int64_t missing_us = SECOND_US / rate - limits->_tokens_us;
        wait_us = missing_us > 0 ? missing_us : 0;
    }
    pthread_mutex_unlock(&limits->_lock);
    return wait_us;
}

enum connection_verdict connection_limits_open(struct connection_limits *limits, const char *text)
{
    pthread_mutex_lock(&limits->_lock);
    struct address *address = find_or_make(limits, text);
    int32_t max = address->max >= 0 ? address->max : limits->max_connections_per_ip;
    bool fits = address->count < max;
    if (fits) {
        address->count++;
        limits->_count++;
    } else if (address->count == 0 && address->max < 0) {
        hashmap_remove(&limits->_addresses, text, strlen(text));
        mem_free(address);
    }
    if (limits->max_creation_rate > 0 && limits->max_creation_rate < INT32_MAX)
        limits->_tokens_us -= SECOND_US / limits->max_creation_rate;
    pthread_mutex_unlock(&limits->_lock);
    return fits ? CONNECTION_ACCEPTED : CONNECTION_REFUSED;
}

void connection_limits_close(struct connection_limits *limits, const char *text)
{
    pthread_mutex_lock(&limits->_lock);
    struct address *address = hashmap_find(&limits->_addresses, text, strlen(text));
    must(address != NULL && address->count > 0 && limits->_count > 0);
    limits->_count--;
    if (--address->count == 0 && address->max < 0) {
        hashmap_remove(&limits->_addresses, address->text, strlen(address->text));
        mem_free(address);
    }
    pthread_mutex_unlock(&limits->_lock);
}

int32_t connection_limits_count(struct connection_limits *limits)
{
    pthread_mutex_lock(&limits->_lock);
    int32_t count = limits->_count;
    pthread_mutex_unlock(&limits->_lock);
    return count;
}
