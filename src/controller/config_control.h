// SPDX-License-Identifier: Apache-2.0
// Overrides of resources changed: AlterConfigs replaces all of a resource's, IncrementalAlterConfigs (KIP-339) sets,
// deletes, appends to and subtracts from single ones. Each resource is changed as a whole or not at all.
#ifndef CONTROLLER_CONFIG_CONTROL_H
#define CONTROLLER_CONFIG_CONTROL_H

#include "config/config_resource.h"
#include "controller/evaluation.h"
#include "protocol/messages/alter_configs.h"
#include "protocol/messages/incremental_alter_configs.h"

struct answer alter_configs(struct evaluation *evaluation,
                            const struct alter_configs_request *request,
                            struct alter_configs_response *response);
struct answer incremental_alter_configs(struct evaluation *evaluation,
                                        const struct incremental_alter_configs_request *request,
                                        struct incremental_alter_configs_response *response);

// An override of a resource, null: none; its texts are borrowed.
void add_config_record(struct metadata_entries *records, enum config_resource type,
                       struct str resource, struct str name, struct str value);
// The cluster's min.insync.replicas, as the configuration file of this node or the default has it, added to `records`.
void add_cluster_min_insync_replicas(struct metadata_entries *records, const struct config *config);
// What must be so before eligible leaders are tracked (KIP-966): one min.insync.replicas for the cluster, none for a
// single broker.
void add_elr_safety_configs(struct evaluation *evaluation);

#endif
