// SPDX-License-Identifier: Apache-2.0
// Requests that the controller decides: its call is made from the request, its answer is the reply.
#ifndef API_FORWARD_H
#define API_FORWARD_H

#include "api/request.h"

void forward_to_controller(struct request *request);

#endif
