/* SPDX-License-Identifier: MIT
 *
 * api.h -- how Corm's public functions are declared.
 *
 * CORM_API marks what libcorm exports; all else is hidden. CORM_CHECKED makes the compiler
 * warn when a result is dropped. */
#ifndef CORM_API_H
#define CORM_API_H

#if defined(__GNUC__) || defined(__clang__)
#define CORM_API __attribute__((visibility("default")))
#define CORM_CHECKED __attribute__((warn_unused_result))
#define CORM_PRINTF(format, first) __attribute__((format(printf, format, first)))
#else
#define CORM_API
#define CORM_CHECKED
#define CORM_PRINTF(format, first)
#endif

#ifdef __cplusplus
#define CORM_BEGIN extern "C" {
#define CORM_END }
#else
#define CORM_BEGIN
#define CORM_END
#endif

#endif
