// SPDX-License-Identifier: Apache-2.0
#include "broker/listener_plan.h"

#include <ctype.h>
#include <limits.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

// Kafka compares and shows listener names in upper case.
static char *upper(struct str name)
{
    char *z = str_dup(name);
    for (char *c = z; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return z;
}

// "NAME://host:port", host and brackets optional.
static bool parse_url(const char *key, const char *url, char **name, char **host, int *port,
                      struct strbuf *message)
{
    const char *colon = strstr(url, "://");
    struct str h;
    int32_t p;
    if (colon == NULL || colon == url || !config_host_port(str_of(url), &h, &p) || p > 65535) {
        strbuf_printf(message, "%s: \"%s\" is not NAME://host:port", key, url);
        return false;
    }
    *name = upper((struct str){ url, (size_t)(colon - url) });
    *host = str_dup(h.data == NULL ? (struct str){ "", 0 } : h);
    *port = p;
    return true;
}

// The protocol of a listener: as the map says; a name that it lacks is its own protocol. Where the map was left alone,
// a controller's listener is plain (KIP-801).
static struct str protocol_of(const struct config *config, const char *name, bool is_controller)
{
    struct str map = str_of(config_str(config, CONFIG_LISTENER_SECURITY_PROTOCOL_MAP));
    size_t name_size = strlen(name);
    for (const char *at = map.data, *end; at != NULL && at < map.data + map.size; at = end + 1) {
        end = memchr(at, ',', (size_t)(map.data + map.size - at));
        if (end == NULL)
            end = map.data + map.size;
        struct str entry = str_trim((struct str){ at, (size_t)(end - at) });
        if (entry.size > name_size && entry.data[name_size] == ':' &&
            strncasecmp(entry.data, name, name_size) == 0)
            return str_trim((struct str){ entry.data + name_size + 1, entry.size - name_size - 1 });
    }
    if (is_controller && !config_is_set(config, CONFIG_LISTENER_SECURITY_PROTOCOL_MAP))
        return str_of("PLAINTEXT");
    return STR_NULL;
}

static bool list_has_any_case(struct config_list list, const char *name)
{
    for (size_t i = 0; i < list.count; i++)
        if (strcasecmp(list.items[i], name) == 0)
            return true;
    return false;
}

static bool read_one(const struct config *config, const char *url, struct listener_plans *plans,
                     struct strbuf *message)
{
    if (plans->count == LISTENERS_MAX) {
        strbuf_printf(message, "listeners: at most %d are supported", LISTENERS_MAX);
        return false;
    }
    struct listener_plan *plan = &plans->items[plans->count];
    *plan = (struct listener_plan){ .advertised_port = 0 };
    struct endpoint *endpoint = &plan->endpoint;
    if (!parse_url("listeners", url, &endpoint->listener_name, &endpoint->host, &endpoint->port,
                   message))
        return false;
    plans->count++;
    for (int i = 0; i < plans->count - 1; i++) {
        if (strcmp(plans->items[i].endpoint.listener_name, endpoint->listener_name) == 0) {
            strbuf_printf(message,
                          "listeners: each listener must have a different name, %s is there twice",
                          endpoint->listener_name);
            return false;
        }
    }
    endpoint->is_controller = list_has_any_case(
        config_list(config, CONFIG_CONTROLLER_LISTENER_NAMES), endpoint->listener_name);
    struct str protocol = protocol_of(config, endpoint->listener_name, endpoint->is_controller);
    if (str_is_null(protocol)) {
        strbuf_printf(message,
                      "listeners: no security protocol defined for listener %s in "
                      "listener.security.protocol.map",
                      endpoint->listener_name);
        return false;
    }
    if (protocol.size != 9 || strncasecmp(protocol.data, "PLAINTEXT", 9) != 0) {
        strbuf_printf(message,
                      "listener.security.protocol.map: listener %s is %.*s; only PLAINTEXT is "
                      "supported",
                      endpoint->listener_name, STR_ARG(protocol));
        return false;
    }
    return true;
}

static struct listener_plan *find_plan(struct listener_plans *plans, const char *name)
{
    for (int i = 0; i < plans->count; i++)
        if (strcmp(plans->items[i].endpoint.listener_name, name) == 0)
            return &plans->items[i];
    return NULL;
}

static bool read_advertised(const struct config *config, struct listener_plans *plans,
                            struct strbuf *message)
{
    struct config_list list = config_list(config, CONFIG_ADVERTISED_LISTENERS);
    for (size_t i = 0; i < list.count; i++) {
        char *name, *host;
        int port;
        if (!parse_url("advertised.listeners", list.items[i], &name, &host, &port, message))
            return false;
        struct listener_plan *plan = find_plan(plans, name);
        bool is_known = plan != NULL;
        if (is_known && !plan->endpoint.is_controller) {
            mem_free(plan->advertised_host);
            plan->advertised_host = host;
            plan->advertised_port = port;
            host = NULL;
        } else if (!is_known) {
            strbuf_printf(message, "advertised.listeners: %s is not among listeners", name);
        }
        mem_free(name);
        mem_free(host);
        if (!is_known)
            return false;
    }
    return true;
}

// As Java's InetAddress.getLocalHost().getCanonicalHostName(): what the machine calls itself.
static char *own_host_name(void)
{
    char name[HOST_NAME_MAX + 1] = "localhost";
    gethostname(name, sizeof name - 1);
    struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM }, *found;
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return mem_strdup("localhost");
    char *own = mem_strdup(found->ai_canonname != NULL ? found->ai_canonname : name);
    freeaddrinfo(found);
    return own;
}

static bool fill_advertised(struct listener_plans *plans, struct strbuf *message)
{
    for (int i = 0; i < plans->count; i++) {
        struct listener_plan *plan = &plans->items[i];
        if (plan->endpoint.is_controller)
            continue;
        if (plan->advertised_host == NULL)
            plan->advertised_host = mem_strdup(plan->endpoint.host);
        if (strcmp(plan->advertised_host, "0.0.0.0") == 0) {
            strbuf_printf(message,
                          "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. "
                          "Use a routable IP address.");
            return false;
        }
        if (plan->advertised_host[0] == '\0') {
            mem_free(plan->advertised_host);
            plan->advertised_host = own_host_name();
        }
    }
    return true;
}

bool listener_plans_read(const struct config *config, struct listener_plans *plans,
                         struct strbuf *message)
{
    plans->count = 0;
    struct config_list list = config_list(config, CONFIG_LISTENERS);
    for (size_t i = 0; i < list.count; i++)
        if (!read_one(config, list.items[i], plans, message))
            return false;
    return read_advertised(config, plans, message) && fill_advertised(plans, message);
}

void listener_plans_fini(struct listener_plans *plans)
{
    for (int i = 0; i < plans->count; i++) {
        mem_free(plans->items[i].endpoint.listener_name);
        mem_free(plans->items[i].endpoint.host);
        mem_free(plans->items[i].advertised_host);
    }
    plans->count = 0;
}
