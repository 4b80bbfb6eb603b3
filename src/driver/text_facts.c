// SPDX-License-Identifier: MIT
/* text_facts.c -- what a statement's tree says without a schema: whether it reads, whether it may be sent again, whether it
 * is a lightweight transaction. Where it cannot know, it says that the statement may not be sent again. Pure.
 *
 * `c = c + x` adds to a counter and appends to a list, which must not happen twice, but is harmless for a set or a map: a
 * literal tells which, and so does the type of a marker. */
#include "cql/functions.h"
#include "driver/prepared.h"

typedef struct walk {
    const cql_marker *markers; /* NULL: types are not known */
    uint32_t          marker_count;
} walk;

/* ---- expressions ---- */

static bool same_name(corm_str name, const char *other) {
    return corm_str_equal(name, corm_str_of(other));
}

/* Native functions give the same for the same arguments, but for the clock's and uuid(). Of a user's nothing is known. */
static bool is_pure_function(const cql_ref *function) {
    corm_str name = function->name.text;
    bool     native =
        function->keyspace.text.data == NULL || same_name(function->keyspace.text, "system");
    if (!native || !cql__function_exists(name)) return false;
    bool clock = name.len >= 7 && memcmp(name.data, "current", 7) == 0;
    return !clock && !same_name(name, "now") && !same_name(name, "uuid");
}

static bool is_pure(const cql_expr *expr) {
    if (!expr) return true;
    if (expr->kind == CQL_EXPR_CALL && !is_pure_function(&expr->name)) return false;
    for (uint32_t i = 0; i < expr->count; i++) {
        if (!is_pure(expr->args[i])) return false;
    }
    return true;
}

static bool are_pure(cql_expr *const *exprs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!is_pure(exprs[i])) return false;
    }
    return true;
}

static bool is_pure_where(const cql_relation *relations, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!is_pure(relations[i].key)) return false;
        if (!are_pure(relations[i].terms, relations[i].term_count)) return false;
    }
    return true;
}

/* ---- changes ---- */

static const cql_marker *marker_of(const walk *w, const cql_expr *expr) {
    bool known = expr->kind == CQL_EXPR_MARKER && expr->index < w->marker_count;
    return known ? &w->markers[expr->index] : NULL;
}

static bool is_type(const cql_marker *marker, cql_type_id id) {
    return marker && marker->type->id == id;
}

static bool adds_to_set_or_map(const walk *w, const cql_expr *value) {
    const cql_marker *marker = marker_of(w, value);
    return value->kind == CQL_EXPR_SET || value->kind == CQL_EXPR_MAP || is_type(marker, CQL_SET) ||
           is_type(marker, CQL_MAP);
}

/* Taking values out of a list takes out all that are equal. */
static bool takes_from_collection(const walk *w, const cql_expr *value) {
    return adds_to_set_or_map(w, value) || value->kind == CQL_EXPR_LIST ||
           is_type(marker_of(w, value), CQL_LIST);
}

/* A list's elements are named by their index, which moves; an integer may be one, and so may be a marker that does not say
 * that it is a map's key (the server calls them "key(m)" and "idx(l)"). */
static bool is_map_key(const walk *w, const cql_expr *key) {
    if (key->kind == CQL_EXPR_INTEGER) return false;
    if (key->kind != CQL_EXPR_MARKER) return is_pure(key);
    const cql_marker *marker = marker_of(w, key);
    if (!marker) return false;
    if (marker->type->id != CQL_INT) return true;
    return marker->name.len > 4 && memcmp(marker->name.data, "key(", 4) == 0;
}

static bool is_repeatable(const walk *w, const cql_change *change) {
    if (!is_pure(change->key) || !is_pure(change->value)) return false;
    switch (change->kind) {
    case CQL_CHANGE_PREPEND: return false;
    case CQL_CHANGE_ADD: return adds_to_set_or_map(w, change->value);
    case CQL_CHANGE_SUBTRACT: return takes_from_collection(w, change->value);
    case CQL_CHANGE_SET_ELEMENT:
    case CQL_CHANGE_DELETE_ELEMENT: return is_map_key(w, change->key);
    default: return true;
    }
}

/* ---- statements ---- */

static driver_text_facts facts_of_insert(const cql_insert *insert) {
    bool pure = are_pure(insert->values, insert->value_count) && is_pure(insert->json) &&
                is_pure(insert->using.timestamp) && is_pure(insert->using.ttl);
    return (driver_text_facts){ .idempotent = pure && !insert->if_not_exists,
                                .is_lwt = insert->if_not_exists };
}

static driver_text_facts facts_of_update(const walk *w, const cql_update *update) {
    bool lwt = update->if_exists || update->condition_count > 0;
    bool good = !lwt && is_pure_where(update->where, update->where_count);
    for (uint32_t i = 0; i < update->change_count && good; i++) {
        good = is_repeatable(w, &update->changes[i]);
    }
    return (driver_text_facts){ .idempotent = good, .is_lwt = lwt };
}

static driver_text_facts facts_of(const walk *w, const cql_statement *s);

static driver_text_facts facts_of_batch(const walk *w, const cql_batch *batch) {
    driver_text_facts all = { .idempotent = batch->kind != CQL_BATCH_COUNTER };
    for (uint32_t i = 0; i < batch->count; i++) {
        driver_text_facts one = facts_of(w, batch->statements[i]);
        all.idempotent = all.idempotent && one.idempotent;
        all.is_lwt = all.is_lwt || one.is_lwt;
    }
    return all;
}

static bool is_ddl(cql_statement_kind kind) {
    return kind >= CQL_STMT_CREATE_KEYSPACE && kind <= CQL_STMT_DROP_TRIGGER;
}

static driver_text_facts facts_of(const walk *w, const cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_SELECT:
    case CQL_STMT_DESCRIBE:
    case CQL_STMT_LIST_ROLES:
    case CQL_STMT_LIST_USERS:
    case CQL_STMT_LIST_SUPERUSERS:
    case CQL_STMT_LIST_PERMISSIONS:
        return (driver_text_facts){ .idempotent = true, .is_read = true };
    case CQL_STMT_USE: return (driver_text_facts){ .idempotent = true, .is_use = true };
    case CQL_STMT_INSERT: return facts_of_insert(&s->as.insert);
    case CQL_STMT_UPDATE: return facts_of_update(w, &s->as.update);
    case CQL_STMT_DELETE: return facts_of_update(w, &s->as.delete_);
    case CQL_STMT_BATCH: return facts_of_batch(w, &s->as.batch);
    default: return (driver_text_facts){ .is_ddl = is_ddl(s->kind) };
    }
}

driver_text_facts driver__tree_facts(const cql_statement *statement, const cql_marker *markers,
                                     uint32_t marker_count) {
    walk w = { markers, markers ? marker_count : 0 };
    return facts_of(&w, statement);
}

driver_text_facts driver__text_facts(corm_str text) {
    base_arena        arena = { 0 };
    cql_statement    *statement = NULL;
    driver_text_facts out = { 0 };
    if (cql__parse(&arena, text, &statement, NULL, NULL) == CORM_OK) {
        out = driver__tree_facts(statement, NULL, 0);
    }
    base__arena_free(&arena);
    return out;
}
