// SPDX-License-Identifier: MIT
/* Runs tests/vectors/values.tsv: answers of Cassandra's own classes. */
#include <stdlib.h>

#include "cql/numbers.h"
#include "cql/token.h"
#include "cql/values_for_tests.h"

enum { MOST_PARTS = 6 };

typedef struct question {
    const cql_type *type;
    char           *parts[MOST_PARTS]; /* the operation first, the answer last */
    int             count;
    base_arena      arena;
    base_buf        out;
    corm_error      err;
} question;

static cql_value argument(question *q, int i) {
    return bytes_of(&q->arena, q->parts[i]);
}

static corm_str text_argument(question *q, int i) {
    cql_value value = argument(q, i);
    return (corm_str){ (const char *)value.data, (size_t)value.len };
}

static void put_sign(int order, base_buf *out) {
    base__buf_printf(out, "%d", (order > 0) - (order < 0));
}

/* The answer is bytes: they are shown in hexadecimal. */
static corm_status put_result(question *q, corm_status status, base_buf *bytes) {
    if (status == CORM_OK) base__put_hex(&q->out, base__buf_bytes(bytes));
    base__buf_free(bytes);
    return status;
}

static corm_status do_validate(question *q) {
    base__buf_puts(&q->out, "ok");
    return cql__validate(q->type, argument(q, 2), &q->err);
}

static corm_status do_compare(question *q) {
    put_sign(cql__compare(q->type, argument(q, 2), argument(q, 3)), &q->out);
    return CORM_OK;
}

static corm_status do_json(question *q) {
    cql__to_json(q->type, argument(q, 2), &q->out);
    return CORM_OK;
}

static corm_status do_fromjson(question *q) {
    base_buf    bytes = { 0 };
    bool        is_null;
    corm_status status = cql__from_json(q->type, text_argument(q, 2), &bytes, &is_null, &q->err);
    if (is_null) base__buf_puts(&q->out, "null");
    return put_result(q, status, &bytes);
}

static corm_status do_string(question *q) {
    base_buf    bytes = { 0 };
    corm_status status = cql__from_string(q->type, text_argument(q, 2), &bytes, &q->err);
    return put_result(q, status, &bytes);
}

static corm_status do_cast(question *q) {
    cql__to_text(q->type, argument(q, 2), CQL_STYLE_CAST, &q->out);
    return CORM_OK;
}

static corm_status do_cqltype(question *q) {
    cql__type_print(q->type, &q->out);
    return CORM_OK;
}

static corm_status do_marshal(question *q) {
    cql__type_print_marshal(q->type, &q->out);
    return CORM_OK;
}

static corm_status do_accepts(question *q) {
    const cql_type *from = NULL;
    assert_ok(cql__type_parse_marshal(&q->arena, corm_str_of(q->parts[2]), &from, &q->err), q->err);
    base__buf_puts(&q->out, cql__type_accepts(q->type, from) ? "true" : "false");
    return CORM_OK;
}

static corm_status do_arith(question *q) {
    base_buf    bytes = { 0 };
    cql_arith   op = (cql_arith)q->parts[2][0];
    cql_value   a = argument(q, 3);
    cql_value   b = argument(q, 4);
    corm_status status = (q->type->id == CQL_DECIMAL ? cql__decimal_arith : cql__varint_arith)(
        op, a, b, &bytes, &q->err);
    return put_result(q, status, &bytes);
}

static corm_status do_plain(question *q) {
    cql__decimal_to_plain(argument(q, 2), &q->out);
    return CORM_OK;
}

static corm_status do_double(question *q) {
    cql_value value = argument(q, 2);
    base__put_double(&q->out, (q->type->id == CQL_DECIMAL ? cql__decimal_to_double
                                                          : cql__varint_to_double)(value));
    return CORM_OK;
}

static corm_status do_tobigint(question *q) {
    base_buf bytes = { 0 };
    cql__decimal_to_varint(argument(q, 2), &bytes);
    return put_result(q, CORM_OK, &bytes);
}

static corm_status do_token(question *q) {
    cql_value key = argument(q, 2);
    base__buf_printf(&q->out, "%lld",
                     (long long)cql__token((corm_bytes){ key.data, (size_t)key.len }));
    return CORM_OK;
}

static const struct {
    const char *name;
    corm_status (*run)(question *q);
} operations[] = {
    { "validate", do_validate }, { "compare", do_compare },   { "json", do_json },
    { "fromjson", do_fromjson }, { "string", do_string },     { "cast", do_cast },
    { "literal", do_cast },      { "cqltype", do_cqltype },   { "marshal", do_marshal },
    { "accepts", do_accepts },   { "arith", do_arith },       { "plain", do_plain },
    { "double", do_double },     { "tobigint", do_tobigint }, { "token", do_token },
};

static corm_status ask(question *q) {
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, q->parts[0]) == 0) return operations[i].run(q);
    }
    fail_msg("unknown operation %s", q->parts[0]);
    return CORM_OK;
}

static void escape(const base_buf *from, base_buf *to) {
    static const char plain[] = "\n\r\t\\";
    static const char letters[] = "nrt\\";
    for (size_t i = 0; i < from->len; i++) {
        const char *found = from->data[i] ? strchr(plain, from->data[i]) : NULL;
        if (found) base__buf_u8(to, '\\');
        base__buf_u8(to, found ? (uint8_t)letters[found - plain] : from->data[i]);
    }
}

static void check_answer(question *q, corm_status status) {
    base_buf shown = { 0 };
    if (status != CORM_OK) {
        base__buf_clear(&q->out);
        base__buf_printf(&q->out, "!%s", q->err.message);
    }
    escape(&q->out, &shown);
    if (strcmp(base__buf_cstr(&shown), q->parts[q->count - 1]) != 0) {
        fail_msg("%s %s %s: %s instead of %s", q->parts[0], q->parts[1],
                 q->count > 3 ? q->parts[2] : "", base__buf_cstr(&shown), q->parts[q->count - 1]);
    }
    base__buf_free(&shown);
}

static void run_line(char *line) {
    question q = { 0 };
    for (char *part = line; part && q.count < MOST_PARTS; q.count++) {
        q.parts[q.count] = part;
        part = strchr(part, '\t');
        if (part) *part++ = '\0';
    }
    assert_ok(cql__type_parse_marshal(&q.arena, corm_str_of(q.parts[1]), &q.type, &q.err), q.err);
    check_answer(&q, ask(&q));
    base__buf_free(&q.out);
    base__arena_free(&q.arena);
}

static void every_answer_is_the_servers(void **state) {
    (void)state;
    FILE *file = fopen(CORM_SOURCE_DIR "/tests/vectors/values.tsv", "r");
    assert_non_null(file);
    char   *line = NULL;
    size_t  size = 0;
    int     lines = 0;
    ssize_t len;
    while ((len = getline(&line, &size, file)) > 0) {
        if (line[0] == '#') continue;
        line[len - 1] = '\0';
        run_line(line);
        lines++;
    }
    free(line);
    fclose(file);
    assert_true(lines > 2000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_answer_is_the_servers),
};

RUN_TESTS()
