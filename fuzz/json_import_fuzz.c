// SPDX-License-Identifier: MIT
/* json_import_fuzz.c -- any bytes as lines of a JSON import: objects are cut, each value is read as a type that the first byte
 * chooses, and what was read is written so that it reads back. */
#include <stdlib.h>

#include "stream/json_value.h"
#include "stream/jsonl.h"

static const char *const types[] = {
    "text",
    "int",
    "double",
    "decimal",
    "varint",
    "timestamp",
    "date",
    "duration",
    "blob",
    "inet",
    "list<text>",
    "map<text, frozen<list<int>>>",
    "set<float>",
    "tuple<int, text>",
    "vector<float, 2>",
    "boolean",
};
enum { TYPE_COUNT = sizeof types / sizeof types[0] };

static void must(bool holds) {
    if (!holds) abort();
}

/* Bytes that mean the same, as any byte but 0 is true, are the same value. */
static void must_be_same(const cql_type *type, cql_value a, cql_value b) {
    base_buf first = { 0 }, second = { 0 };
    cql__to_text(type, a, CQL_STYLE_SHELL, &first);
    cql__to_text(type, b, CQL_STYLE_SHELL, &second);
    must(corm_str_equal(base__buf_str(&first), base__buf_str(&second)));
    base__buf_free(&first);
    base__buf_free(&second);
}

static void check_value(const cql_type *type, corm_str json) {
    base_buf   bytes = { 0 }, text = { 0 }, again = { 0 };
    bool       is_null = false;
    corm_error error = { 0 };
    bool       read = stream__read_json_value(type, json, &bytes, &is_null, &error) == CORM_OK;
    cql_value  value = { bytes.data, (int32_t)bytes.len };
    if (!value.data) value.data = (const uint8_t *)"";
    if (read && !is_null && cql__validate(type, value, NULL) == CORM_OK) {
        stream__put_json_value(type, value, &text);
        must(stream__read_json_value(type, base__buf_str(&text), &again, &is_null, &error) ==
             CORM_OK);
        must(!is_null);
        must_be_same(
            type, value,
            (cql_value){ again.data ? again.data : (const uint8_t *)"", (int32_t)again.len });
    }
    base__buf_free(&bytes);
    base__buf_free(&text);
    base__buf_free(&again);
}

static void check_line(const cql_type *type, corm_str line) {
    base_arena     arena = { 0 };
    stream_member *members;
    uint32_t       count;
    corm_error     error = { 0 };
    if (stream__json_split(line, &arena, &members, &count, &error) == CORM_OK)
        for (uint32_t i = 0; i < count; i++) check_value(type, members[i].value);
    base__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    base_arena      arena = { 0 };
    const cql_type *type;
    corm_error      error = { 0 };
    if (size < 2) return 0;
    must(cql__type_parse(&arena, corm_str_of(types[data[0] % TYPE_COUNT]), NULL, &type, &error) ==
         CORM_OK);
    corm_str rest = { (const char *)data + 1, size - 1 };
    while (rest.len) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t      len = end ? (size_t)(end - rest.data) : rest.len;
        check_line(type, (corm_str){ rest.data, len });
        rest.data += len + (end != NULL);
        rest.len -= len + (end != NULL);
    }
    base__arena_free(&arena);
    return 0;
}
