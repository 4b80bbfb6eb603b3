// SPDX-License-Identifier: MIT
/* middleware_log.c -- a line for each request that ended. Literals of texts and values of masked columns are not shown.
 *
 * Lines are made on the thread that ends the request. Any thread. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "session/middleware.h"

enum { MOST_MASKED = 32, MOST_SHOWN = 80 /* bytes of a value */ };

typedef struct logging {
    corm_log_options options; /* its names are in the arena */
    base_arena       arena;
} logging;

static const char *const kinds[] = {
    [CORM_REQUEST_TEXT] = "text",
    [CORM_REQUEST_PREPARE] = "prepare",
    [CORM_REQUEST_EXECUTE] = "execute",
    [CORM_REQUEST_BATCH] = "batch",
};

/* "email", "users.email", "*" */
static bool is_masked(const logging *self, corm_str table, corm_str column) {
    for (uint32_t i = 0; i < MOST_MASKED && self->options.masked[i]; i++) {
        const char *name = self->options.masked[i];
        const char *dot = strchr(name, '.');
        if (strcmp(name, "*") == 0 || column.len == 0) return true;
        if (dot && !corm_str_equal(table, (corm_str){ name, (size_t)(dot - name) })) continue;
        if (corm_str_equal(column, corm_str_of(dot ? dot + 1 : name))) return true;
    }
    return false;
}

static void put_literal(corm_bytes value, corm_str type, base_buf *out) {
    base_arena      arena = { 0 };
    const cql_type *parsed = NULL;
    corm_error      unused;
    base_buf        text = { 0 };
    if (type.len > 0 && cql__type_parse(&arena, type, NULL, &parsed, &unused) == CORM_OK) {
        cql__to_text(parsed, cql__value_of(value), CQL_STYLE_LITERAL, &text);
        bool long_one = text.len > MOST_SHOWN;
        base__buf_put(out, text.data, long_one ? MOST_SHOWN : text.len);
        if (long_one) base__buf_puts(out, "…");
    } else {
        base__buf_puts(out, "?");
    }
    base__buf_free(&text);
    base__arena_free(&arena);
}

static void put_values(const logging *self, const corm_request *request, uint32_t index,
                       corm_str table, base_buf *out) {
    corm_bytes value;
    corm_str   name, type;
    for (uint32_t i = 0; corm_request_value(request, index, i, &value, &name, &type); i++) {
        base__buf_puts(out, i == 0 ? " (" : ", ");
        base__buf_put_str(out, name);
        if (name.len > 0) base__buf_u8(out, '=');
        if (!value.data) {
            base__buf_puts(out, "null");
        } else if (is_masked(self, table, name)) {
            base__buf_puts(out, "***");
        } else {
            put_literal(value, type, out);
        }
    }
    corm_statement_info info;
    if (corm_request_statement(request, index, &info) && info.value_count > 0) {
        base__buf_u8(out, ')');
    }
}

static void put_statement(const logging *self, const corm_request *request, uint32_t index,
                          base_buf *out) {
    corm_statement_info info;
    if (!corm_request_statement(request, index, &info)) return;
    if (index > 0) base__buf_u8(out, ';');
    base__buf_u8(out, ' ');
    if (self->options.literals) {
        base__buf_put_str(out, info.text);
    } else {
        middleware__put_masked(info.text, out);
    }
    if (self->options.values && request->kind != CORM_REQUEST_PREPARE) {
        put_values(self, request, index, info.table, out);
    }
}

static void put_head(const corm_request *request, base_buf *out) {
    corm_statement_info info;
    char                number[64];
    base__buf_puts(out, kinds[request->kind]);
    if (corm_request_statement(request, 0, &info) && info.table.len > 0) {
        base__buf_u8(out, ' ');
        base__buf_put_str(out, info.keyspace);
        if (info.keyspace.len > 0) base__buf_u8(out, '.');
        base__buf_put_str(out, info.table);
    }
    snprintf(number, sizeof number, " %.3f ms", (double)request->duration_ns / 1e6);
    base__buf_puts(out, number);
    if (request->status != CORM_OK) {
        base__buf_u8(out, ' ');
        base__buf_puts(out, corm_status_name(request->status));
    } else {
        snprintf(number, sizeof number, " %u rows", corm_request_row_count(request));
        base__buf_puts(out, number);
    }
    if (request->answered_here) base__buf_puts(out, " answered");
    if (!request->correlation_id) return;
    base__buf_puts(out, " [");
    base__buf_puts(out, request->correlation_id);
    base__buf_u8(out, ']');
}

/* A line is one: what breaks it becomes a blank. */
static const char *finish(base_buf *line) {
    for (size_t i = 0; i < line->len; i++) {
        if (line->data[i] < ' ') line->data[i] = ' ';
    }
    return base__buf_cstr(line);
}

static void to_stderr(void *context, const char *line) {
    (void)context;
    fprintf(stderr, "corm: %s\n", line);
}

static bool is_told(const corm_log_options *options, const corm_request *request) {
    if (request->status != CORM_OK) return true;
    if (options->failures_only) return false;
    return request->duration_ns >= (int64_t)options->slow_ms * 1000000;
}

/* Messages of errors may hold values: only the status is shown. Without memory there is no line. */
static void end(corm_request *request, void *context) {
    const logging *self = context;
    base_buf       line = { 0 };
    if (!is_told(&self->options, request)) return;
    put_head(request, &line);
    for (uint32_t i = 0; i < request->statement_count; i++) {
        put_statement(self, request, i, &line);
    }
    const char *text = finish(&line);
    if (text) self->options.write(self->options.context, text);
    base__buf_free(&line);
}

static void release(void *context) {
    logging *self = context;
    if (self) base__arena_free(&self->arena);
    free(self);
}

static logging *new_logging(const corm_log_options *options) {
    logging *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    if (options) self->options = *options;
    if (!self->options.write) self->options.write = to_stderr;
    for (uint32_t i = 0; i < MOST_MASKED && self->options.masked[i]; i++) {
        self->options.masked[i] =
            base__arena_str(&self->arena, corm_str_of(self->options.masked[i])).data;
        if (self->options.masked[i]) continue;
        release(self);
        return NULL;
    }
    return self;
}

static corm_status out_of_memory(corm_request *request, void *context, corm_error *err) {
    (void)request, (void)context;
    return base__fail_memory(err);
}

/* Without memory for its options nothing goes through. */
corm_middleware corm_log_middleware(const corm_log_options *options) {
    logging *self = new_logging(options);
    return (corm_middleware){ .name = "log",
                              .order = -50,
                              .begin = self ? NULL : out_of_memory,
                              .end = self ? end : NULL,
                              .release = release,
                              .context = self };
}
