// SPDX-License-Identifier: MIT
/* fake_rule.c -- rules: read once when they are added, then matched, counted and answered from. The fake's thread. */
#include "testing/fake.h"

#include <stdlib.h>

/* ---- reading "name type, name type" ---- */

/* The length of the text up to `end` outside of brackets and quotes, or the whole. */
static size_t length_until(corm_str text, char end) {
    int  depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\'') quoted = !quoted;
        if (quoted) continue;
        if (strchr("<([{", c)) depth++;
        if (strchr(">)]}", c)) depth--;
        if (c == end && depth == 0) return i;
    }
    return text.len;
}

/* Cuts the part up to `end` off the rest. */
static corm_str cut(corm_str *rest, char end) {
    size_t   len = length_until(*rest, end);
    corm_str part = base__str_trim((corm_str){ rest->data, len });
    if (len < rest->len) len++;
    *rest = (corm_str){ rest->data + len, rest->len - len };
    return part;
}

static corm_status read_type(base_arena *arena, corm_str text, const cql_type **out,
                             corm_error *err) {
    if (text.len > 2 && text.data[0] == '\'') {
        return cql__type_parse_marshal(arena, (corm_str){ text.data + 1, text.len - 2 }, out, err);
    }
    return cql__type_parse(arena, text, NULL, out, err);
}

static corm_status read_column(base_arena *arena, corm_str text, cql_result_column *out,
                               corm_error *err) {
    corm_str type = text;
    *out = (cql_result_column){ .name = cut(&type, ' ') };
    type = base__str_trim(type);
    if (out->name.len == 0 || type.len == 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "\"%.*s\" is no \"name type\"", (int)text.len,
                          text.data);
    }
    return read_type(arena, type, &out->type, err);
}

static uint32_t parts_of(corm_str text, char end) {
    uint32_t count = 0;
    while (text.len > 0) {
        cut(&text, end);
        count++;
    }
    return count;
}

corm_status fake__columns_read(base_arena *arena, const char *text, cql_result_column **out,
                               uint32_t *count, corm_error *err) {
    corm_str rest = corm_str_of(text);
    uint32_t most = parts_of(rest, ',');
    *out = BASE_NEW_ARRAY(arena, cql_result_column, most + 1);
    if (!*out) return base__fail_memory(err);
    for (*count = 0; *count < most; ++*count) {
        CORM_TRY(read_column(arena, cut(&rest, ','), &(*out)[*count], err));
    }
    return CORM_OK;
}

/* ---- reading rows ---- */

static corm_status read_cell(base_arena *arena, const cql_type *type, corm_str text, cql_value *out,
                             corm_error *err) {
    base_buf    bytes = { 0 };
    bool        is_null = false;
    corm_status status = cql__from_text(type, text, &bytes, &is_null, err);
    if (status == CORM_OK) status = base__buf_status(&bytes, err);
    if (status == CORM_OK) {
        const void *copy = base__arena_copy(arena, bytes.data, bytes.len);
        if (!copy) status = base__fail_memory(err);
        *out = is_null ? CQL_NULL : (cql_value){ copy, (int32_t)bytes.len };
    }
    base__buf_free(&bytes);
    return status;
}

static corm_status read_rows(fake_rule *rule, corm_error *err) {
    corm_str rest = corm_str_of(rule->given.rows);
    uint32_t most = parts_of(rest, '\n');
    rule->cells = BASE_NEW_ARRAY(&rule->arena, cql_value, (size_t)most * rule->column_count + 1);
    if (!rule->cells) return base__fail_memory(err);
    while (rest.len > 0) {
        corm_str line = cut(&rest, '\n');
        if (line.len == 0) continue;
        for (uint32_t i = 0; i < rule->column_count; i++) {
            cql_value *cell = &rule->cells[rule->row_count * rule->column_count + i];
            CORM_TRY(read_cell(&rule->arena, rule->columns[i].type, cut(&line, '|'), cell, err));
        }
        rule->row_count++;
    }
    return CORM_OK;
}

static corm_status read_bind(fake_rule *rule, corm_error *err) {
    cql_result_column *columns = NULL;
    CORM_TRY(fake__columns_read(&rule->arena, rule->given.bind, &columns, &rule->bind_count, err));
    rule->bind = BASE_NEW_ARRAY(&rule->arena, cql_marker, rule->bind_count + 1);
    if (!rule->bind) return base__fail_memory(err);
    for (uint32_t i = 0; i < rule->bind_count; i++) {
        rule->bind[i] = (cql_marker){ .name = columns[i].name, .type = columns[i].type };
    }
    return CORM_OK;
}

static corm_status read_rule(fake_rule *rule, corm_error *err) {
    const char **texts[] = { &rule->given.match, &rule->given.message, &rule->given.columns,
                             &rule->given.rows,  &rule->given.warning, &rule->given.bind };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!*texts[i]) continue;
        *texts[i] = base__arena_str(&rule->arena, corm_str_of(*texts[i])).data;
        if (!*texts[i]) return base__fail_memory(err);
    }
    if (rule->given.columns) {
        CORM_TRY(fake__columns_read(&rule->arena, rule->given.columns, &rule->columns,
                                    &rule->column_count, err));
    }
    if (rule->given.rows) CORM_TRY(read_rows(rule, err));
    return rule->given.bind ? read_bind(rule, err) : CORM_OK;
}

fake_rule *fake__rule_new(const corm_fake_rule *given, corm_error *err) {
    fake_rule *rule = calloc(1, sizeof *rule);
    if (!rule) return NULL;
    rule->given = *given;
    if (read_rule(rule, err) != CORM_OK) rule->broken = strdup(err->message);
    return rule;
}

void fake__rules_free(fake_rule *rules) {
    while (rules) {
        fake_rule *rule = rules;
        rules = rule->next;
        base__arena_free(&rule->arena);
        free(rule->broken);
        free(rule);
    }
}

/* ---- matching ---- */

static bool contains(corm_str text, corm_str part) {
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (memcmp(text.data + i, part.data, part.len) == 0) return true;
    }
    return false;
}

bool fake__rule_fits(const fake_rule *rule, const fake_node *node, const fake_text *text,
                     corm_str written) {
    if (rule->given.node >= 0 && (uint32_t)rule->given.node != node->index) return false;
    if (!rule->given.match) return !text->is_system && text->kind != FAKE_USE;
    return contains(written, corm_str_of(rule->given.match));
}

static bool fits_any(const fake_rule *rule, const fake_node *node, const fake_text *texts,
                     const corm_str *written, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (fake__rule_fits(rule, node, &texts[i], written[i])) return true;
    }
    return false;
}

fake_rule *fake__rule_take(fake_node *node, bool prepare, const fake_text *texts,
                           const corm_str *written, uint32_t count) {
    for (fake_rule *rule = node->fake->rules; rule; rule = rule->next) {
        const corm_fake_rule *given = &rule->given;
        if (given->on_prepare != prepare || !fits_any(rule, node, texts, written, count)) continue;
        if (given->times > 0 && rule->hits >= given->times) continue;
        if (rule->seen++ < given->skip) continue;
        rule->hits++;
        return rule;
    }
    return NULL;
}

/* ---- answering ---- */

/* A paging state: 'F', the next row, and whether the empty page was given. */
typedef struct page {
    uint32_t row;
    bool     empty_given;
} page;

static page page_of(const wire_request *request) {
    corm_bytes state = request->options.paging_state;
    if (!state.data || state.len != 5 || state.data[0] != 'F') return (page){ 0 };
    return (page){ base__load_u32(state.data + 1), true };
}

static uint32_t rows_of_page(const fake_rule *rule, const wire_request *request, page at) {
    uint32_t left = rule->row_count > at.row ? rule->row_count - at.row : 0;
    int32_t  asked = request->options.page_size;
    uint32_t most = asked > 0 ? (uint32_t)asked : UINT32_MAX;
    if (rule->given.page_rows > 0 && rule->given.page_rows < most) most = rule->given.page_rows;
    if (rule->given.empty_first_page && !at.empty_given) return 0;
    return left < most ? left : most;
}

void fake__rule_rows(const fake_rule *rule, const wire_request *request, const fake_shape *shape,
                     uint8_t version, base_buf *body) {
    wire_rows_writer writer;
    page             at = page_of(request);
    uint32_t         count = rows_of_page(rule, request, at);
    uint8_t          state[5] = { 'F' };
    fake__rows_begin(&writer, body, shape, request, version);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t c = 0; c < rule->column_count; c++) {
            cql__put_value(body, rule->cells[(at.row + i) * rule->column_count + c]);
        }
        wire__row_done(&writer);
    }
    bool more =
        at.row + count < rule->row_count || (rule->given.empty_first_page && !at.empty_given);
    base__store_u32(state + 1, at.row + count);
    wire__rows_end(&writer, more ? (corm_bytes){ state, sizeof state } : (corm_bytes){ 0 });
}

void fake__rule_error(const fake_rule *rule, const wire_request_read *read, fake_answer *answer) {
    const corm_fake_rule *given = &rule->given;
    int32_t               code = corm_status_server_code(given->error);
    wire_error            error = {
                   .code = code < 0 ? 0 : code,
                   .status = code < 0 ? CORM_SERVER_ERROR : given->error,
                   .message = corm_str_of(given->message ? given->message : corm_status_text(given->error)),
                   .consistency = read->request.options.consistency,
                   .received = given->received,
                   .required = given->required,
                   .failures = given->failures,
                   .data_present = given->data_present,
                   .write_type = (wire_write_type)given->write_type,
                   .unprepared_id = read->prepared_id.id,
    };
    fake__answer_error(answer, &error);
}
