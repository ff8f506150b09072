/* SPDX-License-Identifier: MIT */
/* From a config to a job that workers can see. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/os_spawn.h"
#include "pool/pool.h"

static const int64_t look_again_ns = 1000000;

void ndshm_job_config_init(ndshm_job_config *config)
{
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
}

/* --- the config --- */

static bool is_stream(const ndshm_job_config *config)
{
    return config->count == NDSHM_STREAM;
}

static int check_stream(const ndshm_job_config *config)
{
    if (config->items || config->output || config->flags & NDSHM_JOB_RANGES)
        return ndshm__fail(-EINVAL, "a stream has neither items, which are fed, nor an output nor "
                                    "ranges");
    if (config->chunk < 0 || config->chunk > 1)
        return ndshm__fail(-EINVAL, "chunk %lld: a stream's tasks are claimed one by one",
                           (long long)config->chunk);
    if (config->window < 0 || config->window > NDSHM_WINDOW_MAX)
        return ndshm__fail(-EINVAL, "a window of %d: 1 to %d", config->window, NDSHM_WINDOW_MAX);
    return 0;
}

static int check_numbers(const ndshm_job_config *config)
{
    const uint32_t known = NDSHM_JOB_RANGES | NDSHM_JOB_PROGRESS | NDSHM_JOB_UNINITIALIZED;
    if (config->flags & ~known)
        return ndshm__fail(-EINVAL, "unknown flags 0x%x in the job config", config->flags);
    if (config->timeout_ms < 0)
        return ndshm__fail(-EINVAL, "a deadline of %d ms", config->timeout_ms);
    if (config->order != NDSHM_ORDER_INDEX && config->order != NDSHM_ORDER_COMPLETED)
        return ndshm__fail(-EINVAL, "order %d is none of NDSHM_ORDER_*", config->order);
    if (is_stream(config))
        return check_stream(config);
    if (config->window)
        return ndshm__fail(-EINVAL, "a window of %d, but no stream", config->window);
    if (config->count < 0 || config->chunk < 0)
        return ndshm__fail(-EINVAL, "count %lld, chunk %lld: must not be negative",
                           (long long)config->count, (long long)config->chunk);
    return 0;
}

static int check_limits(const ndshm_job_config *config)
{
    if (config->nshared < 0 || config->nshared > NDSHM__SHARED_MAX)
        return ndshm__fail(-EINVAL, "%d shared references: 0 to %d", config->nshared,
                           NDSHM__SHARED_MAX);
    if (config->retries < 0 || config->retries > NDSHM__RETRIES_MAX)
        return ndshm__fail(-EINVAL, "%d retries: 0 to %d", config->retries, NDSHM__RETRIES_MAX);
    if (config->on_error != NDSHM_ERROR_CONTINUE && config->on_error != NDSHM_ERROR_STOP)
        return ndshm__fail(-EINVAL, "on_error %d is none of NDSHM_ERROR_*", config->on_error);
    if (config->max_result_bytes < 0)
        return ndshm__fail(-EINVAL, "max_result_bytes %lld", (long long)config->max_result_bytes);
    if (config->params_size > INT64_MAX / 2)
        return ndshm__fail(-EINVAL, "params of %zu bytes", config->params_size);
    return 0;
}

static int check_pointers(const ndshm_job_config *config)
{
    if (!config->fn == !config->function)
        return ndshm__fail(-EINVAL, "give either fn or function, the name of one");
    if (!config->params && config->params_size)
        return ndshm__fail(-EINVAL, "params_size %zu without params", config->params_size);
    if (!config->shared && config->nshared)
        return ndshm__fail(-EINVAL, "nshared %d without shared", config->nshared);
    for (int i = 0; i < config->nshared; i++)
        if (!config->shared[i])
            return ndshm__fail(-EINVAL, "shared[%d] is NULL", i);
    return 0;
}

int ndshm__job_config(const ndshm_job_config *given, ndshm_job_config *config)
{
    if (!given)
        return ndshm__fail(-EINVAL, "no job config: a job needs a function and a count");
    ndshm_job_config_init(config);
    int status = ndshm__config_copy(given, sizeof *config, config);
    if (!status)
        status = check_numbers(config);
    if (!status)
        status = check_limits(config);
    return status ? status : check_pointers(config);
}

/* --- texts --- */

static int add_text(const char *text, const char *what, int64_t index, int64_t *size)
{
    if (!text)
        return ndshm__fail(-EINVAL, "%s[%lld] is NULL", what, (long long)index);
    size_t length = strnlen(text, NDSHM_REF_MAX + 1);
    if (length > NDSHM_REF_MAX)
        return ndshm__fail(-EINVAL, "%s[%lld] has more than %d bytes", what, (long long)index,
                           NDSHM_REF_MAX);
    return ndshm__add(*size, (int64_t)length + 1, size)
               ? 0
               : ndshm__fail(-EINVAL, "more text than fits into memory");
}

static int measure_texts(const ndshm_job_config *config, int64_t *size)
{
    *size = 0;
    int status = add_text(config->function ? config->function : "", "function", 0, size);
    if (!status)
        status = add_text(config->output ? config->output : "", "output", 0, size);
    for (int i = 0; !status && i < config->nshared; i++)
        status = add_text(config->shared[i], "shared", i, size);
    for (int64_t i = 0; !status && config->items && i < config->count; i++)
        status = add_text(config->items[i], "items", i, size);
    if (is_stream(config))
        *size += ndshm__stream_places(config->window) * NDSHM__ITEM_SIZE;
    return status;
}

/* Appends a text. The caller's strings may have changed since they were measured: never beyond the
 * end. */
static void put_text(struct ndshm__job_view *view, int64_t *number, int64_t *at, const char *text)
{
    int64_t left = view->facts.texts_size - *at;
    size_t length = strnlen(text, NDSHM_REF_MAX);
    if ((int64_t)length + 1 > left)
        length = left > 0 ? (size_t)left - 1 : 0;
    view->text_begin[(*number)++] = *at;
    if (left > 0)
        memcpy(view->text + *at, text, length);
    *at += (int64_t)length + 1;
}

static void write_texts(struct ndshm__job_view *view, const ndshm_job_config *config)
{
    int64_t number = 0, at = 0;
    put_text(view, &number, &at, config->function ? config->function : "");
    put_text(view, &number, &at, config->output ? config->output : "");
    for (int i = 0; i < config->nshared; i++)
        put_text(view, &number, &at, config->shared[i]);
    for (int64_t i = 0; config->items && i < config->count; i++)
        put_text(view, &number, &at, config->items[i]);
    for (; number < view->texts; at += NDSHM__ITEM_SIZE) /* of a stream: to be fed */
        view->text_begin[number++] = at;
}

/* --- references: held by the job, so that no worker finds another segment --- */

static int check_output(const ndshm_job_config *config, const struct ndshm__attachment *output)
{
    ndshm_view view;
    ndshm__attachment_view(output, &view);
    if (view.ndim < 1)
        return ndshm__fail(NDSHM_ESHAPE, "output '%s' has no axis for the tasks", config->output);
    if (view.shape[0] != config->count)
        return ndshm__fail(NDSHM_ESHAPE, "output '%s' has length %lld for %lld tasks",
                           config->output, (long long)view.shape[0], (long long)config->count);
    return 0;
}

static int hold_references(ndshm_job *job, const ndshm_job_config *config)
{
    int count = config->nshared + (config->output != NULL);
    if (!count)
        return 0;
    job->held = ndshm__alloc((size_t)count * sizeof *job->held);
    if (!job->held)
        return ndshm__fail(-ENOMEM, "no memory for %d references", count);
    job->nheld = count;
    int status = 0;
    for (int i = 0; !status && i < config->nshared; i++)
        status = ndshm__attachment_open(config->shared[i], 0, NDSHM_READ, &job->held[i]);
    if (status || !config->output)
        return status;
    status = ndshm__attachment_open(config->output, NDSHM_KIND_ARRAY, NDSHM_WRITE,
                                    &job->held[count - 1]);
    return status ? status : check_output(config, &job->held[count - 1]);
}

static void copy_uuid(uint8_t out[16], const struct ndshm__attachment *attachment)
{
    memcpy(out, ndshm__segment_uuid(ndshm__attachment_segment(attachment)), 16);
}

/* --- facts --- */

static int find_function(ndshm_pool *pool, const ndshm_job_config *config,
                         struct ndshm__facts *facts)
{
    facts->fn_object = NDSHM__FN_BY_NAME;
    if (config->function && !config->function[0])
        return ndshm__fail(-EINVAL, "function is empty");
    if (config->function)
        return 0;
    if (!pool->launch.workers)
        return ndshm__fail(-EINVAL,
                           "'%s' has no workers of its own, and those that join do not have fn; "
                           "give function, the name of one",
                           pool->launch.name);
    pthread_mutex_lock(&pool->mutex);
    int status = ndshm__functions_find(pool->launch.functions, config->fn, &facts->fn_object,
                                       &facts->fn_offset);
    pthread_mutex_unlock(&pool->mutex);
    return status;
}

static int gather(ndshm_job *job, const ndshm_job_config *config, struct ndshm__facts *facts)
{
    *facts = (struct ndshm__facts){
        .layout = NDSHM__JOB_LAYOUT,
        .flags = (config->flags & ~(uint32_t)NDSHM_JOB_PROGRESS) |
                 (config->items ? NDSHM__JOB_ITEMS : 0u) |
                 (config->output ? NDSHM__JOB_OUTPUT : 0u) |
                 (config->order == NDSHM_ORDER_COMPLETED ? NDSHM__JOB_COMPLETED : 0u) |
                 (is_stream(config) ? NDSHM__JOB_STREAM | NDSHM__JOB_ITEMS : 0u),
        .count = is_stream(config) ? ndshm__stream_places(config->window) : config->count,
        .chunk =
            is_stream(config) || (config->max_result_bytes && !config->chunk) ? 1 : config->chunk,
        .seed = config->seed,
        .params_size = (int64_t)config->params_size,
        .nshared = config->nshared,
        .retries = config->retries,
        .on_error = config->on_error,
        .timeout_ms = config->timeout_ms,
        .max_result_bytes = config->max_result_bytes,
    };
    int status = find_function(job->pool, config, facts);
    if (!status)
        status = measure_texts(config, &facts->texts_size);
    if (!status)
        status = hold_references(job, config);
    if (!status && config->output)
        copy_uuid(facts->output_uuid, &job->held[config->nshared]);
    return status;
}

/* --- submitting --- */

/* Under the mutex. */
static int check_state(ndshm_pool *pool)
{
    if (pool->stopping)
        return ndshm__fail(NDSHM_ECANCELED, "'%s': the pool was stopped", pool->launch.name);
    uint32_t state = atomic_load(&pool->memory->state);
    return state == NDSHM__POOL_RUNNING ? 0 : ndshm__pool_dead(pool);
}

/* Places the job; while all entries are taken, waits until a job ends. Returns with the mutex held
 * when 0. */
static int place(ndshm_job *job, struct ndshm__facts *facts)
{
    ndshm_pool *pool = job->pool;
    for (;;) {
        uint32_t seen = ndshm__event_read(&pool->memory->done);
        pthread_mutex_lock(&pool->mutex);
        int status = check_state(pool);
        if (!status)
            status = ndshm__job_place(job, facts);
        if (!status)
            return 0;
        pthread_mutex_unlock(&pool->mutex);
        if (status < 0)
            return status;
        /* A worker that leaves a job tells nobody: look again soon. */
        status = ndshm__job_sleep(job, &pool->memory->done, seen, ndshm__os_now() + look_again_ns);
        if (status == NDSHM_EWORKER)
            return ndshm__pool_dead(pool);
    }
}

static void link_job(ndshm_job *job)
{
    ndshm_pool *pool = job->pool;
    job->after = pool->jobs;
    if (pool->jobs)
        pool->jobs->before = job;
    pool->jobs = job;
}

/* Under the mutex. */
static int announce(ndshm_job *job, const ndshm_job_config *config)
{
    ndshm_pool *pool = job->pool;
    struct ndshm__job_view *view = &job->view;
    write_texts(view, config);
    for (int i = 0; i < config->nshared; i++)
        copy_uuid(view->uuids[i], &job->held[i]);
    if (config->params_size)
        memcpy(view->params, config->params, config->params_size);
    int status = ndshm__stream_init(job);
    if (!status)
        status = ndshm__next_init(job, config->order);
    if (!status && job->segment)
        status = ndshm__segment_publish(job->segment);
    if (status)
        return status;
    uint32_t flags =
        (job->segment ? 0u : NDSHM__ENTRY_INLINE) | (config->fn ? NDSHM__ENTRY_FORKED_ONLY : 0u);
    ndshm__table_put(pool->memory, job->entry, job->id, flags, config->timeout_ms);
    if (view->facts.count && !job->stream)
        ndshm__table_offer(pool->memory, job->entry, view->chunks.total);
    if (config->timeout_ms)
        ndshm__os_event_signal(pool->launch.event);
    return 0;
}

static int submit(ndshm_job *job, const ndshm_job_config *config)
{
    struct ndshm__facts facts;
    int status = gather(job, config, &facts);
    if (!status)
        status = place(job, &facts);
    if (status)
        return status;
    link_job(job);
    status = announce(job, config);
    pthread_mutex_unlock(&job->pool->mutex);
    return status;
}

int ndshm__pool_submit(ndshm_pool *pool, const ndshm_job_config *given, ndshm_job **out)
{
    ndshm_job_config config;
    int status = ndshm__job_config(given, &config);
    if (!status && config.context)
        status =
            ndshm__fail(-EINVAL, "a context is for ndshm_map: tasks of a pool get the one that "
                                 "it was opened with; leave it NULL");
    if (status)
        return status;
    ndshm_job *job = ndshm__alloc(sizeof *job);
    if (!job)
        return ndshm__fail(-ENOMEM, "no memory for a job");
    job->generation = pool->generation;
    job->entry = -1;
    pthread_mutex_lock(&pool->mutex);
    job->pool = pool;
    pool->references++;
    pthread_mutex_unlock(&pool->mutex);
    status = submit(job, &config);
    if (status) {
        ndshm__job_free(job);
        return status;
    }
    if (config.flags & NDSHM_JOB_PROGRESS)
        ndshm__bar_begin(job);
    *out = job;
    return 0;
}

int ndshm_pool_submit(ndshm_pool *pool, const ndshm_job_config *config, ndshm_job **out)
{
    ndshm__begin("ndshm_pool_submit");
    int status = ndshm__pool_check(pool);
    return status ? status : ndshm__pool_submit(pool, config, out);
}

int ndshm_pool_map(ndshm_pool *pool, const ndshm_job_config *config, ndshm_job **out)
{
    ndshm_job *job = NULL;
    ndshm__begin("ndshm_pool_map");
    int status = ndshm__pool_check(pool);
    if (!status)
        status = ndshm__pool_submit(pool, config, &job);
    if (status)
        return status;
    status = ndshm__job_wait(job, -1);
    if (status && status != NDSHM_ETASK) {
        ndshm__job_free(job);
        return status;
    }
    *out = job;
    return 0;
}

int ndshm_map(const ndshm_job_config *config, int workers, ndshm_job **out)
{
    ndshm_job_config own;
    ndshm_pool_config pool_config;
    ndshm_pool *pool;
    ndshm_job *job = NULL;
    ndshm__begin("ndshm_map");
    int status = ndshm__job_config(config, &own);
    if (!status && workers < 0)
        status = ndshm__fail(-EINVAL, "%d workers", workers);
    if (status)
        return status;
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = workers;
    pool_config.context = own.context;
    own.context = NULL;
    status = ndshm__pool_open(&pool_config, &pool);
    if (status)
        return status;
    status = ndshm__pool_submit(pool, &own, &job);
    if (!status)
        status = ndshm__job_wait(job, -1);
    if (status == 0 || status == NDSHM_ETASK)
        status = ndshm__pool_stop(pool, -1);
    if (status) {
        ndshm__job_free(job);
        ndshm__pool_close(pool);
        return status;
    }
    job->owns_pool = true;
    *out = job;
    return 0;
}
