// SPDX-License-Identifier: Apache-2.0
// Tested by compat-tests/twin/consumer.
#include "api/group_protocol.h"

#include "api/node.h"
#include "config/config.h"
#include "metadata/metadata.h"

bool group_protocol_is_served(const struct node *node, const char *protocol, const char *feature,
                              int level)
{
    if (!config_list_has(node->config, CONFIG_GROUP_COORDINATOR_REBALANCE_PROTOCOLS, protocol))
        return false;
    metadata_lock_read(node->metadata);
    int finalized = metadata_feature_level(node->metadata, feature);
    metadata_unlock(node->metadata);
    return finalized >= level;
}
