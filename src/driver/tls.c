// SPDX-License-Identifier: MIT
/* tls.c -- the context of all connections: files, verification, sessions to resume.
 *
 * Owns the SSL_CTX, made anew when a file that it came from has changed (the sessions go with it), and the last session of each
 * name and address. The loop's thread. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "driver/tls_internal.h"

enum { MOST_SESSIONS = 1024 };

/* ---- files ---- */

static driver_tls_stamp stamp_of(const char *path) {
    struct stat      file;
    driver_tls_stamp out = { 0 };
    if (!path || stat(path, &file) != 0) return out;
    out.device = file.st_dev;
    out.inode = file.st_ino;
    out.size = file.st_size;
    out.modified = file.st_mtim;
    return out;
}

static const char *key_file(const corm_tls_options *options) {
    return options->key_file ? options->key_file : options->certificate_file;
}

static driver_tls_stamps stamps_of(const corm_tls_options *options) {
    return (driver_tls_stamps){ { stamp_of(options->ca_file), stamp_of(options->certificate_file),
                                  stamp_of(key_file(options)) } };
}

static bool is_same(const driver_tls_stamp *a, const driver_tls_stamp *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static bool has_changed(const driver_tls *tls, const driver_tls_stamps *now) {
    for (int i = 0; i < DRIVER_TLS_FILES; i++) {
        if (!is_same(&tls->stamps.of[i], &now->of[i])) return true;
    }
    return false;
}

static corm_status load_ca(const corm_tls_options *options, SSL_CTX *ctx, corm_error *err) {
    if (!options->ca_file) {
        if (SSL_CTX_set_default_verify_paths(ctx)) return CORM_OK;
        return tls__fail(err, "TLS: the system's certificates");
    }
    if (SSL_CTX_load_verify_file(ctx, options->ca_file)) return CORM_OK;
    return tls__fail_file(err, "CA file", options->ca_file);
}

static corm_status load_certificate(const corm_tls_options *options, SSL_CTX *ctx,
                                    corm_error *err) {
    if (!options->certificate_file) return CORM_OK;
    return tls__load_certificate(ctx, options->certificate_file, options->key_file,
                                 options->key_password, err);
}

/* ---- sessions ---- */

typedef struct saved_session {
    SSL_SESSION *session;
    char         key[];
} saved_session;

static void free_saved(saved_session *saved) {
    SSL_SESSION_free(saved->session);
    free(saved);
}

static void forget_sessions(driver_tls *tls) {
    size_t               at = 0;
    const base_map_slot *slot;
    while ((slot = base__map_next(&tls->sessions, &at))) free_saved(slot->value);
    base__map_free(&tls->sessions);
    tls->sessions = (base_map){ 0 };
}

static saved_session *new_saved(driver_tls *tls, corm_str key) {
    saved_session *saved = calloc(1, sizeof *saved + key.len + 1);
    if (!saved) return NULL;
    memcpy(saved->key, key.data, key.len);
    if (tls->sessions.count >= MOST_SESSIONS) forget_sessions(tls);
    if (base__map_put(&tls->sessions, (corm_str){ saved->key, key.len }, saved)) return saved;
    free(saved);
    return NULL;
}

/* Gives 1 when the reference is kept. Without memory the next handshake is a full one, that is all. */
static int on_session(SSL *ssl, SSL_SESSION *session) {
    driver_tls_stream *stream = SSL_get_app_data(ssl);
    corm_str           key = corm_str_of(stream->key);
    saved_session     *saved = base__map_get(&stream->tls->sessions, key);
    if (SSL_get_SSL_CTX(ssl) != stream->tls->ctx) return 0; /* of files that have changed */
    if (!saved) saved = new_saved(stream->tls, key);
    if (!saved) return 0;
    SSL_SESSION_free(saved->session);
    saved->session = session;
    return 1;
}

static void resume(driver_tls_stream *stream) {
    const saved_session *saved = base__map_get(&stream->tls->sessions, corm_str_of(stream->key));
    if (saved && saved->session) (void)SSL_set_session(stream->ssl, saved->session);
    ERR_clear_error(); /* a session that does not fit is none */
}

/* ---- the context ---- */

static void configure(const corm_tls_options *options, SSL_CTX *ctx) {
    int least = options->tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION;
    (void)SSL_CTX_set_min_proto_version(ctx, least);
    SSL_CTX_set_verify(
        ctx, options->verify == CORM_TLS_VERIFY_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
}

static corm_status make_context(const corm_tls_options *options, SSL_CTX **out, corm_error *err) {
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx) return tls__fail(err, "TLS");
    configure(options, ctx);
    corm_status status = load_certificate(options, ctx, err);
    if (status == CORM_OK && options->verify != CORM_TLS_VERIFY_NONE) {
        status = load_ca(options, ctx, err);
    }
    if (status != CORM_OK) {
        SSL_CTX_free(ctx);
        return status;
    }
    ERR_clear_error(); /* what a successful load leaves behind */
    *out = ctx;
    return CORM_OK;
}

/* Files that are replaced while they are read have another stamp the next time. */
static corm_status refresh(driver_tls *tls, corm_error *err) {
    driver_tls_stamps now = stamps_of(&tls->options);
    SSL_CTX          *ctx = NULL;
    if (tls->ctx && !has_changed(tls, &now)) return CORM_OK;
    CORM_TRY(make_context(&tls->options, &ctx, err));
    forget_sessions(tls);
    SSL_CTX_free(tls->ctx);
    tls->ctx = ctx;
    tls->stamps = now;
    return CORM_OK;
}

corm_status driver__tls_new(const corm_tls_options *options, driver_tls **out, corm_error *err) {
    driver_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return base__fail_memory(err);
    tls->options = *options;
    corm_status status = refresh(tls, err);
    if (status != CORM_OK) {
        free(tls);
        return status;
    }
    *out = tls;
    return CORM_OK;
}

void driver__tls_free(driver_tls *tls) {
    if (!tls) return;
    forget_sessions(tls);
    SSL_CTX_free(tls->ctx);
    free(tls);
}

/* ---- a connection ---- */

static bool is_numeric(const char *name) {
    uint8_t bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static const char *name_of(const driver_tls *tls, const driver_address *address) {
    if (tls->options.server_name) return tls->options.server_name;
    return address->name[0] ? address->name : address->text;
}

static bool expect_name(driver_tls_stream *stream, const char *name) {
    bool is_checked = stream->tls->options.verify == CORM_TLS_VERIFY_FULL;
    if (is_numeric(name)) {
        return !is_checked || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream->ssl), name) == 1;
    }
    SSL_set_hostflags(stream->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_checked && SSL_set1_host(stream->ssl, name) != 1) return false;
    return SSL_set_tlsext_host_name(stream->ssl, name) == 1;
}

static bool prepare(driver_tls_stream *stream, const char *name) {
    stream->ssl = tls__stream_new(stream->tls->ctx);
    if (!stream->ssl) return false;
    SSL_set_app_data(stream->ssl, stream);
    SSL_set_connect_state(stream->ssl);
    return expect_name(stream, name);
}

static corm_status new_stream(driver_tls *tls, const char *name, const driver_address *address,
                              driver_tls_stream **out, corm_error *err) {
    driver_tls_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return base__fail_memory(err);
    stream->tls = tls;
    (void)snprintf(stream->key, sizeof stream->key, "%s %s %u", name, address->text, address->port);
    if (!prepare(stream, name)) {
        driver__tls_end(stream);
        return tls__fail(err, "TLS");
    }
    *out = stream;
    return CORM_OK;
}

corm_status driver__tls_begin(driver_tls *tls, const driver_address *address,
                              driver_tls_stream **out, corm_error *err) {
    CORM_TRY(refresh(tls, err));
    ERR_clear_error();
    CORM_TRY(new_stream(tls, name_of(tls, address), address, out, err));
    resume(*out);
    return CORM_OK;
}

void driver__tls_end(driver_tls_stream *stream) {
    if (!stream) return;
    tls__stream_free(stream->ssl);
    free(stream);
}

corm_status driver__tls_read(driver_tls_stream *stream, const uint8_t *data, size_t len,
                             base_buf *plain, base_buf *out, bool *established, bool *closed,
                             corm_error *err) {
    return tls__read(stream->ssl, data, len, plain, out, established, closed, err);
}

corm_status driver__tls_write(driver_tls_stream *stream, const uint8_t *data, size_t len,
                              base_buf *out, corm_error *err) {
    return tls__write(stream->ssl, data, len, out, err);
}
