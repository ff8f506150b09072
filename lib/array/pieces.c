/* SPDX-License-Identifier: MIT */
/* A view in pieces, for streams: C order, each about as large as a buffer. */
#include <string.h>

#include "array/dtype.h"
#include "array/view.h"

void ndshm__pieces_begin(ndshm__pieces *pieces, const ndshm_view *view)
{
    int64_t inner = ndshm__dtype_itemsize(view->dtype);
    int axis = view->ndim;
    ndshm__view_assign(&pieces->view, view);
    memset(pieces->index, 0, sizeof pieces->index);
    pieces->done = ndshm__view_nbytes(view) == 0;
    pieces->rows = 1;
    if (!pieces->done)
        for (; axis > 0 && inner * view->shape[axis - 1] <= NDSHM__PIECE; axis--)
            inner *= view->shape[axis - 1];
    if (axis > 0 && !pieces->done)
        pieces->rows = inner < NDSHM__PIECE ? NDSHM__PIECE / inner : 1;
    pieces->axis = axis - 1;
    pieces->piece_bytes = pieces->done ? 0 : inner * pieces->rows;
}

/* Counts on; false after the last piece. */
static bool advance(ndshm__pieces *pieces)
{
    int64_t step = pieces->rows;
    for (int i = pieces->axis; i >= 0; i--) {
        pieces->index[i] += step;
        if (pieces->index[i] < pieces->view.shape[i])
            return true;
        pieces->index[i] = 0;
        step = 1;
    }
    return false;
}

bool ndshm__pieces_next(ndshm__pieces *pieces, ndshm_view *out)
{
    if (pieces->done)
        return false;
    ndshm__view_assign(out, &pieces->view);
    for (int i = 0; i <= pieces->axis; i++) {
        int64_t left = out->shape[i] - pieces->index[i];
        int64_t length = i < pieces->axis ? 1 : pieces->rows;
        out->data = ndshm__move(out->data, pieces->index[i] * out->strides[i]);
        out->shape[i] = left < length ? left : length;
    }
    pieces->done = !advance(pieces);
    return true;
}
