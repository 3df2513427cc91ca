// SPDX-License-Identifier: Apache-2.0
// The rules that a parsed value must obey. One function; split from config_def.c for its length
// only.
#ifndef CONFIG_CONFIG_CHECK_H
#define CONFIG_CONFIG_CHECK_H

#include "config/config_def.h"

// False, with Kafka's message appended, when the value breaks its definition's rule.
bool config_check_value(const struct config_def *def, const struct config_value *value,
                        struct strbuf *message);

#endif
