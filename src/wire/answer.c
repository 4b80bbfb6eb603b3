// SPDX-License-Identifier: MIT
/* answer.c -- an answer's buffers and its warnings.
 *
 * The warnings are a protocol [string list]: [short n] and n times [short length][bytes]. */
#include "wire/metadata.h"

void wire__answer_clear(wire_answer *answer) {
    base__buf_clear(&answer->body);
    base__buf_clear(&answer->warnings);
    base__buf_clear(&answer->payload);
    answer->version = 0;
    answer->tracing_id = (corm_uuid){ { 0 } };
    answer->prepared = NULL;
}

void wire__answer_free(wire_answer *answer) {
    base__buf_free(&answer->body);
    base__buf_free(&answer->warnings);
    base__buf_free(&answer->payload);
    *answer = (wire_answer){ 0 };
}

uint32_t wire__warning_count(const wire_answer *answer) {
    return answer->warnings.len < 2 ? 0 : base__load_u16(answer->warnings.data);
}

void wire__add_warning(wire_answer *answer, corm_str text) {
    base_buf *list = &answer->warnings;
    uint32_t  count = wire__warning_count(answer);
    if (count == UINT16_MAX) return;
    if (list->len == 0) base__buf_u16(list, 0);
    wire__put_string(list, text);
    if (!list->failed) base__store_u16(list->data, (uint16_t)(count + 1));
}

corm_str wire__warning(const wire_answer *answer, uint32_t index) {
    if (index >= wire__warning_count(answer)) return (corm_str){ "", 0 };
    base_reader reader = { answer->warnings.data + 2, answer->warnings.len - 2, false };
    for (uint32_t i = 0; i < index; i++) wire__read_string(&reader);
    return wire__read_string(&reader);
}
