// SPDX-License-Identifier: MIT
/* input.c -- see input.h. */
#include "stream/input.h"

#include <errno.h>

#include "base/fail.h"
#include "base/file.h"

corm_status stream__read_whole_file(const char *path, base_buf *out, corm_error *err) {
    if (strcmp(path, "-") == 0) return base__read_stream(stdin, "standard input", 0, out, err);
    return base__read_file(path, 0, out, err);
}

/* ---- records ---- */

enum { OUTSIDE, IN_FIELD, IN_QUOTES, AFTER_QUOTE };

/* The state behind one byte of a CSV record; a line end is the caller's. */
static int next_state(int state, char c, char delimiter) {
    if (state == IN_QUOTES) return c == '"' ? AFTER_QUOTE : IN_QUOTES;
    if (c == delimiter) return OUTSIDE;
    if (c == '"' && state == OUTSIDE) return IN_QUOTES;
    if (c == '"' && state == AFTER_QUOTE) return IN_QUOTES;
    return IN_FIELD;
}

/* Looks for the end of the record in what is in the window; true when it is at input->scanned. */
static bool scan(stream_input *input) {
    size_t len = input->window.len - input->at;
    if (!len) return false;
    const char *data = (const char *)input->window.data + input->at;
    if (!input->csv) {
        const char *end =
            len > input->scanned ? memchr(data + input->scanned, '\n', len - input->scanned) : NULL;
        input->scanned = end ? (size_t)(end - data) : len;
        return end != NULL;
    }
    for (; input->scanned < len; input->scanned++) {
        char c = data[input->scanned];
        if (c == '\n' && input->state != IN_QUOTES) return true;
        input->state = next_state(input->state, c, input->delimiter);
    }
    return false;
}

static corm_status fill(stream_input *input, corm_error *err) {
    enum { PIECE = 65536 };
    if (input->at > 0) {
        input->window.len -= input->at;
        memmove(input->window.data, input->window.data + input->at, input->window.len);
        input->at = 0;
    }
    if (input->window.len > STREAM_MAX_RECORD)
        return base__fail(err, CORM_INVALID, "line %llu begins a record of more than %d MiB%s",
                          (unsigned long long)input->line, STREAM_MAX_RECORD >> 20,
                          input->csv ? "; is a closing quote missing?" : "");
    uint8_t *into = base__buf_grow(&input->window, PIECE);
    if (!into) return base__fail_memory(err);
    size_t got = fread(into, 1, PIECE, input->file);
    input->window.len -= PIECE - got;
    if (got < PIECE && ferror(input->file)) return base__fail_errno(err, errno, "reading");
    input->ended = got == 0;
    return CORM_OK;
}

static void skip_mark(stream_input *input) {
    const uint8_t *data = input->window.data + input->at;
    if (input->offset || input->window.len - input->at < 3) return;
    if (data[0] != 0xEF || data[1] != 0xBB || data[2] != 0xBF) return;
    input->at += 3;
    input->offset += 3;
}

static void take(stream_input *input, size_t len, size_t with_end, corm_str *record,
                 uint64_t *line) {
    const char *data = (const char *)input->window.data + input->at;
    *record = (corm_str){ data, len };
    *line = input->line;
    for (size_t i = 0; i < with_end; i++) input->line += data[i] == '\n';
    if (len && data[len - 1] == '\r') record->len--;
    input->at += with_end;
    input->offset += with_end;
    input->scanned = 0;
    input->state = OUTSIDE;
}

corm_status stream__input_next(stream_input *input, bool *more, corm_str *record, uint64_t *line,
                               corm_error *err) {
    if (!input->line) input->line = 1;
    while (!scan(input)) {
        if (input->ended) {
            size_t left = input->window.len - input->at;
            *more = left > 0;
            if (left) take(input, left, left, record, line);
            return CORM_OK;
        }
        bool first = input->offset == 0 && input->window.len == 0;
        CORM_TRY(fill(input, err));
        if (first) skip_mark(input);
    }
    *more = true;
    take(input, input->scanned, input->scanned + 1, record, line);
    return CORM_OK;
}

corm_status stream__input_seek(stream_input *input, uint64_t offset, uint64_t line,
                               corm_error *err) {
    if (fseeko(input->file, (off_t)offset, SEEK_SET) != 0)
        return base__fail_errno(err, errno, "going on at byte %llu", (unsigned long long)offset);
    base__buf_clear(&input->window);
    input->at = input->scanned = 0;
    input->state = OUTSIDE;
    input->ended = false;
    input->offset = offset;
    input->line = line;
    return CORM_OK;
}

void stream__input_free(stream_input *input) {
    base__buf_free(&input->window);
}
