// SPDX-License-Identifier: MIT
/* virtual_clients.c -- system_views.clients: the connections of servers of this store, which tell of them. Threads: a server's; the
 * reader's. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "engine/core.h"
#include "engine/virtual.h"
#include "wire/message.h"

/* ---- the list ---- */

void engine__visitor_add(engine *store, engine_visitor *visitor) {
    pthread_mutex_lock(&store->visitors_lock);
    visitor->next = store->visitors;
    visitor->link = &store->visitors;
    if (visitor->next) visitor->next->link = &visitor->next;
    store->visitors = visitor;
    pthread_mutex_unlock(&store->visitors_lock);
}

void engine__visitor_uses(engine *store, engine_visitor *visitor, const char *keyspace) {
    pthread_mutex_lock(&store->visitors_lock);
    snprintf(visitor->keyspace, sizeof visitor->keyspace, "%s", keyspace);
    pthread_mutex_unlock(&store->visitors_lock);
}

void engine__visitor_remove(engine *store, engine_visitor *visitor) {
    pthread_mutex_lock(&store->visitors_lock);
    if (visitor->link) {
        *visitor->link = visitor->next;
        if (visitor->next) visitor->next->link = visitor->link;
        visitor->link = NULL;
    }
    pthread_mutex_unlock(&store->visitors_lock);
}

/* ---- a copy of it ---- */

/* Its texts are copied as well: what is listed may go. False: memory is exhausted. */
static bool copy_one(engine_visitor *visitor, base_arena *arena, engine_visitor *out) {
    *out = (engine_visitor){ .address = visitor->address,
                             .port = visitor->port,
                             .version = visitor->version,
                             .tls_cipher = visitor->tls_cipher,
                             .tls_version = visitor->tls_version };
    atomic_init(&out->requests, atomic_load(&visitor->requests));
    memcpy(out->keyspace, visitor->keyspace, sizeof out->keyspace);
    if (visitor->role.data) out->role = base__arena_str(arena, visitor->role);
    if (visitor->startup.data)
        out->startup =
            (corm_bytes){ base__arena_copy(arena, visitor->startup.data, visitor->startup.len),
                          visitor->startup.len };
    return !out->role.data == !visitor->role.data && !out->startup.data == !visitor->startup.data;
}

static corm_status copy_all(engine *store, base_arena *arena, engine_visitor **out, size_t *count,
                            corm_error *err) {
    size_t most = 0;
    bool   ok;
    *count = 0;
    pthread_mutex_lock(&store->visitors_lock);
    for (engine_visitor *each = store->visitors; each; each = each->next) most++;
    *out = BASE_NEW_ARRAY(arena, engine_visitor, most);
    ok = *out != NULL;
    for (engine_visitor *each = store->visitors; ok && each; each = each->next)
        ok = copy_one(each, arena, &(*out)[(*count)++]);
    pthread_mutex_unlock(&store->visitors_lock);
    return ok ? CORM_OK : base__fail_memory(err);
}

/* As the key orders them. */
static int by_address(const void *a, const void *b) {
    const engine_visitor *one = a, *other = b;
    if (one->address.length != other->address.length)
        return one->address.length < other->address.length ? -1 : 1;
    int order = memcmp(one->address.bytes, other->address.bytes, one->address.length);
    return order != 0 ? order : (one->port > other->port) - (one->port < other->port);
}

/* ---- rows ---- */

static corm_status set_options(virtual_row *row, const engine_visitor *visitor, corm_error *err) {
    base_arena *arena = row->request->arena;
    wire_pair  *pairs;
    uint32_t    count;
    if (!visitor->startup.data) return CORM_OK;
    CORM_TRY(wire__read_string_map(visitor->startup, arena, &pairs, &count, err));
    corm_str *texts = BASE_NEW_ARRAY(arena, corm_str, 2 * (size_t)count + 1);
    if (!texts) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        texts[2 * i] = pairs[i].name;
        texts[2 * i + 1] = pairs[i].value;
        if (base__str_equal_nocase(pairs[i].name, corm_str_of("DRIVER_NAME")))
            virtual__set_text(row, "driver_name", pairs[i].value);
        if (base__str_equal_nocase(pairs[i].name, corm_str_of("DRIVER_VERSION")))
            virtual__set_text(row, "driver_version", pairs[i].value);
    }
    virtual__set_pairs(row, "client_options", texts, count);
    return CORM_OK;
}

static corm_status client_row(virtual_row *row, engine_visitor *visitor, corm_error *err) {
    virtual__set_address(row, "address", &visitor->address);
    virtual__set_int(row, "port", visitor->port);
    virtual__set_text(row, "connection_stage", corm_str_of("ready"));
    virtual__set_int(row, "protocol_version", visitor->version);
    virtual__set_bigint(row, "request_count", (int64_t)atomic_load(&visitor->requests));
    virtual__set_bool(row, "ssl_enabled", visitor->tls_cipher != NULL);
    if (visitor->tls_cipher) {
        virtual__set_text(row, "ssl_cipher_suite", corm_str_of(visitor->tls_cipher));
        virtual__set_text(row, "ssl_protocol", corm_str_of(visitor->tls_version));
    }
    if (visitor->keyspace[0])
        virtual__set_text(row, "keyspace_name", corm_str_of(visitor->keyspace));
    virtual__set_text(row, "username",
                      visitor->role.data ? visitor->role : corm_str_of("anonymous"));
    CORM_TRY(set_options(row, visitor, err));
    return virtual__emit(row, err);
}

static corm_status clients(virtual_row *row, const cql_schema *schema, corm_error *err) {
    engine_visitor *all;
    size_t          count;
    (void)schema;
    CORM_TRY(copy_all(row->request->store, row->request->arena, &all, &count, err));
    qsort(all, count, sizeof *all, by_address);
    for (size_t i = 0; i < count; i++) CORM_TRY(client_row(row, &all[i], err));
    return CORM_OK;
}

const virtual_table virtual__client_tables[] = {
    { "system_views", "clients", clients },
    { NULL, NULL, NULL },
};
