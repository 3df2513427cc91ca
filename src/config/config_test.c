// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include "base/testing.h"

static bool set(struct config *config, enum config_source layer, const char *name,
                const char *value)
{
    struct strbuf message = STRBUF_EMPTY;
    bool ok = config_set(config, layer, str_of(name), str_of(value), &message);
    CU_ASSERT_EQUAL(ok, message.size == 0);
    strbuf_fini(&message);
    return ok;
}

static void an_empty_configuration_has_kafkas_defaults(void)
{
    struct config *config = config_new();
    CU_ASSERT_EQUAL(config_int(config, CONFIG_NUM_PARTITIONS), 1);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_OFFSETS_TOPIC_REPLICATION_FACTOR), 3);
    CU_ASSERT_EQUAL(config_long(config, CONFIG_CONNECTIONS_MAX_IDLE_MS), 600000);
    CU_ASSERT_TRUE(config_bool(config, CONFIG_AUTO_CREATE_TOPICS_ENABLE));
    CU_ASSERT_EQUAL(config_double(config, CONFIG_LOG_CLEANER_MIN_CLEANABLE_RATIO), 0.5);
    CU_ASSERT_STRING_EQUAL(config_str(config, CONFIG_COMPRESSION_TYPE), "producer");
    CU_ASSERT_PTR_NULL(config_str(config, CONFIG_BROKER_RACK));
    CU_ASSERT_TRUE(config_is_null(config, CONFIG_NODE_ID));
    CU_ASSERT_STRING_EQUAL(config_list(config, CONFIG_LISTENERS).items[0], "PLAINTEXT://:9092");
    CU_ASSERT_EQUAL(config_source_of(config, CONFIG_NUM_PARTITIONS), CONFIG_SOURCE_DEFAULT);
    CU_ASSERT_FALSE(config_is_set(config, CONFIG_NUM_PARTITIONS));
    config_free(config);
}

static void the_highest_layer_shows_and_the_one_below_comes_back(void)
{
    struct config *config = config_new();
    CU_ASSERT_TRUE(set(config, CONFIG_SOURCE_STATIC_BROKER, "log.retention.ms", "1000"));
    CU_ASSERT_TRUE(set(config, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER, "log.retention.ms", "2000"));
    CU_ASSERT_TRUE(set(config, CONFIG_SOURCE_DYNAMIC_BROKER, "log.retention.ms", "3000"));
    CU_ASSERT_EQUAL(config_long(config, CONFIG_LOG_RETENTION_MS), 3000);
    CU_ASSERT_EQUAL(config_source_of(config, CONFIG_LOG_RETENTION_MS),
                    CONFIG_SOURCE_DYNAMIC_BROKER);
    CU_ASSERT_TRUE(set(config, CONFIG_SOURCE_DYNAMIC_BROKER, "log.retention.ms", NULL));
    CU_ASSERT_EQUAL(config_long(config, CONFIG_LOG_RETENTION_MS), 2000);
    struct config_entry none = { STR_NULL, STR_NULL };
    config_replace_dynamic(config, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER, &none, 0);
    CU_ASSERT_EQUAL(config_long(config, CONFIG_LOG_RETENTION_MS), 1000);
    CU_ASSERT_STRING_EQUAL(
        config_layer_value(config, CONFIG_LOG_RETENTION_MS, CONFIG_SOURCE_STATIC_BROKER)->text,
        "1000");
    CU_ASSERT_PTR_NULL(
        config_layer_value(config, CONFIG_LOG_RETENTION_MS, CONFIG_SOURCE_DYNAMIC_BROKER));
    config_free(config);
}

static void a_refused_value_changes_nothing(void)
{
    struct config *config = config_new();
    CU_ASSERT_TRUE(set(config, CONFIG_SOURCE_STATIC_BROKER, "num.partitions", "4"));
    CU_ASSERT_FALSE(set(config, CONFIG_SOURCE_STATIC_BROKER, "num.partitions", "0"));
    CU_ASSERT_EQUAL(config_int(config, CONFIG_NUM_PARTITIONS), 4);
    config_free(config);
}

static void replacing_a_dynamic_layer_keeps_drops_and_adds(void)
{
    struct config *config = config_new();
    const struct config_entry first[] = { { str_of("log.segment.bytes"), str_of("2097152") },
                                          { str_of("min.insync.replicas"), str_of("2") } };
    const struct config_entry second[] = { { str_of("log.segment.bytes"), str_of("4194304") },
                                           { str_of("message.max.bytes"), str_of("not a number") },
                                           { str_of("leader.replication.throttled.rate"),
                                             str_of("1") } };
    config_replace_dynamic(config, CONFIG_SOURCE_DYNAMIC_BROKER, first, 2);
    const char *before = config_value_of(config, CONFIG_LOG_SEGMENT_BYTES)->text;
    config_replace_dynamic(config, CONFIG_SOURCE_DYNAMIC_BROKER, second, 3);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_LOG_SEGMENT_BYTES), 4194304);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_MIN_INSYNC_REPLICAS), 1);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_MESSAGE_MAX_BYTES), 1048588);
    CU_ASSERT_STRING_EQUAL(before, "2097152"); // a replaced value stays readable
    config_free(config);
}

static void names_that_are_no_key_are_kept_aside(void)
{
    struct config *config = config_new();
    const char *name, *value;
    CU_ASSERT_TRUE(
        set(config, CONFIG_SOURCE_STATIC_BROKER, "listener.name.x.ssl.client.auth", "required"));
    CU_ASSERT_TRUE(set(config, CONFIG_SOURCE_STATIC_BROKER, "zookeeper.connect", "z:2181"));
    CU_ASSERT_TRUE(set(config, CONFIG_SOURCE_STATIC_BROKER, "zookeeper.connect", "z:2182"));
    CU_ASSERT_STRING_EQUAL(config_extra(config, "zookeeper.connect"), "z:2182");
    CU_ASSERT_TRUE(config_extra_at(config, 0, &name, &value));
    CU_ASSERT_STRING_EQUAL(name, "listener.name.x.ssl.client.auth");
    CU_ASSERT_TRUE(
        set(config, CONFIG_SOURCE_STATIC_BROKER, "listener.name.x.ssl.client.auth", NULL));
    CU_ASSERT_TRUE(config_extra_at(config, 0, &name, &value));
    CU_ASSERT_STRING_EQUAL(name, "zookeeper.connect");
    CU_ASSERT_FALSE(config_extra_at(config, 1, &name, &value));
    CU_ASSERT_PTR_NULL(config_extra(config, "missing"));
    config_free(config);
}

static void times_come_from_the_finest_unit_that_is_set(void)
{
    struct config *config = config_new();
    CU_ASSERT_EQUAL(config_log_retention_ms(config), 168 * 3600000LL);
    set(config, CONFIG_SOURCE_STATIC_BROKER, "log.retention.hours", "2");
    CU_ASSERT_EQUAL(config_log_retention_ms(config), 2 * 3600000LL);
    set(config, CONFIG_SOURCE_STATIC_BROKER, "log.retention.minutes", "5");
    CU_ASSERT_EQUAL(config_log_retention_ms(config), 300000);
    set(config, CONFIG_SOURCE_STATIC_BROKER, "log.retention.ms", "-5");
    CU_ASSERT_EQUAL(config_log_retention_ms(config), -1);
    set(config, CONFIG_SOURCE_STATIC_BROKER, "log.roll.hours", "3");
    CU_ASSERT_EQUAL(config_log_roll_ms(config), 3 * 3600000LL);
    set(config, CONFIG_SOURCE_STATIC_BROKER, "log.roll.ms", "3");
    CU_ASSERT_EQUAL(config_log_roll_ms(config), 3);
    set(config, CONFIG_SOURCE_STATIC_BROKER, "log.flush.scheduler.interval.ms", "3000");
    CU_ASSERT_EQUAL(config_log_flush_ms(config), 3000);
    CU_ASSERT_STRING_EQUAL(config_metadata_log_dir(config), "/tmp/kafka-logs");
    set(config, CONFIG_SOURCE_STATIC_BROKER, "log.dirs", "/d1,/d2");
    CU_ASSERT_STRING_EQUAL(config_metadata_log_dir(config), "/d1");
    CU_ASSERT_EQUAL(config_log_dirs(config).count, 2);
    config_free(config);
}

TEST_MAIN("config", TEST(an_empty_configuration_has_kafkas_defaults),
          TEST(the_highest_layer_shows_and_the_one_below_comes_back),
          TEST(a_refused_value_changes_nothing),
          TEST(replacing_a_dynamic_layer_keeps_drops_and_adds),
          TEST(names_that_are_no_key_are_kept_aside),
          TEST(times_come_from_the_finest_unit_that_is_set))
