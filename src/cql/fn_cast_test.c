// SPDX-License-Identifier: MIT
#include "testing/fn_cases.h"

static void casts_give_what_the_server_gives(void **state) {
    (void)state;
    run_fn_cases("cast");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(casts_give_what_the_server_gives),
};
RUN_TESTS()
