// SPDX-License-Identifier: MIT
/* A program whose store, rules and plugins are said in one file: docs/plugins.md, docs/config.md. */
#include <corm/corm.h>
#include <stdio.h>
#include <stdlib.h>

static corm_error err;

static void must(corm_status status) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s\n", corm_status_name(status), err.message);
    exit(1);
}

/* ---- a plugin of the program itself ---- */

static corm_status begin_clock(corm_plugin_host *host, void **state, corm_error *error) {
    (void)host, (void)error;
    *state = NULL;
    printf("clock: begins\n");
    return CORM_OK;
}

static void end_clock(corm_plugin_host *host, void *state) {
    (void)host, (void)state;
    printf("clock: ends\n");
}

static const corm_plugin clock_plugin = { .abi = CORM_PLUGIN_ABI,
                                          .name = "clock",
                                          .version = "1.2.0",
                                          .initialize = begin_clock,
                                          .cleanup = end_clock };

/* ---- the program's rows ---- */

typedef struct user {
    int32_t id;
    char    name[32];
} user;

#define COL(member) CORM_COLUMN(user, member)
static const corm_model users = {
    .table = "users",
    .row_size = sizeof(user),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) } },
};
#undef COL

static const char settings[] =
    "{ \"uri\": \"corm::memory:\","
    "  \"session\": { \"keyspace\": \"shop\", \"create_keyspace\": true },"
    "  \"guard\": { \"enabled\": true, \"refused\": [\"truncate\"] },"
    "  \"plugins\": { \"audit\": { \"library\": \"" CORM_EXAMPLE_PLUGINS "/audit_plugin.so\","
    "                            \"config\": { \"table\": \"changes\" } } } }";

int main(void) {
    corm_config              *config;
    corm_db                  *db;
    corm_plugins             *plugins;
    const corm_config_options how = { .file = "settings", .text = settings };
    must(corm_config_read(&config, &how, &err));
    must(corm_config_open(&db, config, &err));
    must(corm_plugins_open(&plugins, db, &err));
    must(corm_config_load_plugins(config, plugins, &err));
    must(corm_plugins_add(plugins, &clock_plugin, NULL, &err));
    must(corm_plugins_start(plugins, &err));

    user u = { 1, "Ada" };
    must(corm_insert(db, &users, &u, { .error = &err }));
    must(corm_delete(db, &users, &u, { .error = &err }));

    corm_feature_result result = corm_plugins_call(plugins, "audit", "entries", NULL);
    must(result.status);
    printf("the audit has %llu entries in '%s'\n", *(unsigned long long *)result.data,
           result.metadata[1].value);
    corm_result *rows;
    must(corm_execute(corm_db_session(db), "SELECT what FROM changes WHERE subject = 'users'",
                      &rows, { .error = &err }));
    for (const corm_row *row; (row = corm_result_next(rows));) {
        corm_str what = corm_row_text(row, 0);
        printf("users: %.*s\n", (int)what.len, what.data);
    }
    corm_result_free(rows);
    if (corm_execute(corm_db_session(db), "TRUNCATE users", NULL, { .error = &err }) == CORM_OK) {
        return 1;
    }
    printf("%s\n", err.message);
    corm_plugins_close(plugins);
    corm_db_close(db);
    corm_config_free(config);
    return 0;
}
