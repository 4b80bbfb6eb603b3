// SPDX-License-Identifier: MIT
/* csv.c -- see csv.h. */
#include "stream/csv.h"

#include "base/fail.h"

typedef struct splitting {
    corm_str    record;
    size_t      at;
    uint32_t    line;   /* of `at` */
    uint32_t    column; /* of `at` */
    char        delimiter;
    base_arena *arena;
    corm_error *err;
} splitting;

static void step(splitting *s) {
    uint8_t c = (uint8_t)s->record.data[s->at++];
    if (c == '\n') {
        s->line++;
        s->column = 1;
    } else if ((c & 0xC0) != 0x80) {
        s->column++;
    }
}

static bool at_delimiter(const splitting *s) {
    return s->at < s->record.len && s->record.data[s->at] == s->delimiter;
}

static corm_status refuse(const splitting *s, const stream_field *field, const char *what) {
    return base__fail_at(s->err, CORM_INVALID, field->line, field->column, "%s", what);
}

/* Between quotes, in which a doubled quote is one; stands behind the first. */
static corm_status read_quoted(splitting *s, stream_field *field) {
    char *text = base__arena_alloc(s->arena, s->record.len - s->at + 1);
    if (!text) return base__fail_memory(s->err);
    field->text.data = text;
    field->quoted = true;
    for (; s->at < s->record.len; step(s)) {
        if (s->record.data[s->at] == '"') {
            step(s);
            if (s->at == s->record.len || s->record.data[s->at] != '"') {
                if (s->at < s->record.len && !at_delimiter(s))
                    return refuse(s, field, "there is text behind the closing quote");
                return CORM_OK;
            }
        }
        text[field->text.len++] = s->record.data[s->at];
    }
    return refuse(s, field, "the quote is not closed");
}

static corm_status read_field(splitting *s, stream_field *field) {
    *field = (stream_field){ .line = s->line, .column = s->column };
    if (s->at < s->record.len && s->record.data[s->at] == '"') {
        step(s);
        return read_quoted(s, field);
    }
    field->text.data = s->record.data + s->at;
    while (s->at < s->record.len && !at_delimiter(s)) step(s);
    field->text.len = (size_t)(s->record.data + s->at - field->text.data);
    return CORM_OK;
}

static uint32_t most_fields(corm_str record, char delimiter) {
    uint32_t count = 1;
    for (size_t i = 0; i < record.len; i++) count += record.data[i] == delimiter;
    return count;
}

corm_status stream__csv_split(corm_str record, char delimiter, base_arena *arena,
                              stream_field **fields, uint32_t *count, corm_error *err) {
    splitting s = {
        .record = record, .column = 1, .delimiter = delimiter, .arena = arena, .err = err
    };
    if (!record.data) s.record.data = ""; /* an empty text may be no text */
    *count = 0;
    *fields = BASE_NEW_ARRAY(arena, stream_field, most_fields(record, delimiter));
    if (!*fields) return base__fail_memory(err);
    for (;;) {
        CORM_TRY(read_field(&s, &(*fields)[(*count)++]));
        if (!at_delimiter(&s)) return CORM_OK;
        step(&s);
    }
}

static bool needs_quotes(corm_str text, char delimiter) {
    if (!text.len) return false;
    if (text.data[0] == ' ' || text.data[text.len - 1] == ' ') return true;
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) return true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == delimiter || c == '"' || c == '\r' || c == '\n') return true;
    }
    return false;
}

void stream__csv_put(base_buf *out, corm_str text, char delimiter, bool quoted) {
    if (!quoted && !needs_quotes(text, delimiter)) {
        base__buf_put_str(out, text);
        return;
    }
    base__buf_u8(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"') base__buf_u8(out, '"');
        base__buf_u8(out, (uint8_t)text.data[i]);
    }
    base__buf_u8(out, '"');
}
