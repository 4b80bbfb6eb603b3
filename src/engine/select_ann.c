// SPDX-License-Identifier: MIT
/* select_ann.c -- ORDER BY … ANN OF: of the rows that a source gives, those whose vector is most like the query's.
 *
 * What a row is worth is computed from the row itself, as similarity_* would, so order and content are exact for the rows that
 * were looked at. Thread: the reader's. */
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "engine/select_internal.h"
#include "engine/vector.h"

enum { MOST_ROWS = 1000 };

typedef struct ann_row {
    float      score;
    corm_bytes key;   /* position: equally alike rows are in the order of the table */
    corm_bytes cells; /* the projected row */
} ann_row;

/* The best rows so far, the worst of them first: a heap. */
struct select_ann {
    const cql_index      *index;
    engine_vector_options options;
    corm_bytes            query; /* wire form */
    base_arena            arena;
    base_buf              scratch;
    uint32_t              count, wanted;
    ann_row              *rows;
};

/* ---- what is asked ---- */

static corm_status check_limits(const select_run *run, corm_error *err) {
    if (run->grouped)
        return base__fail(err, CORM_INVALID, "Top-K queries can not be run with aggregation");
    CORM_TRY(engine__check_ann_consistency(run->request, err));
    if (run->per_partition != UINT32_MAX) {
        return base__fail(err, CORM_INVALID, "Top-K queries do not support per-partition limits");
    }
    if (run->limit == UINT32_MAX) {
        return base__fail(
            err, CORM_INVALID,
            "Top-K queries must have a limit specified and the limit must be less than the query page size");
    }
    if (run->limit <= MOST_ROWS) return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "Use of ANN OF in an ORDER BY clause requires a LIMIT that is not greater than %d. LIMIT was %u",
        (int)MOST_ROWS, run->limit);
}

static void warn_page_size(const select_run *run) {
    int32_t size = run->request->options->page_size;
    if (size <= 0 || (uint32_t)size >= run->limit) return;
    corm_str text = base__arena_printf(
        run->request->arena,
        "Top-K queries do not support paging and the page size is set to %d, which is less than LIMIT %u. "
        "The page size has been set to %u to match the LIMIT.",
        size, run->limit, run->limit);
    if (text.data) wire__add_warning(run->request->answer, text);
}

static corm_status read_query(select_run *run, corm_error *err) {
    const cql_ann *ann = run->select->ann;
    cql_eval_env   env = run->env;
    cql_value      value;
    env.context.arena = run->request->arena;
    CORM_TRY(cql__eval(ann->query, &env, &value, err));
    if (value.len < 0) {
        return base__fail(err, CORM_INVALID, "Unsupported %s value for column %.*s",
                          value.len == -2 ? "unset" : "null", (int)ann->index->column->name.len,
                          ann->index->column->name.data);
    }
    run->ann->query = (corm_bytes){ value.data, (size_t)value.len };
    CORM_TRY(cql__validate(ann->query->type, value, err));
    return engine__vector_check(run->ann->options.by, run->ann->query, err);
}

corm_status select__ann_begin(select_run *run, corm_error *err) {
    const cql_index *index = run->select->ann->index;
    CORM_TRY(check_limits(run, err));
    warn_page_size(run);
    run->ann = BASE_NEW(run->request->arena, select_ann);
    if (!run->ann) return base__fail_memory(err);
    *run->ann = (select_ann){ .index = index,
                              .options = engine__vector_options(index),
                              .wanted = run->limit };
    run->ann->rows = BASE_NEW_ARRAY(run->request->arena, ann_row, run->limit);
    if (!run->ann->rows) return base__fail_memory(err);
    return read_query(run, err);
}

void select__ann_free(select_run *run) {
    if (!run->ann) return;
    base__arena_free(&run->ann->arena);
    base__buf_free(&run->ann->scratch);
    run->ann = NULL;
}

/* ---- the heap ---- */

static bool is_worse(const ann_row *a, const ann_row *b) {
    if (a->score != b->score) return a->score < b->score;
    return base__bytes_compare(a->key, b->key) > 0;
}

static void sift_up(ann_row *rows, uint32_t at) {
    ann_row row = rows[at];
    for (; at > 0 && is_worse(&row, &rows[(at - 1) / 2]); at = (at - 1) / 2)
        rows[at] = rows[(at - 1) / 2];
    rows[at] = row;
}

static void sift_down(ann_row *rows, uint32_t count, const ann_row *row) {
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && is_worse(&rows[child + 1], &rows[child])) child++;
        if (!is_worse(&rows[child], row)) break;
        rows[at] = rows[child];
        at = child;
    }
    rows[at] = *row;
}

static corm_status keep_row(select_run *run, ann_row *row, corm_error *err) {
    select_ann *ann = run->ann;
    base__buf_clear(&ann->scratch);
    CORM_TRY(select__project_row(run, &ann->scratch, err));
    CORM_TRY(base__buf_status(&ann->scratch, err));
    row->cells.len = ann->scratch.len;
    row->cells.data = base__arena_copy(&ann->arena, ann->scratch.data, ann->scratch.len);
    row->key.data = base__arena_copy(&ann->arena, row->key.data, row->key.len);
    if (!row->cells.data || !row->key.data) return base__fail_memory(err);
    if (ann->count == ann->wanted) {
        sift_down(ann->rows, ann->count, row);
    } else {
        ann->rows[ann->count] = *row;
        sift_up(ann->rows, ann->count++);
    }
    return CORM_OK;
}

/* Rows without a vector, or with one that the index does not take, are not among the nearest. */
corm_status select__ann_row(select_run *run, corm_bytes key, corm_error *err) {
    select_ann *ann = run->ann;
    cql_value   value = run->values[ann->index->column->index];
    if (value.len < 0 || (size_t)value.len != ann->query.len) return CORM_OK;
    float score =
        cql__similarity(ann->options.by, value.data, ann->query.data, ann->options.dimension);
    ann_row row = { score, key, { NULL, 0 } };
    if (isnan(score)) return CORM_OK;
    if (ann->count == ann->wanted && !is_worse(&ann->rows[0], &row)) return CORM_OK;
    return keep_row(run, &row, err);
}

static int best_first(const void *a, const void *b) {
    return is_worse(a, b) ? 1 : -1;
}

corm_status select__ann_end(select_run *run, corm_error *err) {
    select_ann *ann = run->ann;
    base_buf   *body = &run->request->answer->body;
    if (ann->count > 1) qsort(ann->rows, ann->count, sizeof *ann->rows, best_first);
    for (uint32_t i = 0; i < ann->count; i++) {
        base__buf_put(body, ann->rows[i].cells.data, ann->rows[i].cells.len);
        wire__row_done(&run->writer);
    }
    return base__buf_status(body, err);
}

/* ---- sources ---- */

corm_status select__ann_read(select_run *run, corm_error *err) {
    const cql_where *where = &run->select->where;
    if (where->partition_count) return select__partitions(run, err);
    if (where->lookup_count) return select__index(run, err);
    return select__scan(run, err);
}
