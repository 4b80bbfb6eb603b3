// SPDX-License-Identifier: MIT
#include "testing/check_cases.h"

static const char *const tables[] = {
    "CREATE TABLE t (k int, c timeuuid, v int, l list<int>, s set<int>, m map<text, uuid>, PRIMARY KEY (k, c))",
    "CREATE TABLE n (k int PRIMARY KEY, n counter)",
    NULL,
};

typedef struct idempotent_case {
    const char *text;
    bool        idempotent;
} idempotent_case;

static const idempotent_case cases[] = {
    { "SELECT * FROM t", true },
    { "SELECT now() FROM t", true },
    { "DROP TABLE t", false },
    { "USE ks", true },
    { "INSERT INTO t (k, c, v) VALUES (?, ?, ?)", true },
    { "INSERT INTO t (k, c, v) VALUES (1, now(), 1)", false },
    { "INSERT INTO t JSON ?", true },
    { "INSERT INTO t (k, c) VALUES (?, ?) IF NOT EXISTS", false },
    { "UPDATE t SET v = 1 WHERE k = 1 AND c = ? IF EXISTS", false },
    { "UPDATE t SET l = [1] WHERE k = 1 AND c = ?", true },
    { "UPDATE t SET l = l + [1] WHERE k = 1 AND c = ?", false },
    { "UPDATE t SET l = [1] + l WHERE k = 1 AND c = ?", false },
    { "UPDATE t SET l = l - [1] WHERE k = 1 AND c = ?", true },
    { "UPDATE t SET l[0] = 1 WHERE k = 1 AND c = ?", true },
    { "DELETE l[0] FROM t WHERE k = 1 AND c = ?", false },
    { "UPDATE t SET s = s + {1}, m = m + ? WHERE k = 1 AND c = ?", true },
    { "UPDATE t SET m['a'] = uuid() WHERE k = 1 AND c = ?", false },
    { "DELETE m['a'] FROM t WHERE k = 1 AND c IN ?", true },
    { "DELETE FROM t WHERE k = 1 AND c > ? AND c < now()", false },
    { "DELETE FROM t WHERE k = 1 AND (c) IN (?, ?)", true },
    { "UPDATE n SET n = n + 1 WHERE k = 1", false },
    { "BEGIN BATCH INSERT INTO t (k, c) VALUES (1, ?) DELETE FROM t WHERE k = 2 APPLY BATCH",
      true },
    { "BEGIN BATCH INSERT INTO t (k, c) VALUES (1, ?) UPDATE t SET l = l + [1] WHERE k = 1 AND c = ? APPLY BATCH",
      false },
};

static void what_can_be_repeated_is_told_from_what_cannot(void **state) {
    (void)state;
    check_world w;
    world_open(&w, tables);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cql__is_idempotent(world_good(&w, cases[i].text)) != cases[i].idempotent)
            fail_msg("%s", cases[i].text);
    }
    world_close(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_can_be_repeated_is_told_from_what_cannot),
};
RUN_TESTS()
