// SPDX-License-Identifier: Apache-2.0
#include "metadata/replay.h"

#include "metadata/image.h"
#include "metadata/snapshot.h"
#include "metadata/testing_image.h"
#include "protocol/records/begin_transaction.h"
#include "protocol/records/config.h"
#include "protocol/records/partition.h"
#include "protocol/records/partition_change.h"
#include "protocol/records/remove_topic.h"
#include "protocol/records/topic.h"

static int hex_of(struct bytes value, char *into, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < value.size && at + 3 < size; i++)
        at += (size_t)snprintf(into + at, size - at, "%02x", value.data[i]);
    return (int)at;
}

// Replays the data records of a log below `end_offset`; each must decode and encode to the same bytes.
static void replay_log(struct replay *replay, struct bytes log, int64_t end_offset,
                       int types_seen[64])
{
    struct bytes batch;
    while (batch_next(&log, &batch) == BATCH_FOUND && batch_base_offset(batch.data) < end_offset) {
        CU_ASSERT_TRUE_FATAL(batch_is_intact(batch));
        if (batch_is_control(batch.data))
            continue;
        struct record_iter it;
        record_iter_init(&it, batch, RECORDS_WHOLE);
        struct record record;
        while (record_iter_next(&it, &record)) {
            struct arena arena;
            arena_init(&arena);
            struct metadata_entry entry;
            const char *reason = NULL;
            CU_ASSERT_TRUE_FATAL(metadata_record_decode(record.value, &arena, &entry, &reason));
            struct bytes again = metadata_record_encode(&entry, &arena);
            bool same = again.size == record.value.size &&
                        memcmp(again.data, record.value.data, again.size) == 0;
            if (!same) {
                char a[1024], b[1024];
                hex_of(record.value, a, sizeof a);
                hex_of(again, b, sizeof b);
                fprintf(stderr, "theirs %s\nours   %s\n", a, b);
            }
            CU_ASSERT_TRUE(same);
            types_seen[entry.type]++;
            arena_fini(&arena);
            bool ok =
                replay_value(replay, record.value, record.offset, batch_leader_epoch(batch.data));
            if (!ok)
                fprintf(stderr, "offset %lld: %s\n", (long long)record.offset, replay->reason);
            CU_ASSERT_TRUE_FATAL(ok);
        }
        CU_ASSERT_EQUAL(it.error, RECORDS_OK);
        record_iter_fini(&it);
    }
}

static void a_jvm_log_gives_the_image_of_the_jvm_snapshot(void)
{
    struct metadata *from_log = metadata_new();
    struct replay replay;
    replay_init(&replay, from_log);
    struct strbuf log = jvm_file("00000000000000000000.log");
    int types_seen[64] = { 0 };
    replay_log(&replay, strbuf_bytes(&log), 109, types_seen);
    CU_ASSERT_EQUAL(types_seen[METADATA_RECORD_PARTITION_CHANGE], 55 - 11);
    CU_ASSERT_EQUAL(types_seen[METADATA_RECORD_REMOVE_TOPIC], 1);
    CU_ASSERT_EQUAL(from_log->offset, 108);
    CU_ASSERT_EQUAL(from_log->epoch, 3);
    replay_fini(&replay);

    struct metadata *from_snapshot = metadata_new();
    replay_init(&replay, from_snapshot);
    struct strbuf snapshot = jvm_file("00000000000000000109-0000000003.checkpoint");
    struct arena arena;
    arena_init(&arena);
    struct snapshot_head head;
    const char *reason = NULL;
    CU_ASSERT_TRUE(snapshot_decode(strbuf_bytes(&snapshot), &arena, &head, &replay, &reason));
    CU_ASSERT_EQUAL(head.kraft_version, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(head.voters);
    CU_ASSERT_EQUAL(head.voters->voters_count, 1);
    CU_ASSERT_EQUAL(head.voters->voters[0].voter_id, 1);
    replay_fini(&replay);

    struct strbuf a = image_text(from_log);
    struct strbuf b = image_text(from_snapshot);
    CU_ASSERT_STRING_EQUAL(a.data, b.data);
    strbuf_fini(&a);
    strbuf_fini(&b);

    struct metadata *copy = metadata_new();
    image_copy(from_log, copy);
    a = image_text(from_log);
    b = image_text(copy);
    CU_ASSERT_STRING_EQUAL(a.data, b.data);
    CU_ASSERT_EQUAL(copy->offset, 108);
    strbuf_fini(&a);
    strbuf_fini(&b);

    arena_fini(&arena);
    strbuf_fini(&log);
    strbuf_fini(&snapshot);
    metadata_free(from_log);
    metadata_free(from_snapshot);
    metadata_free(copy);
}

static void the_image_of_a_jvm_log_says_what_was_done(void)
{
    struct metadata *metadata = metadata_new();
    struct replay replay;
    replay_init(&replay, metadata);
    struct strbuf log = jvm_file("00000000000000000000.log");
    int types_seen[64] = { 0 };
    replay_log(&replay, strbuf_bytes(&log), INT64_MAX, types_seen);

    CU_ASSERT_EQUAL(metadata_topics_count(metadata), 4);
    CU_ASSERT_PTR_NULL(metadata_find_topic(metadata, str_of("doomed")));
    const struct metadata_topic *alpha = metadata_find_topic(metadata, str_of("alpha"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(alpha);
    CU_ASSERT_PTR_EQUAL(metadata_find_topic_by_id(metadata, alpha->id), alpha);
    CU_ASSERT_EQUAL(alpha->partitions_count, 5);
    CU_ASSERT_FALSE(alpha->is_internal);
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(alpha->configs, "max.message.bytes"), "2000000"));
    CU_ASSERT_TRUE(str_is_null(metadata_config_value(alpha->configs, "retention.bytes")));
    const struct metadata_partition *partition = metadata_topic_partition(alpha, 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(partition);
    CU_ASSERT_PTR_NULL(metadata_topic_partition(alpha, 5));
    CU_ASSERT_PTR_NULL(metadata_topic_partition(alpha, -1));
    CU_ASSERT_EQUAL(partition->leader, 1);
    CU_ASSERT_EQUAL(partition->leader_epoch, 4); // two restarts: without a leader, then with one
    CU_ASSERT_EQUAL(partition->partition_epoch, 4);
    CU_ASSERT_EQUAL(partition->leader_recovery_state, 1); // the second was kill -9
    CU_ASSERT_EQUAL(partition->isr_count, 1);
    CU_ASSERT_EQUAL(partition->eligible_leader_replicas_count, 0);
    CU_ASSERT_EQUAL(partition->directories_count, 1);

    const struct metadata_topic *offsets =
        metadata_find_topic(metadata, str_of("__consumer_offsets"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(offsets);
    CU_ASSERT_TRUE(offsets->is_internal);
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(offsets->configs, "cleanup.policy"), "compact"));

    const struct metadata_configs *configs =
        metadata_find_configs(metadata, CONFIG_RESOURCE_BROKER, str_of(""));
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(configs, "min.insync.replicas"), "1"));
    configs = metadata_find_configs(metadata, CONFIG_RESOURCE_GROUP, str_of("g1"));
    CU_ASSERT_TRUE(str_eqz(metadata_config_value(configs, "consumer.session.timeout.ms"), "50000"));
    CU_ASSERT_PTR_NULL(metadata_find_configs(metadata, CONFIG_RESOURCE_TOPIC, str_of("doomed")));

    const struct metadata_broker *broker = metadata_find_broker(metadata, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(broker);
    CU_ASSERT_FALSE(broker->fenced);
    CU_ASSERT_EQUAL(broker->cordoned_log_dirs_count, 0);
    const struct metadata_endpoint *endpoint = metadata_broker_endpoint(broker, "PLAINTEXT");
    CU_ASSERT_PTR_NOT_NULL_FATAL(endpoint);
    CU_ASSERT_EQUAL(endpoint->port, 25010);
    CU_ASSERT_PTR_NULL(metadata_broker_endpoint(broker, "SSL"));
    CU_ASSERT_EQUAL(metadata_feature_level(metadata, "metadata.version"), 30);
    CU_ASSERT_EQUAL(metadata_feature_level(metadata, "kraft.version"), 0);
    CU_ASSERT_EQUAL(metadata->next_producer_id, 1000);
    CU_ASSERT_EQUAL(metadata->partitions_count, 5 + 1 + 5 + 2);

    replay_fini(&replay);
    metadata_free(metadata);
    strbuf_fini(&log);
}

// ---- by hand ------------------------------------------------------------------------------------------------

struct fixture {
    struct arena arena;
    struct metadata *metadata;
    struct replay replay;
    struct delta delta;
    int64_t offset;
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    arena_init(&f->arena);
    f->metadata = metadata_new();
    replay_init(&f->replay, f->metadata);
    delta_init(&f->delta, &f->arena);
    f->replay.delta = &f->delta;
}

static void teardown(struct fixture *f)
{
    delta_fini(&f->delta);
    replay_fini(&f->replay);
    metadata_free(f->metadata);
    arena_fini(&f->arena);
}

static void next_delta(struct fixture *f)
{
    delta_fini(&f->delta);
    delta_init(&f->delta, &f->arena);
}

static bool apply(struct fixture *f, const struct metadata_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        if (!replay_entry(&f->replay, &entries->items[i], f->offset++, 1))
            return false;
    return true;
}

static struct uuid id_of(uint8_t n)
{
    struct uuid id = UUID_ZERO;
    id.bytes[0] = 0x40;
    id.bytes[15] = n;
    return id;
}

static void add_topic(struct metadata_entries *entries, const char *name, uint8_t id,
                      int32_t partitions)
{
    static int32_t replicas[] = { 1 };
    struct topic_record *topic = metadata_entries_add(entries, METADATA_RECORD_TOPIC, 0);
    topic->name = str_of(name);
    topic->topic_id = id_of(id);
    for (int32_t i = 0; i < partitions; i++) {
        struct partition_record *partition =
            metadata_entries_add(entries, METADATA_RECORD_PARTITION, 2);
        partition->partition_id = i;
        partition->topic_id = id_of(id);
        partition->replicas = partition->isr = replicas;
        partition->replicas_count = partition->isr_count = 1;
        partition->leader = 1;
        partition->leader_epoch = partition->partition_epoch = 0;
    }
}

static void a_delta_tells_what_changed(void)
{
    struct fixture f;
    setup(&f);
    struct metadata_entries entries;
    metadata_entries_init(&entries, &f.arena);
    add_topic(&entries, "a", 1, 3);
    add_topic(&entries, "b", 2, 1);
    struct config_record *config = metadata_entries_add(&entries, METADATA_RECORD_CONFIG, 0);
    config->resource_type = CONFIG_RESOURCE_TOPIC;
    config->resource_name = str_of("a");
    config->name = str_of("retention.ms");
    config->value = str_of("5");
    struct remove_topic_record *removed =
        metadata_entries_add(&entries, METADATA_RECORD_REMOVE_TOPIC, 0);
    removed->topic_id = id_of(2);
    CU_ASSERT_TRUE_FATAL(apply(&f, &entries));
    const struct metadata_delta *delta = delta_finish(&f.delta, f.metadata);
    CU_ASSERT_EQUAL_FATAL(delta->topics_count, 1); // b came and went
    CU_ASSERT_EQUAL(delta->topics[0].change, METADATA_CREATED);
    CU_ASSERT_TRUE(str_eqz(delta->topics[0].name, "a"));
    CU_ASSERT_EQUAL(delta->topics[0].partitions_count, 3);
    CU_ASSERT_EQUAL(delta->configs_count, 0); // told by the new topic

    next_delta(&f);
    metadata_entries_init(&entries, &f.arena);
    for (int i = 0; i < 2; i++) {
        struct partition_change_record *change =
            metadata_entries_add(&entries, METADATA_RECORD_PARTITION_CHANGE, 2);
        change->topic_id = id_of(1);
        change->partition_id = 2;
        change->leader = -1;
    }
    config = metadata_entries_add(&entries, METADATA_RECORD_CONFIG, 0);
    config->resource_type = CONFIG_RESOURCE_TOPIC;
    config->resource_name = str_of("a");
    config->name = str_of("retention.ms");
    config->value = STR_NULL;
    CU_ASSERT_TRUE_FATAL(apply(&f, &entries));
    delta = delta_finish(&f.delta, f.metadata);
    CU_ASSERT_EQUAL_FATAL(delta->topics_count, 1);
    CU_ASSERT_EQUAL(delta->topics[0].change, METADATA_CHANGED);
    CU_ASSERT_EQUAL_FATAL(delta->topics[0].partitions_count, 1);
    CU_ASSERT_EQUAL(delta->topics[0].partitions[0], 2);
    CU_ASSERT_EQUAL_FATAL(delta->configs_count, 1);
    CU_ASSERT_TRUE(str_eqz(delta->configs[0].name, "a"));
    const struct metadata_topic *topic = metadata_find_topic(f.metadata, str_of("a"));
    CU_ASSERT_PTR_NULL(topic->configs); // the last override went
    CU_ASSERT_EQUAL(topic->partitions[2].leader, -1);
    CU_ASSERT_EQUAL(topic->partitions[2].leader_epoch, 2);
    CU_ASSERT_EQUAL(topic->partitions[2].partition_epoch, 2);

    // Deleted and made again under the same name: two topics.
    next_delta(&f);
    metadata_entries_init(&entries, &f.arena);
    removed = metadata_entries_add(&entries, METADATA_RECORD_REMOVE_TOPIC, 0);
    removed->topic_id = id_of(1);
    add_topic(&entries, "a", 3, 1);
    CU_ASSERT_TRUE_FATAL(apply(&f, &entries));
    delta = delta_finish(&f.delta, f.metadata);
    CU_ASSERT_EQUAL_FATAL(delta->topics_count, 2);
    CU_ASSERT_EQUAL(delta->topics[0].change, METADATA_DELETED);
    CU_ASSERT_TRUE(uuid_eq(delta->topics[0].id, id_of(1)));
    CU_ASSERT_EQUAL(delta->topics[1].change, METADATA_CREATED);
    CU_ASSERT_EQUAL(delta->topics[1].partitions_count, 1);
    CU_ASSERT_EQUAL(f.metadata->partitions_count, 1);
    teardown(&f);
}

static void a_transaction_takes_effect_at_its_end(void)
{
    struct fixture f;
    setup(&f);
    struct metadata_entries entries;
    metadata_entries_init(&entries, &f.arena);
    metadata_entries_add(&entries, METADATA_RECORD_BEGIN_TRANSACTION, 0);
    add_topic(&entries, "a", 1, 1);
    CU_ASSERT_TRUE_FATAL(apply(&f, &entries));
    CU_ASSERT_EQUAL(metadata_topics_count(f.metadata), 0);
    CU_ASSERT_TRUE(f.replay.in_transaction);
    CU_ASSERT_EQUAL(f.replay.transaction_offset, 0);
    metadata_entries_init(&entries, &f.arena);
    metadata_entries_add(&entries, METADATA_RECORD_END_TRANSACTION, 0);
    CU_ASSERT_TRUE_FATAL(apply(&f, &entries));
    CU_ASSERT_EQUAL(metadata_topics_count(f.metadata), 1);

    metadata_entries_init(&entries, &f.arena);
    metadata_entries_add(&entries, METADATA_RECORD_BEGIN_TRANSACTION, 0);
    add_topic(&entries, "b", 2, 1);
    metadata_entries_add(&entries, METADATA_RECORD_ABORT_TRANSACTION, 0);
    CU_ASSERT_TRUE_FATAL(apply(&f, &entries));
    CU_ASSERT_EQUAL(metadata_topics_count(f.metadata), 1);
    CU_ASSERT_FALSE(f.replay.in_transaction);
    teardown(&f);
}

static void what_does_not_fit_is_refused(void)
{
    struct fixture f;
    setup(&f);
    struct metadata_entries entries;

    metadata_entries_init(&entries, &f.arena);
    struct remove_topic_record *removed =
        metadata_entries_add(&entries, METADATA_RECORD_REMOVE_TOPIC, 0);
    removed->topic_id = id_of(9);
    CU_ASSERT_FALSE(apply(&f, &entries));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.replay.reason, "does not exist"));

    metadata_entries_init(&entries, &f.arena);
    add_topic(&entries, "a", 1, 1);
    CU_ASSERT_TRUE(apply(&f, &entries));
    CU_ASSERT_FALSE(apply(&f, &entries)); // the same topic once more

    metadata_entries_init(&entries, &f.arena);
    metadata_entries_add(&entries, METADATA_RECORD_END_TRANSACTION, 0);
    CU_ASSERT_FALSE(apply(&f, &entries));

    // Frame version 2; type 99; TopicRecord version 1; cut short; a byte too many.
    static const struct bytes bad[] = {
        { (const uint8_t *)"\x02\x14\x00\x00", 4 },     { (const uint8_t *)"\x01\x63\x00\x00", 4 },
        { (const uint8_t *)"\x01\x02\x01\x00", 4 },     { (const uint8_t *)"\x01\x02\x00\x05", 4 },
        { (const uint8_t *)"\x01\x14\x00\x00\x00", 5 }, { (const uint8_t *)"", 0 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(replay_value(&f.replay, bad[i], 7, 1));
    CU_ASSERT_TRUE(replay_value(&f.replay, (struct bytes){ (const uint8_t *)"\x01\x14\x00\x00", 4 },
                                8, 1)); // NoOp
    CU_ASSERT_EQUAL(f.metadata->offset, 8);
    teardown(&f);
}

TEST_MAIN("replay", TEST(a_jvm_log_gives_the_image_of_the_jvm_snapshot),
          TEST(the_image_of_a_jvm_log_says_what_was_done), TEST(a_delta_tells_what_changed),
          TEST(a_transaction_takes_effect_at_its_end), TEST(what_does_not_fit_is_refused))
