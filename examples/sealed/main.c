// SPDX-License-Identifier: MIT
/* A table of which the store sees only blobs where it matters: docs/sealed-columns.md. */
#include <corm/corm.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct patient {
    corm_uuid id;
    char     *email;
    char      ssn[16];
    char     *diagnosis;
} patient;

#define COL(member) CORM_COLUMN(patient, member)
static const corm_model patients = {
    .table = "patients",
    .row_size = sizeof(patient),
    .fields = {
        { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_UUID },
        { COL(email), .unique = true, .sealed = CORM_SEALED_EQUAL, .validate = { .email = true } },
        { COL(ssn), .sealed = CORM_SEALED, .shown = CORM_MASKED_PARTLY },
        { COL(diagnosis), .sealed = CORM_SEALED, .shown = CORM_HIDDEN },
    },
};
#undef COL

static corm_error err;

static void must(corm_status status) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s\n", corm_status_name(status), err.message);
    exit(1);
}

/* A program would read them from a file: corm_keyring_read(&keyring, "keys", &err). */
static corm_keyring *new_keys(void) {
    corm_keyring *keyring;
    uint8_t       key[CORM_KEY_BYTES];
    must(corm_keyring_new(&keyring, &err));
    must(corm_key_generate(key, &err));
    must(corm_keyring_add(keyring, 1, key, &err));
    return keyring;
}

static void show(const patient *p) {
    char *line;
    must(corm_row_shown(&patients, p, &line, &err));
    printf("for a log:    %s\n", strchr(line, ',') + 2);
    free(line);
}

int main(void) {
    corm_keyring *keyring = new_keys();
    corm_db      *db;
    corm_rows    *rows;
    corm_result  *stored;
    must(corm_open(&db, "corm:./clinic",
                   { .session = { .keyspace = "clinic", .create_keyspace = true },
                     .keyring = keyring,
                     .error = &err }));

    patient ada = { .email = "ada@example.org", .ssn = "078-05-1120", .diagnosis = "none" };
    must(corm_insert(db, &patients, &ada, { .error = &err }));

    must(corm_find(db, &patients, &rows,
                   { .where = { corm_eq("email", "ada@example.org") }, .error = &err }));
    patient *found = corm_rows_first(rows);
    printf("in C:         %s, %s, %s\n", found->email, found->ssn, found->diagnosis);
    show(found);
    corm_rows_free(rows);

    must(corm_execute(corm_db_session(db), "SELECT email, ssn FROM patients", &stored,
                      { .error = &err }));
    const corm_row *row = corm_result_next(stored);
    printf("in the store: %s of %zu bytes, %s of %zu bytes\n",
           corm_result_column_type(stored, 0).data, corm_row_bytes(row, 0).len,
           corm_result_column_type(stored, 1).data, corm_row_bytes(row, 1).len);
    corm_result_free(stored);

    patient twin = { .email = "ada@example.org" };
    if (corm_insert(db, &patients, &twin, { .error = &err }) == CORM_NOT_UNIQUE) {
        printf("unique still: %s\n", err.message);
    }
    corm_db_close(db);
    corm_keyring_free(keyring);
    return 0;
}
