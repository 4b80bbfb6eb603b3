// SPDX-License-Identifier: MIT
/* statement.h -- the inside of a statement, for batches. Private to this folder. */
#ifndef SESSION_STATEMENT_H
#define SESSION_STATEMENT_H

#include "session/core.h"

struct corm_statement {
    corm_prepared       *prepared;     /* one reference */
    cql_value           *values;       /* one a marker; data points into `bytes` */
    base_buf            *bytes;        /* one a marker */
    base_buf             paging_state; /* that corm_statement_set_page_token put into `options` */
    corm_request_options options;
};

#endif
