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

/* A column to create. format is an Arrow format string: "n" null, "b" bool (bits), "c" "C" "s" "S"
 * "i" "I" "l" "L" integers of 8 to 64 bits, "e" "f" "g" floats of 16 to 64 bits, "d:19,4" decimal
 * of 128 bits with precision and scale ("d:9,2,32": or of 32, 64, 256 bits), "w:16" binary of 16
 * bytes, "tdD" date (int32 days), "tdm" date (int64 milliseconds), "tts" "ttm" times of day
 * (int32), "ttu" "ttn" (int64), "tss:" "tsm:" "tsu:" "tsn:" timestamps with an optional zone behind
 * the colon, "tDs" "tDm" "tDu" "tDn" durations, "tiM" "tiD" "tin" intervals, "u" UTF-8 string and
 * "z" binary with int32 offsets, "U" and "Z" the same with int64 offsets. An optional '?' in front
 * of it ("?l") gives the column a validity bitmap. Columns of other types come from
 * ndshm_frame_from_arrow. */
typedef struct ndshm_column_spec {
    const char *name; /* UTF-8; any text, also "" and duplicates */
    const char *format;
    int64_t data_bytes; /* strings only: bytes of all of them; of "u" and "z" at most INT32_MAX */
} ndshm_column_spec;

enum {
    NDSHM_COLUMN_ORDERED = 1,   /* the order of the dictionary is that of the values */
    NDSHM_COLUMN_NULLABLE = 2,  /* the type allows nulls, whether there are any or not */
    NDSHM_COLUMN_SORTED = 4,    /* a map whose keys are sorted */
    NDSHM_COLUMN_DICTIONARY = 8 /* data are indices into ndshm_frame_dictionary */
};

/* A column of a frame. All pointers are owned by the handle. Row r is at index i = offset + r *
 * step of each buffer; bit i of validity, least significant first, is 0 when the row is null;
 * validity NULL means no nulls. Booleans: bit i of data. Strings: bytes offsets[i] up to offsets[i
 * + 1] of data, with int32 offsets ("u", "z") or int64 offsets ("U", "Z"). Of the other types that
 * Arrow has, offsets (also starts of list views and dense unions) and data (also sizes, views, ids)
 * are given where they exist; their children are to be had from ndshm_frame_to_arrow.
 *
 * Every buffer lies whole inside the segment: that is checked at each attach. Offsets, indices and
 * the like were checked when the frame was published: who does not trust its writer calls
 * ndshm_frame_validate before following them. */
typedef struct ndshm_column {
    const char *name;
    const char *format; /* Arrow format string, without '?' */
    int64_t rows;
    int64_t offset;
    int64_t null_count; /* -1: not counted (row slices) */
    const uint8_t *validity;
    const void *offsets;
    void *data;
    int64_t step;   /* 1, unless the frame was attached by a slice with a larger step */
    uint32_t flags; /* NDSHM_COLUMN_* */
    uint32_t reserved;
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
 * NDSHM_ECORRUPT (offsets that fall or leave the data; the frame stays unpublished).
 */
NDSHM_API int ndshm_frame_publish(ndshm_frame *frame);

/* Attaches a frame, or the rows and columns that ref denotes: "trades[0:500]", "trades[0:500,
 * 2:5]", "trades[:, ['price', 'size']]". Rows are a slice with a step of 1 or more. Columns are a
 * slice of positions, one position, or a list of names in quotes, in the order in which they are
 * wanted; a quote in a name is written twice; of columns that share a name the first is meant.
 * Nothing is copied. access: NDSHM_READ or NDSHM_COW, or-ed with NDSHM_FOREIGN; NDSHM_WRITE is
 * -EACCES. Errors as ndshm_array_attach; -ENOENT: no such column.
 *
 * What is attached was checked as far as it says where things are, which costs the same for any
 * number of rows: no buffer of a column lies outside of the segment, and all are as long as their
 * rows need. The values were not looked at. */
NDSHM_API int ndshm_frame_attach(const char *ref, int access, ndshm_frame **out);

/* Looks at all values of the whole frame, whatever slice of it is attached: offsets and views
 * inside their data, indices inside their dictionary, ids of unions, ends of runs, UTF-8, numbers
 * of nulls. After that no reader that keeps to the Arrow format leaves the segment, unless somebody
 * writes into it. Survives a peer that truncates. NDSHM_ECORRUPT: the message names the column and
 * row. */
NDSHM_API int ndshm_frame_validate(const ndshm_frame *frame);

/* A second handle on the same mapping. The mapping goes with the last of them. */
NDSHM_API int ndshm_frame_share(const ndshm_frame *frame, ndshm_frame **out);

/* Rows and columns (row labels included) of what is attached; -EINVAL for a NULL frame. */
NDSHM_API int64_t ndshm_frame_rows(const ndshm_frame *frame);
NDSHM_API int ndshm_frame_columns(const ndshm_frame *frame);

/* Describes one column; nothing is copied. -ERANGE: no such column. */
NDSHM_API int ndshm_frame_column(const ndshm_frame *frame, int index, ndshm_column *out);

/* Describes the dictionary of a column with NDSHM_COLUMN_DICTIONARY: its values, to which the
 * column's integers are indices. -ENOENT: the column has none. */
NDSHM_API int ndshm_frame_dictionary(const ndshm_frame *frame, int index, ndshm_column *out);

/* The index of the first column of that name, or -ENOENT. */
NDSHM_API int ndshm_frame_find(const ndshm_frame *frame, const char *column_name);

/* All columns but the row labels as one column-major array of shape (rows, columns), without a
 * copy. NDSHM_EDTYPE: they are not all of one fixed-width dtype without nulls. */
NDSHM_API int ndshm_frame_block(const ndshm_frame *frame, ndshm_view *out);

/* The canonical reference; owned by the handle; NULL when it would be longer than
 * NDSHM_REF_MAX. */
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
