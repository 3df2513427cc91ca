// SPDX-License-Identifier: Apache-2.0
// Brokers and controllers in the cluster's eyes (KIP-631, KIP-919): who is registered, in service, or on its way out.
//
//                 registration                heartbeat                       heartbeat (wants to shut down)
//     unknown ──────────────────> fenced ──────────────────> unfenced ──────────────────────────> controlled shutdown
//                                   ^                            │ leads nothing, or wants a fence        │
//                                   └────────────────────────────┴────────────────────────────────────────┘
//
// (1) A broker's epoch is the offset of the first record of its registration: greater than any before.
// (2) A broker that stopped uncleanly has left every ISR before its new incarnation is in service (KIP-966).
#ifndef CONTROLLER_BROKER_CONTROL_H
#define CONTROLLER_BROKER_CONTROL_H

#include "controller/evaluation.h"
#include "protocol/messages/broker_heartbeat.h"
#include "protocol/messages/broker_registration.h"
#include "protocol/messages/controller_registration.h"
#include "protocol/records/broker_registration_change.h"

struct answer register_broker(struct evaluation *evaluation,
                              const struct broker_registration_request *request,
                              struct broker_registration_response *response);
struct answer broker_heartbeat(struct evaluation *evaluation,
                               const struct broker_heartbeat_request *request,
                               struct broker_heartbeat_response *response);
struct answer register_controller(struct evaluation *evaluation,
                                  const struct controller_registration_request *request);

// ANSWER_OK when that epoch is the broker's present one.
struct answer broker_check_epoch(struct evaluation *evaluation, int32_t broker_id, int64_t epoch);

// An empty change of a registration, for the caller to fill.
struct broker_registration_change_record *broker_change_add(struct evaluation *evaluation,
                                                            const struct metadata_broker *broker,
                                                            int16_t version);

#endif
