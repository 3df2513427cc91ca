// SPDX-License-Identifier: Apache-2.0
// Messages of the formats before batches, magic 0 and 1: what brokers before 0.11 left on disk. They are read and sent
// on as they are; nobody may produce them any more.
//
//      0 int64 offset
//      8 int32 size of all that follows
//     12 uint32 CRC-32 (zlib's) of 16..end
//     16 int8  magic 0 or 1
//     17 int8  attributes: compression:3, timestamp type:1 (magic 1)
//     18 int64 timestamp, magic 1 only
//        int32 key size [key] | int32 value size [value]; -1 = null
//
// A message with compression holds others as its value, and has the offset of the last of them. In magic 0 those have
// their own offsets; in magic 1 they count from 0, and the timestamp of one with LogAppendTime is that of all.
// LZ4 in magic 0 has a wrong header checksum, which nobody looks at (KAFKA-3160).
//
// struct record_iter (record.h) walks such a message like a batch.
// Tested by old_records_test.c.
#ifndef RECORD_OLD_RECORDS_H
#define RECORD_OLD_RECORDS_H

#include "record/record.h"

enum { OLD_RECORD_MIN_SIZE_FIELD = 14, OLD_RECORD_V1_MIN_SIZE_FIELD = 22 };

// Whether these first bytes, OLD_RECORD_MIN_SIZE_FIELD + 12 at least, can be such a message's.
bool old_records_is_message(const uint8_t *head);
// The header that a batch of it would have, for code that looks at nothing but headers: `head` as above, of a whole
// message (34 bytes if its magic is 1). The magic is the message's; base offset and last offset are both its offset, so
// for a compressed one the base offset is too high.
void old_records_header(const uint8_t *head, uint8_t header[BATCH_HEADER_SIZE]);
// Its codec, and BATCH_LOG_APPEND_TIME if it has that (magic 1): bits as those of a batch.
int old_records_attributes(const uint8_t *message);
// The CRC is right. `message` is whole.
bool old_records_is_intact(struct bytes message);
// Appends the same records as batches of format 2 with the same offsets. False: they cannot be read.
bool old_records_convert(struct bytes message, struct strbuf *out);

// ---- for record.c -----------------------------------------------------------------------------------

struct old_records;

struct old_records *old_records_open(struct bytes message);
// False at the end and when something is wrong: then *error and *reason say so.
bool old_records_next(struct old_records *old, struct record *record, enum records_error *error,
                      const char **reason);
void old_records_close(struct old_records *old); // NULL is fine

#endif
