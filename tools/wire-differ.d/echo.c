// SPDX-License-Identifier: MIT
//
// echo.c -- the protocol's other end for tools/wire-differ: reads a connection's bytes from stdin, takes requests apart, and
// writes them again in the same form to stdout. One thread.
//
//   echo FORM VERSION SLICE   FORM as below; SLICE bytes are fed at once
//   echo errors VERSION       writes an ERROR of every code, with numbers that tell their places
#include <stdio.h>
#include <stdlib.h>

#include "wire/message.h"

enum { MAX_BODY = 64 << 20 };

struct wire_prepared {
    wire_prepared_id id;
};

static const struct {
    const char      *name;
    bool             segmented;
    wire_compression compression;
} forms[] = { { "plain", false, WIRE_PLAIN },
              { "lz4", false, WIRE_LZ4 },
              { "snappy", false, WIRE_SNAPPY },
              { "segments", true, WIRE_PLAIN },
              { "segments-lz4", true, WIRE_LZ4 } };

static void check(corm_status status, const corm_error *err) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s\n", corm_status_name(status), err->message);
    exit(1);
}

static wire_prepared_id id_of(void *context, const wire_prepared *prepared) {
    (void)context;
    return prepared->id;
}

/* The batch's items with statements where ids were read. */
static const wire_batch_item *items_of(const wire_request_read *read, base_arena *arena) {
    uint32_t         count = read->request.batch_count;
    wire_batch_item *items = BASE_NEW_ARRAY(arena, wire_batch_item, count);
    wire_prepared   *prepared = BASE_NEW_ARRAY(arena, wire_prepared, count);
    if (!items || !prepared) exit(1);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = read->request.batch[i];
        prepared[i].id = read->ids[i];
        items[i].prepared = &prepared[i];
    }
    return items;
}

static void put_again(const wire_frame *frame, base_buf *body) {
    base_arena        arena = { 0 };
    corm_error        err;
    wire_request_read read;
    check(wire__request_read(frame, &arena, &read, &err), &err);
    wire_prepared prepared = { read.prepared_id };
    wire_request  request = read.request;
    request.prepared = &prepared;
    if (request.kind == WIRE_BATCH) request.batch = items_of(&read, &arena);
    check(wire__put_request(body, &request, frame->version, id_of, NULL, &err), &err);
    base__arena_free(&arena);
}

static void echo(wire_encoder *encoder, const wire_frame *frame) {
    corm_error err;
    uint8_t    flags = frame->flags & (uint8_t)~WIRE_FLAG_COMPRESSED;
    base_buf  *body = wire__encoder_begin(encoder, flags, frame->stream, frame->opcode);
    switch (frame->opcode) {
    case WIRE_OP_QUERY:
    case WIRE_OP_PREPARE:
    case WIRE_OP_EXECUTE:
    case WIRE_OP_BATCH: put_again(frame, body); break;
    default: base__buf_put(body, frame->body.data, frame->body.len);
    }
    check(wire__encoder_end(encoder, &err), &err);
}

static void read_all(base_buf *in) {
    size_t got = 0;
    do {
        if (!base__buf_reserve(in, 1 << 20)) exit(1);
        got = fread(in->data + in->len, 1, 1 << 20, stdin);
        in->len += got;
    } while (got > 0);
}

static void flush(wire_encoder *encoder) {
    base_buf   out = { 0 };
    corm_error err;
    check(wire__encoder_take(encoder, &out, &err), &err);
    if (fwrite(out.data, 1, out.len, stdout) != out.len) exit(1);
    base__buf_free(&out);
}

static void echo_all(wire_encoder *encoder, wire_decoder *decoder, size_t slice) {
    corm_error err;
    base_buf   in = { 0 };
    read_all(&in);
    for (size_t at = 0; at < in.len; at += slice) {
        bool got = true;
        wire__decoder_feed(decoder, in.data + at, slice < in.len - at ? slice : in.len - at);
        while (got) {
            wire_frame frame;
            check(wire__decoder_next(decoder, &frame, &got, &err), &err);
            if (got) echo(encoder, &frame);
        }
    }
    flush(encoder);
    base__buf_free(&in);
}

static void put_errors(uint8_t version) {
    static const int32_t codes[] = { 0x0000, 0x000A, 0x0100, 0x1000, 0x1001, 0x1002, 0x1003,
                                     0x1100, 0x1200, 0x1300, 0x1400, 0x1500, 0x1600, 0x1700,
                                     0x2000, 0x2100, 0x2200, 0x2300, 0x2400, 0x2500 };
    wire_encoder         encoder;
    corm_error           err;
    wire__encoder_init(&encoder, version, true);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        wire_error error = { .code = codes[i],
                             .message = corm_str_of("a message"),
                             .consistency = WIRE_QUORUM,
                             .received = 1,
                             .required = 2,
                             .failures = 3,
                             .data_present = true,
                             .write_type = WIRE_WRITE_CAS,
                             .contentions = 4,
                             .unprepared_id = { (const uint8_t *)"id", 2 },
                             .keyspace = corm_str_of("shop"),
                             .table = corm_str_of("users") };
        base_buf  *body = wire__encoder_begin(&encoder, 0, (int16_t)i, WIRE_OP_ERROR);
        wire__put_error(body, &error, version);
        check(wire__encoder_end(&encoder, &err), &err);
    }
    flush(&encoder);
    wire__encoder_free(&encoder);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "errors") == 0) {
        put_errors((uint8_t)atoi(argv[2]));
        return 0;
    }
    size_t form = 0;
    while (form < 5 && argc == 4 && strcmp(argv[1], forms[form].name) != 0) form++;
    if (argc != 4 || form == 5) return 2;
    wire_encoder encoder;
    wire_decoder decoder;
    wire__encoder_init(&encoder, (uint8_t)atoi(argv[2]), false);
    wire__decoder_init(&decoder, MAX_BODY);
    if (forms[form].segmented) {
        wire__encoder_segments(&encoder, forms[form].compression);
        wire__decoder_segments(&decoder, forms[form].compression);
    } else {
        wire__encoder_compression(&encoder, forms[form].compression);
        wire__decoder_compression(&decoder, forms[form].compression);
    }
    echo_all(&encoder, &decoder, (size_t)atoll(argv[3]));
    wire__encoder_free(&encoder);
    wire__decoder_free(&decoder);
    return 0;
}
