// SPDX-License-Identifier: MIT
/* tls_for_tests.h -- certificates made on the spot, written into the directory that the test runs in, and the server's side of
 * TLS in memory. */
#ifndef DRIVER_TLS_FOR_TESTS_H
#define DRIVER_TLS_FOR_TESTS_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "driver/tls_internal.h"
#include "testing/check.h"

/* ---- certificates ---- */

typedef struct test_identity {
    X509     *certificate;
    EVP_PKEY *key;
} test_identity;

static inline void add_extension(X509 *certificate, int nid, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* alternative: "DNS:node.example,IP:127.0.0.1"; NULL: a CA. issuer NULL: signs itself. */
static inline test_identity make_identity(const char *name, const char *alternative,
                                          const test_identity *issuer) {
    static long   serial;
    test_identity out = { X509_new(), EVP_EC_gen("P-256") };
    test_identity self = out;
    X509_NAME    *subject = X509_NAME_new();
    assert_non_null(out.certificate);
    assert_non_null(out.key);
    X509_set_version(out.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out.certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(out.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(out.certificate), 3600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                               0);
    X509_set_subject_name(out.certificate, subject);
    X509_set_pubkey(out.certificate, out.key);
    if (!issuer) issuer = &self;
    if (issuer == &self) {
        X509_set_issuer_name(out.certificate, subject);
    } else {
        X509_set_issuer_name(out.certificate, X509_get_subject_name(issuer->certificate));
    }
    if (alternative) {
        add_extension(out.certificate, NID_subject_alt_name, alternative);
    } else {
        add_extension(out.certificate, NID_basic_constraints, "critical,CA:TRUE");
    }
    assert_true(X509_sign(out.certificate, issuer->key, EVP_sha256()) > 0);
    X509_NAME_free(subject);
    return out;
}

static inline void free_identity(test_identity *identity) {
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

/* The certificate, and behind it the key when `with_key`; a file with another inode each time. */
static inline void write_identity(const char *path, const test_identity *identity, bool with_key,
                                  const char *password) {
    (void)remove(path);
    BIO *file = BIO_new_file(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_bio_X509(file, identity->certificate), 1);
    if (with_key) {
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
                             file, identity->key, password ? EVP_aes_256_cbc() : NULL, password,
                             password ? (int)strlen(password) : 0, NULL, NULL),
                         1);
    }
    BIO_free(file);
}

/* ---- the server ---- */

static inline SSL_CTX *make_server(const test_identity *identity, const test_identity *client_ca) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_use_certificate(ctx, identity->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, identity->key), 1);
    assert_int_equal(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4), 1);
    if (client_ca) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), client_ca->certificate);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return ctx;
}

static inline SSL *make_server_side(SSL_CTX *ctx) {
    SSL *ssl = SSL_new(ctx);
    assert_non_null(ssl);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl);
    return ssl;
}

/* What the server has to send; the caller frees it. */
static inline base_buf server_output(SSL *ssl) {
    base_buf out = { 0 };
    char    *data = NULL;
    long     len = BIO_get_mem_data(SSL_get_wbio(ssl), &data);
    if (len > 0) base__buf_put(&out, data, (size_t)len);
    (void)BIO_reset(SSL_get_wbio(ssl));
    return out;
}

/* Takes bytes of the client; what was decrypted is appended to *plain. False: the server has refused. */
static inline bool server_input(SSL *ssl, const uint8_t *data, size_t len, base_buf *plain) {
    char   chunk[4096];
    size_t got = 0;
    ERR_clear_error();
    if (len > 0) assert_int_equal(BIO_write(SSL_get_rbio(ssl), data, (int)len), (int)len);
    while (SSL_read_ex(ssl, chunk, sizeof chunk, &got)) base__buf_put(plain, chunk, got);
    int why = SSL_get_error(ssl, 0);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN;
}

#endif
