// SPDX-License-Identifier: Apache-2.0
// What groups of every type share: a name in one namespace per cluster, and a type that its records give it.
#ifndef GROUP_GROUP_H
#define GROUP_GROUP_H

#include "base/bytes.h"

enum group_type { GROUP_UNKNOWN, GROUP_CLASSIC, GROUP_CONSUMER, GROUP_SHARE, GROUP_STREAMS };

// First member of struct classic_group, consumer_group, share_group and streams_group.
struct group {
    enum group_type type;
    struct str id; // owned by the group, NUL-ended
};

// "classic", "consumer", "share", "streams", as ListGroups v5 names them.
const char *group_type_name(enum group_type type);
// The type of that name in any case, GROUP_UNKNOWN if there is none.
enum group_type group_type_parse(struct str name);

#endif
