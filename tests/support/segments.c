/* SPDX-License-Identifier: MIT */
#include "segments.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static const char body[SUPPORT_BODY_SIZE] = "what is below a shape";

ndshm__spec support_spec(const char *name, int64_t *size, const ndshm_create_config *config)
{
    return (ndshm__spec){
        .name = name,
        .kind = NDSHM_KIND_ARRAY,
        .dtype = NDSHM_UINT8,
        .ndim = 1,
        .shape = size,
        .body = body,
        .body_size = sizeof body,
        .payload_size = *size,
        .config = config,
    };
}

void support_segment_fill(ndshm__segment *segment)
{
    uint8_t *bytes = ndshm__segment_payload(segment);
    for (int64_t i = 0; i < ndshm__segment_payload_size(segment); i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
}

int support_segment(const char *name, int64_t size, int lifetime, ndshm__segment **out)
{
    ndshm_create_config config;
    ndshm__segment *segment;
    ndshm_create_config_init(&config);
    config.lifetime = lifetime;
    ndshm__spec spec = support_spec(name, &size, &config);
    int status = ndshm__segment_create(&spec, &segment);
    if (status)
        return status;
    support_segment_fill(segment);
    status = ndshm__segment_publish(segment);
    if (status)
        ndshm__segment_release(&segment);
    else
        *out = segment;
    return status;
}

struct order {
    const char *name;
    int64_t size;
    int lifetime;
};

static int create_and_die(void *argument)
{
    struct order *order = argument;
    ndshm__segment *segment;
    return support_segment(order->name, order->size, order->lifetime, &segment) != 0;
}

int support_abandoned_segment(const char *name, int64_t size, int lifetime)
{
    struct order order = {name, size, lifetime};
    return support_child(create_and_die, &order);
}

struct holder {
    const char *name;
    int access;
    int ready[2];
};

static int attach_and_wait(void *argument)
{
    struct holder *holder = argument;
    ndshm__segment *segment;
    int status = ndshm__segment_attach(holder->name, 0, holder->access, &segment);
    if (write(holder->ready[1], &status, sizeof status) != sizeof status || status)
        return 1;
    for (;;)
        pause();
}

int support_holder_start(const char *name, int access)
{
    struct holder holder = {.name = name, .access = access};
    int status = -1;
    if (pipe(holder.ready) != 0)
        return 0;
    int pid = support_child_start(attach_and_wait, &holder);
    close(holder.ready[1]);
    if (read(holder.ready[0], &status, sizeof status) != sizeof status)
        status = -1;
    close(holder.ready[0]);
    if (status == 0)
        return pid;
    support_holder_stop(pid);
    return 0;
}

void support_holder_stop(int pid)
{
    kill(pid, SIGKILL);
    support_child_wait(pid);
}

int support_bytes_are_whole(const uint8_t *bytes, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        if (bytes[i] != (uint8_t)(i * 7 + 1))
            return 0;
    return 1;
}

int support_segment_is_whole(const ndshm__segment *segment)
{
    int64_t size = ndshm__segment_payload_size(segment);
    if (ndshm__segment_kind(segment) != NDSHM_KIND_ARRAY ||
        ndshm__segment_dtype(segment) != NDSHM_UINT8 || ndshm__segment_ndim(segment) != 1 ||
        ndshm__segment_shape(segment)[0] != size ||
        ndshm__segment_body_size(segment) != SUPPORT_BODY_SIZE ||
        memcmp(ndshm__segment_body(segment), body, sizeof body) != 0)
        return 0;
    return support_bytes_are_whole(ndshm__segment_payload(segment), size);
}

const char *support_path(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    return path;
}

int support_exists(const char *name)
{
    struct stat file;
    return lstat(support_path(name), &file) == 0;
}
