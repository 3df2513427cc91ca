// SPDX-License-Identifier: Apache-2.0
#include "raft/quorum_state.h"

#include <errno.h>

#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"

static char folder[256];

static void begin(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
}

static void end(void)
{
    disk_remove_tree(disk_posix(), folder);
}

static void put(const char *text)
{
    char *path = mem_printf("%s/quorum-state", folder);
    CU_ASSERT_EQUAL_FATAL(disk_write_atomic(disk_posix(), path, text, strlen(text)), 0);
    mem_free(path);
}

static void expect_file(const char *text)
{
    char *path = mem_printf("%s/quorum-state", folder);
    struct strbuf file = STRBUF_EMPTY;
    CU_ASSERT_EQUAL_FATAL(disk_read_whole(disk_posix(), path, &file), 0);
    CU_ASSERT_STRING_EQUAL(file.data, text);
    strbuf_fini(&file);
    mem_free(path);
}

// Both texts were written by Kafka 4.3.1.
static const char form_1[] = "{\"leaderId\":3002,\"leaderEpoch\":2,\"votedId\":-1,"
                             "\"votedDirectoryId\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"data_version\":1}";
static const char form_0[] =
    "{\"clusterId\":\"\",\"leaderId\":1,\"leaderEpoch\":1,\"votedId\":-1,"
    "\"appliedOffset\":0,\"currentVoters\":[{\"voterId\":1}],\"data_version\":0}";

static void both_forms_are_read_and_written_as_kafka_does(void)
{
    begin();
    struct quorum_state state;
    CU_ASSERT_EQUAL(quorum_state_read(disk_posix(), folder, &state), -ENOENT);
    put(form_1);
    CU_ASSERT_EQUAL(quorum_state_read(disk_posix(), folder, &state), 0);
    CU_ASSERT_EQUAL(state.data_version, 1);
    CU_ASSERT_EQUAL(state.leader_id, 3002);
    CU_ASSERT_EQUAL(state.leader_epoch, 2);
    CU_ASSERT_EQUAL(state.voted_id, -1);
    CU_ASSERT_TRUE(uuid_is_zero(state.voted_directory_id));
    CU_ASSERT_EQUAL(quorum_state_write(disk_posix(), folder, &state), 0);
    expect_file(form_1);

    put(form_0);
    CU_ASSERT_EQUAL(quorum_state_read(disk_posix(), folder, &state), 0);
    CU_ASSERT_EQUAL(state.data_version, 0);
    CU_ASSERT_EQUAL(state.leader_id, 1);
    CU_ASSERT_EQUAL(state.voters_count, 1);
    CU_ASSERT_EQUAL(state.voters[0], 1);
    CU_ASSERT_EQUAL(quorum_state_write(disk_posix(), folder, &state), 0);
    expect_file(form_0);
    end();
}

static void what_is_not_a_state_is_refused(void)
{
    begin();
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":-1}",
        "{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":-1,\"data_version\":2}",
        "{\"leaderId\":\"1\",\"leaderEpoch\":2,\"votedId\":-1,\"data_version\":1}",
        "{\"leaderId\":1,\"leaderEpoch\":99999999999,\"votedId\":-1,\"data_version\":1}",
        "{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":-1,\"votedDirectoryId\":\"x\",\"data_"
        "version\":1}",
        "{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":-1,\"currentVoters\":[{}],\"data_version\":"
        "0}",
        "{\"leaderId\":1,\"leaderEpoch\":2,",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct quorum_state state;
        put(bad[i]);
        CU_ASSERT_EQUAL(quorum_state_read(disk_posix(), folder, &state), -EBADMSG);
    }
    end();
}

TEST_MAIN("quorum_state", TEST(both_forms_are_read_and_written_as_kafka_does),
          TEST(what_is_not_a_state_is_refused))
