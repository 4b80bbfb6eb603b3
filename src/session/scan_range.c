// SPDX-License-Identifier: MIT
/* scan_range.c -- the ring cut into the pieces that a scan reads. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/scan.h"

enum { FIRST_CAPACITY = 64 };

static corm_status make_room(scan_pieces *pieces, corm_error *err) {
    if (pieces->count < pieces->capacity) return CORM_OK;
    uint32_t    capacity = pieces->capacity == 0 ? FIRST_CAPACITY : 2 * pieces->capacity;
    scan_piece *items = realloc(pieces->items, capacity * sizeof *items);
    if (!items) return base__fail_memory(err);
    pieces->items = items;
    pieces->capacity = capacity;
    return CORM_OK;
}

corm_status scan__set_state(scan_piece *piece, corm_bytes state, corm_error *err) {
    uint8_t *copy = NULL;
    if (state.len > 0) {
        copy = malloc(state.len);
        if (!copy) return base__fail_memory(err);
        memcpy(copy, state.data, state.len);
    }
    free(piece->state);
    piece->state = copy;
    piece->state_len = state.len;
    return CORM_OK;
}

corm_status scan__add_piece(scan_pieces *pieces, int64_t start, int64_t end, corm_bytes state,
                            corm_error *err) {
    CORM_TRY(make_room(pieces, err));
    scan_piece *piece = &pieces->items[pieces->count];
    *piece = (scan_piece){ .start = start, .end = end };
    CORM_TRY(scan__set_state(piece, state, err));
    pieces->count++;
    return CORM_OK;
}

void scan__free_pieces(scan_pieces *pieces) {
    for (uint32_t i = 0; i < pieces->count; i++) free(pieces->items[i].state);
    free(pieces->items);
    *pieces = (scan_pieces){ 0 };
}

/* Equal parts, none wider than `widest`. */
static corm_status add_parts(scan_pieces *pieces, int64_t start, int64_t end, uint64_t widest,
                             corm_error *err) {
    uint64_t width = (uint64_t)end - (uint64_t)start;
    uint64_t parts = width / widest + (width % widest != 0);
    for (uint64_t i = 0; i < parts; i++) {
        uint64_t first = width / parts * i, last = width / parts * (i + 1);
        int64_t  to = i + 1 == parts ? end : (int64_t)((uint64_t)start + last);
        CORM_TRY(scan__add_piece(pieces, (int64_t)((uint64_t)start + first), to,
                                 (corm_bytes){ NULL, 0 }, err));
    }
    return CORM_OK;
}

/* The node of the smallest token also has what is behind the largest: as pieces these are two, one at each end. */
corm_status scan__cut(scan_pieces *pieces, int64_t start, int64_t end, const scan_cuts *cuts,
                      corm_error *err) {
    uint64_t widest = UINT64_MAX / cuts->pieces + (cuts->pieces > 1);
    for (uint32_t i = 0; i < cuts->count; i++) {
        int64_t token = cuts->tokens[i];
        if (token <= start) continue;
        if (token >= end) break;
        CORM_TRY(add_parts(pieces, start, token, widest, err));
        start = token;
    }
    return add_parts(pieces, start, end, widest, err);
}
