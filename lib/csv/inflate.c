/* SPDX-License-Identifier: MIT */
/* gzip and zstd, each where its library was there when this one was built. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/os.h"
#include "csv/spool.h"

#ifdef NDSHM_HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef NDSHM_HAVE_ZSTD
#include <zstd.h>
#endif

static const unsigned char gzip_magic[] = {0x1F, 0x8B}, zstd_magic[] = {0x28, 0xB5, 0x2F, 0xFD};

static bool is_gzip(const unsigned char *bytes, int64_t size)
{
    return size >= 2 && memcmp(bytes, gzip_magic, sizeof gzip_magic) == 0;
}

bool ndshm__csv_is_compressed(const unsigned char *bytes, int64_t size)
{
    return is_gzip(bytes, size) || (size >= 4 && memcmp(bytes, zstd_magic, sizeof zstd_magic) == 0);
}

#if defined NDSHM_HAVE_ZLIB || defined NDSHM_HAVE_ZSTD
static int damaged(const struct ndshm__csv_spool *spool, const char *what, const char *why)
{
    return ndshm__fail(NDSHM_EPARSE, "'%s': the %s data cannot be unpacked behind %lld bytes: %s",
                       spool->source->path, what, (long long)spool->size, why);
}

static int cut_off(const struct ndshm__csv_spool *spool, const char *what)
{
    return damaged(spool, what, "the file is cut off");
}

static int no_memory(const struct ndshm__csv_spool *spool)
{
    return ndshm__fail(-ENOMEM, "'%s': no memory to unpack it", spool->source->path);
}
#endif

#ifndef NDSHM_HAVE_ZLIB
static int gunzip(struct ndshm__csv_spool *spool)
{
    return ndshm__fail(-ENOTSUP,
                       "'%s': is compressed with gzip, and the library was built "
                       "without zlib",
                       spool->source->path);
}
#else
/* Unpacks what was read, members behind each other as one text. *ended: nothing is open. */
static int gunzip_piece(struct ndshm__csv_spool *spool, z_stream *stream, unsigned char *output,
                        bool *ended)
{
    stream->next_in = spool->input;
    stream->avail_in = (uInt)spool->got;
    do {
        if (*ended && stream->avail_in > 0 && inflateReset(stream) == Z_OK)
            *ended = false;
        stream->next_out = output;
        stream->avail_out = NDSHM__CSV_PIECE;
        int result = *ended ? Z_BUF_ERROR : inflate(stream, Z_NO_FLUSH);
        if (result == Z_STREAM_END)
            *ended = true;
        else if (result == Z_MEM_ERROR)
            return no_memory(spool);
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return damaged(spool, "gzip", stream->msg ? stream->msg : "it is damaged");
        int status =
            ndshm__csv_spool_write(spool, output, NDSHM__CSV_PIECE - (int64_t)stream->avail_out);
        if (status)
            return status;
    } while (stream->avail_in > 0 || stream->avail_out == 0);
    return 0;
}

static int gunzip_all(struct ndshm__csv_spool *spool, z_stream *stream, unsigned char *output)
{
    bool ended = false;
    int status = 0;
    while (!status && spool->got > 0) {
        status = gunzip_piece(spool, stream, output, &ended);
        if (!status)
            status = ndshm__csv_spool_read(spool);
    }
    return !status && !ended ? cut_off(spool, "gzip") : status;
}

static int gunzip(struct ndshm__csv_spool *spool)
{
    enum { GZIP_ONLY = 16 };
    z_stream stream = {0};
    unsigned char *output = ndshm__resize(NULL, NDSHM__CSV_PIECE);
    if (!output || inflateInit2(&stream, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(output);
        return no_memory(spool);
    }
    int status = gunzip_all(spool, &stream, output);
    inflateEnd(&stream);
    free(output);
    return status;
}
#endif

#ifndef NDSHM_HAVE_ZSTD
static int unzstd(struct ndshm__csv_spool *spool)
{
    return ndshm__fail(-ENOTSUP,
                       "'%s': is compressed with zstd, and the library was built "
                       "without libzstd",
                       spool->source->path);
}
#else
/* *hint is 0 when a frame is whole and nothing is open. */
static int unzstd_piece(struct ndshm__csv_spool *spool, ZSTD_DStream *stream, void *output,
                        size_t *hint)
{
    ZSTD_inBuffer in = {spool->input, (size_t)spool->got, 0};
    ZSTD_outBuffer out;
    do {
        out = (ZSTD_outBuffer){output, NDSHM__CSV_PIECE, 0};
        *hint = ZSTD_decompressStream(stream, &out, &in);
        if (ZSTD_isError(*hint))
            return damaged(spool, "zstd", ZSTD_getErrorName(*hint));
        int status = ndshm__csv_spool_write(spool, output, (int64_t)out.pos);
        if (status)
            return status;
    } while (in.pos < in.size || (out.pos == out.size && *hint != 0));
    return 0;
}

static int unzstd_all(struct ndshm__csv_spool *spool, ZSTD_DStream *stream, void *output)
{
    size_t hint = 1;
    int status = 0;
    while (!status && spool->got > 0) {
        status = unzstd_piece(spool, stream, output, &hint);
        if (!status)
            status = ndshm__csv_spool_read(spool);
    }
    return !status && hint != 0 ? cut_off(spool, "zstd") : status;
}

static int unzstd(struct ndshm__csv_spool *spool)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    void *output = ndshm__resize(NULL, NDSHM__CSV_PIECE);
    int status = stream && output ? unzstd_all(spool, stream, output) : no_memory(spool);
    ZSTD_freeDStream(stream);
    free(output);
    return status;
}
#endif

int ndshm__csv_inflate(struct ndshm__csv_spool *spool)
{
    return is_gzip(spool->input, spool->got) ? gunzip(spool) : unzstd(spool);
}
