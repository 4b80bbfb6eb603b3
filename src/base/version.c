// SPDX-License-Identifier: MIT
//
// version.c -- the version of the library as text. No state; any thread.
#include "corm/version.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *corm_version_string(void) {
    return TEXT(CORM_VERSION_MAJOR) "." TEXT(CORM_VERSION_MINOR) "." TEXT(CORM_VERSION_PATCH);
}
