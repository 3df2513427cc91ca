// SPDX-License-Identifier: Apache-2.0
// StreamsGroupHeartbeat: a process of a Kafka Streams application joins, lives on or leaves (KIP-1071). Internal topics
// that its group misses are made behind the answer; what went wrong with that earlier is told.
// Tested by compat-tests/twin/streams.
#include "api/dispatch.h"
#include "api/group_protocol.h"
#include "api/node.h"
#include "base/hashmap.h"
#include "controller/controller.h"
#include "controller/topic_names.h"
#include "group/group_settings.h"
#include "group/streams/streams_groups.h"
#include "group/streams/streams_topology.h"

enum { ERRORS_SHOWN = 3, TTL_HEARTBEATS = 2 };

struct streams_beat {
    struct request *request;
    struct completion completion;
    struct streams_new_topics topics;
};

// ---- names of topics -------------------------------------------------------------------------------

// All that the topology names, each once, in the order of their coming.
static struct str *topics_of(const struct streams_group_heartbeat_request_topology *topology,
                             int32_t *count, struct arena *arena)
{
    int32_t most = 0;
    for (int32_t i = 0; i < topology->subtopologies_count; i++) {
        const struct streams_group_heartbeat_request_subtopology *at = &topology->subtopologies[i];
        most += at->source_topics_count + at->repartition_sink_topics_count +
                at->repartition_source_topics_count + at->state_changelog_topics_count;
    }
    struct str *all = arena_array(arena, struct str, most + 1);
    int32_t found = 0;
    for (int32_t i = 0; i < topology->subtopologies_count; i++) {
        const struct streams_group_heartbeat_request_subtopology *at = &topology->subtopologies[i];
        for (int32_t t = 0; t < at->source_topics_count; t++)
            all[found++] = at->source_topics[t];
        for (int32_t t = 0; t < at->repartition_sink_topics_count; t++)
            all[found++] = at->repartition_sink_topics[t];
        for (int32_t t = 0; t < at->repartition_source_topics_count; t++)
            all[found++] = at->repartition_source_topics[t].name;
        for (int32_t t = 0; t < at->state_changelog_topics_count; t++)
            all[found++] = at->state_changelog_topics[t].name;
    }
    struct hashmap seen;
    hashmap_init(&seen);
    *count = 0;
    for (int32_t i = 0; i < found; i++) {
        struct str name = all[i];
        if (hashmap_find(&seen, name.data, name.size) != NULL)
            continue;
        all[(*count)++] = name;
        hashmap_put(&seen, name.data, name.size, all);
    }
    hashmap_fini(&seen);
    return all;
}

static bool is_internal(struct str name, struct arena *arena)
{
    (void)arena;
    return str_eqz(name, "__consumer_offsets") || str_eqz(name, "__transaction_state") ||
           str_eqz(name, "__share_group_state");
}

static bool is_invalid(struct str name, struct arena *arena)
{
    return topic_name_fault(name, arena) != NULL;
}

// Those that are so, "a,b"; null: none.
static struct str faulty(const struct str *names, int32_t count,
                         bool (*is_faulty)(struct str, struct arena *), struct arena *arena)
{
    struct strbuf text = STRBUF_EMPTY;
    bool has_any = false;
    for (int32_t i = 0; i < count; i++) {
        if (!is_faulty(names[i], arena))
            continue;
        if (has_any)
            strbuf_add_char(&text, ',');
        strbuf_add(&text, names[i].data, names[i].size);
        has_any = true;
    }
    struct str copy = has_any ? arena_str(arena, strbuf_str(&text)) : STR_NULL;
    strbuf_fini(&text);
    return copy;
}

static bool check_names(struct request *request)
{
    const struct streams_group_heartbeat_request *body = request->body;
    struct streams_group_heartbeat_response *response = request->response;
    int32_t count;
    if (body->topology == NULL)
        return true;
    const struct str *names = topics_of(body->topology, &count, &request->arena);
    struct str wrong = faulty(names, count, is_internal, &request->arena);
    bool has_internal = !str_is_null(wrong);
    if (!has_internal)
        wrong = faulty(names, count, is_invalid, &request->arena);
    if (str_is_null(wrong))
        return true;
    response->error_code = KERR_STREAMS_INVALID_TOPOLOGY;
    response->error_message = str_of(
        has_internal
            ? arena_printf(&request->arena,
                           "Use of Kafka internal topics %.*s in a Kafka Streams topology is "
                           "prohibited.",
                           STR_ARG(wrong))
            : arena_printf(&request->arena, "Topic names %.*s are not valid topic names.",
                           STR_ARG(wrong)));
    return false;
}

// ---- internal topics -------------------------------------------------------------------------------

// Errors of earlier attempts stand behind what is said of the missing topics.
static void tell_errors(struct streams_beat *beat)
{
    struct request *request = beat->request;
    struct streams_group_heartbeat_response *response = request->response;
    struct arena *arena = &request->arena;
    const char *text = "";
    int32_t errors = 0;
    for (int32_t i = 0; i < beat->topics.count; i++) {
        struct str name = beat->topics.items[i].name;
        struct str message = controller_creation_error(request->node->controller, name, arena);
        if (str_is_null(message))
            continue;
        if (errors++ < ERRORS_SHOWN)
            text = arena_printf(arena, "%s%s%.*s (%.*s)", text, errors > 1 ? ", " : "",
                                STR_ARG(name), STR_ARG(message));
    }
    if (errors > ERRORS_SHOWN)
        text = arena_printf(arena, "%s and %d more", text, errors - ERRORS_SHOWN);
    for (int32_t i = 0; errors > 0 && i < response->status_count; i++) {
        struct streams_group_heartbeat_response_status *status = &response->status[i];
        if (status->status_code != STREAMS_MISSING_INTERNAL_TOPICS)
            continue;
        status->status_detail = str_of(arena_printf(arena, "%.*s; Creation failed: %s.",
                                                    STR_ARG(status->status_detail), text));
        return;
    }
}

static void on_beat(struct completion *completion)
{
    struct streams_beat *beat = container_of(completion, struct streams_beat, completion);
    struct request *request = beat->request;
    const struct streams_group_heartbeat_request *body = request->body;
    const struct node *node = request->node;
    if (beat->topics.count > 0) {
        int64_t ttl_ms = (int64_t)TTL_HEARTBEATS *
                         group_settings_int(group_coordinator_settings(node->groups),
                                            body->group_id, GROUP_STREAMS_HEARTBEAT_INTERVAL_MS);
        for (int32_t i = 0; i < beat->topics.count; i++)
            controller_create_internal_topic(node->controller, &beat->topics.items[i], ttl_ms);
        tell_errors(beat);
    }
    request_reply(request);
}

void handle_streams_group_heartbeat(struct request *request);

void handle_streams_group_heartbeat(struct request *request)
{
    struct streams_group_heartbeat_response *response = request->response;
    const struct group_client client = { request->client_id, request->client->host };
    bool is_served = group_protocol_is_served(request->node, "streams", "streams.version", 1);
    if (!is_served)
        response->error_code = KERR_UNSUPPORTED_VERSION;
    if (!is_served || !check_names(request)) {
        request_reply(request);
        return;
    }
    struct streams_beat *beat = arena_new(&request->arena, struct streams_beat);
    beat->request = request;
    beat->completion.complete = on_beat;
    streams_groups_heartbeat(request->node->groups, request->body, &client, response, &beat->topics,
                             &request->arena, &beat->completion);
}
