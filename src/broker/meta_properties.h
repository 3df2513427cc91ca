// SPDX-License-Identifier: Apache-2.0
// meta.properties: to which cluster and node a log directory belongs, and its own id (KIP-78, KIP-858).
//
//     #
//     #Sat Nov 21 03:37:26 UTC 2026
//     node.id=1
//     directory.id=l9STV7xARS6eq1SWrxyYdQ
//     version=1
//     cluster.id=MkU3OEVBNTcwNTJENDM2Qk
//
// A node's directories agree: one cluster, one node, each an id of its own. Keys that we do not know
// are kept.
#ifndef BROKER_META_PROPERTIES_H
#define BROKER_META_PROPERTIES_H

#include "base/disk.h"
#include "base/uuid.h"
#include "config/config.h"

struct meta_properties {
    char *cluster_id;
    int32_t node_id;
    struct uuid directory_id; // zero: has none yet (formatted before Kafka 3.7)
};

void meta_properties_fini(struct meta_properties *meta);
// 0; -ENOENT: not formatted; another -errno: cannot be read; -EBADMSG: with what is wrong in `message`.
int meta_properties_read(struct disk *disk, const char *dir, struct meta_properties *out,
                         struct strbuf *message);
int meta_properties_write(struct disk *disk, const char *dir, const struct meta_properties *meta,
                          int64_t now_ms);

// One of a node's directories. error: 0 formatted, -ENOENT not formatted, else why it cannot be read.
struct log_dir_identity {
    const char *path; // borrowed from the configuration
    struct meta_properties meta;
    int error;
    bool is_metadata; // holds __cluster_metadata-0
};

struct node_identity {
    struct log_dir_identity *dirs; // by path; log.dirs and metadata.log.dir
    size_t count;
    size_t formatted_count;
    const char *cluster_id; // of the formatted ones; NULL when there is none
};

// Reads all directories of the configuration, which may fail for any but that of the metadata log, and sees that they
// agree with each other and with node.id. cluster_id: expected, NULL for whatever the first says. False with one line
// appended when they do not; what was read stays in `out` either way.
bool node_identity_load(struct disk *disk, const struct config *config, const char *cluster_id,
                        struct node_identity *out, struct strbuf *message);
// At start: gives an id to directories without one. False with a line when one is not formatted (those that cannot be
// read are left alone), or the metadata log's cannot be written.
bool node_identity_complete(struct disk *disk, struct node_identity *identity, int64_t now_ms,
                            struct strbuf *message);
void node_identity_fini(struct node_identity *identity);
// NULL: not one of its directories.
const struct log_dir_identity *node_identity_find(const struct node_identity *identity,
                                                  const char *path);

#endif
