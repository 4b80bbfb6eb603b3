// SPDX-License-Identifier: MIT
#include "testing/check.h"
#include "wire/message.h"

#define BYTES(literal)                                                                             \
    (corm_bytes) {                                                                                 \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }
#define TEXT(literal)                                                                              \
    (corm_str) {                                                                                   \
        (literal), sizeof(literal) - 1                                                             \
    }
#define VALUE(literal)                                                                             \
    { (const uint8_t *)(literal), sizeof(literal) - 1 }

struct wire_prepared {
    wire_prepared_id id;
};

static wire_prepared_id id_of(void *context, const wire_prepared *prepared) {
    ++*(int *)context;
    return prepared->id;
}

/* Every test's body, what was read from it, and how often ids were asked for. */
typedef struct fixture {
    base_buf          body;
    base_arena        arena;
    wire_request_read read;
    int               asked;
    corm_error        err;
} fixture;

static void drop(fixture *f) {
    base__buf_free(&f->body);
    base__arena_free(&f->arena);
}

static corm_status put(fixture *f, const wire_request *request, uint8_t version) {
    base__buf_clear(&f->body);
    return wire__put_request(&f->body, request, version, id_of, &f->asked, &f->err);
}

static wire_frame frame_of(const fixture *f, const wire_request *request, uint8_t version) {
    return (wire_frame){ .version = version,
                         .flags = wire__request_flags(request),
                         .opcode = (uint8_t)wire__request_opcode(request),
                         .body = base__buf_bytes(&f->body) };
}

static corm_status read_back(fixture *f, const wire_request *request, uint8_t version) {
    wire_frame frame = frame_of(f, request, version);
    base__arena_reset(&f->arena);
    return wire__request_read(&frame, &f->arena, &f->read, &f->err);
}

static void expect_body(fixture *f, const wire_request *request, uint8_t version, corm_bytes want) {
    assert_ok(put(f, request, version), f->err);
    assert_int_equal(f->body.len, want.len);
    assert_memory_equal(f->body.data, want.data, want.len);
}

/* ---- known bytes ---- */

static void a_plain_query_is_text_consistency_and_flags(void **state) {
    (void)state;
    fixture      f = { 0 };
    wire_request query = { .kind = WIRE_QUERY,
                           .text = TEXT("SELECT"),
                           .options = { .consistency = WIRE_LOCAL_ONE } };
    expect_body(&f, &query, 4, BYTES("\0\0\0\x06SELECT\0\x0A\0"));
    expect_body(&f, &query, 5, BYTES("\0\0\0\x06SELECT\0\x0A\0\0\0\0"));
    assert_int_equal(wire__request_opcode(&query), WIRE_OP_QUERY);
    assert_int_equal(wire__request_flags(&query), 0);
    drop(&f);
}

static void the_parameters_come_in_the_protocol_s_order(void **state) {
    (void)state;
    fixture      f = { 0 };
    cql_value    values[] = { VALUE("ab"), { NULL, -1 }, { NULL, -2 }, VALUE("") };
    wire_request query = { .kind = WIRE_QUERY,
                           .text = TEXT("Q"),
                           .value_count = 4,
                           .values = values,
                           .options = { .consistency = WIRE_QUORUM,
                                        .serial_consistency = WIRE_LOCAL_SERIAL,
                                        .skip_metadata = true,
                                        .has_timestamp = true,
                                        .timestamp = -2,
                                        .has_now = true,
                                        .now_in_seconds = 7,
                                        .page_size = 100,
                                        .paging_state = BYTES("ps"),
                                        .keyspace = TEXT("ks") } };
    expect_body(&f, &query, 4,
                BYTES("\0\0\0\x01Q\0\x04\x3F\0\x04\0\0\0\x02"
                      "ab\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE\0\0\0\0"
                      "\0\0\0\x64\0\0\0\x02ps\0\x09\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE"));
    expect_body(&f, &query, 5,
                BYTES("\0\0\0\x01Q\0\x04\0\0\x01\xBF\0\x04\0\0\0\x02"
                      "ab\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE"
                      "\0\0\0\0\0\0\0\x64\0\0\0\x02ps\0\x09\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE\0\x02ks"
                      "\0\0\0\x07"));
    drop(&f);
}

static void values_may_have_names(void **state) {
    (void)state;
    fixture      f = { 0 };
    cql_value    values[] = { VALUE("1"), VALUE("2") };
    corm_str     names[] = { TEXT("a"), TEXT("bc") };
    wire_request query = {
        .kind = WIRE_QUERY, .text = TEXT("Q"), .value_count = 2, .values = values, .names = names
    };
    expect_body(&f, &query, 4,
                BYTES("\0\0\0\x01Q\0\0\x41\0\x02\0\x01"
                      "a\0\0\0\x01"
                      "1\0\x02"
                      "bc\0\0\0\x01"
                      "2"));
    drop(&f);
}

static void an_execution_carries_the_metadata_s_id_since_v5(void **state) {
    (void)state;
    fixture       f = { 0 };
    cql_value     values[] = { VALUE("1") };
    wire_prepared prepared = { { BYTES("id"), BYTES("meta") } };
    wire_request  execute = {
         .kind = WIRE_EXECUTE, .prepared = &prepared, .value_count = 1, .values = values
    };
    expect_body(&f, &execute, 4,
                BYTES("\0\x02id\0\0\x01\0\x01\0\0\0\x01"
                      "1"));
    expect_body(&f, &execute, 5,
                BYTES("\0\x02id\0\x04meta\0\0\0\0\0\x01\0\x01\0\0\0\x01"
                      "1"));
    execute.metadata_id = BYTES("own");
    expect_body(&f, &execute, 5,
                BYTES("\0\x02id\0\x03own\0\0\0\0\0\x01\0\x01\0\0\0\x01"
                      "1"));
    assert_int_equal(f.asked, 3);
    assert_int_equal(wire__request_opcode(&execute), WIRE_OP_EXECUTE);
    drop(&f);
}

static void a_statement_is_prepared_with_its_keyspace_since_v5(void **state) {
    (void)state;
    fixture      f = { 0 };
    wire_request prepare = { .kind = WIRE_PREPARE, .text = TEXT("Q") };
    expect_body(&f, &prepare, 4, BYTES("\0\0\0\x01Q"));
    expect_body(&f, &prepare, 5, BYTES("\0\0\0\x01Q\0\0\0\0"));
    prepare.options.keyspace = TEXT("ks");
    expect_body(&f, &prepare, 4, BYTES("\0\0\0\x01Q"));
    expect_body(&f, &prepare, 5, BYTES("\0\0\0\x01Q\0\0\0\x01\0\x02ks"));
    assert_int_equal(wire__request_opcode(&prepare), WIRE_OP_PREPARE);
    drop(&f);
}

static void a_batch_holds_texts_and_prepared_statements(void **state) {
    (void)state;
    fixture         f = { 0 };
    cql_value       values[] = { VALUE("1") };
    wire_prepared   prepared = { { BYTES("id"), BYTES("meta") } };
    wire_batch_item items[] = { { .text = TEXT("Q") },
                                { .prepared = &prepared, .value_count = 1, .values = values } };
    wire_request    batch = { .kind = WIRE_BATCH,
                              .batch_kind = 1,
                              .batch_count = 2,
                              .batch = items,
                              .options = { .consistency = WIRE_ONE,
                                           .has_timestamp = true,
                                           .timestamp = 1,
                                           .keyspace = TEXT("ks"),
                                           .page_size = 5,
                                           .skip_metadata = true } };
    expect_body(&f, &batch, 4,
                BYTES("\x01\0\x02\0\0\0\0\x01Q\0\0\x01\0\x02id\0\x01\0\0\0\x01"
                      "1\0\x01\x20\0\0\0\0\0\0\0\x01"));
    expect_body(&f, &batch, 5,
                BYTES("\x01\0\x02\0\0\0\0\x01Q\0\0\x01\0\x02id\0\x01\0\0\0\x01"
                      "1\0\x01\0\0\0\xA0\0\0\0\0\0\0\0\x01"
                      "\0\x02ks"));
    assert_int_equal(wire__request_opcode(&batch), WIRE_OP_BATCH);
    drop(&f);
}

static void a_custom_payload_stands_in_front(void **state) {
    (void)state;
    fixture           f = { 0 };
    wire_payload_item items[] = { { TEXT("k"), VALUE("v") }, { TEXT("n"), { NULL, -1 } } };
    wire_request      prepare = { .kind = WIRE_PREPARE,
                                  .text = TEXT("Q"),
                                  .options = { .payload = items, .payload_count = 2, .tracing = true } };
    assert_int_equal(wire__request_flags(&prepare), WIRE_FLAG_PAYLOAD | WIRE_FLAG_TRACING);
    expect_body(&f, &prepare, 4,
                BYTES("\0\x02\0\x01k\0\0\0\x01v\0\x01n\xFF\xFF\xFF\xFF\0\0\0\x01Q"));
    assert_ok(read_back(&f, &prepare, 4), f.err);
    assert_true(f.read.request.options.tracing);
    assert_int_equal(f.read.request.options.payload_count, 2);
    assert_text(f.read.request.options.payload[0].name, "k");
    assert_int_equal(f.read.request.options.payload[1].value.len, -1);
    assert_status(put(&f, &prepare, 3), CORM_INVALID);
    drop(&f);
}

/* ---- what does not fit ---- */

static void what_the_protocol_cannot_count_is_invalid(void **state) {
    (void)state;
    static char      text[70000];
    static cql_value values[65536];
    fixture          f = { 0 };
    corm_str         names[] = { { text, sizeof text } };
    wire_request     many = {
            .kind = WIRE_QUERY, .text = TEXT("Q"), .value_count = 65536, .values = values
    };
    wire_request name = {
        .kind = WIRE_QUERY, .text = TEXT("Q"), .value_count = 1, .values = values, .names = names
    };
    wire_request  keyspace = { .kind = WIRE_QUERY,
                               .text = TEXT("Q"),
                               .options = { .keyspace = { text, sizeof text } } };
    wire_request  batch = { .kind = WIRE_BATCH, .batch_count = 65536 };
    wire_prepared prepared = { { { (uint8_t *)text, sizeof text }, BYTES("") } };
    wire_request  execute = { .kind = WIRE_EXECUTE, .prepared = &prepared };
    assert_status(put(&f, &many, 5), CORM_INVALID);
    assert_status(put(&f, &name, 5), CORM_INVALID);
    assert_status(put(&f, &keyspace, 5), CORM_INVALID);
    assert_status(put(&f, &batch, 5), CORM_INVALID);
    assert_status(put(&f, &execute, 5), CORM_INVALID);
    many.value_count = 65535;
    assert_ok(put(&f, &many, 5), f.err);
    drop(&f);
}

static void version_3_knows_no_unset_values(void **state) {
    (void)state;
    fixture      f = { 0 };
    cql_value    values[] = { { NULL, -2 } };
    wire_request query = {
        .kind = WIRE_QUERY, .text = TEXT("Q"), .value_count = 1, .values = values
    };
    assert_status(put(&f, &query, 3), CORM_INVALID);
    assert_non_null(strstr(f.err.message, "not set"));
    assert_ok(put(&f, &query, 4), f.err);
    assert_ok(read_back(&f, &query, 4), f.err);
    assert_int_equal(f.read.request.values[0].len, -2);
    assert_ok(read_back(&f, &query, 3), f.err);
    assert_int_equal(f.read.request.values[0].len, -1);
    drop(&f);
}

/* ---- random requests, there and back ---- */

enum { MOST_VALUES = 12, MOST_ITEMS = 8 };

/* A request and all that it borrows. */
typedef struct random_request {
    uint32_t          seed;
    wire_request      request;
    wire_prepared     prepared[MOST_ITEMS];
    wire_batch_item   items[MOST_ITEMS];
    cql_value         values[MOST_ITEMS][MOST_VALUES];
    corm_str          names[MOST_VALUES];
    wire_payload_item payload[3];
} random_request;

static const char letters[] = "SELECT * FROM shop.orders WHERE id = ? AND town = 'Reykjavík' ";

static uint32_t next_random(random_request *r, uint32_t bound) {
    r->seed = r->seed * 1664525 + 1013904223;
    return (r->seed >> 8) % bound;
}

static corm_str random_text(random_request *r, uint32_t most) {
    static char text[200000];
    if (!text[0]) {
        for (size_t i = 0; i < sizeof text; i++) text[i] = letters[i % (sizeof letters - 1)];
    }
    uint32_t len = next_random(r, next_random(r, 50) == 0 ? most : 60);
    return (corm_str){ text + next_random(r, 60), len };
}

static corm_bytes random_bytes(random_request *r, uint32_t most) {
    corm_str text = random_text(r, most);
    return (corm_bytes){ (const uint8_t *)text.data, text.len };
}

static uint32_t random_values(random_request *r, cql_value *values, uint8_t version) {
    uint32_t count = next_random(r, MOST_VALUES + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = next_random(r, 8);
        values[i] = cql__value_of(random_bytes(r, 100000));
        if (kind == 0) values[i] = CQL_NULL;
        if (kind == 1 && version >= 4) values[i] = CQL_UNSET;
    }
    return count;
}

static void random_options(random_request *r, uint8_t version) {
    wire_options *o = &r->request.options;
    o->consistency = (wire_consistency)next_random(r, 11);
    if (next_random(r, 2)) o->serial_consistency = WIRE_SERIAL;
    o->skip_metadata = next_random(r, 2);
    o->has_timestamp = next_random(r, 2);
    if (o->has_timestamp) o->timestamp = (int64_t)next_random(r, 1 << 20) - 1000;
    o->has_now = version >= 5 && next_random(r, 2);
    if (o->has_now) o->now_in_seconds = (int32_t)next_random(r, 1 << 20);
    if (next_random(r, 2)) o->page_size = (int32_t)next_random(r, 10000);
    if (next_random(r, 2)) o->paging_state = random_bytes(r, 300);
    if (version >= 5 && next_random(r, 2)) o->keyspace = random_text(r, 300);
    o->tracing = next_random(r, 2);
    if (version < 4) return;
    o->payload = r->payload;
    o->payload_count = next_random(r, 3);
    for (uint32_t i = 0; i < o->payload_count; i++) {
        r->payload[i] =
            (wire_payload_item){ random_text(r, 300), cql__value_of(random_bytes(r, 300)) };
    }
}

static void random_batch(random_request *r, uint8_t version) {
    r->request.batch_kind = (uint8_t)next_random(r, 3);
    r->request.batch_count = next_random(r, MOST_ITEMS + 1);
    r->request.batch = r->items;
    for (uint32_t i = 0; i < r->request.batch_count; i++) {
        r->items[i] = (wire_batch_item){ .values = r->values[i] };
        if (next_random(r, 2)) {
            r->prepared[i].id.id = random_bytes(r, 300);
            r->items[i].prepared = &r->prepared[i];
        } else {
            r->items[i].text = random_text(r, 100000);
        }
        r->items[i].value_count = random_values(r, r->values[i], version);
    }
}

static void make_random(random_request *r, uint8_t version) {
    uint32_t seed = r->seed;
    *r = (random_request){ .seed = seed };
    r->request.kind = (wire_request_kind)next_random(r, 4);
    random_options(r, version);
    if (r->request.kind == WIRE_BATCH) random_batch(r, version);
    if (r->request.kind == WIRE_BATCH || r->request.kind == WIRE_PREPARE) {
        if (r->request.kind == WIRE_PREPARE) r->request.text = random_text(r, 200);
        return;
    }
    r->request.values = r->values[0];
    r->request.value_count = random_values(r, r->values[0], version);
    if (next_random(r, 4) == 0) {
        for (int i = 0; i < MOST_VALUES; i++) r->names[i] = random_text(r, 300);
        r->request.names = r->names;
    }
    if (r->request.kind == WIRE_QUERY) {
        r->request.text = random_text(r, 150000);
    } else {
        r->prepared[0].id = (wire_prepared_id){ random_bytes(r, 300), random_bytes(r, 300) };
        r->request.prepared = &r->prepared[0];
    }
}

static void same_bytes(corm_bytes a, corm_bytes b) {
    assert_int_equal(a.data != NULL, b.data != NULL);
    assert_int_equal(a.len, b.len);
    if (a.len > 0) assert_memory_equal(a.data, b.data, a.len);
}

static void same_texts(corm_str a, corm_str b) {
    same_bytes((corm_bytes){ (const uint8_t *)a.data, a.len },
               (corm_bytes){ (const uint8_t *)b.data, b.len });
}

static void same_values(const cql_value *a, uint32_t a_count, const cql_value *b,
                        uint32_t b_count) {
    assert_int_equal(a_count, b_count);
    for (uint32_t i = 0; i < a_count; i++) {
        assert_int_equal(a[i].len, b[i].len);
        if (a[i].len > 0) assert_memory_equal(a[i].data, b[i].data, (size_t)a[i].len);
    }
}

static void same_common_options(const wire_options *a, const wire_options *b) {
    assert_int_equal(a->consistency, b->consistency);
    assert_int_equal(a->serial_consistency, b->serial_consistency);
    assert_int_equal(a->has_timestamp, b->has_timestamp);
    assert_int_equal(a->timestamp, b->timestamp);
    assert_int_equal(a->has_now, b->has_now);
    assert_int_equal(a->now_in_seconds, b->now_in_seconds);
    same_texts(a->keyspace, b->keyspace);
}

static void same_payloads(const wire_options *a, const wire_options *b) {
    assert_int_equal(a->tracing, b->tracing);
    assert_int_equal(a->payload_count, b->payload_count);
    for (uint32_t i = 0; i < a->payload_count; i++) {
        same_texts(a->payload[i].name, b->payload[i].name);
        same_values(&a->payload[i].value, 1, &b->payload[i].value, 1);
    }
}

static void same_parameters(const wire_request *a, const wire_request *b) {
    same_common_options(&a->options, &b->options);
    assert_int_equal(a->options.skip_metadata, b->options.skip_metadata);
    assert_int_equal(a->options.page_size, b->options.page_size);
    same_bytes(a->options.paging_state, b->options.paging_state);
    same_values(a->values, a->value_count, b->values, b->value_count);
    assert_int_equal(a->names && a->value_count, b->names != NULL);
    for (uint32_t i = 0; b->names && i < b->value_count; i++) same_texts(a->names[i], b->names[i]);
}

static void same_batches(const wire_request *a, const wire_request_read *read) {
    const wire_request *b = &read->request;
    assert_int_equal(a->batch_kind, b->batch_kind);
    assert_int_equal(a->batch_count, b->batch_count);
    for (uint32_t i = 0; i < a->batch_count; i++) {
        same_texts(a->batch[i].text, b->batch[i].text);
        if (a->batch[i].prepared) same_bytes(a->batch[i].prepared->id.id, read->ids[i].id);
        if (!a->batch[i].prepared) assert_null(read->ids[i].id.data);
        same_values(a->batch[i].values, a->batch[i].value_count, b->batch[i].values,
                    b->batch[i].value_count);
    }
    same_common_options(&a->options, &b->options);
}

static void same_requests(const wire_request *a, const wire_request_read *read, uint8_t version) {
    assert_int_equal(a->kind, read->request.kind);
    same_payloads(&a->options, &read->request.options);
    if (a->kind == WIRE_BATCH) {
        same_batches(a, read);
        return;
    }
    same_texts(a->text, read->request.text);
    if (a->kind == WIRE_PREPARE) {
        same_texts(a->options.keyspace, read->request.options.keyspace);
        return;
    }
    same_parameters(a, &read->request);
    if (a->kind != WIRE_EXECUTE) return;
    same_bytes(a->prepared->id.id, read->prepared_id.id);
    if (version >= 5) same_bytes(a->prepared->id.metadata_id, read->prepared_id.metadata_id);
}

static void every_request_reads_back_in_every_version(void **state) {
    (void)state;
    fixture        f = { 0 };
    random_request r = { .seed = 1 };
    for (int round = 0; round < 3000; round++) {
        uint8_t version = (uint8_t)(3 + round % 3);
        make_random(&r, version);
        assert_ok(put(&f, &r.request, version), f.err);
        assert_ok(read_back(&f, &r.request, version), f.err);
        same_requests(&r.request, &f.read, version);
    }
    drop(&f);
}

/* ---- the same over a connection ---- */

static const struct {
    uint8_t          version;
    bool             segmented;
    wire_compression compression;
} forms[] = { { 3, false, WIRE_PLAIN }, { 3, false, WIRE_LZ4 },    { 4, false, WIRE_PLAIN },
              { 4, false, WIRE_LZ4 },   { 4, false, WIRE_SNAPPY }, { 5, true, WIRE_PLAIN },
              { 5, true, WIRE_LZ4 } };

enum { FORMS = sizeof forms / sizeof *forms, PIPELINED = 40 };

static void set_up(wire_encoder *encoder, wire_decoder *decoder, size_t form) {
    wire__encoder_init(encoder, forms[form].version, false);
    wire__decoder_init(decoder, 16 << 20);
    if (forms[form].segmented) {
        wire__encoder_segments(encoder, forms[form].compression);
        wire__decoder_segments(decoder, forms[form].compression);
    } else {
        wire__encoder_compression(encoder, forms[form].compression);
        wire__decoder_compression(decoder, forms[form].compression);
    }
}

/* Sends requests made from seeds 100 up, one a stream. */
static void send_requests(fixture *f, wire_encoder *encoder, base_buf *bytes, uint8_t version) {
    for (int i = 0; i < PIPELINED; i++) {
        random_request r = { .seed = 100 + (uint32_t)i };
        make_random(&r, version);
        base_buf *body = wire__encoder_begin(encoder, wire__request_flags(&r.request), (int16_t)i,
                                             wire__request_opcode(&r.request));
        assert_ok(wire__put_request(body, &r.request, version, id_of, &f->asked, &f->err), f->err);
        assert_ok(wire__encoder_end(encoder, &f->err), f->err);
    }
    assert_ok(wire__encoder_take(encoder, bytes, &f->err), f->err);
}

static void check_arrived(fixture *f, const wire_frame *frame) {
    random_request r = { .seed = 100 + (uint32_t)frame->stream };
    make_random(&r, frame->version);
    base__arena_reset(&f->arena);
    assert_ok(wire__request_read(frame, &f->arena, &f->read, &f->err), f->err);
    same_requests(&r.request, &f->read, frame->version);
}

static void pipelined_requests_arrive_in_every_form_of_a_connection(void **state) {
    (void)state;
    for (size_t form = 0; form < FORMS; form++) {
        fixture      f = { 0 };
        base_buf     bytes = { 0 };
        wire_encoder encoder;
        wire_decoder decoder;
        int16_t      arrived = 0;
        set_up(&encoder, &decoder, form);
        send_requests(&f, &encoder, &bytes, forms[form].version);
        for (size_t at = 0, len = 1; at < bytes.len; at += len, len = at * 7 % 3001 + 1) {
            wire_frame frame;
            bool       got = true;
            if (len > bytes.len - at) len = bytes.len - at;
            wire__decoder_feed(&decoder, bytes.data + at, len);
            while (got) {
                assert_ok(wire__decoder_next(&decoder, &frame, &got, &f.err), f.err);
                if (!got) break;
                assert_int_equal(frame.stream, arrived++);
                check_arrived(&f, &frame);
            }
        }
        assert_int_equal(arrived, PIPELINED);
        base__buf_free(&bytes);
        wire__encoder_free(&encoder);
        wire__decoder_free(&decoder);
        drop(&f);
    }
}

/* ---- damage ---- */

/* Whether the reader takes the bytes does not matter; it must not read outside them or take much memory. */
static void cut_and_changed_requests_do_no_harm(void **state) {
    (void)state;
    fixture        f = { 0 };
    random_request r = { .seed = 77 };
    for (int round = 0; round < 300; round++) {
        uint8_t version = (uint8_t)(3 + round % 3);
        make_random(&r, version);
        assert_ok(put(&f, &r.request, version), f.err);
        wire_frame frame = frame_of(&f, &r.request, version);
        if (frame.body.len > 3000) continue;
        for (size_t cut = 0; cut < frame.body.len; cut += 1 + frame.body.len / 40) {
            uint8_t *copy = base__arena_copy(&f.arena, frame.body.data, cut);
            frame.body = (corm_bytes){ copy, cut };
            (void)!wire__request_read(&frame, &f.arena, &f.read, NULL);
            frame.body = base__buf_bytes(&f.body);
            size_t at = next_random(&r, (uint32_t)frame.body.len);
            f.body.data[at] ^= (uint8_t)(1 + next_random(&r, 255));
            (void)!wire__request_read(&frame, &f.arena, &f.read, NULL);
        }
        assert_true(f.arena.total < 4 << 20);
        base__arena_free(&f.arena);
    }
    drop(&f);
}

static void refuse(uint8_t version, uint8_t opcode, corm_bytes body) {
    fixture    f = { 0 };
    wire_frame frame = { .version = version, .opcode = opcode, .body = body };
    assert_status(wire__request_read(&frame, &f.arena, &f.read, &f.err), CORM_PROTOCOL_ERROR);
    assert_true(f.arena.total < 10000);
    drop(&f);
}

static void requests_that_are_none_are_refused(void **state) {
    (void)state;
    refuse(4, WIRE_OP_BATCH, BYTES("\x03\0\0\0\x01\0"));
    refuse(5, WIRE_OP_BATCH, BYTES("\x43\0\0\0\x01\0\0\0\0"));
    refuse(5, WIRE_OP_QUERY, BYTES("\0\0\0\x05SELE"));
    refuse(5, WIRE_OP_QUERY, BYTES("\0\0\0\x01Q\0\x01\0\0\0\x01\xFF\xFF"));
    refuse(4, WIRE_OP_QUERY, BYTES("\0\0\0\x01Q\0\x01\x01\0\x01\xFF\xFF\xFF\xFD"));
    refuse(4, WIRE_OP_EXECUTE, BYTES("\0\x05id"));
    refuse(4, WIRE_OP_PREPARE, BYTES("\xFF\xFF\xFF\xFFQ"));
    refuse(4, WIRE_OP_BATCH, BYTES("\0\xFF\xFF"));
    refuse(4, WIRE_OP_BATCH, BYTES("\0\0\x01\x02\0\0\0\0\0\0\0\0"));
    refuse(4, WIRE_OP_OPTIONS, BYTES(""));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_plain_query_is_text_consistency_and_flags),
    cmocka_unit_test(the_parameters_come_in_the_protocol_s_order),
    cmocka_unit_test(values_may_have_names),
    cmocka_unit_test(an_execution_carries_the_metadata_s_id_since_v5),
    cmocka_unit_test(a_statement_is_prepared_with_its_keyspace_since_v5),
    cmocka_unit_test(a_batch_holds_texts_and_prepared_statements),
    cmocka_unit_test(a_custom_payload_stands_in_front),
    cmocka_unit_test(what_the_protocol_cannot_count_is_invalid),
    cmocka_unit_test(version_3_knows_no_unset_values),
    cmocka_unit_test(every_request_reads_back_in_every_version),
    cmocka_unit_test(pipelined_requests_arrive_in_every_form_of_a_connection),
    cmocka_unit_test(cut_and_changed_requests_do_no_harm),
    cmocka_unit_test(requests_that_are_none_are_refused),
};

RUN_TESTS()
