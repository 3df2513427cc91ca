// SPDX-License-Identifier: Apache-2.0
// What a log does for its cleaner: says what there is to clean, lends segments, and takes cleaned ones in their place.
//
//     cleaner:  segments (references) ──► reads them and writes B.*.cleaned, without the log's lock
//     log:      still the same segments? ─ no ─► -ECANCELED
//                 │ yes
//                 ├ B.*.cleaned ► B.*.swap, directory synced       from here on a crash completes it (log_recovery.c)
//                 ├ old ones ► *.deleted
//                 └ B.*.swap ► B.*, .log first; readers see it; directory synced
//
// Whoever truncates, deletes or renames the log meanwhile need not wait or ask: files are made and named under the
// log's lock, and what was lent is compared with what is there before anything is replaced. Between the first and the
// last renaming truncation waits (log_internal.h, replace_lock), for it must not find its bytes again after a crash.
// Tested by cleaner_test.c and cleaner_faults_test.c.
#ifndef LOG_LOG_CLEANING_H
#define LOG_LOG_CLEANING_H

#include "log/cleaner_txns.h"
#include "log/log.h"
#include "log/segment.h"

struct log_cleanable {
    int64_t first_dirty_offset;
    int64_t
        first_uncleanable_offset; // the base offset of a segment; nothing at or after it is touched
    int64_t clean_bytes;          // before the first dirty offset
    int64_t cleanable_bytes;      // from there to the first uncleanable offset
    double ratio;                 // cleanable / both; 0 for a log without either
    int64_t
        overdue_ms; // since when max.compaction.lag.ms wants it cleaned (KIP-354); 0: it does not
    bool
        is_checkpoint_wrong; // before the log start or behind the log end: begun anew at the log start
    bool
        is_settled; // compaction has nothing to do before a segment is rolled or the log start moves
};

// checkpoint: the offset up to which the log was cleaned, -1: none. 0 or the disk's error.
int log_cleanable(struct log *log, int64_t checkpoint, int64_t now_ms, struct log_cleanable *out);

// Where its directory is just now; mem_free. (log_dir is for who knows that nobody renames it.)
char *log_copy_dir(struct log *log);

struct lent_segment {
    struct segment *segment; // a reference
    int64_t base_offset;
    int32_t size_bytes;
    int64_t offset_index_bytes;
    int64_t time_index_bytes;
};

struct lent_segments {
    struct lent_segment *items;
    size_t count, capacity;
};

// Those from the one that holds `from` on to the last that begins before `upto`, which is at most the active one's base
// offset. -ECANCELED: the log is out of service.
int log_lend_segments(struct log *log, int64_t from, int64_t upto, struct lent_segments *out);
void lent_segments_fini(struct lent_segments *lent);
// A reference to the file of a lent segment, and where in it the search for `offset` begins. -ECANCELED: it went.
int log_open_lent(struct log *log, const struct lent_segment *lent, int64_t offset,
                  struct disk_file **file, int64_t *position);
// Whether it still is what was lent. What a reader found in one that is not says nothing.
bool log_has_lent(struct log *log, const struct lent_segment *lent);
int64_t log_lent_modified_ms(struct log *log, const struct lent_segment *lent); // or -errno

// The aborted transactions that touch [from, upto).
int log_collect_aborted(struct log *log, int64_t from, int64_t upto, struct aborted_txns *out);

struct last_record {
    int64_t producer_id;
    int64_t last_data_offset; // -1: the producer has written markers only
    int16_t producer_epoch;
};

// The last record of each active producer, by producer id; *out for mem_free.
void log_last_records(struct log *log, struct last_record **out, size_t *count);

// Makes BASE.suffix.cleaned, empty. -ECANCELED: the log is out of service.
int log_create_cleaned(struct log *log, int64_t base_offset, const char *suffix,
                       struct disk_file **out);
void log_discard_cleaned(struct log *log, int64_t base_offset);

// BASE.*.cleaned, which last, in place of lent[0 … count), whose first one begins at base_offset. 0; -ECANCELED when
// the log is not any more what was lent (the .cleaned files are gone then); a disk's error has failed the log.
int log_replace_segments(struct log *log, const struct lent_segment *lent, size_t count,
                         int64_t base_offset);

// A disk did not do what the cleaner wanted: the log is out of service, as after a failed append.
void log_fail_cleaning(struct log *log, int error);

#endif
