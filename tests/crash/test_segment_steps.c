/* SPDX-License-Identifier: MIT */
/* SIGKILL at machine instructions of each operation on a segment: what is left is nothing, or a
 * complete segment that can be reaped, or, on the rung that publishes by a rename, a temporary name
 * that shm-inspect removes. The program's argument is the rung: "proc", "empty-path" or "rename".
 */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <ndshm/array.h>

#include "rung.h"
#include "segments.h"
#include "support.h"
#include "sweep.h"

enum { SIZE = 200, STRIDE = 499 };

static ndshm__segment *segment;
static ndshm_array *array;
static uint8_t data[SIZE];

static int make_orphan(void)
{
    return support_abandoned_segment(SWEEP_NAME, SIZE, 0);
}

static int make_temporary(void)
{
    return support_segment(SWEEP_NAME, SIZE, NDSHM_TEMPORARY, &segment);
}

static int make_unpublished(void)
{
    int64_t size = SIZE;
    ndshm__spec spec = support_spec(SWEEP_NAME, &size, NULL);
    int status = ndshm__segment_create(&spec, &segment);
    if (!status)
        support_segment_fill(segment);
    return status;
}

static int fill(void)
{
    for (int i = 0; i < SIZE; i++)
        data[i] = (uint8_t)i;
    return 0;
}

static int data_is_whole(const ndshm__segment *found)
{
    return ndshm__segment_payload_size(found) == SIZE &&
           memcmp(ndshm__segment_payload(found), data, SIZE) == 0;
}

static int create(void)
{
    return support_segment(SWEEP_NAME, SIZE, 0, &segment);
}

static int create_generated(void)
{
    return support_segment(NULL, SIZE, 0, &segment);
}

static int publish(void)
{
    return ndshm__segment_publish(segment);
}

static int create_from(void)
{
    int64_t shape = SIZE;
    ndshm_view view;
    int status = ndshm_view_init(&view, data, NDSHM_UINT8, 1, &shape, NDSHM_ORDER_C);
    return status ? status : ndshm_array_from(SWEEP_NAME, &view, NULL, &array);
}

static int create_by_appending(void)
{
    int64_t size = SIZE;
    ndshm__spec spec = support_spec(SWEEP_NAME, &size, NULL);
    spec.streamed = true;
    int status = ndshm__segment_create(&spec, &segment);
    if (!status)
        status = ndshm__segment_append(segment, data, SIZE);
    return status ? status : ndshm__segment_publish(segment);
}

static int attach(void)
{
    return ndshm__segment_attach(SWEEP_NAME, 0, NDSHM_WRITE, &segment);
}

static int detach(void)
{
    ndshm__segment_release(&segment);
    return 0;
}

static int unlink_name(void)
{
    return ndshm_unlink(SWEEP_NAME);
}

static int reap_name(const char *name)
{
    ndshm_reap_report report;
    int status = ndshm_reap(name, NULL, &report);
    return status ? status : report.decision != NDSHM_REAP_REMOVED;
}

static int reap(void)
{
    return reap_name(SWEEP_NAME);
}

static int set_lifetime(void)
{
    return ndshm_set_lifetime(SWEEP_NAME, NDSHM_TEMPORARY);
}

/* --- a dead pool of two members --- */

static int leave_member(const char *name, uint32_t kind)
{
    ndshm__spec spec = {.name = name,
                        .pool = kind == NDSHM_KIND_POOL ? NULL : SWEEP_NAME,
                        .kind = kind,
                        .payload_size = SIZE};
    ndshm__segment *made;
    int status = ndshm__segment_create(&spec, &made);
    if (!status)
        status = ndshm__segment_publish(made);
    if (!status)
        ndshm__segment_release(&made);
    return status;
}

static int make_dead_pool(void)
{
    int status = leave_member(SWEEP_NAME, NDSHM_KIND_POOL);
    if (!status)
        status = leave_member(SWEEP_NAME ".1.0.0", NDSHM_KIND_ARRAY);
    return status ? status : leave_member(SWEEP_NAME ".job.1", NDSHM_KIND_JOB);
}

/* --- the temporary name of a creator that was killed --- */

static const char draft[] = "ndshm.tmp.0123456789abcdef0123456789ab";

static int make_draft(void)
{
    int fd = open(support_path(draft), O_RDWR | O_CREAT | O_EXCL, 0600);
    int status = fd < 0 ? -1 : ftruncate(fd, 8192);
    close(fd);
    return status;
}

static int reap_draft(void)
{
    return reap_name(draft);
}

static const struct sweep_operation operations[] = {
    {.name = "create", .run = create, .whole = support_segment_is_whole},
    {.name = "create with a generated name", .run = create_generated},
    {.name = "publish",
     .begin = make_unpublished,
     .run = publish,
     .whole = support_segment_is_whole},
    {.name = "create from data", .run = create_from, .whole = data_is_whole},
    {.name = "create by appending", .run = create_by_appending, .whole = data_is_whole},
    {.name = "attach",
     .prepare = make_orphan,
     .run = attach,
     .whole = support_segment_is_whole,
     .needs_name = 1},
    {.name = "detach",
     .begin = make_temporary,
     .run = detach,
     .whole = support_segment_is_whole,
     .needs_name = 1},
    {.name = "unlink",
     .prepare = make_orphan,
     .run = unlink_name,
     .whole = support_segment_is_whole,
     .needs_name = 1},
    {.name = "reap",
     .prepare = make_orphan,
     .run = reap,
     .whole = support_segment_is_whole,
     .needs_name = 1},
    {.name = "reap a pool with members", .prepare = make_dead_pool, .run = reap, .needs_name = 1},
    {.name = "set lifetime",
     .prepare = make_orphan,
     .run = set_lifetime,
     .whole = support_segment_is_whole,
     .needs_name = 1},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static const struct sweep_operation reap_a_draft = {
    .name = "reap a temporary name", .prepare = make_draft, .run = reap_draft};

static void test_kill_at_instructions(void **state)
{
    int complaints = 0;
    (void)state;
    assert_int_equal(make_temporary(), 0); /* the self-test is not what is looked at here */
    ndshm__segment_release(&segment);
    fill();
    for (int i = 0; i < OPERATIONS; i++)
        complaints += sweep(&operations[i], STRIDE);
    if (rung_makes_drafts())
        complaints += sweep(&reap_a_draft, STRIDE);
    assert_int_equal(complaints, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {SUPPORT_TEST(test_kill_at_instructions)};
    rung_choose(argc > 1 ? argv[1] : "proc");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    step_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
