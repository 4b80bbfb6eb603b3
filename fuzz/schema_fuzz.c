// SPDX-License-Identifier: MIT
/* schema_fuzz.c -- schema statements, and stored schemas, from anywhere.
 *
 *   input   [1, the format's version] [rest of a stored schema without its checksum]
 *           or a script, applied to a schema with one keyspace
 *
 * What is read or made can be described, and is the same when it is written and read back.
 * Statements of keyspaces and indexes parse; in those of types and tables the server leaves names
 * like "bitstring" bare, which it does not read itself. One thread. */
#include <stdint.h>
#include <stdlib.h>

#include "cql/parser.h"
#include "cql/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_STATEMENTS = 64 };

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

/* ---- what holds for every schema ---- */

static void check_statement(base_arena *arena, const base_buf *text) {
    cql_statement *statement = NULL;
    MUST(cql__parse(arena, base__buf_str(text), &statement, NULL, NULL) == CORM_OK);
}

static void check_keyspace(base_arena *arena, const cql_keyspace *keyspace, base_buf *text) {
    base__buf_clear(text);
    cql__describe_keyspace(keyspace, text);
    check_statement(arena, text);
    for (uint32_t i = 0; i < keyspace->type_count; i++)
        cql__describe_type(keyspace->types[i], text);
    for (uint32_t t = 0; t < keyspace->table_count; t++) {
        const cql_table *table = keyspace->tables[t];
        cql__describe_table(table, t % 2 == 0, text);
        for (uint32_t i = 0; i < table->index_count; i++) {
            base__buf_clear(text);
            cql__describe_index(table, &table->indexes[i], text);
            check_statement(arena, text);
        }
    }
}

static void check_schema(const cql_schema *schema) {
    base_arena  arena = { 0 };
    base_buf    text = { 0 };
    base_buf    bytes = { 0 };
    base_buf    again = { 0 };
    cql_schema *read = NULL;
    for (uint32_t i = 0; i < schema->keyspace_count; i++)
        check_keyspace(&arena, schema->keyspaces[i], &text);
    MUST(cql__schema_write(schema, &bytes, NULL) == CORM_OK);
    MUST(cql__schema_read(base__buf_bytes(&bytes), NULL, &read, NULL) == CORM_OK);
    MUST(cql__schema_write(read, &again, NULL) == CORM_OK);
    MUST(corm_str_equal(base__buf_str(&bytes), base__buf_str(&again)));
    cql__schema_unref(read);
    base__buf_free(&text);
    base__buf_free(&bytes);
    base__buf_free(&again);
    base__arena_free(&arena);
}

/* ---- the two kinds of input ---- */

static void read_stored(const uint8_t *data, size_t size) {
    uint64_t    checksum = 0xcbf29ce484222325; /* FNV-1a */
    base_buf    bytes = { 0 };
    cql_schema *schema = NULL;
    for (size_t i = 0; i < size; i++) checksum = (checksum ^ data[i]) * 0x100000001b3;
    base__buf_put(&bytes, data, size);
    base__buf_u64(&bytes, checksum);
    if (cql__schema_read(base__buf_bytes(&bytes), NULL, &schema, NULL) == CORM_OK)
        check_schema(schema);
    cql__schema_unref(schema);
    base__buf_free(&bytes);
}

static void apply(cql_schema **schema, corm_str text) {
    base_arena        arena = { 0 };
    cql_statement    *statement = NULL;
    cql_schema       *next = NULL;
    cql_schema_change change;
    corm_str          session = { "ks", 2 };
    if (cql__parse(&arena, text, &statement, NULL, NULL) == CORM_OK &&
        cql__schema_apply(*schema, statement, session, 7, &arena, &next, &change, NULL) ==
            CORM_OK) {
        cql__schema_unref(*schema);
        *schema = next;
        check_schema(next);
    }
    base__arena_free(&arena);
}

static void run_script(corm_str rest) {
    static const char keyspace[] = "CREATE KEYSPACE ks WITH replication = "
                                   "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    cql_schema       *schema = cql__schema_new();
    corm_str          statement;
    bool              complete;
    if (!schema) return;
    apply(&schema, corm_str_of(keyspace));
    for (int i = 0; i < MOST_STATEMENTS; i++) {
        if (!cql__split(rest, &statement, &rest, &complete, NULL)) break;
        apply(&schema, statement);
    }
    cql__schema_unref(schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 0 && data[0] == 1)
        read_stored(data, size);
    else if (size > 0)
        run_script((corm_str){ (const char *)data, size });
    return 0;
}
