// SPDX-License-Identifier: Apache-2.0
// What is bound and what is told; what Kafka refuses is in config_load_cases.def.
#include "config/listeners.h"

#include "base/testing.h"

// "NAME PROTOCOL host:port>advertised:port[ controller]" of each, or "! message".
static const char *resolved(const char *const *pairs)
{
    static char shown[600];
    struct config *config = config_new();
    struct strbuf message = STRBUF_EMPTY;
    struct listeners listeners;
    static const char *const always[] = { "process.roles",
                                          "broker,controller",
                                          "node.id",
                                          "1",
                                          "controller.listener.names",
                                          "C",
                                          "listeners",
                                          "PLAINTEXT://:9092,C://:9093",
                                          NULL };
    const char *const *from[] = { always, pairs };
    for (int i = 0; i < 2; i++)
        for (const char *const *at = from[i]; *at != NULL; at += 2)
            CU_ASSERT_TRUE(config_set(config, CONFIG_SOURCE_STATIC_BROKER, str_of(at[0]),
                                      str_of(at[1]), &message));
    size_t size = 0;
    shown[0] = '\0';
    if (!listeners_resolve(config, &listeners, &message)) {
        snprintf(shown, sizeof shown, "! %s", message.data);
    } else {
        for (size_t i = 0; i < listeners.count; i++) {
            const struct listener *l = &listeners.items[i];
            size += (size_t)snprintf(shown + size, sizeof shown - size, "%s%s %s %s:%d",
                                     i > 0 ? "|" : "", l->name, listener_protocol_name(l->protocol),
                                     l->host, l->port);
            if (l->is_advertised)
                size += (size_t)snprintf(shown + size, sizeof shown - size, ">%s:%d",
                                         l->advertised_host, l->advertised_port);
            if (l->is_controller)
                size += (size_t)snprintf(shown + size, sizeof shown - size, " controller");
        }
    }
    listeners_fini(&listeners);
    config_free(config);
    strbuf_fini(&message);
    return shown;
}

#define IS(expected, ...)                                                                          \
    CU_ASSERT_STRING_EQUAL(resolved((const char *const[]){ __VA_ARGS__, NULL }), expected)

static void advertised_is_as_bound_unless_told(void)
{
    IS("PLAINTEXT PLAINTEXT :9092>:9092|C PLAINTEXT :9093>:9093 controller", "broker.rack", "r");
    IS("PLAINTEXT PLAINTEXT 0.0.0.0:9092>k.example.com:19092|C PLAINTEXT :9093>:9093 controller",
       "listeners", "PLAINTEXT://0.0.0.0:9092,C://:9093", "advertised.listeners",
       "PLAINTEXT://k.example.com:19092");
    IS("PLAINTEXT PLAINTEXT :9092>a:1|C PLAINTEXT :9093>b:2 controller", "advertised.listeners",
       "PLAINTEXT://a:1,C://b:2");
    IS("PLAINTEXT PLAINTEXT ::1:0>::1:0|C PLAINTEXT :0>:0 controller", "listeners",
       "PLAINTEXT://[::1]:0,C://:0");
}

static void some_listeners_may_not_be_told(void)
{
    IS("PLAINTEXT PLAINTEXT :1>a:1|X SASL_SSL :2|C PLAINTEXT :9093>:9093 controller", "listeners",
       "PLAINTEXT://:1,X://:2,C://:9093", "listener.security.protocol.map",
       "X:sasl_ssl,C:PLAINTEXT,plaintext:PLAINTEXT", "advertised.listeners", "PLAINTEXT://a:1");
}

static void a_voter_is_where_the_quorum_says(void)
{
    IS("PLAINTEXT PLAINTEXT :9092>:9092|C PLAINTEXT :9093>q:7 controller",
       "controller.quorum.voters", "1@q:7");
    IS("PLAINTEXT PLAINTEXT :9092>:9092|C PLAINTEXT 0.0.0.0:9093>q:7 controller", "listeners",
       "PLAINTEXT://:9092,C://0.0.0.0:9093", "controller.quorum.voters", "1@q:7");
    IS("PLAINTEXT PLAINTEXT :9092>:9092|C PLAINTEXT h:9093>h:9093 controller", "listeners",
       "PLAINTEXT://:9092,C://h:9093", "controller.quorum.voters", "1@q:7");
}

static void a_listener_may_have_settings_of_its_own(void)
{
    struct config *config = config_new();
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(config_set(config, CONFIG_SOURCE_STATIC_BROKER,
                              str_of("listener.name.ext.max.connections"), str_of("10"), &message));
    CU_ASSERT_STRING_EQUAL(listener_setting(config, "EXT", CONFIG_MAX_CONNECTIONS), "10");
    CU_ASSERT_STRING_EQUAL(listener_setting(config, "INT", CONFIG_MAX_CONNECTIONS), "2147483647");
    strbuf_fini(&message);
    config_free(config);
}

TEST_MAIN("listeners", TEST(advertised_is_as_bound_unless_told),
          TEST(some_listeners_may_not_be_told), TEST(a_voter_is_where_the_quorum_says),
          TEST(a_listener_may_have_settings_of_its_own))
