// SPDX-License-Identifier: MIT
/* ddl.c -- changes of the schema and TRUNCATE, in a transaction of their own.
 *
 * What is dropped vanishes at once with the schema that named it; its rows are queued to be deleted bit by bit. */
#include "engine/auth.h"
#include "engine/core.h"
#include "engine/view.h"

static const char *const targets[] = {
    [CQL_CHANGED_KEYSPACE] = "KEYSPACE",
    [CQL_CHANGED_TABLE] = "TABLE",
    [CQL_CHANGED_TYPE] = "TYPE",
};

static corm_status build_index(engine_request *request, const cql_table *table,
                               const cql_index *index, corm_error *err) {
    vector_place at = { request->txn, table, index };
    if (cql__index_is_vector(index)) return engine__vector_build(request->store, &at, err);
    return engine__index_build(request->txn, table, index, request->arena, err);
}

/* Storage that the schema before did not give out is new, and empty. */
static corm_status fill_views(engine_request *request, const cql_schema *next,
                              const cql_table *base, corm_error *err) {
    const cql_keyspace *keyspace = cql__schema_keyspace(next, base->keyspace);
    for (const cql_table *view = NULL; (view = cql__next_view(keyspace, base, view));)
        if (view->storage_id >= request->schema->next_storage_id)
            CORM_TRY(engine__view_build(request->txn, base, view, err));
    return CORM_OK;
}

static corm_status store_change(engine_request *request, const cql_schema *next,
                                const cql_schema_change *change, corm_error *err) {
    for (uint32_t i = 0; i < change->dropped_count; i++) {
        CORM_TRY(engine__queue_storage(request->txn, change->dropped_storage[i], err));
    }
    if (change->built_index && change->built_index->storage_id != 0)
        CORM_TRY(build_index(request, change->built_table, change->built_index, err));
    if (change->filled_views) CORM_TRY(fill_views(request, next, change->filled_views, err));
    CORM_TRY(engine__feed_schema(request, next, change, err));
    return engine__meta_put_schema(request->txn, next, err);
}

static void answer_change(const cql_schema_change *change, base_buf *body) {
    if (change->target == CQL_CHANGED_NOTHING) {
        wire__put_void(body);
    } else {
        wire__put_schema_change(body, change->verb, targets[change->target], change->keyspace,
                                change->name);
    }
}

corm_status engine__ddl(engine_request *request, cql_schema **next, corm_error *err) {
    /* The round's schema is borrowed as const; a reference is all that apply takes of it. */
    cql_schema       *schema = (cql_schema *)(uintptr_t)request->schema;
    cql_schema       *changed;
    cql_schema_change change = { 0 };
    bool              done = false;
    if (request->checked->kind == CQL_STMT_TRUNCATE)
        CORM_TRY(engine__virtual_truncate(request, &done, err));
    if (done) return CORM_OK;
    CORM_TRY(cql__schema_apply_guarded(request->guard, schema, request->checked->statement,
                                       request->keyspace, request->now_us, request->arena, &changed,
                                       &change, err));
    corm_status status = CORM_OK;
    if (changed != schema) status = store_change(request, changed, &change, err);
    if (status == CORM_OK) status = engine__auth_follow(request, request->client, &change, err);
    if (status != CORM_OK) {
        cql__schema_unref(changed);
        return status;
    }
    answer_change(&change, &request->answer->body);
    for (uint32_t i = 0; i < change.warning_count; i++)
        wire__add_warning(request->answer, change.warnings[i]);
    *next = changed;
    return CORM_OK;
}
