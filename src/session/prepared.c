// SPDX-License-Identifier: MIT
/* prepared.c -- prepared statements: the door's handle, the markers, and the columns of the answer.
 *
 * A prepared statement is shared by threads and counted by references. When the door answers that
 * the columns have changed, a new description is put before the older ones, which stay for the
 * results that were read with them. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "session/core.h"

enum { NAME_DISTANCE = 3 };

static void link_prepared(corm_prepared *prepared) {
    corm_session *session = prepared->session;
    pthread_mutex_lock(&session->lock);
    prepared->link = &session->prepared;
    prepared->next = session->prepared;
    if (prepared->next) prepared->next->link = &prepared->next;
    session->prepared = prepared;
    pthread_mutex_unlock(&session->lock);
}

/* Takes it out of the session's list and gives what it had behind the door. */
static const wire_prepared *unlink_prepared(corm_prepared *prepared) {
    corm_session *session = prepared->session;
    pthread_mutex_lock(&session->lock);
    const wire_prepared *wire = prepared->wire;
    if (prepared->link) {
        *prepared->link = prepared->next;
        if (prepared->next) prepared->next->link = prepared->link;
    }
    prepared->wire = NULL;
    pthread_mutex_unlock(&session->lock);
    return wire;
}

void session__detach_prepared(corm_session *session) {
    const session_door_ops *ops = session->door->ops;
    pthread_mutex_lock(&session->lock);
    for (corm_prepared *prepared = session->prepared; prepared; prepared = prepared->next) {
        if (prepared->wire) ops->prepared_unref(prepared->wire);
        prepared->wire = NULL;
    }
    pthread_mutex_unlock(&session->lock);
}

static void free_metadata(session_metadata *metadata) {
    while (metadata) {
        session_metadata *older = metadata->older;
        base__arena_free(&metadata->arena);
        free(metadata);
        metadata = older;
    }
}

static void free_prepared(corm_prepared *prepared) {
    const wire_prepared *wire = unlink_prepared(prepared);
    if (wire) prepared->session->door->ops->prepared_unref(wire);
    free_metadata(atomic_load(&prepared->metadata));
    wire__answer_free(&prepared->answer);
    base__arena_free(&prepared->arena);
    session__unref(prepared->session);
    free(prepared);
}

corm_prepared *session__prepared_ref(corm_prepared *prepared) {
    atomic_fetch_add_explicit(&prepared->refs, 1, memory_order_relaxed);
    return prepared;
}

void corm_prepared_free(corm_prepared *prepared) {
    if (prepared && atomic_fetch_sub(&prepared->refs, 1) == 1) free_prepared(prepared);
}

static corm_status copy_column(base_arena *arena, const cql_result_column *from,
                               cql_result_column *to, corm_error *err) {
    to->keyspace = base__arena_str(arena, from->keyspace);
    to->table = base__arena_str(arena, from->table);
    to->name = base__arena_str(arena, from->name);
    to->type = cql__type_copy(arena, from->type);
    bool copied = to->keyspace.data && to->table.data && to->name.data && to->type;
    return copied ? CORM_OK : base__fail_memory(err);
}

static corm_status fill_metadata(session_metadata *metadata, corm_bytes id,
                                 const cql_result_column *columns, uint32_t count,
                                 corm_error *err) {
    metadata->id = (corm_bytes){ base__arena_copy(&metadata->arena, id.data, id.len), id.len };
    cql_result_column *copies = BASE_NEW_ARRAY(&metadata->arena, cql_result_column, count);
    if (!metadata->id.data || !copies) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(copy_column(&metadata->arena, &columns[i], &copies[i], err));
    }
    metadata->count = count;
    metadata->columns = copies;
    return CORM_OK;
}

/* NULL when memory is exhausted; *err is filled. */
static session_metadata *new_metadata(corm_bytes id, const cql_result_column *columns,
                                      uint32_t count, corm_error *err) {
    session_metadata *metadata = calloc(1, sizeof *metadata);
    if (!metadata) {
        base__fail_memory(err);
        return NULL;
    }
    if (fill_metadata(metadata, id, columns, count, err) == CORM_OK) return metadata;
    free_metadata(metadata);
    return NULL;
}

static bool same_id(corm_bytes a, corm_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

corm_status session__prepared_changed(corm_prepared *prepared, const wire_metadata *metadata,
                                      corm_error *err) {
    session_metadata *newest = atomic_load(&prepared->metadata);
    if (same_id(newest->id, metadata->new_id)) return CORM_OK;
    session_metadata *changed =
        new_metadata(metadata->new_id, metadata->columns, metadata->count, err);
    if (!changed) return CORM_NO_MEMORY;
    changed->older = newest;
    while (!atomic_compare_exchange_weak(&prepared->metadata, &changed->older, changed)) continue;
    return CORM_OK;
}

static corm_status read_markers(corm_prepared *prepared, const wire_result *result,
                                corm_error *err) {
    prepared->marker_count = result->marker_count;
    prepared->markers = result->markers;
    prepared->key_count = result->partition_marker_count;
    prepared->key_markers = result->partition_markers;
    prepared->marker_types = BASE_NEW_ARRAY(&prepared->arena, corm_str, result->marker_count);
    if (!prepared->marker_types) return base__fail_memory(err);
    base_buf text = { 0 };
    for (uint32_t i = 0; i < result->marker_count; i++) {
        base__buf_clear(&text);
        cql__type_print(result->markers[i].type, &text);
        prepared->marker_types[i] = base__arena_str(&prepared->arena, base__buf_str(&text));
        text.failed |= !prepared->marker_types[i].data;
        if (text.failed) break;
    }
    corm_status status = base__buf_status(&text, err);
    base__buf_free(&text);
    return status;
}

static corm_status read_answer(corm_prepared *prepared, corm_error *err) {
    wire_result result;
    CORM_TRY(wire__result_read(base__buf_bytes(&prepared->answer.body),
                               session__answer_version(&prepared->answer), &prepared->arena,
                               &result, err));
    if (result.kind != WIRE_PREPARED || !prepared->wire) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "a statement was not prepared");
    }
    CORM_TRY(read_markers(prepared, &result, err));
    uint32_t          count = result.metadata.absent ? 0 : result.metadata.count;
    session_metadata *metadata =
        new_metadata(result.metadata_id, result.metadata.columns, count, err);
    if (!metadata) return CORM_NO_MEMORY;
    atomic_store(&prepared->metadata, metadata);
    prepared->reads = count > 0;
    return CORM_OK;
}

corm_prepared *session__prepared_new(corm_session *session, corm_str keyspace, corm_str text) {
    corm_prepared *prepared = calloc(1, sizeof *prepared);
    if (!prepared) return NULL;
    atomic_init(&prepared->refs, 1);
    prepared->session = session__ref(session);
    prepared->keyspace = base__arena_str(&prepared->arena, keyspace);
    prepared->text = base__arena_str(&prepared->arena, text);
    if (prepared->keyspace.data && prepared->text.data) return prepared;
    free_prepared(prepared);
    return NULL;
}

corm_status session__prepared_finish(corm_prepared *prepared, corm_error *err) {
    prepared->wire = prepared->answer.prepared;
    CORM_TRY(read_answer(prepared, err));
    link_prepared(prepared);
    return CORM_OK;
}

static corm_status ask(corm_prepared *prepared, corm_error *err) {
    session_door *door = prepared->session->door;
    wire_request  request = { .kind = WIRE_PREPARE, .text = prepared->text };
    CORM_TRY(door->ops->execute(door, prepared->keyspace, &request, &prepared->answer, err));
    return session__prepared_finish(prepared, err);
}

corm_status session__prepare(corm_session *session, corm_str keyspace, corm_str text,
                             corm_prepared **out, corm_error *err) {
    CORM_TRY(session__check_open(session, err));
    corm_prepared *prepared = session__prepared_new(session, keyspace, text);
    if (!prepared) return base__fail_memory(err);
    corm_status status = ask(prepared, err);
    if (status != CORM_OK) {
        corm_prepared_free(prepared);
        return status;
    }
    *out = prepared;
    return CORM_OK;
}

corm_status corm_prepare(corm_session *session, const char *cql, corm_prepared **out,
                         corm_error *err) {
    *out = NULL;
    corm_str keyspace = corm_str_of(corm_session_keyspace(session));
    return session__prepare(session, keyspace, corm_str_of(cql), out, err);
}

uint32_t corm_prepared_marker_count(const corm_prepared *prepared) {
    return prepared->marker_count;
}

corm_str corm_prepared_marker_name(const corm_prepared *prepared, uint32_t index) {
    return index < prepared->marker_count ? prepared->markers[index].name : corm_str_of("");
}

corm_str corm_prepared_marker_type(const corm_prepared *prepared, uint32_t index) {
    return index < prepared->marker_count ? prepared->marker_types[index] : corm_str_of("");
}

const cql_marker *session__prepared_markers(const corm_prepared *prepared, uint32_t *count) {
    *count = prepared->marker_count;
    return prepared->markers;
}

corm_status session__no_marker(const corm_prepared *prepared, corm_str name, corm_error *err) {
    corm_str nearest = { "", 0 };
    size_t   least = NAME_DISTANCE + 1;
    for (uint32_t i = 0; i < prepared->marker_count; i++) {
        size_t distance = base__edit_distance(name, prepared->markers[i].name);
        if (distance < least) nearest = prepared->markers[i].name;
        if (distance < least) least = distance;
    }
    if (nearest.len == 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the statement has no marker '%.*s'",
                          (int)name.len, name.data);
    }
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the statement has no marker '%.*s'; did you mean '%.*s'?", (int)name.len,
                      name.data, (int)nearest.len, nearest.data);
}
