// SPDX-License-Identifier: Apache-2.0
// join-classic HOST:PORT GROUP MEMBERS HEARTBEAT_MS: members of one classic group, each on a connection of its own, from the
// first JoinGroup to the moment when all have an assignment of one generation. As clients do, a member joins without an id, is
// told one and joins again; the leader assigns (each member its own name); who hears REBALANCE_IN_PROGRESS joins again. A member
// that is done sends Heartbeat every HEARTBEAT_MS.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire.h"

enum {
    REBALANCE_IN_PROGRESS = 27,
    ILLEGAL_GENERATION = 22,
    MEMBER_ID_REQUIRED = 79,
    ID_MAX = 128,
    LIMIT_MS = 120000,
};

enum step { JOINING, SYNCING, DONE, BEATING };

struct member {
    int fd;
    enum step step;
    char id[ID_MAX];
    int32_t generation;
    double beat_due_ms;
};

struct group {
    const char *name;
    struct member *members;
    size_t count;
    double heartbeat_ms;
    struct out out;
};

static void send_request(struct group *group, struct member *member, enum step step)
{
    end_request(&group->out);
    if (write_all(member->fd, group->out.data, group->out.size) != 0)
        fail("join-classic:", "the connection closed");
    member->step = step;
}

static void join(struct group *group, struct member *member)
{
    struct out *out = &group->out;
    begin_request(out, JOIN_GROUP, 5);
    add_string(out, group->name);
    add_int(out, 60000, 4); // session timeout
    add_int(out, 60000, 4); // rebalance timeout
    add_string(out, member->id);
    add_int(out, -1, 2); // no instance
    add_string(out, "consumer");
    add_int(out, 1, 4);
    add_string(out, "range");
    add_int(out, 0, 4);
    send_request(group, member, JOINING);
}

// `answer`: that of JoinGroup, from the members on; NULL: not the leader.
static void sync(struct group *group, struct member *member, const uint8_t *members)
{
    struct out *out = &group->out;
    begin_request(out, SYNC_GROUP, 3);
    add_string(out, group->name);
    add_int(out, member->generation, 4);
    add_string(out, member->id);
    add_int(out, -1, 2);
    uint32_t count = members == NULL ? 0 : get_be32(members);
    add_int(out, count, 4);
    for (const uint8_t *at = members + 4; count > 0; count--) {
        size_t size = get_be16(at);
        for (int twice = 0; twice < 2; twice++) { // whose it is, and what it gets
            add_int(out, (int64_t)size, twice == 0 ? 2 : 4);
            memcpy(out->data + out->size, at + 2, size);
            out->size += size;
        }
        at += 2 + size;
        int16_t instance = (int16_t)get_be16(at);
        at += 2 + (instance > 0 ? instance : 0);
        at += 4 + get_be32(at);
    }
    send_request(group, member, SYNCING);
}

static void beat(struct group *group, struct member *member)
{
    begin_request(&group->out, HEARTBEAT, 3);
    add_string(&group->out, group->name);
    add_int(&group->out, member->generation, 4);
    add_string(&group->out, member->id);
    add_int(&group->out, -1, 2);
    send_request(group, member, BEATING);
}

static const uint8_t *skip_string(const uint8_t *at)
{
    return at + 2 + get_be16(at);
}

static void on_joined(struct group *group, struct member *member, const uint8_t *at)
{
    int error = get_be16(at + 8);
    if (error != 0 && error != MEMBER_ID_REQUIRED)
        fail_with("JoinGroup was answered with error", error);
    member->generation = (int32_t)get_be32(at + 10);
    const uint8_t *leader = skip_string(at + 14), *id = skip_string(leader);
    size_t id_size = get_be16(id);
    if (id_size >= ID_MAX)
        fail("join-classic:", "a member id that is too long");
    memcpy(member->id, id + 2, id_size);
    member->id[id_size] = '\0';
    bool leads = get_be16(leader) == id_size && memcmp(leader + 2, id + 2, id_size) == 0;
    if (error != 0)
        join(group, member);
    else
        sync(group, member, leads ? id + 2 + id_size : NULL);
}

static void on_answer(struct group *group, struct member *member)
{
    size_t size;
    const uint8_t *at = read_answer(member->fd, &size);
    if (at == NULL)
        fail("join-classic:", "the connection closed");
    if (member->step == JOINING) {
        on_joined(group, member, at);
        return;
    }
    int error = get_be16(at + 8);
    if (error == REBALANCE_IN_PROGRESS || error == ILLEGAL_GENERATION) {
        join(group, member);
        return;
    }
    if (error != 0)
        fail_with(member->step == SYNCING ? "SyncGroup was answered with error" : "Heartbeat was answered with error", error);
    if (member->step == SYNCING && (get_be32(at + 10) != strlen(member->id) || memcmp(at + 14, member->id, strlen(member->id)) != 0))
        fail("join-classic:", "an assignment that is not this member's");
    member->step = DONE;
    member->beat_due_ms = now_ms() + group->heartbeat_ms;
}

static bool is_stable(const struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->members[i].step < DONE || group->members[i].generation != group->members[0].generation)
            return false;
    return true;
}

int run_join_classic(const char *address, char **args)
{
    struct group group = { .name = args[0], .count = strtoul(args[1], NULL, 10), .heartbeat_ms = strtod(args[2], NULL) };
    group.members = calloc(group.count, sizeof *group.members);
    group.out.data = malloc(4096 + 2 * ID_MAX * group.count);
    struct pollfd *fds = calloc(group.count, sizeof *fds);
    allow_connections(group.count);
    for (size_t i = 0; i < group.count; i++) {
        group.members[i].fd = fds[i].fd = try_connect(address);
        fds[i].events = POLLIN;
        if (fds[i].fd < 0)
            fail("cannot connect to", address);
    }
    double begin = now_ms();
    for (size_t i = 0; i < group.count; i++)
        join(&group, &group.members[i]);
    while (!is_stable(&group)) {
        if (now_ms() - begin > LIMIT_MS)
            fail("join-classic:", "the group does not become stable");
        int n = poll(fds, group.count, 1);
        for (size_t i = 0; n > 0 && i < group.count; i++)
            if (fds[i].revents != 0)
                on_answer(&group, &group.members[i]);
        for (size_t i = 0; i < group.count; i++)
            if (group.members[i].step == DONE && group.members[i].beat_due_ms <= now_ms())
                beat(&group, &group.members[i]);
    }
    printf("stable_ms=%.1f generation=%d\n", now_ms() - begin, (int)group.members[0].generation);
    return 0;
}
