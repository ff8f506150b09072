/* SPDX-License-Identifier: MIT */
/* The only file of this layer that sees every public struct. */
#include <string.h>

#include <ndshm/ndshm.h>

#define NDSHM_ABI_STRUCTS(X)                                                                       \
    X(ndshm_check_report)                                                                          \
    X(ndshm_column)                                                                                \
    X(ndshm_column_spec)                                                                           \
    X(ndshm_create_config)                                                                         \
    X(ndshm_csv_config)                                                                            \
    X(ndshm_csv_progress)                                                                          \
    X(ndshm_info)                                                                                  \
    X(ndshm_job_config)                                                                            \
    X(ndshm_pool_config)                                                                           \
    X(ndshm_probe_report)                                                                          \
    X(ndshm_progress)                                                                              \
    X(ndshm_reap_config)                                                                           \
    X(ndshm_reap_report)                                                                           \
    X(ndshm_result)                                                                                \
    X(ndshm_stats)                                                                                 \
    X(ndshm_user)                                                                                  \
    X(ndshm_view)                                                                                  \
    X(ndshm_worker_stats)

size_t ndshm_abi_sizeof(const char *type)
{
    static const struct {
        const char *name;
        size_t size;
    } structs[] = {
#define NDSHM_ABI_ROW(type) {#type, sizeof(type)},
        NDSHM_ABI_STRUCTS(NDSHM_ABI_ROW)
#undef NDSHM_ABI_ROW
    };
    for (size_t i = 0; type && i < sizeof structs / sizeof *structs; i++)
        if (strcmp(type, structs[i].name) == 0)
            return structs[i].size;
    return 0;
}
