// SPDX-License-Identifier: MIT
/* source.c -- what a stream reads: a table or a model by token ranges, or a SELECT page by page (a ring of one piece). */
#include "base/fail.h"
#include "base/text.h"
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

static corm_status add_scopes(corm_stream *stream, corm_error *err) {
    const corm_scope *scope = stream->model->spec->scopes;
    for (; scope && scope->name; scope++) {
        uint32_t count = scope->is_default ? count_terms(scope->find.where) : 0;
        for (uint32_t i = 0; i < count; i++)
            CORM_TRY(add_filter(stream, &scope->find.where[i], err));
    }
    return CORM_OK;
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

static corm_status make_filters(corm_stream *stream, const corm_stream_options *given,
                                corm_error *err) {
    uint32_t          given_count = count_terms(given->conditions), most = given_count + 1;
    const corm_scope *scope = stream->model->spec->scopes;
    for (; scope && scope->name; scope++) most += count_terms(scope->find.where);
    stream->filters = BASE_NEW_ARRAY(&stream->arena, orm_filter, most);
    if (!stream->filters) return base__fail_memory(err);
    for (uint32_t i = 0; i < given_count; i++) {
        CORM_TRY(add_filter(stream, &given->conditions[i], err));
    }
    if (!given->unscoped) CORM_TRY(add_scopes(stream, err));
    return given->with_deleted ? CORM_OK : add_deleted(stream, given->only_deleted, err);
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
    bool conditions =
        given->where || given->conditions[0].column || given->with_deleted || given->only_deleted;
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
