// SPDX-License-Identifier: Apache-2.0
// Where a share group begins to read a partition that it has not begun: share.auto.offset.reset.
#ifndef SHARE_SHARE_START_H
#define SHARE_SHARE_START_H

#include "base/bytes.h"
#include "replica/partition.h"

struct share_start {
    enum { SHARE_START_LATEST, SHARE_START_EARLIEST, SHARE_START_BY_DURATION } kind;
    int64_t duration_ms; // how long ago, of the last
};

// latest, earliest, by_duration:PnDTnHnMn.nS. False if it is none of these.
bool share_start_parse(struct str text, struct share_start *out);
// OFFSET_NOT_AVAILABLE when no record is as young.
enum kafka_error share_start_find(const struct share_start *how, struct partition *partition,
                                  int32_t leader_epoch, int64_t now_ms, int64_t *offset);

#endif
