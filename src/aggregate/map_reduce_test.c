// SPDX-License-Identifier: MIT
/* MapReduce through every door: words are counted, in any number of threads, with little memory, and mistakes stop it. */
#include <stdlib.h>

#include "base/fail.h"
#include "corm/corm.h"
#include "testing/doors.h"

enum { DOCUMENTS = 300 };

static corm_session *session;

static void run(const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static int set_up(void **state) {
    (void)state;
    session = testing__open("map_reduce");
    run("CREATE TABLE documents (id int PRIMARY KEY, body text)");
    for (int32_t i = 0; i < DOCUMENTS; i++) {
        char       text[64];
        corm_error err = { 0 };
        snprintf(text, sizeof text, "w%d every w%d", i % 10, i % 3);
        assert_ok(corm_execute(session, "INSERT INTO documents (id, body) VALUES (?, ?)", NULL,
                               { .values = { corm_v(i), corm_v(text) }, .error = &err }),
                  err);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    corm_session_close(session);
    return 0;
}

/* ---- words ---- */

static corm_status map_words(void *context, const corm_row *row, corm_emitter *out,
                             corm_error *err) {
    corm_str text = corm_row_text(row, 0);
    (void)context;
    for (size_t start = 0, i = 0; i <= text.len; i++) {
        if (i < text.len && text.data[i] != ' ') continue;
        corm_str word = { text.data + start, i - start };
        CORM_TRY(corm_emit(out, corm_v(word), corm_v((int64_t)1), err));
        start = i + 1;
    }
    return CORM_OK;
}

static corm_status add_up(void *context, const corm_value *key, const corm_value *values,
                          uint32_t count, corm_value *out, corm_error *err) {
    int64_t sum = 0;
    (void)context;
    (void)key;
    (void)err;
    for (uint32_t i = 0; i < count; i++) sum += values[i].as.i64;
    *out = corm_v(sum);
    return CORM_OK;
}

static corm_status as_real(void *context, const corm_value *key, const corm_value *value,
                           corm_value *out, corm_error *err) {
    (void)context;
    (void)key;
    (void)err;
    *out = corm_v((double)value->as.i64 / DOCUMENTS);
    return CORM_OK;
}

static corm_map_reduce words(void) {
    return (corm_map_reduce){ .table = "documents",
                              .columns = "body",
                              .key_type = "text",
                              .value_type = "bigint",
                              .map = map_words,
                              .reduce = add_up };
}

static char *answer(const corm_map_reduce *job) {
    static char     text[4096];
    corm_result    *result;
    const corm_row *row;
    size_t          len = 0;
    corm_error      err = { 0 };
    text[0] = '\0';
    assert_ok(corm_map_reduce_run(session, job, &result, &err), err);
    while ((row = corm_result_next(result)) != NULL) {
        corm_str key = corm_row_text(row, 0), value = corm_row_format(row, 1);
        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s=%.*s ", (int)key.len, key.data,
                                (int)value.len, value.data);
    }
    corm_result_free(result);
    return text;
}

static const char *const counts = "every=300 w0=130 w1=130 w2=130 w3=30 w4=30 w5=30 w6=30 w7=30 "
                                  "w8=30 w9=30 ";

static void words_are_counted_with_and_without_combine(void **state) {
    (void)state;
    corm_map_reduce job = words();
    assert_string_equal(answer(&job), counts);
    job.combine = add_up;
    assert_string_equal(answer(&job), counts);
    job.options.threads = 4;
    job.options.ranges = 300;
    assert_string_equal(answer(&job), counts);
    job.options.in_order = true;
    assert_string_equal(answer(&job), counts);
}

static void finalize_gives_another_type(void **state) {
    (void)state;
    corm_map_reduce job = words();
    job.finalize = as_real;
    job.result_type = "double";
    assert_non_null(strstr(answer(&job), "every=1 "));
    assert_non_null(strstr(answer(&job), "w3=0.1 "));
}

/* ---- order ---- */

typedef struct long_key {
    uint32_t emits;
} long_key;

static corm_status map_many(void *context, const corm_row *row, corm_emitter *out,
                            corm_error *err) {
    const long_key *how = context;
    char            text[64];
    for (uint32_t i = 0; i < how->emits; i++) {
        snprintf(text, sizeof text, "%d/%u and some more text that fills memory",
                 corm_row_int(row, 0), i);
        CORM_TRY(corm_emit(out, corm_v((int32_t)(i % 50)), corm_v(text), err));
    }
    return CORM_OK;
}

/* A sum that depends on the order of the values. */
static corm_status chain(void *context, const corm_value *key, const corm_value *values,
                         uint32_t count, corm_value *out, corm_error *err) {
    static _Thread_local char text[32];
    uint64_t                  hash = 7;
    (void)context;
    (void)key;
    (void)err;
    for (uint32_t i = 0; i < count; i++)
        for (size_t c = 0; c < values[i].as.text.len; c++)
            hash = hash * 31 + (unsigned char)values[i].as.text.data[c];
    snprintf(text, sizeof text, "%llx", (unsigned long long)hash);
    *out = corm_v((const char *)text);
    return CORM_OK;
}

static void the_order_of_values_depends_on_nothing_but_the_rows(void **state) {
    (void)state;
    long_key        how = { 100 };
    corm_map_reduce job = { .table = "documents",
                            .columns = "id",
                            .key_type = "int",
                            .value_type = "text",
                            .map = map_many,
                            .reduce = chain,
                            .context = &how };
    char            first[4096];
    for (int round = 0; round < 4; round++) {
        job.options = (corm_pipeline_options){ .threads = round % 2 ? 3 : 1,
                                               .memory_limit = round / 2 ? 3 << 20 : 0 };
        char *text = answer(&job);
        if (round == 0) snprintf(first, sizeof first, "%s", text);
        assert_string_equal(text, first);
    }
}

/* ---- mistakes ---- */

static corm_status fail_map(void *context, const corm_row *row, corm_emitter *out,
                            corm_error *err) {
    (void)context;
    (void)out;
    if (corm_row_int(row, 0) != 77) return CORM_OK;
    return base__fail(err, CORM_CANCELLED, "row 77 is not wanted");
}

static corm_status emit_wrong(void *context, const corm_row *row, corm_emitter *out,
                              corm_error *err) {
    (void)context;
    (void)row;
    return corm_emit(out, corm_v("key"), corm_v("no number"), err);
}

static corm_status fail_reduce(void *context, const corm_value *key, const corm_value *values,
                               uint32_t count, corm_value *out, corm_error *err) {
    (void)context;
    (void)key;
    (void)values;
    (void)count;
    (void)out;
    return base__fail(err, CORM_CANCELLED, "no more");
}

static void refused(const corm_map_reduce *job, corm_status expected, const char *words_of) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_status(corm_map_reduce_run(session, job, &result, &err), expected);
    assert_null(result);
    if (!strstr(err.message, words_of))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words_of);
}

static void an_error_of_any_function_stops_it(void **state) {
    (void)state;
    corm_map_reduce job = { .table = "documents",
                            .key_type = "text",
                            .value_type = "bigint",
                            .map = fail_map,
                            .reduce = add_up };
    refused(&job, CORM_CANCELLED, "row 77 is not wanted");
    job.options.threads = 4;
    refused(&job, CORM_CANCELLED, "row 77 is not wanted");
    job.map = emit_wrong;
    refused(&job, CORM_CONVERSION, "");
    job = words();
    job.reduce = fail_reduce;
    refused(&job, CORM_CANCELLED, "no more");
    job = words();
    job.combine = fail_reduce;
    refused(&job, CORM_CANCELLED, "no more");
    job = words();
    job.table = "no_such_table";
    refused(&job, CORM_NOT_FOUND, "no_such_table");
    job.key_type = "nonsense<";
    refused(&job, CORM_SYNTAX_ERROR, "");
    job = words();
    job.map = NULL;
    refused(&job, CORM_INVALID_ARGUMENT, "map");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(words_are_counted_with_and_without_combine),
    cmocka_unit_test(finalize_gives_another_type),
    cmocka_unit_test(the_order_of_values_depends_on_nothing_but_the_rows),
    cmocka_unit_test(an_error_of_any_function_stops_it),
};

int main(void) {
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
