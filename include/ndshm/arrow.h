/* SPDX-License-Identifier: MIT */
/* Exchange of frames with other libraries through the Arrow C data and C stream interfaces
 * (https://arrow.apache.org/docs/format/CDataInterface.html), with all types that Arrow has.
 * pandas, Polars, DuckDB, pyarrow and others take and give them. */
#ifndef NDSHM_ARROW_H
#define NDSHM_ARROW_H

#include "frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Arrow's own declarations, under the guards that all its users have. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

/* Creates a frame of all record batches of a stream, joined, with the names, metadata and extension
 * types of its schema. Dictionaries that differ between batches become one; strings, binary values
 * and lists whose offsets no longer fit into 32 bits get 64-bit offsets. Null counts are taken, not
 * trusted; sliced arrays are copied as far as they are used. All batches are held until the frame
 * is written.
 *
 * On success the stream was read to its end and released. On failure it still belongs to the
 * caller, who releases it; it may have been read. What a stream claims is checked as far as this
 * interface allows: lengths, offsets, indices and numbers of buffers and children, not the extent
 * of buffers. Errors as ndshm_frame_create; NDSHM_EDTYPE: no stream of records, an unknown format,
 * or dictionaries of nested values that differ; NDSHM_ESHAPE: more rows, keys or runs than a type
 * of the schema can count; NDSHM_ECORRUPT: the stream contradicts itself; -EIO or what the stream
 * returned: it failed, and its own message is in ours. */
NDSHM_API int ndshm_frame_from_arrow(const char *name, struct ArrowArrayStream *stream,
                                     const ndshm_create_config *config, ndshm_frame **out);

/* Exports a frame as one record batch, a struct of the columns, without copying a value. schema or
 * array may be NULL when it is not wanted. Both hold the mapping until their release callback is
 * called: once, on any thread, also after the frame was detached. Children may be moved out, as
 * Arrow says. A slice of rows is exported by its offset. Whoever writes through the buffers breaks
 * the frame, or faults. Errors: -EINVAL (not published), NDSHM_ESHAPE (a slice with a step larger
 * than 1, which Arrow cannot express), -ENOMEM. */
NDSHM_API int ndshm_frame_to_arrow(const ndshm_frame *frame, struct ArrowSchema *schema,
                                   struct ArrowArray *array);

/* The same as a stream of that one batch: what __arrow_c_stream__ hands out. */
NDSHM_API int ndshm_frame_to_arrow_stream(const ndshm_frame *frame, struct ArrowArrayStream *out);

#ifdef __cplusplus
}
#endif
#endif
