// SPDX-License-Identifier: MIT
/* schema_build.c -- makes tables, types, keyspaces and snapshots from drafts.
 *
 * Each object lives in an arena that it owns itself; freeing the object frees that arena.
 * References are counted atomically, so an object may be shared by snapshots of several threads. */
#include "cql/schema_build.h"

#include <stdlib.h>

#include "base/text.h"
#include "cql/index_terms.h"

_Static_assert(offsetof(cql_table, refs) == 0 && offsetof(cql_keyspace, refs) == 0 &&
                   offsetof(cql_schema, refs) == 0,
               "the count of references stands first");

/* A copy of all but the count of references, which other threads may be changing. */
static void copy_body(void *to, const void *from, size_t size) {
    memcpy((uint8_t *)to + sizeof(atomic_uint), (const uint8_t *)from + sizeof(atomic_uint),
           size - sizeof(atomic_uint));
}

/* Copies into an arena; `failed` stays set after the first allocation that did not succeed. */
typedef struct copier {
    base_arena *arena;
    bool        failed;
} copier;

static void *copy_array(copier *c, const void *items, size_t count, size_t size) {
    if (count == 0) return NULL;
    void *out = base__arena_copy(c->arena, items, count * size);
    if (!out) c->failed = true;
    return out;
}

static corm_str copy_str(copier *c, corm_str text) {
    if (!text.data) return text;
    corm_str out = base__arena_str(c->arena, text);
    if (!out.data) c->failed = true;
    return out;
}

static corm_str *copy_strs(copier *c, const corm_str *texts, uint32_t count) {
    corm_str *out = copy_array(c, texts, count, sizeof *texts);
    for (uint32_t i = 0; out && i < count; i++) out[i] = copy_str(c, texts[i]);
    return out;
}

static const cql_type *copy_type(copier *c, const cql_type *type) {
    const cql_type *out = cql__type_copy(c->arena, type);
    if (!out) c->failed = true;
    return out;
}

static void copy_map(copier *c, cql_map_option *map) {
    map->pairs = copy_strs(c, map->pairs, 2 * map->count);
}

/* ---- tables ---- */

/* By bytes, but names that begin with a byte of 0x80 or more stand first: so does the server order
 * columns. */
static int compare_names(corm_str a, corm_str b) {
    if (a.len == 0 || b.len == 0) return base__str_compare(a, b);
    int first = (uint8_t)a.data[0] ^ 0x80;
    int second = (uint8_t)b.data[0] ^ 0x80;
    return first != second ? first - second : base__str_compare(a, b);
}

static int compare_columns(const void *left, const void *right) {
    const cql_column *a = left;
    const cql_column *b = right;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->kind <= CQL_CLUSTERING)
        return a->position < b->position ? -1 : a->position > b->position;
    return compare_names(a->name, b->name);
}

static uint32_t *count_of(cql_table *table, cql_column_kind kind) {
    switch (kind) {
    case CQL_PARTITION_KEY: return &table->partition_count;
    case CQL_CLUSTERING: return &table->clustering_count;
    case CQL_STATIC: return &table->static_count;
    case CQL_REGULAR: break;
    }
    return &table->regular_count;
}

static void arrange_columns(cql_table *table) {
    table->partition_count = table->clustering_count = table->static_count = table->regular_count =
        0;
    if (table->column_count > 0) {
        qsort(table->columns, table->column_count, sizeof *table->columns, compare_columns);
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        cql_column *column = &table->columns[i];
        column->index = i;
        column->position = (*count_of(table, column->kind))++;
    }
}

static void copy_columns(copier *c, cql_table *table) {
    table->columns = copy_array(c, table->columns, table->column_count, sizeof *table->columns);
    if (c->failed) return;
    for (uint32_t i = 0; i < table->column_count; i++) {
        cql_column *column = &table->columns[i];
        column->name = copy_str(c, column->name);
        column->type = copy_type(c, column->type);
        column->mask.function = copy_str(c, column->mask.function);
        column->mask.arguments = copy_strs(c, column->mask.arguments, column->mask.count);
    }
    arrange_columns(table);
}

static void copy_dropped(copier *c, cql_table *table) {
    table->dropped = copy_array(c, table->dropped, table->dropped_count, sizeof *table->dropped);
    for (uint32_t i = 0; !c->failed && i < table->dropped_count; i++) {
        table->dropped[i].name = copy_str(c, table->dropped[i].name);
        table->dropped[i].type = copy_type(c, table->dropped[i].type);
    }
}

static int compare_indexes(const void *left, const void *right) {
    return base__str_compare(((const cql_index *)left)->name, ((const cql_index *)right)->name);
}

static void copy_indexes(copier *c, cql_table *table) {
    table->indexes = copy_array(c, table->indexes, table->index_count, sizeof *table->indexes);
    for (uint32_t i = 0; !c->failed && i < table->index_count; i++) {
        cql_index *index = &table->indexes[i];
        index->name = copy_str(c, index->name);
        index->column = cql__table_column_with_id(table, index->column->id);
        index->class_name = copy_str(c, index->class_name);
        index->kind = copy_str(c, index->kind);
        index->options = copy_strs(c, index->options, 2 * index->option_count);
        if (!c->failed) cql__index_rules(index);
    }
    if (!c->failed && table->index_count > 1) {
        qsort(table->indexes, table->index_count, sizeof *table->indexes, compare_indexes);
    }
}

static void copy_filter(copier *c, cql_view_filter *filter) {
    size_t count = (size_t)filter->width * filter->row_count;
    filter->column_ids = copy_array(c, filter->column_ids, filter->width, sizeof(uint32_t));
    filter->values = copy_array(c, filter->values, count, sizeof *filter->values);
    for (size_t i = 0; !c->failed && i < count; i++) {
        corm_bytes *value = &filter->values[i];
        value->data = base__arena_copy(c->arena, value->data, value->len);
        if (!value->data) c->failed = true;
    }
}

static void copy_view(copier *c, cql_table *table) {
    if (!table->view) return;
    cql_view_def *view = base__arena_copy(c->arena, table->view, sizeof *view);
    table->view = view;
    if (!view) {
        c->failed = true;
        return;
    }
    view->base = copy_str(c, view->base);
    view->where = copy_str(c, view->where);
    view->filters = copy_array(c, view->filters, view->filter_count, sizeof *view->filters);
    for (uint32_t i = 0; !c->failed && i < view->filter_count; i++)
        copy_filter(c, &view->filters[i]);
}

static void copy_options(copier *c, cql_table_options *options) {
    options->additional_write_policy = copy_str(c, options->additional_write_policy);
    options->comment = copy_str(c, options->comment);
    options->memtable = copy_str(c, options->memtable);
    options->read_repair = copy_str(c, options->read_repair);
    options->speculative_retry = copy_str(c, options->speculative_retry);
    copy_map(c, &options->caching);
    copy_map(c, &options->compaction);
    copy_map(c, &options->compression);
    copy_map(c, &options->extensions);
}

cql_table *cql__table_make(const cql_table *draft) {
    base_arena arena = { 0 };
    copier     c = { &arena, false };
    cql_table *table = BASE_NEW(&arena, cql_table);
    if (!table) return NULL;
    copy_body(table, draft, sizeof *table);
    atomic_init(&table->refs, 1);
    table->keyspace = copy_str(&c, table->keyspace);
    table->name = copy_str(&c, table->name);
    copy_columns(&c, table);
    copy_dropped(&c, table);
    copy_indexes(&c, table);
    copy_options(&c, &table->options);
    copy_view(&c, table);
    if (c.failed) {
        base__arena_free(&arena);
        return NULL;
    }
    table->arena = arena;
    return table;
}

void cql__table_unref(cql_table *table) {
    if (!table || atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) != 1) return;
    base_arena arena = table->arena;
    base__arena_free(&arena);
}

bool cql__table_draft(base_arena *arena, const cql_table *table, uint32_t more_columns,
                      cql_table *draft) {
    copy_body(draft, table, sizeof *draft);
    draft->columns = BASE_NEW_ARRAY(arena, cql_column, table->column_count + more_columns);
    draft->dropped =
        BASE_NEW_ARRAY(arena, cql_dropped_column, table->dropped_count + table->column_count);
    draft->indexes = BASE_NEW_ARRAY(arena, cql_index, table->index_count + 1);
    if (!draft->columns || !draft->dropped || !draft->indexes) return false;
    for (uint32_t i = 0; i < table->column_count; i++) draft->columns[i] = table->columns[i];
    for (uint32_t i = 0; i < table->dropped_count; i++) draft->dropped[i] = table->dropped[i];
    for (uint32_t i = 0; i < table->index_count; i++) draft->indexes[i] = table->indexes[i];
    return true;
}

/* ---- types ---- */

cql_udt *cql__udt_make(corm_str keyspace, corm_str name, const cql_type *type) {
    base_arena arena = { 0 };
    copier     c = { &arena, false };
    cql_udt   *udt = BASE_NEW(&arena, cql_udt);
    if (!udt) return NULL;
    atomic_init(&udt->refs, 1);
    udt->keyspace = copy_str(&c, keyspace);
    udt->name = copy_str(&c, name);
    udt->type = copy_type(&c, type);
    if (c.failed) {
        base__arena_free(&arena);
        return NULL;
    }
    udt->arena = arena;
    return udt;
}

void cql__udt_unref(cql_udt *udt) {
    if (!udt || atomic_fetch_sub_explicit(&udt->refs, 1, memory_order_acq_rel) != 1) return;
    base_arena arena = udt->arena;
    base__arena_free(&arena);
}

/* ---- keyspaces ---- */

static int compare_tables(const void *left, const void *right) {
    return base__str_compare((*(cql_table *const *)left)->name, (*(cql_table *const *)right)->name);
}

static int compare_types(const void *left, const void *right) {
    return base__str_compare((*(cql_udt *const *)left)->name, (*(cql_udt *const *)right)->name);
}

static void take_references(cql_keyspace *keyspace) {
    for (uint32_t i = 0; i < keyspace->table_count; i++) {
        atomic_fetch_add_explicit(&keyspace->tables[i]->refs, 1, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < keyspace->type_count; i++) {
        atomic_fetch_add_explicit(&keyspace->types[i]->refs, 1, memory_order_relaxed);
    }
    if (keyspace->table_count > 1) {
        qsort(keyspace->tables, keyspace->table_count, sizeof(cql_table *), compare_tables);
    }
    if (keyspace->type_count > 1) {
        qsort(keyspace->types, keyspace->type_count, sizeof(cql_udt *), compare_types);
    }
}

cql_keyspace *cql__keyspace_make(const cql_keyspace *draft) {
    base_arena    arena = { 0 };
    copier        c = { &arena, false };
    cql_keyspace *keyspace = BASE_NEW(&arena, cql_keyspace);
    if (!keyspace) return NULL;
    copy_body(keyspace, draft, sizeof *keyspace);
    atomic_init(&keyspace->refs, 1);
    keyspace->name = copy_str(&c, keyspace->name);
    copy_map(&c, &keyspace->replication);
    keyspace->tables = copy_array(&c, keyspace->tables, keyspace->table_count, sizeof(cql_table *));
    keyspace->types = copy_array(&c, keyspace->types, keyspace->type_count, sizeof(cql_udt *));
    if (c.failed) {
        base__arena_free(&arena);
        return NULL;
    }
    take_references(keyspace);
    keyspace->arena = arena;
    return keyspace;
}

void cql__keyspace_unref(cql_keyspace *keyspace) {
    if (!keyspace || atomic_fetch_sub_explicit(&keyspace->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < keyspace->table_count; i++) cql__table_unref(keyspace->tables[i]);
    for (uint32_t i = 0; i < keyspace->type_count; i++) cql__udt_unref(keyspace->types[i]);
    base_arena arena = keyspace->arena;
    base__arena_free(&arena);
}

bool cql__keyspace_draft(base_arena *arena, const cql_keyspace *keyspace, cql_keyspace *draft) {
    copy_body(draft, keyspace, sizeof *draft);
    draft->tables = BASE_NEW_ARRAY(arena, cql_table *, keyspace->table_count + 1);
    draft->types = BASE_NEW_ARRAY(arena, cql_udt *, keyspace->type_count + 1);
    if (!draft->tables || !draft->types) return false;
    for (uint32_t i = 0; i < keyspace->table_count; i++) draft->tables[i] = keyspace->tables[i];
    for (uint32_t i = 0; i < keyspace->type_count; i++) draft->types[i] = keyspace->types[i];
    return true;
}

void cql__keyspace_release(const cql_keyspace *draft, const cql_keyspace *before) {
    for (uint32_t i = 0; i < draft->type_count; i++) {
        if (i >= before->type_count || draft->types[i] != before->types[i])
            cql__udt_unref(draft->types[i]);
    }
    for (uint32_t i = 0; i < draft->table_count; i++) {
        if (i >= before->table_count || draft->tables[i] != before->tables[i])
            cql__table_unref(draft->tables[i]);
    }
}

void cql__keyspace_put_table(cql_keyspace *draft, cql_table *table) {
    uint32_t at = 0;
    while (at < draft->table_count && !corm_str_equal(draft->tables[at]->name, table->name)) at++;
    draft->tables[at] = table;
    if (at == draft->table_count) draft->table_count++;
}

void cql__keyspace_put_type(cql_keyspace *draft, cql_udt *udt) {
    uint32_t at = 0;
    while (at < draft->type_count && !corm_str_equal(draft->types[at]->name, udt->name)) at++;
    draft->types[at] = udt;
    if (at == draft->type_count) draft->type_count++;
}

void cql__keyspace_remove_table(cql_keyspace *draft, corm_str name) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < draft->table_count; i++) {
        if (!corm_str_equal(draft->tables[i]->name, name)) draft->tables[kept++] = draft->tables[i];
    }
    draft->table_count = kept;
}

void cql__keyspace_remove_type(cql_keyspace *draft, corm_str name) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < draft->type_count; i++) {
        if (!corm_str_equal(draft->types[i]->name, name)) draft->types[kept++] = draft->types[i];
    }
    draft->type_count = kept;
}

/* ---- snapshots ---- */

static int compare_keyspaces(const void *left, const void *right) {
    return base__str_compare((*(cql_keyspace *const *)left)->name,
                             (*(cql_keyspace *const *)right)->name);
}

/* What hangs on a snapshot is its own, and may be set by another thread meanwhile. */
static void copy_snapshot(cql_schema *to, const cql_schema *from) {
    size_t end = offsetof(cql_schema, attached);
    memcpy((uint8_t *)to + sizeof(atomic_uint), (const uint8_t *)from + sizeof(atomic_uint),
           end - sizeof(atomic_uint));
}

cql_schema *cql__schema_make(const cql_schema *draft) {
    cql_schema    *schema = calloc(1, sizeof *schema);
    cql_keyspace **keyspaces = calloc((size_t)draft->keyspace_count + 1, sizeof(cql_keyspace *));
    if (!schema || !keyspaces) {
        free(schema);
        free(keyspaces);
        return NULL;
    }
    copy_snapshot(schema, draft);
    atomic_init(&schema->refs, 1);
    atomic_init(&schema->attached, NULL);
    schema->keyspaces = keyspaces;
    for (uint32_t i = 0; i < draft->keyspace_count; i++) {
        keyspaces[i] = draft->keyspaces[i];
        atomic_fetch_add_explicit(&keyspaces[i]->refs, 1, memory_order_relaxed);
    }
    qsort(keyspaces, schema->keyspace_count, sizeof(cql_keyspace *), compare_keyspaces);
    return schema;
}

bool cql__schema_draft(base_arena *arena, const cql_schema *schema, cql_schema *draft) {
    copy_snapshot(draft, schema);
    draft->keyspaces = BASE_NEW_ARRAY(arena, cql_keyspace *, schema->keyspace_count + 1);
    if (!draft->keyspaces) return false;
    for (uint32_t i = 0; i < schema->keyspace_count; i++)
        draft->keyspaces[i] = schema->keyspaces[i];
    return true;
}

void cql__schema_put_keyspace(cql_schema *draft, cql_keyspace *keyspace) {
    uint32_t at = 0;
    while (at < draft->keyspace_count &&
           !corm_str_equal(draft->keyspaces[at]->name, keyspace->name))
        at++;
    draft->keyspaces[at] = keyspace;
    if (at == draft->keyspace_count) draft->keyspace_count++;
}

void cql__schema_remove_keyspace(cql_schema *draft, corm_str name) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < draft->keyspace_count; i++) {
        if (!corm_str_equal(draft->keyspaces[i]->name, name))
            draft->keyspaces[kept++] = draft->keyspaces[i];
    }
    draft->keyspace_count = kept;
}

/* ---- types of types ---- */

/* Whether no more than *left nodes are in it, which are taken away. */
static bool fits(const cql_type *type, uint32_t depth, uint32_t *left) {
    if (depth == 0 || *left == 0) return false;
    *left -= 1;
    for (uint32_t i = 0; i < type->count; i++) {
        if (!fits(type->params[i], depth - 1, left)) return false;
    }
    return true;
}

bool cql__type_is_bounded(const cql_type *type) {
    enum { MOST_NODES = 100000, MOST_LEVELS = 100 };
    uint32_t left = MOST_NODES;
    return fits(type, MOST_LEVELS, &left);
}

/* ---- comparing ---- */

static bool strs_equal(const corm_str *a, const corm_str *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!corm_str_equal(a[i], b[i])) return false;
    }
    return true;
}

bool cql__map_option_equal(const cql_map_option *a, const cql_map_option *b) {
    return a->count == b->count && strs_equal(a->pairs, b->pairs, 2 * a->count);
}

bool cql__mask_equal(const cql_mask_def *a, const cql_mask_def *b) {
    if (a->present != b->present) return false;
    return !a->present || (corm_str_equal(a->function, b->function) && a->count == b->count &&
                           strs_equal(a->arguments, b->arguments, a->count));
}

corm_str cql__map_option_get(const cql_map_option *map, const char *name) {
    for (uint32_t i = 0; i < map->count; i++) {
        if (corm_str_equal(map->pairs[2 * i], corm_str_of(name))) return map->pairs[2 * i + 1];
    }
    return (corm_str){ NULL, 0 };
}
