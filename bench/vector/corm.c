// SPDX-License-Identifier: MIT
/* corm.c -- the table and its vector index through the public session. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "corm/corm.h"

static void check(corm_status status, const corm_error *err, const char *what) {
    if (status != CORM_OK) bench_fail(what, err->message);
}

static corm_statement *prepare(bench_table *to, int index, const char *cql) {
    corm_error err = { 0 };
    check(corm_prepare(to->session, cql, &to->prepared[index], &err), &err, cql);
    return corm_statement_new(to->prepared[index]);
}

static corm_session *open_session(const char *folder, bool create) {
    corm_session        *session;
    corm_error           err = { 0 };
    char                 uri[4096];
    corm_session_options options = { .keyspace = "bench",
                                     .create_keyspace = create,
                                     .relaxed_durability = true };
    snprintf(uri, sizeof uri, "corm:%s", folder);
    check(corm_session_open(&session, uri, &options, &err), &err, uri);
    return session;
}

static void run_text(corm_session *session, const char *text) {
    corm_error           err = { 0 };
    corm_execute_options how = { .error = &err };
    check(corm_execute_with(session, text, &how, NULL), &err, text);
}

void bench_make_table(const bench_data *data, const char *folder) {
    char          text[200];
    corm_session *session = open_session(folder, true);
    snprintf(text, sizeof text, "CREATE TABLE items (k int PRIMARY KEY, v vector<float, %u>)",
             data->head.dimension);
    run_text(session, text);
    corm_session_close(session);
}

void bench_open(const bench_data *data, const char *folder, bench_table *out) {
    corm_session *session = open_session(folder, false);
    bench_join(data, session, out);
    out->owns_session = true;
}

void bench_join(const bench_data *data, corm_session *session, bench_table *out) {
    *out = (bench_table){ .data = data, .session = session };
    out->insert = prepare(out, 0, "INSERT INTO items (k, v) VALUES (?, ?)");
    out->update = prepare(out, 1, "UPDATE items SET v = ? WHERE k = ?");
    out->delete = prepare(out, 2, "DELETE FROM items WHERE k = ?");
    out->wire = malloc((size_t)data->head.dimension * 4);
    if (!out->wire) bench_fail("memory", "exhausted");
}

void bench_close(bench_table *table) {
    corm_statement_free(table->insert);
    corm_statement_free(table->update);
    corm_statement_free(table->delete);
    corm_statement_free(table->nearest);
    for (int i = 0; i < 4; i++) corm_prepared_free(table->prepared[i]);
    if (table->owns_session) corm_session_close(table->session);
    free(table->wire);
}

void bench_put(bench_table *table, corm_statement *statement, uint32_t key_at, uint32_t vector_at,
               int32_t key, const float *vector) {
    corm_error err = { 0 };
    uint32_t   dimension = table->data->head.dimension;
    check(corm_statement_bind(statement, key_at, corm_of_i32(key), &err), &err, "bind");
    if (vector) {
        bench_wire(vector, dimension, table->wire);
        corm_bytes bytes = { table->wire, (size_t)dimension * 4 };
        check(corm_statement_bind_bytes(statement, vector_at, bytes, &err), &err, "bind");
    }
    check(corm_run(statement, NULL, &err), &err, "write");
}

/* The beam travels as the request's custom payload. */
uint32_t bench_ask(void *context, uint32_t query, uint32_t beam, uint32_t out[BENCH_NEAREST]) {
    bench_table    *table = context;
    uint32_t        dimension = table->data->head.dimension, count = 0;
    char            text[12];
    corm_error      err = { 0 };
    corm_result    *result;
    const corm_row *row;
    if (!table->nearest)
        table->nearest = prepare(table, 3, "SELECT k FROM items ORDER BY v ANN OF ? LIMIT 10");
    snprintf(text, sizeof text, "%u", beam);
    corm_payload_item     item = { "search_beam_width", { (const uint8_t *)text, strlen(text) } };
    corm_request_options *options = corm_statement_options(table->nearest);
    options->payload = &item;
    options->payload_count = beam ? 1 : 0;
    bench_wire(bench_query(table->data, query), dimension, table->wire);
    corm_bytes bytes = { table->wire, (size_t)dimension * 4 };
    check(corm_statement_bind_bytes(table->nearest, 0, bytes, &err), &err, "bind");
    check(corm_run(table->nearest, &result, &err), &err, "select");
    while (count < BENCH_NEAREST && (row = corm_result_next(result)) != NULL)
        out[count++] = (uint32_t)corm_row_int(row, 0);
    corm_result_free(result);
    return count;
}

static void insert_all(bench_table *table) {
    corm_error  err = { 0 };
    uint32_t    dimension = table->data->head.dimension;
    corm_batch *batch = corm_batch_new(table->session, CORM_UNLOGGED);
    for (uint32_t i = 0; i < table->data->head.count; i++) {
        bench_wire(table->data->vectors + (size_t)i * dimension, dimension, table->wire);
        corm_bytes bytes = { table->wire, (size_t)dimension * 4 };
        check(corm_statement_bind(table->insert, 0, corm_of_i32((int32_t)i), &err), &err, "bind");
        check(corm_statement_bind_bytes(table->insert, 1, bytes, &err), &err, "bind");
        check(corm_batch_add(batch, table->insert, &err), &err, "batch");
        if (corm_batch_count(batch) < 20 && i + 1 < table->data->head.count) continue;
        check(corm_batch_run(batch, NULL, &err), &err, "batch");
        corm_batch_clear(batch);
    }
    corm_batch_free(batch);
}

void bench_corm(const bench_data *data, const char *folder, uint32_t connections, uint32_t beam) {
    bench_table table;
    char        text[300];
    bench_make_table(data, folder);
    bench_open(data, folder, &table);
    double began = bench_cpu();
    insert_all(&table);
    double inserted = bench_cpu() - began, before_mb = bench_rss_mb();
    snprintf(
        text, sizeof text,
        "CREATE INDEX near ON items (v) USING 'sai' WITH OPTIONS = {'similarity_function': 'euclidean', "
        "'maximum_node_connections': '%u', 'construction_beam_width': '%u'}",
        connections, beam);
    double clock = bench_clock();
    began = bench_cpu();
    run_text(table.session, text);
    double built = bench_cpu() - began, waited = bench_clock() - clock, after_mb = bench_rss_mb();
    bench_close(&table);
    bench_open(data, folder, &table);
    uint32_t out[BENCH_NEAREST];
    began = bench_cpu();
    bench_ask(&table, 0, 10, out);
    printf("{\"insert_s\": %.2f, \"build_s\": %.2f, \"build_clock_s\": %.2f, \"load_s\": %.3f, "
           "\"rss_mb\": %.1f, \"before_mb\": %.1f}\n",
           inserted, built, waited, bench_cpu() - began, after_mb, before_mb);
    fflush(stdout);
    bench_answer(data, bench_ask, &table);
    bench_close(&table);
}
