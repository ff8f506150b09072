/* SPDX-License-Identifier: MIT */
/* A frame cut into partitions by row index modulo their number, without copying a row: the frame is
 * shared, and partition 7 of 100 is every hundredth row from row 7 on ("NAME[7::100]" is its name
 * for anybody else). For each partition the mean of VALUE for each ID; then the partitions are
 * combined. Neighbouring partitions are one call: their rows share cache lines.
 *
 *     w6_partitions [--rows 1000000] [--partitions 100] [--ids 50] [--workers 0] */
#include <errno.h>

#include "demo.h"

enum { CHUNK = 16 }; /* partitions a call: rows of two cache lines */

/* Of one ID. */
struct group {
    double count, sum;
};

/* --- some partitions --- */

struct plan {
    int64_t rows, partitions, ids;
};

/* groups: those of partition begin, then those of the next one, ... */
static int sum_groups(const struct plan *plan, const ndshm_frame *frame, int64_t begin, int64_t end,
                      struct group *groups)
{
    ndshm_column id, value;
    int status = ndshm_frame_column(frame, 0, &id);
    if (!status)
        status = ndshm_frame_column(frame, 1, &value);
    if (status)
        return status;
    for (int64_t turn = 0; turn < plan->rows; turn += plan->partitions)
        for (int64_t row = turn + begin; row < turn + end && row < plan->rows; row++) {
            int64_t which = ((const int64_t *)id.data)[row];
            if (which < 0 || which >= plan->ids)
                return -ERANGE;
            struct group *group = &groups[(row - turn - begin) * plan->ids + which];
            group->count += 1;
            group->sum += ((const double *)value.data)[row];
        }
    return 0;
}

static int sum_partitions(ndshm_task *task)
{
    ndshm_frame *frame;
    ndshm_view groups;
    int64_t begin, end;
    ndshm_task_range(task, &begin, &end);
    int status = ndshm_task_shared_frame(task, 0, NDSHM_READ, &frame);
    if (!status)
        status = ndshm_task_output(task, &groups);
    if (!status)
        status = sum_groups(ndshm_task_params(task, NULL), frame, begin, end, groups.data);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

/* --- all of them --- */

static double pool_groups(const struct plan *plan, ndshm_pool *pool, const ndshm_frame *frame,
                          ndshm_array *groups)
{
    const char *shared[] = {ndshm_frame_name(frame)};
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.flags = NDSHM_JOB_RANGES;
    config.fn = sum_partitions;
    config.count = plan->partitions;
    config.chunk = CHUNK;
    config.params = plan;
    config.params_size = sizeof *plan;
    config.shared = shared;
    config.nshared = 1;
    config.output = ndshm_array_name(groups);
    double start = demo_seconds();
    demo_check(ndshm_pool_submit(pool, &config, &job));
    demo_check(ndshm_job_wait(job, -1));
    double seconds = demo_seconds() - start;
    ndshm_job_close(&job);
    return seconds;
}

/* The same by a plain walk over all rows. */
static double plain_groups(const struct plan *plan, const ndshm_frame *frame, struct group *groups)
{
    ndshm_column id, value;
    demo_check(ndshm_frame_column(frame, 0, &id));
    demo_check(ndshm_frame_column(frame, 1, &value));
    double start = demo_seconds();
    for (int64_t row = 0; row < plan->rows; row++) {
        struct group *group =
            &groups[row % plan->partitions * plan->ids + ((const int64_t *)id.data)[row]];
        group->count += 1;
        group->sum += ((const double *)value.data)[row];
    }
    return demo_seconds() - start;
}

static void combine(const struct plan *plan, const struct group *groups, struct group *total)
{
    for (int64_t i = 0; i < plan->partitions * plan->ids; i++) {
        total[i % plan->ids].count += groups[i].count;
        total[i % plan->ids].sum += groups[i].sum;
    }
}

static void print_means(const struct plan *plan, const struct group *groups)
{
    struct group *total = calloc((size_t)plan->ids, sizeof *total);
    if (!total)
        exit(1);
    combine(plan, groups, total);
    printf("%6s %12s %18s %12s\n", "ID", "rows", "mean in part 0", "mean");
    for (int64_t id = 0; id < plan->ids && id < 5; id++)
        printf("%6lld %12.0f %18.6f %12.6f\n", (long long)id, total[id].count,
               groups[id].sum / groups[id].count, total[id].sum / total[id].count);
    free(total);
}

/* Values are multiples of 1/1024: sums are exact in any order. */
static ndshm_frame *make_frame(const struct plan *plan)
{
    static const ndshm_column_spec columns[] = {{"ID", "l", 0}, {"VALUE", "g", 0}};
    uint64_t state = 6;
    ndshm_frame *frame;
    ndshm_column id, value;
    demo_check(ndshm_frame_create(NULL, plan->rows, columns, 2, NULL, &frame));
    demo_check(ndshm_frame_column(frame, 0, &id));
    demo_check(ndshm_frame_column(frame, 1, &value));
    for (int64_t row = 0; row < plan->rows; row++) {
        ((int64_t *)id.data)[row] = (int64_t)(demo_random(&state) % (uint64_t)plan->ids);
        ((double *)value.data)[row] = (double)(demo_random(&state) >> 44) / 1024;
    }
    demo_check(ndshm_frame_publish(frame));
    return frame;
}

int main(int argc, char **argv)
{
    struct plan plan = {.rows = demo_option(argc, argv, "--rows", 1000000),
                        .partitions = demo_option(argc, argv, "--partitions", 100),
                        .ids = demo_option(argc, argv, "--ids", 50)};
    if (plan.rows < 1 || plan.partitions < 1 || plan.ids < 1) {
        fprintf(stderr, "w6_partitions: needs rows, partitions and ids\n");
        return 2;
    }
    const int64_t shape[] = {plan.partitions, plan.ids, 2};
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_array *groups;
    ndshm_view view;
    ndshm_pool_config_init(&config);
    config.workers = (int32_t)demo_option(argc, argv, "--workers", 0);
    demo_check(ndshm_pool_open(&config, &pool));
    ndshm_frame *frame = make_frame(&plan);
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 3, shape, NULL, &groups));
    demo_check(ndshm_array_read(groups, &view));
    struct group *expected = calloc((size_t)(plan.partitions * plan.ids), sizeof *expected);
    if (!expected)
        return 1;
    double alone = plain_groups(&plan, frame, expected),
           together = pool_groups(&plan, pool, frame, groups);
    bool same = memcmp(view.data, expected, (size_t)ndshm_view_nbytes(&view)) == 0;
    demo_header();
    demo_row("partitions: mean by id", alone, together,
             16 * (long long)plan.rows + ndshm_view_nbytes(&view), (long long)sizeof plan);
    print_means(&plan, view.data);
    if (!same)
        fprintf(stderr, "w6_partitions: pool and plain results differ\n");
    free(expected);
    ndshm_array_detach(&groups);
    ndshm_frame_detach(&frame);
    ndshm_pool_close(&pool);
    return !same;
}
