// SPDX-License-Identifier: Apache-2.0
// One call being decided: the state of the cluster and a request go in, records and a response come out. The units
// *_control.c hold the decisions, as functions of a struct evaluation and nothing else: no clock, no disk, no thread.
//
// (1) An evaluation only reads the image. Its records are replayed into it by the controller, before the next call.
// (2) A decision that ends in an error for the whole call leaves no records (metadata_entries_cut).
#ifndef CONTROLLER_EVALUATION_H
#define CONTROLLER_EVALUATION_H

#include "base/strbuf.h"
#include "config/config.h"
#include "controller/topic_names.h"
#include "metadata/metadata.h"
#include "metadata/metadata_record.h"
#include "protocol/kafka_error.h"

// Kafka's limit for what one operation may write, and for partitions in one CreateTopics request.
enum { RECORDS_PER_OPERATION_MAX = 10000 };

struct evaluation {
    const struct metadata *metadata;       // the controller's own image
    const struct topic_names *topic_names; // of that image: which names collide
    const struct config *config;
    const char *cluster_id;
    int32_t node_id;
    int64_t next_offset; // of the first record
    int16_t metadata_version;
    bool is_elr_enabled;             // KIP-966
    int16_t kraft_version;           // of the quorum; it is not in the image
    uint64_t *random;                // state of a generator, for placement
    struct arena *arena;             // for what the response points to
    struct metadata_entries records; // out
    int16_t kraft_upgrade;           // out: the quorum's new version; 0: as it is
};

// The verdict on a topic, resource or call. A NULL message is answered as null.
struct answer {
    enum kafka_error error;
    const char *message;
};

// What Kafka says with POLICY_VIOLATION.
#define MESSAGE_TOO_LARGE_OPERATION "Unable to perform excessively large batch operation."

#define ANSWER_OK ((struct answer){ KERR_NONE, NULL })

static inline struct str answer_message(struct answer answer)
{
    return str_of(answer.message);
}

// The next of a repeatable sequence, below `bound` (> 0).
uint32_t evaluation_random(struct evaluation *evaluation, uint32_t bound);
struct uuid evaluation_uuid(struct evaluation *evaluation);

// Whether a broker is registered, not fenced and not in controlled shutdown.
bool broker_is_active(const struct metadata *metadata, int32_t id);
// Where a new replica of a broker goes: its only log dir, or UNASSIGNED when it has several.
struct uuid broker_default_dir(const struct metadata *metadata, int32_t id);

#endif
