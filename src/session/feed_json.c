// SPDX-License-Identifier: MIT
/* feed_json.c -- a change of the feed as one line of JSON. Thread: the feed's. */
#include "base/fail.h"
#include "base/text.h"
#include "session/feed.h"

static void put_member(const char *name, base_buf *out) {
    base__buf_printf(out, ", \"%s\": ", name);
}

static void put_text(const char *name, corm_str text, base_buf *out) {
    put_member(name, out);
    base__put_json_string(out, text);
}

/* An object of the row's columns, or null when there is none. */
static void put_row(corm_result *result, base_buf *out) {
    uint32_t                 count;
    const corm_row          *row = corm_result_next(result);
    const cql_result_column *columns = session__result_columns(result, &count);
    if (!row) {
        base__buf_puts(out, "null");
        return;
    }
    base__buf_puts(out, "{");
    for (uint32_t i = 0; i < count; i++) {
        cql_value value = session__row_values(row)[i];
        if (i) base__buf_puts(out, ", ");
        base__put_json_string(out, columns[i].name);
        base__buf_puts(out, ": ");
        if (cql__is_null(value))
            base__buf_puts(out, "null");
        else
            cql__to_json(columns[i].type, value, out);
    }
    base__buf_puts(out, "}");
}

static corm_status put_images(const corm_change *change, base_buf *out, corm_error *err) {
    corm_result *row;
    if (corm_change_is_static(change)) base__buf_puts(out, ", \"static\": true");
    CORM_TRY(corm_change_before(change, &row, err));
    put_member("before", out);
    put_row(row, out);
    CORM_TRY(corm_change_after(change, &row, err));
    put_member("after", out);
    put_row(row, out);
    return CORM_OK;
}

static corm_status put_edge(const corm_change *change, bool is_end, base_buf *out,
                            corm_error *err) {
    corm_result *values;
    bool         inclusive;
    corm_status  status = corm_change_range(change, is_end, &values, &inclusive, err);
    if (status == CORM_NOT_FOUND) return CORM_OK;
    if (status != CORM_OK) return status;
    put_member(is_end ? "to" : "from", out);
    put_row(values, out);
    base__buf_printf(out, ", \"%s_inclusive\": %s", is_end ? "to" : "from",
                     inclusive ? "true" : "false");
    return CORM_OK;
}

static corm_status put_body(const corm_change *change, base_buf *out, corm_error *err) {
    corm_change_kind kind = corm_change_kind_of(change);
    if (kind >= CORM_CHANGE_TRUNCATE) {
        put_text("verb", corm_change_verb(change), out);
        put_text("target", corm_change_target(change), out);
        put_text("statement", corm_change_statement(change), out);
        return CORM_OK;
    }
    corm_result *key;
    CORM_TRY(corm_change_key(change, &key, err));
    put_member("key", out);
    put_row(key, out);
    if (kind <= CORM_CHANGE_EXPIRE) return put_images(change, out, err);
    if (kind == CORM_CHANGE_PARTITION) return CORM_OK;
    CORM_TRY(put_edge(change, false, out, err));
    return put_edge(change, true, out, err);
}

static corm_status put_change(const corm_change *change, base_buf *out, corm_error *err) {
    char position[CORM_FEED_POSITION_TEXT];
    corm_feed_position_format(corm_change_position(change), position);
    base__buf_printf(out, "{\"position\": \"%s\", \"commit\": %llu, \"kind\": \"%s\"", position,
                     (unsigned long long)corm_change_commit(change),
                     corm_change_kind_name(corm_change_kind_of(change)));
    put_text("keyspace", corm_change_keyspace(change), out);
    if (corm_change_table(change).len > 0) put_text("table", corm_change_table(change), out);
    base__buf_printf(out, ", \"time\": %lld, \"timestamp\": %lld",
                     (long long)corm_change_time_us(change),
                     (long long)corm_change_timestamp_us(change));
    CORM_TRY(put_body(change, out, err));
    base__buf_puts(out, "}");
    return base__buf_status(out, err);
}

corm_status corm_change_json(const corm_change *change, corm_str *out, corm_error *err) {
    corm_change *own = (corm_change *)(uintptr_t)change;
    base_buf     text = { 0 };
    corm_status  status = CORM_OK;
    if (!own->json.data) {
        status = put_change(change, &text, err);
        if (status == CORM_OK) own->json = base__arena_str(change->arena, base__buf_str(&text));
        if (status == CORM_OK && !own->json.data) status = base__fail_memory(err);
        base__buf_free(&text);
    }
    *out = own->json;
    return status;
}
