// SPDX-License-Identifier: Apache-2.0
// Members, votes and generations as data.
#include "group/classic_group.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/testing.h"

static struct classic_member *add(struct classic_group *group, const char *id, const char *instance,
                                  const char *first, const char *second)
{
    struct join_group_request_protocol protocols[2] = {
        { .name = str_of(first), .metadata = { (const uint8_t *)"m", 1 } },
        { .name = str_of(second), .metadata = { (const uint8_t *)"n", 1 } },
    };
    struct classic_member *member =
        classic_member_new(str_of(id), str_of(instance), str_of("c"), str_of("/h"), 5000, 1000,
                           protocols, second == NULL ? 1 : 2);
    classic_group_add(group, member, str_of("consumer"));
    return member;
}

static void drop(struct classic_group *group, struct classic_member *member)
{
    classic_group_remove(group, member);
    classic_member_free(member);
}

static struct classic_group *make(void)
{
    return classic_group_new(NULL, str_of("g"), 1);
}

// (3): the first leads; when it goes the oldest of the others does.
static void a_group_with_members_has_a_leader(void)
{
    struct classic_group *group = make();
    CU_ASSERT_PTR_NULL(group->leader);
    struct classic_member *a = add(group, "a", NULL, "p", NULL);
    struct classic_member *b = add(group, "b", "i", "p", NULL);
    struct classic_member *c = add(group, "c", NULL, "p", NULL);
    CU_ASSERT_PTR_EQUAL(group->leader, a);
    CU_ASSERT_PTR_EQUAL(classic_group_find_static(group, str_of("i")), b);
    drop(group, a);
    CU_ASSERT_PTR_EQUAL(group->leader, b);
    drop(group, b);
    CU_ASSERT_PTR_NULL(classic_group_find_static(group, str_of("i")));
    drop(group, c);
    CU_ASSERT_PTR_NULL(group->leader);
    classic_group_free(group);
}

// A leader that does not join loses its place to one that has; if nobody has, nobody leads on.
static void a_leader_has_joined(void)
{
    struct classic_group *group = make();
    struct classic_join join;
    CU_ASSERT_FALSE(classic_group_elect_joined_leader(group));
    add(group, "a", NULL, "p", NULL);
    struct classic_member *b = add(group, "b", NULL, "p", NULL);
    CU_ASSERT_FALSE(classic_group_elect_joined_leader(group));
    classic_group_set_join(group, b, &join);
    CU_ASSERT_EQUAL(group->awaiting_join_count, 1);
    CU_ASSERT_FALSE(classic_group_has_all_joined(group));
    CU_ASSERT_TRUE(classic_group_elect_joined_leader(group));
    CU_ASSERT_PTR_EQUAL(group->leader, b);
    classic_group_set_join(group, b, NULL);
    CU_ASSERT_EQUAL(group->awaiting_join_count, 0);
    classic_group_free(group);
}

// Only what all support can be chosen, and most votes decide.
static void protocols_are_voted(void)
{
    struct classic_group *group = make();
    struct classic_member *a = add(group, "a", NULL, "p", "q");
    CU_ASSERT(str_eqz(classic_group_select_protocol(group), "p"));
    struct classic_member *b = add(group, "b", NULL, "q", "p");
    add(group, "c", NULL, "q", "p");
    CU_ASSERT(str_eqz(classic_group_select_protocol(group), "q"));
    drop(group, b);
    drop(group, a);
    add(group, "d", NULL, "p", NULL);
    CU_ASSERT(
        str_eqz(classic_group_select_protocol(group), "p")); // c's second choice, d's only one
    classic_group_free(group);
}

static bool supports(struct classic_group *group, const char *type, const char *protocol)
{
    struct join_group_request_protocol p = { .name = str_of(protocol) };
    return classic_group_supports(group, str_of(type), &p, protocol == NULL ? 0 : 1);
}

// An empty group takes any type and protocol but none at all; others only what fits all members.
static void newcomers_must_fit(void)
{
    struct classic_group *group = make();
    CU_ASSERT_TRUE(supports(group, "x", "p"));
    CU_ASSERT_FALSE(supports(group, "", "p"));
    CU_ASSERT_FALSE(supports(group, "x", NULL));
    struct join_group_request_protocol twice[2] = { { .name = str_of("p") },
                                                    { .name = str_of("p") } };
    CU_ASSERT_FALSE(classic_group_supports(group, str_of("x"), twice, 2));
    add(group, "a", NULL, "p", "q");
    add(group, "b", NULL, "q", NULL);
    classic_group_transition(group, CLASSIC_PREPARING_REBALANCE, 2);
    CU_ASSERT_TRUE(supports(group, "consumer", "q"));
    CU_ASSERT_FALSE(supports(group, "consumer", "p"));
    CU_ASSERT_FALSE(supports(group, "x", "q"));
    CU_ASSERT_FALSE(supports(group, "consumer", NULL));
    classic_group_free(group);
}

// A pending member holds up the rebalance until it comes or expires.
static void pending_members_are_waited_for(void)
{
    struct classic_group *group = make();
    CU_ASSERT_TRUE(classic_group_has_all_joined(group));
    struct pending_member *pending = classic_group_add_pending(group, str_of("p"));
    CU_ASSERT_FALSE(classic_group_has_all_joined(group));
    CU_ASSERT_PTR_NULL(classic_group_find(group, str_of("p")));
    CU_ASSERT_PTR_EQUAL(classic_group_find_pending(group, str_of("p")), pending);
    classic_group_remove_pending(group, pending);
    CU_ASSERT_TRUE(classic_group_has_all_joined(group));
    classic_group_free(group);
}

// What a member names twice it does not support; other order or other metadata is a change.
static void members_are_compared_by_protocols(void)
{
    struct classic_group *group = make();
    struct classic_member *a = add(group, "a", NULL, "p", "q");
    struct join_group_request_protocol same[4] = {
        { .name = str_of("p"), .metadata = { (const uint8_t *)"m", 1 } },
        { .name = str_of("q"), .metadata = { (const uint8_t *)"n", 1 } },
        { .name = str_of("r"), .metadata = { (const uint8_t *)"z", 1 } },
        { .name = str_of("r"), .metadata = { (const uint8_t *)"z", 1 } }
    };
    CU_ASSERT_TRUE(classic_member_matches(a, same, 2));
    CU_ASSERT_FALSE(classic_member_matches(a, same, 3));
    CU_ASSERT_TRUE(classic_member_matches(a, same, 4));
    CU_ASSERT_FALSE(classic_member_matches(a, same, 1));
    CU_ASSERT_FALSE(classic_member_matches(a, same + 1, 2));
    same[1].metadata.data = (const uint8_t *)"x";
    CU_ASSERT_FALSE(classic_member_matches(a, same, 2));
    CU_ASSERT_PTR_NULL(classic_member_metadata(a, str_of("r")).data);
    CU_ASSERT_EQUAL(classic_member_metadata(a, str_of("q")).data[0], 'n');
    classic_group_free(group);
}

static void subscribe(struct classic_group *group, const char *id, struct bytes metadata)
{
    struct join_group_request_protocol p = { .name = str_of("range"), .metadata = metadata };
    classic_group_add(
        group, classic_member_new(str_of(id), STR_NULL, str_of("c"), str_of("/h"), 1, 1, &p, 1),
        str_of("consumer"));
}

// Any version of a subscription is read as far as version 0 goes. What cannot be read may need every topic.
static void subscriptions_are_read(void)
{
    static const uint8_t v0[] = { 0, 0, 0, 0, 0, 1, 0, 1, 'a', 0xff, 0xff, 0xff, 0xff };
    static const uint8_t v3[] = { 0, 3, 0, 0, 0, 2, 0, 1,    'a',  0,    1,    'b',  0,
                                  0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct classic_group *group = make();
    CU_ASSERT_FALSE(classic_group_is_subscribed(group, str_of("a")));
    subscribe(group, "1", (struct bytes){ v0, sizeof v0 });
    classic_group_set_protocol_name(group, str_of("range"));
    CU_ASSERT_TRUE(classic_group_is_subscribed(group, str_of("b"))); // not known yet
    classic_group_read_subscription(group);
    CU_ASSERT_TRUE(classic_group_is_subscribed(group, str_of("a")));
    CU_ASSERT_FALSE(classic_group_is_subscribed(group, str_of("b")));
    subscribe(group, "2", (struct bytes){ v3, sizeof v3 });
    classic_group_read_subscription(group);
    CU_ASSERT_TRUE(classic_group_is_subscribed(group, str_of("b")));
    CU_ASSERT_FALSE(classic_group_is_subscribed(group, str_of("c")));
    subscribe(group, "3", (struct bytes){ v0, 5 });
    classic_group_read_subscription(group);
    CU_ASSERT_TRUE(classic_group_is_subscribed(group, str_of("c")));
    classic_group_free(group);
}

TEST_MAIN("classic_group", TEST(a_group_with_members_has_a_leader), TEST(a_leader_has_joined),
          TEST(protocols_are_voted), TEST(newcomers_must_fit), TEST(pending_members_are_waited_for),
          TEST(members_are_compared_by_protocols), TEST(subscriptions_are_read))
