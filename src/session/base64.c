// SPDX-License-Identifier: MIT
/* base64.c -- see base64.h. */
#include "session/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void session__put_base64(base_buf *out, corm_bytes bytes) {
    uint32_t bits = 0;
    int      held = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | bytes.data[i];
        for (held += 8; held >= 6; held -= 6) {
            base__buf_u8(out, (uint8_t)digits[bits >> (held - 6) & 63]);
        }
    }
    if (held > 0) base__buf_u8(out, (uint8_t)digits[bits << (6 - held) & 63]);
}

bool session__read_base64(corm_str text, base_buf *out) {
    uint32_t bits = 0;
    int      held = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;
        if (!digit) return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        base__buf_u8(out, (uint8_t)(bits >> held));
    }
    return held < 6 && (bits & ((1U << held) - 1)) == 0;
}
