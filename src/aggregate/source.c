// SPDX-License-Identifier: MIT
/* source.c -- a table's rows, read by several threads and cut into batches.
 *
 *   the ring ─► pieces ── taken one by one ──► thread: page, page … ─► batches ─► callback
 *
 * Each thread asks for its pages itself (a cluster has the next one under way meanwhile) and is the only one to see them. Pieces end
 * at the tokens of the nodes, as those of corm_scan do. What is asked by key or index is one piece, for one thread. A callback of a
 * session whose loop is the program's own must run on that loop's thread: then the caller reads alone. */
#include <stdlib.h>

#include "aggregate/pipeline.h"
#include "base/pool.h"
#include "session/scan.h"

enum { DEFAULT_RANGES = 64, CLUSTER_THREADS = 8, MOST_THREADS = 256, MOST_RANGES = 1 << 20 };

struct agg_source {
    corm_session              *session;
    const agg_reading_options *options;
    agg_run                   *run;
    agg_source_callback       *callback;
    void                      *context;
    corm_prepared             *prepared;
    scan_pieces                pieces;
    atomic_uint                next;
    pthread_mutex_t            lock; /* guards what follows */
    corm_status                status;
    corm_error                 error;
};

typedef struct reader {
    agg_source *source;
    uint32_t    number;
    pthread_t   thread;
    bool        started;
    base_arena  arena; /* of the batch */
    agg_batch   batch;
} reader;

/* ---- threads ---- */

static bool has_own_loop(corm_session *session) {
    session_door *door = session->door;
    return door->ops->turn && door->ops->options && door->ops->options(door)->loop;
}

uint32_t agg__thread_count(corm_session *session, const agg_reading_options *options) {
    uint32_t threads = options->options->threads;
    if (options->ordered || options->source != AGG_RING || has_own_loop(session)) return 1;
    if (threads == 0 && session__is_cluster(session)) threads = CLUSTER_THREADS;
    if (threads == 0) threads = base__processors();
    return threads < MOST_THREADS ? threads : MOST_THREADS;
}

/* ---- pages ---- */

static corm_status give_page(reader *r, uint32_t piece, corm_result *page, corm_error *err) {
    agg_source        *source = r->source;
    const wire_result *wire = session__result_wire(page);
    base_reader        rows = wire->rows;
    uint32_t           left = wire->row_count;
    atomic_fetch_add(&source->run->rows, left);
    atomic_fetch_add(&source->run->pages, 1);
    if (source->options->whole_pages)
        return source->callback(source->context, r->number, piece, page, NULL, err);
    if (left > 0 && wire->metadata.count != r->batch.column_count)
        return base__fail(err, CORM_SCHEMA_MISMATCH, "the table was changed while it was read");
    while (left > 0 && !atomic_load(&source->run->enough)) {
        uint32_t count = left < AGG_BATCH ? left : AGG_BATCH;
        if (!agg__read_rows(&rows, &r->batch, count))
            return base__fail(err, CORM_SCHEMA_MISMATCH, "the table was changed while it was read");
        CORM_TRY(source->callback(source->context, r->number, piece, page, &r->batch, err));
        left -= count;
    }
    return CORM_OK;
}

static corm_status give_pages(reader *r, uint32_t piece, corm_result *page, corm_error *err) {
    for (;;) {
        CORM_TRY(give_page(r, piece, page, err));
        if (!corm_result_has_more(page) || atomic_load(&r->source->run->enough)) return CORM_OK;
        CORM_TRY(corm_result_fetch(page, err));
    }
}

/* The statement's own markers stand behind the tokens'. */
static corm_status bind_values(const agg_source *source, base_arena *arena, cql_value *values,
                               uint32_t first, corm_error *err) {
    base_buf bytes = { 0 };
    for (uint32_t i = 0; i < source->options->value_count; i++) {
        int32_t     len;
        size_t      start = bytes.len;
        corm_status status = session__encode_marker(source->prepared, first + i,
                                                    &source->options->values[i], &bytes, &len, err);
        if (status == CORM_OK) status = base__buf_status(&bytes, err);
        uint8_t *copy = status == CORM_OK
                            ? base__arena_copy(arena, bytes.data + start, bytes.len - start)
                            : NULL;
        if (status == CORM_OK && !copy) status = base__fail_memory(err);
        if (status != CORM_OK) {
            base__buf_free(&bytes);
            return status;
        }
        values[first + i] = (cql_value){ len < 0 ? NULL : copy, len };
    }
    base__buf_free(&bytes);
    return CORM_OK;
}

static corm_status ask(const agg_source *source, const scan_piece *piece, session_request *request,
                       base_arena *arena, corm_error *err) {
    const corm_pipeline_options *options = source->options->options;
    corm_request_options         how = { .page_size = options->page_size,
                                         .consistency = options->consistency };
    uint32_t                     first = source->options->source == AGG_RING ? 2 : 0;
    uint8_t                     *tokens = base__arena_alloc(arena, 16);
    cql_value *values = BASE_NEW_ARRAY(arena, cql_value, source->prepared->marker_count + 2);
    if (!tokens || !values) return base__fail_memory(err);
    if (source->prepared->marker_count != first + source->options->value_count)
        return base__fail(err, CORM_INVALID, "the statement has other markers than expected");
    base__store_u64(tokens, (uint64_t)piece->start);
    base__store_u64(tokens + 8, (uint64_t)piece->end);
    if (first > 0) {
        values[0] = (cql_value){ tokens, 8 };
        values[1] = (cql_value){ tokens + 8, 8 };
    }
    CORM_TRY(bind_values(source, arena, values, first, err));
    CORM_TRY(session__request_options(source->session, &how, request, err));
    session__request_execute(request, source->prepared, values);
    request->wire.options.has_token = first > 0;
    request->wire.options.token = piece->end;
    request->reads_ahead = true;
    return CORM_OK;
}

static corm_status read_piece(reader *r, uint32_t index, corm_error *err) {
    agg_source     *source = r->source;
    session_request request = { 0 };
    base_arena      arena = { 0 };
    corm_result    *page = NULL;
    corm_status     status = ask(source, &source->pieces.items[index], &request, &arena, err);
    if (status == CORM_OK) status = session__call(source->session, &request, &page, err);
    session__request_drop(&request);
    if (status == CORM_OK) status = give_pages(r, index, page, err);
    if (status == CORM_OK && source->options->piece_done)
        status = source->options->piece_done(source->context, r->number, index, err);
    corm_result_free(page);
    base__arena_free(&arena);
    return status;
}

/* ---- readers ---- */

static corm_status read_pieces(reader *r, corm_error *err) {
    agg_source *source = r->source;
    if (!source->options->whole_pages)
        CORM_TRY(agg__batch_new(&r->arena, source->options->scope, AGG_BATCH, &r->batch, err));
    while (!atomic_load(&source->run->enough)) {
        uint32_t index = atomic_fetch_add(&source->next, 1);
        if (index >= source->pieces.count) return CORM_OK;
        CORM_TRY(read_piece(r, index, err));
    }
    return CORM_OK;
}

static void *read_in_thread(void *context) {
    reader     *r = context;
    agg_source *source = r->source;
    corm_error  error = { 0 };
    corm_status status = read_pieces(r, &error);
    base__arena_free(&r->arena);
    if (status == CORM_OK) return NULL;
    atomic_store(&source->run->enough, true);
    pthread_mutex_lock(&source->lock);
    if (source->status == CORM_OK) {
        source->status = status;
        source->error = error;
    }
    pthread_mutex_unlock(&source->lock);
    return NULL;
}

/* The caller is the first of them; one that cannot be started leaves its work to the others. */
static corm_status run_readers(agg_source *source, uint32_t count, corm_error *err) {
    reader *readers = calloc(count, sizeof *readers);
    if (!readers) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) readers[i] = (reader){ .source = source, .number = i };
    for (uint32_t i = 1; i < count; i++)
        readers[i].started =
            pthread_create(&readers[i].thread, NULL, read_in_thread, &readers[i]) == 0;
    read_in_thread(&readers[0]);
    for (uint32_t i = 1; i < count; i++)
        if (readers[i].started) pthread_join(readers[i].thread, NULL);
    free(readers);
    if (source->status != CORM_OK && err) *err = source->error;
    return source->status;
}

static corm_status cut_ring(agg_source *source, corm_error *err) {
    session_door *door = source->session->door;
    uint32_t      ranges = source->options->options->ranges;
    int64_t      *tokens = NULL;
    scan_cuts     cuts = { .pieces = ranges ? ranges : DEFAULT_RANGES };
    if (ranges > MOST_RANGES)
        return base__fail(err, CORM_INVALID_ARGUMENT, "%u ranges are more than %d", ranges,
                          MOST_RANGES);
    if (source->options->source != AGG_RING || source->options->ordered)
        return scan__add_piece(&source->pieces, INT64_MIN, INT64_MAX, (corm_bytes){ NULL, 0 }, err);
    if (door->ops->tokens) CORM_TRY(door->ops->tokens(door, &tokens, &cuts.count, err));
    cuts.tokens = tokens;
    corm_status status = scan__cut(&source->pieces, INT64_MIN, INT64_MAX, &cuts, err);
    free(tokens);
    return status;
}

void agg__run_begin(agg_run *run, const corm_pipeline_options *options, uint32_t threads) {
    enum { LEAST = 64 * 1024 };
    size_t limit = options->memory_limit ? options->memory_limit : (size_t)256 << 20;
    memset(run, 0, sizeof *run);
    run->memory.limit = (limit < LEAST ? LEAST : limit) / threads;
    run->memory.folder = options->temp_folder;
}

corm_status agg__read_all(corm_session *session, const agg_reading_options *options, agg_run *run,
                          agg_source_callback *callback, void *context, corm_error *err) {
    agg_source source = {
        .session = session, .options = options, .run = run, .callback = callback, .context = context
    };
    CORM_TRY(session__check_open(session, err));
    CORM_TRY(corm_prepare(session, options->text, &source.prepared, err));
    pthread_mutex_init(&source.lock, NULL);
    corm_status status = cut_ring(&source, err);
    if (status == CORM_OK) status = run_readers(&source, agg__thread_count(session, options), err);
    scan__free_pieces(&source.pieces);
    pthread_mutex_destroy(&source.lock);
    corm_prepared_free(source.prepared);
    return status;
}
