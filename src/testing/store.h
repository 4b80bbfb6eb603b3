// SPDX-License-Identifier: MIT
/* store.h -- for tests over the embedded store: statements as text, answers as text. One thread.
 *
 * Every function fails the test that calls it when something else happens than it says. */
#ifndef TESTING_STORE_H
#define TESTING_STORE_H

#include "engine/engine.h"
#include "testing/check.h"

/* A store in memory with a small map. */
engine *try_open(void);

/* Executes and writes the answer as text: rows as "1|a; 2|b", a change of the schema as "CREATED TABLE k.t", a keyspace as its name,
 * nothing as "". The text ends with a zero byte. */
corm_status try_request(engine *store, const wire_request *request, base_buf *out, corm_error *err);

void run(engine *store, const char *text);
void expect(engine *store, const char *text, const char *expected);
void expect_error(engine *store, const char *text, corm_status status, const char *words);

/* One reference. */
const wire_prepared *prepare(engine *store, const char *text);

/* Executes with values in wire form; expected NULL: any answer. */
void expect_prepared(engine *store, const wire_prepared *prepared, uint32_t count,
                     const cql_value *values, const char *expected);

/* int values in wire form; the bytes live in `room`. */
cql_value int_value(int32_t value, uint8_t room[4]);

#endif
