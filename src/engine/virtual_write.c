// SPDX-License-Identifier: MIT
/* virtual_write.c -- INSERT, UPDATE, DELETE and TRUNCATE on the tables of virtual keyspaces. The server takes them for keys of its
 * caches of roles, which are forgotten, and for its log; of what there is none here, there is nothing to be done. All else it refuses,
 * in these words. Thread: the commit leader's. */
#include "base/fail.h"
#include "engine/bounds.h"
#include "engine/core.h"

#define S(text) (int)(text).len, (text).data

static bool is_named(const cql_table *table, const char *name) {
    return corm_str_equal(table->name, corm_str_of(name));
}

static bool is_of_keys(const cql_table *table) {
    static const char *const names[] = { "credentials_cache_keys", "jmx_permissions_cache_keys",
                                         "network_permissions_cache_keys", "permissions_cache_keys",
                                         "roles_cache_keys" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_named(table, names[i])) return true;
    return false;
}

static corm_status refuse(const cql_table *table, const char *what, corm_error *err) {
    return base__fail(err, CORM_INVALID, "%s is not supported by table %.*s.%.*s", what,
                      S(table->keyspace), S(table->name));
}

/* ---- deletions ---- */

static corm_status forget(engine_request *request, const cql_checked_modify *modify,
                          cql_eval_env *env, corm_error *err) {
    engine_partition *partitions;
    uint32_t          count;
    CORM_TRY(engine__partitions(modify->table, &modify->where, env, &partitions, &count, err));
    for (uint32_t i = 0; is_named(modify->table, "credentials_cache_keys") && i < count; i++)
        engine__passwords_forget(request->store, (corm_str){ (const char *)partitions[i].key.data,
                                                             partitions[i].key.len });
    return CORM_OK;
}

static corm_status delete_rows(engine_request *request, const cql_checked_modify *modify,
                               cql_eval_env *env, corm_error *err) {
    const cql_table *table = modify->table;
    const cql_where *where = &modify->where;
    uint32_t         given = 0;
    bool             equal = true;
    if (is_of_keys(table)) return forget(request, modify, env, err);
    for (uint32_t i = 0; i < where->clustering_count; i++) {
        given += where->clustering[i].count;
        equal = equal && where->clustering[i].kind != CQL_RESTRICT_SLICE;
    }
    if (given == 0) return refuse(table, "Partition deletion", err);
    return refuse(
        table, equal && given == table->clustering_count ? "Row deletion" : "Range deletion", err);
}

/* ---- columns ---- */

static corm_status is_null(const cql_assign *assign, cql_eval_env *env, bool *out,
                           corm_error *err) {
    cql_value value = CQL_NULL;
    if (assign->value) CORM_TRY(cql__eval(assign->value, env, &value, err));
    *out = value.len == -1;
    return CORM_OK;
}

static corm_status change_columns(const cql_checked_modify *modify, cql_eval_env *env,
                                  corm_error *err) {
    cql_checked_modify expanded;
    bool               removes = modify->kind == CQL_MODIFY_DELETE;
    if (modify->json) {
        CORM_TRY(cql__json_insert(modify, env, &expanded, err));
        modify = &expanded;
    }
    if (!removes && modify->assign_count > 0)
        CORM_TRY(is_null(&modify->assigns[0], env, &removes, err));
    return refuse(modify->table, removes ? "Column deletion" : "Column modification", err);
}

corm_status engine__virtual_modify(engine_request *request, const cql_checked_modify *modify,
                                   cql_eval_env *env, corm_error *err) {
    const cql_table *table = modify->table;
    if (!is_of_keys(table) && !is_named(table, "system_logs"))
        return refuse(table, "Modification", err);
    return modify->deletes_rows ? delete_rows(request, modify, env, err)
                                : change_columns(modify, env, err);
}

/* ---- TRUNCATE ---- */

corm_status engine__virtual_truncate(engine_request *request, bool *done, corm_error *err) {
    const cql_ref   *ref = &request->checked->statement->as.drop.name;
    corm_str         keyspace = ref->keyspace.text.data ? ref->keyspace.text : request->keyspace;
    const cql_table *table = cql__schema_table(request->schema, keyspace, ref->name.text);
    *done = table && corm_str_equal(keyspace, corm_str_of("system_views")) &&
            (is_of_keys(table) || is_named(table, "system_logs"));
    if (!*done) return CORM_OK;
    if (is_named(table, "credentials_cache_keys"))
        engine__passwords_forget(request->store, (corm_str){ NULL, 0 });
    wire__put_void(&request->answer->body);
    return base__buf_status(&request->answer->body, err);
}
