/* SPDX-License-Identifier: MIT */
/* Forks of a host whose threads use segments all the time. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "segments.h"
#include "support.h"

static atomic_int stop;

static void *attach_all_the_time(void *argument)
{
    ndshm__segment *seen;
    (void)argument;
    while (!stop)
        if (ndshm__segment_attach("t-forks", 0, NDSHM_READ, &seen) == 0)
            ndshm__segment_release(&seen);
    return NULL;
}

static int do_nothing(void *argument)
{
    (void)argument;
    return 0;
}

/* A fork waits for the windows that are open, not for those that open meanwhile. */
static void test_forks_get_their_turn(void **state)
{
    (void)state;
    enum { THREADS = 4, FORKS = 60, SECONDS_MAX = 2 };
    pthread_t threads[THREADS];
    ndshm__segment *made;
    assert_ok(support_segment("t-forks", 100, NDSHM_TEMPORARY, &made));
    stop = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, attach_all_the_time, NULL), 0);
    time_t begin = time(NULL);
    for (int i = 0; i < FORKS; i++)
        assert_int_equal(support_child(do_nothing, NULL), 0);
    time_t took = time(NULL) - begin;
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_in_range(took, 0, SECONDS_MAX);
    ndshm__segment_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SUPPORT_TEST(test_forks_get_their_turn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
