// SPDX-License-Identifier: Apache-2.0
#include "config/listeners.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/must.h"

static const char *const protocol_names[] = { "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL" };

// The protocol of each name. Kafka keeps the first of two equal names' last value.
struct protocol_map {
    struct {
        const char *name;
        enum listener_protocol protocol;
    } * items;
    size_t count;
};

struct endpoint {
    const char *name;
    enum listener_protocol protocol;
    const char *host;
    int32_t port;
};

struct endpoints {
    struct endpoint *items;
    size_t count;
};

struct scratch {
    struct arena arena; // names and hosts
    struct protocol_map map;
};

const char *listener_protocol_name(enum listener_protocol protocol)
{
    must((unsigned)protocol < 4);
    return protocol_names[protocol];
}

static bool protocol_find(const char *name, enum listener_protocol *protocol)
{
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, protocol_names[i]) == 0) {
            *protocol = (enum listener_protocol)i;
            return true;
        }
    }
    return false;
}

static char *upper(struct arena *arena, struct str s)
{
    char *z = arena_alloc(arena, s.size + 1);
    for (size_t i = 0; i < s.size; i++)
        z[i] = (char)toupper((unsigned char)s.data[i]);
    z[s.size] = '\0';
    return z;
}

static void map_put(struct scratch *scratch, const char *name, enum listener_protocol protocol)
{
    struct protocol_map *map = &scratch->map;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].name, name) == 0) {
            map->items[i].protocol = protocol;
            return;
        }
    }
    map->items = mem_realloc(map->items, (map->count + 1) * sizeof *map->items);
    map->items[map->count].name = name;
    map->items[map->count++].protocol = protocol;
}

static bool map_find(const struct protocol_map *map, const char *name, enum listener_protocol *out)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].name, name) == 0) {
            *out = map->items[i].protocol;
            return true;
        }
    }
    return false;
}

static bool is_secured(const char *name)
{
    enum listener_protocol protocol;
    return protocol_find(name, &protocol) && protocol != LISTENER_PLAINTEXT;
}

// Without an explicit map, and with nothing secured by name, controllers' names mean PLAINTEXT.
static bool add_controllers(const struct config *config, struct scratch *scratch,
                            struct strbuf *message)
{
    struct config_list names = config_list(config, CONFIG_CONTROLLER_LISTENER_NAMES);
    struct config_list listeners = config_list(config, CONFIG_LISTENERS);
    for (size_t i = 0; i < names.count; i++)
        if (is_secured(names.items[i]))
            return true;
    for (size_t i = 0; i < listeners.count; i++) {
        const char *colon = strchr(listeners.items[i], ':');
        if (colon == NULL) {
            strbuf_printf(message, "Unable to parse a listener name from %s", listeners.items[i]);
            return false;
        }
        if (is_secured(
                upper(&scratch->arena,
                      (struct str){ listeners.items[i], (size_t)(colon - listeners.items[i]) })))
            return true;
    }
    for (size_t i = 0; i < names.count; i++)
        map_put(scratch, names.items[i], LISTENER_PLAINTEXT);
    return true;
}

static bool map_read(const struct config *config, struct scratch *scratch, struct strbuf *message)
{
    static const char key[] = "listener.security.protocol.map";
    struct str rest = str_of(config_str(config, CONFIG_LISTENER_SECURITY_PROTOCOL_MAP));
    while (rest.size > 0) {
        const char *comma = memchr(rest.data, ',', rest.size);
        size_t size = comma == NULL ? rest.size : (size_t)(comma - rest.data);
        struct str entry = { rest.data, size };
        size_t taken = comma == NULL ? size : size + 1;
        rest = (struct str){ rest.data + taken, rest.size - taken };
        size_t colon = entry.size;
        while (colon > 0 && entry.data[colon - 1] != ':')
            colon--;
        if (colon == 0) {
            strbuf_printf(message,
                          "Error parsing configuration property '%s': %.*s is not of the form "
                          "{listener name}:{security protocol}",
                          key, STR_ARG(entry));
            return false;
        }
        struct str name = str_trim((struct str){ entry.data, colon - 1 });
        struct str value = str_trim((struct str){ entry.data + colon, entry.size - colon });
        enum listener_protocol protocol;
        if (!protocol_find(upper(&scratch->arena, value), &protocol)) {
            strbuf_printf(message, "Invalid security protocol `%.*s` defined in %s", STR_ARG(value),
                          key);
            return false;
        }
        map_put(scratch, upper(&scratch->arena, name), protocol);
    }
    if (config_is_set(config, CONFIG_LISTENER_SECURITY_PROTOCOL_MAP))
        return true;
    return add_controllers(config, scratch, message);
}

// "[a, b]", as Java prints a list.
static void add_list(struct strbuf *out, struct config_list list)
{
    for (size_t i = 0; i < list.count; i++)
        strbuf_printf(out, "%s%s", i > 0 ? ", " : "[", list.items[i]);
    strbuf_add_char(out, ']');
}

// NAME://HOST:PORT; the last "://" and the last ':' separate.
static bool endpoint_parse(struct scratch *scratch, const char *text, struct endpoint *out,
                           struct strbuf *message)
{
    const char *slashes = NULL;
    for (const char *at = strstr(text, "://"); at != NULL; at = strstr(at + 1, "://"))
        slashes = at;
    const char *colon = strrchr(text, ':');
    bool ok = slashes != NULL && colon != NULL && colon > slashes + 1;
    if (ok) {
        const char *digits = colon + 1 + (colon[1] == '-');
        ok = *digits != '\0' && digits[strspn(digits, "0123456789")] == '\0';
    }
    struct str host = ok ? (struct str){ slashes + 3, (size_t)(colon - slashes - 3) } : STR_NULL;
    if (host.size > 0 && host.data[0] == '[')
        host.data++, host.size--;
    if (host.size > 0 && host.data[host.size - 1] == ']')
        host.size--;
    for (size_t i = 0; ok && i < host.size; i++)
        ok = isalnum((unsigned char)host.data[i]) || strchr("-%._:", host.data[i]) != NULL;
    if (!ok) {
        strbuf_printf(message, "Unable to parse %s to a broker endpoint", text);
        return false;
    }
    int64_t port;
    if (!str_to_int64(str_of(colon + 1), &port) || port < INT32_MIN || port > INT32_MAX) {
        strbuf_printf(message, "For input string: \"%s\"", colon + 1);
        return false;
    }
    out->name = upper(&scratch->arena, (struct str){ text, (size_t)(slashes - text) });
    out->host = arena_str(&scratch->arena, host).data;
    out->port = (int32_t)port;
    if (map_find(&scratch->map, out->name, &out->protocol))
        return true;
    strbuf_printf(message, "No security protocol defined for listener %s", out->name);
    return false;
}

static int ip_version(const char *host)
{
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1    ? 4
           : inet_pton(AF_INET6, host, address) == 1 ? 6
                                                     : 0;
}

// One port may serve one IPv4 and one IPv6 address, nothing else twice (KIP-797).
static bool ports_differ(const struct endpoints *endpoints, struct config_list texts,
                         struct strbuf *message)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        int32_t port = endpoints->items[i].port;
        size_t by_version[7] = { 0 };
        for (size_t k = 0; k < endpoints->count && port != 0; k++)
            if (endpoints->items[k].port == port)
                by_version[ip_version(endpoints->items[k].host)]++;
        size_t names = by_version[0], addresses = by_version[4] + by_version[6];
        if (names + addresses < 2 || (names == 0 && by_version[4] == 1 && by_version[6] == 1))
            continue;
        if (names > 1) {
            strbuf_addz(message, "Each listener must have a different port, listeners: ");
            add_list(message, texts);
            return false;
        }
        strbuf_addz(message,
                    addresses == 2
                        ? "If you have two listeners on the same port then one needs to be "
                          "IPv4 and the other IPv6, listeners: "
                        : "Each listener must have a different port unless exactly one "
                          "listener has an IPv4 address and the other IPv6 address, "
                          "listeners: ");
        add_list(message, texts);
        strbuf_printf(message, ", port: %d", port);
        return false;
    }
    return true;
}

static bool endpoints_parse(struct scratch *scratch, struct config_list texts, bool distinct_ports,
                            struct endpoints *out, struct strbuf *message)
{
    struct strbuf why = STRBUF_EMPTY;
    bool ok = true;
    out->items = arena_array(&scratch->arena, struct endpoint, texts.count + 1);
    for (out->count = 0; ok && out->count < texts.count; out->count++)
        ok = endpoint_parse(scratch, texts.items[out->count], &out->items[out->count], &why);
    for (size_t i = 0; ok && i < out->count; i++)
        for (size_t k = 0; ok && k < i; k++)
            ok = strcmp(out->items[i].name, out->items[k].name) != 0;
    if (!ok && why.size == 0) {
        strbuf_addz(&why, "Each listener must have a different name, listeners: ");
        add_list(&why, texts);
    }
    ok = ok && (!distinct_ports || ports_differ(out, texts, &why));
    if (!ok) {
        strbuf_addz(message, "Error creating broker listeners from '");
        add_list(message, texts);
        strbuf_printf(message, "': %s", why.data);
    }
    strbuf_fini(&why);
    return ok;
}

static bool inter_broker_read(const struct config *config, struct scratch *scratch,
                              const char **out, struct strbuf *message)
{
    const char *name = config_str(config, CONFIG_INTER_BROKER_LISTENER_NAME);
    enum listener_protocol protocol;
    if (name == NULL) {
        *out = config_str(config, CONFIG_SECURITY_INTER_BROKER_PROTOCOL);
        return true;
    }
    if (config_is_set(config, CONFIG_SECURITY_INTER_BROKER_PROTOCOL)) {
        strbuf_addz(message, "Only one of inter.broker.listener.name and "
                             "security.inter.broker.protocol should be set.");
        return false;
    }
    *out = upper(&scratch->arena, str_of(name));
    if (map_find(&scratch->map, *out, &protocol))
        return true;
    strbuf_printf(message,
                  "Listener with name %s defined in inter.broker.listener.name not found in "
                  "listener.security.protocol.map.",
                  *out);
    return false;
}

// A static quorum names this controller's address itself (controller.quorum.voters).
static void advertise_as_voter(const struct config *config, struct scratch *scratch,
                               struct listener *listener)
{
    struct config_list voters = config_list(config, CONFIG_CONTROLLER_QUORUM_VOTERS);
    for (size_t i = 0; i < voters.count; i++) {
        const char *at = strchr(voters.items[i], '@');
        struct str host;
        int64_t id;
        if (str_to_int64((struct str){ voters.items[i], (size_t)(at - voters.items[i]) }, &id) &&
            id == config_int(config, CONFIG_NODE_ID) &&
            config_host_port(str_of(at + 1), &host, &listener->advertised_port))
            listener->advertised_host = arena_str(&scratch->arena, host).data;
    }
}

static const struct endpoint *endpoint_find(const struct endpoints *endpoints, const char *name)
{
    for (size_t i = 0; i < endpoints->count; i++)
        if (strcmp(endpoints->items[i].name, name) == 0)
            return &endpoints->items[i];
    return NULL;
}

static bool all_listened(const struct endpoints *advertised, const struct endpoints *bound,
                         const struct config *config, struct strbuf *message)
{
    bool ok = true;
    for (size_t i = 0; i < advertised->count; i++)
        ok = ok && endpoint_find(bound, advertised->items[i].name) != NULL;
    if (ok)
        return true;
    strbuf_addz(message, "advertised.listeners listener names must be equal to or a subset of the "
                         "ones defined in listeners. Found ");
    const char *comma = "";
    for (size_t i = 0; i < advertised->count; i++) {
        const char *name = advertised->items[i].name;
        if (config_list_has(config, CONFIG_CONTROLLER_LISTENER_NAMES, name))
            continue;
        strbuf_printf(message, "%s%s", comma, name);
        comma = ",";
    }
    strbuf_addz(message, ". The valid options based on the current configuration are ");
    for (size_t i = 0; i < bound->count; i++)
        strbuf_printf(message, "%s%s", i > 0 ? "," : "", bound->items[i].name);
    return false;
}

static bool advertised_are_kept(const struct config *config, const struct endpoints *advertised,
                                const struct endpoints *bound, const char *inter_broker,
                                struct strbuf *message)
{
    struct strbuf names = STRBUF_EMPTY;
    bool has_inter_broker = false, ok = true;
    for (size_t i = 0; i < advertised->count; i++) {
        const struct endpoint *e = &advertised->items[i];
        if (config_list_has(config, CONFIG_CONTROLLER_LISTENER_NAMES, e->name))
            continue;
        strbuf_printf(&names, "%s%s", names.size > 0 ? "," : "", e->name);
        has_inter_broker = has_inter_broker || strcmp(e->name, inter_broker) == 0;
    }
    if (config_list_has(config, CONFIG_PROCESS_ROLES, "broker")) {
        if (names.size == 0)
            strbuf_addz(message,
                        "There must be at least one broker advertised listener. Perhaps all "
                        "listeners appear in controller.listener.names?");
        else if (!has_inter_broker)
            strbuf_printf(message,
                          "inter.broker.listener.name must be a listener name defined in "
                          "advertised.listeners. The valid options based on currently configured "
                          "listeners are %s",
                          names.data);
        ok = names.size > 0 && has_inter_broker && all_listened(advertised, bound, config, message);
    }
    strbuf_fini(&names);
    return ok;
}

// What a node's roles ask of its controller listeners.
static bool roles_are_kept(const struct config *config, struct scratch *scratch,
                           const struct endpoints *bound, struct strbuf *message)
{
    bool is_broker = config_list_has(config, CONFIG_PROCESS_ROLES, "broker");
    bool is_controller = config_list_has(config, CONFIG_PROCESS_ROLES, "controller");
    struct config_list names = config_list(config, CONFIG_CONTROLLER_LISTENER_NAMES);
    size_t controllers = 0, unmapped = 0, unbound = 0;
    enum listener_protocol protocol;
    for (size_t i = 0; i < bound->count; i++)
        controllers +=
            config_list_has(config, CONFIG_CONTROLLER_LISTENER_NAMES, bound->items[i].name);
    for (size_t i = 0; i < names.count; i++) {
        unbound += endpoint_find(bound, names.items[i]) == NULL;
        const char *name = upper(&scratch->arena, str_of(names.items[i]));
        if (unmapped == 0 && !map_find(&scratch->map, name, &protocol))
            unmapped = i + 1;
    }
    const char *wrong = NULL;
    if (!is_controller && controllers > 0)
        wrong = "controller.listener.names must not contain a value appearing in the 'listeners' "
                "configuration when running KRaft with just the broker role";
    else if (!is_broker && controllers != bound->count)
        wrong = "The listeners config must only contain KRaft controller listeners from "
                "controller.listener.names when process.roles=controller";
    else if (is_controller && controllers == 0)
        wrong = "controller.listener.names must contain at least one value appearing in the "
                "'listeners' configuration when running the KRaft controller role";
    else if (is_controller && unbound > 0)
        wrong = "controller.listener.names must only contain values appearing in the 'listeners' "
                "configuration when running the KRaft controller role";
    else if (!is_controller && unmapped > 0)
        strbuf_printf(message,
                      "Controller listener with name %s defined in controller.listener.names not "
                      "found in listener.security.protocol.map  (an explicit security mapping for "
                      "each controller listener is required if listener.security.protocol.map is "
                      "non-empty, or if there are security protocols other than PLAINTEXT in use)",
                      names.items[unmapped - 1]);
    else
        return true;
    if (wrong != NULL)
        strbuf_addz(message, wrong);
    return false;
}

// 0.0.0.0 is for binding; nobody can connect to it.
static bool hosts_are_routable(const struct listeners *listeners, struct strbuf *message)
{
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listener *l = &listeners->items[i];
        if (l->is_advertised && strcmp(l->advertised_host, "0.0.0.0") == 0) {
            strbuf_addz(message, "advertised.listeners cannot use the nonroutable meta-address "
                                 "0.0.0.0. Use a routable IP address.");
            return false;
        }
    }
    return true;
}

static void fill_in(const struct config *config, struct scratch *scratch,
                    const struct endpoint *bound, const struct endpoints *advertised, bool was_told,
                    struct listener *out)
{
    const struct endpoint *told = endpoint_find(advertised, bound->name);
    const char *first = config_list(config, CONFIG_CONTROLLER_LISTENER_NAMES).items[0];
    *out = (struct listener){ bound->name, bound->protocol, bound->host, bound->port,
                              false,       false,           "",          0 };
    out->is_controller = config_list_has(config, CONFIG_CONTROLLER_LISTENER_NAMES, bound->name);
    out->is_advertised = told != NULL || out->is_controller;
    if (!out->is_advertised)
        return;
    out->advertised_host = told != NULL ? told->host : bound->host;
    out->advertised_port = told != NULL ? told->port : bound->port;
    if (out->is_controller && !(was_told && told != NULL) && strcmp(bound->name, first) == 0 &&
        (bound->host[0] == '\0' || strcmp(bound->host, "0.0.0.0") == 0))
        advertise_as_voter(config, scratch, out);
}

bool listeners_resolve(const struct config *config, struct listeners *out, struct strbuf *message)
{
    struct scratch *scratch = mem_new(struct scratch);
    arena_init(&scratch->arena);
    *out = (struct listeners){ .items = NULL, ._memory = scratch };
    struct endpoints bound, advertised = { NULL, 0 };
    struct config_list told = config_list(config, CONFIG_ADVERTISED_LISTENERS);
    bool ok =
        map_read(config, scratch, message) &&
        endpoints_parse(scratch, config_list(config, CONFIG_LISTENERS), true, &bound, message) &&
        (told.items == NULL || endpoints_parse(scratch, told, false, &advertised, message)) &&
        inter_broker_read(config, scratch, &out->inter_broker_name, message);
    if (ok && told.items == NULL)
        advertised = bound;
    ok = ok && roles_are_kept(config, scratch, &bound, message) &&
         advertised_are_kept(config, &advertised, &bound, out->inter_broker_name, message);
    if (ok) {
        out->count = bound.count;
        out->items = arena_array(&scratch->arena, struct listener, bound.count);
        for (size_t i = 0; i < bound.count; i++)
            fill_in(config, scratch, &bound.items[i], &advertised, told.items != NULL,
                    &out->items[i]);
        ok = hosts_are_routable(out, message);
    }
    if (!ok)
        listeners_fini(out);
    return ok;
}

void listeners_fini(struct listeners *listeners)
{
    struct scratch *scratch = listeners->_memory;
    if (scratch != NULL) {
        mem_free(scratch->map.items);
        arena_fini(&scratch->arena);
        mem_free(scratch);
    }
    *listeners = (struct listeners){ NULL, 0, NULL, NULL };
}

const struct listener *listeners_find(const struct listeners *listeners, const char *name)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (strcmp(listeners->items[i].name, name) == 0)
            return &listeners->items[i];
    return NULL;
}

const char *listener_setting(const struct config *config, const char *listener_name,
                             enum config_key key)
{
    struct strbuf name = STRBUF_EMPTY;
    strbuf_addz(&name, "listener.name.");
    for (const char *at = listener_name; *at != '\0'; at++)
        strbuf_add_char(&name, (char)tolower((unsigned char)*at));
    strbuf_printf(&name, ".%s", config_def_of(key)->name);
    const char *own = config_extra(config, name.data);
    strbuf_fini(&name);
    return own != NULL ? own : config_value_of(config, key)->text;
}
