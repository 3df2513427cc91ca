// SPDX-License-Identifier: Apache-2.0
#include "config/config_describe.h"

#include "base/testing.h"

#define BROKER(line) line,
#define TOPIC(line)
#define GROUP(line)
#define METRICS(line)
static const char *const broker_lines[] = {
#include "config/config_describe_cases.def"
};
#undef BROKER
#undef TOPIC
#define BROKER(line)
#define TOPIC(line) line,
static const char *const topic_lines[] = {
#include "config/config_describe_cases.def"
};
#undef TOPIC
#undef GROUP
#define TOPIC(line)
#define GROUP(line) line,
static const char *const group_lines[] = {
#include "config/config_describe_cases.def"
};
#undef GROUP
#undef METRICS
#define GROUP(line)
#define METRICS(line) line,
static const char *const metrics_lines[] = {
#include "config/config_describe_cases.def"
};

static struct arena arena;

static void set(struct config *config, enum config_source layer, const char *name,
                const char *value)
{
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(config_set(config, layer, str_of(name), str_of(value), &message));
    strbuf_fini(&message);
}

// As the broker that was asked.
static struct config *begin(void)
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
                                        "log.dirs",
                                        "/data",
                                        "offsets.topic.replication.factor",
                                        "1",
                                        "offsets.topic.num.partitions",
                                        "5",
                                        "transaction.state.log.replication.factor",
                                        "1",
                                        "transaction.state.log.num.partitions",
                                        "5",
                                        "transaction.state.log.min.isr",
                                        "1",
                                        "share.coordinator.state.topic.replication.factor",
                                        "1",
                                        "share.coordinator.state.topic.num.partitions",
                                        "5",
                                        "share.coordinator.state.topic.min.isr",
                                        "1",
                                        "group.initial.rebalance.delay.ms",
                                        "0",
                                        NULL };
    struct config *config = config_new();
    for (const char *const *at = file; *at != NULL; at += 2)
        set(config, CONFIG_SOURCE_STATIC_BROKER, at[0], at[1]);
    set(config, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER, "min.insync.replicas", "1");
    arena_init(&arena);
    return config;
}

static void end(struct config *config)
{
    config_free(config);
    arena_fini(&arena);
}

static const char *bool_text(bool b)
{
    return b ? "true" : "false";
}

static const char *line_of(const struct config_description *d)
{
    struct strbuf out = STRBUF_EMPTY;
    strbuf_printf(&out, "%s = %s src=%d ro=%s sens=%s t=%d [", d->name,
                  d->value == NULL ? "null" : d->value, d->source, bool_text(d->read_only),
                  bool_text(d->is_sensitive), d->type);
    for (size_t i = 0; i < d->synonyms_count; i++)
        strbuf_printf(&out, "%s=%s:%d ", d->synonyms[i].name,
                      d->synonyms[i].value == NULL ? "null" : d->synonyms[i].value,
                      d->synonyms[i].source);
    strbuf_add_char(&out, ']');
    const char *line = arena_str(&arena, strbuf_str(&out)).data;
    strbuf_fini(&out);
    return line;
}

static void compare(const struct config_question *question, const char *const *lines, size_t count)
{
    struct config_descriptions out;
    const char *message;
    CU_ASSERT_EQUAL(config_describe(question, &arena, &out, &message), KERR_NONE);
    CU_ASSERT_EQUAL_FATAL(out.count, count);
    for (size_t i = 0; i < count; i++) {
        const char *line = line_of(&out.items[i]);
        CU_ASSERT_STRING_EQUAL(line, lines[i]);
        if (strcmp(line, lines[i]) != 0)
            fprintf(stderr, "expected %s\ngot      %s\n", lines[i], line);
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void everything_is_described_as_by_the_real_broker(void)
{
    struct config *config = begin();
    const struct config_entry own[] = { { str_of("retention.ms"), str_of("1000") },
                                        { str_of("cleanup.policy"), str_of("compact") } };
    compare(&(struct config_question){ .config = config,
                                       .type = CONFIG_RESOURCE_BROKER,
                                       .name = str_of("1") },
            broker_lines, COUNT(broker_lines));
    compare(&(struct config_question){ .config = config,
                                       .type = CONFIG_RESOURCE_TOPIC,
                                       .name = str_of("t1"),
                                       .overrides = own,
                                       .overrides_count = 2 },
            topic_lines, COUNT(topic_lines));
    compare(&(struct config_question){ .config = config,
                                       .type = CONFIG_RESOURCE_GROUP,
                                       .name = str_of("g") },
            group_lines, COUNT(group_lines));
    compare(&(struct config_question){ .config = config,
                                       .type = CONFIG_RESOURCE_CLIENT_METRICS,
                                       .name = str_of("m") },
            metrics_lines, COUNT(metrics_lines));
    end(config);
}

// One setting of a resource.
static const char *one(const struct config *config, enum config_resource type, const char *name,
                       const struct config_entry *own, size_t own_count, const char *key)
{
    struct config_descriptions out;
    const char *message;
    struct str keys[] = { str_of(key) };
    struct config_question question = { .config = config,
                                        .type = type,
                                        .name = str_of(name),
                                        .overrides = own,
                                        .overrides_count = own_count,
                                        .keys = keys,
                                        .keys_count = 1 };
    CU_ASSERT_EQUAL(config_describe(&question, &arena, &out, &message), KERR_NONE);
    return out.count == 1 ? line_of(&out.items[0]) : "none";
}

static void overrides_and_layers_show_as_synonyms(void)
{
    struct config *config = begin();
    const struct config_entry topic[] = {
        { str_of("internal.segment.bytes"), str_of("1000") },
        { str_of("leader.replication.throttled.replicas"), str_of("0:1,1:2,2:2") },
        { str_of("cleanup.policy"), str_of("delete,delete") },
    };
    const struct config_entry group[] = {
        { str_of("consumer.session.timeout.ms"), str_of("46000") },
        { str_of("share.auto.offset.reset"), str_of("by_duration:PT1H") }
    };
    CU_ASSERT_STRING_EQUAL(
        one(config, CONFIG_RESOURCE_TOPIC, "t1", topic, 3, "internal.segment.bytes"),
        "internal.segment.bytes = 1000 src=1 ro=false sens=false t=3 "
        "[internal.segment.bytes=1000:1 ]");
    CU_ASSERT_STRING_EQUAL(
        one(config, CONFIG_RESOURCE_TOPIC, "t1", NULL, 0, "internal.segment.bytes"), "none");
    CU_ASSERT_STRING_EQUAL(
        one(config, CONFIG_RESOURCE_TOPIC, "t1", topic, 3, "leader.replication.throttled.replicas"),
        "leader.replication.throttled.replicas = 0:1,1:2,2:2 src=1 ro=false sens=false t=7 "
        "[leader.replication.throttled.replicas=0:1,1:2,2:2:1 ]");
    CU_ASSERT_STRING_EQUAL(one(config, CONFIG_RESOURCE_TOPIC, "t1", topic, 3, "cleanup.policy"),
                           "cleanup.policy = delete src=1 ro=false sens=false t=7 "
                           "[cleanup.policy=delete:1 log.cleanup.policy=delete:5 ]");
    CU_ASSERT_STRING_EQUAL(
        one(config, CONFIG_RESOURCE_GROUP, "g", group, 2, "consumer.session.timeout.ms"),
        "consumer.session.timeout.ms = 46000 src=8 ro=false sens=false t=3 "
        "[consumer.session.timeout.ms=46000:8 group.consumer.session.timeout.ms=45000:5 ]");
    CU_ASSERT_STRING_EQUAL(
        one(config, CONFIG_RESOURCE_GROUP, "g", group, 2, "share.auto.offset.reset"),
        "share.auto.offset.reset = by_duration:PT1H src=8 ro=false sens=false t=2 "
        "[share.auto.offset.reset=by_duration:PT1H:8 "
        "share.auto.offset.reset=latest:5 ]");
    set(config, CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER, "log.retention.ms", "2000");
    CU_ASSERT_STRING_EQUAL(one(config, CONFIG_RESOURCE_BROKER, "1", NULL, 0, "log.retention.ms"),
                           "log.retention.ms = 2000 src=3 ro=false sens=false t=5 "
                           "[log.retention.ms=2000:3 log.retention.hours=168:5 ]");
    CU_ASSERT_STRING_EQUAL(one(config, CONFIG_RESOURCE_BROKER, "1", NULL, 0, "log.retention.hours"),
                           "log.retention.hours = 168 src=5 ro=true sens=false t=3 "
                           "[log.retention.hours=168:5 ]");
    CU_ASSERT_STRING_EQUAL(one(config, CONFIG_RESOURCE_TOPIC, "t1", NULL, 0, "retention.ms"),
                           "retention.ms = 2000 src=3 ro=false sens=false t=5 "
                           "[log.retention.ms=2000:3 log.retention.hours=168:5 ]");
    end(config);
}

static void what_is_no_key_is_hidden(void)
{
    struct config *config = begin();
    set(config, CONFIG_SOURCE_STATIC_BROKER, "zookeeper.connect", "z:2181");
    const struct config_entry cluster[] = {
        { str_of("zz"), str_of("3") },
        { str_of("leader.replication.throttled.rate"), str_of("1000") },
        { str_of("unclean.leader.election.enable"), str_of("true") },
    };
    CU_ASSERT_STRING_EQUAL(one(config, CONFIG_RESOURCE_BROKER, "1", NULL, 0, "zookeeper.connect"),
                           "zookeeper.connect = null src=4 ro=true sens=true t=0 "
                           "[zookeeper.connect=null:4 ]");
    CU_ASSERT_STRING_EQUAL(one(config, CONFIG_RESOURCE_BROKER, "", cluster, 3, "zz"),
                           "zz = null src=3 ro=true sens=true t=0 [zz=null:3 ]");
    CU_ASSERT_STRING_EQUAL(
        one(config, CONFIG_RESOURCE_BROKER, "", cluster, 3, "leader.replication.throttled.rate"),
        "leader.replication.throttled.rate = 1000 src=3 ro=false sens=false t=5 "
        "[leader.replication.throttled.rate=1000:3 ]");
    CU_ASSERT_STRING_EQUAL(
        one(config, CONFIG_RESOURCE_BROKER, "", cluster, 3, "unclean.leader.election.enable"),
        "unclean.leader.election.enable = true src=3 ro=false sens=false t=1 "
        "[unclean.leader.election.enable=true:3 ]");
    struct str rate = str_of("leader.replication.throttled.rate");
    struct config_question question = { .config = config,
                                        .type = CONFIG_RESOURCE_BROKER,
                                        .name = str_of("1"),
                                        .cluster = cluster,
                                        .cluster_count = 3,
                                        .keys = &rate,
                                        .keys_count = 1 };
    struct config_descriptions out;
    const char *message;
    CU_ASSERT_EQUAL(config_describe(&question, &arena, &out, &message), KERR_NONE);
    CU_ASSERT_EQUAL_FATAL(out.count, 1);
    CU_ASSERT_STRING_EQUAL(line_of(&out.items[0]),
                           "leader.replication.throttled.rate = 1000 src=3 ro=false sens=false t=5 "
                           "[leader.replication.throttled.rate=1000:3 ]");
    set(config, CONFIG_SOURCE_STATIC_BROKER, "ssl.key.password", "secret");
    CU_ASSERT_STRING_EQUAL(one(config, CONFIG_RESOURCE_BROKER, "1", NULL, 0, "ssl.key.password"),
                           "ssl.key.password = null src=4 ro=false sens=true t=9 "
                           "[ssl.key.password=null:4 ]");
    end(config);
}

static void wrong_questions_are_refused(void)
{
    static const struct {
        enum config_resource type;
        const char *name, *message;
    } tries[] = {
        { CONFIG_RESOURCE_BROKER, "2",
          "Unexpected broker id, expected 1 or empty string, but received 2" },
        { CONFIG_RESOURCE_BROKER, "x", "Broker id must be an integer, but it is: x" },
        { CONFIG_RESOURCE_BROKER_LOGGER, "", "Broker id must not be empty" },
        { CONFIG_RESOURCE_BROKER_LOGGER, "2", "Unexpected broker id, expected 1 but received 2" },
        { CONFIG_RESOURCE_BROKER_LOGGER, "x", "Broker id must be an integer, but it is: x" },
        { CONFIG_RESOURCE_CLIENT_METRICS, "",
          "Client metrics subscription name must not be empty" },
        { CONFIG_RESOURCE_GROUP, "", "Group name must not be empty" },
    };
    struct config *config = begin();
    for (size_t i = 0; i < COUNT(tries); i++) {
        struct config_question question = { .config = config,
                                            .type = tries[i].type,
                                            .name = str_of(tries[i].name) };
        struct config_descriptions out;
        const char *message = "";
        CU_ASSERT_EQUAL(config_describe(&question, &arena, &out, &message), KERR_INVALID_REQUEST);
        CU_ASSERT_STRING_EQUAL(message, tries[i].message);
        CU_ASSERT_EQUAL(out.count, 0);
    }
    end(config);
}

static void every_setting_has_a_sentence(void)
{
    for (int key = 0; key < CONFIG_KEY_COUNT; key++)
        CU_ASSERT_TRUE(config_def_of((enum config_key)key)->internal ||
                       config_doc((enum config_key)key)[0] != '\0');
    for (int key = 0; key < TOPIC_KEY_COUNT; key++)
        CU_ASSERT_TRUE(topic_def_of((enum topic_key)key)->internal ||
                       topic_doc((enum topic_key)key)[0] != '\0');
    for (int key = 0; key < GROUP_KEY_COUNT; key++)
        CU_ASSERT_TRUE(group_doc((enum group_key)key)[0] != '\0');
}

TEST_MAIN("config_describe", TEST(everything_is_described_as_by_the_real_broker),
          TEST(overrides_and_layers_show_as_synonyms), TEST(what_is_no_key_is_hidden),
          TEST(wrong_questions_are_refused), TEST(every_setting_has_a_sentence))
