// SPDX-License-Identifier: MIT
/* A connection in operation: answers, streams, orphans, closing. */
#include "driver/conn_for_tests.h"

static void answers_go_to_those_who_asked(void **state) {
    test_client *client = *state;
    test_call    a = { 0 };
    test_call    b = { 0 };
    client_open(client);
    call_send(client, &a, "one");
    call_send(client, &b, "two");
    assert_int_equal(driver__conn_in_flight(client->conn), 2);
    call_wait(&b);
    call_expect(&a, "one");
    call_expect(&b, "two");
    assert_int_equal(driver__conn_in_flight(client->conn), 0);
}

static const struct CMUnitTest tests[] = {
    CLIENT_TEST(answers_go_to_those_who_asked),
};
RUN_TESTS()
