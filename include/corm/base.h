// SPDX-License-Identifier: MIT
/* base.h -- what every other header of Corm needs: export marks, borrowed strings and bytes. */
#ifndef CORM_BASE_H
#define CORM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define CORM_API __attribute__((visibility("default")))
#define CORM_CHECKED __attribute__((warn_unused_result))
#define CORM_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define CORM_API
#define CORM_CHECKED
#define CORM_PRINTF(at, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed UTF-8 text: not terminated by a zero byte unless a function says so. */
typedef struct corm_str {
    const char *data;
    size_t      len;
} corm_str;

/* Borrowed bytes. */
typedef struct corm_bytes {
    const uint8_t *data;
    size_t         len;
} corm_bytes;

/* Borrows a C string; NULL gives the empty text. */
static inline corm_str corm_str_of(const char *text) {
    corm_str str = { text, text ? strlen(text) : 0 };
    return str;
}

/* Whether both texts have the same bytes. */
static inline bool corm_str_equal(corm_str a, corm_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#ifdef __cplusplus
}
#endif
#endif
