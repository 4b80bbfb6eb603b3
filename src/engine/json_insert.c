// SPDX-License-Identifier: MIT
/* json_insert.c -- INSERT … JSON: the text's members become the values of the columns they name.
 *
 * The object is cut into raw members and each value is read by its column's type, so that numbers of any size keep every
 * digit. Thread: the commit leader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/write_internal.h"

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

/* Any value up to the comma or brace that follows it; what is inside is checked by the column's type. */
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
    return out->len > 0;
}

/* Numbers and words must be JSON's; what is quoted or in brackets is read later by the column's type. */
static bool is_json(corm_str value) {
    static const char *const words[] = { "true", "false", "null" };
    double                   number;
    if (strchr("\"{[", value.data[0])) return true;
    for (int i = 0; i < 3; i++)
        if (corm_str_equal(value, corm_str_of(words[i]))) return true;
    size_t digit = value.data[0] == '-';
    if (value.len <= digit || value.data[digit] < '0' || value.data[digit] > '9') return false;
    if (value.data[digit] == '0' && value.len > digit + 1 && !strchr(".eE", value.data[digit + 1]))
        return false;
    return base__parse_f64(value, &number);
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

static corm_status find_column(const cql_table *table, corm_str quoted, const cql_column **out,
                               corm_error *err) {
    base_buf    name = { 0 };
    bool        is_null;
    corm_status status = cql__from_json(cql__type_native(CQL_TEXT), quoted, &name, &is_null, err);
    if (status == CORM_OK) {
        corm_str folded = fold_name(name.data, name.len);
        *out = cql__table_column(table, folded);
        if (!*out)
            status =
                base__fail(err, CORM_INVALID, "JSON values map contains unrecognized column: %.*s",
                           (int)folded.len, folded.data);
    }
    base__buf_free(&name);
    return status;
}

static corm_status cut_members(const cql_table *table, corm_str text, member *members,
                               corm_error *err) {
    cutter cut = { text.data, text.data + text.len };
    bool   good = take(&cut, '{');
    bool   ended = good && take(&cut, '}');
    while (good && !ended) {
        corm_str          name, value;
        const cql_column *column;
        good = take_string(&cut, &name) && take(&cut, ':') && take_value(&cut, &value) &&
               is_json(value);
        if (!good) break;
        CORM_TRY(find_column(table, name, &column, err));
        members[column->index].json = value;
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
    if (!from->json.data) return CORM_OK;
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
    cql_value value;
    CORM_TRY(decode_member(column, from, arena, &value, err));
    const cql_node *node = constant(arena, column->type, value);
    if (!node) return base__fail_memory(err);
    if (column->kind == CQL_PARTITION_KEY)
        return restrict_key(column, node, arena, &out->where.partition[column->position], err);
    if (column->kind == CQL_CLUSTERING)
        return restrict_key(column, node, arena, &out->where.clustering[column->position], err);
    if (!from->json.data && modify->json_default_unset) return CORM_OK;
    out->assigns[out->assign_count++] =
        (cql_assign){ .kind = CQL_ASSIGN_SET, .column = column, .value = node };
    return CORM_OK;
}

static corm_status eval_json(const cql_checked_modify *modify, cql_eval_env *env, corm_str *out,
                             corm_error *err) {
    cql_value text;
    CORM_TRY(cql__eval(modify->json, env, &text, err));
    if (cql__is_null(text))
        return base__fail(err, CORM_INVALID, "Got %s for INSERT JSON values",
                          text.len == -2 ? "unset" : "null");
    *out = (corm_str){ (const char *)text.data, (size_t)text.len };
    if (out->len == 4 && memcmp(out->data, "null", 4) == 0)
        return base__fail(err, CORM_INVALID, "Got null for INSERT JSON values");
    return CORM_OK;
}

corm_status engine__json_insert(const cql_checked_modify *modify, cql_eval_env *env,
                                cql_checked_modify *out, corm_error *err) {
    const cql_table *table = modify->table;
    base_arena      *arena = env->context.arena;
    member          *members = BASE_NEW_ARRAY(arena, member, table->column_count);
    corm_str         text = { 0 };
    *out = *modify;
    out->json = NULL;
    out->assign_count = 0;
    out->assigns = BASE_NEW_ARRAY(arena, cql_assign, table->column_count);
    out->where.partition_count = table->partition_count;
    out->where.partition = BASE_NEW_ARRAY(arena, cql_restriction, table->partition_count);
    out->where.clustering_count = table->clustering_count;
    out->where.clustering = BASE_NEW_ARRAY(arena, cql_restriction, table->clustering_count);
    if (!members || !out->assigns || !out->where.partition || !out->where.clustering)
        return base__fail_memory(err);
    CORM_TRY(eval_json(modify, env, &text, err));
    CORM_TRY(cut_members(table, text, members, err));
    for (uint32_t i = 0; i < table->column_count; i++)
        CORM_TRY(add_column(modify, &table->columns[i], &members[i], arena, out, err));
    return CORM_OK;
}
