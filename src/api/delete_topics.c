// SPDX-License-Identifier: Apache-2.0
// DeleteTopics: topics deleted by name, and by id since v6 (controller/topic_changes.c).
// Tested by metadata_test.c.
#include "api/dispatch.h"
#include "api/forward.h"

void handle_delete_topics(struct request *request)
{
    forward_to_controller(request);
}
