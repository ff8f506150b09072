/* SPDX-License-Identifier: MIT */
/* A job in shared memory. What it is (facts) is written once, read once into private memory, and
 * checked; where everything lies follows from the facts, in every process by the same function. */
#ifndef NDSHM_LIB_POOL_LAYOUT_H
#define NDSHM_LIB_POOL_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <ndshm/pool.h>

#include "pool/chunks.h"

enum {
    NDSHM__JOB_LAYOUT = 0x314a444e, /* "NDJ1" */
    NDSHM__SHARED_MAX = 4096,
    NDSHM__RETRIES_MAX = 100,
    NDSHM__RECORDS_MAX = 65536, /* tasks of a job whose times are kept */
    NDSHM__NEWS_MAX = 256,      /* messages that are kept, of a job that is no stream */
    NDSHM__ITEM_SIZE = NDSHM_REF_MAX + 1,
    NDSHM__FN_BY_NAME = -1
};

enum { /* facts.flags, beside NDSHM_JOB_RANGES */
       NDSHM__JOB_ITEMS = 0x100,
       NDSHM__JOB_OUTPUT = 0x200,
       NDSHM__JOB_COMPLETED = 0x800, /* results are read as they come */
       NDSHM__JOB_STREAM = 0x400     /* count places, which are used again and again */
};

struct ndshm__facts {
    uint32_t layout;
    uint32_t flags;
    uint64_t id;
    int64_t count;
    int64_t chunk;
    uint64_t seed;
    int64_t params_size;
    int64_t texts_size;
    int64_t fn_offset;
    int32_t fn_object; /* index in the host's snapshot of loaded objects, or NDSHM__FN_BY_NAME */
    int32_t nshared;
    int32_t retries;
    int32_t on_error;
    uint8_t output_uuid[16];
    int32_t timeout_ms;
    uint32_t unused;
    int64_t max_result_bytes;
    uint8_t reserved[16];
};

enum { NDSHM__JOB_RUNNING = 1, NDSHM__JOB_DONE = 2 };                          /* state */
enum { NDSHM__STOP_CANCEL = 1, NDSHM__STOP_ERROR = 2, NDSHM__STOP_CLOSE = 3 }; /* stop */

/* A chunk's claim byte: free, owned by slot (value - 1), or final. */
enum { NDSHM__CLAIM_FREE = 0, NDSHM__CLAIM_FINAL = 0x80 };

/* A unit is what one call of the function does: a task, or with NDSHM_JOB_RANGES a chunk. Its state
 * byte: */
enum {
    NDSHM__UNIT_PENDING = 0,
    NDSHM__UNIT_RUNNING = 1,
    NDSHM__UNIT_FINAL = 0x80, /* this bit is in all that follow */
    NDSHM__UNIT_OK = 0x80,
    NDSHM__UNIT_RESULT = 0x81,    /* succeeded, and left a segment */
    NDSHM__UNIT_REFERENCE = 0x82, /* succeeded, and left the name of a segment */
    NDSHM__UNIT_TAKEN = 0x83,     /* succeeded; the result is somebody's */
    NDSHM__UNIT_FAILED = 0xC0,    /* this bit means failure */
    NDSHM__UNIT_LOST = 0xC1,      /* its worker died */
    NDSHM__UNIT_LATE = 0xC2       /* it missed its deadline */
};

/* Times and more of one unit. */
struct ndshm__record {
    int64_t start_ns;
    int64_t end_ns;
    int32_t status;
    int16_t worker; /* slot + 1; 0: not recorded */
    uint8_t reserved[10];
};

/* What failed, and why. Claimed by a counter, complete when ready. */
struct ndshm__news {
    int64_t unit;
    int32_t status;
    int16_t signal;
    atomic_ushort ready;
    char message[256];
};

struct ndshm__job_memory {
    struct ndshm__facts facts;
    _Alignas(64) _Atomic uint32_t state;
    _Atomic uint32_t stop;
    _Atomic uint32_t failed;           /* not 0 once a unit failed */
    _Atomic uint32_t results;          /* not 0 once a unit left a result */
    _Atomic int64_t result_bytes;      /* of all results, only for people */
    _Alignas(64) _Atomic int64_t hint; /* where to look for free chunks; the bytes are the truth */
    _Alignas(64) _Atomic int64_t news_count;
    _Alignas(64) _Atomic int64_t fed; /* of a stream, as the next three */
    _Atomic int64_t past_done;        /* of tasks whose place was given to others */
    _Atomic int64_t past_failed;
    _Atomic uint32_t ended;   /* not 0: nothing more will be fed */
    _Atomic int64_t given;    /* results that ndshm_job_next gave; only while there is a limit */
    _Atomic uint32_t waiting; /* threads in ndshm_job_wait, likewise */
    _Atomic int64_t untaken_bytes; /* that nobody took; only while there is a limit */
};

static_assert(sizeof(struct ndshm__facts) == 128, "facts");
static_assert(sizeof(struct ndshm__record) == 32, "record");
static_assert(sizeof(struct ndshm__news) == 272, "news");
static_assert(sizeof(struct ndshm__job_memory) == 384, "job");
static_assert(offsetof(struct ndshm__job_memory, hint) == 192, "hint");

/* Texts by number: function, output, the shared references, the items. */
enum { NDSHM__TEXT_FUNCTION = 0, NDSHM__TEXT_OUTPUT = 1, NDSHM__TEXT_SHARED = 2 };

/* A job as this process sees it. */
struct ndshm__job_view {
    struct ndshm__facts facts; /* private copy */
    struct ndshm__chunks chunks;
    int64_t units;
    int64_t texts;
    int64_t texts_fixed; /* of a stream: bytes before the items, which have NDSHM__ITEM_SIZE each */
    int64_t news_size;
    struct ndshm__job_memory *memory;
    _Atomic uint8_t *claims;       /* chunks.total, then final ones up to a multiple of 64 */
    _Atomic uint8_t *states;       /* units, then final ones */
    _Atomic uint8_t *attempts;     /* units, or NULL when there are no retries */
    struct ndshm__record *records; /* units, or NULL */
    _Atomic int64_t *sequence;     /* of a stream: the task in each place */
    struct ndshm__news *news;      /* of a stream: one a place */
    uint8_t (*uuids)[16];          /* of the shared references */
    int64_t *text_begin;
    char *text;
    uint8_t *params;
};

/* Checks facts and computes how many bytes their job takes. -EINVAL, -ENOMEM, NDSHM_ESHAPE (too
 * large). The view has no memory yet. Must be freed when 0. */
int ndshm__layout_plan(const struct ndshm__facts *facts, struct ndshm__job_view *view,
                       int64_t *size);

/* Binds a planned view to its memory. */
void ndshm__layout_bind(struct ndshm__job_view *view, void *memory);

/* Writes the facts into zeroed memory and makes the job ready but for texts, uuids and params. */
void ndshm__layout_format(struct ndshm__job_view *view, void *memory);

/* Reads a job that somebody else wrote into memory of size bytes. NDSHM_ECORRUPT, -ENOMEM. */
int ndshm__layout_read(void *memory, int64_t size, struct ndshm__job_view *view);

void ndshm__layout_free(struct ndshm__job_view *view);

/* Copies text number index into buffer. NDSHM_ECORRUPT. */
int ndshm__layout_text(const struct ndshm__job_view *view, int64_t index,
                       char buffer[NDSHM_REF_MAX + 1]);

static inline bool ndshm__layout_is_stream(const struct ndshm__job_view *view)
{
    return view->facts.flags & NDSHM__JOB_STREAM;
}

/* The tasks of a unit, and the unit of a task (not of a stream). */
void ndshm__layout_tasks(const struct ndshm__job_view *view, int64_t unit, int64_t *begin,
                         int64_t *end);
int64_t ndshm__layout_unit(const struct ndshm__job_view *view, int64_t task);

/* The units of a chunk. */
void ndshm__layout_units(const struct ndshm__job_view *view, int64_t chunk, int64_t *begin,
                         int64_t *end);

#endif
