// SPDX-License-Identifier: MIT
/* call.c -- a request under way: read, given to the engine where that suits it, answered.
 *
 *   one row by its key                on the loop's thread, at once: it takes less than handing it over
 *   writes of prepared statements     checked on the loop's thread, executed on the engine's writer thread
 *   all that is to be parsed, reads,  on a thread of the pool
 *   all that is traced
 *
 * What a client has asked for may be much longer than what it has sent: calls wait where it does not take its answers, and only so many
 * of one connection are on the pool at a time.
 *
 * A call and its buffers are used again. Begins and ends on its connection's loop. */
#include <stdlib.h>

#include "server/core.h"

/* In each of the three buffers of a call that is used again: there are many of those, and each would grow to the largest that it has seen. */
enum { KEPT_BYTES = 4 * 1024 };

/* Calls of one connection that the pool may have at a time: their answers may all be there at once, before one is sent. */
enum { MOST_POOLED = 64 };

/* ---- room ---- */

static void give_room(corm_server *server, size_t bytes) {
    atomic_fetch_sub_explicit(&server->requests, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&server->request_bytes, bytes, memory_order_relaxed);
}

/* Takes room for a request of so many bytes, or says what there is too much of. */
static const char *take_room(const server_conn *conn, size_t bytes) {
    corm_server               *server = conn->server;
    const corm_server_options *options = server__options(conn);
    if (conn->calls >= options->max_requests_per_connection)
        return "too many requests are under way on this connection";
    uint32_t requests = atomic_fetch_add_explicit(&server->requests, 1, memory_order_relaxed);
    uint64_t before =
        atomic_fetch_add_explicit(&server->request_bytes, bytes, memory_order_relaxed);
    if (requests < options->max_requests && before + bytes <= options->max_request_bytes)
        return NULL;
    give_room(server, bytes);
    return requests >= options->max_requests
               ? "too many requests are under way on this server"
               : "the requests under way on this server take too many bytes";
}

/* ---- memory ---- */

void server__call_free(server_call *call) {
    base__buf_free(&call->body);
    base__arena_free(&call->arena);
    wire__answer_free(&call->answer);
    free(call);
}

static server_call *new_call(server_conn *conn) {
    server_loop *loop = conn->loop;
    server_call *call = loop->spare;
    if (call) {
        loop->spare = call->next;
        loop->spare_count--;
    } else {
        call = calloc(1, sizeof *call);
    }
    if (!call) return NULL;
    call->loop = loop;
    call->conn = conn;
    call->held_count = 0;
    call->is_login = call->is_pooled = false;
    call->error.message[0] = '\0';
    call->unprepared_id = (corm_bytes){ NULL, 0 };
    server__conn_call(conn);
    loop->call_count++;
    return call;
}

static void shrink(base_buf *buf) {
    if (buf->cap > KEPT_BYTES) base__buf_free(buf);
    base__buf_clear(buf);
}

static void end_call(server_call *call) {
    server_loop *loop = call->loop;
    for (uint32_t i = 0; i < call->held_count; i++) engine__prepared_unref(call->held[i]);
    engine__prepared_unref(call->answer.prepared);
    loop->call_count--;
    give_room(loop->server, call->bytes);
    server__conn_called(call->conn);
    wire__answer_clear(&call->answer);
    shrink(&call->answer.body);
    shrink(&call->body);
    if (call->arena.total > KEPT_BYTES) base__arena_free(&call->arena);
    base__arena_reset(&call->arena);
    if (loop->spare_count >= SERVER_SPARE_CALLS) {
        server__call_free(call);
        return;
    }
    call->next = loop->spare;
    loop->spare = call;
    loop->spare_count++;
}

/* ---- what it is ---- */

static corm_status unprepared(server_call *call, corm_bytes id) {
    char   hex[2 * SERVER_ID_BYTES + 1] = "";
    size_t len = id.len < SERVER_ID_BYTES ? id.len : SERVER_ID_BYTES;
    for (size_t i = 0; i < len; i++) snprintf(hex + 2 * i, 3, "%02x", id.data[i]);
    call->unprepared_id = id;
    return base__fail(&call->error, CORM_UNPREPARED,
                      "Prepared query with ID %s not found (either the query was not prepared on "
                      "this host (maybe the host has been restarted?) or you have prepared too "
                      "many queries and it has been evicted from the internal cache)",
                      hex);
}

static corm_status hold(server_call *call, corm_bytes id, server_found *out) {
    if (!server__cache_find(&call->loop->server->cache, id, out)) return unprepared(call, id);
    call->held[call->held_count++] = out->prepared;
    return CORM_OK;
}

/* Protocols before v5 cannot say that the metadata which a client left out is another by now; so it is given to it. */
static void choose_metadata(server_call *call, const server_found *statement) {
    wire_request *request = &call->read.request;
    if (call->conn->version >= 5) return;
    request->metadata_id = (corm_bytes){ NULL, 0 };
    if (!request->options.skip_metadata) return;
    if (statement->varies) {
        request->options.skip_metadata = false;
        return;
    }
    void *copy = base__arena_copy(&call->arena, statement->metadata_id, SERVER_ID_BYTES);
    request->options.skip_metadata = copy != NULL;
    request->metadata_id = (corm_bytes){ copy, copy ? SERVER_ID_BYTES : 0 };
}

static corm_status find_statement(server_call *call) {
    server_found  statement;
    wire_request *request = &call->read.request;
    CORM_TRY(hold(call, call->read.prepared_id.id, &statement));
    request->prepared = statement.prepared;
    choose_metadata(call, &statement);
    return CORM_OK;
}

static corm_status find_statements(server_call *call) {
    wire_request    *request = &call->read.request;
    wire_batch_item *items = (wire_batch_item *)(uintptr_t)request->batch; /* in our arena */
    for (uint32_t i = 0; i < request->batch_count; i++) {
        server_found statement;
        if (items[i].text.data) continue;
        CORM_TRY(hold(call, call->read.ids[i].id, &statement));
        items[i].prepared = statement.prepared;
    }
    return CORM_OK;
}

static corm_status find_prepared(server_call *call) {
    const wire_request *request = &call->read.request;
    uint32_t            most = request->kind == WIRE_BATCH ? request->batch_count : 1;
    if (request->kind != WIRE_BATCH && request->kind != WIRE_EXECUTE) return CORM_OK;
    call->held = BASE_NEW_ARRAY(&call->arena, const wire_prepared *, most);
    if (!call->held) return base__fail_memory(&call->error);
    return request->kind == WIRE_BATCH ? find_statements(call) : find_statement(call);
}

static corm_status read_call(server_call *call, const wire_frame *frame) {
    CORM_TRY(wire__request_read(frame, &call->arena, &call->read, &call->error));
    call->client = call->conn->client;
    return find_prepared(call);
}

/* ---- running ---- */

static void on_done(void *context, corm_status status, wire_answer *answer, const corm_error *err) {
    server_call *call = context;
    (void)answer;
    call->status = status;
    if (status != CORM_OK && err != &call->error) call->error = *err;
    server__finished(call);
}

static void submit(server_call *call) {
    engine__submit(call->loop->server->store, &call->client, &call->read.request, &call->answer,
                   on_done, call);
}

static void run_on_pool(base_job *job) {
    submit((server_call *)job);
}

static void finish_here(server_call *call, corm_status status) {
    call->status = status;
    server__call_done(call);
}

static bool has_texts(const wire_request *request) {
    for (uint32_t i = 0; i < request->batch_count; i++) {
        if (request->batch[i].text.data) return true;
    }
    return false;
}

typedef enum place { HERE, WRITERS, POOL } place;

/* The rows of a trace are written before the answer goes: no loop waits for that. */
static place place_of(const wire_request *request) {
    if (request->options.tracing) return POOL;
    if (request->kind == WIRE_BATCH) return has_texts(request) ? POOL : WRITERS;
    if (request->kind != WIRE_EXECUTE) return POOL;
    if (engine__prepared_is_point(request->prepared)) return HERE;
    return engine__prepared_is_write(request->prepared) ? WRITERS : POOL;
}

static void begin(server_call *call, place where) {
    corm_status status;
    switch (where) {
    case HERE:
        finish_here(call, engine__execute(call->loop->server->store, &call->client,
                                          &call->read.request, &call->answer, &call->error));
        break;
    case WRITERS: submit(call); break;
    case POOL:
        call->is_pooled = true;
        call->conn->pooled++;
        call->job.run = run_on_pool;
        status = base__pool_submit(call->loop->server->readers, &call->job, &call->error);
        if (status != CORM_OK) finish_here(call, status);
        break;
    }
}

/* Answers to writes are short, and a connection that is closed gets none. */
static bool must_wait(const server_conn *conn, place where) {
    if (where == WRITERS) return false;
    if (where == POOL && conn->pooled >= MOST_POOLED) return true;
    return !conn->closing && server__conn_unread(conn) > server__options(conn)->max_unread_bytes;
}

static void start(server_call *call) {
    server_conn *conn = call->conn;
    place        where = place_of(&call->read.request);
    if (!must_wait(conn, where)) {
        begin(call, where);
        return;
    }
    if (!conn->waiting) conn->waiting_end = &conn->waiting;
    call->next = NULL;
    *conn->waiting_end = call;
    conn->waiting_end = &call->next;
}

/* A call that ends at once comes back here: the outermost goes on. */
void server__call_next(server_conn *conn) {
    if (conn->beginning) return;
    conn->beginning = true;
    conn->refs++;
    while (conn->waiting) {
        server_call *call = conn->waiting;
        place        where = place_of(&call->read.request);
        if (must_wait(conn, where)) break;
        conn->waiting = call->next;
        begin(call, where);
    }
    conn->beginning = false;
    server__conn_unref(conn);
}

/* The request borrows from the frame, which is gone when the decoder goes on. */
static bool keep_body(server_call *call, wire_frame *frame) {
    base__buf_put(&call->body, frame->body.data, frame->body.len);
    frame->body = base__buf_bytes(&call->body);
    return !call->body.failed;
}

static void refuse(server_conn *conn, int16_t stream, const char *why) {
    server__count(&conn->loop->overloaded);
    server__say_error(conn, stream, CORM_OVERLOADED, why);
}

server_call *server__call_begin(server_conn *conn, const wire_frame *frame, wire_frame *own) {
    const char  *over = take_room(conn, frame->body.len);
    server_call *call = over ? NULL : new_call(conn);
    if (!over && !call) give_room(conn->server, frame->body.len);
    if (!call) {
        refuse(conn, frame->stream, over ? over : "memory is exhausted");
        return NULL;
    }
    *own = *frame;
    call->stream = frame->stream;
    call->bytes = frame->body.len;
    if (keep_body(call, own)) return call;
    end_call(call);
    refuse(conn, frame->stream, "memory is exhausted");
    return NULL;
}

void server__request(server_conn *conn, const wire_frame *frame) {
    wire_frame   own;
    server_call *call = server__call_begin(conn, frame, &own);
    if (!call) return;
    corm_status status = read_call(call, &own);
    if (status != CORM_OK)
        finish_here(call, status);
    else
        start(call);
}

/* ---- the end ---- */

/* What the answer means for this connection and for others. */
static void take_note(server_call *call) {
    base_arena  arena = { 0 };
    wire_result result;
    corm_error  err;
    corm_bytes  body = base__buf_bytes(&call->answer.body);
    int32_t     kind = body.len >= 4 ? (int32_t)base__load_u32(body.data) : 0;
    if (kind != WIRE_SET_KEYSPACE && kind != WIRE_SCHEMA_CHANGE) return;
    if (wire__result_read(body, WIRE_VERSION, &arena, &result, &err) != CORM_OK) return;
    if (kind == WIRE_SET_KEYSPACE) {
        memcpy(call->conn->client.keyspace, call->client.keyspace, sizeof call->client.keyspace);
        engine__visitor_uses(call->loop->server->store, &call->conn->visitor,
                             call->client.keyspace);
        return;
    }
    wire_event event = { .kind = WIRE_SCHEMA_CHANGE_EVENT,
                         .change = result.change,
                         .target = result.target,
                         .keyspace = result.keyspace,
                         .name = result.name };
    /* What not all were told is found by the watch. */
    if (server__event(call->loop, &event)) atomic_fetch_add(&call->loop->server->own_changes, 1);
}

static void answer_request(server_call *call) {
    server_loop *loop = call->loop;
    server__count(&loop->answered);
    if (call->status != CORM_OK) server__count(&loop->errors);
    if (!call->conn->closing) server__put_answer(call);
    if (call->status == CORM_OK) take_note(call);
}

void server__call_done(server_call *call) {
    server_conn *conn = call->conn;
    conn->refs++;
    if (call->is_pooled) conn->pooled--;
    if (call->is_login)
        server__login_done(call);
    else
        answer_request(call);
    end_call(call);
    server__call_next(conn);
    server__conn_unref(conn);
}
