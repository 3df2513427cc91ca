// SPDX-License-Identifier: Apache-2.0
// What `format` leaves in the log directories for the first start of a cluster:
//
//     bootstrap.checkpoint                                    in every log dir: the records a controller writes first
//                                                             into an empty metadata log, in the form of a snapshot
//     __cluster_metadata-0/0…0-0…0.checkpoint ("genesis")     with --standalone or --initial-controllers: the first
//                                                             voters, and kraft.version 1
#ifndef METADATA_BOOTSTRAP_H
#define METADATA_BOOTSTRAP_H

#include "base/disk.h"
#include "base/strbuf.h"
#include "metadata/control.h"
#include "metadata/metadata_record.h"

#define BOOTSTRAP_FILE "bootstrap.checkpoint"
#define GENESIS_FILE   "00000000000000000000-0000000000.checkpoint"

struct bootstrap_feature {
    const char *name;
    int16_t level;
};

// The records of bootstrap.checkpoint: one FeatureLevel record for each feature of a level above 0, metadata.version
// first, the others by name (kraft.version is left out: it is not such a record), then the SCRAM credentials
// (struct user_scram_credential_record, borrowed).
struct user_scram_credential_record;
void bootstrap_entries(struct metadata_entries *entries, const struct bootstrap_feature *features,
                       size_t features_count,
                       const struct user_scram_credential_record *credentials,
                       size_t credentials_count);

// The whole bootstrap.checkpoint of these records, appended to `out`. Write it with disk_write_atomic.
void bootstrap_encode(struct strbuf *out, const struct metadata_entries *entries, int64_t now_ms);

// The whole genesis snapshot of these voters (see voters_of_one in control.h), appended to `out`.
void genesis_encode(struct strbuf *out, const struct voters_record *voters, int64_t now_ms);

// Reads bootstrap.checkpoint in `log_dir`. A missing one means Kafka's: just metadata.version at the latest level.
// 0, or -errno: -EBADMSG when it is malformed (*reason says why).
int bootstrap_read(struct disk *disk, const char *log_dir, struct metadata_entries *entries,
                   const char **reason);

#endif
