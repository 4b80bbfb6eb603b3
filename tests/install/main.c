// SPDX-License-Identifier: MIT
//
// main.c -- a user's program, built against an installed Corm.
#include <stdio.h>
#include <string.h>

#include "corm/version.h"

int main(void) {
    char expected[32];
    snprintf(expected, sizeof(expected), "%d.%d.%d", CORM_VERSION_MAJOR, CORM_VERSION_MINOR,
             CORM_VERSION_PATCH);
    puts(corm_version_string());
    return strcmp(corm_version_string(), expected) == 0 ? 0 : 1;
}
