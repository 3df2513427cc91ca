// SPDX-License-Identifier: Apache-2.0
// Making a node's log directories, as `kafka-storage.sh format` does: in each of them meta.properties and
// bootstrap.checkpoint (the feature levels that the first controller writes), and, when the quorum keeps
// its voters in its own log (KIP-853), the first snapshot of __cluster_metadata-0 with them.
//
//     each directory:   bootstrap.checkpoint ──▶ __cluster_metadata-0/0…0-0…0.checkpoint ──▶ meta.properties
//
// meta.properties comes last: a directory without it is not formatted, whatever stopped us.
#ifndef BROKER_FORMAT_H
#define BROKER_FORMAT_H

#include "base/disk.h"
#include "broker/meta_properties.h"
#include "config/config.h"

struct format_options {
    struct disk *disk;
    const struct config *config;
    int64_t now_ms;
    const char *cluster_id;
    bool ignore_formatted;
    bool standalone; // at most one of these three
    bool no_initial_controllers;
    const char *initial_controllers; // "1@host:9093:DIRECTORY_ID,…"
    const char *release_version;     // NULL: the latest
    const char *const *features;     // "name=level"
    size_t features_count;
};

// Formats what is not formatted yet; the lines that Kafka's tool prints are appended to `out`. False
// with one line in `message`: refused (nothing was written) or a directory could not be written.
bool format_run(const struct format_options *options, struct strbuf *out, struct strbuf *message);

// What `info` prints. False when it found a problem.
bool format_info(struct disk *disk, const struct config *config, struct strbuf *out);

#endif
