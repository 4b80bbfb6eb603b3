// SPDX-License-Identifier: MIT
/* event.c -- the body of EVENT. Native protocol v5 specification, section 4.2.6.
 *
 *   [string "TOPOLOGY_CHANGE" or "STATUS_CHANGE"][string change][inet node]
 *   [string "SCHEMA_CHANGE"][string change][string target][string keyspace][string name]?
 *
 * What follows a function's name, its argument types, is left alone. Pure functions. */
#include "base/fail.h"
#include "wire/message.h"
#include "wire/metadata.h"

static const char *const kinds[] = { [WIRE_TOPOLOGY_CHANGE] = "TOPOLOGY_CHANGE",
                                     [WIRE_STATUS_CHANGE] = "STATUS_CHANGE",
                                     [WIRE_SCHEMA_CHANGE_EVENT] = "SCHEMA_CHANGE" };

enum { KINDS = sizeof kinds / sizeof *kinds };

static bool is_keyspace(corm_str target) {
    return corm_str_equal(target, corm_str_of("KEYSPACE"));
}

static bool is_function(corm_str target) {
    return corm_str_equal(target, corm_str_of("FUNCTION")) ||
           corm_str_equal(target, corm_str_of("AGGREGATE"));
}

static void read_node(base_reader *in, wire_event *out) {
    uint8_t len = base__read_u8(in);
    if (len != 4 && len != 16) in->failed = true;
    corm_bytes bytes = base__read_bytes(in, len);
    if (in->failed) return;
    out->address.length = len;
    memcpy(out->address.bytes, bytes.data, len);
    out->port = base__read_i32(in);
}

static void read_schema_change(base_reader *in, wire_event *out) {
    out->target = wire__read_string(in);
    out->keyspace = wire__read_string(in);
    if (!is_keyspace(out->target)) out->name = wire__read_string(in);
}

corm_status wire__event_read(corm_bytes body, wire_event *out, corm_error *err) {
    base_reader in = { body.data, body.len, false };
    corm_str    name = wire__read_string(&in);
    size_t      kind = 0;
    *out = (wire_event){ 0 };
    while (kind < KINDS && !corm_str_equal(name, corm_str_of(kinds[kind]))) kind++;
    if (!in.failed && kind == KINDS) {
        return base__fail(err, CORM_UNSUPPORTED, "an event of an unknown kind");
    }
    out->kind = (wire_event_kind)kind;
    out->change = wire__read_string(&in);
    if (kind == WIRE_SCHEMA_CHANGE_EVENT) {
        read_schema_change(&in, out);
    } else {
        read_node(&in, out);
    }
    if (!in.failed) return CORM_OK;
    return base__fail(err, CORM_PROTOCOL_ERROR, "an event cannot be read");
}

static void put_node(base_buf *body, const wire_event *event) {
    base__buf_u8(body, event->address.length);
    base__buf_put(body, event->address.bytes, event->address.length);
    base__buf_i32(body, event->port);
}

static void put_schema_change(base_buf *body, const wire_event *event) {
    wire__put_string(body, event->target);
    wire__put_string(body, event->keyspace);
    if (!is_keyspace(event->target)) wire__put_string(body, event->name);
    if (is_function(event->target)) wire__put_string_list(body, NULL, 0);
}

void wire__put_event(base_buf *body, const wire_event *event) {
    wire__put_string(body, corm_str_of(kinds[event->kind]));
    wire__put_string(body, event->change);
    if (event->kind == WIRE_SCHEMA_CHANGE_EVENT) {
        put_schema_change(body, event);
    } else {
        put_node(body, event);
    }
}
