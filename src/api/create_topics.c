// SPDX-License-Identifier: Apache-2.0
// CreateTopics: topics made, with the controller's checks and defaults (controller/topic_control.c).
// Tested by metadata_test.c.
#include "api/dispatch.h"
#include "api/forward.h"

void handle_create_topics(struct request *request)
{
    forward_to_controller(request);
}
