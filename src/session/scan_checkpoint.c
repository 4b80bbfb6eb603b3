// SPDX-License-Identifier: MIT
/* scan_checkpoint.c -- where a scan is, as a text.
 *
 *   corm-scan-1 QUERY RANGE,RANGE,… CHECK     the ranges that are left; "-": none
 *   QUERY   a hash of the table and what is selected of it, in hexadecimal digits
 *   RANGE   START:END in decimal digits, or START:END:STATE where pages of it were seen; STATE in base64url
 *   CHECK   a hash of all before it */
#include <stdio.h>

#include "base/fail.h"
#include "base/text.h"
#include "session/base64.h"
#include "session/scan.h"

static const char head[] = "corm-scan-1 ";
enum { HASH_DIGITS = 16 };

static void put_hash(base_buf *out, uint64_t hash) {
    base__buf_printf(out, "%0*llx", HASH_DIGITS, (unsigned long long)hash);
}

/* ---- writing ---- */

static void put_range(const scan_piece *piece, int64_t end, base_buf *out) {
    base__buf_printf(out, "%lld:%lld", (long long)piece->start, (long long)end);
    if (piece->state_len == 0) return;
    base__buf_u8(out, ':');
    session__put_base64(out, (corm_bytes){ piece->state, piece->state_len });
}

/* The last of the neighbours that may be written as one range with the piece at `at`. */
static uint32_t last_neighbour(const scan_pieces *pieces, uint32_t at) {
    const scan_piece *items = pieces->items;
    if (items[at].state) return at;
    while (at + 1 < pieces->count && !items[at + 1].done && !items[at + 1].state &&
           items[at + 1].start == items[at].end) {
        at++;
    }
    return at;
}

void scan__put_checkpoint(const scan_pieces *pieces, uint64_t query, base_buf *out) {
    const char *between = "";
    base__buf_puts(out, head);
    put_hash(out, query);
    base__buf_u8(out, ' ');
    for (uint32_t i = 0; i < pieces->count; i++) {
        if (pieces->items[i].done) continue;
        uint32_t last = last_neighbour(pieces, i);
        base__buf_puts(out, between);
        put_range(&pieces->items[i], pieces->items[last].end, out);
        between = ",";
        i = last;
    }
    if (between[0] == '\0') base__buf_u8(out, '-');
    base__buf_u8(out, ' ');
    if (!out->failed) put_hash(out, base__hash(out->data, out->len, 0));
}

/* ---- reading ---- */

/* What stands before `end`, or the rest; taken off the front. */
static corm_str take(corm_str *text, char end) {
    const char *at = text->len > 0 ? memchr(text->data, end, text->len) : NULL;
    corm_str    word = { text->data, at ? (size_t)(at - text->data) : text->len };
    size_t      used = word.len + (at != NULL);
    *text = (corm_str){ text->data + used, text->len - used };
    return word;
}

static corm_status damaged(corm_error *err) {
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the checkpoint is none of a scan, or is damaged");
}

static corm_status read_range(corm_str range, const scan_cuts *cuts, base_buf *state,
                              scan_pieces *pieces, corm_error *err) {
    corm_str first = take(&range, ':'), second = take(&range, ':');
    int64_t  start, end;
    if (!base__parse_i64(first, &start) || !base__parse_i64(second, &end) || start >= end) {
        return damaged(err);
    }
    if (range.len == 0) return scan__cut(pieces, start, end, cuts, err);
    base__buf_clear(state);
    bool good = session__read_base64(range, state);
    CORM_TRY(base__buf_status(state, err));
    if (!good) return damaged(err);
    return scan__add_piece(pieces, start, end, base__buf_bytes(state), err);
}

static corm_status read_ranges(corm_str ranges, const scan_cuts *cuts, scan_pieces *pieces,
                               corm_error *err) {
    if (corm_str_equal(ranges, corm_str_of("-"))) return CORM_OK;
    if (ranges.len == 0) return damaged(err);
    base_buf    state = { 0 };
    corm_status status = CORM_OK;
    while (ranges.len > 0 && status == CORM_OK) {
        status = read_range(take(&ranges, ','), cuts, &state, pieces, err);
    }
    base__buf_free(&state);
    return status;
}

/* The text without its CHECK; data NULL: it is not whole. */
static corm_str checked(const char *text) {
    corm_str all = corm_str_of(text);
    if (!base__str_has_prefix(all, corm_str_of(head)) || all.len < sizeof head + 2 * HASH_DIGITS) {
        return (corm_str){ NULL, 0 };
    }
    char expected[HASH_DIGITS + 1];
    all.len -= HASH_DIGITS;
    uint64_t hash = base__hash(all.data, all.len, 0);
    snprintf(expected, sizeof expected, "%0*llx", HASH_DIGITS, (unsigned long long)hash);
    return strcmp(all.data + all.len, expected) == 0 ? all : (corm_str){ NULL, 0 };
}

corm_status scan__read_checkpoint(const char *text, uint64_t query, const scan_cuts *cuts,
                                  scan_pieces *pieces, corm_error *err) {
    corm_str rest = checked(text);
    if (!rest.data) return damaged(err);
    take(&rest, ' ');
    corm_str hash = take(&rest, ' ');
    char     expected[HASH_DIGITS + 1];
    snprintf(expected, sizeof expected, "%0*llx", HASH_DIGITS, (unsigned long long)query);
    if (!corm_str_equal(hash, corm_str_of(expected))) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the checkpoint is of another table, columns or conditions");
    }
    return read_ranges(take(&rest, ' '), cuts, pieces, err);
}
