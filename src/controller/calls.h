// SPDX-License-Identifier: Apache-2.0
// The APIs of the controller: which decision belongs to which call, and how a verdict on a whole call is answered.
#ifndef CONTROLLER_CALLS_H
#define CONTROLLER_CALLS_H

#include "controller/controller.h"
#include "controller/evaluation.h"

// Decides one call: fills its response and evaluation->records. After an error the records are cut.
void call_evaluate(struct controller_call *call, struct evaluation *evaluation);
// How long the caller is ready to wait; INT32_MAX when the request does not say.
int32_t call_timeout_ms(const struct controller_call *call);
// Fills the response with one error for everything in the request.
void call_fail(struct controller_call *call, struct answer answer);

#endif
