// SPDX-License-Identifier: MIT
/* schema.c -- snapshots: references and lookups. Any thread: a snapshot never changes, its
 * references are counted atomically. */
#include "cql/schema.h"

#include <stdlib.h>

#include "base/text.h"
#include "cql/schema_build.h"

cql_schema *cql__schema_new(void) {
    cql_schema draft = { .next_storage_id = 1, .version = corm_uuid_random() };
    return cql__schema_make(&draft);
}

cql_schema *cql__schema_ref(cql_schema *schema) {
    atomic_fetch_add_explicit(&schema->refs, 1, memory_order_relaxed);
    return schema;
}

void cql__schema_unref(cql_schema *schema) {
    if (!schema || atomic_fetch_sub_explicit(&schema->refs, 1, memory_order_acq_rel) != 1) return;
    cql_attached *attached = atomic_load_explicit(&schema->attached, memory_order_relaxed);
    if (attached) attached->free(attached);
    for (uint32_t i = 0; i < schema->keyspace_count; i++) cql__keyspace_unref(schema->keyspaces[i]);
    free(schema->keyspaces);
    free(schema);
}

const cql_keyspace *cql__schema_keyspace(const cql_schema *schema, corm_str keyspace) {
    uint32_t low = 0;
    uint32_t high = schema->keyspace_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      order = base__str_compare(keyspace, schema->keyspaces[middle]->name);
        if (order == 0) return schema->keyspaces[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const cql_table *cql__schema_table(const cql_schema *schema, corm_str keyspace, corm_str table) {
    const cql_keyspace *in = cql__schema_keyspace(schema, keyspace);
    uint32_t            low = 0;
    uint32_t            high = in ? in->table_count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      order = base__str_compare(table, in->tables[middle]->name);
        if (order == 0) return in->tables[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const cql_udt *cql__schema_type(const cql_schema *schema, corm_str keyspace, corm_str name) {
    const cql_keyspace *in = cql__schema_keyspace(schema, keyspace);
    for (uint32_t i = 0; in && i < in->type_count; i++) {
        if (corm_str_equal(in->types[i]->name, name)) return in->types[i];
    }
    return NULL;
}

const cql_index *cql__schema_index(const cql_schema *schema, corm_str keyspace, corm_str index,
                                   const cql_table **table) {
    const cql_keyspace *in = cql__schema_keyspace(schema, keyspace);
    for (uint32_t t = 0; in && t < in->table_count; t++) {
        for (uint32_t i = 0; i < in->tables[t]->index_count; i++) {
            if (!corm_str_equal(in->tables[t]->indexes[i].name, index)) continue;
            if (table) *table = in->tables[t];
            return &in->tables[t]->indexes[i];
        }
    }
    return NULL;
}

const cql_column *cql__table_column(const cql_table *table, corm_str name) {
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (corm_str_equal(table->columns[i].name, name)) return &table->columns[i];
    }
    return NULL;
}

const cql_column *cql__table_column_with_id(const cql_table *table, uint32_t id) {
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].id == id) return &table->columns[i];
    }
    return NULL;
}

const cql_table *cql__next_view(const cql_keyspace *keyspace, const cql_table *base,
                                const cql_table *view) {
    bool behind = view == NULL;
    for (uint32_t i = 0; i < keyspace->table_count; i++) {
        const cql_table *table = keyspace->tables[i];
        if (behind && table->view && corm_str_equal(table->view->base, base->name)) return table;
        behind = behind || table == view;
    }
    return NULL;
}

bool cql__is_word(corm_str name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '_')
            return false;
    }
    return name.len > 0;
}

static bool is_among(const char *const *names, size_t count, corm_str name) {
    for (size_t i = 0; i < count; i++) {
        if (base__str_equal_nocase(name, corm_str_of(names[i]))) return true;
    }
    return false;
}

bool cql__is_virtual_system(corm_str keyspace) {
    static const char *const names[] = { "system_views", "system_virtual_schema" };
    return is_among(names, sizeof names / sizeof *names, keyspace);
}

bool cql__is_local_system(corm_str keyspace) {
    static const char *const names[] = { "system", "system_schema" };
    return is_among(names, sizeof names / sizeof *names, keyspace) ||
           cql__is_virtual_system(keyspace);
}

bool cql__is_replicated_system(corm_str keyspace) {
    static const char *const names[] = { "system_auth", "system_distributed", "system_traces" };
    return is_among(names, sizeof names / sizeof *names, keyspace);
}
