// SPDX-License-Identifier: Apache-2.0
// Blocks of producer ids (KIP-730): each broker gets a thousand at a time, no id is ever given twice.
#ifndef CONTROLLER_PRODUCER_ID_CONTROL_H
#define CONTROLLER_PRODUCER_ID_CONTROL_H

#include "controller/evaluation.h"
#include "protocol/messages/allocate_producer_ids.h"

enum { PRODUCER_ID_BLOCK_SIZE = 1000 };

struct answer allocate_producer_ids(struct evaluation *evaluation,
                                    const struct allocate_producer_ids_request *request,
                                    struct allocate_producer_ids_response *response);

#endif
