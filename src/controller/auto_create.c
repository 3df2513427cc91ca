// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/auto_create.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/trace.h"
#include "config/config.h"
#include "controller/controller.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/create_topics.h"

enum { CREATE_TOPICS_VERSION = 7, CONFIGS_MAX = 5 };

struct creation {
    struct auto_create *owner;
    struct arena arena;
    struct str name;
    struct controller_call call;
    struct completion completion;
    struct create_topics_request request;
    struct create_topics_response response;
};

void auto_create_init(struct auto_create *auto_create, struct controller *controller,
                      const struct config *config, struct trace *trace)
{
    *auto_create =
        (struct auto_create){ ._controller = controller, ._config = config, ._trace = trace };
    pthread_mutex_init(&auto_create->_lock, NULL);
    hashmap_init(&auto_create->_under_way);
}

void auto_create_fini(struct auto_create *auto_create)
{
    must(auto_create->_under_way.count == 0);
    hashmap_fini(&auto_create->_under_way);
    pthread_mutex_destroy(&auto_create->_lock);
}

static void set(struct creation *creation, const char *name, const char *value)
{
    struct create_topics_request_creatable_topic *topic = &creation->request.topics[0];
    must(topic->configs_count < CONFIGS_MAX);
    struct create_topics_request_creatable_topic_config *config =
        &topic->configs[topic->configs_count++];
    config->name = str_of(name);
    config->value = str_of(value);
}

static void set_int(struct creation *creation, const char *name, enum config_key key)
{
    set(creation, name,
        arena_printf(&creation->arena, "%d", config_int(creation->owner->_config, key)));
}

static void fill(struct creation *creation)
{
    const struct config *config = creation->owner->_config;
    struct create_topics_request_creatable_topic *topic = &creation->request.topics[0];
    topic->configs = arena_array(&creation->arena,
                                 struct create_topics_request_creatable_topic_config, CONFIGS_MAX);
    if (str_eqz(creation->name, "__consumer_offsets")) {
        topic->num_partitions = config_int(config, CONFIG_OFFSETS_TOPIC_NUM_PARTITIONS);
        topic->replication_factor =
            (int16_t)config_long(config, CONFIG_OFFSETS_TOPIC_REPLICATION_FACTOR);
        set(creation, "cleanup.policy", "compact");
        set(creation, "compression.type", "producer");
        set_int(creation, "segment.bytes", CONFIG_OFFSETS_TOPIC_SEGMENT_BYTES);
    } else if (str_eqz(creation->name, "__transaction_state")) {
        topic->num_partitions = config_int(config, CONFIG_TRANSACTION_STATE_LOG_NUM_PARTITIONS);
        topic->replication_factor =
            (int16_t)config_long(config, CONFIG_TRANSACTION_STATE_LOG_REPLICATION_FACTOR);
        set(creation, "unclean.leader.election.enable", "false");
        set(creation, "compression.type", "uncompressed");
        set(creation, "cleanup.policy", "compact");
        set_int(creation, "min.insync.replicas", CONFIG_TRANSACTION_STATE_LOG_MIN_ISR);
        set_int(creation, "segment.bytes", CONFIG_TRANSACTION_STATE_LOG_SEGMENT_BYTES);
    } else if (str_eqz(creation->name, "__share_group_state")) {
        topic->num_partitions =
            config_int(config, CONFIG_SHARE_COORDINATOR_STATE_TOPIC_NUM_PARTITIONS);
        topic->replication_factor =
            (int16_t)config_long(config, CONFIG_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR);
        set(creation, "cleanup.policy", "delete");
        set(creation, "compression.type", "producer");
        set_int(creation, "segment.bytes", CONFIG_SHARE_COORDINATOR_STATE_TOPIC_SEGMENT_BYTES);
        set_int(creation, "min.insync.replicas", CONFIG_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR);
        set(creation, "retention.ms", "-1");
    } else {
        topic->num_partitions = config_int(config, CONFIG_NUM_PARTITIONS);
        topic->replication_factor = (int16_t)config_long(config, CONFIG_DEFAULT_REPLICATION_FACTOR);
    }
}

static void on_complete(struct completion *completion)
{
    struct creation *creation = container_of(completion, struct creation, completion);
    struct auto_create *owner = creation->owner;
    const struct create_topics_response_creatable_topic_result *result =
        &creation->response.topics[0];
    if (result->error_code == KERR_NONE)
        trace_info(owner->_trace, "topic auto-created topic=%.*s partitions=%d",
                   STR_ARG(creation->name), result->num_partitions);
    else if (result->error_code != KERR_TOPIC_ALREADY_EXISTS)
        trace_warn(owner->_trace, "topic not auto-created topic=%.*s error=%s message=\"%.*s\"",
                   STR_ARG(creation->name), kafka_error_name(result->error_code),
                   STR_ARG(result->error_message));
    pthread_mutex_lock(&owner->_lock);
    hashmap_remove(&owner->_under_way, creation->name.data, creation->name.size);
    pthread_mutex_unlock(&owner->_lock);
    arena_fini(&creation->arena);
    mem_free(creation);
}

void auto_create_topic(struct auto_create *auto_create, struct str name)
{
    pthread_mutex_lock(&auto_create->_lock);
    struct creation *creation = NULL;
    if (hashmap_find(&auto_create->_under_way, name.data, name.size) == NULL) {
        creation = mem_new(struct creation);
        arena_init(&creation->arena);
        creation->name = arena_str(&creation->arena, name);
        hashmap_put(&auto_create->_under_way, creation->name.data, creation->name.size, creation);
    }
    pthread_mutex_unlock(&auto_create->_lock);
    if (creation == NULL)
        return;
    creation->owner = auto_create;
    creation->completion.complete = on_complete;
    message_init(&create_topics_request_desc, &creation->request);
    message_init(&create_topics_response_desc, &creation->response);
    creation->request.topics =
        arena_new(&creation->arena, struct create_topics_request_creatable_topic);
    creation->request.topics_count = 1;
    message_init(&create_topics_request_creatable_topic_desc, &creation->request.topics[0]);
    creation->request.topics[0].name = creation->name;
    fill(creation);
    creation->call = (struct controller_call){
        .api_key = API_CREATE_TOPICS,
        .version = CREATE_TOPICS_VERSION,
        .request = &creation->request,
        .response = &creation->response,
        .arena = &creation->arena,
        .completion = &creation->completion,
    };
    controller_submit(auto_create->_controller, &creation->call);
}
