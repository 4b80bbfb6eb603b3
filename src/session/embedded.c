// SPDX-License-Identifier: MIT
/* embedded.c -- the door to the embedded store.
 *
 * Owns the store. Reads run on the calling thread; writes of submit() end on the store's writer
 * thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "engine/engine.h"
#include "session/door.h"

typedef struct embedded_door {
    session_door door; /* first */
    engine      *store;
} embedded_door;

/* What a submitted request needs until its callback. */
typedef struct embedded_call {
    engine_client         client;
    session_door_callback callback;
    void                 *context;
} embedded_call;

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
    embedded_call call = *(embedded_call *)context;
    free(context);
    call.callback(call.context, status, err);
}

static void submit(session_door *door, corm_str keyspace, const wire_request *request,
                   wire_answer *answer, session_door_callback callback, void *context) {
    corm_error     err = { 0 };
    embedded_call *call = malloc(sizeof *call);
    if (!call) {
        callback(context, base__fail_memory(&err), &err);
        return;
    }
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
    free(door);
}

static const session_door_ops ops = {
    .execute = execute,
    .submit = submit,
    .prepared_ref = engine__prepared_ref,
    .prepared_unref = engine__prepared_unref,
    .schema = schema,
    .close = close_door,
};

corm_status session__open_embedded(const char *path, const corm_session_options *options,
                                   session_door **out, corm_error *err) {
    embedded_door *door = calloc(1, sizeof *door);
    if (!door) return base__fail_memory(err);
    door->door.ops = &ops;
    engine_options how = {
        .path = path,
        .durability = options->relaxed_durability ? ENGINE_RELAXED : ENGINE_DURABLE,
        .read_only = options->read_only,
        .must_exist = options->must_exist,
    };
    corm_status status = engine__open(&how, &door->store, err);
    if (status != CORM_OK) {
        free(door);
        return status;
    }
    *out = &door->door;
    return CORM_OK;
}
