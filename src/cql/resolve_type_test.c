// SPDX-License-Identifier: MIT
#include "cql/resolve_type.h"

#include "cql/parser.h"
#include "testing/check.h"

typedef struct bench {
    base_arena  arena;
    cql_schema *schema;
    corm_error  err;
    base_buf    text;
} bench;

static int open_bench(void **state) {
    static bench      b;
    static const char type[] = "CREATE TYPE address (street text, zip int)";
    static const char keyspace[] =
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy'}";
    const char *const texts[] = { keyspace, type };
    b = (bench){ .schema = cql__schema_new() };
    for (size_t i = 0; i < 2; i++) {
        cql_statement    *statement = NULL;
        cql_schema       *next = NULL;
        cql_schema_change change;
        assert_ok(cql__parse(&b.arena, corm_str_of(texts[i]), &statement, NULL, &b.err), b.err);
        assert_ok(cql__schema_apply(b.schema, statement, corm_str_of("k"), 1, &b.arena, &next,
                                    &change, &b.err),
                  b.err);
        cql__schema_unref(b.schema);
        b.schema = next;
    }
    *state = &b;
    return 0;
}

static int close_bench(void **state) {
    bench *b = *state;
    cql__schema_unref(b->schema);
    base__arena_free(&b->arena);
    base__buf_free(&b->text);
    return 0;
}

static const cql_type_ast *written(bench *b, const char *text) {
    const cql_type_ast *ast = NULL;
    assert_ok(cql__parse_type(&b->arena, corm_str_of(text), &ast, &b->err), b->err);
    return ast;
}

static void every_form_resolves_to_its_type(void **state) {
    static const char *const forms[][2] = {
        { "int", "int" },
        { "VarChar", "text" },
        { "list<int>", "list<int>" },
        { "frozen<list<list<int>>>", "frozen<list<frozen<list<int>>>>" },
        { "map<text, frozen<set<int>>>", "map<text, frozen<set<int>>>" },
        { "tuple<list<int>, address>", "frozen<tuple<frozen<list<int>>, frozen<address>>>" },
        { "frozen<tuple<int>>", "frozen<tuple<int>>" },
        { "vector<float, 3>", "vector<float, 3>" },
        { "frozen<vector<text, 2>>", "vector<text, 2>" },
        { "address", "address" },
        { "k.address", "address" },
        { "frozen<frozen<address>>", "frozen<address>" },
        { "list<frozen<address>>", "list<frozen<address>>" },
        { "'UTF8Type'", "text" },
        { "'org.apache.cassandra.db.marshal.LexicalUUIDType'",
          "'org.apache.cassandra.db.marshal.LexicalUUIDType'" },
        { "'CompositeType(UTF8Type,Int32Type)'",
          "'org.apache.cassandra.db.marshal.CompositeType(org.apache.cassandra.db.marshal.UTF8Type,"
          "org.apache.cassandra.db.marshal.Int32Type)'" },
    };
    bench *b = *state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const cql_type *type = NULL;
        assert_ok(cql__resolve_type(b->schema, corm_str_of("k"), written(b, forms[i][0]), &b->arena,
                                    &type, &b->err),
                  b->err);
        base__buf_clear(&b->text);
        cql__type_print(type, &b->text);
        assert_string_equal(base__buf_cstr(&b->text), forms[i][1]);
    }
}

static void what_cannot_be_is_refused_in_the_servers_words(void **state) {
    static const struct {
        const char *text;
        corm_status status;
        const char *message;
    } cases[] = {
        { "frozen<int>", CORM_SYNTAX_ERROR,
          "frozen<> is only allowed on collections, tuples, and user-defined types (got int)" },
        { "list<frozen<varchar>>", CORM_SYNTAX_ERROR,
          "frozen<> is only allowed on collections, tuples, and user-defined types (got varchar)" },
        { "frozen<'UTF8Type'>", CORM_SYNTAX_ERROR,
          "frozen<> is only allowed on collections, tuples, and user-defined types (got "
          "'UTF8Type')" },
        { "'Nope'", CORM_SYNTAX_ERROR,
          "Error setting type Nope: Unable to find abstract-type class "
          "'org.apache.cassandra.db.marshal.Nope'" },
        { "'x.Nope'", CORM_SYNTAX_ERROR,
          "Error setting type x.Nope: Unable to find abstract-type class 'x.Nope'" },
        { "list<list<varchar>>", CORM_INVALID,
          "Non-frozen collections are not allowed inside collections: list<list<varchar>>" },
        { "map<address, int>", CORM_INVALID,
          "Non-frozen UDTs are not allowed inside collections: map<address, int>" },
        { "frozen<map<int, list<counter>>>", CORM_INVALID,
          "Counters are not allowed inside collections: frozen<list<counter>>" },
        { "set<duration>", CORM_INVALID, "Durations are not allowed inside sets: set<duration>" },
        { "map<duration, int>", CORM_INVALID,
          "Durations are not allowed as map keys: map<duration, int>" },
        { "tuple<counter>", CORM_INVALID, "Counters are not allowed inside tuples" },
        { "vector<int, 0>", CORM_INVALID, "vectors may only have positive dimensions; given 0" },
        { "\"int\"", CORM_INVALID, "Unknown type k.int" },
        { "frozen<nope>", CORM_INVALID, "Unknown type k.nope" },
        { "other.address", CORM_INVALID,
          "Statement on keyspace k cannot refer to a user type in keyspace other; user types can "
          "only be used in the keyspace they are defined in" },
    };
    bench *b = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cql_type *type = NULL;
        assert_status(cql__resolve_type(b->schema, corm_str_of("k"), written(b, cases[i].text),
                                        &b->arena, &type, &b->err),
                      cases[i].status);
        assert_string_equal(b->err.message, cases[i].message);
    }
}

static void a_written_type_is_shown_as_it_counts(void **state) {
    static const char *const forms[][2] = {
        { "frozen<list<list<int>>>", "frozen<list<frozen<list<int>>>>" },
        { "tuple<list<int>, a>", "tuple<frozen<list<int>>, frozen<k.a>>" },
        { "vector<list<a>, 2>", "vector<list<k.a>, 2>" },
        { "frozen<x.a>", "frozen<x.a>" },
        { "frozen<vector<list<int>, 2>>", "vector<list<int>, 2>" },
        { "map<int, 'BytesType'>", "map<int, 'BytesType'>" },
    };
    bench *b = *state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        base__buf_clear(&b->text);
        cql__put_written_type(written(b, forms[i][0]), corm_str_of("k"), &b->text);
        assert_string_equal(base__buf_cstr(&b->text), forms[i][1]);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_form_resolves_to_its_type, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused_in_the_servers_words, open_bench,
                                        close_bench),
        cmocka_unit_test_setup_teardown(a_written_type_is_shown_as_it_counts, open_bench,
                                        close_bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
