// SPDX-License-Identifier: MIT
/* row_metadata.c -- WRITETIME, MAXWRITETIME and TTL from a stored row's bytes. Layout: row.h.
 *
 * A column of one cell gives a number; a multi-cell one gives a list with an entry for each live element (for each field of a
 * UDT), a single element or field a number, a slice a list. Thread: the reader's. */
#include "base/fail.h"
#include "engine/row.h"
#include "engine/row_bytes.h"

/* Which cells are asked for. Keys are evaluated wire values; NULL: open. */
typedef struct selection {
    const cql_type *key_type; /* of elements; NULL: all cells */
    bool            is_element, is_slice, is_field;
    cql_value       key, from, to;
    uint32_t        field;
} selection;

typedef struct gathering {
    cql_node_kind kind;
    uint32_t      now_s;
    int64_t       hidden; /* cells at or below it are not there */
    base_buf      list;   /* entries as a protocol list without its count */
    uint32_t      count;
    bool          any;    /* a live cell was selected */
    int64_t       newest; /* of their timestamps */
    engine_cell   last;
} gathering;

static const cql_type *key_type_of(const cql_type *type) {
    return type->id == CQL_MAP || type->id == CQL_SET ? type->params[0] : NULL;
}

static corm_status eval_bound(const cql_node *node, cql_eval_env *env, cql_value *out,
                              corm_error *err) {
    *out = CQL_NULL;
    return node ? cql__eval(node, env, out, err) : CORM_OK;
}

static corm_status select_cells(const cql_node *target, cql_eval_env *env, selection *out,
                                corm_error *err) {
    *out = (selection){ .key = CQL_NULL, .from = CQL_NULL, .to = CQL_NULL };
    if (target->kind == CQL_NODE_COLUMN) return CORM_OK;
    out->key_type = key_type_of(target->args[0]->type);
    switch (target->kind) {
    case CQL_NODE_FIELD:
        out->is_field = true;
        out->field = target->index;
        return CORM_OK;
    case CQL_NODE_ELEMENT:
        out->is_element = true;
        return cql__eval(target->args[1], env, &out->key, err);
    case CQL_NODE_SLICE:
        out->is_slice = true;
        CORM_TRY(eval_bound(target->args[1], env, &out->from, err));
        return eval_bound(target->args[2], env, &out->to, err);
    default: return base__fail(err, CORM_INVALID, "metadata of an expression that is no column");
    }
}

static bool is_selected(const selection *wanted, const engine_cell *cell) {
    if (wanted->is_field)
        return cell->path.len == 2 && base__load_u16(cell->path.data) == wanted->field;
    if (!wanted->key_type) return true;
    cql_value path = cql__value_of(cell->path);
    if (wanted->is_element)
        return !cql__is_null(wanted->key) && cql__compare(wanted->key_type, path, wanted->key) == 0;
    if (!cql__is_null(wanted->from) && cql__compare(wanted->key_type, path, wanted->from) < 0)
        return false;
    return cql__is_null(wanted->to) || cql__compare(wanted->key_type, path, wanted->to) <= 0;
}

static void put_entry(gathering *to, const engine_cell *cell) {
    to->count++;
    if (to->kind == CQL_NODE_TTL && (!cell || !cell->ttl)) {
        base__buf_i32(&to->list, -1);
    } else if (to->kind == CQL_NODE_TTL) {
        base__buf_i32(&to->list, 4);
        base__buf_u32(&to->list, cell->expires - to->now_s);
    } else if (!cell) {
        base__buf_i32(&to->list, -1);
    } else {
        base__buf_i32(&to->list, 8);
        base__buf_i64(&to->list, cell->timestamp);
    }
}

static void gather(gathering *to, const engine_cell *cell) {
    if (!to->any || cell->timestamp > to->newest) to->newest = cell->timestamp;
    to->any = true;
    to->last = *cell;
    put_entry(to, cell);
}

/* A UDT has an entry for each field, null for those without a value. */
static void gather_missing_fields(gathering *to, const cql_type *type, uint32_t from,
                                  uint32_t until) {
    for (uint32_t i = from; type->id == CQL_UDT && i < until; i++) put_entry(to, NULL);
}

static void gather_column(gathering *to, const cql_type *type, const selection *wanted,
                          int64_t base, row_column *column) {
    row_complex complex = { .cell_count = 1 };
    uint32_t    field = 0;
    if (column->is_complex) engine__scan_complex(&column->body, &complex);
    for (uint32_t i = 0; i < complex.cell_count && !column->body.bad; i++) {
        engine_cell cell;
        engine__scan_cell(&column->body, base, column->is_complex, &cell);
        if (column->body.bad || !engine__cell_is_live(&cell, to->now_s) ||
            cell.timestamp <= to->hidden)
            continue;
        if (column->is_complex && !is_selected(wanted, &cell)) continue;
        if (column->is_complex && type->id == CQL_UDT && !wanted->is_field && cell.path.len == 2) {
            uint16_t at = base__load_u16(cell.path.data);
            gather_missing_fields(to, type, field, at);
            field = at + 1u;
        }
        gather(to, &cell);
    }
    if (column->is_complex && to->any && !wanted->is_field)
        gather_missing_fields(to, type, field, type->count);
}

static corm_status answer_number(gathering *from, base_arena *arena, cql_value *out,
                                 corm_error *err) {
    base_buf number = { 0 };
    if (from->kind != CQL_NODE_TTL)
        base__buf_i64(&number, from->newest);
    else if (from->last.ttl)
        base__buf_u32(&number, from->last.expires - from->now_s);
    if (number.len)
        *out = (cql_value){ base__arena_copy(arena, number.data, number.len), (int32_t)number.len };
    bool failed = number.failed || (number.len && !out->data);
    base__buf_free(&number);
    return failed ? base__fail_memory(err) : CORM_OK;
}

static corm_status answer_list(gathering *from, base_arena *arena, cql_value *out,
                               corm_error *err) {
    uint8_t *data = base__arena_alloc(arena, 4 + from->list.len);
    if (!data || from->list.failed) return base__fail_memory(err);
    base__store_u32(data, from->count);
    memcpy(data + 4, from->list.data, from->list.len);
    *out = (cql_value){ data, (int32_t)(4 + from->list.len) };
    return CORM_OK;
}

/* The column at the bottom of FIELD, ELEMENT and SLICE. */
static const cql_column *column_of(const cql_node *target) {
    while (target->kind != CQL_NODE_COLUMN) target = target->args[0];
    return target->column;
}

static bool find_column(const cql_table *table, bool is_static, corm_bytes bytes, uint32_t id,
                        row_head *head, row_column *out, bool *bad) {
    row_scan scan = { bytes.data, bytes.data + bytes.len, false };
    engine__scan_head(&scan, is_static ? 0 : table->clustering_count, NULL, head);
    for (uint32_t i = 0; i < head->column_count && !scan.bad; i++) {
        scan_column(&scan, out);
        if (!scan.bad && out->id == id) return true;
    }
    *bad = scan.bad;
    return false;
}

corm_status engine__row_metadata(const cql_table *table, bool is_static, corm_bytes bytes,
                                 uint32_t now_s, const cql_node *node, cql_eval_env *env,
                                 cql_value *out, corm_error *err) {
    const cql_node   *target = node->args[0];
    const cql_column *column = column_of(target);
    selection         wanted;
    row_head          head;
    row_column        stored;
    bool              bad = false;
    *out = CQL_NULL;
    CORM_TRY(select_cells(target, env, &wanted, err));
    if (!find_column(table, is_static, bytes, column->id, &head, &stored, &bad))
        return bad ? engine__row_damaged(table, err) : CORM_OK;

    gathering all = { .kind = node->kind,
                      .now_s = now_s,
                      .hidden = engine__hidden_until(table, column) };
    gather_column(&all, column->type, &wanted, head.base, &stored);
    corm_status status = stored.body.bad ? engine__row_damaged(table, err) : CORM_OK;
    bool        is_list = stored.is_complex && !wanted.is_field && !wanted.is_element &&
                   node->kind != CQL_NODE_MAXWRITETIME;
    if (status == CORM_OK && all.any)
        status = is_list ? answer_list(&all, env->context.arena, out, err)
                         : answer_number(&all, env->context.arena, out, err);
    base__buf_free(&all.list);
    return status;
}
