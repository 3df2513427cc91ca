// SPDX-License-Identifier: Apache-2.0
// Records as Kafka 4.3.1 wrote them, and as they come back.
#include "group/group_records.h"

#include "base/mem.h"
#include "base/testing.h"
#include "coordinator/testing_log.h"
#include "record/record.h"

static struct bytes hex(struct arena *arena, const char *text)
{
    size_t size = strlen(text) / 2;
    uint8_t *out = arena_alloc(arena, size + 1);
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        sscanf(text + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
    return (struct bytes){ out, size };
}

// group-12457-2, topic-12457-1 partition 1: offset 2, no epoch, metadata "v2", with the topic's id as a tagged field.
static const char offset_key[] =
    "0001000d67726f75702d32373435372d32000d746f7069632d32373435372d3100000001";
static const char offset_value[] = "00040000000000000002ffffffff037632000001a1fc445379"
                                   "0100102290a0ededbe4c4087191b09d2989a2c";
static const char metadata_key[] = "0002000d67726f75702d32373237372d31";
static const char metadata_value[] =
    "00030008636f6e73756d657200000001000572616e6765002f696e7374616e63652d612d31663364336566622d6364"
    "66662d343665642d"
    "626661632d363564323531313935333864000001a1fc444e7800000001002f696e7374616e63652d612d3166336433"
    "6566622d63646666"
    "2d343665642d626661632d363564323531313935333864000a696e7374616e63652d6100047477696e000a2f313237"
    "2e302e302e310000"
    "753000007530000000120000000000010001740000000572616e67650000000178";
static const char empty_value[] = "0003000000000000ffffffff000001a1fc32d81b00000000";

// ---- a shard that only collects --------------------------------------------------------------------

static int nothing_replayed(void *state, int64_t offset, int64_t producer_id, struct bytes key,
                            struct bytes value)
{
    (void)state, (void)offset, (void)producer_id, (void)key, (void)value;
    return 0;
}

static void *create(struct coordinator_shard *shard, void *owner)
{
    (void)owner;
    return shard;
}

static void nothing(void *state)
{
    (void)state;
}

static void nothing_ended(void *state, int64_t producer_id, bool committed)
{
    (void)state, (void)producer_id, (void)committed;
}

static const struct coordinator_state_ops collecting = { create,        nothing, nothing_replayed,
                                                         nothing_ended, nothing, nothing };

static void check_written(void (*write)(struct coordinator_shard *shard, struct arena *arena),
                          const char *key, const char *value)
{
    struct testing_log log;
    struct arena arena;
    testing_log_init(&log);
    arena_init(&arena);
    struct coordinator *coordinator =
        coordinator_new(&(struct coordinator_options){ .topic = "t",
                                                       .partition_count = 1,
                                                       .log = &log.log,
                                                       .state_ops = &collecting,
                                                       .clock = &log.clock,
                                                       .alarms = &log.alarms,
                                                       .trace = &log.trace });
    testing_elect(coordinator);
    struct coordinator_shard *shard = coordinator_shard_at(coordinator, 0);
    enum kafka_error error;
    coordinator_enter(shard, &error);
    write(shard, &arena);
    CU_ASSERT_EQUAL(coordinator_append(shard, false), KERR_NONE);
    coordinator_exit(shard);
    struct record_iter it;
    struct record record;
    record_iter_init(
        &it,
        (struct bytes){ (uint8_t *)log.partitions[0].bytes.data, log.partitions[0].bytes.size },
        RECORDS_WHOLE);
    CU_ASSERT_TRUE_FATAL(record_iter_next(&it, &record));
    struct bytes wanted = hex(&arena, key);
    CU_ASSERT(record.key.size == wanted.size &&
              memcmp(record.key.data, wanted.data, wanted.size) == 0);
    if (value == NULL) {
        CU_ASSERT_EQUAL(record.value_size, -1);
    } else {
        wanted = hex(&arena, value);
        CU_ASSERT(record.value.size == wanted.size &&
                  memcmp(record.value.data, wanted.data, wanted.size) == 0);
    }
    record_iter_fini(&it);
    coordinator_free(coordinator);
    testing_log_fini(&log);
    arena_fini(&arena);
}

static void write_offset(struct coordinator_shard *shard, struct arena *arena)
{
    struct group_log_record record;
    CU_ASSERT(
        group_record_decode(hex(arena, offset_key), hex(arena, offset_value), arena, &record));
    CU_ASSERT(record.type == GROUP_RECORD_OFFSET_COMMIT && record.is_known && !record.is_tombstone);
    CU_ASSERT(str_eqz(record.group, "group-27457-2"));
    CU_ASSERT(str_eqz(record.offset_key.topic, "topic-27457-1"));
    CU_ASSERT_EQUAL(record.offset_key.partition, 1);
    CU_ASSERT(record.offset.offset == 2 && record.offset.leader_epoch == -1);
    CU_ASSERT(str_eqz(record.offset.metadata, "v2"));
    CU_ASSERT_EQUAL(record.offset.commit_timestamp_ms, 0x1a1fc445379);
    CU_ASSERT_EQUAL(record.offset.expire_timestamp_ms, -1);
    CU_ASSERT_EQUAL(record.offset.topic_id.bytes[0], 0x22);
    group_record_add_offset(shard, record.group, record.offset_key.topic, 1, &record.offset);
}

static void write_metadata(struct coordinator_shard *shard, struct arena *arena)
{
    struct group_log_record record;
    CU_ASSERT(
        group_record_decode(hex(arena, metadata_key), hex(arena, metadata_value), arena, &record));
    CU_ASSERT_EQUAL(record.type, GROUP_RECORD_GROUP_METADATA);
    CU_ASSERT(record.metadata.generation == 1 && record.metadata.members_count == 1);
    CU_ASSERT(str_eqz(record.metadata.members[0].client_host, "/127.0.0.1"));
    CU_ASSERT_EQUAL(record.metadata.members[0].rebalance_timeout, 30000);
    group_record_add_metadata(shard, record.group, &record.metadata);
}

static void write_tombstones(struct coordinator_shard *shard, struct arena *arena)
{
    (void)arena;
    group_record_add_offset_tombstone(shard, str_of("group-27457-2"), str_of("topic-27457-1"), 1);
}

static void write_group_tombstone(struct coordinator_shard *shard, struct arena *arena)
{
    (void)arena;
    group_record_add_metadata_tombstone(shard, str_of("group-27277-1"));
}

// What Kafka wrote is read, and written again it is the same bytes.
static void records_are_kafkas(void)
{
    check_written(write_offset, offset_key, offset_value);
    check_written(write_metadata, metadata_key, metadata_value);
    check_written(write_tombstones, offset_key, NULL);
    check_written(write_group_tombstone, metadata_key, NULL);
}

// An offset with a retention time of its own is written as version 1, which can say so and has no topic id.
static void write_expiring(struct coordinator_shard *shard, struct arena *arena)
{
    (void)arena;
    struct committed_offset offset = { .offset = 5,
                                       .leader_epoch = 3,
                                       .metadata = str_of("m"),
                                       .commit_timestamp_ms = 16,
                                       .expire_timestamp_ms = 32,
                                       .topic_id = { { 1 } } };
    group_record_add_offset(shard, str_of("g"), str_of("t"), 0, &offset);
}

static void an_expiring_offset_is_version_1(void)
{
    check_written(write_expiring, "000100016700017400000000",
                  "0001000000000000000500016d00000000000000100000000000000020");
}

// Records of before Kafka 0.9, groups without members, types of later days, and nonsense.
static void all_kinds_are_read(void)
{
    struct arena arena;
    struct group_log_record record;
    arena_init(&arena);
    CU_ASSERT(group_record_decode(hex(&arena, "000000016700017400000007"),
                                  hex(&arena, "0000000000000000000900016d0000000000000010"), &arena,
                                  &record));
    CU_ASSERT(record.type == GROUP_RECORD_LEGACY_OFFSET_COMMIT && record.offset.offset == 9);
    CU_ASSERT(record.offset.leader_epoch == -1 && record.offset.expire_timestamp_ms == -1);
    CU_ASSERT_EQUAL(record.offset_key.partition, 7);
    CU_ASSERT(
        group_record_decode(hex(&arena, metadata_key), hex(&arena, empty_value), &arena, &record));
    CU_ASSERT(record.metadata.members_count == 0 && record.metadata.protocol.data == NULL);
    CU_ASSERT(group_record_decode(hex(&arena, "0003000167"), hex(&arena, "000000000001"), &arena,
                                  &record));
    CU_ASSERT(record.type == GROUP_RECORD_CONSUMER_GROUP_METADATA && str_eqz(record.group, "g"));
    CU_ASSERT(group_record_decode(hex(&arena, "03e7"), BYTES_NULL, &arena, &record));
    CU_ASSERT(!record.is_known);
    CU_ASSERT(!group_record_decode(hex(&arena, "00"), BYTES_NULL, &arena, &record));
    CU_ASSERT(!group_record_decode(hex(&arena, "00020005"), BYTES_NULL, &arena, &record));
    CU_ASSERT(
        !group_record_decode(hex(&arena, metadata_key), hex(&arena, "0009"), &arena, &record));
    struct bytes cut = hex(&arena, metadata_value);
    for (size_t size = 0; size < cut.size; size++)
        CU_ASSERT(!group_record_decode(hex(&arena, metadata_key), (struct bytes){ cut.data, size },
                                       &arena, &record));
    arena_fini(&arena);
}

TEST_MAIN("group_records", TEST(records_are_kafkas), TEST(an_expiring_offset_is_version_1),
          TEST(all_kinds_are_read))
