/* SPDX-License-Identifier: MIT */
/* Inside the CSV reader. The text lies in a file: the given one, or a nameless one in memory that a
 * pipe or a compressed file was brought into. It is cut into chunks of bytes, and two passes work
 * on each chunk, in any order and process. The survey finds out where its rows begin and how many
 * they are, which types they fit, how much text there is. Then the frame is made, and the filling
 * converts the rows and writes them to their places.
 *
 * What the processes share is one block of memory, the plan: header, columns, chunks, what each
 * chunk found about each column, texts. It has no name either. */
#ifndef NDSHM_LIB_CSV_H
#define NDSHM_LIB_CSV_H

#include <stdbool.h>
#include <string.h>

#include <ndshm/csv.h>

#include "csv/type.h"

/* --- options.c --- */

struct ndshm__csv_options { /* no pointers: it is shared */
    char separator, quote, decimal, thousands;
    uint32_t flags;
    uint64_t missing_sizes[256]; /* by first byte, bit n: such a missing word has n bytes */
    bool missing_empty;          /* the empty text means a missing value */
    bool missing_number;         /* one of them may read as a number */
    bool plain_numbers;          /* '.' and no thousands */
};

/* Checks the config and fills in its defaults. */
int ndshm__csv_options(const ndshm_csv_config *given, ndshm_csv_config *config,
                       struct ndshm__csv_options *out);
int ndshm__csv_check_marks(const ndshm_csv_config *config);

/* --- the plan --- */

struct ndshm__csv_column {
    uint32_t name;  /* in the texts of the plan */
    uint32_t given; /* the format given for it, with '?' or without; 0: inferred */
    uint32_t date;  /* its strptime format; 0: ISO 8601 */
    char inferred[12];
    bool unused; /* not among the columns that are wanted */
    bool nullable;
    bool exact; /* floats that are whole numbers up to now: missing values forbid integers */
    struct ndshm__csv_type type;
    uint32_t possible; /* NDSHM__CSV_FITS_* of what was seen */
    bool seen;         /* a value that is not missing */
    bool missing;
    int64_t text_bytes;
    int64_t data, validity, offsets; /* where in the file of the frame they begin; 0: none */
};

struct ndshm__csv_error {
    int32_t status; /* 0: none */
    int32_t column;
    int64_t at; /* offset in the text, -1: no matter of one place */
    char text[48];
    char why[160];
};

struct ndshm__csv_chunk {
    int64_t first; /* offset of its first row, and of the first row behind it */
    int64_t next;
    int64_t rows;
    int64_t row; /* number of the first one in the frame */
    struct ndshm__csv_error error;
};

/* What a chunk says about a column. */
struct ndshm__csv_seen {
    uint32_t possible;
    bool seen;
    bool missing;
    uint8_t edges[2][2]; /* first and last byte of its bits of data and validity, which it shares
                            with its neighbours */
    int64_t text_bytes;
    int64_t text; /* where its text begins in that of the column */
};

struct ndshm__csv_plan {
    struct ndshm__csv_options options;
    int64_t bytes; /* of the plan itself */
    int64_t columns, chunks, seen, texts, texts_used;
    int32_t ncolumns;
    int32_t nchunks;
    int64_t chunk_size;
    int64_t data;          /* the first row behind the header */
    int64_t size;          /* of the text */
    int64_t missing_words; /* in texts */
    bool deep;             /* the survey looks at all values, not at samples */
    bool guessed;          /* the types are those of samples */
    uint32_t pid;          /* of the caller, and its descriptors */
    int32_t input;
    int32_t output;
};

/* --- a process's view of it --- */

struct ndshm__csv_window { /* a part of the text in memory, and a line feed behind it */
    char *buffer;
    int64_t capacity;
    int64_t offset; /* of begin in the text */
    const char *begin;
    const char *end;
    bool whole; /* ends where a row ends */
};

enum {
    NDSHM__CSV_PADDING = 64, /* zero bytes behind the window: reading ahead is allowed */
    NDSHM__CSV_SHORT = 1     /* a status: the row goes on behind the window */
};

/* Where the filling collects the values of a column of one chunk. */
struct ndshm__csv_buffers {
    char *data;
    uint8_t *validity;
    int32_t *offsets;
    int64_t used; /* bytes of text */
};

struct ndshm__csv_reader {
    struct ndshm__csv_plan *plan; /* NULL while the header is read: then only options count */
    const struct ndshm__csv_options *options;
    struct ndshm__csv_column *columns;
    struct ndshm__csv_chunk *chunks;
    struct ndshm__csv_seen *seen;
    char *texts;
    const char *missing_words;
    int32_t ncolumns;
    int input, output;
    int64_t size;
    struct ndshm__csv_window window;
    struct ndshm__csv_buffers *buffers;
    char *arena;
    int64_t arena_size;
    int64_t bit; /* of the first row of the chunk in its first byte */
    struct ndshm__csv_error error;
};

/* plan.c */
int ndshm__csv_plan_size(int32_t ncolumns, int32_t nchunks, int64_t texts, int64_t *bytes);
void ndshm__csv_plan_lay_out(struct ndshm__csv_plan *plan, int32_t ncolumns, int32_t nchunks,
                             int64_t bytes);
/* false: offsets that leave its bytes. */
bool ndshm__csv_plan_view(struct ndshm__csv_plan *plan, int64_t bytes,
                          struct ndshm__csv_reader *out);
/* What a worker relies on before it does this chunk; false: others have written into the plan. */
bool ndshm__csv_plan_check(const struct ndshm__csv_reader *reader, int32_t chunk, bool fill);
uint32_t ndshm__csv_plan_text(struct ndshm__csv_plan *plan, const char *text);
const char *ndshm__csv_format(const struct ndshm__csv_reader *reader, int32_t column);
const char *ndshm__csv_name(const struct ndshm__csv_reader *reader, int32_t column);
void ndshm__csv_reader_free(struct ndshm__csv_reader *reader);

static inline struct ndshm__csv_seen *ndshm__csv_seen_of(const struct ndshm__csv_reader *reader,
                                                         int32_t chunk)
{
    return reader->seen + (int64_t)chunk * reader->ncolumns;
}

/* --- window.c --- */

/* The bytes from..to of the text. whole: they end where a row ends. */
int ndshm__csv_window(struct ndshm__csv_reader *reader, int64_t from, int64_t to, bool whole);
static inline int64_t ndshm__csv_offset(const struct ndshm__csv_reader *reader, const char *at)
{
    return reader->window.offset + (at - reader->window.begin);
}

/* --- field.c --- */

struct ndshm__csv_field {
    const char *text;
    int64_t size;
    int64_t doubled; /* pairs of quotes in it that mean one */
};

/* Reads the field at *at, and moves *at to the separator or line feed behind it. */
int ndshm__csv_field(struct ndshm__csv_reader *reader, const char **at, int32_t column,
                     struct ndshm__csv_field *out);

/* Copies the text of the field; how many bytes. */
int64_t ndshm__csv_unquote(const struct ndshm__csv_reader *reader,
                           const struct ndshm__csv_field *field, char *out);

/* Passes over empty lines. */
static inline const char *ndshm__csv_skip_empty(const char *at, const char *end)
{
    while (at < end && (*at == '\n' || (*at == '\r' && at[1] == '\n')))
        at += *at == '\n' ? 1 : 2;
    return at;
}

/* Too many fields, or too few. */
int ndshm__csv_ragged(struct ndshm__csv_reader *reader, const char *at, int32_t column);

/* The line is shorter than it should be, and that is allowed: the next column is missing. */
static inline bool ndshm__csv_padded(const struct ndshm__csv_reader *reader, const char *at,
                                     int32_t column)
{
    return *at == '\n' && column + 1 < reader->ncolumns && reader->options->flags & NDSHM_CSV_PAD;
}

/* Passes over what ended the field of that column: a line feed behind the last one. */
static inline int ndshm__csv_next(struct ndshm__csv_reader *reader, const char **at, int32_t column)
{
    if ((column + 1 == reader->ncolumns) != (**at == '\n')) {
        if (ndshm__csv_padded(reader, *at, column))
            return 0;
        return ndshm__csv_ragged(reader, *at, column);
    }
    ++*at;
    return 0;
}

bool ndshm__csv_is_missing(const struct ndshm__csv_reader *reader, const char *text, int64_t size);

/* Notes an error at a place; NDSHM_EPARSE. */
int ndshm__csv_fail(struct ndshm__csv_reader *reader, const char *at, int32_t column,
                    const struct ndshm__csv_field *field, const char *why);
/* Notes the thread's message. */
int ndshm__csv_fail_status(struct ndshm__csv_reader *reader, int status);

/* --- lines.c --- */

/* Rows that begin in [from, end), where from begins one and there are no quotes; *last: the last of
 * them. */
int64_t ndshm__csv_count_lines(const char *from, const char *end, const char **last);

/* Where the first row that begins at `from` or behind it probably begins, judged by the bytes
 * around; the byte in front of from is in the window. */
const char *ndshm__csv_guess_row(const struct ndshm__csv_reader *reader, const char *from);

/* --- infer.c --- */

/* Looks at one field, as the survey. */
void ndshm__csv_look_at(const struct ndshm__csv_reader *reader,
                        const struct ndshm__csv_column *column,
                        const struct ndshm__csv_field *field, struct ndshm__csv_seen *seen);
void ndshm__csv_seen_reset(struct ndshm__csv_seen *seen, int32_t ncolumns);
void ndshm__csv_seen_merge(struct ndshm__csv_column *column, const struct ndshm__csv_seen *seen);
void ndshm__csv_choose_types(struct ndshm__csv_reader *reader);

/* --- survey.c --- */

/* first: where the first row begins, -1: to be guessed. What it finds, errors too, is in the chunk.
 */
void ndshm__csv_survey(struct ndshm__csv_reader *reader, int32_t chunk, int64_t first);
/* The first rows. */
int ndshm__csv_sample(struct ndshm__csv_reader *reader);
/* Joins what the chunks found. Rows and texts get their places. */
int ndshm__csv_join(struct ndshm__csv_reader *reader, int64_t *rows);

/* --- fill.c, place.c --- */

void ndshm__csv_fill(struct ndshm__csv_reader *reader, int32_t chunk);
int ndshm__csv_buffers(struct ndshm__csv_reader *reader, int32_t chunk);
int ndshm__csv_place(struct ndshm__csv_reader *reader, int32_t chunk);

#endif
