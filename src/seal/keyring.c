// SPDX-License-Identifier: MIT
/* keyring.c -- keys by their ids, in the order they were added; read from a file. What is freed is overwritten first. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/file.h"
#include "seal/seal.h"

enum { MOST_FILE = 64 << 10 };

corm_status corm_key_generate(uint8_t *key, corm_error *err) {
    if (base__random(key, CORM_KEY_BYTES)) return CORM_OK;
    return base__fail(err, CORM_IO, "the operating system gives no random bytes");
}

corm_status corm_keyring_new(corm_keyring **out, corm_error *err) {
    *out = calloc(1, sizeof **out);
    return *out ? CORM_OK : base__fail_memory(err);
}

void corm_keyring_free(corm_keyring *keyring) {
    if (!keyring) return;
    OPENSSL_cleanse(keyring, sizeof *keyring);
    free(keyring);
}

static bool find(const corm_keyring *keyring, uint32_t id, uint32_t *index) {
    for (*index = 0; *index < keyring->count; ++*index) {
        if (keyring->keys[*index].id == id) return true;
    }
    return false;
}

corm_status corm_keyring_add(corm_keyring *keyring, uint32_t id, const uint8_t *key,
                             corm_error *err) {
    uint32_t index;
    if (find(keyring, id, &index)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the keyring has a key %u already", id);
    }
    if (keyring->count == CORM_KEYRING_MAX) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a keyring holds at most %d keys",
                          CORM_KEYRING_MAX);
    }
    seal_key *added = &keyring->keys[keyring->count++];
    added->id = id;
    memcpy(added->bytes, key, CORM_KEY_BYTES);
    return CORM_OK;
}

corm_status corm_keyring_equal(corm_keyring *keyring, uint32_t id, corm_error *err) {
    uint32_t index;
    if (!find(keyring, id, &index)) {
        return base__fail(err, CORM_NOT_FOUND, "the keyring has no key %u", id);
    }
    keyring->equal = index;
    return CORM_OK;
}

/* ---- the file ---- */

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static corm_str trim(corm_str text) {
    while (text.len > 0 && is_space(text.data[0])) text.data++, text.len--;
    while (text.len > 0 && is_space(text.data[text.len - 1])) text.len--;
    return text;
}

static bool read_id(corm_str text, uint32_t *out) {
    uint64_t id = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || i >= 10) return false;
        id = id * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = (uint32_t)id;
    return text.len > 0 && id <= UINT32_MAX;
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_key(corm_str text, uint8_t *key) {
    if (text.len != (size_t)2 * CORM_KEY_BYTES) return false;
    for (size_t i = 0; i < CORM_KEY_BYTES; i++) {
        int high = digit(text.data[2 * i]), low = digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static corm_status read_assignment(corm_keyring *keyring, corm_str name, corm_str value,
                                   corm_error *err) {
    uint8_t  key[CORM_KEY_BYTES];
    uint32_t id;
    if (corm_str_equal(name, corm_str_of("equal"))) {
        if (!read_id(value, &id)) {
            return base__fail(err, CORM_INVALID_ARGUMENT, "'equal' takes the id of a key");
        }
        return corm_keyring_equal(keyring, id, err);
    }
    if (!read_id(name, &id)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "an id is a number from 0 to 4294967295");
    }
    if (!read_key(value, key)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a key has 64 hexadecimal digits");
    }
    corm_status status = corm_keyring_add(keyring, id, key, err);
    OPENSSL_cleanse(key, sizeof key);
    return status;
}

static corm_status read_line(corm_keyring *keyring, corm_str line, corm_error *err) {
    line = trim(line);
    if (line.len == 0 || line.data[0] == '#') return CORM_OK;
    const char *equals = memchr(line.data, '=', line.len);
    if (!equals) return base__fail(err, CORM_INVALID_ARGUMENT, "\"id = key\" is expected");
    size_t   len = (size_t)(equals - line.data);
    corm_str value = { equals + 1, line.len - len - 1 };
    return read_assignment(keyring, trim((corm_str){ line.data, len }), trim(value), err);
}

static corm_status read_lines(corm_keyring *keyring, corm_str text, const char *path,
                              corm_error *err) {
    for (uint32_t number = 1; text.len > 0; number++) {
        corm_error  why = { 0 };
        const char *end = memchr(text.data, '\n', text.len);
        size_t      len = end ? (size_t)(end - text.data) : text.len;
        corm_status status = read_line(keyring, (corm_str){ text.data, len }, &why);
        if (status != CORM_OK) {
            return base__fail(err, status, "%s:%u: %s", path, number, why.message);
        }
        len += end != NULL;
        text.data += len;
        text.len -= len;
    }
    if (keyring->count > 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "%s has no key", path);
}

static corm_status check_mode(const char *path, corm_error *err) {
    struct stat about;
    if (stat(path, &about) != 0) return CORM_OK; /* reading it says why */
    if (!S_ISREG(about.st_mode) || (about.st_mode & (S_IRWXG | S_IRWXO)) == 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "%s may be read by others than its owner: chmod 600 makes it private", path);
}

static corm_status read_file(corm_keyring *keyring, const char *path, corm_error *err) {
    base_buf    text = { 0 };
    corm_status status = check_mode(path, err);
    if (status == CORM_OK) status = base__read_file(path, MOST_FILE, &text, err);
    if (status == CORM_OK && text.len > MOST_FILE) {
        status = base__fail(err, CORM_INVALID_ARGUMENT, "%s is too long", path);
    }
    if (status == CORM_OK) status = read_lines(keyring, base__buf_str(&text), path, err);
    if (text.data) OPENSSL_cleanse(text.data, text.len);
    base__buf_free(&text);
    return status;
}

corm_status corm_keyring_read(corm_keyring **out, const char *path, corm_error *err) {
    CORM_TRY(corm_keyring_new(out, err));
    corm_status status = read_file(*out, path, err);
    if (status == CORM_OK) return CORM_OK;
    corm_keyring_free(*out);
    *out = NULL;
    return status;
}
