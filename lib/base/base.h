/* SPDX-License-Identifier: MIT */
/* Inside the library: failing with a message, checked arithmetic, checksums, sized configs. */
#ifndef NDSHM_LIB_BASE_H
#define NDSHM_LIB_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ndshm/base.h>

/* Names the public function whose failure messages follow ("ndshm_array_create"): a literal. */
void ndshm__begin(const char *function);

/* Sets the thread's message to "FUNCTION: " and the formatted text; returns status. */
int ndshm__fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Between these two ndshm__fail only returns its status: for void functions, which must not touch
 * the message, and for trying something out. They nest. */
void ndshm__quiet_begin(void);
void ndshm__quiet_end(void);

/* Between these two a failure's message goes into buffer, without the function's name, and the
 * thread's message stays as it is: for reporting what was found. They do not nest. */
void ndshm__capture_begin(char *buffer, size_t size);
void ndshm__capture_end(void);

/* "1.5 GB", "312 bytes": for messages. Returns buffer. */
enum { NDSHM__BYTES_TEXT = 32 };
const char *ndshm__bytes_text(uint64_t bytes, char buffer[NDSHM__BYTES_TEXT]);

/* false on overflow; *out is then unspecified. */
bool ndshm__add(int64_t a, int64_t b, int64_t *out);
bool ndshm__mul(int64_t a, int64_t b, int64_t *out);

/* value rounded up to a multiple of a power of two; false on overflow. */
bool ndshm__align(int64_t value, int64_t alignment, int64_t *out);

/* CRC32C (Castagnoli, RFC 3720 appendix B.4), begun with 0, continued with the former result. */
uint32_t ndshm__crc32c(uint32_t crc, const void *data, size_t size);

/* True when all bytes are zero. */
bool ndshm__is_zero(const void *data, size_t size);

/* Copies a caller's sized config (NULL: stays as *out is) over *out, which holds the defaults and
 * is known bytes long. -EINVAL when its size is impossible or unknown trailing bytes are not zero.
 */
int ndshm__config_copy(const void *config, size_t known, void *out);

/* Copies text into a buffer of size bytes, cut at the end, the rest zeroed. text may be NULL. */
void ndshm__text_copy(char *buffer, size_t size, const char *text);

#endif
