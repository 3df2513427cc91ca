// SPDX-License-Identifier: Apache-2.0
// DeleteShareGroupOffsets: a share group without members forgets topics (KIP-932).
#include "api/dispatch.h"
#include "api/node.h"
#include "api/share_acks.h"
#include "group/share/share_groups.h"
#include "protocol/error_message.h"

void handle_delete_share_group_offsets(struct request *request);

void handle_delete_share_group_offsets(struct request *request)
{
    struct delete_share_group_offsets_response *response = request->response;
    if (!share_groups_are_enabled(request)) {
        response->error_code = KERR_UNSUPPORTED_VERSION;
        response->error_message = str_of(kafka_error_message(KERR_UNSUPPORTED_VERSION));
        request_reply(request);
        return;
    }
    share_groups_delete_offsets(request->node->groups, request->body, response, &request->arena,
                                &request->completion);
}
