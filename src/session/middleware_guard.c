// SPDX-License-Identifier: MIT
/* middleware_guard.c -- refuses requests by rules: classes of statements, tables, filtering, reads of everything, literals. The rules
 * are copied; reading them takes no lock. Any thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/middleware.h"

enum { MOST_TABLES = 32 };

typedef struct guard {
    corm_guard_options rules; /* its names are in the arena */
    base_arena         arena;
} guard;

static const struct {
    uint32_t    statement_class;
    const char *name;
} classes[] = {
    { CORM_STATEMENT_SELECT, "SELECT" }, { CORM_STATEMENT_INSERT, "INSERT" },
    { CORM_STATEMENT_UPDATE, "UPDATE" }, { CORM_STATEMENT_DELETE, "DELETE" },
    { CORM_STATEMENT_BATCH, "BATCH" },   { CORM_STATEMENT_TRUNCATE, "TRUNCATE" },
    { CORM_STATEMENT_SCHEMA, "schema" }, { CORM_STATEMENT_ROLES, "role" },
    { CORM_STATEMENT_USE, "USE" },       { CORM_STATEMENT_OTHER, "LIST and DESCRIBE" },
};

static const char *class_name(uint32_t statement_class) {
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (classes[i].statement_class == statement_class) return classes[i].name;
    }
    return "unknown";
}

/* "keyspace.table", "keyspace.*", "table", "*" */
static bool names_table(const char *pattern, const corm_statement_info *info) {
    const char *dot = strchr(pattern, '.');
    corm_str    table = corm_str_of(dot ? dot + 1 : pattern);
    if (dot) {
        corm_str keyspace = { pattern, (size_t)(dot - pattern) };
        if (!corm_str_equal(keyspace, info->keyspace)) return false;
    }
    return corm_str_equal(table, corm_str_of("*")) || corm_str_equal(table, info->table);
}

static bool is_among(const char *const *patterns, const corm_statement_info *info) {
    for (uint32_t i = 0; i < MOST_TABLES && patterns[i]; i++) {
        if (names_table(patterns[i], info)) return true;
    }
    return false;
}

/* What drivers, and Corm itself, read to know the schema. */
static bool reads_system(const corm_statement_info *info) {
    static const char *const systems[] = { "system", "system_schema", "system_virtual_schema" };
    if (info->statement_class != CORM_STATEMENT_SELECT) return false;
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        if (corm_str_equal(info->keyspace, corm_str_of(systems[i]))) return true;
    }
    return false;
}

static corm_status refuse(corm_error *err, const char *what, const corm_statement_info *info) {
    return base__fail(err, CORM_UNAUTHORIZED, "the guard refuses %s: '%.*s%s%.*s'", what,
                      (int)info->keyspace.len, info->keyspace.data, info->keyspace.len ? "." : "",
                      (int)info->table.len, info->table.data);
}

static corm_status check_class(const corm_guard_options *rules, const corm_statement_info *info,
                               corm_error *err) {
    if (info->statement_class == 0) {
        return base__fail(err, CORM_UNAUTHORIZED,
                          "the guard refuses what it cannot read as a statement");
    }
    if (!(rules->refused & (uint32_t)info->statement_class)) return CORM_OK;
    return base__fail(err, CORM_UNAUTHORIZED, "the guard refuses %s statements",
                      class_name(info->statement_class));
}

static corm_status check_table(const corm_guard_options *rules, const corm_statement_info *info,
                               corm_error *err) {
    if (info->table.len == 0 || reads_system(info)) return CORM_OK;
    if (is_among(rules->refused_tables, info)) return refuse(err, "this table", info);
    if (!rules->tables[0] || is_among(rules->tables, info)) return CORM_OK;
    return refuse(err, "tables that are not listed", info);
}

static bool takes_literals(const corm_statement_info *info) {
    return (info->statement_class & (CORM_STATEMENT_SELECT | CORM_STATEMENT_WRITES)) == 0;
}

static corm_status check_shape(const corm_guard_options *rules, const corm_statement_info *info,
                               corm_error *err) {
    if (rules->no_filtering && info->allow_filtering) return refuse(err, "ALLOW FILTERING", info);
    if (reads_system(info)) return CORM_OK;
    if (rules->no_unbounded_reads && info->is_unbounded) {
        return refuse(err, "a SELECT without WHERE and LIMIT", info);
    }
    if (rules->no_literals && info->has_literals && !takes_literals(info)) {
        return refuse(err, "literals where markers could be", info);
    }
    return CORM_OK;
}

static corm_status check_statement(const corm_request *request, uint32_t index,
                                   const corm_guard_options *rules, corm_error *err) {
    corm_statement_info info;
    if (!corm_request_statement(request, index, &info)) return base__fail_memory(err);
    CORM_TRY(check_class(rules, &info, err));
    CORM_TRY(check_table(rules, &info, err));
    return check_shape(rules, &info, err);
}

static corm_status check_batch(const corm_request *request, const corm_guard_options *rules,
                               corm_error *err) {
    if (rules->refused & CORM_STATEMENT_BATCH) {
        return base__fail(err, CORM_UNAUTHORIZED, "the guard refuses BATCH statements");
    }
    if (rules->most_statements == 0 || request->statement_count <= rules->most_statements) {
        return CORM_OK;
    }
    return base__fail(err, CORM_UNAUTHORIZED,
                      "the guard refuses batches of more than %u statements: %u",
                      rules->most_statements, request->statement_count);
}

static corm_status begin(corm_request *request, void *context, corm_error *err) {
    const guard *self = context;
    if (request->kind == CORM_REQUEST_BATCH) CORM_TRY(check_batch(request, &self->rules, err));
    for (uint32_t i = 0; i < request->statement_count; i++) {
        CORM_TRY(check_statement(request, i, &self->rules, err));
    }
    return CORM_OK;
}

static corm_status out_of_memory(corm_request *request, void *context, corm_error *err) {
    (void)request, (void)context;
    return base__fail_memory(err);
}

static void release(void *context) {
    guard *self = context;
    if (self) base__arena_free(&self->arena);
    free(self);
}

static bool copy_names(base_arena *arena, const char **names) {
    for (uint32_t i = 0; i < MOST_TABLES && names[i]; i++) {
        names[i] = base__arena_str(arena, corm_str_of(names[i])).data;
        if (!names[i]) return false;
    }
    return true;
}

static guard *new_guard(const corm_guard_options *options) {
    guard *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    if (options) self->rules = *options;
    if (copy_names(&self->arena, self->rules.tables) &&
        copy_names(&self->arena, self->rules.refused_tables)) {
        return self;
    }
    release(self);
    return NULL;
}

/* Without memory for the rules nothing goes through. */
corm_middleware corm_guard_middleware(const corm_guard_options *options) {
    guard *self = new_guard(options);
    return (corm_middleware){
        .name = "guard", .begin = self ? begin : out_of_memory, .release = release, .context = self
    };
}
