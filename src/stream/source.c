// SPDX-License-Identifier: MIT
/* source.c -- what a stream reads: a table or a model by token ranges, or a SELECT page by page (a ring of one piece). */
#include "base/fail.h"
#include "base/text.h"
#include "orm/hook.h"
#include "stream/core.h"

enum { MOST_RANGES = 1 << 20, DEFAULT_RANGES = 256, RANGES_A_LANE = 4 };

/* ---- the statement ---- */

static corm_status prepare(corm_stream *stream, base_buf *text, corm_error *err) {
    const char *cql = base__buf_cstr(text);
    CORM_TRY(base__buf_status(text, err));
    stream->query = base__hash(text->data, text->len, 0);
    return corm_prepare(stream->session, cql, &stream->prepared, err);
}

static void put_columns(const orm_model *model, base_buf *out) {
    for (uint32_t i = 0; i < model->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, model->fields[i].quoted);
    }
}

static corm_status prepare_scan(corm_stream *stream, const corm_stream_options *given,
                                const char *keyspace, const char *table, corm_error *err) {
    const corm_table_info *info;
    base_buf               columns = { 0 }, text = { 0 };
    scan_select            select = { given->columns, given->where, given->allow_filtering };
    CORM_TRY(corm_table_read(stream->session, keyspace, table, &info, err));
    if (stream->model) {
        put_columns(stream->model, &columns);
        select.columns = base__buf_cstr(&columns);
    }
    corm_status status = base__buf_status(&columns, err);
    if (status == CORM_OK) {
        scan__put_select(info, &select, &text);
        status = prepare(stream, &text, err);
    }
    base__buf_free(&columns);
    base__buf_free(&text);
    corm_table_free(info);
    if (status != CORM_OK || stream->prepared->marker_count == 2) return status;
    return base__fail(err, CORM_INVALID_ARGUMENT, "the .where of a stream cannot have markers");
}

static corm_status bind_values(corm_stream *stream, const corm_stream_options *given,
                               corm_error *err) {
    stream->statement = corm_statement_new(stream->prepared);
    if (!stream->statement) return base__fail_memory(err);
    if (given->value_count > stream->prepared->marker_count) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the SELECT has %u markers, not %u",
                          stream->prepared->marker_count, given->value_count);
    }
    for (uint32_t i = 0; i < given->value_count; i++) {
        CORM_TRY(corm_statement_bind(stream->statement, i, given->values[i], err));
        cql_value value = stream->statement->values[i];
        if (value.len > 0) {
            stream->query = base__hash(value.data, (size_t)value.len, stream->query + i);
        }
    }
    return CORM_OK;
}

static corm_status prepare_select(corm_stream *stream, const corm_stream_options *given,
                                  corm_error *err) {
    base_buf text = { 0 };
    base__buf_puts(&text, given->cql);
    corm_status status = prepare(stream, &text, err);
    base__buf_free(&text);
    if (status != CORM_OK) return status;
    if (!stream->prepared->reads) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "a stream reads a SELECT, no other statement");
    }
    return bind_values(stream, given, err);
}

/* ---- rows that a model leaves out ---- */

static corm_status add_filter(corm_stream *stream, const corm_term *term, corm_error *err) {
    const orm_field *field;
    if (term->op >= CORM_TOKEN_GT) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "a stream reads all tokens; a SELECT in .cql has conditions on them");
    }
    CORM_TRY(orm__field_named(stream->model, term->column, &field, err));
    orm_filter *filter = &stream->filters[stream->filter_count++];
    CORM_TRY(orm__filter_make(field, term, &stream->arena, filter, err));
    filter->column = field->index;
    return CORM_OK;
}

static uint32_t count_terms(const corm_term *terms) {
    uint32_t count = 0;
    while (count < CORM_MAX_TERMS && terms[count].column) count++;
    return count;
}

static corm_status add_deleted(corm_stream *stream, bool only, corm_error *err) {
    for (uint32_t i = 0; i < stream->model->count; i++) {
        const orm_field *field = &stream->model->fields[i];
        corm_term        term = { .column = field->name.data,
                                  .op = only ? CORM_NOT_NULL_OP : CORM_NULL_OP };
        if (field->spec->role == CORM_DELETED_AT) return add_filter(stream, &term, err);
    }
    return CORM_OK;
}

/* Before functions of hooks may change the conditions, or refuse. Their after functions see no rows yet: they are called for each page
 * once more. */
static corm_status run_hooks(orm_hook_run *hooks, corm_stream *stream, corm_find_options *find,
                             corm_error *own) {
    corm_rows *none = NULL;
    hooks->call.find = find;
    corm_status status = orm__rows_new(stream->model, &none, own);
    if (status == CORM_OK) status = orm__hooks_before(hooks, own);
    hooks->call.rows = status == CORM_OK ? none : NULL;
    status = orm__hooks_after(hooks, status, own);
    corm_rows_free(none);
    return status;
}

static corm_status ask_hooks(corm_stream *stream, corm_find_options *find, corm_error *err) {
    orm_hook_run hooks;
    corm_error   own = { 0 };
    bool         opened;
    if (!orm__hooked(stream->model)) return CORM_OK;
    CORM_TRY(orm__hooks_open(stream->model, CORM_ON_FIND, &hooks, &opened, err));
    if (!opened) return CORM_OK;
    find->error = &own;
    corm_status status = run_hooks(&hooks, stream, find, &own);
    find->error = err;
    if (status != CORM_OK && err) *err = own;
    return status;
}

static corm_status make_filters(corm_stream *stream, const corm_stream_options *given,
                                corm_error *err) {
    corm_find_options        find = { .unscoped = given->unscoped,
                                      .with_deleted = given->with_deleted,
                                      .only_deleted = given->only_deleted,
                                      .error = err };
    corm_find_options        room;
    const corm_find_options *scoped = &find;
    memcpy(find.where, given->conditions, sizeof find.where);
    memcpy(find.scope, given->scope, sizeof find.scope);
    CORM_TRY(ask_hooks(stream, &find, err));
    CORM_TRY(orm__scope(stream->model, &scoped, &room));
    uint32_t count = count_terms(scoped->where);
    stream->filters = BASE_NEW_ARRAY(&stream->arena, orm_filter, count + 1);
    if (!stream->filters) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) CORM_TRY(add_filter(stream, &scoped->where[i], err));
    return scoped->with_deleted ? CORM_OK : add_deleted(stream, scoped->only_deleted, err);
}

/* ---- all of it ---- */

static uint32_t range_count(const corm_stream *stream) {
    if (!stream->by_token) return 1;
    if (stream->options.ranges > 0) return stream->options.ranges;
    if (session__is_cluster(stream->session)) return DEFAULT_RANGES;
    return RANGES_A_LANE * stream->options.concurrency;
}

static corm_status cut_ring(corm_stream *stream, const char *resume, corm_error *err) {
    scan_ring ring = { range_count(stream), resume, stream->query };
    if (ring.ranges > MOST_RANGES) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%u ranges are more than %d", ring.ranges,
                          MOST_RANGES);
    }
    if (stream->by_token) {
        CORM_TRY(scan__make_pieces(stream->session, &ring, &stream->pieces, err));
    } else {
        scan_cuts whole = { .pieces = 1 };
        CORM_TRY(resume ? scan__read_checkpoint(resume, stream->query, &whole, &stream->pieces, err)
                        : scan__cut(&stream->pieces, INT64_MIN, INT64_MAX, &whole, err));
    }
    stream->left = scan__left(&stream->pieces);
    stream->seen = BASE_NEW_ARRAY(&stream->arena, uint32_t, stream->pieces.count + 1);
    return stream->seen ? CORM_OK : base__fail_memory(err);
}

static corm_status check_source(const corm_stream_options *given, bool has_db, corm_error *err) {
    bool conditions = given->where || given->conditions[0].column || given->with_deleted ||
                      given->only_deleted || given->scope[0];
    const char *why = !given->table && !given->model && !given->cql
                          ? "it says nothing to read: .table, .model or .cql"
                      : given->table && (given->model || given->cql)
                          ? ".table excludes .model and .cql"
                      : given->model && !has_db         ? "a model needs a corm_db"
                      : given->columns && !given->table ? ".columns is of a .table"
                      : given->cql && conditions ? "a SELECT in .cql has its conditions itself"
                      : given->conditions[0].column && !given->model
                          ? ".conditions are of a .model; a .table has .where"
                      : given->value_count > 0 && !given->cql ? ".values are of a .cql"
                                                              : NULL;
    return why ? base__fail(err, CORM_INVALID_ARGUMENT, "stream: %s", why) : CORM_OK;
}

corm_status stream__open_source(corm_stream *stream, const corm_stream_options *given,
                                corm_error *err) {
    CORM_TRY(check_source(given, stream->model != NULL, err));
    stream->by_token = !given->cql;
    if (given->cql) {
        CORM_TRY(prepare_select(stream, given, err));
    } else if (given->table) {
        CORM_TRY(prepare_scan(stream, given, given->keyspace, given->table, err));
    } else {
        CORM_TRY(prepare_scan(stream, given, stream->model->keyspace.data,
                              stream->model->table.data, err));
        CORM_TRY(make_filters(stream, given, err));
    }
    return cut_ring(stream, given->resume, err);
}
