// SPDX-License-Identifier: MIT
/* row_json_fuzz.c -- any bytes as the JSON of rows of a model: what is read is written, and read back to the same text. */
#include <stdlib.h>

#include "corm/json.h"

typedef struct thing {
    corm_value fields[14];
} thing;

#define FIELD(at, column, type)                                                                    \
    {                                                                                              \
        .name = (column), .member = CORM_MEMBER_VALUE, .offset = (at) * sizeof(corm_value),        \
        .size = sizeof(corm_value), .cql = (type)                                                  \
    }

static const corm_model things = {
    .table = "things",
    .row_size = sizeof(thing),
    .fields = {
        { .name = "a", .member = CORM_MEMBER_VALUE, .size = sizeof(corm_value), .cql = "int", .key = CORM_PARTITION },
        FIELD(1, "b", "text"),
        FIELD(2, "c", "decimal"),
        FIELD(3, "d", "timestamp"),
        FIELD(4, "e", "list<frozen<list<decimal>>>"),
        FIELD(5, "f", "map<frozen<tuple<int, date>>, varint>"),
        FIELD(6, "g", "set<double>"),
        FIELD(7, "h", "vector<float, 2>"),
        FIELD(8, "i", "blob"),
        FIELD(9, "j", "duration"),
        FIELD(10, "k", "bigint"),
        FIELD(11, "l", "uuid"),
        FIELD(12, "m", "inet"),
        FIELD(13, "n", "time"),
    },
};

static void must(bool holds) {
    if (!holds) abort();
}

static corm_db *open_once(void) {
    static corm_db *db;
    if (db) return db;
    must(corm_open(&db, "corm::memory:",
                   { .session = { .keyspace = "k", .create_keyspace = true } }) == CORM_OK);
    return db;
}

static char *write(const corm_rows *rows) {
    char *text = NULL;
    must(corm_rows_to_json(rows, &text, { .indent = 0 }) == CORM_OK);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    corm_db   *db = open_once();
    corm_rows *rows, *again;
    corm_str   json = { (const char *)data, size };
    if (corm_from_json_with(db, &things, json, &rows, NULL) != CORM_OK) return 0;
    char *first = write(rows);
    must(corm_from_json_with(db, &things, corm_str_of(first), &again, NULL) == CORM_OK);
    char *second = write(again);
    must(strcmp(first, second) == 0);
    free(first);
    free(second);
    corm_rows_free(rows);
    corm_rows_free(again);
    return 0;
}
