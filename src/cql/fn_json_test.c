// SPDX-License-Identifier: MIT
#include "testing/fn_cases.h"

static void json_is_what_the_server_writes(void **state) {
    (void)state;
    run_fn_cases("json");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(json_is_what_the_server_writes),
};
RUN_TESTS()
