// SPDX-License-Identifier: MIT
/* vint.c -- the server's variable-length integers. Pure; any thread.
 *
 *   0xxxxxxx                      7 bits
 *   10xxxxxx x8                  14 bits
 *   110xxxxx x16                 21 bits … 11111111 x64 */
#include "cql/vint.h"

/* How many bytes follow the first one. */
static unsigned extra_bytes(uint64_t v) {
    unsigned extra = 0;
    while (extra < 8 && v >> (7 * (extra + 1)) != 0) extra++;
    return extra;
}

void cql__put_uvint(base_buf *out, uint64_t v) {
    unsigned extra = extra_bytes(v);
    uint8_t  bytes[9];
    for (unsigned i = 0; i < extra; i++) bytes[extra - i] = (uint8_t)(v >> (8 * i));
    unsigned top = extra < 8 ? (unsigned)(v >> (8 * extra)) : 0;
    unsigned mark = 0xff00u >> extra & 0xff;
    bytes[0] = (uint8_t)(mark | top);
    base__buf_put(out, bytes, extra + 1);
}

void cql__put_vint(base_buf *out, int64_t v) {
    cql__put_uvint(out, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

uint64_t cql__read_uvint(base_reader *reader) {
    uint8_t  first = base__read_u8(reader);
    unsigned extra = 0;
    while (extra < 8 && (first & 0x80u >> extra) != 0) extra++;
    uint64_t v = extra < 8 ? first & 0xffu >> (extra + 1) : 0;
    if (extra > reader->len) reader->failed = true;
    for (unsigned i = 0; i < extra && !reader->failed; i++) v = v << 8 | base__read_u8(reader);
    return reader->failed ? 0 : v;
}

int64_t cql__read_vint(base_reader *reader) {
    uint64_t v = cql__read_uvint(reader);
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}
