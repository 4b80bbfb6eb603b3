// SPDX-License-Identifier: MIT
/* door.c -- the door of one tenant, in front of the shared session's: each request is changed by its plan on the way there, and its
 * answer on the way back.
 *
 *   request ─ state, limits ─ plan ─► text of the tenant, values with the tenant ─► behind ─► names, paging state ─► answer
 *
 * The tenant is the door's, for its whole life; nothing is shared between requests but plans. Any thread. */
#include <stdlib.h>

#include "base/clock.h"
#include "tenant/door.h"

/* A statement that was prepared. */
typedef struct prepared {
    tenant_plan      *plan; /* one reference */
    const tenant_one *one;
    bool              of_schema;
} prepared;

/* A request on its way: in the arena of its call. */
typedef struct tenant_request {
    tenant_plan       *plan; /* one reference; NULL: a batch */
    corm_tenant_limits limits;
    uint32_t           kinds;
    bool               entered, sent;
    bool
        is_right; /* the answer needs no change: it was not the store's, or was changed once for all */
} tenant_request;

static tenant_door *door_of(const session_front_call *call) {
    return (tenant_door *)call->front;
}

static tenant_view view_of(const tenant_door *door, const tenant_plan *plan) {
    return (tenant_view){ door->tenants, plan, corm_str_of(door->one->id),
                          corm_str_of(door->one->space) };
}

static cql_value tenant_value(const tenant_door *door) {
    return (cql_value){ (const uint8_t *)door->one->id, (int32_t)strlen(door->one->id) };
}

/* ---- statements ---- */

static void free_prepared(void *own) {
    prepared *p = own;
    tenant__plan_unref(p->plan);
    free(p);
}

/* The plan of a statement of this door; others come here by mistake or by force. */
static corm_status plan_of(const tenant_door *door, const wire_prepared *wire, tenant_plan **out,
                           corm_error *err) {
    const session_front_prepared *front = session__front_prepared(wire);
    const prepared               *own = front ? front->own : NULL;
    if (own && own->one == door->one && own->of_schema == door->of_schema) {
        *out = own->plan;
        return CORM_OK;
    }
    return base__fail(err, CORM_UNAUTHORIZED, "the statement was prepared by another tenant");
}

/* ---- values ---- */

static corm_status json_value(const tenant_door *door, const tenant_json *json,
                              const cql_value *given, base_arena *arena, cql_value *out,
                              corm_error *err) {
    corm_str text = json->text;
    base_buf buf = { 0 };
    if (json->marker >= 0) {
        cql_value value = given[json->marker];
        if (value.len < 0) {
            return base__fail(err, CORM_INVALID, "Got null for INSERT JSON values");
        }
        text = (corm_str){ (const char *)value.data, (size_t)value.len };
    }
    corm_status status =
        tenant__put_json(door->tenants->column, corm_str_of(door->one->id), text, &buf, err);
    if (status == CORM_OK) {
        out->data = base__arena_copy(arena, buf.data, buf.len);
        out->len = (int32_t)buf.len;
        if (!out->data) status = base__fail_memory(err);
    }
    base__buf_free(&buf);
    return status;
}

/* All values of the changed statement; *values is as it was when it has none but the user's. */
static corm_status set_values(const tenant_door *door, const tenant_plan *plan, base_arena *arena,
                              uint32_t *count, const cql_value **values, corm_error *err) {
    if (*count != plan->user_count) {
        return base__fail(err, CORM_INVALID,
                          "there were %u markers(?) in CQL but %u bound variables",
                          plan->user_count, *count);
    }
    if (plan->value_count == plan->user_count && plan->json_count == 0) return CORM_OK;
    cql_value *out = base__arena_alloc(arena, plan->value_count * sizeof *out);
    if (!out) return base__fail_memory(err);
    for (uint32_t i = 0; i < plan->value_count; i++) {
        int32_t value = plan->values[i];
        if (value >= 0) {
            out[i] = (*values)[value];
        } else if (value == CORM_TENANT_VALUE) {
            out[i] = tenant_value(door);
        } else {
            const tenant_json *json = &plan->json[CORM_TENANT_JSON - value];
            CORM_TRY(json_value(door, json, *values, arena, &out[i], err));
        }
    }
    *values = out;
    *count = plan->value_count;
    return CORM_OK;
}

static corm_status set_text(const tenant_door *door, const tenant_plan *plan, base_arena *arena,
                            corm_str *text, corm_error *err) {
    if (plan->piece_count == 1) {
        *text = base__arena_str(arena, plan->pieces[0]);
        return text->data ? CORM_OK : base__fail_memory(err);
    }
    corm_str space = corm_str_of(door->one->space);
    size_t   len = space.len * (plan->piece_count - 1);
    for (uint32_t i = 0; i < plan->piece_count; i++) len += plan->pieces[i].len;
    char *out = base__arena_alloc(arena, len + 1), *next = out;
    if (!out) return base__fail_memory(err);
    for (uint32_t i = 0; i < plan->piece_count; i++) {
        if (i > 0) next = (char *)memcpy(next, space.data, space.len) + space.len;
        if (plan->pieces[i].len > 0) memcpy(next, plan->pieces[i].data, plan->pieces[i].len);
        next += plan->pieces[i].len;
    }
    *next = '\0';
    *text = (corm_str){ out, len };
    return CORM_OK;
}

/* ---- what the store is not asked ---- */

static corm_status ask_schema(const tenant_schema *schema, corm_str keyspace,
                              const wire_request *request, wire_answer *answer, corm_error *err) {
    session_door *door = schema->store->door;
    return door->ops->execute(door, keyspace, request, answer, err);
}

/* A statement that is prepared here stays a text: the next time the schema may be another. */
static void drop_prepared(const tenant_schema *schema, wire_answer *answer) {
    if (answer->prepared) schema->store->door->ops->prepared_unref(answer->prepared);
    answer->prepared = NULL;
}

static corm_status execute_schema(const tenant_schema *schema, corm_str keyspace,
                                  const tenant_plan *plan, wire_request *request,
                                  wire_answer *answer, corm_error *err) {
    wire_request prepare = { .kind = WIRE_PREPARE, .text = plan->pieces[0] };
    wire_answer  made = { 0 };
    corm_status  status = ask_schema(schema, keyspace, &prepare, &made, err);
    request->prepared = made.prepared;
    if (status == CORM_OK) status = ask_schema(schema, keyspace, request, answer, err);
    drop_prepared(schema, &made);
    wire__answer_free(&made);
    return status;
}

static corm_status answer_schema(session_front_call *call, const tenant_plan *plan,
                                 corm_str keyspace, corm_error *err) {
    const tenant_door *door = door_of(call);
    tenant_schema     *schema;
    wire_request       request = call->request;
    CORM_TRY(tenant__schema_get(door->tenants, door->one, &schema, err));
    request.options.keyspace = (corm_str){ NULL, 0 };
    corm_status status = request.kind == WIRE_EXECUTE
                             ? execute_schema(schema, keyspace, plan, &request, call->answer, err)
                             : ask_schema(schema, keyspace, &request, call->answer, err);
    drop_prepared(schema, call->answer);
    tenant__schema_unref(schema);
    return status;
}

static void answer_nothing(const session_front_call *call, const tenant_plan *plan) {
    static const uint8_t id[] = { 0 };
    base_buf            *body = &call->answer->body;
    corm_bytes           bytes = { id, sizeof id };
    if (call->request.kind == WIRE_PREPARE) {
        wire__put_prepared(body, bytes, bytes, NULL, 0, NULL, 0, NULL, 0, WIRE_VERSION);
    } else if (plan->kind == CQL_STMT_USE) {
        wire__put_set_keyspace(body, door_of(call)->tenants->keyspace);
    } else {
        wire__put_void(body);
    }
}

/* ---- what all tenants have prepared together ---- */

static bool answer_shared(const session_front_call *call, const tenant_plan *plan) {
    const tenant_shared *shared = atomic_load_explicit(&plan->shared, memory_order_acquire);
    if (!shared || call->request.kind != WIRE_PREPARE) return false;
    base__buf_put(&call->answer->body, shared->body.data, shared->body.len);
    call->answer->version = shared->version;
    if (call->answer->body.failed) return false;
    call->answer->prepared = call->front->behind->door->ops->prepared_ref(shared->behind);
    return true;
}

static void share(const session_front_call *call, tenant_plan *plan) {
    const session_front_prepared *made = call->made;
    if (door_of(call)->tenants->strategy != CORM_TENANT_COLUMN || !made->behind) return;
    if (atomic_load(&plan->shared)) return;
    tenant_shared *shared = calloc(1, sizeof *shared), *none = NULL;
    if (!shared) return;
    base__buf_put(&shared->body, call->answer->body.data, call->answer->body.len);
    shared->version = call->answer->version;
    if (shared->body.failed) {
        base__buf_free(&shared->body);
        free(shared);
        return;
    }
    shared->behind = call->front->behind->door->ops->prepared_ref(made->behind);
    shared->unref = made->unref;
    if (atomic_compare_exchange_strong(&plan->shared, &none, shared)) return;
    shared->unref(shared->behind);
    base__buf_free(&shared->body);
    free(shared);
}

/* ---- the way there ---- */

static corm_str keyspace_of(const session_front_call *call) {
    const corm_str *given = &call->request.options.keyspace;
    return given->data ? *given : call->keyspace;
}

static corm_status find_plan(session_front_call *call, tenant_request *own, corm_error *err) {
    const tenant_door *door = door_of(call);
    if (call->request.kind == WIRE_EXECUTE) {
        CORM_TRY(plan_of(door, call->request.prepared, &own->plan, err));
        atomic_fetch_add_explicit(&own->plan->refs, 1, memory_order_relaxed);
        return CORM_OK;
    }
    return tenant__plan_get(door->tenants, door->of_schema, keyspace_of(call), call->request.text,
                            &own->plan, err);
}

/* Pages that the limits allow. */
static void limit_pages(session_front_call *call, const corm_tenant_limits *limits) {
    int32_t *rows = &call->request.options.page_size;
    int32_t  most = limits->page_rows > INT32_MAX ? INT32_MAX : (int32_t)limits->page_rows;
    if (most > 0 && (*rows <= 0 || *rows > most)) *rows = most;
}

static corm_status enter(session_front_call *call, tenant_request *own, uint32_t kinds,
                         corm_error *err) {
    const tenant_door *door = door_of(call);
    own->limits = tenant__limits(door->tenants, door->one);
    own->kinds = kinds;
    if (door->trusted || call->request.kind == WIRE_PREPARE) return CORM_OK;
    corm_status status = tenant__enter(door->one, &own->limits, kinds, err);
    if (status != CORM_OK) atomic_fetch_add(&door->one->over, 1);
    CORM_TRY(status);
    own->entered = true;
    limit_pages(call, &own->limits);
    return CORM_OK;
}

static void set_keyspace(session_front_call *call) {
    const tenant_door *door = door_of(call);
    bool               by_keyspace = door->tenants->strategy == CORM_TENANT_KEYSPACE;
    call->keyspace = by_keyspace ? corm_str_of(door->one->space) : door->tenants->keyspace;
    call->request.options.keyspace = (corm_str){ NULL, 0 };
}

static corm_status begin_one(session_front_call *call, tenant_request *own, bool *answered,
                             corm_error *err) {
    const tenant_door *door = door_of(call);
    wire_request      *request = &call->request;
    corm_str           keyspace = keyspace_of(call);
    CORM_TRY(find_plan(call, own, err));
    CORM_TRY(enter(call, own, own->plan->table_kinds, err));
    tenant_view view = view_of(door, own->plan);
    CORM_TRY(tenant__open_paging(&view, &request->options.paging_state, err));
    *answered = own->is_right = true;
    if (own->plan->route == TENANT_TO_SCHEMA) return answer_schema(call, own->plan, keyspace, err);
    if (own->plan->route == TENANT_TO_NOBODY) answer_nothing(call, own->plan);
    if (own->plan->route == TENANT_TO_NOBODY || answer_shared(call, own->plan)) return CORM_OK;
    *answered = own->is_right = false;
    set_keyspace(call);
    if (request->names) {
        return base__fail(err, CORM_UNSUPPORTED, "values by name go with prepared statements");
    }
    if (request->kind != WIRE_EXECUTE)
        CORM_TRY(set_text(door, own->plan, &call->arena, &request->text, err));
    if (request->kind == WIRE_PREPARE) return CORM_OK;
    bool strips = own->plan->is_conditional && door->tenants->strategy == CORM_TENANT_COLUMN;
    if (strips) request->options.skip_metadata = false;
    return set_values(door, own->plan, &call->arena, &request->value_count, &request->values, err);
}

static bool is_write(const tenant_plan *plan) {
    return plan->kind == CQL_STMT_INSERT || plan->kind == CQL_STMT_UPDATE ||
           plan->kind == CQL_STMT_DELETE;
}

/* `held`: a plan to be given back. */
static corm_status begin_item(session_front_call *call, wire_batch_item *item, corm_error *err) {
    const tenant_door *door = door_of(call);
    tenant_plan       *plan = NULL, *held = NULL;
    if (item->text.data) {
        CORM_TRY(tenant__plan_get(door->tenants, door->of_schema, keyspace_of(call), item->text,
                                  &held, err));
        plan = held;
    } else {
        CORM_TRY(plan_of(door, item->prepared, &plan, err));
    }
    corm_status status = CORM_OK;
    if (!is_write(plan)) {
        status = base__fail(
            err, CORM_INVALID,
            "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.");
    }
    if (status == CORM_OK && item->text.data)
        status = set_text(door, plan, &call->arena, &item->text, err);
    if (status == CORM_OK) {
        status = set_values(door, plan, &call->arena, &item->value_count, &item->values, err);
    }
    tenant__plan_unref(held);
    return status;
}

static corm_status begin_batch(session_front_call *call, tenant_request *own, corm_error *err) {
    wire_request *request = &call->request;
    CORM_TRY(enter(call, own, CORM_TENANT_WRITES, err));
    wire_batch_item *items = BASE_NEW_ARRAY(&call->arena, wire_batch_item, request->batch_count);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < request->batch_count; i++) {
        items[i] = request->batch[i];
        CORM_TRY(begin_item(call, &items[i], err));
    }
    request->batch = items;
    set_keyspace(call);
    return CORM_OK;
}

static corm_status begin(session_front_call *call, bool *answered, corm_error *err) {
    tenant_door    *door = door_of(call);
    tenant_request *own = BASE_NEW(&call->arena, tenant_request);
    if (!own) return base__fail_memory(err);
    call->own = own;
    if (!door->trusted) {
        CORM_TRY(tenant__check_state(door->tenants, door->one, false, !call->asynchronous, err));
    }
    corm_status status = call->request.kind == WIRE_BATCH ? begin_batch(call, own, err)
                                                          : begin_one(call, own, answered, err);
    own->sent = status == CORM_OK;
    return status;
}

/* ---- the way back ---- */

static corm_status finish_prepared(session_front_call *call, tenant_plan *plan, corm_error *err) {
    const tenant_door *door = door_of(call);
    prepared          *made = calloc(1, sizeof *made);
    if (!made) return base__fail_memory(err);
    *made = (prepared){ plan, door->one, door->of_schema };
    atomic_fetch_add(&plan->refs, 1);
    call->made->own = made;
    call->made->own_free = free_prepared;
    return CORM_OK;
}

static corm_status limit_answer(const session_front_call *call, const tenant_request *own,
                                corm_error *err) {
    uint64_t most = own->limits.page_bytes, has = call->answer->body.len;
    if (!own->entered || most == 0 || has <= most) return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "an answer of %llu bytes is over the limit page_bytes = %llu of tenant '%s': ask for smaller pages",
        (unsigned long long)has, (unsigned long long)most, door_of(call)->one->id);
}

static corm_status finish(session_front_call *call, tenant_request *own, corm_error *err) {
    const tenant_door *door = door_of(call);
    tenant_view        view = view_of(door, own->plan);
    if (!own->is_right) {
        CORM_TRY(tenant__answer(&view, call->answer, err));
        if (call->made) share(call, own->plan);
    }
    if (own->plan && own->plan->is_schema_change) tenant__schema_stale(door->tenants);
    if (call->made) return finish_prepared(call, own->plan, err);
    CORM_TRY(limit_answer(call, own, err));
    return tenant__bind_paging(&view, call->answer, err);
}

static void count(const session_front_call *call, const tenant_request *own, corm_status status) {
    tenant_one *one = door_of(call)->one;
    if (!own->sent) {
        atomic_fetch_add(&one->refused, 1);
        return;
    }
    atomic_fetch_add(&one->requests, 1);
    if (own->kinds & CORM_TENANT_WRITES) atomic_fetch_add(&one->writes, 1);
    if (status != CORM_OK) atomic_fetch_add(&one->failed, 1);
    atomic_fetch_add(&one->answer_bytes, call->answer->body.len);
}

static corm_status end(session_front_call *call, corm_status status, corm_error *err) {
    tenant_door    *door = door_of(call);
    tenant_request *own = call->own;
    tenant_view     view = view_of(door, NULL);
    if (!own) return status;
    if (status == CORM_OK) {
        status = finish(call, own, err);
    } else {
        tenant__error(&view, err);
    }
    count(call, own, status);
    if (own->entered) tenant__leave(door->one);
    tenant__plan_unref(own->plan);
    own->plan = NULL;
    return status;
}

static void close_door(session_front *front) {
    tenant_door *door = (tenant_door *)front;
    tenant__unref(door->tenants);
    free(door);
}

static const session_front_ops ops = { .begin = begin, .end = end, .close = close_door };

/* ---- opened ---- */

/* The same for each session of the tenant, so that a page token of one is good for the others. */
static bool page_key(const tenant_door *door, uint8_t out[SESSION_KEY_BYTES]) {
    const corm_session *behind = door->tenants->behind;
    return tenant__keyed_hash(behind->page_token_key, corm_str_of(door->one->id),
                              (corm_bytes){ NULL, 0 }, out);
}

/* There may be thousands: the name of the keyspace is the tenants', who live as long as the door. */
static corm_status open_session(tenant_door *door, const uint8_t *key, corm_session **out,
                                corm_error *err) {
    const corm_session  *behind = door->tenants->behind;
    corm_session_options options = {
        .worker_threads = behind->worker_threads,
        .page_size = (uint32_t)behind->page_size,
        .consistency = (corm_consistency)(behind->consistency + 1),
        .page_token_key = key,
    };
    const char *keyspace = door->tenants->keyspace.data;
    CORM_TRY(session__open_door(&door->front.door, &options, out, err));
    atomic_store(&(*out)->keyspace, keyspace);
    return CORM_OK;
}

corm_status tenant__door_open(corm_tenants *tenants, tenant_one *one, bool trusted,
                              corm_session **out, corm_error *err) {
    tenant_door *door = calloc(1, sizeof *door);
    uint8_t      key[SESSION_KEY_BYTES];
    if (!door) return base__fail_memory(err);
    door->tenants = tenant__ref(tenants);
    door->one = one;
    door->trusted = trusted;
    door->of_schema = strcmp(one->id, TENANT_OF_SCHEMA) == 0;
    session__front_init(&door->front, tenants->behind, &ops);
    /* what stands beside requests knows of no tenants */
    door->front.ops.schema = NULL;
    door->front.ops.store = NULL;
    if (!page_key(door, key)) {
        door->front.door.ops->close(&door->front.door);
        return base__fail_memory(err);
    }
    return open_session(door, key, out, err);
}
