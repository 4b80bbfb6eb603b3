// SPDX-License-Identifier: MIT
/* write_assign.c -- one assignment on a row's image: simple columns, counters, collections, user-defined types.
 * Semantics: the server's Constants, Lists, Sets, Maps and UserTypes operations. Thread: the commit leader's. */
#include "base/fail.h"
#include "engine/list_time.h"
#include "engine/write_internal.h"

/* What an assignment works on. */
typedef struct target {
    engine_write      *write;
    write_image       *image;
    engine_row        *row; /* of the image */
    const cql_column  *column;
    const image_stamp *stamp;
    cql_eval_env      *env;
    base_arena        *arena;
} target;

typedef corm_status (*assign_function)(const target *to, const cql_assign *assign, corm_error *err);

static corm_status done(bool worked, corm_error *err) {
    return worked ? CORM_OK : base__fail_memory(err);
}

static corm_bytes bytes_of(cql_value value) {
    return (corm_bytes){ value.data, (size_t)value.len };
}

static corm_status put(const target *to, corm_bytes path, cql_value value, corm_error *err) {
    return done(engine__image_set_path(to->row, to->column, path, value, to->stamp, to->arena),
                err);
}

/* ---- list cells ---- */

static corm_status new_list_path(const target *to, corm_uuid uuid, corm_bytes *out,
                                 corm_error *err) {
    *out = (corm_bytes){ base__arena_copy(to->arena, uuid.bytes, 16), 16 };
    return done(out->data != NULL, err);
}

static corm_status append_items(const target *to, cql_value list, corm_error *err) {
    cql_walk  walk;
    cql_value item;
    CORM_TRY(cql__walk_begin(&walk, to->column->type, list, err));
    while (cql__walk_next(&walk, &item)) {
        if (cql__is_null(item))
            return base__fail(err, CORM_INVALID, "null is not supported inside collections");
        corm_bytes path;
        CORM_TRY(new_list_path(to, engine__list_append_time(), &path, err));
        CORM_TRY(put(to, path, item, err));
    }
    return CORM_OK;
}

static corm_status prepend_items(const target *to, const cql_assign *assign, corm_error *err) {
    cql_value list, item;
    cql_walk  walk;
    CORM_TRY(cql__eval(assign->value, to->env, &list, err));
    if (cql__is_null(list)) return CORM_OK;
    CORM_TRY(cql__walk_begin(&walk, to->column->type, list, err));
    int64_t ticks = engine__list_prepend_ticks(walk.count);
    while (cql__walk_next(&walk, &item)) {
        corm_bytes path;
        CORM_TRY(new_list_path(to, engine__list_time(ticks++), &path, err));
        CORM_TRY(put(to, path, item, err));
    }
    return CORM_OK;
}

/* The column as the statement finds it, NULL: none. It sees what it has changed itself, but not what the statements before it in a batch
 * have: then the stored row is looked at again. */
static corm_status found_column(const target *to, const engine_column_image **out,
                                corm_error *err) {
    const write_image *image = to->image;
    engine_row        *row;
    corm_bytes         bytes;
    bool               found;
    *out = NULL;
    if (!image->changed_before) {
        *out = engine__image_find(to->row, to->column->id);
        return CORM_OK;
    }
    if (!(row = BASE_NEW(to->arena, engine_row))) return base__fail_memory(err);
    CORM_TRY(kv__get(to->write->request->txn, KV_DATA, image->key, &bytes, &found, err));
    if (!found) return CORM_OK;
    CORM_TRY(engine__row_decode(image->table, image->is_static, bytes, to->arena, row, err));
    *out = engine__image_find(row, to->column->id);
    return CORM_OK;
}

/* Not what was in a column before it was dropped and came back. */
static bool is_seen(const target *to, const engine_cell *cell) {
    return engine__cell_is_live(cell, to->stamp->now_s) &&
           cell->timestamp > engine__hidden_until(to->image->table, to->column);
}

static uint32_t seen_count(const target *to, const engine_column_image *image) {
    uint32_t count = 0;
    for (uint32_t i = 0; image && i < image->cell_count; i++)
        count += is_seen(to, &image->cells[i]);
    return count;
}

static const engine_cell *seen_at(const target *to, const engine_column_image *image,
                                  uint32_t index) {
    for (uint32_t i = 0; i < image->cell_count; i++)
        if (is_seen(to, &image->cells[i]) && index-- == 0) return &image->cells[i];
    return NULL;
}

/* The cell at a list index; `verb` for the message about a list that is null. */
static corm_status find_list_cell(const target *to, const cql_node *key, const char *verb,
                                  corm_bytes *path, corm_error *err) {
    cql_value value;
    CORM_TRY(cql__eval(key, to->env, &value, err));
    if (value.len == -2) return base__fail(err, CORM_INVALID, "Invalid unset value for list index");
    if (value.len != 4) return base__fail(err, CORM_INVALID, "Invalid null value for list index");
    const engine_column_image *image;
    CORM_TRY(found_column(to, &image, err));
    int32_t  index = (int32_t)base__load_u32(value.data);
    uint32_t size = seen_count(to, image);
    if (size == 0)
        return base__fail(err, CORM_INVALID, "Attempted to %s a list which is null", verb);
    if (index < 0 || (uint32_t)index >= size)
        return base__fail(err, CORM_INVALID, "List index %d out of bound, list has size %u", index,
                          size);
    *path = seen_at(to, image, (uint32_t)index)->path;
    return CORM_OK;
}

static bool list_contains(const cql_type *type, cql_value list, cql_value item) {
    cql_walk  walk;
    cql_value each;
    if (cql__walk_begin(&walk, type, list, NULL) != CORM_OK) return false;
    while (cql__walk_next(&walk, &each))
        if (cql__compare(type->params[0], each, item) == 0) return true;
    return false;
}

/* Every live element that equals one of the value's. The cells are copied first: tombstones change the array. */
static corm_status discard_items(const target *to, cql_value list, corm_error *err) {
    const engine_column_image *image;
    CORM_TRY(found_column(to, &image, err));
    if (!image) return CORM_OK;
    uint32_t     count = image->cell_count;
    engine_cell *cells = base__arena_copy(to->arena, image->cells, count * sizeof *cells);
    if (!cells) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++)
        if (is_seen(to, &cells[i]) &&
            list_contains(to->column->type, list, cql__value_of(cells[i].value)))
            CORM_TRY(put(to, cells[i].path, CQL_NULL, err));
    return CORM_OK;
}

/* ---- sets and maps ---- */

static corm_status add_entries(const target *to, cql_value collection, corm_error *err) {
    cql_walk  walk;
    cql_value key, value = { (const uint8_t *)"", 0 };
    CORM_TRY(cql__walk_begin(&walk, to->column->type, collection, err));
    while (cql__walk_next(&walk, &key)) {
        if (to->column->type->id == CQL_MAP && !cql__walk_next(&walk, &value)) break;
        CORM_TRY(put(to, bytes_of(key), value, err));
    }
    return CORM_OK;
}

/* `type` is that of the value: a set, also for a map column. */
static corm_status discard_keys(const target *to, const cql_type *type, cql_value keys,
                                corm_error *err) {
    cql_walk  walk;
    cql_value key;
    CORM_TRY(cql__walk_begin(&walk, type, keys, err));
    while (cql__walk_next(&walk, &key)) CORM_TRY(put(to, bytes_of(key), CQL_NULL, err));
    return CORM_OK;
}

static corm_status eval_key(const target *to, const cql_node *node, corm_bytes *out,
                            corm_error *err) {
    const char *what = to->column->type->id == CQL_SET ? "set element" : "map key";
    cql_value   key;
    CORM_TRY(cql__eval(node, to->env, &key, err));
    if (cql__is_null(key))
        return base__fail(err, CORM_INVALID, "Invalid %s %s", key.len == -2 ? "unset" : "null",
                          what);
    *out = bytes_of(key);
    return CORM_OK;
}

/* ---- user-defined types ---- */

static corm_status field_path(const target *to, uint32_t field, corm_bytes *out, corm_error *err) {
    uint8_t *path = base__arena_alloc(to->arena, 2);
    if (!path) return base__fail_memory(err);
    base__store_u16(path, (uint16_t)field);
    *out = (corm_bytes){ path, 2 };
    return CORM_OK;
}

static corm_status set_fields(const target *to, cql_value udt, corm_error *err) {
    cql_walk  walk;
    cql_value value;
    CORM_TRY(cql__walk_begin(&walk, to->column->type, udt, err));
    for (uint32_t field = 0; cql__walk_next(&walk, &value); field++) {
        corm_bytes path;
        if (cql__is_null(value)) continue;
        CORM_TRY(field_path(to, field, &path, err));
        CORM_TRY(put(to, path, value, err));
    }
    return CORM_OK;
}

/* ---- the kinds of assignment ---- */

/* The old cells go at one microsecond before the new ones, so that they do not take these with them. */
static corm_status overwrite(const target *to, cql_value value, corm_error *err) {
    if (!engine__image_delete_complex(to->row, to->column, to->stamp->timestamp - 1, to->stamp,
                                      to->arena))
        return base__fail_memory(err);
    if (cql__is_null(value)) return CORM_OK;
    switch (to->column->type->id) {
    case CQL_LIST: return append_items(to, value, err);
    case CQL_UDT: return set_fields(to, value, err);
    default: return add_entries(to, value, err);
    }
}

/* v = v + x of a column that is no counter: nothing is written where there is no v. */
static corm_status assign_sum(const target *to, const cql_node *sum, corm_error *err) {
    const engine_column_image *image;
    cql_eval_env               env = *to->env;
    cql_row_view               row = { 0 };
    cql_value                  value;
    CORM_TRY(cql__eval(sum->args[1], &env, &value, err));
    if (value.len < 0) return base__fail(err, CORM_INVALID, "Invalid null value for an increment");
    CORM_TRY(found_column(to, &image, err));
    const engine_cell *cell = image ? seen_at(to, image, 0) : NULL;
    if (!cell) return CORM_OK;
    cql_value *columns = BASE_NEW_ARRAY(to->arena, cql_value, to->image->table->column_count);
    if (!columns) return base__fail_memory(err);
    columns[to->column->index] = cql__value_of(cell->value);
    row.columns = columns;
    env.row = &row;
    CORM_TRY(cql__eval(sum, &env, &value, err));
    return done(engine__image_set(to->row, to->column, value, to->stamp, to->arena), err);
}

static bool is_sum(const cql_node *node) {
    return node->kind == CQL_NODE_CALL && node->count == 2 && node->args[0] &&
           node->args[0]->kind == CQL_NODE_COLUMN;
}

static corm_status assign_set(const target *to, const cql_assign *assign, corm_error *err) {
    cql_value value;
    if (is_sum(assign->value)) return assign_sum(to, assign->value, err);
    CORM_TRY(cql__eval(assign->value, to->env, &value, err));
    if (value.len == -2) return CORM_OK;
    if (cql__type_is_multicell(to->column->type)) return overwrite(to, value, err);
    return done(engine__image_set(to->row, to->column, value, to->stamp, to->arena), err);
}

static corm_status count(const target *to, cql_value value, int sign, corm_error *err) {
    if (value.len != 8)
        return base__fail(err, CORM_INVALID, "Invalid null value for counter increment");
    int64_t delta = (int64_t)base__load_u64(value.data);
    if (sign < 0 && delta == INT64_MIN)
        return base__fail(
            err, CORM_INVALID,
            "The negation of %lld overflows supported counter precision (signed 8 bytes integer)",
            (long long)delta);
    return done(engine__image_count(to->row, to->column, sign * delta, to->stamp, to->arena), err);
}

static corm_status assign_add(const target *to, const cql_assign *assign, corm_error *err) {
    cql_value value;
    CORM_TRY(cql__eval(assign->value, to->env, &value, err));
    if (value.len == -2) return CORM_OK;
    if (to->column->type->id == CQL_COUNTER) return count(to, value, 1, err);
    if (value.len == -1) return CORM_OK;
    return to->column->type->id == CQL_LIST ? append_items(to, value, err)
                                            : add_entries(to, value, err);
}

static corm_status assign_subtract(const target *to, const cql_assign *assign, corm_error *err) {
    cql_value value;
    CORM_TRY(cql__eval(assign->value, to->env, &value, err));
    if (value.len == -2) return CORM_OK;
    if (to->column->type->id == CQL_COUNTER) return count(to, value, -1, err);
    if (value.len == -1) return CORM_OK;
    return to->column->type->id == CQL_LIST ? discard_items(to, value, err)
                                            : discard_keys(to, assign->value->type, value, err);
}

static corm_status assign_element(const target *to, const cql_assign *assign, corm_error *err) {
    cql_value  value;
    corm_bytes path;
    CORM_TRY(cql__eval(assign->value, to->env, &value, err));
    bool is_list = to->column->type->id == CQL_LIST;
    if (is_list) CORM_TRY(find_list_cell(to, assign->key, "set an element on", &path, err));
    if (value.len == -2) return CORM_OK;
    if (!is_list) CORM_TRY(eval_key(to, assign->key, &path, err));
    return put(to, path, value, err);
}

static corm_status assign_field(const target *to, const cql_assign *assign, corm_error *err) {
    cql_value  value;
    corm_bytes path;
    CORM_TRY(cql__eval(assign->value, to->env, &value, err));
    if (value.len == -2) return CORM_OK;
    CORM_TRY(field_path(to, assign->field, &path, err));
    return put(to, path, value, err);
}

static corm_status delete_column(const target *to, const cql_assign *assign, corm_error *err) {
    (void)assign;
    if (!cql__type_is_multicell(to->column->type))
        return done(engine__image_set(to->row, to->column, CQL_NULL, to->stamp, to->arena), err);
    return done(engine__image_delete_complex(to->row, to->column, to->stamp->timestamp, to->stamp,
                                             to->arena),
                err);
}

static corm_status delete_element(const target *to, const cql_assign *assign, corm_error *err) {
    corm_bytes path;
    cql_value  key;
    CORM_TRY(cql__eval(assign->key, to->env, &key, err));
    if (key.len == -2 && to->column->type->id != CQL_MAP) return CORM_OK;
    if (to->column->type->id == CQL_LIST)
        CORM_TRY(find_list_cell(to, assign->key, "delete an element from", &path, err));
    else
        CORM_TRY(eval_key(to, assign->key, &path, err));
    return put(to, path, CQL_NULL, err);
}

static corm_status delete_field(const target *to, const cql_assign *assign, corm_error *err) {
    corm_bytes path;
    CORM_TRY(field_path(to, assign->field, &path, err));
    return put(to, path, CQL_NULL, err);
}

static const assign_function functions[] = {
    [CQL_ASSIGN_SET] = assign_set,
    [CQL_ASSIGN_ADD] = assign_add,
    [CQL_ASSIGN_SUBTRACT] = assign_subtract,
    [CQL_ASSIGN_PREPEND] = prepend_items,
    [CQL_ASSIGN_SET_ELEMENT] = assign_element,
    [CQL_ASSIGN_SET_FIELD] = assign_field,
    [CQL_ASSIGN_DELETE] = delete_column,
    [CQL_ASSIGN_DELETE_ELEMENT] = delete_element,
    [CQL_ASSIGN_DELETE_FIELD] = delete_field,
};

corm_status engine__write_assign(engine_write *write, write_image *image, const cql_assign *assign,
                                 cql_eval_env *env, const image_stamp *stamp, corm_error *err) {
    image_stamp plain = *stamp;
    if (assign->kind >= CQL_ASSIGN_DELETE) plain.ttl = 0;
    int64_t hidden = engine__hidden_until(image->table, assign->column);
    if (hidden > plain.shadow) plain.shadow = hidden;
    target to = { write, image, &image->row, assign->column, &plain, env, env->context.arena };
    return functions[assign->kind](&to, assign, err);
}
