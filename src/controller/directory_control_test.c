// SPDX-License-Identifier: Apache-2.0
// A broker with three log directories: what it tells of them, and what becomes of the partitions in them.
#include "controller/directory_control.h"

#include "controller/testing_controller.h"

enum { A, B, C, DIRS };

struct dirs {
    struct fixture f;
    struct uuid ids[DIRS];
    struct uuid offline[DIRS];
    int32_t offline_count;
    struct uuid cordoned[DIRS];
    int32_t cordoned_count;
};

static void tell(void *arg, struct arena *arena, struct local_directories *out)
{
    struct dirs *d = arg;
    (void)arena;
    *out =
        (struct local_directories){ d->offline, d->offline_count, d->cordoned, d->cordoned_count };
}

// Registers with the directories from `first` on.
static void serve_with(struct dirs *d, int first, int64_t previous_epoch)
{
    struct fixture *f = &d->f;
    CU_ASSERT_EQUAL_FATAL(open_controller(f), 0);
    f->broker = (struct local_broker){
        .controller = f->controller,
        .metadata = f->metadata,
        .trace = &f->trace,
        .node_id = 1,
        .cluster_id = "test-cluster-id-000000",
        .incarnation_id = uuid_random(),
        .endpoints = endpoints,
        .endpoints_count = 1,
        .log_dirs = d->ids + first,
        .log_dirs_count = DIRS - first,
        .previous_epoch = previous_epoch,
        .directories = tell,
        .arg = d,
    };
    CU_ASSERT_EQUAL(local_broker_register(&f->broker), KERR_NONE);
    CU_ASSERT_EQUAL(local_broker_unfence(&f->broker), KERR_NONE);
}

static void begin(struct dirs *d)
{
    memset(d, 0, sizeof *d);
    setup(&d->f);
    for (int i = 0; i < DIRS; i++)
        d->ids[i] = uuid_random();
    serve_with(d, A, -1);
}

static void end(struct dirs *d)
{
    stop(&d->f);
    teardown(&d->f);
}

static const struct metadata_partition *partition_of(struct dirs *d, int32_t index)
{
    const struct metadata_topic *topic = metadata_find_topic(d->f.metadata, str_of("t"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(topic);
    const struct metadata_partition *partition = metadata_topic_partition(topic, index);
    CU_ASSERT_PTR_NOT_NULL_FATAL(partition);
    CU_ASSERT_EQUAL_FATAL(partition->directories_count, 1);
    return partition;
}

// One partition of a topic; the answer for it, or the one for all.
static enum kafka_error assign(struct dirs *d, int64_t epoch, struct uuid topic_id, int32_t index,
                               struct uuid directory)
{
    struct assign_replicas_to_dirs_request request;
    struct assign_replicas_to_dirs_request_partition_data partition = { .partition_index = index };
    struct assign_replicas_to_dirs_request_topic_data topic = { .topic_id = topic_id,
                                                                .partitions = &partition,
                                                                .partitions_count = 1 };
    struct assign_replicas_to_dirs_request_directory_data dir = { .id = directory,
                                                                  .topics = &topic,
                                                                  .topics_count = 1 };
    message_init(&assign_replicas_to_dirs_request_desc, &request);
    request.broker_id = 1;
    request.broker_epoch = epoch;
    request.directories = &dir;
    request.directories_count = 1;
    const struct assign_replicas_to_dirs_response *response =
        call(&d->f, API_ASSIGN_REPLICAS_TO_DIRS, 0, &request);
    if (response->error_code != KERR_NONE)
        return (enum kafka_error)response->error_code;
    CU_ASSERT_TRUE(uuid_eq(response->directories[0].id, directory));
    CU_ASSERT_TRUE(uuid_eq(response->directories[0].topics[0].topic_id, topic_id));
    return (enum kafka_error)response->directories[0].topics[0].partitions[0].error_code;
}

static void a_replica_is_unassigned_until_the_broker_tells(void)
{
    struct dirs d;
    begin(&d);
    create(&d.f, "t", 2);
    struct uuid unassigned = UUID_ZERO;
    unassigned.bytes[15] = 1;
    CU_ASSERT_TRUE(uuid_eq(partition_of(&d, 0)->directories[0], unassigned));
    struct uuid id = metadata_find_topic(d.f.metadata, str_of("t"))->id;
    int64_t epoch = d.f.broker.epoch;
    int32_t before = partition_of(&d, 0)->partition_epoch;
    CU_ASSERT_EQUAL(assign(&d, epoch, id, 0, d.ids[B]), KERR_NONE);
    CU_ASSERT_TRUE(uuid_eq(partition_of(&d, 0)->directories[0], d.ids[B]));
    CU_ASSERT_EQUAL(partition_of(&d, 0)->partition_epoch, before + 1);
    CU_ASSERT_EQUAL(partition_of(&d, 0)->leader, 1);
    CU_ASSERT_EQUAL(partition_of(&d, 0)->leader_epoch, 0);
    CU_ASSERT_TRUE(uuid_eq(partition_of(&d, 1)->directories[0], unassigned));
    // Told again: no record.
    int64_t offset = d.f.metadata->offset;
    CU_ASSERT_EQUAL(assign(&d, epoch, id, 0, d.ids[B]), KERR_NONE);
    CU_ASSERT_EQUAL(d.f.metadata->offset, offset);

    CU_ASSERT_EQUAL(assign(&d, epoch, id, 2, d.ids[B]), KERR_UNKNOWN_TOPIC_OR_PARTITION);
    CU_ASSERT_EQUAL(assign(&d, epoch, uuid_random(), 0, d.ids[B]), KERR_UNKNOWN_TOPIC_ID);
    CU_ASSERT_EQUAL(assign(&d, epoch + 1, id, 0, d.ids[B]), KERR_STALE_BROKER_EPOCH);
    CU_ASSERT_EQUAL(d.f.metadata->offset, offset);
    end(&d);
}

static void a_failed_directory_takes_the_leaders_with_it(void)
{
    struct dirs d;
    begin(&d);
    create(&d.f, "t", 3);
    struct uuid id = metadata_find_topic(d.f.metadata, str_of("t"))->id;
    int64_t epoch = d.f.broker.epoch;
    for (int i = A; i < DIRS; i++)
        CU_ASSERT_EQUAL(assign(&d, epoch, id, i, d.ids[i]), KERR_NONE);
    d.offline[0] = d.ids[B];
    d.offline_count = 1;
    CU_ASSERT_EQUAL(local_broker_report(&d.f.broker), KERR_NONE);
    CU_ASSERT_EQUAL(partition_of(&d, A)->leader, 1);
    CU_ASSERT_EQUAL(partition_of(&d, B)->leader, -1);
    CU_ASSERT_EQUAL(partition_of(&d, B)->leader_epoch, 1);
    CU_ASSERT_EQUAL(partition_of(&d, B)->isr_count, 0);
    CU_ASSERT_EQUAL(partition_of(&d, B)->eligible_leader_replicas_count, 1);
    CU_ASSERT_EQUAL(partition_of(&d, C)->leader, 1);
    CU_ASSERT_EQUAL(metadata_find_broker(d.f.metadata, 1)->log_dirs_count, 2);
    // Told again: no record.
    int64_t offset = d.f.metadata->offset;
    CU_ASSERT_EQUAL(local_broker_report(&d.f.broker), KERR_NONE);
    CU_ASSERT_EQUAL(d.f.metadata->offset, offset);
    // What went there before it was known to have failed has no leader either.
    CU_ASSERT_EQUAL(assign(&d, epoch, id, C, d.ids[B]), KERR_NONE);
    CU_ASSERT_TRUE(uuid_eq(partition_of(&d, C)->directories[0], d.ids[B]));
    CU_ASSERT_EQUAL(partition_of(&d, C)->leader, -1);

    // Back in service, with all of them.
    CU_ASSERT_EQUAL(local_broker_shut_down(&d.f.broker), KERR_NONE);
    stop(&d.f);
    d.offline_count = 0;
    serve_with(&d, A, epoch);
    for (int i = A; i < DIRS; i++)
        CU_ASSERT_EQUAL(partition_of(&d, i)->leader, 1);
    end(&d);
}

static void a_directory_missing_at_the_start_has_no_leaders(void)
{
    struct dirs d;
    begin(&d);
    create(&d.f, "t", 2);
    struct uuid id = metadata_find_topic(d.f.metadata, str_of("t"))->id;
    CU_ASSERT_EQUAL(assign(&d, d.f.broker.epoch, id, 0, d.ids[A]), KERR_NONE);
    CU_ASSERT_EQUAL(assign(&d, d.f.broker.epoch, id, 1, d.ids[B]), KERR_NONE);
    stop(&d.f);
    serve_with(&d, B, -1);
    CU_ASSERT_EQUAL(partition_of(&d, 0)->leader, -1);
    CU_ASSERT_EQUAL(partition_of(&d, 1)->leader, 1);
    stop(&d.f);
    serve_with(&d, A, -1);
    CU_ASSERT_EQUAL(partition_of(&d, 0)->leader, 1);
    end(&d);
}

static void a_broker_of_cordoned_directories_gets_nothing(void)
{
    struct dirs d;
    begin(&d);
    CU_ASSERT_EQUAL(metadata_find_broker(d.f.metadata, 1)->cordoned_log_dirs_count, 0);
    memcpy(d.cordoned, d.ids, sizeof d.ids);
    d.cordoned_count = 2;
    CU_ASSERT_EQUAL(local_broker_report(&d.f.broker), KERR_NONE);
    CU_ASSERT_EQUAL(metadata_find_broker(d.f.metadata, 1)->cordoned_log_dirs_count, 2);
    CU_ASSERT_EQUAL(create(&d.f, "t", 1)->topics[0].error_code, KERR_NONE);
    d.cordoned_count = DIRS;
    CU_ASSERT_EQUAL(local_broker_report(&d.f.broker), KERR_NONE);
    const struct create_topics_response *response = create(&d.f, "u", 1);
    CU_ASSERT_EQUAL(response->topics[0].error_code, KERR_INVALID_REPLICATION_FACTOR);
    CU_ASSERT_TRUE(str_eqz(response->topics[0].error_message,
                           "Unable to replicate the partition 1 time(s): All brokers are currently "
                           "fenced, or have all their log directories cordoned."));
    d.cordoned_count = 0;
    CU_ASSERT_EQUAL(local_broker_report(&d.f.broker), KERR_NONE);
    CU_ASSERT_EQUAL(create(&d.f, "u", 1)->topics[0].error_code, KERR_NONE);
    end(&d);
}

TEST_MAIN("directory_control", TEST(a_replica_is_unassigned_until_the_broker_tells),
          TEST(a_failed_directory_takes_the_leaders_with_it),
          TEST(a_directory_missing_at_the_start_has_no_leaders),
          TEST(a_broker_of_cordoned_directories_gets_nothing))
