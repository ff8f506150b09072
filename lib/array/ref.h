/* SPDX-License-Identifier: MIT */
/* References: a name with an optional slice, "prices[1000:2000, ::2]".
 *
 * Split the text, apply the slice to a selection of an array (first of the whole), as often as
 * there are slices of slices, then ask for the view, or for the one reference that denotes the
 * same. */
#ifndef NDSHM_LIB_REF_H
#define NDSHM_LIB_REF_H

#include "array/view.h"

enum {
    NDSHM__REF_INDEX = 1,
    NDSHM__REF_SLICE = 2,
    NDSHM__REF_ELLIPSIS = 3,
    NDSHM__REF_LABELS = 4 /* "['price', 'size']": of frames only */
};

struct ndshm__ref_item {
    int kind;
    int64_t start; /* the index itself; of a slice NDSHM_OMIT when left out */
    int64_t stop;
    int64_t step; /* 1 when left out */
};

typedef struct ndshm__ref {
    char name[NDSHM_NAME_MAX + 2]; /* as given: perhaps with '/', its characters not checked */
    int count;                     /* of items; 0: no slice */
    struct ndshm__ref_item items[NDSHM_MAX_NDIM + 1];
    int32_t nlabels;
    char labels[NDSHM_REF_MAX + 1]; /* each with a NUL behind it */
} ndshm__ref;

/* -EINVAL: the syntax; the message tells the position. NDSHM_ESHAPE: more items than any array has
 * axes. */
int ndshm__ref_split(const char *text, ndshm__ref *out);

/* What is selected of each axis of an array. */
struct ndshm__pick {
    ndshm__range range;
    bool indexed; /* one element; the axis disappears */
};

typedef struct ndshm__selection {
    int ndim;
    int64_t shape[NDSHM_MAX_NDIM];
    struct ndshm__pick picks[NDSHM_MAX_NDIM];
} ndshm__selection;

void ndshm__selection_all(ndshm__selection *selection, int ndim, const int64_t *shape);

/* Selects from what is selected. NDSHM_ESHAPE: too many items, an index out of range, step 0;
 * selection is then as before. */
int ndshm__selection_apply(ndshm__selection *selection, const ndshm__ref *ref);

/* The selected part of a view of the whole array. */
void ndshm__selection_view(const ndshm__selection *selection, const ndshm_view *whole,
                           ndshm_view *out);

/* The canonical reference. false: it is longer than NDSHM_REF_MAX. */
bool ndshm__selection_text(const ndshm__selection *selection, const char *name,
                           char out[NDSHM_REF_MAX + 1]);

#endif
