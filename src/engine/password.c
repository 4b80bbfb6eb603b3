// SPDX-License-Identifier: MIT
/* password.c -- bcrypt hashes of passwords, by the C library's crypt (libxcrypt): the server's $2a$ ones and all that bcrypt has.
 *
 * Slow on purpose, about 70 ms at the usual cost: never on a thread that others wait for. Any thread; nothing is kept. */
#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "engine/auth.h"

enum { LONGEST = 1024 }; /* bcrypt looks at 72 bytes */

/* A C string that is wiped when it is done with. */
static corm_status copy_password(corm_str password, char **out, corm_error *err) {
    *out = NULL;
    if (password.len > 0 && memchr(password.data, 0, password.len))
        return base__fail(err, CORM_INVALID, "A password holds no zero byte");
    if (password.len > LONGEST)
        return base__fail(err, CORM_INVALID, "A password has no more than %d bytes", LONGEST);
    *out = calloc(1, password.len + 1);
    if (!*out) return base__fail_memory(err);
    if (password.len > 0) memcpy(*out, password.data, password.len);
    return CORM_OK;
}

/* *out may be NULL on success: the setting is none that crypt knows. */
static corm_status run_crypt(corm_str password, const char *setting, char out[PASSWORD_HASH_BYTES],
                             bool *done, corm_error *err) {
    char              *text;
    struct crypt_data *room = calloc(1, sizeof *room);
    if (!room) return base__fail_memory(err);
    corm_status status = copy_password(password, &text, err);
    const char *hash = status == CORM_OK ? crypt_rn(text, setting, room, (int)sizeof *room) : NULL;
    *done = hash && strlen(hash) == PASSWORD_HASH_BYTES - 1;
    if (*done) memcpy(out, hash, PASSWORD_HASH_BYTES);
    if (text) OPENSSL_cleanse(text, password.len);
    OPENSSL_cleanse(room, sizeof *room);
    free(text);
    free(room);
    return status;
}

/* The server reads no newer form than $2a$; for all but malformed text it is the same as $2b$. */
corm_status password__hash(corm_str password, int cost, char out[PASSWORD_HASH_BYTES],
                           corm_error *err) {
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    bool done = false;
    if (!crypt_gensalt_rn("$2a$", (unsigned long)cost, NULL, 0, setting, (int)sizeof setting))
        return base__fail(err, CORM_INVALID_ARGUMENT, "a password cannot be hashed at cost %d",
                          cost);
    CORM_TRY(run_crypt(password, setting, out, &done, err));
    return done ? CORM_OK : base__fail(err, CORM_IO, "the system's crypt does not know bcrypt");
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_base64(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
}

/* $2a$10$ and 53 characters; the letter may be another or none at all. */
bool password__is_hash(corm_str hash) {
    if (hash.len != PASSWORD_HASH_BYTES - 1 || memcmp(hash.data, "$2", 2) != 0) return false;
    bool known =
        hash.data[2] == 'a' || hash.data[2] == 'b' || hash.data[2] == 'x' || hash.data[2] == 'y';
    if (!known || hash.data[3] != '$' || hash.data[6] != '$') return false;
    if (!is_digit(hash.data[4]) || !is_digit(hash.data[5])) return false;
    int cost = (hash.data[4] - '0') * 10 + hash.data[5] - '0';
    for (size_t i = 7; i < hash.len; i++) {
        if (!is_base64(hash.data[i])) return false;
    }
    return cost >= 4 && cost <= 31;
}

corm_status password__verify(corm_str password, corm_str hash, bool *fits, corm_error *err) {
    char setting[PASSWORD_HASH_BYTES], again[PASSWORD_HASH_BYTES];
    bool done = false;
    *fits = false;
    if (!password__is_hash(hash)) return CORM_OK;
    memcpy(setting, hash.data, hash.len);
    setting[hash.len] = '\0';
    CORM_TRY(run_crypt(password, setting, again, &done, err));
    *fits = done && CRYPTO_memcmp(again, setting, hash.len) == 0;
    return CORM_OK;
}
