// SPDX-License-Identifier: MIT
/* middleware_request.c -- what a middleware may ask of a request, and how it answers one itself. On the request's thread. */
#include <openssl/evp.h>

#include "base/fail.h"
#include "session/middleware.h"

/* ---- statements ---- */

typedef struct statement {
    corm_str                      text;     /* data NULL: prepared */
    const session_front_prepared *prepared; /* NULL: a text */
    uint32_t                      value_count;
    const cql_value              *values;
} statement;

/* False when there is none. Behind its way a request has the statements of the door behind, which nobody here can read: the ones of
 * the front are kept in the flow. */
static bool statement_at(const middleware_flow *flow, uint32_t index, statement *out) {
    const wire_request *wire = &flow->given;
    *out = (statement){ { NULL, 0 }, NULL, 0, NULL };
    if (index >= flow->request.statement_count) return false;
    if (wire->kind == WIRE_BATCH) {
        const wire_batch_item *item = &wire->batch[index];
        out->text = item->text;
        if (!item->text.data) out->prepared = session__front_prepared(item->prepared);
        out->value_count = item->value_count;
        out->values = item->values;
        return true;
    }
    out->text = wire->text;
    if (wire->kind == WIRE_EXECUTE) out->prepared = session__front_prepared(wire->prepared);
    out->value_count = wire->value_count;
    out->values = wire->values;
    return true;
}

/* The infos of texts are made when the first is asked for. */
static const corm_statement_info *text_info(middleware_flow *flow, uint32_t index, corm_str text) {
    base_arena *arena = &flow->call->arena;
    corm_error  unused;
    if (!flow->infos) {
        flow->infos = BASE_NEW_ARRAY(arena, corm_statement_info, flow->request.statement_count);
        if (!flow->infos) return NULL;
    }
    corm_statement_info *info = &flow->infos[index];
    if (info->text.data) return info;
    if (middleware__facts(text, arena, info, &unused) == CORM_NO_MEMORY) {
        info->text.data = NULL;
        return NULL;
    }
    if (info->keyspace.len == 0) info->keyspace = flow->request.keyspace;
    return info;
}

bool corm_request_statement(const corm_request *request, uint32_t index, corm_statement_info *out) {
    middleware_flow           *flow = middleware__flow(request);
    statement                  s;
    const corm_statement_info *info;
    *out = (corm_statement_info){ .text = { "", 0 }, .keyspace = { "", 0 }, .table = { "", 0 } };
    if (!statement_at(flow, index, &s)) return false;
    const middleware_prepared *own = s.prepared ? s.prepared->own : NULL;
    if (own) {
        info = &own->info;
    } else {
        info = text_info(flow, index, s.prepared ? s.prepared->text : s.text);
    }
    if (!info) return false;
    *out = *info;
    out->value_count = s.value_count;
    return true;
}

bool corm_request_value(const corm_request *request, uint32_t at, uint32_t index, corm_bytes *value,
                        corm_str *name, corm_str *type) {
    const middleware_flow *flow = middleware__flow(request);
    statement              s;
    *name = *type = (corm_str){ "", 0 };
    *value = (corm_bytes){ NULL, 0 };
    if (!statement_at(flow, at, &s) || index >= s.value_count) return false;
    if (s.values[index].len >= 0) {
        *value = (corm_bytes){ s.values[index].data, (size_t)s.values[index].len };
    }
    const middleware_prepared *own = s.prepared ? s.prepared->own : NULL;
    if (own && index < own->marker_count) {
        *name = own->markers[index].name;
        *type = own->types[index];
    }
    return true;
}

/* ---- the key of a cache ---- */

typedef struct digest {
    EVP_MD_CTX *context;
    bool        good;
} digest;

static void put(digest *self, const void *data, size_t len) {
    if (len > 0) self->good = self->good && EVP_DigestUpdate(self->context, data, len) == 1;
}

static void put_u32(digest *self, uint32_t v) {
    const uint8_t bytes[] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
                              (uint8_t)v };
    put(self, bytes, sizeof bytes);
}

static void put_part(digest *self, const void *data, size_t len) {
    put_u32(self, (uint32_t)len);
    put(self, data, len);
}

static void put_statement(digest *self, const statement *s) {
    corm_str text = s->prepared ? s->prepared->text : s->text;
    corm_str keyspace = s->prepared ? s->prepared->keyspace : (corm_str){ "", 0 };
    put_u32(self, s->prepared != NULL);
    put_part(self, keyspace.data, keyspace.len);
    put_part(self, text.data, text.len);
    put_u32(self, s->value_count);
    for (uint32_t i = 0; i < s->value_count; i++) {
        put_u32(self, (uint32_t)s->values[i].len);
        if (s->values[i].len > 0) put(self, s->values[i].data, (size_t)s->values[i].len);
    }
}

static void put_request(digest *self, const middleware_flow *flow) {
    const wire_request         *wire = &flow->given;
    const corm_request_options *options = &flow->request.options;
    statement                   s;
    put_u32(self, wire->kind);
    put_part(self, flow->request.keyspace.data, flow->request.keyspace.len);
    put_u32(self, wire->options.skip_metadata);
    put_part(self, wire->metadata_id.data, wire->metadata_id.len);
    put_u32(self, (uint32_t)options->page_size);
    put_part(self, options->paging_state.data, options->paging_state.len);
    for (uint32_t i = 0; statement_at(flow, i, &s); i++) put_statement(self, &s);
}

corm_status corm_request_key(const corm_request *request, uint8_t key[32], corm_error *err) {
    digest self = { EVP_MD_CTX_new(), true };
    if (!self.context) return base__fail_memory(err);
    self.good = EVP_DigestInit_ex(self.context, EVP_sha256(), NULL) == 1;
    put_request(&self, middleware__flow(request));
    self.good = self.good && EVP_DigestFinal_ex(self.context, key, NULL) == 1;
    EVP_MD_CTX_free(self.context);
    return self.good ? CORM_OK : base__fail_memory(err);
}

/* ---- answers ---- */

/* Of Rows: the int behind the metadata. Columns are only counted where the metadata was left out. */
uint32_t corm_request_row_count(const corm_request *request) {
    const middleware_flow *flow = middleware__flow(request);
    const wire_answer     *answer = flow->call->answer;
    base_arena             arena = { 0 };
    wire_result            result = { .row_count = 0 };
    corm_error             unused;
    if (request->status != CORM_OK || answer->body.len == 0) return 0;
    corm_status status = wire__result_read(
        base__buf_bytes(&answer->body), session__answer_version(answer), &arena, &result, &unused);
    base__arena_free(&arena);
    return status == CORM_OK && result.kind == WIRE_ROWS ? result.row_count : 0;
}

corm_bytes corm_request_answer(const corm_request *request) {
    const wire_answer *answer = middleware__flow(request)->call->answer;
    if (request->status != CORM_OK) return (corm_bytes){ NULL, 0 };
    return base__buf_bytes(&answer->body);
}

static corm_status answer_possible(const middleware_flow *flow, corm_error *err) {
    if (flow->answered) return base__fail(err, CORM_INVALID_ARGUMENT, "it was answered already");
    if (flow->request.kind != CORM_REQUEST_PREPARE) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "a prepare is answered by the store only");
}

static corm_status answered(middleware_flow *flow, corm_error *err) {
    wire_answer *answer = flow->call->answer;
    corm_status  status = base__buf_status(&answer->body, err);
    if (status != CORM_OK) wire__answer_clear(answer);
    flow->answered = status == CORM_OK;
    return status;
}

corm_status corm_request_answer_with(corm_request *request, corm_bytes bytes, corm_error *err) {
    middleware_flow *flow = middleware__flow(request);
    wire_result      result;
    CORM_TRY(answer_possible(flow, err));
    CORM_TRY(wire__result_read(bytes, WIRE_VERSION, &flow->call->arena, &result, err));
    base__buf_put(&flow->call->answer->body, bytes.data, bytes.len);
    return answered(flow, err);
}

corm_status corm_request_answer_done(corm_request *request, corm_error *err) {
    middleware_flow *flow = middleware__flow(request);
    CORM_TRY(answer_possible(flow, err));
    wire__put_void(&flow->call->answer->body);
    return answered(flow, err);
}

/* "name type" */
static corm_status read_column(base_arena *arena, const char *text, cql_result_column *out,
                               corm_error *err) {
    const char *space = strchr(text, ' ');
    if (!space) return base__fail(err, CORM_INVALID_ARGUMENT, "a column is \"name type\"");
    out->name = (corm_str){ text, (size_t)(space - text) };
    out->keyspace = out->table = (corm_str){ "", 0 };
    return cql__type_parse(arena, corm_str_of(space + 1), NULL, &out->type, err);
}

static corm_status put_cell(const cql_result_column *column, const corm_value *cell, base_buf *body,
                            corm_error *err) {
    base_buf bytes = { 0 };
    if (cell->kind == CORM_NULL || cell->kind == CORM_UNSET) {
        cql__put_value(body, CQL_NULL);
        return CORM_OK;
    }
    corm_status status = cql__encode(column->type, cell, &bytes, err);
    if (status == CORM_OK) cql__put_value(body, cql__value_of(base__buf_bytes(&bytes)));
    base__buf_free(&bytes);
    return status;
}

corm_status corm_request_answer_rows(corm_request *request, const char *const *columns,
                                     const corm_value *cells, uint32_t rows, corm_error *err) {
    middleware_flow *flow = middleware__flow(request);
    base_arena      *arena = &flow->call->arena;
    base_buf        *body = &flow->call->answer->body;
    uint32_t         count = 0;
    CORM_TRY(answer_possible(flow, err));
    while (columns[count]) count++;
    cql_result_column *described = BASE_NEW_ARRAY(arena, cql_result_column, count);
    if (!described) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(read_column(arena, columns[i], &described[i], err));
    }
    wire_rows_writer writer;
    corm_status      status = CORM_OK;
    wire__rows_begin(&writer, body, described, count, false, WIRE_VERSION);
    for (uint64_t i = 0; i < (uint64_t)rows * count && status == CORM_OK; i++) {
        status = put_cell(&described[i % count], &cells[i], body, err);
        if (i % count == count - 1) wire__row_done(&writer);
    }
    wire__rows_end(&writer, (corm_bytes){ NULL, 0 });
    if (status == CORM_OK) return answered(flow, err);
    wire__answer_clear(flow->call->answer);
    return status;
}
