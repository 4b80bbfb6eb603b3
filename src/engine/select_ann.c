// SPDX-License-Identifier: MIT
/* select_ann.c -- ORDER BY … ANN OF: of the rows that a source gives, those whose vector is most like the query's.
 *
 * The source is the partition that WHERE names; or an index on another column, when it finds few rows; or the graph of the vector
 * index, asked for more and more until enough of its rows pass the filters; or, when it was asked for a good part of all,
 * every row. What a row is worth is computed from the row itself, as similarity_* would, so order and content are exact for the rows that
 * were looked at. Thread: the reader's. */
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "engine/select_internal.h"
#include "engine/vector.h"
#include "wire/message.h"

enum {
    MOST_ROWS = 1000,
    FEW_NODES = 2048,  /* of a graph: all are looked at */
    FEW_ROWS = 2000,   /* that another index may find */
    MOST_BEAM = 32768, /* beyond, and beyond a quarter of all, every row is looked at */
    BEAM_GROWTH = 4
};

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
    uint64_t              looked_at, may_look; /* rows */
    base_buf              data_key;
    int64_t               first_token, last_token;
    hnsw                 *graph;
    uint64_t              sequence; /* of the snapshot */
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
                              .wanted = run->limit,
                              .may_look = UINT64_MAX,
                              .first_token = INT64_MIN,
                              .last_token = INT64_MAX };
    run->ann->rows = BASE_NEW_ARRAY(run->request->arena, ann_row, run->limit);
    if (!run->ann->rows) return base__fail_memory(err);
    return read_query(run, err);
}

void select__ann_free(select_run *run) {
    if (!run->ann) return;
    base__arena_free(&run->ann->arena);
    base__buf_free(&run->ann->scratch);
    base__buf_free(&run->ann->data_key);
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

/* ---- rows of other sources ---- */

bool select__ann_goes_on(select_run *run) {
    if (run->ann->looked_at++ < run->ann->may_look) return true;
    run->stop = true;
    return false;
}

static void start_again(select_run *run) {
    select_ann *ann = run->ann;
    base__arena_reset(&ann->arena);
    ann->count = 0;
    ann->looked_at = 0;
    ann->may_look = UINT64_MAX;
    run->stop = run->in_partition = run->skip_partition = false;
}

static corm_status look_at_rows(select_run *run, corm_error *err) {
    start_again(run);
    return run->select->where.lookup_count ? select__index(run, err) : select__scan(run, err);
}

/* *done is false when the other index finds too many. */
static corm_status look_at_few(select_run *run, bool *done, corm_error *err) {
    *done = false;
    if (run->select->where.lookup_count == 0) return CORM_OK;
    start_again(run);
    run->ann->may_look = FEW_ROWS;
    CORM_TRY(select__index(run, err));
    *done = run->ann->looked_at <= FEW_ROWS;
    return CORM_OK;
}

/* ---- rows that the graph finds ---- */

static corm_status visit_row(select_run *run, const engine_key *key, corm_error *err) {
    CORM_TRY(select__enter_partition(run, key, NULL, err));
    if (run->stop || run->skip_partition) return CORM_OK;
    if (key->kind == ENGINE_KEY_STATIC) return select__read_bounds(run, err);
    if (!select__in_bounds(run, key->clustering)) return CORM_OK;
    return select__read_row(run, base__buf_bytes(&run->ann->data_key), err);
}

/* A node that the snapshot does not have is not yet there, or no more. */
static corm_status visit_node(select_run *run, const vector_place *at, uint32_t node,
                              corm_error *err) {
    select_ann *ann = run->ann;
    engine_key  key;
    bool        found = hnsw__label(ann->graph, node, ann->sequence, &ann->data_key);
    if (!found) CORM_TRY(engine__vector_row(at, node, &ann->data_key, &found, err));
    if (!found) return CORM_OK;
    if (!engine__key_split(base__buf_bytes(&ann->data_key), &key))
        return base__fail(err, CORM_CORRUPT, "a node of index %.*s is damaged",
                          (int)ann->index->name.len, ann->index->name.data);
    if (key.token < ann->first_token || key.token > ann->last_token) return CORM_OK;
    return visit_row(run, &key, err);
}

/* In the order of the hits, until there are enough rows; those that are as near as the last one are looked at too. */
static corm_status visit_hits(select_run *run, const vector_place *at, const hnsw_hit *hits,
                              uint32_t count, corm_error *err) {
    start_again(run);
    float    last = INFINITY;
    uint32_t wanted = run->ann->wanted;
    hnsw__fetch_labels(run->ann->graph, hits, count < wanted ? count : wanted);
    for (uint32_t i = 0; i < count && hits[i].distance <= last; i++) {
        CORM_TRY(visit_node(run, at, hits[i].id, err));
        if (run->ann->count == run->ann->wanted && last == INFINITY)
            last = hits[i].distance + 1e-6f * fabsf(hits[i].distance);
    }
    run->in_partition = false;
    return CORM_OK;
}

/* How many candidates are kept: a few more than are wanted, or what the index or the request says. */
static uint32_t first_beam(const select_run *run) {
    const wire_options *options = run->request->options;
    uint32_t            wanted = run->ann->wanted, beam = run->ann->options.search_beam;
    int64_t             number;
    for (uint32_t i = 0; i < options->payload_count; i++) {
        const wire_payload_item *item = &options->payload[i];
        corm_str                 text = { (const char *)item->value.data,
                          item->value.len > 0 ? (size_t)item->value.len : 0 };
        if (corm_str_equal(item->name, corm_str_of("search_beam_width")) &&
            base__parse_i64(text, &number) && number > 0 && number <= MOST_BEAM)
            beam = (uint32_t)number;
    }
    if (beam == 0) beam = run->ann->options.for_recall ? 2 * wanted + 150 : wanted + 50;
    return beam > wanted ? beam : wanted;
}

static corm_status find_hits(select_run *run, hnsw *graph, uint32_t beam, hnsw_hit **hits,
                             uint32_t *count, corm_error *err) {
    const uint8_t *query = run->ann->query.data;
    *hits = malloc((size_t)beam * sizeof **hits);
    if (!*hits) return base__fail_memory(err);
    if (hnsw__count(graph) <= FEW_NODES) return hnsw__scan(graph, query, beam, *hits, count, err);
    return hnsw__search(graph, query, beam, *hits, count, err);
}

static corm_status search_graph(select_run *run, const vector_place *at, hnsw *graph,
                                corm_error *err) {
    uint32_t all = hnsw__count(graph);
    for (uint32_t beam = first_beam(run);; beam *= BEAM_GROWTH) {
        hnsw_hit   *hits;
        uint32_t    count = 0;
        corm_status status = find_hits(run, graph, beam, &hits, &count, err);
        if (status == CORM_OK) status = visit_hits(run, at, hits, count, err);
        free(hits);
        CORM_TRY(status);
        if (run->ann->count == run->ann->wanted || count >= all) return CORM_OK;
        if (beam > FEW_NODES && (beam > all / 4 || beam > MOST_BEAM)) return look_at_rows(run, err);
    }
}

static corm_status use_graph(select_run *run, corm_error *err) {
    select_ann  *ann = run->ann;
    vector_place at = { run->request->txn, run->table, ann->index };
    bool         empty = false;
    CORM_TRY(engine__token_bounds(&run->select->where, &run->env, &ann->first_token,
                                  &ann->last_token, &empty, err));
    if (empty) return CORM_OK;
    CORM_TRY(engine__vector_graph(run->request->store, &at, &ann->graph, &ann->sequence, err));
    if (!ann->graph) return look_at_rows(run, err);
    corm_status status = search_graph(run, &at, ann->graph, err);
    hnsw__unref(ann->graph);
    return status;
}

corm_status select__ann_read(select_run *run, corm_error *err) {
    bool done;
    if (run->select->where.partition_count) return select__partitions(run, err);
    CORM_TRY(look_at_few(run, &done, err));
    return done ? CORM_OK : use_graph(run, err);
}
