// SPDX-License-Identifier: Apache-2.0
// A controller on a real folder, with this node as its broker, for tests.
#ifndef CONTROLLER_TESTING_CONTROLLER_H
#define CONTROLLER_TESTING_CONTROLLER_H

#include "base/clock_posix.h"
#include "config/config.h"
#include "controller/controller.h"
#include "controller/local_broker.h"
#include "metadata/bootstrap.h"
#include "metadata/feature_versions.h"
#include "metadata/testing_image.h"
#include "protocol/messages/create_topics.h"
#include "protocol/registry.h"

struct fixture {
    char folder[256];
    struct trace trace;
    struct config *config;
    struct metadata *metadata;
    struct controller *controller;
    struct local_broker broker;
    struct uuid directory_id;
    struct arena arena;
    int changes;
    size_t topics_told;
    struct metadata_subscription subscription;
};

static const struct metadata_endpoint endpoints[] = {
    { { "PLAINTEXT", 9 }, { "localhost", 9 }, 9092, 0 },
};

static inline void on_change(struct metadata_subscription *subscription,
                             const struct metadata_delta *delta)
{
    struct fixture *f = container_of(subscription, struct fixture, subscription);
    f->changes++;
    f->topics_told += delta->topics_count;
}

static inline void write_file(struct fixture *f, const char *name, const struct strbuf *content)
{
    char *path = mem_printf("%s/%s", f->folder, name);
    CU_ASSERT_EQUAL_FATAL(disk_write_atomic(disk_posix(), path, content->data, content->size), 0);
    mem_free(path);
}

static inline void format(struct fixture *f)
{
    struct metadata_entries entries;
    metadata_entries_init(&entries, &f->arena);
    struct bootstrap_feature features[16];
    for (size_t i = 0; i < features_supported_count; i++)
        features[i] = (struct bootstrap_feature){ features_supported[i].name,
                                                  features_supported[i].level_of_new_cluster };
    bootstrap_entries(&entries, features, features_supported_count, NULL, 0);
    struct strbuf file = STRBUF_EMPTY;
    bootstrap_encode(&file, &entries, 1700000000000);
    write_file(f, BOOTSTRAP_FILE, &file);
    strbuf_fini(&file);
    char *dir = mem_printf("%s/__cluster_metadata-0", f->folder);
    CU_ASSERT_EQUAL_FATAL(disk_mkdirs(disk_posix(), dir), 0);
    mem_free(dir);
    genesis_encode(&file,
                   voters_of_one(&f->arena, 1, f->directory_id, str_of("CONTROLLER"),
                                 str_of("localhost"), 9093),
                   1700000000000);
    write_file(f, "__cluster_metadata-0/" GENESIS_FILE, &file);
    strbuf_fini(&file);
}

static inline int open_controller(struct fixture *f)
{
    f->metadata = metadata_new();
    f->subscription.on_change = on_change;
    metadata_subscribe(f->metadata, &f->subscription);
    struct controller_options options = {
        .disk = disk_posix(),
        .clock = clock_posix(),
        .trace = &f->trace,
        .config = f->config,
        .metadata = f->metadata,
        .metadata_dir = f->folder,
        .cluster_id = "test-cluster-id-000000",
        .node_id = 1,
        .directory_id = f->directory_id,
        .listener_name = "CONTROLLER",
        .host = "localhost",
        .port = 9093,
    };
    return controller_open(&options, &f->controller);
}

static inline void start(struct fixture *f, int64_t previous_epoch)
{
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
        .log_dirs = &f->directory_id,
        .log_dirs_count = 1,
        .previous_epoch = previous_epoch,
    };
    CU_ASSERT_EQUAL(local_broker_register(&f->broker), KERR_NONE);
    CU_ASSERT_EQUAL(local_broker_unfence(&f->broker), KERR_NONE);
}

static inline void stop(struct fixture *f)
{
    controller_stop(f->controller);
    controller_free(f->controller);
    metadata_unsubscribe(f->metadata, &f->subscription);
    metadata_free(f->metadata);
}

static inline void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    arena_init(&f->arena);
    trace_init(&f->trace, clock_posix(), TRACE_ERROR, -1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(test_folder(f->folder, sizeof f->folder));
    f->config = config_new();
    f->directory_id = uuid_random();
    format(f);
}

static inline void teardown(struct fixture *f)
{
    config_free(f->config);
    disk_remove_tree(disk_posix(), f->folder);
    trace_fini(&f->trace);
    arena_fini(&f->arena);
}

static inline void *call(struct fixture *f, enum api_key api_key, int16_t version,
                         const void *request)
{
    const struct message_desc *desc = message_response_desc((int16_t)api_key);
    void *response = arena_zalloc(&f->arena, desc->struct_size);
    message_init(desc, response);
    struct controller_call call = { api_key,   version, request,        response,
                                    &f->arena, NULL,    { NULL, NULL }, 0 };
    controller_call(f->controller, &call);
    return response;
}

static inline struct create_topics_request *create_request(struct fixture *f, int count)
{
    struct create_topics_request *request = arena_new(&f->arena, struct create_topics_request);
    message_init(&create_topics_request_desc, request);
    request->topics = arena_array(&f->arena, struct create_topics_request_creatable_topic, count);
    request->topics_count = count;
    for (int i = 0; i < count; i++) {
        message_init(&create_topics_request_creatable_topic_desc, &request->topics[i]);
        request->topics[i].num_partitions = -1;
        request->topics[i].replication_factor = -1;
    }
    return request;
}

static inline struct create_topics_response *create(struct fixture *f, const char *name,
                                                    int32_t partitions)
{
    struct create_topics_request *request = create_request(f, 1);
    request->topics[0].name = str_of(name);
    request->topics[0].num_partitions = partitions;
    return call(f, API_CREATE_TOPICS, 7, request);
}

#endif
