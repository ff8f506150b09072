/* SPDX-License-Identifier: MIT */
/* The life of a segment, seen from outside: waiting for a name, looking at it, changing its
 * lifetime, the proof that nobody uses it, removal. This is what shm-inspect is made of. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

static void check(int status)
{
    if (status == 0)
        return;
    fprintf(stderr, "%s\n", ndshm_error_message());
    exit(1);
}

static void expect(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not as expected: %s\n", what);
    exit(1);
}

/* A producer that starts later than its consumer, and dies without tidying up. */
static void produce(const char *name)
{
    int64_t shape[1] = {1000};
    ndshm_array *array;
    ndshm_create_config config;
    ndshm_create_config_init(&config);
    snprintf(config.label, sizeof config.label, "the tour's thousand");
    usleep(50000);
    check(ndshm_array_create(name, NDSHM_FLOAT64, 1, shape, &config, &array));
    _exit(0);
}

static int decision(const char *name, uint32_t flags, ndshm_reap_report *report)
{
    ndshm_reap_config config;
    ndshm_reap_config_init(&config);
    config.flags = flags;
    check(ndshm_reap(name, &config, report));
    return report->decision;
}

static void print_evidence(const ndshm_reap_report *report)
{
    printf("%s: %s\n", report->name, report->message);
    for (int step = 0; step < NDSHM_STEPS; step++)
        printf("  %-12s %s\n", ndshm_reap_step_name(step),
               report->evidence[step] > 0   ? "held"
               : report->evidence[step] < 0 ? "refused"
                                            : "not reached");
}

static int is_listed(const char *name)
{
    ndshm_list *list;
    ndshm_info info;
    int found = 0;
    check(ndshm_list_open(&list));
    while (ndshm_list_next(list, &info) == 0)
        found |= strcmp(info.name, name) == 0;
    ndshm_list_close(&list);
    return found;
}

/* What this machine gives to shared memory: the library's own self-test. */
static void print_machine(void)
{
    ndshm_probe_report probe;
    check(ndshm_probe(&probe));
    printf("%s: %lld of %lld bytes free, leases %s\n", probe.directory, (long long)probe.bytes_free,
           (long long)probe.bytes, probe.lease ? "work" : "do not work");
}

/* Who maps it, as far as /proc tells. */
static int count_users(const char *name)
{
    ndshm_users *users;
    ndshm_user user;
    int count = 0;
    check(ndshm_users_open(name, &users));
    for (; ndshm_users_next(users, &user) == 0; count++)
        printf("used by %s (%lld), %lld bytes\n", user.command, (long long)user.pid,
               (long long)user.bytes);
    if (ndshm_users_hidden(users))
        printf("some processes could not be looked at\n");
    ndshm_users_close(&users);
    return count;
}

static int is_sound(const char *name)
{
    ndshm_check_report report;
    int sound = 1;
    check(ndshm_check(name, &report));
    for (int i = 0; i < NDSHM_CHECKS; i++) {
        if (report.found[i] < 0)
            printf("%s: %s\n", ndshm_check_name(i), report.message[i]);
        sound &= report.found[i] > 0;
    }
    return sound;
}

int main(void)
{
    char name[64];
    ndshm_info info;
    ndshm_array *array;
    ndshm_reap_report report;
    printf("ndshm %s\n", ndshm_version());
    print_machine();
    expect(ndshm_abi_sizeof("ndshm_info") == sizeof info, "one size of ndshm_info");
    snprintf(name, sizeof name, "example-tour-%ld", (long)getpid());
    pid_t producer = fork();
    if (producer == 0)
        produce(name);
    check(ndshm_wait(name, 10000));
    waitpid(producer, NULL, 0);
    check(ndshm_inspect(name, &info));
    printf("%s: %lld bytes, label '%s'\n", info.name, (long long)info.payload, info.label);
    expect(info.state == NDSHM_STATE_ORPHAN, "its producer is dead: an orphan");
    expect(is_listed(name), "it is listed");

    check(ndshm_array_attach(name, NDSHM_READ, &array));
    expect(is_sound(name), "it is sound");
    expect(count_users(name) == 1, "we are its only user");
    expect(decision(name, 0, &report) == NDSHM_REAP_IN_USE, "we use it");
    print_evidence(&report);
    ndshm_array_detach(&array);

    check(ndshm_set_lifetime(name, NDSHM_PERSISTENT));
    expect(decision(name, 0, &report) == NDSHM_REAP_PERSISTENT, "persistent segments stay");
    check(ndshm_set_lifetime(name, NDSHM_RECLAIMABLE));
    expect(decision(name, NDSHM_REAP_DRY_RUN, &report) == NDSHM_REAP_REMOVABLE, "a dry run");
    expect(decision(name, 0, &report) == NDSHM_REAP_REMOVED, "nobody uses it");
    print_evidence(&report);
    expect(ndshm_unlink(name) == -ENOENT, "it is gone");
    return 0;
}
