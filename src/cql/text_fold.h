// SPDX-License-Identifier: MIT
/* text_fold.h -- text as analyzers compare it: without case, in one normal form, with ASCII letters only. Pure. */
#ifndef CQL_TEXT_FOLD_H
#define CQL_TEXT_FOLD_H

#include "base/buf.h"

/* Done in this order. */
enum {
    CQL_FOLD_LOWER = 1, /* as Java's String.toLowerCase */
    CQL_FOLD_UPPER = 2, /* as Java's String.toUpperCase */
    CQL_FOLD_NFC = 4,
    CQL_FOLD_ASCII = 8 /* letters and signs that look like ASCII ones become those */
};

/* Appends the text; out->failed when memory is exhausted. Bytes that are no UTF-8 stay. */
void cql__fold_text(unsigned how, corm_str text, base_buf *out);

#endif
