// SPDX-License-Identifier: MIT
/* utf8.c -- the server's check of text: a state machine over bytes. Pure; any thread. */
#include "cql/utf8.h"

#include "base/text.h"

typedef enum state { START, TWO, TWO_C0, THREE_E0, LAST, LAST_TWO, FOUR_F0, LAST_THREE, BAD } state;

/* A byte belongs to the sequence when (byte & mask) == bits, or when it is not, for those that
 * say `unless`. */
static const struct {
    uint8_t mask;
    uint8_t bits;
    bool    unless;
    state   next;
} rules[] = {
    [TWO] = { 0xc0, 0x80, false, START },           [TWO_C0] = { 0xff, 0x80, false, START },
    [THREE_E0] = { 0xe0, 0x80, true, LAST },        [LAST] = { 0xc0, 0x80, false, START },
    [LAST_TWO] = { 0xc0, 0x80, false, LAST },       [FOUR_F0] = { 0x30, 0x00, true, LAST_TWO },
    [LAST_THREE] = { 0xc0, 0x80, false, LAST_TWO },
};

static state first_byte(uint8_t b) {
    if (b < 0x80) return START;
    if (b < 0xc0 || b == 0xc1 || b >= 0xf8) return BAD;
    if (b == 0xc0) return TWO_C0;
    if (b < 0xe0) return TWO;
    if (b < 0xf0) return b == 0xe0 ? THREE_E0 : LAST_TWO;
    return b == 0xf0 ? FOUR_F0 : LAST_THREE;
}

bool cql__utf8_accepted(const uint8_t *data, size_t len) {
    if (base__utf8_valid(data, len)) return true;
    state at = START;
    for (size_t i = 0; i < len; i++) {
        if (at == START) {
            at = first_byte(data[i]);
        } else {
            bool same = (data[i] & rules[at].mask) == rules[at].bits;
            at = same != rules[at].unless ? rules[at].next : BAD;
        }
        if (at == BAD) return false;
    }
    return at == START;
}
