// SPDX-License-Identifier: Apache-2.0
// What a value may be, and Kafka's words when it is not: every message here was given by a 4.3.1
// broker.
#include "config/config.h"

#include "base/mem.h"
#include "base/testing.h"

// The value's text, or "! message".
static const char *parsed(const char *name, const char *text)
{
    static char shown[512];
    enum config_key key;
    struct strbuf message = STRBUF_EMPTY;
    if (!config_key_find(str_of(name), &key))
        return "? no such key";
    struct config_value *value = config_value_parse(config_def_of(key), str_of(text), &message);
    if (value == NULL)
        snprintf(shown, sizeof shown, "! %s", message.data);
    else
        snprintf(shown, sizeof shown, "%s", value->text == NULL ? "(null)" : value->text);
    mem_free(value);
    strbuf_fini(&message);
    return shown;
}

#define IS(name, text, expected) CU_ASSERT_STRING_EQUAL(parsed(name, text), expected)

static void every_default_is_a_valid_value(void)
{
    struct strbuf message = STRBUF_EMPTY;
    for (int key = 0; key < TOPIC_KEY_COUNT; key++) {
        const struct config_def *def = topic_def_of((enum topic_key)key);
        struct config_value *value = config_value_parse(def, str_of(def->default_text), &message);
        CU_ASSERT_PTR_NOT_NULL(value);
        mem_free(value);
    }
    for (int key = 0; key < GROUP_KEY_COUNT; key++) {
        const struct config_def *def = group_def_of((enum group_key)key);
        struct config_value *value = config_value_parse(def, str_of(def->default_text), &message);
        CU_ASSERT_PTR_NOT_NULL(value);
        mem_free(value);
    }
    struct config *config = config_new(); // must-checks the brokers' ones
    config_free(config);
    CU_ASSERT_EQUAL(message.size, 0);
    strbuf_fini(&message);
}

static void all_keys_of_kafka_are_there_and_found_by_name(void)
{
    int shown = 0;
    for (int key = 0; key < CONFIG_KEY_COUNT; key++) {
        enum config_key found;
        const struct config_def *def = config_def_of((enum config_key)key);
        shown += !def->internal;
        CU_ASSERT_TRUE(config_key_find(str_of(def->name), &found) && (int)found == key);
    }
    CU_ASSERT_EQUAL(shown, 340);
    CU_ASSERT_EQUAL(TOPIC_KEY_COUNT, 33 + 1);
    CU_ASSERT_EQUAL(GROUP_KEY_COUNT, 17);
    enum config_key none;
    CU_ASSERT_FALSE(config_key_find(str_of("num.partition"), &none));
    CU_ASSERT_FALSE(config_key_find(str_of(""), &none));
}

static void numbers_are_read_as_java_reads_them(void)
{
    IS("num.partitions", " 7 ", "7");
    IS("num.partitions", "+7", "7");
    IS("num.partitions", "007", "7");
    IS("num.partitions", "abc",
       "! Invalid value abc for configuration num.partitions: Not a number of type INT");
    IS("num.partitions", "",
       "! Invalid value  for configuration num.partitions: Not a number of type INT");
    IS("num.partitions", "1.5",
       "! Invalid value 1.5 for configuration num.partitions: Not a number of type INT");
    IS("num.partitions", "2147483648",
       "! Invalid value 2147483648 for configuration num.partitions: Not a number of type INT");
    IS("num.partitions", "0",
       "! Invalid value 0 for configuration num.partitions: Value must be at least 1");
    IS("offsets.topic.replication.factor", "40000",
       "! Invalid value 40000 for configuration offsets.topic.replication.factor: Not a number of "
       "type SHORT");
    IS("log.retention.bytes", "9223372036854775807", "9223372036854775807");
    IS("log.retention.bytes", "9223372036854775808",
       "! Invalid value 9223372036854775808 for configuration log.retention.bytes: Not a number of "
       "type LONG");
    IS("compression.lz4.level", "18",
       "! Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17");
    IS("compression.zstd.level", "-131073",
       "! Invalid value -131073 for configuration compression.zstd.level: Value must be at least "
       "-131072");
    IS("compression.gzip.level", "-1", "-1");
    IS("compression.gzip.level", "0",
       "! Invalid value 0 for configuration compression.gzip.level: "
       "Value must be between 1 and 9 or equal to -1");
}

static void doubles_are_shown_as_java_shows_them(void)
{
    IS("log.cleaner.min.cleanable.ratio", "0.50", "0.5");
    IS("log.cleaner.min.cleanable.ratio", "1", "1.0");
    IS("log.cleaner.min.cleanable.ratio", "0.0001", "1.0E-4");
    IS("log.cleaner.min.cleanable.ratio", "1e-3", "0.001");
    IS("log.cleaner.min.cleanable.ratio", "0.25d", "0.25");
    IS("log.cleaner.min.cleanable.ratio", "1.1",
       "! Invalid value 1.1 for configuration log.cleaner.min.cleanable.ratio: Value must be no "
       "more than 1");
    IS("log.cleaner.min.cleanable.ratio", "half",
       "! Invalid value half for configuration log.cleaner.min.cleanable.ratio: Not a number of "
       "type DOUBLE");
    IS("log.cleaner.io.max.bytes.per.second", "1.7976931348623157E308", "1.7976931348623157E308");
    IS("log.cleaner.io.max.bytes.per.second", "12345678", "1.2345678E7");
    IS("log.cleaner.io.max.bytes.per.second", "1234567", "1234567.0");
    IS("log.cleaner.io.max.bytes.per.second", "100", "100.0");
    IS("log.cleaner.io.max.bytes.per.second", "12.5", "12.5");
    IS("log.cleaner.io.max.bytes.per.second", "-0", "-0.0");
}

static void booleans_in_any_case(void)
{
    IS("delete.topic.enable", "TRUE", "true");
    IS("delete.topic.enable", " False ", "false");
    IS("delete.topic.enable", "yes",
       "! Invalid value yes for configuration delete.topic.enable: "
       "Expected value to be either true or false");
}

static void strings_from_a_set(void)
{
    IS("compression.type", "zstd", "zstd");
    IS("compression.type", "brotli",
       "! Invalid value brotli for configuration compression.type: String must be one of: "
       "uncompressed, zstd, lz4, snappy, gzip, producer");
    IS("log.message.timestamp.type", "createtime",
       "! Invalid value createtime for configuration log.message.timestamp.type: String must be "
       "one of: "
       "CreateTime, LogAppendTime");
    IS("group.consumer.migration.policy", "Upgrade", "Upgrade");
    IS("remote.log.storage.manager.impl.prefix", "",
       "! Invalid value  for configuration remote.log.storage.manager.impl.prefix: String must be "
       "non-empty");
}

static void lists_are_split_trimmed_and_without_repetition(void)
{
    IS("log.dirs", " /a , /b,/a", "/a,/b");
    IS("log.dirs", "/a,,/b", "! Configuration 'log.dirs' values must not be empty.");
    IS("log.dirs", "",
       "! Configuration 'log.dirs' must not be empty. Valid values include: any non-empty value");
    IS("log.cleanup.policy", "", "");
    IS("log.cleanup.policy", "compact, delete", "compact,delete");
    IS("log.cleanup.policy", "shred",
       "! Invalid value shred for configuration log.cleanup.policy: String must be one of: "
       "compact, delete");
    IS("process.roles", "",
       "! Configuration 'process.roles' must not be empty. Valid values include: [broker, "
       "controller]");
    IS("process.roles", "zookeeper",
       "! Invalid value zookeeper for configuration process.roles: String must be one of: broker, "
       "controller");
}

static void voters_and_servers(void)
{
    IS("controller.quorum.voters", "1@localhost:9093,2@[::1]:9093",
       "1@localhost:9093,2@[::1]:9093");
    IS("controller.quorum.voters", "localhost:9093",
       "! Invalid configuration value for controller.quorum.voters. Each entry should be in the "
       "form "
       "`{id}@{host}:{port}`.");
    IS("controller.quorum.voters", "1@localhost",
       "! Failed to parse host name from entry 1@localhost for the configuration "
       "controller.quorum.voters. "
       "Each entry should be in the form `{id}@{host}:{port}`.");
    IS("controller.quorum.bootstrap.servers", "localhost:9093", "localhost:9093");
    IS("controller.quorum.bootstrap.servers", "localhost",
       "! Failed to parse host name from localhost for the configuration "
       "controller.quorum.bootstrap.servers. "
       "Each entry should be in the form \"{host}:{port}\"");
}

static void hosts_and_ports(void)
{
    struct str host;
    int32_t port;
    CU_ASSERT_TRUE(config_host_port(str_of("PLAINTEXT://[2001:db8::1]:9092"), &host, &port));
    CU_ASSERT_TRUE(str_eqz(host, "2001:db8::1"));
    CU_ASSERT_EQUAL(port, 9092);
    CU_ASSERT_TRUE(config_host_port(str_of(":9092"), &host, &port));
    CU_ASSERT_EQUAL(host.size, 0);
    CU_ASSERT_FALSE(config_host_port(str_of("host:"), &host, &port));
    CU_ASSERT_FALSE(config_host_port(str_of("host:+1"), &host, &port));
    CU_ASSERT_FALSE(config_host_port(str_of("ho st:1"), &host, &port));
    CU_ASSERT_FALSE(config_host_port(str_of(""), &host, &port));
}

TEST_MAIN("config_def", TEST(every_default_is_a_valid_value),
          TEST(all_keys_of_kafka_are_there_and_found_by_name),
          TEST(numbers_are_read_as_java_reads_them), TEST(doubles_are_shown_as_java_shows_them),
          TEST(booleans_in_any_case), TEST(strings_from_a_set),
          TEST(lists_are_split_trimmed_and_without_repetition), TEST(voters_and_servers),
          TEST(hosts_and_ports))
