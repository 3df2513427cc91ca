// SPDX-License-Identifier: Apache-2.0
// For tests: members of a streams group "g" that read the topic "t" of 4 partitions, and do at once what they are told.
#ifndef GROUP_STREAMS_TESTING_STREAMS_H
#define GROUP_STREAMS_TESTING_STREAMS_H

#include "group/streams/streams_groups.h"
#include "group/testing_groups.h"

struct member {
    const char *id;
    const char *process;
    int32_t epoch;
    struct streams_group_heartbeat_response last;
    int32_t active[8]; // of sub-topology 0
    int32_t active_count;
    struct streams_new_topics topics;
};

static inline void give_topics(struct fixture *f)
{
    struct uuid id = UUID_ZERO;
    id.bytes[15] = 1;
    topic_index_put(group_coordinator_topics(f->groups), id, str_of("t"), 4, 11, 1);
}

static inline void kit_init(struct fixture *f)
{
    fixture_init(f, NULL);
    fixture_setting(f, "group.streams.initial.rebalance.delay.ms", "0");
    fixture_setting(f, "group.streams.assignment.interval.ms", "0");
    give_topics(f);
}

static inline void kit_restart(struct fixture *f)
{
    fixture_restart(f);
    give_topics(f);
}

static inline int16_t send(struct fixture *f, struct member *m, int32_t epoch,
                           const char *changelog)
{
    static const struct group_client client = { { "client", 6 }, "10.0.0.1" };
    struct streams_group_heartbeat_request request;
    struct call call;
    call_init(&call);
    message_init(&streams_group_heartbeat_request_desc, &request);
    message_init(&streams_group_heartbeat_response_desc, &m->last);
    request.group_id = str_of("g");
    request.member_id = str_of(m->id);
    request.member_epoch = epoch;
    request.active_tasks_count = request.standby_tasks_count = request.warmup_tasks_count = 0;
    struct streams_group_heartbeat_request_task_ids owned = { .subtopology_id = str_of("0"),
                                                              .partitions = m->active,
                                                              .partitions_count = m->active_count };
    struct str source = str_of("t");
    struct streams_group_heartbeat_request_topic_info store = { .name = str_of(changelog) };
    struct streams_group_heartbeat_request_subtopology subtopology = {
        .subtopology_id = str_of("0"),
        .source_topics = &source,
        .source_topics_count = 1,
        .state_changelog_topics = &store,
        .state_changelog_topics_count = changelog != NULL,
    };
    struct streams_group_heartbeat_request_topology topology = { .subtopologies = &subtopology,
                                                                 .subtopologies_count = 1 };
    if (epoch == 0) {
        m->active_count = 0;
        request.process_id = str_of(m->process);
        request.rebalance_timeout_ms = 30000;
        request.topology = &topology;
    } else if (m->active_count > 0) {
        request.active_tasks = &owned;
        request.active_tasks_count = 1;
    }
    streams_groups_heartbeat(f->groups, &request, &client, &m->last, &m->topics, &f->arena,
                             &call.completion);
    must(call.done == 1);
    if (m->last.error_code != KERR_NONE)
        return m->last.error_code;
    m->epoch = m->last.member_epoch;
    if (m->last.active_tasks_count < 0)
        return KERR_NONE;
    m->active_count = 0;
    for (int32_t i = 0; i < m->last.active_tasks_count; i++)
        for (int32_t p = 0; p < m->last.active_tasks[i].partitions_count; p++)
            m->active[m->active_count++] = m->last.active_tasks[i].partitions[p];
    return KERR_NONE;
}

static inline int16_t join(struct fixture *f, struct member *m)
{
    return send(f, m, 0, NULL);
}

static inline int16_t beat(struct fixture *f, struct member *m)
{
    return send(f, m, m->epoch, NULL);
}

#endif
