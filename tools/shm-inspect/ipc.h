/* SPDX-License-Identifier: MIT */
/* Frames in files of Arrow's IPC format, through the Arrow library where it is there. Besides the
 * library's status, 1: the failure was told on standard error. */
#ifndef NDSHM_INSPECT_IPC_H
#define NDSHM_INSPECT_IPC_H

#include <ndshm/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes a file of one record batch; it appears when it is whole. */
int ipc_write(const ndshm_frame *frame, const char *path);

/* Reads a file of record batches, joined, into a new frame. */
int ipc_import(const char *name, const char *path, const ndshm_create_config *config);

#ifdef __cplusplus
}
#endif
#endif
