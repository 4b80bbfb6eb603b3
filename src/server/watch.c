// SPDX-License-Identifier: MIT
/* watch.c -- changes of the schema that came another way than through this server: by the session, or by another process on
 * the same folder. At each tick the schema is held against the one that was seen last; what differs is told as events.
 *
 * Changes that came through the server are told at once by call.c and counted, so that they are not looked for. One that
 * is told twice does no harm: clients read the object anew. The first loop's thread. */
#include "server/core.h"

typedef struct watcher {
    corm_server *server;
    bool         all_told;
} watcher;

/* ---- telling ---- */

static void tell(watcher *watch, const char *change, const char *target, corm_str keyspace,
                 corm_str name) {
    wire_event event = { .kind = WIRE_SCHEMA_CHANGE_EVENT,
                         .change = corm_str_of(change),
                         .target = corm_str_of(target),
                         .keyspace = keyspace,
                         .name = name };
    watch->all_told &= server__event(watch->server->loops[0], &event);
}

/* ---- comparing ---- */

static bool same_pairs(const cql_map_option *a, const cql_map_option *b) {
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < 2 * a->count; i++) {
        if (!corm_str_equal(a->pairs[i], b->pairs[i])) return false;
    }
    return true;
}

static bool same_columns(const cql_table *a, const cql_table *b) {
    if (a->column_count != b->column_count) return false;
    for (uint32_t i = 0; i < a->column_count; i++) {
        if (!corm_str_equal(a->columns[i].name, b->columns[i].name) ||
            !cql__type_equal(a->columns[i].type, b->columns[i].type))
            return false;
    }
    return true;
}

static bool same_options(const cql_table_options *a, const cql_table_options *b) {
    return corm_str_equal(a->comment, b->comment) && same_pairs(&a->caching, &b->caching) &&
           same_pairs(&a->compaction, &b->compaction) &&
           same_pairs(&a->compression, &b->compression) &&
           a->default_time_to_live == b->default_time_to_live &&
           a->gc_grace_seconds == b->gc_grace_seconds && a->cdc == b->cdc;
}

/* Snapshots share what a statement of this process left alone; another process's come with everything anew. */
static bool same_table(const cql_table *a, const cql_table *b) {
    return a == b || (corm_uuid_equal(a->id, b->id) && a->next_column_id == b->next_column_id &&
                      a->dropped_count == b->dropped_count && a->index_count == b->index_count &&
                      same_columns(a, b) && same_options(&a->options, &b->options));
}

static bool same_type(const cql_udt *a, const cql_udt *b) {
    return a == b || cql__type_equal(a->type, b->type);
}

static bool same_keyspace(const cql_keyspace *a, const cql_keyspace *b) {
    return a->durable_writes == b->durable_writes && same_pairs(&a->replication, &b->replication);
}

/* ---- differences ---- */

static void compare_types(watcher *watch, const cql_schema *from, const cql_keyspace *keyspace,
                          bool is_gone) {
    for (uint32_t i = 0; i < keyspace->type_count; i++) {
        const cql_udt *now = keyspace->types[i];
        const cql_udt *other = cql__schema_type(from, keyspace->name, now->name);
        if (!other)
            tell(watch, is_gone ? "DROPPED" : "CREATED", "TYPE", keyspace->name, now->name);
        else if (!is_gone && !same_type(other, now))
            tell(watch, "UPDATED", "TYPE", keyspace->name, now->name);
    }
}

static void compare_tables(watcher *watch, const cql_schema *from, const cql_keyspace *keyspace,
                           bool is_gone) {
    for (uint32_t i = 0; i < keyspace->table_count; i++) {
        const cql_table *now = keyspace->tables[i];
        const cql_table *other = cql__schema_table(from, keyspace->name, now->name);
        if (!other)
            tell(watch, is_gone ? "DROPPED" : "CREATED", "TABLE", keyspace->name, now->name);
        else if (!is_gone && !same_table(other, now))
            tell(watch, "UPDATED", "TABLE", keyspace->name, now->name);
    }
}

/* What `with` has and `from` has not, or has otherwise; is_gone: `with` is the older one. */
static void compare(watcher *watch, const cql_schema *from, const cql_schema *with, bool is_gone) {
    for (uint32_t i = 0; i < with->keyspace_count; i++) {
        const cql_keyspace *keyspace = with->keyspaces[i];
        const cql_keyspace *other = cql__schema_keyspace(from, keyspace->name);
        if (other == keyspace) continue;
        if (!other)
            tell(watch, is_gone ? "DROPPED" : "CREATED", "KEYSPACE", keyspace->name,
                 (corm_str){ NULL, 0 });
        else if (!is_gone && !same_keyspace(other, keyspace))
            tell(watch, "UPDATED", "KEYSPACE", keyspace->name, (corm_str){ NULL, 0 });
        if (is_gone && !other) continue; /* its tables went with it */
        compare_types(watch, from, keyspace, is_gone);
        compare_tables(watch, from, keyspace, is_gone);
    }
}

/* ---- the watch ---- */

/* What could not be told is told at the next tick. */
void server__watch(corm_server *server) {
    watcher     watch = { server, true };
    cql_schema *now = engine__schema(server->store);
    if (!now) return;
    uint32_t own = atomic_load(&server->own_changes);
    if (server->schema && now->serial != server->schema->serial + own) {
        compare(&watch, now, server->schema, true);
        compare(&watch, server->schema, now, false);
    }
    if (!watch.all_told) {
        cql__schema_unref(now);
        return;
    }
    cql__schema_unref(server->schema);
    server->schema = now;
    atomic_fetch_sub(&server->own_changes, own);
}
