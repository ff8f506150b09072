/* SPDX-License-Identifier: MIT */
/* Sizes and offsets of public structs are frozen: callers and bindings are compiled against them. A
 * config may grow at its end, with its size; whoever changes another line here breaks the ABI. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include <ndshm/ndshm.h>

#include "support.h"

struct row {
    const char *name;
    size_t is, frozen;
};

#define SIZE(type, frozen)                                                                         \
    {                                                                                              \
#type, sizeof(type), frozen                                                                \
    }
#define FIELD(type, field, frozen)                                                                 \
    {                                                                                              \
#type "." #field, offsetof(type, field), frozen                                            \
    }

static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8, "the table is for 64-bit machines");

static const struct row rows[] = {
    SIZE(ndshm_check_report, 1608),
    FIELD(ndshm_check_report, found, 0),
    FIELD(ndshm_check_report, message, 8),
    FIELD(ndshm_check_report, reserved, 1544),
    SIZE(ndshm_column, 80),
    FIELD(ndshm_column, name, 0),
    FIELD(ndshm_column, format, 8),
    FIELD(ndshm_column, rows, 16),
    FIELD(ndshm_column, offset, 24),
    FIELD(ndshm_column, null_count, 32),
    FIELD(ndshm_column, validity, 40),
    FIELD(ndshm_column, offsets, 48),
    FIELD(ndshm_column, data, 56),
    FIELD(ndshm_column, step, 64),
    FIELD(ndshm_column, flags, 72),
    FIELD(ndshm_column, reserved, 76),
    SIZE(ndshm_column_spec, 24),
    FIELD(ndshm_column_spec, name, 0),
    FIELD(ndshm_column_spec, format, 8),
    FIELD(ndshm_column_spec, data_bytes, 16),
    SIZE(ndshm_create_config, 88),
    FIELD(ndshm_create_config, size, 0),
    FIELD(ndshm_create_config, flags, 4),
    FIELD(ndshm_create_config, lifetime, 8),
    FIELD(ndshm_create_config, mode, 12),
    FIELD(ndshm_create_config, numa, 16),
    FIELD(ndshm_create_config, hugepages, 20),
    FIELD(ndshm_create_config, label, 24),
    SIZE(ndshm_csv_config, 80),
    FIELD(ndshm_csv_config, size, 0),
    FIELD(ndshm_csv_config, flags, 4),
    FIELD(ndshm_csv_config, missing, 8),
    FIELD(ndshm_csv_config, types, 16),
    FIELD(ndshm_csv_config, ntypes, 24),
    FIELD(ndshm_csv_config, index, 28),
    FIELD(ndshm_csv_config, separator, 32),
    FIELD(ndshm_csv_config, quote, 33),
    FIELD(ndshm_csv_config, decimal, 34),
    FIELD(ndshm_csv_config, thousands, 35),
    FIELD(ndshm_csv_config, reserved, 36),
    FIELD(ndshm_csv_config, columns, 40),
    FIELD(ndshm_csv_config, ncolumns, 48),
    FIELD(ndshm_csv_config, ndates, 52),
    FIELD(ndshm_csv_config, dates, 56),
    FIELD(ndshm_csv_config, skip, 64),
    FIELD(ndshm_csv_config, progress, 72),
    SIZE(ndshm_csv_progress, 24),
    FIELD(ndshm_csv_progress, done, 0),
    FIELD(ndshm_csv_progress, all, 8),
    FIELD(ndshm_csv_progress, cancel, 16),
    FIELD(ndshm_csv_progress, reserved, 20),
    SIZE(ndshm_info, 1408),
    FIELD(ndshm_info, name, 0),
    FIELD(ndshm_info, label, 256),
    FIELD(ndshm_info, pool, 320),
    FIELD(ndshm_info, note, 528),
    FIELD(ndshm_info, uuid, 688),
    FIELD(ndshm_info, kind, 704),
    FIELD(ndshm_info, state, 708),
    FIELD(ndshm_info, lifetime, 712),
    FIELD(ndshm_info, mode, 716),
    FIELD(ndshm_info, dtype, 720),
    FIELD(ndshm_info, ndim, 724),
    FIELD(ndshm_info, shape, 728),
    FIELD(ndshm_info, bytes, 1240),
    FIELD(ndshm_info, resident, 1248),
    FIELD(ndshm_info, payload, 1256),
    FIELD(ndshm_info, created_ns, 1264),
    FIELD(ndshm_info, creator_pid, 1272),
    FIELD(ndshm_info, uid, 1280),
    FIELD(ndshm_info, reserved, 1284),
    SIZE(ndshm_job_config, 128),
    FIELD(ndshm_job_config, size, 0),
    FIELD(ndshm_job_config, flags, 4),
    FIELD(ndshm_job_config, fn, 8),
    FIELD(ndshm_job_config, function, 16),
    FIELD(ndshm_job_config, params, 24),
    FIELD(ndshm_job_config, params_size, 32),
    FIELD(ndshm_job_config, shared, 40),
    FIELD(ndshm_job_config, nshared, 48),
    FIELD(ndshm_job_config, on_error, 52),
    FIELD(ndshm_job_config, items, 56),
    FIELD(ndshm_job_config, count, 64),
    FIELD(ndshm_job_config, chunk, 72),
    FIELD(ndshm_job_config, output, 80),
    FIELD(ndshm_job_config, seed, 88),
    FIELD(ndshm_job_config, retries, 96),
    FIELD(ndshm_job_config, timeout_ms, 100),
    FIELD(ndshm_job_config, order, 104),
    FIELD(ndshm_job_config, window, 108),
    FIELD(ndshm_job_config, max_result_bytes, 112),
    FIELD(ndshm_job_config, context, 120),
    SIZE(ndshm_pool_config, 136),
    FIELD(ndshm_pool_config, size, 0),
    FIELD(ndshm_pool_config, flags, 4),
    FIELD(ndshm_pool_config, workers, 8),
    FIELD(ndshm_pool_config, threads, 12),
    FIELD(ndshm_pool_config, context, 16),
    FIELD(ndshm_pool_config, init, 24),
    FIELD(ndshm_pool_config, fini, 32),
    FIELD(ndshm_pool_config, label, 40),
    FIELD(ndshm_pool_config, pin, 104),
    FIELD(ndshm_pool_config, max_tasks, 108),
    FIELD(ndshm_pool_config, cache_bytes, 112),
    FIELD(ndshm_pool_config, max_worker_bytes, 120),
    FIELD(ndshm_pool_config, fork, 128),
    SIZE(ndshm_probe_report, 512),
    FIELD(ndshm_probe_report, directory, 0),
    FIELD(ndshm_probe_report, bytes, 64),
    FIELD(ndshm_probe_report, bytes_free, 72),
    FIELD(ndshm_probe_report, inodes_free, 80),
    FIELD(ndshm_probe_report, memory_available, 88),
    FIELD(ndshm_probe_report, cgroup_headroom, 96),
    FIELD(ndshm_probe_report, cgroup, 104),
    FIELD(ndshm_probe_report, tmpfs, 360),
    FIELD(ndshm_probe_report, publish, 364),
    FIELD(ndshm_probe_report, publish_refused, 368),
    FIELD(ndshm_probe_report, liveness, 372),
    FIELD(ndshm_probe_report, lease, 376),
    FIELD(ndshm_probe_report, lease_refused, 380),
    FIELD(ndshm_probe_report, reserved, 384),
    SIZE(ndshm_progress, 88),
    FIELD(ndshm_progress, count, 0),
    FIELD(ndshm_progress, done, 8),
    FIELD(ndshm_progress, failed, 16),
    FIELD(ndshm_progress, running, 24),
    FIELD(ndshm_progress, workers, 32),
    FIELD(ndshm_progress, finished, 36),
    FIELD(ndshm_progress, deaths, 40),
    FIELD(ndshm_progress, reserved, 48),
    SIZE(ndshm_reap_config, 8),
    FIELD(ndshm_reap_config, size, 0),
    FIELD(ndshm_reap_config, flags, 4),
    SIZE(ndshm_reap_report, 616),
    FIELD(ndshm_reap_report, decision, 0),
    FIELD(ndshm_reap_report, evidence, 4),
    FIELD(ndshm_reap_report, padding, 15),
    FIELD(ndshm_reap_report, bytes, 16),
    FIELD(ndshm_reap_report, uuid, 24),
    FIELD(ndshm_reap_report, name, 40),
    FIELD(ndshm_reap_report, message, 296),
    FIELD(ndshm_reap_report, reserved, 552),
    SIZE(ndshm_result, 584),
    FIELD(ndshm_result, index, 0),
    FIELD(ndshm_result, status, 8),
    FIELD(ndshm_result, signal, 12),
    FIELD(ndshm_result, attempts, 16),
    FIELD(ndshm_result, worker, 20),
    FIELD(ndshm_result, start_ns, 24),
    FIELD(ndshm_result, end_ns, 32),
    FIELD(ndshm_result, name, 40),
    FIELD(ndshm_result, message, 296),
    FIELD(ndshm_result, reserved, 552),
    SIZE(ndshm_stats, 96),
    FIELD(ndshm_stats, retries, 0),
    FIELD(ndshm_stats, bytes_shared, 8),
    FIELD(ndshm_stats, bytes_copied, 16),
    FIELD(ndshm_stats, start_ns, 24),
    FIELD(ndshm_stats, end_ns, 32),
    FIELD(ndshm_stats, busy_ns, 40),
    FIELD(ndshm_stats, idle, 48),
    FIELD(ndshm_stats, workers, 56),
    FIELD(ndshm_stats, reserved, 60),
    SIZE(ndshm_user, 432),
    FIELD(ndshm_user, pid, 0),
    FIELD(ndshm_user, bytes, 8),
    FIELD(ndshm_user, pss, 16),
    FIELD(ndshm_user, inode, 24),
    FIELD(ndshm_user, access, 32),
    FIELD(ndshm_user, linked, 36),
    FIELD(ndshm_user, uid, 40),
    FIELD(ndshm_user, command, 44),
    FIELD(ndshm_user, name, 108),
    FIELD(ndshm_user, reserved, 364),
    SIZE(ndshm_view, 1048),
    FIELD(ndshm_view, data, 0),
    FIELD(ndshm_view, dtype, 8),
    FIELD(ndshm_view, ndim, 12),
    FIELD(ndshm_view, flags, 16),
    FIELD(ndshm_view, reserved, 20),
    FIELD(ndshm_view, shape, 24),
    FIELD(ndshm_view, strides, 536),
    SIZE(ndshm_worker_stats, 64),
    FIELD(ndshm_worker_stats, tasks, 0),
    FIELD(ndshm_worker_stats, failed, 8),
    FIELD(ndshm_worker_stats, start_ns, 16),
    FIELD(ndshm_worker_stats, end_ns, 24),
    FIELD(ndshm_worker_stats, busy_ns, 32),
    FIELD(ndshm_worker_stats, reserved, 40),
};

enum { ROWS = sizeof rows / sizeof *rows };

static void test_layout_is_frozen(void **state)
{
    (void)state;
    int changed = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].is != rows[i].frozen) {
            print_error("%s: %zu, frozen as %zu\n", rows[i].name, rows[i].is, rows[i].frozen);
            changed++;
        }
    assert_int_equal(changed, 0);
}

static void test_sizes_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        if (!strchr(rows[i].name, '.'))
            assert_int_equal(ndshm_abi_sizeof(rows[i].name), rows[i].is);
    assert_int_equal(ndshm_abi_sizeof("ndshm_array"), 0);
    assert_int_equal(ndshm_abi_sizeof(""), 0);
    assert_int_equal(ndshm_abi_sizeof(NULL), 0);
}

static void test_statuses_are_frozen(void **state)
{
    (void)state;
    assert_int_equal(NDSHM_ECORRUPT, -5001);
    assert_int_equal(NDSHM_EVERSION, -5002);
    assert_int_equal(NDSHM_EKIND, -5003);
    assert_int_equal(NDSHM_EDTYPE, -5004);
    assert_int_equal(NDSHM_ESHAPE, -5005);
    assert_int_equal(NDSHM_EPARSE, -5006);
    assert_int_equal(NDSHM_EWORKER, -5007);
    assert_int_equal(NDSHM_ETASK, -5008);
    assert_int_equal(NDSHM_ECANCELED, -5009);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_layout_is_frozen),
        SUPPORT_TEST(test_sizes_are_told),
        SUPPORT_TEST(test_statuses_are_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
