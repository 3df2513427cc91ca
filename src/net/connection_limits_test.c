// SPDX-License-Identifier: Apache-2.0
#include "net/connection_limits.h"

#include "base/testing.h"

static void an_address_has_its_own_limit(void)
{
    struct connection_limits limits;
    connection_limits_init(&limits);
    connection_limits_set(&limits, 100, 2, INT32_MAX);
    connection_limits_override(&limits, "10.0.0.9", 0);
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.1"), CONNECTION_ACCEPTED);
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.1"), CONNECTION_ACCEPTED);
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.1"), CONNECTION_REFUSED);
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.2"), CONNECTION_ACCEPTED);
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.9"), CONNECTION_REFUSED);
    CU_ASSERT_EQUAL(connection_limits_count(&limits), 3);
    connection_limits_close(&limits, "10.0.0.1");
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.1"), CONNECTION_ACCEPTED);
    connection_limits_override(&limits, "10.0.0.1", 3);
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.1"), CONNECTION_ACCEPTED);
    connection_limits_clear_overrides(&limits);
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.1"), CONNECTION_REFUSED);
    CU_ASSERT_EQUAL(connection_limits_open(&limits, "10.0.0.9"), CONNECTION_ACCEPTED);
    connection_limits_fini(&limits);
}

static void at_the_brokers_limit_one_must_end_first(void)
{
    struct connection_limits limits;
    connection_limits_init(&limits);
    connection_limits_set(&limits, 1, INT32_MAX, INT32_MAX);
    CU_ASSERT_EQUAL(connection_limits_wait_us(&limits, 1), 0);
    connection_limits_open(&limits, "a");
    CU_ASSERT_EQUAL(connection_limits_wait_us(&limits, 2), INT64_MAX);
    connection_limits_close(&limits, "a");
    CU_ASSERT_EQUAL(connection_limits_wait_us(&limits, 3), 0);
    connection_limits_fini(&limits);
}

// Ten a second: a second's worth at once, then one each 100 ms.
static void the_rate_of_new_connections_is_held(void)
{
    struct connection_limits limits;
    connection_limits_init(&limits);
    connection_limits_set(&limits, INT32_MAX, INT32_MAX, 10);
    int64_t now_us = 5000000;
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(connection_limits_wait_us(&limits, now_us), 0);
        connection_limits_open(&limits, "a");
    }
    CU_ASSERT_EQUAL(connection_limits_wait_us(&limits, now_us), 100000);
    CU_ASSERT_EQUAL(connection_limits_wait_us(&limits, now_us + 40000), 60000);
    CU_ASSERT_EQUAL(connection_limits_wait_us(&limits, now_us + 100000), 0);
    connection_limits_open(&limits, "a");
    CU_ASSERT_EQUAL(connection_limits_wait_us(&limits, now_us + 100000), 100000);
    connection_limits_fini(&limits);
}

TEST_MAIN("connection_limits", TEST(an_address_has_its_own_limit),
          TEST(at_the_brokers_limit_one_must_end_first), TEST(the_rate_of_new_connections_is_held))
