// SPDX-License-Identifier: MIT
/* page_token.c -- a paging state that may leave the process: sealed, dated, and bound to what was asked.
 *
 *   base64url of: version u8 | nonce 12 bytes | AES-256-GCM of (issued, seconds, i64 | paging state) | tag 16 bytes
 *   with the version and SHA-256(keyspace, text, values) as what is authenticated beside it
 *
 * The hash is not in the token: who opens it must have the same statement with the same values. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "corm/cluster.h"
#include "session/base64.h"
#include "session/core.h"
#include "session/statement.h"

enum { TOKEN_VERSION = 1, NONCE = 12, TAG = 16, DATE = 8, HASH = 32, HEAD = 1 + NONCE };

corm_status session__set_page_token_key(corm_session *session, const corm_session_options *options,
                                        corm_error *err) {
    const uint8_t *key = options->page_token_key;
    if (!key && options->cluster) key = options->cluster->page_token_key;
    if (key) {
        memcpy(session->page_token_key, key, SESSION_KEY_BYTES);
        return CORM_OK;
    }
    if (base__random(session->page_token_key, SESSION_KEY_BYTES)) return CORM_OK;
    return base__fail(err, CORM_IO, "the operating system gives no random bytes");
}

/* ---- what a token is bound to ---- */

typedef struct binding {
    corm_str         keyspace, text;
    uint32_t         count;
    const cql_value *values;
} binding;

static binding binding_of(const session_request *request) {
    const corm_prepared *prepared = request->prepared;
    if (!prepared) return (binding){ request->keyspace, request->wire.text, 0, NULL };
    return (binding){ prepared->keyspace, prepared->text, request->wire.value_count,
                      request->wire.values };
}

static void hash_text(EVP_MD_CTX *context, bool *good, corm_str text) {
    uint8_t len[8];
    base__store_u64(len, text.len);
    *good = *good && EVP_DigestUpdate(context, len, sizeof len) == 1 &&
            EVP_DigestUpdate(context, text.data, text.len) == 1;
}

static void hash_value(EVP_MD_CTX *context, bool *good, cql_value value) {
    uint8_t len[4];
    base__store_u32(len, (uint32_t)value.len);
    *good = *good && EVP_DigestUpdate(context, len, sizeof len) == 1;
    if (value.len > 0) {
        *good = *good && EVP_DigestUpdate(context, value.data, (size_t)value.len) == 1;
    }
}

/* The version and the hash, which is what the cipher authenticates. */
static corm_status hash_binding(const binding *of, uint8_t out[1 + HASH], corm_error *err) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context) return base__fail_memory(err);
    bool good = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    hash_text(context, &good, of->keyspace);
    hash_text(context, &good, of->text);
    for (uint32_t i = 0; i < of->count; i++) hash_value(context, &good, of->values[i]);
    out[0] = TOKEN_VERSION;
    good = good && EVP_DigestFinal_ex(context, out + 1, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good ? CORM_OK : base__fail_memory(err);
}

/* ---- the cipher ---- */

/* One pass over `len` bytes at `data`, in place. Sealing writes the tag behind them, opening checks it there: *good. False when
 * memory is exhausted, which is all else that can go wrong. */
static bool cipher(EVP_CIPHER_CTX *context, bool seal, const uint8_t *key, const uint8_t *nonce,
                   const uint8_t bound[1 + HASH], uint8_t *data, int len, bool *good) {
    int      done = 0;
    uint8_t *tag = data + len;
    if (EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce, seal) != 1) return false;
    if (EVP_CipherUpdate(context, NULL, &done, bound, 1 + HASH) != 1) return false;
    if (EVP_CipherUpdate(context, data, &done, data, len) != 1) return false;
    if (!seal && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG, tag) != 1) return false;
    *good = EVP_CipherFinal_ex(context, data + len, &done) == 1;
    return !seal || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;
}

static corm_status run_cipher(bool seal, const corm_session *session, const binding *of,
                              const base_buf *token, bool *good, corm_error *err) {
    uint8_t bound[1 + HASH];
    CORM_TRY(hash_binding(of, bound, err));
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context) return base__fail_memory(err);
    bool done = cipher(context, seal, session->page_token_key, token->data + 1, bound,
                       token->data + HEAD, (int)(token->len - HEAD - TAG), good);
    EVP_CIPHER_CTX_free(context);
    return done ? CORM_OK : base__fail_memory(err);
}

/* ---- sealing ---- */

static corm_status make_token(const corm_session *session, const binding *of, corm_bytes state,
                              base_buf *out, corm_error *err) {
    uint8_t nonce[NONCE];
    bool    sealed = base__random(nonce, sizeof nonce);
    base__buf_u8(out, TOKEN_VERSION);
    base__buf_put(out, nonce, sizeof nonce);
    base__buf_i64(out, base__clock_s());
    base__buf_put(out, state.data, state.len);
    base__buf_grow(out, TAG);
    CORM_TRY(base__buf_status(out, err));
    if (sealed && state.len <= INT32_MAX / 2) {
        CORM_TRY(run_cipher(true, session, of, out, &sealed, err));
        if (sealed) return CORM_OK;
    }
    return base__fail(err, CORM_IO, "the paging state could not be sealed");
}

/* The token of the bytes as a text, malloc'ed. */
static corm_status seal(const corm_session *session, const binding *of, corm_bytes state,
                        char **token, corm_error *err) {
    base_buf    bytes = { 0 }, text = { 0 };
    corm_status status = make_token(session, of, state, &bytes, err);
    if (status == CORM_OK) {
        session__put_base64(&text, base__buf_bytes(&bytes));
        *token = (char *)(uintptr_t)base__buf_cstr(&text);
        status = base__buf_status(&text, err);
    }
    base__buf_free(&bytes);
    if (status != CORM_OK) {
        base__buf_free(&text);
        *token = NULL;
    }
    return status;
}

/* No text of a statement begins with a zero byte. */
static binding binding_to(corm_bytes bound) {
    return (binding){ { "", 1 }, { (const char *)bound.data, bound.len }, 0, NULL };
}

corm_status session__seal_token(const corm_session *session, corm_bytes bound, corm_bytes state,
                                char **token, corm_error *err) {
    binding of = binding_to(bound);
    *token = NULL;
    return seal(session, &of, state, token, err);
}

corm_status corm_page_token(const corm_result *result, char **token, corm_error *err) {
    *token = NULL;
    corm_bytes state = corm_result_paging_state(result);
    if (!result->has_next || state.len == 0) {
        return base__fail(err, CORM_NOT_FOUND, "there is no next page");
    }
    binding of = binding_of(&result->next_page);
    return seal(result->session, &of, state, token, err);
}

/* ---- opening ---- */

/* One text for every reason, so that who guesses learns nothing. */
static corm_status refuse(corm_error *err) {
    return base__fail(
        err, CORM_INVALID_ARGUMENT,
        "the page token is not one of this statement with these values, or was altered");
}

static corm_status check_age(int64_t issued, uint32_t max_age_s, corm_error *err) {
    int64_t age = base__clock_s() - issued;
    if (max_age_s == 0 || age <= (int64_t)max_age_s) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the page token is %lld seconds old, %u are allowed", (long long)age,
                      max_age_s);
}

/* The bytes as they were sealed: a slice of *bytes. */
static corm_status open_bytes(const corm_session *session, const binding *of, const char *text,
                              uint32_t max_age_s, base_buf *bytes, corm_bytes *out,
                              corm_error *err) {
    bool good = session__read_base64(corm_str_of(text), bytes);
    CORM_TRY(base__buf_status(bytes, err));
    if (!good || bytes->len <= HEAD + DATE + TAG || bytes->len > INT32_MAX / 2) return refuse(err);
    if (bytes->data[0] != TOKEN_VERSION) return refuse(err);
    CORM_TRY(run_cipher(false, session, of, bytes, &good, err));
    if (!good) return refuse(err);
    CORM_TRY(check_age((int64_t)base__load_u64(bytes->data + HEAD), max_age_s, err));
    *out = (corm_bytes){ bytes->data + HEAD + DATE, bytes->len - HEAD - DATE - TAG };
    return CORM_OK;
}

corm_status session__open_token(const corm_session *session, corm_bytes bound, const char *token,
                                uint32_t max_age_s, base_buf *bytes, corm_bytes *state,
                                corm_error *err) {
    binding of = binding_to(bound);
    return open_bytes(session, &of, token, max_age_s, bytes, state, err);
}

static corm_status open_token(corm_statement *statement, const char *text, base_buf *bytes,
                              uint32_t max_age_s, corm_error *err) {
    const corm_prepared *prepared = statement->prepared;
    binding of = { prepared->keyspace, prepared->text, prepared->marker_count, statement->values };
    corm_bytes opened;
    CORM_TRY(open_bytes(prepared->session, &of, text, max_age_s, bytes, &opened, err));
    base_buf *state = &statement->paging_state;
    base__buf_clear(state);
    base__buf_put(state, opened.data, opened.len);
    return base__buf_status(state, err);
}

corm_status corm_statement_set_page_token(corm_statement *statement, const char *token,
                                          uint32_t max_age_s, corm_error *err) {
    statement->options.paging_state = (corm_bytes){ NULL, 0 };
    if (!token) return base__fail(err, CORM_INVALID_ARGUMENT, "the page token is NULL");
    base_buf    bytes = { 0 };
    corm_status status = open_token(statement, token, &bytes, max_age_s, err);
    base__buf_free(&bytes);
    if (status != CORM_OK) return status;
    statement->options.paging_state = base__buf_bytes(&statement->paging_state);
    return CORM_OK;
}
