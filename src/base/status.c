// SPDX-License-Identifier: MIT
/* status.c -- the status table of corm/error.h as data. Pure. */
#include "corm/error.h"

typedef struct status_row {
    const char *name; /* NULL: no such status */
    const char *text;
    int32_t     server_code;
    bool        retryable;
} status_row;

#define STATUS_ROW(name, value, retryable, code, text) [value] = { #name, text, code, retryable },
static const status_row rows[] = { CORM_STATUS_MAP(STATUS_ROW) };
#undef STATUS_ROW

static const status_row unknown = { "UNKNOWN", "an unknown status", -1, false };

static const status_row *row_of(corm_status status) {
    size_t i = (size_t)status;
    return i < sizeof rows / sizeof rows[0] && rows[i].name ? &rows[i] : &unknown;
}

const char *corm_status_name(corm_status status) {
    return row_of(status)->name;
}

const char *corm_status_text(corm_status status) {
    return row_of(status)->text;
}

bool corm_status_is_retryable(corm_status status) {
    return row_of(status)->retryable;
}

int32_t corm_status_server_code(corm_status status) {
    return row_of(status)->server_code;
}
