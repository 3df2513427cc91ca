// SPDX-License-Identifier: Apache-2.0
// What `kafka-storage.sh format` of Kafka 4.3.1 writes, prints and refuses.
#include "broker/format.h"

#include "base/arena.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "metadata/bootstrap.h"

static char folder[200];
static struct config *config;

static void set(const char *name, const char *value)
{
    struct strbuf message = STRBUF_EMPTY;
    CU_ASSERT_TRUE(
        config_set(config, CONFIG_SOURCE_STATIC_BROKER, str_of(name), str_of(value), &message));
    strbuf_fini(&message);
}

static void begin(void)
{
    char dirs[500];
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    config = config_new();
    set("process.roles", "broker,controller");
    set("node.id", "1");
    set("controller.listener.names", "CONTROLLER");
    set("controller.quorum.bootstrap.servers", "localhost:9093");
    set("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093");
    snprintf(dirs, sizeof dirs, "%s/d1,%s/d2", folder, folder);
    set("log.dirs", dirs);
}

static void end(void)
{
    config_free(config);
    disk_remove_tree(disk_posix(), folder);
}

// Runs it; "ok" and what was printed in `printed`, or the message. The folder's name reads as @.
static const char *formats(struct format_options options, char printed[2000])
{
    static char shown[1000];
    struct strbuf out = STRBUF_EMPTY, message = STRBUF_EMPTY;
    options.disk = disk_posix();
    options.config = config;
    options.now_ms = 1700000000000;
    if (options.cluster_id == NULL)
        options.cluster_id = "MkU3OEVBNTcwNTJENDM2Qk";
    bool ok = format_run(&options, &out, &message);
    CU_ASSERT_EQUAL(ok, message.size == 0);
    size_t size = 0;
    const char *text = ok ? (out.data != NULL ? out.data : "") : message.data;
    char *into = ok ? printed : shown;
    for (const char *at = text; *at != '\0' && size < 999;) {
        bool is_folder = strncmp(at, folder, strlen(folder)) == 0;
        into[size++] = is_folder ? '@' : *at;
        at += is_folder ? strlen(folder) : 1;
    }
    into[size] = '\0';
    strbuf_fini(&out);
    strbuf_fini(&message);
    return ok ? "ok" : shown;
}

static bool has_file(const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return disk_exists(disk_posix(), path);
}

#define BOOTSTRAP_LINE                                                                             \
    "Bootstrap metadata: BootstrapMetadata(records=["                                              \
    "ApiMessageAndVersion(FeatureLevelRecord(name='metadata.version', featureLevel=30) at "        \
    "version 0), "                                                                                 \
    "ApiMessageAndVersion(FeatureLevelRecord(name='eligible.leader.replicas.version', "            \
    "featureLevel=1) "                                                                             \
    "at version 0), "                                                                              \
    "ApiMessageAndVersion(FeatureLevelRecord(name='group.version', featureLevel=1) at version "    \
    "0), "                                                                                         \
    "ApiMessageAndVersion(FeatureLevelRecord(name='share.version', featureLevel=1) at version "    \
    "0), "                                                                                         \
    "ApiMessageAndVersion(FeatureLevelRecord(name='streams.version', featureLevel=1) at version "  \
    "0), "                                                                                         \
    "ApiMessageAndVersion(FeatureLevelRecord(name='transaction.version', featureLevel=2) at "      \
    "version "                                                                                     \
    "0)], metadataVersionLevel=30, source=format command)\n"

static void standalone_makes_a_quorum_of_one(void)
{
    char printed[2000], dir[300];
    begin();
    CU_ASSERT_STRING_EQUAL(formats((struct format_options){ .standalone = true }, printed), "ok");
    CU_ASSERT_STRING_EQUAL(
        printed, BOOTSTRAP_LINE
        "Formatting dynamic metadata voter directory @/d1 with metadata.version 4.3-IV0.\n"
        "Formatting data directory @/d2 with metadata.version 4.3-IV0.\n");
    CU_ASSERT_TRUE(has_file("d1/meta.properties") && has_file("d2/meta.properties"));
    CU_ASSERT_TRUE(has_file("d1/bootstrap.checkpoint") && has_file("d2/bootstrap.checkpoint"));
    CU_ASSERT_TRUE(has_file("d1/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"));
    CU_ASSERT_FALSE(has_file("d2/__cluster_metadata-0"));
    struct arena arena;
    struct metadata_entries entries;
    const char *reason = "";
    arena_init(&arena);
    metadata_entries_init(&entries, &arena);
    snprintf(dir, sizeof dir, "%s/d2", folder);
    CU_ASSERT_EQUAL(bootstrap_read(disk_posix(), dir, &entries, &reason), 0);
    CU_ASSERT_EQUAL(entries.count, 6);
    arena_fini(&arena);

    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .standalone = true }, printed),
        "Log directory @/d1 is already formatted. Use --ignore-formatted to ignore "
        "this directory and format the others.");
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .standalone = true, .ignore_formatted = true }, printed),
        "ok");
    CU_ASSERT_STRING_EQUAL(printed, "All of the log directories are already formatted.\n");
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .no_initial_controllers = true,
                                         .ignore_formatted = true,
                                         .cluster_id = "XkU3OEVBNTcwNTJENDM2Qk" },
                printed),
        "Invalid cluster.id in: @/d1/meta.properties. Expected XkU3OEVBNTcwNTJENDM2Qk, but read "
        "MkU3OEVBNTcwNTJENDM2Qk");
    end();
}

static void voters_may_be_named(void)
{
    char printed[2000], dir[300];
    begin();
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .initial_controllers = "1@localhost:9093" }, printed),
        "No colon following port could be found.");
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .initial_controllers = "x@localhost:9093:A" }, printed),
        "Failed to parse node id in dynamic voter string.");
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .initial_controllers = "1@h:1:MkU3OEVBNTcwNTJENDM2Qg,"
                                                                "1@h:2:NkU3OEVBNTcwNTJENDM2Qg" },
                printed),
        "Node id 1 was specified more than once.");
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .initial_controllers =
                                             "1@[::1]:9093:MkU3OEVBNTcwNTJENDM2Qg,"
                                             "2@h:9095:NkU3OEVBNTcwNTJENDM2Qg" },
                printed),
        "ok");
    struct meta_properties meta;
    struct strbuf message = STRBUF_EMPTY;
    char id[UUID_TEXT_SIZE];
    snprintf(dir, sizeof dir, "%s/d1", folder);
    CU_ASSERT_EQUAL(meta_properties_read(disk_posix(), dir, &meta, &message), 0);
    uuid_format(meta.directory_id, id);
    CU_ASSERT_STRING_EQUAL(id, "MkU3OEVBNTcwNTJENDM2Qg");
    meta_properties_fini(&meta);
    strbuf_fini(&message);
    end();
    begin();
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .initial_controllers = "2@h:9095:NkU3OEVBNTcwNTJENDM2Qg" },
                printed),
        "ok");
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "Formatting dynamic metadata directory @/d1 with"));
    end();
}

static void the_quorum_is_configured_or_initialised_not_both(void)
{
    char printed[2000];
    static const char *const kraft_0[] = { "kraft.version=0" }, *const kraft_1[] = {
        "kraft.version=1"
    };
    begin();
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .standalone = false }, printed),
        "Because controller.quorum.voters is not set on this controller, you must "
        "specify one of the following: --standalone, --initial-controllers, or "
        "--no-initial-controllers.");
    CU_ASSERT_EQUAL(
        strncmp(formats((struct format_options){ .standalone = true,
                                                 .features = kraft_0,
                                                 .features_count = 1 },
                        printed),
                "Cannot set kraft.version to 0 if controller.quorum.voters is empty and one", 70),
        0);
    set("controller.quorum.voters", "1@localhost:9093");
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .standalone = true }, printed),
        "You cannot specify controller.quorum.voters and format the node with "
        "--initial-controllers or --standalone. If you want to use dynamic quorum, "
        "please remove controller.quorum.voters and specify "
        "controller.quorum.bootstrap.servers instead.");
    CU_ASSERT_EQUAL(
        strncmp(
            formats((struct format_options){ .features = kraft_1, .features_count = 1 }, printed),
            "Cannot set kraft.version to 1 unless controller.quorum.voters is empty and one", 70),
        0);
    CU_ASSERT_FALSE(has_file("d1"));
    CU_ASSERT_STRING_EQUAL(formats((struct format_options){ .standalone = false }, printed), "ok");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(printed, "Formatting metadata directory @/d1 with metadata.version"));
    CU_ASSERT_FALSE(has_file("d1/__cluster_metadata-0"));
    end();
}

static void releases_and_features_are_checked(void)
{
    static const struct {
        const char *release, *feature, *expected;
    } tries[] = {
        { NULL, "foo=1",
          "Unsupported feature: foo. Supported features are: eligible.leader.replicas.version, "
          "group.version, kraft.version, share.version, streams.version, transaction.version" },
        { NULL, "foo", "Can't parse feature=level string foo: equals sign not found." },
        { NULL, "group.version=x",
          "Can't parse feature=level string group.version=x: unable to parse x as a short." },
        { NULL, "group.version=9", "No feature:group.version with feature level 9" },
        { "3.7", "metadata.version=20",
          "Use --release-version instead of --feature metadata.version=X to avoid ambiguity." },
        { NULL, "metadata.version=99",
          "No MetadataVersion with feature level 99. Valid feature levels are from 7 to 31." },
        { NULL, "metadata.version=31", "metadata.version 4.4-IV0 is not yet stable." },
        { "3.9", "eligible.leader.replicas.version=1",
          "eligible.leader.replicas.version could not be set to 1 because it depends on "
          "metadata.version level 23" },
    };
    char printed[2000];
    begin();
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        struct format_options options = { .standalone = true,
                                          .release_version = tries[i].release,
                                          .features = &tries[i].feature,
                                          .features_count = 1 };
        CU_ASSERT_STRING_EQUAL(formats(options, printed), tries[i].expected);
    }
    static const char *const transactions[] = { "transaction.version=2" };
    CU_ASSERT_STRING_EQUAL(formats((struct format_options){ .standalone = true,
                                                            .release_version = "3.4",
                                                            .features = transactions,
                                                            .features_count = 1 },
                                   printed),
                           "ok");
    CU_ASSERT_EQUAL(
        strncmp(printed,
                "Bootstrap metadata: "
                "BootstrapMetadata(records=[ApiMessageAndVersion(FeatureLevelRecord("
                "name='metadata.version', featureLevel=8) at version 0), ApiMessageAndVersion("
                "FeatureLevelRecord(name='transaction.version', featureLevel=2) at version 0)], "
                "metadataVersionLevel=8, source=format command)\nFormatting dynamic metadata voter "
                "directory @/d1 with metadata.version 3.4-IV0.\n",
                300),
        0);
    end();
}

static void info_shows_what_there_is(void)
{
    char printed[2000], expected[1000];
    struct strbuf out = STRBUF_EMPTY;
    begin();
    CU_ASSERT_FALSE(format_info(disk_posix(), config, &out));
    snprintf(expected, sizeof expected,
             "Found problems:\n  %s/d1 does not exist\n  %s/d2 does not exist\n\n", folder, folder);
    CU_ASSERT_STRING_EQUAL(out.data, expected);
    strbuf_fini(&out);
    out = STRBUF_EMPTY;
    CU_ASSERT_STRING_EQUAL(
        formats((struct format_options){ .initial_controllers = "1@h:9095:NkU3OEVBNTcwNTJENDM2Qg" },
                printed),
        "ok");
    CU_ASSERT_TRUE(format_info(disk_posix(), config, &out));
    snprintf(expected, sizeof expected,
             "Found log directories:\n  %s/d1\n  %s/d2\n\nFound metadata: "
             "{cluster.id=MkU3OEVBNTcwNTJENDM2Qk, directory.id=NkU3OEVBNTcwNTJENDM2Qg, node.id=1, "
             "version=1}\n\n",
             folder, folder);
    CU_ASSERT_STRING_EQUAL(out.data, expected);
    strbuf_fini(&out);
    end();
}

TEST_MAIN("format", TEST(standalone_makes_a_quorum_of_one), TEST(voters_may_be_named),
          TEST(the_quorum_is_configured_or_initialised_not_both),
          TEST(releases_and_features_are_checked), TEST(info_shows_what_there_is))
