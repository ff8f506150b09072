/* SPDX-License-Identifier: MIT */
/* The header of a file: refused with a status that says so, or consistent, and written again it is
 * the same. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "image.h"
#include "segment/internal.h"

#define NAME "t-fuzz-header"

static void check_identity(const struct ndshm__identity *identity, size_t size)
{
    FUZZ_CHECK(identity->total_size == (int64_t)size);
    FUZZ_CHECK(identity->payload_offset % NDSHM__PAGE == 0);
    FUZZ_CHECK(identity->payload_offset > 0 && identity->payload_offset <= identity->total_size);
    FUZZ_CHECK(memchr(identity->pool, 0, sizeof identity->pool));
    FUZZ_CHECK(memchr(identity->label, 0, sizeof identity->label));
    FUZZ_CHECK(ndshm__is_zero(identity->reserved, sizeof identity->reserved));
}

/* What our own writer makes of the same facts. */
static void check_again(struct ndshm__descriptor *found)
{
    const char *name = ndshm__descriptor_name(found);
    ndshm__spec spec = {.dtype = found->dtype,
                        .ndim = found->ndim,
                        .shape = ndshm__descriptor_shape(found),
                        .body = ndshm__descriptor_body(found),
                        .body_size = found->body_size,
                        .payload_size = found->payload_size};
    int64_t size = ndshm__descriptor_size(name, found->ndim, found->body_size);
    FUZZ_CHECK(size > 0 && size <= found->size);
    if (size < found->size) /* the name may have more room than we give it */
        return;
    struct ndshm__descriptor *again = calloc(1, (size_t)size);
    ndshm__descriptor_fill(again, &spec, name, size);
    ndshm__descriptor_seal(again);
    FUZZ_CHECK(memcmp(again, found, (size_t)size) == 0);
    free(again);
}

static void check_descriptor(const struct ndshm__header *header)
{
    struct ndshm__descriptor *found = header->descriptor;
    const char *name = ndshm__descriptor_name(found);
    int64_t room = header->identity.total_size - header->identity.payload_offset;
    FUZZ_CHECK(found->ndim >= 0 && found->ndim <= NDSHM_MAX_NDIM);
    FUZZ_CHECK(strnlen(name, found->name_size) < found->name_size);
    FUZZ_CHECK((char *)ndshm__descriptor_body(found) + found->body_size ==
               (char *)found + found->size);
    FUZZ_CHECK(found->payload_size >= 0 && found->payload_size <= room);
    check_again(found);
}

static bool is_damage(int status)
{
    return status == NDSHM_ECORRUPT || status == NDSHM_EVERSION || status == NDSHM_EKIND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_image image;
    struct fuzz_input input = {data, size};
    struct ndshm__header header = {0}, again = {0};
    struct stat file;
    char path[FUZZ_PATH];
    fuzz_image_make(&input, NAME, &image);
    int fd = fuzz_file(image.bytes, image.size, path);
    FUZZ_CHECK(ndshm__os_stat(fd, &file) == 0);
    int found = ndshm__header_read_identity(fd, NAME, &file, &header);
    int status = ndshm__header_read(fd, NAME, &file, &again);
    FUZZ_CHECK(status == 0 || is_damage(status));
    FUZZ_CHECK(found == 0 || found == status);
    if (found == 0)
        check_identity(&header.identity, image.size);
    if (status == 0) {
        check_descriptor(&again);
        free(again.descriptor);
    }
    close(fd);
    return 0;
}
