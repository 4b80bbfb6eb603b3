// SPDX-License-Identifier: MIT
/* models.c -- makes a keyspace in an empty store by the models that `corm generate models` made, twice over. Built and run by
 * tests/generate/run, which compares the schemas. */
#include <stdio.h>

#include "g_models.h"

int main(int argc, char **argv) {
    corm_error err = { 0 };
    corm_db   *db;
    if (argc != 2) return 2;
    if (corm_open(&db, argv[1],
                  { .session = { .keyspace = "g", .create_keyspace = true }, .error = &err }) !=
            CORM_OK ||
        g_models_load(db, &err) != CORM_OK || g_models_load(db, &err) != CORM_OK) {
        fprintf(stderr, "%s: %s\n", corm_status_name(err.status), err.message);
        return 1;
    }
    corm_db_close(db);
    return 0;
}
