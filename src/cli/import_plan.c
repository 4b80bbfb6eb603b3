// SPDX-License-Identifier: MIT
/* import_plan.c -- which field of a record goes into which marker of a prepared statement, and how it gets there. */
#include "base/fail.h"
#include "base/text.h"
#include "cli/import.h"
#include "session/core.h"
#include "session/door.h"
#include "stream/csv_value.h"
#include "stream/json_value.h"
#include "stream/jsonl.h"

/* ---- statements ---- */

static bool is_key(const corm_column_info *column) {
    return column->key == CORM_PARTITION || column->key == CORM_CLUSTERING ||
           column->key == CORM_CLUSTERING_DESC;
}

static bool is_static_part(const corm_column_info *column) {
    return column->key == CORM_PARTITION || column->key == CORM_STATIC;
}

static void put_table(const corm_table_info *table, base_buf *cql) {
    cql__put_name(cql, corm_str_of(table->keyspace));
    base__buf_puts(cql, ".");
    cql__put_name(cql, corm_str_of(table->name));
}

static const corm_column_info *column_of(const import_plan *plan, uint32_t marker) {
    return &plan->table->columns[plan->columns[marker]];
}

/* Whether --generate names the column. */
static bool is_generated(const import_plan *plan, const corm_column_info *column) {
    corm_str rest = corm_str_of(plan->options.generate);
    while (rest.len) {
        const char *comma = memchr(rest.data, ',', rest.len);
        size_t      len = comma ? (size_t)(comma - rest.data) : rest.len;
        corm_str    name = base__str_trim((corm_str){ rest.data, len });
        if (corm_str_equal(name, corm_str_of(column->name))) return true;
        len += comma != NULL;
        rest = (corm_str){ rest.data + len, rest.len - len };
    }
    return false;
}

/* Generated columns stand behind the others: their names, or the calls that make their values. */
static void put_generated(const import_plan *plan, bool names, base_buf *cql) {
    for (uint32_t i = 0; i < plan->table->column_count; i++) {
        const corm_column_info *column = &plan->table->columns[i];
        if (!is_generated(plan, column)) continue;
        base__buf_puts(cql, ", ");
        if (names)
            cql__put_name(cql, corm_str_of(column->name));
        else
            base__buf_puts(cql, strcmp(column->type, "uuid") == 0 ? "uuid()" : "now()");
    }
}

static void put_insert(const import_plan *plan, bool only_static, base_buf *cql) {
    uint32_t put = 0;
    base__buf_puts(cql, "INSERT INTO ");
    put_table(plan->table, cql);
    for (uint32_t i = 0; i < plan->count; i++) {
        if (only_static && !is_static_part(column_of(plan, i))) continue;
        base__buf_puts(cql, put++ ? ", " : " (");
        cql__put_name(cql, corm_str_of(column_of(plan, i)->name));
    }
    put_generated(plan, true, cql);
    base__buf_puts(cql, ") VALUES ");
    for (uint32_t i = 0; i < put; i++) base__buf_puts(cql, i ? ", ?" : "(?");
    put_generated(plan, false, cql);
    base__buf_puts(cql, ")");
    if (plan->options.ttl_seconds)
        base__buf_printf(cql, " USING TTL %lld", (long long)plan->options.ttl_seconds);
}

/* A counter has no INSERT: it grows by what the record says. */
static void put_counter_update(const import_plan *plan, base_buf *cql) {
    uint32_t put = 0;
    base__buf_puts(cql, "UPDATE ");
    put_table(plan->table, cql);
    for (uint32_t i = 0; i < plan->count; i++) {
        if (is_key(column_of(plan, i))) continue;
        corm_str name = corm_str_of(column_of(plan, i)->name);
        base__buf_puts(cql, put++ ? ", " : " SET ");
        cql__put_name(cql, name);
        base__buf_puts(cql, " = ");
        cql__put_name(cql, name);
        base__buf_puts(cql, " + ?");
    }
    put = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!is_key(column_of(plan, i))) continue;
        base__buf_puts(cql, put++ ? " AND " : " WHERE ");
        cql__put_name(cql, corm_str_of(column_of(plan, i)->name));
        base__buf_puts(cql, " = ?");
    }
}

static corm_status prepare(const import_plan *plan, base_buf *cql, corm_prepared **prepared,
                           corm_statement **statement, corm_error *err) {
    const char *text = base__buf_cstr(cql);
    corm_status status =
        text ? corm_prepare(plan->session, text, prepared, err) : base__fail_memory(err);
    base__buf_free(cql);
    if (status != CORM_OK) return status;
    *statement = corm_statement_new(*prepared);
    return *statement ? CORM_OK : base__fail_memory(err);
}

/* A record of a partition without rows has only partition key and static columns. */
static corm_status prepare_static(import_plan *plan, corm_error *err) {
    bool     clustered = false, statics = false;
    base_buf cql = { 0 };
    for (uint32_t i = 0; i < plan->count; i++) {
        const corm_column_info *column = column_of(plan, i);
        clustered |= is_key(column) && column->key != CORM_PARTITION;
        statics |= column->key == CORM_STATIC;
    }
    if (!clustered || !statics || plan->table->is_counter) return CORM_OK;
    put_insert(plan, true, &cql);
    return prepare(plan, &cql, &plan->static_prepared, &plan->static_statement, err);
}

static bool is_uuid(const corm_column_info *column) {
    return strcmp(column->type, "uuid") == 0 || strcmp(column->type, "timeuuid") == 0;
}

static corm_status check_generated(const import_plan *plan, const corm_column_info *column,
                                   bool has_marker, corm_error *err) {
    const char *why = has_marker                ? "is in the file"
                      : plan->table->is_counter ? "belongs to a table of counters"
                      : !is_uuid(column)        ? "is no uuid or timeuuid"
                                                : NULL;
    if (!why) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "--generate %s: the column %s", column->name,
                      why);
}

static corm_status check_keys(const import_plan *plan, corm_error *err) {
    for (uint32_t i = 0; i < plan->table->column_count; i++) {
        const corm_column_info *column = &plan->table->columns[i];
        bool                    has_marker = plan->markers[i] != CLI_NO_COLUMN;
        if (is_generated(plan, column))
            CORM_TRY(check_generated(plan, column, has_marker, err));
        else if (is_key(column) && !has_marker)
            return base__fail(err, CORM_INVALID_ARGUMENT,
                              "column '%s' belongs to the primary key and is not in the file%s",
                              column->name, is_uuid(column) ? "; --generate makes one" : "");
    }
    return CORM_OK;
}

/* An UPDATE of counters has its keys behind its columns. */
static void set_order(import_plan *plan) {
    uint32_t at = 0;
    if (!plan->table->is_counter) {
        for (; at < plan->count; at++) plan->order[at] = at;
        return;
    }
    for (uint32_t keys = 0; keys < 2; keys++)
        for (uint32_t i = 0; i < plan->count; i++)
            if (is_key(column_of(plan, i)) == (keys == 1)) plan->order[at++] = i;
}

corm_status cli__plan_prepare(import_plan *plan, const uint32_t *columns, uint32_t count,
                              corm_error *err) {
    base_buf cql = { 0 };
    uint32_t width = plan->table->column_count;
    plan->count = count;
    plan->columns = BASE_NEW_ARRAY(&plan->arena, uint32_t, count + 1);
    plan->markers = BASE_NEW_ARRAY(&plan->arena, uint32_t, width + 1);
    plan->values = BASE_NEW_ARRAY(&plan->arena, cql_value, count + 1);
    plan->order = BASE_NEW_ARRAY(&plan->arena, uint32_t, count + 1);
    plan->types = BASE_NEW_ARRAY(&plan->arena, const cql_type *, count + 1);
    if (!plan->columns || !plan->markers || !plan->values || !plan->order || !plan->types)
        return base__fail_memory(err);
    for (uint32_t i = 0; i < width; i++) plan->markers[i] = CLI_NO_COLUMN;
    for (uint32_t i = 0; i < count; i++) {
        plan->columns[i] = columns[i];
        plan->markers[columns[i]] = i;
    }
    CORM_TRY(check_keys(plan, err));
    set_order(plan);
    if (plan->table->is_counter)
        put_counter_update(plan, &cql);
    else
        put_insert(plan, false, &cql);
    CORM_TRY(prepare(plan, &cql, &plan->prepared, &plan->statement, err));
    uint32_t          marker_count;
    const cql_marker *markers = session__prepared_markers(plan->prepared, &marker_count);
    for (uint32_t i = 0; i < count && i < marker_count; i++)
        plan->types[plan->order[i]] = markers[i].type;
    return prepare_static(plan, err);
}

void cli__plan_free(import_plan *plan) {
    corm_statement_free(plan->statement);
    corm_statement_free(plan->static_statement);
    corm_prepared_free(plan->prepared);
    corm_prepared_free(plan->static_prepared);
    base__arena_free(&plan->arena);
}

/* ---- CSV headers ---- */

corm_status cli__plan_fields(import_plan *plan, const uint32_t *columns, uint32_t count,
                             corm_error *err) {
    plan->field_count = count;
    plan->fields = BASE_NEW_ARRAY(&plan->arena, uint32_t, count + 1);
    if (!plan->fields) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) plan->fields[i] = i;
    return cli__plan_prepare(plan, columns, count, err);
}

static bool is_wanted(uint32_t column, const uint32_t *only, uint32_t count) {
    for (uint32_t i = 0; only && i < count; i++)
        if (only[i] == column) return true;
    return !only;
}

corm_status cli__plan_header(import_plan *plan, corm_str header, const uint32_t *only,
                             uint32_t only_count, corm_error *err) {
    stream_field *fields;
    uint32_t      used = 0;
    CORM_TRY(stream__csv_split(header, plan->options.delimiter, &plan->arena, &fields,
                               &plan->field_count, err));
    uint32_t *columns = BASE_NEW_ARRAY(&plan->arena, uint32_t, plan->field_count + 1);
    plan->fields = BASE_NEW_ARRAY(&plan->arena, uint32_t, plan->field_count + 1);
    if (!columns || !plan->fields) return base__fail_memory(err);
    for (uint32_t i = 0; i < plan->field_count; i++) {
        corm_str name = base__str_trim(fields[i].text);
        uint32_t column = cli__column_named(plan->table, name);
        plan->fields[i] = CLI_NO_COLUMN;
        if (column == CLI_NO_COLUMN && !plan->options.ignore_unknown)
            return cli__no_such_column(plan->table, name, err);
        if (column == CLI_NO_COLUMN || !is_wanted(column, only, only_count)) continue;
        for (uint32_t j = 0; j < used; j++)
            if (columns[j] == column)
                return base__fail(err, CORM_INVALID_ARGUMENT,
                                  "column '%s' is named twice in the header",
                                  plan->table->columns[column].name);
        plan->fields[i] = used;
        columns[used++] = column;
    }
    return cli__plan_prepare(plan, columns, used, err);
}

/* ---- values ---- */

/* An error of a value becomes one of the record, with its place and the column's name. */
static corm_status refuse_value(const import_plan *plan, uint32_t marker, uint64_t line,
                                uint32_t place, const corm_error *why, corm_error *err) {
    const corm_column_info *column = column_of(plan, marker);
    return base__fail_at(err, CORM_INVALID, (uint32_t)line, place, "column %s (%s): %s",
                         column->name, column->type, why->message);
}

static corm_status keep(base_arena *arena, const base_buf *bytes, cql_value *out, corm_error *err) {
    CORM_TRY(base__buf_status(bytes, err));
    void *copy = base__arena_copy(arena, bytes->data, bytes->len);
    if (!copy) return base__fail_memory(err);
    *out = (cql_value){ copy, (int32_t)bytes->len };
    return CORM_OK;
}

static corm_status convert(const cql_type *type, corm_str text, base_arena *arena, cql_value *out,
                           corm_error *err) {
    base_buf    bytes = { 0 };
    bool        is_null = false;
    corm_status status = stream__read_json_value(type, text, &bytes, &is_null, err);
    *out = CQL_NULL;
    if (status == CORM_OK && !is_null) status = keep(arena, &bytes, out, err);
    if (status == CORM_OK) status = cql__validate(type, *out, err);
    base__buf_free(&bytes);
    return status;
}

static corm_status read_csv(import_plan *plan, corm_str record, uint64_t line, base_arena *arena,
                            corm_error *err) {
    stream_field *fields;
    uint32_t      count;
    corm_error    why = { 0 };
    corm_status   status =
        stream__csv_split(record, plan->options.delimiter, arena, &fields, &count, &why);
    if (status != CORM_OK)
        return base__fail_at(err, status, (uint32_t)line + why.line, why.column, "%s", why.message);
    if (count != plan->field_count)
        return base__fail_at(err, CORM_INVALID, (uint32_t)line, 1,
                             "the record has %u fields, not %u", count, plan->field_count);
    for (uint32_t i = 0; i < count; i++) {
        if (plan->fields[i] == CLI_NO_COLUMN) continue;
        uint32_t marker = plan->fields[i];
        status = stream__csv_read_value(plan->types[marker], &fields[i], plan->options.null_text,
                                        arena, &plan->values[marker], &why);
        if (status == CORM_NO_MEMORY) return base__fail_memory(err);
        if (status != CORM_OK)
            return refuse_value(plan, plan->fields[i], line + fields[i].line, fields[i].column,
                                &why, err);
    }
    return CORM_OK;
}

static corm_status read_member(import_plan *plan, const stream_member *member, uint64_t line,
                               base_arena *arena, corm_error *err) {
    corm_error why = { 0 };
    uint32_t   column = cli__column_named(plan->table, member->name);
    if (column == CLI_NO_COLUMN && plan->options.ignore_unknown) return CORM_OK;
    if (column == CLI_NO_COLUMN) {
        cli__no_such_column(plan->table, member->name, &why);
        return base__fail_at(err, CORM_INVALID, (uint32_t)line, member->column, "%s", why.message);
    }
    uint32_t marker = plan->markers[column];
    if (marker == CLI_NO_COLUMN) return CORM_OK;
    corm_status status =
        convert(plan->types[marker], member->value, arena, &plan->values[marker], &why);
    if (status == CORM_NO_MEMORY) return base__fail_memory(err);
    if (status != CORM_OK) return refuse_value(plan, marker, line, member->column, &why, err);
    if (cql__is_null(plan->values[marker]) && !plan->options.write_nulls)
        plan->values[marker] = CQL_UNSET;
    return CORM_OK;
}

static corm_status read_json(import_plan *plan, corm_str record, uint64_t line, base_arena *arena,
                             corm_error *err) {
    stream_member *members;
    uint32_t       count;
    corm_error     why = { 0 };
    corm_status    status = stream__json_split(record, arena, &members, &count, &why);
    if (status != CORM_OK)
        return base__fail_at(err, status, (uint32_t)line, why.column, "%s", why.message);
    for (uint32_t i = 0; i < count; i++) CORM_TRY(read_member(plan, &members[i], line, arena, err));
    return CORM_OK;
}

/* ---- binding ---- */

/* Whether the record is that of a partition without rows. */
static bool is_static_only(const import_plan *plan) {
    if (!plan->static_statement) return false;
    for (uint32_t i = 0; i < plan->count; i++)
        if (!is_static_part(column_of(plan, i)) && !cql__is_null(plan->values[i])) return false;
    return true;
}

static corm_status check_key_values(const import_plan *plan, uint64_t line, bool only_static,
                                    corm_error *err) {
    for (uint32_t i = 0; i < plan->count; i++) {
        const corm_column_info *column = column_of(plan, i);
        if (!is_key(column) || (only_static && column->key != CORM_PARTITION)) continue;
        if (cql__is_null(plan->values[i]))
            return base__fail_at(err, CORM_INVALID, (uint32_t)line, 1,
                                 "column %s (%s): it belongs to the primary key and has no value",
                                 column->name, column->type);
    }
    return CORM_OK;
}

static corm_status bind_value(corm_statement *statement, uint32_t index, cql_value value,
                              corm_error *err) {
    static const uint8_t nothing[1];
    if (value.len == -2) return CORM_OK;
    corm_bytes bytes = { value.len < 0 ? NULL : value.data, value.len < 0 ? 0 : (size_t)value.len };
    if (value.len == 0) bytes.data = nothing;
    return corm_statement_bind_bytes(statement, index, bytes, err);
}

static corm_status bind_all(const import_plan *plan, bool only_static, corm_error *err) {
    corm_statement *statement = only_static ? plan->static_statement : plan->statement;
    uint32_t        at = 0;
    corm_statement_reset(statement);
    for (uint32_t i = 0; i < plan->count; i++) {
        uint32_t marker = plan->order[i];
        if (only_static && !is_static_part(column_of(plan, marker))) continue;
        CORM_TRY(bind_value(statement, at++, plan->values[marker], err));
    }
    return CORM_OK;
}

corm_status cli__plan_bind(import_plan *plan, corm_str record, uint64_t line, base_arena *arena,
                           corm_statement **bound, corm_error *err) {
    for (uint32_t i = 0; i < plan->count; i++) plan->values[i] = CQL_UNSET;
    CORM_TRY(plan->options.format == CLI_FORMAT_CSV ? read_csv(plan, record, line, arena, err)
                                                    : read_json(plan, record, line, arena, err));
    bool only_static = is_static_only(plan);
    CORM_TRY(check_key_values(plan, line, only_static, err));
    *bound = only_static ? plan->static_statement : plan->statement;
    return bind_all(plan, only_static, err);
}
