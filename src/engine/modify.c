// SPDX-License-Identifier: MIT
/* modify.c -- requests that write, as jobs of the write queue.
 *
 * Statements and values are checked on the caller's thread before the job queues; the leader checks again only what a change
 * of the schema has touched in between. A request is one statement, or the items of a protocol BATCH. */
#include <stdlib.h>

#include "base/clock.h"
#include "cql/schema_build.h"
#include "engine/auth.h"
#include "engine/core.h"
#include "engine/guard.h"
#include "engine/trace.h"

typedef struct write_item {
    engine_version      *version;  /* NULL: not checked yet */
    const wire_prepared *prepared; /* NULL: text */
    corm_str             text;
    engine_values        values;
    bool                 is_checked; /* the version and the values fit each other */
    uint64_t             allowed_by; /* the serial, plus one, of the schema whose roles allow it */
} write_item;

typedef struct write_call {
    engine_job           job; /* first */
    engine              *store;
    const wire_request  *request;
    wire_answer         *answer;
    const engine_client *client;
    corm_str             keyspace;
    corm_str             password_hash; /* of a role statement, in the arena */
    base_arena           arena;         /* of items and their values */
    uint32_t             count;
    write_item          *items, one;
    engine_callback      callback; /* NULL: a thread waits */
    void                *context;
    engine_trace        *trace; /* NULL: nothing is traced */
    engine_begun         begun;
} write_call;

/* ---- what may be written ---- */

static corm_status refuse_system_table(const cql_table *table, corm_error *err) {
    return base__fail(err, CORM_UNAUTHORIZED, "%.*s keyspace is not user-modifiable.",
                      (int)table->keyspace.len, table->keyspace.data);
}

static bool is_of_roles(const cql_table *table) {
    return table->is_system && corm_str_equal(table->keyspace, corm_str_of("system_auth"));
}

/* Roles are rows like others, for who may write them. */
static corm_status check_target(const write_call *call, const cql_table *table, corm_error *err) {
    if (is_of_roles(table)) return CORM_OK;
    if (cql__is_virtual_system(table->keyspace)) return CORM_OK; /* see engine__virtual_modify */
    if (table->is_virtual) return refuse_system_table(table, err);
    if (table->is_system && !call->request->options.is_internal)
        return refuse_system_table(table, err);
    return CORM_OK;
}

static corm_status check_targets(const write_call *call, const cql_checked *checked,
                                 corm_error *err) {
    if (checked->modify) return check_target(call, checked->modify->table, err);
    for (uint32_t i = 0; checked->batch && i < checked->batch->count; i++) {
        CORM_TRY(check_target(call, checked->batch->items[i]->table, err));
    }
    return CORM_OK;
}

static corm_status check_kind(const write_call *call, const cql_checked *checked, corm_error *err) {
    if (call->request->kind != WIRE_BATCH || checked->modify) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "Invalid statement in batch: only UPDATE, INSERT and DELETE statements "
                      "are allowed.");
}

/* ---- checking ---- */

static bool is_modification(cql_statement_kind kind) {
    return kind == CQL_STMT_INSERT || kind == CQL_STMT_UPDATE || kind == CQL_STMT_DELETE ||
           kind == CQL_STMT_BATCH;
}

static corm_status find_version(write_call *call, write_item *item, cql_schema *schema,
                                corm_error *err) {
    if (item->version && engine__version_fits(item->version, schema)) return CORM_OK;
    engine__version_unref(item->version);
    item->version = NULL;
    item->is_checked = false;
    if (!item->prepared)
        return engine__version_new(item->text, schema, call->keyspace, &item->version, err);
    return engine__prepared_version(call->store, item->prepared, schema, &item->version, err);
}

/* Statements about roles look for themselves, in the transaction that they write in. */
static corm_status authorize(const write_call *call, write_item *item, kv_txn *txn,
                             const cql_schema *schema, corm_error *err) {
    const cql_checked *checked = item->version->checked;
    if (!call->client->role.data || item->allowed_by == schema->serial + 1) return CORM_OK;
    CORM_TRY(engine__admit(call->store, txn, schema, call->client, err));
    if (!cql__is_role_statement(checked->kind))
        CORM_TRY(engine__authorize(call->store, txn, schema, call->client, call->keyspace, checked,
                                   err));
    item->allowed_by = schema->serial + 1;
    return CORM_OK;
}

static corm_status check_item(write_call *call, write_item *item, kv_txn *txn, cql_schema *schema,
                              corm_error *err) {
    CORM_TRY(find_version(call, item, schema, err));
    CORM_TRY(authorize(call, item, txn, schema, err));
    if (item->is_checked) return CORM_OK;
    const cql_checked *checked = item->version->checked;
    CORM_TRY(check_kind(call, checked, err));
    CORM_TRY(check_targets(call, checked, err));
    CORM_TRY(cql__check_values(checked, item->values.values, item->values.count, err));
    item->is_checked = true;
    return CORM_OK;
}

/* ---- running: on the leader's thread ---- */

static corm_status run_batch(write_call *call, engine_request *run, engine_write *write,
                             corm_error *err) {
    cql_checked_batch          batch = { 0 };
    const cql_checked_modify **items =
        BASE_NEW_ARRAY(run->arena, const cql_checked_modify *, call->count);
    const cql_value **values = BASE_NEW_ARRAY(run->arena, const cql_value *, call->count);
    uint32_t         *counts = BASE_NEW_ARRAY(run->arena, uint32_t, call->count);
    if (!items || !values || !counts) return base__fail_memory(err);
    for (uint32_t i = 0; i < call->count; i++) {
        items[i] = call->items[i].version->checked->modify;
        values[i] = call->items[i].values.values;
        counts[i] = call->items[i].values.count;
    }
    /* A request's timestamp is only what statements have by default, unlike one of BEGIN BATCH USING TIMESTAMP. */
    CORM_TRY(cql__check_batch((cql_batch_kind)call->request->batch_kind, items, call->count, false,
                              &batch, run->arena, err));
    return engine__write_batch(write, &batch, values, counts, err);
}

static corm_status run_modification(write_call *call, engine_request *run, corm_error *err) {
    engine_write *write;
    CORM_TRY(engine__write_new(run, &write, err));
    corm_status status = call->request->kind == WIRE_BATCH ? run_batch(call, run, write, err)
                                                           : engine__write_statement(write, err);
    if (status == CORM_OK) status = engine__write_flush(write, err);
    engine__write_end(write);
    if (status != CORM_OK) return status;
    /* Conditions answer with rows. */
    if (run->answer->body.len == 0) wire__put_void(&run->answer->body);
    return CORM_OK;
}

static void fill_request(write_call *call, const engine_round *round, engine_request *run) {
    engine__request_init(run, call->store, call->request, engine__timestamp(call->store),
                         call->answer);
    run->txn = round->txn;
    run->schema = round->schema;
    run->keyspace = call->keyspace;
    run->client = call->client;
    run->arena = round->arena;
    if (call->request->kind == WIRE_BATCH) return;
    run->checked = call->one.version->checked;
    run->value_count = call->one.values.count;
    run->values = call->one.values.values;
}

/* Whether rows of system_auth are written by a plain statement. */
static bool writes_roles(const write_call *call) {
    for (uint32_t i = 0; i < call->count; i++) {
        const cql_checked *checked = call->items[i].version->checked;
        if (checked->modify && is_of_roles(checked->modify->table)) return true;
        for (uint32_t j = 0; checked->batch && j < checked->batch->count; j++)
            if (is_of_roles(checked->batch->items[j]->table)) return true;
    }
    return false;
}

static corm_status run_alone(write_call *call, engine_request *run, engine_round *round,
                             corm_error *err) {
    run->client = call->client;
    if (writes_roles(call)) {
        CORM_TRY(run_modification(call, run, err));
        return engine__auth_changed(run, &round->next, err);
    }
    if (cql__is_role_statement(run->checked->kind))
        return engine__role_statement(run, call->client, call->password_hash, &round->next, err);
    return engine__ddl(run, &round->next, err);
}

/* ---- counting, for system_views ---- */

enum { COUNTED_TABLES = 8 };

typedef struct counted {
    uint32_t         count;
    const cql_table *tables[COUNTED_TABLES];
} counted;

/* Once for each table; those of a batch over very many are counted at every change of the table. */
static void count_table(const write_call *call, counted *list, const cql_table *table,
                        metric_kind kind, int64_t began_ns, int64_t now_ns) {
    for (uint32_t i = 0; i < list->count; i++)
        if (list->tables[i] == table) return;
    if (list->count == COUNTED_TABLES) list->count--;
    list->tables[list->count++] = table;
    if (!table->is_virtual)
        metric__time(metric__table(call->store, table), kind, 1, began_ns, now_ns);
}

static void count_tables(const write_call *call, metric_kind kind, int64_t began_ns) {
    counted list = { 0 };
    int64_t now_ns = base__clock_mono_ns();
    for (uint32_t i = 0; i < call->count; i++) {
        const cql_checked *checked = call->items[i].version->checked;
        if (checked->modify)
            count_table(call, &list, checked->modify->table, kind, began_ns, now_ns);
        for (uint32_t j = 0; checked->batch && j < checked->batch->count; j++)
            count_table(call, &list, checked->batch->items[j]->table, kind, began_ns, now_ns);
    }
}

static corm_status run_counted(write_call *call, engine_request *run, corm_error *err) {
    int64_t began_ns = base__clock_mono_ns();
    running__start(call->store->running, call->begun.place, began_ns);
    CORM_TRY(run_modification(call, run, err));
    count_tables(call, METRIC_LOCAL_WRITE, began_ns);
    return CORM_OK;
}

static corm_status run_plain(engine_job *job, engine_round *round, corm_error *err) {
    write_call    *call = (write_call *)job;
    engine_request run;
    wire__answer_clear(call->answer);
    for (uint32_t i = 0; i < call->count; i++) {
        CORM_TRY(check_item(call, &call->items[i], round->txn, round->schema, err));
    }
    fill_request(call, round, &run);
    CORM_TRY(engine__guard_request(&run, err));
    if (!job->is_alone)
        CORM_TRY(run_counted(call, &run, err));
    else
        CORM_TRY(run_alone(call, &run, round, err));
    return base__buf_status(&call->answer->body, err);
}

static corm_status run_traced(engine_job *job, engine_round *round, corm_error *err) {
    engine_trace *before = engine__trace_switch(((write_call *)job)->trace);
    engine__trace_step("Executing in write transaction %llu",
                       (unsigned long long)kv__txn_id(round->txn));
    corm_status status = run_plain(job, round, err);
    if (status == CORM_OK) engine__trace_step("Executed; waiting for the commit");
    engine__trace_switch(before);
    return status;
}

static corm_status run_call(engine_job *job, engine_round *round, corm_error *err) {
    return ((write_call *)job)->trace ? run_traced(job, round, err) : run_plain(job, round, err);
}

/* ---- preparing a call: on the caller's thread ---- */

static corm_status set_batch_items(write_call *call, corm_error *err) {
    const wire_request *request = call->request;
    call->items = BASE_NEW_ARRAY(&call->arena, write_item, request->batch_count);
    if (!call->items) return base__fail_memory(err);
    call->count = request->batch_count;
    for (uint32_t i = 0; i < call->count; i++) {
        const wire_batch_item *from = &request->batch[i];
        call->items[i] = (write_item){
            .prepared = from->text.data ? NULL : from->prepared,
            .text = from->text,
            .values = { from->value_count, from->values },
        };
    }
    return CORM_OK;
}

static void set_one_item(write_call *call) {
    call->count = 1;
    call->items = &call->one;
    call->one.text = call->request->text;
    if (call->request->kind == WIRE_EXECUTE) call->one.prepared = call->request->prepared;
    call->one.values = (engine_values){ call->request->value_count, call->request->values };
}

/* Names of values are those of the first check; a statement that is checked anew has the same. */
static corm_status order_values(write_call *call, cql_schema *schema, corm_error *err) {
    if (!call->request->names || call->request->kind == WIRE_BATCH) return CORM_OK;
    CORM_TRY(find_version(call, &call->one, schema, err));
    return engine__order_values(call->request, call->one.version->checked, &call->arena,
                                &call->one.values, err);
}

static corm_status check_now(write_call *call, corm_error *err) {
    engine_snapshot snapshot;
    ENGINE_STEP(&call->request->options, "Checking the statement and its values");
    CORM_TRY(engine__read_begin(call->store, &snapshot, err));
    corm_status status = order_values(call, snapshot.schema, err);
    for (uint32_t i = 0; status == CORM_OK && i < call->count; i++) {
        status = check_item(call, &call->items[i], snapshot.txn, snapshot.schema, err);
    }
    engine__read_end(&snapshot);
    return status;
}

static corm_status hash_password(write_call *call, corm_error *err) {
    const cql_checked *checked = call->one.version ? call->one.version->checked : NULL;
    if (!checked || !cql__is_role_statement(checked->kind)) return CORM_OK;
    return engine__role_hash(call->store, checked->statement, &call->arena, &call->password_hash,
                             err);
}

static corm_status prepare_call(write_call *call, engine_version *version, corm_error *err) {
    if (call->store->read_only) {
        engine__version_unref(version);
        return base__fail(err, CORM_INVALID, "the store is open to read only");
    }
    call->job.run = run_call;
    call->one.version = version;
    if (call->request->kind == WIRE_BATCH) {
        CORM_TRY(set_batch_items(call, err));
    } else {
        set_one_item(call);
    }
    CORM_TRY(check_now(call, err));
    if (call->request->options.tracing) call->trace = engine__trace_now();
    ENGINE_STEP(&call->request->options, "Queued for the next write transaction");
    CORM_TRY(hash_password(call, err));
    call->job.is_alone = writes_roles(call) || (call->request->kind != WIRE_BATCH &&
                                                !is_modification(call->one.version->checked->kind));
    running__queue(call->store->running, call->begun.place, base__clock_mono_ns());
    return CORM_OK;
}

static void clear_call(write_call *call) {
    for (uint32_t i = 0; i < call->count; i++) engine__version_unref(call->items[i].version);
    base__arena_free(&call->arena);
}

static void count_call(const write_call *call) {
    atomic_fetch_add_explicit(&call->store->writes, 1, memory_order_relaxed);
    count_tables(call, METRIC_COORDINATOR_WRITE, call->begun.ns);
}

/* ---- both ways in ---- */

corm_status engine__modify(engine *store, engine_client *client, const wire_request *request,
                           engine_version *version, const engine_begun *begun, wire_answer *answer,
                           corm_error *err) {
    write_call call = {
        .begun = *begun,
        .store = store,
        .request = request,
        .answer = answer,
        .client = client,
        .keyspace = engine__request_keyspace(client, request),
    };
    corm_status status = prepare_call(&call, version, err);
    if (status == CORM_OK) status = engine__write(store, &call.job, err);
    if (status == CORM_OK) ENGINE_STEP(&request->options, "Committed");
    if (status == CORM_OK) count_call(&call);
    clear_call(&call);
    return status;
}

/* On the writer thread, which may have a trace of its own. */
static void tell_commit(const write_call *call) {
    engine_trace *before = engine__trace_switch(call->trace);
    engine__trace_step("Committed");
    engine__trace_switch(before);
}

static void finish_call(engine_job *job) {
    write_call     *call = (write_call *)job;
    engine_callback callback = call->callback;
    void           *context = call->context;
    wire_answer    *answer = call->answer;
    corm_status     status = job->status;
    corm_error      error = job->error;
    if (status == CORM_OK) count_call(call);
    if (status == CORM_OK && call->trace) tell_commit(call);
    running__end(call->store->running, call->begun.place);
    clear_call(call);
    free(call);
    callback(context, status, answer, &error);
}

void engine__modify_later(engine *store, engine_client *client, const wire_request *request,
                          engine_version *version, const engine_begun *begun, wire_answer *answer,
                          engine_callback callback, void *context) {
    corm_error  err = { 0 };
    write_call *call = calloc(1, sizeof *call);
    if (!call) {
        running__end(store->running, begun->place);
        engine__version_unref(version);
        callback(context, base__fail_memory(&err), answer, &err);
        return;
    }
    call->store = store;
    call->begun = *begun;
    call->request = request;
    call->answer = answer;
    call->client = client;
    call->keyspace = engine__request_keyspace(client, request);
    call->callback = callback;
    call->context = context;
    call->job.finished = finish_call;
    corm_status status = prepare_call(call, version, &err);
    if (status == CORM_OK) status = engine__write_later(store, &call->job, &err);
    if (status == CORM_OK) return;
    running__end(store->running, begun->place);
    clear_call(call);
    free(call);
    callback(context, status, answer, &err);
}
