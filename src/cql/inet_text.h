// SPDX-License-Identifier: MIT
/* inet_text.h -- internet addresses as Java's InetAddress writes and reads them. */
#ifndef CQL_INET_TEXT_H
#define CQL_INET_TEXT_H

#include "base/buf.h"
#include "corm/types.h"

/* "10.0.0.1"; IPv6 in full: "2001:db8:0:0:0:0:0:1". 4 or 16 bytes. */
void cql__put_inet_full(corm_bytes bytes, base_buf *out);

/* The short form of inet_ntop: "2001:db8::1". */
void cql__put_inet_short(corm_bytes bytes, base_buf *out);

/* Addresses only, no host names: "10.0.0.1", "10.1" (10.0.0.1), "::1", "[::1]". */
bool cql__inet_read(corm_str text, corm_inet *out);

#endif
