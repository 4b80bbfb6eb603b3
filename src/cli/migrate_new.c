// SPDX-License-Identifier: MIT
/* migrate_new.c -- `corm migrate new` and `diff`: a file for the next migration, what is wanted of a schema; and the table of
 * `status`. One thread. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/migrate.h"
#include "stream/input.h"

/* ---- what is wanted ---- */

static corm_status read_schema(const migrate_values *values, base_buf *out, corm_error *err) {
    if (!values->schema) return CORM_OK;
    corm_status status = stream__read_whole_file(values->schema, out, err);
    return status == CORM_OK ? base__buf_status(out, err) : status;
}

static corm_status diff(const migrate_values *values, corm_session *session, char **script,
                        corm_error *err) {
    const corm_model *const *models = NULL;
    base_buf                 schema = { 0 };
    corm_status              status = read_schema(values, &schema, err);
    if (status == CORM_OK && values->models)
        status = corm_models_read(values->models, &models, err);
    if (status == CORM_OK)
        status = corm_schema_diff(session, values->keyspace, base__buf_str(&schema), models,
                                  values->with_drops, script, err);
    corm_models_free(models);
    base__buf_free(&schema);
    return status;
}

int cli__migrate_diff_text(const migrate_values *values, corm_session *session, char **script) {
    corm_error error = { 0 };
    if (!values->schema && !values->models) {
        fputs("corm migrate: say what is wanted: --schema FILE or --models FILE\n", stderr);
        return CLI_USAGE;
    }
    return diff(values, session, script, &error) == CORM_OK ? CLI_OK : cli__migrate_fail(&error);
}

/* ---- a new file ---- */

/* The number behind the highest in the directory, and how many digits it is written with. */
static void next_number(const char *dir, unsigned long *number, int *digits) {
    DIR *folder = opendir(dir);
    *number = 1;
    *digits = 4;
    if (!folder) return;
    bool first = true;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char         *end;
        unsigned long found = strtoul(entry->d_name, &end, 10);
        if (end == entry->d_name || !strstr(entry->d_name, ".cql")) continue;
        if (found >= *number || first) *digits = (int)(end - entry->d_name);
        if (found >= *number) *number = found + 1;
        first = false;
    }
    closedir(folder);
}

static bool is_plain(const char *name) {
    if (!*name) return false;
    for (const char *at = name; *at; at++)
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
              (*at >= '0' && *at <= '9') || *at == '_' || *at == '-'))
            return false;
    return true;
}

static int write_file(const char *path, const char *name, const char *up) {
    FILE *file = fopen(path, "wx");
    bool  ok = file && fprintf(file, "-- %s\n\n-- up\n%s", name, up ? up : "") > 0;
    if (file && fclose(file) != 0) ok = false;
    if (ok) {
        printf("%s\n", path);
        return CLI_OK;
    }
    fprintf(stderr, "corm migrate: %s: %s\n", path, strerror(errno));
    return CLI_FAILED;
}

static int make_file(const migrate_values *values, const char *name, const char *up) {
    const char   *dir = values->dir ? values->dir : "migrations";
    char          path[4096];
    unsigned long number;
    int           digits;
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "corm migrate: %s: %s\n", dir, strerror(errno));
        return CLI_FAILED;
    }
    next_number(dir, &number, &digits);
    snprintf(path, sizeof path, "%s/%0*lu_%s.cql", dir, digits, number, name);
    return write_file(path, name, up);
}

int cli__migrate_new(const migrate_values *values, const cli_operands *operands) {
    corm_session *session;
    char         *up = NULL;
    const char   *name = operands->count > 1 ? operands->items[1] : "";
    if (!is_plain(name)) {
        fputs(
            "corm migrate: NAME is missing, or has other characters than letters, digits, _ and -\n",
            stderr);
        return CLI_USAGE;
    }
    if (operands->count > 2) {
        int code = cli__migrate_open(values, operands->items[2], &session);
        if (code != CLI_OK) return code;
        code = cli__migrate_diff_text(values, session, &up);
        corm_session_close(session);
        if (code != CLI_OK) return code;
    }
    int code = make_file(values, name, up);
    free(up);
    return code;
}

/* ---- the table of status ---- */

static const char *const states[] = {
    [CORM_MIGRATION_PENDING] = "pending",   [CORM_MIGRATION_APPLYING] = "applying",
    [CORM_MIGRATION_APPLIED] = "applied",   [CORM_MIGRATION_UNDOING] = "undoing",
    [CORM_MIGRATION_BASELINE] = "baseline",
};

static void put_time(corm_timestamp time, base_buf *out) {
    char text[40] = "";
    if (time.ms != 0) corm_timestamp_format(time, text);
    base__buf_puts(out, text);
}

static void put_json(const corm_migration_info *item, base_buf *out) {
    base__buf_puts(out, "{\"id\": ");
    base__put_json_string(out, corm_str_of(item->id));
    base__buf_puts(out, ", \"description\": ");
    base__put_json_string(out, corm_str_of(item->description));
    base__buf_printf(out, ", \"state\": \"%s\", \"changed\": %s, \"missing\": %s",
                     states[item->state], item->changed ? "true" : "false",
                     item->missing ? "true" : "false");
    base__buf_printf(out, ", \"step\": %u, \"steps\": %u, \"checksum\": \"%s\"", item->step,
                     item->steps, item->checksum);
    base__buf_puts(out, ", \"finished_at\": \"");
    put_time(item->finished_at, out);
    base__buf_puts(out, "\", \"host\": ");
    base__put_json_string(out, corm_str_of(item->host));
    base__buf_puts(out, ", \"failure\": ");
    if (item->failure)
        base__put_json_string(out, corm_str_of(item->failure));
    else
        base__buf_puts(out, "null");
    base__buf_puts(out, "}\n");
}

static void put_line(const corm_migration_info *item, base_buf *out) {
    base__buf_printf(out, "%-9s %s", states[item->state], item->id);
    if (item->description[0]) base__buf_printf(out, "  %s", item->description);
    if (item->state == CORM_MIGRATION_APPLYING || item->state == CORM_MIGRATION_UNDOING)
        base__buf_printf(out, "  (step %u of %u, %s)", item->step + 1, item->steps, item->host);
    if (item->missing) base__buf_puts(out, "  (there is no such file)");
    if (item->changed) base__buf_puts(out, "  (changed since)");
    base__buf_u8(out, '\n');
    if (item->failure) base__buf_printf(out, "          %s\n", item->failure);
}

int cli__migrate_print_status(const corm_migration_list *list, bool json) {
    base_buf out = { 0 };
    for (uint32_t i = 0; i < list->count; i++) (json ? put_json : put_line)(&list->items[i], &out);
    bool ok = !out.failed && (out.len == 0 || fwrite(out.data, 1, out.len, stdout) == out.len);
    base__buf_free(&out);
    return ok ? CLI_OK : CLI_FAILED;
}
