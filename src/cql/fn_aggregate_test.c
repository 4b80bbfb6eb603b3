// SPDX-License-Identifier: MIT
#include "testing/fn_cases.h"

static void aggregates_give_what_the_server_gives(void **state) {
    (void)state;
    run_fn_cases("aggregate");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(aggregates_give_what_the_server_gives),
};
RUN_TESTS()
