// SPDX-License-Identifier: Apache-2.0
// What a group subscribes to, counted: topics by name and by expression, expressions by members. Made when an
// evaluation needs it, of the group as it is, then changed as the evaluation will change the group; in an arena.
//
//     consumer_subscription_count(&subscription, group, &arena);
//     consumer_subscription_change(&subscription, group, &before, &after);
//     hash = consumer_subscription_hash(&subscription, state->topics);
#ifndef GROUP_CONSUMER_CONSUMER_SUBSCRIPTION_H
#define GROUP_CONSUMER_CONSUMER_SUBSCRIPTION_H

#include "base/arena.h"
#include "group/consumer/consumer_group.h"

struct topic_index;

struct subscribed_topic {
    struct str name;
    int32_t by_name;  // members that name it
    int32_t by_regex; // resolved expressions that it matches
};

struct subscribed_regex {
    struct str pattern;
    int32_t members;
};

struct consumer_subscription {
    struct arena *arena;
    struct hashmap topics;  // struct subscribed_topic, those with a count
    struct hashmap regexes; // struct subscribed_regex, those with members
};

void consumer_subscription_count(struct consumer_subscription *subscription,
                                 const struct consumer_group *group, struct arena *arena);
void consumer_subscription_fini(struct consumer_subscription *subscription);

// A member's metadata change; NULL: it was not there before, or is not there afterwards. The topics of an expression
// that thereby has no member left go too.
void consumer_subscription_change(struct consumer_subscription *subscription,
                                  const struct consumer_group *group,
                                  const struct member_metadata_value *before,
                                  const struct member_metadata_value *after);
// An expression is resolved anew: these topics instead of those it has in the group (either may be NULL).
void consumer_subscription_resolve(struct consumer_subscription *subscription,
                                   const struct consumer_group_regular_expression_value *before,
                                   const struct consumer_group_regular_expression_value *after);

// Whether all members, so many, subscribe to the same.
bool consumer_subscription_is_homogeneous(const struct consumer_subscription *subscription,
                                          int32_t member_count);
// Of those topics that exist (metadata_hash.h). Takes the index's lock.
int64_t consumer_subscription_hash(const struct consumer_subscription *subscription,
                                   struct topic_index *topics);

// Whether a member names the topic, or a resolved expression matches it.
bool consumer_group_subscribes(const struct consumer_group *group, struct str topic);

#endif
