// SPDX-License-Identifier: MIT
/* guard.c -- guard rails of reads and writes. See guard.h. Threads: the reader's, and the commit leader's. */
#include "engine/guard.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/fail.h"
#include "cql/parser.h"
#include "engine/auth.h"
#include "engine/core.h"

/* ---- who is held up ---- */

corm_status engine__guard_request(engine_request *request, corm_error *err) {
    engine              *store = request->store;
    const engine_client *client = request->client;
    const auth_roles    *roles;
    request->guard = NULL;
    if (!store->has_guards) return CORM_OK;
    if (client && client->role.data) {
        CORM_TRY(engine__roles(store, request->txn, request->schema, &roles, err));
        const auth_role *role = auth__find(roles, client->role);
        if (role && role->is_superuser) return CORM_OK;
    }
    request->guard = &store->guard;
    return CORM_OK;
}

/* ---- words ---- */

static void warn(engine_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void warn(engine_request *request, const char *format, ...) {
    va_list args;
    char    text[1200];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wire__add_warning(request->answer, corm_str_of(text));
}

#define S(text) (int)(text).len, (text).data

static corm_status not_allowed(const char *name, const char *what, corm_error *err) {
    return base__fail(err, CORM_INVALID, "Guardrail %s violated: %s is not allowed", name, what);
}

/* ---- consistency levels ---- */

/* What is said of those of the given levels that the rail has; empty: none. */
static corm_status say_levels(engine_request *request, cql_guard_name name, uint64_t given,
                              base_buf *out, corm_error *err) {
    if (cql__guard_has(request->guard, name, given))
        cql__guard_put(out, request->guard, name, given);
    return base__buf_status(out, err);
}

static corm_status guard_levels(engine_request *request, cql_guard_name warned,
                                cql_guard_name disallowed, uint64_t given, corm_error *err) {
    base_buf    text = { 0 };
    corm_status status = say_levels(request, disallowed, given, &text, err);
    if (status == CORM_OK && text.len > 0)
        status = base__fail(err, CORM_INVALID, "%.*s", (int)text.len, (const char *)text.data);
    if (status == CORM_OK) status = say_levels(request, warned, given, &text, err);
    if (status == CORM_OK && text.len > 0) wire__add_warning(request->answer, base__buf_str(&text));
    base__buf_free(&text);
    return status;
}

static uint64_t bit_of(wire_consistency level) {
    return level < 64 ? UINT64_C(1) << level : 0;
}

corm_status engine__guard_read_level(engine_request *request, corm_error *err) {
    if (!request->guard) return CORM_OK;
    return guard_levels(request, CQL_GUARD_READ_WARNED, CQL_GUARD_READ_DISALLOWED,
                        bit_of(request->options->consistency), err);
}

corm_status engine__guard_write_level(engine_request *request, bool is_conditional,
                                      corm_error *err) {
    if (!request->guard) return CORM_OK;
    wire_consistency serial = request->options->serial_consistency;
    uint64_t         given = bit_of(request->options->consistency);
    if (is_conditional) given |= bit_of(serial ? serial : WIRE_SERIAL);
    return guard_levels(request, CQL_GUARD_WRITE_WARNED, CQL_GUARD_WRITE_DISALLOWED, given, err);
}

/* ---- SELECT ---- */

static corm_status guard_page(select_run *run, corm_error *err) {
    const cql_guard *guard = run->request->guard;
    int32_t          size = run->request->options->page_size;
    corm_str         table = run->table->name;
    if (cql__guard_over(guard, CQL_GUARD_PAGE_SIZE_FAIL, size))
        return base__fail(err, CORM_INVALID,
                          "Guardrail page_size violated: Aborting query for table %.*s, page size "
                          "%d exceeds fail threshold of %lld.",
                          S(table), size, (long long)guard->values[CQL_GUARD_PAGE_SIZE_FAIL]);
    if (cql__guard_over(guard, CQL_GUARD_PAGE_SIZE_WARN, size))
        warn(run->request,
             "Guardrail page_size violated: Query for table %.*s with page size %d exceeds warning "
             "threshold of %lld.",
             S(table), size, (long long)guard->values[CQL_GUARD_PAGE_SIZE_WARN]);
    return CORM_OK;
}

static corm_status guard_keys(select_run *run, corm_error *err) {
    const cql_guard *guard = run->request->guard;
    uint32_t         count = run->partition_count;
    corm_str         table = run->table->name;
    if (cql__guard_over(guard, CQL_GUARD_KEYS_FAIL, count))
        return base__fail(err, CORM_INVALID,
                          "Guardrail partition_keys_in_select violated: Aborting query with "
                          "partition keys in IN clause on table %.*s, number of partition keys %u "
                          "exceeds fail threshold of %lld.",
                          S(table), count, (long long)guard->values[CQL_GUARD_KEYS_FAIL]);
    if (cql__guard_over(guard, CQL_GUARD_KEYS_WARN, count))
        warn(run->request,
             "Guardrail partition_keys_in_select violated: Query with partition keys in IN clause "
             "on table %.*s, with number of partition keys %u exceeds warning threshold of %lld.",
             S(table), count, (long long)guard->values[CQL_GUARD_KEYS_WARN]);
    return CORM_OK;
}

static corm_status guard_product(select_run *run, const char *key, uint32_t count,
                                 corm_error *err) {
    const cql_guard *guard = run->request->guard;
    if (cql__guard_over(guard, CQL_GUARD_PRODUCT_FAIL, count))
        return base__fail(err, CORM_INVALID,
                          "Guardrail in_select_cartesian_product violated: Aborting query because "
                          "the cartesian product of the IN restrictions on %s produces %u values, "
                          "this exceeds fail threshold of %lld.",
                          key, count, (long long)guard->values[CQL_GUARD_PRODUCT_FAIL]);
    if (cql__guard_over(guard, CQL_GUARD_PRODUCT_WARN, count))
        warn(run->request,
             "Guardrail in_select_cartesian_product violated: The cartesian product of the IN "
             "restrictions on %s produces %u values, this exceeds warning threshold of %lld.",
             key, count, (long long)guard->values[CQL_GUARD_PRODUCT_WARN]);
    return CORM_OK;
}

corm_status engine__guard_select(select_run *run, corm_error *err) {
    const cql_guard          *guard = run->request->guard;
    const cql_checked_select *select = run->select;
    if (!guard || run->table->is_system) return CORM_OK;
    if (select->group_count > 0 && !guard->values[CQL_GUARD_GROUP_BY])
        return not_allowed("group_by", "GROUP BY functionality", err);
    if (select->allow_filtering && !guard->values[CQL_GUARD_FILTERING])
        return base__fail(
            err, CORM_INVALID,
            "Guardrail allow_filtering violated: Querying with ALLOW FILTERING is not "
            "allowed. ALLOW FILTERING can potentially visit all the data in the table "
            "and have unpredictable performance.");
    CORM_TRY(guard_page(run, err));
    if (run->partition_count > 1) {
        CORM_TRY(guard_product(run, "partition key", run->partition_count, err));
        CORM_TRY(guard_keys(run, err));
    }
    return run->bound_count > 1 ? guard_product(run, "clustering key", run->bound_count, err)
                                : CORM_OK;
}

/* ---- tombstones ---- */

corm_status engine__guard_tombstones(select_run *run, corm_error *err) {
    if (!cql__guard_over(&run->request->store->guard, CQL_GUARD_TOMBSTONES_FAIL, run->tombstones))
        return CORM_OK;
    return base__fail(err, CORM_READ_FAILURE,
                      "Operation failed - received 0 responses and 1 failures: "
                      "READ_TOO_MANY_TOMBSTONES from this node (%u tombstones, see "
                      "tombstone_failure_threshold)",
                      run->tombstones);
}

corm_status engine__warn_tombstones(select_run *run, corm_error *err) {
    enum { LONGEST = 512 };
    const cql_guard *guard = &run->request->store->guard;
    if (!cql__guard_over(guard, CQL_GUARD_TOMBSTONES_WARN, run->tombstones)) return CORM_OK;
    base_buf text = { 0 };
    cql__print(run->request->checked->statement, &text);
    size_t len = text.len < LONGEST ? text.len : LONGEST;
    if (!text.failed)
        warn(run->request,
             "Read %u live rows and %u tombstone cells for query %.*s (see "
             "tombstone_warn_threshold)",
             run->live_rows, run->tombstones, (int)len, (const char *)text.data);
    corm_status status = base__buf_status(&text, err);
    base__buf_free(&text);
    return status;
}

/* ---- writes ---- */

static corm_status too_far(const cql_table *table, int64_t timestamp, bool past, int64_t limit,
                           corm_error *err) {
    return base__fail(
        err, CORM_INVALID,
        "Guardrail %s violated: The modification to table %.*s has a timestamp %lld %s the %s "
        "allowable failure threshold %lld. %s",
        past ? "minimum_timestamp" : "maximum_timestamp", S(table->name), (long long)timestamp,
        past ? "before" : "after", past ? "minimum" : "maximum", (long long)limit,
        past
            ? "Timestamps too far in the past can cause writes can be unexpectedly lost"
            : "Timestamps too far in the future can lead to data that can't be easily overwritten");
}

static void warn_far(engine_request *request, const cql_table *table, int64_t timestamp, bool past,
                     int64_t limit) {
    warn(request,
         "Guardrail %s violated: The modification to table %.*s has a timestamp %lld %s the %s "
         "allowable warning threshold %lld. %s",
         past ? "minimum_timestamp" : "maximum_timestamp", S(table->name), (long long)timestamp,
         past ? "before" : "after", past ? "minimum" : "maximum", (long long)limit,
         past ? "Timestamps too far in the past can cause writes can be unexpectedly lost"
              : "Timestamps too far in the future can lead to data that can't be easily "
                "overwritten");
}

/* The timestamp that lies so many seconds before or behind the clock, as far as there are timestamps. */
static int64_t limit_at(const engine_request *request, int64_t seconds, bool past) {
    int64_t most = (INT64_MAX - request->now_us) / 1000000;
    int64_t by = (seconds < most ? seconds : most) * 1000000;
    return past ? request->now_us - by : request->now_us + by;
}

static corm_status guard_distance(engine_request *request, const cql_table *table,
                                  int64_t timestamp, bool past, corm_error *err) {
    const int64_t *values = request->guard->values;
    int64_t        fail_s = values[past ? CQL_GUARD_OLD_FAIL : CQL_GUARD_NEW_FAIL];
    int64_t        warn_s = values[past ? CQL_GUARD_OLD_WARN : CQL_GUARD_NEW_WARN];
    int64_t        fail = limit_at(request, fail_s, past), alert = limit_at(request, warn_s, past);
    if (fail_s >= 0 && (past ? timestamp < fail : timestamp > fail))
        return too_far(table, timestamp, past, fail, err);
    if (warn_s >= 0 && (past ? timestamp < alert : timestamp > alert))
        warn_far(request, table, timestamp, past, alert);
    return CORM_OK;
}

corm_status engine__guard_timestamp(engine_request *request, const cql_checked_modify *modify,
                                    int64_t timestamp, corm_error *err) {
    if (!modify->timestamp || modify->table->is_system) return CORM_OK;
    if (!request->guard->values[CQL_GUARD_TIMESTAMPS])
        return not_allowed("user_timestamps", "User provided timestamps (USING TIMESTAMP)", err);
    CORM_TRY(guard_distance(request, modify->table, timestamp, true, err));
    return guard_distance(request, modify->table, timestamp, false, err);
}

/* ---- values ---- */

static corm_status guard_list_read(const cql_assign *assign, corm_error *err) {
    static const char *const words[] = {
        [CQL_ASSIGN_SET_ELEMENT] = "Setting of list items by index",
        [CQL_ASSIGN_DELETE_ELEMENT] = "Removal of list items by index",
        [CQL_ASSIGN_SUBTRACT] = "Removal of list items",
    };
    const char *word = assign->kind < sizeof words / sizeof *words ? words[assign->kind] : NULL;
    if (assign->column->type->id != CQL_LIST || assign->column->type->frozen || !word)
        return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "Guardrail read_before_write_list_operations violated: %s requiring read "
                      "before write is not allowed",
                      word);
}

static corm_status guard_value(engine_request *request, const cql_column *column, int32_t size,
                               corm_error *err) {
    const cql_guard *guard = request->guard;
    if (cql__guard_over(guard, CQL_GUARD_VALUE_FAIL, size))
        return base__fail(err, CORM_INVALID,
                          "Guardrail column_value_size violated: Value of column '%.*s' has size "
                          "%d, this exceeds the failure threshold of %lld.",
                          S(column->name), size, (long long)guard->values[CQL_GUARD_VALUE_FAIL]);
    if (cql__guard_over(guard, CQL_GUARD_VALUE_WARN, size))
        warn(request,
             "Guardrail column_value_size violated: Value of column '%.*s' has size %d, this "
             "exceeds the warning threshold of %lld.",
             S(column->name), size, (long long)guard->values[CQL_GUARD_VALUE_WARN]);
    return CORM_OK;
}

static corm_status guard_items(engine_request *request, const cql_column *column, uint32_t count,
                               corm_error *err) {
    const cql_guard *guard = request->guard;
    if (cql__guard_over(guard, CQL_GUARD_ITEMS_FAIL, count))
        return base__fail(err, CORM_INVALID,
                          "Guardrail items_per_collection violated: Detected collection %.*s with "
                          "%u items, this exceeds the failure threshold of %lld.",
                          S(column->name), count, (long long)guard->values[CQL_GUARD_ITEMS_FAIL]);
    if (cql__guard_over(guard, CQL_GUARD_ITEMS_WARN, count))
        warn(
            request,
            "Guardrail items_per_collection violated: Detected collection %.*s with %u items, this "
            "exceeds the warning threshold of %lld.",
            S(column->name), count, (long long)guard->values[CQL_GUARD_ITEMS_WARN]);
    return CORM_OK;
}

static corm_status guard_size(engine_request *request, const cql_column *column, uint64_t size,
                              corm_error *err) {
    const cql_guard *guard = request->guard;
    if (cql__guard_over(guard, CQL_GUARD_COLLECTION_FAIL, (int64_t)size))
        return base__fail(err, CORM_INVALID,
                          "Guardrail collection_size violated: Detected collection %.*s of size "
                          "%llu, this exceeds the failure threshold of %lld.",
                          S(column->name), (unsigned long long)size,
                          (long long)guard->values[CQL_GUARD_COLLECTION_FAIL]);
    if (cql__guard_over(guard, CQL_GUARD_COLLECTION_WARN, (int64_t)size))
        warn(request,
             "Guardrail collection_size violated: Detected collection %.*s of size %llu, this "
             "exceeds the warning threshold of %lld.",
             S(column->name), (unsigned long long)size,
             (long long)guard->values[CQL_GUARD_COLLECTION_WARN]);
    return CORM_OK;
}

/* As the server counts cells: timestamp, ttl and deletion time, the path, the value. The path of a list's is a uuid. */
static corm_status guard_cells(engine_request *request, const cql_column *column, cql_value value,
                               corm_error *err) {
    enum { CELL = 20, LIST_PATH = 16 };
    cql_walk  walk;
    cql_value item;
    uint64_t  size = 0;
    uint32_t  items = 0;
    bool      is_map = column->type->id == CQL_MAP;
    CORM_TRY(cql__walk_begin(&walk, column->type, value, err));
    CORM_TRY(guard_items(request, column, walk.count, err));
    for (; cql__walk_next(&walk, &item); items++) {
        bool is_path = column->type->id == CQL_SET || (is_map && items % 2 == 0);
        size += item.len > 0 ? (uint64_t)item.len : 0;
        if (!is_map || items % 2 == 0) size += CELL;
        if (column->type->id == CQL_LIST) size += LIST_PATH;
        if (!is_path || column->type->id == CQL_SET)
            CORM_TRY(guard_value(request, column, item.len, err));
    }
    return guard_size(request, column, size, err);
}

static corm_status guard_whole(engine_request *request, const cql_column *column, cql_value value,
                               corm_error *err) {
    cql_walk walk;
    CORM_TRY(guard_value(request, column, value.len, err));
    if (!cql__type_is_collection(column->type)) return CORM_OK;
    CORM_TRY(cql__walk_begin(&walk, column->type, value, err));
    CORM_TRY(guard_items(request, column, walk.count, err));
    return guard_size(request, column, (uint64_t)value.len, err);
}

corm_status engine__guard_assign(engine_request *request, const cql_assign *assign,
                                 cql_eval_env *env, corm_error *err) {
    const cql_column *column = assign->column;
    cql_value         value;
    if (!request->guard->values[CQL_GUARD_LIST_READS]) CORM_TRY(guard_list_read(assign, err));
    if (!assign->value || assign->kind >= CQL_ASSIGN_DELETE || column->type->id == CQL_COUNTER)
        return CORM_OK;
    CORM_TRY(cql__eval(assign->value, env, &value, err));
    if (value.len < 0 || assign->kind == CQL_ASSIGN_SUBTRACT) return CORM_OK;
    if (assign->kind == CQL_ASSIGN_SET_ELEMENT || assign->kind == CQL_ASSIGN_SET_FIELD)
        return guard_value(request, column, value.len, err);
    bool cells = cql__type_is_multicell(column->type) && column->type->id != CQL_UDT;
    return (cells ? guard_cells : guard_whole)(request, column, value, err);
}
