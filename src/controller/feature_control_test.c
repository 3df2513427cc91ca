// SPDX-License-Identifier: Apache-2.0
// Levels of features where other nodes have a say, and where a cluster began with older ones. What a lone node of the
// newest levels answers is asked of both brokers in compat-tests/twin/features.
#include "controller/feature_control.h"

#include "controller/testing_controller.h"
#include "protocol/messages/broker_registration.h"
#include "protocol/messages/controller_registration.h"

enum { UPGRADE = 1, SAFE_DOWNGRADE };

struct wanted {
    const char *name;
    int16_t level;
    int8_t type;
};

#define ALL "The update failed for all features since the following feature had an error: "

static const struct update_features_response *update(struct fixture *f, const struct wanted *wanted,
                                                     int count, bool validate_only)
{
    struct update_features_request *request = arena_new(&f->arena, struct update_features_request);
    message_init(&update_features_request_desc, request);
    request->feature_updates =
        arena_array(&f->arena, struct update_features_request_feature_update_key, count);
    request->feature_updates_count = count;
    request->validate_only = validate_only;
    for (int i = 0; i < count; i++) {
        message_init(&update_features_request_feature_update_key_desc,
                     &request->feature_updates[i]);
        request->feature_updates[i].feature = str_of(wanted[i].name);
        request->feature_updates[i].max_version_level = wanted[i].level;
        request->feature_updates[i].upgrade_type = wanted[i].type;
    }
    return call(f, API_UPDATE_FEATURES, 2, request);
}

static void check(struct fixture *f, struct wanted wanted, const char *message)
{
    const struct update_features_response *response = update(f, &wanted, 1, false);
    CU_ASSERT_EQUAL(response->error_code,
                    message == NULL ? KERR_NONE : KERR_INVALID_UPDATE_VERSION);
    if (message == NULL) {
        CU_ASSERT_TRUE(str_is_null(response->error_message));
    } else {
        CU_ASSERT_TRUE(str_eqz(response->error_message, message));
    }
}

// A cluster that was formatted with `release` and nothing else; without voters in its log, when they are static.
static void begin(struct fixture *f, int16_t release, bool has_static_voters)
{
    setup(f);
    struct metadata_entries entries;
    metadata_entries_init(&entries, &f->arena);
    struct bootstrap_feature version = { "metadata.version", release };
    bootstrap_entries(&entries, &version, 1, NULL, 0);
    struct strbuf file = STRBUF_EMPTY;
    bootstrap_encode(&file, &entries, 1700000000000);
    write_file(f, BOOTSTRAP_FILE, &file);
    strbuf_fini(&file);
    if (has_static_voters) {
        char *dir = mem_printf("%s/__cluster_metadata-0", f->folder);
        CU_ASSERT_EQUAL(disk_remove_tree(disk_posix(), dir), 0);
        mem_free(dir);
        struct strbuf message = STRBUF_EMPTY;
        CU_ASSERT_TRUE(config_set(f->config, CONFIG_SOURCE_STATIC_BROKER,
                                  str_of("controller.quorum.voters"), str_of("1@localhost:9093"),
                                  &message));
        strbuf_fini(&message);
    }
    start(f, -1);
}

static void end(struct fixture *f)
{
    stop(f);
    teardown(f);
}

static void every_broker_must_support_it(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    struct broker_registration_request request;
    message_init(&broker_registration_request_desc, &request);
    struct broker_registration_request_feature features[7];
    memset(features, 0, sizeof features);
    for (size_t i = 0; i < features_supported_count; i++) {
        features[i].name = str_of(features_supported[i].name);
        features[i].min_supported_version = features_supported[i].min_supported_version;
        features[i].max_supported_version = features_supported[i].max_supported_version;
        if (strcmp(features_supported[i].name, "transaction.version") == 0)
            features[i].min_supported_version = 1;
        if (strcmp(features_supported[i].name, "group.version") == 0)
            features[i].min_supported_version = 1;
    }
    struct uuid dir = uuid_random();
    request.broker_id = 2;
    request.cluster_id = str_of("test-cluster-id-000000");
    request.incarnation_id = uuid_random();
    request.features = features;
    request.features_count = (int32_t)features_supported_count;
    request.log_dirs = &dir;
    request.log_dirs_count = 1;
    const struct broker_registration_response *registered =
        call(&f, API_BROKER_REGISTRATION, 4, &request);
    CU_ASSERT_EQUAL(registered->error_code, KERR_NONE);
    check(&f, (struct wanted){ "transaction.version", 0, SAFE_DOWNGRADE },
          ALL "Invalid update version 0 for feature transaction.version. Broker 2 only supports "
              "versions 1-2");
    check(&f, (struct wanted){ "group.version", 0, SAFE_DOWNGRADE },
          ALL "Invalid update version 0 for feature group.version. Broker 2 only supports "
              "versions 1");
    check(&f, (struct wanted){ "kraft.version", 1, UPGRADE },
          ALL "Invalid update version 1 for feature kraft.version. Broker 2 does not support this "
              "feature.");
    check(&f, (struct wanted){ "transaction.version", 1, SAFE_DOWNGRADE }, NULL);
    end(&f);
}

static void every_controller_must_support_it(void)
{
    struct fixture f;
    setup(&f);
    start(&f, -1);
    struct controller_registration_request request;
    message_init(&controller_registration_request_desc, &request);
    struct controller_registration_request_feature feature;
    memset(&feature, 0, sizeof feature);
    feature.name = str_of("share.version");
    request.controller_id = 3;
    request.incarnation_id = uuid_random();
    request.features = &feature;
    request.features_count = 1;
    const struct controller_registration_response *registered =
        call(&f, API_CONTROLLER_REGISTRATION, 0, &request);
    CU_ASSERT_EQUAL(registered->error_code, KERR_NONE);
    check(&f, (struct wanted){ "share.version", 1, UPGRADE },
          ALL "Invalid update version 1 for feature share.version. Controller 3 does not support "
              "this feature.");
    check(&f, (struct wanted){ "share.version", 0, SAFE_DOWNGRADE }, NULL);
    end(&f);
}

static void a_level_waits_for_the_metadata_version_it_needs(void)
{
    struct fixture f;
    begin(&f, 20, false);
    check(&f, (struct wanted){ "eligible.leader.replicas.version", 1, UPGRADE },
          ALL "Invalid update version 1 for feature eligible.leader.replicas.version. "
              "eligible.leader.replicas.version could not be set to 1 because it depends on "
              "metadata.version level 23");
    // The same request may bring it.
    struct wanted both[] = { { "eligible.leader.replicas.version", 1, UPGRADE },
                             { "metadata.version", 23, UPGRADE } };
    CU_ASSERT_EQUAL(update(&f, both, 2, false)->error_code, KERR_NONE);
    CU_ASSERT_EQUAL(metadata_feature_level(f.metadata, "metadata.version"), 23);
    CU_ASSERT_EQUAL(metadata_feature_level(f.metadata, "eligible.leader.replicas.version"), 1);
    end(&f);
}

static void metadata_version_goes_down_where_nothing_is_lost(void)
{
    struct fixture f;
    begin(&f, 29, false);
    check(&f, (struct wanted){ "metadata.version", 23, SAFE_DOWNGRADE }, NULL);
    CU_ASSERT_EQUAL(metadata_feature_level(f.metadata, "metadata.version"), 23);
    check(&f, (struct wanted){ "metadata.version", 22, SAFE_DOWNGRADE },
          ALL "Unsupported metadata.version downgrade from 23 to 22. Refusing to perform the "
              "requested downgrade because it might delete metadata information.");
    check(&f, (struct wanted){ "metadata.version", 30, UPGRADE }, NULL);
    end(&f);
}

static void a_raised_metadata_version_registers_more(void)
{
    struct fixture f;
    begin(&f, 14, false);
    local_broker_follow(&f.broker);
    CU_ASSERT_PTR_NULL(metadata_find_controller(f.metadata, 1));
    CU_ASSERT_EQUAL(metadata_find_broker(f.metadata, 1)->log_dirs_count, 0);
    int64_t epoch = metadata_find_broker(f.metadata, 1)->epoch;
    check(&f, (struct wanted){ "metadata.version", 15, UPGRADE }, NULL);
    controller_step(f.controller);
    CU_ASSERT_PTR_NOT_NULL(metadata_find_controller(f.metadata, 1));
    CU_ASSERT_EQUAL(metadata_find_broker(f.metadata, 1)->log_dirs_count, 0);
    check(&f, (struct wanted){ "metadata.version", 30, UPGRADE }, NULL);
    controller_step(f.controller);
    const struct metadata_broker *broker = metadata_find_broker(f.metadata, 1);
    CU_ASSERT_EQUAL(broker->log_dirs_count, 1);
    CU_ASSERT_EQUAL(broker->epoch, epoch);
    CU_ASSERT_FALSE(broker->fenced);
    local_broker_unfollow(&f.broker);
    end(&f);
}

static void static_voters_come_into_the_log(void)
{
    struct fixture f;
    begin(&f, 30, true);
    CU_ASSERT_EQUAL(controller_kraft_version(f.controller), 0);
    struct wanted wanted[] = { { "kraft.version", 1, UPGRADE }, { "unknown", 1, UPGRADE } };
    CU_ASSERT_EQUAL(update(&f, wanted, 2, false)->error_code, KERR_INVALID_UPDATE_VERSION);
    CU_ASSERT_EQUAL(update(&f, wanted, 1, true)->error_code, KERR_NONE);
    CU_ASSERT_EQUAL(controller_kraft_version(f.controller), 0);
    int64_t offset = f.metadata->offset;
    check(&f, wanted[0], NULL);
    CU_ASSERT_EQUAL(controller_kraft_version(f.controller), 1);
    CU_ASSERT_EQUAL(f.metadata->offset, offset + 3); // the version, the voters, and a no-op
    check(&f, (struct wanted){ "kraft.version", 0, SAFE_DOWNGRADE },
          ALL "Invalid update version 0 for feature kraft.version. Can't downgrade the version of "
              "this feature.");
    stop(&f);
    start(&f, -1);
    CU_ASSERT_EQUAL(controller_kraft_version(f.controller), 1);
    end(&f);
}

TEST_MAIN("feature_control", TEST(every_broker_must_support_it),
          TEST(every_controller_must_support_it),
          TEST(a_level_waits_for_the_metadata_version_it_needs),
          TEST(metadata_version_goes_down_where_nothing_is_lost),
          TEST(a_raised_metadata_version_registers_more), TEST(static_voters_come_into_the_log))
