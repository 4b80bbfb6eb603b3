// SPDX-License-Identifier: MIT
/* csv_fuzz.c -- any bytes as a CSV file: records are cut, their fields are written again, and read back as the same fields. The
 * first byte chooses the delimiter. */
#include <stdio.h>
#include <stdlib.h>

#include "stream/csv.h"
#include "stream/input.h"

static void must(bool holds) {
    if (!holds) abort();
}

static void write_again(const stream_field *fields, uint32_t count, char delimiter, base_buf *out) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) base__buf_u8(out, (uint8_t)delimiter);
        stream__csv_put(out, fields[i].text, delimiter, fields[i].quoted);
    }
}

static void check_record(corm_str record, char delimiter) {
    base_arena    arena = { 0 };
    base_buf      text = { 0 };
    stream_field *fields, *again;
    uint32_t      count, again_count;
    corm_error    error = { 0 };
    if (stream__csv_split(record, delimiter, &arena, &fields, &count, &error) == CORM_OK) {
        write_again(fields, count, delimiter, &text);
        must(stream__csv_split(base__buf_str(&text), delimiter, &arena, &again, &again_count,
                               &error) == CORM_OK);
        must(again_count == count);
        for (uint32_t i = 0; i < count; i++) must(corm_str_equal(fields[i].text, again[i].text));
    }
    base__buf_free(&text);
    base__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    char         delimiter = data[0] % 2 ? ';' : ',';
    stream_input input = { .csv = true, .delimiter = delimiter };
    corm_error   error = { 0 };
    corm_str     record;
    uint64_t     line;
    bool         more = true;
    input.file = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "rb");
    if (!input.file) return 0;
    while (stream__input_next(&input, &more, &record, &line, &error) == CORM_OK && more)
        check_record(record, delimiter);
    must(input.offset <= size - 1);
    fclose(input.file);
    stream__input_free(&input);
    return 0;
}
