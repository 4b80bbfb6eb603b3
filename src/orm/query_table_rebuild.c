// SPDX-License-Identifier: MIT
/* query_table_rebuild.c -- a query table compared with its model's rows, and mended.
 *
 *   1. the model's table is read in token ranges; of each page's rows all copies are read at once and compared
 *   2. the query table is read likewise; of each copy its row is read: a copy that is not its row's is an orphan
 *
 * What differs is looked at again by itself before it is touched. A copy is written with the times at which the row's columns were
 * written, so that a newer write of somebody else wins; only where that is not enough (something was deleted there meanwhile), and
 * for collections, with a time from before the row was read. Orphans are deleted as of such a time.
 *
 * A checkpoint is the number of the pass and the scan's own. One thread. */
#include <stdlib.h>

#include "base/clock.h"
#include "corm/cluster.h"
#include "orm/parallel.h"
#include "orm/query_table.h"

typedef struct comparing {
    corm_db                        *db;
    orm_model                      *model, *copy;
    const corm_query_table_options *options;
    bool                            mends;
    int                             pass; /* 1, 2 */
    corm_scan                      *scan;
    corm_query_table_report        *report;
    corm_error                     *err;
    /* Of the page under way: */
    base_arena   arena;
    uint32_t     count; /* rows */
    corm_bytes **cells; /* of each row, one a field of the table that is read */
    uint8_t     *wrong; /* of each row */
    orm_parallel parallel;
} comparing;

/* The table that is read, and the one that is asked for each of its rows. */
static orm_model *read_table(const comparing *c) {
    return c->pass == 1 ? c->model : c->copy;
}

static orm_model *asked_table(const comparing *c) {
    return c->pass == 1 ? c->copy : c->model;
}

/* The field of the table that is read which stands for a field of the one that is asked. */
static bool counterpart(const comparing *c, uint32_t asked, uint32_t *out) {
    if (c->pass == 1) *out = c->copy->origins[asked];
    if (c->pass == 1) return true;
    for (uint32_t i = 0; i < c->copy->count; i++) {
        *out = i;
        if (c->copy->origins[i] == asked) return true;
    }
    return false;
}

static bool same(corm_bytes a, corm_bytes b) {
    if (!a.data || !b.data) return !a.data && !b.data;
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* Equal values that are sealed have different bytes. */
static bool same_value(comparing *c, const orm_field *field, corm_bytes a, corm_bytes b) {
    cql_value x;
    cql_value y;
    if (field->spec->sealed != CORM_SEALED || !a.data || !b.data) return same(a, b);
    cql_value in = { a.data, (int32_t)a.len };
    if (orm__sealed_open(field, in, &c->arena, &x, NULL) != CORM_OK) return false;
    in = (cql_value){ b.data, (int32_t)b.len };
    if (orm__sealed_open(field, in, &c->arena, &y, NULL) != CORM_OK) return false;
    return same(orm__bytes_of(x), orm__bytes_of(y));
}

/* ---- one page ---- */

static corm_status take_page(comparing *c, corm_result *page) {
    uint32_t        columns = read_table(c)->count;
    uint32_t        most = corm_result_row_count(page);
    const corm_row *row;
    base__arena_reset(&c->arena);
    c->count = 0;
    c->cells = BASE_NEW_ARRAY(&c->arena, corm_bytes *, most + 1);
    c->wrong = BASE_NEW_ARRAY(&c->arena, uint8_t, most + 1);
    if (!c->cells || !c->wrong) return base__fail_memory(c->err);
    while (c->count < most && (row = corm_result_next(page)) != NULL) {
        corm_bytes *cells = BASE_NEW_ARRAY(&c->arena, corm_bytes, columns);
        if (!cells) return base__fail_memory(c->err);
        for (uint32_t i = 0; i < columns; i++) cells[i] = corm_row_bytes(row, i);
        c->cells[c->count++] = cells;
    }
    return CORM_OK;
}

/* In the first pass: whether the row has a copy at all. */
static bool has_key(const comparing *c, uint32_t row) {
    const orm_model *asked = asked_table(c);
    for (uint32_t k = 0; k < asked->key_count; k++) {
        uint32_t field;
        if (!counterpart(c, asked->keys[k]->index, &field) || !c->cells[row][field].data)
            return false;
    }
    return true;
}

static corm_status bind_key(comparing *c, corm_statement *statement, uint32_t row) {
    const orm_model *asked = asked_table(c);
    for (uint32_t k = 0; k < asked->key_count; k++) {
        uint32_t field = 0;
        if (!counterpart(c, asked->keys[k]->index, &field)) continue;
        CORM_TRY(corm_statement_bind_bytes(statement, k, c->cells[row][field], c->err));
    }
    return CORM_OK;
}

/* A copy of none but null columns may be missing where its key is the model's: nothing was ever written there. */
static bool is_empty(const comparing *c, const corm_bytes *cells) {
    for (uint32_t i = 0; i < c->copy->count; i++) {
        if (!orm__is_key(&c->copy->fields[i]) && cells[c->copy->origins[i]].data) return false;
    }
    return !c->copy->moves;
}

/* A copy must have all of its row; a row need only have the copy's key. */
static bool is_right(comparing *c, const corm_bytes *cells, const corm_row *found) {
    const orm_model *asked = asked_table(c);
    for (uint32_t i = 0; i < asked->count && found; i++) {
        uint32_t field;
        if (!counterpart(c, i, &field)) continue;
        if (c->pass == 2 && !orm__is_key(&c->copy->fields[field])) continue;
        if (!same_value(c, &asked->fields[i], cells[field], corm_row_bytes(found, i))) return false;
    }
    return found || (c->pass == 1 && is_empty(c, cells));
}

static corm_status answered(void *context, uint32_t request, corm_status status,
                            corm_result *result, const corm_error *why) {
    comparing *c = context;
    if (status != CORM_OK) return base__fail(c->err, status, "%s", why->message);
    c->wrong[request] = !is_right(c, c->cells[request], corm_result_next(result));
    corm_result_free(result);
    return CORM_OK;
}

static corm_status ask_all(comparing *c, corm_statement *statement) {
    for (uint32_t i = 0; i < c->count; i++) {
        if (!has_key(c, i)) continue;
        CORM_TRY(bind_key(c, statement, i));
        CORM_TRY(orm__parallel_ask(&c->parallel, statement, i));
    }
    return orm__parallel_end(&c->parallel);
}

static corm_status compare_page(comparing *c) {
    orm_shape      *shape = NULL;
    corm_statement *statement = NULL;
    c->parallel = (orm_parallel){
        .session = c->db->session, .answered = answered, .context = c, .err = c->err
    };
    CORM_TRY(orm__image_shape(asked_table(c), &shape, c->err));
    corm_status status = orm__statement(shape, &statement, c->err);
    if (status == CORM_OK) status = ask_all(c, statement);
    orm__parallel_stop(&c->parallel);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

/* ---- one row ---- */

/* The key columns of the table that was read, in a struct. */
static corm_status make_row(comparing *c, uint32_t index, uint8_t **out) {
    const orm_model *table = read_table(c);
    *out = BASE_NEW_ARRAY(&c->arena, uint8_t, table->spec->row_size);
    if (!*out) return base__fail_memory(c->err);
    for (uint32_t k = 0; k < table->key_count; k++) {
        const orm_field *field = table->keys[k];
        corm_bytes       cell = c->cells[index][field->index];
        cql_value        wire = { cell.data, (int32_t)cell.len };
        corm_value       value;
        CORM_TRY(cql__decode(field->type, wire, &c->arena, &value, c->err));
        CORM_TRY(orm__member_set(field, &value, *out + field->offset, &c->arena, c->err));
    }
    return CORM_OK;
}

static const corm_request_options no_request;

static bool is_copy_of(comparing *c, const orm_image *row, const orm_image *copy) {
    for (uint32_t i = 0; i < c->copy->count && copy->row; i++) {
        corm_bytes cell = row->cells[c->copy->origins[i]];
        if (!same_value(c, &c->copy->fields[i], cell, copy->cells[i])) return false;
    }
    return copy->row || is_empty(c, row->cells);
}

/* How the copy stands to the row; both are read now. */
static corm_status look(comparing *c, const void *key, orm_image *row, bool *missing, bool *wrong) {
    orm_image copy;
    *missing = *wrong = false;
    CORM_TRY(orm__image_read(c->model, key, &no_request, &c->arena, row, c->err));
    if (!orm__image_has_copy(row, c->copy)) return CORM_OK;
    corm_status status = orm__image_read(c->copy, row->row, &no_request, &c->arena, &copy, c->err);
    if (status == CORM_OK) {
        *wrong = !is_copy_of(c, row, &copy);
        *missing = *wrong && !copy.row;
    }
    orm__image_free(&copy);
    return status;
}

static corm_status put(comparing *c, const orm_image *row, int64_t time, bool original) {
    orm_copy_sink sink = { .original = original, .arena = &c->arena, .err = c->err };
    sink.request.has_timestamp = true;
    sink.request.timestamp_us = time;
    return orm__copy_put(&sink, c->copy, row);
}

static corm_status mend(comparing *c, uint32_t index, bool original, bool *was_wrong,
                        bool *was_missing) {
    uint8_t  *key;
    orm_image row = { 0 };
    int64_t   time = base__clock_write_us();
    CORM_TRY(make_row(c, index, &key));
    corm_status status = look(c, key, &row, was_missing, was_wrong);
    if (status == CORM_OK && *was_wrong && c->mends) status = put(c, &row, time, original);
    orm__image_free(&row);
    return status;
}

static corm_status mend_copy(comparing *c, uint32_t index) {
    bool wrong;
    bool missing;
    bool again;
    CORM_TRY(mend(c, index, true, &wrong, &missing));
    c->report->missing += missing;
    c->report->different += wrong && !missing;
    if (!wrong || !c->mends) return CORM_OK;
    return mend(c, index, false, &again, &missing);
}

/* An orphan, when it still is one. */
static corm_status drop_copy(comparing *c, uint32_t index) {
    uint8_t  *key;
    orm_image row = { 0 };
    int64_t   time = base__clock_write_us();
    bool      right = true;
    CORM_TRY(make_row(c, index, &key));
    corm_status status = orm__image_read(c->model, key, &no_request, &c->arena, &row, c->err);
    for (uint32_t k = 0; k < c->copy->key_count && status == CORM_OK; k++) {
        uint32_t field = c->copy->keys[k]->index;
        right =
            right && row.row && same(c->cells[index][field], row.cells[c->copy->origins[field]]);
    }
    orm__image_free(&row);
    if (status != CORM_OK || right) return status;
    c->report->orphans++;
    if (!c->mends) return CORM_OK;
    orm_copy_sink sink = { .arena = &c->arena, .err = c->err };
    sink.request.has_timestamp = true;
    sink.request.timestamp_us = time;
    return orm__copy_drop(&sink, c->copy, key);
}

/* ---- the scans ---- */

static corm_status tell(comparing *c) {
    char *scan = NULL;
    char *text = NULL;
    if (!c->options->progress) return CORM_OK;
    CORM_TRY(corm_scan_checkpoint(c->scan, &scan, c->err));
    size_t len = strlen(scan) + 4;
    text = malloc(len);
    if (text) snprintf(text, len, "%d %s", c->pass, scan);
    double      done = (corm_scan_progress(c->scan) + c->pass - 1) / 2;
    corm_status status = text ? c->options->progress(c->options->context, done, c->report, text)
                              : base__fail_memory(c->err);
    free(text);
    free(scan);
    if (status == CORM_OK || status == CORM_NO_MEMORY) return status;
    return base__fail(c->err, status, "the progress function has stopped it");
}

static corm_status page_read(void *context, corm_result *page, corm_error *err) {
    comparing *c = context;
    (void)err;
    CORM_TRY(take_page(c, page));
    CORM_TRY(compare_page(c));
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->wrong[i]) CORM_TRY(c->pass == 1 ? mend_copy(c, i) : drop_copy(c, i));
    }
    if (c->pass == 1) c->report->rows += c->count;
    if (c->pass == 2) c->report->copies += c->count;
    return tell(c);
}

static corm_status column_names(const orm_model *table, base_buf *out, corm_error *err) {
    for (uint32_t i = 0; i < table->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, table->fields[i].quoted);
    }
    (void)base__buf_cstr(out);
    return base__buf_status(out, err);
}

static corm_status run_pass(comparing *c, int pass, const char *resume) {
    base_buf columns = { 0 };
    c->pass = pass;
    corm_status       status = column_names(read_table(c), &columns, c->err);
    corm_scan_options options = { .keyspace = c->model->keyspace.data,
                                  .columns = (const char *)columns.data,
                                  .concurrency = c->options->concurrency,
                                  .resume = resume,
                                  .error = c->err };
    if (status == CORM_OK) {
        status = corm_scan_open(c->db->session, read_table(c)->table.data, &options, &c->scan);
    }
    if (status == CORM_OK) status = corm_scan_run(c->scan, page_read, c, c->err);
    corm_scan_free(c->scan);
    c->scan = NULL;
    base__buf_free(&columns);
    return status;
}

static corm_status run_passes(comparing *c) {
    const char *resume = c->options->resume;
    int         first = 1;
    if (resume && (resume[0] != '1' && resume[0] != '2')) {
        return base__fail(c->err, CORM_INVALID_ARGUMENT, ".resume is no checkpoint of a rebuild");
    }
    if (resume) first = resume[0] - '0';
    if (resume) resume += resume[1] == ' ' ? 2 : 1;
    if (first == 1) CORM_TRY(run_pass(c, 1, resume));
    return run_pass(c, 2, first == 2 ? resume : NULL);
}

static corm_status compare(corm_db *db, const corm_model *spec, const char *table,
                           const corm_query_table_options *options, bool mends) {
    static const corm_query_table_options defaults;
    corm_query_table_report               report = { 0 };
    if (!options) options = &defaults;
    comparing *c = calloc(1, sizeof *c);
    if (!c) return base__fail_memory(options->error);
    *c = (comparing){ .db = db, .options = options, .mends = mends, .err = options->error };
    c->report = options->report ? options->report : &report;
    *c->report = (corm_query_table_report){ 0 };
    corm_status status = CORM_OK;
    if (options->_canary != 0) {
        status = base__fail(c->err, CORM_INVALID_ARGUMENT,
                            "the options of the query table are not initialised");
    }
    if (status == CORM_OK) status = orm__model(db, spec, &c->model, c->err);
    if (status == CORM_OK) status = orm__query_table_named(c->model, table, &c->copy, c->err);
    if (status == CORM_OK) status = run_passes(c);
    base__arena_free(&c->arena);
    free(c);
    return status;
}

corm_status corm_query_table_rebuild_with(corm_db *db, const corm_model *model, const char *table,
                                          const corm_query_table_options *options) {
    return compare(db, model, table, options, true);
}

corm_status corm_query_table_check_with(corm_db *db, const corm_model *model, const char *table,
                                        const corm_query_table_options *options) {
    return compare(db, model, table, options, false);
}
