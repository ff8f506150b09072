/* SPDX-License-Identifier: MIT */
/* Data frames in shared memory: one segment, columns in Arrow layout. */
#ifndef NDSHM_FRAME_H
#define NDSHM_FRAME_H

#include "segment.h"
#include "view.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A counted handle on an attached frame. Used by one thread at a time. */
typedef struct ndshm_frame ndshm_frame;

/* A column to create. format is an Arrow format string: "b" bool (bits), "c" "C" "s" "S" "i" "I"
 * "l" "L" integers of 8 to 64 bits, "e" "f" "g" floats of 16 to 64 bits, "tdD" date (int32 days),
 * "tdm" date (int64 milliseconds), "tss:" "tsm:" "tsu:" "tsn:" timestamps with an optional zone
 * behind the colon, "tDs" "tDm" "tDu" "tDn" durations, "u" UTF-8 string, "z" binary. An optional
 * '?' in front of it ("?l") gives the column a validity bitmap. */
typedef struct ndshm_column_spec {
    const char *name; /* UTF-8; any text, also "" and duplicates */
    const char *format;
    int64_t data_bytes; /* "u" and "z" only: bytes of all strings together, at most INT32_MAX */
} ndshm_column_spec;

/* A column of a frame. All pointers are owned by the handle. Row r is at index i = offset + r *
 * step of each buffer; bit i of validity, least significant first, is 0 when the row is null;
 * validity NULL means no nulls. Booleans: bit i of data. Strings: bytes offsets[i] up to offsets[i
 * + 1] of data, with int32 offsets. Their values were checked when the frame was published, not
 * when it was attached. */
typedef struct ndshm_column {
    const char *name;
    const char *format; /* Arrow format string, without '?' */
    int64_t rows;
    int64_t offset;
    int64_t null_count; /* -1: not counted (row slices) */
    const uint8_t *validity;
    const void *offsets;
    void *data;
    int64_t step; /* 1, unless the frame was attached by a slice with a larger step */
    uint64_t reserved[1];
} ndshm_column;

/* Row labels are a column of this name, which is the one pandas gives to an index without a name.
 * It is not part of ndshm_frame_block and of descriptions: "__index_level_0__". */
NDSHM_API const char *ndshm_frame_index_name(void);

/* Creates a frame to be filled through ndshm_frame_column and then published. All buffers are zero:
 * all rows of nullable columns start as null. Errors as ndshm_array_create; NDSHM_EDTYPE: format.
 */
NDSHM_API int ndshm_frame_create(const char *name, int64_t rows, const ndshm_column_spec *columns,
                                 int ncolumns, const ndshm_create_config *config,
                                 ndshm_frame **out);

/* Checks the string offsets, counts the nulls, and gives the frame its name. From here on it is
 * immutable: pointers into it must not be written through any more. Errors: -EEXIST, -EALREADY,
 * NDSHM_ECORRUPT (offsets that fall or leave the data; the frame stays unpublished). */
NDSHM_API int ndshm_frame_publish(ndshm_frame *frame);

/* Attaches a frame, or the rows that the slice of ref denotes ("trades[0:500]"). access: NDSHM_READ
 * or NDSHM_COW, or-ed with NDSHM_FOREIGN; NDSHM_WRITE is -EACCES. Errors as ndshm_array_attach. */
NDSHM_API int ndshm_frame_attach(const char *ref, int access, ndshm_frame **out);

/* A second handle on the same mapping. The mapping goes with the last of them. */
NDSHM_API int ndshm_frame_share(const ndshm_frame *frame, ndshm_frame **out);

/* Rows, and columns (row labels included); -EINVAL for a NULL frame. */
NDSHM_API int64_t ndshm_frame_rows(const ndshm_frame *frame);
NDSHM_API int ndshm_frame_columns(const ndshm_frame *frame);

/* Describes one column; nothing is copied. -ERANGE: no such column. */
NDSHM_API int ndshm_frame_column(const ndshm_frame *frame, int index, ndshm_column *out);

/* The index of the first column of that name, or -ENOENT. */
NDSHM_API int ndshm_frame_find(const ndshm_frame *frame, const char *column_name);

/* All columns but the row labels as one column-major array of shape (rows, columns), without a
 * copy. NDSHM_EDTYPE: they are not all of one fixed-width dtype without nulls. */
NDSHM_API int ndshm_frame_block(const ndshm_frame *frame, ndshm_view *out);

/* The canonical reference; owned by the handle; NULL when no slice expresses the rows. */
NDSHM_API const char *ndshm_frame_name(const ndshm_frame *frame);

/* Removes the name of the whole segment; the mapping stays. Errors as ndshm_unlink. */
NDSHM_API int ndshm_frame_unlink(ndshm_frame *frame);

/* Gives the handle back and sets *frame to NULL. The last handle unmaps; an unpublished frame goes
 * without a trace, a temporary one goes with its last user anywhere. */
NDSHM_API void ndshm_frame_detach(ndshm_frame **frame);

#ifdef __cplusplus
}
#endif
#endif
