// SPDX-License-Identifier: MIT
/* print_property_test.c -- for thousands of random trees of every kind of statement: parsing what was
 * printed gives the tree again, and printing that gives the same text. */
#include "cql/parser.h"
#include "cql/random_ast.h"
#include "testing/check.h"

enum { ROUNDS = 1000, KINDS = CQL_STMT_DESCRIBE + 1 };

static void check_statement(base_arena *arena, const cql_statement *made) {
    base_buf       first = { 0 }, second = { 0 };
    cql_statement *parsed = NULL;
    corm_error     err;
    cql__print(made, &first);
    corm_status status = cql__parse(arena, base__buf_str(&first), &parsed, NULL, &err);
    if (status != CORM_OK) fail_msg("%s\n%s", err.message, base__buf_cstr(&first));
    cql__print(parsed, &second);
    if (!cql__ast_equal(made, parsed)) {
        fail_msg("another tree:\n%s\n%s", base__buf_cstr(&first), base__buf_cstr(&second));
    }
    assert_string_equal(base__buf_cstr(&first), base__buf_cstr(&second));
    assert_true(cql__ast_equal(parsed, parsed));
    base__buf_free(&first);
    base__buf_free(&second);
}

static void what_is_printed_parses_to_the_same_tree(void **state) {
    (void)state;
    base_arena arena = { 0 };
    cql_random random = { .arena = &arena, .state = 0x9e3779b97f4a7c15u };
    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < KINDS; kind++) {
            check_statement(&arena, cql__random_statement(&random, (cql_statement_kind)kind));
            base__arena_reset(&arena);
        }
    }
    base__arena_free(&arena);
}

/* Two random trees are hardly ever the same, and no tree equals one of another kind. */
static void different_trees_are_not_equal(void **state) {
    (void)state;
    base_arena arena = { 0 };
    cql_random random = { .arena = &arena, .state = 88172645463325252u };
    uint32_t   equal = 0;
    for (int round = 0; round < ROUNDS; round++) {
        cql_statement *a = cql__random_statement(&random, CQL_STMT_SELECT);
        cql_statement *b = cql__random_statement(&random, CQL_STMT_SELECT);
        cql_statement *c = cql__random_statement(&random, CQL_STMT_UPDATE);
        equal += cql__ast_equal(a, b);
        assert_false(cql__ast_equal(a, c));
        base__arena_reset(&arena);
    }
    assert_true(equal < ROUNDS / 20);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_printed_parses_to_the_same_tree),
    cmocka_unit_test(different_trees_are_not_equal),
};
RUN_TESTS()
