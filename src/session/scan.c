// SPDX-License-Identifier: MIT
/* scan.c -- a whole table, read in token ranges of which several are under way.
 *
 *   ask ─► [the door] ─► window ─► take: ask for the page behind this one ─► callback ─► the page is seen
 *
 * Everything but the answers' way into the window happens on the thread that is in corm_scan_run; between two runs the scan is
 * nobody's. A page is asked for when the one before it goes to the callback, so that a slow callback is never more than one page a
 * lane behind what was read. Owns the statement and the pieces of the ring. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fail.h"
#include "corm/cluster.h"
#include "corm/schema.h"
#include "session/scan.h"

enum { DEFAULT_LANES = 8, DEFAULT_RANGES = 256, MOST_LANES = 4096, MOST_RANGES = 1 << 20 };

typedef struct scan_lane {
    session_slot slot;      /* first: a session_slot * is a scan_lane * */
    uint32_t     piece;     /* that the slot's page is of */
    uint32_t     next, end; /* pieces that are not yet begun */
} scan_lane;

struct corm_scan {
    corm_session        *session; /* borrowed */
    corm_prepared       *prepared;
    corm_request_options options;
    uint64_t             query; /* hash of what is read, for checkpoints */
    scan_pieces          pieces;
    uint32_t             lane_count;
    scan_lane           *lanes;
    session_window       window;
    bool                 running;
    _Atomic uint64_t     left; /* of the ring: what is not seen */
};

/* ---- opening ---- */

static void put_key_names(const corm_table_info *table, base_buf *out) {
    for (uint32_t i = 0; i < table->column_count && table->columns[i].key == CORM_PARTITION; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__put_name(out, corm_str_of(table->columns[i].name));
    }
}

void scan__put_select(const corm_table_info *table, const scan_select *select, base_buf *out) {
    base__buf_puts(out, "SELECT ");
    base__buf_puts(out, select->columns ? select->columns : "*");
    base__buf_puts(out, " FROM ");
    cql__put_name(out, corm_str_of(table->keyspace));
    base__buf_u8(out, '.');
    cql__put_name(out, corm_str_of(table->name));
    base__buf_puts(out, " WHERE token(");
    put_key_names(table, out);
    base__buf_puts(out, ") > ? AND token(");
    put_key_names(table, out);
    base__buf_puts(out, ") <= ?");
    if (select->where) base__buf_puts(out, " AND ");
    if (select->where) base__buf_puts(out, select->where);
    if (select->allow_filtering) base__buf_puts(out, " ALLOW FILTERING");
}

static corm_status prepare(corm_scan *scan, const corm_table_info *table,
                           const corm_scan_options *options, corm_error *err) {
    base_buf    text = { 0 };
    scan_select select = { options->columns, options->where, options->allow_filtering };
    scan__put_select(table, &select, &text);
    scan->query = base__hash(text.data, text.len, 0);
    const char *cql = base__buf_cstr(&text);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) status = corm_prepare(scan->session, cql, &scan->prepared, err);
    base__buf_free(&text);
    return status;
}

static corm_status check_markers(const corm_scan *scan, corm_error *err) {
    if (scan->prepared->marker_count == 2) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "the conditions of a scan cannot have markers");
}

/* The ring's tokens; *count 0 where the door knows none. */
static corm_status read_tokens(corm_session *session, int64_t **tokens, uint32_t *count,
                               corm_error *err) {
    session_door *door = session->door;
    *tokens = NULL;
    *count = 0;
    return door->ops->tokens ? door->ops->tokens(door, tokens, count, err) : CORM_OK;
}

corm_status scan__make_pieces(corm_session *session, const scan_ring *ring, scan_pieces *pieces,
                              corm_error *err) {
    int64_t  *tokens;
    scan_cuts cuts = { .pieces = ring->ranges };
    CORM_TRY(read_tokens(session, &tokens, &cuts.count, err));
    cuts.tokens = tokens;
    corm_status status = ring->resume
                             ? scan__read_checkpoint(ring->resume, ring->query, &cuts, pieces, err)
                             : scan__cut(pieces, INT64_MIN, INT64_MAX, &cuts, err);
    free(tokens);
    return status;
}

uint64_t scan__left(const scan_pieces *pieces) {
    uint64_t left = 0;
    for (uint32_t i = 0; i < pieces->count; i++) {
        if (!pieces->items[i].done) left += scan__width(&pieces->items[i]);
    }
    return left;
}

static corm_status make_pieces(corm_scan *scan, const corm_scan_options *options, corm_error *err) {
    uint32_t  ranges = options->ranges ? options->ranges : DEFAULT_RANGES;
    scan_ring ring = { ranges, options->resume, scan->query };
    CORM_TRY(scan__make_pieces(scan->session, &ring, &scan->pieces, err));
    atomic_init(&scan->left, scan__left(&scan->pieces));
    return CORM_OK;
}

static corm_status check_options(const corm_scan_options *options, corm_error *err) {
    if (options->concurrency > MOST_LANES) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%u ranges at the same time are more than %d",
                          options->concurrency, MOST_LANES);
    }
    if (options->ranges > MOST_RANGES) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%u ranges are more than %d", options->ranges,
                          MOST_RANGES);
    }
    return CORM_OK;
}

static corm_status open_scan(corm_scan *scan, const char *table, const corm_scan_options *options,
                             corm_error *err) {
    const corm_table_info *info;
    CORM_TRY(check_options(options, err));
    CORM_TRY(corm_table_read(scan->session, options->keyspace, table, &info, err));
    corm_status status = prepare(scan, info, options, err);
    corm_table_free(info);
    if (status == CORM_OK) status = check_markers(scan, err);
    if (status == CORM_OK) status = make_pieces(scan, options, err);
    if (status != CORM_OK) return status;
    scan->options.page_size = options->page_size;
    scan->options.consistency = options->consistency;
    scan->lane_count = options->concurrency ? options->concurrency : DEFAULT_LANES;
    scan->lanes = calloc(scan->lane_count, sizeof *scan->lanes);
    return scan->lanes ? CORM_OK : base__fail_memory(err);
}

corm_status corm_scan_open(corm_session *session, const char *table,
                           const corm_scan_options *options, corm_scan **out) {
    static const corm_scan_options defaults;
    if (!options) options = &defaults;
    *out = NULL;
    CORM_TRY(session__check_open(session, options->error));
    corm_scan *scan = calloc(1, sizeof *scan);
    if (!scan) return base__fail_memory(options->error);
    scan->session = session;
    corm_status status = open_scan(scan, table, options, options->error);
    if (status != CORM_OK) {
        corm_scan_free(scan);
        return status;
    }
    *out = scan;
    return CORM_OK;
}

void corm_scan_free(corm_scan *scan) {
    if (!scan) return;
    scan__free_pieces(&scan->pieces);
    corm_prepared_free(scan->prepared);
    free(scan->lanes);
    free(scan);
}

/* ---- lanes ---- */

/* Each lane gets as many neighbouring pieces as the others; done ones are passed over when they come. */
static void deal_pieces(corm_scan *scan) {
    uint64_t count = scan->pieces.count;
    for (uint32_t i = 0; i < scan->lane_count; i++) {
        scan->lanes[i].next = (uint32_t)(count * i / scan->lane_count);
        scan->lanes[i].end = (uint32_t)(count * (i + 1) / scan->lane_count);
    }
}

/* Half of what the fullest lane has not begun. */
static void take_over(corm_scan *scan, scan_lane *lane) {
    scan_lane *fullest = lane;
    for (uint32_t i = 0; i < scan->lane_count; i++) {
        scan_lane *other = &scan->lanes[i];
        if (other->end - other->next > fullest->end - fullest->next) fullest = other;
    }
    uint32_t taken = (fullest->end - fullest->next + 1) / 2;
    lane->end = fullest->end;
    lane->next = fullest->end - taken;
    if (fullest != lane) fullest->end -= taken;
}

/* The next piece to read; false when there is none. */
static bool next_piece(corm_scan *scan, scan_lane *lane) {
    for (;;) {
        if (lane->next == lane->end) take_over(scan, lane);
        if (lane->next == lane->end) return false;
        lane->piece = lane->next++;
        if (!scan->pieces.items[lane->piece].done) return true;
    }
}

/* ---- pages ---- */

static corm_status ask(corm_scan *scan, scan_lane *lane, corm_bytes state, corm_error *err) {
    const scan_piece *piece = &scan->pieces.items[lane->piece];
    uint8_t           start[8], end[8];
    base__store_u64(start, (uint64_t)piece->start);
    base__store_u64(end, (uint64_t)piece->end);
    const cql_value values[] = { { start, sizeof start }, { end, sizeof end } };
    session_request request = { 0 };
    corm_status     status = session__request_options(scan->session, &scan->options, &request, err);
    if (status == CORM_OK) {
        session__request_execute(&request, scan->prepared, values);
        request.wire.options.has_token = true;
        request.wire.options.token = piece->end;
        if (state.len > 0) request.wire.options.paging_state = state;
        status = session__window_start(&scan->window, &lane->slot, &request, err);
    }
    session__request_drop(&request);
    return status;
}

static corm_status ask_first(corm_scan *scan, scan_lane *lane, corm_error *err) {
    if (!next_piece(scan, lane)) return CORM_OK;
    const scan_piece *piece = &scan->pieces.items[lane->piece];
    return ask(scan, lane, (corm_bytes){ piece->state, piece->state_len }, err);
}

static corm_status ask_behind(corm_scan *scan, scan_lane *lane, const corm_result *page,
                              corm_error *err) {
    if (!corm_result_has_more(page)) return ask_first(scan, lane, err);
    return ask(scan, lane, corm_result_paging_state(page), err);
}

static corm_status mark_seen(corm_scan *scan, uint32_t index, const corm_result *page,
                             corm_error *err) {
    scan_piece *piece = &scan->pieces.items[index];
    if (corm_result_has_more(page))
        return scan__set_state(piece, corm_result_paging_state(page), err);
    piece->done = true;
    atomic_store(&scan->left, atomic_load(&scan->left) - scan__width(piece));
    return scan__set_state(piece, (corm_bytes){ NULL, 0 }, err);
}

/* An empty page that has a next one is no page to the callback. */
static corm_status take_page(corm_scan *scan, scan_lane *lane, corm_result *page,
                             corm_scan_callback callback, void *context, corm_error *err) {
    uint32_t index = lane->piece;
    CORM_TRY(ask_behind(scan, lane, page, err));
    if (corm_result_row_count(page) > 0) CORM_TRY(callback(context, page, err));
    return mark_seen(scan, index, page, err);
}

static corm_status take_answer(corm_scan *scan, scan_lane *lane, corm_scan_callback callback,
                               void *context, corm_error *err) {
    session_slot *slot = &lane->slot;
    if (slot->status != CORM_OK) {
        if (err) *err = slot->error;
        return slot->status;
    }
    corm_result *page = slot->result;
    corm_status  status = take_page(scan, lane, page, callback, context, err);
    corm_result_free(page);
    return status;
}

/* ---- running ---- */

static corm_status start_lanes(corm_scan *scan, corm_error *err) {
    deal_pieces(scan);
    for (uint32_t i = 0; i < scan->lane_count; i++) CORM_TRY(ask_first(scan, &scan->lanes[i], err));
    return CORM_OK;
}

/* What is under way is given up: it is read again by the next run. */
static void stop(corm_scan *scan) {
    for (uint32_t i = 0; i < scan->lane_count; i++) {
        corm_task *task = scan->lanes[i].slot.task;
        if (task) corm_task_cancel(task);
    }
    for (session_slot *slot; (slot = session__window_take(&scan->window)) != NULL;) {
        if (slot->status == CORM_OK) corm_result_free(slot->result);
    }
}

corm_status corm_scan_run(corm_scan *scan, corm_scan_callback callback, void *context,
                          corm_error *err) {
    if (scan->running) {
        return base__fail(err, CORM_WOULD_DEADLOCK, "the scan is running: this is its callback");
    }
    CORM_TRY(session__window_begin(&scan->window, scan->session, err));
    scan->running = true;
    corm_status status = start_lanes(scan, err);
    while (status == CORM_OK) {
        session_slot *slot = session__window_take(&scan->window);
        if (!slot) break;
        status = take_answer(scan, (scan_lane *)slot, callback, context, err);
    }
    stop(scan);
    session__window_end(&scan->window);
    scan->running = false;
    return status;
}

corm_status corm_scan_checkpoint(corm_scan *scan, char **text, corm_error *err) {
    base_buf out = { 0 };
    scan__put_checkpoint(&scan->pieces, scan->query, &out);
    *text = (char *)(uintptr_t)base__buf_cstr(&out);
    corm_status status = base__buf_status(&out, err);
    if (status == CORM_OK) return CORM_OK;
    base__buf_free(&out);
    *text = NULL;
    return status;
}

double corm_scan_progress(const corm_scan *scan) {
    return 1.0 - (double)atomic_load(&scan->left) / (double)UINT64_MAX;
}
