// SPDX-License-Identifier: MIT
/* store.c -- see store.h. */
#include "testing/store.h"

engine *try_open(void) {
    corm_error err;
    engine    *store = NULL;
    assert_ok(engine__open(&(engine_options){ .map_bytes = (uint64_t)64 << 20 }, &store, &err),
              err);
    return store;
}

/* ---- answers ---- */

static void print_rows(wire_result *result, base_buf *out) {
    for (uint32_t i = 0; i < result->row_count; i++) {
        if (i > 0) base__buf_puts(out, "; ");
        for (uint32_t j = 0; j < result->metadata.count; j++) {
            if (j > 0) base__buf_puts(out, "|");
            cql_value value = cql__read_value(&result->rows);
            cql__to_text(result->metadata.columns[j].type, value, CQL_STYLE_SHELL, out);
        }
    }
}

static void print_answer(wire_result *result, base_buf *out) {
    if (result->kind == WIRE_ROWS) print_rows(result, out);
    if (result->kind == WIRE_SET_KEYSPACE) base__buf_put_str(out, result->keyspace);
    if (result->kind != WIRE_SCHEMA_CHANGE) return;
    base__buf_printf(out, "%.*s %.*s %.*s", (int)result->change.len, result->change.data,
                     (int)result->target.len, result->target.data, (int)result->keyspace.len,
                     result->keyspace.data);
    if (result->name.len > 0)
        base__buf_printf(out, ".%.*s", (int)result->name.len, result->name.data);
}

static void print_body(const wire_answer *answer, base_buf *out) {
    base_arena  arena = { 0 };
    corm_error  err;
    wire_result result;
    assert_ok(
        wire__result_read(base__buf_bytes(&answer->body), WIRE_VERSION, &arena, &result, &err),
        err);
    print_answer(&result, out);
    base__arena_free(&arena);
}

corm_status try_request(engine *store, const wire_request *request, base_buf *out,
                        corm_error *err) {
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    wire_request  asked = *request;
    if (asked.options.consistency == WIRE_ANY) asked.options.consistency = WIRE_ONE;
    corm_status status = engine__execute(store, &client, &asked, &answer, err);
    base__buf_clear(out);
    if (status == CORM_OK) print_body(&answer, out);
    assert_non_null(base__buf_cstr(out));
    engine__prepared_unref(answer.prepared);
    wire__answer_free(&answer);
    return status;
}

/* ---- texts ---- */

void expect(engine *store, const char *text, const char *expected) {
    wire_request request = { .kind = WIRE_QUERY, .text = corm_str_of(text) };
    base_buf     out = { 0 };
    corm_error   err;
    assert_ok(try_request(store, &request, &out, &err), err);
    if (expected) assert_string_equal((const char *)out.data, expected);
    base__buf_free(&out);
}

void run(engine *store, const char *text) {
    expect(store, text, NULL);
}

void expect_error(engine *store, const char *text, corm_status status, const char *words) {
    wire_request request = { .kind = WIRE_QUERY, .text = corm_str_of(text) };
    base_buf     out = { 0 };
    corm_error   err;
    assert_status(try_request(store, &request, &out, &err), status);
    if (!strstr(err.message, words)) fail_msg("\"%s\" is not in \"%s\"", words, err.message);
    base__buf_free(&out);
}

/* ---- prepared statements ---- */

const wire_prepared *prepare(engine *store, const char *text) {
    wire_request  request = { .kind = WIRE_PREPARE, .text = corm_str_of(text) };
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    corm_error    err;
    assert_ok(engine__execute(store, &client, &request, &answer, &err), err);
    const wire_prepared *prepared = answer.prepared;
    assert_non_null(prepared);
    wire__answer_free(&answer);
    return prepared;
}

void expect_prepared(engine *store, const wire_prepared *prepared, uint32_t count,
                     const cql_value *values, const char *expected) {
    wire_request request = {
        .kind = WIRE_EXECUTE,
        .prepared = prepared,
        .value_count = count,
        .values = values,
    };
    base_buf   out = { 0 };
    corm_error err;
    assert_ok(try_request(store, &request, &out, &err), err);
    if (expected) assert_string_equal((const char *)out.data, expected);
    base__buf_free(&out);
}

cql_value int_value(int32_t value, uint8_t room[4]) {
    base__store_u32(room, (uint32_t)value);
    return (cql_value){ room, 4 };
}
