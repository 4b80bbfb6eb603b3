// SPDX-License-Identifier: MIT
//
// sealed_fuzz.c -- any bytes as a sealed value, which cannot be opened; any bytes sealed and opened again, and with one bit
// changed. One thread.
//
//   input   [which bit][bytes]
#include <stdlib.h>
#include <string.h>

#include "seal/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static seal_box *boxes[2];

static void make_boxes(void) {
    static const uint8_t key[CORM_KEY_BYTES] = { 7 };
    corm_keyring        *keyring;
    corm_str             column = corm_str_of("t.c");
    if (boxes[0]) return;
    MUST(corm_keyring_new(&keyring, NULL) == CORM_OK);
    MUST(corm_keyring_add(keyring, 1, key, NULL) == CORM_OK);
    MUST(seal__box_new(keyring, column, false, &boxes[0], NULL) == CORM_OK);
    MUST(seal__box_new(keyring, column, true, &boxes[1], NULL) == CORM_OK);
    corm_keyring_free(keyring);
}

static void there_and_back(const seal_box *box, corm_bytes value, uint8_t bit) {
    base_buf sealed = { 0 }, opened = { 0 };
    MUST(seal__close(box, value, &sealed, NULL) == CORM_OK);
    MUST(seal__open(box, base__buf_bytes(&sealed), &opened, NULL) == CORM_OK);
    MUST(opened.len == value.len);
    MUST(value.len == 0 || memcmp(opened.data, value.data, value.len) == 0);
    sealed.data[bit % sealed.len] ^= 1;
    base__buf_clear(&opened);
    MUST(seal__open(box, base__buf_bytes(&sealed), &opened, NULL) != CORM_OK && opened.len == 0);
    base__buf_free(&sealed);
    base__buf_free(&opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    make_boxes();
    corm_bytes value = { data + 1, size - 1 };
    base_buf   opened = { 0 };
    for (int i = 0; i < 2; i++) {
        MUST(seal__open(boxes[i], value, &opened, NULL) != CORM_OK);
        there_and_back(boxes[i], value, data[0]);
    }
    base__buf_free(&opened);
    return 0;
}
