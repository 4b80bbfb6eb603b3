// SPDX-License-Identifier: MIT
#include "testing/fn_cases.h"

static void bytes_become_what_the_server_makes_of_them(void **state) {
    (void)state;
    run_fn_cases("blob");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bytes_become_what_the_server_makes_of_them),
};
RUN_TESTS()
