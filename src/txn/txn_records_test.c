// SPDX-License-Identifier: Apache-2.0
// Records as the real broker wrote them are understood, and written again byte for byte.
#include "txn/txn_records.h"

#include "base/mem.h"
#include "base/testing.h"

enum { BYTES_MAX = 200 };

static struct bytes unhex(const char *text, uint8_t into[BYTES_MAX])
{
    size_t size = strlen(text) / 2;
    for (size_t i = 0; i < size; i++) {
        char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };
        into[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return (struct bytes){ into, size };
}

static const char key[] = "0000000c7477696e2d32313536372d36"; // twin-21567-6

static const struct {
    const char *value;
    enum transaction_state state;
    int16_t epoch, client_version;
    size_t partitions;
} seen[] = {
    { "0001000000000000000200000000ea600000000001a2151e71f7ffffffffffffffff0100080000000000000002",
      TRANSACTION_EMPTY, 0, 0, 0 },
    { "0001000000000000000200000000ea6001020e746f7069632d32313536372d35020000000000000001a2151e7246"
      "000001a2151e7246020008000000000000000202020002",
      TRANSACTION_ONGOING, 0, 2, 1 },
    { "0001000000000000000200010000ea6002020e746f7069632d32313536372d35020000000000000001a2151e72dc"
      "000001a2151e7246020008000000000000000202020002",
      TRANSACTION_PREPARE_COMMIT, 1, 2, 1 },
    { "0001000000000000000200010000ea600401000001a2151e72f9000001a2151e7246020008000000000000000202"
      "020002",
      TRANSACTION_COMPLETE_COMMIT, 1, 2, 0 },
    { "0001000000000000000200020000ea6003020e746f7069632d32313536372d35020000000000000001a2151e73f7"
      "000001a2151e739b020008000000000000000202020002",
      TRANSACTION_PREPARE_ABORT, 2, 2, 1 },
    { "0001000000000000000500000000ea6001030f746f7069632d32313536372d3130030000000200000000000f746f"
      "70"
      "69632d32313536372d3131020000000000000001a2151e78dd000001a2151e78ab0100080000000000000005",
      TRANSACTION_ONGOING, 0, 0, 3 },
};

static void records_of_the_real_broker(void)
{
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        uint8_t key_bytes[BYTES_MAX], value_bytes[BYTES_MAX];
        struct bytes k = unhex(key, key_bytes), v = unhex(seen[i].value, value_bytes);
        struct arena arena;
        arena_init(&arena);
        struct txn_record record;
        CU_ASSERT_TRUE_FATAL(txn_record_decode(k, v, &arena, &record));
        CU_ASSERT_EQUAL(record.kind, TXN_RECORD_VALUE);
        CU_ASSERT_TRUE(str_eqz(record.id, "twin-21567-6"));
        CU_ASSERT_EQUAL(record.fields.state, seen[i].state);
        CU_ASSERT_EQUAL(record.fields.producer_epoch, seen[i].epoch);
        CU_ASSERT_EQUAL(record.fields.client_version, seen[i].client_version);
        CU_ASSERT_EQUAL(record.fields.timeout_ms, 60000);
        CU_ASSERT_EQUAL(transaction_partitions_size(&record.partitions), seen[i].partitions);
        struct bytes again = txn_record_key(record.id, &arena);
        CU_ASSERT_TRUE(again.size == k.size && memcmp(again.data, k.data, k.size) == 0);
        again = txn_record_value(&record.fields, &record.partitions, 2, &arena);
        CU_ASSERT_TRUE(again.size == v.size && memcmp(again.data, v.data, v.size) == 0);
        transaction_partitions_fini(&record.partitions);
        arena_fini(&arena);
    }
}

// Without transaction.version records have the older form.
static void records_of_older_clusters(void)
{
    static const char value[] = "0000"
                                "0000000000000002"
                                "0001"
                                "0000ea60"
                                "01"
                                "00000001"
                                "0001"
                                "74"
                                "00000002"
                                "00000000"
                                "00000003"
                                "000001a2151e7246"
                                "000001a2151e7240";
    uint8_t key_bytes[BYTES_MAX], value_bytes[BYTES_MAX];
    struct bytes k = unhex(key, key_bytes), v = unhex(value, value_bytes);
    struct arena arena;
    arena_init(&arena);
    struct txn_record record;
    CU_ASSERT_TRUE_FATAL(txn_record_decode(k, v, &arena, &record));
    CU_ASSERT_EQUAL(record.fields.state, TRANSACTION_ONGOING);
    CU_ASSERT_EQUAL(record.fields.previous_producer_id, -1);
    CU_ASSERT_TRUE(transaction_partitions_has(&record.partitions, str_of("t"), 3));
    struct bytes again = txn_record_value(&record.fields, &record.partitions, 0, &arena);
    CU_ASSERT_TRUE(again.size == v.size && memcmp(again.data, v.data, v.size) == 0);
    transaction_partitions_fini(&record.partitions);
    arena_fini(&arena);
}

static void what_is_none(void)
{
    uint8_t key_bytes[BYTES_MAX], value_bytes[BYTES_MAX];
    struct bytes k = unhex(key, key_bytes);
    struct arena arena;
    arena_init(&arena);
    struct txn_record record;
    CU_ASSERT_TRUE(txn_record_decode(k, BYTES_NULL, &arena, &record));
    CU_ASSERT_EQUAL(record.kind, TXN_RECORD_TOMBSTONE);
    // Of a later release: ignored.
    CU_ASSERT_TRUE(txn_record_decode(k, unhex("0002ff", value_bytes), &arena, &record));
    CU_ASSERT_EQUAL(record.kind, TXN_RECORD_UNKNOWN);
    CU_ASSERT_TRUE(
        txn_record_decode(unhex("0001000174", value_bytes), BYTES_NULL, &arena, &record));
    CU_ASSERT_EQUAL(record.kind, TXN_RECORD_UNKNOWN);
    // Damaged: refused.
    CU_ASSERT_FALSE(txn_record_decode(unhex("00", value_bytes), BYTES_NULL, &arena, &record));
    CU_ASSERT_FALSE(txn_record_decode(k, unhex("0001000000", value_bytes), &arena, &record));
    CU_ASSERT_FALSE(txn_record_decode(
        k,
        unhex("0000000000000000000200010000ea6009ffffffff00000000000000000000000000000000",
              value_bytes),
        &arena, &record));
    transaction_partitions_fini(&record.partitions);
    arena_fini(&arena);
}

TEST_MAIN("txn_records", TEST(records_of_the_real_broker), TEST(records_of_older_clusters),
          TEST(what_is_none))
