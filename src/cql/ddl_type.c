// SPDX-License-Identifier: MIT
/* ddl_type.c -- CREATE, ALTER and DROP TYPE. Pure; any thread.
 *
 * Types hold the fields of the types that they mention, so altering one makes all types and tables
 * anew that mention it. */
#include "base/text.h"
#include "cql/ddl.h"
#include "cql/ddl_guard.h"
#include "cql/java.h"
#include "cql/resolve_type.h"

static corm_status check_written(cql_ddl *ddl, const cql_column_def *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(cql__check_written_type(fields[i].type, ddl->arena, ddl->err));
    return CORM_OK;
}

static corm_status check_field(cql_ddl *ddl, const cql_column_def *field) {
    if (cql__written_counter(field->type)) {
        return base__fail(ddl->err, CORM_INVALID, "A user type cannot contain counters");
    }
    if (cql__written_open_udt(field->type)) {
        return base__fail(ddl->err, CORM_INVALID, "A user type cannot contain non-frozen UDTs");
    }
    return CORM_OK;
}

static corm_status check_bounds(cql_ddl *ddl, const cql_type *type) {
    if (!type) return base__fail_memory(ddl->err);
    if (cql__type_is_bounded(type)) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "User type %.*s.%.*s holds too many types within types",
                      CQL_S(type->keyspace), CQL_S(type->name));
}

/* ---- making ---- */

/* Publishes the keyspace with one type of its own replaced or added, and no table changed. */
static corm_status publish_type(cql_ddl *ddl, cql_keyspace *draft, corm_str keyspace, corm_str name,
                                const cql_type *type) {
    cql_udt *udt = cql__udt_make(keyspace, name, type);
    if (!udt) return base__fail_memory(ddl->err);
    cql__keyspace_put_type(draft, udt);
    corm_status status = cql__ddl_publish_keyspace(ddl, draft);
    cql__udt_unref(udt);
    return status;
}

static corm_status check_duplicates(cql_ddl *ddl, const cql_create_type *s) {
    for (uint32_t i = 0; i < s->field_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!corm_str_equal(s->fields[i].name.text, s->fields[j].name.text)) continue;
            return base__fail(ddl->err, CORM_INVALID, "Duplicate field name '%.*s' in type '%.*s'",
                              CQL_S(s->fields[i].name.text), CQL_S(s->name.name.text));
        }
    }
    for (uint32_t i = 0; i < s->field_count; i++) CORM_TRY(check_field(ddl, &s->fields[i]));
    return CORM_OK;
}

static corm_status make_type(cql_ddl *ddl, const cql_create_type *s, corm_str keyspace,
                             const cql_type **out) {
    corm_str        *names = BASE_NEW_ARRAY(ddl->arena, corm_str, s->field_count);
    const cql_type **types = BASE_NEW_ARRAY(ddl->arena, const cql_type *, s->field_count);
    if (!names || !types) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < s->field_count; i++) {
        names[i] = s->fields[i].name.text;
        CORM_TRY(cql__resolve_type(ddl->schema, keyspace, s->fields[i].type, ddl->arena, &types[i],
                                   ddl->err));
        CORM_TRY(cql__guard_vector(ddl, "Field", names[i], types[i]));
    }
    *out =
        cql__type_udt(ddl->arena, keyspace, s->name.name.text, names, types, s->field_count, false);
    return check_bounds(ddl, *out);
}

corm_status cql__create_type(cql_ddl *ddl, const cql_statement *statement) {
    const cql_create_type *s = &statement->as.create_type;
    corm_str               name = s->name.name.text;
    corm_str               keyspace;
    const cql_type        *type = NULL;
    cql_keyspace           draft;
    CORM_TRY(check_written(ddl, s->fields, s->field_count));
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->name, &keyspace));
    CORM_TRY(cql__ddl_permit(ddl, "CREATE", CQL_ON_ALL_TABLES, keyspace, name));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, keyspace);
    if (!before)
        return base__fail(ddl->err, CORM_INVALID, "Keyspace '%.*s' doesn't exist", CQL_S(keyspace));
    if (cql__schema_type(ddl->schema, keyspace, name)) {
        if (s->if_not_exists) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID, "A user type with name '%.*s' already exists",
                          CQL_S(name));
    }
    CORM_TRY(cql__guard_fields(ddl, name, s->field_count));
    CORM_TRY(check_duplicates(ddl, s));
    CORM_TRY(make_type(ddl, s, keyspace, &type));
    if (!cql__keyspace_draft(ddl->arena, before, &draft)) return base__fail_memory(ddl->err);
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TYPE, "CREATED", keyspace, name));
    return publish_type(ddl, &draft, keyspace, name, type);
}

/* ---- replacing a type everywhere ---- */

typedef struct replacement {
    cql_ddl        *ddl;
    const cql_type *type; /* the new one, not frozen */
    cql_keyspace    draft;
} replacement;

static bool is_same_udt(const cql_type *a, const cql_type *b) {
    return a->id == CQL_UDT && corm_str_equal(a->keyspace, b->keyspace) &&
           corm_str_equal(a->name, b->name);
}

static const cql_type *rebuilt(base_arena *arena, const cql_type *type, const cql_type **params) {
    switch (type->id) {
    case CQL_LIST: return cql__type_list(arena, params[0], type->frozen);
    case CQL_SET: return cql__type_set(arena, params[0], type->frozen);
    case CQL_MAP: return cql__type_map(arena, params[0], params[1], type->frozen);
    case CQL_VECTOR: return cql__type_vector(arena, params[0], type->dimension);
    case CQL_TUPLE: return cql__type_tuple(arena, params, type->count);
    case CQL_UDT:
        return cql__type_udt(arena, type->keyspace, type->name, type->field_names, params,
                             type->count, type->frozen);
    default: return type;
    }
}

/* NULL when memory is exhausted. */
static const cql_type *replaced(const replacement *r, const cql_type *type) {
    base_arena *arena = r->ddl->arena;
    if (is_same_udt(type, r->type))
        return type->frozen ? cql__type_freeze(arena, r->type) : r->type;
    if (!cql__type_mentions_udt(type, r->type->keyspace, r->type->name)) return type;
    const cql_type **params = BASE_NEW_ARRAY(arena, const cql_type *, type->count);
    for (uint32_t i = 0; params && i < type->count; i++) {
        params[i] = replaced(r, type->params[i]);
        if (!params[i]) return NULL;
    }
    return params ? rebuilt(arena, type, params) : NULL;
}

static bool table_mentions(const cql_table *table, const cql_type *type) {
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (cql__type_mentions_udt(table->columns[i].type, type->keyspace, type->name)) return true;
    }
    return false;
}

static cql_table *replaced_table(const replacement *r, const cql_table *table) {
    cql_table draft;
    if (!cql__table_draft(r->ddl->arena, table, 0, &draft)) return NULL;
    for (uint32_t i = 0; i < draft.column_count; i++) {
        draft.columns[i].type = replaced(r, draft.columns[i].type);
        if (!draft.columns[i].type) return NULL;
    }
    return cql__table_make(&draft);
}

/* The draft holds made objects with a reference each where they differ from those of `before`. */
static corm_status replace_all(replacement *r, const cql_keyspace *before) {
    for (uint32_t i = 0; i < before->type_count; i++) {
        const cql_udt *udt = before->types[i];
        if (!cql__type_mentions_udt(udt->type, r->type->keyspace, r->type->name)) continue;
        const cql_type *type = replaced(r, udt->type);
        CORM_TRY(check_bounds(r->ddl, type));
        cql_udt *made = cql__udt_make(udt->keyspace, udt->name, type);
        if (!made) return base__fail_memory(r->ddl->err);
        r->draft.types[i] = made;
    }
    for (uint32_t i = 0; i < before->table_count; i++) {
        if (!table_mentions(before->tables[i], r->type)) continue;
        cql_table *made = replaced_table(r, before->tables[i]);
        if (!made) return base__fail_memory(r->ddl->err);
        r->draft.tables[i] = made;
    }
    return CORM_OK;
}

static corm_status publish_altered(cql_ddl *ddl, const cql_keyspace *before, const cql_type *type) {
    replacement r = { .ddl = ddl, .type = type };
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TYPE, "UPDATED", type->keyspace, type->name));
    if (!cql__keyspace_draft(ddl->arena, before, &r.draft)) return base__fail_memory(ddl->err);
    corm_status status = replace_all(&r, before);
    if (status == CORM_OK) status = cql__ddl_publish_keyspace(ddl, &r.draft);
    cql__keyspace_release(&r.draft, before);
    return status;
}

/* ---- ALTER TYPE ---- */

static uint32_t field_of(const cql_type *type, corm_str name) {
    uint32_t at = 0;
    while (at < type->count && !corm_str_equal(type->field_names[at], name)) at++;
    return at;
}

static corm_str written_type(cql_ddl *ddl, const cql_type_ast *ast, corm_str keyspace) {
    base_buf text = { 0 };
    cql__put_written_type(ast, keyspace, &text);
    corm_str out =
        text.failed ? (corm_str){ NULL, 0 } : base__arena_str(ddl->arena, base__buf_str(&text));
    base__buf_free(&text);
    return out;
}

static bool is_keyed_by(const cql_table *table, const cql_type *type) {
    for (uint32_t i = 0; i < table->partition_count; i++)
        if (cql__type_mentions_udt(table->columns[i].type, type->keyspace, type->name)) return true;
    return false;
}

static void put_keyed(const cql_keyspace *keyspace, const cql_type *type, bool views,
                      base_buf *names) {
    for (uint32_t i = 0; i < keyspace->table_count; i++) {
        const cql_table *table = keyspace->tables[i];
        if ((table->view != NULL) != views || !is_keyed_by(table, type)) continue;
        if (names->len > 0) base__buf_puts(names, ", ");
        cql__put_name(names, table->keyspace);
        base__buf_u8(names, '.');
        cql__put_name(names, table->name);
    }
}

/* "a.t, a.u": the tables, then the views, with the type in their partition key. */
static corm_status tables_keyed_by(cql_ddl *ddl, const cql_keyspace *keyspace, const cql_type *type,
                                   corm_str *out) {
    base_buf names = { 0 };
    put_keyed(keyspace, type, false, &names);
    put_keyed(keyspace, type, true, &names);
    corm_status status = base__buf_status(&names, ddl->err);
    *out = base__arena_str(ddl->arena, base__buf_str(&names));
    base__buf_free(&names);
    return status == CORM_OK && !out->data ? base__fail_memory(ddl->err) : status;
}

static corm_status check_new_field(cql_ddl *ddl, const cql_keyspace *keyspace, const cql_type *type,
                                   const cql_column_def *field, const cql_type *field_type) {
    corm_str tables;
    corm_str shown = written_type(ddl, field->type, type->keyspace);
    if (!shown.data) return base__fail_memory(ddl->err);
    if (cql__type_mentions_udt(field_type, type->keyspace, type->name)) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot add new field %.*s of type %.*s to user type %.*s.%.*s as it "
                          "would create a circular reference",
                          CQL_S(field->name.text), CQL_S(shown), CQL_S(type->keyspace),
                          CQL_S(type->name));
    }
    CORM_TRY(tables_keyed_by(ddl, keyspace, type, &tables));
    if (tables.len == 0) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Cannot add new field %.*s of type %.*s to user type %.*s.%.*s as the type "
                      "is being used in partition key by the following tables: %.*s",
                      CQL_S(field->name.text), CQL_S(shown), CQL_S(type->keyspace),
                      CQL_S(type->name), CQL_S(tables));
}

static corm_status add_field(cql_ddl *ddl, const cql_alter_table *s, const cql_keyspace *keyspace,
                             const cql_type *type, const cql_type **out) {
    const cql_column_def *field = &s->columns[0];
    const cql_type       *field_type;
    CORM_TRY(check_field(ddl, field));
    if (field_of(type, field->name.text) < type->count) {
        if (s->column_if) return CORM_OK;
        return base__fail(
            ddl->err, CORM_INVALID,
            "Cannot add field %.*s to type %.*s.%.*s: a field with name %.*s already exists",
            CQL_S(field->name.text), CQL_S(type->keyspace), CQL_S(type->name),
            CQL_S(field->name.text));
    }
    CORM_TRY(cql__resolve_type(ddl->schema, type->keyspace, field->type, ddl->arena, &field_type,
                               ddl->err));
    CORM_TRY(cql__guard_fields(ddl, type->name, type->count + 1));
    CORM_TRY(cql__guard_vector(ddl, "Field", field->name.text, field_type));
    CORM_TRY(check_new_field(ddl, keyspace, type, field, field_type));
    corm_str        *names = BASE_NEW_ARRAY(ddl->arena, corm_str, (size_t)type->count + 1);
    const cql_type **types = BASE_NEW_ARRAY(ddl->arena, const cql_type *, (size_t)type->count + 1);
    if (!names || !types) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < type->count; i++) {
        names[i] = type->field_names[i];
        types[i] = type->params[i];
    }
    names[type->count] = field->name.text;
    types[type->count] = field_type;
    *out =
        cql__type_udt(ddl->arena, type->keyspace, type->name, names, types, type->count + 1, false);
    return check_bounds(ddl, *out);
}

/* Says the keyspace where the type is meant, as the server does. */
static corm_status check_renamed(cql_ddl *ddl, const cql_type *type, const corm_str *names) {
    for (uint32_t i = 0; i < type->count; i++) {
        for (uint32_t j = i + 1; j < type->count; j++) {
            if (!corm_str_equal(names[i], names[j])) continue;
            return base__fail(ddl->err, CORM_INVALID, "Duplicate field name %.*s in type %.*s",
                              CQL_S(names[i]), CQL_S(type->keyspace));
        }
    }
    return CORM_OK;
}

static corm_status rename_fields(cql_ddl *ddl, const cql_alter_table *s, const cql_type *type,
                                 const cql_type **out) {
    bool      changed = false;
    corm_str *names = BASE_NEW_ARRAY(ddl->arena, corm_str, type->count);
    corm_str *written = BASE_NEW_ARRAY(ddl->arena, corm_str, s->column_count);
    uint32_t *order = BASE_NEW_ARRAY(ddl->arena, uint32_t, s->column_count);
    if (!names || !written || !order) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < type->count; i++) names[i] = type->field_names[i];
    for (uint32_t i = 0; i < s->column_count; i++) written[i] = s->columns[i].name.text;
    cql__java_order(CQL_JAVA_BYTES, written, s->column_count, 1, CQL_JAVA_CAPACITY, order);
    for (uint32_t i = 0; i < s->column_count; i++) {
        uint32_t field = field_of(type, written[order[i]]);
        if (field < type->count) {
            names[field] = s->renamed[order[i]].text;
        } else if (!s->column_if) {
            return base__fail(ddl->err, CORM_INVALID, "Unkown field %.*s in user type %.*s.%.*s",
                              CQL_S(written[order[i]]), CQL_S(type->keyspace), CQL_S(type->name));
        }
    }
    CORM_TRY(check_renamed(ddl, type, names));
    for (uint32_t i = 0; i < type->count; i++)
        changed |= !corm_str_equal(names[i], type->field_names[i]);
    if (!changed) return CORM_OK;
    *out = cql__type_udt(ddl->arena, type->keyspace, type->name, names, type->params, type->count,
                         false);
    return *out ? CORM_OK : base__fail_memory(ddl->err);
}

static corm_status alter(cql_ddl *ddl, const cql_alter_table *s, const cql_keyspace *keyspace,
                         const cql_type *type, const cql_type **out) {
    switch (s->kind) {
    case CQL_ALTER_ADD: return add_field(ddl, s, keyspace, type, out);
    case CQL_ALTER_RENAME: return rename_fields(ddl, s, type, out);
    default: break;
    }
    return base__fail(ddl->err, CORM_INVALID, "Altering field types is no longer supported");
}

corm_status cql__alter_type(cql_ddl *ddl, const cql_statement *statement) {
    const cql_alter_table *s = &statement->as.alter_table;
    corm_str               name = s->table.name.text;
    corm_str               keyspace;
    const cql_type        *type = NULL;
    if (s->kind != CQL_ALTER_RENAME) CORM_TRY(check_written(ddl, s->columns, s->column_count));
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->table, &keyspace));
    CORM_TRY(cql__ddl_permit(ddl, "ALTER", CQL_ON_ALL_TABLES, keyspace, name));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    const cql_udt *udt = cql__schema_type(ddl->schema, keyspace, name);
    if (!udt) {
        if (s->if_exists) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID, "Type %.*s.%.*s doesn't exist", CQL_S(keyspace),
                          CQL_S(name));
    }
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, keyspace);
    CORM_TRY(alter(ddl, s, before, udt->type, &type));
    return type ? publish_altered(ddl, before, type) : CORM_OK;
}

/* ---- DROP TYPE ---- */

static void add_user(base_buf *names, corm_str name) {
    if (names->len > 0) base__buf_puts(names, ", ");
    base__buf_put_str(names, name);
}

static corm_status refuse_used(cql_ddl *ddl, const cql_udt *udt, const char *users,
                               base_buf *names) {
    corm_status status = base__buf_status(names, ddl->err);
    if (status == CORM_OK && names->len > 0) {
        status =
            base__fail(ddl->err, CORM_INVALID,
                       "Cannot drop user type '%.*s.%.*s' as it is still used by %s %.*s",
                       CQL_S(udt->keyspace), CQL_S(udt->name), users, CQL_S(base__buf_str(names)));
    }
    base__buf_free(names);
    return status;
}

static corm_status check_unused(cql_ddl *ddl, const cql_keyspace *keyspace, const cql_udt *udt) {
    base_buf types = { 0 };
    base_buf tables = { 0 };
    for (uint32_t i = 0; i < keyspace->type_count; i++) {
        const cql_udt *other = keyspace->types[i];
        if (other == udt || !cql__type_mentions_udt(other->type, udt->keyspace, udt->name))
            continue;
        add_user(&types, other->name);
    }
    CORM_TRY(refuse_used(ddl, udt, "user types", &types));
    for (uint32_t i = 0; i < keyspace->table_count; i++) {
        if (!keyspace->tables[i]->view && table_mentions(keyspace->tables[i], udt->type))
            add_user(&tables, keyspace->tables[i]->name);
    }
    return refuse_used(ddl, udt, "tables", &tables);
}

corm_status cql__drop_type(cql_ddl *ddl, const cql_statement *statement) {
    const cql_drop *s = &statement->as.drop;
    corm_str        name = s->name.name.text;
    corm_str        keyspace;
    cql_keyspace    draft;
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->name, &keyspace));
    CORM_TRY(cql__ddl_permit(ddl, "DROP", CQL_ON_ALL_TABLES, keyspace, name));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    const cql_udt *udt = cql__schema_type(ddl->schema, keyspace, name);
    if (!udt) {
        if (s->if_exists) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID, "Type '%.*s.%.*s' doesn't exist", CQL_S(keyspace),
                          CQL_S(name));
    }
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, keyspace);
    CORM_TRY(check_unused(ddl, before, udt));
    if (!cql__keyspace_draft(ddl->arena, before, &draft)) return base__fail_memory(ddl->err);
    cql__keyspace_remove_type(&draft, name);
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TYPE, "DROPPED", keyspace, name));
    return cql__ddl_publish_keyspace(ddl, &draft);
}
