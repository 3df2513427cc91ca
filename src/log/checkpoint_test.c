// SPDX-License-Identifier: Apache-2.0
// The small files of a log directory: checkpoints, leader epochs, partition.metadata, names, the clean marker.
#include "log/checkpoint.h"

#include <errno.h>
#include <inttypes.h>

#include "base/mem.h"
#include "base/testing.h"
#include "log/clean_shutdown.h"
#include "log/disk_testing.h"
#include "log/leader_epochs.h"
#include "log/partition_dir.h"

static struct memory_disk *memory;
static struct disk *disk;
static struct trace trace;

static int64_t test_wall_ms(struct clock *clock)
{
    (void)clock;
    return 0;
}

static struct clock test_clock = { test_wall_ms, test_wall_ms };

static void begin(void)
{
    trace_init(&trace, &test_clock, TRACE_DEBUG, -1);
    memory = memory_disk_new(1);
    disk = &memory->disk;
    disk->ops->mkdir(disk, "/t-0");
}

static void end(void)
{
    memory_disk_free(memory);
    trace_fini(&trace);
}

static void note(void *arg, struct str topic, int32_t partition, int64_t offset)
{
    strbuf_printf(arg, "%.*s/%" PRId32 "=%" PRId64 ";", STR_ARG(topic), partition, offset);
}

static int read_text(const char *text, const char *expected)
{
    struct strbuf seen = STRBUF_EMPTY;
    CU_ASSERT_EQUAL(disk_replace(disk, "/t-0/c", text, strlen(text), false), 0);
    int error = checkpoint_read(disk, "/t-0/c", note, &seen);
    if (error == 0)
        CU_ASSERT_TRUE(str_eqz(strbuf_str(&seen), expected));
    strbuf_fini(&seen);
    return error;
}

static void checkpoints_are_read_as_kafka_reads_them(void)
{
    begin();
    CU_ASSERT_EQUAL(checkpoint_read(disk, "/t-0/missing", note, NULL), 0);
    CU_ASSERT_EQUAL(read_text("", ""), 0);
    CU_ASSERT_EQUAL(read_text("0\n0\n", ""), 0);
    CU_ASSERT_EQUAL(read_text("0\n2\na 0 5\nb-c 12 99\n", "a/0=5;b-c/12=99;"), 0);
    CU_ASSERT_EQUAL(read_text("0\n1\na 0 5", "a/0=5;"), 0);
    CU_ASSERT_EQUAL(read_text("1\n1\na 0 5\n", ""), -EBADMSG);
    CU_ASSERT_EQUAL(read_text("x\n1\na 0 5\n", ""), -EBADMSG);
    CU_ASSERT_EQUAL(read_text("0\n2\na 0 5\n", ""), -EBADMSG);
    CU_ASSERT_EQUAL(read_text("0\n1\na 0 5\nb 0 5\n", ""), -EBADMSG);
    CU_ASSERT_EQUAL(read_text("0\n1\na 0\n", ""), -EBADMSG);
    CU_ASSERT_EQUAL(read_text("0\n1\na 0 5 6\n", ""), -EBADMSG);
    CU_ASSERT_EQUAL(read_text("0\n1\na x 5\n", ""), -EBADMSG);
    CU_ASSERT_EQUAL(read_text("0\n-1\n", ""), -EBADMSG);
    end();
}

static void checkpoints_are_written_as_kafka_writes_them(void)
{
    begin();
    struct checkpoint_writer writer;
    struct strbuf text = STRBUF_EMPTY;
    checkpoint_writer_init(&writer);
    checkpoint_writer_add(&writer, str_of("a"), 0, 5);
    checkpoint_writer_add(&writer, str_of("b-c"), 12, INT64_MAX);
    CU_ASSERT_EQUAL(checkpoint_writer_write(&writer, disk, "/t-0/c"), 0);
    CU_ASSERT_EQUAL(disk_read_whole(disk, "/t-0/c", &text), 0);
    CU_ASSERT_TRUE(str_eqz(strbuf_str(&text), "0\n2\na 0 5\nb-c 12 9223372036854775807\n"));
    strbuf_fini(&text);
    checkpoint_writer_fini(&writer);
    end();
}

static void names_are_told_apart(void)
{
    static const struct {
        const char *name, *topic;
        int32_t partition;
        enum partition_dir_kind kind;
    } cases[] = {
        { "t-0", "t", 0, PARTITION_DIR_LOG },
        { "my-topic-with-dashes-17", "my-topic-with-dashes", 17, PARTITION_DIR_LOG },
        { "a.b_c-3", "a.b_c", 3, PARTITION_DIR_LOG },
        { "t-0.0123456789abcdef0123456789abcdef-delete", "t", 0, PARTITION_DIR_DELETE },
        { "a-b-5.0123456789abcdef0123456789abcdef-stray", "a-b", 5, PARTITION_DIR_STRAY },
        { "t-1.0123456789abcdef0123456789abcdef-future", "t", 1, PARTITION_DIR_FUTURE },
        { "t", "", -1, PARTITION_DIR_NONE },
        { "-1", "", -1, PARTITION_DIR_NONE },
        { "t-", "", -1, PARTITION_DIR_NONE },
        { "t-x", "", -1, PARTITION_DIR_NONE },
        { "t-delete", "", -1, PARTITION_DIR_NONE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct partition_dir got = partition_dir_parse(cases[i].name);
        CU_ASSERT_EQUAL(got.kind, cases[i].kind);
        if (got.kind == PARTITION_DIR_NONE)
            continue;
        CU_ASSERT_TRUE(str_eqz(got.topic, cases[i].topic));
        CU_ASSERT_EQUAL(got.partition, cases[i].partition);
    }
    char topic[250];
    memset(topic, 'x', 249);
    topic[249] = '\0';
    char *name = partition_dir_name_with(str_of(topic), 123, "-delete");
    CU_ASSERT_EQUAL(strlen(name), 255);
    CU_ASSERT_EQUAL(partition_dir_parse(name).kind, PARTITION_DIR_DELETE);
    mem_free(name);
    CU_ASSERT_EQUAL(log_file_offset("00000000000000000042.log", ".log"), 42);
    CU_ASSERT_EQUAL(log_file_offset("00000000000000000042.log.deleted", ".log"), -1);
    CU_ASSERT_EQUAL(log_file_offset("42.log", ".log"), -1);
    CU_ASSERT_EQUAL(log_file_offset("-0000000000000000042.log", ".log"), -1);
}

static void the_metadata_file_is_kafkas(void)
{
    begin();
    struct uuid id = { { 1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16 } }, got;
    struct strbuf text = STRBUF_EMPTY;
    CU_ASSERT_EQUAL(partition_metadata_read(disk, "/t-0", &got), -ENOENT);
    CU_ASSERT_EQUAL(partition_metadata_write(disk, "/t-0", id, false), 0);
    CU_ASSERT_EQUAL(disk_read_whole(disk, "/t-0/partition.metadata", &text), 0);
    CU_ASSERT_TRUE(str_eqz(strbuf_str(&text), "version: 0\ntopic_id: AQIDBAUGRwiJCgsMDQ4PEA"));
    CU_ASSERT_EQUAL(text.size, 43);
    strbuf_fini(&text);
    CU_ASSERT_EQUAL(partition_metadata_read(disk, "/t-0", &got), 0);
    CU_ASSERT_TRUE(uuid_eq(got, id));
    static const char *const bad[] = { "version: 1\ntopic_id: AQIDBAUGRwiJCgsMDQ4PEA",
                                       "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA",
                                       "topic_id: x\nversion: 0" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(
            disk_replace(disk, "/t-0/partition.metadata", bad[i], strlen(bad[i]), false), 0);
        CU_ASSERT_EQUAL(partition_metadata_read(disk, "/t-0", &got), -EBADMSG);
    }
    // What a power loss leaves of one that was never synced.
    static const char whole[44] = "version: 0\ntopic_id: AQIDBAUGRwiJCgsMDQ4PEA";
    for (size_t size = 0; size < 43; size++) {
        char torn[43] = "";
        memcpy(torn, whole, size);
        CU_ASSERT_EQUAL(disk_replace(disk, "/t-0/partition.metadata", torn, size, false), 0);
        CU_ASSERT_EQUAL(partition_metadata_read(disk, "/t-0", &got), -ENOENT);
        CU_ASSERT_EQUAL(disk_replace(disk, "/t-0/partition.metadata", torn, 43, false), 0);
        CU_ASSERT_EQUAL(partition_metadata_read(disk, "/t-0", &got), -ENOENT);
    }
    end();
}

static void epochs_end_where_the_next_begins(void)
{
    begin();
    struct log_files files = { disk, &test_clock, &trace, (char *)"/t-0" };
    struct leader_epochs epochs;
    bool is_good;
    leader_epochs_init(&epochs, &files);
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, 0, 100).end_offset, -1);
    CU_ASSERT_TRUE(leader_epochs_assign(&epochs, 2, 10));
    CU_ASSERT_FALSE(leader_epochs_assign(&epochs, 2, 15));
    CU_ASSERT_TRUE(leader_epochs_assign(&epochs, 5, 20));
    CU_ASSERT_TRUE(leader_epochs_assign(&epochs, 7, 30));
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, 7, 100).end_offset, 100);
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, 5, 100).end_offset, 30);
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, 4, 100).end_offset, 20);
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, 4, 100).leader_epoch, 2);
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, 1, 100).end_offset, 10);
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, 1, 100).leader_epoch, 1);
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, 8, 100).end_offset, -1);
    CU_ASSERT_EQUAL(leader_epochs_end_offset(&epochs, -1, 100).end_offset, -1);
    CU_ASSERT_EQUAL(leader_epochs_for_offset(&epochs, 9), -1);
    CU_ASSERT_EQUAL(leader_epochs_for_offset(&epochs, 29), 5);
    struct strbuf text = STRBUF_EMPTY;
    leader_epochs_print(&epochs, &text);
    CU_ASSERT_EQUAL(disk_replace(disk, "/t-0/" LEADER_EPOCHS_FILE, text.data, text.size, true), 0);
    strbuf_fini(&text);
    leader_epochs_fini(&epochs);

    leader_epochs_init(&epochs, &files);
    CU_ASSERT_EQUAL(leader_epochs_load(&epochs, &is_good), 0);
    CU_ASSERT_TRUE(is_good);
    CU_ASSERT_EQUAL(epochs.count, 3);
    CU_ASSERT_TRUE(leader_epochs_truncate_start(&epochs, 25));
    CU_ASSERT_EQUAL(epochs.count, 2);
    CU_ASSERT_EQUAL(epochs.items[0].epoch, 5);
    CU_ASSERT_EQUAL(epochs.items[0].start_offset, 25);
    CU_ASSERT_FALSE(leader_epochs_truncate_start(&epochs, 25));
    CU_ASSERT_TRUE(leader_epochs_truncate_end(&epochs, 30));
    CU_ASSERT_EQUAL(leader_epochs_latest(&epochs), 5);
    CU_ASSERT_FALSE(leader_epochs_truncate_end(&epochs, 30));
    // An older epoch at an older offset throws out what contradicts it.
    CU_ASSERT_TRUE(leader_epochs_assign(&epochs, 4, 25));
    CU_ASSERT_EQUAL(epochs.count, 1);
    CU_ASSERT_EQUAL(disk_replace(disk, "/t-0/leader-epoch-checkpoint", "0\n1\nx", 5, false), 0);
    CU_ASSERT_EQUAL(leader_epochs_load(&epochs, &is_good), 0);
    CU_ASSERT_FALSE(is_good);
    leader_epochs_fini(&epochs);
    end();
}

static void the_marker_may_be_unreadable(void)
{
    begin();
    int64_t epoch;
    CU_ASSERT_FALSE(clean_shutdown_read(disk, "/t-0", &epoch));
    CU_ASSERT_EQUAL(clean_shutdown_write(disk, "/t-0", 31), 0);
    CU_ASSERT_TRUE(clean_shutdown_read(disk, "/t-0", &epoch));
    CU_ASSERT_EQUAL(epoch, 31);
    CU_ASSERT_EQUAL(disk_replace(disk, "/t-0/.kafka_cleanshutdown", "", 0, false),
                    0); // as brokers before 3.8 wrote it
    CU_ASSERT_TRUE(clean_shutdown_read(disk, "/t-0", &epoch));
    CU_ASSERT_EQUAL(epoch, -1);
    CU_ASSERT_EQUAL(clean_shutdown_delete(disk, "/t-0"), 0);
    CU_ASSERT_EQUAL(clean_shutdown_delete(disk, "/t-0"), 0);
    CU_ASSERT_FALSE(clean_shutdown_read(disk, "/t-0", &epoch));
    end();
}

TEST_MAIN("checkpoint", TEST(checkpoints_are_read_as_kafka_reads_them),
          TEST(checkpoints_are_written_as_kafka_writes_them), TEST(names_are_told_apart),
          TEST(the_metadata_file_is_kafkas), TEST(epochs_end_where_the_next_begins),
          TEST(the_marker_may_be_unreadable))
