/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "csv/csv.h"

static const char default_missing[] = "\nNA\nN/A\nNaN\nnan\nNULL\nnull\nNone";

void ndshm_csv_config_init(ndshm_csv_config *config)
{
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
}

/* Long words share the last bit. */
static uint64_t size_bit(int64_t size)
{
    return UINT64_C(1) << (size < 63 ? size : 63);
}

static void examine_missing(const char *word, struct ndshm__csv_options *options)
{
    for (;;) {
        size_t size = strcspn(word, "\n");
        if (size == 0)
            options->missing_empty = true;
        else
            options->missing_sizes[(unsigned char)*word] |= size_bit((int64_t)size);
        if (size > 0 && !isalpha((unsigned char)*word))
            options->missing_number = true;
        if (!word[size])
            return;
        word += size + 1;
    }
}

static bool is_mark(char mark, const char *others)
{
    unsigned char c = (unsigned char)mark;
    return c && !isalnum(c) && c < 0x80 && !strchr(others, c);
}

/* Letters, digits, signs and dots are parts of values. */
int ndshm__csv_check_marks(const ndshm_csv_config *config)
{
    char separator = config->separator, quote = config->quote;
    char decimal = config->decimal, thousands = config->thousands;
    if (!is_mark(separator, "+-.\r\n"))
        return ndshm__fail(-EINVAL, "byte 0x%02x cannot be the separator", separator & 0xFF);
    if (!is_mark(quote, "+-.\r\n ") || quote == separator)
        return ndshm__fail(-EINVAL, "byte 0x%02x cannot be the quote", quote & 0xFF);
    if (!is_mark(decimal, "+-\r\n \t") || decimal == quote)
        return ndshm__fail(-EINVAL, "byte 0x%02x cannot be the decimal mark", decimal & 0xFF);
    if (thousands &&
        (!is_mark(thousands, "+-\r\n\t") || thousands == decimal || thousands == quote))
        return ndshm__fail(-EINVAL, "byte 0x%02x cannot be between thousands", thousands & 0xFF);
    return 0;
}

static int check_list(const char *what, int32_t count, const void *list)
{
    if (count >= 0 && (count == 0 || list))
        return 0;
    return ndshm__fail(-EINVAL, "n%s is %d, and %s is %s", what, count, what,
                       list ? "set" : "NULL");
}

static int check_types(const ndshm_csv_config *config)
{
    struct ndshm__csv_type type;
    int status = check_list("types", config->ntypes, config->types);
    for (int32_t i = 0; !status && i < config->ntypes; i++) {
        const char *name = config->types[2 * i], *format = config->types[2 * i + 1];
        if (!name || !format)
            return ndshm__fail(-EINVAL, "types: pair %d has a NULL", i);
        if (!ndshm__csv_type_of(format + (*format == '?'), &type))
            return ndshm__fail(NDSHM_EDTYPE,
                               "types: column '%.40s': '%.40s' is not an Arrow format that is read "
                               "from text",
                               name, format);
    }
    return status;
}

static int check_dates(const ndshm_csv_config *config)
{
    int status = check_list("dates", config->ndates, config->dates);
    for (int32_t i = 0; !status && i < config->ndates; i++) {
        bool time = false, zone = false;
        const char *name = config->dates[2 * i], *format = config->dates[2 * i + 1];
        if (!name || !format)
            return ndshm__fail(-EINVAL, "dates: pair %d has a NULL", i);
        if (!ndshm__csv_strptime_check(format, &time, &zone))
            return ndshm__fail(-EINVAL,
                               "dates: column '%.40s': '%.40s' has a conversion that is not known",
                               name, format);
    }
    return status;
}

static int check_columns(const ndshm_csv_config *config)
{
    int status = check_list("columns", config->ncolumns, config->columns);
    for (int32_t i = 0; !status && i < config->ncolumns; i++)
        if (!config->columns[i])
            status = ndshm__fail(-EINVAL, "columns: name %d is NULL", i);
    return status;
}

static int check_rest(const ndshm_csv_config *config)
{
    if (config->flags & ~(uint32_t)(NDSHM_CSV_NO_HEADER | NDSHM_CSV_PAD) ||
        !ndshm__is_zero(config->reserved, sizeof config->reserved))
        return ndshm__fail(-EINVAL,
                           "unknown flags 0x%x, or reserved bytes that are not zero, in "
                           "the CSV config",
                           config->flags);
    if (config->skip < 0)
        return ndshm__fail(-EINVAL, "skip is %lld", (long long)config->skip);
    return 0;
}

static void fill_in(ndshm_csv_config *config)
{
    if (!config->missing)
        config->missing = default_missing;
    if (!config->separator)
        config->separator = ',';
    if (!config->quote)
        config->quote = '"';
    if (!config->decimal)
        config->decimal = '.';
}

int ndshm__csv_options(const ndshm_csv_config *given, ndshm_csv_config *config,
                       struct ndshm__csv_options *out)
{
    ndshm_csv_config_init(config);
    int status = ndshm__config_copy(given, sizeof *config, config);
    if (status)
        return status;
    fill_in(config);
    status = check_rest(config);
    if (!status)
        status = ndshm__csv_check_marks(config);
    if (!status)
        status = check_types(config);
    if (!status)
        status = check_dates(config);
    if (!status)
        status = check_columns(config);
    *out = (struct ndshm__csv_options){.separator = config->separator,
                                       .quote = config->quote,
                                       .decimal = config->decimal,
                                       .thousands = config->thousands,
                                       .flags = config->flags};
    out->plain_numbers = config->decimal == '.' && !config->thousands;
    if (!status)
        examine_missing(config->missing, out);
    return status;
}
