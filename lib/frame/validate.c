/* SPDX-License-Identifier: MIT */
/* The second level of validation: the values. A frame that passes leads no reader out of its
 * buffers. Everything is read once, into memory of our own. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "frame/bits.h"
#include "frame/frame.h"
#include "frame/view.h"
#include "frame/window.h"

enum { WINDOWS = NDSHM__BUFFERS_MAX + 1 }; /* the last one: bytes of views */

struct check {
    const ndshm_frame *frame;
    const struct ndshm__schema *schema;
    const struct ndshm__node *node;
    const struct ndshm__buffer *buffers; /* of the node */
    struct ndshm__format format;
    bool text;
    int status;
    int32_t piece; /* that the last window shows */
    struct ndshm__window windows[WINDOWS];
};

static int wrong(struct check *check, int64_t row, const char *what)
{
    const char *text = ndshm__schema_text(check->schema);
    check->status = ndshm__fail(NDSHM_ECORRUPT, "'%s': column '%.40s': row %lld: %s",
                                ndshm__frame_name(check->frame), text + check->node->name,
                                (long long)row, what);
    return check->status;
}

/* An integer of a buffer; 0 when it cannot be read. */
static int64_t integer_at(struct check *check, int buffer, int64_t index, int32_t width)
{
    const void *at =
        ndshm__window_at(&check->windows[buffer], index * width, width, &check->status);
    return at ? ndshm__integer(at, width, true) : 0;
}

static bool is_null(struct check *check, int64_t row)
{
    if (check->windows[0].buffer.size == 0)
        return false;
    const uint8_t *at = ndshm__window_at(&check->windows[0], row / 8, 1, &check->status);
    return at && !(*at >> (row % 8) & 1);
}

static int check_utf8(struct check *check, int window, int64_t row, int64_t offset, int64_t size)
{
    const void *at = ndshm__window_at(&check->windows[window], offset, size, &check->status);
    if (at && !ndshm__utf8_valid(at, (size_t)size))
        return wrong(check, row, "is not UTF-8");
    return check->status;
}

/* Of strings and lists. */
static int check_offsets(struct check *check, int64_t end)
{
    int32_t width = check->format.width;
    int64_t last = 0;
    bool text = check->text && check->format.text;
    for (int64_t i = 0; i <= check->node->length && !check->status; i++) {
        int64_t offset = integer_at(check, 1, i, width);
        if (offset < last || offset > end)
            return ndshm__fail(NDSHM_ECORRUPT,
                               "'%s': column '%.40s': offset %lld is smaller than the one before, "
                               "or beyond the %lld bytes of data or elements of a list",
                               ndshm__frame_name(check->frame),
                               ndshm__schema_text(check->schema) + check->node->name, (long long)i,
                               (long long)end);
        if (text && i > 0 && !is_null(check, i - 1))
            check_utf8(check, 2, i - 1, last, offset - last);
        last = offset;
    }
    return check->status;
}

static int check_list_views(struct check *check, int64_t end)
{
    int32_t width = check->format.width;
    for (int64_t i = 0; i < check->node->length && !check->status; i++) {
        int64_t start = integer_at(check, 1, i, width), size = integer_at(check, 2, i, width);
        if (start < 0 || size < 0 || size > end || start > end - size)
            return wrong(check, i, "its list leaves the elements");
    }
    return check->status;
}

/* The bytes of a long view, which are as many as it says. */
static int check_piece(struct check *check, int64_t row, const struct ndshm__view *view)
{
    struct ndshm__window *window = &check->windows[WINDOWS - 1];
    if (check->piece != view->piece) {
        ndshm__window_aim(window, check->frame->segment,
                          check->buffers[check->format.buffers + view->piece]);
        check->piece = view->piece;
    }
    const void *at = ndshm__window_at(window, view->offset, view->size, &check->status);
    if (at && memcmp(at, view->prefix, sizeof view->prefix) != 0)
        return wrong(check, row, "the beginning of its string in the view is another");
    return check->format.text && !check->status
               ? check_utf8(check, WINDOWS - 1, row, view->offset, view->size)
               : check->status;
}

static int check_views(struct check *check)
{
    int32_t pieces = check->node->buffers - check->format.buffers;
    for (int64_t i = 0; i < check->node->length && !check->status; i++) {
        struct ndshm__view view;
        const void *at = ndshm__window_at(&check->windows[1], i * (int64_t)sizeof view, sizeof view,
                                          &check->status);
        if (!at)
            break;
        memcpy(&view, at, sizeof view);
        bool is_long = view.size > NDSHM__VIEW_INLINE;
        if (view.size < 0 || (is_long && (view.piece < 0 || view.piece >= pieces)))
            return wrong(check, i, "its view denotes no string");
        int64_t end = is_long ? check->buffers[check->format.buffers + view.piece].size : 0;
        if (is_long && (view.offset < 0 || view.size > end || view.offset > end - view.size))
            return wrong(check, i, "its view leaves the bytes");
        if (!check->text || is_null(check, i))
            continue;
        if (is_long)
            check_piece(check, i, &view);
        else if (check->format.text && !ndshm__utf8_valid(view.prefix, (size_t)view.size))
            return wrong(check, i, "is not UTF-8");
    }
    return check->status;
}

static int check_union(struct check *check, const struct ndshm__node *children)
{
    int16_t members[NDSHM__UNION_MAX];
    ndshm__format_union(&check->format, members);
    for (int64_t i = 0; i < check->node->length && !check->status; i++) {
        int64_t id = integer_at(check, 0, i, 1);
        if (!check->status && (id < 0 || members[id] < 0))
            return wrong(check, i, "its union has no such member");
        if (check->format.layout != NDSHM__LAYOUT_DENSE || check->status)
            continue;
        int64_t at = integer_at(check, 1, i, check->format.width);
        if (at < 0 || at >= children[members[id]].length)
            return wrong(check, i, "leaves the member of its union");
    }
    return check->status;
}

static int check_indices(struct check *check, const struct ndshm__node *dictionary)
{
    const char *format = ndshm__schema_text(check->schema) + check->node->format;
    int32_t width = (int32_t)check->format.bits / 8;
    bool is_signed = *format >= 'a';
    for (int64_t i = 0; i < check->node->length && !check->status; i++) {
        const void *at = ndshm__window_at(&check->windows[1], i * width, width, &check->status);
        int64_t index = at ? ndshm__integer(at, width, is_signed) : 0;
        if ((index < 0 || index >= dictionary->length) && !is_null(check, i))
            return wrong(check, i, "its index leaves the dictionary");
    }
    return check->status;
}

/* Of the ends, which are a node of their own: they rise, and the last covers the rows. */
static int check_run_ends(struct check *check, int64_t rows)
{
    int64_t last = 0;
    for (int64_t i = 0; i < check->node->length && !check->status; i++) {
        int64_t end = integer_at(check, 1, i, (int32_t)check->format.bits / 8);
        if (end <= last && !check->status)
            return wrong(check, i, "its run ends before it begins");
        last = end;
    }
    if (last < rows && !check->status)
        return wrong(check, check->node->length, "the runs do not cover all rows");
    return check->status;
}

static int check_nulls(struct check *check)
{
    int64_t zeros = 0;
    int64_t length = check->node->length;
    for (int64_t i = 0; i < length && !check->status; i += 4096) {
        int64_t count = length - i < 4096 ? length - i : 4096;
        const uint8_t *at =
            ndshm__window_at(&check->windows[0], i / 8, count / 8 + !!(count % 8), &check->status);
        zeros += at ? ndshm__bits_zeros(at, 0, count) : 0;
    }
    if (!check->status && zeros != check->node->null_count)
        return wrong(check, 0, "the number of nulls is not what it claims");
    return check->status;
}

static void show(struct check *check, const struct ndshm__node *node)
{
    const struct ndshm__buffer nothing = {0, 0};
    ndshm__format_parse(ndshm__schema_text(check->schema) + node->format, &check->format);
    check->node = node;
    check->buffers = ndshm__schema_buffers(check->schema) + node->first_buffer;
    check->piece = -1;
    for (int i = 0; i < WINDOWS; i++)
        ndshm__window_aim(&check->windows[i], check->frame->segment,
                          i < check->format.buffers ? check->buffers[i] : nothing);
}

static int check_layout(struct check *check)
{
    const struct ndshm__node *node = check->node;
    const struct ndshm__node *children = &check->schema->node[node->first_child];
    switch (check->format.layout) {
    case NDSHM__LAYOUT_FIXED:
        return node->dictionary ? check_indices(check, &check->schema->node[node->dictionary]) : 0;
    case NDSHM__LAYOUT_VARIABLE:
        return check_offsets(check, check->buffers[2].size);
    case NDSHM__LAYOUT_LIST:
        return check_offsets(check, children->length);
    case NDSHM__LAYOUT_LIST_VIEW:
        return check_list_views(check, children->length);
    case NDSHM__LAYOUT_VIEW:
        return check_views(check);
    case NDSHM__LAYOUT_SPARSE:
    case NDSHM__LAYOUT_DENSE:
        return check_union(check, children);
    case NDSHM__LAYOUT_RUNS:
        show(check, children);
        return check_run_ends(check, node->length);
    default:
        return 0;
    }
}

int ndshm__frame_check_values(const ndshm_frame *frame, bool text)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    struct check check = {.frame = frame, .schema = schema, .text = text};
    int status = 0;
    for (int32_t i = 0; i < schema->nodes && !status; i++) {
        show(&check, &schema->node[i]);
        if (text && ndshm__schema_validity(schema, check.node, &check.format))
            status = check_nulls(&check);
        if (!status)
            status = check_layout(&check);
    }
    for (int i = 0; i < WINDOWS; i++)
        ndshm__window_close(&check.windows[i]);
    return status;
}

int ndshm_frame_validate(const ndshm_frame *frame)
{
    ndshm__begin("ndshm_frame_validate");
    return frame ? ndshm__frame_check_values(frame, true) : ndshm__fail(-EINVAL, "frame is NULL");
}
