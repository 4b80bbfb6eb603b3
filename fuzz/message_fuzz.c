// SPDX-License-Identifier: MIT
//
// message_fuzz.c -- bodies of messages from anywhere: requests, errors, events, what stands in front of a message, maps and
// lists. What parses is written again, and that must read as the same and be written as the same bytes. The first byte is
// the opcode, the second the protocol's version and the flags. One thread.
#include <stdlib.h>

#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A batch's items and an EXECUTE find their ids by the statement's address in this array. */
struct wire_prepared {
    wire_prepared_id id;
};

static wire_prepared_id id_of(void *context, const wire_prepared *prepared) {
    (void)context;
    return prepared->id;
}

static void *must(void *p) {
    if (!p) abort();
    return p;
}

/* The request that was read, with statements where ids were. */
static wire_request with_statements(const wire_request_read *read, base_arena *arena) {
    wire_request request = read->request;
    if (request.kind == WIRE_EXECUTE) {
        wire_prepared *prepared = must(BASE_NEW(arena, wire_prepared));
        prepared->id = read->prepared_id;
        request.prepared = prepared;
    }
    if (request.kind != WIRE_BATCH) return request;
    wire_batch_item *items = must(BASE_NEW_ARRAY(arena, wire_batch_item, request.batch_count));
    wire_prepared   *prepared = must(BASE_NEW_ARRAY(arena, wire_prepared, request.batch_count));
    for (uint32_t i = 0; i < request.batch_count; i++) {
        items[i] = request.batch[i];
        prepared[i].id = read->ids[i];
        items[i].prepared = &prepared[i];
    }
    request.batch = items;
    return request;
}

/* Reads the frame's request and writes it to *out; false when it is none. */
static bool rewrite(const wire_frame *frame, base_arena *arena, base_buf *out) {
    wire_request_read read;
    if (wire__request_read(frame, arena, &read, NULL) != CORM_OK) return false;
    wire_request request = with_statements(&read, arena);
    corm_status  status = wire__put_request(out, &request, frame->version, id_of, NULL, NULL);
    if (status == CORM_INVALID && frame->version < 4) return false;
    if (status != CORM_OK || out->failed) abort();
    if (wire__request_opcode(&request) != frame->opcode) abort();
    return true;
}

static void same(const base_buf *a, const base_buf *b) {
    if (a->len != b->len || (a->len > 0 && memcmp(a->data, b->data, a->len) != 0)) abort();
}

static void try_request(wire_frame frame) {
    base_arena arena = { 0 };
    base_buf   once = { 0 }, twice = { 0 };
    frame.response = false;
    if (rewrite(&frame, &arena, &once)) {
        wire_prefix prefix;
        if (wire__prefix_read(&frame, &prefix, NULL) != CORM_OK) abort();
        if (wire__payload_count(prefix.payload) == 0) frame.flags &= (uint8_t)~WIRE_FLAG_PAYLOAD;
        frame.body = base__buf_bytes(&once);
        if (!rewrite(&frame, &arena, &twice)) abort();
        same(&once, &twice);
    }
    base__buf_free(&once);
    base__buf_free(&twice);
    base__arena_free(&arena);
}

static void try_error(corm_bytes body, uint8_t version) {
    base_buf   once = { 0 }, twice = { 0 };
    wire_error error;
    corm_error err;
    if (wire__error_read(body, version, &error, NULL) != CORM_OK) return;
    wire__error_report(&error, &err);
    bool is_large = error.failures > 1000 && error.reasons.len == 0;
    if (error.failures < 0 || is_large) return;
    wire__put_error(&once, &error, version);
    if (wire__error_read(base__buf_bytes(&once), version, &error, NULL) != CORM_OK) abort();
    wire__put_error(&twice, &error, version);
    same(&once, &twice);
    base__buf_free(&once);
    base__buf_free(&twice);
}

static void try_event(corm_bytes body) {
    base_buf   once = { 0 }, twice = { 0 };
    wire_event event;
    if (wire__event_read(body, &event, NULL) != CORM_OK) return;
    wire__put_event(&once, &event);
    if (wire__event_read(base__buf_bytes(&once), &event, NULL) != CORM_OK) abort();
    wire__put_event(&twice, &event);
    same(&once, &twice);
    base__buf_free(&once);
    base__buf_free(&twice);
}

static void try_prefix(const wire_frame *frame) {
    wire_prefix       prefix;
    wire_payload_item item;
    wire_answer       answer = { 0 };
    base_buf          out = { 0 };
    if (wire__prefix_read(frame, &prefix, NULL) != CORM_OK) return;
    base__buf_put(&answer.warnings, prefix.warnings.data, prefix.warnings.len);
    base__buf_put(&answer.payload, prefix.payload.data, prefix.payload.len);
    answer.tracing_id = prefix.tracing_id;
    for (uint32_t i = 0; i < wire__warning_count(&answer); i++) wire__warning(&answer, i);
    for (uint32_t i = 0; i < wire__payload_count(prefix.payload); i++) {
        if (!wire__payload_item(prefix.payload, i, &item)) abort();
    }
    wire__put_prefix(&out, &answer);
    base__buf_put(&out, prefix.message.data, prefix.message.len);
    size_t dropped = wire__prefix_flags(&answer) & WIRE_FLAG_TRACING ? 0 : sizeof(corm_uuid);
    if (out.len != frame->body.len && out.len + dropped != frame->body.len) abort();
    wire__answer_free(&answer);
    base__buf_free(&out);
}

static void try_multimap(corm_bytes body) {
    wire_multimap map;
    wire_pair     pair;
    size_t        values = 0;
    wire__multimap_begin(&map, body);
    while (wire__multimap_next(&map, &pair)) values += 1 + pair.name.len + pair.value.len;
    if (values > 70000 + body.len * 65536) abort();
}

static void try_lists(corm_bytes body) {
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    wire_pair *pairs = NULL;
    corm_str  *texts = NULL;
    corm_bytes bytes;
    corm_str   text;
    uint32_t   count = 0;
    if (wire__read_string_map(body, &arena, &pairs, &count, NULL) == CORM_OK) {
        wire__put_startup(&out, pairs, count);
        if (out.len > body.len || memcmp(out.data, body.data, out.len) != 0) abort();
    }
    base__buf_clear(&out);
    if (wire__read_string_list(body, &arena, &texts, &count, NULL) == CORM_OK) {
        wire__put_string_list(&out, texts, count);
        if (out.len > body.len || memcmp(out.data, body.data, out.len) != 0) abort();
    }
    if (wire__read_bytes_body(body, &bytes, NULL) == CORM_OK && bytes.len > body.len) abort();
    if (wire__read_text_body(body, &text, NULL) == CORM_OK && text.len > body.len) abort();
    base__buf_free(&out);
    base__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    wire_frame frame = { .version = (uint8_t)(3 + (data[1] & 3) % 3),
                         .response = (data[1] & 0x80) != 0,
                         .flags = data[1] >> 2 & 0x0E,
                         .opcode = data[0],
                         .body = { data + 2, size - 2 } };
    if (frame.response) try_prefix(&frame);
    switch (frame.opcode) {
    case WIRE_OP_QUERY:
    case WIRE_OP_PREPARE:
    case WIRE_OP_EXECUTE:
    case WIRE_OP_BATCH: try_request(frame); break;
    case WIRE_OP_ERROR: try_error(frame.body, frame.version); break;
    case WIRE_OP_EVENT: try_event(frame.body); break;
    case WIRE_OP_SUPPORTED: try_multimap(frame.body); break;
    default: try_lists(frame.body); break;
    }
    return 0;
}
