// SPDX-License-Identifier: MIT
/* source.c -- the source of named statements: each is bound, run and read through the public headers. */
#include "cli/generate/emit.h"

#define NAME(q) CHECK_STR((q)->name)

/* ---- binding ---- */

static void put_bind_call(uint32_t index, base_buf *out) {
    base__buf_printf(out, "status = corm_statement_bind(*out, %u, ", index);
}

/* Leaves the marker unset when the member holds nothing. */
static void bind_optional(const gen_unit *unit, const gen_member *p, uint32_t index,
                          base_buf *out) {
    const char *otherwise = "    if (!status && ";
    if (p->role == GEN_WRITE && p->type.shape != GEN_VALUE) {
        base__buf_printf(out, "    if (!status && params->null.%.*s)\n        ",
                         CHECK_STR(p->name));
        put_bind_call(index, out);
        base__buf_puts(out, "corm_null(), err);\n");
        otherwise = "    else if (!status && ";
    }
    base__buf_puts(out, otherwise);
    gen__put_present(p, "params->", out);
    base__buf_puts(out, ")\n        ");
    put_bind_call(index, out);
    gen__put_value(unit, p, "params->", "cells.", out);
    base__buf_puts(out, ", err);\n");
}

/* Null when the member holds nothing. */
static void bind_always(const gen_unit *unit, const gen_member *p, uint32_t index, base_buf *out) {
    bool flagged = p->type.shape == GEN_FLAGGED || p->type.shape == GEN_STRUCT;
    bool sure = (flagged && p->role == GEN_REQUIRED) ||
                (p->type.shape == GEN_UUID && p->role == GEN_REQUIRED);
    base__buf_puts(out, "    if (!status)\n        ");
    put_bind_call(index, out);
    if (!sure) {
        gen__put_present(p, "params->", out);
        base__buf_puts(out, " ? ");
    }
    gen__put_value(unit, p, "params->", "cells.", out);
    base__buf_puts(out, sure ? ", err);\n" : " : corm_null(), err);\n");
}

static void put_cells(const gen_unit *unit, const gen_query *q, base_buf *out) {
    bool any = false;
    for (uint32_t i = 0; i < q->param_count; i++) any = any || gen__needs_cells(&q->params[i]);
    if (!any) return;
    base__buf_puts(out, "    struct {\n");
    for (uint32_t i = 0; i < q->param_count; i++) {
        if (!gen__needs_cells(&q->params[i])) continue;
        base__buf_puts(out, "        ");
        gen__put_cells(unit, &q->params[i], out);
    }
    base__buf_puts(out, "    } cells;\n");
}

static void put_bind(const gen_unit *unit, const gen_query *q, base_buf *out) {
    char        head[160], params[200], handle[160];
    const char *parts[5] = { handle };
    uint32_t    count = 1;
    snprintf(head, sizeof head, "static corm_status bind_%.*s", NAME(q));
    snprintf(handle, sizeof handle, "const %s *statements", unit->name);
    snprintf(params, sizeof params, "const %s_%.*s_params *params", unit->name, NAME(q));
    if (q->param_count) parts[count++] = params;
    parts[count++] = "corm_statement **out";
    parts[count++] = "corm_error *err";
    gen__put_call(head, parts, " {\n", out);
    put_cells(unit, q, out);
    base__buf_printf(out,
                     "    corm_status status = begin(statements, statements->%.*s, out, err);\n",
                     CHECK_STR(q->member));
    for (uint32_t i = 0; i < q->marker_count; i++) {
        const gen_member *p = &q->params[q->markers[i]];
        bool              optional = p->role == GEN_WRITE || p->role == GEN_OPTIONAL;
        (optional ? bind_optional : bind_always)(unit, p, i, out);
    }
    base__buf_puts(out, "    return end(out, status);\n}\n\n");
}

/* ---- reading ---- */

static void put_simple_cell(const gen_member *c, const char *index, base_buf *out) {
    bool flagged = c->type.shape == GEN_FLAGGED && c->is_null;
    if (flagged)
        base__buf_printf(out, "    out->has_%.*s = !corm_row_is_null(row, %s);\n",
                         CHECK_STR(c->name), index);
    base__buf_puts(out, "    ");
    /* The text of a null is empty; the member must say that there is none. */
    if (c->type.shape == GEN_DATA && c->type.type->id != CQL_BLOB)
        base__buf_printf(out, "if (!corm_row_is_null(row, %s)) ", index);
    base__buf_printf(out, "out->%.*s = %s(row, %s);\n", CHECK_STR(c->name), c->type.getter, index);
}

static void put_cell(const gen_unit *unit, const gen_member *c, const char *index, base_buf *out) {
    if (c->type.getter) {
        put_simple_cell(c, index, out);
        return;
    }
    base__buf_printf(
        out, "    if ((status = corm_row_value(row, %s, &cell, err)) != CORM_OK) return status;\n",
        index);
    gen__put_take(unit, c, "    ", "value", out);
}

static bool reads_values(const gen_query *q) {
    for (uint32_t i = 0; i < q->column_count; i++)
        if (!q->columns[i].type.getter) return true;
    return false;
}

static void put_named(const gen_member *c, base_buf *out) {
    base__buf_puts(out, "at(result, ");
    gen__put_c_string(c->column, "", out);
    base__buf_u8(out, ')');
}

static void put_cells_reader(const gen_unit *unit, const gen_query *q, base_buf *out) {
    bool applied = q->statement->verb == CHECK_APPLIED;
    char head[160], type[200];
    if (!q->column_count) return;
    snprintf(head, sizeof head, "static corm_status take_%.*s", NAME(q));
    snprintf(type, sizeof type, "%s_%.*s_%s *out", unit->name, NAME(q), applied ? "answer" : "row");
    const char *parts[] = { "const corm_row *row", type, "corm_error *err", NULL };
    const char *applied_parts[] = { "const corm_result *result", "const corm_row *row", type,
                                    "corm_error *err", NULL };
    gen__put_call(head, applied ? applied_parts : parts, " {\n", out);
    if (reads_values(q))
        base__buf_puts(
            out,
            "    corm_value cell;\n    const corm_value *value = &cell;\n    corm_status status;\n");
    else
        base__buf_puts(out, "    (void)err;\n");
    for (uint32_t i = 0; i < q->column_count; i++) {
        base_buf index = { 0 };
        if (applied)
            put_named(&q->columns[i], &index);
        else
            base__buf_printf(&index, "%u", i);
        const char *text = base__buf_cstr(&index);
        if (text) put_cell(unit, &q->columns[i], text, out);
        if (!text) out->failed = true;
        base__buf_free(&index);
    }
    base__buf_puts(out, "    return CORM_OK;\n}\n\n");
}

static void put_check_columns(const gen_query *q, const char *result, base_buf *out) {
    base__buf_printf(
        out,
        "    if (corm_result_column_count(%s) != %u)\n"
        "        status = fail(err, CORM_SCHEMA_MISMATCH, \"%.*s: the result has not %u columns\");\n",
        result, q->column_count, NAME(q), q->column_count);
}

void gen__put_read_prototype(const gen_unit *unit, const gen_query *q, const char *tail,
                             base_buf *out) {
    char        head[160], result[256];
    const char *parts[] = { "corm_result *result", result, "corm_error *err", NULL };
    snprintf(head, sizeof head, "corm_status %s_%.*s_read", unit->name, NAME(q));
    snprintf(result, sizeof result, "%s_%.*s_%s *%s", unit->name, NAME(q), gen__result_end(q),
             gen__result_name(q));
    gen__put_call(head, parts, tail, out);
}

static void put_read_one(const gen_unit *unit, const gen_query *q, base_buf *out) {
    gen__put_read_prototype(unit, q, " {\n", out);
    base__buf_puts(out, "    const corm_row *cells = NULL;\n    corm_status status = CORM_OK;\n"
                        "    memset(row, 0, sizeof *row);\n");
    put_check_columns(q, "result", out);
    base__buf_printf(
        out,
        "    if (!status) status = corm_result_step(result, &cells, err);\n"
        "    if (!status && !cells) status = fail(err, CORM_NOT_FOUND, \"%.*s: there is no such row\");\n"
        "    if (!status) status = take_%.*s(cells, row, err);\n"
        "    if (status)\n        corm_result_free(result);\n    else\n        row->result = result;\n"
        "    return status;\n}\n\n",
        NAME(q), NAME(q));
    base__buf_printf(out,
                     "void %s_%.*s_free(%s_%.*s_row *row) {\n    corm_result_free(row->result);\n"
                     "    memset(row, 0, sizeof *row);\n}\n\n",
                     unit->name, NAME(q), unit->name, NAME(q));
}

static void put_read_rows(const gen_unit *unit, const gen_query *q, base_buf *out) {
    gen__put_read_prototype(unit, q, " {\n", out);
    base__buf_puts(
        out,
        "    const corm_row *cells;\n    corm_status status = CORM_OK;\n"
        "    uint32_t count = corm_result_row_count(result);\n"
        "    memset(rows, 0, sizeof *rows);\n    rows->result = result;\n"
        "    rows->items = calloc(count ? count : 1, sizeof *rows->items);\n"
        "    if (!rows->items) status = fail(err, CORM_NO_MEMORY, \"memory is exhausted\");\n");
    put_check_columns(q, "result", out);
    base__buf_printf(
        out,
        "    while (!status && rows->count < count && (cells = corm_result_next(result)))\n"
        "        status = take_%.*s(cells, &rows->items[rows->count++], err);\n",
        NAME(q));
    if (q->statement->verb == CHECK_PAGE)
        base__buf_puts(out, "    if (!status && corm_result_has_more(result))\n"
                            "        rows->next = corm_result_paging_state(result);\n");
    base__buf_printf(out, "    if (status) %s_%.*s_free(rows);\n    return status;\n}\n\n",
                     unit->name, NAME(q));
    base__buf_printf(
        out,
        "void %s_%.*s_free(%s_%.*s_rows *rows) {\n    free(rows->items);\n"
        "    corm_result_free(rows->result);\n    memset(rows, 0, sizeof *rows);\n}\n\n",
        unit->name, NAME(q), unit->name, NAME(q));
}

static void put_read_answer(const gen_unit *unit, const gen_query *q, base_buf *out) {
    gen__put_read_prototype(unit, q, " {\n", out);
    if (q->column_count) base__buf_puts(out, "    const corm_row *row;\n");
    base__buf_puts(out,
                   "    corm_status status = CORM_OK;\n    memset(answer, 0, sizeof *answer);\n"
                   "    answer->applied = corm_result_applied(result);\n");
    if (q->column_count)
        base__buf_printf(
            out,
            "    answer->is_there = !answer->applied && corm_result_column_count(result) > 1;\n"
            "    if (answer->is_there && (row = corm_result_next(result)))\n"
            "        status = take_%.*s(result, row, answer, err);\n",
            NAME(q));
    else
        base__buf_puts(out, "    (void)err;\n");
    base__buf_puts(out, "    if (status)\n        corm_result_free(result);\n    else\n"
                        "        answer->result = result;\n    return status;\n}\n\n");
    base__buf_printf(
        out,
        "void %s_%.*s_free(%s_%.*s_answer *answer) {\n"
        "    corm_result_free(answer->result);\n    memset(answer, 0, sizeof *answer);\n}\n\n",
        unit->name, NAME(q), unit->name, NAME(q));
}

static void put_read(const gen_unit *unit, const gen_query *q, base_buf *out) {
    put_cells_reader(unit, q, out);
    switch (q->statement->verb) {
    case CHECK_ONE: put_read_one(unit, q, out); break;
    case CHECK_APPLIED: put_read_answer(unit, q, out); break;
    case CHECK_MANY:
    case CHECK_PAGE: put_read_rows(unit, q, out); break;
    default: break;
    }
}

/* ---- running ---- */

static void put_start(const gen_query *q, const char *failed, base_buf *out) {
    base__buf_printf(
        out,
        "    corm_statement *statement;\n    corm_status status = bind_%.*s(statements, %s&statement, err);\n",
        NAME(q), q->param_count ? "params, " : "");
    base__buf_printf(out, "    if (status != CORM_OK) return %s;\n", failed);
    if (q->statement->verb == CHECK_MANY)
        base__buf_puts(out, "    corm_statement_options(statement)->page_size = -1;\n");
    if (q->statement->verb == CHECK_PAGE)
        base__buf_puts(out,
                       "    corm_statement_options(statement)->page_size = (int32_t)page_size;\n"
                       "    corm_statement_options(statement)->paging_state = from;\n");
}

static void put_sync(const gen_unit *unit, const gen_query *q, base_buf *out) {
    gen__put_prototype(unit, q, GEN_SYNC, " {\n", out);
    if (gen__has_result(q)) base__buf_puts(out, "    corm_result *result;\n");
    put_start(q, "status", out);
    base__buf_printf(
        out, "    status = corm_run(statement, %s, err);\n    corm_statement_free(statement);\n",
        gen__has_result(q) ? "&result" : "NULL");
    if (gen__has_result(q))
        base__buf_printf(
            out, "    return status == CORM_OK ? %s_%.*s_read(result, %s, err) : status;\n}\n\n",
            unit->name, NAME(q), gen__result_name(q));
    else
        base__buf_puts(out, "    return status;\n}\n\n");
}

static void put_async(const gen_unit *unit, const gen_query *q, base_buf *out) {
    gen__put_prototype(unit, q, GEN_ASYNC, " {\n", out);
    put_start(q, "NULL", out);
    base__buf_puts(out, "    corm_task *task = corm_run_async(statement, callback, context);\n"
                        "    corm_statement_free(statement);\n"
                        "    if (!task) fail(err, CORM_NO_MEMORY, \"memory is exhausted\");\n"
                        "    return task;\n}\n\n");
}

static void put_query(const gen_unit *unit, const gen_query *q, base_buf *out) {
    base__buf_printf(out, "/* ---- %.*s ---- */\n\nstatic const char %.*s_cql[] =\n", NAME(q),
                     NAME(q));
    gen__put_c_string(q->cql, "    ", out);
    base__buf_puts(out, ";\n\n");
    put_bind(unit, q, out);
    put_read(unit, q, out);
    put_sync(unit, q, out);
    put_async(unit, q, out);
}

/* ---- the handle ---- */

static void put_open(const gen_unit *unit, base_buf *out) {
    base__buf_printf(
        out,
        "/* ---- the statements of a session ---- */\n\n"
        "corm_status %s_open(%s *statements, corm_session *session, corm_error *err) {\n"
        "    corm_status status = CORM_OK;\n"
        "    memset(statements, 0, sizeof *statements);\n"
        "    statements->session = session;\n",
        unit->name, unit->name);
    for (uint32_t i = 0; i < unit->query_count; i++)
        base__buf_printf(
            out,
            "    if (!status)\n        status = corm_prepare(session, %.*s_cql, &statements->%.*s, err);\n",
            NAME(&unit->queries[i]), CHECK_STR(unit->queries[i].member));
    base__buf_printf(out,
                     "    if (status) %s_close(statements);\n    return status;\n}\n\n"
                     "void %s_close(%s *statements) {\n",
                     unit->name, unit->name, unit->name);
    for (uint32_t i = 0; i < unit->query_count; i++)
        base__buf_printf(out, "    corm_prepared_free(statements->%.*s);\n",
                         CHECK_STR(unit->queries[i].member));
    base__buf_puts(out, "    memset(statements, 0, sizeof *statements);\n}\n");
}

static void put_common(const gen_unit *unit, base_buf *out) {
    base__buf_printf(
        out,
        "static corm_status fail(corm_error *err, corm_status status, const char *text) {\n"
        "    if (!err) return status;\n"
        "    memset(err, 0, sizeof *err);\n"
        "    err->status = status;\n"
        "    snprintf(err->message, sizeof err->message, \"%%s\", text);\n"
        "    return status;\n}\n\n"
        "static corm_status begin(const %s *statements, corm_prepared *prepared,\n"
        "    corm_statement **out, corm_error *err) {\n"
        "    *out = corm_statement_new(prepared);\n"
        "    if (!*out) return fail(err, CORM_NO_MEMORY, \"memory is exhausted\");\n"
        "    *corm_statement_options(*out) = statements->options;\n"
        "    return CORM_OK;\n}\n\n"
        "static corm_status end(corm_statement **statement, corm_status status) {\n"
        "    if (status == CORM_OK) return CORM_OK;\n"
        "    corm_statement_free(*statement);\n"
        "    *statement = NULL;\n"
        "    return status;\n}\n\n",
        unit->name);
}

static bool names_columns(const gen_unit *unit) {
    for (uint32_t i = 0; i < unit->query_count; i++)
        if (unit->queries[i].statement->verb == CHECK_APPLIED && unit->queries[i].column_count)
            return true;
    return false;
}

void gen__put_source(const gen_unit *unit, base_buf *out) {
    base__buf_printf(out,
                     "/* %s.c -- made by corm generate from %s: changes here are lost. */\n"
                     "#include \"%s.h\"\n\n#include <stdio.h>\n#include <stdlib.h>\n\n",
                     unit->name, unit->source, unit->name);
    if (unit->query_count) put_common(unit, out);
    if (names_columns(unit))
        base__buf_puts(out, "/* A column that is not there reads as null. */\n"
                            "static uint32_t at(const corm_result *result, const char *name) {\n"
                            "    return (uint32_t)corm_result_column_index(result, name);\n}\n\n");
    gen__put_array_helpers(unit, out);
    gen__put_udt_functions(unit, out);
    for (uint32_t i = 0; i < unit->query_count; i++) put_query(unit, &unit->queries[i], out);
    put_open(unit, out);
}
