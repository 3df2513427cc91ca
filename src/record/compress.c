// SPDX-License-Identifier: Apache-2.0
// See compress.h. One struct holds the state of every codec, made when first needed and kept by the thread.
//
// xerial's snappy stream:   82 'SNAPPY' 00 | int32 version | int32 least reader version | (int32 size, block)*
//                           big-endian; another header may stand where a size is expected
// LZ4 frame:                04 22 4D 18 | FLG | BD | [int64 content size] | HC | (uint32 size, block, [xxh32])*
//                           | 0 | [xxh32 of content]; little-endian; bit 31 of a size: the block is not compressed
#include "record/compress.h"

#include <lz4.h>
#include <lz4hc.h>
#include <pthread.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/must.h"
#include "record/xxh32.h"

enum {
    PIECE_SIZE = 64 * 1024,
    KEEP_BELOW = 1024 * 1024, // larger buffers are not kept for the next batch
    SNAPPY_HEADER_SIZE = 16,
    SNAPPY_BLOCK_SIZE = 32 * 1024, // as xerial's writer
    SNAPPY_RATIO_MAX = 22,         // a copy of 64 bytes takes 3 of input
    LZ4_BLOCK_SIZE = 64 * 1024,    // as Kafka's writer
    ZSTD_WINDOW_LOG_MAX = 27,
};

static const uint8_t snappy_magic[8] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0 };

struct decompressor {
    int compression;
    struct bytes input; // what is left of it
    bool failed;
    bool finished;
    uint8_t *out;
    size_t out_capacity;
    bool zlib_ready;
    bool zstd_frame_ended;
    bool gzip_in_header; // of a member after the first
    bool gzip_trailer_is_wrong;
    bool snappy_framed;
    bool lz4_block_checksum;
    bool lz4_content_checksum;
    size_t lz4_block_max;
    z_stream zlib;
    ZSTD_DCtx *zstd;
};

// ---- one state per thread ---------------------------------------------------------------------------

static pthread_key_t kept_key;
static pthread_once_t kept_once = PTHREAD_ONCE_INIT;

static void decompressor_free(void *arg)
{
    struct decompressor *d = arg;
    if (d == NULL)
        return;
    if (d->zlib_ready)
        inflateEnd(&d->zlib);
    ZSTD_freeDCtx(d->zstd);
    mem_free(d->out);
    mem_free(d);
}

// The main thread never runs key destructors.
static void free_main_threads(void)
{
    void *kept = pthread_getspecific(kept_key);
    pthread_setspecific(kept_key, NULL);
    decompressor_free(kept);
}

static void make_key(void)
{
    must(pthread_key_create(&kept_key, decompressor_free) == 0);
    atexit(free_main_threads);
}

static void reserve_out(struct decompressor *d, size_t size)
{
    if (d->out_capacity >= size)
        return;
    mem_free(d->out);
    d->out = mem_alloc(size);
    d->out_capacity = size;
}

static bool fail(struct decompressor *d)
{
    d->failed = true;
    return false;
}

static const uint8_t *take(struct decompressor *d, size_t size)
{
    if (d->input.size < size)
        return NULL;
    const uint8_t *at = d->input.data;
    d->input.data += size;
    d->input.size -= size;
    return at;
}

// ---- gzip -------------------------------------------------------------------------------------------

// What is handed to inflate at once, and taken from it, is as in java.util.zip under Kafka: what a call has given
// when it fails is lost, what earlier calls gave was seen. So damage shows at the same record.
enum { GZIP_INPUT = 8192, GZIP_OUTPUT = 16384, GZIP_NEXT_MEMBER = 19 };

static void gzip_open(struct decompressor *d)
{
    reserve_out(d, PIECE_SIZE);
    if (!d->zlib_ready) {
        memset(&d->zlib, 0, sizeof d->zlib);
        must(inflateInit2(&d->zlib, 15 + 16) == Z_OK);
        d->zlib_ready = true;
    } else {
        must(inflateReset(&d->zlib) == Z_OK);
    }
    d->zlib.avail_in = 0;
    d->gzip_in_header = false;
    d->gzip_trailer_is_wrong = false;
}

static bool gzip_feed(struct decompressor *d)
{
    size_t size = d->input.size < GZIP_INPUT ? d->input.size : GZIP_INPUT;
    d->zlib.next_in = (Bytef *)d->input.data;
    d->zlib.avail_in = (uInt)size;
    return take(d, size) != NULL && size > 0;
}

static bool gzip_next(struct decompressor *d, struct bytes *piece)
{
    while (!d->finished) {
        if (d->gzip_trailer_is_wrong)
            return fail(d);
        if (d->zlib.avail_in == 0 && !gzip_feed(d)) {
            d->finished = d->gzip_in_header;
            return d->finished ? false : fail(d);
        }
        d->zlib.next_out = d->out;
        d->zlib.avail_out = GZIP_OUTPUT;
        int result = inflate(&d->zlib, Z_NO_FLUSH);
        size_t got = GZIP_OUTPUT - d->zlib.avail_out;
        if (result == Z_STREAM_END) {
            if ((d->input.size > 0 || d->zlib.avail_in >= GZIP_NEXT_MEMBER) &&
                inflateReset(&d->zlib) == Z_OK)
                d->gzip_in_header = true;
            else
                d->finished = true;
        } else if (result == Z_DATA_ERROR && d->zlib.msg != NULL &&
                   strstr(d->zlib.msg, "check") != NULL) {
            d->gzip_trailer_is_wrong = true; // "incorrect data check" and "incorrect length check"
        } else if (result == Z_DATA_ERROR && d->gzip_in_header && got == 0) {
            d->finished = true; // no member follows: what is there is ignored
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return fail(d);
        }
        if (got > 0) {
            d->gzip_in_header = false;
            *piece = (struct bytes){ d->out, got };
            return true;
        }
    }
    return false;
}

// ---- snappy -----------------------------------------------------------------------------------------

static void snappy_open(struct decompressor *d)
{
    d->snappy_framed = d->input.size >= SNAPPY_HEADER_SIZE &&
                       memcmp(d->input.data, snappy_magic, sizeof snappy_magic) == 0;
    if (d->snappy_framed)
        take(d, SNAPPY_HEADER_SIZE); // whatever versions it names
}

static bool snappy_block(struct decompressor *d, struct bytes block, struct bytes *piece)
{
    size_t size;
    if (snappy_uncompressed_length((const char *)block.data, block.size, &size) != SNAPPY_OK ||
        size / SNAPPY_RATIO_MAX > block.size)
        return fail(d);
    reserve_out(d, size < PIECE_SIZE ? PIECE_SIZE : size);
    if (snappy_uncompress((const char *)block.data, block.size, (char *)d->out, &size) != SNAPPY_OK)
        return fail(d);
    *piece = (struct bytes){ d->out, size };
    return true;
}

static bool snappy_next(struct decompressor *d, struct bytes *piece)
{
    if (!d->snappy_framed) {
        d->finished = true;
        return snappy_block(d, d->input, piece) && piece->size > 0;
    }
    for (;;) {
        const uint8_t *at = take(d, 4);
        if (at == NULL) {
            d->finished = true;
            return false;
        }
        if (memcmp(at, snappy_magic, 4) == 0) {
            const uint8_t *rest = take(d, SNAPPY_HEADER_SIZE - 4);
            if (rest == NULL)
                return fail(d);
            if (memcmp(rest, snappy_magic + 4, 4) != 0) {
                d->finished = true; // no header after all: the end, as xerial has it
                return false;
            }
            if ((int32_t)get_be32(rest + 4) < 1)
                return fail(d);
            continue;
        }
        uint32_t size = get_be32(at);
        const uint8_t *block = size > INT32_MAX ? NULL : take(d, size);
        if (block == NULL)
            return fail(d);
        if (!snappy_block(d, (struct bytes){ block, size }, piece))
            return false;
        if (piece->size > 0)
            return true;
    }
}

// ---- lz4 --------------------------------------------------------------------------------------------

static uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_le32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

enum lz4_flags { LZ4_CONTENT_CHECKSUM = 4, LZ4_CONTENT_SIZE = 8, LZ4_BLOCK_CHECKSUM = 16 };

static void lz4_open(struct decompressor *d)
{
    const uint8_t *magic = take(d, 4);
    const uint8_t *descriptor = d->input.data;
    const uint8_t *flags = take(d, 2);
    if (magic == NULL || flags == NULL || get_le32(magic) != 0x184D2204u) {
        fail(d);
        return;
    }
    int flg = flags[0], bd = flags[1], size_code = bd >> 4 & 7;
    // Version 1, independent blocks, nothing reserved; block sizes 64 KB, 256 KB, 1 MB, 4 MB.
    if (flg >> 6 != 1 || (flg >> 5 & 1) != 1 || (flg & 3) != 0 || (bd & 0x8f) != 0 ||
        size_code < 4) {
        fail(d);
        return;
    }
    size_t descriptor_size = 2;
    if ((flg & LZ4_CONTENT_SIZE) != 0) {
        descriptor_size += 8;
        if (take(d, 8) == NULL) {
            fail(d);
            return;
        }
    }
    const uint8_t *check = take(d, 1);
    if (check == NULL || *check != (uint8_t)(xxh32(descriptor, descriptor_size) >> 8)) {
        fail(d);
        return;
    }
    d->lz4_block_checksum = (flg & LZ4_BLOCK_CHECKSUM) != 0;
    d->lz4_content_checksum = (flg & LZ4_CONTENT_CHECKSUM) != 0;
    d->lz4_block_max = (size_t)1 << (2 * size_code + 8);
}

static bool lz4_next(struct decompressor *d, struct bytes *piece)
{
    for (;;) {
        const uint8_t *at = take(d, 4);
        if (at == NULL)
            return fail(d);
        uint32_t word = get_le32(at), size = word & INT32_MAX;
        if (size == 0) {
            d->finished = true;
            return d->lz4_content_checksum && take(d, 4) == NULL ? fail(d) : false;
        }
        const uint8_t *block = size > d->lz4_block_max ? NULL : take(d, size);
        if (block == NULL)
            return fail(d);
        if (d->lz4_block_checksum) {
            const uint8_t *check = take(d, 4);
            if (check == NULL || get_le32(check) != xxh32(block, size))
                return fail(d);
        }
        if ((word & 0x80000000u) != 0) {
            *piece = (struct bytes){ block, size };
            return true;
        }
        // A byte of a match's length stands for at most 255 bytes.
        size_t most = (size_t)size * 255 + 64;
        most = most < d->lz4_block_max ? most : d->lz4_block_max;
        reserve_out(d, most < PIECE_SIZE ? PIECE_SIZE : most);
        int got = LZ4_decompress_safe((const char *)block, (char *)d->out, (int)size, (int)most);
        if (got < 0)
            return fail(d);
        if (got > 0) {
            *piece = (struct bytes){ d->out, (size_t)got };
            return true;
        }
    }
}

// ---- zstd -------------------------------------------------------------------------------------------

// As zstd-jni under Kafka: calls go on until 16 KB are there, a frame ends or nothing more comes; what they gave is
// lost when one of them fails. Once a frame has ended, an end of the input within the next one is an end.
enum { ZSTD_OUTPUT = 16384 };

static void zstd_open(struct decompressor *d)
{
    reserve_out(d, PIECE_SIZE);
    if (d->zstd == NULL) {
        d->zstd = ZSTD_createDCtx();
        must(d->zstd != NULL);
        must(!ZSTD_isError(
            ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)));
    }
    ZSTD_DCtx_reset(d->zstd, ZSTD_reset_session_only);
    d->zstd_frame_ended = d->input.size == 0; // nothing at all is an end, too
}

static bool zstd_next(struct decompressor *d, struct bytes *piece)
{
    ZSTD_inBuffer in = { d->input.data, d->input.size, 0 };
    ZSTD_outBuffer out = { d->out, ZSTD_OUTPUT, 0 };
    while (out.pos < out.size) {
        size_t before = out.pos;
        size_t result = ZSTD_decompressStream(d->zstd, &out, &in);
        if (ZSTD_isError(result))
            return fail(d);
        if (result == 0) {
            d->zstd_frame_ended = true;
            if (out.pos > 0)
                break;
            if (in.pos < in.size)
                continue; // an empty frame
        }
        if (out.pos == before && in.pos == in.size)
            break;
    }
    d->input.data += in.pos;
    d->input.size -= in.pos;
    if (out.pos == 0) {
        d->finished = d->zstd_frame_ended;
        return d->finished ? false : fail(d);
    }
    *piece = (struct bytes){ d->out, out.pos };
    return true;
}

// ---- all --------------------------------------------------------------------------------------------

struct decompressor *decompressor_open(int compression, struct bytes input)
{
    pthread_once(&kept_once, make_key);
    struct decompressor *d = pthread_getspecific(kept_key);
    if (d != NULL)
        pthread_setspecific(kept_key, NULL);
    else
        d = mem_new(struct decompressor);
    d->compression = compression;
    d->input = input;
    d->failed = d->finished = false;
    switch (compression) {
    case COMPRESSION_GZIP:
        gzip_open(d);
        break;
    case COMPRESSION_SNAPPY:
        snappy_open(d);
        break;
    case COMPRESSION_LZ4:
        lz4_open(d);
        break;
    case COMPRESSION_ZSTD:
        zstd_open(d);
        break;
    default:
        fail(d);
    }
    return d;
}

bool decompressor_next(struct decompressor *d, struct bytes *piece)
{
    if (d->failed || d->finished)
        return false;
    switch (d->compression) {
    case COMPRESSION_GZIP:
        return gzip_next(d, piece);
    case COMPRESSION_SNAPPY:
        return snappy_next(d, piece);
    case COMPRESSION_LZ4:
        return lz4_next(d, piece);
    default:
        return zstd_next(d, piece);
    }
}

bool decompressor_failed(const struct decompressor *d)
{
    return d->failed;
}

void decompressor_close(struct decompressor *d)
{
    if (d == NULL)
        return;
    if (d->out_capacity > KEEP_BELOW) {
        mem_free(d->out);
        d->out = NULL;
        d->out_capacity = 0;
    }
    if (d->zstd != NULL && ZSTD_sizeof_DCtx(d->zstd) > KEEP_BELOW) {
        ZSTD_freeDCtx(d->zstd);
        d->zstd = NULL;
    }
    if (pthread_getspecific(kept_key) == NULL)
        must(pthread_setspecific(kept_key, d) == 0);
    else
        decompressor_free(d);
}

// ---- compression ------------------------------------------------------------------------------------

static uint8_t *reserve_tail(struct strbuf *out, size_t size)
{
    vec_reserve(out->data, out->size + size + 1, out->capacity);
    return (uint8_t *)out->data + out->size;
}

static void gzip_compress(int32_t level, struct bytes raw, struct strbuf *out)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    int zlib_level = level == COMPRESSION_LEVEL_DEFAULT ? Z_DEFAULT_COMPRESSION : level;
    must(deflateInit2(&z, zlib_level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t bound = deflateBound(&z, (uLong)raw.size);
    z.next_out = reserve_tail(out, bound);
    z.avail_out = (uInt)bound;
    z.next_in = (Bytef *)raw.data;
    z.avail_in = (uInt)raw.size;
    must(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out->size += bound - z.avail_out;
    deflateEnd(&z);
}

static void snappy_compress_framed(struct bytes raw, struct strbuf *out)
{
    static const uint8_t versions[8] = { 0, 0, 0, 1, 0, 0, 0, 1 };
    strbuf_add(out, snappy_magic, sizeof snappy_magic);
    strbuf_add(out, versions, sizeof versions);
    for (size_t at = 0; at < raw.size;) {
        size_t size = raw.size - at < SNAPPY_BLOCK_SIZE ? raw.size - at : SNAPPY_BLOCK_SIZE;
        size_t got = snappy_max_compressed_length(size);
        uint8_t *tail = reserve_tail(out, 4 + got);
        must(snappy_compress((const char *)raw.data + at, size, (char *)tail + 4, &got) ==
             SNAPPY_OK);
        put_be32(tail, (uint32_t)got);
        out->size += 4 + got;
        at += size;
    }
}

static void lz4_compress_frame(int32_t level, struct bytes raw, struct strbuf *out)
{
    enum { KAFKA_DEFAULT_LEVEL = 9 }; // which stands for the fast compressor
    bool fast = level == COMPRESSION_LEVEL_DEFAULT || level == KAFKA_DEFAULT_LEVEL;
    uint8_t header[7] = { 0x04, 0x22, 0x4d, 0x18, 0x60, 0x40 };
    header[6] = (uint8_t)(xxh32(header + 4, 2) >> 8);
    strbuf_add(out, header, sizeof header);
    for (size_t at = 0; at < raw.size;) {
        int size = (int)(raw.size - at < LZ4_BLOCK_SIZE ? raw.size - at : LZ4_BLOCK_SIZE);
        int bound = LZ4_compressBound(size);
        uint8_t *tail = reserve_tail(out, 4 + (size_t)bound);
        const char *from = (const char *)raw.data + at;
        int got = fast ? LZ4_compress_default(from, (char *)tail + 4, size, bound)
                       : LZ4_compress_HC(from, (char *)tail + 4, size, bound, level);
        must(got > 0);
        if (got >= size) {
            memcpy(tail + 4, from, (size_t)size);
            put_le32(tail, (uint32_t)size | 0x80000000u);
            got = size;
        } else {
            put_le32(tail, (uint32_t)got);
        }
        out->size += 4 + (size_t)got;
        at += (size_t)size;
    }
    strbuf_add(out, "\0\0\0\0", 4);
}

static void zstd_compress(int32_t level, struct bytes raw, struct strbuf *out)
{
    size_t bound = ZSTD_compressBound(raw.size);
    uint8_t *tail = reserve_tail(out, bound);
    int zstd_level = level == COMPRESSION_LEVEL_DEFAULT ? ZSTD_CLEVEL_DEFAULT : level;
    size_t got = ZSTD_compress(tail, bound, raw.data, raw.size, zstd_level);
    must(!ZSTD_isError(got));
    out->size += got;
}

void compress_bytes(enum compression compression, int32_t level, struct bytes raw,
                    struct strbuf *out)
{
    switch (compression) {
    case COMPRESSION_NONE:
        strbuf_add(out, raw.data, raw.size);
        break;
    case COMPRESSION_GZIP:
        gzip_compress(level, raw, out);
        break;
    case COMPRESSION_SNAPPY:
        snappy_compress_framed(raw, out);
        break;
    case COMPRESSION_LZ4:
        lz4_compress_frame(level, raw, out);
        break;
    case COMPRESSION_ZSTD:
        zstd_compress(level, raw, out);
        break;
    }
    if (out->data != NULL)
        *reserve_tail(out, 0) = '\0';
}
