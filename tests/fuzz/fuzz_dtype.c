/* SPDX-License-Identifier: MIT */
/* Data types: as text, as number, and as an Arrow format. */
#include <stdlib.h>
#include <string.h>

#include "array/dtype.h"
#include "frame/format.h"
#include "fuzz.h"

/* What NumPy's type string says about the size of an item. */
static int64_t size_of(const char *typestr)
{
    char kind = typestr[1];
    int64_t number = strtoll(typestr + 2, NULL, 10);
    return kind == 'M' || kind == 'm' ? 8 : kind == 'U' ? 4 * number : number;
}

static void check_dtype(ndshm_dtype dtype)
{
    char typestr[32], small[4] = "?";
    ndshm_dtype again = 0;
    FUZZ_CHECK(ndshm_dtype_typestr(dtype, typestr, sizeof typestr) == 0);
    FUZZ_CHECK(ndshm_dtype_itemsize(dtype) == size_of(typestr));
    FUZZ_CHECK(ndshm_dtype_parse(typestr, &again) == 0);
    FUZZ_CHECK(again == ndshm__dtype_canonical(dtype));
    int status = ndshm_dtype_typestr(dtype, small, sizeof small);
    FUZZ_CHECK(status == 0 ? strcmp(small, typestr) == 0 : small[0] == '?');
}

static void check_text(const char *text)
{
    ndshm_dtype dtype = 0xDEAD, either = 0xDEAD;
    bool swapped = false;
    int status = ndshm_dtype_parse(text, &dtype);
    FUZZ_CHECK(status == 0 || (status == NDSHM_EDTYPE && dtype == 0xDEAD));
    int lenient = ndshm__dtype_parse(text, &either, &swapped);
    FUZZ_CHECK(lenient == (swapped ? 0 : status));
    if (lenient == 0)
        check_dtype(either);
    if (status == 0)
        FUZZ_CHECK(either == dtype && (*text != '>' || ndshm__dtype_row(dtype)->component == 1));
}

static void check_format(const char *text)
{
    struct ndshm__format format = {0};
    if (!ndshm__format_parse(text, &format))
        return;
    FUZZ_CHECK(format.bits >= 0 && format.bits <= 64);
    FUZZ_CHECK(!format.dtype || ndshm_dtype_itemsize(format.dtype) * 8 == format.bits);
    FUZZ_CHECK(!format.text || (format.bits == 0 && !format.dtype));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    if (size == 4) {
        ndshm_dtype dtype;
        fuzz_bytes(&input, &dtype, sizeof dtype);
        if (ndshm_dtype_itemsize(dtype) >= 0)
            check_dtype(dtype);
        else
            FUZZ_CHECK(!ndshm__dtype_row(dtype));
        return 0;
    }
    char *text = fuzz_rest(&input);
    check_text(text);
    check_format(text);
    free(text);
    return 0;
}
