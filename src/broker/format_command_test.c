// SPDX-License-Identifier: Apache-2.0
// The commands as a person types them: flags, output, exit status. The expected lines are those of
// Kafka 4.3.1's storage tool, but for the name before an error.
#include "broker/format_command.h"

#include <fcntl.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/testing.h"
#include "base/uuid.h"

enum { ARGUMENTS_MAX = 16 };

static char folder[200];
static char said[4000]; // standard output and error of the last command

// Runs a command line, words apart by a blank, "@" for the folder. Returns the exit status.
static int run(const char *line)
{
    char text[1000], *words[ARGUMENTS_MAX + 1] = { (char *)"odradekd" };
    size_t size = 0;
    for (const char *at = line; *at != '\0'; at++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%.*s",
                                 *at == '@' ? (int)strlen(folder) : 1, *at == '@' ? folder : at);
    int count = 1;
    for (char *at = text; at != NULL && count < ARGUMENTS_MAX; count++) {
        words[count] = at;
        at = strchr(at, ' ');
        if (at != NULL)
            *at++ = '\0';
    }
    char path[300];
    snprintf(path, sizeof path, "%s/said", folder);
    fflush(stdout);
    fflush(stderr);
    int saved_out = dup(STDOUT_FILENO), saved_error = dup(STDERR_FILENO);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    CU_ASSERT_TRUE(format_command_is(count, words));
    int status = format_command_run(count, words, disk_posix(), clock_posix());
    fflush(stdout);
    fflush(stderr);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_error, STDERR_FILENO);
    ssize_t got = pread(file, said, sizeof said - 1, 0);
    said[got > 0 ? got : 0] = '\0';
    close(file);
    close(saved_out);
    close(saved_error);
    return status;
}

static void begin(void)
{
    char path[300], text[1000];
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    snprintf(path, sizeof path, "%s/node", folder);
    snprintf(text, sizeof text,
             "process.roles=broker,controller\nnode.id=1\ncontroller.listener.names=CONTROLLER\n"
             "controller.quorum.bootstrap.servers=localhost:9093\n"
             "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\nlog.dirs=%s/data\n",
             folder);
    CU_ASSERT_EQUAL(disk_write_atomic(disk_posix(), path, text, strlen(text)), 0);
}

static void end(void)
{
    disk_remove_tree(disk_posix(), folder);
}

static bool has(const char *text)
{
    return strstr(said, text) != NULL;
}

static void other_words_are_not_ours(void)
{
    char *words[] = { (char *)"odradekd", (char *)"server.properties" };
    CU_ASSERT_FALSE(format_command_is(2, words));
    CU_ASSERT_FALSE(format_command_is(1, words));
}

static void a_node_is_formatted_and_shown(void)
{
    begin();
    CU_ASSERT_EQUAL(run("info -c @/node"), 1);
    CU_ASSERT_TRUE(has("Found problem:\n") && has("/data does not exist\n"));
    CU_ASSERT_EQUAL(run("format -t MkU3OEVBNTcwNTJENDM2Qk -c @/node --standalone"), 0);
    CU_ASSERT_TRUE(has("Formatting dynamic metadata voter directory ") &&
                   has("/data with metadata.version 4.3-IV0.\n"));
    CU_ASSERT_EQUAL(run("info --config=@/node"), 0);
    CU_ASSERT_TRUE(has("Found metadata: {cluster.id=MkU3OEVBNTcwNTJENDM2Qk, directory.id="));
    CU_ASSERT_EQUAL(run("format -t MkU3OEVBNTcwNTJENDM2Qk -c @/node -s"), 1);
    CU_ASSERT_TRUE(has(" is already formatted. Use --ignore-formatted"));
    CU_ASSERT_EQUAL(run("format -t MkU3OEVBNTcwNTJENDM2Qk -c @/node -s -g"), 0);
    CU_ASSERT_STRING_EQUAL(said, "All of the log directories are already formatted.\n");
    end();
}

static void wrong_flags_are_refused(void)
{
    static const struct {
        const char *line, *expected;
    } tries[] = {
        { "format -c @/node", "argument --cluster-id/-t is required\n" },
        { "format -t x", "argument --config/-c is required\n" },
        { "format -t", "argument --cluster-id/-t: expected one argument\n" },
        { "format -t x -c @/node --nope", "unrecognized arguments: '--nope'\n" },
        { "info -c @/node -t x", "unrecognized arguments: '-t'\n" },
        { "format -t x -c @/node -s -N", "only one of --standalone, --no-initial-controllers and" },
        { "format -t x -c @/node -s -S SCRAM-SHA-256=[name=a,password=b]", "has no SCRAM\n" },
        { "format -t x -c @/none -s", "@/none: cannot be read: No such file or directory\n" },
        { "format -t x -c @/node", "you must specify one of the following: --standalone" },
    };
    begin();
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        const char *expected = tries[i].expected + (tries[i].expected[0] == '@');
        CU_ASSERT_EQUAL(run(tries[i].line), 1);
        CU_ASSERT_TRUE(has(expected));
    }
    CU_ASSERT_EQUAL(run("format --help"), 0);
    CU_ASSERT_TRUE(has("usage: odradekd format --config CONFIG --cluster-id CLUSTER_ID"));
    end();
}

static void versions_and_features_are_told(void)
{
    begin();
    CU_ASSERT_EQUAL(run("version-mapping -r 3.7"), 0);
    CU_ASSERT_STRING_EQUAL(said,
                           "metadata.version=19 (3.7)\nkraft.version=0\ntransaction.version=0\n"
                           "group.version=0\neligible.leader.replicas.version=0\n"
                           "share.version=0\nstreams.version=0\n");
    CU_ASSERT_EQUAL(run("version-mapping"), 0);
    CU_ASSERT_TRUE(has("metadata.version=30 (4.3-IV0)\nkraft.version=1\ntransaction.version=2\n"));
    CU_ASSERT_EQUAL(run("version-mapping -r 9"), 1);
    CU_ASSERT_TRUE(has("Unknown metadata.version '9'. Supported metadata.version are: 3.3-IV3, "));
    CU_ASSERT_EQUAL(run("feature-dependencies -f group.version=1 "
                        "eligible.leader.replicas.version=1 --feature metadata.version=30"),
                    0);
    CU_ASSERT_STRING_EQUAL(said, "group.version=1 has no dependencies.\n"
                                 "eligible.leader.replicas.version=1 requires:\n"
                                 "    metadata.version=23 (4.0-IV1)\n"
                                 "metadata.version=30 (4.3-IV0) has no dependencies.\n");
    CU_ASSERT_EQUAL(run("feature-dependencies -f foo=1"), 1);
    CU_ASSERT_TRUE(has("Unknown feature: foo\n"));
    CU_ASSERT_EQUAL(run("feature-dependencies -f foo"), 1);
    CU_ASSERT_TRUE(has("Invalid feature format: foo. Expected format: 'feature=version' (e.g. "
                       "'group.version=1')\n"));
    CU_ASSERT_EQUAL(run("feature-dependencies -f group.version=7"), 1);
    CU_ASSERT_TRUE(has("Feature level 7 is not supported for feature group.version\n"));
    CU_ASSERT_EQUAL(run("feature-dependencies -f metadata.version=99"), 1);
    CU_ASSERT_TRUE(has("Unknown metadata.version 99\n"));
    end();
}

static void random_ids_differ(void)
{
    char first[UUID_TEXT_SIZE];
    struct uuid id;
    begin();
    CU_ASSERT_EQUAL(run("random-uuid"), 0);
    CU_ASSERT_EQUAL(strlen(said), UUID_TEXT_SIZE); // with the line end
    CU_ASSERT_TRUE(uuid_parse((struct str){ said, UUID_TEXT_SIZE - 1 }, &id));
    memcpy(first, said, sizeof first);
    CU_ASSERT_EQUAL(run("random-uuid"), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(first, said, UUID_TEXT_SIZE - 1), 0);
    end();
}

TEST_MAIN("format_command", TEST(other_words_are_not_ours), TEST(a_node_is_formatted_and_shown),
          TEST(wrong_flags_are_refused), TEST(versions_and_features_are_told),
          TEST(random_ids_differ))
