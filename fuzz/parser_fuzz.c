// SPDX-License-Identifier: MIT
//
// parser_fuzz.c -- any text as a statement, a term, a type and a script. What parses is printed, parses
// again to an equal tree and prints to the same text; every error has a place that a caret can show.
// One thread.
#include "cql/parser.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
    if (!good) abort();
}

static void check_printed(base_arena *arena, const cql_statement *statement) {
    base_buf       first = { 0 }, second = { 0 };
    cql_statement *again = NULL;
    cql__print(statement, &first);
    check(cql__parse(arena, base__buf_str(&first), &again, NULL, NULL) == CORM_OK);
    check(cql__ast_equal(statement, again));
    cql__print(again, &second);
    check(corm_str_equal(base__buf_str(&first), base__buf_str(&second)));
    base__buf_free(&first);
    base__buf_free(&second);
}

static void check_statement(corm_str text) {
    base_arena      arena = { 0 };
    base_buf        caret = { 0 };
    cql_statement  *statement = NULL;
    cql_diagnostics diagnostics;
    corm_error      err;
    if (cql__parse(&arena, text, &statement, &diagnostics, &err) == CORM_OK) {
        check_printed(&arena, statement);
    } else {
        check(!statement && diagnostics.count > 0 && err.line > 0);
        for (uint32_t i = 0; i < diagnostics.count; i++) {
            cql__print_caret(text, diagnostics.items[i].place, diagnostics.items[i].length, &caret);
        }
    }
    base__buf_free(&caret);
    base__arena_free(&arena);
}

static void check_term(corm_str text) {
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    cql_expr  *expr = NULL, *again = NULL;
    if (cql__parse_term(&arena, text, &expr, NULL) == CORM_OK) {
        cql__print_expr(expr, &out);
        check(cql__parse_term(&arena, base__buf_str(&out), &again, NULL) == CORM_OK);
        check(cql__expr_equal(expr, again));
    }
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void check_type(corm_str text) {
    base_arena          arena = { 0 };
    base_buf            out = { 0 };
    const cql_type_ast *type = NULL, *again = NULL;
    if (cql__parse_type(&arena, text, &type, NULL) == CORM_OK) {
        cql__print_type_ast(type, &out);
        check(cql__parse_type(&arena, base__buf_str(&out), &again, NULL) == CORM_OK);
    }
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void check_script(corm_str text) {
    corm_str rest = text, statement;
    bool     complete;
    uint32_t line = 1;
    for (size_t left = rest.len; cql__split(rest, &statement, &rest, &complete, &line);) {
        check(statement.len > 0 && statement.data >= text.data);
        check(rest.data + rest.len == text.data + text.len && rest.len < left);
        check(statement.data + statement.len + (complete ? 1 : 0) <= rest.data);
        left = rest.len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    corm_str text = { size ? (const char *)data : "", size };
    check_statement(text);
    check_term(text);
    check_type(text);
    check_script(text);
    return 0;
}
