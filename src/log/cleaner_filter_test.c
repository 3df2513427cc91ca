// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner_filter.h"

#include <errno.h>

#include "base/mem.h"
#include "base/testing.h"
#include "record/batch_builder.h"

#define B(z) ((struct bytes){ (const uint8_t *)(z), sizeof(z) - 1 })

enum { BASE = 100, NOW_MS = 900000, RETENTION_MS = 5000 };

static struct offset_map map;
static struct cleaner_txns txns;
static struct cleaner_filter filter;
static struct strbuf out;
static struct last_record producers[] = { { 7, BASE + 2, 0 }, { 8, -1, 3 } };

// The map knows offsets below 1000; key "old" has a later record there, "new" has not.
static void begin(struct aborted_txn *aborted)
{
    struct aborted_txns list = { 0 };
    if (aborted != NULL)
        list = (struct aborted_txns){ mem_dup(aborted, sizeof *aborted), 1, 1 };
    offset_map_init(&map, 1 << 16, 0.9, 1000);
    struct siphash key = offset_map_key(&map, B("old"));
    offset_map_put(&map, &key, 500);
    map.latest_offset = 1000;
    cleaner_txns_init(&txns, &list);
    filter = (struct cleaner_filter){ .map = &map,
                                      .txns = &txns,
                                      .producers = producers,
                                      .producer_count = 2,
                                      .now_ms = NOW_MS,
                                      .delete_retention_ms = RETENTION_MS,
                                      .first_uncleanable_offset = 2000 };
    out = STRBUF_EMPTY;
}

static void end(void)
{
    cleaner_filter_fini(&filter);
    cleaner_txns_fini(&txns);
    offset_map_fini(&map);
    strbuf_fini(&out);
}

static struct batch_options with_producer(int64_t id)
{
    struct batch_options options = { BATCH_OPTIONS_DEFAULT };
    options.base_offset = BASE;
    options.leader_epoch = 9;
    if (id >= 0) {
        options.producer_id = id;
        options.producer_epoch = 3;
        options.base_sequence = 40;
    }
    return options;
}

// Records at BASE, BASE+1, …: keys and values as given; timestamps 1000, 1001, ….
static struct bytes make(struct batch_builder *builder, const struct batch_options *options,
                         const char *const *keys, const char *const *values, int count)
{
    batch_builder_init(builder, options);
    for (int i = 0; i < count; i++) {
        struct str k = str_of(keys[i]), v = str_of(values[i]);
        batch_builder_add(builder, 1000 + i, (struct bytes){ (const uint8_t *)k.data, k.size },
                          (struct bytes){ (const uint8_t *)v.data, v.size });
    }
    return batch_builder_finish(builder);
}

static struct bytes run(struct bytes batch)
{
    CU_ASSERT_EQUAL_FATAL(cleaner_filter_batch(&filter, batch, &out), 0);
    return (struct bytes){ (const uint8_t *)out.data, out.size };
}

static void a_batch_that_loses_nothing_is_the_same_bytes(void)
{
    begin(NULL);
    struct batch_builder builder;
    struct batch_options options = with_producer(-1);
    options.compression = COMPRESSION_ZSTD;
    struct bytes batch = make(&builder, &options, (const char *const[]){ "new", "other" },
                              (const char *const[]){ "v", "w" }, 2);
    struct bytes kept = run(batch);
    CU_ASSERT_EQUAL(kept.size, batch.size);
    CU_ASSERT_EQUAL(memcmp(kept.data, batch.data, batch.size), 0);
    batch_builder_fini(&builder);
    end();
}

// What is left keeps offsets, timestamps, sequence and epoch; the base timestamp is the first record's, as Kafka's.
static void a_batch_that_loses_some_is_rebuilt(void)
{
    for (int codec = COMPRESSION_NONE; codec <= COMPRESSION_ZSTD; codec++) {
        begin(NULL);
        struct batch_builder builder;
        struct batch_options options = with_producer(6);
        options.compression = (enum compression)codec;
        struct bytes batch =
            make(&builder, &options, (const char *const[]){ "old", "new", NULL, "third", "old" },
                 (const char *const[]){ "a", "b", "c", "d", "e" }, 5);
        struct bytes kept = run(batch);
        const uint8_t *b = kept.data;
        CU_ASSERT_TRUE_FATAL(batch_is_intact(kept));
        CU_ASSERT_EQUAL(batch_base_offset(b), BASE);
        CU_ASSERT_EQUAL(batch_last_offset(b), BASE + 4);
        CU_ASSERT_EQUAL(batch_leader_epoch(b), 9);
        CU_ASSERT_EQUAL(batch_compression(b), codec);
        CU_ASSERT_EQUAL(batch_producer_id(b), 6);
        CU_ASSERT_EQUAL(batch_last_sequence(b), 44);
        CU_ASSERT_EQUAL(batch_base_timestamp(b), 1001);
        CU_ASSERT_EQUAL(batch_max_timestamp(b), 1003);
        CU_ASSERT_EQUAL(batch_record_count(b), 2);
        struct record_iter it;
        struct record record;
        record_iter_init(&it, kept, RECORDS_WHOLE);
        CU_ASSERT_TRUE(record_iter_next(&it, &record));
        CU_ASSERT_TRUE(record.offset == BASE + 1 && record.timestamp == 1001);
        CU_ASSERT_TRUE(record_iter_next(&it, &record));
        CU_ASSERT_TRUE(record.offset == BASE + 3 && record.timestamp == 1003);
        CU_ASSERT_FALSE(record_iter_next(&it, &record));
        CU_ASSERT_EQUAL(it.error, RECORDS_OK);
        record_iter_fini(&it);
        CU_ASSERT_EQUAL(filter.keyless_records, 1);
        batch_builder_fini(&builder);
        end();
    }
}

// Nothing of it is left; it stays as a header where it is the last of an active producer, or of all that is cleaned.
static void an_empty_batch_stays_for_its_producer(void)
{
    static const struct {
        int64_t producer, first_uncleanable;
        bool stays;
    } cases[] = { { -1, 2000, false },
                  { 6, 2000, false },
                  { 7, 2000, true },
                  { 8, 2000, false },
                  { -1, BASE + 3, true } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(NULL);
        filter.first_uncleanable_offset = cases[i].first_uncleanable;
        struct batch_builder builder;
        struct batch_options options = with_producer(cases[i].producer);
        options.compression = COMPRESSION_GZIP;
        struct bytes kept =
            run(make(&builder, &options, (const char *const[]){ "old", "old", "old" },
                     (const char *const[]){ "a", "b", "c" }, 3));
        CU_ASSERT_EQUAL(kept.size, cases[i].stays ? BATCH_HEADER_SIZE : 0);
        if (cases[i].stays) {
            CU_ASSERT_TRUE(batch_is_intact(kept));
            CU_ASSERT_EQUAL(batch_record_count(kept.data), 0);
            CU_ASSERT_EQUAL(batch_compression(kept.data), COMPRESSION_NONE);
            CU_ASSERT_EQUAL(batch_last_offset(kept.data), BASE + 2);
            CU_ASSERT_EQUAL(batch_base_timestamp(kept.data), -1);
            CU_ASSERT_EQUAL(batch_max_timestamp(kept.data), 1002);
            CU_ASSERT_EQUAL(batch_base_sequence(kept.data), cases[i].producer < 0 ? -1 : 40);
            // Once more: it is kept as it is.
            uint8_t copy[BATCH_HEADER_SIZE];
            memcpy(copy, kept.data, sizeof copy);
            out.size = 0;
            kept = run((struct bytes){ copy, sizeof copy });
            CU_ASSERT_EQUAL_FATAL(kept.size, BATCH_HEADER_SIZE);
            CU_ASSERT_EQUAL(memcmp(kept.data, copy, sizeof copy), 0);
        }
        batch_builder_fini(&builder);
        end();
    }
}

// KIP-534: the first cleaning writes the horizon, timestamps stay; until it the tombstone stays, from it on it goes.
static void a_tombstone_goes_at_its_horizon(void)
{
    begin(NULL);
    struct batch_builder builder;
    struct batch_options options = with_producer(-1);
    struct bytes batch = make(&builder, &options, (const char *const[]){ "new", "other" },
                              (const char *const[]){ NULL, "w" }, 2);
    struct bytes kept = run(batch);
    CU_ASSERT_TRUE_FATAL(batch_is_intact(kept));
    CU_ASSERT_TRUE((batch_attributes(kept.data) & BATCH_DELETE_HORIZON) != 0);
    CU_ASSERT_EQUAL(batch_base_timestamp(kept.data), NOW_MS + RETENTION_MS);
    CU_ASSERT_EQUAL(batch_max_timestamp(kept.data), 1001);
    struct record_iter it;
    struct record record;
    record_iter_init(&it, kept, RECORDS_WHOLE);
    CU_ASSERT_TRUE(record_iter_next(&it, &record));
    CU_ASSERT_EQUAL(record.timestamp, 1000);
    record_iter_fini(&it);
    struct bytes first = { mem_dup(kept.data, kept.size), kept.size };
    out.size = 0;
    filter.now_ms = NOW_MS + RETENTION_MS - 1;
    kept = run(first);
    CU_ASSERT_TRUE(kept.size == first.size && memcmp(kept.data, first.data, kept.size) == 0);
    out.size = 0;
    filter.now_ms++;
    kept = run(first);
    CU_ASSERT_EQUAL(batch_record_count(kept.data), 1);
    CU_ASSERT_EQUAL(batch_base_timestamp(kept.data), NOW_MS + RETENTION_MS);
    mem_free((void *)first.data);
    batch_builder_fini(&builder);
    end();
}

static struct bytes make_marker(struct batch_builder *builder, int64_t producer, int64_t offset,
                                enum control_type type)
{
    struct batch_options options = with_producer(producer);
    options.base_offset = offset;
    options.base_sequence = -1;
    options.is_transactional = options.is_control = true;
    uint8_t key[CONTROL_KEY_SIZE], value[END_TXN_MARKER_SIZE];
    control_key_encode(key, type);
    end_txn_marker_encode(value, 0);
    batch_builder_init(builder, &options);
    batch_builder_add(builder, 1005, (struct bytes){ key, sizeof key },
                      (struct bytes){ value, sizeof value });
    return batch_builder_finish(builder);
}

// An aborted transaction's data goes at once; its marker stays with its index entry while data was met, gets a horizon
// when none was, and goes at the horizon.
static void an_aborted_transaction_goes_in_three_steps(void)
{
    struct aborted_txn aborted = { 6, BASE, BASE + 10, BASE + 11 };
    struct batch_builder data, marker;
    struct batch_options options = with_producer(6);
    options.is_transactional = true;
    begin(&aborted);
    CU_ASSERT_EQUAL(
        run(make(&data, &options, (const char *const[]){ "new" }, (const char *const[]){ "v" }, 1))
            .size,
        0);
    struct bytes abort_marker = make_marker(&marker, 6, BASE + 10, CONTROL_ABORT);
    struct bytes kept = run(abort_marker);
    CU_ASSERT_EQUAL(kept.size, abort_marker.size);
    CU_ASSERT_EQUAL(memcmp(kept.data, abort_marker.data, kept.size), 0);
    CU_ASSERT_EQUAL(filter.kept.producer_id, 6);
    CU_ASSERT_EQUAL(filter.kept.first_offset, BASE);
    end();

    begin(&aborted);
    kept = run(abort_marker);
    CU_ASSERT_EQUAL(filter.kept.producer_id, -1);
    CU_ASSERT_EQUAL(batch_record_count(kept.data), 1);
    CU_ASSERT_EQUAL(batch_base_timestamp(kept.data), NOW_MS + RETENTION_MS);
    CU_ASSERT_TRUE(batch_is_intact(kept));
    struct bytes first = { mem_dup(kept.data, kept.size), kept.size };
    end();

    begin(&aborted);
    filter.now_ms = NOW_MS + RETENTION_MS - 1;
    CU_ASSERT_EQUAL(run(first).size, first.size);
    end();
    begin(&aborted);
    filter.now_ms = NOW_MS + RETENTION_MS;
    CU_ASSERT_EQUAL(run(first).size, 0);
    end();
    mem_free((void *)first.data);

    // The marker is all that an active producer has written lately: its epoch must not be lost.
    begin(NULL);
    filter.now_ms = NOW_MS + RETENTION_MS;
    struct batch_builder other;
    struct bytes commit = make_marker(&other, 8, BASE + 10, CONTROL_COMMIT);
    kept = run(commit);
    CU_ASSERT_EQUAL(batch_record_count(kept.data), 1);
    first = (struct bytes){ mem_dup(kept.data, kept.size), kept.size };
    out.size = 0;
    filter.now_ms += 2 * RETENTION_MS;
    kept = run(first);
    CU_ASSERT_EQUAL_FATAL(kept.size, BATCH_HEADER_SIZE);
    CU_ASSERT_EQUAL(batch_record_count(kept.data), 0);
    CU_ASSERT_EQUAL(batch_producer_epoch(kept.data), 3);
    mem_free((void *)first.data);
    batch_builder_fini(&data);
    batch_builder_fini(&marker);
    batch_builder_fini(&other);
    end();
}

// Beyond what the map knows, and in committed transactions, keys alone decide.
static void what_the_map_does_not_know_stays(void)
{
    begin(NULL);
    map.latest_offset = BASE;
    struct batch_builder builder;
    struct batch_options options = with_producer(6);
    options.is_transactional = true;
    struct bytes kept = run(make(&builder, &options, (const char *const[]){ "old", "old", NULL },
                                 (const char *const[]){ "a", "b", "c" }, 3));
    CU_ASSERT_EQUAL(batch_record_count(kept.data), 2);
    batch_builder_fini(&builder);
    struct batch_builder marker;
    out.size = 0;
    kept = run(make_marker(&marker, 6, BASE + 10, CONTROL_COMMIT));
    CU_ASSERT_EQUAL(batch_attributes(kept.data) & BATCH_DELETE_HORIZON, 0);
    batch_builder_fini(&marker);
    end();
}

// Records that lie about themselves, and compressed bytes that are none, are told, not guessed at.
static void damage_is_told(void)
{
    begin(NULL);
    struct batch_builder builder;
    struct batch_options options = with_producer(-1);
    options.compression = COMPRESSION_LZ4;
    struct bytes batch =
        make(&builder, &options, (const char *const[]){ "new" }, (const char *const[]){ "v" }, 1);
    ((uint8_t *)batch.data)[BATCH_HEADER_SIZE + 1] ^= 0x40;
    CU_ASSERT_EQUAL(cleaner_filter_batch(&filter, batch, &out), -EBADMSG);
    CU_ASSERT_PTR_NOT_NULL(filter.fault);
    CU_ASSERT_EQUAL(out.size, 0);
    batch_builder_fini(&builder);
    options.compression = COMPRESSION_NONE;
    batch =
        make(&builder, &options, (const char *const[]){ "new" }, (const char *const[]){ "v" }, 1);
    put_be32((uint8_t *)batch.data + 57, 2);
    CU_ASSERT_EQUAL(cleaner_filter_map(&filter, batch, 0), -EBADMSG);
    batch_builder_fini(&builder);
    end();
}

TEST_MAIN("cleaner_filter", TEST(a_batch_that_loses_nothing_is_the_same_bytes),
          TEST(a_batch_that_loses_some_is_rebuilt), TEST(an_empty_batch_stays_for_its_producer),
          TEST(a_tombstone_goes_at_its_horizon), TEST(an_aborted_transaction_goes_in_three_steps),
          TEST(what_the_map_does_not_know_stays), TEST(damage_is_told))
