// SPDX-License-Identifier: MIT
/* statement.c -- checked statements that are shared and outlive changes of the schema. Any thread. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "engine/core.h"

static corm_status hash_columns(const cql_checked *checked, uint8_t id[16], corm_error *err) {
    base_buf text = { 0 };
    uint32_t count = checked->select ? checked->select->column_count : 0;
    for (uint32_t i = 0; i < count; i++) {
        const cql_result_column *column = &checked->select->columns[i];
        const corm_str           parts[] = { column->keyspace, column->table, column->name };
        for (size_t part = 0; part < 3; part++) {
            base__buf_u32(&text, (uint32_t)parts[part].len);
            base__buf_put_str(&text, parts[part]);
        }
        cql__type_write_option(column->type, WIRE_VERSION, &text);
    }
    uint8_t     digest[EVP_MAX_MD_SIZE];
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK &&
        EVP_Digest(text.data, text.len, digest, NULL, EVP_sha256(), NULL) != 1) {
        status = base__fail_memory(err);
    }
    if (status == CORM_OK) memcpy(id, digest, 16);
    base__buf_free(&text);
    return status;
}

static corm_status wrap(cql_checked *checked, engine_version **out, corm_error *err) {
    engine_version *version = calloc(1, sizeof *version);
    if (!version) {
        cql__checked_free(checked);
        return base__fail_memory(err);
    }
    atomic_store(&version->refs, 1);
    atomic_store(&version->serial, checked->schema->serial);
    version->checked = checked;
    *out = version;
    return CORM_OK;
}

corm_status engine__version_new(corm_str text, cql_schema *schema, corm_str keyspace,
                                engine_version **out, corm_error *err) {
    cql_checked *checked;
    *out = NULL;
    CORM_TRY(cql__check_text(text, schema, keyspace, &checked, err));
    return wrap(checked, out, err);
}

corm_status engine__version_identify(engine_version *version, corm_error *err) {
    return hash_columns(version->checked, version->metadata_id, err);
}

engine_version *engine__version_ref(engine_version *version) {
    atomic_fetch_add_explicit(&version->refs, 1, memory_order_relaxed);
    return version;
}

void engine__version_unref(engine_version *version) {
    if (!version || atomic_fetch_sub(&version->refs, 1) != 1) return;
    cql__checked_free(version->checked);
    free(version);
}

/* ---- whether it still holds ---- */

static bool same_types(const cql_keyspace *a, const cql_keyspace *b) {
    if (a == b) return true;
    if (!a || !b || a->type_count != b->type_count) return false;
    return a->type_count == 0 || memcmp(a->types, b->types, a->type_count * sizeof(void *)) == 0;
}

/* Snapshots share the objects that did not change between them. */
static bool same_table(const cql_table *table, const cql_schema *old, const cql_schema *new) {
    if (cql__schema_table(new, table->keyspace, table->name) != table) return false;
    return same_types(cql__schema_keyspace(old, table->keyspace),
                      cql__schema_keyspace(new, table->keyspace));
}

static bool same_tables(const cql_checked *checked, const cql_schema *schema) {
    if (checked->select) return same_table(checked->select->table, checked->schema, schema);
    if (checked->modify) return same_table(checked->modify->table, checked->schema, schema);
    if (!checked->batch) return true;
    for (uint32_t i = 0; i < checked->batch->count; i++) {
        if (!same_table(checked->batch->items[i]->table, checked->schema, schema)) return false;
    }
    return true;
}

bool engine__version_fits(engine_version *version, const cql_schema *schema) {
    if (atomic_load_explicit(&version->serial, memory_order_relaxed) == schema->serial) return true;
    if (!same_tables(version->checked, schema)) return false;
    atomic_store_explicit(&version->serial, schema->serial, memory_order_relaxed);
    return true;
}
