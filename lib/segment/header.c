/* SPDX-License-Identifier: MIT */
/* Writing, reading and checking a header. What is read is a private copy, checked before it is
 * used. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

static size_t padded_name_size(const char *name)
{
    return (strlen(name) + 8) & ~(size_t)7; /* with at least one NUL */
}

int64_t ndshm__descriptor_size(const char *name, int ndim, int64_t body_size)
{
    int64_t fixed =
        (int64_t)(sizeof(struct ndshm__descriptor) + 8 * (size_t)ndim + padded_name_size(name));
    int64_t size;
    if (body_size < 0 || !ndshm__add(fixed, body_size, &size) || size > INT32_MAX)
        return -1;
    return size;
}

int64_t *ndshm__descriptor_shape(struct ndshm__descriptor *descriptor)
{
    return (int64_t *)(descriptor + 1);
}

char *ndshm__descriptor_name(struct ndshm__descriptor *descriptor)
{
    return (char *)(ndshm__descriptor_shape(descriptor) + descriptor->ndim);
}

void *ndshm__descriptor_body(struct ndshm__descriptor *descriptor)
{
    return ndshm__descriptor_name(descriptor) + descriptor->name_size;
}

void ndshm__descriptor_fill(struct ndshm__descriptor *out, const ndshm__spec *spec,
                            const char *name, int64_t size)
{
    out->size = (uint32_t)size;
    out->dtype = spec->dtype;
    out->ndim = spec->ndim;
    out->name_size = (uint32_t)padded_name_size(name);
    out->body_size = spec->body_size;
    out->payload_size = spec->payload_size;
    if (spec->ndim)
        memcpy(ndshm__descriptor_shape(out), spec->shape, 8 * (size_t)spec->ndim);
    ndshm__descriptor_rename(out, name);
    if (spec->body)
        memcpy(ndshm__descriptor_body(out), spec->body, (size_t)spec->body_size);
}

void ndshm__descriptor_rename(struct ndshm__descriptor *descriptor, const char *name)
{
    ndshm__text_copy(ndshm__descriptor_name(descriptor), descriptor->name_size, name);
}

static uint32_t descriptor_crc(const struct ndshm__descriptor *descriptor)
{
    return ndshm__crc32c(0, &descriptor->size, descriptor->size - sizeof descriptor->crc);
}

void ndshm__descriptor_seal(struct ndshm__descriptor *descriptor)
{
    descriptor->crc = descriptor_crc(descriptor);
}

static uint32_t identity_crc(const struct ndshm__identity *identity)
{
    return ndshm__crc32c(0, identity, offsetof(struct ndshm__identity, crc));
}

void ndshm__identity_seal(struct ndshm__identity *identity)
{
    identity->crc = identity_crc(identity);
}

uint64_t ndshm__lifetime_encode(int lifetime)
{
    if (lifetime == NDSHM_TEMPORARY)
        return NDSHM__LIFETIME_TEMPORARY;
    return lifetime == NDSHM_RECLAIMABLE ? NDSHM__LIFETIME_RECLAIMABLE : NDSHM__LIFETIME_PERSISTENT;
}

int ndshm__lifetime_decode(uint64_t word)
{
    if (word == NDSHM__LIFETIME_TEMPORARY)
        return NDSHM_TEMPORARY;
    return word == NDSHM__LIFETIME_RECLAIMABLE ? NDSHM_RECLAIMABLE : NDSHM_PERSISTENT;
}

static int corrupt(const char *name, const char *what)
{
    return ndshm__fail(NDSHM_ECORRUPT, "'%s': the segment is damaged: %s", name, what);
}

static int check_magic(const struct ndshm__identity *identity, const char *name)
{
    if (identity->magic == __builtin_bswap64(NDSHM__MAGIC))
        return ndshm__fail(NDSHM_EVERSION, "'%s': written on a machine of the other byte order",
                           name);
    if (identity->magic != NDSHM__MAGIC)
        return ndshm__fail(NDSHM_EKIND, "'%s': not a segment of ndshm", name);
    if (identity->version != NDSHM__FORMAT_VERSION)
        return ndshm__fail(NDSHM_EVERSION,
                           "'%s': format version %u; this library (%s) reads version %u", name,
                           identity->version, ndshm_version(), NDSHM__FORMAT_VERSION);
    return 0;
}

static int check_identity(const struct ndshm__identity *identity, const char *name,
                          const struct stat *file)
{
    int status = check_magic(identity, name);
    if (status)
        return status;
    if (identity->crc != identity_crc(identity))
        return corrupt(name, "the checksum of its identity is wrong");
    if (identity->fingerprint != NDSHM__FINGERPRINT)
        return ndshm__fail(NDSHM_EVERSION, "'%s': of another layout (%08x)", name,
                           identity->fingerprint);
    if (identity->total_size != file->st_size)
        return ndshm__fail(NDSHM_ECORRUPT,
                           "'%s': the segment is damaged: %lld bytes long instead of %lld", name,
                           (long long)file->st_size, (long long)identity->total_size);
    if (identity->payload_offset < NDSHM__PAGE || identity->payload_offset % NDSHM__PAGE ||
        identity->payload_offset > identity->total_size)
        return corrupt(name, "its payload begins nowhere");
    if (memchr(identity->pool, 0, sizeof identity->pool) == NULL ||
        memchr(identity->label, 0, sizeof identity->label) == NULL)
        return corrupt(name, "its texts do not end");
    if (!ndshm__is_zero(identity->reserved, sizeof identity->reserved))
        return corrupt(name, "reserved bytes are in use");
    return 0;
}

static int read_exactly(int fd, const char *name, void *buffer, int64_t size, int64_t offset)
{
    int64_t got = ndshm__os_pread(fd, buffer, size, offset);
    if (got < 0)
        return ndshm__fail((int)got, "'%s': cannot be read: %s", name, ndshm_strerror((int)got));
    if (got < size)
        return corrupt(name, "it ends within its header");
    return 0;
}

/* The first page as it was in one read. */
union first_page {
    struct {
        struct ndshm__identity identity;
        struct ndshm__mutable changing;
        struct ndshm__descriptor descriptor;
    } part;
    uint8_t bytes[NDSHM__PAGE];
};

static int read_first_page(int fd, const char *name, const struct stat *file,
                           union first_page *page, struct ndshm__header *out)
{
    if (file->st_size < NDSHM__PAGE) {
        int64_t got = ndshm__os_pread(fd, page, 8, 0);
        if (got == 8 && page->part.identity.magic == NDSHM__MAGIC)
            return corrupt(name, "it ends within its header");
        return ndshm__fail(NDSHM_EKIND, "'%s': not a segment of ndshm", name);
    }
    int status = read_exactly(fd, name, page, NDSHM__PAGE, 0);
    if (!status)
        status = check_identity(&page->part.identity, name, file);
    if (status)
        return status;
    out->identity = page->part.identity;
    out->lifetime = page->part.changing.lifetime;
    return 0;
}

int ndshm__header_read_identity(int fd, const char *name, const struct stat *file,
                                struct ndshm__header *out)
{
    union first_page page;
    out->descriptor = NULL;
    return read_first_page(fd, name, file, &page, out);
}

static int check_sizes(const struct ndshm__identity *identity,
                       const struct ndshm__descriptor *descriptor, const char *name)
{
    int64_t header_size;
    ndshm__align(NDSHM__DESCRIPTOR_OFFSET + (int64_t)descriptor->size, NDSHM__PAGE, &header_size);
    if (descriptor->size < sizeof *descriptor || descriptor->size > INT32_MAX ||
        header_size != identity->payload_offset)
        return corrupt(name, "the length of its descriptor is impossible");
    if (descriptor->payload_size < 0 ||
        descriptor->payload_size > identity->total_size - identity->payload_offset)
        return corrupt(name, "its payload is longer than the file");
    return 0;
}

static int check_parts(struct ndshm__descriptor *descriptor, const char *name)
{
    if (descriptor->ndim < 0 || descriptor->ndim > NDSHM_MAX_NDIM ||
        descriptor->name_size > NDSHM_NAME_MAX + 8 || descriptor->name_size % 8 ||
        descriptor->name_size == 0 || descriptor->body_size < 0 ||
        descriptor->body_size > descriptor->size ||
        (int64_t)sizeof *descriptor + 8 * descriptor->ndim + descriptor->name_size +
                descriptor->body_size !=
            descriptor->size)
        return corrupt(name, "the parts of its descriptor do not add up");
    const char *own = ndshm__descriptor_name(descriptor);
    size_t used = strnlen(own, descriptor->name_size);
    if (used == descriptor->name_size)
        return corrupt(name, "its own name does not end");
    if (descriptor->reserved || !ndshm__is_zero(own + used, descriptor->name_size - used))
        return corrupt(name, "reserved bytes are in use");
    return 0;
}

/* Everything from the descriptor to the payload. */
static int read_region(int fd, const char *name, int64_t size, const union first_page *page,
                       uint8_t *out)
{
    int64_t first = NDSHM__PAGE - NDSHM__DESCRIPTOR_OFFSET;
    memcpy(out, page->bytes + NDSHM__DESCRIPTOR_OFFSET, (size_t)(size < first ? size : first));
    return size > first ? read_exactly(fd, name, out + first, size - first, NDSHM__PAGE) : 0;
}

static int check_region(struct ndshm__descriptor *descriptor, const uint8_t *behind, size_t unused,
                        const char *name)
{
    if (descriptor->crc != descriptor_crc(descriptor))
        return corrupt(name, "the checksum of its descriptor is wrong");
    if (!ndshm__is_zero(behind, unused))
        return corrupt(name, "bytes behind its descriptor are in use");
    return check_parts(descriptor, name);
}

/* The usual header is one page: then what is unused need not be copied to be checked. */
static int read_descriptor(int fd, const char *name, const union first_page *page,
                           struct ndshm__descriptor **out)
{
    const struct ndshm__identity *identity = &page->part.identity;
    int64_t used = page->part.descriptor.size;
    int64_t size = identity->payload_offset - NDSHM__DESCRIPTOR_OFFSET;
    bool one_page = identity->payload_offset == NDSHM__PAGE;
    int status = check_sizes(identity, &page->part.descriptor, name);
    if (status)
        return status;
    uint8_t *bytes = ndshm__alloc((size_t)(one_page ? used : size));
    if (!bytes)
        return ndshm__fail(-ENOMEM, "'%s': no memory for its descriptor", name);
    const uint8_t *behind =
        (one_page ? page->bytes + NDSHM__DESCRIPTOR_OFFSET : (const uint8_t *)bytes) + used;
    status = read_region(fd, name, one_page ? used : size, page, bytes);
    if (!status)
        status =
            check_region((struct ndshm__descriptor *)bytes, behind, (size_t)(size - used), name);
    if (status)
        free(bytes);
    else
        *out = (struct ndshm__descriptor *)bytes;
    return status;
}

int ndshm__header_read(int fd, const char *name, const struct stat *file, struct ndshm__header *out)
{
    union first_page page;
    int status = read_first_page(fd, name, file, &page, out);
    if (status)
        return status;
    /* Before anything as long as the file claims to be is allocated or read. */
    if ((int64_t)file->st_blocks * 512 < file->st_size)
        return corrupt(name, "holes were punched into it");
    if (!ndshm__is_zero(page.part.changing.reserved, sizeof page.part.changing.reserved))
        return corrupt(name, "reserved bytes are in use");
    return read_descriptor(fd, name, &page, &out->descriptor);
}
