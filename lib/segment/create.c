/* SPDX-License-Identifier: MIT */
/* From nothing to a complete segment: built without a name, published by one atomic step. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

void ndshm_create_config_init(ndshm_create_config *config)
{
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
}

static int check_config(const ndshm_create_config *given, ndshm_create_config *config)
{
    ndshm_create_config_init(config);
    int status = ndshm__config_copy(given, sizeof *config, config);
    if (status)
        return status;
    if (config->flags & ~(uint32_t)NDSHM_UNPUBLISHED)
        return ndshm__fail(-EINVAL, "unknown flags 0x%x in the create config", config->flags);
    if (config->lifetime < 0 || config->lifetime > NDSHM_PERSISTENT)
        return ndshm__fail(-EINVAL,
                           "lifetime %d is none of NDSHM_TEMPORARY, _RECLAIMABLE, "
                           "_PERSISTENT",
                           config->lifetime);
    if (config->mode && ((config->mode & 0600) != 0600 || config->mode > 0777))
        return ndshm__fail(-EINVAL,
                           "mode %04o: the owner must be able to read and write (0600), "
                           "and there are permission bits only",
                           config->mode);
    if (config->numa < NDSHM_NUMA_INTERLEAVE)
        return ndshm__fail(-EINVAL, "numa %d is no policy; give a node as node + 1", config->numa);
    if (config->hugepages < 0 || config->hugepages > 1)
        return ndshm__fail(-EINVAL, "hugepages is %d, neither 0 nor 1", config->hugepages);
    if (!memchr(config->label, 0, sizeof config->label))
        return ndshm__fail(-EINVAL, "the label has more than %d bytes", NDSHM_LABEL_MAX);
    return 0;
}

static int choose_name(const ndshm__spec *spec, char name[NDSHM_NAME_MAX + 1])
{
    const char *bare;
    if (!spec->name)
        return ndshm__name_generate(name);
    int status = spec->pool ? ndshm__name_check_any(spec->name, &bare)
                            : ndshm__name_check(spec->name, &bare);
    if (!status)
        ndshm__text_copy(name, NDSHM_NAME_MAX + 1, bare);
    return status;
}

static int compute_sizes(const ndshm__spec *spec, ndshm__segment *segment, int64_t *descriptor)
{
    int64_t page = ndshm__os_page_size(), end;
    *descriptor = ndshm__descriptor_size(segment->name, spec->ndim, spec->body_size);
    if (*descriptor < 0)
        return ndshm__fail(NDSHM_ESHAPE, "'%s': its description would take more than 2 GB",
                           segment->name);
    ndshm__align(NDSHM__DESCRIPTOR_OFFSET + *descriptor, NDSHM__PAGE, &segment->payload_offset);
    if (!ndshm__add(segment->payload_offset, spec->payload_size, &end) ||
        !ndshm__align(end, page > NDSHM__PAGE ? page : NDSHM__PAGE, &segment->total_size))
        return ndshm__fail(NDSHM_ESHAPE, "'%s': more bytes than a file can have", segment->name);
    segment->payload_size = spec->payload_size;
    return 0;
}

static int open_new(ndshm__segment *segment)
{
    segment->draft[0] = '\0';
    if (segment->ladder.publish != NDSHM_PUBLISH_RENAME)
        return ndshm__os_open_anonymous();
    int status = ndshm__name_draft(segment->draft);
    int fd = status ? status : ndshm__os_open_exclusive(segment->draft, 0600);
    if (fd < 0)
        segment->draft[0] = '\0';
    return fd;
}

/* Opens as the ladder of the last device says, and once more when /dev/shm is another one by now.
 */
static int open_file(ndshm__segment *segment)
{
    struct stat file;
    int status = ndshm__ladder_last(&segment->ladder);
    for (int tries = 0; !status && tries < 2; tries++) {
        int rung = segment->ladder.publish;
        int fd = open_new(segment);
        if (fd < 0)
            return fd;
        segment->fd = fd;
        status = ndshm__os_stat(fd, &file);
        if (!status)
            status = ndshm__ladder_of(file.st_dev, &segment->ladder);
        if (status || segment->ladder.publish == rung)
            return status;
        if (segment->draft[0])
            ndshm__os_unlink(segment->draft);
        ndshm__os_close(fd);
        segment->fd = -1;
    }
    return status ? status : -EAGAIN;
}

static uint32_t numa_placement(ndshm__segment *segment, int32_t policy)
{
    if (policy == NDSHM_NUMA_DEFAULT)
        return NDSHM__PLACEMENT_DEFAULT;
    int status = ndshm__os_numa_bind(segment->base, segment->total_size, policy);
    if (status == -ENOTSUP)
        return NDSHM__PLACEMENT_NO_LIBRARY;
    if (status < 0)
        return NDSHM__PLACEMENT_REFUSED;
    return status ? NDSHM__PLACEMENT_APPLIED : NDSHM__PLACEMENT_ONE_NODE;
}

/* Huge pages come only by touching an advised mapping; what stays unpopulated is reserved
 * afterwards. */
static bool huge_placement(ndshm__segment *segment)
{
    return ndshm__os_advise_huge(segment->base, segment->total_size) == 0 &&
           ndshm__os_populate(segment->base, segment->total_size) == 0 &&
           ndshm__os_huge_bytes(segment->base) > 0;
}

static uint32_t place(ndshm__segment *segment, const ndshm_create_config *config)
{
    uint32_t placement = numa_placement(segment, config->numa);
    if (config->hugepages && !huge_placement(segment) && placement <= NDSHM__PLACEMENT_APPLIED)
        return NDSHM__PLACEMENT_NO_HUGE_PAGES;
    return placement;
}

static void fill_identity(ndshm__segment *segment, const ndshm_create_config *config,
                          uint32_t placement)
{
    struct ndshm__identity identity = {
        .magic = NDSHM__MAGIC,
        .version = NDSHM__FORMAT_VERSION,
        .fingerprint = NDSHM__FINGERPRINT,
        .total_size = segment->total_size,
        .payload_offset = segment->payload_offset,
        .kind = segment->kind,
        .mode = config->mode ? config->mode : 0600,
        .placement = placement,
        .created_ns = ndshm__os_wall_clock(),
    };
    ndshm__os_identity self;
    ndshm__os_identify(&self);
    identity.creator_pid = self.pid;
    identity.creator_start = self.start_time;
    identity.creator_pid_namespace = self.pid_namespace;
    memcpy(identity.creator_boot_id, self.boot_id, sizeof self.boot_id);
    memcpy(identity.uuid, segment->uuid, sizeof identity.uuid);
    ndshm__text_copy(identity.pool, sizeof identity.pool, segment->pool);
    ndshm__text_copy(identity.label, sizeof identity.label, config->label);
    ndshm__identity_seal(&identity);
    memcpy(segment->base, &identity, sizeof identity);
    struct ndshm__mutable *changing = (void *)(segment->base + NDSHM__MUTABLE_OFFSET);
    changing->lifetime = ndshm__lifetime_encode(segment->lifetime);
}

/* Sized, mapped and reserved: from here on no touch of the mapping can fault. */
static int build_file(ndshm__segment *segment, const ndshm_create_config *config,
                      uint32_t *placement)
{
    void *base;
    int status = ndshm__os_chmod(segment->fd, config->mode ? config->mode : 0600);
    if (!status)
        status = ndshm__os_truncate(segment->fd, segment->total_size);
    if (status)
        return ndshm__space_explain(status, segment->name, segment->total_size, "ftruncate");
    status = ndshm__os_map(segment->fd, segment->total_size, NDSHM__MAP_WRITE, &base);
    if (status)
        return ndshm__space_explain(status, segment->name, segment->total_size, "mmap");
    segment->base = base;
    ndshm__os_advise_no_dump(base, segment->total_size);
    *placement = place(segment, config);
    return ndshm__space_reserve(segment->fd, segment->name, 0,
                                segment->streamed && !config->hugepages ? segment->payload_offset
                                                                        : segment->total_size);
}

static int build(ndshm__segment *segment, const ndshm__spec *spec,
                 const ndshm_create_config *config)
{
    int64_t descriptor_size;
    uint32_t placement = NDSHM__PLACEMENT_DEFAULT;
    int status = compute_sizes(spec, segment, &descriptor_size);
    if (!status)
        status = ndshm__space_check(segment->name, segment->total_size);
    if (status)
        return status;
    status = open_file(segment);
    if (status)
        return ndshm__space_explain(status, segment->name, segment->total_size,
                                    "opening a new file in /dev/shm");
    status = build_file(segment, config, &placement);
    if (status)
        return status;
    fill_identity(segment, config, placement);
    segment->descriptor = (void *)(segment->base + NDSHM__DESCRIPTOR_OFFSET);
    ndshm__descriptor_fill(segment->descriptor, spec, segment->name, descriptor_size);
    status = ndshm__lock_live(segment->fd); /* a draft may be looked at by a reaper */
    return status ? ndshm__space_explain(status, segment->name, segment->total_size,
                                         "the lock that shows it is in use")
                  : 0;
}

int ndshm__segment_create(const ndshm__spec *spec, ndshm__segment **out)
{
    ndshm_create_config config;
    int status = check_config(spec->config, &config);
    if (status)
        return status;
    ndshm__segment *segment = ndshm__alloc(sizeof *segment);
    if (!segment)
        return ndshm__fail(-ENOMEM, "no memory for a handle");
    segment->count = 1;
    segment->fd = -1;
    segment->access = NDSHM_WRITE;
    segment->generated = !spec->name;
    segment->streamed = spec->streamed;
    segment->keep = spec->keep;
    segment->generation = ndshm__os_generation();
    segment->kind = spec->kind;
    segment->lifetime = config.lifetime            ? config.lifetime
                        : spec->name || spec->pool ? NDSHM_RECLAIMABLE
                                                   : NDSHM_TEMPORARY;
    ndshm__text_copy(segment->pool, sizeof segment->pool, spec->pool);
    status = choose_name(spec, segment->name);
    if (!status && (status = ndshm__os_random(segment->uuid, sizeof segment->uuid)))
        ndshm__fail(status, "'%s': no random bits for its id: %s", segment->name,
                    ndshm_strerror(status));
    if (!status)
        status = build(segment, spec, &config);
    if (status) {
        ndshm__segment_release(&segment);
        return status;
    }
    *out = segment;
    return 0;
}

int ndshm__segment_append(ndshm__segment *segment, const void *data, int64_t size)
{
    enum { PIECE = 64 << 20 };
    if (size < 0 || size > segment->payload_size - segment->appended)
        return ndshm__fail(NDSHM_ESHAPE, "'%s': more data than its %lld bytes", segment->name,
                           (long long)segment->payload_size);
    for (int64_t done = 0; done < size;) {
        int64_t piece = size - done < PIECE ? size - done : PIECE;
        int status = ndshm__os_pwrite(segment->fd, (const char *)data + done, piece,
                                      segment->payload_offset + segment->appended);
        if (status == -EFAULT)
            return ndshm__fail(status, "'%s': the source cannot be read", segment->name);
        if (status)
            return ndshm__space_explain(status, segment->name, segment->total_size, "pwrite");
        segment->appended += piece;
        done += piece;
    }
    return 0;
}

int ndshm__segment_file(const ndshm__segment *segment, int64_t *payload_offset)
{
    *payload_offset = segment->payload_offset;
    return segment->fd;
}

int ndshm__segment_filled(ndshm__segment *segment)
{
    segment->appended = segment->payload_size;
    return ndshm__space_reserve(segment->fd, segment->name, 0, segment->total_size);
}

/* From here on structural facts are read from private memory. */
static int make_private(ndshm__segment *segment, struct ndshm__descriptor **out)
{
    size_t size = segment->descriptor->size;
    struct ndshm__descriptor *copy = ndshm__alloc(size);
    if (!copy)
        return ndshm__fail(-ENOMEM, "'%s': no memory for its descriptor", segment->name);
    ndshm__descriptor_seal(segment->descriptor);
    memcpy(copy, segment->descriptor, size);
    *out = copy;
    return 0;
}

static int link_once(ndshm__segment *segment)
{
    if (segment->draft[0])
        return ndshm__os_rename(segment->draft, segment->name);
    switch (segment->ladder.publish) {
    case NDSHM_PUBLISH_PROC:
        return ndshm__os_link_proc(segment->fd, segment->name);
    default:
        return ndshm__os_link_empty_path(segment->fd, segment->name);
    }
}

static int link_name(ndshm__segment *segment, struct ndshm__descriptor *copy)
{
    int status = link_once(segment);
    while (status == -EEXIST && segment->generated) {
        status = ndshm__name_generate(segment->name);
        if (status)
            return status;
        ndshm__descriptor_rename(segment->descriptor, segment->name);
        ndshm__descriptor_seal(segment->descriptor);
        memcpy(copy, segment->descriptor, segment->descriptor->size);
        status = link_once(segment);
    }
    if (status == -EEXIST)
        return ndshm__fail(status, "'%s': the name is taken; choose another, or unlink it first",
                           segment->name);
    if (status)
        return ndshm__space_explain(status, segment->name, segment->total_size, "publishing");
    return 0;
}

int ndshm__segment_publish(ndshm__segment *segment)
{
    struct ndshm__descriptor *copy = NULL;
    if (segment->published)
        return ndshm__fail(-EALREADY, "'%s': published already", segment->name);
    if (segment->generation != ndshm__os_generation())
        return ndshm__fail(-EPERM, "'%s': only the process that created it can publish it",
                           segment->name);
    if (segment->streamed && segment->appended != segment->payload_size)
        return ndshm__fail(NDSHM_ESHAPE, "'%s': only %lld of %lld bytes were written",
                           segment->name, (long long)segment->appended,
                           (long long)segment->payload_size);
    int status = make_private(segment, &copy);
    if (status)
        return status;
    ndshm__os_window_enter();
    status = link_name(segment, copy);
    if (!status && segment->ladder.liveness == NDSHM_LIVE_MAPPING && !segment->keep) {
        ndshm__os_close(segment->fd);
        segment->fd = -1;
    }
    ndshm__os_window_leave();
    if (status) {
        free(copy);
        return status;
    }
    segment->descriptor = copy;
    segment->draft[0] = '\0';
    segment->published = true;
    return 0;
}
