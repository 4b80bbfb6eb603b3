// SPDX-License-Identifier: MIT
/* engine.c -- a store's life: opening, closing, and what is asked of it as a whole. */
#include <stdlib.h>

#include "base/clock.h"
#include "engine/auth.h"
#include "engine/core.h"

/* The system keyspaces are the same for all stores of a process, which share them; the last to close frees them. */
static pthread_mutex_t system_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two below */
static cql_schema     *system_schema;
static uint32_t        system_users;

static corm_status take_system(engine *store, corm_error *err) {
    corm_status status = CORM_OK;
    pthread_mutex_lock(&system_lock);
    if (!system_schema) status = engine__system_schema(&system_schema, err);
    if (status == CORM_OK) {
        store->system = cql__schema_ref(system_schema);
        system_users++;
    }
    pthread_mutex_unlock(&system_lock);
    return status;
}

static void give_system_back(engine *store) {
    if (!store->system) return;
    cql__schema_unref(store->system);
    pthread_mutex_lock(&system_lock);
    if (--system_users == 0) {
        cql__schema_unref(system_schema);
        system_schema = NULL;
    }
    pthread_mutex_unlock(&system_lock);
}

static void free_schema(void *schema) {
    cql__schema_unref(schema);
}

static void destroy(engine *store) {
    engine__vectors_free(&store->vectors);
    kv__close(store->kv);
    cql__schema_unref(store->schema);
    give_system_back(store);
    engine__passwords_free(store);
    engine__metrics_free(store);
    running__free(store->running);
    engine__prepared_end(store);
    pthread_mutex_destroy(&store->schema_lock);
    pthread_mutex_destroy(&store->visitors_lock);
    free(store);
}

/* The machine stopped while somebody wrote to the store without waiting for the disk. */
static corm_status check_suspect(engine *store, corm_error *err) {
    corm_error  inner = { 0 };
    corm_status status = engine__verify(store, &inner);
    if (status == CORM_OK) return kv__trust(store->kv, err);
    return base__fail(err, status, "the store lost writes when the machine stopped: %s",
                      inner.message);
}

static corm_status read_guards(engine *store, const char *text, corm_error *err) {
    cql_guard usual;
    cql__guard_init(&usual);
    store->guard = usual;
    if (text) CORM_TRY(cql__guard_read(&store->guard, corm_str_of(text), err));
    for (int i = 0; i < CQL_GUARD_NAMES; i++)
        if (i < CQL_GUARD_TOMBSTONES_WARN || i > CQL_GUARD_UNLOGGED_WARN)
            store->has_guards |= store->guard.values[i] != usual.values[i];
    return CORM_OK;
}

static corm_status open_parts(engine *store, const engine_options *options, corm_error *err) {
    kv_options how = {
        .path = options->path,
        .relaxed = options->durability == ENGINE_RELAXED,
        .read_only = options->read_only,
        .must_exist = options->must_exist,
        .map_bytes = options->map_bytes,
        .max_readers = options->max_readers,
        .cache_free = free_schema,
    };
    CORM_TRY(engine__passwords_new(store, err));
    CORM_TRY(engine__metrics_new(store, err));
    CORM_TRY(running__new(&store->running, err));
    CORM_TRY(engine__prepared_init(store, err));
    CORM_TRY(take_system(store, err));
    CORM_TRY(kv__open(&how, &store->kv, err));
    CORM_TRY(engine__meta_open(store, err));
    return kv__is_suspect(store->kv) ? check_suspect(store, err) : CORM_OK;
}

corm_status engine__open(const engine_options *options, engine **out, corm_error *err) {
    *out = NULL;
    engine *store = calloc(1, sizeof *store);
    if (!store) return base__fail_memory(err);
    pthread_mutex_init(&store->schema_lock, NULL);
    pthread_mutex_init(&store->visitors_lock, NULL);
    engine__vectors_init(&store->vectors);
    store->now_us = options->now_us ? options->now_us : base__clock_us;
    store->read_only = options->read_only;
    store->password_cost = PASSWORD_USUAL_COST;
    atomic_store(&store->clock, INT64_MIN);
    store->clock_stored = store->clock_pending = INT64_MIN;
    corm_status status = read_guards(store, options->guard_rails, err);
    if (status == CORM_OK) status = open_parts(store, options, err);
    if (status == CORM_OK)
        status =
            engine__queue_init(store, options->path && options->durability == ENGINE_DURABLE, err);
    if (status == CORM_OK) {
        *out = store;
    } else {
        destroy(store);
    }
    return status;
}

void engine__close(engine *store) {
    /* A child cannot wait for threads of its parent. */
    if (!store || kv__check_process(store->kv, NULL) != CORM_OK) return;
    engine__queue_close(store);
    destroy(store);
}

corm_status engine__sync(engine *store, corm_error *err) {
    return kv__sync(store->kv, err);
}

void engine__stats(engine *store, engine_stats *out) {
    kv_stats kv;
    kv__stats(store->kv, &kv);
    *out = (engine_stats){
        .reads = kv.reads,
        .writes = atomic_load(&store->writes),
        .commits = atomic_load(&store->commits),
        .reclaimed = atomic_load(&store->reclaimed),
        .used_bytes = kv.used_bytes,
        .map_bytes = kv.map_bytes,
    };
}
