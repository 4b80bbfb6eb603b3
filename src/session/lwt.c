// SPDX-License-Identifier: MIT
/* lwt.c -- what became of a lightweight transaction: applied, not applied, or not known. */
#include "base/fail.h"
#include "corm/cluster.h"
#include "session/core.h"
#include "session/statement.h"

/* After these the write may have been agreed on, and may still become visible. A WRITE_TIMEOUT tells so of its round
 * (type CAS) as well as of the commit that follows it (type SIMPLE). Before a round began the server has other words: a
 * READ_TIMEOUT, UNAVAILABLE or OVERLOADED has changed nothing. */
static const corm_status unknown[] = {
    CORM_CAS_WRITE_UNKNOWN, CORM_WRITE_TIMEOUT, CORM_WRITE_FAILURE, CORM_TIMEOUT, CORM_IO,
};

static bool leaves_unknown(corm_status status) {
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (unknown[i] == status) return true;
    }
    return false;
}

/* Beside [applied] there are the row's columns, when there is a row. */
static void give_current(corm_result *result, corm_result **current) {
    if (current && corm_result_column_count(result) > 1) {
        *current = result;
    } else {
        corm_result_free(result);
    }
}

corm_status corm_run_lwt(corm_statement *statement, corm_lwt_outcome *outcome,
                         corm_result **current, corm_error *err) {
    corm_result *result = NULL;
    corm_error   cause = { 0 };
    if (current) *current = NULL;
    *outcome = CORM_LWT_UNKNOWN;
    corm_status status = corm_run(statement, &result, &cause);
    if (status != CORM_OK) {
        if (err) *err = cause;
        return leaves_unknown(status) ? CORM_OK : status;
    }
    if (corm_result_applied(result)) {
        *outcome = CORM_LWT_APPLIED;
        corm_result_free(result);
    } else {
        *outcome = CORM_LWT_NOT_APPLIED;
        give_current(result, current);
    }
    return CORM_OK;
}
