// SPDX-License-Identifier: MIT
/* utf8.h -- the server's idea of UTF-8. */
#ifndef CQL_UTF8_H
#define CQL_UTF8_H

#include "corm/base.h"

/* Whether the server takes the bytes as text. All of UTF-8 is, and some of what is not: C0 80,
 * surrogates, and a few malformed sequences. */
bool cql__utf8_accepted(const uint8_t *data, size_t len);

#endif
