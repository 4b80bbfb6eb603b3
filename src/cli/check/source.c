// SPDX-License-Identifier: MIT
/* source.c -- a file of CQL as text, and its statements one after the other. */
#include "cli/check/check.h"

#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/shell.h"

enum { MOST_BYTES = 1 << 28 };

static corm_status read_text(const char *path, base_buf *out, corm_error *err) {
    CORM_TRY(strcmp(path, "-") == 0 ? base__read_stream(stdin, path, MOST_BYTES, out, err)
                                    : base__read_file(path, MOST_BYTES, out, err));
    if (out->len > MOST_BYTES)
        return base__fail(err, CORM_IO, "%s: longer than %d MiB", path, MOST_BYTES >> 20);
    return CORM_OK;
}

/* Without the mark that some editors put before UTF-8. */
static corm_str without_mark(corm_str text) {
    corm_str mark = corm_str_of("\xEF\xBB\xBF");
    if (!base__str_has_prefix(text, mark)) return text;
    return (corm_str){ text.data + mark.len, text.len - mark.len };
}

corm_status check__read(base_arena *arena, const char *path, corm_str *out, corm_error *err) {
    base_buf    text = { 0 };
    corm_status status = read_text(path, &text, err);
    if (status == CORM_OK) {
        *out = base__arena_str(arena, without_mark(base__buf_str(&text)));
        if (!out->data) status = base__fail_memory(err);
    }
    base__buf_free(&text);
    return status;
}

static corm_str from(const char *start, const char *end) {
    return (corm_str){ start, (size_t)(end - start) };
}

bool check__next(corm_str *rest, corm_str *statement, corm_str *above) {
    const char *begin = rest->data, *end = rest->data + rest->len;
    for (;;) {
        corm_str behind;
        bool     complete;
        if (!cql__split(*rest, statement, &behind, &complete, NULL)) {
            *above = from(begin, end);
            return false;
        }
        size_t special = cli__special_length(from(statement->data, end), true);
        *above = from(begin, statement->data);
        *rest = special ? from(statement->data + special, end) : behind;
        if (!special) return true;
        begin = rest->data;
    }
}

const char *check__locate(corm_str statement, cql_place place) {
    const char *at = statement.data, *end = at + statement.len;
    for (uint32_t line = 1; line < place.line && at < end; at++) line += *at == '\n';
    for (uint32_t column = 0; column < place.column && at < end && *at != '\n'; column++)
        for (at++; at < end && ((uint8_t)*at & 0xC0) == 0x80;) at++;
    return at;
}
