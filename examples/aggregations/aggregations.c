// SPDX-License-Identifier: MIT
/* aggregations.c -- what each customer has spent, month by month, and words counted by MapReduce.
 *
 *   aggregations [URI]     "corm::memory:" by default; or "cassandra://127.0.0.1:9042" */
#include <corm/corm.h>
#include <stdio.h>
#include <stdlib.h>

enum { ORDERS = 600, CUSTOMERS = 40 };

static int failed(const char *what, const corm_error *err) {
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(err->status), err->message);
    return 1;
}

/* ---- orders ---- */

static corm_status add_order(corm_session *session, int32_t i, corm_error *err) {
    const char    *status = i % 4 == 0 ? "open" : "completed";
    const char    *note = i % 2 ? "a gift for a friend" : "a book";
    corm_timestamp created = { (int64_t)i * 43200000 };
    return corm_execute(session,
                        "INSERT INTO orders (customer_id, id, status, amount, created_at, note) "
                        "VALUES (?, ?, ?, ?, ?, ?)",
                        NULL,
                        { .values = { corm_v(i * i % CUSTOMERS), corm_v(i), corm_v(status),
                                      corm_v(corm_decimal_of(500 + i * 37 % 9000, 2)),
                                      corm_v(created), corm_v(note) },
                          .error = err });
}

static corm_status make_orders(corm_session *session, corm_error *err) {
    corm_status status =
        corm_execute(session, "DROP TABLE IF EXISTS orders", NULL, { .error = err });
    if (!status)
        status = corm_execute(session,
                              "CREATE TABLE orders (customer_id int, id int, status text, amount "
                              "decimal, created_at timestamp, note text, PRIMARY KEY (customer_id, "
                              "id))",
                              NULL, { .error = err });
    for (int32_t i = 0; i < ORDERS && !status; i++) status = add_order(session, i, err);
    return status;
}

static void print(corm_result *result) {
    uint32_t columns = corm_result_column_count(result);
    for (uint32_t i = 0; i < columns; i++) {
        corm_str name = corm_result_column_name(result, i);
        printf("%s%.*s", i ? " | " : "", (int)name.len, name.data);
    }
    printf("\n");
    for (const corm_row *row = corm_result_next(result); row; row = corm_result_next(result)) {
        for (uint32_t i = 0; i < columns; i++) {
            corm_str cell = corm_row_format(row, i);
            printf("%s%.*s", i ? " | " : "", (int)cell.len, cell.data);
        }
        printf("\n");
    }
    printf("\n");
}

/* Runs a pipeline, prints its rows, and frees it. */
static int show(corm_pipeline *p) {
    corm_result *result;
    corm_error   err = { 0 };
    corm_status  status = corm_pipeline_execute(p, &result, &err);
    corm_pipeline_free(p);
    if (status) return failed("execute", &err);
    print(result);
    corm_result_free(result);
    return 0;
}

/* ---- the specification's pipeline ---- */

static int best_customers(corm_session *session) {
    corm_pipeline *p = corm_pipeline_new(session, "orders", NULL);
    corm_pipeline_where(p, "status", CORM_EQ, corm_v("completed"));
    corm_pipeline_group_by(p, "customer_id");
    corm_pipeline_count(p, "total_orders");
    corm_pipeline_sum(p, "amount", "total_spent");
    corm_pipeline_avg(p, "amount", "avg_order_value");
    corm_pipeline_having(p, "total_orders", CORM_GT, corm_v(5));
    corm_pipeline_sort(p, "total_spent", true);
    corm_pipeline_limit(p, 100);
    return show(p);
}

/* ---- more of it ---- */

static int by_quarter(corm_session *session) {
    corm_pipeline *p = corm_pipeline_new(session, "orders", NULL);
    corm_pipeline_group_by(p, "date_trunc('quarter', created_at) AS quarter");
    corm_pipeline_count(p, "orders");
    corm_pipeline_median(p, "amount", "median");
    corm_pipeline_approx_percentile(p, "amount", 0.99, "p99");
    corm_pipeline_count_distinct(p, "customer_id", "customers");
    corm_pipeline_add(p, "cast(orders AS double) / customers AS orders_each");
    corm_pipeline_sort(p, "quarter", false);
    return show(p);
}

static int explain(corm_session *session) {
    char          *text;
    corm_error     err = { 0 };
    corm_pipeline *p = corm_pipeline_new(session, "orders", NULL);
    corm_pipeline_where(p, "customer_id", CORM_EQ, corm_v(16));
    corm_pipeline_where(p, "status", CORM_EQ, corm_v("open"));
    corm_pipeline_sum(p, "amount", "spent");
    corm_status status = corm_pipeline_explain(p, &text, &err);
    if (!status) printf("%s\n", text);
    if (!status) free(text);
    if (!status) return show(p);
    corm_pipeline_free(p);
    return failed("explain", &err);
}

/* ---- MapReduce ---- */

static corm_status map(void *context, const corm_row *row, corm_emitter *out, corm_error *err) {
    corm_str text = corm_row_text(row, 0);
    (void)context;
    for (size_t start = 0, i = 0; i <= text.len; i++) {
        if (i < text.len && text.data[i] != ' ') continue;
        corm_str    word = { text.data + start, i - start };
        corm_status status = corm_emit(out, corm_v(word), corm_v((int64_t)1), err);
        if (status) return status;
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

static int count_words(corm_session *session) {
    corm_result          *result;
    corm_error            err = { 0 };
    const corm_map_reduce job = { .table = "orders",
                                  .columns = "note",
                                  .key_type = "text",
                                  .value_type = "bigint",
                                  .map = map,
                                  .combine = add_up,
                                  .reduce = add_up };
    if (corm_map_reduce_run(session, &job, &result, &err)) return failed("MapReduce", &err);
    print(result);
    corm_result_free(result);
    return 0;
}

int main(int argc, char **argv) {
    corm_session              *session;
    corm_error                 err = { 0 };
    const corm_session_options options = { .keyspace = "aggregations", .create_keyspace = true };
    if (corm_session_open(&session, argc > 1 ? argv[1] : "corm::memory:", &options, &err))
        return failed("open", &err);
    int status = make_orders(session, &err) ? failed("orders", &err) : 0;
    if (!status) status = best_customers(session);
    if (!status) status = by_quarter(session);
    if (!status) status = explain(session);
    if (!status) status = count_words(session);
    corm_session_close(session);
    return status;
}
