/* SPDX-License-Identifier: MIT */
/* A file of the shared-memory directory: inspected, judged by a reaper, attached as whatever it may
 * be, and read to its last byte. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array/array.h"
#include "array/dtype.h"
#include "base/os.h"
#include "frame/frame.h"
#include "image.h"
#include "pool/results.h"

#define NAME "t-fuzz-attach"
#define PATH "/dev/shm/" NAME
enum { COPY_MAX = 1 << 16 };
__extension__ typedef __int128 wide;

static void plant(const struct fuzz_image *image)
{
    int fd = open(PATH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, image->bytes, image->size) == (ssize_t)image->size);
    close(fd);
}

static void check_judgement(void)
{
    ndshm_info info;
    ndshm_reap_config config;
    ndshm_reap_report report;
    FUZZ_CHECK(ndshm_inspect(NAME, &info) == 0);
    FUZZ_CHECK(info.state >= NDSHM_STATE_IDLE && info.state <= NDSHM_STATE_FOREIGN);
    FUZZ_CHECK(info.ndim >= 0 && info.ndim <= NDSHM_MAX_NDIM);
    FUZZ_CHECK(memchr(info.label, 0, sizeof info.label) && memchr(info.pool, 0, sizeof info.pool));
    ndshm_reap_config_init(&config);
    config.flags = NDSHM_REAP_DRY_RUN;
    FUZZ_CHECK(ndshm_reap(NAME, &config, &report) == 0);
    FUZZ_CHECK(report.decision != NDSHM_REAP_REMOVED && access(PATH, F_OK) == 0);
    bool removable = report.decision == NDSHM_REAP_REMOVABLE;
    FUZZ_CHECK(removable == (info.state == NDSHM_STATE_ORPHAN));
}

/* What can be attached is sound in all that attaching looks at, and the other way round. */
static void check_agrees(int attached)
{
    static const int looked_at[] = {NDSHM_CHECK_FILE, NDSHM_CHECK_IDENTITY, NDSHM_CHECK_SPACE,
                                    NDSHM_CHECK_DESCRIPTOR, NDSHM_CHECK_NAME};
    ndshm_check_report report;
    bool sound = true;
    FUZZ_CHECK(ndshm_check(NAME, &report) == 0);
    for (size_t i = 0; i < sizeof looked_at / sizeof *looked_at; i++)
        sound = sound && report.found[looked_at[i]] == 1;
    FUZZ_CHECK(sound == (attached == 0));
    for (int i = 0; i < NDSHM_CHECKS; i++) {
        FUZZ_CHECK(memchr(report.message[i], 0, sizeof report.message[i]));
        FUZZ_CHECK(report.found[i] == 1 || report.message[i][0]);
    }
}

/* Every element by itself, against the copy. */
static void check_elements(const ndshm_array *array, const ndshm_view *view)
{
    int64_t index[NDSHM_MAX_NDIM] = {0}, item = ndshm_dtype_itemsize(view->dtype);
    int64_t size = ndshm_view_size(view), nbytes = ndshm_view_nbytes(view);
    if (size > COPY_MAX || nbytes > COPY_MAX)
        return;
    char *copy = malloc((size_t)nbytes + 1);
    FUZZ_CHECK(ndshm_array_copy(array, copy, nbytes) == 0);
    for (int64_t i = 0; i < size; i++) {
        const char *at = view->data;
        for (int k = 0; k < view->ndim; k++)
            at += index[k] * view->strides[k];
        FUZZ_CHECK(memcmp(copy + i * item, at, (size_t)item) == 0);
        for (int k = view->ndim - 1; k >= 0 && ++index[k] == view->shape[k]; k--)
            index[k] = 0;
    }
    free(copy);
}

static void check_array(const ndshm_array *array)
{
    ndshm_view view;
    const ndshm__segment *segment = ndshm__array_segment(array);
    const char *payload = ndshm__segment_payload(segment);
    FUZZ_CHECK(ndshm_array_read(array, &view) == 0 && ndshm_view_size(&view) >= 0);
    wide low = (const char *)view.data - payload, high = low + ndshm_dtype_itemsize(view.dtype);
    for (int i = 0; i < view.ndim; i++) {
        wide reach = (wide)(view.shape[i] - 1) * view.strides[i];
        low += reach < 0 ? reach : 0;
        high += reach < 0 ? 0 : reach;
    }
    if (ndshm_view_size(&view) > 0)
        FUZZ_CHECK(low >= 0 && high <= ndshm__segment_payload_size(segment));
    check_elements(array, &view);
}

static uint8_t touch(const void *buffer, int64_t size)
{
    const volatile uint8_t *bytes = buffer;
    uint8_t sum = 0;
    for (int64_t i = 0; i < size; i += 64)
        sum = (uint8_t)(sum + bytes[i]);
    return (uint8_t)(sum + (size > 0 ? bytes[size - 1] : 0));
}

static void check_frame(const ndshm_frame *frame)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    volatile uint8_t sum = 0;
    for (int i = 0; i < ndshm_frame_columns(frame); i++) {
        const struct ndshm__node *node = &schema->node[i];
        ndshm_column column;
        FUZZ_CHECK(ndshm_frame_column(frame, i, &column) == 0);
        FUZZ_CHECK(column.rows == schema->rows && column.name && column.format);
        for (int j = 0; j < node->buffers; j++) {
            const struct ndshm__buffer *buffer =
                &ndshm__schema_buffers(schema)[node->first_buffer + j];
            const char *payload = ndshm__segment_payload(frame->segment);
            sum = (uint8_t)(sum + touch(payload + buffer->offset, buffer->size));
        }
    }
    ndshm_view view;
    if (ndshm_frame_block(frame, &view) == 0 && ndshm_view_size(&view) <= COPY_MAX &&
        ndshm_view_size(&view) > 0) {
        const char *last = view.data;
        last += (view.shape[0] - 1) * view.strides[0] + (view.shape[1] - 1) * view.strides[1];
        sum = (uint8_t)(sum + touch(view.data, 1) + touch(last, ndshm_dtype_itemsize(view.dtype)));
    }
}

static void attach_slice(const char *ref)
{
    ndshm_array *array = NULL;
    ndshm_frame *frame = NULL;
    if (ndshm_array_attach(ref, NDSHM_READ, &array) == 0)
        check_array(array);
    if (ndshm_frame_attach(ref, NDSHM_COW, &frame) == 0)
        ndshm_frame_detach(&frame);
    ndshm_array_detach(&array);
}

static void attach_whole(void)
{
    ndshm__segment *segment = NULL;
    ndshm_frame *frame = NULL;
    char target[NDSHM_NAME_MAX + 1];
    /* Keeps a temporary one there until all have looked. */
    int status = ndshm__segment_attach(NAME, 0, NDSHM_READ, &segment);
    check_agrees(status);
    if (status == 0) {
        touch(ndshm__segment_payload(segment), ndshm__segment_payload_size(segment));
        touch(ndshm__segment_body(segment), ndshm__segment_body_size(segment));
    }
    attach_slice(NAME);
    attach_slice(NAME "[1:5:2]");
    attach_slice(NAME "[..., -1]");
    if (ndshm_frame_attach(NAME, NDSHM_READ, &frame) == 0)
        check_frame(frame);
    if (ndshm__result_target(NAME, target) == 0)
        FUZZ_CHECK(strlen(target) > 0 && !strchr(target + (target[0] == '/'), '/'));
    ndshm_frame_detach(&frame);
    ndshm__segment_release(&segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_image image;
    struct fuzz_input input = {data, size};
    fuzz_image_make(&input, NAME, &image);
    plant(&image);
    check_judgement();
    attach_whole();
    int status = ndshm_unlink(NAME);
    FUZZ_CHECK(status == 0 || status == -ENOENT || status == NDSHM_EKIND);
    unlink(PATH);
    return 0;
}
