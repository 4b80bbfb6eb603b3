// SPDX-License-Identifier: MIT
/* header.c -- the header of named statements: structs of parameters and rows, and a function for each. */
#include "cli/generate/emit.h"

/* ---- structs ---- */

static bool has_nulls(const gen_query *q) {
    for (uint32_t i = 0; i < q->param_count; i++)
        if (q->params[i].role == GEN_WRITE && q->params[i].type.shape != GEN_VALUE) return true;
    return false;
}

static void put_params(const gen_unit *unit, const gen_query *q, base_buf *out) {
    if (!q->param_count) return;
    base__buf_printf(out, "typedef struct %s_%.*s_params {\n", unit->name, CHECK_STR(q->name));
    for (uint32_t i = 0; i < q->param_count; i++)
        gen__put_declaration(unit, &q->params[i], true, out);
    if (has_nulls(q)) {
        const char *before = "    struct {\n        bool ";
        for (uint32_t i = 0; i < q->param_count; i++) {
            if (q->params[i].role != GEN_WRITE || q->params[i].type.shape == GEN_VALUE) continue;
            base__buf_printf(out, "%s%.*s", before, CHECK_STR(q->params[i].name));
            before = ", ";
        }
        base__buf_puts(out, ";\n    } null; /* write null: deletes what is there */\n");
    }
    base__buf_printf(out, "} %s_%.*s_params;\n\n", unit->name, CHECK_STR(q->name));
}

static void put_columns(const gen_unit *unit, const gen_query *q, base_buf *out) {
    for (uint32_t i = 0; i < q->column_count; i++)
        gen__put_declaration(unit, &q->columns[i], false, out);
}

static void put_row(const gen_unit *unit, const gen_query *q, base_buf *out) {
    base__buf_printf(out, "typedef struct %s_%.*s_row {\n", unit->name, CHECK_STR(q->name));
    put_columns(unit, q, out);
    if (q->statement->verb == CHECK_ONE)
        base__buf_puts(out, "    corm_result *result; /* holds what the row points to */\n");
    base__buf_printf(out, "} %s_%.*s_row;\n\n", unit->name, CHECK_STR(q->name));
    if (q->statement->verb == CHECK_ONE) return;
    base__buf_printf(
        out, "typedef struct %s_%.*s_rows {\n    %s_%.*s_row *items;\n    uint32_t count;\n",
        unit->name, CHECK_STR(q->name), unit->name, CHECK_STR(q->name));
    if (q->statement->verb == CHECK_PAGE)
        base__buf_puts(
            out,
            "    corm_bytes next; /* where the next page begins; data NULL: this was the last */\n");
    base__buf_printf(
        out, "    corm_result *result; /* holds what the rows point to */\n} %s_%.*s_rows;\n\n",
        unit->name, CHECK_STR(q->name));
}

static void put_answer(const gen_unit *unit, const gen_query *q, base_buf *out) {
    base__buf_printf(out, "typedef struct %s_%.*s_answer {\n    bool applied;\n", unit->name,
                     CHECK_STR(q->name));
    if (q->column_count)
        base__buf_puts(out,
                       "    /* What stood in the way, when not applied: */\n    bool is_there;\n");
    put_columns(unit, q, out);
    base__buf_printf(
        out,
        "    corm_result *result; /* holds what the answer points to */\n} %s_%.*s_answer;\n\n",
        unit->name, CHECK_STR(q->name));
}

/* ---- functions ---- */

void gen__put_prototype(const gen_unit *unit, const gen_query *q, gen_function function,
                        const char *tail, base_buf *out) {
    char        head[256], params[256], result[256];
    const char *parts[8];
    uint32_t    count = 0;
    bool        is_async = function == GEN_ASYNC;
    snprintf(head, sizeof head, "%s%s_%.*s%s", is_async ? "corm_task *" : "corm_status ",
             unit->name, CHECK_STR(q->name), is_async ? "_async" : "");
    snprintf(params, sizeof params, "const %s_%.*s_params *params", unit->name, CHECK_STR(q->name));
    snprintf(result, sizeof result, "%s_%.*s_%s *%s", unit->name, CHECK_STR(q->name),
             gen__result_end(q), gen__result_name(q));
    char handle[160];
    snprintf(handle, sizeof handle, "const %s *statements", unit->name);
    parts[count++] = handle;
    if (q->param_count) parts[count++] = params;
    if (q->statement->verb == CHECK_PAGE) {
        parts[count++] = "uint32_t page_size";
        parts[count++] = "corm_bytes from";
    }
    if (is_async) {
        parts[count++] = "corm_task_callback callback";
        parts[count++] = "void *context";
    } else if (gen__has_result(q)) {
        parts[count++] = result;
    }
    parts[count++] = "corm_error *err";
    parts[count] = NULL;
    gen__put_call(head, parts, tail, out);
}

static void put_free(const gen_unit *unit, const gen_query *q, base_buf *out) {
    base__buf_printf(out, "void %s_%.*s_free(%s_%.*s_%s *%s);\n", unit->name, CHECK_STR(q->name),
                     unit->name, CHECK_STR(q->name), gen__result_end(q), gen__result_name(q));
}

static const char *about_verb(check_verb verb) {
    switch (verb) {
    case CHECK_ONE: return "Reads one row. CORM_NOT_FOUND when there is none.";
    case CHECK_MANY: return "Reads all rows.";
    case CHECK_PAGE:
        return "Reads one page: the first, or the one at `from`, the `next` of the page before. A page_size\n"
               " * of 0 is the session's.";
    case CHECK_APPLIED: return "Executes the statement if its condition holds.";
    default: return "Executes the statement.";
    }
}

static void put_about(const gen_query *q, base_buf *out) {
    corm_str above = q->statement->above, line;
    base__buf_puts(out, "/* ");
    while (check__next_comment(&above, &line)) {
        bool ours = (line.len >= 5 && memcmp(line.data, "name:", 5) == 0) ||
                    (line.len >= 5 && memcmp(line.data, "corm:", 5) == 0);
        if (ours || !line.len) continue;
        gen__put_comment(line, out);
        base__buf_puts(out, "\n * ");
    }
    base__buf_puts(out, about_verb(q->statement->verb));
    base__buf_puts(out, " */\n");
}

static void put_query(const gen_unit *unit, const gen_query *q, base_buf *out) {
    base__buf_printf(out, "/* ---- %.*s ---- */\n\n", CHECK_STR(q->name));
    put_params(unit, q, out);
    if (q->statement->verb == CHECK_APPLIED)
        put_answer(unit, q, out);
    else if (q->statement->verb != CHECK_EXEC)
        put_row(unit, q, out);
    put_about(q, out);
    base__buf_puts(out, "CORM_CHECKED ");
    gen__put_prototype(unit, q, GEN_SYNC, ";\n", out);
    if (gen__has_result(q)) put_free(unit, q, out);
    base__buf_puts(
        out,
        "\n/* The same without waiting. NULL on failure, and then the callback does not run. */\n");
    gen__put_prototype(unit, q, GEN_ASYNC, ";\n", out);
    if (gen__has_result(q)) {
        base__buf_puts(
            out,
            "/* For the callback: takes the result over, also when it fails. */\nCORM_CHECKED ");
        gen__put_read_prototype(unit, q, ";\n", out);
    }
    base__buf_u8(out, '\n');
}

/* ---- all of it ---- */

static void put_guard(const gen_unit *unit, base_buf *out) {
    for (const char *c = unit->name; *c; c++)
        base__buf_u8(out, (uint8_t)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c));
    base__buf_puts(out, "_GENERATED_H");
}

static void put_handle(const gen_unit *unit, base_buf *out) {
    base__buf_printf(
        out,
        "/* ---- the statements of a session ---- */\n\n"
        "/* Made by %s_open(); then any number of threads may use it at once. */\n"
        "typedef struct %s {\n    corm_session *session;\n"
        "    corm_request_options options; /* of every statement: consistency and so on */\n",
        unit->name, unit->name);
    for (uint32_t i = 0; i < unit->query_count; i++)
        base__buf_printf(out, "    corm_prepared *%.*s;\n", CHECK_STR(unit->queries[i].member));
    base__buf_printf(
        out,
        "} %s;\n\n"
        "/* Prepares all statements, so that what does not fit the schema is told at once. On failure there is\n"
        " * nothing to close. Close before the session. */\n"
        "CORM_CHECKED corm_status %s_open(%s *statements, corm_session *session, corm_error *err);\n"
        "void %s_close(%s *statements);\n\n",
        unit->name, unit->name, unit->name, unit->name, unit->name);
}

void gen__put_header(const gen_unit *unit, base_buf *out) {
    base__buf_printf(
        out,
        "/* %s.h -- made by corm generate from %s: changes here are lost.\n"
        " *\n"
        " * What a row may lack has has_x beside it, or holds nothing: text and blobs without data, a zero UUID, an inet,\n"
        " * varint or decimal of length 0, a collection without items. A parameter that is written and holds nothing leaves\n"
        " * its column alone. Texts, blobs and collections of rows live in the result. */\n"
        "#ifndef ",
        unit->name, unit->source);
    put_guard(unit, out);
    base__buf_puts(out, "\n#define ");
    put_guard(unit, out);
    base__buf_puts(out,
                   "\n\n#include <corm/corm.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    gen__put_udt_types(unit, out);
    put_handle(unit, out);
    for (uint32_t i = 0; i < unit->query_count; i++) put_query(unit, &unit->queries[i], out);
    base__buf_puts(out, "#ifdef __cplusplus\n}\n#endif\n#endif\n");
}
