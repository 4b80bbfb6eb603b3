// SPDX-License-Identifier: MIT
/* fn_cases.h -- runs tests/functions/NAME.cases, recorded from a server by tests/functions/record.
 *
 *   name | type: value | type: value -> type: value      a function, operator or cast of such
 * arguments name | type | value | value -> type: value           count, sum, avg, min, max over
 * rows with such values … -> error CODE: text                                 a text that ends with
 * * stands for all that begin so
 *
 * Values are CQL literals, null, or <empty> for no bytes. Lines that begin with -- are comments. */
#ifndef TESTING_FN_CASES_H
#define TESTING_FN_CASES_H

#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/functions.h"
#include "testing/check.h"

enum { FN_CASE_PARTS = 16 };

typedef struct fn_case {
    base_arena arena;
    corm_str   parts[FN_CASE_PARTS]; /* what stands before the arrow */
    uint32_t   count;
    corm_str   expected;
    corm_error error;
} fn_case;

static inline bool fn_case_split(corm_str text, const char *at, corm_str *before, corm_str *after) {
    size_t len = strlen(at);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, at, len) != 0) continue;
        *before = (corm_str){ text.data, i };
        *after = (corm_str){ text.data + i + len, text.len - i - len };
        return true;
    }
    *before = text;
    *after = (corm_str){ NULL, 0 };
    return false;
}

static inline const cql_type *fn_case_type(fn_case *c, corm_str text) {
    const cql_type *type = NULL;
    assert_ok(cql__type_parse(&c->arena, text, NULL, &type, &c->error), c->error);
    return type;
}

static inline cql_value fn_case_value(fn_case *c, const cql_type *type, corm_str text) {
    base_buf buf = { 0 };
    bool     is_null = false;
    if (corm_str_equal(text, corm_str_of("null"))) return CQL_NULL;
    if (corm_str_equal(text, corm_str_of("<empty>"))) return (cql_value){ (const uint8_t *)"", 0 };
    if (type->id == CQL_TIMEUUID)
        type = cql__type_native(CQL_UUID); /* bounds that wrapped around have any version */
    assert_ok(cql__from_text(type, text, &buf, &is_null, &c->error), c->error);
    assert_false(is_null);
    cql_value value = { base__arena_copy(&c->arena, buf.data, buf.len), (int32_t)buf.len };
    base__buf_free(&buf);
    return value;
}

static inline void fn_case_put(const cql_type *type, cql_value value, base_buf *out) {
    cql__type_print(type, out);
    base__buf_puts(out, ": ");
    if (value.len == 0) base__buf_puts(out, "<empty or '' or 0x>");
    if (value.len != 0) cql__to_text(type, value, CQL_STYLE_LITERAL, out);
}

static inline bool fn_case_same(const cql_type *type, cql_value a, cql_value b) {
    base_buf x = { 0 }, y = { 0 };
    if (a.len <= 0 || b.len <= 0) return a.len == b.len;
    cql__to_text(type, a, CQL_STYLE_LITERAL, &x);
    cql__to_text(type, b, CQL_STYLE_LITERAL, &y);
    bool same = corm_str_equal(base__buf_str(&x), base__buf_str(&y));
    base__buf_free(&x);
    base__buf_free(&y);
    return same;
}

/* Whether the answer, which is also printed to *actual, is the expected one. */
static inline bool fn_case_matches(fn_case *c, const cql_function *function, corm_status status,
                                   cql_value out, base_buf *actual) {
    corm_str kind, value, wanted = c->expected;
    if (status != CORM_OK) {
        base__buf_printf(actual, "error %04x: %s", (unsigned)corm_status_server_code(status),
                         c->error.message);
        bool open = wanted.len > 0 && wanted.data[wanted.len - 1] == '*';
        if (!open) return corm_str_equal(base__buf_str(actual), wanted);
        wanted.len--;
        return base__str_has_prefix(base__buf_str(actual), wanted);
    }
    fn_case_put(function->result, out, actual);
    if (!fn_case_split(wanted, ": ", &kind, &value) ||
        base__str_has_prefix(kind, corm_str_of("error ")))
        return false;
    return cql__type_same_values(fn_case_type(c, kind), function->result) &&
           fn_case_same(function->result, fn_case_value(c, function->result, value), out);
}

static inline bool fn_case_is_aggregate(const fn_case *c) {
    static const char *const names[] = { "count", "sum", "avg", "min", "max" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (corm_str_equal(c->parts[0], corm_str_of(names[i]))) return true;
    }
    return false;
}

static inline corm_status fn_case_aggregate(fn_case *c, const cql_function **function,
                                            cql_value *out) {
    cql_eval_context context = { &c->arena, 0 };
    const cql_type  *type = fn_case_type(c, c->parts[1]);
    cql_argument     argument = { .type = type, .text = corm_str_of("v") };
    cql_call         call = { .name = c->parts[0], .args = &argument, .count = 1 };
    CORM_TRY(cql__call_resolve(&c->arena, &call, function, &c->error));
    const cql_function *f = *function;
    void               *state = base__arena_alloc(&c->arena, f->state_size);
    f->init(state);
    for (uint32_t i = 2; i < c->count; i++) {
        cql_value v = fn_case_value(c, type, c->parts[i]);
        CORM_TRY(f->step(f, &context, state, &v, &c->error));
    }
    return f->final(f, &context, state, out, &c->error);
}

static inline corm_status fn_case_call(fn_case *c, const cql_function **function, cql_value *out) {
    cql_eval_context context = { &c->arena, 0 };
    cql_argument     args[FN_CASE_PARTS];
    cql_value        values[FN_CASE_PARTS];
    for (uint32_t i = 1; i < c->count; i++) {
        corm_str kind, value;
        assert_true(fn_case_split(c->parts[i], ": ", &kind, &value));
        args[i - 1] =
            (cql_argument){ .type = cql__type_freeze(&c->arena, fn_case_type(c, kind)),
                            .text = base__arena_printf(&c->arena, "(%.*s)%.*s", (int)kind.len,
                                                       kind.data, (int)value.len, value.data) };
        values[i - 1] = fn_case_value(c, args[i - 1].type, value);
    }
    cql_call call = { .name = c->parts[0], .args = args, .count = c->count - 1 };
    call.is_cast = call.name.len > 8 && memcmp(call.name.data, "cast_as_", 8) == 0;
    CORM_TRY(cql__call_resolve(&c->arena, &call, function, &c->error));
    return (*function)->eval(*function, &context, values, out, &c->error);
}

/* Whether the line's call gives what stands behind its arrow; prints it otherwise. */
static inline bool fn_case_line(corm_str line) {
    fn_case             c = { 0 };
    const cql_function *function = NULL;
    cql_value           out = CQL_NULL;
    base_buf            actual = { 0 };
    corm_str            rest;
    assert_true(fn_case_split(line, " -> ", &rest, &c.expected));
    while (rest.len > 0) {
        assert_true(c.count < FN_CASE_PARTS);
        fn_case_split(rest, " | ", &c.parts[c.count++], &rest);
    }
    corm_status status = fn_case_is_aggregate(&c) ? fn_case_aggregate(&c, &function, &out)
                                                  : fn_case_call(&c, &function, &out);
    bool        matches = fn_case_matches(&c, function, status, out, &actual);
    if (!matches)
        print_error("%.*s\n  gave %s\n", (int)line.len, line.data, base__buf_cstr(&actual));
    base__buf_free(&actual);
    base__arena_free(&c.arena);
    return matches;
}

static inline void run_fn_cases(const char *name) {
    char     path[1024];
    char    *line = NULL;
    size_t   room = 0;
    unsigned run = 0, wrong = 0;
    snprintf(path, sizeof path, "%s/tests/functions/%s.cases", CORM_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        corm_str text = { line, strcspn(line, "\n") };
        if (text.len == 0 || base__str_has_prefix(text, corm_str_of("--"))) continue;
        run++;
        wrong += !fn_case_line(text);
    }
    free(line);
    fclose(file);
    assert_true(run > 0);
    if (wrong > 0) fail_msg("%u of %u differ", wrong, run);
}

#endif
