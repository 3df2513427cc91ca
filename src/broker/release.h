// SPDX-License-Identifier: Apache-2.0
// Kafka's metadata versions by name, and the feature levels that belong to each: what `format
// --release-version` and `version-mapping` know (KIP-584, KIP-1022).
#ifndef BROKER_RELEASE_H
#define BROKER_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/strbuf.h"

enum { RELEASE_FIRST = 7, RELEASE_LATEST = 30, RELEASE_TESTING = 31 };

// "4.3-IV0" for 30; the level must be one of RELEASE_FIRST … RELEASE_TESTING.
const char *release_name(int16_t level);
// "4.3-IV0", or short "4.3" for the last of that release; with_testing: also those not for production.
// 0 when it is none, with Kafka's message appended.
int16_t release_find(struct str name, bool with_testing, struct strbuf *message);

struct feature_level {
    const char *name;
    int16_t level;
    int16_t since;         // the metadata.version that has it by default
    int16_t needs_release; // the metadata.version that it cannot do without; 0: any
};

// The features beside metadata.version, in Kafka's order.
enum { FEATURE_COUNT = 6 };
extern const char *const feature_names[FEATURE_COUNT];
// The level that a metadata.version has by default.
int16_t feature_default_level(const char *name, int16_t release);
// NULL when there is no such level.
const struct feature_level *feature_level_find(struct str name, int16_t level);

#endif
