// SPDX-License-Identifier: Apache-2.0
// A group's own settings, the broker's bounds, and what holds without either.
#include "group/group_settings.h"

#include "base/arena.h"
#include "base/testing.h"
#include "coordinator/testing_log.h"

static struct config_entry entry(const char *name, const char *value)
{
    return (struct config_entry){ str_of(name), str_of(value) };
}

// Without overrides the broker's setting holds, live.
static void the_broker_decides(void)
{
    struct config *config = config_new();
    struct group_settings *settings = group_settings_new(config, NULL);
    struct str g = str_of("g");
    CU_ASSERT_EQUAL(group_settings_int(settings, g, GROUP_CONSUMER_SESSION_TIMEOUT_MS), 45000);
    CU_ASSERT_EQUAL(group_settings_int(settings, g, GROUP_CONSUMER_ASSIGNMENT_INTERVAL_MS), 1000);
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT(config_set(config, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER,
                         str_of("group.consumer.assignment.interval.ms"), str_of("7"), &message));
    CU_ASSERT_EQUAL(group_settings_int(settings, g, GROUP_CONSUMER_ASSIGNMENT_INTERVAL_MS), 7);
    CU_ASSERT_EQUAL(group_settings_int(settings, g, GROUP_SHARE_RENEW_ACKNOWLEDGE_ENABLE), 1);
    strbuf_fini(&message);
    group_settings_free(settings);
    config_free(config);
}

// What a group has of its own is held within the broker's bounds: they may be narrower than when it was set.
static void a_group_decides_within_bounds(void)
{
    struct testing_log log;
    testing_log_init(&log);
    struct group_settings *settings = group_settings_new(NULL, &log.trace);
    struct str g = str_of("g"), h = str_of("h");
    struct config_entry entries[] = { entry("consumer.session.timeout.ms", "50000"),
                                      entry("consumer.heartbeat.interval.ms", "99999"),
                                      entry("share.auto.offset.reset", "earliest"),
                                      entry("consumer.assignment.interval.ms", "nonsense"),
                                      entry("of.a.newer.release", "1") };
    group_settings_set(settings, g, entries, 5);
    CU_ASSERT_EQUAL(group_settings_int(settings, g, GROUP_CONSUMER_SESSION_TIMEOUT_MS), 50000);
    CU_ASSERT_EQUAL(group_settings_int(settings, g, GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS), 15000);
    CU_ASSERT_EQUAL(group_settings_int(settings, g, GROUP_CONSUMER_ASSIGNMENT_INTERVAL_MS), 1000);
    CU_ASSERT_EQUAL(group_settings_int(settings, h, GROUP_CONSUMER_SESSION_TIMEOUT_MS), 45000);
    struct arena arena;
    arena_init(&arena);
    CU_ASSERT(str_eqz(group_settings_str(settings, g, GROUP_SHARE_AUTO_OFFSET_RESET, &arena),
                      "earliest"));
    CU_ASSERT(
        str_eqz(group_settings_str(settings, h, GROUP_SHARE_AUTO_OFFSET_RESET, &arena), "latest"));
    group_settings_set(settings, g, NULL, 0);
    CU_ASSERT_EQUAL(group_settings_int(settings, g, GROUP_CONSUMER_SESSION_TIMEOUT_MS), 45000);
    arena_fini(&arena);
    group_settings_free(settings);
    testing_log_fini(&log);
}

TEST_MAIN("group_settings", TEST(the_broker_decides), TEST(a_group_decides_within_bounds))
