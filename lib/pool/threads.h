/* SPDX-License-Identifier: MIT */
/* Libraries that compute with threads of their own (OpenMP, OpenBLAS, MKL, BLIS) would start as
 * many as there are CPUs in each worker. Those that are loaded are told by a call, since they read
 * their variables only once; those that a task loads later read the variables. Both are prepared in
 * the host, where taking locks is allowed, and applied in the supervisor, from which workers
 * inherit. */
#ifndef NDSHM_LIB_POOL_THREADS_H
#define NDSHM_LIB_POOL_THREADS_H

struct ndshm__threads;

/* most: threads that each library may use in a worker. -ENOMEM. */
int ndshm__threads_prepare(int most, struct ndshm__threads **out);
void ndshm__threads_apply(const struct ndshm__threads *threads); /* NULL: nothing */
void ndshm__threads_free(struct ndshm__threads *threads);

#endif
