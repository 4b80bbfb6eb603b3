// SPDX-License-Identifier: MIT
/* main.c -- the specification's schema evolution: a migration in C with a column, an index and a validation, between two in
 * files (docs/migrations.md). */
#include <corm/corm.h>
#include <stdio.h>
#include <stdlib.h>

/* A step of the program's own. It does no harm when it runs twice. */
static corm_status write_preferences(corm_session *session, void *context, corm_error *err) {
    (void)context;
    return corm_execute(session, "UPDATE users SET preferences = {'theme': 'dark'} WHERE id = 1",
                        NULL, { .error = err });
}

/* Custom validation: not CORM_OK means that the migration did not do what it should. */
static corm_status preferences_are_there(corm_session *session, void *context, corm_error *err) {
    (void)context;
    corm_result *result;
    corm_status  status = corm_execute(session, "SELECT preferences FROM users WHERE id = 1",
                                       &result, { .error = err });
    if (status != CORM_OK) return status;
    const corm_row *row = corm_result_next(result);
    if (!row || corm_row_is_null(row, 0)) status = CORM_VALIDATION;
    corm_result_free(result);
    return status;
}

static const corm_changeset preferences = {
    .id = "0002_add_user_preferences",
    .description = "Add preferences column",
    .up = {
        CORM_ADD_COLUMN("users", "preferences", "map<text, text>"),
        CORM_CREATE_INDEX("users_prefs_idx", "users", "preferences"),
        CORM_CALL(write_preferences, NULL),
    },
    .down = {
        CORM_DROP_INDEX("users_prefs_idx"),
        CORM_DROP_COLUMN("users", "preferences"),
    },
    .validate = preferences_are_there,
};

static void tell(void *context, const char *text) {
    (void)context;
    printf("  %s\n", text);
}

static int failed(const corm_error *err) {
    fprintf(stderr, "%s: %s\n", corm_status_name(err->status), err->message);
    return 1;
}

static int migrate(corm_migrator *migrator, corm_error *err) {
    corm_migration_list *applied;
    corm_migrate_options options = { .error = err };
    if (corm_migrator_add(migrator, &preferences, err) != CORM_OK) return failed(err);
    corm_status status = corm_migrator_up(migrator, &applied, &options);
    printf("applied %u migrations\n", applied ? (unsigned)applied->count : 0);
    corm_migration_list_free(applied);
    return status == CORM_OK ? 0 : failed(err);
}

/* Takes the newest back: its way down is worked out from what it changed. */
static int take_back(corm_migrator *migrator, corm_error *err) {
    corm_migrate_options options = { .allow_destructive = true, .error = err };
    if (corm_migrator_down(migrator, NULL, &options) != CORM_OK) return failed(err);
    char *drift;
    if (corm_migrator_verify(migrator, &drift, err) != CORM_OK) return failed(err);
    printf("%s\n", *drift ? drift : "history and schema agree");
    free(drift);
    return 0;
}

int main(void) {
    corm_session         *session;
    corm_migrator        *migrator;
    corm_error            err = { 0 };
    corm_session_options  in = { .keyspace = "myapp", .create_keyspace = true };
    corm_migrator_options options = { .dir = CORM_EXAMPLE_DIR "/migrations", .notice = tell };
    if (corm_session_open(&session, "corm::memory:", &in, &err) != CORM_OK) return failed(&err);
    int code = 1;
    if (corm_migrator_open(&migrator, session, &options, &err) == CORM_OK) {
        code = migrate(migrator, &err);
        if (code == 0) code = take_back(migrator, &err);
        corm_migrator_close(migrator);
    } else {
        code = failed(&err);
    }
    corm_session_close(session);
    return code;
}
