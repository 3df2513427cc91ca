// SPDX-License-Identifier: Apache-2.0
// The names of the types of groups.
// Tested by group/streams/streams_group_test.c.
#include "group/group.h"

#include <strings.h>

static const char *const names[] = {
    [GROUP_UNKNOWN] = "unknown", [GROUP_CLASSIC] = "classic", [GROUP_CONSUMER] = "consumer",
    [GROUP_SHARE] = "share",     [GROUP_STREAMS] = "streams",
};

const char *group_type_name(enum group_type type)
{
    return names[type];
}

enum group_type group_type_parse(struct str name)
{
    for (enum group_type type = GROUP_CLASSIC; type <= GROUP_STREAMS; type++)
        if (name.size == strlen(names[type]) && strncasecmp(name.data, names[type], name.size) == 0)
            return type;
    return GROUP_UNKNOWN;
}
