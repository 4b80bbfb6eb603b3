// SPDX-License-Identifier: MIT
/* tenant.c -- the command `corm tenant`: tenants of a keyspace made, listed, suspended, resumed, dropped, migrated. One thread. */
#include "corm/tenant.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cql/parser.h"

enum { MOST = 256, SCRIPT_BYTES = 16 << 20 };

typedef struct tenant_values {
    const char *keyspace, *strategy, *column, *table, *shared, *attributes, *schema, *migrations;
    int64_t     most;
    bool        json;
} tenant_values;

static const char *const strategies[] = { "keyspace", "prefix", "column", NULL };
static const char *const states[] = { "creating", "active", "suspended", "dropping" };

#define OPTION(name) offsetof(tenant_values, name)
static const cli_option tenant_options[] = {
    { "keyspace", 'k', CLI_TEXT, OPTION(keyspace), "NAME",
      "what tenants see, with the catalogue; default: the URI's", 0, 0, NULL },
    { "strategy", 's', CLI_CHOICE, OPTION(strategy), "NAME",
      "keyspace (the default), prefix or column", 0, 0, strategies },
    { "column", 0, CLI_TEXT, OPTION(column), "NAME", "of the column strategy; default: tenant_id",
      0, 0, NULL },
    { "table", 0, CLI_TEXT, OPTION(table), "NAME", "the catalogue; default: tenants", 0, 0, NULL },
    { "shared", 0, CLI_TEXT, OPTION(shared), "NAMES", "tables that all tenants share, by commas", 0,
      0, NULL },
    { "attributes", 'a', CLI_TEXT, OPTION(attributes), "LIST", "create: name=value, by commas", 0,
      0, NULL },
    { "schema", 0, CLI_TEXT, OPTION(schema), "FILE", "create: statements that a tenant begins with",
      0, 0, NULL },
    { "migrations", 0, CLI_TEXT, OPTION(migrations), "FOLDER",
      "create, migrate: migrations of a tenant", 0, 0, NULL },
    { "most", 0, CLI_NUMBER, OPTION(most), "N",
      "drop: partitions or tables at a time; default: 10000", 1, INT32_MAX, NULL },
    { "json", 0, CLI_FLAG, OPTION(json), NULL, "list: one object a line", 0, 0, NULL },
};
#undef OPTION

static int fail(const corm_error *error) {
    fprintf(stderr, "corm tenant: %s\n", error->message);
    return CLI_FAILED;
}

/* ---- lists in options ---- */

/* Cuts the text at commas, in a copy that the arena has. */
static uint32_t cut(base_arena *arena, const char *text, const char *items[MOST]) {
    uint32_t count = 0;
    char    *copy = (char *)(uintptr_t)base__arena_str(arena, corm_str_of(text)).data;
    for (char *end; copy && *copy && count < MOST; copy = end) {
        end = copy + strcspn(copy, ",");
        if (*end) *end++ = '\0';
        items[count++] = copy;
    }
    return count;
}

static uint32_t cut_attributes(base_arena *arena, const char *text,
                               corm_tenant_attribute out[MOST]) {
    const char *items[MOST];
    uint32_t    count = cut(arena, text, items);
    for (uint32_t i = 0; i < count; i++) {
        char *equals = strchr((char *)(uintptr_t)items[i], '=');
        if (equals) *equals = '\0';
        out[i] = (corm_tenant_attribute){ items[i], equals ? equals + 1 : "" };
    }
    return count;
}

/* The statements of a script. */
static uint32_t cut_script(base_arena *arena, corm_str script, const char *items[MOST]) {
    uint32_t count = 0;
    corm_str statement;
    bool     complete;
    while (count < MOST && cql__split(script, &statement, &script, &complete, NULL)) {
        items[count] = base__arena_str(arena, statement).data;
        if (items[count]) count++;
    }
    return count;
}

/* ---- actions ---- */

static void print_text(const corm_tenant_info *info) {
    printf("%-24s%s", info->id, states[info->state]);
    for (uint32_t i = 0; i < info->attribute_count; i++) {
        printf("%s%s=%s", i ? " " : "  ", info->attributes[i].name, info->attributes[i].value);
    }
    putchar('\n');
}

static void print_json(const corm_tenant_info *info) {
    base_buf out = { 0 };
    base__buf_puts(&out, "{\"id\": ");
    base__put_json_string(&out, corm_str_of(info->id));
    base__buf_printf(&out, ", \"state\": \"%s\", \"attributes\": {", states[info->state]);
    for (uint32_t i = 0; i < info->attribute_count; i++) {
        if (i > 0) base__buf_puts(&out, ", ");
        base__put_json_string(&out, corm_str_of(info->attributes[i].name));
        base__buf_puts(&out, ": ");
        base__put_json_string(&out, corm_str_of(info->attributes[i].value));
    }
    base__buf_puts(&out, "}}");
    if (!out.failed) puts(base__buf_cstr(&out));
    base__buf_free(&out);
}

static int list(corm_tenants *tenants, const tenant_values *values, const char *id) {
    corm_tenant_list *all;
    corm_error        err = { 0 };
    (void)id;
    if (corm_tenant_list_read(tenants, &all, &err) != CORM_OK) return fail(&err);
    for (uint32_t i = 0; i < all->count; i++) {
        if (values->json) {
            print_json(&all->items[i]);
        } else {
            print_text(&all->items[i]);
        }
    }
    corm_tenant_list_free(all);
    return CLI_OK;
}

static int create(corm_tenants *tenants, const tenant_values *values, const char *id) {
    corm_tenant_attribute      attributes[MOST];
    base_arena                 arena = { 0 };
    corm_error                 err = { 0 };
    corm_tenant_create_options options = { .attributes = attributes, .error = &err };
    if (values->attributes)
        options.attribute_count = cut_attributes(&arena, values->attributes, attributes);
    corm_status status = corm_tenant_create(tenants, id, &options);
    base__arena_free(&arena);
    return status == CORM_OK ? CLI_OK : fail(&err);
}

static int suspend(corm_tenants *tenants, const tenant_values *values, const char *id) {
    corm_error err = { 0 };
    (void)values;
    return corm_tenant_suspend(tenants, id, &err) == CORM_OK ? CLI_OK : fail(&err);
}

static int resume(corm_tenants *tenants, const tenant_values *values, const char *id) {
    corm_error err = { 0 };
    (void)values;
    return corm_tenant_resume(tenants, id, &err) == CORM_OK ? CLI_OK : fail(&err);
}

static int drop(corm_tenants *tenants, const tenant_values *values, const char *id) {
    corm_error err = { 0 };
    bool       done = false;
    while (!done) {
        uint32_t most = values->most ? (uint32_t)values->most : 10000;
        if (corm_tenant_drop(tenants, id, most, &done, &err) != CORM_OK) return fail(&err);
    }
    return CLI_OK;
}

static int migrate(corm_tenants *tenants, const tenant_values *values, const char *id) {
    corm_error           err = { 0 };
    uint64_t             applied;
    corm_migrate_options options = { .error = &err };
    const char          *dir = values->migrations ? values->migrations : "migrations";
    (void)id;
    if (corm_tenants_migrate(tenants, dir, &options, &applied) != CORM_OK) return fail(&err);
    printf("%llu applied\n", (unsigned long long)applied);
    return CLI_OK;
}

static const struct action {
    const char *name;
    bool        needs_id;
    int (*run)(corm_tenants *tenants, const tenant_values *values, const char *id);
} actions[] = {
    { "list", false, list },    { "create", true, create }, { "suspend", true, suspend },
    { "resume", true, resume }, { "drop", true, drop },     { "migrate", false, migrate },
};

/* ---- opened ---- */

static void choose_strategy(const tenant_values *values, corm_tenants_options *options) {
    for (int i = 0; strategies[i]; i++) {
        if (values->strategy && strcmp(values->strategy, strategies[i]) == 0)
            options->strategy = (corm_tenant_strategy)i;
    }
}

static int with_tenants(const struct action *action, const tenant_values *values,
                        corm_session *session, const char *id, corm_str script, base_arena *arena) {
    const char          *shared[MOST], *statements[MOST];
    corm_error           err = { 0 };
    corm_tenants        *tenants;
    corm_tenants_options options = { .keyspace = values->keyspace,
                                     .column = values->column,
                                     .table = values->table,
                                     .migrations =
                                         action->run == create ? values->migrations : NULL,
                                     .shared = shared,
                                     .schema = statements,
                                     .error = &err };
    choose_strategy(values, &options);
    if (values->shared) options.shared_count = cut(arena, values->shared, shared);
    options.schema_count = cut_script(arena, script, statements);
    if (corm_tenants_open(&tenants, session, &options) != CORM_OK) return fail(&err);
    int code = action->run(tenants, values, id);
    corm_tenants_close(tenants);
    return code;
}

static int run_action(const struct action *action, const tenant_values *values,
                      corm_session *session, const char *id) {
    base_arena arena = { 0 };
    base_buf   script = { 0 };
    corm_error err = { 0 };
    int        code;
    if (values->schema && base__read_file(values->schema, SCRIPT_BYTES, &script, &err) != CORM_OK) {
        code = fail(&err);
    } else {
        code = with_tenants(action, values, session, id, base__buf_str(&script), &arena);
    }
    base__buf_free(&script);
    base__arena_free(&arena);
    return code;
}

static int run_tenant(const void *options, const cli_operands *operands) {
    const tenant_values *values = options;
    const struct action *action = NULL;
    corm_session        *session;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, operands->items[0]) == 0) action = &actions[i];
    }
    if (!action || operands->count != (action->needs_id ? 3u : 2u)) {
        fprintf(stderr,
                action ? "corm tenant: '%s' needs %s\nTry 'corm help tenant'.\n"
                       : "corm tenant: there is no action '%s'\nTry 'corm help tenant'.\n",
                operands->items[0],
                action && action->needs_id ? "a URI and a tenant" : "a URI and nothing else");
        return CLI_USAGE;
    }
    int code = cli__open_session("tenant", operands->items[1],
                                 &(corm_session_options){ .must_exist = true }, &session);
    if (code != CLI_OK) return code;
    code = run_action(action, values, session, operands->count > 2 ? operands->items[2] : NULL);
    corm_session_close(session);
    return code;
}

const cli_command cli__tenant_command = {
    .name = "tenant",
    .operands = "ACTION [URI] [TENANT]",
    .summary = "Makes, lists, suspends and drops tenants of a keyspace",
    .more = "  corm tenant list URI             the tenants, their states and attributes\n"
            "  corm tenant create URI TENANT    makes one, with --schema and --migrations\n"
            "  corm tenant suspend URI TENANT   its calls are refused from now on\n"
            "  corm tenant resume URI TENANT    and taken again\n"
            "  corm tenant drop URI TENANT      removes it with all its rows\n"
            "  corm tenant migrate URI          applies --migrations to every tenant\n"
            "\n"
            "Strategy, column, table and shared tables are those of the program whose tenants\n"
            "they are.\n",
    .options = tenant_options,
    .option_count = sizeof tenant_options / sizeof *tenant_options,
    .values_size = sizeof(tenant_values),
    .run = run_tenant,
};
