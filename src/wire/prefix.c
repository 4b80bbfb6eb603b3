// SPDX-License-Identifier: MIT
/* prefix.c -- what stands in front of a message: tracing id, warnings, custom payload. Native protocol v5 specification,
 * section 2.4.1.2.
 *
 *   response:  [uuid tracing id]? [string list warnings]? [bytes map payload]? message
 *   request:                                              [bytes map payload]? message
 *
 * Pure functions. */
#include "base/fail.h"
#include "wire/message.h"
#include "wire/metadata.h"

static const corm_uuid no_tracing;

static bool has_tracing(const wire_answer *answer) {
    return memcmp(&answer->tracing_id, &no_tracing, sizeof no_tracing) != 0;
}

/* What the reader went over since `from`. */
static corm_bytes passed(const base_reader *reader, base_reader from) {
    return (corm_bytes){ from.data, from.len - reader->len };
}

static corm_bytes pass_strings(base_reader *reader) {
    base_reader from = *reader;
    uint16_t    count = base__read_u16(reader);
    for (uint16_t i = 0; i < count && !reader->failed; i++) wire__read_string(reader);
    return passed(reader, from);
}

static corm_bytes pass_payload(base_reader *reader) {
    base_reader from = *reader;
    uint16_t    count = base__read_u16(reader);
    for (uint16_t i = 0; i < count && !reader->failed; i++) {
        wire__read_string(reader);
        cql__read_value(reader);
    }
    return passed(reader, from);
}

corm_status wire__prefix_read(const wire_frame *frame, wire_prefix *out, corm_error *err) {
    base_reader reader = { frame->body.data, frame->body.len, false };
    *out = (wire_prefix){ 0 };
    if (frame->response && (frame->flags & WIRE_FLAG_TRACING)) {
        corm_bytes id = base__read_bytes(&reader, sizeof out->tracing_id);
        if (!reader.failed) memcpy(&out->tracing_id, id.data, sizeof out->tracing_id);
    }
    if (frame->response && (frame->flags & WIRE_FLAG_WARNING)) {
        out->warnings = pass_strings(&reader);
    }
    if (frame->flags & WIRE_FLAG_PAYLOAD) out->payload = pass_payload(&reader);
    out->message = (corm_bytes){ reader.data, reader.len };
    if (!reader.failed) return CORM_OK;
    *out = (wire_prefix){ 0 };
    return base__fail(err, CORM_PROTOCOL_ERROR,
                      "the tracing id, warnings or payload of a message cannot be read");
}

uint8_t wire__prefix_flags(const wire_answer *answer) {
    return (uint8_t)((has_tracing(answer) ? WIRE_FLAG_TRACING : 0) |
                     (answer->warnings.len > 0 ? WIRE_FLAG_WARNING : 0) |
                     (answer->payload.len > 0 ? WIRE_FLAG_PAYLOAD : 0));
}

void wire__put_prefix(base_buf *body, const wire_answer *answer) {
    if (has_tracing(answer)) base__buf_put(body, &answer->tracing_id, sizeof answer->tracing_id);
    base__buf_put(body, answer->warnings.data, answer->warnings.len);
    base__buf_put(body, answer->payload.data, answer->payload.len);
}

/* ---- payloads ---- */

void wire__put_payload(base_buf *body, const wire_payload_item *items, uint32_t count) {
    uint16_t most = count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
    base__buf_u16(body, most);
    for (uint16_t i = 0; i < most; i++) {
        wire__put_string(body, items[i].name);
        cql__put_value(body, items[i].value);
    }
}

uint32_t wire__payload_count(corm_bytes payload) {
    return payload.len < 2 ? 0 : base__load_u16(payload.data);
}

bool wire__payload_item(corm_bytes payload, uint32_t index, wire_payload_item *out) {
    base_reader reader = { payload.data, payload.len, false };
    if (index >= wire__payload_count(payload)) return false;
    base__read_u16(&reader);
    for (uint32_t i = 0; i <= index && !reader.failed; i++) {
        out->name = wire__read_string(&reader);
        out->value = cql__read_value(&reader);
    }
    return !reader.failed;
}
