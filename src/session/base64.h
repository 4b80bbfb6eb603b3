// SPDX-License-Identifier: MIT
/* base64.h -- bytes as printable text: base64url without padding (RFC 4648, section 5). Pure. */
#ifndef SESSION_BASE64_H
#define SESSION_BASE64_H

#include "base/buf.h"

void session__put_base64(base_buf *out, corm_bytes bytes);

/* False for other characters, and for a text that no bytes have; out->failed when memory is exhausted. */
bool session__read_base64(corm_str text, base_buf *out);

#endif
