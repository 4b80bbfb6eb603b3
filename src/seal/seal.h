// SPDX-License-Identifier: MIT
/* seal.h -- values of one column, sealed and opened.
 *
 *   [1 algorithm][4 key id, big-endian][12 nonce][ciphertext][16 tag]     algorithm 1: AES-256-GCM
 *   [1 algorithm][4 key id, big-endian][16 tag][ciphertext]               algorithm 2: AES-256-SIV (RFC 5297)
 *
 * The plaintext is a zero byte (the format of what follows) and the value in wire form. Authenticated with it are the first five
 * bytes and the column's name "table.column". The key of a column is HKDF-SHA256 (RFC 5869) of the keyring's, with
 * "corm seal N table.column" as info: 2^32 values, the limit of random nonces of GCM, are a column's own, and equal values
 * of two columns differ. */
#ifndef SEAL_SEAL_H
#define SEAL_SEAL_H

#include "base/buf.h"
#include "corm/seal.h"

typedef struct seal_box seal_box;

/* The keyring's keys for one column. `equal`: deterministic. Released by seal__box_free(). Any thread. */
CORM_CHECKED corm_status seal__box_new(const corm_keyring *keyring, corm_str column, bool equal,
                                       seal_box **out, corm_error *err);
void                     seal__box_free(seal_box *box);

/* Appends the value sealed with the current key. */
CORM_CHECKED corm_status seal__close(const seal_box *box, corm_bytes value, base_buf *out,
                                     corm_error *err);

/* Appends the value. CORM_CORRUPT: it was changed, or is another column's; CORM_NOT_FOUND: its key is not in the keyring. */
CORM_CHECKED corm_status seal__open(const seal_box *box, corm_bytes sealed, base_buf *out,
                                    corm_error *err);

/* Whether the sealed value is of the key and algorithm that seal now. */
bool seal__is_current(const seal_box *box, corm_bytes sealed);

/* ---- between the files of this folder ---- */

typedef struct seal_key {
    uint32_t id;
    uint8_t  bytes[CORM_KEY_BYTES];
} seal_key;

struct corm_keyring {
    uint32_t count;
    uint32_t equal; /* index of the key of CORM_SEALED_EQUAL columns */
    seal_key keys[CORM_KEYRING_MAX];
};

#endif
