// SPDX-License-Identifier: MIT
/* cursor.c -- the rows of a find one by one: a page of them at a time, each in the place of the last. One thread at a time. */
#include <stdlib.h>

#include "corm/query.h"
#include "orm/core.h"

struct corm_cursor {
    corm_rows *rows; /* the page under way */
    uint32_t   at;   /* rows of it that were given */
    uint64_t   count;
};

static void read_ahead(const corm_cursor *cursor) {
    const corm_rows *rows = cursor->rows;
    if (corm_rows_has_more(rows)) session__result_ahead(rows->results[rows->result_count - 1]);
}

corm_status corm_cursor_open_with(corm_db *db, const corm_model *model, corm_cursor **out,
                                  const corm_find_options *options) {
    corm_find_options paged = { 0 };
    *out = NULL;
    if (options) paged = *options;
    if (paged.include[0] || paged.includes) {
        return base__fail(paged.error, CORM_INVALID_ARGUMENT,
                          "a cursor gives rows one by one, and reads no relations with them");
    }
    paged.one_page = true;
    corm_cursor *cursor = calloc(1, sizeof *cursor);
    if (!cursor) return base__fail_memory(paged.error);
    corm_status status = corm_find_with(db, model, &cursor->rows, &paged);
    if (status != CORM_OK) {
        corm_cursor_close(cursor);
        return status;
    }
    read_ahead(cursor);
    *out = cursor;
    return CORM_OK;
}

corm_status corm_cursor_next(corm_cursor *cursor, void *row, bool *found, corm_error *err) {
    corm_rows *rows = cursor->rows;
    *found = false;
    while (cursor->at >= corm_rows_count(rows)) {
        if (!corm_rows_has_more(rows)) return CORM_OK;
        CORM_TRY(corm_rows_next_page(rows, err));
        cursor->at = 0;
    }
    memcpy(row, corm_rows_at(rows, cursor->at++), rows->model->spec->row_size);
    cursor->count++;
    *found = true;
    return CORM_OK;
}

uint64_t corm_cursor_count(const corm_cursor *cursor) {
    return cursor->count;
}

bool corm_cursor_is_null(const corm_cursor *cursor, const char *column) {
    return cursor->at == 0 || corm_rows_is_null(cursor->rows, cursor->at - 1, column);
}

void corm_cursor_close(corm_cursor *cursor) {
    if (!cursor) return;
    corm_rows_free(cursor->rows);
    free(cursor);
}
