// SPDX-License-Identifier: Apache-2.0
// Tested by metadata_test.c.
#include "api/forward.h"

#include "api/node.h"
#include "controller/controller.h"

void forward_to_controller(struct request *request)
{
    struct controller_call *call = arena_new(&request->arena, struct controller_call);
    *call = (struct controller_call){
        .api_key = request->api_key,
        .version = request->api_version,
        .request = request->body,
        .response = request->response,
        .arena = &request->arena,
        .completion = &request->completion,
    };
    controller_submit(request->node->controller, call);
}
