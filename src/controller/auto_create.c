// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/auto_create.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/trace.h"
#include "config/config.h"
#include "controller/controller.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/create_topics.h"

enum { CREATE_TOPICS_VERSION = 7, CONFIGS_MAX = 5, ERRORS_MAX = 1000 };

struct creation {
    struct auto_create *owner;
    struct arena arena;
    struct str name;
    int64_t error_ttl_ms; // 0: errors are not kept
    struct controller_call call;
    struct completion completion;
    struct create_topics_request request;
    struct create_topics_response response;
};

struct creation_error {
    int64_t until_ms;
    char *name;
    char *message;
};

void auto_create_init(struct auto_create *auto_create, struct controller *controller,
                      const struct config *config, struct clock *clock, struct trace *trace)
{
    *auto_create = (struct auto_create){
        ._controller = controller, ._config = config, ._clock = clock, ._trace = trace
    };
    pthread_mutex_init(&auto_create->_lock, NULL);
    hashmap_init(&auto_create->_under_way);
    hashmap_init(&auto_create->_errors);
}

static void error_free(struct creation_error *error)
{
    if (error == NULL)
        return;
    mem_free(error->name);
    mem_free(error->message);
    mem_free(error);
}

void auto_create_fini(struct auto_create *auto_create)
{
    must(auto_create->_under_way.count == 0);
    hashmap_fini(&auto_create->_under_way);
    struct creation_error *error;
    for (size_t i = 0; (error = hashmap_next(&auto_create->_errors, &i)) != NULL;)
        error_free(error);
    hashmap_fini(&auto_create->_errors);
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

// ---- errors that are kept --------------------------------------------------------------------------

static int64_t now_ms(const struct auto_create *auto_create)
{
    return clock_monotonic_us(auto_create->_clock) / 1000;
}

// Under the lock. NULL: none, or it is too old.
static struct creation_error *find_error(struct auto_create *auto_create, struct str name)
{
    struct creation_error *error = hashmap_find(&auto_create->_errors, name.data, name.size);
    if (error == NULL || error->until_ms > now_ms(auto_create))
        return error;
    error_free(hashmap_remove(&auto_create->_errors, name.data, name.size));
    return NULL;
}

// Under the lock. The one that would go first makes room.
static void drop_oldest(struct auto_create *auto_create)
{
    struct creation_error *error, *oldest = NULL;
    for (size_t i = 0; (error = hashmap_next(&auto_create->_errors, &i)) != NULL;)
        if (oldest == NULL || error->until_ms < oldest->until_ms)
            oldest = error;
    if (oldest != NULL)
        error_free(hashmap_remove(&auto_create->_errors, oldest->name, strlen(oldest->name)));
}

// Under the lock.
static void keep_error(struct creation *creation,
                       const struct create_topics_response_creatable_topic_result *result)
{
    struct auto_create *owner = creation->owner;
    struct str name = creation->name;
    if (creation->error_ttl_ms == 0 || result->error_code == KERR_NONE)
        return;
    error_free(hashmap_remove(&owner->_errors, name.data, name.size));
    if (owner->_errors.count >= ERRORS_MAX)
        drop_oldest(owner);
    struct creation_error *error = mem_new(struct creation_error);
    error->until_ms = now_ms(owner) + creation->error_ttl_ms;
    error->name = str_dup(name);
    error->message = result->error_message.size > 0
                         ? str_dup(result->error_message)
                         : mem_strdup(kafka_error_name(result->error_code));
    hashmap_put(&owner->_errors, error->name, name.size, error);
}

struct str auto_create_error(struct auto_create *auto_create, struct str name, struct arena *arena)
{
    pthread_mutex_lock(&auto_create->_lock);
    const struct creation_error *error = find_error(auto_create, name);
    struct str message = error != NULL ? arena_strz(arena, error->message) : STR_NULL;
    pthread_mutex_unlock(&auto_create->_lock);
    return message;
}

// ---- creating --------------------------------------------------------------------------------------

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
    keep_error(creation, result);
    hashmap_remove(&owner->_under_way, creation->name.data, creation->name.size);
    pthread_mutex_unlock(&owner->_lock);
    arena_fini(&creation->arena);
    mem_free(creation);
}

// NULL: it is under way, or failed a short time ago.
static struct creation *begin(struct auto_create *auto_create, struct str name)
{
    pthread_mutex_lock(&auto_create->_lock);
    struct creation *creation = NULL;
    if (hashmap_find(&auto_create->_under_way, name.data, name.size) == NULL &&
        find_error(auto_create, name) == NULL) {
        creation = mem_new(struct creation);
        arena_init(&creation->arena);
        creation->name = arena_str(&creation->arena, name);
        hashmap_put(&auto_create->_under_way, creation->name.data, creation->name.size, creation);
    }
    pthread_mutex_unlock(&auto_create->_lock);
    if (creation == NULL)
        return NULL;
    creation->owner = auto_create;
    creation->completion.complete = on_complete;
    message_init(&create_topics_request_desc, &creation->request);
    message_init(&create_topics_response_desc, &creation->response);
    creation->request.topics =
        message_array(&create_topics_request_creatable_topic_desc, &creation->arena, 1);
    creation->request.topics_count = 1;
    creation->request.topics[0].name = creation->name;
    return creation;
}

static void submit(struct creation *creation)
{
    creation->call = (struct controller_call){
        .api_key = API_CREATE_TOPICS,
        .version = CREATE_TOPICS_VERSION,
        .request = &creation->request,
        .response = &creation->response,
        .arena = &creation->arena,
        .completion = &creation->completion,
    };
    controller_submit(creation->owner->_controller, &creation->call);
}

void auto_create_topic(struct auto_create *auto_create, struct str name)
{
    struct creation *creation = begin(auto_create, name);
    if (creation == NULL)
        return;
    fill(creation);
    submit(creation);
}

void auto_create_described(struct auto_create *auto_create,
                           const struct create_topics_request_creatable_topic *topic,
                           int64_t error_ttl_ms)
{
    struct creation *creation = begin(auto_create, topic->name);
    if (creation == NULL)
        return;
    struct create_topics_request_creatable_topic *copy = &creation->request.topics[0];
    creation->error_ttl_ms = error_ttl_ms;
    copy->num_partitions = topic->num_partitions;
    copy->replication_factor = topic->replication_factor;
    copy->configs_count = topic->configs_count;
    copy->configs = message_array(&create_topics_request_creatable_topic_config_desc,
                                  &creation->arena, topic->configs_count);
    for (int32_t i = 0; i < topic->configs_count; i++) {
        copy->configs[i].name = arena_str(&creation->arena, topic->configs[i].name);
        copy->configs[i].value = arena_str(&creation->arena, topic->configs[i].value);
    }
    submit(creation);
}
