// SPDX-License-Identifier: MIT
/* parse_modify.c -- INSERT, UPDATE, DELETE and BATCH. */
#include "cql/parse.h"

/* ---- INSERT ---- */

static bool push_column(cql_parser *p, void *context) {
    cql_insert *insert = context;
    cql_name    name = { 0 };
    return cql__parse_column(p, &name) && cql__push_name(p, &insert->columns, &insert->count, name);
}

static bool push_value(cql_parser *p, void *context) {
    cql_insert *insert = context;
    cql_expr   *value = NULL;
    return cql__parse_expr(p, &value) &&
           cql__push_expr(p, &insert->values, &insert->value_count, value);
}

static bool parse_columns_and_values(cql_parser *p, cql_insert *insert) {
    if (!cql__parse_enclosed(p, push_column, insert) && !cql__recover_clause(p)) return false;
    return cql__expect(p, CQL_K_VALUES) && cql__parse_enclosed(p, push_value, insert);
}

static bool parse_json(cql_parser *p, cql_insert *insert) {
    bool good = cql__at(p, CQL_T_STRING) ? cql__parse_constant(p, &insert->json)
                                         : cql__parse_marker(p, &insert->json);
    if (!good || !cql__accept(p, CQL_K_DEFAULT)) return good;
    insert->json_default_unset = cql__accept(p, CQL_K_UNSET);
    insert->json_default_null = !insert->json_default_unset && cql__accept(p, CQL_K_NULL);
    return insert->json_default_unset || insert->json_default_null || cql__no_viable(p, 0);
}

static bool parse_insert_rest(cql_parser *p, cql_insert *insert) {
    return cql__parse_if_not_exists(p, &insert->if_not_exists) &&
           cql__parse_using(p, &insert->using);
}

bool cql__parse_insert(cql_parser *p, cql_statement *s) {
    static const cql_symbol words[] = { CQL_K_IF, CQL_K_USING };
    cql_insert             *insert = &s->as.insert;
    s->kind = CQL_STMT_INSERT;
    cql__advance(p);
    if (!cql__expect(p, CQL_K_INTO) || !cql__parse_ref(p, "table", &insert->table)) return false;
    bool good = cql__accept(p, CQL_K_JSON) ? parse_json(p, insert)
                : cql__at(p, CQL_T_LPAREN) ? parse_columns_and_values(p, insert)
                                           : cql__no_viable(p, 0);
    if (!good && !cql__recover_clause(p)) return false;
    do {
        if (!parse_insert_rest(p, insert)) return false;
    } while (cql__clause_again(p, words, sizeof words / sizeof words[0]));
    return true;
}

/* ---- SET ---- */

/* The column named on the right must be the one on the left. */
static bool check_same_column(cql_parser *p, const cql_change *change, const char *form) {
    if (corm_str_equal(change->column.text, change->other.text)) return true;
    CQL_REFUSE(p, change->other.place, "Only expressions of the form %s are supported.", form);
    return !p->no_memory;
}

/* c = c + term, c = c - term, c = c -3 */
static bool parse_own_change(cql_parser *p, cql_change *change) {
    if (!cql__parse_column(p, &change->other)) return false;
    const cql_tok *tok = cql__peek_token(p, 0);
    bool           minus = cql__token_text(p, tok).data[0] == '-';
    const char    *form = minus ? "X = X -<value>" : "X = X +<value>";
    change->kind = CQL_CHANGE_ADD;
    if (tok->symbol == CQL_T_INTEGER) {
        form = minus ? "X = X - <value>" : "X = X + <value>";
        return cql__parse_constant(p, &change->value) && check_same_column(p, change, form);
    }
    if (tok->symbol != CQL_T_PLUS && tok->symbol != CQL_T_MINUS) return cql__no_viable(p, 0);
    if (minus) change->kind = CQL_CHANGE_SUBTRACT;
    cql__advance(p);
    return cql__parse_expr(p, &change->value) && check_same_column(p, change, form);
}

/* c = term, c = term + c */
static bool parse_assigned(cql_parser *p, cql_change *change) {
    cql_symbol next = cql__peek(p, 1);
    bool       own =
        cql__is_name(cql__peek(p, 0), CQL_NAME_EMPTY) && next != CQL_T_LPAREN && next != CQL_T_DOT;
    if (own) return parse_own_change(p, change);
    if (!cql__parse_set_value(p, &change->value)) return false;
    if (!cql__accept(p, CQL_T_PLUS)) return true;
    change->kind = CQL_CHANGE_PREPEND;
    return cql__parse_column(p, &change->other) && check_same_column(p, change, "X = <value> + X");
}

static bool parse_change(cql_parser *p, cql_change *change) {
    change->place = cql__place(p);
    if (!cql__parse_column(p, &change->column)) return false;
    if (cql__accept(p, CQL_T_EQ)) return parse_assigned(p, change);
    bool minus = cql__at(p, CQL_T_MINUS_EQ);
    if (cql__accept(p, CQL_T_PLUS_EQ) || cql__accept(p, CQL_T_MINUS_EQ)) {
        change->kind = minus ? CQL_CHANGE_SUBTRACT : CQL_CHANGE_ADD;
        return cql__parse_expr(p, &change->value);
    }
    if (cql__accept(p, CQL_T_LBRACKET)) {
        change->kind = CQL_CHANGE_SET_ELEMENT;
        if (!cql__parse_expr(p, &change->key) || !cql__expect(p, CQL_T_RBRACKET)) return false;
    } else if (cql__accept(p, CQL_T_DOT)) {
        change->kind = CQL_CHANGE_SET_FIELD;
        if (!cql__parse_name(p, CQL_NAME_PLAIN, &change->field)) return false;
    } else {
        return cql__no_viable(p, 0);
    }
    return cql__expect(p, CQL_T_EQ) && cql__parse_expr(p, &change->value);
}

/* A column that is set as a whole is changed once, and so is a field. */
static bool check_compatible(cql_parser *p, const cql_update *update, const cql_change *change) {
    enum { MOST_COMPARED = 256 };
    for (uint32_t i = 0; i < update->change_count && i < MOST_COMPARED; i++) {
        const cql_change *earlier = &update->changes[i];
        bool              whole = earlier->kind == CQL_CHANGE_SET || change->kind == CQL_CHANGE_SET;
        bool fields = earlier->kind == CQL_CHANGE_SET_FIELD && change->kind == CQL_CHANGE_SET_FIELD;
        bool clash = whole || (fields && corm_str_equal(earlier->field.text, change->field.text));
        if (!clash || !corm_str_equal(earlier->column.text, change->column.text)) continue;
        CQL_REFUSE(p, change->place, "Multiple incompatible setting of column %.*s",
                   (int)change->column.text.len, change->column.text.data);
        break;
    }
    return !p->no_memory;
}

static bool push_change(cql_parser *p, void *context) {
    cql_update *update = context;
    cql_change  change = { 0 };
    return parse_change(p, &change) && check_compatible(p, update, &change) &&
           CQL_PUSH(p, update->changes, update->change_count, change);
}

/* ---- UPDATE and DELETE ---- */

static bool parse_if(cql_parser *p, cql_update *update) {
    if (!cql__accept(p, CQL_K_IF)) return true;
    update->if_exists = cql__at(p, CQL_K_EXISTS) && !cql__is_condition_operator(cql__peek(p, 1));
    if (update->if_exists) {
        cql__advance(p);
        if (cql__at(p, CQL_K_AND)) cql__no_viable(p, 0);
        return true;
    }
    return cql__parse_conditions(p, &update->conditions, &update->condition_count);
}

static bool parse_where_and_if(cql_parser *p, cql_update *update) {
    static const cql_symbol words[] = { CQL_K_WHERE, CQL_K_IF };
    bool                    first = true;
    do {
        bool where = first ? cql__expect(p, CQL_K_WHERE) : cql__accept(p, CQL_K_WHERE);
        if (first && !where && !cql__recover_clause(p)) return false;
        if (where && !cql__parse_where(p, &update->where, &update->where_count) &&
            !cql__recover_clause(p)) {
            return false;
        }
        if (!parse_if(p, update)) return false;
        first = false;
    } while (cql__clause_again(p, words, sizeof words / sizeof words[0]));
    return true;
}

bool cql__parse_update(cql_parser *p, cql_statement *s) {
    cql_update *update = &s->as.update;
    s->kind = CQL_STMT_UPDATE;
    cql__advance(p);
    bool good = cql__parse_ref(p, "table", &update->table) && cql__parse_using(p, &update->using);
    if (!good && !cql__recover_clause(p)) return false;
    good = cql__expect(p, CQL_K_SET) && cql__parse_items(p, CQL_T_COMMA, push_change, update);
    if (!good && !cql__recover_clause(p)) return false;
    return parse_where_and_if(p, update);
}

static bool parse_deletion(cql_parser *p, cql_change *change) {
    change->kind = CQL_CHANGE_DELETE;
    change->place = cql__place(p);
    if (!cql__parse_column(p, &change->column)) return false;
    if (cql__accept(p, CQL_T_LBRACKET)) {
        change->kind = CQL_CHANGE_DELETE_ELEMENT;
        return cql__parse_expr(p, &change->key) && cql__expect(p, CQL_T_RBRACKET);
    }
    if (cql__at(p, CQL_K_FROM) || cql__at(p, CQL_T_COMMA)) return true;
    if (!cql__accept(p, CQL_T_DOT)) return cql__no_viable(p, 0);
    change->kind = CQL_CHANGE_DELETE_FIELD;
    return cql__parse_name(p, CQL_NAME_PLAIN, &change->field);
}

static bool push_deletion(cql_parser *p, void *context) {
    cql_delete *deletion = context;
    cql_change  change = { 0 };
    return parse_deletion(p, &change) &&
           CQL_PUSH(p, deletion->changes, deletion->change_count, change);
}

bool cql__parse_delete(cql_parser *p, cql_statement *s) {
    cql_delete *deletion = &s->as.delete_;
    s->kind = CQL_STMT_DELETE;
    cql__advance(p);
    if (cql__is_name(cql__peek(p, 0), CQL_NAME_EMPTY) &&
        !cql__parse_items(p, CQL_T_COMMA, push_deletion, deletion) && !cql__recover_clause(p)) {
        return false;
    }
    bool good = cql__expect(p, CQL_K_FROM) && cql__parse_ref(p, "table", &deletion->table) &&
                cql__parse_using_timestamp(p, &deletion->using);
    if (!good && !cql__recover_clause(p)) return false;
    return parse_where_and_if(p, deletion);
}

/* ---- BATCH ---- */

static bool at_modification(cql_parser *p) {
    cql_symbol symbol = cql__peek(p, 0);
    return symbol == CQL_K_INSERT || symbol == CQL_K_UPDATE || symbol == CQL_K_DELETE;
}

static bool parse_modification(cql_parser *p, cql_statement *s) {
    s->place = cql__place(p);
    switch (cql__peek(p, 0)) {
    case CQL_K_INSERT: return cql__parse_insert(p, s);
    case CQL_K_UPDATE: return cql__parse_update(p, s);
    default: return cql__parse_delete(p, s);
    }
}

/* Skips a broken statement of the batch. */
static bool recover_modification(cql_parser *p) {
    if (p->no_memory || p->diagnostics->count == CQL_MAX_DIAGNOSTICS) return false;
    while (!at_modification(p) && !cql__at(p, CQL_K_APPLY) && !cql__at(p, CQL_T_SEMICOLON)) {
        if (cql__at(p, CQL_T_END)) return false;
        cql__advance(p);
    }
    p->open = 0;
    p->depth = 0;
    return true;
}

static bool parse_modifications(cql_parser *p, cql_batch *batch) {
    static const cql_symbol words[] = { CQL_K_INSERT, CQL_K_UPDATE, CQL_K_DELETE, CQL_K_APPLY };
    for (;;) {
        if (!at_modification(p)) {
            if (cql__at(p, CQL_K_APPLY)) return true;
            cql__mismatch(p, CQL_K_APPLY);
            bool known = !p->no_memory && cql__guess(p, words, sizeof words / sizeof words[0]);
            if (!known && !recover_modification(p)) return false;
        } else {
            cql_statement *s = CQL_NEW(p, cql_statement);
            if (!s) return false;
            if (!parse_modification(p, s) && !recover_modification(p)) return false;
            if (!CQL_PUSH_POINTER(p, batch->statements, batch->count, s)) return false;
        }
        cql__accept(p, CQL_T_SEMICOLON);
    }
}

bool cql__parse_batch(cql_parser *p, cql_statement *s) {
    cql_batch *batch = &s->as.batch;
    s->kind = CQL_STMT_BATCH;
    cql__advance(p);
    if (cql__accept(p, CQL_K_UNLOGGED))
        batch->kind = CQL_BATCH_UNLOGGED;
    else if (cql__accept(p, CQL_K_COUNTER))
        batch->kind = CQL_BATCH_COUNTER;
    if (!cql__expect(p, CQL_K_BATCH)) return false;
    p->in_batch = true;
    if (!cql__parse_using(p, &batch->using) && !recover_modification(p)) return false;
    if (!parse_modifications(p, batch)) return false;
    p->in_batch = false;
    return cql__expect(p, CQL_K_APPLY) && cql__expect(p, CQL_K_BATCH);
}
