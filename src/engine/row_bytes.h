// SPDX-License-Identifier: MIT
/* row_bytes.h -- reading the bytes of a stored row, piece by piece. Private to row*.c; layout: row.h. */
#ifndef ENGINE_ROW_BYTES_H
#define ENGINE_ROW_BYTES_H

#include "engine/row.h"

enum {
    ROW_LIVENESS = 1,
    ROW_LIVENESS_EXPIRES = 2,
    ROW_DELETION = 4,
    ROW_COUNTER = 8,
    ROW_LIVENESS_TOLD = 16,
    CELL_BASE_TIMESTAMP = 1,
    CELL_TOMBSTONE = 2,
    CELL_EXPIRES = 4,
    CELL_EMPTY = 8,
    COLUMN_SIMPLE = 0,
    COLUMN_COMPLEX = 1
};

/* Where the reading is; `bad` once something did not fit, and all reads give zero from then on. */
typedef struct row_scan {
    const uint8_t *at, *end;
    bool           bad;
} row_scan;

static inline uint8_t scan_u8(row_scan *scan) {
    if (scan->at >= scan->end) {
        scan->bad = true;
        return 0;
    }
    return *scan->at++;
}

static inline uint64_t scan_uvarint(row_scan *scan) {
    uint64_t value = 0;
    if (scan->at < scan->end && *scan->at < 0x80) return *scan->at++;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = scan_u8(scan);
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
    scan->bad = true;
    return 0;
}

static inline corm_bytes scan_bytes(row_scan *scan, uint64_t len) {
    if (scan->bad || len > (uint64_t)(scan->end - scan->at)) {
        scan->bad = true;
        return (corm_bytes){ scan->end, 0 };
    }
    corm_bytes bytes = { scan->at, (size_t)len };
    scan->at += len;
    return bytes;
}

static inline int64_t scan_i64(row_scan *scan) {
    corm_bytes bytes = scan_bytes(scan, 8);
    return bytes.len == 8 ? (int64_t)base__load_u64(bytes.data) : 0;
}

/* What stands before the columns. */
typedef struct row_head {
    uint8_t     flags;
    int64_t     base;
    engine_cell liveness;
    int64_t     deleted_at;
    uint32_t    deleted_local;
    uint32_t    column_count;
} row_head;

/* Reads the head; `clustering` (may be NULL) gets the clustering values. */
void engine__scan_head(row_scan *scan, uint32_t clustering_count, cql_value *clustering,
                       row_head *out);

/* One column: its id and kind, and a scan of what follows. */
typedef struct row_column {
    uint32_t id;
    bool     is_complex;
    row_scan body;
} row_column;
static inline void scan_column(row_scan *scan, row_column *out) {
    out->id = (uint32_t)scan_uvarint(scan);
    out->is_complex = scan_u8(scan) == COLUMN_COMPLEX;
    corm_bytes body = scan_bytes(scan, scan_uvarint(scan));
    out->body = (row_scan){ body.data, body.data + body.len, scan->bad };
}

/* Of a complex column, before its cells. */
typedef struct row_complex {
    int64_t  deleted_at;
    uint32_t deleted_local;
    uint32_t cell_count;
} row_complex;
void engine__scan_complex(row_scan *body, row_complex *out);

void engine__scan_cell(row_scan *body, int64_t base, bool has_path, engine_cell *out);

corm_status engine__row_damaged(const cql_table *table, corm_error *err);

#endif
