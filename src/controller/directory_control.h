// SPDX-License-Identifier: Apache-2.0
// Which log directory of a broker holds a replica, and which of them are in service (KIP-858, KIP-1066).
//
//     a broker of one directory     replicas are assigned to it when they are placed
//     a broker of several           placed as UNASSIGNED; the broker chooses and tells: AssignReplicasToDirs
//     a directory fails             the heartbeat tells: it leaves the registration, what it held is led elsewhere
//     it is back                    with the broker's next registration; its replicas may lead again
//     a directory is cordoned       takes no new replicas; a broker with no other gets none
#ifndef CONTROLLER_DIRECTORY_CONTROL_H
#define CONTROLLER_DIRECTORY_CONTROL_H

#include "controller/evaluation.h"
#include "protocol/messages/assign_replicas_to_dirs.h"
#include "protocol/messages/broker_heartbeat.h"

struct answer assign_replicas_to_dirs(struct evaluation *evaluation,
                                      const struct assign_replicas_to_dirs_request *request,
                                      struct assign_replicas_to_dirs_response *response);

// The two things that a heartbeat says of directories. Of `broker`, the request's.
void directories_offline(struct evaluation *evaluation, const struct metadata_broker *broker,
                         const struct broker_heartbeat_request *request);
void directories_cordoned(struct evaluation *evaluation, const struct metadata_broker *broker,
                          const struct broker_heartbeat_request *request);

#endif
