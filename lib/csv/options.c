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

static void examine_missing(struct ndshm__csv_options *options)
{
    const char *word = options->config.missing;
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

static bool is_word(const char *words, const char *text, int64_t size)
{
    for (;;) {
        size_t length = strcspn(words, "\n");
        if (length == (size_t)size && memcmp(words, text, length) == 0)
            return true;
        if (!words[length])
            return false;
        words += length + 1;
    }
}

bool ndshm__csv_is_missing(const struct ndshm__csv_options *options, const char *text, int64_t size)
{
    if (size == 0)
        return options->missing_empty;
    return options->missing_sizes[(unsigned char)*text] & size_bit(size) &&
           is_word(options->config.missing, text, size);
}

/* Letters, digits, signs and dots are parts of values. */
static int check_separator(const ndshm_csv_config *config)
{
    unsigned char separator = (unsigned char)config->separator;
    unsigned char quote = (unsigned char)config->quote;
    if (isalnum(separator) || separator >= 0x80 || strchr("+-.\r\n", separator))
        return ndshm__fail(-EINVAL, "byte 0x%02x cannot be the separator", separator);
    if (isalnum(quote) || quote >= 0x80 || strchr("+-.\r\n ", quote) || quote == separator)
        return ndshm__fail(-EINVAL, "byte 0x%02x cannot be the quote", quote);
    return 0;
}

static int check_types(const ndshm_csv_config *config)
{
    struct ndshm__csv_type type;
    if (config->ntypes < 0 || (config->ntypes > 0 && !config->types))
        return ndshm__fail(-EINVAL, "ntypes is %d, and types is %s", config->ntypes,
                           config->types ? "set" : "NULL");
    for (int32_t i = 0; i < config->ntypes; i++) {
        const char *name = config->types[2 * i], *format = config->types[2 * i + 1];
        if (!name || !format)
            return ndshm__fail(-EINVAL, "types: pair %d has a NULL", i);
        if (!ndshm__csv_type_of(format + (*format == '?'), &type))
            return ndshm__fail(NDSHM_EDTYPE,
                               "types: column '%.40s': '%.40s' is not an Arrow format that is read "
                               "from text",
                               name, format);
    }
    return 0;
}

int ndshm__csv_options(const ndshm_csv_config *given, struct ndshm__csv_options *out)
{
    memset(out, 0, sizeof *out);
    ndshm_csv_config *config = &out->config;
    ndshm_csv_config_init(config);
    int status = ndshm__config_copy(given, sizeof *config, config);
    if (status)
        return status;
    if (config->flags & ~(uint32_t)NDSHM_CSV_NO_HEADER ||
        !ndshm__is_zero(config->reserved, sizeof config->reserved))
        return ndshm__fail(-EINVAL,
                           "unknown flags 0x%x, or reserved bytes that are not zero, in "
                           "the CSV config",
                           config->flags);
    if (!config->missing)
        config->missing = default_missing;
    if (!config->separator)
        config->separator = ',';
    if (!config->quote)
        config->quote = '"';
    status = check_separator(config);
    if (!status)
        status = check_types(config);
    if (!status)
        examine_missing(out);
    return status;
}
