/* SPDX-License-Identifier: MIT */
#include "pool/bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/os_terminal.h"
#include "pool/pool.h"

enum {
    BAR_MIN = 10, /* cells; with less room there is none */
    BAR_MAX = 40,
    PART_SIZE = 128
};

static const int64_t period_ns = 100000000;

static void time_text(char text[PART_SIZE], double seconds)
{
    int64_t all = seconds < 3.6e8 ? (int64_t)(seconds + 0.5) : (int64_t)3.6e8;
    int hours = (int)(all / 3600), minutes = (int)(all / 60 % 60);
    if (hours)
        snprintf(text, PART_SIZE, "%d:%02d:%02d", hours, minutes, (int)(all % 60));
    else
        snprintf(text, PART_SIZE, "%d:%02d", minutes, (int)(all % 60));
}

static void rate_text(char text[PART_SIZE], double rate)
{
    static const char *const units[] = {"", "k", "M", "G"};
    int unit = 0;
    for (; rate >= 10000 && unit < 3; unit++)
        rate /= 1000;
    snprintf(text, PART_SIZE, "%.*f%s/s", rate < 100 ? 1 : 0, rate, units[unit]);
}

/* "420/1000 84.0/s 0:07 left, 3 failed" */
static void numbers_text(char text[PART_SIZE], const ndshm_progress *progress, int64_t elapsed_ns)
{
    char rate[PART_SIZE], time[PART_SIZE] = "-:--", failed[PART_SIZE] = "";
    double seconds = (double)elapsed_ns * 1e-9;
    double per_second = seconds > 0 ? (double)progress->done / seconds : 0;
    rate_text(rate, per_second);
    if (progress->finished)
        time_text(time, seconds);
    else if (per_second > 0)
        time_text(time, (double)(progress->count - progress->done) / per_second);
    if (progress->failed)
        snprintf(failed, PART_SIZE, ", %" PRId64 " failed", progress->failed);
    snprintf(text, PART_SIZE, "%" PRId64 "/%" PRId64 " %.20s %s%.20s%s%.40s", progress->done,
             progress->count, rate, progress->finished ? "in " : "", time,
             progress->finished ? "" : " left", failed);
}

int ndshm__bar_text(char line[NDSHM__BAR_WIDTH_MAX], int width, const char *label,
                    const ndshm_progress *progress, int64_t elapsed_ns)
{
    char numbers[PART_SIZE], cells[BAR_MAX + 4] = "";
    double part = progress->count ? (double)progress->done / (double)progress->count : 1;
    width = width < NDSHM__BAR_WIDTH_MAX ? width : NDSHM__BAR_WIDTH_MAX;
    numbers_text(numbers, progress, elapsed_ns);
    int room = width - 1 - (int)(strlen(label) + strlen(numbers)) - (*label ? 1 : 0) - 8;
    room = room < BAR_MAX ? room : BAR_MAX;
    if (room >= BAR_MIN) {
        memset(cells, '.', (size_t)room + 3);
        memset(cells + 1, '#', (size_t)(part * room));
        cells[0] = '[';
        cells[room + 1] = ']';
        cells[room + 2] = ' ';
    }
    int length = snprintf(line, (size_t)width, "%s%s%3d%% %s%s", label, *label ? " " : "",
                          (int)(100 * part), cells, numbers);
    return length < width ? length : width - 1;
}

/* The label is the user's, for a terminal: no control characters. */
static void clean_label(char out[64], const char *label)
{
    ndshm__text_copy(out, 64, label);
    for (char *byte = out; *byte; byte++)
        if ((unsigned char)*byte < 0x20 || *byte == 0x7f)
            *byte = '?';
}

static void draw(ndshm_job *job, const ndshm_progress *progress, int width, int64_t elapsed_ns)
{
    char label[64], line[NDSHM__BAR_WIDTH_MAX], all[NDSHM__BAR_WIDTH_MAX + 16];
    clean_label(label, job->pool->memory->label);
    int length = ndshm__bar_text(line, width, label, progress, elapsed_ns);
    length =
        snprintf(all, sizeof all, "\r%.*s\033[K%s", length, line, progress->finished ? "\n" : "");
    job->bar.open = !progress->finished;
    ndshm__os_terminal_write(all, (size_t)length);
}

void ndshm__bar_begin(ndshm_job *job)
{
    job->bar.on = ndshm__os_terminal_width() > 0;
    job->bar.began_ns = ndshm__os_now();
    atomic_flag_clear(&job->bar.drawing);
}

void ndshm__bar_step(ndshm_job *job)
{
    ndshm_progress progress = {0};
    if (!job->bar.on || atomic_flag_test_and_set(&job->bar.drawing))
        return;
    int64_t now = ndshm__os_now();
    ndshm__job_progress(job, &progress);
    if (progress.finished || now >= job->bar.next_ns) {
        int width = ndshm__os_terminal_width();
        if (width > 1)
            draw(job, &progress, width, now - job->bar.began_ns);
        job->bar.next_ns = now + period_ns;
        job->bar.on = width > 1 && !progress.finished;
    }
    atomic_flag_clear(&job->bar.drawing);
}

void ndshm__bar_end(ndshm_job *job)
{
    job->bar.next_ns = 0;
    ndshm__bar_step(job);
    if (job->bar.open)
        ndshm__os_terminal_write("\n", 1);
}
