// SPDX-License-Identifier: Apache-2.0
// UpdateFeatures: levels of features raised and lowered (controller/feature_control.c).
// Tested by compat-tests/twin/features.
#include "api/dispatch.h"
#include "api/forward.h"

void handle_update_features(struct request *request)
{
    forward_to_controller(request);
}
