// SPDX-License-Identifier: Apache-2.0
// What AlterConfigs and IncrementalAlterConfigs share. Each resource of a request is decided on its own:
//
//     handler: body ──▶ alterations ──check──▶ refused here, or a logger's: done here
//                                      └────▶ the rest in one call to the controller ──▶ results
//              results in the request's order ──▶ reply
//
// A request whose resources are all decided here never reaches the controller.
#ifndef API_CONFIG_ALTERATIONS_H
#define API_CONFIG_ALTERATIONS_H

#include "api/request.h"
#include "config/config_alter.h"
#include "controller/controller.h"

struct config_alteration_item {
    int8_t type;
    struct str name;
    const struct config_change *changes;
    int32_t changes_count;
    bool is_decided; // error and message are the answer
    enum kafka_error error;
    struct str message; // null without an error
};

struct config_alterations {
    struct request *request;
    bool is_replacement;
    bool validate_only;
    struct config_alteration_item *items; // one per resource of the request, in its order
    int32_t count;
    struct controller_call call;
    struct completion completion;
    void (*on_decided)(struct config_alterations *alterations);
};

// In the request's arena; the caller fills the items' type, name and changes.
struct config_alterations *config_alterations_new(struct request *request, bool is_replacement,
                                                  bool validate_only, int32_t count);
// Decides what is decided here. Returns how many items are left for the controller.
int32_t config_alterations_check(struct config_alterations *alterations);
// Asks the controller; on_decided is called when `response` is filled, on its thread.
void config_alterations_submit(struct config_alterations *alterations, const void *request,
                               void *response,
                               void (*on_decided)(struct config_alterations *alterations));
// The controller's answer for a resource.
void config_alterations_decide(struct config_alterations *alterations, int8_t type, struct str name,
                               int16_t error_code, struct str message);

#endif
