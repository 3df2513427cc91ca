// SPDX-License-Identifier: Apache-2.0
// Values kept elsewhere (KIP-297, KIP-421): with `config.providers=file` and
// `config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider`, the text
// ${file:/run/secrets.properties:password} in any value stands for what that file says.
//
//     ${file:PATH:KEY}        a key of a properties file
//     ${directory:PATH:FILE}  the whole content of a file in a folder
//     ${env:NAME}             an environment variable (EnvVarConfigProvider)
//
// The names before the colon are the user's; the class says which of the three it is. Without
// config.providers, or when the key is not there, a text stays as it is, as in Kafka.
#ifndef CONFIG_CONFIG_PROVIDER_H
#define CONFIG_CONFIG_PROVIDER_H

#include "config/config_load.h"
#include "config/properties.h"

// Replaces every such text in p. False, with a message appended, when a provider is none of the three,
// has a parameter that this release does not know, or cannot read.
bool config_provide(const struct config_source_files *from, struct properties *p,
                    struct strbuf *message);

#endif
