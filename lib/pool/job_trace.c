/* SPDX-License-Identifier: MIT */
/* The records of a job in the Trace Event Format of Chrome, which Perfetto reads, too. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/os_spawn.h"
#include "frame/format.h"
#include "pool/pool.h"

struct trace {
    const ndshm_job *job;
    FILE *file;
    int pid;
    bool seen[NDSHM_WORKERS_MAX]; /* workers that have a name by now */
};

/* A JSON string. Bytes that are not UTF-8 become U+FFFD. */
static void put_text(FILE *file, const char *text)
{
    bool valid = ndshm__utf8_valid(text, strlen(text));
    fputc('"', file);
    for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++) {
        if (*byte < 0x20 || *byte == '"' || *byte == '\\')
            fprintf(file, "\\u%04x", *byte);
        else if (*byte >= 0x80 && !valid)
            fputs("\\ufffd", file);
        else
            fputc(*byte, file);
    }
    fputc('"', file);
}

/* The first event has no comma before it: that of the process's name. */
static void put_process(const struct trace *trace)
{
    fprintf(trace->file,
            "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n"
            "{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": %d, \"args\": {\"name\": ",
            trace->pid);
    put_text(trace->file, trace->job->name);
    fputs("}}", trace->file);
}

static void put_worker(struct trace *trace, int worker)
{
    if (trace->seen[worker])
        return;
    trace->seen[worker] = true;
    fprintf(trace->file,
            ",\n{\"ph\": \"M\", \"name\": \"thread_name\", \"pid\": %d, \"tid\": %d, "
            "\"args\": {\"name\": \"worker %d\"}}",
            trace->pid, worker + 1, worker);
}

/* What a unit is called: its item, the function of the job, or just a task. */
static void unit_name(const ndshm_job *job, int64_t task, char name[NDSHM_REF_MAX + 1])
{
    const struct ndshm__facts *facts = &job->view.facts;
    int64_t text = facts->flags & NDSHM__JOB_ITEMS ? NDSHM__TEXT_SHARED + facts->nshared + task
                                                   : NDSHM__TEXT_FUNCTION;
    if (ndshm__layout_text(&job->view, text, name) || !*name)
        snprintf(name, NDSHM_REF_MAX + 1, "task");
}

static void put_unit(struct trace *trace, const ndshm_result *result, int64_t tasks,
                     const char *name)
{
    FILE *file = trace->file;
    put_worker(trace, result->worker);
    fprintf(file, ",\n{\"ph\": \"X\", \"cat\": \"%s\", \"name\": ",
            result->status ? "task,failed" : "task");
    put_text(file, name);
    int64_t duration = result->end_ns - result->start_ns;
    fprintf(file,
            ", \"pid\": %d, \"tid\": %d, \"ts\": %" PRId64 ".%03d, \"dur\": %" PRId64 ".%03d, "
            "\"args\": {\"index\": %" PRId64 ", \"tasks\": %" PRId64
            ", \"attempts\": %d, \"status\": ",
            trace->pid, result->worker + 1, result->start_ns / 1000, (int)(result->start_ns % 1000),
            duration / 1000, (int)(duration % 1000), result->index, tasks, result->attempts);
    put_text(file, result->status ? result->message : "ok");
    fputs("}}", file);
}

/* Units that have not ended, and those whose record somebody wrote over, are left out. */
static bool has_times(const ndshm_result *result)
{
    return result->status != -EINPROGRESS && result->worker >= 0 &&
           result->worker < NDSHM_WORKERS_MAX && result->start_ns > 0 &&
           result->end_ns >= result->start_ns;
}

static int put_units(struct trace *trace)
{
    const ndshm_job *job = trace->job;
    char name[NDSHM_REF_MAX + 1];
    for (int64_t unit = 0; unit < job->view.units; unit++) {
        int64_t begin, end;
        ndshm_result result;
        int status = ndshm__job_lock_any(job);
        if (status)
            return status;
        ndshm__layout_tasks(&job->view, unit, &begin, &end);
        unit_name(job, begin, name);
        status = ndshm__watch_check(job); /* else the name may be that of another job's task */
        ndshm__job_unlock(job);
        if (!status)
            status = ndshm_job_result(job, begin, &result);
        if (status)
            return status;
        if (has_times(&result))
            put_unit(trace, &result, end - begin, name);
    }
    return 0;
}

static int write_trace(const ndshm_job *job, FILE *file)
{
    struct trace trace = {.job = job, .file = file, .pid = ndshm__os_pid()};
    put_process(&trace);
    int status = put_units(&trace);
    fputs("\n]}\n", file);
    return status ? status : ferror(file) ? -EIO : 0;
}

int ndshm_job_trace(const ndshm_job *job, const char *path)
{
    ndshm__begin("ndshm_job_trace");
    int status = ndshm__job_lock_any(job);
    if (status)
        return status;
    ndshm__job_unlock(job);
    if (!path)
        return ndshm__fail(-EINVAL, "no path");
    if (!job->view.records || ndshm__layout_is_stream(&job->view))
        return ndshm__fail(-ENOTSUP,
                           "%s: times are kept of jobs of up to %d tasks, and not of streams",
                           job->name, NDSHM__RECORDS_MAX);
    FILE *file;
    status = ndshm__os_print_output(path, &file);
    if (status)
        return ndshm__fail(status, "'%s': %s", path, ndshm_strerror(status));
    status = write_trace(job, file);
    if (fclose(file) != 0 && !status)
        status = -errno;
    if (!status)
        return 0;
    ndshm__os_remove(path);
    ndshm__begin("ndshm_job_trace");
    return ndshm__fail(status, "'%s': writing: %s", path, ndshm_strerror(status));
}
