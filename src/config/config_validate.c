// SPDX-License-Identifier: Apache-2.0
// The checks that span several keys, in Kafka's order and words: KafkaConfig.validateValues and what the
// coordinators' configurations require of each other.
#include <stdio.h>

#include "config/config_load.h"

enum relation { AT_LEAST, AT_MOST, LESS };

struct pair {
    enum config_key key;
    enum relation relation;
    enum config_key other;
};

// What one key may be beside another.
#define BOUNDS(kind, what)                                                                         \
    { CONFIG_GROUP_##kind##_MAX_##what, AT_LEAST, CONFIG_GROUP_##kind##_MIN_##what },              \
        { CONFIG_GROUP_##kind##_##what, AT_LEAST, CONFIG_GROUP_##kind##_MIN_##what },              \
    {                                                                                              \
        CONFIG_GROUP_##kind##_##what, AT_MOST, CONFIG_GROUP_##kind##_MAX_##what                    \
    }
#define GROUP_PAIRS(kind)                                                                          \
    BOUNDS(kind, HEARTBEAT_INTERVAL_MS), BOUNDS(kind, SESSION_TIMEOUT_MS),                         \
        { CONFIG_GROUP_##kind##_HEARTBEAT_INTERVAL_MS, LESS,                                       \
          CONFIG_GROUP_##kind##_SESSION_TIMEOUT_MS },                                              \
        BOUNDS(kind, ASSIGNMENT_INTERVAL_MS)

static const struct pair pairs[] = {
    GROUP_PAIRS(CONSUMER),
    GROUP_PAIRS(SHARE),
    GROUP_PAIRS(STREAMS),
    { CONFIG_GROUP_STREAMS_NUM_STANDBY_REPLICAS, AT_MOST,
      CONFIG_GROUP_STREAMS_MAX_STANDBY_REPLICAS },
    { CONFIG_GROUP_SHARE_MAX_DELIVERY_COUNT_LIMIT, AT_LEAST,
      CONFIG_GROUP_SHARE_DELIVERY_COUNT_LIMIT },
    { CONFIG_GROUP_SHARE_DELIVERY_COUNT_LIMIT, AT_LEAST,
      CONFIG_GROUP_SHARE_MIN_DELIVERY_COUNT_LIMIT },
    { CONFIG_GROUP_SHARE_MAX_PARTITION_MAX_RECORD_LOCKS, AT_LEAST,
      CONFIG_GROUP_SHARE_PARTITION_MAX_RECORD_LOCKS },
    { CONFIG_GROUP_SHARE_PARTITION_MAX_RECORD_LOCKS, AT_LEAST,
      CONFIG_GROUP_SHARE_MIN_PARTITION_MAX_RECORD_LOCKS },
    { CONFIG_GROUP_SHARE_RECORD_LOCK_DURATION_MS, AT_LEAST,
      CONFIG_GROUP_SHARE_MIN_RECORD_LOCK_DURATION_MS },
    { CONFIG_GROUP_SHARE_MAX_RECORD_LOCK_DURATION_MS, AT_LEAST,
      CONFIG_GROUP_SHARE_RECORD_LOCK_DURATION_MS },
    { CONFIG_GROUP_SHARE_MAX_SHARE_SESSIONS, AT_LEAST, CONFIG_GROUP_SHARE_MAX_SIZE },
};

static bool refuse(struct strbuf *message, const char *why)
{
    strbuf_addz(message, why);
    return false;
}

static bool pairs_are_kept(const struct config *config, struct strbuf *message)
{
    static const char *const words[] = { "greater than or equal to", "less than or equal to",
                                         "less than" };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        int32_t a = config_int(config, pairs[i].key), b = config_int(config, pairs[i].other);
        bool kept = pairs[i].relation == AT_LEAST ? a >= b
                    : pairs[i].relation == LESS   ? a < b
                                                  : a <= b;
        if (kept)
            continue;
        strbuf_printf(message, "%s must be %s %s", config_def_of(pairs[i].key)->name,
                      words[pairs[i].relation], config_def_of(pairs[i].other)->name);
        return false;
    }
    return true;
}

// An assignor that is not built in is a Java class, which only the JVM can load.
static bool assignors_are_known(const struct config *config, struct strbuf *message)
{
    struct config_list consumer = config_list(config, CONFIG_GROUP_CONSUMER_ASSIGNORS);
    struct config_list share = config_list(config, CONFIG_GROUP_SHARE_ASSIGNORS);
    for (size_t i = 0; i < consumer.count + share.count; i++) {
        bool is_share = i >= consumer.count;
        const char *name = is_share ? share.items[i - consumer.count] : consumer.items[i];
        if (is_share ? strcmp(name, "simple") == 0
                     : strcmp(name, "uniform") == 0 || strcmp(name, "range") == 0)
            continue;
        strbuf_printf(message, "Class %s cannot be found (%s: allowed are %s)", name,
                      is_share ? "group.share.assignors" : "group.consumer.assignors",
                      is_share ? "simple" : "uniform, range");
        return false;
    }
    return true;
}

static bool log_settings_are_kept(const struct config *config, struct strbuf *message)
{
    if (config_log_roll_ms(config) < 1)
        return refuse(message, "log.roll.ms must be greater than or equal to 1");
    if (config_log_roll_jitter_ms(config) < 0)
        return refuse(message, "log.roll.jitter.ms must be greater than or equal to 0");
    if (config_log_retention_ms(config) == 0)
        return refuse(message,
                      "log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
    int32_t threads = config_int(config, CONFIG_LOG_CLEANER_THREADS);
    if (threads == 0)
        return refuse(message, "log.cleaner.threads must be at least 1");
    if (config_long(config, CONFIG_LOG_CLEANER_DEDUPE_BUFFER_SIZE) / threads <= 1024 * 1024)
        return refuse(message,
                      "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.");
    int32_t wait_ms = config_int(config, CONFIG_REPLICA_FETCH_WAIT_MAX_MS);
    if (wait_ms > config_int(config, CONFIG_REPLICA_SOCKET_TIMEOUT_MS))
        return refuse(message, "replica.socket.timeout.ms should always be at least "
                               "replica.fetch.wait.max.ms to prevent unnecessary socket timeouts");
    if (wait_ms > config_long(config, CONFIG_REPLICA_LAG_TIME_MAX_MS))
        return refuse(message, "replica.fetch.wait.max.ms should always be less than or equal to "
                               "replica.lag.time.max.ms to prevent frequent changes in ISR");
    return true;
}

// "Set(1, 2)", as Scala shows the ids of the voters.
static void add_voters(const struct config_list voters, struct strbuf *out)
{
    strbuf_addz(out, "Set(");
    for (size_t i = 0; i < voters.count; i++)
        strbuf_printf(out, "%s%.*s", i > 0 ? ", " : "", (int)strcspn(voters.items[i], "@"),
                      voters.items[i]);
    strbuf_add_char(out, ')');
}

static bool quorum_is_kept(const struct config *config, struct strbuf *message)
{
    struct config_list voters = config_list(config, CONFIG_CONTROLLER_QUORUM_VOTERS);
    bool is_controller = config_list_has(config, CONFIG_PROCESS_ROLES, "controller");
    bool is_voter = false;
    if (voters.count == 0 &&
        config_list(config, CONFIG_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS).count == 0)
        return refuse(message,
                      "If using process.roles, either controller.quorum.bootstrap.servers must "
                      "contain the set of bootstrap controllers or controller.quorum.voters must "
                      "contain a parseable set of controllers.");
    for (size_t i = 0; i < voters.count; i++) {
        int64_t id;
        int32_t port;
        struct str host, number = { voters.items[i], strcspn(voters.items[i], "@") };
        is_voter =
            is_voter || (str_to_int64(number, &id) && id == config_int(config, CONFIG_NODE_ID));
        if (!config_host_port(str_of(voters.items[i] + number.size + 1), &host, &port) ||
            port > 65535) {
            strbuf_printf(message, "port out of range:%d (controller.quorum.voters: 0 to 65535)",
                          port);
            return false;
        }
        if (str_eqz(host, "0.0.0.0"))
            return refuse(message,
                          "Host string (0.0.0.0) is not routeable (controller.quorum.voters)");
    }
    if (is_controller ? voters.count > 0 && !is_voter : is_voter) {
        strbuf_printf(message,
                      is_controller
                          ? "If process.roles contains the 'controller' role, the node id %d "
                            "must be included in the set of voters controller.quorum.voters="
                          : "If process.roles contains just the 'broker' role, the node id %d "
                            "must not be included in the set of voters "
                            "controller.quorum.voters=",
                      config_int(config, CONFIG_NODE_ID));
        add_voters(voters, message);
        return false;
    }
    if (!is_controller && config_bool(config, CONFIG_CONTROLLER_QUORUM_AUTO_JOIN_ENABLE))
        return refuse(message, "controller.quorum.auto.join.enable is only supported when "
                               "process.roles contains the 'controller' role.");
    return true;
}

static bool cordoned_dirs_are_kept(const struct config *config, struct strbuf *message)
{
    struct config_list cordoned = config_list(config, CONFIG_CORDONED_LOG_DIRS);
    struct config_list dirs = config_log_dirs(config);
    if (config_list_has(config, CONFIG_CORDONED_LOG_DIRS, "*")) {
        if (cordoned.count == 1)
            return true;
        return refuse(message,
                      "When cordoned.log.dirs is set to *, it must not contain other values");
    }
    const char *before = "All entries in cordoned.log.dirs must be present in log.dirs or log.dir. "
                         "Missing entries : ";
    bool ok = true;
    for (size_t i = 0; i < cordoned.count; i++) {
        size_t k = 0;
        while (k < dirs.count && strcmp(dirs.items[k], cordoned.items[i]) != 0)
            k++;
        if (k < dirs.count)
            continue;
        strbuf_printf(message, "%s%s", before, cordoned.items[i]);
        before = ", ";
        ok = false;
    }
    return ok;
}

static bool overrides_per_ip_are_kept(const struct config *config, struct strbuf *message)
{
    static const char key[] = "max.connections.per.ip.overrides";
    struct str rest = str_of(config_str(config, CONFIG_MAX_CONNECTIONS_PER_IP_OVERRIDES));
    if (rest.size == 0 && config_int(config, CONFIG_MAX_CONNECTIONS_PER_IP) == 0)
        return refuse(message, "max.connections.per.ip can be set to zero only if "
                               "max.connections.per.ip.overrides property is set.");
    while (rest.size > 0) {
        const char *comma = memchr(rest.data, ',', rest.size);
        struct str entry = { rest.data, comma == NULL ? rest.size : (size_t)(comma - rest.data) };
        size_t taken = entry.size + (comma != NULL), colon = entry.size;
        rest = (struct str){ rest.data + taken, rest.size - taken };
        while (colon > 0 && entry.data[colon - 1] != ':')
            colon--;
        int64_t count;
        struct str host = str_trim((struct str){ entry.data, colon == 0 ? 0 : colon - 1 });
        struct str number = str_trim((struct str){ entry.data + colon, entry.size - colon });
        if (colon == 0) {
            strbuf_printf(message,
                          "Error parsing configuration property '%s': %.*s is not of the form "
                          "{host}:{count}",
                          key, STR_ARG(entry));
            return false;
        }
        if (!str_to_int64(number, &count) || count > INT32_MAX || count < INT32_MIN) {
            strbuf_printf(message, "For input string: \"%.*s\" (%s)", STR_ARG(number), key);
            return false;
        }
        struct strbuf whole = STRBUF_EMPTY;
        int32_t port;
        strbuf_printf(&whole, "%.*s:1", STR_ARG(host));
        bool valid = config_host_port(strbuf_str(&whole), &host, &port);
        strbuf_fini(&whole);
        if (!valid) {
            strbuf_printf(message, "%s contains invalid addresses : %.*s", key, (int)colon - 1,
                          entry.data);
            return false;
        }
    }
    return true;
}

static bool network_is_kept(const struct config *config, struct strbuf *message)
{
    int64_t queued = config_long(config, CONFIG_QUEUED_MAX_REQUEST_BYTES);
    if (queued > 0 && queued < config_int(config, CONFIG_SOCKET_REQUEST_MAX_BYTES))
        return refuse(
            message,
            "queued.max.request.bytes must be larger or equal to socket.request.max.bytes");
    if (!overrides_per_ip_are_kept(config, message))
        return false;
    int64_t idle_ms = config_long(config, CONFIG_CONNECTIONS_MAX_IDLE_MS);
    int32_t delay_ms = config_int(config, CONFIG_CONNECTION_FAILED_AUTHENTICATION_DELAY_MS);
    if (idle_ms < 0 || delay_ms < idle_ms)
        return true;
    strbuf_printf(message,
                  "connection.failed.authentication.delay.ms=%d should always be less than "
                  "connections.max.idle.ms=%lld to prevent failed authentication responses from "
                  "timing out",
                  delay_ms, (long long)idle_ms);
    return false;
}

static bool early_listeners_are_kept(const struct config *config, const struct listeners *listeners,
                                     struct strbuf *message)
{
    struct config_list early = config_list(config, CONFIG_EARLY_START_LISTENERS);
    for (size_t i = 0; i < early.count; i++) {
        if (listeners_find(listeners, early.items[i]) != NULL)
            continue;
        strbuf_printf(message,
                      "early.start.listeners contains listener %s, but this is not contained in "
                      "listeners or controller.listener.names",
                      early.items[i]);
        return false;
    }
    return true;
}

bool config_validate(const struct config *config, struct strbuf *message)
{
    static const enum config_key required[] = { CONFIG_PROCESS_ROLES, CONFIG_NODE_ID,
                                                CONFIG_CONTROLLER_LISTENER_NAMES };
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (!config_is_null(config, required[i]))
            continue;
        strbuf_printf(message, "Missing required configuration \"%s\" which has no default value.",
                      config_def_of(required[i])->name);
        return false;
    }
    if (!pairs_are_kept(config, message) || !assignors_are_known(config, message))
        return false;
    if (!config_list_has(config, CONFIG_GROUP_COORDINATOR_REBALANCE_PROTOCOLS, "classic"))
        return refuse(message, "Disabling the 'classic' protocol is not supported. "
                               "(group.coordinator.rebalance.protocols)");
    if (config_int(config, CONFIG_NODE_ID) != config_int(config, CONFIG_BROKER_ID))
        return refuse(message, "You must set `node.id` to the same value as `broker.id`.");
    if (!log_settings_are_kept(config, message) || !quorum_is_kept(config, message))
        return false;
    struct listeners listeners;
    if (!listeners_resolve(config, &listeners, message))
        return false;
    bool ok = early_listeners_are_kept(config, &listeners, message);
    listeners_fini(&listeners);
    return ok &&
           (!config_list_has(config, CONFIG_PROCESS_ROLES, "broker") ||
            cordoned_dirs_are_kept(config, message)) &&
           network_is_kept(config, message);
}
