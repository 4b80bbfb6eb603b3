// SPDX-License-Identifier: MIT
/* Random statements of two tenants with the same keys, in each strategy: no cell of an answer has the other's mark, no text the
 * other's name, no write changes the other's rows, counts are those of the tenant's rows. Statements go as texts, prepared, with
 * values, in batches, in pages, with the other's paging states.
 *
 * CORM_TENANT_STATEMENTS says how many (all strategies together), CORM_TENANT_SEED where they begin. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/map.h"
#include "tenant/random_statement.h"
#include "tenant/tenant_for_tests.h"

enum { BURST = 100, KEPT = 8 };

static two_tenants          two;
static corm_tenant_strategy strategy;

typedef struct tester {
    corm_session *session;
    const char   *foreign; /* the other's mark, and what its names have */
    const char   *cql;
    rs            r;
    uint8_t       paging[KEPT][256];
    size_t        paging_len[KEPT];
    uint64_t      sent, taken, rows, cells, refused;
} tester;

static tester testers[2];

static void breach(const tester *t, const char *what, corm_str text) {
    fail_msg("%s (%s): %s: %.*s", t->cql, strategy_names[strategy], what, (int)text.len, text.data);
}

static bool has(corm_str text, const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, word, len) == 0) return true;
    }
    return false;
}

static void check_text(const tester *t, corm_str text) {
    if (has(text, t->foreign) || has(text, "tenants_t__")) breach(t, "the other's mark", text);
}

static void check_whole(const tester *t, int64_t n) {
    char text[24];
    if (has(corm_str_of(t->cql), "system_schema")) return; /* options of tables */
    snprintf(text, sizeof text, "%lld", (long long)n);
    if (t->r.is_b ? n > 1000 : n < -1000) breach(t, "the other's number", corm_str_of(text));
}

static void check_value(const tester *t, const corm_value *value) {
    switch (value->kind) {
    case CORM_TEXT: check_text(t, value->as.text); break;
    case CORM_INT: check_whole(t, value->as.i32); break;
    case CORM_BIGINT: check_whole(t, value->as.i64); break;
    case CORM_LIST:
    case CORM_SET:
    case CORM_MAP:
    case CORM_TUPLE:
    case CORM_UDT:
        for (uint32_t i = 0; i < value->as.items.count; i++)
            check_value(t, &value->as.items.items[i]);
        break;
    default: break;
    }
}

/* Tokens and times have no mark. */
static bool is_marked(corm_str column) {
    return !has(column, "token(") && !has(column, "writetime(") && !has(column, "ttl(");
}

static void check_row(tester *t, const corm_result *result, const corm_row *row) {
    corm_error err = { 0 };
    t->rows++;
    for (uint32_t i = 0; i < corm_result_column_count(result); i++) {
        corm_value value;
        corm_str   name = corm_result_column_name(result, i);
        if (strategy == CORM_TENANT_COLUMN && corm_str_equal(name, corm_str_of("tenant_id")))
            breach(t, "the tenant's column", name);
        assert_ok(corm_row_value(row, i, &value, &err), err);
        t->cells++;
        if (is_marked(name)) check_value(t, &value);
        check_text(t, corm_row_format(row, i));
    }
}

static void keep_paging(tester *t, corm_bytes state) {
    uint32_t at = rs_below(&t->r, KEPT);
    if (state.len == 0 || state.len > sizeof t->paging[0]) return;
    memcpy(t->paging[at], state.data, state.len);
    t->paging_len[at] = state.len;
}

/* Also the pages behind, some of the time. */
static void check_result(tester *t, corm_result *result) {
    corm_error err = { 0 };
    for (int page = 0; page < 4; page++) {
        keep_paging(t, corm_result_paging_state(result));
        for (const corm_row *row; (row = corm_result_next(result)) != NULL;)
            check_row(t, result, row);
        if (!corm_result_has_more(result) || corm_result_fetch(result, &err) != CORM_OK) break;
    }
    for (uint32_t i = 0; i < corm_result_warning_count(result); i++)
        check_text(t, corm_result_warning(result, i));
}

static void check_failure(const tester *t, const corm_error *err) {
    bool named = has(corm_str_of(t->cql), t->foreign) || has(corm_str_of(t->cql), "tenants_t__");
    if (!named && (has(corm_str_of(err->message), t->foreign) ||
                   has(corm_str_of(err->message), "tenants_t__"))) {
        breach(t, "the other's name in an error", corm_str_of(err->message));
    }
    bool expected = err->status >= CORM_SERVER_ERROR || err->status == CORM_CONVERSION ||
                    err->status == CORM_INVALID_ARGUMENT;
    bool paging = has(corm_str_of(err->message), "paging state"); /* of another statement */
    if (!expected || (err->status == CORM_PROTOCOL_ERROR && !paging))
        breach(t, "an unexpected error", corm_str_of(err->message));
}

/* ---- how statements go ---- */

static corm_status run_text(tester *t, const tester *other, corm_result **result, corm_error *err) {
    corm_execute_options options = { .value_list = t->r.values,
                                     .value_count = t->r.count,
                                     .error = err };
    uint32_t             at = rs_below(&t->r, KEPT);
    if (rs_one_in(&t->r, 4)) options.request.page_size = 1 + (int32_t)rs_below(&t->r, 3);
    const tester *of = rs_one_in(&t->r, 2) ? t : other;
    if (rs_one_in(&t->r, 20) && of->paging_len[at] > 0) {
        options.request.paging_state = (corm_bytes){ of->paging[at], of->paging_len[at] };
    }
    corm_status status = corm_execute_with(t->session, t->cql, &options, result);
    bool        reads = strncmp(t->cql, "SELECT", 6) == 0;
    if (status == CORM_OK && reads && options.request.paging_state.data && of != t) {
        breach(t, "the other's paging state was taken", corm_str_of(""));
    }
    return status;
}

static corm_status run_prepared(tester *t, const tester *other, corm_result **result,
                                corm_error *err) {
    corm_prepared *prepared;
    CORM_TRY(corm_prepare(t->session, t->cql, &prepared, err));
    corm_statement *statement = corm_statement_new(prepared);
    corm_status     status = CORM_OK;
    corm_prepared_free(prepared);
    for (uint32_t i = 0; status == CORM_OK && i < t->r.count; i++) {
        status = corm_statement_bind(statement, i, t->r.values[i], err);
    }
    corm_batch *batch = corm_batch_new(other->session, CORM_UNLOGGED);
    if (corm_batch_add(batch, statement, NULL) == CORM_OK)
        breach(t, "taken into the other's batch", corm_str_of(""));
    corm_batch_free(batch);
    if (status == CORM_OK) status = corm_run(statement, result, err);
    corm_statement_free(statement);
    return status;
}

static corm_status run_batch(tester *t, corm_result **result, corm_error *err) {
    corm_batch *batch =
        corm_batch_new(t->session, rs_one_in(&t->r, 2) ? CORM_LOGGED : CORM_UNLOGGED);
    corm_status status = corm_batch_add_text(batch, t->cql, t->r.values, t->r.count, err);
    if (status == CORM_OK && rs_one_in(&t->r, 2)) {
        status = corm_batch_add_text(batch, "DELETE FROM users WHERE id = 3", NULL, 0, err);
    }
    if (status == CORM_OK) status = corm_batch_run(batch, result, err);
    corm_batch_free(batch);
    return status;
}

static void step(tester *t, const tester *other) {
    corm_result *result = NULL;
    corm_error   err = { 0 };
    corm_status  status;
    t->cql = rs_next(&t->r);
    switch (rs_below(&t->r, 6)) {
    case 0: status = run_prepared(t, other, &result, &err); break;
    case 1: status = run_batch(t, &result, &err); break;
    default: status = run_text(t, other, &result, &err);
    }
    t->sent++;
    if (status == CORM_OK) {
        t->taken++;
        check_result(t, result);
        corm_result_free(result);
    } else {
        if (status == CORM_UNAUTHORIZED) t->refused++;
        check_failure(t, &err);
    }
}

/* ---- the other's rows ---- */

static const char *const tables[] = { "users", "events", "hits", "points" };

/* As the store has them, not as the tenant sees them. */
static uint64_t dump(bool of_b) {
    static const char *const formats[][2] = {
        { "SELECT * FROM tenants_t__acme.%s", "SELECT * FROM tenants_t__blue_m1.%s" },
        { "SELECT * FROM tenants_t.acme__%s", "SELECT * FROM tenants_t.blue_m1__%s" },
        { "SELECT * FROM tenants_t.%s WHERE tenant_id = 'acme' ALLOW FILTERING",
          "SELECT * FROM tenants_t.%s WHERE tenant_id = 'blue-1' ALLOW FILTERING" },
    };
    uint64_t hash = 1;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char            cql[160];
        corm_result    *result;
        corm_error      err = { 0 };
        const corm_row *row;
        snprintf(cql, sizeof cql, formats[strategy][of_b], tables[i]);
        assert_ok(corm_execute(two.session, cql, &result, { .error = &err }), err);
        while (corm_result_step(result, &row, &err) == CORM_OK && row) {
            for (uint32_t c = 0; c < corm_result_column_count(result); c++) {
                corm_str   name = corm_result_column_name(result, c);
                corm_bytes cell = corm_row_bytes(row, c);
                if (!cell.data || corm_str_equal(name, corm_str_of("more"))) continue;
                hash = base__hash(cell.data, cell.len, base__hash(name.data, name.len, hash));
            }
        }
        corm_result_free(result);
    }
    return hash;
}

static void check_count(const tester *t) {
    for (size_t i = 0; i < 3; i++) {
        char cql[64];
        snprintf(cql, sizeof cql, "SELECT count(*) FROM %s", tables[i]);
        long counted = strtol(two_rows(t->session, cql), NULL, 10), seen = 0;
        snprintf(cql, sizeof cql, "SELECT * FROM %s", tables[i]);
        corm_result *result;
        corm_error   err = { 0 };
        assert_ok(corm_execute(t->session, cql, &result, { .error = &err }), err);
        for (const corm_row *row; corm_result_step(result, &row, &err) == CORM_OK && row;) seen++;
        corm_result_free(result);
        assert_int_equal(counted, seen);
    }
}

/* ---- all together ---- */

static uint64_t number_of(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void begin(tester *t, corm_session *session, bool is_b) {
    memset(t, 0, sizeof *t);
    t->session = session;
    t->foreign = is_b ? "acme" : "blue";
    t->r.state = number_of("CORM_TENANT_SEED", 20) * 7919 + is_b + 1;
    t->r.is_b = is_b;
    t->r.has_like = !testing__is_cluster();
}

static void no_statement_reaches_another_tenant(void **state) {
    uint64_t left = number_of("CORM_TENANT_STATEMENTS",
                              testing__is_cluster() && !testing__is_served() ? 900 : 12000) /
                    3;
    tester *a = &testers[0], *b = &testers[1];
    (void)state;
    begin(a, two.a, false);
    begin(b, two.b, true);
    for (uint64_t burst = 0; left > 0; burst++) {
        tester  *t = burst % 2 ? b : a, *other = burst % 2 ? a : b;
        uint64_t before = dump(other->r.is_b);
        for (int i = 0; i < BURST && left > 0; i++, left--) step(t, other);
        t->cql = "(a burst of statements)";
        if (dump(other->r.is_b) != before)
            breach(t, "the other's rows have changed", corm_str_of(""));
        if (burst % 8 < 2) check_count(t);
    }
    print_message(
        "%s: %llu statements, %llu taken, %llu refused to the tenant, %llu rows, %llu cells\n",
        strategy_names[strategy], (unsigned long long)(a->sent + b->sent),
        (unsigned long long)(a->taken + b->taken), (unsigned long long)(a->refused + b->refused),
        (unsigned long long)(a->rows + b->rows), (unsigned long long)(a->cells + b->cells));
    assert_true(a->taken > a->sent / 4 && b->taken > b->sent / 4);
    base__buf_free(&a->r.text);
    base__buf_free(&b->r.text);
}

static int open_two(void **state) {
    (void)state;
    two_open(&two, strategy, (corm_tenants_options){ .state_cache_ms = 1000 });
    corm_session *sessions[] = { two.a, two.b };
    for (int i = 0; i < 2; i++) {
        if (strategy == CORM_TENANT_COLUMN && i == 1) break;
        two_run(sessions[i], "ALTER TABLE users ADD (n int, m map<text, int>)");
        two_run(sessions[i], "ALTER TABLE events ADD v int");
        two_run(sessions[i], "CREATE TABLE points (id int PRIMARY KEY, at vector<float, 2>)");
        two_run(sessions[i], "CREATE CUSTOM INDEX ON points (at) USING 'StorageAttachedIndex'");
        if (!testing__is_cluster()) {
            two_run(
                sessions[i],
                "CREATE CUSTOM INDEX ON events (what) USING 'org.apache.cassandra.index.sasi.SASIIndex'");
        }
    }
    two_run(two.a, "INSERT INTO points (id, at) VALUES (1, [1, 2])");
    two_run(two.b, "INSERT INTO points (id, at) VALUES (5, [1, 2])");
    return 0;
}

static int close_two(void **state) {
    (void)state;
    two_close(&two);
    return 0;
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(no_statement_reaches_another_tenant) };

int main(void) {
    int failed = 0;
    for (strategy = CORM_TENANT_KEYSPACE; strategy <= CORM_TENANT_COLUMN; strategy++) {
        failed += cmocka_run_group_tests_name(strategy_names[strategy], tests, open_two, close_two);
    }
    return failed;
}
