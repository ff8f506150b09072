/* SPDX-License-Identifier: MIT */
/* Frames, as the layers above use them: without naming a public function in messages. */
#ifndef NDSHM_LIB_FRAME_H
#define NDSHM_LIB_FRAME_H

#include <ndshm/frame.h>

#include "array/ref.h"
#include "frame/schema.h"
#include "segment/segment.h"

struct ndshm_frame {
    ndshm__segment *segment;
    char *slice;  /* the canonical reference where it is more than the segment's name */
    bool unnamed; /* no reference is short enough */
    int64_t start;
    int64_t rows;
    int64_t step;
    int32_t *picks; /* the selected columns, in their order; NULL: all */
    int32_t columns;
    bool borrowed; /* belongs to a task: whoever detaches it only forgets it */
};

/* As ndshm_frame_create; pool: NULL, or the one it is made in (see ndshm__spec). */
int ndshm__frame_create(const char *pool, const char *name, int64_t rows,
                        const ndshm_column_spec *columns, int ncolumns,
                        const ndshm_create_config *config, ndshm_frame **out);

int ndshm__frame_publish(ndshm_frame *frame);
int ndshm__frame_share(const ndshm_frame *frame, ndshm_frame **out);
int ndshm__frame_attach(const char *ref, int access, ndshm_frame **out);

/* A frame of all rows of segment, which is checked, and whose count moves to the frame on success.
 */
int ndshm__frame_from_segment(ndshm__segment *segment, ndshm_frame **out);

/* Borrowed. */
ndshm__segment *ndshm__frame_segment(const ndshm_frame *frame);

/* Publishes unless the config forbids it, and moves frame to *out. On failure frame is gone. */
int ndshm__frame_finish(ndshm_frame *frame, const ndshm_create_config *config, ndshm_frame **out);

/* The reference of frame, or where none is short enough the name of its segment: for messages. */
const char *ndshm__frame_name(const ndshm_frame *frame);

/* The column of that index, which exists. */
void ndshm__frame_column(const ndshm_frame *frame, int index, ndshm_column *out);
const struct ndshm__schema *ndshm__frame_schema(const ndshm_frame *frame);

/* The same of the dictionary of that column. false: it has none. */
bool ndshm__frame_dictionary(const ndshm_frame *frame, int index, ndshm_column *out);

/* The node of that column in the schema, and its number. */
int32_t ndshm__frame_node(const ndshm_frame *frame, int index);

/* A new frame of that schema, not filled, not published. pool: as above. */
int ndshm__frame_from_schema(const char *pool, const char *name, const struct ndshm__schema *schema,
                             int64_t size, int64_t payload_size, const ndshm_create_config *config,
                             ndshm_frame **out);

/* slice.c: whether a frame takes such a reference at all; and narrows a handle on the whole to it.
 */
int ndshm__frame_check_slice(const ndshm__ref *ref);
int ndshm__frame_slice(ndshm_frame *frame, const ndshm__ref *ref);

/* Checks that no value leads out of its buffers. With text, also what does no harm to memory:
 * UTF-8, and the numbers of nulls. NDSHM_ECORRUPT. */
int ndshm__frame_check_values(const ndshm_frame *frame, bool text);
bool ndshm__frame_is_index(const char *column_name);
void ndshm__frame_detach(ndshm_frame **frame);

#endif
