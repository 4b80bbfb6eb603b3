// SPDX-License-Identifier: MIT
/* json_insert.c -- INSERT … JSON: the text's members become the values of the columns they name.
 *
 * The object is cut into raw members and each value is read by its column's type, so that numbers of any size keep every
 * digit. Pure; any thread. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/eval.h"
#include "cql/json.h"

/* A JSON text being cut up. What follows the object is ignored, as the server does. */
typedef struct cutter {
    const char *at, *end;
} cutter;

static void skip_space(cutter *cut) {
    while (cut->at < cut->end && strchr(" \t\r\n", *cut->at)) cut->at++;
}

static bool take(cutter *cut, char c) {
    skip_space(cut);
    if (cut->at == cut->end || *cut->at != c) return false;
    cut->at++;
    return true;
}

/* A quoted string, quotes included. */
static bool take_string(cutter *cut, corm_str *out) {
    skip_space(cut);
    const char *start = cut->at;
    if (!take(cut, '"')) return false;
    while (cut->at < cut->end && *cut->at != '"') {
        if (*cut->at == '\\') cut->at++;
        if (cut->at < cut->end) cut->at++;
    }
    if (cut->at >= cut->end) return false;
    *out = (corm_str){ start, (size_t)(++cut->at - start) };
    return true;
}

/* A value, up to the comma or brace that follows it. */
static bool take_value(cutter *cut, corm_str *out) {
    skip_space(cut);
    const char *start = cut->at;
    corm_str    ignored;
    for (int depth = 0; cut->at < cut->end; cut->at++) {
        if (*cut->at == '"') {
            if (!take_string(cut, &ignored)) return false;
            cut->at--;
        } else if (*cut->at == '{' || *cut->at == '[') {
            depth++;
        } else if ((*cut->at == '}' || *cut->at == ']') && depth-- == 0) {
            break;
        } else if (*cut->at == ',' && depth == 0) {
            break;
        }
    }
    *out = base__str_trim((corm_str){ start, (size_t)(cut->at - start) });
    size_t at;
    return cql__json_check(*out, &at);
}

/* ---- columns ---- */

typedef struct member {
    corm_str json; /* data NULL: the text does not name the column */
} member;

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "Abc" names abc, "\"Abc\"" names Abc. */
static corm_str fold_name(uint8_t *name, size_t len) {
    if (len >= 2 && name[0] == '"' && name[len - 1] == '"')
        return (corm_str){ (const char *)name + 1, len - 2 };
    for (size_t i = 0; i < len; i++) name[i] = (uint8_t)lower((char)name[i]);
    return (corm_str){ (const char *)name, len };
}

/* The members by column, and the first name that is no column's. */
typedef struct object {
    const cql_table *table;
    base_arena      *arena;
    member          *members; /* by column index */
    corm_str         unknown; /* data NULL: none */
} object;

static corm_status set_member(object *to, corm_str quoted, corm_str value, corm_error *err) {
    base_buf    name = { 0 };
    bool        is_null;
    corm_status status = cql__from_json(cql__type_native(CQL_TEXT), quoted, &name, &is_null, err);
    if (status == CORM_OK) {
        corm_str          folded = fold_name(name.data, name.len);
        const cql_column *column = cql__table_column(to->table, folded);
        if (column) {
            to->members[column->index].json = value;
        } else if (!to->unknown.data) {
            to->unknown.data = base__arena_copy(to->arena, folded.data, folded.len);
            to->unknown.len = folded.len;
            if (!to->unknown.data) status = base__fail_memory(err);
        }
    }
    base__buf_free(&name);
    return status;
}

static corm_status cut_members(object *to, corm_str text, corm_error *err) {
    cutter cut = { text.data, text.data + text.len };
    bool   good = take(&cut, '{');
    bool   ended = good && take(&cut, '}');
    while (good && !ended) {
        corm_str name, value;
        size_t   at;
        good = take_string(&cut, &name) && cql__json_check(name, &at) && take(&cut, ':') &&
               take_value(&cut, &value);
        if (!good) break;
        CORM_TRY(set_member(to, name, value, err));
        ended = take(&cut, '}');
        good = ended || take(&cut, ',');
    }
    if (good) return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "Could not decode JSON string as a map: it is no JSON object. (String was: %.*s)",
        (int)(text.len < 400 ? text.len : 400), text.data);
}

/* ---- the statement ---- */

static corm_status decode_member(const cql_column *column, const member *from, base_arena *arena,
                                 cql_value *out, corm_error *err) {
    base_buf   bytes = { 0 };
    bool       is_null = true;
    corm_error inner = { 0 };
    *out = CQL_NULL;
    corm_status status = cql__from_json(column->type, from->json, &bytes, &is_null, &inner);
    if (status == CORM_OK && !is_null) {
        uint8_t *copy = base__arena_copy(arena, bytes.data, bytes.len);
        *out = (cql_value){ copy, (int32_t)bytes.len };
        if (!copy || bytes.failed) status = base__fail_memory(err);
    } else if (status == CORM_INVALID) {
        base__fail(err, CORM_INVALID, "Error decoding JSON value for %.*s: %s",
                   (int)column->name.len, column->name.data, inner.message);
    } else if (status != CORM_OK && err) {
        *err = inner;
    }
    base__buf_free(&bytes);
    return status;
}

static const cql_node *constant(base_arena *arena, const cql_type *type, cql_value value) {
    cql_node *node = BASE_NEW(arena, cql_node);
    if (node) *node = (cql_node){ .kind = CQL_NODE_CONSTANT, .type = type, .value = value };
    return node;
}

static corm_status restrict_key(const cql_column *column, const cql_node *node, base_arena *arena,
                                cql_restriction *out, corm_error *err) {
    cql_row_value   *row = BASE_NEW(arena, cql_row_value);
    const cql_node **nodes = BASE_NEW_ARRAY(arena, const cql_node *, 1);
    if (!row || !nodes) return base__fail_memory(err);
    nodes[0] = node;
    *row = (cql_row_value){ .count = 1, .nodes = nodes };
    *out = (cql_restriction){ .kind = CQL_RESTRICT_EQ,
                              .first = column->position,
                              .count = 1,
                              .value_count = 1,
                              .values = row };
    return CORM_OK;
}

static corm_status add_column(const cql_checked_modify *modify, const cql_column *column,
                              const member *from, base_arena *arena, cql_checked_modify *out,
                              corm_error *err) {
    cql_value value = modify->json_default_unset ? CQL_UNSET : CQL_NULL;
    if (from->json.data) CORM_TRY(decode_member(column, from, arena, &value, err));
    const cql_node *node = constant(arena, column->type, value);
    if (!node) return base__fail_memory(err);
    if (column->kind == CQL_PARTITION_KEY)
        return restrict_key(column, node, arena, &out->where.partition[column->position], err);
    if (column->kind == CQL_CLUSTERING)
        return restrict_key(column, node, arena, &out->where.clustering[column->position], err);
    if (value.len == -2) return CORM_OK;
    out->assigns[out->assign_count++] =
        (cql_assign){ .kind = CQL_ASSIGN_SET, .column = column, .value = node };
    return CORM_OK;
}

static corm_status eval_json(const cql_checked_modify *modify, cql_eval_env *env, corm_str *out,
                             corm_error *err) {
    cql_value text;
    CORM_TRY(cql__eval(modify->json, env, &text, err));
    if (text.len == -1) return base__fail(err, CORM_INVALID, "Got null for INSERT JSON values");
    *out = corm_str_of("");
    if (text.len > 0) *out = (corm_str){ (const char *)text.data, (size_t)text.len };
    if (corm_str_equal(base__str_trim(*out), corm_str_of("null")))
        return base__fail(err, CORM_INVALID, "Got null for INSERT JSON values");
    return CORM_OK;
}

static corm_status add_columns(const cql_checked_modify *modify, const object *from,
                               cql_checked_modify *out, corm_error *err) {
    for (uint32_t i = 0; i < from->table->column_count; i++)
        CORM_TRY(
            add_column(modify, &from->table->columns[i], &from->members[i], from->arena, out, err));
    if (!from->unknown.data) return CORM_OK;
    return base__fail(err, CORM_INVALID, "JSON values map contains unrecognized column: %.*s",
                      (int)from->unknown.len, from->unknown.data);
}

corm_status cql__json_insert(const cql_checked_modify *modify, cql_eval_env *env,
                             cql_checked_modify *out, corm_error *err) {
    const cql_table *table = modify->table;
    base_arena      *arena = env->context.arena;
    object           found = {
                  table, arena, BASE_NEW_ARRAY(arena, member, table->column_count), { NULL, 0 }
    };
    corm_str text = { 0 };
    *out = *modify;
    out->json = NULL;
    out->assign_count = 0;
    out->assigns = BASE_NEW_ARRAY(arena, cql_assign, table->column_count);
    out->where.partition_count = table->partition_count;
    out->where.partition = BASE_NEW_ARRAY(arena, cql_restriction, table->partition_count);
    out->where.clustering_count = table->clustering_count;
    out->where.clustering = BASE_NEW_ARRAY(arena, cql_restriction, table->clustering_count);
    if (!found.members || !out->assigns || !out->where.partition || !out->where.clustering)
        return base__fail_memory(err);
    CORM_TRY(eval_json(modify, env, &text, err));
    CORM_TRY(cut_members(&found, text, err));
    return add_columns(modify, &found, out, err);
}
