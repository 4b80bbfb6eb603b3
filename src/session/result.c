// SPDX-License-Identifier: MIT
/* result.c -- what a statement answered: one page of rows, read from the answer's bytes in place.
 *
 * Owns the answer and an arena for what is made from it. When there is a next page it also owns a
 * copy of the request, and perhaps the task that asks for it already. What is freed goes to the session's spares with its memory. One thread at a time. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/core.h"
#include "wire/message.h"

static void drop_next_page(corm_result *result) {
    if (result->ahead) {
        corm_task_cancel(result->ahead);
        corm_task_free(result->ahead);
        result->ahead = NULL;
    }
    if (!result->has_next) return;
    session__request_reset(&result->next_page);
    result->has_next = false;
}

void session__result_destroy(session_spare *spare) {
    corm_result *result = (corm_result *)spare;
    wire__answer_free(&result->answer);
    wire__answer_free(&result->other);
    base__arena_free(&result->arena);
    session__request_clear(&result->next_page);
    free(result);
}

/* Empties it; everything but its memory is as in a new one. */
static void empty(corm_result *result) {
    drop_next_page(result);
    corm_prepared_free(result->prepared);
    wire__answer_clear(&result->answer);
    if (result->paged) wire__answer_clear(&result->other);
    base__arena_reset(&result->arena);
    result->prepared = NULL;
    result->wire = (wire_result){ .kind = WIRE_VOID };
    result->row = (corm_row){ NULL, NULL };
    result->rows_left = 0;
    result->column_types = NULL;
    result->session = NULL;
}

static size_t bytes_of_answer(const wire_answer *answer) {
    return answer->body.cap + answer->warnings.cap + answer->payload.cap;
}

void corm_result_free(corm_result *result) {
    if (!result) return;
    corm_session *session = result->session;
    empty(result);
    size_t bytes = bytes_of_answer(&result->answer) + result->arena.total;
    if (result->paged) {
        bytes += bytes_of_answer(&result->other) + result->next_page.arena.total;
    }
    if (!session__spare_keep(session, SESSION_SPARE_RESULT, &result->spare, bytes)) {
        session__result_destroy(&result->spare);
    }
    session__unref(session);
}

corm_result *session__result_new(corm_session *session) {
    corm_result *result = (corm_result *)session__spare_take(session, SESSION_SPARE_RESULT);
    if (!result) result = calloc(1, sizeof *result);
    if (result) result->session = session__ref(session);
    return result;
}

static corm_status keep_request(corm_result *result, const session_request *request,
                                corm_error *err) {
    result->has_next = result->paged = true;
    return session__request_copy(request, &result->next_page, err);
}

/* Gives an answer without metadata the columns that the request was made with. */
static corm_status take_columns(corm_result *result, const session_request *request,
                                corm_error *err) {
    wire_metadata *metadata = &result->wire.metadata;
    if (metadata->changed && request->prepared) {
        return session__prepared_changed(request->prepared, metadata, err);
    }
    if (!metadata->absent) return CORM_OK;
    const session_metadata *known = request->metadata;
    if (!known || known->count != metadata->count) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "the answer's columns are not described");
    }
    metadata->columns = (cql_result_column *)(uintptr_t)known->columns;
    if (!result->prepared) result->prepared = session__prepared_ref(request->prepared);
    return CORM_OK;
}

static corm_status make_row(corm_result *result, corm_error *err) {
    uint32_t count = result->wire.metadata.count;
    result->row.result = result;
    result->row.values = result->few;
    if (count > SESSION_FEW_COLUMNS) {
        result->row.values = base__arena_alloc(&result->arena, count * sizeof(cql_value));
        if (!result->row.values) return base__fail_memory(err);
    }
    return CORM_OK;
}

static corm_status read_answer(corm_result *result, const session_request *request,
                               corm_error *err) {
    CORM_TRY(wire__result_read(base__buf_bytes(&result->answer.body),
                               session__answer_version(&result->answer), &result->arena,
                               &result->wire, err));
    result->column_types = NULL;
    if (result->wire.kind != WIRE_ROWS) {
        result->wire.metadata.count = 0;
        return CORM_OK;
    }
    CORM_TRY(take_columns(result, request, err));
    corm_result_rewind(result);
    return make_row(result, err);
}

corm_status session__result_read(corm_result *result, const session_request *request,
                                 corm_error *err) {
    CORM_TRY(read_answer(result, request, err));
    return result->wire.metadata.has_more ? keep_request(result, request, err) : CORM_OK;
}

/* ---- pages ---- */

bool corm_result_has_more(const corm_result *result) {
    return result->has_next;
}

corm_bytes corm_result_paging_state(const corm_result *result) {
    return result->wire.metadata.paging_state;
}

/* Into `other`: the rows of this page stay when it fails. */
static corm_status ask_next_page(corm_result *result, corm_error *err) {
    session_request *request = &result->next_page;
    session_door    *door = result->session->door;
    request->wire.options.paging_state = result->wire.metadata.paging_state;
    wire__answer_clear(&result->other);
    return door->ops->execute(door, request->keyspace, &request->wire, &result->other, err);
}

/* The same, asked for before. What failed is asked for anew the next time. */
static corm_status take_ahead(corm_result *result, corm_error *err) {
    corm_status status = session__task_take(result->ahead, &result->other, err);
    if (status == CORM_WOULD_DEADLOCK) return status;
    corm_task_free(result->ahead);
    result->ahead = NULL;
    return status;
}

/* Who steps through a page, or has fetched one, will want the next: a cluster reads it meanwhile, and no more than it. */
static void ask_ahead(corm_result *result) {
    corm_error err;
    if (result->ahead || !result->has_next || !result->next_page.reads_ahead) return;
    if (session__check_open(result->session, &err) != CORM_OK) return;
    result->next_page.wire.options.paging_state = result->wire.metadata.paging_state;
    result->ahead =
        session__task_run(result->session, CORM_OK, &result->next_page, false, NULL, NULL, &err);
}

/* Nothing of the old page is left when reading the new one fails: it then has no rows. */
static corm_status take_page(corm_result *result, corm_error *err) {
    wire_answer old = result->answer;
    base__arena_reset(&result->arena);
    result->answer = result->other;
    result->other = old;
    result->rows_left = 0;
    corm_status status = read_answer(result, &result->next_page, err);
    if (status != CORM_OK) result->wire = (wire_result){ .kind = WIRE_VOID };
    if (!result->wire.metadata.has_more) drop_next_page(result);
    return status;
}

corm_status corm_result_fetch(corm_result *result, corm_error *err) {
    if (!result->has_next) return base__fail(err, CORM_NOT_FOUND, "there is no next page");
    CORM_TRY(session__check_open(result->session, err));
    CORM_TRY(result->ahead ? take_ahead(result, err) : ask_next_page(result, err));
    CORM_TRY(take_page(result, err));
    ask_ahead(result);
    return CORM_OK;
}

void session__result_ahead(corm_result *result) {
    ask_ahead(result);
}

corm_status corm_result_step(corm_result *result, const corm_row **row, corm_error *err) {
    ask_ahead(result);
    for (;;) {
        *row = corm_result_next(result);
        if (*row || !result->has_next) return CORM_OK;
        CORM_TRY(corm_result_fetch(result, err));
    }
}

/* ---- rows ---- */

uint32_t corm_result_row_count(const corm_result *result) {
    return result->wire.row_count;
}

void corm_result_rewind(corm_result *result) {
    result->next_row = result->wire.rows;
    result->rows_left = result->wire.row_count;
}

/* As cql__read_value for each column, but the place stays in registers: most of what a page costs is this. */
static bool read_cells(base_reader *reader, cql_value *cells, uint32_t count) {
    const uint8_t *at = reader->data, *end = at + reader->len;
    for (uint32_t i = 0; i < count; i++) {
        if (end - at < 4) return false;
        int32_t len = (int32_t)base__load_u32(at);
        at += 4;
        if (len < -2 || len > end - at) return false;
        cells[i] = (cql_value){ len < 0 ? NULL : at, len };
        if (len > 0) at += len;
    }
    reader->data = at;
    reader->len = (size_t)(end - at);
    return true;
}

/* A row that is cut off is none: the reader fails, and so does the rest of the page. */
const corm_row *corm_result_next(corm_result *result) {
    if (result->rows_left == 0) return NULL;
    result->rows_left--;
    uint32_t count = result->wire.metadata.count;
    if (read_cells(&result->next_row, result->row.values, count)) return &result->row;
    result->rows_left = 0;
    return NULL;
}

bool corm_result_applied(const corm_result *result) {
    const wire_metadata *metadata = &result->wire.metadata;
    if (metadata->count == 0 || result->wire.row_count == 0) return true;
    const cql_result_column *first = &metadata->columns[0];
    if (first->type->id != CQL_BOOLEAN || !corm_str_equal(first->name, corm_str_of("[applied]"))) {
        return true;
    }
    base_reader rows = result->wire.rows;
    cql_value   applied = cql__read_value(&rows);
    return applied.len == 1 && applied.data[0] != 0;
}

/* ---- columns ---- */

uint32_t corm_result_column_count(const corm_result *result) {
    return result->wire.metadata.count;
}

corm_str corm_result_column_name(const corm_result *result, uint32_t index) {
    const wire_metadata *metadata = &result->wire.metadata;
    return index < metadata->count ? metadata->columns[index].name : corm_str_of("");
}

int corm_result_column_index(const corm_result *result, const char *name) {
    const wire_metadata *metadata = &result->wire.metadata;
    for (uint32_t i = 0; i < metadata->count; i++) {
        if (corm_str_equal(metadata->columns[i].name, corm_str_of(name))) return (int)i;
    }
    return -1;
}

static corm_str print_type(corm_result *result, const cql_type *type) {
    base_buf text = { 0 };
    cql__type_print(type, &text);
    corm_str out = base__arena_str(&result->arena, base__buf_str(&text));
    base__buf_free(&text);
    return out.data ? out : corm_str_of("");
}

/* Printed when first asked for; that changes nothing that the caller can see. */
corm_str corm_result_column_type(const corm_result *result, uint32_t index) {
    corm_result         *own = (corm_result *)(uintptr_t)result;
    const wire_metadata *metadata = &result->wire.metadata;
    if (index >= metadata->count) return corm_str_of("");
    if (!own->column_types) {
        own->column_types = BASE_NEW_ARRAY(&own->arena, corm_str, metadata->count);
        if (!own->column_types) return corm_str_of("");
    }
    corm_str *type = &own->column_types[index];
    if (!type->data) *type = print_type(own, metadata->columns[index].type);
    return *type;
}

uint32_t corm_result_warning_count(const corm_result *result) {
    return wire__warning_count(&result->answer);
}

corm_str corm_result_warning(const corm_result *result, uint32_t index) {
    return wire__warning(&result->answer, index);
}

corm_uuid corm_result_tracing_id(const corm_result *result) {
    return result->answer.tracing_id;
}

uint32_t corm_result_payload_count(const corm_result *result) {
    return wire__payload_count(base__buf_bytes(&result->answer.payload));
}

corm_str corm_result_payload_name(const corm_result *result, uint32_t index) {
    wire_payload_item item;
    bool found = wire__payload_item(base__buf_bytes(&result->answer.payload), index, &item);
    return found ? item.name : corm_str_of("");
}

corm_bytes corm_result_payload_value(const corm_result *result, uint32_t index) {
    wire_payload_item item;
    bool found = wire__payload_item(base__buf_bytes(&result->answer.payload), index, &item);
    if (!found || item.value.len < 0) return (corm_bytes){ NULL, 0 };
    return (corm_bytes){ item.value.data, (size_t)item.value.len };
}

const wire_result *session__result_wire(const corm_result *result) {
    return &result->wire;
}

const cql_result_column *session__result_columns(const corm_result *result, uint32_t *count) {
    *count = result->wire.metadata.count;
    return result->wire.metadata.columns;
}
