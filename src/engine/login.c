// SPDX-License-Identifier: MIT
/* login.c -- who may log in: passwords held against system_auth.roles. Any thread that may wait: a hash takes long, on purpose.
 *
 * Passwords that fitted lately are remembered for a while, as a keyed digest of name, stored hash and password: a client that opens
 * many connections pays once. A new password has another stored hash, so it counts at once. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "engine/auth.h"
#include "engine/core.h"

#define S(text) (int)(text).len, (text).data

enum { REMEMBERED = 64, DIGEST_BYTES = 32, KEY_BYTES = 32, ROLE_BYTES = 128 };
static const int64_t remembered_ns = INT64_C(30) * 1000000000;

typedef struct remembered {
    uint8_t digest[DIGEST_BYTES];
    int64_t until_ns;         /* 0: empty */
    char    role[ROLE_BYTES]; /* empty: the name is longer, and in no list */
} remembered;

typedef struct password_cache {
    uint8_t         key[KEY_BYTES]; /* of this process's life */
    pthread_mutex_t lock;           /* guards the rest */
    remembered      entries[REMEMBERED];
} password_cache;

corm_status engine__passwords_new(engine *store, corm_error *err) {
    password_cache *cache = calloc(1, sizeof *cache);
    if (!cache) return base__fail_memory(err);
    if (!base__random(cache->key, sizeof cache->key)) {
        free(cache);
        return base__fail(err, CORM_IO, "the system gives no random numbers");
    }
    pthread_mutex_init(&cache->lock, NULL);
    store->passwords = cache;
    return CORM_OK;
}

void engine__passwords_free(engine *store) {
    if (!store->passwords) return;
    pthread_mutex_destroy(&store->passwords->lock);
    free(store->passwords);
    store->passwords = NULL;
}

/* ---- remembering ---- */

static bool digest(const password_cache *cache, corm_str name, corm_str hash, corm_str password,
                   uint8_t out[DIGEST_BYTES]) {
    base_buf       text = { 0 };
    unsigned       len = 0;
    const corm_str parts[] = { name, hash, password };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        base__buf_u32(&text, (uint32_t)parts[i].len);
        base__buf_put_str(&text, parts[i]);
    }
    bool ok = !text.failed &&
              HMAC(EVP_sha256(), cache->key, KEY_BYTES, text.data, text.len, out, &len) != NULL;
    if (text.data) OPENSSL_cleanse(text.data, text.len);
    base__buf_free(&text);
    return ok && len == DIGEST_BYTES;
}

static bool is_remembered(password_cache *cache, const uint8_t sum[DIGEST_BYTES]) {
    remembered *entry = &cache->entries[sum[0] % REMEMBERED];
    pthread_mutex_lock(&cache->lock);
    bool found =
        entry->until_ns > base__clock_mono_ns() && memcmp(entry->digest, sum, DIGEST_BYTES) == 0;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

static void remember(password_cache *cache, corm_str name, const uint8_t sum[DIGEST_BYTES]) {
    remembered *entry = &cache->entries[sum[0] % REMEMBERED];
    pthread_mutex_lock(&cache->lock);
    memset(entry->role, 0, ROLE_BYTES);
    if (name.len < ROLE_BYTES) memcpy(entry->role, name.data, name.len);
    memcpy(entry->digest, sum, DIGEST_BYTES);
    entry->until_ns = base__clock_mono_ns() + remembered_ns;
    pthread_mutex_unlock(&cache->lock);
}

static corm_status verify(engine *store, corm_str name, corm_str password, corm_str hash,
                          bool *fits, corm_error *err) {
    uint8_t sum[DIGEST_BYTES];
    bool    ok = digest(store->passwords, name, hash, password, sum);
    *fits = ok && is_remembered(store->passwords, sum);
    if (*fits) return CORM_OK;
    CORM_TRY(password__verify(password, hash, fits, err));
    if (*fits && ok) remember(store->passwords, name, sum);
    return CORM_OK;
}

/* ---- looking at what is remembered ---- */

static bool is_among(const corm_str *roles, uint32_t count, const char *role) {
    for (uint32_t i = 0; i < count; i++)
        if (corm_str_equal(roles[i], corm_str_of(role))) return true;
    return false;
}

corm_status engine__passwords_list(engine *store, base_arena *arena, corm_str **out,
                                   uint32_t *count, corm_error *err) {
    password_cache *cache = store->passwords;
    int64_t         now = base__clock_mono_ns();
    corm_str       *roles = BASE_NEW_ARRAY(arena, corm_str, REMEMBERED);
    bool            failed = !roles;
    *out = roles;
    *count = 0;
    pthread_mutex_lock(&cache->lock);
    for (int i = 0; !failed && i < REMEMBERED; i++) {
        const remembered *entry = &cache->entries[i];
        if (!entry->role[0] || entry->until_ns <= now || is_among(roles, *count, entry->role))
            continue;
        roles[*count] = base__arena_str(arena, corm_str_of(entry->role));
        failed = !roles[(*count)++].data;
    }
    pthread_mutex_unlock(&cache->lock);
    return failed ? base__fail_memory(err) : CORM_OK;
}

void engine__passwords_forget(engine *store, corm_str role) {
    password_cache *cache = store->passwords;
    pthread_mutex_lock(&cache->lock);
    for (int i = 0; i < REMEMBERED; i++) {
        remembered *entry = &cache->entries[i];
        if (!role.data || !entry->role[0] || corm_str_equal(role, corm_str_of(entry->role)))
            entry->until_ns = 0;
    }
    pthread_mutex_unlock(&cache->lock);
}

/* ---- logging in ---- */

/* What is known of a role, without a snapshot being held. */
typedef struct facts {
    bool exists, can_login, is_superuser, has_hash;
    char hash[PASSWORD_HASH_BYTES];
} facts;

static void take_facts(const auth_role *role, facts *out) {
    *out = (facts){ .exists = role != NULL };
    if (!role) return;
    out->can_login = role->can_login;
    out->is_superuser = role->is_superuser;
    out->has_hash = role->salted_hash.data && password__is_hash(role->salted_hash);
    if (out->has_hash) memcpy(out->hash, role->salted_hash.data, role->salted_hash.len);
}

static corm_status look_up(engine *store, corm_str name, facts *out, corm_error *err) {
    engine_snapshot   snapshot;
    const auth_roles *roles;
    CORM_TRY(engine__read_begin(store, &snapshot, err));
    corm_status status = engine__roles(store, snapshot.txn, snapshot.schema, &roles, err);
    if (status == CORM_OK) take_facts(auth__find(roles, name), out);
    engine__read_end(&snapshot);
    return status;
}

/* A role that is not there takes as long as one that is. */
static const char nobodys_hash[PASSWORD_HASH_BYTES] =
    "$2a$10$abcdefghijklmnopqrstuuQLs2YQ1m0tOqcNYrtyV1SLNoCfkIJHm";

corm_status engine__login(engine *store, corm_str name, corm_str password, corm_error *err) {
    facts role;
    bool  fits = false;
    CORM_TRY(look_up(store, name, &role, err));
    CORM_TRY(verify(store, name, password, corm_str_of(role.has_hash ? role.hash : nobodys_hash),
                    &fits, err));
    if (!fits || !role.has_hash)
        return base__fail(err, CORM_BAD_CREDENTIALS,
                          "Provided username %.*s and/or password are incorrect",
                          (int)(name.len < 64 ? name.len : 64), name.data);
    if (role.can_login) return CORM_OK;
    return base__fail(err, CORM_BAD_CREDENTIALS, "%.*s is not permitted to log in", S(name));
}

corm_status engine__has_superuser(engine *store, bool *out, corm_error *err) {
    engine_snapshot   snapshot;
    const auth_roles *roles;
    *out = false;
    CORM_TRY(engine__read_begin(store, &snapshot, err));
    corm_status status = engine__roles(store, snapshot.txn, snapshot.schema, &roles, err);
    for (uint32_t i = 0; status == CORM_OK && i < roles->count; i++) {
        const auth_role *role = &roles->roles[i];
        *out |= role->can_login && role->is_superuser && role->salted_hash.data;
    }
    engine__read_end(&snapshot);
    return status;
}

/* ---- the first ones ---- */

static void put_string(base_buf *out, corm_str text) {
    base__buf_u8(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'') base__buf_u8(out, '\'');
        base__buf_u8(out, (uint8_t)text.data[i]);
    }
    base__buf_u8(out, '\'');
}

static corm_status put_role(engine *store, const char *verb, corm_str name, corm_str password,
                            corm_error *err) {
    base_buf      text = { 0 };
    engine_client program = { .keyspace = "" };
    wire_answer   answer = { 0 };
    base__buf_printf(&text, "%s ROLE ", verb);
    put_string(&text, name);
    base__buf_puts(&text, " WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = ");
    put_string(&text, password);
    wire_request request = { .kind = WIRE_QUERY,
                             .text = base__buf_str(&text),
                             .options.consistency = WIRE_ONE };
    corm_status  status = base__buf_status(&text, err);
    if (status == CORM_OK) status = engine__execute(store, &program, &request, &answer, err);
    if (text.data) OPENSSL_cleanse(text.data, text.len);
    base__buf_free(&text);
    wire__answer_free(&answer);
    return status;
}

corm_status engine__put_superuser(engine *store, corm_str name, corm_str password,
                                  corm_error *err) {
    facts role;
    bool  fits = false;
    CORM_TRY(look_up(store, name, &role, err));
    if (!role.exists) return put_role(store, "CREATE", name, password, err);
    if (role.has_hash) CORM_TRY(verify(store, name, password, corm_str_of(role.hash), &fits, err));
    if (fits && role.can_login && role.is_superuser) return CORM_OK;
    return put_role(store, "ALTER", name, password, err);
}

void engine__set_password_cost(engine *store, int cost) {
    store->password_cost = cost;
}
