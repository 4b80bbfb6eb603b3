// SPDX-License-Identifier: MIT
/* handshake.c -- the maps and lists of STARTUP, SUPPORTED, REGISTER and AUTH_*. Native protocol v5 specification,
 * sections 4.1.1 to 4.1.3 and 4.2.3 to 4.2.4. Pure functions; arrays that are read live in the caller's arena. */
#include "base/fail.h"
#include "wire/message.h"
#include "wire/metadata.h"

enum { SMALLEST_STRING = 2 };

static uint16_t at_most_u16(uint32_t count) {
    return count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
}

void wire__put_startup(base_buf *body, const wire_pair *options, uint32_t count) {
    uint16_t most = at_most_u16(count);
    base__buf_u16(body, most);
    for (uint16_t i = 0; i < most; i++) {
        wire__put_string(body, options[i].name);
        wire__put_string(body, options[i].value);
    }
}

void wire__put_string_list(base_buf *body, const corm_str *texts, uint32_t count) {
    uint16_t most = at_most_u16(count);
    base__buf_u16(body, most);
    for (uint16_t i = 0; i < most; i++) wire__put_string(body, texts[i]);
}

void wire__put_bytes(base_buf *body, corm_bytes token) {
    cql__put_value(body, token.data ? cql__value_of(token) : CQL_NULL);
}

void wire__put_text(base_buf *body, corm_str text) {
    wire__put_string(body, text);
}

/* ---- multimaps ---- */

void wire__multimap_begin(wire_multimap *map, corm_bytes body) {
    *map = (wire_multimap){ .reader = { body.data, body.len, false } };
    map->names_left = base__read_u16(&map->reader);
}

bool wire__multimap_next(wire_multimap *map, wire_pair *out) {
    base_reader *reader = &map->reader;
    while (map->values_left == 0 && map->names_left > 0 && !reader->failed) {
        map->name = wire__read_string(reader);
        map->values_left = base__read_u16(reader);
        map->names_left--;
    }
    if (map->values_left == 0 || reader->failed) return false;
    *out = (wire_pair){ map->name, wire__read_string(reader) };
    map->values_left--;
    return !reader->failed;
}

/* How many of the pairs share the first's name. */
static uint32_t same_name(const wire_pair *pairs, uint32_t count) {
    uint32_t same = 1;
    while (same < count && corm_str_equal(pairs[same].name, pairs[0].name)) same++;
    return same;
}

void wire__put_multimap(base_buf *body, const wire_pair *pairs, uint32_t count) {
    size_t   at = body->len;
    uint16_t names = 0;
    base__buf_u16(body, 0);
    for (uint32_t i = 0; i < count && names < UINT16_MAX; names++) {
        uint32_t same = same_name(pairs + i, count - i);
        uint16_t most = at_most_u16(same);
        wire__put_string(body, pairs[i].name);
        base__buf_u16(body, most);
        for (uint16_t k = 0; k < most; k++) wire__put_string(body, pairs[i + k].value);
        i += same;
    }
    if (!body->failed) base__store_u16(body->data + at, names);
}

/* ---- reading ---- */

static corm_status broken(corm_error *err, const char *what) {
    return base__fail(err, CORM_PROTOCOL_ERROR, "a message's %s cannot be read", what);
}

/* A [short] count of things that take at least `smallest` bytes each. */
static bool read_count(base_reader *reader, size_t smallest, uint32_t *out) {
    *out = base__read_u16(reader);
    return !reader->failed && *out <= reader->len / smallest;
}

corm_status wire__read_string_map(corm_bytes body, base_arena *arena, wire_pair **out,
                                  uint32_t *count, corm_error *err) {
    base_reader reader = { body.data, body.len, false };
    if (!read_count(&reader, 2 * SMALLEST_STRING, count)) return broken(err, "map");
    *out = BASE_NEW_ARRAY(arena, wire_pair, *count);
    if (!*out) return base__fail_memory(err);
    for (uint32_t i = 0; i < *count; i++) {
        (*out)[i].name = wire__read_string(&reader);
        (*out)[i].value = wire__read_string(&reader);
    }
    return reader.failed ? broken(err, "map") : CORM_OK;
}

corm_status wire__read_string_list(corm_bytes body, base_arena *arena, corm_str **out,
                                   uint32_t *count, corm_error *err) {
    base_reader reader = { body.data, body.len, false };
    if (!read_count(&reader, SMALLEST_STRING, count)) return broken(err, "list");
    *out = BASE_NEW_ARRAY(arena, corm_str, *count);
    if (!*out) return base__fail_memory(err);
    for (uint32_t i = 0; i < *count; i++) (*out)[i] = wire__read_string(&reader);
    return reader.failed ? broken(err, "list") : CORM_OK;
}

corm_status wire__read_bytes_body(corm_bytes body, corm_bytes *out, corm_error *err) {
    base_reader reader = { body.data, body.len, false };
    int32_t     len = base__read_i32(&reader);
    *out = len < 0 ? (corm_bytes){ NULL, 0 } : base__read_bytes(&reader, (size_t)len);
    return reader.failed ? broken(err, "bytes") : CORM_OK;
}

corm_status wire__read_text_body(corm_bytes body, corm_str *out, corm_error *err) {
    base_reader reader = { body.data, body.len, false };
    *out = wire__read_string(&reader);
    return reader.failed ? broken(err, "text") : CORM_OK;
}
