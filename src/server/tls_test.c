// SPDX-License-Identifier: MIT
/* TLS: Corm's own driver, and OpenSSL's client where details matter. Certificates are made on the spot. */
#include <openssl/pem.h>

#include "server/client_for_tests.h"
#include "testing/certificates.h"
#include "tls/tls.h"

/* In the directory that the test runs in: an authority, a node and a client of it, and a client of another one. */
static int make_certificates(void **state) {
    testing_authority *ours = testing__authority_new("ours", "ca.pem");
    testing_authority *theirs = testing__authority_new("theirs", "other-ca.pem");
    (void)state;
    testing__certificate(ours, "node", "DNS:localhost,IP:127.0.0.1", 10, "node.pem", "node.key");
    testing__certificate(ours, "client", NULL, 10, "client.pem", "client.key");
    testing__certificate(theirs, "client", NULL, 10, "stranger.pem", "stranger.key");
    testing__authority_free(ours);
    testing__authority_free(theirs);
    return 0;
}

static served serve_tls(corm_server_options options) {
    options.tls_certificate_file = "node.pem";
    options.tls_key_file = "node.key";
    return serve_with(options);
}

/* The session's settings come behind the server's own URI. */
static corm_status try_session(const served *all, const char *settings) {
    char          uri[400];
    corm_session *session = NULL;
    corm_result  *result = NULL;
    snprintf(uri, sizeof uri, "cassandra://127.0.0.1:%u?%s", corm_server_port(all->server),
             settings);
    corm_status status = corm_session_open(&session, uri, NULL, &err);
    if (status != CORM_OK) return status;
    status =
        corm_execute(session, "SELECT * FROM system_schema.columns", &result, { .error = &err });
    corm_result_free(result);
    corm_session_close(session);
    return status;
}

/* ---- the driver ---- */

static void the_own_driver_reads_and_writes(void **state) {
    (void)state;
    served        all = serve_tls((corm_server_options){ 0 });
    corm_session *session;
    char          uri[200];
    snprintf(uri, sizeof uri, "%s&tls_ca=ca.pem", corm_server_uri(all.server));
    assert_ok(corm_session_open(&session, uri, NULL, &err), err);
    assert_ok(corm_execute(session,
                           "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', "
                           "'replication_factor': 1}",
                           NULL, { .error = &err }),
              err);
    assert_ok(corm_execute(session, "CREATE TABLE k.t (a int PRIMARY KEY, b text)", NULL,
                           { .error = &err }),
              err);
    for (int i = 0; i < 200; i++) {
        char text[80];
        snprintf(text, sizeof text, "INSERT INTO k.t (a, b) VALUES (%d, 'x')", i);
        assert_ok(corm_execute(session, text, NULL, { .error = &err }), err);
    }
    corm_result *result;
    int          rows = 0;
    assert_ok(corm_execute(session, "SELECT * FROM k.t", &result, { .error = &err }), err);
    while (corm_result_next(result)) rows++;
    assert_int_equal(rows, 200);
    corm_result_free(result);
    corm_session_close(session);
    stop(&all);
}

static void both_versions_are_spoken(void **state) {
    (void)state;
    served all = serve_tls((corm_server_options){ 0 });
    assert_ok(try_session(&all, "tls=true&tls_ca=ca.pem"), err);
    assert_ok(try_session(&all, "tls=true&tls_ca=ca.pem&tls13_only=true"), err);
    assert_ok(try_session(&all, "tls=true&tls_ca=ca.pem&protocol_version=4&compression=lz4"), err);
    stop(&all);
}

static void a_client_that_does_not_trust_the_server_goes(void **state) {
    (void)state;
    served all = serve_tls((corm_server_options){ 0 });
    assert_true(try_session(&all, "tls=true&tls_ca=other-ca.pem") != CORM_OK);
    assert_non_null(strstr(err.message, "certificate verify failed"));
    assert_ok(try_session(&all, "tls=true&tls_ca=ca.pem"), err);
    stop(&all);
}

static void certificates_of_clients_are_asked_for(void **state) {
    (void)state;
    served all = serve_tls((corm_server_options){ .tls_client_ca_file = "ca.pem" });
    assert_ok(try_session(&all, "tls=true&tls_ca=ca.pem&tls_cert=client.pem&tls_key=client.key"),
              err);
    assert_true(try_session(&all, "tls=true&tls_ca=ca.pem") != CORM_OK);
    assert_true(
        try_session(&all, "tls=true&tls_ca=ca.pem&tls_cert=stranger.pem&tls_key=stranger.key") !=
        CORM_OK);
    assert_true(stats_of(&all).refused > 0);
    stop(&all);
}

/* ---- who speaks otherwise ---- */

static void a_plain_client_is_told_to_use_tls(void **state) {
    (void)state;
    served all = serve_tls((corm_server_options){ 0 });
    for (uint8_t version = 3; version <= 5; version++) {
        client *c = client_new(&all, version);
        ask(c, WIRE_OP_OPTIONS, NULL);
        assert_int_equal(c->frame.version, version);
        expect_refusal(&c->frame, CORM_PROTOCOL_ERROR, "encrypted connections only (TLS)");
        expect_end(c);
        client_free(c);
    }
    assert_int_equal(stats_of(&all).refused, 3);
    stop(&all);
}

static SSL *dial_openssl(const served *all, SSL_CTX *ctx, client **c) {
    SSL *ssl = SSL_new(ctx);
    *c = client_new(all, 4);
    assert_non_null(ssl);
    SSL_set_fd(ssl, (*c)->fd);
    return ssl;
}

static void a_tls_client_at_a_plain_port_is_told_in_an_alert(void **state) {
    (void)state;
    client  *c;
    served   all = serve();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL     *ssl = dial_openssl(&all, ctx, &c);
    assert_true(SSL_connect(ssl) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    client_free(c);
    assert_true(try_session(&all, "tls=true&tls_ca=ca.pem") != CORM_OK);
    stop(&all);
}

static void older_versions_are_refused(void **state) {
    (void)state;
    client  *c;
    served   all = serve_tls((corm_server_options){ 0 });
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    SSL *ssl = dial_openssl(&all, ctx, &c);
    assert_true(SSL_connect(ssl) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    client_free(c);
    stop(&all);
}

/* The last thing that a client hears is that nothing more comes, so that it knows that nothing was cut off. */
static void the_end_is_announced(void **state) {
    (void)state;
    char     byte;
    client  *c;
    served   all = serve_tls((corm_server_options){ 0 });
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL     *ssl = dial_openssl(&all, ctx, &c);
    assert_int_equal(SSL_connect(ssl), 1);
    static const uint8_t options[] = { 4, 0, 0, 1, WIRE_OP_OPTIONS, 0, 0, 0, 0 };
    assert_int_equal(SSL_write(ssl, options, sizeof options), sizeof options);
    assert_int_equal(SSL_read(ssl, &byte, 1), 1);
    corm_server_stop(all.server);
    while (SSL_read(ssl, &byte, 1) == 1) continue;
    assert_int_equal(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    client_free(c);
    corm_session_close(all.session);
}

/* Bytes that are no TLS behind a first one that looks like it; and one who begins a handshake and goes. */
static void noise_ends_only_its_own_connection(void **state) {
    (void)state;
    uint8_t noise[300] = { 0x16, 3, 1, 0, 200 };
    served  all = serve_tls((corm_server_options){ 0 });
    for (size_t i = 5; i < sizeof noise; i++) noise[i] = (uint8_t)(i * 7);
    for (int round = 0; round < 20; round++) {
        client *c = client_new(&all, 4);
        send_bytes(c, noise, round % 2 ? sizeof noise : 3);
        if (round % 2) {
            char byte;
            while (recv(c->fd, &byte, 1, 0) > 0) continue;
        }
        client_free(c);
    }
    assert_ok(try_session(&all, "tls=true&tls_ca=ca.pem"), err);
    stop(&all);
}

/* ---- files ---- */

static corm_status try_files(const char *certificate, const char *key, const char *ca) {
    corm_session       *session;
    corm_server        *server = NULL;
    corm_server_options options = { .port = CORM_ANY_PORT,
                                    .tls_certificate_file = certificate,
                                    .tls_key_file = key,
                                    .tls_client_ca_file = ca };
    assert_ok(corm_session_open(&session, "corm::memory:", NULL, &err), err);
    corm_status status = corm_server_start(&server, session, &options, &err);
    corm_server_stop(server);
    corm_session_close(session);
    return status;
}

static void files_that_cannot_be_used_are_named(void **state) {
    (void)state;
    assert_status(try_files("node.pem", "node.key", "ca.pem"), CORM_OK);
    assert_status(try_files("nowhere.pem", "node.key", NULL), CORM_IO);
    assert_non_null(strstr(err.message, "nowhere.pem"));
    assert_status(try_files("node.pem", "client.key", NULL), CORM_IO);
    assert_non_null(strstr(err.message, "client.key"));
    assert_status(try_files("node.pem", "node.key", "node.key"), CORM_IO);
    assert_non_null(strstr(err.message, "node.key"));
    assert_status(try_files(NULL, "node.key", NULL), CORM_INVALID_ARGUMENT);
    assert_status(try_files(NULL, NULL, "ca.pem"), CORM_INVALID_ARGUMENT);
}

/* The same key behind a password. */
static void lock_key(const char *from, const char *to, const char *password) {
    FILE     *in = fopen(from, "r"), *out = fopen(to, "w");
    EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    assert_non_null(key);
    assert_int_equal(PEM_write_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), password,
                                               (int)strlen(password), NULL, NULL),
                     1);
    EVP_PKEY_free(key);
    fclose(in);
    fclose(out);
}

static void a_key_may_have_a_password(void **state) {
    (void)state;
    corm_server        *server = NULL;
    corm_server_options options = { .port = CORM_ANY_PORT,
                                    .tls_certificate_file = "node.pem",
                                    .tls_key_file = "locked.key",
                                    .tls_key_password = "open" };
    served              all = serve();
    lock_key("node.key", "locked.key", "open");
    assert_ok(corm_server_start(&server, all.session, &options, &err), err);
    corm_server_stop(server);
    options.tls_key_password = "wrong";
    assert_status(corm_server_start(&server, all.session, &options, &err), CORM_IO);
    assert_non_null(strstr(err.message, "locked.key"));
    options.tls_key_password = NULL;
    assert_status(corm_server_start(&server, all.session, &options, &err), CORM_IO);
    stop(&all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_own_driver_reads_and_writes),
    cmocka_unit_test(both_versions_are_spoken),
    cmocka_unit_test(a_client_that_does_not_trust_the_server_goes),
    cmocka_unit_test(certificates_of_clients_are_asked_for),
    cmocka_unit_test(a_plain_client_is_told_to_use_tls),
    cmocka_unit_test(a_tls_client_at_a_plain_port_is_told_in_an_alert),
    cmocka_unit_test(older_versions_are_refused),
    cmocka_unit_test(the_end_is_announced),
    cmocka_unit_test(noise_ends_only_its_own_connection),
    cmocka_unit_test(files_that_cannot_be_used_are_named),
    cmocka_unit_test(a_key_may_have_a_password),
};

int main(void) {
    return cmocka_run_group_tests(tests, make_certificates, NULL);
}
