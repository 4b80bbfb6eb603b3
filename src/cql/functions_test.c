// SPDX-License-Identifier: MIT
#include "cql/functions.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "testing/check.h"

enum { MOST = 4 };

/* An argument written as in a statement: ? NULL, a constant, or a column "name type". */
typedef struct call_test {
    const char *name;
    const char *args[MOST];
    const char *receiver; /* a type, or NULL */
    const char *expected; /* the signature, or what the error begins with */
} call_test;

typedef struct fixture {
    base_arena arena;
    corm_error error;
} fixture;

static const cql_type *type_of(fixture *f, const char *text) {
    const cql_type *type = NULL;
    assert_ok(cql__type_parse(&f->arena, corm_str_of(text), NULL, &type, &f->error), f->error);
    return type;
}

static cql_literal literal_of(const char *text) {
    if (text[0] == '\'') return CQL_LIT_STRING;
    if (strcmp(text, "NULL") == 0) return CQL_LIT_NULL;
    if (strcmp(text, "NaN") == 0) return CQL_LIT_FLOAT;
    if (strcmp(text, "true") == 0) return CQL_LIT_BOOLEAN;
    if (strncmp(text, "0x", 2) == 0) return CQL_LIT_HEX;
    if (strlen(text) == 36) return CQL_LIT_UUID;
    if (strchr(text, 'h')) return CQL_LIT_DURATION;
    if (strspn(text, "-0123456789") == strlen(text)) return CQL_LIT_INTEGER;
    return strspn(text, "-.E0123456789") == strlen(text) ? CQL_LIT_FLOAT : CQL_LIT_NONE;
}

static cql_argument argument_of(fixture *f, const char *text) {
    cql_argument argument = { .literal = literal_of(text), .text = corm_str_of(text) };
    if (strcmp(text, "?") == 0) {
        argument.is_marker = true;
    } else if (argument.literal == CQL_LIT_STRING) {
        argument.constant = (corm_str){ text + 1, strlen(text) - 2 };
    } else if (argument.literal != CQL_LIT_NONE) {
        argument.constant = argument.text;
    } else {
        const char *space = strchr(text, ' ');
        argument.text = (corm_str){ text, (size_t)(space - text) };
        argument.type = type_of(f, space + 1);
        if (text[0] == '[') argument.array_size = 2;
    }
    return argument;
}

static corm_status resolve(fixture *f, const call_test *test, const cql_function **out) {
    cql_argument args[MOST];
    cql_call     call = { .name = corm_str_of(test->name), .args = args };
    for (; call.count < MOST && test->args[call.count]; call.count++) {
        args[call.count] = argument_of(f, test->args[call.count]);
    }
    if (test->receiver) call.receiver = type_of(f, test->receiver);
    const char *dot = strchr(test->name, '.');
    if (dot) {
        call.keyspace = (corm_str){ test->name, (size_t)(dot - test->name) };
        call.name = corm_str_of(dot + 1);
    }
    return cql__call_resolve(&f->arena, &call, out, &f->error);
}

static void run(const call_test *tests, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fixture             f = { 0 };
        base_buf            actual = { 0 };
        const cql_function *function = NULL;
        if (resolve(&f, &tests[i], &function) == CORM_OK) {
            cql__function_print(function, &actual);
        } else {
            base__buf_puts(&actual, f.error.message);
        }
        if (!base__str_has_prefix(base__buf_str(&actual), corm_str_of(tests[i].expected))) {
            fail_msg("%zu: %s: \"%s\" instead of \"%s\"", i, tests[i].name, base__buf_cstr(&actual),
                     tests[i].expected);
        }
        base__buf_free(&actual);
        base__arena_free(&f.arena);
    }
}

#define RUN(tests) run(tests, sizeof(tests) / sizeof *(tests))

static void the_exact_overload_is_taken(void **state) {
    (void)state;
    static const call_test calls[] = {
        { "abs", { "i int" }, NULL, "system.abs : (int) -> int" },
        { "system.abs", { "c counter" }, NULL, "system.abs : (counter) -> counter" },
        { "abs", { "5" }, NULL, "system.abs : (int) -> int" },
        { "abs", { "-5000000000" }, NULL, "system.abs : (bigint) -> bigint" },
        { "abs", { "99999999999999999999" }, NULL, "system.abs : (varint) -> varint" },
        { "abs", { "5.5" }, NULL, "system.abs : (double) -> double" },
        { "abs", { "NaN" }, NULL, "system.abs : (double) -> double" },
        { "abs", { "0.12345678901234567890123" }, NULL, "system.abs : (decimal) -> decimal" },
        { "abs", { "1E400" }, NULL, "system.abs : (decimal) -> decimal" },
        { "abs", { "0x01" }, NULL, "system.abs : (tinyint) -> tinyint" },
        { "to_json", { "'a'" }, NULL, "system.to_json : (ascii) -> text" },
        { "to_json", { "'\xc3\xa9'" }, NULL, "system.to_json : (text) -> text" },
        { "to_json", { "true" }, NULL, "system.to_json : (boolean) -> text" },
        { "to_json",
          { "123e4567-e89b-42d3-a456-426614174000" },
          NULL,
          "system.to_json : (uuid) -> text" },
        { "to_json",
          { "50554d6e-29bb-11e5-b345-feff819cdc9f" },
          NULL,
          "system.to_json : (timeuuid) -> text" },
        { "to_date", { "'2024-01-01'" }, NULL, "system.to_date : (timestamp) -> date" },
        { "_add", { "i int", "1" }, NULL, "system.\"_add\" : (int, int) -> int" },
        { "_add", { "v varint", "f float" }, NULL, "system.\"_add\" : (varint, float) -> decimal" },
        { "_add", { "b bigint", "f float" }, NULL, "system.\"_add\" : (bigint, float) -> double" },
        { "_add", { "c counter", "1" }, NULL, "system.\"_add\" : (counter, int) -> bigint" },
        { "_add", { "t text", "'x'" }, NULL, "system.\"_add\" : (text, ascii) -> text" },
        { "_add", { "d date", "1" }, NULL, "system.\"_add\" : (date, duration) -> date" },
        { "cast_as_text", { "i int" }, NULL, "system.cast_as_text : (int) -> text" },
        { "castAsText", { "i int" }, NULL, "system.\"castAsText\" : (int) -> text" },
        { "count_rows", { NULL }, NULL, "system.count_rows : () -> bigint" },
        { "countRows", { NULL }, NULL, "system.\"countRows\" : () -> bigint" },
    };
    RUN(calls);
}

static void one_of_several_fits_is_taken_for_the_receiver(void **state) {
    (void)state;
    static const call_test calls[] = {
        { "abs", { "3" }, "tinyint", "system.abs : (tinyint) -> tinyint" },
        { "_add", { "1", "1" }, "tinyint", "system.\"_add\" : (tinyint, tinyint) -> tinyint" },
        { "_add", { "1", "1" }, "text", "the '+' operation is not supported between 1 and 1" },
        { "_add",
          { "1", "?" },
          "int",
          "Ambiguous '+' operation with args 1 and ?: use type hint to disambiguate, "
          "example '(int) ?'" },
        { "_add",
          { "i int", "?" },
          NULL,
          "Ambiguous '+' operation with args i and ?: use type hint to disambiguate, "
          "example '(int) ?'" },
        { "_add", { "i int", "NULL" }, NULL, "Ambiguous '+' operation with args i and NULL" },
        { "_add",
          { "t timestamp", "t timestamp" },
          NULL,
          "Ambiguous '+' operation with args t and t: use" },
        { "_subtract", { "i int", "NULL" }, NULL, "Unknown function _subtract called" },
        { "mask_replace", { "?", "?" }, "int", "system.mask_replace : (int, int) -> int" },
        { "from_json", { "?" }, "list<int>", "system.from_json : (text) -> list<int>" },
        { "max", { "?" }, "int", "system.max : (int) -> int" },
    };
    RUN(calls);
}

static void a_call_that_fits_no_overload_names_them_all(void **state) {
    (void)state;
    static const call_test calls[] = {
        { "abs",
          { "t text" },
          NULL,
          "Invalid call to function abs, none of its type signatures match (known type "
          "signatures: system.abs : (tinyint) -> tinyint, " },
        { "abs",
          { NULL },
          NULL,
          "Invalid call to function abs, none of its type signatures match" },
        { "system.abs",
          { "i int", "i int" },
          NULL,
          "Invalid call to function system.abs, none of its type" },
        { "abs",
          { "?" },
          NULL,
          "Ambiguous call to function abs (can be matched by following signatures: system.abs : "
          "(tinyint) -> tinyint, system.abs : (smallint) -> smallint, system.abs : (int) -> int, "
          "system.abs : (bigint) -> bigint, system.abs : (float) -> float, system.abs : (double) "
          "-> double, system.abs : (decimal) -> decimal, system.abs : (varint) -> varint, "
          "system.abs : (counter) -> counter): use type casts to disambiguate" },
        { "_negate",
          { "t text" },
          NULL,
          "Invalid call to function system._negate, none of its type signatures match "
          "(known type signatures: system.\"_negate\" : (tinyint) -> tinyint, " },
        { "_negate", { "?" }, NULL, "Ambiguous negation: use type casts to disambiguate" },
        { "_add",
          { "i int", "t text" },
          NULL,
          "the '+' operation is not supported between i and t" },
        { "to_date",
          { "u uuid" },
          NULL,
          "Invalid call to function to_date, none of its type signatures match (known "
          "type signatures: system.to_date : (timeuuid) -> date, system.to_date : "
          "(timestamp) -> date)" },
        { "sum",
          { "?" },
          NULL,
          "Ambiguous call to function sum (can be matched by following signatures: system.sum" },
        { "cast_as_int", { "b blob" }, NULL, "Invalid call to function cast_as_int, none of its" },
    };
    RUN(calls);
}

static void the_only_overload_says_what_is_wrong_with_the_call(void **state) {
    (void)state;
    static const call_test calls[] = {
        { "now",
          { "1" },
          NULL,
          "Invalid number of arguments in call to function system.now: 0 required but 1 "
          "provided" },
        { "count",
          { NULL },
          NULL,
          "Invalid number of arguments in call to function system.count: 1 required but 0 "
          "provided" },
        { "count",
          { "3" },
          NULL,
          "Type error: 3 cannot be passed as argument 0 of function system.count of type "
          "blob" },
        { "count", { "l list<int>" }, NULL, "system.count : (blob) -> bigint" },
        { "count", { "NULL" }, NULL, "system.count : (blob) -> bigint" },
        { "min_timeuuid",
          { "i int" },
          NULL,
          "Type error: i cannot be passed as argument 0 of function "
          "system.min_timeuuid of type timestamp" },
        { "min_timeuuid", { "?" }, NULL, "system.min_timeuuid : (timestamp) -> timeuuid" },
        { "bigint_as_blob",
          { "i int" },
          NULL,
          "Type error: i cannot be passed as argument 0 of function "
          "system.bigint_as_blob of type bigint" },
        { "counter_as_blob",
          { "NULL" },
          NULL,
          "Type error: NULL cannot be passed as argument 0 of function "
          "system.counter_as_blob of type counter" },
        { "mask_replace",
          { "i int", "'x'" },
          NULL,
          "Type error: 'x' cannot be passed as argument 1 of function "
          "system.mask_replace of type int" },
    };
    RUN(calls);
}

static void a_name_that_no_function_has_is_unknown(void **state) {
    (void)state;
    static const call_test calls[] = {
        { "foo", { "i int" }, NULL, "Unknown function foo called" },
        { "fnp.abs", { "i int" }, NULL, "Unknown function fnp.abs called" },
        { "ABS", { "i int" }, NULL, "Unknown function ABS called" },
        { "dateof", { "u timeuuid" }, NULL, "Unknown function dateof called" },
        { "blob_as_blob", { "b blob" }, NULL, "Unknown function blob_as_blob called" },
        { "cast_as_varchar", { "i int" }, NULL, "Unknown function cast_as_varchar called" },
        { "cast_as_Int", { "b bigint" }, NULL, "Unknown function cast_as_Int called" },
        { "castAsint", { "b bigint" }, NULL, "Unknown function castAsint called" },
    };
    RUN(calls);
}

/* NOLINTNEXTLINE(readability-function-size): a table of calls */
static void functions_of_any_type_are_made_for_the_call(void **state) {
    (void)state;
    static const call_test calls[] = {
        { "map_keys",
          { "m map<text,int>" },
          NULL,
          "system.map_keys : (map<text, int>) -> frozen<set<text>>" },
        { "map_values",
          { "m map<text,int>" },
          NULL,
          "system.map_values : (map<text, int>) -> frozen<list<int>>" },
        { "map_keys",
          { "l list<int>" },
          NULL,
          "Function system.map_keys requires a map argument, but found argument l "
          "of type list<int>" },
        { "map_keys",
          { NULL },
          NULL,
          "Invalid number of arguments for function system.map_keys(map)" },
        { "map_keys",
          { "?" },
          NULL,
          "Cannot infer type of argument ? in call to function system.map_keys(map): use "
          "type casts to disambiguate" },
        { "collection_sum",
          { "l list<text>" },
          NULL,
          "Function system.collection_sum requires a numeric set/list "
          "argument, but found argument l of type list<text>" },
        { "collection_min",
          { "m map<int,int>" },
          NULL,
          "Function system.collection_min requires a set or list "
          "argument, but found argument m of type map<int, int>" },
        { "collection_count",
          { "v vector<float,2>" },
          NULL,
          "Function system.collection_count requires a collection "
          "argument, but found argument v of type vector<float, 2>" },
        { "to_json",
          { "NULL" },
          NULL,
          "Cannot infer type of argument NULL in call to function system.to_json(any): " },
        { "to_json",
          { "i int", "i int" },
          NULL,
          "Invalid number of arguments for function system.to_json(any)" },
        { "from_json",
          { "'5'" },
          NULL,
          "from_json() cannot be used in the selection clause of a SELECT statement" },
        { "from_json",
          { "5" },
          "int",
          "Function system.from_json requires an argument of type text, but found "
          "argument 5 of type int" },
        { "fromjson", { "'5'" }, "int", "system.fromjson : (text) -> int" },
        { "mask_hash",
          { NULL },
          NULL,
          "Invalid number of arguments for function system.mask_hash(any, [text])" },
        { "mask_hash",
          { "t text", "5" },
          NULL,
          "Function system.mask_hash requires an argument of type text, but "
          "found argument 5 of type int" },
        { "mask_inner",
          { "t text", "1" },
          NULL,
          "Invalid number of arguments for function "
          "system.mask_inner([text|varchar|ascii], int, int, [text])" },
        { "mask_inner",
          { "i int", "1", "1" },
          NULL,
          "Function system.mask_inner requires an argument of type "
          "[text|varchar|ascii], but found argument i of type int" },
        { "mask_inner",
          { "t text", "'a'", "1" },
          NULL,
          "Function system.mask_inner requires an argument of type int, "
          "but found argument 'a' of type ascii" },
        { "mask_inner", { "?", "?", "?" }, NULL, "system.mask_inner : (text, int, int) -> text" },
        { "mask_outer",
          { "a ascii", "NULL", "1", "?" },
          NULL,
          "system.mask_outer : (ascii, int, int, text) -> ascii" },
        { "similarity_cosine",
          { "v vector<float,3>", "NULL" },
          NULL,
          "system.similarity_cosine : (vector<float, 3>, "
          "vector<float, 3>) -> float" },
        { "similarity_cosine",
          { "v vector<float,3>", "w vector<float,2>" },
          NULL,
          "All arguments must have the same "
          "vector dimensions" },
        { "similarity_cosine",
          { "v vector<int,2>", "?" },
          NULL,
          "Function system.similarity_cosine requires a float "
          "vector argument, but found argument v of type "
          "vector<int, 2>" },
        { "similarity_cosine",
          { "NULL", "NULL" },
          NULL,
          "Cannot infer type of argument NULL in call to function "
          "system.similarity_cosine(vector<float, n>, vector<float, "
          "n>): use type casts to disambiguate" },
        { "similarity_cosine",
          { "[a,b] list<text>", "v vector<float,2>" },
          NULL,
          "Type error: [a,b] cannot be passed "
          "as argument 0" },
    };
    RUN(calls);
}

static cql_fit only_int(void *context, const cql_type *to) {
    (void)context;
    return to->id == CQL_INT ? CQL_FIT_EXACT : CQL_FIT_NOT;
}

static void what_an_argument_is_may_be_asked_of_its_owner(void **state) {
    (void)state;
    fixture             f = { 0 };
    cql_argument        argument = { .fit = only_int, .text = corm_str_of("(a)") };
    cql_call            call = { .name = corm_str_of("abs"), .args = &argument, .count = 1 };
    const cql_function *function = NULL;
    assert_ok(cql__call_resolve(&f.arena, &call, &function, &f.error), f.error);
    assert_int_equal(function->result->id, CQL_INT);
    argument = (cql_argument){ .text = corm_str_of("{a: 1}") };
    assert_status(cql__call_resolve(&f.arena, &call, &function, &f.error), CORM_INVALID);
    base__arena_free(&f.arena);
}

static void types_and_literals_alone_choose_too(void **state) {
    (void)state;
    fixture             f = { 0 };
    const cql_type     *int_type = cql__type_native(CQL_INT);
    const cql_type     *types[] = { int_type, NULL };
    cql_literal         literals[] = { CQL_LIT_NONE, CQL_LIT_INTEGER };
    corm_str            none = { NULL, 0 };
    const cql_function *function = NULL;
    assert_ok(cql__function_resolve(&f.arena, none, corm_str_of("_add"), types, literals, 2, NULL,
                                    &function, &f.error),
              f.error);
    assert_int_equal(function->result->id, CQL_INT);
    literals[1] = CQL_LIT_FLOAT;
    assert_ok(cql__function_resolve(&f.arena, none, corm_str_of("_add"), types, literals, 2, NULL,
                                    &function, &f.error),
              f.error);
    assert_int_equal(function->result->id, CQL_DOUBLE);
    literals[1] = CQL_LIT_NULL;
    assert_status(cql__function_resolve(&f.arena, none, corm_str_of("_add"), types, literals, 2,
                                        NULL, &function, &f.error),
                  CORM_INVALID);
    assert_string_equal(f.error.message,
                        "Ambiguous '+' operation with args int and NULL: use type hint to "
                        "disambiguate, example '(int) ?'");
    assert_ok(cql__function_resolve(&f.arena, none, corm_str_of("min_timeuuid"), types + 1, NULL, 1,
                                    NULL, &function, &f.error),
              f.error);
    assert_ok(cql__arith_resolve(&f.arena, '/', int_type, cql__type_native(CQL_DECIMAL), &function,
                                 &f.error),
              f.error);
    assert_int_equal(function->result->id, CQL_DECIMAL);
    assert_status(cql__arith_resolve(&f.arena, '^', int_type, int_type, &function, &f.error),
                  CORM_INVALID);
    assert_ok(cql__negate_resolve(&f.arena, int_type, &function, &f.error), f.error);
    assert_int_equal(function->result->id, CQL_INT);
    base__arena_free(&f.arena);
}

static void casts_are_resolved_by_their_types(void **state) {
    (void)state;
    fixture             f = { 0 };
    const cql_function *function = NULL;
    const cql_type     *from = cql__type_native(CQL_INT);
    assert_ok(cql__cast_resolve(&f.arena, from, from, &function, &f.error), f.error);
    assert_null(function);
    assert_ok(cql__cast_resolve(&f.arena, from, cql__type_native(CQL_TEXT), &function, &f.error),
              f.error);
    assert_text(function->name, "cast_as_text");
    assert_status(
        cql__cast_resolve(&f.arena, from, cql__type_native(CQL_UUID), &function, &f.error),
        CORM_INVALID);
    assert_string_equal(f.error.message, "int cannot be cast to uuid");
    assert_false(cql__is_cast_target(cql__type_native(CQL_UUID)));
    assert_true(cql__is_cast_target(cql__type_native(CQL_DATE)));
    base__arena_free(&f.arena);
}

static void every_name_is_a_function_and_they_are_sorted(void **state) {
    (void)state;
    size_t             count;
    const char *const *names = cql__function_names(&count);
    for (size_t i = 0; i < count; i++) {
        if (!cql__function_exists(corm_str_of(names[i]))) fail_msg("%s is no function", names[i]);
        if (i > 0) assert_true(strcmp(names[i - 1], names[i]) < 0);
    }
    assert_false(cql__function_exists(corm_str_of("unixtimestampof")));
    assert_true(cql__function_exists(corm_str_of("_add")));
}

static void constants_fit_as_the_server_lets_them(void **state) {
    (void)state;
    static const struct {
        cql_literal literal;
        const char *text;
        const char *to;
        cql_fit     fit;
    } fits[] = {
        { CQL_LIT_STRING, "a", "ascii", CQL_FIT_EXACT },
        { CQL_LIT_STRING, "a", "text", CQL_FIT_WEAK },
        { CQL_LIT_STRING, "a", "inet", CQL_FIT_WEAK },
        { CQL_LIT_STRING, "a", "uuid", CQL_FIT_NOT },
        { CQL_LIT_INTEGER, "1", "date", CQL_FIT_WEAK },
        { CQL_LIT_INTEGER, "1", "boolean", CQL_FIT_NOT },
        { CQL_LIT_FLOAT, "1.5", "float", CQL_FIT_WEAK },
        { CQL_LIT_FLOAT, "1.5", "int", CQL_FIT_NOT },
        { CQL_LIT_HEX, "0x01", "blob", CQL_FIT_WEAK },
        { CQL_LIT_HEX, "0x01", "tinyint", CQL_FIT_EXACT },
        { CQL_LIT_INTEGER, "1", "list<int>", CQL_FIT_NOT },
        { CQL_LIT_INTEGER, "1", "vector<int, 1>", CQL_FIT_NOT },
        { CQL_LIT_INTEGER, "1", "tuple<int>", CQL_FIT_WEAK },
        { CQL_LIT_NULL, "", "counter", CQL_FIT_NOT },
        { CQL_LIT_NULL, "", "list<int>", CQL_FIT_WEAK },
        { CQL_LIT_NONE, "", "int", CQL_FIT_NOT },
        { CQL_LIT_DURATION, "1h", "duration", CQL_FIT_EXACT },
    };
    fixture f = { 0 };
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        cql_fit fit =
            cql__literal_fit(fits[i].literal, corm_str_of(fits[i].text), type_of(&f, fits[i].to));
        if (fit != fits[i].fit) fail_msg("%s in %s: %d", fits[i].text, fits[i].to, (int)fit);
    }
    assert_null(cql__literal_type(CQL_LIT_NULL, corm_str_of("")));
    assert_int_equal(cql__type_fit(type_of(&f, "frozen<list<int>>"), type_of(&f, "list<int>")),
                     CQL_FIT_EXACT);
    assert_int_equal(cql__type_fit(type_of(&f, "varint"), type_of(&f, "int")), CQL_FIT_WEAK);
    assert_int_equal(cql__type_fit(type_of(&f, "int"), type_of(&f, "varint")), CQL_FIT_NOT);
    base__arena_free(&f.arena);
}

/* ---- what depends on the clock, the ring or the receiver ---- */

static cql_value eval(fixture *f, int64_t now_us, const cql_function *function,
                      const cql_value *args) {
    cql_eval_context context = { &f->arena, now_us };
    cql_value        out = CQL_NULL;
    assert_ok(function->eval(function, &context, args, &out, &f->error), f->error);
    return out;
}

static cql_value call(fixture *f, int64_t now_us, const char *name) {
    call_test           test = { name, { NULL }, NULL, NULL };
    const cql_function *function = NULL;
    assert_ok(resolve(f, &test, &function), f->error);
    assert_false(function->is_pure);
    return eval(f, now_us, function, NULL);
}

static void the_clock_is_the_statements(void **state) {
    (void)state;
    fixture       f = { 0 };
    const int64_t now = INT64_C(1709210096789012);
    assert_int_equal(base__load_u64(call(&f, now, "current_timestamp").data), 1709210096789);
    assert_int_equal(base__load_u32(call(&f, now, "current_date").data),
                     UINT32_C(0x80000000) + 19782);
    assert_int_equal(base__load_u64(call(&f, now, "currenttime").data), INT64_C(45296789012000));
    assert_int_equal(base__load_u64(call(&f, -1, "current_timestamp").data), UINT64_MAX);
    assert_int_equal(base__load_u64(call(&f, -1, "current_time").data), INT64_C(86399999999000));
    base__arena_free(&f.arena);
}

static void every_now_and_uuid_is_another(void **state) {
    (void)state;
    fixture   f = { 0 };
    cql_value a = call(&f, 0, "now"), b = call(&f, 0, "current_timeuuid");
    assert_int_equal(a.data[6] >> 4, 1);
    assert_true(cql__compare(cql__type_native(CQL_TIMEUUID), a, b) < 0);
    a = call(&f, 0, "uuid");
    b = call(&f, 0, "uuid");
    assert_int_equal(a.data[6] >> 4, 4);
    assert_memory_not_equal(a.data, b.data, 16);
    base__arena_free(&f.arena);
}

static void the_token_is_that_of_the_partition_key(void **state) {
    (void)state;
    fixture         f = { 0 };
    const cql_type *types[] = { cql__type_native(CQL_INT), cql__type_native(CQL_TEXT) };
    const cql_value args[] = { { (const uint8_t *)"\0\0\0\1", 4 }, { (const uint8_t *)"a", 1 } };
    const cql_value holes[] = { args[0], CQL_NULL };
    const cql_function *function = NULL;
    assert_ok(cql__token_resolve(&f.arena, types, 1, &function, &f.error), f.error);
    assert_int_equal(base__load_u64(eval(&f, 0, function, args).data),
                     (uint64_t)INT64_C(-4069959284402364209));
    assert_ok(cql__token_resolve(&f.arena, types, 2, &function, &f.error), f.error);
    assert_int_equal(base__load_u64(eval(&f, 0, function, args).data),
                     UINT64_C(6516349416904725244));
    assert_true(cql__is_null(eval(&f, 0, function, holes)));
    assert_text(function->name, "token");
    base__arena_free(&f.arena);
}

static void json_becomes_the_receivers_type(void **state) {
    (void)state;
    fixture             f = { 0 };
    call_test           test = { "from_json", { "?" }, "list<int>", NULL };
    const cql_function *function = NULL;
    assert_ok(resolve(&f, &test, &function), f.error);
    cql_value text = { (const uint8_t *)"[1, 2]", 6 };
    cql_value out = eval(&f, 0, function, &text);
    assert_int_equal(out.len, 4 + 8 + 8);
    assert_true(cql__is_null(eval(&f, 0, function, &CQL_NULL)));
    text = (cql_value){ (const uint8_t *)"null", 4 };
    assert_true(cql__is_null(eval(&f, 0, function, &text)));
    base__arena_free(&f.arena);
}

static void assert_json_error(const char *type, const char *json, const char *message) {
    fixture             f = { 0 };
    call_test           test = { "from_json", { "?" }, type, NULL };
    const cql_function *function = NULL;
    cql_eval_context    context = { &f.arena, 0 };
    cql_value           text = { (const uint8_t *)json, (int32_t)strlen(json) };
    cql_value           out;
    assert_ok(resolve(&f, &test, &function), f.error);
    assert_status(function->eval(function, &context, &text, &out, &f.error), CORM_FUNCTION_FAILURE);
    corm_str actual = corm_str_of(f.error.message);
    if (!base__str_has_prefix(actual, corm_str_of(message))) fail_msg("%s", f.error.message);
    base__arena_free(&f.arena);
}

static void json_of_another_type_is_a_failure(void **state) {
    (void)state;
    assert_json_error(
        "int", "\"a\"",
        "org.apache.cassandra.serializers.MarshalException: Unable to make int from 'a'");
    assert_json_error(
        "int", "5.5",
        "org.apache.cassandra.serializers.MarshalException: Expected an int value, but got a Double: "
        "5.5");
    assert_json_error(
        "int", "x",
        "execution of 'system.from_json[text]' failed: Could not decode JSON string 'x': ");
}

static void grouping_may_use_what_keeps_the_order(void **state) {
    (void)state;
    static const struct {
        const char *name, *arg;
        bool        monotonic;
    } functions[] = {
        { "to_date", "t timestamp", true },
        { "tounixtimestamp", "t date", true },
        { "abs", "i int", false },
        { "min_timeuuid", "t timestamp", false },
    };
    fixture             f = { 0 };
    const cql_function *function = NULL;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        call_test test = { functions[i].name, { functions[i].arg }, NULL, NULL };
        assert_ok(resolve(&f, &test, &function), f.error);
        assert_int_equal(function->is_monotonic, functions[i].monotonic);
    }
    call_test floor = { "floor", { "t timestamp", "1h", "'2024-01-01'" }, NULL, NULL };
    assert_ok(resolve(&f, &floor, &function), f.error);
    assert_true(function->is_monotonic);
    base__arena_free(&f.arena);
}

static void rows_are_counted(void **state) {
    (void)state;
    fixture             f = { 0 };
    const cql_function *function = cql__count_all();
    cql_eval_context    context = { &f.arena, 0 };
    int64_t             count;
    cql_value           out = CQL_NULL;
    assert_int_equal(function->state_size, sizeof count);
    function->init(&count);
    for (int i = 0; i < 3; i++)
        assert_ok(function->step(function, &context, &count, NULL, &f.error), f.error);
    assert_ok(function->final(function, &context, &count, &out, &f.error), f.error);
    assert_int_equal(base__load_u64(out.data), 3);
    assert_int_equal(function->result->id, CQL_BIGINT);
    base__arena_free(&f.arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_exact_overload_is_taken),
    cmocka_unit_test(one_of_several_fits_is_taken_for_the_receiver),
    cmocka_unit_test(a_call_that_fits_no_overload_names_them_all),
    cmocka_unit_test(the_only_overload_says_what_is_wrong_with_the_call),
    cmocka_unit_test(a_name_that_no_function_has_is_unknown),
    cmocka_unit_test(functions_of_any_type_are_made_for_the_call),
    cmocka_unit_test(what_an_argument_is_may_be_asked_of_its_owner),
    cmocka_unit_test(types_and_literals_alone_choose_too),
    cmocka_unit_test(casts_are_resolved_by_their_types),
    cmocka_unit_test(every_name_is_a_function_and_they_are_sorted),
    cmocka_unit_test(constants_fit_as_the_server_lets_them),
    cmocka_unit_test(the_clock_is_the_statements),
    cmocka_unit_test(every_now_and_uuid_is_another),
    cmocka_unit_test(the_token_is_that_of_the_partition_key),
    cmocka_unit_test(json_becomes_the_receivers_type),
    cmocka_unit_test(json_of_another_type_is_a_failure),
    cmocka_unit_test(grouping_may_use_what_keeps_the_order),
    cmocka_unit_test(rows_are_counted),
};
RUN_TESTS()
