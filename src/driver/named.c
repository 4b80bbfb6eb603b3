// SPDX-License-Identifier: MIT
/* named.c -- before v5 a request has no place for its keyspace: it is put into its texts, or, where a text cannot be read, the
 * connection is brought into the keyspace first. The loop's thread. */
#include "cql/print.h"
#include "driver/request_parts.h"

static corm_status name_text(driver_request *r, corm_str *text, bool *done, corm_error *err) {
    base_buf    out = { 0 };
    corm_status status = driver__qualify(*text, r->sent.options.keyspace, &out, done, err);
    if (status == CORM_OK && *done) {
        *text = base__arena_str(&r->arena, base__buf_str(&out));
        if (!text->data) status = base__fail_memory(err);
    }
    base__buf_free(&out);
    return status;
}

static corm_status name_batch(driver_request *r, bool *done, corm_error *err) {
    size_t           bytes = r->sent.batch_count * sizeof(wire_batch_item);
    wire_batch_item *items = base__arena_copy(&r->arena, r->sent.batch, bytes);
    if (!items) return base__fail_memory(err);
    *done = true;
    for (uint32_t i = 0; i < r->sent.batch_count && *done; i++) {
        if (items[i].text.data) CORM_TRY(name_text(r, &items[i].text, done, err));
    }
    if (*done) r->sent.batch = items;
    return CORM_OK;
}

corm_status driver__name_keyspace(driver_request *r, const driver_conn *conn, bool *use,
                                  corm_error *err) {
    *use = false;
    if (!r->sent.options.keyspace.data) return CORM_OK;
    if (r->named == DRIVER_UNKNOWN) {
        bool done = false;
        if (r->wire->kind == WIRE_BATCH)
            CORM_TRY(name_batch(r, &done, err));
        else
            CORM_TRY(name_text(r, &r->sent.text, &done, err));
        r->named = done ? DRIVER_YES : DRIVER_NO;
        if (done) r->sent.options.keyspace = (corm_str){ 0 };
        if (done) return CORM_OK;
    }
    *use = !corm_str_equal(driver__conn_keyspace(conn), r->sent.options.keyspace);
    return CORM_OK;
}

/* A QUERY of the lowest consistency and without any flag. */
void driver__put_use(base_buf *body, corm_str keyspace) {
    cql_name name = { .text = keyspace };
    base__buf_u32(body, 0);
    size_t at = body->len;
    base__buf_puts(body, "USE ");
    cql__print_name(body, &name);
    if (!body->failed) base__buf_set_i32(body, at - 4, (int32_t)(body->len - at));
    base__buf_u16(body, WIRE_ONE);
    base__buf_u8(body, 0);
}
