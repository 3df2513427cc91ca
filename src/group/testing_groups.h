// SPDX-License-Identifier: Apache-2.0
// For tests: group coordinators over an internal topic in memory, and clients that speak to their entry points.
//
//     struct fixture f;
//     fixture_init(&f, NULL);
//     struct join a, b;
//     join_send(&f, &a, "g", "", "range"); …          // a.done says whether it was answered, a.response what
//     fixture_restart(&f);                            // a new coordinator over the same log
//     fixture_fini(&f);
#ifndef GROUP_TESTING_GROUPS_H
#define GROUP_TESTING_GROUPS_H

#include "base/must.h"
#include "base/testing.h"
#include "config/config.h"
#include "coordinator/testing_log.h"
#include "group/group_coordinator.h"
#include "group/topic_index.h"

struct fixture {
    struct testing_log log;
    struct config *settings; // the broker's, for groups
    struct group_config config;
    struct group_coordinator *groups;
    struct persister *persister; // of share groups, or NULL
    struct arena arena;          // of all requests
};

static inline void fixture_open(struct fixture *f)
{
    f->groups = group_coordinator_new(
        &(struct group_coordinator_options){ .config = f->config,
                                             .settings = f->settings,
                                             .partition_count = TESTING_PARTITIONS,
                                             .log = &f->log.log,
                                             .clock = &f->log.clock,
                                             .alarms = &f->log.alarms,
                                             .trace = &f->log.trace });
    group_coordinator_set_persister(f->groups, f->persister);
    testing_elect(group_coordinator_engine(f->groups));
}

static inline void fixture_init(struct fixture *f, const struct group_config *config)
{
    testing_log_init(&f->log);
    f->persister = NULL;
    f->config = config != NULL ? *config : group_config_defaults;
    arena_init(&f->arena);
    f->settings = config_new();
    fixture_open(f);
}

static inline void fixture_setting(struct fixture *f, const char *name, const char *value)
{
    struct strbuf message = STRBUF_EMPTY;
    must(config_set(f->settings, CONFIG_SOURCE_STATIC_BROKER, str_of(name), str_of(value),
                    &message));
    strbuf_fini(&message);
}

static inline void fixture_restart(struct fixture *f)
{
    group_coordinator_free(f->groups);
    fixture_open(f);
}

static inline void fixture_fini(struct fixture *f)
{
    group_coordinator_free(f->groups);
    config_free(f->settings);
    testing_log_fini(&f->log);
    arena_fini(&f->arena);
}

struct call {
    struct completion completion;
    int done;
};

static inline void call_done(struct completion *completion)
{
    container_of(completion, struct call, completion)->done++;
}

static inline void call_init(struct call *call)
{
    *call = (struct call){ .completion = { .complete = call_done } };
}

// ---- JoinGroup -------------------------------------------------------------------------------------

struct join {
    struct call call;
    struct join_group_request request;
    struct join_group_response response;
};

// The usual consumer: 10 s session, 60 s rebalance timeout, the given protocols (two at most), v9.
static inline void join_prepare(struct fixture *f, struct join *join, const char *group,
                                struct str member_id, const char *protocol, const char *second)
{
    call_init(&join->call);
    message_init(&join_group_request_desc, &join->request);
    message_init(&join_group_response_desc, &join->response);
    struct join_group_request_protocol *protocols =
        arena_array(&f->arena, struct join_group_request_protocol, 2);
    const char *names[2] = { protocol, second };
    for (int i = 0; i < 2 && names[i] != NULL; i++) {
        protocols[i].name = str_of(names[i]);
        protocols[i].metadata = (struct bytes){ (const uint8_t *)names[i], strlen(names[i]) };
        join->request.protocols_count++;
    }
    join->request.group_id = str_of(group);
    join->request.member_id = member_id;
    join->request.session_timeout_ms = 10000;
    join->request.rebalance_timeout_ms = 60000;
    join->request.protocol_type = str_of("stream");
    join->request.protocols = protocols;
}

static inline void join_go(struct fixture *f, struct join *join, int16_t version)
{
    static const struct group_client client = { { "client", 6 }, "10.0.0.1" };
    group_coordinator_join(f->groups, &join->request, version, &client, &join->response, &f->arena,
                           &join->call.completion);
}

static inline void join_send(struct fixture *f, struct join *join, const char *group,
                             struct str member_id)
{
    join_prepare(f, join, group, member_id, "range", NULL);
    join_go(f, join, 9);
}

// Asks for an id and joins with it.
static inline void join_new(struct fixture *f, struct join *join, const char *group)
{
    join_send(f, join, group, str_of(""));
    must(join->response.error_code == KERR_MEMBER_ID_REQUIRED);
    join_send(f, join, group, join->response.member_id);
}

// ---- ConsumerGroupHeartbeat ------------------------------------------------------------------------

// A topic that groups know.
static inline struct uuid fixture_topic(struct fixture *f, const char *name, int32_t partitions)
{
    struct uuid id = { { 7 } };
    id.bytes[15] = (uint8_t)name[0];
    topic_index_put(group_coordinator_topics(f->groups), id, str_of(name), partitions, name[0] * 7,
                    1);
    return id;
}

// A member as its client sees it.
struct consumer {
    struct call call;
    const char *group;
    char id[24];
    int32_t epoch;
    struct str topic;
    struct str regex;
    bool has_news; // it was assigned something that it has not told yet
    struct consumer_group_heartbeat_request_topic_partitions held[4];
    int32_t held_count;
    struct consumer_group_heartbeat_request request;
    struct consumer_group_heartbeat_response response;
};

static inline void consumer_init(struct consumer *c, const char *group, const char *id,
                                 const char *topic)
{
    *c = (struct consumer){ .group = group, .topic = str_of(topic) };
    snprintf(c->id, sizeof c->id, "%s", id);
}

static inline void consumer_send(struct fixture *f, struct consumer *c)
{
    static const struct group_client client = { { "client", 6 }, "10.0.0.1" };
    call_init(&c->call);
    message_init(&consumer_group_heartbeat_response_desc, &c->response);
    group_coordinator_consumer_heartbeat(f->groups, &c->request, 1, &client, &c->response,
                                         &f->arena, &c->call.completion);
}

static inline void consumer_note(struct consumer *c)
{
    const struct consumer_group_heartbeat_response_assignment *assignment = c->response.assignment;
    if (c->response.error_code != KERR_NONE)
        return;
    c->epoch = c->response.member_epoch;
    if (assignment == NULL)
        return;
    must(assignment->topic_partitions_count <= 4);
    c->has_news = true;
    c->held_count = assignment->topic_partitions_count;
    for (int32_t i = 0; i < c->held_count; i++)
        c->held[i] = (struct consumer_group_heartbeat_request_topic_partitions){
            .topic_id = assignment->topic_partitions[i].topic_id,
            .partitions = assignment->topic_partitions[i].partitions,
            .partitions_count = assignment->topic_partitions[i].partitions_count,
        };
}

// Joins with nothing, or says what it holds if that has changed, as clients do. The error.
static inline int16_t consumer_beat(struct fixture *f, struct consumer *c)
{
    message_init(&consumer_group_heartbeat_request_desc, &c->request);
    c->request.group_id = str_of(c->group);
    c->request.member_id = str_of(c->id);
    c->request.member_epoch = c->epoch;
    if (c->epoch == 0) {
        c->held_count = 0;
        c->request.rebalance_timeout_ms = 20000;
        if (!str_is_null(c->topic)) {
            c->request.subscribed_topic_names = &c->topic;
            c->request.subscribed_topic_names_count = 1;
        }
        c->request.subscribed_topic_regex = c->regex;
    }
    if (c->epoch == 0 || c->has_news) {
        c->request.topic_partitions = c->held;
        c->request.topic_partitions_count = c->held_count;
    }
    c->has_news = false;
    consumer_send(f, c);
    must(c->call.done == 1);
    consumer_note(c);
    return c->response.error_code;
}

static inline int32_t consumer_load(const struct consumer *c)
{
    int32_t load = 0;
    for (int32_t i = 0; i < c->held_count; i++)
        load += c->held[i].partitions_count;
    return load;
}

static inline int16_t consumer_leave(struct fixture *f, struct consumer *c)
{
    message_init(&consumer_group_heartbeat_request_desc, &c->request);
    c->request.group_id = str_of(c->group);
    c->request.member_id = str_of(c->id);
    c->request.member_epoch = -1;
    consumer_send(f, c);
    return c->response.error_code;
}

static inline struct consumer_group_describe_response_described_group
consumer_described(struct fixture *f, const char *group)
{
    struct call call;
    struct str id = str_of(group);
    struct consumer_group_describe_response response = { 0 };
    call_init(&call);
    group_coordinator_consumer_describe(f->groups, &id, 1, &response, &f->arena, &call.completion);
    must(call.done == 1 && response.groups_count == 1);
    return response.groups[0];
}

// ---- the others ------------------------------------------------------------------------------------

struct sync {
    struct call call;
    struct sync_group_request request;
    struct sync_group_response response;
};

// A leader gives every member of its JoinGroup answer its own id as the assignment.
static inline void sync_send(struct fixture *f, struct sync *sync, const struct join *join)
{
    call_init(&sync->call);
    message_init(&sync_group_request_desc, &sync->request);
    message_init(&sync_group_response_desc, &sync->response);
    const struct join_group_response *joined = &join->response;
    sync->request.group_id = join->request.group_id;
    sync->request.member_id = joined->member_id;
    sync->request.generation_id = joined->generation_id;
    sync->request.protocol_type = joined->protocol_type;
    sync->request.protocol_name = joined->protocol_name;
    sync->request.assignments =
        arena_array(&f->arena, struct sync_group_request_assignment, joined->members_count + 1);
    for (int32_t i = 0; i < joined->members_count; i++) {
        struct str id = joined->members[i].member_id;
        sync->request.assignments[sync->request.assignments_count++] =
            (struct sync_group_request_assignment){
                .member_id = id, .assignment = { (const uint8_t *)id.data, id.size }
            };
    }
    group_coordinator_sync(f->groups, &sync->request, &sync->response, &f->arena,
                           &sync->call.completion);
}

static inline int16_t heartbeat(struct fixture *f, const struct join *join)
{
    struct call call;
    struct heartbeat_request request;
    struct heartbeat_response response = { 0 };
    call_init(&call);
    message_init(&heartbeat_request_desc, &request);
    request.group_id = join->request.group_id;
    request.member_id = join->response.member_id;
    request.generation_id = join->response.generation_id;
    group_coordinator_heartbeat(f->groups, &request, &response, &f->arena, &call.completion);
    must(call.done == 1);
    return response.error_code;
}

static inline int16_t leave(struct fixture *f, const char *group, struct str member_id)
{
    struct call call;
    struct leave_group_request_member_identity member = { .member_id = member_id };
    struct leave_group_request request = { .group_id = str_of(group),
                                           .members = &member,
                                           .members_count = 1 };
    struct leave_group_response response = { 0 };
    call_init(&call);
    group_coordinator_leave(f->groups, &request, &response, &f->arena, &call.completion);
    must(call.done == 1);
    return response.error_code != 0 ? response.error_code : response.members[0].error_code;
}

struct commit {
    struct call call;
    struct offset_commit_request request;
    struct offset_commit_request_topic topic;
    struct offset_commit_request_partition partition;
    struct offset_commit_response response;
};

static inline void commit_send(struct fixture *f, struct commit *commit, const char *group,
                               const char *topic, int32_t partition, int64_t offset)
{
    memset(commit, 0, sizeof *commit);
    call_init(&commit->call);
    message_init(&offset_commit_request_desc, &commit->request);
    commit->partition =
        (struct offset_commit_request_partition){ .partition_index = partition,
                                                  .committed_offset = offset,
                                                  .committed_leader_epoch = -1,
                                                  .committed_metadata = str_of("") };
    commit->topic = (struct offset_commit_request_topic){ .name = str_of(topic),
                                                          .partitions = &commit->partition,
                                                          .partitions_count = 1 };
    commit->request.group_id = str_of(group);
    commit->request.topics = &commit->topic;
    commit->request.topics_count = 1;
    group_coordinator_commit_offsets(f->groups, &commit->request, 9, &commit->response, &f->arena,
                                     &commit->call.completion);
}

static inline int16_t commit_error(const struct commit *commit)
{
    must(commit->call.done == 1);
    return commit->response.topics[0].partitions[0].error_code;
}

// By hand, answered at once.
static inline int16_t commit_offset(struct fixture *f, const char *group, const char *topic,
                                    int32_t partition, int64_t offset)
{
    struct commit commit;
    commit_send(f, &commit, group, topic, partition, offset);
    return commit_error(&commit);
}

// -1: none.
static inline int64_t committed_offset_of(struct fixture *f, const char *group, const char *topic,
                                          int32_t partition)
{
    struct call call;
    struct offset_fetch_request_topics asked = { .name = str_of(topic),
                                                 .partition_indexes = &partition,
                                                 .partition_indexes_count = 1 };
    struct offset_fetch_request_group request = {
        .group_id = str_of(group), .topics = &asked, .topics_count = 1, .member_epoch = -1
    };
    struct offset_fetch_response_group response = { 0 };
    call_init(&call);
    group_coordinator_fetch_offsets(f->groups, &request, true, &response, &f->arena,
                                    &call.completion);
    must(call.done == 1 && response.error_code == KERR_NONE);
    return response.topics[0].partitions[0].committed_offset;
}

static inline struct describe_groups_response_described_group describe(struct fixture *f,
                                                                       const char *group)
{
    struct call call;
    struct str id = str_of(group);
    struct describe_groups_response response = { 0 };
    call_init(&call);
    group_coordinator_describe(f->groups, &id, 1, 6, &response, &f->arena, &call.completion);
    must(call.done == 1 && response.groups_count == 1);
    return response.groups[0];
}

static inline bool is_in_state(struct fixture *f, const char *group, const char *state)
{
    return str_eqz(describe(f, group).group_state, state);
}

static inline int16_t delete_group(struct fixture *f, const char *group)
{
    struct call call;
    struct str id = str_of(group);
    struct delete_groups_response response = { 0 };
    call_init(&call);
    group_coordinator_delete(f->groups, &id, 1, &response, &f->arena, &call.completion);
    must(call.done == 1 && response.results_count == 1);
    return response.results[0].error_code;
}

// One member, Stable. The rebalance delay passes.
static inline void settle_one(struct fixture *f, struct join *join, const char *group)
{
    struct sync sync;
    join_new(f, join, group);
    testing_advance(&f->log, f->config.initial_rebalance_delay_ms);
    must(join->call.done == 1 && join->response.error_code == KERR_NONE);
    sync_send(f, &sync, join);
    must(sync.call.done == 1 && sync.response.error_code == KERR_NONE);
}

#endif
