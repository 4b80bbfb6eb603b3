// SPDX-License-Identifier: MIT
/* uuid.c -- UUIDs of version 4 and 1 (RFC 9562). Any thread.
 *
 *   version 1:  time_low 4 | time_mid 2 | version, time_high 2 | variant, sequence 2 | node 6
 *
 * The time counts 100 ns since 1582-10-15. Within the process it never repeats; the sequence and
 * the node are random, made once and again in a forked child. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>

/* 100 ns units between 1582-10-15 and 1970-01-01. */
#define EPOCH INT64_C(0x01b21dd213814000)

static pthread_once_t  node_once = PTHREAD_ONCE_INIT;
static uint8_t         node[8];   /* sequence and node; written under node_once and after fork */
static _Atomic int64_t last_time; /* the greatest time given so far */

static void make_node(void) {
    if (!base__random(node, sizeof node)) base__store_u64(node, (uint64_t)base__clock_mono_ns());
    node[0] = (uint8_t)((node[0] & 0x3f) | 0x80);
    node[2] |= 0x01; /* the multicast bit: no network card has this address */
}

static void make_first_node(void) {
    make_node();
    pthread_atfork(NULL, NULL, make_node);
}

corm_uuid corm_uuid_random(void) {
    corm_uuid uuid = { { 0 } };
    if (!base__random(uuid.bytes, sizeof uuid.bytes)) return (corm_uuid){ { 0 } };
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

static int64_t next_time(void) {
    int64_t now = base__clock_us() * 10 + EPOCH;
    int64_t last = atomic_load(&last_time);
    int64_t next;
    do {
        next = now > last ? now : last + 1;
    } while (!atomic_compare_exchange_weak(&last_time, &last, next));
    return next;
}

corm_uuid corm_uuid_time(void) {
    pthread_once(&node_once, make_first_node);
    uint64_t  time = (uint64_t)next_time();
    corm_uuid uuid;
    base__store_u32(uuid.bytes, (uint32_t)time);
    base__store_u16(uuid.bytes + 4, (uint16_t)(time >> 32));
    base__store_u16(uuid.bytes + 6, (uint16_t)(((time >> 48) & 0x0fff) | 0x1000));
    memcpy(uuid.bytes + 8, node, sizeof node);
    return uuid;
}

corm_timestamp corm_uuid_timestamp(corm_uuid uuid) {
    if (uuid.bytes[6] >> 4 != 1) return (corm_timestamp){ 0 };
    uint64_t time = (uint64_t)(base__load_u16(uuid.bytes + 6) & 0x0fff) << 48 |
                    (uint64_t)base__load_u16(uuid.bytes + 4) << 32 | base__load_u32(uuid.bytes);
    int64_t since = (int64_t)time - EPOCH;
    return (corm_timestamp){ since / 10000 - (since % 10000 < 0) };
}

bool corm_uuid_equal(corm_uuid a, corm_uuid b) {
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

bool corm_uuid_is_zero(corm_uuid uuid) {
    return corm_uuid_equal(uuid, (corm_uuid){ { 0 } });
}

static bool dash_before(size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void corm_uuid_format(corm_uuid uuid, char out[37]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof uuid.bytes; i++) {
        if (dash_before(i)) *out++ = '-';
        *out++ = digits[uuid.bytes[i] >> 4];
        *out++ = digits[uuid.bytes[i] & 15];
    }
    *out = '\0';
}

/* The zero byte is no digit, so that reading stops at the end of the text. */
static bool read_uuid(const char *text, corm_uuid *out) {
    for (size_t i = 0; i < sizeof out->bytes; i++) {
        if (dash_before(i) && *text++ != '-') return false;
        int high = base__hex_digit(*text);
        if (high < 0) return false;
        int low = base__hex_digit(text[1]);
        if (low < 0) return false;
        out->bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text == '\0';
}

corm_status corm_uuid_parse(const char *text, corm_uuid *out, corm_error *err) {
    corm_uuid uuid;
    if (!text || !read_uuid(text, &uuid)) {
        return base__fail(err, CORM_CONVERSION, "'%s' is not a UUID", text ? text : "");
    }
    *out = uuid;
    return CORM_OK;
}
