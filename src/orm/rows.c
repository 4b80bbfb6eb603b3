// SPDX-License-Identifier: MIT
/* rows.c -- found rows: an array of structs, the results that they point into, and which columns
 * were null.
 *
 *   structs   row_size * count bytes, one behind the other
 *   nulls     a bit for each column of the plan, `words` uint64s for each row; made with the
 *             first null
 *
 * One thread at a time. Outlives its db. */
#include <stdlib.h>

#include "orm/hook.h"
#include "orm/relation.h"

enum { MOST_COLUMNS = 4096 };

corm_status orm__rows_new(orm_model *model, corm_rows **out, corm_error *err) {
    corm_rows *rows = calloc(1, sizeof *rows);
    if (!rows) return base__fail_memory(err);
    rows->db = orm__db_ref(model->db);
    rows->model = model;
    rows->left = UINT64_MAX;
    *out = rows;
    return CORM_OK;
}

static void free_results(corm_rows *rows) {
    for (uint32_t i = 0; i < rows->result_count; i++) corm_result_free(rows->results[i]);
    rows->result_count = 0;
}

void corm_rows_free(corm_rows *rows) {
    if (!rows) return;
    orm__related_free(rows);
    free_results(rows);
    free(rows->results);
    free(rows->structs);
    free(rows->nulls);
    free(rows->own_plan);
    base__buf_free(&rows->sort_keys);
    base__buf_free(&rows->partition);
    base__arena_free(&rows->arena);
    base__arena_free(&rows->kept);
    orm__db_unref(rows->db);
    free(rows);
}

/* ---- room ---- */

/* Room for `more` rows, zeroed. */
static corm_status reserve(corm_rows *rows, uint32_t more, corm_error *err) {
    uint64_t wanted = (uint64_t)rows->count + more;
    if (wanted <= rows->capacity) return CORM_OK;
    size_t size = rows->model->spec->row_size;
    if (wanted > UINT32_MAX) return base__fail_memory(err);
    uint64_t capacity = rows->count == 0 ? wanted : wanted + wanted / 2;
    if (capacity > UINT32_MAX) capacity = wanted;
    if (capacity > SIZE_MAX / size) return base__fail_memory(err);
    if (rows->nulls) {
        size_t    words = rows->words;
        uint64_t *nulls = realloc(rows->nulls, (size_t)capacity * words * sizeof *nulls);
        if (!nulls) return base__fail_memory(err);
        memset(nulls + rows->capacity * words, 0,
               ((size_t)capacity - rows->capacity) * words * sizeof *nulls);
        rows->nulls = nulls;
    }
    uint8_t *structs = rows->structs ? realloc(rows->structs, (size_t)capacity * size)
                                     : calloc((size_t)capacity, size);
    if (!structs) return base__fail_memory(err);
    if (rows->structs) {
        memset(structs + rows->capacity * size, 0, ((size_t)capacity - rows->capacity) * size);
    }
    rows->structs = structs;
    rows->capacity = (uint32_t)capacity;
    return CORM_OK;
}

static bool set_null(void *context, uint32_t row, uint32_t column) {
    corm_rows *rows = context;
    if (!rows->nulls) {
        rows->nulls = calloc(rows->capacity, rows->words * sizeof *rows->nulls);
        if (!rows->nulls) return false;
    }
    size_t at = (size_t)(rows->count + row) * rows->words + column / 64;
    rows->nulls[at] |= UINT64_C(1) << column % 64;
    return true;
}

/* ---- rows from elsewhere ---- */

/* A plan that only says which column is which field. */
static orm_plan *blank_plan(const orm_model *model) {
    orm_plan *plan = calloc(1, sizeof *plan + model->count * sizeof plan->steps[0]);
    if (!plan) return NULL;
    plan->count = model->count;
    for (uint32_t i = 0; i < model->count; i++) plan->steps[i].field = &model->fields[i];
    return plan;
}

corm_status orm__rows_blank(corm_rows *rows, uint32_t count, corm_error *err) {
    rows->own_plan = blank_plan(rows->model);
    if (!rows->own_plan) return base__fail_memory(err);
    rows->plan = rows->own_plan;
    rows->words = (rows->model->count + 63) / 64;
    CORM_TRY(reserve(rows, count > 0 ? count : 1, err));
    size_t bytes = rows->capacity * rows->words * sizeof *rows->nulls;
    rows->nulls = malloc(bytes);
    if (!rows->nulls) return base__fail_memory(err);
    memset(rows->nulls, 0xFF, bytes);
    rows->count = count;
    return CORM_OK;
}

void orm__rows_set_given(corm_rows *rows, uint32_t row, uint32_t field) {
    rows->nulls[(size_t)row * rows->words + field / 64] &= ~(UINT64_C(1) << field % 64);
}

/* ---- one page ---- */

/* The columns of a prepared statement live as long as it does: a plan for them is kept with it. */
static corm_status find_plan(corm_rows *rows, orm_shape *shape, const wire_metadata *metadata,
                             corm_error *err) {
    bool      lasting = shape && metadata->absent;
    orm_plan *plan = shape ? atomic_load_explicit(&shape->plan, memory_order_acquire) : NULL;
    if (lasting && plan && plan->columns == metadata->columns) {
        rows->plan = plan;
        return CORM_OK;
    }
    CORM_TRY(orm__plan_new(rows->model, metadata->columns, metadata->count, &plan, err));
    if (lasting) {
        plan->older = atomic_load(&shape->plan);
        while (!atomic_compare_exchange_weak(&shape->plan, &plan->older, plan)) {
        }
    } else {
        free(rows->own_plan);
        rows->own_plan = plan;
    }
    rows->plan = plan;
    return CORM_OK;
}

static corm_status add_sort_keys(corm_rows *rows, const cql_value *cells, corm_error *err) {
    if (rows->sort_count == 0) return CORM_OK;
    if (rows->count > rows->sort_limit) {
        return base__fail(err, CORM_INVALID,
                          "more than %u rows would have to be sorted in memory; narrow the "
                          "conditions, order by a clustering column, or raise .sort_limit",
                          rows->sort_limit);
    }
    for (uint32_t i = 0; i < rows->sort_count; i++) {
        base__buf_put(&rows->sort_keys, &cells[rows->sorts[i].column], sizeof *cells);
    }
    return base__buf_status(&rows->sort_keys, err);
}

static bool same_partition(const corm_rows *rows, const cql_value *cells) {
    base_reader last = { rows->partition.data, rows->partition.len, false };
    for (uint32_t i = 0; i < rows->partition_column_count; i++) {
        cql_value  cell = cells[rows->partition_columns[i]];
        corm_bytes was = base__read_bytes(&last, base__read_u32(&last));
        if (last.failed || (int64_t)was.len != cell.len) return false;
        if (was.len > 0 && memcmp(was.data, cell.data, was.len) != 0) return false;
    }
    return true;
}

/* Counts the row; the rows of a partition come one behind the other. */
static corm_status count_in_partition(corm_rows *rows, const cql_value *cells, bool *beyond,
                                      corm_error *err) {
    *beyond = false;
    if (rows->partition_limit == 0) return CORM_OK;
    if (!same_partition(rows, cells)) {
        rows->partition_taken = 0;
        base__buf_clear(&rows->partition);
        for (uint32_t i = 0; i < rows->partition_column_count; i++) {
            cql_value cell = cells[rows->partition_columns[i]];
            uint32_t  len = cell.len < 0 ? 0 : (uint32_t)cell.len;
            base__buf_u32(&rows->partition, len);
            if (len > 0) base__buf_put(&rows->partition, cell.data, len);
        }
    }
    *beyond = rows->partition_taken++ >= rows->partition_limit;
    return base__buf_status(&rows->partition, err);
}

static bool passes_filters(const corm_rows *rows, const cql_value *cells) {
    for (uint32_t i = 0; i < rows->filter_count; i++) {
        const orm_filter *filter = &rows->filters[i];
        if (!orm__filter_holds(filter, cells[filter->column])) return false;
    }
    return true;
}

static corm_status passes(corm_rows *rows, const cql_value *cells, bool *out, corm_error *err) {
    bool beyond;
    *out = false;
    if (!passes_filters(rows, cells)) return CORM_OK;
    CORM_TRY(count_in_partition(rows, cells, &beyond, err));
    if (beyond) return CORM_OK;
    *out = rows->sort_count > 0 || rows->skip == 0; /* offset and limit come after sorting */
    if (!*out) rows->skip--;
    return CORM_OK;
}

static corm_status decode_cells(corm_rows *rows, const cql_value *cells,
                                const orm_reading *reading) {
    const orm_plan *plan = rows->plan;
    uint8_t        *row = rows->structs + rows->count * rows->model->spec->row_size;
    for (uint32_t i = 0; i < plan->count; i++) {
        const orm_step *step = &plan->steps[i];
        if (cells[i].len >= 0) {
            CORM_TRY(orm__decode(step, cells[i], row + step->offset, reading));
            continue;
        }
        if (!set_null(rows, 0, i)) return base__fail_memory(reading->err);
        if (step->tells_null) orm__member_set_null(step->field->member, row + step->offset);
    }
    rows->count++;
    return add_sort_keys(rows, cells, reading->err);
}

static corm_status pick_rows(corm_rows *rows, base_reader *in, uint32_t count,
                             const orm_reading *reading) {
    cql_value *cells = BASE_NEW_ARRAY(&rows->arena, cql_value, rows->plan->count);
    if (!cells) return base__fail_memory(reading->err);
    for (uint32_t row = 0; row < count && rows->left > 0; row++) {
        for (uint32_t i = 0; i < rows->plan->count; i++) cells[i] = cql__read_value(in);
        if (in->failed) {
            return base__fail(reading->err, CORM_PROTOCOL_ERROR, "a row of the result is cut off");
        }
        bool taken;
        CORM_TRY(passes(rows, cells, &taken, reading->err));
        if (!taken) continue;
        CORM_TRY(decode_cells(rows, cells, reading));
        if (rows->sort_count == 0) rows->left--;
    }
    return CORM_OK;
}

static corm_status read_rows(corm_rows *rows, const wire_result *wire, corm_error *err) {
    base_reader in = wire->rows;
    orm_reading reading = { in.data + in.len, &rows->arena, err };
    bool        pick = rows->filter_count > 0 || rows->skip > 0 || rows->sort_count > 0 ||
                rows->partition_limit > 0 || rows->left < wire->row_count;
    if (pick) return pick_rows(rows, &in, wire->row_count, &reading);
    size_t size = rows->model->spec->row_size;
    if (wire->row_count == 0) return CORM_OK;
    CORM_TRY(orm__decode_rows(rows->plan, &in, wire->row_count, rows->structs + rows->count * size,
                              size, set_null, rows, &reading));
    rows->count += wire->row_count;
    rows->left -= wire->row_count;
    return CORM_OK;
}

static corm_status read_page(corm_rows *rows, orm_shape *shape, const corm_result *result,
                             corm_error *err) {
    const wire_result *wire = session__result_wire(result);
    if (wire->kind != WIRE_ROWS) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the statement does not answer with rows");
    }
    if (wire->metadata.count == 0 || wire->metadata.count > MOST_COLUMNS) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "the result has %u columns",
                          wire->metadata.count);
    }
    CORM_TRY(find_plan(rows, shape, &wire->metadata, err));
    uint32_t words = (rows->plan->count + 63) / 64;
    if (words != rows->words) { /* the table changed between two pages */
        free(rows->nulls);
        rows->nulls = NULL;
        rows->words = words;
    }
    CORM_TRY(reserve(rows, wire->row_count, err));
    return read_rows(rows, wire, err);
}

static corm_status keep(corm_rows *rows, corm_result *result, corm_error *err) {
    if (rows->result_count == rows->result_capacity) {
        uint32_t      capacity = rows->result_capacity == 0 ? 1 : 2 * rows->result_capacity;
        corm_result **results = realloc(rows->results, capacity * sizeof *results);
        if (!results) {
            corm_result_free(result);
            return base__fail_memory(err);
        }
        rows->results = results;
        rows->result_capacity = capacity;
    }
    rows->results[rows->result_count++] = result;
    return CORM_OK;
}

corm_status orm__rows_add(corm_rows *rows, orm_shape *shape, corm_result *result, corm_error *err) {
    CORM_TRY(keep(rows, result, err));
    return read_page(rows, shape, result, err);
}

/* ---- order ---- */

typedef struct sorting {
    const orm_sort  *sorts;
    uint32_t         count;
    const cql_value *keys;
} sorting;

/* Nulls come first, as the smallest. Rows that are equal stay in the order they were read in. */
static int compare_rows(const sorting *s, uint32_t a, uint32_t b) {
    for (uint32_t i = 0; i < s->count; i++) {
        cql_value x = s->keys[(size_t)a * s->count + i];
        cql_value y = s->keys[(size_t)b * s->count + i];
        int       order = (x.len >= 0) - (y.len >= 0);
        if (order == 0 && x.len >= 0) order = cql__compare(s->sorts[i].type, x, y);
        if (order != 0) return s->sorts[i].descending ? -order : order;
    }
    return (a > b) - (a < b);
}

/* A merge sort: `order` has room for 2 * count. */
static void sort_order(const sorting *s, uint32_t *order, uint32_t count) {
    uint32_t *from = order;
    uint32_t *to = order + count;
    for (uint32_t width = 1; width<count; width = width> count / 2 ? count : 2 * width) {
        for (uint32_t low = 0; low < count; low += 2 * width) {
            uint32_t middle = count - low < width ? count : low + width;
            uint32_t high = count - middle < width ? count : middle + width;
            uint32_t a = low;
            uint32_t b = middle;
            for (uint32_t at = low; at < high; at++) {
                bool left = a < middle && (b == high || compare_rows(s, from[a], from[b]) < 0);
                to[at] = left ? from[a++] : from[b++];
            }
            if (count - low <= 2 * width) break;
        }
        uint32_t *other = from;
        from = to;
        to = other;
    }
    if (from != order) memcpy(order, from, count * sizeof *order);
}

static void move_row(const corm_rows *rows, uint32_t from, uint8_t *structs, uint64_t *nulls,
                     uint32_t to) {
    size_t size = rows->model->spec->row_size;
    memcpy(structs + to * size, rows->structs + from * size, size);
    if (nulls) {
        memcpy(nulls + (size_t)to * rows->words, rows->nulls + (size_t)from * rows->words,
               rows->words * sizeof *nulls);
    }
}

corm_status orm__rows_take(corm_rows *rows, const uint32_t *order, uint32_t first, uint32_t count,
                           corm_error *err) {
    size_t    room = count > 0 ? count : 1;
    uint8_t  *structs = calloc(room, rows->model->spec->row_size);
    uint64_t *nulls = rows->nulls ? calloc(room, rows->words * sizeof *nulls) : NULL;
    if (!structs || (rows->nulls && !nulls)) {
        free(structs);
        free(nulls);
        return base__fail_memory(err);
    }
    for (uint32_t i = 0; i < count; i++) move_row(rows, order[first + i], structs, nulls, i);
    free(rows->structs);
    free(rows->nulls);
    rows->structs = structs;
    rows->nulls = nulls;
    rows->count = count;
    rows->capacity = (uint32_t)room;
    return CORM_OK;
}

corm_status orm__rows_finish(corm_rows *rows, corm_error *err) {
    if (rows->sort_count == 0) return CORM_OK;
    uint32_t  count = rows->count;
    uint32_t *order = malloc((2 * (size_t)count + 1) * sizeof *order);
    if (!order) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    sorting s = { rows->sorts, rows->sort_count, (const void *)rows->sort_keys.data };
    sort_order(&s, order, count);
    uint32_t    first = rows->skip < count ? (uint32_t)rows->skip : count;
    uint32_t    taken = rows->left < count - first ? (uint32_t)rows->left : count - first;
    corm_status status = orm__rows_take(rows, order, first, taken, err);
    free(order);
    base__buf_free(&rows->sort_keys);
    return status;
}

/* ---- for the program ---- */

uint32_t corm_rows_count(const corm_rows *rows) {
    return rows ? rows->count : 0;
}

void *corm_rows_at(const corm_rows *rows, uint32_t index) {
    if (!rows || index >= rows->count) return NULL;
    return rows->structs + index * rows->model->spec->row_size;
}

void *corm_rows_first(const corm_rows *rows) {
    return corm_rows_at(rows, 0);
}

static corm_result *last_page(const corm_rows *rows) {
    return rows && rows->result_count > 0 ? rows->results[rows->result_count - 1] : NULL;
}

bool corm_rows_has_more(const corm_rows *rows) {
    corm_result *last = last_page(rows);
    return last && rows->left > 0 && corm_result_has_more(last);
}

corm_bytes corm_rows_paging_state(const corm_rows *rows) {
    if (!corm_rows_has_more(rows)) return (corm_bytes){ NULL, 0 };
    return corm_result_paging_state(last_page(rows));
}

static void drop_rows(corm_rows *rows) {
    orm__related_free(rows);
    if (rows->structs) memset(rows->structs, 0, rows->capacity * rows->model->spec->row_size);
    if (rows->nulls) {
        memset(rows->nulls, 0, (size_t)rows->capacity * rows->words * sizeof *rows->nulls);
    }
    base__arena_reset(&rows->arena);
    rows->count = 0;
}

corm_status orm__rows_next_page(corm_rows *rows, corm_error *err) {
    if (!corm_rows_has_more(rows)) return base__fail(err, CORM_NOT_FOUND, "there is no next page");
    CORM_TRY(corm_result_fetch(last_page(rows), err));
    drop_rows(rows);
    return read_page(rows, NULL, last_page(rows), err);
}

corm_status corm_rows_next_page(corm_rows *rows, corm_error *err) {
    corm_status status = orm__rows_next_page(rows, err);
    return status == CORM_OK && orm__hooked(rows->model) ? orm__page_hooked(rows, err) : status;
}

bool corm_rows_is_null(const corm_rows *rows, uint32_t index, const char *column) {
    if (!rows || index >= rows->count || !rows->plan) return true;
    for (uint32_t i = 0; i < rows->plan->count; i++) {
        const orm_field *field = rows->plan->steps[i].field;
        if (!field || !corm_str_equal(field->name, corm_str_of(column))) continue;
        if (!rows->nulls) return false;
        return rows->nulls[(size_t)index * rows->words + i / 64] >> i % 64 & 1;
    }
    return true;
}
