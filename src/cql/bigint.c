// SPDX-License-Identifier: MIT
/* bigint.c -- GMP numbers from and to wire bytes and text. Pure; any thread. */
#include "cql/bigint.h"

void cql__bigint_load(mpz_t out, const uint8_t *data, size_t len) {
    mpz_import(out, len, 1, 1, 1, 0, data);
    if (len == 0 || data[0] < 0x80) return;
    mpz_t modulus;
    mpz_init(modulus);
    mpz_setbit(modulus, 8 * len);
    mpz_sub(out, out, modulus);
    mpz_clear(modulus);
}

void cql__bigint_store(const mpz_t v, base_buf *out) {
    mpz_t bits;
    mpz_init_set(bits, v);
    if (mpz_sgn(v) < 0) mpz_com(bits, bits); /* -v - 1: its bits are those of v, inverted */
    size_t len = mpz_sizeinbase(bits, 2) / 8 + 1;
    if (mpz_sgn(bits) == 0) len = 1;
    uint8_t *p = base__buf_grow(out, len);
    if (p) {
        size_t written = 0;
        size_t used = mpz_sgn(bits) == 0 ? 0 : (mpz_sizeinbase(bits, 2) + 7) / 8;
        memset(p, 0, len);
        mpz_export(p + len - used, &written, 1, 1, 1, 0, bits);
        for (size_t i = 0; i < len && mpz_sgn(v) < 0; i++) p[i] = (uint8_t)~p[i];
    }
    mpz_clear(bits);
}

void cql__bigint_print(const mpz_t v, base_buf *out) {
    size_t most = mpz_sizeinbase(v, 10) + 2; /* sign and zero byte */
    if (!base__buf_reserve(out, most)) return;
    char *p = (char *)out->data + out->len;
    mpz_get_str(p, 10, v);
    out->len += strlen(p);
}

void cql__bigint_read(mpz_t out, corm_str digits) {
    uint64_t chunk = 0;
    uint64_t scale = 1;
    if (digits.len <= 2000) {
        mpz_set_ui(out, 0);
        for (size_t i = 0; i < digits.len; i++) {
            chunk = chunk * 10 + (uint64_t)(digits.data[i] - '0');
            scale *= 10;
            if (i + 1 < digits.len && scale < UINT64_C(1000000000000000000)) continue;
            mpz_mul_ui(out, out, scale);
            mpz_add_ui(out, out, chunk);
            chunk = 0;
            scale = 1;
        }
        return;
    }
    mpz_t    high, power;
    size_t   half = digits.len / 2;
    corm_str low = { digits.data + half, digits.len - half };
    mpz_init(high);
    mpz_init(power);
    cql__bigint_read(high, (corm_str){ digits.data, half });
    cql__bigint_read(out, low);
    cql__bigint_pow10(power, (uint32_t)low.len);
    mpz_addmul(out, high, power);
    mpz_clear(high);
    mpz_clear(power);
}

corm_bytes cql__bigint_trim(const uint8_t *data, size_t len) {
    while (len > 1 && (data[0] == 0 || data[0] == 0xff) && (data[0] & 0x80) == (data[1] & 0x80)) {
        data++;
        len--;
    }
    return (corm_bytes){ data, len };
}

bool cql__bigint_small(const uint8_t *data, size_t len, int64_t *out) {
    corm_bytes bytes = cql__bigint_trim(data, len);
    if (bytes.len > 8) return false;
    uint64_t v = bytes.len > 0 && bytes.data[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes.len; i++) v = v << 8 | bytes.data[i];
    *out = (int64_t)v;
    return true;
}

void cql__bigint_pow10(mpz_t out, uint32_t exponent) {
    mpz_ui_pow_ui(out, 10, exponent);
}

size_t cql__bigint_digits(const mpz_t v) {
    if (mpz_sgn(v) == 0) return 1;
    size_t digits = mpz_sizeinbase(v, 10); /* exact or one too many */
    mpz_t  least;
    mpz_init(least);
    cql__bigint_pow10(least, (uint32_t)(digits - 1));
    if (mpz_cmpabs(v, least) < 0) digits--;
    mpz_clear(least);
    return digits;
}

void cql__put_i64(base_buf *out, int64_t v) {
    char     text[20];
    size_t   at = sizeof text;
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (v < 0) text[--at] = '-';
    base__buf_put(out, text + at, sizeof text - at);
}
