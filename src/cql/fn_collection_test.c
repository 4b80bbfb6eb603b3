// SPDX-License-Identifier: MIT
#include "testing/fn_cases.h"

static void collections_give_what_the_server_gives(void **state) {
    (void)state;
    run_fn_cases("collection");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(collections_give_what_the_server_gives),
};
RUN_TESTS()
