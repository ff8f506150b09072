/* SPDX-License-Identifier: MIT */
/* Where rows begin: fast where there are no quotes, and by a good guess where a part of the text is
 * seen without what comes before it. */
#include "csv/csv.h"

/* Whether a row begins behind the line feed at `at`. */
static bool begins(const char *at)
{
    return at[1] != '\n' && !(at[1] == '\r' && at[2] == '\n');
}

/* --- line feeds with a row behind them, 16 at a time --- */

typedef uint8_t lanes __attribute__((vector_size(16)));

static lanes load(const char *at)
{
    lanes value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* At most 255 times 16 bytes, so that no lane overflows. */
static int64_t count_block(const char *at, int64_t blocks)
{
    const lanes feed = (lanes){0} + '\n', back = (lanes){0} + '\r';
    lanes sum = {0};
    for (int64_t i = 0; i < blocks; i++, at += sizeof sum) {
        lanes second = load(at + 1);
        lanes found = (lanes)(load(at) == feed) & (lanes)(second != feed) &
                      ~((lanes)(second == back) & (lanes)(load(at + 2) == feed));
        sum -= found; /* a lane of ones is -1 */
    }
    int64_t total = 0;
    for (size_t i = 0; i < sizeof sum; i++)
        total += sum[i];
    return total;
}

int64_t ndshm__csv_count_lines(const char *from, const char *end, const char **last)
{
    const char *at = from, *stop = end - 1; /* a feed at stop begins a row behind end */
    int64_t count = 1;
    while (stop - at >= (int64_t)sizeof(lanes)) {
        int64_t blocks = (stop - at) / (int64_t)sizeof(lanes);
        blocks = blocks < 255 ? blocks : 255;
        count += count_block(at, blocks);
        at += blocks * (int64_t)sizeof(lanes);
    }
    for (; at < stop; at++)
        count += *at == '\n' && begins(at);
    for (at = stop - 1; at >= from && !(*at == '\n' && begins(at));)
        at--;
    *last = at + 1;
    return count;
}

/* --- guessing --- */

enum { GUESS_MAX = 1 << 14 };
enum { START, MIDDLE, QUOTED, BEHIND_QUOTE, WRONG };

struct guess {
    const char *row; /* where a row begins, or NULL */
    const char *end; /* up to where the text makes sense */
};

static int step(const struct ndshm__csv_options *options, int state, char c)
{
    if (state == QUOTED)
        return c == options->quote ? BEHIND_QUOTE : QUOTED;
    if (c == options->separator || c == '\n')
        return START;
    if (c == options->quote && state != MIDDLE)
        return QUOTED;
    if (state == BEHIND_QUOTE)
        return c == '\r' ? BEHIND_QUOTE : WRONG;
    return MIDDLE;
}

static struct guess try(const struct ndshm__csv_options *options, const char *from, const char *end,
                        int state)
{
    struct guess guess = {.end = from};
    for (; guess.end < end && (guess.end - from < GUESS_MAX || !guess.row); guess.end++) {
        bool quoted = state == QUOTED;
        state = step(options, state, *guess.end);
        if (state == WRONG)
            return guess;
        if (*guess.end == '\n' && !quoted && !guess.row)
            guess.row = guess.end + 1;
    }
    return guess;
}

const char *ndshm__csv_guess_row(const struct ndshm__csv_reader *reader, const char *from)
{
    const struct ndshm__csv_options *options = reader->options;
    const char *end = reader->window.end;
    if (!memchr(from - 1, options->quote, (size_t)(end - from) + 1)) {
        const char *feed = memchr(from - 1, '\n', (size_t)(end - from) + 1);
        return feed ? feed + 1 : end;
    }
    char before = from[-1];
    int state = before == '\n' || before == options->separator ? START
                : before == options->quote                     ? BEHIND_QUOTE
                                                               : MIDDLE;
    struct guess outside = try(options, from, end, state);
    struct guess inside = try(options, from, end, QUOTED);
    if (before == '\n' && state == START)
        outside.row = from;
    struct guess *better = inside.end > outside.end ? &inside : &outside;
    return better->row ? better->row : end;
}
