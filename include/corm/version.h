// SPDX-License-Identifier: MIT
/* version.h -- the version of the headers, and of the library that a program runs with.
 *
 * The build reads its own version from the three macros. */
#ifndef CORM_VERSION_H
#define CORM_VERSION_H

#include "corm/base.h"

#define CORM_VERSION_MAJOR 0
#define CORM_VERSION_MINOR 1
#define CORM_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version as "MAJOR.MINOR.PATCH". Static storage; any thread. */
CORM_API const char *corm_version_string(void);

#ifdef __cplusplus
}
#endif
#endif
