/* SPDX-License-Identifier: MIT */
/* A fork-based pool whose workers are given names, never payloads. */
#ifndef NDSHM_POOL_H
#define NDSHM_POOL_H

#include "array.h"
#include "frame.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ndshm_pool ndshm_pool;
typedef struct ndshm_job ndshm_job;
typedef struct ndshm_task ndshm_task;
typedef struct ndshm_worker ndshm_worker;

/* A task function. Returns 0, or a status that becomes the task's; "return ndshm_task_fail(task,
 * status, NULL);" passes the library's message on with it. It runs in a worker, in a process forked
 * from the host when the pool was opened: globals have the values of that moment. */
typedef int (*ndshm_task_fn)(ndshm_task *task);

enum {
    NDSHM_WORKERS_MAX = 120,
    NDSHM_WORKERS_NONE = -1 /* none of its own: only those that join serve the pool */
};

/* ndshm_pool_config.pin: the CPUs that a worker may use. */
enum {
    NDSHM_PIN_NONE = 0, /* those of the process that opened the pool */
    NDSHM_PIN_CORE = 1, /* one of them, round robin */
    NDSHM_PIN_NODE = 2  /* those of one NUMA node, round robin: what a worker touches first lies in
                           the node's memory. On a machine with one node as NDSHM_PIN_NONE. -ENOTSUP
                           when built without libnuma */
};

enum { NDSHM_THREADS_KEEP = -1 };

typedef struct ndshm_pool_config {
    uint32_t size;
    uint32_t flags;
    int32_t workers; /* 0: the CPUs that this process may use: its affinity mask, the quotas of its
                        cgroup and all ancestors, and inside a task that worker's share */
    int32_t threads; /* most threads that OpenMP, OpenBLAS, MKL and BLIS use in a worker: 0: the
                        CPUs divided by the workers; NDSHM_THREADS_KEEP: as in the process that
                        opens the pool. Fewer stay as they are. 1 when GCC's OpenMP may have run
                        before the open, since it cannot use more after a fork */
    void *context;   /* ndshm_task_context of every task; inherited by fork */
    int (*init)(void *context);  /* in each worker before its first task; failing ends the pool */
    void (*fini)(void *context); /* in each worker that ends in order */
    char label[64];
    int32_t pin;              /* NDSHM_PIN_* */
    int32_t max_tasks;        /* a worker that has run so many tasks is replaced; 0: never */
    int64_t cache_bytes;      /* most memory in results of arrays that nobody uses any more and that
                                 tasks get again; 0: 256 MB or a quarter of /dev/shm, whichever is less;
                                 -1: none. It is given back when the pool is idle for two seconds */
    int64_t max_worker_bytes; /* a worker whose own memory has grown by more is replaced between two
                                 tasks; 0: never */
    int (*fork)(void *context); /* NULL, or what to call instead of fork(2), which it must do: in
                                   the host for the supervisor, in that for each worker. The pid, 0
                                   in the child, a negative errno */
} ndshm_pool_config;

NDSHM_API void ndshm_pool_config_init(ndshm_pool_config *config);

/* ndshm_job_config.flags: call the function once a chunk, with ndshm_task_range. The index of such
 * a call is its first one. Its fate is that of every index of the range: ndshm_job_failed counts
 * indices, ndshm_job_next gives one result a range. */
enum { NDSHM_JOB_RANGES = 1 };

/* ndshm_job_config.flags: whoever waits for the job, or for its next result, draws a line with its
 * progress, rate and remaining time on standard error, if that is a terminal. It begins with the
 * pool's label. */
enum { NDSHM_JOB_PROGRESS = 2 };

/* ndshm_job_config.flags: what ndshm_task_create gives may hold bytes of a former result of the
 * pool instead of zeroes: for tasks that write all of it, which costs what a memcpy does then. */
enum { NDSHM_JOB_UNINITIALIZED = 4 };

/* ndshm_job_config.order: of what ndshm_job_next gives */
enum {
    NDSHM_ORDER_INDEX = 0,    /* that of the tasks */
    NDSHM_ORDER_COMPLETED = 1 /* whatever has ended */
};

/* ndshm_job_config.count: tasks are fed one by one while the job runs. */
enum { NDSHM_STREAM = -1, NDSHM_WINDOW_MAX = 16384 };

/* ndshm_job_config.on_error */
enum {
    NDSHM_ERROR_CONTINUE = 0, /* the other tasks go on */
    NDSHM_ERROR_STOP = 1      /* no further task is begun */
};

typedef struct ndshm_job_config {
    uint32_t size;
    uint32_t flags;       /* NDSHM_JOB_* */
    ndshm_task_fn fn;     /* or function */
    const char *function; /* a name that workers look up with ndshm_task_function, when fn is NULL:
                             in forked workers an exported symbol of type ndshm_task_fn, which
                             in a program needs linking with -rdynamic */
    const void *params;   /* copied: the same bytes for every task */
    size_t params_size;
    const char *const *shared; /* references that every task may attach, by position */
    int32_t nshared;
    int32_t on_error; /* NDSHM_ERROR_* */
    const char *const
        *items;    /* count references or other short texts (1024 bytes), one a task; or NULL */
    int64_t count; /* number of tasks, or NDSHM_STREAM: then items and output must be NULL, chunk 0
                      or 1, and there are no ranges */
    int64_t chunk; /* tasks claimed at once; 0: chosen from count alone */
    const char *output; /* reference of a writable array with shape[0] == count, or NULL */
    uint64_t seed;      /* of ndshm_task_random */
    int32_t retries;    /* how often a task whose worker died, or that missed its deadline, is
                           offered again; its part of the output is then as the dead worker left it */
    int32_t timeout_ms; /* deadline of each call of the function; 0: none. When it passes, the
                           worker is killed, also a stopped one, and the task's status is
                           -ETIMEDOUT. A worker that joined is not killed: ndshm_task_cancelled
                           tells it, and what it finishes later fails with -ETIMEDOUT */
    int32_t order;      /* NDSHM_ORDER_* */
    int32_t window;     /* of a stream: most tasks that are fed and not yet given by ndshm_job_next;
                           0: 64 */
    int64_t max_result_bytes; /* of array results that nobody took: a task that would exceed it
                                 waits in ndshm_task_create, but for the one that ndshm_job_next
                                 waits for next, so that reading cannot stop; while somebody is in
                                 ndshm_job_wait there is no limit. 0: none. chunk 0 is 1 then. A
                                 deadline does not run meanwhile */
    void *context; /* ndshm_map only: ndshm_task_context. With a pool -EINVAL: tasks get the context
                      that the pool was opened with */
} ndshm_job_config;

NDSHM_API void ndshm_job_config_init(ndshm_job_config *config);

typedef struct ndshm_result {
    int64_t index;
    int32_t status; /* 0, or why the task failed; -EINPROGRESS: it has not ended yet */
    int32_t signal; /* that killed its worker, or 0 */
    int32_t attempts;
    int32_t worker;   /* slot of the worker that ran it last, or -1 when not recorded */
    int64_t start_ns; /* CLOCK_MONOTONIC; 0 when not recorded (jobs of more than 65,536 tasks) */
    int64_t end_ns;
    char name[256]; /* of the result segment, or "" */
    char message[256];
    uint64_t reserved[4];
} ndshm_result;

typedef struct ndshm_progress {
    int64_t count; /* of a stream: fed up to now */
    int64_t done;  /* ended, failed ones included */
    int64_t failed;
    int64_t running;
    int32_t workers;  /* alive now */
    int32_t finished; /* 1: nothing will change any more */
    int64_t deaths;   /* workers of the pool that died at work */
    int64_t reserved[5];
} ndshm_progress;

/* Opens a pool: forks a supervisor, which forks the workers. Call it before threads are started,
 * where that can be had. Errors: -EAGAIN, -ENOMEM (fork), -ENOSPC, -EINVAL (config), NDSHM_EWORKER
 * (init failed). */
NDSHM_API int ndshm_pool_open(const ndshm_pool_config *config, ndshm_pool **out);

/* The pool's name: what ndshm_worker_join takes. Owned by the handle. */
NDSHM_API const char *ndshm_pool_name(const ndshm_pool *pool);

/* Number of workers that the pool keeps. */
NDSHM_API int ndshm_pool_workers(const ndshm_pool *pool);

/* Starts a job and returns at once. References are checked, and their segments held until the job
 * is closed. Errors: -EINVAL (config; fn from an object loaded after the open), those of attaching
 * a reference, NDSHM_ESHAPE (output), -ENOSPC, NDSHM_EWORKER, -EPERM (in a forked child),
 * NDSHM_ECANCELED (the pool was stopped). */
NDSHM_API int ndshm_pool_submit(ndshm_pool *pool, const ndshm_job_config *config, ndshm_job **out);

/* Submits and waits. 0 when the job ran to its end, also when tasks failed: ndshm_job_wait(job, 0)
 * tells, and ndshm_job_result says which and why. */
NDSHM_API int ndshm_pool_map(ndshm_pool *pool, const ndshm_job_config *config, ndshm_job **out);

/* One-shot: forks workers now, so that everything the caller has is inherited, runs the job, ends
 * the workers. workers 0: the CPUs that this process may use. Returns as ndshm_pool_map; results
 * stay until the job is closed. */
NDSHM_API int ndshm_map(const ndshm_job_config *config, int workers, ndshm_job **out);

/* For event loops: a descriptor that becomes readable when a task or a job has ended, or the pool.
 * Each call takes that back first: call it, then read what has ended (ndshm_job_next with
 * timeout_ms 0), then wait for it. It belongs to the pool, which closes it. Errors: -EMFILE,
 * -EPERM. */
NDSHM_API int ndshm_pool_fd(ndshm_pool *pool);

/* Finishes what was submitted and ends the processes. -ETIMEDOUT: still working (timeout_ms -1:
 * wait for ever). Results stay until the pool is closed. */
NDSHM_API int ndshm_pool_stop(ndshm_pool *pool, int timeout_ms);

/* Ends the processes at once, unlinks everything that was not taken, sets *pool to NULL. Job
 * handles stay valid and must still be closed. */
NDSHM_API void ndshm_pool_close(ndshm_pool **pool);

/* Waits for the end. 0: all tasks succeeded; NDSHM_ETASK: some failed; NDSHM_ECANCELED; -ETIMEDOUT;
 * NDSHM_EWORKER: the pool died. */
NDSHM_API int ndshm_job_wait(ndshm_job *job, int timeout_ms);

/* How many tasks have failed up to now. */
NDSHM_API int64_t ndshm_job_failed(const ndshm_job *job);

/* The next result in the order that the config says, as soon as it is there; each one once.
 * -ENOENT after the last; -ETIMEDOUT; NDSHM_EWORKER. In a stream it makes room for another task:
 * what a task left can be taken until as many more results as the window holds were given, and is
 * then unlinked. */
NDSHM_API int ndshm_job_next(ndshm_job *job, int timeout_ms, ndshm_result *out);

/* Adds a task to a stream: item is its text (1024 bytes), its index the number of tasks fed before
 * it. While the window is full it waits until another thread calls ndshm_job_next; who has one
 * thread only gives timeout_ms 0, and reads results when that fails. -ETIMEDOUT: still full;
 * -EINVAL: no stream, no item; -EPIPE: ndshm_job_end was called; NDSHM_ECANCELED; NDSHM_EWORKER. */
NDSHM_API int ndshm_job_feed(ndshm_job *job, const char *item, int timeout_ms);

/* No more tasks will be fed: the job ends with the last one. -EINVAL: no stream. */
NDSHM_API int ndshm_job_end(ndshm_job *job);

/* The fate of one task. -ERANGE: no such task, or one that has left a stream. */
NDSHM_API int ndshm_job_result(const ndshm_job *job, int64_t index, ndshm_result *out);

/* Moves the result segment of a task to the caller: it becomes temporary and outlives job and pool.
 * -ENOENT: the task left no result, or it was taken; the task's own status when it failed;
 * -EINPROGRESS. */
NDSHM_API int ndshm_job_take(ndshm_job *job, int64_t index, int access, ndshm_array **out);
NDSHM_API int ndshm_job_take_frame(ndshm_job *job, int64_t index, int access, ndshm_frame **out);

NDSHM_API int ndshm_job_progress(const ndshm_job *job, ndshm_progress *out);

/* What a job has cost up to now. Times and workers are known of jobs of up to 65,536 tasks that are
 * no streams, and 0 otherwise; the clock is CLOCK_MONOTONIC. */
typedef struct ndshm_stats {
    int64_t retries;      /* how often a task was offered again after its worker died */
    int64_t bytes_shared; /* of the segments that the job refers to, and of the results that its
                             tasks created: mapped, not copied */
    int64_t bytes_copied; /* parameters and texts: what the job was handed by value */
    int64_t start_ns;     /* of the first task that has ended */
    int64_t end_ns;       /* of the last one */
    int64_t busy_ns;      /* in tasks, all workers together */
    double idle; /* share of these workers' time from start_ns to end_ns that was spent elsewhere */
    int32_t workers; /* that ran tasks of it */
    int32_t reserved[9];
} ndshm_stats;

NDSHM_API int ndshm_job_stats(const ndshm_job *job, ndshm_stats *out);

/* The part of one worker in it. */
typedef struct ndshm_worker_stats {
    int64_t tasks; /* that it ended, failed ones included */
    int64_t failed;
    int64_t start_ns; /* of its first task; 0: it had none */
    int64_t end_ns;
    int64_t busy_ns;
    int64_t reserved[3];
} ndshm_worker_stats;

/* worker: a slot, as in ndshm_result. -ERANGE. */
NDSHM_API int ndshm_job_worker_stats(const ndshm_job *job, int worker, ndshm_worker_stats *out);

/* Writes a file in the Trace Event Format, one bar a task and one row a worker, that
 * ui.perfetto.dev and chrome://tracing open. Tasks that have not ended are not in it. -ENOTSUP:
 * more than 65,536 tasks, or a stream; errors of writing, after which there is no file. */
NDSHM_API int ndshm_job_trace(const ndshm_job *job, const char *path);

/* Any process of the same user can watch a job by its name, as long as it is among the 64 that its
 * pool holds at a time: the handle is for ndshm_job_progress, _failed, _result, _trace, _name and
 * _close; others are -EPERM. -ENOENT: no such job, or not any more; -EINVAL: not the name of a job.
 */
NDSHM_API int ndshm_job_attach(const char *name, ndshm_job **out);

/* Lists the names of the jobs that a pool holds now, finished ones too until they are closed or
 * their place is needed. _next copies a name into a buffer of size bytes; -ENOENT after the last
 * one; -ERANGE: the buffer is too small (NDSHM_NAME_MAX + 1 is enough). Errors of _open: -ENOENT,
 * NDSHM_EKIND, NDSHM_EVERSION and others of attaching. */
typedef struct ndshm_jobs ndshm_jobs;
NDSHM_API int ndshm_jobs_open(const char *pool, ndshm_jobs **out);
NDSHM_API int ndshm_jobs_next(ndshm_jobs *jobs, char *name, size_t size);
NDSHM_API void ndshm_jobs_close(ndshm_jobs **jobs);

/* The job's name, "POOL.job.NUMBER", for messages and logs. Jobs too large for a place in the
 * pool's own segment are listed under it. Owned by the handle. */
NDSHM_API const char *ndshm_job_name(const ndshm_job *job);

/* Begins no further task. Those that run may look at ndshm_task_cancelled. */
NDSHM_API int ndshm_job_cancel(ndshm_job *job);

/* Cancels what has not begun, unlinks the results that nobody took, sets *job to NULL. */
NDSHM_API void ndshm_job_close(ndshm_job **job);

/* Inside a task. Pointers and handles are borrowed until the task ends; detaching one does nothing
 * but set the pointer to NULL. */
NDSHM_API int64_t ndshm_task_index(const ndshm_task *task);
NDSHM_API void ndshm_task_range(const ndshm_task *task, int64_t *begin, int64_t *end);
NDSHM_API const void *ndshm_task_params(const ndshm_task *task,
                                        size_t *size);         /* size may be NULL */
NDSHM_API const char *ndshm_task_item(const ndshm_task *task); /* NULL when the job has none */
NDSHM_API void *ndshm_task_context(const ndshm_task *task);
NDSHM_API int ndshm_task_cancelled(const ndshm_task *task);
NDSHM_API const char *ndshm_task_function(const ndshm_task *task); /* NULL when the job has fn */

/* A shared reference of the job, attached once a worker and job; access NDSHM_READ, NDSHM_COW or
 * NDSHM_WRITE. */
NDSHM_API int ndshm_task_shared(ndshm_task *task, int position, int access, ndshm_array **out);
NDSHM_API int ndshm_task_shared_frame(ndshm_task *task, int position, int access,
                                      ndshm_frame **out);

/* This task's part of the output: output[index], or output[begin:end] with NDSHM_JOB_RANGES. */
NDSHM_API int ndshm_task_output(ndshm_task *task, ndshm_view *out);

/* The result of this task, to be filled (it begins as zeroes but with NDSHM_JOB_UNINITIALIZED): it
 * is published when the task succeeds, and dropped when it fails. One a task: -EALREADY. Errors as
 * ndshm_array_create and ndshm_frame_create. */
NDSHM_API int ndshm_task_create(ndshm_task *task, ndshm_dtype dtype, int ndim, const int64_t *shape,
                                ndshm_array **out);
NDSHM_API int ndshm_task_create_frame(ndshm_task *task, int64_t rows,
                                      const ndshm_column_spec *columns, int ncolumns,
                                      ndshm_frame **out);

/* Hands over an existing segment as the result; with the job it is unlinked, unless somebody takes
 * it. */
NDSHM_API int ndshm_task_return(ndshm_task *task, const char *name);

/* Records status and message (both may be read by the submitter) and returns status: "return
 * ndshm_task_fail(task, -EINVAL, "odd row");". message NULL: that of the last error. */
NDSHM_API int ndshm_task_fail(ndshm_task *task, int status, const char *message);

/* The next number of this task's random stream, which (seed, index) alone determines
 * (SplitMix64, Steele et al. 2014). */
NDSHM_API uint64_t ndshm_task_random(ndshm_task *task);

/* Any process of the same user can serve a pool. Forked workers run the same loop. */
NDSHM_API int ndshm_worker_join(const char *pool, ndshm_worker **out);

/* The next task. -ETIMEDOUT; NDSHM_ECANCELED: the pool is over. */
NDSHM_API int ndshm_worker_next(ndshm_worker *worker, int timeout_ms, ndshm_task **out);

/* Ends the task with its status (0: publishes its result). message may be NULL. */
NDSHM_API int ndshm_task_finish(ndshm_task *task, int status, const char *message);

NDSHM_API void ndshm_worker_leave(ndshm_worker **worker);

#ifdef __cplusplus
}
#endif
#endif
