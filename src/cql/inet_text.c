// SPDX-License-Identifier: MIT
/* inet_text.c -- internet addresses as Java writes and reads them. Pure; any thread. */
#include "cql/inet_text.h"

#include "base/text.h"

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool is_mapped(corm_bytes bytes) {
    return bytes.len == 16 && memcmp(bytes.data, mapped_prefix, sizeof mapped_prefix) == 0;
}

static void put_v4(const uint8_t *p, base_buf *out) {
    base__buf_printf(out, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
}

void cql__put_inet_full(corm_bytes bytes, base_buf *out) {
    if (bytes.len == 4 || is_mapped(bytes)) {
        put_v4(bytes.data + bytes.len - 4, out);
        return;
    }
    for (size_t i = 0; i + 1 < bytes.len; i += 2) {
        base__buf_printf(out, "%s%x", i > 0 ? ":" : "", base__load_u16(bytes.data + i));
    }
}

void cql__put_inet_short(corm_bytes bytes, base_buf *out) {
    char      text[46];
    corm_inet inet = { .length = (uint8_t)bytes.len };
    memcpy(inet.bytes, bytes.data, bytes.len);
    corm_inet_format(inet, text);
    base__buf_puts(out, text);
}

/* One to four decimal numbers; the last one fills the bytes that are left. */
static bool read_v4(corm_str text, corm_inet *out) {
    uint32_t address = 0;
    size_t   at = 0;
    if (text.len == 0 || text.len > 15) return false;
    for (unsigned part = 0; part < 4; part++) {
        size_t start = at;
        while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') at++;
        int64_t number;
        if (!base__parse_i64((corm_str){ text.data + start, at - start }, &number)) return false;
        bool     last = at == text.len;
        unsigned shift = last ? 0 : 8 * (3 - part);
        if (number >= INT64_C(1) << (last ? 8 * (4 - part) : 8)) return false;
        address |= (uint32_t)number << shift;
        if (last) {
            *out = (corm_inet){ .length = 4 };
            base__store_u32(out->bytes, address);
            return true;
        }
        if (text.data[at++] != '.') return false;
    }
    return false;
}

bool cql__inet_read(corm_str text, corm_inet *out) {
    char copy[64];
    if (read_v4(text, out)) return true;
    if (text.len > 2 && text.data[0] == '[' && text.data[text.len - 1] == ']') {
        text = (corm_str){ text.data + 1, text.len - 2 };
    }
    if (text.len >= sizeof copy || !memchr(text.data, ':', text.len)) return false;
    if (memchr(text.data, '\0', text.len)) return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return corm_inet_parse(copy, out, NULL) == CORM_OK;
}
