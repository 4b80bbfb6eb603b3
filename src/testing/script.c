// SPDX-License-Identifier: MIT
/* script.c -- the table-driven handler of the test door. Any thread; the record is guarded by a
 * lock. */
#include "testing/script.h"

#include "base/fail.h"
#include "base/text.h"
#include "testing/check.h"

static void put_values(base_buf *out, uint32_t count, const cql_value *values) {
    base__buf_puts(out, " [");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_u8(out, ',');
        if (values[i].len == -1) base__buf_puts(out, "null");
        if (values[i].len == -2) base__buf_puts(out, "unset");
        if (values[i].len >= 0) {
            base__put_hex(out, (corm_bytes){ values[i].data, (size_t)values[i].len });
        }
    }
    base__buf_puts(out, "]");
}

static void put_item(base_buf *out, const wire_batch_item *item) {
    wire_request as_request = { .kind = item->text.data ? WIRE_QUERY : WIRE_EXECUTE,
                                .text = item->text,
                                .prepared = item->prepared };
    base__buf_puts(out, " {");
    base__buf_put_str(out, testing__text_of(&as_request));
    if (item->value_count > 0) put_values(out, item->value_count, item->values);
    base__buf_puts(out, "}");
}

static void put_request(base_buf *out, const wire_request *request) {
    if (request->kind == WIRE_BATCH) {
        base__buf_printf(out, "BATCH %d", request->batch_kind);
        for (uint32_t i = 0; i < request->batch_count; i++) put_item(out, &request->batch[i]);
        return;
    }
    base__buf_puts(out, request->kind == WIRE_QUERY ? "QUERY " : "EXECUTE ");
    base__buf_put_str(out, testing__text_of(request));
    if (request->kind == WIRE_EXECUTE) put_values(out, request->value_count, request->values);
}

static void copy_text(char *out, size_t size, const void *data, size_t len) {
    if (len >= size) len = size - 1;
    if (len > 0) memcpy(out, data, len);
    out[len] = '\0';
}

static void record(testing_script *script, corm_str keyspace, const wire_request *request) {
    base_buf seen = { 0 };
    put_request(&seen, request);
    corm_bytes state = request->options.paging_state;
    pthread_mutex_lock(&script->lock);
    copy_text(script->seen, sizeof script->seen, seen.data, seen.len);
    copy_text(script->keyspace, sizeof script->keyspace, keyspace.data, keyspace.len);
    copy_text(script->state, sizeof script->state, state.data, state.len);
    script->options = request->options;
    pthread_mutex_unlock(&script->lock);
    base__buf_free(&seen);
}

static const testing_line *find_line(const testing_script *script, corm_str text) {
    for (const testing_line *line = script->lines; line && line->text; line++) {
        if (corm_str_equal(corm_str_of(line->text), text)) return line;
    }
    return NULL;
}

static void answer_line(testing_script *script, const testing_line *line,
                        const wire_request *request, wire_answer *answer) {
    if (request->kind == WIRE_PREPARE) {
        testing__answer_prepared(&script->counts, request, line->markers, line->columns, "m1",
                                 answer);
        return;
    }
    if (line->warning) wire__add_warning(answer, corm_str_of(line->warning));
    bool next = request->options.paging_state.data != NULL;
    if (!line->columns) {
        wire__put_void(&answer->body);
    } else if (next) {
        testing__answer_rows(request, line->columns, line->next_cells, NULL, answer);
    } else {
        testing__answer_rows(request, line->columns, line->cells, line->state, answer);
    }
}

static corm_status use(corm_str name, wire_answer *answer, corm_error *err) {
    if (corm_str_equal(name, corm_str_of("missing"))) {
        return base__fail(err, CORM_INVALID, "Keyspace 'missing' does not exist");
    }
    bool quoted = name.len > 2 && name.data[0] == '"';
    if (quoted) name = (corm_str){ name.data + 1, name.len - 2 };
    wire__put_set_keyspace(&answer->body, name);
    return CORM_OK;
}

corm_status testing__script(void *context, corm_str keyspace, const wire_request *request,
                            wire_answer *answer, corm_error *err) {
    testing_script *script = context;
    if (request->kind != WIRE_PREPARE) record(script, keyspace, request);
    if (request->kind == WIRE_BATCH) {
        wire__put_void(&answer->body);
        return CORM_OK;
    }
    corm_str text = testing__text_of(request);
    if (base__str_has_prefix(text, corm_str_of("USE "))) {
        return use((corm_str){ text.data + 4, text.len - 4 }, answer, err);
    }
    const testing_line *line = find_line(script, text);
    if (!line) {
        return base__fail_at(err, CORM_SYNTAX_ERROR, 1, 0, "no line for '%.*s'", (int)text.len,
                             text.data);
    }
    if (line->fails != CORM_OK) return base__fail(err, line->fails, "the script says so");
    answer_line(script, line, request, answer);
    return CORM_OK;
}

corm_session *testing__scripted_session(testing_script *script) {
    return testing__session(testing__script, script, &script->counts);
}
