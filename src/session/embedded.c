// SPDX-License-Identifier: MIT
/* embedded.c -- the door to the embedded store.
 *
 * Owns the store. Reads run on the calling thread; writes of submit() end on the store's writer
 * thread. What a submitted request needs is used again by later ones. */
#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "engine/engine.h"
#include "session/door.h"

typedef struct embedded_call embedded_call;

typedef struct embedded_door {
    session_door    door; /* first */
    engine         *store;
    pthread_mutex_t lock;
    embedded_call  *spare; /* guarded by lock */
} embedded_door;

/* What a submitted request needs until its callback. */
struct embedded_call {
    embedded_call        *next;
    embedded_door        *door;
    engine_client         client;
    session_door_callback callback;
    void                 *context;
};

static embedded_call *new_call(embedded_door *door) {
    pthread_mutex_lock(&door->lock);
    embedded_call *call = door->spare;
    if (call) door->spare = call->next;
    pthread_mutex_unlock(&door->lock);
    return call ? call : malloc(sizeof *call);
}

static void keep_call(embedded_call *call) {
    embedded_door *door = call->door;
    pthread_mutex_lock(&door->lock);
    call->next = door->spare;
    door->spare = call;
    pthread_mutex_unlock(&door->lock);
}

static void free_door(embedded_door *door) {
    while (door->spare) {
        embedded_call *call = door->spare;
        door->spare = call->next;
        free(call);
    }
    pthread_mutex_destroy(&door->lock);
    free(door);
}

static engine *store_of(session_door *door) {
    return ((embedded_door *)door)->store;
}

static corm_status set_client(engine_client *client, corm_str keyspace, corm_error *err) {
    if (keyspace.len >= sizeof client->keyspace) {
        return base__fail(err, CORM_INVALID, "Keyspace '%.*s' does not exist", (int)keyspace.len,
                          keyspace.data);
    }
    if (keyspace.len > 0) memcpy(client->keyspace, keyspace.data, keyspace.len);
    client->keyspace[keyspace.len] = '\0';
    client->address.length = client->peer.length = 0;
    client->role = (corm_str){ 0 };
    return CORM_OK;
}

static corm_status execute(session_door *door, corm_str keyspace, const wire_request *request,
                           wire_answer *answer, corm_error *err) {
    engine_client client;
    CORM_TRY(set_client(&client, keyspace, err));
    return engine__execute(store_of(door), &client, request, answer, err);
}

static void call_back(void *context, corm_status status, wire_answer *answer,
                      const corm_error *err) {
    (void)answer;
    embedded_call        *call = context;
    session_door_callback callback = call->callback;
    void                 *own = call->context;
    keep_call(call);
    callback(own, status, err);
}

static void submit(session_door *door, corm_str keyspace, const wire_request *request,
                   wire_answer *answer, session_door_callback callback, void *context) {
    corm_error     err = { 0 };
    embedded_call *call = new_call((embedded_door *)door);
    if (!call) {
        callback(context, base__fail_memory(&err), &err);
        return;
    }
    call->door = (embedded_door *)door;
    call->callback = callback;
    call->context = context;
    corm_status status = set_client(&call->client, keyspace, &err);
    if (status != CORM_OK) {
        call_back(call, status, answer, &err);
        return;
    }
    engine__submit(store_of(door), &call->client, request, answer, call_back, call);
}

static cql_schema *schema(session_door *door) {
    return engine__schema(store_of(door));
}

static void close_door(session_door *door) {
    engine__close(store_of(door));
    free_door((embedded_door *)door);
}

static const session_door_ops ops = {
    .execute = execute,
    .submit = submit,
    .prepared_ref = engine__prepared_ref,
    .prepared_unref = engine__prepared_unref,
    .schema = schema,
    .close = close_door,
    .store = store_of,
};

corm_status session__open_embedded(const char *path, const corm_session_options *options,
                                   session_door **out, corm_error *err) {
    embedded_door *door = calloc(1, sizeof *door);
    if (!door) return base__fail_memory(err);
    door->door.ops = &ops;
    pthread_mutex_init(&door->lock, NULL);
    engine_options how = {
        .path = path,
        .durability = options->relaxed_durability ? ENGINE_RELAXED : ENGINE_DURABLE,
        .read_only = options->read_only,
        .must_exist = options->must_exist,
        .guard_rails = options->guard_rails,
    };
    corm_status status = engine__open(&how, &door->store, err);
    if (status != CORM_OK) {
        free_door(door);
        return status;
    }
    *out = &door->door;
    return CORM_OK;
}
