// SPDX-License-Identifier: Apache-2.0
// DeleteRecords on the leader: the log start moves forward. What lies before it is no longer served at once; its
// segments go with the next pass of retention (log/log_retention.c).
#include "replica/partition.h"

enum { HIGH_WATERMARK = -1 };

// Under the role lock, as leader.
static enum kafka_error move_log_start(struct log *log, int64_t offset)
{
    struct log_config config;
    log_get_config(log, &config);
    // Of a log that is only compacted nothing may go by its offset; with an empty cleanup.policy it may.
    if (config.cleanup_compact && !config.cleanup_delete)
        return KERR_POLICY_VIOLATION;
    if (offset == HIGH_WATERMARK)
        offset = log_high_watermark(log);
    return offset < 0 ? KERR_OFFSET_OUT_OF_RANGE : log_set_start_offset(log, offset);
}

enum kafka_error partition_delete_records(struct partition *partition, int64_t offset,
                                          int64_t *low_watermark)
{
    enum kafka_error error = KERR_NOT_LEADER_OR_FOLLOWER;
    *low_watermark = -1;
    pthread_rwlock_rdlock(&partition->_lock);
    if (partition->is_offline)
        error = KERR_KAFKA_STORAGE_ERROR;
    else if (partition->log != NULL && partition->leader == partition->local_id)
        error = move_log_start(partition->log, offset);
    if (error == KERR_NONE)
        *low_watermark = log_start_offset(partition->log);
    pthread_rwlock_unlock(&partition->_lock);
    return error;
}
