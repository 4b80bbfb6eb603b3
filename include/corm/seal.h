// SPDX-License-Identifier: MIT
/* seal.h -- keys for columns that are stored sealed: encrypted and authenticated, so that whoever reads the store or the wire
 * without the keyring sees no values, and a changed value is noticed.
 *
 *   { COL(ssn),   .sealed = CORM_SEALED },                        // AES-256-GCM
 *   { COL(email), .sealed = CORM_SEALED_EQUAL, .unique = true },  // AES-256-SIV: can be asked for by equality
 *
 *   corm_keyring *keyring;
 *   corm_keyring_read(&keyring, "keys", &err);
 *   corm_open(&db, uri, { .keyring = keyring });
 *
 * docs/sealed-columns.md says what is protected and what is not. A keyring may be used by any number of threads once it has its
 * keys. */
#ifndef CORM_SEAL_H
#define CORM_SEAL_H

#include "corm/db.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CORM_KEY_BYTES = 32, CORM_KEYRING_MAX = 64 };

/* An empty keyring. *out is released by corm_keyring_free(), after the db that uses it was closed. */
CORM_API CORM_CHECKED corm_status corm_keyring_new(corm_keyring **out, corm_error *err);

/* Adds a key of CORM_KEY_BYTES random bytes (copied); `id` is stored beside each value that is sealed with it, and must never name
 * another key. The last one that was added seals; all open. The first one that was added seals CORM_SEALED_EQUAL columns, until
 * corm_keyring_equal() names another. CORM_INVALID_ARGUMENT: the id is there already, or there are CORM_KEYRING_MAX. */
CORM_API CORM_CHECKED corm_status corm_keyring_add(corm_keyring *keyring, uint32_t id,
                                                   const uint8_t *key, corm_error *err);

/* Seals CORM_SEALED_EQUAL columns with this key. Values that were sealed with another one are not found by equality, nor are they
 * unique beside new ones, until corm_reseal() has gone over the table. */
CORM_API CORM_CHECKED corm_status corm_keyring_equal(corm_keyring *keyring, uint32_t id,
                                                     corm_error *err);

/* Reads keys from a file that only its owner may read: a line "id = 64 hexadecimal digits" each, in the order of
 * corm_keyring_add; "equal = id" names the key of CORM_SEALED_EQUAL columns; lines that begin with # are comments. The message
 * of an error names the line, and never what is on it. */
CORM_API CORM_CHECKED corm_status corm_keyring_read(corm_keyring **out, const char *path,
                                                    corm_error *err);

/* 32 bytes from the operating system. CORM_IO when it has none. */
CORM_API CORM_CHECKED corm_status corm_key_generate(uint8_t *key, corm_error *err);

/* Overwrites the keys. NULL is ignored. */
CORM_API void corm_keyring_free(corm_keyring *keyring);

/* What corm_reseal did. */
typedef struct corm_reseal_report {
    uint64_t rows;    /* that were read */
    uint64_t changed; /* values that were sealed anew */
    uint64_t skipped; /* values that another writer changed meanwhile: they are current */
} corm_reseal_report;

/* Seals every value of the model's sealed columns anew that is not sealed with the key that seals now. Safe beside other
 * writers that have the same keyring; may be stopped and called again. `report` may be NULL. When it has gone through, older keys
 * are needed no more. */
CORM_API CORM_CHECKED corm_status corm_reseal(corm_db *db, const corm_model *model,
                                              corm_reseal_report *report, corm_error *err);

/* Appends nothing but what people may see: a line "table { a: 1, ssn: ***6789 }" of a row, with masked columns masked and hidden
 * ones left out (corm_field.shown), for logs. *out is malloc'ed, the caller's to free(). */
CORM_API CORM_CHECKED corm_status corm_row_shown(const corm_model *model, const void *row,
                                                 char **out, corm_error *err);

#ifdef __cplusplus
}
#endif
#endif
