// SPDX-License-Identifier: MIT
#include "testing/fn_cases.h"

static void masks_hide_what_the_server_hides(void **state) {
    (void)state;
    run_fn_cases("mask");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(masks_hide_what_the_server_hides),
};
RUN_TESTS()
