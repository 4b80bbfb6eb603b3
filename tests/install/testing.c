// SPDX-License-Identifier: MIT
//
// testing.c -- a user's test, built against an installed Corm and its fake cluster.
#include <stdio.h>

#include "corm/testing.h"

int main(void) {
    corm_fake_cluster *fake = NULL;
    corm_fake_options  options = { .nodes = 2 };
    corm_error         err;
    if (corm_fake_start(&fake, &options, &err) != CORM_OK) {
        fprintf(stderr, "%s: %s\n", corm_status_name(err.status), err.message);
        return 1;
    }
    puts(corm_fake_uri(fake));
    corm_fake_stop(fake);
    return 0;
}
