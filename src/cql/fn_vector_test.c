// SPDX-License-Identifier: MIT
#include "testing/fn_cases.h"

static void similarities_give_what_the_server_gives(void **state) {
    (void)state;
    run_fn_cases("vector");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(similarities_give_what_the_server_gives),
};
RUN_TESTS()
