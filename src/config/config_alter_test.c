// SPDX-License-Identifier: Apache-2.0
// Alterations as a Kafka 4.3.1 broker answered them.
#include "config/config_alter.h"

#include "base/testing.h"

enum { CHANGES_MAX = 4 };

struct attempt {
    int8_t type;
    const char *name;
    const char *changes; // "set:name=value|del:name"; without "op:" a replacement
    enum kafka_error error;
    const char *message;
};

static const struct config_entry present[] = {
    { { "log.cleanup.policy", 18 }, { "compact,delete", 14 } },
};

static size_t parse(const char *text, struct config_change *changes, bool *is_replacement)
{
    static const char *const operations[] = { "set:", "del:", "app:", "sub:" };
    size_t count = 0;
    *is_replacement = false;
    while (*text != '\0') {
        size_t size = strcspn(text, "|");
        struct config_change *change = &changes[count++];
        change->operation = 9;
        const char *at = text;
        for (int8_t i = 0; i < 4; i++)
            if (strncmp(text, operations[i], 4) == 0)
                change->operation = i, at = text + 4;
        if (strncmp(text, "bad:", 4) == 0)
            at = text + 4;
        else if (at == text)
            *is_replacement = true;
        size_t rest = size - (size_t)(at - text);
        const char *equals = memchr(at, '=', rest);
        change->name = (struct str){ at, equals == NULL ? rest : (size_t)(equals - at) };
        change->value =
            equals == NULL ? STR_NULL : (struct str){ equals + 1, rest - change->name.size - 1 };
        text += size + (text[size] == '|');
    }
    return count;
}

static struct config *broker(void)
{
    static const char *const file[] = { "process.roles",
                                        "broker,controller",
                                        "node.id",
                                        "1",
                                        "broker.id",
                                        "1",
                                        "controller.quorum.bootstrap.servers",
                                        "127.0.0.1:24001",
                                        "listeners",
                                        "PLAINTEXT://127.0.0.1:24000,CONTROLLER://127.0.0.1:24001",
                                        "controller.listener.names",
                                        "CONTROLLER",
                                        NULL };
    struct config *config = config_new();
    struct strbuf message = STRBUF_EMPTY;
    for (const char *const *at = file; *at != NULL; at += 2)
        CU_ASSERT_TRUE(config_set(config, CONFIG_SOURCE_STATIC_BROKER, str_of(at[0]), str_of(at[1]),
                                  &message));
    strbuf_fini(&message);
    return config;
}

static void run(const struct attempt *attempts, size_t count)
{
    struct config *config = broker();
    for (size_t i = 0; i < count; i++) {
        const struct attempt *t = &attempts[i];
        struct config_change changes[CHANGES_MAX];
        struct strbuf message = STRBUF_EMPTY;
        const char *level = NULL;
        struct config_alteration alteration = { .config = config,
                                                .type = t->type,
                                                .name = str_of(t->name),
                                                .changes = changes,
                                                .overrides = present,
                                                .overrides_count = 1 };
        alteration.changes_count = parse(t->changes, changes, &alteration.is_replacement);
        enum kafka_error error = t->type == CONFIG_RESOURCE_BROKER_LOGGER
                                     ? config_alter_check_logger(&alteration, &level, &message)
                                     : config_alter_check(&alteration, &message);
        CU_ASSERT_EQUAL(error, t->error);
        CU_ASSERT_STRING_EQUAL(message.data == NULL ? "" : message.data, t->message);
        if (error != t->error || strcmp(message.data == NULL ? "" : message.data, t->message) != 0)
            fprintf(stderr, "%s: %d %s\n", t->changes, error, message.data);
        strbuf_fini(&message);
    }
    config_free(config);
}

#define RUN(attempts) run(attempts, sizeof(attempts) / sizeof *(attempts))
#define BROKER        CONFIG_RESOURCE_BROKER

static void the_shape_of_a_request(void)
{
    static const struct attempt attempts[] = {
        { CONFIG_RESOURCE_TOPIC, "t", "set:retention.ms=1|set:retention.ms=2", KERR_INVALID_REQUEST,
          "Error due to duplicate config keys" },
        { CONFIG_RESOURCE_TOPIC, "t", "set:a|set:b", KERR_INVALID_REQUEST,
          "Null value not supported for : a, b" },
        { CONFIG_RESOURCE_TOPIC, "t", "del:a", KERR_NONE, "" },
        { CONFIG_RESOURCE_TOPIC, "t", "retention.ms", KERR_INVALID_REQUEST,
          "Null value not supported for : retention.ms" },
        { CONFIG_RESOURCE_TOPIC, "t", "retention.ms=1|retention.ms=2", KERR_INVALID_REQUEST,
          "Error due to duplicate config keys" },
        { 7, "x", "set:a=b", KERR_INVALID_REQUEST, "Unknown resource type 7" },
        { 0, "x", "set:a=b", KERR_INVALID_REQUEST, "Unknown resource type 0" },
    };
    RUN(attempts);
}

static void dynamic_settings_of_brokers(void)
{
    static const struct attempt attempts[] = {
        { BROKER, "1", "set:log.retention.ms=1000", KERR_NONE, "" },
        { BROKER, "1", "set:num.partitions=3", KERR_INVALID_REQUEST,
          "Cannot update these configs dynamically: [num.partitions]" },
        { BROKER, "", "set:num.partitions=3", KERR_INVALID_REQUEST,
          "Cannot update these configs dynamically: [num.partitions]" },
        { BROKER, "1", "num.partitions=1", KERR_INVALID_REQUEST,
          "Cannot update these configs dynamically: [num.partitions]" },
        { BROKER, "1", "set:zz=3", KERR_NONE, "" },
        { BROKER, "", "set:log.retention.ms=2000", KERR_NONE, "" },
        { BROKER, "", "set:log.retention.ms=x", KERR_INVALID_REQUEST,
          "Invalid value x for configuration log.retention.ms: Not a number of type LONG" },
        { BROKER, "1", "set:ssl.keystore.location=/x", KERR_INVALID_REQUEST,
          "These security configs can be dynamically updated only per-listener using the listener "
          "prefix: [ssl.keystore.location]" },
        { BROKER, "2", "set:log.retention.ms=1", KERR_INVALID_REQUEST,
          "Unexpected broker id, expected 1, but received 2" },
        { BROKER, "x", "set:log.retention.ms=1", KERR_INVALID_REQUEST,
          "Node id must be an integer, but it is: x" },
        { BROKER, "1", "set:listener.name.plaintext.ssl.keystore.type=PKCS12", KERR_NONE, "" },
        { BROKER, "", "set:listener.name.plaintext.ssl.keystore.type=PKCS12", KERR_INVALID_REQUEST,
          "Cannot update these configs at default cluster level, broker id must be specified: "
          "[listener.name.plaintext.ssl.keystore.type]" },
        { BROKER, "1", "set:log.cleaner.threads=9", KERR_INVALID_REQUEST,
          "Invalid value org.apache.kafka.common.config.ConfigException: Log cleaner threads "
          "cannot be "
          "increased to more than double the current value 1 for configuration Invalid dynamic "
          "configuration" },
        { BROKER, "1", "set:log.cleaner.threads=2", KERR_NONE, "" },
        { BROKER, "", "set:num.io.threads=20", KERR_INVALID_REQUEST,
          "Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count "
          "update "
          "validation failed for num.io.threads=20, value should not be greater than double the "
          "current "
          "value 8 for configuration Invalid dynamic configuration" },
        { BROKER, "", "set:num.io.threads=1", KERR_INVALID_REQUEST,
          "Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count "
          "update "
          "validation failed for num.io.threads=1, value should be at least half the current value "
          "8 for "
          "configuration Invalid dynamic configuration" },
        { BROKER, "", "set:message.max.bytes=-1", KERR_INVALID_REQUEST,
          "Invalid value -1 for configuration message.max.bytes: Value must be at least 0" },
        { BROKER, "1", "app:log.cleanup.policy=compact", KERR_NONE, "" },
        { BROKER, "1", "sub:log.cleanup.policy=compact", KERR_NONE, "" },
        { BROKER, "1", "app:log.cleanup.policy=shred", KERR_INVALID_REQUEST,
          "Invalid value shred for configuration log.cleanup.policy: String must be one of: "
          "compact, "
          "delete" },
        { BROKER, "1", "app:log.retention.ms=5", KERR_INVALID_CONFIG,
          "Config value append is not allowed for config key: log.retention.ms" },
        { BROKER, "1", "sub:log.retention.ms=5", KERR_INVALID_CONFIG,
          "Config value subtract is not allowed for config key: log.retention.ms" },
        { BROKER, "1", "app:zz=5", KERR_INVALID_CONFIG, "Unknown config name: zz" },
        { BROKER, "1", "bad:log.retention.ms=5", KERR_INVALID_REQUEST,
          "Unknown operations type 9" },
        { BROKER, "1", "set:leader.replication.throttled.rate=1000", KERR_NONE, "" },
        { BROKER, "1", "set:leader.replication.throttled.rate=x", KERR_INVALID_REQUEST,
          "Invalid value x for configuration leader.replication.throttled.rate: Not a number of "
          "type "
          "LONG" },
        { BROKER, "1", "set:node.id=4", KERR_INVALID_REQUEST,
          "Cannot update these configs dynamically: [node.id]" },
        { BROKER, "1", "set:log.retention.ms", KERR_INVALID_REQUEST,
          "Null value not supported for : log.retention.ms" },
        { BROKER, "1", "del:log.retention.ms", KERR_NONE, "" },
        { BROKER, "1", "del:num.partitions", KERR_NONE, "" },
        { BROKER, "1", "set:advertised.listeners=PLAINTEXT://127.0.0.1:24000", KERR_INVALID_REQUEST,
          "Cannot update these configs dynamically: [advertised.listeners]" },
        { BROKER, "1", "set:listeners=PLAINTEXT://127.0.0.1:24000", KERR_INVALID_REQUEST,
          "controller.listener.names must contain at least one value appearing in the 'listeners' "
          "configuration when running the KRaft controller role" },
        { BROKER, "1", "set:sasl.jaas.config=x", KERR_NONE, "" },
    };
    RUN(attempts);
}

static void loggers(void)
{
    static const struct attempt attempts[] = {
        { 8, "1", "set:root=DEBUG", KERR_NONE, "" },
        { 8, "1", "set:root=FOO", KERR_INVALID_CONFIG,
          "Cannot set the log level of root to FOO as it is not a supported log level. Valid log "
          "levels "
          "are DEBUG, ERROR, FATAL, INFO, TRACE, WARN" },
        { 8, "1", "del:root", KERR_INVALID_REQUEST,
          "Removing the log level of the root logger is not allowed" },
        { 8, "1", "set:nope.logger=INFO", KERR_INVALID_CONFIG,
          "Logger nope.logger does not exist!" },
        { 8, "1", "app:root=INFO", KERR_INVALID_REQUEST,
          "APPEND operation is not allowed for the BROKER_LOGGER resource" },
        { 8, "2", "set:root=INFO", KERR_INVALID_REQUEST,
          "Unexpected node id. Expected 1, but received 2" },
        { 8, "", "set:root=INFO", KERR_INVALID_REQUEST, "Node id must be an integer, but it is: " },
        { 8, "x", "set:root=INFO", KERR_INVALID_REQUEST,
          "Node id must be an integer, but it is: x" },
    };
    RUN(attempts);
}

TEST_MAIN("config_alter", TEST(the_shape_of_a_request), TEST(dynamic_settings_of_brokers),
          TEST(loggers))
