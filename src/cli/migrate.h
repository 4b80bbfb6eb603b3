// SPDX-License-Identifier: MIT
/* migrate.h -- what the files of `corm migrate` share. */
#ifndef CLI_MIGRATE_H
#define CLI_MIGRATE_H

#include "cli/command.h"
#include "corm/migrate.h"

typedef struct migrate_values {
    const char *keyspace, *dir, *history, *to, *schema, *models;
    bool        allow_destructive, out_of_order, dry_run, with_drops, json;
    int64_t     wait;
} migrate_values;

/* The error on standard error; the exit code. */
int cli__migrate_fail(const corm_error *error);
int cli__migrate_open(const migrate_values *values, const char *uri, corm_session **out);

/* What makes the keyspace like --schema and --models. malloc'ed. The exit code. */
int cli__migrate_diff_text(const migrate_values *values, corm_session *session, char **script);
/* `corm migrate new`. */
int cli__migrate_new(const migrate_values *values, const cli_operands *operands);
int cli__migrate_print_status(const corm_migration_list *list, bool json);

#endif
