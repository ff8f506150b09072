/* SPDX-License-Identifier: MIT */
/* What a task sees. */
#include <errno.h>
#include <string.h>

#include "array/view.h"
#include "base/os.h"
#include "pool/brake.h"

static struct ndshm__job_view *job_of(const ndshm_task *task)
{
    return &task->worker->job.job;
}

int64_t ndshm_task_index(const ndshm_task *task)
{
    return task->index;
}

void ndshm_task_range(const ndshm_task *task, int64_t *begin, int64_t *end)
{
    ndshm__layout_tasks(job_of(task), task->unit, begin, end);
}

const void *ndshm_task_params(const ndshm_task *task, size_t *size)
{
    const struct ndshm__job_view *job = job_of(task);
    if (size)
        *size = (size_t)job->facts.params_size;
    return job->facts.params_size ? job->params : NULL;
}

const char *ndshm_task_item(const ndshm_task *task)
{
    const struct ndshm__job_view *job = job_of(task);
    ndshm_task *own = &task->worker->task; /* the same one, to be written */
    if (!(job->facts.flags & NDSHM__JOB_ITEMS))
        return NULL;
    int64_t text = NDSHM__TEXT_SHARED + job->facts.nshared + task->unit;
    return ndshm__layout_text(job, text, own->item) ? NULL : own->item;
}

void *ndshm_task_context(const ndshm_task *task)
{
    return task->worker->context;
}

int ndshm_task_cancelled(const ndshm_task *task)
{
    return ndshm__task_stopped(job_of(task)) || ndshm__deadline_passed(task->worker) ||
           atomic_load(&task->worker->pool->state) > NDSHM__POOL_STOPPING;
}

const char *ndshm_task_function(const ndshm_task *task)
{
    return task->worker->named ? task->worker->function : NULL;
}

/* Attaches shared reference number position, and makes sure that it is still the submitter's
 * segment. */
static int attach_shared(ndshm_task *task, int position, int kind, int access,
                         struct ndshm__attachment *out)
{
    const struct ndshm__job_view *job = job_of(task);
    struct ndshm__attachment found = {0};
    char ref[NDSHM_REF_MAX + 1];
    int status = ndshm__layout_text(job, NDSHM__TEXT_SHARED + position, ref);
    if (status)
        return ndshm__fail(status, "the text of shared reference %d is damaged", position);
    status = ndshm__attachment_open(ref, kind, access, &found);
    if (status)
        return status;
    const uint8_t *uuid = ndshm__segment_uuid(ndshm__attachment_segment(&found));
    if (memcmp(uuid, job->uuids[position], 16) != 0) {
        ndshm__attachment_close(&found);
        return ndshm__fail(-ESTALE, "'%s': replaced by another segment since the job was submitted",
                           ref);
    }
    ndshm__attachment_lend(&found);
    *out = found;
    return 0;
}

/* The attachment of a position, made at its first use. */
static int shared(ndshm_task *task, int position, int kind, int access,
                  struct ndshm__attachment **out)
{
    ndshm_worker *worker = task->worker;
    const struct ndshm__job_view *job = job_of(task);
    if (position < 0 || position >= job->facts.nshared)
        return ndshm__fail(-EINVAL, "no shared reference %d: the job has %d", position,
                           job->facts.nshared);
    if (access < NDSHM_READ || access > NDSHM_WRITE)
        return ndshm__fail(-EINVAL, "access %d is none of NDSHM_READ, _COW, _WRITE", access);
    if (!worker->shared)
        worker->shared = ndshm__alloc((size_t)job->facts.nshared * sizeof *worker->shared);
    if (!worker->shared)
        return ndshm__fail(-ENOMEM, "no memory for %d attachments", job->facts.nshared);
    *out = &worker->shared[position].by_access[access - 1];
    if ((*out)->array || (*out)->frame)
        return 0;
    if (access == NDSHM_COW)
        task->touched = true;
    return attach_shared(task, position, kind, access, *out);
}

int ndshm_task_shared(ndshm_task *task, int position, int access, ndshm_array **out)
{
    struct ndshm__attachment *attachment = NULL;
    ndshm__begin("ndshm_task_shared");
    int status = shared(task, position, NDSHM_KIND_ARRAY, access, &attachment);
    if (status)
        return status;
    if (!attachment->array)
        return ndshm__fail(NDSHM_EKIND, "shared reference %d is a frame", position);
    *out = attachment->array;
    return 0;
}

int ndshm_task_shared_frame(ndshm_task *task, int position, int access, ndshm_frame **out)
{
    struct ndshm__attachment *attachment = NULL;
    ndshm__begin("ndshm_task_shared_frame");
    int status = shared(task, position, NDSHM_KIND_FRAME, access, &attachment);
    if (status)
        return status;
    if (!attachment->frame)
        return ndshm__fail(NDSHM_EKIND, "shared reference %d is an array", position);
    *out = attachment->frame;
    return 0;
}

/* Attaches the output once a job. */
static int open_output(ndshm_worker *worker)
{
    const struct ndshm__job_view *job = &worker->job.job;
    struct ndshm__attachment found = {0};
    char ref[NDSHM_REF_MAX + 1];
    int status = ndshm__layout_text(job, NDSHM__TEXT_OUTPUT, ref);
    if (status)
        return ndshm__fail(status, "the reference of the output is damaged");
    status = ndshm__attachment_open(ref, NDSHM_KIND_ARRAY, NDSHM_WRITE, &found);
    if (status)
        return status;
    ndshm__attachment_view(&found, &worker->output_view);
    const uint8_t *uuid = ndshm__segment_uuid(ndshm__attachment_segment(&found));
    if (memcmp(uuid, job->facts.output_uuid, 16) != 0)
        status = ndshm__fail(-ESTALE,
                             "'%s': replaced by another segment since the job was submitted", ref);
    if (!status &&
        (worker->output_view.ndim < 1 || worker->output_view.shape[0] != job->facts.count))
        status = ndshm__fail(NDSHM_ESHAPE, "'%s': another length than that of the job", ref);
    if (status) {
        ndshm__attachment_close(&found);
        return status;
    }
    worker->output = found;
    return 0;
}

/* view[begin:end] of the first axis, which the caller knows to be there. */
static void cut(const ndshm_view *view, int64_t begin, int64_t end, ndshm_view *out)
{
    memcpy(out, view, sizeof *out);
    if (out->data)
        out->data = (char *)out->data + begin * view->strides[0];
    out->shape[0] = end - begin;
}

int ndshm_task_output(ndshm_task *task, ndshm_view *out)
{
    ndshm_worker *worker = task->worker;
    const struct ndshm__job_view *job = job_of(task);
    int64_t begin, end;
    ndshm__begin("ndshm_task_output");
    if (!(job->facts.flags & NDSHM__JOB_OUTPUT))
        return ndshm__fail(-ENOENT, "the job has no output");
    if (!worker->output.array) {
        int status = open_output(worker);
        if (status)
            return status;
    }
    ndshm__layout_tasks(job, task->unit, &begin, &end);
    if (!(job->facts.flags & NDSHM_JOB_RANGES))
        return ndshm_view_index(&worker->output_view, 0, begin, out);
    cut(&worker->output_view, begin, end, out);
    return 0;
}

/* The name of the result, once a task. */
static int result_name(ndshm_task *task, char name[NDSHM__MEMBER_SIZE])
{
    if (task->worker->generation != ndshm__os_generation())
        return ndshm__fail(-EPERM, "a forked child cannot give its parent's task a result");
    if (ndshm__attachment_segment(&task->result) || task->target[0])
        return ndshm__fail(-EALREADY, "the task has a result");
    ndshm__result_of(name, ndshm__segment_name(task->worker->segment), job_of(task), task->unit);
    task->touched = true;
    return 0;
}

static int wait_for_room(ndshm_task *task, ndshm_dtype dtype, int ndim, const int64_t *shape)
{
    int64_t bytes;
    if (!job_of(task)->facts.max_result_bytes)
        return 0;
    int status = ndshm__shape_check(dtype, ndim, shape, &bytes);
    return status ? status : ndshm__brake_wait(task, bytes);
}

int ndshm_task_create(ndshm_task *task, ndshm_dtype dtype, int ndim, const int64_t *shape,
                      ndshm_array **out)
{
    char name[NDSHM__MEMBER_SIZE];
    ndshm__begin("ndshm_task_create");
    int status = result_name(task, name);
    struct ndshm__mappings *mappings = &task->worker->mappings;
    const ndshm__spec base = {
        .pool = mappings->pool_name, .make = ndshm__cache_make, .maker = mappings};
    mappings->zero = !(job_of(task)->facts.flags & NDSHM_JOB_UNINITIALIZED);
    if (!status)
        status = wait_for_room(task, dtype, ndim, shape);
    if (!status)
        status = ndshm__attachment_create_array(&base, name, dtype, ndim, shape, &task->result);
    if (!status)
        *out = task->result.array;
    return status;
}

int ndshm_task_create_frame(ndshm_task *task, int64_t rows, const ndshm_column_spec *columns,
                            int ncolumns, ndshm_frame **out)
{
    char name[NDSHM__MEMBER_SIZE];
    ndshm__begin("ndshm_task_create_frame");
    int status = result_name(task, name);
    if (!status)
        status = ndshm__attachment_create_frame(ndshm__segment_name(task->worker->segment), name,
                                                rows, columns, ncolumns, &task->result);
    if (!status)
        *out = task->result.frame;
    return status;
}

int ndshm_task_return(ndshm_task *task, const char *name)
{
    char own[NDSHM__MEMBER_SIZE];
    ndshm__segment *segment;
    ndshm__begin("ndshm_task_return");
    if (!name)
        return ndshm__fail(-EINVAL, "no name");
    int status = result_name(task, own);
    if (!status)
        status = ndshm__segment_attach(name, 0, NDSHM_READ, &segment);
    if (status)
        return status;
    uint32_t kind = ndshm__segment_kind(segment);
    if (kind != NDSHM_KIND_ARRAY && kind != NDSHM_KIND_FRAME)
        status = ndshm__fail(NDSHM_EKIND, "'%s' is neither an array nor a frame", name);
    else /* from now on the job's, whoever else lets go of it */
        status = ndshm__segment_set_lifetime(segment, NDSHM_RECLAIMABLE);
    if (!status)
        ndshm__text_copy(task->target, sizeof task->target, ndshm__segment_name(segment));
    ndshm__segment_release(&segment);
    return status;
}

int ndshm_task_fail(ndshm_task *task, int status, const char *message)
{
    return ndshm__task_fail_text(task, status, "%s", message ? message : ndshm_error_message());
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t ndshm_task_random(ndshm_task *task)
{
    if (!task->random_begun) {
        task->random = mix(job_of(task)->facts.seed ^ mix((uint64_t)task->index + golden));
        task->random_begun = true;
    }
    task->random += golden;
    return mix(task->random);
}
