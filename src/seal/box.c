// SPDX-License-Identifier: MIT
/* box.c -- values sealed and opened with the keys of one column. Any thread. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/map.h"
#include "seal/seal.h"

enum {
    GCM = 1,
    SIV = 2,
    HEAD = 1 + 4,
    NONCE = 12,
    TAG = 16,
    SIV_KEY_BYTES = 64, /* two AES-256 keys: RFC 5297, section 2.2 */
    FORMAT = 0,
    LONGEST = 1 << 30
};

/* A key of the keyring, derived for the column. */
typedef struct column_key {
    uint32_t id;
    uint8_t  gcm[CORM_KEY_BYTES], siv[SIV_KEY_BYTES];
} column_key;

struct seal_box {
    uint8_t     algorithm; /* that seals */
    uint32_t    current;   /* index of the key that seals */
    EVP_CIPHER *gcm, *siv;
    corm_str    column; /* behind the keys */
    uint32_t    count;
    column_key  keys[];
};

static corm_status fail_crypto(corm_error *err) {
    return base__fail(err, CORM_IO, "OpenSSL failed to derive a key or to run a cipher");
}

/* ---- keys ---- */

static bool derive(const seal_key *key, const char *info, size_t len, uint8_t *out, size_t size) {
    EVP_KDF     *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char         digest[] = "SHA256";
    uint8_t      secret[CORM_KEY_BYTES];
    memcpy(secret, key->bytes, sizeof secret);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, sizeof secret),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, len),
        OSSL_PARAM_construct_end(),
    };
    bool derived = context && EVP_KDF_derive(context, out, size, params) == 1;
    OPENSSL_cleanse(secret, sizeof secret);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return derived;
}

static bool derive_for(const seal_box *box, const seal_key *key, int algorithm, uint8_t *out,
                       size_t size) {
    base_buf info = { 0 };
    base__buf_printf(&info, "corm seal %d ", algorithm);
    base__buf_put_str(&info, box->column);
    bool derived = !info.failed && derive(key, (const char *)info.data, info.len, out, size);
    base__buf_free(&info);
    return derived;
}

static corm_status derive_all(seal_box *box, const corm_keyring *keyring, corm_error *err) {
    box->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    box->siv = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
    if (!box->gcm || !box->siv) return fail_crypto(err);
    for (uint32_t i = 0; i < box->count; i++) {
        const seal_key *from = &keyring->keys[i];
        column_key     *to = &box->keys[i];
        to->id = from->id;
        if (!derive_for(box, from, GCM, to->gcm, sizeof to->gcm) ||
            !derive_for(box, from, SIV, to->siv, sizeof to->siv)) {
            return fail_crypto(err);
        }
    }
    return CORM_OK;
}

corm_status seal__box_new(const corm_keyring *keyring, corm_str column, bool equal, seal_box **out,
                          corm_error *err) {
    *out = NULL;
    if (keyring->count == 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the keyring has no key");
    }
    size_t    keys = keyring->count * sizeof(column_key);
    seal_box *box = calloc(1, sizeof *box + keys + column.len);
    if (!box) return base__fail_memory(err);
    char *name = (char *)box->keys + keys;
    memcpy(name, column.data, column.len);
    box->column = (corm_str){ name, column.len };
    box->count = keyring->count;
    box->algorithm = equal ? SIV : GCM;
    box->current = equal ? keyring->equal : keyring->count - 1;
    corm_status status = derive_all(box, keyring, err);
    if (status != CORM_OK) {
        seal__box_free(box);
        return status;
    }
    *out = box;
    return CORM_OK;
}

void seal__box_free(seal_box *box) {
    if (!box) return;
    EVP_CIPHER_free(box->gcm);
    EVP_CIPHER_free(box->siv);
    OPENSSL_cleanse(box->keys, box->count * sizeof(column_key));
    free(box);
}

/* ---- one value ---- */

/* A cipher under way. What is authenticated but not encrypted has been given to it. */
typedef struct run {
    EVP_CIPHER_CTX *context;
    bool            good;
} run;

static void take(run *r, int result) {
    r->good = r->good && result == 1;
}

/* `nonce`: of GCM; `tag`: of SIV when it opens, which wants it before the text. */
static run begin(const seal_box *box, const column_key *key, const uint8_t *head, bool seals,
                 const uint8_t *nonce, const uint8_t *tag) {
    bool              gcm = head[0] == GCM;
    const EVP_CIPHER *cipher = gcm ? box->gcm : box->siv;
    run               r = { EVP_CIPHER_CTX_new(), true };
    int               len;
    if (!r.context) {
        r.good = false;
        return r;
    }
    take(&r, EVP_CipherInit_ex2(r.context, cipher, gcm ? key->gcm : key->siv, nonce, seals, NULL));
    if (tag && r.good) {
        take(&r,
             EVP_CIPHER_CTX_ctrl(r.context, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(uintptr_t)tag));
    }
    if (r.good) take(&r, EVP_CipherUpdate(r.context, NULL, &len, head, HEAD));
    if (r.good) {
        take(&r, EVP_CipherUpdate(r.context, NULL, &len, (const uint8_t *)box->column.data,
                                  (int)box->column.len));
    }
    return r;
}

static bool finish(run *r) {
    uint8_t none[TAG];
    int     len;
    if (r->good) take(r, EVP_CipherFinal_ex(r->context, none, &len));
    EVP_CIPHER_CTX_free(r->context);
    return r->good;
}

static bool seal_gcm(const seal_box *box, const column_key *key, const uint8_t *head,
                     const uint8_t *plain, int size, uint8_t *out) {
    int len;
    if (!base__random(out, NONCE)) return false;
    run r = begin(box, key, head, true, out, NULL);
    if (r.good) take(&r, EVP_CipherUpdate(r.context, out + NONCE, &len, plain, size));
    if (r.good) take(&r, EVP_CipherFinal_ex(r.context, out + NONCE + size, &len));
    if (r.good) {
        take(&r, EVP_CIPHER_CTX_ctrl(r.context, EVP_CTRL_AEAD_GET_TAG, TAG, out + NONCE + size));
    }
    EVP_CIPHER_CTX_free(r.context);
    return r.good;
}

static bool seal_siv(const seal_box *box, const column_key *key, const uint8_t *head,
                     const uint8_t *plain, int size, uint8_t *out) {
    int len;
    run r = begin(box, key, head, true, NULL, NULL);
    if (r.good) take(&r, EVP_CipherUpdate(r.context, out + TAG, &len, plain, size));
    if (r.good) take(&r, EVP_CipherFinal_ex(r.context, out + TAG + size, &len));
    if (r.good) take(&r, EVP_CIPHER_CTX_ctrl(r.context, EVP_CTRL_AEAD_GET_TAG, TAG, out));
    EVP_CIPHER_CTX_free(r.context);
    return r.good;
}

static void put_plain(base_buf *out, corm_bytes value) {
    base__buf_u8(out, FORMAT);
    base__buf_put(out, value.data, value.len);
}

corm_status seal__close(const seal_box *box, corm_bytes value, base_buf *out, corm_error *err) {
    const column_key *key = &box->keys[box->current];
    bool              gcm = box->algorithm == GCM;
    base_buf          plain = { 0 };
    if (value.len > LONGEST) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a value of %zu bytes is too long to seal",
                          value.len);
    }
    put_plain(&plain, value);
    size_t size = plain.len + HEAD + TAG;
    if (gcm) size += NONCE;
    uint8_t *to = plain.failed ? NULL : base__buf_grow(out, size);
    if (!to) {
        base__buf_free(&plain);
        return base__fail_memory(err);
    }
    to[0] = box->algorithm;
    base__store_u32(to + 1, key->id);
    bool good = (gcm ? seal_gcm : seal_siv)(box, key, to, plain.data, (int)plain.len, to + HEAD);
    OPENSSL_cleanse(plain.data, plain.len);
    base__buf_free(&plain);
    return good ? CORM_OK : fail_crypto(err);
}

static const column_key *key_of(const seal_box *box, uint32_t id) {
    for (uint32_t i = 0; i < box->count; i++) {
        if (box->keys[i].id == id) return &box->keys[i];
    }
    return NULL;
}

/* The text's place in a sealed value; false when it is too short to be one. */
static bool split(corm_bytes sealed, const uint8_t **nonce, const uint8_t **tag, corm_bytes *text) {
    size_t around = HEAD + TAG;
    if (sealed.len <= around || sealed.len > (size_t)LONGEST + 64) return false;
    bool gcm = sealed.data[0] == GCM;
    if (!gcm && sealed.data[0] != SIV) return false;
    if (gcm) around += NONCE;
    if (sealed.len <= around) return false;
    text->len = sealed.len - around;
    *nonce = gcm ? sealed.data + HEAD : NULL;
    *tag = gcm ? sealed.data + sealed.len - TAG : sealed.data + HEAD;
    text->data = sealed.data + HEAD + (gcm ? NONCE : TAG);
    return true;
}

static corm_status not_sealed(const seal_box *box, corm_error *err) {
    return base__fail(
        err, CORM_CORRUPT,
        "%.*s: the stored value cannot be opened: it was changed, is of another column, "
        "or was never sealed",
        (int)box->column.len, box->column.data);
}

corm_status seal__open(const seal_box *box, corm_bytes sealed, base_buf *out, corm_error *err) {
    const uint8_t *nonce, *tag;
    corm_bytes     text;
    int            len;
    if (!split(sealed, &nonce, &tag, &text)) return not_sealed(box, err);
    uint32_t          id = base__load_u32(sealed.data + 1);
    const column_key *key = key_of(box, id);
    if (!key) {
        return base__fail(err, CORM_NOT_FOUND,
                          "%.*s: the value is sealed with key %u, which is not in the keyring",
                          (int)box->column.len, box->column.data, id);
    }
    size_t   before = out->len;
    uint8_t *to = base__buf_grow(out, text.len);
    if (!to) return base__fail_memory(err);
    run r = begin(box, key, sealed.data, false, nonce, tag);
    if (r.good) take(&r, EVP_CipherUpdate(r.context, to, &len, text.data, (int)text.len));
    if (!finish(&r) || to[0] != FORMAT) {
        out->len = before;
        return not_sealed(box, err);
    }
    memmove(to, to + 1, text.len - 1);
    out->len--;
    return CORM_OK;
}

bool seal__is_current(const seal_box *box, corm_bytes sealed) {
    return sealed.len > HEAD && sealed.data[0] == box->algorithm &&
           base__load_u32(sealed.data + 1) == box->keys[box->current].id;
}
