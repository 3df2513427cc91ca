// SPDX-License-Identifier: Apache-2.0
// What can have settings, by the numbers of ConfigRecords and the config APIs.
#ifndef CONFIG_CONFIG_RESOURCE_H
#define CONFIG_CONFIG_RESOURCE_H

enum config_resource {
    CONFIG_RESOURCE_TOPIC = 2,
    CONFIG_RESOURCE_BROKER = 4, // "" is the default of all brokers
    CONFIG_RESOURCE_BROKER_LOGGER = 8,
    CONFIG_RESOURCE_CLIENT_METRICS = 16,
    CONFIG_RESOURCE_GROUP = 32,
};

#endif
