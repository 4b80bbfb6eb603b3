// SPDX-License-Identifier: MIT
/* certificates.c -- keys on P-256, X.509 certificates of version 3. The test's thread. */
#include "testing/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "testing/check.h"

struct testing_authority {
    EVP_PKEY *key;
    X509     *certificate;
};

enum { HOUR = 3600, DAY = 24 * HOUR };

static void add_extension(X509 *certificate, X509 *issuer, int what, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *begin(EVP_PKEY *key, const char *common_name, int days) {
    X509 *certificate = X509_new();
    long  serial = 0;
    assert_non_null(certificate);
    assert_int_equal(RAND_bytes((unsigned char *)&serial, 4), 1);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), days < 0 ? (long)days * DAY - HOUR : -HOUR);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)days * DAY);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)common_name, -1, -1, 0);
    return certificate;
}

static void write_certificate(X509 *certificate, const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(fclose(file), 0);
}

static void write_key(EVP_PKEY *key, const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

testing_authority *testing__authority_new(const char *name, const char *path) {
    testing_authority *authority = malloc(sizeof *authority);
    assert_non_null(authority);
    authority->key = EVP_EC_gen("P-256");
    assert_non_null(authority->key);
    authority->certificate = begin(authority->key, name, 30);
    X509_set_issuer_name(authority->certificate, X509_get_subject_name(authority->certificate));
    add_extension(authority->certificate, authority->certificate, NID_basic_constraints,
                  "critical,CA:TRUE");
    add_extension(authority->certificate, authority->certificate, NID_key_usage,
                  "critical,keyCertSign,cRLSign");
    assert_true(X509_sign(authority->certificate, authority->key, EVP_sha256()) > 0);
    write_certificate(authority->certificate, path);
    return authority;
}

void testing__authority_free(testing_authority *authority) {
    if (!authority) return;
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
    free(authority);
}

void testing__certificate(const testing_authority *authority, const char *common_name,
                          const char *names, int days, const char *certificate_path,
                          const char *key_path) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    X509 *certificate = begin(key, common_name, days);
    X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate));
    if (names) add_extension(certificate, authority->certificate, NID_subject_alt_name, names);
    assert_true(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
    write_certificate(certificate, certificate_path);
    write_key(key, key_path);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
