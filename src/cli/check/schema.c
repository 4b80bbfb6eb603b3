// SPDX-License-Identifier: MIT
/* schema.c -- where the schema comes from that the files begin with: a file, or what a folder or a cluster describes of itself. */
#include <sys/stat.h>

#include "base/fail.h"
#include "cli/check/check.h"
#include "corm/schema.h"
#include "session/door.h"

bool check__is_uri(const char *name) {
    return strncmp(name, "corm:", 5) == 0 || strstr(name, "://") != NULL;
}

corm_status check__add_file(check_workspace *w, const char *path, bool is_schema, corm_error *err) {
    corm_str    text;
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return base__fail(err, CORM_IO, "%s is a folder; a store's URI is corm:%s", path, path);
    CORM_TRY(check__read(&w->arena, path, &text, err));
    check__add_text(w, strcmp(path, "-") == 0 ? "<stdin>" : path, text, is_schema, false);
    return CORM_OK;
}

/* Appends the statements of one keyspace. */
static corm_status describe(corm_session *session, corm_str keyspace, base_buf *out,
                            corm_error *err) {
    base_buf             cql = { 0 };
    corm_result         *result = NULL;
    const corm_row      *row;
    corm_execute_options options = { .error = err };
    base__buf_puts(&cql, "DESCRIBE KEYSPACE ");
    cql__put_name(&cql, keyspace);
    const char *text = base__buf_cstr(&cql);
    corm_status status =
        text ? corm_execute_with(session, text, &options, &result) : base__fail_memory(err);
    int column = status == CORM_OK ? corm_result_column_index(result, "create_statement") : -1;
    while (status == CORM_OK && (status = corm_result_step(result, &row, err)) == CORM_OK && row) {
        base__buf_put_str(out, corm_row_text(row, (uint32_t)column));
        base__buf_puts(out, "\n\n");
    }
    corm_result_free(result);
    base__buf_free(&cql);
    return status;
}

static bool is_system(corm_str keyspace) {
    return corm_str_equal(keyspace, corm_str_of("system")) ||
           (keyspace.len > 7 && memcmp(keyspace.data, "system_", 7) == 0);
}

static corm_status describe_all(corm_session *session, base_buf *out, corm_error *err) {
    const char *const *names;
    uint32_t           count;
    CORM_TRY(corm_keyspaces(session, &names, &count, err));
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < count && status == CORM_OK; i++)
        if (!is_system(corm_str_of(names[i])))
            status = describe(session, corm_str_of(names[i]), out, err);
    corm_names_free(names);
    return status == CORM_OK ? base__buf_status(out, err) : status;
}

static corm_status add_store(check_workspace *w, const char *uri, corm_error *err) {
    corm_session        *session;
    base_buf             text = { 0 };
    bool                 is_folder = strncmp(uri, "corm:", 5) == 0;
    corm_session_options options = { .must_exist = is_folder, .read_only = is_folder };
    const char          *shown = session__uri_shown(&w->arena, uri);
    CORM_TRY(corm_session_open(&session, uri, &options, err));
    corm_status status = w->given_keyspace.len ? describe(session, w->given_keyspace, &text, err)
                                               : describe_all(session, &text, err);
    if (status == CORM_OK) status = base__buf_status(&text, err);
    corm_session_close(session);
    corm_str kept =
        status == CORM_OK ? base__arena_str(&w->arena, base__buf_str(&text)) : (corm_str){ 0 };
    base__buf_free(&text);
    if (status != CORM_OK) return status;
    if (!kept.data || !shown) return base__fail_memory(err);
    check__add_text(w, shown, kept, true, true);
    return CORM_OK;
}

corm_status check__add_schema(check_workspace *w, const char *name, corm_error *err) {
    return check__is_uri(name) ? add_store(w, name, err) : check__add_file(w, name, true, err);
}
