// SPDX-License-Identifier: Apache-2.0
// A member as an evaluation makes it: a copy of what it is, or of nothing, whose fields are changed; what they point
// to belongs to the group or to the request's arena. The group sees it when its records are replayed.
#ifndef GROUP_CONSUMER_CONSUMER_DRAFT_H
#define GROUP_CONSUMER_CONSUMER_DRAFT_H

#include "base/arena.h"
#include "group/consumer/consumer_group.h"

struct member_draft {
    struct str id;
    struct member_metadata_value metadata;
    struct member_current_value current;
};

// `member` NULL: a new one.
struct member_draft member_draft_of(const struct consumer_member *member, struct str id);

// Sorted, each name once: as it stands in the record.
void member_draft_set_names(struct member_draft *draft, const struct str *names, int32_t count,
                            struct arena *arena);
// Moves on to the epoch: what it was becomes the previous one.
void member_draft_move(struct member_draft *draft, int32_t member_epoch);

// Whether the records would say the same. The order of lists does not count.
bool member_metadata_equals(const struct member_metadata_value *a,
                            const struct member_metadata_value *b);
bool member_names_equal(const struct member_metadata_value *a,
                        const struct member_metadata_value *b);
bool member_topics_equal(const struct member_topic *a, int32_t a_count,
                         const struct member_topic *b, int32_t b_count);
bool member_current_equals(const struct member_current_value *a,
                           const struct member_current_value *b);

#endif
