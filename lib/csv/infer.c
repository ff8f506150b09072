/* SPDX-License-Identifier: MIT */
/* Which type each column has. */
#include <string.h>

#include "csv/csv.h"

void ndshm__csv_seen_reset(struct ndshm__csv_seen *seen, int32_t ncolumns)
{
    memset(seen, 0, (size_t)ncolumns * sizeof *seen);
    for (int32_t i = 0; i < ncolumns; i++)
        seen[i].possible = NDSHM__CSV_FITS_ALL;
}

/* A dot is no decimal mark where another one was given. */
static uint32_t fits_marked(const struct ndshm__csv_options *options, uint32_t possible,
                            const struct ndshm__csv_field *field)
{
    char plain[NDSHM__CSV_NUMBER_MAX + 8];
    uint32_t others = possible & ~(uint32_t)NDSHM__CSV_FITS_NUMBER, numbers = possible & ~others;
    if (others)
        others = ndshm__csv_fits(others, field->text, field->size);
    if (!numbers || field->size > NDSHM__CSV_NUMBER_MAX)
        return others;
    int64_t size = ndshm__csv_plain_number(options->decimal, options->thousands, field->text,
                                           field->size, plain);
    return others | (size < 0 ? 0 : ndshm__csv_fits(numbers, plain, size));
}

void ndshm__csv_look_at(const struct ndshm__csv_reader *reader,
                        const struct ndshm__csv_column *column,
                        const struct ndshm__csv_field *field, struct ndshm__csv_seen *seen)
{
    if (ndshm__csv_is_missing(reader, field->text, field->size)) {
        seen->missing = true;
        return;
    }
    seen->seen = true;
    seen->text_bytes += field->size - field->doubled;
    if (!seen->possible || column->given)
        return;
    if (reader->options->plain_numbers)
        seen->possible = ndshm__csv_fits(seen->possible, field->text, field->size);
    else
        seen->possible = fits_marked(reader->options, seen->possible, field);
}

void ndshm__csv_seen_merge(struct ndshm__csv_column *column, const struct ndshm__csv_seen *seen)
{
    column->possible &= seen->possible;
    column->seen = column->seen || seen->seen;
    column->missing = column->missing || seen->missing;
}

static const char *choose_format(const struct ndshm__csv_column *column)
{
    uint32_t possible = column->possible;
    bool wide = possible & NDSHM__CSV_FITS_INT && !(possible & NDSHM__CSV_FITS_EXACT);
    if (!column->seen)
        return "g";
    if (possible & NDSHM__CSV_FITS_INT && (!column->missing || wide))
        return "l";
    if (possible & NDSHM__CSV_FITS_FLOAT)
        return "g";
    if (possible & NDSHM__CSV_FITS_DATE)
        return "tdD";
    if (possible & NDSHM__CSV_FITS_TIME)
        return "tsn:";
    if (possible & NDSHM__CSV_FITS_TIME_UTC)
        return "tsn:UTC";
    return possible & NDSHM__CSV_FITS_BOOL ? "b" : "u";
}

static void choose_inferred(struct ndshm__csv_column *column)
{
    const char *format = choose_format(column);
    strcpy(column->inferred, format);
    ndshm__csv_type_of(format, &column->type);
    if (column->type.zone)
        column->type.zone = NDSHM__CSV_ZONE;
    column->exact = *format == 'g' && column->possible & NDSHM__CSV_FITS_INT;
    if (!column->seen)
        column->type.kind = NDSHM__CSV_NOTHING;
}

/* Missing floats are NaN; other missing values need a bitmap. */
void ndshm__csv_choose_types(struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        struct ndshm__csv_column *column = &reader->columns[i];
        if (column->given)
            ndshm__csv_type_of(ndshm__csv_format(reader, i), &column->type);
        else
            choose_inferred(column);
        const char *format = ndshm__csv_format(reader, i);
        bool has_nan = *format == 'g' || *format == 'f';
        column->nullable =
            (column->given && reader->texts[column->given] == '?') || (column->missing && !has_nan);
    }
}
