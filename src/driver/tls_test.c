// SPDX-License-Identifier: MIT
/* TLS in memory: the driver's side against OpenSSL's server side, without a socket. */
#include "testing/memory.h"

#include <stdlib.h>

#include "driver/tls_for_tests.h"

typedef struct fixture {
    test_identity  ca, node, client; /* node: DNS:node.example and 127.0.0.1 */
    SSL_CTX       *server;
    driver_tls    *tls;
    driver_address address;
    /* of the last handshake */
    driver_tls_stream *stream;
    SSL               *side;
    base_buf           plain, at_server;
    bool               established, closed, refused_by_server;
    corm_error         error;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->ca = make_identity("a test CA", NULL, NULL);
    f->node = make_identity("node", "DNS:node.example,IP:127.0.0.1", &f->ca);
    f->client = make_identity("a client", "DNS:client", &f->ca);
    write_identity("ca.pem", &f->ca, false, NULL);
    f->server = make_server(&f->node, NULL);
    (void)snprintf(f->address.text, sizeof f->address.text, "127.0.0.1");
    f->address.port = 9042;
    *state = f;
    return 0;
}

static void end_handshake(fixture *f) {
    driver__tls_end(f->stream);
    SSL_free(f->side);
    f->stream = NULL;
    f->side = NULL;
    base__buf_free(&f->plain);
    base__buf_free(&f->at_server);
}

static int close_fixture(void **state) {
    fixture *f = *state;
    end_handshake(f);
    driver__tls_free(f->tls);
    SSL_CTX_free(f->server);
    free_identity(&f->ca);
    free_identity(&f->node);
    free_identity(&f->client);
    free(f);
    (void)remove("ca.pem");
    (void)remove("client.pem");
    (void)remove("other.pem");
    return 0;
}

static void configure(fixture *f, const corm_tls_options *options) {
    corm_error err;
    driver__tls_free(f->tls);
    f->tls = NULL;
    assert_ok(driver__tls_new(options, &f->tls, &err), err);
}

/* One message of each side after the other until neither has more to say. */
static corm_status talk(fixture *f, const uint8_t *first, size_t first_len) {
    base_buf to_server = { 0 };
    base_buf to_client = { 0 };
    base__buf_put(&to_client, first, first_len);
    corm_status status = CORM_OK;
    do {
        base__buf_clear(&to_server);
        status = driver__tls_read(f->stream, to_client.data, to_client.len, &f->plain, &to_server,
                                  &f->established, &f->closed, &f->error);
        base__buf_free(&to_client);
        if (to_server.len == 0) break;
        testing__memory_pause();
        if (!server_input(f->side, to_server.data, to_server.len, &f->at_server)) {
            f->refused_by_server = true;
        }
        to_client = server_output(f->side);
        testing__memory_resume();
    } while (status == CORM_OK && to_client.len > 0);
    base__buf_free(&to_server);
    base__buf_free(&to_client);
    return status;
}

static corm_status handshake(fixture *f) {
    corm_error err;
    end_handshake(f);
    f->established = f->closed = f->refused_by_server = false;
    corm_status status = driver__tls_begin(f->tls, &f->address, &f->stream, &err);
    f->error = err;
    if (status != CORM_OK) return status;
    testing__memory_pause();
    f->side = make_server_side(f->server);
    testing__memory_resume();
    return talk(f, NULL, 0);
}

static void accepted(fixture *f) {
    assert_ok(handshake(f), f->error);
    assert_true(f->established);
    assert_false(f->refused_by_server);
}

static void refused(fixture *f, const char *part) {
    assert_status(handshake(f), CORM_IO);
    assert_false(f->established);
    if (!strstr(f->error.message, part)) fail_msg("%s", f->error.message);
}

static void send_to_server(fixture *f, const uint8_t *data, size_t len) {
    base_buf out = { 0 };
    assert_ok(driver__tls_write(f->stream, data, len, &out, &f->error), f->error);
    assert_true(server_input(f->side, out.data, out.len, &f->at_server));
    base__buf_free(&out);
}

static void send_to_client(fixture *f, const uint8_t *data, size_t len) {
    size_t written;
    assert_int_equal(SSL_write_ex(f->side, data, len, &written), 1);
    base_buf out = server_output(f->side);
    assert_ok(talk(f, out.data, out.len), f->error);
    base__buf_free(&out);
}

/* ---- bytes ---- */

static void bytes_pass_both_ways(void **state) {
    fixture *f = *state;
    size_t   len = 1000003;
    uint8_t *data = malloc(len);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) data[i] = (uint8_t)(i * 7 >> 2);
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    accepted(f);
    send_to_server(f, data, len);
    assert_int_equal(f->at_server.len, len);
    assert_memory_equal(f->at_server.data, data, len);
    send_to_client(f, data, len);
    assert_int_equal(f->plain.len, len);
    assert_memory_equal(f->plain.data, data, len);
    send_to_server(f, data, 0);
    free(data);
}

static void tls_1_2_is_spoken_where_1_3_is_not(void **state) {
    fixture *f = *state;
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    SSL_CTX_set_max_proto_version(f->server, TLS1_2_VERSION);
    accepted(f);
    assert_string_equal(SSL_get_version(f->side), "TLSv1.2");
    SSL_CTX_set_max_proto_version(f->server, TLS1_3_VERSION);
    accepted(f);
    assert_string_equal(SSL_get_version(f->side), "TLSv1.3");
}

static void tls_1_3_can_be_insisted_on(void **state) {
    fixture *f = *state;
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem", .tls13_only = true });
    accepted(f);
    SSL_CTX_set_max_proto_version(f->server, TLS1_2_VERSION);
    refused(f, "protocol version");
}

static void the_nodes_goodbye_is_heard(void **state) {
    fixture *f = *state;
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    accepted(f);
    (void)SSL_shutdown(f->side);
    base_buf out = server_output(f->side);
    assert_ok(talk(f, out.data, out.len), f->error);
    assert_true(f->closed);
    base__buf_free(&out);
}

static void something_that_is_no_tls_is_refused(void **state) {
    fixture      *f = *state;
    const uint8_t plain[] = { 0x85, 0, 0, 0, 0x06, 0, 0, 0, 0 };
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    assert_ok(driver__tls_begin(f->tls, &f->address, &f->stream, &f->error), f->error);
    f->side = make_server_side(f->server);
    assert_status(talk(f, plain, sizeof plain), CORM_IO);
    assert_non_null(strstr(f->error.message, "wrong version number"));
}

/* ---- who the node is ---- */

static void an_unknown_authority_is_refused(void **state) {
    fixture      *f = *state;
    test_identity other = make_identity("another CA", NULL, NULL);
    write_identity("ca.pem", &other, false, NULL);
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    refused(f, "certificate verify failed: unable to get local issuer certificate");
    assert_true(f->refused_by_server);                    /* the alert reached it */
    configure(f, &(corm_tls_options){ .enabled = true }); /* the system's authorities */
    refused(f, "certificate verify failed: ");
    configure(f, &(corm_tls_options){ .enabled = true, .verify = CORM_TLS_VERIFY_NONE });
    accepted(f);
    free_identity(&other);
}

static void a_self_signed_certificate_is_refused(void **state) {
    fixture      *f = *state;
    test_identity lonely = make_identity("node", "IP:127.0.0.1", NULL);
    SSL_CTX_free(f->server);
    f->server = make_server(&lonely, NULL);
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    refused(f, "certificate verify failed: self-signed certificate");
    free_identity(&lonely);
}

static void set_name(fixture *f, const char *name) {
    (void)snprintf(f->address.name, sizeof f->address.name, "%s", name);
}

static void the_certificate_must_be_of_the_name_or_the_address(void **state) {
    fixture *f = *state;
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    accepted(f);                                                         /* by its address */
    assert_null(SSL_get_servername(f->side, TLSEXT_NAMETYPE_host_name)); /* is no name */
    set_name(f, "node.example");
    accepted(f);
    assert_string_equal(SSL_get_servername(f->side, TLSEXT_NAMETYPE_host_name), "node.example");
    set_name(f, "other.example");
    refused(f, "certificate verify failed: hostname mismatch");
    set_name(f, "");
    (void)snprintf(f->address.text, sizeof f->address.text, "127.0.0.2");
    refused(f, "certificate verify failed: IP address mismatch");
    configure(f, &(corm_tls_options){
                     .enabled = true, .ca_file = "ca.pem", .verify = CORM_TLS_VERIFY_CHAIN });
    accepted(f);
    configure(f, &(corm_tls_options){
                     .enabled = true, .ca_file = "ca.pem", .server_name = "node.example" });
    accepted(f);
    assert_string_equal(SSL_get_servername(f->side, TLSEXT_NAMETYPE_host_name), "node.example");
}

/* ---- who the client is ---- */

static const corm_tls_options with_certificate = { .enabled = true,
                                                   .ca_file = "ca.pem",
                                                   .certificate_file = "client.pem" };

static void require_client(fixture *f) {
    SSL_CTX_free(f->server);
    f->server = make_server(&f->node, &f->ca);
}

static void a_client_shows_its_certificate(void **state) {
    fixture *f = *state;
    require_client(f);
    write_identity("client.pem", &f->client, true, NULL);
    configure(f, &with_certificate);
    accepted(f);
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    assert_status(handshake(f),
                  CORM_IO); /* TLS 1.3: the client is done before the server says no */
    assert_true(f->refused_by_server);
    assert_non_null(strstr(f->error.message, "certificate required"));
}

static corm_status try_key(const char *key, const char *password, corm_error *err) {
    corm_tls_options options = with_certificate;
    driver_tls      *tls = NULL;
    options.key_file = key;
    options.key_password = password;
    corm_status status = driver__tls_new(&options, &tls, err);
    driver__tls_free(tls);
    return status;
}

static void a_key_may_have_a_password(void **state) {
    fixture   *f = *state;
    corm_error err;
    write_identity("client.pem", &f->client, true, "secret");
    assert_ok(try_key(NULL, "secret", &err), err);
    assert_status(try_key(NULL, "Secret", &err), CORM_IO);
    assert_non_null(strstr(err.message, "client.pem"));
    assert_status(try_key(NULL, NULL, &err), CORM_IO); /* and nobody is asked at the terminal */
}

static void files_that_are_missing_or_do_not_fit_are_named(void **state) {
    fixture   *f = *state;
    corm_error err;
    assert_status(try_key(NULL, NULL, &err), CORM_IO);
    assert_non_null(strstr(err.message, "client.pem"));
    assert_non_null(strstr(err.message, "No such file"));
    write_identity("client.pem", &f->client, true, NULL);
    write_identity("other.pem", &f->node, true, NULL);
    assert_status(try_key("other.pem", NULL, &err), CORM_IO);
    assert_non_null(strstr(err.message, "key values mismatch"));
    (void)remove("ca.pem");
    assert_status(try_key(NULL, NULL, &err), CORM_IO);
    assert_non_null(strstr(err.message, "ca.pem"));
}

static void expect_client(fixture *f, const char *name) {
    char  text[64];
    X509 *shown = SSL_get1_peer_certificate(f->side);
    assert_non_null(shown);
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text, sizeof text);
    assert_string_equal(text, name);
    X509_free(shown);
}

static void a_certificate_that_was_renewed_is_read_again(void **state) {
    fixture      *f = *state;
    test_identity renewed = make_identity("a renewed client", "DNS:client", &f->ca);
    require_client(f);
    write_identity("client.pem", &f->client, true, NULL);
    configure(f, &with_certificate);
    accepted(f);
    expect_client(f, "a client");
    write_identity("client.pem", &renewed, true, NULL);
    accepted(f);
    expect_client(f, "a renewed client");
    (void)remove("client.pem");
    assert_status(handshake(f), CORM_IO);
    assert_non_null(strstr(f->error.message, "client.pem"));
    write_identity("client.pem", &f->client, true, NULL);
    accepted(f);
    expect_client(f, "a client");
    free_identity(&renewed);
}

/* ---- resumption ---- */

static void resumes_by_name(fixture *f) {
    set_name(f, "node.example");
    accepted(f);
    assert_false(SSL_session_reused(f->side));
    accepted(f);
    assert_true(SSL_session_reused(f->side));
    accepted(f);
    assert_true(SSL_session_reused(f->side));
    set_name(f, ""); /* verified by its address: another one */
    accepted(f);
    assert_false(SSL_session_reused(f->side));
}

static void a_session_is_resumed_by_name(void **state) {
    fixture *f = *state;
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    resumes_by_name(f);
    SSL_CTX_set_max_proto_version(f->server, TLS1_2_VERSION);
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    resumes_by_name(f);
}

static void a_changed_authority_ends_resumption(void **state) {
    fixture      *f = *state;
    test_identity other = make_identity("another CA", NULL, NULL);
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    accepted(f);
    write_identity("ca.pem", &other, false, NULL);
    refused(f, "certificate verify failed");
    free_identity(&other);
}

static void a_server_that_forgot_the_session_shakes_hands_anew(void **state) {
    fixture *f = *state;
    configure(f, &(corm_tls_options){ .enabled = true, .ca_file = "ca.pem" });
    accepted(f);
    end_handshake(f);
    SSL_CTX_free(f->server);
    f->server = make_server(&f->node, NULL); /* other ticket keys */
    accepted(f);
    assert_false(SSL_session_reused(f->side));
}

/* ---- memory ---- */

/* A handshake and a message, with the server's side unharmed. */
static corm_status live(fixture *f, const corm_tls_options *options) {
    corm_error err;
    base_buf   out = { 0 };
    f->tls = NULL;
    corm_status status = driver__tls_new(options, &f->tls, &err);
    if (status == CORM_OK) status = handshake(f);
    if (status == CORM_OK && f->established) {
        status = driver__tls_write(f->stream, (const uint8_t *)"hello", 5, &out, &err);
    }
    base__buf_free(&out);
    end_handshake(f);
    driver__tls_free(f->tls);
    f->tls = NULL;
    return status;
}

/* Whether memory was short: the driver's, OpenSSL has its own. */
static bool try_with(fixture *f, const corm_tls_options *options, size_t allowed) {
    long before = testing__memory_live();
    testing__memory_fail_from(allowed);
    corm_status status = live(f, options);
    bool        has_failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    if (!has_failed) assert_status(status, CORM_OK);
    if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
    assert_int_equal(testing__memory_live(), before);
    return has_failed;
}

static void every_failure_of_memory_is_survived(void **state) {
    fixture *f = *state;
    if (!testing__memory_can_fail()) skip();
    write_identity("client.pem", &f->client, true, NULL);
    for (int i = 0; i < 2; i++) assert_ok(live(f, &with_certificate), f->error); /* caches */
    for (size_t allowed = 0; try_with(f, &with_certificate, allowed); allowed++) continue;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
static const struct CMUnitTest tests[] = {
    TEST(bytes_pass_both_ways),
    TEST(tls_1_2_is_spoken_where_1_3_is_not),
    TEST(tls_1_3_can_be_insisted_on),
    TEST(the_nodes_goodbye_is_heard),
    TEST(something_that_is_no_tls_is_refused),
    TEST(an_unknown_authority_is_refused),
    TEST(a_self_signed_certificate_is_refused),
    TEST(the_certificate_must_be_of_the_name_or_the_address),
    TEST(a_client_shows_its_certificate),
    TEST(a_key_may_have_a_password),
    TEST(files_that_are_missing_or_do_not_fit_are_named),
    TEST(a_certificate_that_was_renewed_is_read_again),
    TEST(a_session_is_resumed_by_name),
    TEST(a_changed_authority_ends_resumption),
    TEST(a_server_that_forgot_the_session_shakes_hands_anew),
    TEST(every_failure_of_memory_is_survived),
};
RUN_TESTS()
