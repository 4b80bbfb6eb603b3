// SPDX-License-Identifier: MIT
/* execute.c -- the engine's door: a request is read, prepared, or handed to the writers.
 *
 * Reads run on the caller's thread, over a snapshot that also gives the schema by which the statement is checked. */
#include "base/clock.h"
#include "engine/auth.h"
#include "engine/core.h"
#include "engine/guard.h"
#include "engine/trace.h"

/* ---- requests ---- */

corm_str engine__request_keyspace(const engine_client *client, const wire_request *request) {
    if (request->options.keyspace.data) return request->options.keyspace;
    return (corm_str){ client->keyspace, strlen(client->keyspace) };
}

void engine__request_init(engine_request *out, engine *store, const wire_request *request,
                          int64_t now_us, wire_answer *answer) {
    const wire_options *options = &request->options;
    int64_t             now_s = options->has_now ? options->now_in_seconds : now_us / 1000000;
    *out = (engine_request){
        .store = store,
        .options = options,
        .now_us = now_us,
        .now_s = (uint32_t)now_s,
        .answer = answer,
    };
}

static const cql_value *named_value(const wire_request *request, corm_str name) {
    for (uint32_t i = 0; i < request->value_count; i++) {
        if (corm_str_equal(request->names[i], name)) return &request->values[i];
    }
    return NULL;
}

/* A name that no marker has is left out; a marker without a value makes them too few, which is found later. */
corm_status engine__order_values(const wire_request *request, const cql_checked *checked,
                                 base_arena *arena, engine_values *out, corm_error *err) {
    *out = (engine_values){ request->value_count, request->values };
    if (!request->names || request->value_count == 0) return CORM_OK;
    cql_value *ordered = BASE_NEW_ARRAY(arena, cql_value, checked->marker_count);
    if (!ordered) return base__fail_memory(err);
    *out = (engine_values){ 0, ordered };
    for (uint32_t i = 0; i < checked->marker_count; i++) {
        const cql_value *value = named_value(request, checked->markers[i].name);
        if (value) ordered[out->count++] = *value;
    }
    return CORM_OK;
}

/* ---- reads ---- */

static bool is_read(cql_statement_kind kind) {
    return kind == CQL_STMT_SELECT || kind == CQL_STMT_DESCRIBE || cql__is_role_list(kind);
}

/* Whether the caller leaves out metadata that it has of an earlier version of the statement. */
static bool has_old_metadata(const wire_request *request, const engine_version *version) {
    return request->options.skip_metadata && request->metadata_id.data &&
           (request->metadata_id.len != sizeof version->metadata_id ||
            memcmp(request->metadata_id.data, version->metadata_id, sizeof version->metadata_id) !=
                0);
}

static void add_warnings(const cql_checked_select *select, wire_answer *answer) {
    for (uint32_t i = 0; select && i < select->warning_count; i++) {
        wire__add_warning(answer, corm_str_of(select->warnings[i]));
    }
}

static corm_status run_read(engine_snapshot *snapshot, const engine_client *client,
                            const wire_request *request, engine_version *version,
                            const engine_begun *begun, wire_answer *answer, corm_error *err) {
    engine_request run;
    engine_values  values;
    wire_options   options = request->options;
    cql_checked   *checked = version->checked;
    base_arena    *arena = kv__txn_arena(snapshot->txn);
    ENGINE_STEP(&options, "Executing on a snapshot of the store");
    CORM_TRY(engine__authorize(snapshot->store, snapshot->txn, snapshot->schema, client,
                               engine__request_keyspace(client, request), checked, err));
    CORM_TRY(engine__order_values(request, checked, arena, &values, err));
    CORM_TRY(cql__check_values(checked, values.values, values.count, err));
    engine__request_init(&run, snapshot->store, request, snapshot->store->now_us(), answer);
    if (has_old_metadata(request, version)) {
        options.skip_metadata = false;
        run.changed_metadata = (corm_bytes){ version->metadata_id, sizeof version->metadata_id };
    }
    run.options = &options;
    run.began_ns = begun->ns;
    run.is_sample = begun->is_sample;
    run.client = client;
    run.txn = snapshot->txn;
    run.schema = snapshot->schema;
    run.checked = checked;
    run.keyspace = engine__request_keyspace(client, request);
    run.value_count = values.count;
    run.values = values.values;
    run.arena = arena;
    if (checked->kind == CQL_STMT_DESCRIBE) {
        CORM_TRY(engine__describe(&run, err));
    } else if (cql__is_role_list(checked->kind)) {
        CORM_TRY(engine__role_list(&run, err));
    } else {
        CORM_TRY(engine__is_masked(run.store, run.txn, run.schema, client, checked, &run.is_masked,
                                   err));
        CORM_TRY(engine__guard_request(&run, err));
        CORM_TRY(engine__select(&run, err));
        add_warnings(checked->select, answer);
    }
    return base__buf_status(&answer->body, err);
}

/* ---- USE ---- */

static corm_status use(const cql_schema *schema, engine_client *client, const cql_checked *checked,
                       wire_answer *answer, corm_error *err) {
    corm_str name = checked->statement->as.drop.name.name.text;
    if (!cql__schema_keyspace(schema, name) || name.len >= sizeof client->keyspace) {
        return base__fail(err, CORM_INVALID, "Keyspace '%.*s' does not exist", (int)name.len,
                          name.data);
    }
    if (name.len > 0) memcpy(client->keyspace, name.data, name.len);
    client->keyspace[name.len] = '\0';
    wire__put_set_keyspace(&answer->body, name);
    return base__buf_status(&answer->body, err);
}

/* ---- dispatch ---- */

/* What is left for the writers is *write: a version of a QUERY, one reference; else nothing is left. */
static corm_status run_here(engine_snapshot *snapshot, engine_client *client,
                            const wire_request *request, engine_version *version,
                            const engine_begun *begun, wire_answer *answer, engine_version **write,
                            corm_error *err) {
    cql_statement_kind kind = version->checked->kind;
    *write = NULL;
    if (is_read(kind)) return run_read(snapshot, client, request, version, begun, answer, err);
    if (kind == CQL_STMT_USE) return use(snapshot->schema, client, version->checked, answer, err);
    *write = engine__version_ref(version);
    return CORM_OK;
}

static corm_status find_version(const engine_snapshot *snapshot, const engine_client *client,
                                const wire_request *request, engine_version **out,
                                corm_error *err) {
    const wire_options *options = &request->options;
    if (request->kind == WIRE_EXECUTE) {
        ENGINE_STEP(options, "Looking whether the prepared statement fits the schema");
        return engine__prepared_version(snapshot->store, request->prepared, snapshot->schema, out,
                                        err);
    }
    ENGINE_STEP(options, "Parsing %.*s", ENGINE_TRACE_TEXT(request->text));
    corm_str    keyspace = engine__request_keyspace(client, request);
    corm_status status = engine__version_new(request->text, snapshot->schema, keyspace, out, err);
    if (status == CORM_OK) return CORM_OK;
    CORM_TRY(engine__authorize_text(snapshot->store, snapshot->txn, snapshot->schema, client,
                                    keyspace, request->text, err));
    return status;
}

/* All that needs a snapshot and no writer. */
static corm_status run_on_snapshot(engine *store, engine_client *client,
                                   const wire_request *request, const engine_begun *begun,
                                   wire_answer *answer, engine_version **write, corm_error *err) {
    engine_snapshot snapshot;
    engine_version *version;
    CORM_TRY(engine__read_begin(store, &snapshot, err));
    corm_status status;
    if (request->kind == WIRE_PREPARE) {
        ENGINE_STEP(&request->options, "Parsing %.*s", ENGINE_TRACE_TEXT(request->text));
        status = engine__prepare(store, request->text, engine__request_keyspace(client, request),
                                 snapshot.schema, answer, err);
    } else {
        status = find_version(&snapshot, client, request, &version, err);
        if (status == CORM_OK) ENGINE_STEP(&request->options, "Checked against the schema");
        if (status == CORM_OK) {
            status = engine__admit(store, snapshot.txn, snapshot.schema, client, err);
            if (status != CORM_OK) engine__version_unref(version);
        }
        if (status == CORM_OK) {
            status = run_here(&snapshot, client, request, version, begun, answer, write, err);
            engine__version_unref(version);
        }
    }
    engine__read_end(&snapshot);
    return status;
}

/* One about roles may have a password to hash before it is written. */
bool engine__prepared_is_write(const wire_prepared *prepared) {
    cql_statement_kind kind = engine__prepared_kind(prepared);
    return !is_read(kind) && kind != CQL_STMT_USE && !cql__is_role_statement(kind);
}

static bool is_for_writers(const wire_request *request) {
    if (request->kind == WIRE_BATCH) return true;
    return request->kind == WIRE_EXECUTE && engine__prepared_is_write(request->prepared);
}

/* A read of one row is over before anybody could look at it: it takes no place. */
static engine_begun begin_request(engine *store, const wire_request *request) {
    engine_begun begun = { METRIC_UNTIMED, -1, false };
    if (request->kind == WIRE_EXECUTE) {
        uint64_t number = metric__total_add(store, METRIC_PREPARED_EXECUTED);
        if (engine__prepared_is_point(request->prepared)) {
            begun.is_sample = metric__times(number);
            if (begun.is_sample) begun.ns = base__clock_mono_ns();
            return begun;
        }
    }
    if (request->kind == WIRE_QUERY) metric__total_add(store, METRIC_REGULAR_EXECUTED);
    begun.ns = base__clock_mono_ns();
    begun.place = running__begin(store->running, request, begun.ns);
    return begun;
}

static corm_status execute(engine *store, engine_client *client, const wire_request *request,
                           const engine_begun *begun, wire_answer *answer, corm_error *err) {
    engine_version *write = NULL;
    if (!is_for_writers(request)) {
        CORM_TRY(run_on_snapshot(store, client, request, begun, answer, &write, err));
        if (!write) return CORM_OK;
    }
    return engine__modify(store, client, request, write, begun, answer, err);
}

corm_status engine__execute(engine *store, engine_client *client, const wire_request *request,
                            wire_answer *answer, corm_error *err) {
    if (request->options.tracing && !engine__trace_now())
        return engine__trace_execute(store, client, request, answer, err);
    CORM_TRY(kv__check_process(store->kv, err));
    engine_begun begun = begin_request(store, request);
    corm_status  status = execute(store, client, request, &begun, answer, err);
    running__end(store->running, begun.place);
    return status;
}

void engine__submit(engine *store, engine_client *client, const wire_request *request,
                    wire_answer *answer, engine_callback callback, void *context) {
    corm_error      err = { 0 };
    engine_version *write = NULL;
    if (request->options.tracing && !engine__trace_now()) {
        engine__trace_submit(store, client, request, answer, callback, context);
        return;
    }
    corm_status  status = kv__check_process(store->kv, &err);
    bool         later = is_for_writers(request);
    engine_begun begun = { .place = -1 };
    if (status == CORM_OK) begun = begin_request(store, request);
    if (status == CORM_OK && !later) {
        status = run_on_snapshot(store, client, request, &begun, answer, &write, &err);
        later = write != NULL;
    }
    if (status != CORM_OK || !later) {
        running__end(store->running, begun.place);
        callback(context, status, answer, &err);
        return;
    }
    engine__modify_later(store, client, request, write, &begun, answer, callback, context);
}
