/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <string.h>

#include "base/base.h"
#include "frame/schema.h"
#include "segment/internal.h"

enum { AXES = 4, COLUMNS = 3, BODY = 1024, PAYLOAD = 4096 };

struct draft {
    int64_t shape[AXES];
    _Alignas(8) uint8_t body[BODY];
    ndshm__spec spec;
};

/* The strides of an array that its payload holds, most of the time. */
static void draft_array(struct fuzz_input *input, struct draft *draft)
{
    static const ndshm_dtype dtypes[] = {NDSHM_FLOAT64, NDSHM_BOOL, NDSHM_COMPLEX128,
                                         NDSHM_BYTES | 5 << 8};
    ndshm__spec *spec = &draft->spec;
    int64_t *strides = (int64_t *)draft->body;
    spec->dtype = dtypes[fuzz_below(input, 4)];
    spec->ndim = (int32_t)fuzz_below(input, AXES + 1);
    for (int i = 0; i < spec->ndim; i++) {
        draft->shape[i] = fuzz_number(input);
        strides[i] = fuzz_number(input);
    }
    spec->body_size = 8 * spec->ndim;
}

static void draft_frame(struct fuzz_input *input, struct draft *draft)
{
    static const char text[16] = "name\0u\0g\0b\0tdD";
    static const uint8_t formats[] = {5, 7, 9, 11};
    struct ndshm__schema *schema = (struct ndshm__schema *)draft->body;
    schema->rows = draft->shape[0] = fuzz_number(input);
    schema->columns = (int32_t)fuzz_below(input, COLUMNS + 1);
    draft->shape[1] = schema->columns;
    schema->nodes = schema->columns;
    schema->node_size = sizeof *schema->node;
    schema->text_size = sizeof text;
    struct ndshm__buffer *buffers = (struct ndshm__buffer *)(schema->node + schema->nodes);
    for (int i = 0; i < schema->columns; i++) {
        struct ndshm__node *node = &schema->node[i];
        struct ndshm__format format;
        node->format = formats[fuzz_below(input, 4)];
        node->length = schema->rows;
        node->first_buffer = schema->buffers;
        ndshm__format_parse(text + node->format, &format);
        node->buffers = format.buffers;
        for (int j = 0; j < format.buffers; j++)
            ndshm__format_size(&format, j, schema->rows, &buffers[schema->buffers++].size);
        if (fuzz_below(input, 2))
            buffers[node->first_buffer].size = 0;
        if (format.buffers == 3)
            buffers[node->first_buffer + 2].size = fuzz_number(input);
    }
    char *end = (char *)(buffers + schema->buffers);
    memcpy(end, text, sizeof text);
    int64_t payload_size;
    ndshm__schema_layout(schema, &payload_size);
    draft->spec.ndim = 2;
    draft->spec.body_size = end - (char *)draft->body + (int64_t)sizeof text;
}

static void draft_other(struct fuzz_input *input, struct draft *draft)
{
    draft->spec.body_size = fuzz_below(input, 2) ? NDSHM_NAME_MAX + 1 : fuzz_byte(input);
    fuzz_bytes(input, draft->body, fuzz_byte(input));
}

static void draft_make(struct fuzz_input *input, struct draft *draft)
{
    memset(draft, 0, sizeof *draft);
    draft->spec.kind = 1 + fuzz_below(input, 6);
    if (draft->spec.kind == NDSHM_KIND_ARRAY)
        draft_array(input, draft);
    else if (draft->spec.kind == NDSHM_KIND_FRAME)
        draft_frame(input, draft);
    else
        draft_other(input, draft);
    draft->spec.shape = draft->shape;
    draft->spec.body = draft->body;
    draft->spec.payload_size = (int64_t)fuzz_byte(input) * (PAYLOAD / 256);
}

static void build(struct fuzz_input *input, const char *name, struct fuzz_image *out)
{
    struct draft draft;
    struct ndshm__identity *identity = (struct ndshm__identity *)out->bytes;
    struct ndshm__descriptor *descriptor =
        (struct ndshm__descriptor *)(out->bytes + NDSHM__DESCRIPTOR_OFFSET);
    uint64_t lifetime = ndshm__lifetime_encode((int)fuzz_below(input, 4));
    draft_make(input, &draft);
    int64_t size = ndshm__descriptor_size(name, draft.spec.ndim, draft.spec.body_size);
    ndshm__descriptor_fill(descriptor, &draft.spec, name, size);
    memcpy(out->bytes + NDSHM__MUTABLE_OFFSET, &lifetime, sizeof lifetime);
    *identity = (struct ndshm__identity){.magic = NDSHM__MAGIC,
                                         .version = NDSHM__FORMAT_VERSION,
                                         .fingerprint = NDSHM__FINGERPRINT,
                                         .kind = draft.spec.kind,
                                         .mode = 0600};
    ndshm__align(NDSHM__DESCRIPTOR_OFFSET + size, NDSHM__PAGE, &identity->payload_offset);
    ndshm__align(identity->payload_offset + draft.spec.payload_size, NDSHM__PAGE,
                 &identity->total_size);
    out->size = (size_t)identity->total_size;
}

/* Bytes here and there become others. */
static void damage(struct fuzz_input *input, struct fuzz_image *out)
{
    for (unsigned changes = fuzz_below(input, 8); changes > 0 && out->size > 0; changes--) {
        uint16_t at;
        uint64_t value = (uint64_t)fuzz_number(input);
        size_t width = (size_t)1 << fuzz_below(input, 4);
        fuzz_bytes(input, &at, sizeof at);
        size_t place = at % (fuzz_below(input, 2) ? out->size : 1536);
        if (place + width <= out->size)
            memcpy(out->bytes + place, &value, width);
    }
}

/* Without right checksums little would be looked at. */
static void seal(struct fuzz_image *out)
{
    struct ndshm__descriptor *descriptor =
        (struct ndshm__descriptor *)(out->bytes + NDSHM__DESCRIPTOR_OFFSET);
    if (out->size < NDSHM__PAGE)
        return;
    ndshm__identity_seal((struct ndshm__identity *)out->bytes);
    if (descriptor->size >= sizeof *descriptor &&
        descriptor->size <= out->size - NDSHM__DESCRIPTOR_OFFSET)
        ndshm__descriptor_seal(descriptor);
}

void fuzz_image_make(struct fuzz_input *input, const char *name, struct fuzz_image *out)
{
    enum { BUILT = 3 };
    unsigned how = fuzz_below(input, BUILT + 1);
    bool sealed = fuzz_below(input, 8) != 0;
    memset(out->bytes, 0, sizeof out->bytes);
    if (how == 0) {
        out->size = input->size < FUZZ_IMAGE_MAX ? input->size : FUZZ_IMAGE_MAX;
        fuzz_bytes(input, out->bytes, out->size);
    } else {
        build(input, name, out);
        damage(input, out);
    }
    if (sealed)
        seal(out);
}
