// SPDX-License-Identifier: MIT
/* fake_request.c -- PREPARE, QUERY, EXECUTE and BATCH: chance first, then rules, then what a node does by itself.
 *
 * The fake's thread. Everything about one request lives in an arena that is freed when its answer is made. */
#include "testing/fake.h"

/* A request while it is answered. */
typedef struct asked {
    fake_conn        *conn;
    const wire_frame *frame;
    base_arena        arena;
    wire_request_read read;
    uint32_t          count; /* of texts: 1, or as many as the batch has */
    corm_str         *written;
    fake_text        *texts;
    fake_answer      *answer;
    corm_bytes        unknown; /* id that is not prepared; data NULL: none */
    corm_error        err;
} asked;

static corm_str keyspace_of(const asked *all) {
    corm_str given = all->read.request.options.keyspace;
    return given.data ? given : all->conn->keyspace;
}

/* ---- reading ---- */

static corm_status resolve(asked *all, uint32_t at, corm_str text, corm_bytes id) {
    corm_str keyspace = keyspace_of(all);
    if (!text.data) {
        const fake_statement *statement = fake__prepared_find(all->conn->node, id);
        if (!statement) {
            all->unknown = id.data ? id : (corm_bytes){ (const uint8_t *)"", 0 };
            return CORM_OK;
        }
        text = statement->text;
        keyspace = statement->keyspace;
    }
    all->written[at] = text;
    return fake__text_read(&all->arena, text, keyspace, &all->texts[at], &all->err);
}

static corm_status resolve_all(asked *all) {
    const wire_request *request = &all->read.request;
    all->count = request->kind == WIRE_BATCH ? request->batch_count : 1;
    all->written = BASE_NEW_ARRAY(&all->arena, corm_str, all->count + 1);
    all->texts = BASE_NEW_ARRAY(&all->arena, fake_text, all->count + 1);
    if (!all->written || !all->texts) return base__fail_memory(&all->err);
    if (request->kind != WIRE_BATCH) {
        bool executes = request->kind == WIRE_EXECUTE;
        return resolve(all, 0, executes ? (corm_str){ 0 } : request->text,
                       all->read.prepared_id.id);
    }
    for (uint32_t i = 0; i < all->count && !all->unknown.data; i++) {
        CORM_TRY(resolve(all, i, request->batch[i].text, all->read.ids[i].id));
    }
    return CORM_OK;
}

/* ---- answers that a node gives by itself ---- */

static void answer_unprepared(asked *all, corm_bytes id) {
    wire_error error = { .code = 0x2500,
                         .status = CORM_UNPREPARED,
                         .message = corm_str_of("Prepared query with such an id not found"),
                         .unprepared_id = id };
    all->conn->node->counts.unprepared++;
    fake__answer_error(all->answer, &error);
}

static void answer_applied(asked *all) {
    static const uint8_t yes[] = { 1 };
    cql_result_column    column = { .name = corm_str_of("[applied]"),
                                    .type = cql__type_native(CQL_BOOLEAN) };
    fake_shape           shape = { 0 };
    wire_rows_writer     writer;
    wire_request         request = all->read.request;
    base_buf            *body = &all->answer->answer.body;
    request.options.skip_metadata = false; /* nothing was said of it at PREPARE */
    if (fake__shape_columns(&all->arena, &column, 1, &all->texts[0], &shape, &all->err) !=
        CORM_OK) {
        fake__answer_fail(all->answer, CORM_SERVER_ERROR, all->err.message);
        return;
    }
    fake__rows_begin(&writer, body, &shape, &request, all->conn->version);
    cql__put_value(body, (cql_value){ yes, sizeof yes });
    wire__row_done(&writer);
    wire__rows_end(&writer, (corm_bytes){ 0 });
}

static corm_status answer_select(asked *all) {
    fake_shape       shape;
    wire_rows_writer writer;
    base_buf        *body = &all->answer->answer.body;
    const fake_text *text = &all->texts[0];
    CORM_TRY(fake__shape(all->conn->node, &all->arena, text, all->written[0], &shape, &all->err));
    if (text->is_system) {
        return fake__select_rows(all->conn->node, &all->arena, text, &all->read.request, &shape,
                                 all->conn->version, body, &all->err);
    }
    fake__rows_begin(&writer, body, &shape, &all->read.request, all->conn->version);
    wire__rows_end(&writer, (corm_bytes){ 0 });
    return CORM_OK;
}

static bool is_lwt(const asked *all) {
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->texts[i].is_lwt) return true;
    }
    return false;
}

static void answer_default(asked *all) {
    const fake_text *text = &all->texts[0];
    bool             batch = all->read.request.kind == WIRE_BATCH;
    corm_status      status = CORM_OK;
    if (!batch && text->kind == FAKE_SELECT)
        status = answer_select(all);
    else if (!batch && text->kind == FAKE_USE)
        fake__use(all->conn, text, all->answer);
    else if (!batch && text->kind == FAKE_SCHEMA)
        fake__ddl(all->conn, text, all->answer);
    else if (is_lwt(all))
        answer_applied(all);
    else
        wire__put_void(&all->answer->answer.body);
    if (status != CORM_OK) fake__answer_fail(all->answer, status, all->err.message);
}

/* ---- PREPARE ---- */

static void put_prepared(asked *all, const fake_statement *statement, const fake_shape *shape) {
    static const uint16_t first[] = { 0 };
    base_buf             *body = &all->answer->answer.body;
    corm_bytes            id = { statement->id, FAKE_ID_BYTES };
    corm_bytes            metadata = { shape->metadata_id, FAKE_ID_BYTES };
    uint32_t              keys = shape->marker_count > 0 && all->texts[0].table.len > 0;
    wire__put_prepared(body, id, metadata, shape->markers, shape->marker_count, first, keys,
                       shape->columns, shape->column_count, all->conn->version);
    if (!all->texts[0].is_lwt || all->conn->node->fake->options.shards == 0 || body->failed) return;
    /* ScyllaDB's mark, the highest bit of the flags behind kind and ids. */
    size_t at = 4 + 2 + FAKE_ID_BYTES + (all->conn->version >= 5 ? 2 + FAKE_ID_BYTES : 0);
    body->data[at] |= 0x80;
}

static corm_status prepare(asked *all) {
    fake_shape      shape;
    fake_node      *node = all->conn->node;
    fake_statement *statement = fake__prepared_add(node, keyspace_of(all), all->written[0]);
    if (!statement) return base__fail_memory(&all->err);
    CORM_TRY(fake__shape(node, &all->arena, &all->texts[0], all->written[0], &shape, &all->err));
    put_prepared(all, statement, &shape);
    return CORM_OK;
}

static void answer_prepare(asked *all) {
    corm_status status = prepare(all);
    if (status != CORM_OK) fake__answer_fail(all->answer, status, all->err.message);
}

/* ---- rules ---- */

static void answer_rows(asked *all, const fake_rule *rule) {
    fake_shape  shape = { 0 };
    corm_status status = fake__shape_columns(&all->arena, rule->columns, rule->column_count,
                                             &all->texts[0], &shape, &all->err);
    if (status != CORM_OK)
        fake__answer_fail(all->answer, status, all->err.message);
    else
        fake__rule_rows(rule, &all->read.request, &shape, all->conn->version,
                        &all->answer->answer.body);
}

static void forget_asked(asked *all) {
    fake_node      *node = all->conn->node;
    fake_statement *statement = NULL;
    if (all->read.prepared_id.id.data) {
        statement = fake__prepared_find(node, all->read.prepared_id.id);
    }
    if (statement) fake__prepared_remove(node, statement);
}

/* False: the rule says that there is no answer. */
static bool answer_by_rule(asked *all, const fake_rule *rule) {
    const corm_fake_rule *given = &rule->given;
    bool                  prepares = all->read.request.kind == WIRE_PREPARE;
    if (given->close_connection) fake__conn_close(all->conn);
    if (given->no_answer || given->close_connection) return false;
    if (rule->broken)
        fake__answer_fail(all->answer, CORM_SERVER_ERROR, rule->broken);
    else if (given->error)
        fake__rule_error(rule, &all->read, all->answer);
    else if (prepares)
        answer_prepare(all);
    else if (given->columns)
        answer_rows(all, rule);
    else
        answer_default(all);
    if (given->error == CORM_UNPREPARED) forget_asked(all);
    if (given->warning) wire__add_warning(&all->answer->answer, corm_str_of(given->warning));
    all->answer->twice |= given->answer_twice;
    return true;
}

/* ---- chance ---- */

/* The first id that the request has, for which chance says UNPREPARED. */
static corm_bytes some_id(asked *all) {
    if (all->read.prepared_id.id.data) return all->read.prepared_id.id;
    for (uint32_t i = 0; all->read.request.kind == WIRE_BATCH && i < all->count; i++) {
        if (all->read.ids[i].id.data) return all->read.ids[i].id;
    }
    return (corm_bytes){ 0 };
}

static bool answer_by_chance(asked *all, const fake_fate *fate) {
    corm_bytes id = some_id(all);
    if (fate->unprepared && id.data) {
        answer_unprepared(all, id);
        fake_statement *statement = fake__prepared_find(all->conn->node, id);
        if (statement) fake__prepared_remove(all->conn->node, statement);
        return true;
    }
    if (!fate->overloaded || all->read.request.kind == WIRE_PREPARE || all->texts[0].is_system) {
        return false;
    }
    fake__answer_fail(all->answer, CORM_OVERLOADED, "the fake node is overloaded");
    return true;
}

/* ---- all of it ---- */

static void count(asked *all) {
    corm_fake_counts *counts = &all->conn->node->counts;
    bool              batch = all->read.request.kind == WIRE_BATCH;
    if (all->read.request.kind == WIRE_PREPARE)
        counts->prepares++;
    else if (!batch && all->texts[0].is_system)
        counts->system_reads++;
    else if (!batch && all->texts[0].kind == FAKE_USE)
        counts->uses++;
    else
        fake__saw(all->conn, all->frame, &all->read, all->written, all->count);
}

static void put_beside(asked *all) {
    wire_prefix prefix;
    fake_node  *node = all->conn->node;
    if (all->frame->flags & WIRE_FLAG_TRACING) {
        base__store_u64(all->answer->answer.tracing_id.bytes,
                        fake__mix(node->answers, node->index));
        all->answer->answer.tracing_id.bytes[8] = 0x80;
    }
    if (all->frame->flags & WIRE_FLAG_PAYLOAD &&
        wire__prefix_read(all->frame, &prefix, &all->err) == CORM_OK) {
        base__buf_put(&all->answer->answer.payload, prefix.payload.data, prefix.payload.len);
    }
}

/* Fills the answer; false when none is given. */
static bool decide(asked *all, const fake_fate *fate, uint32_t *delay_ms) {
    if (all->unknown.data) {
        answer_unprepared(all, all->unknown);
        return true;
    }
    bool prepares = all->read.request.kind == WIRE_PREPARE;
    if (answer_by_chance(all, fate)) return true;
    fake_rule *rule =
        fake__rule_take(all->conn->node, prepares, all->texts, all->written, all->count);
    if (rule) {
        *delay_ms += rule->given.delay_ms;
        return answer_by_rule(all, rule);
    }
    if (prepares)
        answer_prepare(all);
    else
        answer_default(all);
    return true;
}

static void deliver(asked *all) {
    fake_fate fate = fake__fate(all->conn->node);
    uint32_t  delay_ms = fate.delay_ms;
    if (fate.close) fake__conn_close(all->conn);
    bool given = !fate.close && decide(all, &fate, &delay_ms);
    if (!given || fate.drop || all->conn->closing) {
        fake__answer_free(all->answer);
        return;
    }
    put_beside(all);
    all->answer->how = fate.how;
    all->answer->twice |= fate.twice;
    fake__answer_send(all->answer, delay_ms);
}

void fake__request(fake_conn *conn, const wire_frame *frame) {
    asked all = { .conn = conn, .frame = frame };
    all.answer = fake__answer_new(conn, frame->stream);
    if (!all.answer) return;
    corm_status status = wire__request_read(frame, &all.arena, &all.read, &all.err);
    if (status == CORM_OK) status = resolve_all(&all);
    if (status != CORM_OK) {
        fake__answer_fail(all.answer, CORM_PROTOCOL_ERROR, all.err.message);
        fake__answer_send(all.answer, 0);
    } else {
        count(&all);
        deliver(&all);
    }
    base__arena_free(&all.arena);
}
