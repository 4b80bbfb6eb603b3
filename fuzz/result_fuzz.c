// SPDX-License-Identifier: MIT
//
// result_fuzz.c -- the body of a RESULT message from anywhere: read, and every value of its rows
// validated, turned into a C value, text and JSON. The first byte chooses the protocol's version.
// One thread.
#include "wire/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_ROWS = 1000 };

static void use_value(const cql_type *type, cql_value value, base_arena *arena, base_buf *text) {
    corm_value decoded;
    if (cql__decode(type, value, arena, &decoded, NULL) == CORM_OK) {
        base__buf_clear(text);
        if (decoded.kind > CORM_NULL) (void)!cql__encode(type, &decoded, text, NULL);
    }
    base__buf_clear(text);
    cql__to_text(type, value, CQL_STYLE_SHELL, text);
    cql__to_text(type, value, CQL_STYLE_LITERAL, text);
    if (cql__validate(type, value, NULL) == CORM_OK) cql__to_json(type, value, text);
}

static void use_rows(wire_result *result, base_arena *arena, base_buf *text) {
    if (result->kind != WIRE_ROWS || result->metadata.absent) return;
    for (uint32_t row = 0; row < result->row_count && row < MOST_ROWS; row++) {
        for (uint32_t i = 0; i < result->metadata.count; i++) {
            cql_value value = cql__read_value(&result->rows);
            use_value(result->metadata.columns[i].type, value, arena, text);
        }
        if (result->rows.failed) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    base_arena  arena = { 0 };
    base_buf    text = { 0 };
    wire_result result;
    corm_bytes  body = { data + 1, size - 1 };
    uint8_t     version = data[0] % 2 ? 5 : 4;
    if (wire__result_read(body, version, &arena, &result, NULL) == CORM_OK) {
        for (uint32_t i = 0; i < result.metadata.count && result.metadata.columns; i++) {
            cql__type_print(result.metadata.columns[i].type, &text);
            cql__type_write_option(result.metadata.columns[i].type, version, &text);
        }
        use_rows(&result, &arena, &text);
    }
    base__buf_free(&text);
    base__arena_free(&arena);
    return 0;
}
