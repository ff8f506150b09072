/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "arrow_tree.h"

const struct fuzz_type fuzz_types[] = {
    {"n", FUZZ_NULL, 0},
    {"b", FUZZ_FIXED, 1},
    {"c", FUZZ_FIXED, 8},
    {"C", FUZZ_FIXED, 8},
    {"s", FUZZ_FIXED, 16},
    {"S", FUZZ_FIXED, 16},
    {"i", FUZZ_FIXED, 32},
    {"I", FUZZ_FIXED, 32},
    {"l", FUZZ_FIXED, 64},
    {"L", FUZZ_FIXED, 64},
    {"e", FUZZ_FIXED, 16},
    {"g", FUZZ_FIXED, 64},
    {"d:5,2", FUZZ_FIXED, 128},
    {"d:9,-2,32", FUZZ_FIXED, 32},
    {"d:76,0,256", FUZZ_FIXED, 256},
    {"w:3", FUZZ_FIXED, 24},
    {"w:0", FUZZ_FIXED, 0},
    {"tdD", FUZZ_FIXED, 32},
    {"tsn:UTC", FUZZ_FIXED, 64},
    {"tin", FUZZ_FIXED, 128},
    {"u", FUZZ_STRING, 4},
    {"z", FUZZ_STRING, 4},
    {"U", FUZZ_STRING, 8},
    {"Z", FUZZ_STRING, 8},
    {"vu", FUZZ_VIEW, 0},
    {"vz", FUZZ_VIEW, 0},
    {"+l", FUZZ_LIST, 4},
    {"+L", FUZZ_LIST, 8},
    {"+m", FUZZ_LIST, 4},
    {"+vl", FUZZ_LIST_VIEW, 4},
    {"+vL", FUZZ_LIST_VIEW, 8},
    {"+w:2", FUZZ_FIXED_LIST, 2},
    {"+w:0", FUZZ_FIXED_LIST, 0},
    {"+w:2147483647", FUZZ_FIXED_LIST, INT32_MAX},
    {"+s", FUZZ_STRUCT, 0},
    {"+us:0,1", FUZZ_SPARSE, 2},
    {"+us:", FUZZ_SPARSE, 0},
    {"+ud:5,127", FUZZ_DENSE, 2},
    {"+r", FUZZ_RUNS, 0},
};
static_assert(sizeof fuzz_types / sizeof *fuzz_types == FUZZ_TYPES, "the number of types");

/* What only liars have. */
const struct fuzz_type fuzz_unknown = {"+us:1,1", FUZZ_UNKNOWN, 0};

const struct fuzz_type *fuzz_type_find(const char *format)
{
    for (int i = 0; i < FUZZ_TYPES; i++)
        if (strcmp(fuzz_types[i].format, format) == 0)
            return &fuzz_types[i];
    return &fuzz_unknown;
}

const int8_t fuzz_union_ids[2][2] = {{0, 1}, {5, 127}}; /* sparse, dense */

int fuzz_type_member(const struct fuzz_type *type, int8_t id)
{
    for (int i = 0; i < type->width; i++)
        if (fuzz_union_ids[type->kind == FUZZ_DENSE][i] == id)
            return i;
    return -1;
}

/* What a structure holds, and what it is, whatever it says. */
