// SPDX-License-Identifier: MIT
/* query_table.c -- query tables compiled, and chosen by finds.
 *
 *   fields of a query table: its partition key, its clustering columns, the others in the model's order; each has the member
 *   of the model's field, so that a row of either table is the same struct
 *
 * Any thread. */
#include "orm/query_table.h"

#include <stdlib.h>
#include <strings.h>

#include "orm/relation.h"

typedef struct building {
    orm_model              *model;
    const corm_query_table *table;
    corm_field             *fields;
    uint32_t               *origins;
    uint32_t                count;
    corm_error             *err;
} building;

static corm_status bad(const building *b, const char *column, const char *what) {
    return base__fail(b->err, CORM_INVALID_ARGUMENT, "model '%s', query table '%s': %s%s%s%s",
                      b->model->table.data, b->table->table, column ? "'" : "",
                      column ? column : "", column ? "' " : "", what);
}

static bool has(const building *b, const orm_field *field) {
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->origins[i] == field->index) return true;
    }
    return false;
}

static corm_status add(building *b, const orm_field *field, corm_key key) {
    if (has(b, field) && key != CORM_REGULAR)
        return bad(b, field->name.data, "is in the key twice");
    if (has(b, field)) return CORM_OK;
    if (field->key == CORM_STATIC) {
        return bad(b, field->name.data,
                   "is static: it belongs to a partition, not to a row; name the "
                   "other columns in .columns");
    }
    corm_field *out = &b->fields[b->count];
    *out = *field->spec;
    out->name = field->name.data;
    out->cql = field->cql.data;
    out->key = key;
    out->generate = CORM_GIVEN;
    out->unique = out->indexed = false;
    /* Rows that are deleted by a time are passed over here too. */
    out->role = out->role == CORM_DELETED_AT && key == CORM_REGULAR ? out->role : CORM_PLAIN;
    memset(&out->validate, 0, sizeof out->validate);
    b->origins[b->count++] = field->index;
    return CORM_OK;
}

/* ---- names ---- */

static corm_str next_name(const char **names) {
    const char *end = strchr(*names, ',');
    const char *from = *names;
    const char *to = end ? end : from + strlen(from);
    *names = end ? end + 1 : NULL;
    while (from < to && *from == ' ') from++;
    while (to > from && to[-1] == ' ') to--;
    return (corm_str){ from, (size_t)(to - from) };
}

/* Cuts " DESC" or " ASC" off. */
static bool cut_word(corm_str *name, const char *word) {
    size_t len = strlen(word);
    if (name->len <= len || strncasecmp(name->data + name->len - len, word, len) != 0) return false;
    name->len -= len;
    while (name->len > 0 && name->data[name->len - 1] == ' ') name->len--;
    return true;
}

static corm_status add_named(building *b, corm_str name, corm_key key) {
    char             text[128];
    const orm_field *field;
    if (key == CORM_CLUSTERING && cut_word(&name, " DESC")) key = CORM_CLUSTERING_DESC;
    if (key == CORM_CLUSTERING) cut_word(&name, " ASC");
    if (name.len == 0 || name.len >= sizeof text)
        return bad(b, NULL, "a name of a column is empty");
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    CORM_TRY(orm__field_named(b->model, text, &field, b->err));
    return add(b, field, key);
}

static corm_status add_names(building *b, const char *names, corm_key key) {
    while (names) CORM_TRY(add_named(b, next_name(&names), key));
    return CORM_OK;
}

static corm_status add_columns(building *b) {
    if (b->table->columns) {
        CORM_TRY(add_names(b, b->table->columns, CORM_REGULAR));
        return b->model->deleted_at ? add(b, b->model->deleted_at, CORM_REGULAR) : CORM_OK;
    }
    for (uint32_t i = 0; i < b->model->count; i++) {
        CORM_TRY(add(b, &b->model->fields[i], CORM_REGULAR));
    }
    return CORM_OK;
}

static corm_status check_key(const building *b) {
    for (uint32_t k = 0; k < b->model->key_count; k++) {
        bool found = false;
        for (uint32_t i = 0; i < b->count; i++) {
            found = found ||
                    (b->origins[i] == b->model->keys[k]->index && b->fields[i].key != CORM_REGULAR);
        }
        if (!found) {
            return bad(b, b->model->keys[k]->name.data,
                       "is part of the model's key and must be in this one too, as last clustering "
                       "column for instance");
        }
    }
    return CORM_OK;
}

static corm_status add_all(building *b) {
    if (!b->table->partition_key) return bad(b, NULL, "it has no .partition_key");
    if (b->model->is_counter) return bad(b, NULL, "counters cannot be copied");
    if (strcmp(b->table->table, b->model->table.data) == 0) {
        return bad(b, NULL, "it has the name of the model's table");
    }
    CORM_TRY(add_names(b, b->table->partition_key, CORM_PARTITION));
    if (b->table->clustering_key) CORM_TRY(add_names(b, b->table->clustering_key, CORM_CLUSTERING));
    CORM_TRY(add_columns(b));
    return check_key(b);
}

/* ---- the model of a query table ---- */

static corm_status make_spec(building *b, const corm_model **out) {
    base_arena *arena = &b->model->arena;
    corm_model *spec = BASE_NEW(arena, corm_model);
    b->fields = BASE_NEW_ARRAY(arena, corm_field, b->model->count + 1);
    b->origins = BASE_NEW_ARRAY(arena, uint32_t, b->model->count + 1);
    if (!spec || !b->fields || !b->origins) return base__fail_memory(b->err);
    CORM_TRY(add_all(b));
    spec->table = b->table->table;
    spec->keyspace = b->model->spec->keyspace;
    spec->row_size = b->model->spec->row_size;
    spec->more_fields = b->fields;
    spec->options = b->model->spec->options;
    spec->options.comment = "copies of rows, written by Corm";
    *out = spec;
    return CORM_OK;
}

static corm_status compile_one(orm_model *model, const corm_query_table *table, corm_error *err) {
    building          b = { .model = model, .table = table, .err = err };
    const corm_model *spec = NULL;
    CORM_TRY(make_spec(&b, &spec));
    orm_model **copy = &model->copies[model->copy_count];
    CORM_TRY(orm__compile(spec, copy, err));
    model->copy_count++;
    (*copy)->copy_of = model;
    (*copy)->origins = b.origins;
    (*copy)->moves = (*copy)->key_count > model->key_count;
    return orm__image_select(*copy, err);
}

corm_status orm__query_tables_compile(orm_model *model, corm_error *err) {
    const corm_query_table *tables = model->spec->query_tables;
    uint32_t                count = 0;
    while (tables && tables[count].table) count++;
    if (count == 0) return CORM_OK;
    model->copies = BASE_NEW_ARRAY(&model->arena, orm_model *, count);
    if (!model->copies) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) CORM_TRY(compile_one(model, &tables[i], err));
    return orm__image_select(model, err);
}

void orm__query_tables_free(orm_model *model) {
    for (uint32_t i = 0; i < model->copy_count; i++) orm__model_free(model->copies[i]);
}

corm_status orm__query_table_named(const orm_model *model, const char *table, orm_model **out,
                                   corm_error *err) {
    corm_str names[32];
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->copy_count; i++) {
        *out = model->copies[i];
        if (strcmp((*out)->table.data, table) == 0) return CORM_OK;
        if (count < 32) names[count++] = (*out)->table;
    }
    corm_str near = orm__nearest(corm_str_of(table), names, count);
    return base__fail(err, CORM_INVALID_ARGUMENT, "model '%s' has no query table '%s'%s%.*s%s",
                      model->table.data, table, near.len > 0 ? ", did you mean '" : "",
                      (int)near.len, near.data, near.len > 0 ? "'?" : "");
}

/* ---- chosen by a find ---- */

static const corm_term *term_on(const corm_find_options *options, corm_str column) {
    for (uint32_t i = 0; i < CORM_MAX_TERMS && options->where[i].column; i++) {
        if (corm_str_equal(corm_str_of(options->where[i].column), column))
            return &options->where[i];
    }
    return NULL;
}

static bool is_range(corm_op op) {
    return op == CORM_GT || op == CORM_GTE || op == CORM_LT || op == CORM_LTE || op == CORM_BETWEEN;
}

/* Whether every partition column is given, and the conditions on clustering columns leave no hole. */
static bool key_fits(const orm_model *table, const corm_find_options *options) {
    bool open = true; /* the next clustering column may have a condition */
    for (uint32_t i = 0; i < table->key_count; i++) {
        const corm_term *term = term_on(options, table->keys[i]->name);
        bool             given = term && (term->op == CORM_EQ || term->op == CORM_IN);
        if (i < table->partition_count && !given) return false;
        if (i < table->partition_count) continue;
        if (term && (!open || !(given || is_range(term->op)))) return false;
        open = given;
    }
    return true;
}

/* Conditions that the store would have to filter by; those of Corm need only the column. */
static bool terms_fit(const orm_model *table, const corm_find_options *options) {
    for (uint32_t i = 0; i < CORM_MAX_TERMS && options->where[i].column; i++) {
        const corm_term *term = &options->where[i];
        const orm_field *field = orm__field(table, corm_str_of(term->column));
        bool here = term->op == CORM_NE || term->op == CORM_NULL_OP || term->op == CORM_NOT_NULL_OP;
        if (term->op >= CORM_TOKEN_GT || !field) return false;
        if (!orm__is_key(field) && !here) return false;
    }
    return true;
}

static bool columns_fit(const orm_model *copy, const corm_find_options *options) {
    if (!options->select[0]) return copy->count == copy->copy_of->count;
    for (uint32_t i = 0; i < CORM_MAX_NAMES && options->select[i]; i++) {
        if (!orm__field(copy, corm_str_of(options->select[i]))) return false;
    }
    for (uint32_t i = 0; i < 4 && options->order_by[i].column; i++) {
        if (!orm__field(copy, corm_str_of(options->order_by[i].column))) return false;
    }
    return true;
}

static bool is_clustering(const orm_model *table, const char *column) {
    const orm_field *field = orm__field(table, corm_str_of(column));
    return field && (field->key == CORM_CLUSTERING || field->key == CORM_CLUSTERING_DESC);
}

static bool order_fits(const orm_model *table, const corm_find_options *options) {
    return !options->order_by[0].column || is_clustering(table, options->order_by[0].column);
}

static bool asks_unique(const orm_model *model, const corm_find_options *options) {
    for (uint32_t i = 0; i < model->unique_count; i++) {
        const corm_term *term = term_on(options, model->uniques[i]->name);
        if (term && term->op == CORM_EQ) return true;
    }
    return false;
}

orm_model *orm__query_table_pick(orm_model *model, const corm_find_options *options) {
    if (model->copy_count == 0 || !options->where[0].column || options->allow_filtering)
        return model;
    if (key_fits(model, options) || asks_unique(model, options)) return model;
    orm_model *fits = NULL;
    for (uint32_t i = 0; i < model->copy_count; i++) {
        orm_model *copy = model->copies[i];
        if (!key_fits(copy, options) || !terms_fit(copy, options) || !columns_fit(copy, options)) {
            continue;
        }
        if (order_fits(copy, options)) return copy; /* the store orders */
        if (!fits) fits = copy;
    }
    return fits ? fits : model;
}
