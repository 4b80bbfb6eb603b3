// SPDX-License-Identifier: MIT
/* What is no session at all, and sessions with a few bytes changed: the server answers or closes, and goes on. */
#include "server/client_for_tests.h"

enum { ROUNDS = 1000, FEW_ROUNDS = 100 };

static uint64_t seed = 1;

/* xorshift64* */
static uint32_t next_random(void) {
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)(seed * UINT64_C(2685821657736338717) >> 32);
}

/* Reads until the server has nothing to say or closes: its answers are looked at by nobody. */
static void close_after_all_is_said(client *c) {
    uint8_t room[4096];
    shutdown(c->fd, SHUT_WR);
    while (recv(c->fd, room, sizeof room, 0) > 0) continue;
    client_free(c);
}

static void expect_life(const served *all) {
    client *c = dial(all, 5);
    run(c, "SELECT key FROM system.local");
    client_free(c);
}

static void random_bytes_do_no_harm(void **state) {
    (void)state;
    served all = serve();
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t bytes[2000];
        size_t  len = 1 + next_random() % sizeof bytes;
        client *c = client_new(&all, 4);
        for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)next_random();
        if (next_random() % 2) bytes[0] = (uint8_t)(3 + next_random() % 3);
        if (next_random() % 2) memset(bytes + (len > 9 ? 5 : 0), 0, len > 9 ? 3 : 0);
        send_bytes(c, bytes, len);
        close_after_all_is_said(c);
        if (round % 100 == 0) expect_life(&all);
    }
    expect_life(&all);
    stop(&all);
}

/* ---- sessions that were real ---- */

static void put_startup(client *c, const char *compression) {
    wire_pair pairs[] = { { corm_str_of("CQL_VERSION"), corm_str_of("3.0.0") },
                          { corm_str_of("COMPRESSION"), corm_str_of(compression) } };
    base_buf  body = { 0 };
    wire__put_startup(&body, pairs, compression ? 2 : 1);
    put_message(c, 1, WIRE_OP_STARTUP, &body);
    base__buf_free(&body);
}

static void put_session(client *c, const char *compression, wire_compression kind) {
    static const char *const texts[] = {
        "SELECT * FROM system.local",
        "USE k",
        "INSERT INTO k.t (a, b) VALUES (77, 'a text that is somewhat longer than the others are')",
        "SELECT * FROM k.t WHERE a = 1",
        "CREATE TABLE IF NOT EXISTS k.u (a int PRIMARY KEY)",
        "UPDATE k.t SET b = 'y' WHERE a = 1 IF EXISTS",
    };
    uint8_t         key[] = { 0, 0, 0, 1 };
    cql_value       value = { key, 4 };
    wire_batch_item items[] = { { .text = corm_str_of("DELETE FROM k.t WHERE a = 3") },
                                { .value_count = 1, .values = &value } };
    wire_request    batch = { .kind = WIRE_BATCH, .batch_count = 2, .batch = items };
    wire_request    execute = { .kind = WIRE_EXECUTE, .value_count = 1, .values = &value };
    wire_request    prepare_it = { .kind = WIRE_PREPARE,
                                   .text = corm_str_of("SELECT * FROM k.t WHERE a = ?") };
    corm_str        names[] = { corm_str_of("SCHEMA_CHANGE") };
    base_buf        body = { 0 };
    put_message(c, 0, WIRE_OP_OPTIONS, NULL);
    put_startup(c, compression);
    switch_form(c, kind);
    wire__put_string_list(&body, names, 1);
    put_message(c, 2, WIRE_OP_REGISTER, &body);
    for (int16_t i = 0; i < (int16_t)(sizeof texts / sizeof *texts); i++) {
        wire_request request = query(texts[i]);
        put_request(c, (int16_t)(3 + i), &request);
    }
    put_request(c, 20, &prepare_it);
    put_request(c, 21, &execute);
    put_request(c, 22, &batch);
    base__buf_free(&body);
}

/* Changes, removes or doubles some bytes; most often in the headers, which are at the front. */
static void mutate(base_buf *bytes) {
    uint32_t changes = 1 + next_random() % 4;
    for (uint32_t i = 0; i < changes; i++) {
        size_t at = next_random() % bytes->len;
        switch (next_random() % 4) {
        case 0: bytes->data[at] ^= (uint8_t)(1u << next_random() % 8); break;
        case 1: bytes->data[at] = (uint8_t)next_random(); break;
        case 2: bytes->len = at + 1; break;
        default:
            memmove(bytes->data + at, bytes->data + at + 1, bytes->len - at - 1);
            if (bytes->len > 1) bytes->len--;
        }
    }
}

static void store_little(uint8_t *at, uint32_t value, size_t len) {
    for (size_t i = 0; i < len; i++) at[i] = (uint8_t)(value >> 8 * i);
}

/* Makes the checksums of v5's segments right again, so that what was changed inside them is read. */
static void mend(base_buf *bytes, size_t header) {
    size_t at = 0;
    for (int i = 0; i < 2 && at + 9 <= bytes->len; i++) /* OPTIONS and STARTUP have none */
        at += 9 + (size_t)base__load_u32(bytes->data + at + 5);
    while (at + header + 3 <= bytes->len) {
        uint8_t *segment = bytes->data + at, *payload = segment + header + 3;
        size_t   len =
            (segment[0] | (size_t)segment[1] << 8 | (size_t)segment[2] << 16) & WIRE_SEGMENT_MAX;
        if (at + header + 3 + len + 4 > bytes->len) return;
        store_little(segment + header, wire__crc24(segment, header), 3);
        store_little(payload + len, wire__crc32(payload, len), 4);
        at += header + 3 + len + 4;
    }
}

static void send_in_pieces(client *c, const base_buf *bytes) {
    size_t at = 0;
    while (at < bytes->len) {
        size_t left = bytes->len - at, len = 1 + next_random() % left;
        if (!send_bytes(c, bytes->data + at, len)) return;
        at += len;
    }
}

static void changed_sessions_do_no_harm(void **state) {
    (void)state;
    static const struct {
        uint8_t          version;
        const char      *name;
        wire_compression kind;
    } forms[] = { { 3, NULL, WIRE_PLAIN },      { 4, NULL, WIRE_PLAIN }, { 4, "lz4", WIRE_LZ4 },
                  { 4, "snappy", WIRE_SNAPPY }, { 5, NULL, WIRE_PLAIN }, { 5, "lz4", WIRE_LZ4 } };
    enum { FORMS = sizeof forms / sizeof *forms };
    base_arena arena = { 0 };
    served     all = serve();
    client    *first = dial(&all, 4);
    make_table(first);
    prepare(first, "DELETE FROM k.t WHERE a = ?", &arena);
    /* The first of each form stay as they are. */
    for (int round = 0; round < FORMS + ROUNDS; round++) {
        base_buf         bytes = { 0 };
        uint8_t          version = forms[round % FORMS].version;
        wire_compression kind = forms[round % FORMS].kind;
        client          *c = client_new(&all, version);
        put_session(c, forms[round % FORMS].name, kind);
        assert_ok(wire__encoder_take(&c->encoder, &bytes, &err), err);
        if (round >= FORMS) mutate(&bytes);
        if (version == 5 && next_random() % 2) mend(&bytes, kind == WIRE_LZ4 ? 5 : 3);
        send_in_pieces(c, &bytes);
        base__buf_free(&bytes);
        close_after_all_is_said(c);
        if (round % 100 == 0) expect_life(&all);
    }
    run(first, "SELECT * FROM k.t");
    base__arena_free(&arena);
    client_free(first);
    stop(&all);
}

static void clients_that_reset_do_no_harm(void **state) {
    (void)state;
    served all = serve();
    given_id = (wire_prepared_id){ .id = { (const uint8_t *)"not known to it ", 16 } };
    for (int round = 0; round < FEW_ROUNDS; round++) {
        struct linger reset = { 1, 0 };
        client       *c = client_new(&all, 5);
        put_session(c, NULL, WIRE_PLAIN);
        send_all(c);
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        client_free(c);
    }
    expect_life(&all);
    stop(&all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(random_bytes_do_no_harm),
    cmocka_unit_test(changed_sessions_do_no_harm),
    cmocka_unit_test(clients_that_reset_do_no_harm),
};

RUN_TESTS()
