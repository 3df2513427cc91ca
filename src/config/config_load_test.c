// SPDX-License-Identifier: Apache-2.0
#include "config/config_load.h"

#include "base/disk_posix.h"
#include "base/clock_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "config/properties.h"

static char folder[256];
static char path[300];

static void write_file(const char *name, const char *text)
{
    char full[300];
    snprintf(full, sizeof full, "%s/%s", folder, name);
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), full, text, strlen(text)), 0);
}

static void open_folder(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    snprintf(path, sizeof path, "%s/server.properties", folder);
}

static void close_folder(void)
{
    CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), folder), 0);
}

static const char *fake_environment(const char *name)
{
    return strcmp(name, "PARTITIONS") == 0 ? "9" : NULL;
}

// Loads `text` as a file with these overrides; the message without the file's name in `said`.
static struct config *load(const char *text, const char *const *overrides, size_t count,
                           char said[600])
{
    write_file("server.properties", text);
    struct config_source_files from = { disk_posix(), path, overrides, count, fake_environment };
    struct strbuf message = STRBUF_EMPTY;
    struct config *config = config_load(&from, &message);
    CU_ASSERT_EQUAL(config == NULL, message.size > 0);
    said[0] = '\0';
    if (config == NULL) {
        CU_ASSERT_EQUAL(strncmp(message.data, path, strlen(path)), 0);
        CU_ASSERT_PTR_NULL(strchr(message.data, '\n'));
        snprintf(said, 600, "%s", message.data + strlen(path) + 2);
    }
    strbuf_fini(&message);
    return config;
}

static const char base[] = "process.roles=broker,controller\n"
                           "node.id=1\n"
                           "controller.listener.names=CONTROLLER\n"
                           "controller.quorum.bootstrap.servers=localhost:9093\n"
                           "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n";

static const struct {
    const char *changes;
    const char *expected;
} files[] = {
#include "config/config_load_cases.def"
};

// The base file with the changes of a case.
static void changed(const char *changes, struct strbuf *out)
{
    struct properties p = PROPERTIES_EMPTY, kept = PROPERTIES_EMPTY;
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(properties_parse(&p, str_of(base), &message));
    for (const char *at = changes; at != NULL;) {
        const char *end = strstr(at, " ; ");
        size_t size = end == NULL ? strlen(at) : (size_t)(end - at);
        const char *equals = memchr(at, '=', size);
        if (at[0] == '-')
            properties_set(&p, (struct str){ at + 1, size - 1 }, str_of("TAKEN AWAY"));
        else
            properties_set(&p, (struct str){ at, (size_t)(equals - at) },
                           (struct str){ equals + 1, size - (size_t)(equals + 1 - at) });
        at = end == NULL ? NULL : end + 3;
    }
    for (size_t i = 0; i < p.count; i++)
        if (strcmp(p.items[i].value, "TAKEN AWAY") != 0)
            properties_set(&kept, str_of(p.items[i].name), str_of(p.items[i].value));
    properties_format(&kept, out);
    properties_fini(&p);
    properties_fini(&kept);
    strbuf_fini(&message);
}

// Every file is taken or refused as Kafka does; ours may add, in parentheses, what is allowed.
static void files_are_taken_and_refused_as_kafka_does(void)
{
    open_folder();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct strbuf text = STRBUF_EMPTY;
        char said[600];
        changed(files[i].changes, &text);
        struct config *config = load(text.data, NULL, 0, said);
        const char *got = config != NULL ? "ok" : said;
        size_t size = strlen(files[i].expected);
        bool same = strncmp(got, files[i].expected, size) == 0 &&
                    (got[size] == '\0' || strncmp(got + size, " (", 2) == 0);
        CU_ASSERT_TRUE(same);
        if (!same)
            fprintf(stderr, "%s\n  expected %s\n  got      %s\n", files[i].changes,
                    files[i].expected, got);
        config_free(config);
        strbuf_fini(&text);
    }
    close_folder();
}

static void a_refusal_is_one_line_that_says_what_is_allowed(void)
{
    char said[600];
    open_folder();
    CU_ASSERT_PTR_NULL(load("node.id=1\nnum.partitions=none\n", NULL, 0, said));
    CU_ASSERT_STRING_EQUAL(said,
                           "Invalid value none for configuration num.partitions: Not a number of "
                           "type INT (num.partitions: INT, valid: [1,...])");
    CU_ASSERT_PTR_NULL(load("a=\\u12\n", NULL, 0, said));
    CU_ASSERT_STRING_EQUAL(said, "line 1: Malformed \\uxxxx encoding.");
    struct config_source_files from = { disk_posix(), "/no/such/file", NULL, 0, NULL };
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_PTR_NULL(config_load(&from, &message));
    CU_ASSERT_STRING_EQUAL(message.data,
                           "/no/such/file: cannot be read: No such file or directory");
    strbuf_fini(&message);
    close_folder();
}

static void overrides_win_over_the_file(void)
{
    char said[600];
    open_folder();
    const char *const good[] = { "num.partitions=3", "log.dirs=/x", "num.partitions=4",
                                 "broker.rack=" };
    struct config *config = load(base, good, 4, said);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_NUM_PARTITIONS), 4);
    CU_ASSERT_STRING_EQUAL(config_log_dirs(config).items[0], "/x");
    CU_ASSERT_STRING_EQUAL(config_str(config, CONFIG_BROKER_RACK), "");
    CU_ASSERT_EQUAL(config_int(config, CONFIG_BROKER_ID), 1);
    config_free(config);
    const char *const bad[] = { "num.partitions" };
    CU_ASSERT_PTR_NULL(load(base, bad, 1, said));
    CU_ASSERT_STRING_EQUAL(said, "--override num.partitions: must be name=value");
    close_folder();
}

static void without_a_file_it_is_a_node_of_its_own(void)
{
    const char *const overrides[] = { "listeners=PLAINTEXT://:0,CONTROLLER://:0" };
    struct config_source_files from = { disk_posix(), NULL, overrides, 1, NULL };
    struct strbuf message = STRBUF_EMPTY;
    struct config *config = config_load(&from, &message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_STRING_EQUAL(config_metadata_log_dir(config), "./odradek-data");
    CU_ASSERT_EQUAL(config_int(config, CONFIG_OFFSETS_TOPIC_REPLICATION_FACTOR), 1);
    CU_ASSERT_STRING_EQUAL(config_list(config, CONFIG_LISTENERS).items[0], "PLAINTEXT://:0");
    config_free(config);
    strbuf_fini(&message);
}

// The sample that we give away is taken, and every key in it is one.
static void the_sample_file_is_taken(void)
{
    const char *source = getenv("srcdir");
    char sample[400];
    snprintf(sample, sizeof sample, "%s/etc/server.properties", source != NULL ? source : "..");
    struct config_source_files from = { disk_posix(), sample, NULL, 0, NULL };
    struct strbuf message = STRBUF_EMPTY;
    struct config *config = config_load(&from, &message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    const char *name, *value;
    CU_ASSERT_FALSE(config_extra_at(config, 0, &name, &value));
    CU_ASSERT_STRING_EQUAL(config_metadata_log_dir(config), "/var/lib/odradek");
    config_free(config);
    strbuf_fini(&message);
}

static void values_come_from_providers(void)
{
    char said[600], text[2000];
    open_folder();
    write_file("secrets", "rack=r-7\nother=x\n");
    write_file("one", "5");
    snprintf(
        text, sizeof text,
        "%sconfig.providers=f, d,e\n"
        "config.providers.f.class=org.apache.kafka.common.config.provider.FileConfigProvider\n"
        "config.providers.d.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider\n"
        "config.providers.e.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n"
        "broker.rack=<${f:%s/secrets:rack}${f:%s/secrets:none}${x:y}>\n"
        "min.insync.replicas=${d:%s:one}\n"
        "num.partitions=${e:PARTITIONS}\n",
        base, folder, folder, folder);
    struct config *config = load(text, NULL, 0, said);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    char expected[600];
    snprintf(expected, sizeof expected, "<r-7${f:%s/secrets:none}${x:y}>", folder);
    CU_ASSERT_STRING_EQUAL(config_str(config, CONFIG_BROKER_RACK), expected);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_MIN_INSYNC_REPLICAS), 5);
    CU_ASSERT_EQUAL(config_int(config, CONFIG_NUM_PARTITIONS), 9);
    config_free(config);
    snprintf(
        text, sizeof text,
        "%sbroker.rack=${f:/none:x}\nconfig.providers=f\n"
        "config.providers.f.class=org.apache.kafka.common.config.provider.FileConfigProvider\n",
        base);
    CU_ASSERT_PTR_NULL(load(text, NULL, 0, said));
    CU_ASSERT_STRING_EQUAL(said, "Could not read properties from file /none");
    snprintf(
        text, sizeof text,
        "%sbroker.rack=${f:%s/secrets:rack}\nconfig.providers=f\n"
        "config.providers.f.param.allowed.paths=/elsewhere\n"
        "config.providers.f.class=org.apache.kafka.common.config.provider.FileConfigProvider\n",
        base, folder);
    config = load(text, NULL, 0, said);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    snprintf(expected, sizeof expected, "${f:%s/secrets:rack}", folder);
    CU_ASSERT_STRING_EQUAL(config_str(config, CONFIG_BROKER_RACK), expected);
    config_free(config);
    snprintf(text, sizeof text,
             "%sconfig.providers=v\nconfig.providers.v.class=com.example.Vault\n", base);
    CU_ASSERT_PTR_NULL(load(text, NULL, 0, said));
    CU_ASSERT_EQUAL(
        strncmp(said, "config.providers.v.class: com.example.Vault is not there; allowed", 65), 0);
    close_folder();
}

// The line with which this release refuses to run, or "ok".
static const char *supported(const char *changes)
{
    static char shown[300];
    char said[600];
    struct strbuf text = STRBUF_EMPTY, message = STRBUF_EMPTY;
    struct listeners listeners;
    changed(changes, &text);
    struct config *config = load(text.data, NULL, 0, said);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_TRUE_FATAL(listeners_resolve(config, &listeners, &message));
    bool ok = config_is_supported(config, &listeners, &message);
    CU_ASSERT_EQUAL(ok, message.size == 0);
    snprintf(shown, sizeof shown, "%.24s", ok ? "ok" : message.data);
    listeners_fini(&listeners);
    config_free(config);
    strbuf_fini(&message);
    strbuf_fini(&text);
    return shown;
}

static void what_would_be_unsafe_is_refused(void)
{
    open_folder();
    CU_ASSERT_STRING_EQUAL(supported("node.id=1"), "ok");
    CU_ASSERT_STRING_EQUAL(supported("controller.quorum.voters=1@localhost:9093"), "ok");
    CU_ASSERT_STRING_EQUAL(
        supported("authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        "authorizer.class.name: t");
    CU_ASSERT_STRING_EQUAL(supported("listeners=PLAINTEXT://:1,CONTROLLER://:2,S://:3 ; "
                                     "listener.security.protocol.map=S:SASL_PLAINTEXT,"
                                     "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
                           "listeners: S asks for SA");
    CU_ASSERT_STRING_EQUAL(supported("process.roles=controller ; listeners=CONTROLLER://:9093"),
                           "process.roles: this rele");
    CU_ASSERT_STRING_EQUAL(supported("controller.quorum.voters=1@localhost:9093,2@localhost:9094"),
                           "controller.quorum.voters");
    CU_ASSERT_STRING_EQUAL(supported("remote.log.storage.system.enable=true"),
                           "remote.log.storage.syste");
    close_folder();
}

static void what_does_nothing_is_said_once(void)
{
    char said[600];
    open_folder();
    struct strbuf text = STRBUF_EMPTY;
    changed("zookeeper.connect=x ; metric.reporters=a.B ; ssl.client.auth=required ; "
            "ssl.protocol=TLSv1.3 ; num.partitions=2 ; listener.name.a.ssl.client.auth=none",
            &text);
    struct config *config = load(text.data, NULL, 0, said);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    static struct trace trace;
    int pipe_fds[2];
    CU_ASSERT_EQUAL_FATAL(pipe(pipe_fds), 0);
    trace_init(&trace, clock_posix(), TRACE_INFO, pipe_fds[1]);
    config_log_unused(config, &trace);
    const struct config_entry overrides[] = { { str_of("preallocate"), str_of("true") },
                                              { str_of("unclean.leader.election.enable"),
                                                str_of("false") },
                                              { str_of("segment.bytes"), str_of("2000000") },
                                              { str_of("internal.segment.bytes"), str_of("100") } };
    config_log_unused_by_topic(str_of("t"), overrides, 4, &trace);
    trace_fini(&trace);
    close(pipe_fds[1]);
    char out[2000];
    ssize_t size = read(pipe_fds[0], out, sizeof out - 1);
    CU_ASSERT_TRUE_FATAL(size > 0);
    out[size] = '\0';
    close(pipe_fds[0]);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "config unknown key=zookeeper.connect\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "config without meaning here key=metric.reporters\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(out, "config without effect in this release key=ssl.client.auth\n"));
    size_t lines = 0;
    for (const char *at = out; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    CU_ASSERT_PTR_NOT_NULL(
        strstr(out, "topic config without effect in this release topic=t key=preallocate"));
    CU_ASSERT_EQUAL(lines, 4);
    config_free(config);
    strbuf_fini(&text);
    close_folder();
}

TEST_MAIN("config_load", TEST(files_are_taken_and_refused_as_kafka_does),
          TEST(a_refusal_is_one_line_that_says_what_is_allowed), TEST(overrides_win_over_the_file),
          TEST(without_a_file_it_is_a_node_of_its_own), TEST(the_sample_file_is_taken),
          TEST(values_come_from_providers), TEST(what_would_be_unsafe_is_refused),
          TEST(what_does_nothing_is_said_once))
