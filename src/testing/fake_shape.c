// SPDX-License-Identifier: MIT
/* fake_shape.c -- markers and columns of a statement, from a system table, the rules, or the text alone. The fake's thread. */
#include "testing/fake.h"

static void name_markers(base_arena *arena, const fake_text *text, cql_marker *markers) {
    for (uint32_t i = 0; i < text->marker_count; i++) {
        corm_str name = text->markers[i];
        markers[i] = (cql_marker){ .name = name.data ? name : base__arena_printf(arena, "p%u", i),
                                   .type = cql__type_native(CQL_INT),
                                   .keyspace = text->keyspace,
                                   .table = text->table };
    }
}

static void bind_markers(const fake_rule *rule, fake_shape *shape) {
    for (uint32_t i = 0; i < shape->marker_count && i < rule->bind_count; i++) {
        shape->markers[i].name = rule->bind[i].name;
        shape->markers[i].type = rule->bind[i].type;
    }
}

/* The first rule about the text with columns, or with types to bind. */
static const fake_rule *rule_with(const fake_node *node, const fake_text *text, corm_str written,
                                  bool columns) {
    for (const fake_rule *rule = node->fake->rules; rule; rule = rule->next) {
        bool has = columns ? rule->column_count > 0 : rule->bind_count > 0;
        if (has && fake__rule_fits(rule, node, text, written)) return rule;
    }
    return NULL;
}

/* What nothing is known of: ints called as the text calls them. */
static corm_status guess_columns(base_arena *arena, const fake_text *text, cql_result_column **out,
                                 uint32_t *count, corm_error *err) {
    const cql_select *select = text->statement ? &text->statement->as.select : NULL;
    uint32_t          wanted = select && !select->all ? select->selector_count : 1;
    *out = BASE_NEW_ARRAY(arena, cql_result_column, wanted);
    if (!*out) return base__fail_memory(err);
    for (uint32_t i = 0; i < wanted; i++) {
        corm_str name = corm_str_of("k");
        if (select && !select->all) {
            const cql_selector *selector = &select->selectors[i];
            base_buf            printed = { 0 };
            cql__print_expr(selector->expr, &printed);
            name = selector->alias.text.data ? selector->alias.text
                                             : base__arena_str(arena, base__buf_str(&printed));
            base__buf_free(&printed);
        }
        (*out)[i] = (cql_result_column){ .name = name, .type = cql__type_native(CQL_INT) };
    }
    *count = wanted;
    return CORM_OK;
}

static void make_metadata_id(fake_shape *shape) {
    base_buf text = { 0 };
    for (uint32_t i = 0; i < shape->column_count; i++) {
        base__buf_put_str(&text, shape->columns[i].name);
        base__buf_u8(&text, ' ');
        cql__type_print(shape->columns[i].type, &text);
        base__buf_u8(&text, '\n');
    }
    fake__digest(base__buf_bytes(&text), (corm_bytes){ 0 }, shape->metadata_id);
    base__buf_free(&text);
}

corm_status fake__shape_columns(base_arena *arena, const cql_result_column *columns, uint32_t count,
                                const fake_text *text, fake_shape *out, corm_error *err) {
    out->columns = BASE_NEW_ARRAY(arena, cql_result_column, count + 1);
    if (!out->columns) return base__fail_memory(err);
    out->column_count = count;
    for (uint32_t i = 0; i < count; i++) {
        out->columns[i] = columns[i];
        out->columns[i].keyspace = text->keyspace;
        out->columns[i].table = text->table;
    }
    make_metadata_id(out);
    return CORM_OK;
}

static corm_status column_shape(const fake_node *node, base_arena *arena, const fake_text *text,
                                corm_str written, fake_shape *out, corm_error *err) {
    cql_result_column *columns = NULL;
    uint32_t           count = 0;
    const fake_rule   *rule = rule_with(node, text, written, true);
    if (text->is_system && !rule) {
        CORM_TRY(fake__select_columns(arena, text, &columns, &count, err));
    } else if (rule) {
        columns = rule->columns;
        count = rule->column_count;
    } else if (text->kind == FAKE_SELECT) {
        CORM_TRY(guess_columns(arena, text, &columns, &count, err));
    }
    return fake__shape_columns(arena, columns, count, text, out, err);
}

corm_status fake__shape(fake_node *node, base_arena *arena, const fake_text *text, corm_str written,
                        fake_shape *out, corm_error *err) {
    *out = (fake_shape){ .marker_count = text->marker_count };
    out->markers = BASE_NEW_ARRAY(arena, cql_marker, text->marker_count + 1);
    if (!out->markers) return base__fail_memory(err);
    name_markers(arena, text, out->markers);
    const fake_rule *bind = rule_with(node, text, written, false);
    if (bind)
        bind_markers(bind, out);
    else if (text->is_system)
        CORM_TRY(fake__select_markers(arena, text, out->markers, err));
    return column_shape(node, arena, text, written, out, err);
}

void fake__rows_begin(wire_rows_writer *writer, base_buf *body, const fake_shape *shape,
                      const wire_request *request, uint8_t version) {
    corm_bytes id = { shape->metadata_id, FAKE_ID_BYTES };
    bool       executes = request->kind == WIRE_EXECUTE;
    bool       changed = executes && version >= 5 &&
                   !corm_str_equal((corm_str){ (const char *)id.data, id.len },
                                   (corm_str){ (const char *)request->metadata_id.data,
                                               request->metadata_id.len });
    bool skip = executes && request->options.skip_metadata && !changed;
    wire__rows_begin(writer, body, shape->columns, shape->column_count, skip, version);
    if (changed) wire__rows_changed(writer, id);
}
