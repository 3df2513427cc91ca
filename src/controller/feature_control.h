// SPDX-License-Identifier: Apache-2.0
// UpdateFeatures: the finalised level of features raised and lowered (KIP-584, KIP-778, KIP-1022).
#ifndef CONTROLLER_FEATURE_CONTROL_H
#define CONTROLLER_FEATURE_CONTROL_H

#include "controller/evaluation.h"
#include "protocol/messages/update_features.h"

// All or none: upon an error the response names the first feature that has one, in the order in which Kafka looks at
// them. `version` decides whether the response has a result for each feature. May set evaluation->kraft_upgrade.
struct answer update_features(struct evaluation *evaluation, int16_t version,
                              const struct update_features_request *request,
                              struct update_features_response *response);

#endif
