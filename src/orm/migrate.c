// SPDX-License-Identifier: MIT
/* migrate.c -- what it takes to make a table fit its model, as a list of steps that is executed
 * or shown.
 *
 * The table is read from system_schema each time; two programs that load the same model at once
 * both succeed. Under db->load, or for a plan on the caller's thread. */
#include <stdlib.h>

#include "base/text.h"
#include "corm/schema.h"
#include "orm/core.h"

typedef enum step_kind {
    STEP_DO,
    STEP_REFUSE, /* not done by this migration; `text` says what it would take */
    STEP_NOTE    /* nothing to do, but worth to know */
} step_kind;

typedef struct step {
    step_kind kind;
    corm_str  what; /* for people */
    corm_str  cql;  /* DO: the statement; REFUSE: what it would take, may be empty */
} step;

typedef struct migration {
    corm_session    *session;
    const orm_model *model;
    corm_migration   how;
    base_arena       arena;
    step            *steps;
    uint32_t         count, capacity;
    corm_error      *err;
} migration;

static corm_status add_step(migration *m, step_kind kind, corm_str what, corm_str cql) {
    if (!what.data || !cql.data) return base__fail_memory(m->err);
    if (m->count == m->capacity) {
        uint32_t capacity = m->capacity == 0 ? 8 : 2 * m->capacity;
        step    *steps = realloc(m->steps, capacity * sizeof *steps);
        if (!steps) return base__fail_memory(m->err);
        m->steps = steps;
        m->capacity = capacity;
    }
    m->steps[m->count++] = (step){ kind, what, cql };
    return CORM_OK;
}

/* The buffer's text in the arena; data NULL when memory is exhausted. Frees the buffer. */
static corm_str take_text(migration *m, base_buf *text) {
    corm_str out = { NULL, 0 };
    if (!text->failed) out = base__arena_str(&m->arena, base__buf_str(text));
    base__buf_free(text);
    return out;
}

/* ---- statements ---- */

static void put_option(base_buf *out, bool *first, const char *text) {
    base__buf_puts(out, *first ? " WITH " : " AND ");
    base__buf_puts(out, text);
    *first = false;
}

static void put_string(base_buf *out, const char *text) {
    base__buf_u8(out, '\'');
    for (; *text; text++) {
        if (*text == '\'') base__buf_u8(out, '\'');
        base__buf_u8(out, (uint8_t)*text);
    }
    base__buf_u8(out, '\'');
}

static void put_options(const orm_model *model, base_buf *out) {
    const corm_model_options *options = &model->spec->options;
    bool                      first = true;
    bool                      descending = false;
    for (uint32_t i = model->partition_count; i < model->key_count; i++) {
        descending = descending || model->keys[i]->key == CORM_CLUSTERING_DESC;
    }
    if (descending) {
        put_option(out, &first, "CLUSTERING ORDER BY (");
        for (uint32_t i = model->partition_count; i < model->key_count; i++) {
            if (i > model->partition_count) base__buf_puts(out, ", ");
            base__buf_put_str(out, model->keys[i]->quoted);
            base__buf_puts(out, model->keys[i]->key == CORM_CLUSTERING_DESC ? " DESC" : " ASC");
        }
        base__buf_u8(out, ')');
    }
    if (options->default_ttl_seconds > 0) {
        put_option(out, &first, "default_time_to_live = ");
        base__buf_printf(out, "%d", (int)options->default_ttl_seconds);
    }
    if (options->comment) {
        put_option(out, &first, "comment = ");
        put_string(out, options->comment);
    }
    if (options->with && *options->with) put_option(out, &first, options->with);
}

static void put_primary_key(const orm_model *model, base_buf *out) {
    base__buf_puts(out, ", PRIMARY KEY (");
    if (model->partition_count > 1) base__buf_u8(out, '(');
    for (uint32_t i = 0; i < model->key_count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, model->keys[i]->quoted);
        if (i + 1 == model->partition_count && i > 0) base__buf_u8(out, ')');
    }
    base__buf_puts(out, "))");
}

/* What stands behind the table's name. */
static void put_table(const orm_model *model, base_buf *out) {
    base__buf_puts(out, " (");
    for (uint32_t i = 0; i < model->count; i++) {
        const orm_field *field = &model->fields[i];
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, field->quoted);
        base__buf_u8(out, ' ');
        base__buf_put_str(out, field->stored_cql);
        if (field->key == CORM_STATIC) base__buf_puts(out, " static");
    }
    put_primary_key(model, out);
    put_options(model, out);
}

static corm_str create_table(migration *m) {
    base_buf text = { 0 };
    base__buf_puts(&text, "CREATE TABLE IF NOT EXISTS ");
    base__buf_put_str(&text, m->model->path);
    put_table(m->model, &text);
    return take_text(m, &text);
}

void orm__model_script(const orm_model *model, base_buf *out) {
    base__buf_puts(out, "CREATE TABLE ");
    cql__put_name(out, model->table);
    put_table(model, out);
    base__buf_puts(out, ";\n");
    for (uint32_t i = 0; i < model->count; i++) {
        if (!model->fields[i].spec->indexed) continue;
        base__buf_puts(out, "CREATE INDEX ON ");
        cql__put_name(out, model->table);
        base__buf_puts(out, " (");
        base__buf_put_str(out, model->fields[i].quoted);
        base__buf_puts(out, ");\n");
    }
    for (uint32_t i = 0; i < model->copy_count; i++) orm__model_script(model->copies[i], out);
}

static corm_str create_index(migration *m, const orm_field *field) {
    return base__arena_printf(&m->arena, "CREATE INDEX IF NOT EXISTS ON %s (%s)",
                              m->model->path.data, field->quoted.data);
}

static corm_str add_column(migration *m, const orm_field *field) {
    return base__arena_printf(&m->arena, "ALTER TABLE %s ADD %s %s%s", m->model->path.data,
                              field->quoted.data, field->stored_cql.data,
                              field->key == CORM_STATIC ? " static" : "");
}

static corm_str quoted(migration *m, const char *name) {
    base_buf text = { 0 };
    cql__put_name(&text, corm_str_of(name));
    return take_text(m, &text);
}

/* ---- comparing ---- */

static corm_str none(void) {
    return (corm_str){ "", 0 };
}

static const char *key_word(corm_key key) {
    switch (key) {
    case CORM_PARTITION: return "part of the partition key";
    case CORM_CLUSTERING: return "a clustering column, ascending";
    case CORM_CLUSTERING_DESC: return "a clustering column, descending";
    case CORM_STATIC: return "static";
    default: return "a regular column";
    }
}

static const corm_column_info *column_named(const corm_table_info *table, corm_str name) {
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (corm_str_equal(corm_str_of(table->columns[i].name), name)) return &table->columns[i];
    }
    return NULL;
}

/* The type's text in the form that this program prints, so that two spellings compare equal. */
static corm_str canonical(migration *m, const char *type) {
    const cql_type *parsed;
    corm_str        text = corm_str_of(type);
    if (orm__type_parse(&m->arena, text, &parsed, NULL) != CORM_OK) return text;
    base_buf printed = { 0 };
    cql__type_print(parsed, &printed);
    return take_text(m, &printed);
}

/* Types and keys are not changed by any migration but DROP. */
static corm_status refuse(migration *m, const orm_field *field, corm_str what) {
    corm_str cql = base__arena_printf(
        &m->arena, "DROP TABLE %s; %s (CORM_MIGRATION_DROP does it; all rows go)",
        m->model->path.data, create_table(m).data);
    (void)field;
    return add_step(m, STEP_REFUSE, what, cql);
}

static uint32_t key_position(const orm_model *model, const orm_field *field) {
    for (uint32_t i = 0; i < model->key_count; i++) {
        if (model->keys[i] != field) continue;
        return i < model->partition_count ? i : i - model->partition_count;
    }
    return 0;
}

static corm_status compare_column(migration *m, const orm_field *field,
                                  const corm_column_info *column) {
    corm_str type = canonical(m, column->type);
    if (!type.data) return base__fail_memory(m->err);
    if (!corm_str_equal(type, field->stored_cql)) {
        CORM_TRY(
            refuse(m, field,
                   base__arena_printf(&m->arena, "column '%s' is of type %s, the model says %s",
                                      field->name.data, column->type, field->stored_cql.data)));
    }
    if (column->key != field->key) {
        CORM_TRY(refuse(m, field,
                        base__arena_printf(&m->arena, "column '%s' is %s, the model says %s",
                                           field->name.data, key_word(column->key),
                                           key_word(field->key))));
    } else if (orm__is_key(field) && column->position != key_position(m->model, field)) {
        CORM_TRY(refuse(m, field,
                        base__arena_printf(&m->arena,
                                           "column '%s' is number %u in the key, the model says %u",
                                           field->name.data, column->position + 1,
                                           key_position(m->model, field) + 1)));
    }
    return CORM_OK;
}

static corm_status missing_column(migration *m, const orm_field *field) {
    corm_str what = base__arena_printf(&m->arena, "column '%s' is missing", field->name.data);
    if (orm__is_key(field)) return refuse(m, field, what);
    step_kind kind = m->how == CORM_MIGRATION_NONE ? STEP_REFUSE : STEP_DO;
    return add_step(m, kind, what, add_column(m, field));
}

static corm_status missing_index(migration *m, const orm_field *field) {
    corm_str  what = base__arena_printf(&m->arena, "column '%s' has no index", field->name.data);
    step_kind kind = m->how == CORM_MIGRATION_NONE ? STEP_REFUSE : STEP_DO;
    return add_step(m, kind, what, create_index(m, field));
}

static corm_status compare_fields(migration *m, const corm_table_info *table) {
    for (uint32_t i = 0; i < m->model->count; i++) {
        const orm_field        *field = &m->model->fields[i];
        const corm_column_info *column = column_named(table, field->name);
        CORM_TRY(column ? compare_column(m, field, column) : missing_column(m, field));
        if (field->spec->indexed && (!column || !column->indexed))
            CORM_TRY(missing_index(m, field));
    }
    return CORM_OK;
}

/* ---- what the table has beyond the model ---- */

static bool has_word(corm_str target, corm_str column) {
    if (corm_str_equal(target, column)) return true;
    if (target.len > 0 && target.data[target.len - 1] == ')') target.len--;
    const char *open = memchr(target.data, '(', target.len);
    if (open) {
        size_t before = (size_t)(open - target.data) + 1;
        target = (corm_str){ target.data + before, target.len - before };
    }
    if (target.len > 1 && target.data[0] == '"') {
        target = (corm_str){ target.data + 1, target.len - 2 };
    }
    return corm_str_equal(target, column);
}

static corm_status drop_index(migration *m, const corm_column_info *column, corm_str name) {
    base_buf cql = { 0 };
    base__buf_puts(&cql, "DROP INDEX IF EXISTS ");
    cql__put_name(&cql, m->model->keyspace);
    base__buf_u8(&cql, '.');
    cql__put_name(&cql, name);
    corm_str what =
        base__arena_printf(&m->arena, "the index on '%s' is not in the model", column->name);
    return add_step(m, STEP_DO, what, take_text(m, &cql));
}

static corm_status drop_index_row(migration *m, const corm_column_info *column,
                                  const corm_row *row) {
    corm_value options;
    CORM_TRY(corm_row_value(row, 1, &options, m->err));
    if (options.kind != CORM_MAP) return CORM_OK;
    corm_map          map = { options.as.items.items, options.as.items.count / 2 };
    const corm_value *target = corm_map_get(&map, "target");
    if (!target || !has_word(target->as.text, corm_str_of(column->name))) return CORM_OK;
    return drop_index(m, column, corm_row_text(row, 0));
}

static corm_status drop_indexes(migration *m, const corm_column_info *column) {
    static const char    cql[] = "SELECT index_name, options FROM system_schema.indexes WHERE "
                                 "keyspace_name = ? AND table_name = ?";
    corm_execute_options options = {
        .values = { corm_of_str(m->model->keyspace), corm_of_str(m->model->table) }, .error = m->err
    };
    corm_result    *result;
    const corm_row *row;
    CORM_TRY(corm_execute_with(m->session, cql, &options, &result));
    corm_status status;
    while ((status = corm_result_step(result, &row, m->err)) == CORM_OK && row) {
        status = drop_index_row(m, column, row);
        if (status != CORM_OK) break;
    }
    corm_result_free(result);
    return status;
}

static corm_status extra_column(migration *m, const corm_column_info *column) {
    corm_str what = base__arena_printf(&m->arena, "column '%s' is not in the model", column->name);
    if (column->key != CORM_REGULAR && column->key != CORM_STATIC) {
        return refuse(m, NULL, what);
    }
    corm_str name = quoted(m, column->name);
    if (!name.data) return base__fail_memory(m->err);
    corm_str cql =
        base__arena_printf(&m->arena, "ALTER TABLE %s DROP %s", m->model->path.data, name.data);
    if (m->how == CORM_MIGRATION_ALTER) return add_step(m, STEP_DO, what, cql);
    what = base__arena_printf(&m->arena, "column '%s' is not in the model and stays", column->name);
    return add_step(m, STEP_NOTE, what, cql);
}

static corm_status compare_extras(migration *m, const corm_table_info *table) {
    for (uint32_t i = 0; i < table->column_count; i++) {
        const corm_column_info *column = &table->columns[i];
        const orm_field        *field = orm__field(m->model, corm_str_of(column->name));
        bool                    wanted = field && field->spec->indexed;
        if (column->indexed && !wanted) {
            if (m->how == CORM_MIGRATION_ALTER) {
                CORM_TRY(drop_indexes(m, column));
            } else {
                corm_str what = base__arena_printf(
                    &m->arena, "the index on '%s' is not in the model and stays", column->name);
                CORM_TRY(add_step(m, STEP_NOTE, what, none()));
            }
        }
        if (!field) CORM_TRY(extra_column(m, column));
    }
    return CORM_OK;
}

/* ---- the plan ---- */

static corm_status plan_new_table(migration *m) {
    const char *new = m->model->copy_of
                          ? "the query table does not exist (corm_query_table_rebuild fills it)"
                          : "the table does not exist";
    corm_str what = base__arena_printf(&m->arena, "%s", new);
    if (m->how == CORM_MIGRATION_NONE) return add_step(m, STEP_REFUSE, what, create_table(m));
    CORM_TRY(add_step(m, STEP_DO, what, create_table(m)));
    for (uint32_t i = 0; i < m->model->count; i++) {
        const orm_field *field = &m->model->fields[i];
        if (field->spec->indexed) CORM_TRY(missing_index(m, field));
    }
    return CORM_OK;
}

static corm_status plan_drop(migration *m) {
    corm_str cql = base__arena_printf(&m->arena, "DROP TABLE IF EXISTS %s", m->model->path.data);
    corm_str what = base__arena_printf(&m->arena, "the table is made anew");
    CORM_TRY(add_step(m, STEP_DO, what, cql));
    return plan_new_table(m);
}

static corm_status plan(migration *m) {
    const corm_table_info *table;
    if (m->how == CORM_MIGRATION_DROP) return plan_drop(m);
    corm_status status =
        corm_table_read(m->session, m->model->keyspace.data, m->model->table.data, &table, m->err);
    if (status == CORM_NOT_FOUND) return plan_new_table(m);
    if (status != CORM_OK) return status;
    status = compare_fields(m, table);
    if (status == CORM_OK) status = compare_extras(m, table);
    corm_table_free(table);
    return status;
}

static corm_status say_refusals(const migration *m) {
    base_buf text = { 0 };
    base__buf_printf(&text, "table %s does not fit its model:", m->model->path.data);
    bool any = false;
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->steps[i].kind != STEP_REFUSE) continue;
        any = true;
        base__buf_printf(&text, "\n- %s", m->steps[i].what.data);
        if (m->steps[i].cql.len > 0)
            base__buf_printf(&text, "; it takes: %s", m->steps[i].cql.data);
    }
    const char *message = base__buf_cstr(&text);
    corm_status status = CORM_OK;
    if (!message) {
        status = base__fail_memory(m->err);
    } else if (any) {
        status = base__fail(m->err, CORM_SCHEMA_MISMATCH, "%s", message);
    }
    base__buf_free(&text);
    return status;
}

/* *at is the step that is under way. */
static corm_status execute(const migration *m, const corm_db *db, uint32_t *at) {
    CORM_TRY(say_refusals(m));
    for (*at = 0; *at < m->count; ++*at) {
        const step          *s = &m->steps[*at];
        corm_execute_options options = { .error = m->err };
        orm__notice(db, "%s: %s%s%s", m->model->path.data, s->what.data,
                    s->kind == STEP_DO ? ": " : "", s->kind == STEP_DO ? s->cql.data : "");
        if (s->kind != STEP_DO) continue;
        CORM_TRY(corm_execute_with(m->session, s->cql.data, &options, NULL));
    }
    return CORM_OK;
}

static void free_migration(migration *m) {
    free(m->steps);
    base__arena_free(&m->arena);
}

static bool has_step(const migration *m, corm_str cql) {
    for (uint32_t i = 0; i < m->count; i++) {
        if (corm_str_equal(m->steps[i].cql, cql)) return true;
    }
    return false;
}

/* Whether the step that failed is not wanted any more: another program has done it in the meantime. Then *m is the
 * plan of what is left. */
static bool was_done_by_another(migration *m, uint32_t at, corm_status status) {
    bool perhaps = status == CORM_INVALID || status == CORM_CONFIG_ERROR ||
                   status == CORM_ALREADY_EXISTS || status == CORM_SERVER_ERROR;
    if (!perhaps || at >= m->count || m->how == CORM_MIGRATION_DROP) return false;
    migration  again = { .session = m->session, .model = m->model, .how = m->how };
    bool       done = plan(&again) == CORM_OK && !has_step(&again, m->steps[at].cql);
    migration *unused = done ? m : &again;
    free_migration(unused);
    if (!done) return false;
    again.err = m->err;
    *m = again;
    return true;
}

corm_status orm__migrate(corm_db *db, orm_model *model, corm_error *err) {
    migration   m = { .session = db->session, .model = model, .how = db->migration, .err = err };
    uint32_t    at = 0;
    corm_status status = plan(&m);
    if (status == CORM_OK) status = execute(&m, db, &at);
    while (status != CORM_OK && was_done_by_another(&m, at, status)) {
        status = execute(&m, db, &at);
    }
    free_migration(&m);
    if (status == CORM_OK && db->migration == CORM_MIGRATION_DROP && model->unique_count > 0) {
        status = orm__unique_forget(db, model, err);
    }
    return status;
}

/* ---- shown ---- */

static void show(const migration *m, base_buf *out) {
    for (uint32_t i = 0; i < m->count; i++) {
        const step *s = &m->steps[i];
        if (s->kind == STEP_DO) {
            base__buf_printf(out, "%s;\n", s->cql.data);
        } else if (s->kind == STEP_NOTE || s->cql.len == 0) {
            base__buf_printf(out, "-- %s\n", s->what.data);
        } else {
            base__buf_printf(out, "-- refused: %s; it takes: %s\n", s->what.data, s->cql.data);
        }
    }
}

static corm_status append_text(char **text, const base_buf *more, corm_error *err) {
    size_t before = *text ? strlen(*text) : 0;
    char  *out = realloc(*text, before + more->len + 1);
    if (!out) return base__fail_memory(err);
    if (more->len > 0) memcpy(out + before, more->data, more->len);
    out[before + more->len] = '\0';
    *text = out;
    return CORM_OK;
}

static corm_status plan_text(migration *m, char **text) {
    base_buf shown = { 0 };
    CORM_TRY(plan(m));
    show(m, &shown);
    corm_status status = base__buf_status(&shown, m->err);
    if (status == CORM_OK) status = append_text(text, &shown, m->err);
    base__buf_free(&shown);
    return status;
}

static corm_status plan_model(corm_db *db, orm_model *model, corm_migration how, char **text,
                              corm_error *err) {
    model->db = db;
    migration   m = { .session = db->session, .model = model, .how = how, .err = err };
    corm_status status = orm__model_name_table(model, err);
    if (status == CORM_OK) status = plan_text(&m, text);
    free_migration(&m);
    return status;
}

corm_status corm_plan(corm_db *db, const corm_model *spec, corm_migration how, char **text,
                      corm_error *err) {
    orm_model *model;
    if ((unsigned)how > CORM_MIGRATION_NONE) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%d is not a migration", (int)how);
    }
    CORM_TRY(orm__compile(spec, &model, err));
    corm_status status = plan_model(db, model, how, text, err);
    for (uint32_t i = 0; i < model->copy_count && status == CORM_OK; i++) {
        status = plan_model(db, model->copies[i], how, text, err);
    }
    orm__model_free(model);
    return status;
}
