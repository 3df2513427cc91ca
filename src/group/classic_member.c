// SPDX-License-Identifier: Apache-2.0
// Memory of a member. Its protocols are one block, |array|names and metadata|, replaced at each join.
// Tested by group/classic_group_test.c.
#include "group/classic_member.h"

#include "base/mem.h"

static const uint8_t nothing[1];

static struct str str_own(struct str s)
{
    return (struct str){ str_dup(s), s.size };
}

static void str_disown(struct str s)
{
    mem_free((void *)(uintptr_t)s.data);
}

bool member_protocol_counts(const struct join_group_request_protocol *protocols, int32_t count,
                            int32_t at)
{
    for (int32_t i = 0; i < count; i++)
        if (i != at && str_eq(protocols[i].name, protocols[at].name))
            return false;
    return true;
}

struct member_protocol *member_protocols_copy(const struct join_group_request_protocol *protocols,
                                              int32_t count, int32_t *copied)
{
    size_t size = 0;
    for (int32_t i = 0; i < count; i++)
        size += sizeof(struct member_protocol) + protocols[i].name.size + 1 +
                protocols[i].metadata.size;
    struct member_protocol *block = mem_alloc(size > 0 ? size : 1);
    char *text = (char *)(block + count);
    *copied = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!member_protocol_counts(protocols, count, i))
            continue;
        struct member_protocol *p = &block[(*copied)++];
        p->name = (struct str){ text, protocols[i].name.size };
        memcpy(text, protocols[i].name.data, p->name.size);
        text[p->name.size] = '\0';
        text += p->name.size + 1;
        p->metadata = (struct bytes){ (uint8_t *)text, protocols[i].metadata.size };
        if (p->metadata.size > 0)
            memcpy(text, protocols[i].metadata.data, p->metadata.size);
        text += p->metadata.size;
    }
    return block;
}

struct classic_member *classic_member_new(struct str id, struct str instance_id,
                                          struct str client_id, struct str client_host,
                                          int32_t rebalance_timeout_ms, int32_t session_timeout_ms,
                                          const struct join_group_request_protocol *protocols,
                                          int32_t protocol_count)
{
    struct classic_member *member = mem_new(struct classic_member);
    list_init(&member->link);
    member->id = str_own(id);
    member->instance_id = str_own(instance_id);
    member->client_id = str_own(client_id);
    member->client_host = str_own(client_host);
    member->rebalance_timeout_ms = rebalance_timeout_ms;
    member->session_timeout_ms = session_timeout_ms;
    member->protocols = member_protocols_copy(protocols, protocol_count, &member->protocol_count);
    member->assignment = (struct bytes){ nothing, 0 };
    return member;
}

void classic_member_free(struct classic_member *member)
{
    str_disown(member->id);
    str_disown(member->instance_id);
    str_disown(member->client_id);
    str_disown(member->client_host);
    mem_free(member->protocols);
    if (member->assignment.data != nothing)
        mem_free((void *)(uintptr_t)member->assignment.data);
    mem_free(member);
}

void classic_member_set_id(struct classic_member *member, struct str id)
{
    struct str old = member->id;
    member->id = str_own(id);
    str_disown(old);
}

void classic_member_set_assignment(struct classic_member *member, struct bytes assignment)
{
    const uint8_t *old = member->assignment.data;
    member->assignment = (struct bytes){ nothing, 0 };
    if (assignment.size > 0)
        member->assignment =
            (struct bytes){ mem_dup(assignment.data, assignment.size), assignment.size };
    if (old != nothing)
        mem_free((void *)(uintptr_t)old);
}

struct member_protocol *classic_member_swap_protocols(struct classic_member *member,
                                                      struct member_protocol *protocols,
                                                      int32_t *count)
{
    struct member_protocol *old = member->protocols;
    int32_t old_count = member->protocol_count;
    member->protocols = protocols;
    member->protocol_count = *count;
    *count = old_count;
    return old;
}

static bool bytes_are_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool classic_member_matches(const struct classic_member *member,
                            const struct join_group_request_protocol *protocols, int32_t count)
{
    int32_t at = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!member_protocol_counts(protocols, count, i))
            continue;
        if (at == member->protocol_count ||
            !str_eq(member->protocols[at].name, protocols[i].name) ||
            !bytes_are_equal(member->protocols[at].metadata, protocols[i].metadata))
            return false;
        at++;
    }
    return at == member->protocol_count;
}

struct bytes classic_member_metadata(const struct classic_member *member, struct str protocol)
{
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (str_eq(member->protocols[i].name, protocol))
            return member->protocols[i].metadata;
    return BYTES_NULL;
}
