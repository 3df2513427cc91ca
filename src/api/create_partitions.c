// SPDX-License-Identifier: Apache-2.0
// CreatePartitions: topics given more partitions (controller/topic_changes.c).
// Tested by metadata_test.c.
#include "api/dispatch.h"
#include "api/forward.h"

void handle_create_partitions(struct request *request)
{
    forward_to_controller(request);
}
