// SPDX-License-Identifier: Apache-2.0
// The codecs of record batches, as Kafka's Java classes read and write them:
//     gzip    RFC 1952, members may follow each other
//     snappy  xerial's framing (a header, then blocks behind int32 lengths) or one bare block
//     lz4     frames of independent blocks; checksums of header and blocks are verified, that of the
//             content is not looked at (KIP-57)
//     zstd    frames, windows up to 128 MB
//
// Decompression comes in pieces, so that a validator needs memory for a piece, not for the batch:
//
//     struct decompressor *d = decompressor_open(compression, input);
//     struct bytes piece;
//     while (decompressor_next(d, &piece)) { … }        // piece is valid until the next call
//     if (decompressor_failed(d)) …
//     decompressor_close(d);
//
// No claim of the input about its size is believed beyond what its codec could produce from so many bytes.
// Each thread keeps the state of its last decompressor for the next one.
// Tested by record_test.c.
#ifndef RECORD_COMPRESS_H
#define RECORD_COMPRESS_H

#include "base/strbuf.h"
#include "record/batch.h"

struct decompressor;

// Never NULL; what is wrong with the input shows as decompressor_failed. `compression` is any of the
// attribute's values except none; those that no codec has fail.
struct decompressor *decompressor_open(int compression, struct bytes input);
// False at the end and after a failure. Pieces are never empty.
bool decompressor_next(struct decompressor *d, struct bytes *piece);
bool decompressor_failed(const struct decompressor *d);
void decompressor_close(struct decompressor *d);

enum { COMPRESSION_LEVEL_DEFAULT = INT32_MIN };

// Appends the compressed form of `raw` to `out`. `level` is Kafka's for the codec (gzip 1..9 or -1, lz4 1..17,
// zstd) or COMPRESSION_LEVEL_DEFAULT. Never fails: the levels were checked by configuration.
void compress_bytes(enum compression compression, int32_t level, struct bytes raw,
                    struct strbuf *out);

#endif
