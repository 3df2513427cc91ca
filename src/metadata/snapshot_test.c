// SPDX-License-Identifier: Apache-2.0
#include "metadata/snapshot.h"

#include <sys/stat.h>

#include "metadata/bootstrap.h"
#include "metadata/testing_image.h"
#include "protocol/records/feature_level.h"

static struct metadata *jvm_image(struct arena *arena, struct snapshot_head *head)
{
    struct metadata *metadata = metadata_new();
    struct replay replay;
    replay_init(&replay, metadata);
    struct strbuf file = jvm_file("00000000000000000109-0000000003.checkpoint");
    const char *reason = NULL;
    CU_ASSERT_TRUE_FATAL(snapshot_decode(strbuf_bytes(&file), arena, head, &replay, &reason));
    replay_fini(&replay);
    strbuf_fini(&file);
    return metadata;
}

static void names_are_kafkas(void)
{
    char name[SNAPSHOT_NAME_SIZE];
    snapshot_name_format((struct snapshot_id){ 1588, 4 }, name);
    CU_ASSERT_STRING_EQUAL(name, "00000000000000001588-0000000004.checkpoint");
    struct snapshot_id id;
    CU_ASSERT_TRUE(snapshot_name_parse(name, &id));
    CU_ASSERT_EQUAL(id.end_offset, 1588);
    CU_ASSERT_EQUAL(id.epoch, 4);
    CU_ASSERT_FALSE(snapshot_name_parse("00000000000000001588-0000000004.checkpoint.part", &id));
    CU_ASSERT_FALSE(snapshot_name_parse("00000000000000001588-0000000004.checkpoint.deleted", &id));
    CU_ASSERT_FALSE(snapshot_name_parse("0000000000000000x588-0000000004.checkpoint", &id));
    CU_ASSERT_FALSE(snapshot_name_parse("00000000000000001588.log", &id));
}

static void a_snapshot_reads_back(void)
{
    struct arena arena;
    arena_init(&arena);
    struct snapshot_head head;
    struct metadata *metadata = jvm_image(&arena, &head);
    struct strbuf expected = image_text(metadata);

    char folder[256];
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    struct snapshot_id id = { 109, 3 };
    CU_ASSERT_EQUAL_FATAL(snapshot_write(disk_posix(), folder, id, &head, metadata, 1700000000000),
                          0);
    char *path = mem_printf("%s/00000000000000000109-0000000003.checkpoint", folder);
    struct stat status;
    CU_ASSERT_EQUAL(stat(path, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0400);
    struct strbuf jvm = jvm_file("00000000000000000109-0000000003.checkpoint");
    CU_ASSERT_EQUAL((size_t)status.st_size, jvm.size); // the same records, if in another order
    strbuf_fini(&jvm);

    struct strbuf file = STRBUF_EMPTY;
    CU_ASSERT_EQUAL_FATAL(disk_read_whole(disk_posix(), path, &file), 0);
    struct metadata *again = metadata_new();
    struct replay replay;
    replay_init(&replay, again);
    struct snapshot_head head_again;
    const char *reason = NULL;
    CU_ASSERT_TRUE(snapshot_decode(strbuf_bytes(&file), &arena, &head_again, &replay, &reason));
    CU_ASSERT_EQUAL(head_again.last_contained_log_timestamp, head.last_contained_log_timestamp);
    CU_ASSERT_TRUE(uuid_eq(head_again.voters->voters[0].voter_directory_id,
                           head.voters->voters[0].voter_directory_id));
    struct strbuf text = image_text(again);
    CU_ASSERT_STRING_EQUAL(text.data, expected.data);

    // Cut anywhere, it is refused.
    for (size_t size = 0; size < file.size; size += 97) {
        struct snapshot_head ignored;
        struct bytes cut = { (const uint8_t *)file.data, size };
        CU_ASSERT_FALSE(snapshot_decode(cut, &arena, &ignored, NULL, &reason));
        CU_ASSERT_PTR_NOT_NULL(reason);
    }
    file.data[200] ^= 1;
    CU_ASSERT_FALSE(snapshot_decode(strbuf_bytes(&file), &arena, &head_again, NULL, &reason));

    strbuf_fini(&text);
    strbuf_fini(&file);
    strbuf_fini(&expected);
    replay_fini(&replay);
    metadata_free(again);
    metadata_free(metadata);
    mem_free(path);
    disk_remove_tree(disk_posix(), folder);
    arena_fini(&arena);
}

static void bootstrap_is_what_kafka_storage_writes(void)
{
    struct arena arena;
    arena_init(&arena);
    struct strbuf jvm = jvm_file("bootstrap.checkpoint");
    struct metadata_entries theirs;
    metadata_entries_init(&theirs, &arena);
    struct snapshot_head head;
    const char *reason = NULL;
    CU_ASSERT_TRUE_FATAL(snapshot_decode_entries(strbuf_bytes(&jvm), &head, &theirs, &reason));
    CU_ASSERT_EQUAL(head.kraft_version, 0);
    CU_ASSERT_EQUAL(head.last_contained_log_timestamp, 0);

    static const struct bootstrap_feature features[] = {
        { "transaction.version", 2 },
        { "group.version", 1 },
        { "kraft.version", 1 },
        { "streams.version", 1 },
        { "share.version", 1 },
        { "metadata.version", 30 },
        { "eligible.leader.replicas.version", 1 },
    };
    struct metadata_entries ours;
    metadata_entries_init(&ours, &arena);
    bootstrap_entries(&ours, features, sizeof features / sizeof *features, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(ours.count, theirs.count);
    for (size_t i = 0; i < ours.count; i++) {
        const struct feature_level_record *a = ours.items[i].body;
        const struct feature_level_record *b = theirs.items[i].body;
        CU_ASSERT_EQUAL(theirs.items[i].type, METADATA_RECORD_FEATURE_LEVEL);
        CU_ASSERT_TRUE(str_eq(a->name, b->name));
        CU_ASSERT_EQUAL(a->feature_level, b->feature_level);
    }
    struct strbuf file = STRBUF_EMPTY;
    bootstrap_encode(&file, &ours, 1700000000000);
    CU_ASSERT_EQUAL(file.size, jvm.size);
    CU_ASSERT_EQUAL(file.size, 411);
    strbuf_fini(&file);
    strbuf_fini(&jvm);
    arena_fini(&arena);
}

static void genesis_is_what_kafka_storage_writes(void)
{
    struct arena arena;
    arena_init(&arena);
    struct strbuf jvm = jvm_file(GENESIS_FILE);
    struct snapshot_head head;
    const char *reason = NULL;
    CU_ASSERT_TRUE_FATAL(snapshot_decode(strbuf_bytes(&jvm), &arena, &head, NULL, &reason));
    CU_ASSERT_EQUAL(head.kraft_version, 1);
    const struct voters_record_voter *voter = &head.voters->voters[0];
    struct strbuf file = STRBUF_EMPTY;
    genesis_encode(&file,
                   voters_of_one(&arena, 1, voter->voter_directory_id, str_of("CONTROLLER"),
                                 str_of("127.0.0.1"), 25011),
                   head.last_contained_log_timestamp);
    CU_ASSERT_EQUAL_FATAL(file.size, jvm.size);
    // The same but for the times of the batches and, with them, the CRCs: compare the records.
    CU_ASSERT_EQUAL(memcmp(file.data + 61, jvm.data + 61, 166 - 61), 0);
    strbuf_fini(&file);
    strbuf_fini(&jvm);
    arena_fini(&arena);
}

static void a_missing_bootstrap_means_the_latest_metadata_version(void)
{
    char folder[256];
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(folder, sizeof folder));
    struct arena arena;
    arena_init(&arena);
    struct metadata_entries entries;
    metadata_entries_init(&entries, &arena);
    const char *reason = NULL;
    CU_ASSERT_EQUAL(bootstrap_read(disk_posix(), folder, &entries, &reason), 0);
    CU_ASSERT_EQUAL_FATAL(entries.count, 1);
    CU_ASSERT_EQUAL(((struct feature_level_record *)entries.items[0].body)->feature_level, 30);
    arena_fini(&arena);
    disk_remove_tree(disk_posix(), folder);
}

TEST_MAIN("snapshot", TEST(names_are_kafkas), TEST(a_snapshot_reads_back),
          TEST(bootstrap_is_what_kafka_storage_writes), TEST(genesis_is_what_kafka_storage_writes),
          TEST(a_missing_bootstrap_means_the_latest_metadata_version))
