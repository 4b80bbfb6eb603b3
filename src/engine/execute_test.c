// SPDX-License-Identifier: MIT
#include "testing/store.h"

static void statements_run_from_text(void **state) {
    (void)state;
    engine *store = try_open();
    expect(
        store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATED KEYSPACE k");
    expect(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))",
           "CREATED TABLE k.t");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 3, 'y')");
    expect(store, "SELECT * FROM k.t", "1|2|x; 1|3|y");
    run(store, "DELETE FROM k.t WHERE a = 1 AND b = 2");
    expect(store, "SELECT * FROM k.t", "1|3|y");
    expect(store, "SELECT keyspace_name FROM system_schema.keyspaces",
           "system_auth; system_schema; system; k; system_traces");
    engine__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(statements_run_from_text),
};

RUN_TESTS()
