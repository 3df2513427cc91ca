// SPDX-License-Identifier: Apache-2.0
#include "config/log_config.h"

#include "base/testing.h"
#include "config/config.h"

static void set(struct config *config, const char *name, const char *value)
{
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(
        config_set(config, CONFIG_SOURCE_STATIC_BROKER, str_of(name), str_of(value), &message));
    strbuf_fini(&message);
}

static void without_anything_it_is_the_default(void)
{
    struct log_config lc, of_broker;
    struct config *config = config_new();
    memset(&lc, 0, sizeof lc);
    memset(&of_broker, 0, sizeof of_broker);
    log_config_resolve(NULL, NULL, 0, &lc);
    log_config_resolve(config, NULL, 0, &of_broker);
    CU_ASSERT_EQUAL(memcmp(&lc, &of_broker, sizeof lc), 0);
    CU_ASSERT_EQUAL(lc.segment_bytes, 1073741824);
    CU_ASSERT_TRUE(lc.cleanup_delete && !lc.cleanup_compact);
    config_free(config);
}

static void the_brokers_settings_are_the_topics_defaults(void)
{
    struct log_config lc;
    struct config *config = config_new();
    set(config, "log.retention.minutes", "3");
    set(config, "log.cleanup.policy", "compact");
    set(config, "message.max.bytes", "2000");
    set(config, "compression.type", "lz4");
    set(config, "log.message.timestamp.type", "LogAppendTime");
    set(config, "log.cleaner.min.cleanable.ratio", "0.25");
    log_config_resolve(config, NULL, 0, &lc);
    CU_ASSERT_EQUAL(lc.retention_ms, 180000);
    CU_ASSERT_TRUE(lc.cleanup_compact && !lc.cleanup_delete);
    CU_ASSERT_EQUAL(lc.max_message_bytes, 2000);
    CU_ASSERT_EQUAL(lc.compression_type, LOG_COMPRESSION_LZ4);
    CU_ASSERT_EQUAL(lc.message_timestamp_type, LOG_TIMESTAMP_LOG_APPEND_TIME);
    CU_ASSERT_EQUAL(lc.min_cleanable_dirty_ratio, 0.25);
    const struct config_entry own[] = { { str_of("retention.ms"), str_of("-1") },
                                        { str_of("cleanup.policy"), str_of("compact,delete") },
                                        { str_of("internal.segment.bytes"), str_of("1000") },
                                        { str_of("segment.bytes"), str_of("1048576") },
                                        { str_of("from.the.future"), str_of("x") },
                                        { str_of("segment.ms"), str_of("not a number") } };
    log_config_resolve(config, own, 6, &lc);
    CU_ASSERT_EQUAL(lc.retention_ms, -1);
    CU_ASSERT_TRUE(lc.cleanup_compact && lc.cleanup_delete);
    CU_ASSERT_EQUAL(lc.segment_bytes, 1000);
    CU_ASSERT_EQUAL(lc.segment_ms, 604800000);
    CU_ASSERT_EQUAL(lc.max_message_bytes, 2000);
    config_free(config);
}

// The message, or "ok".
static const char *verdict(const struct config *config, bool had_remote, const char *const *pairs)
{
    static char shown[512];
    struct config_entry entries[8];
    size_t count = 0;
    for (; pairs[2 * count] != NULL; count++)
        entries[count] =
            (struct config_entry){ str_of(pairs[2 * count]), str_of(pairs[2 * count + 1]) };
    struct strbuf message = STRBUF_EMPTY;
    bool ok = log_config_validate(config, entries, count, had_remote, &message);
    CU_ASSERT_EQUAL(ok, message.size == 0);
    snprintf(shown, sizeof shown, "%s", ok ? "ok" : message.data);
    strbuf_fini(&message);
    return shown;
}

#define SAYS(config, had_remote, expected, ...)                                                    \
    CU_ASSERT_STRING_EQUAL(                                                                        \
        verdict(config, had_remote, (const char *const[]){ __VA_ARGS__, NULL, NULL }), expected)

static void a_topics_overrides_are_checked_with_kafkas_words(void)
{
    struct config *config = config_new();
    SAYS(config, false, "ok", "retention.ms", "1", "segment.bytes", "1048576");
    SAYS(config, false, "Unknown topic config name: retention.seconds", "retention.seconds", "1");
    SAYS(config, false,
         "Invalid value 14 for configuration segment.bytes: Value must be at least 1048576",
         "segment.bytes", "14");
    SAYS(config, false,
         "Invalid value never for configuration retention.ms: Not a number of type LONG",
         "retention.ms", "never");
    SAYS(config, false, "ok", "leader.replication.throttled.replicas", "0:1,1:2");
    SAYS(config, false, "ok", "leader.replication.throttled.replicas", "*");
    SAYS(config, false,
         "Invalid value [0:1, x] for configuration leader.replication.throttled.replicas: "
         "leader.replication.throttled.replicas must be the literal '*' or a list of replicas in "
         "the "
         "following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
         "leader.replication.throttled.replicas", "0:1,x");
    SAYS(config, false,
         "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)",
         "min.compaction.lag.ms", "10", "max.compaction.lag.ms", "5");
    config_free(config);
}

static void tiered_storage_is_refused_where_it_is_off(void)
{
    struct config *config = config_new();
    SAYS(config, false,
         "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with "
         "remote "
         "log storage.",
         "remote.storage.enable", "true");
    set(config, "remote.log.storage.system.enable", "true");
    SAYS(config, false, "ok", "remote.storage.enable", "true");
    SAYS(config, false,
         "Remote log storage only supports topics with cleanup.policy=delete or cleanup.policy "
         "being an "
         "empty list.",
         "remote.storage.enable", "true", "cleanup.policy", "compact");
    SAYS(config, false,
         "Invalid value -1 for configuration local.retention.bytes: Value must not be -1 as "
         "retention.bytes value is set as 100.",
         "remote.storage.enable", "true", "local.retention.bytes", "-1", "retention.bytes", "100");
    SAYS(config, false,
         "Invalid value 11 for configuration local.retention.ms: Value must not be more than "
         "retention.ms "
         "property value: 10",
         "remote.storage.enable", "true", "local.retention.ms", "11", "retention.ms", "10");
    SAYS(config, true, "ok", "remote.storage.enable", "false", "remote.log.delete.on.disable",
         "true");
    config_free(config);
}

TEST_MAIN("log_config", TEST(without_anything_it_is_the_default),
          TEST(the_brokers_settings_are_the_topics_defaults),
          TEST(a_topics_overrides_are_checked_with_kafkas_words),
          TEST(tiered_storage_is_refused_where_it_is_off))
