// SPDX-License-Identifier: MIT
/* golden_parse_test.c -- the statements of tests/golden, which were recorded from a real Cassandra:
 * what its parser accepted parses here and survives printing; what it refused is refused here.
 *
 * An error 2000 with a star for its text is one of the server's parser. With a text of its own it may
 * be one that the checker finds, or one that the parser must word in the same way. */
#include "base/text.h"
#include "cql/parser.h"
#include "testing/check.h"

#include <dirent.h>

typedef struct golden { /* one statement of a file and the first error expected of it */
    const char *file;
    uint32_t    line;
    corm_str    text;
    corm_str    error; /* behind "-- error "; empty when there is none */
} golden;

typedef struct counts {
    uint32_t files, accepted, refused;
} counts;

/* ---- statements ---- */

static void check_accepted(const golden *one, base_arena *arena, const cql_statement *statement) {
    base_buf       first = { 0 }, second = { 0 };
    cql_statement *again = NULL;
    corm_error     err;
    cql__print(statement, &first);
    if (cql__parse(arena, base__buf_str(&first), &again, NULL, &err) != CORM_OK) {
        fail_msg("%s:%u: printed as %s: %s", one->file, one->line, base__buf_cstr(&first),
                 err.message);
    }
    if (!cql__ast_equal(statement, again)) {
        fail_msg("%s:%u: another tree: %s", one->file, one->line, base__buf_cstr(&first));
    }
    cql__print(again, &second);
    assert_string_equal(base__buf_cstr(&first), base__buf_cstr(&second));
    base__buf_free(&first);
    base__buf_free(&second);
}

/* Whether the text is what the file expects, which may end with a star. */
static bool fits(corm_str expected, const char *message) {
    corm_str actual = corm_str_of(message);
    if (expected.len == 0 || expected.data[expected.len - 1] != '*') {
        return corm_str_equal(actual, expected);
    }
    expected.len--;
    return base__str_has_prefix(actual, expected);
}

static void check_statement(const golden *one, counts *all) {
    static const char syntax[] = "2000: ";
    base_arena        arena = { 0 };
    cql_statement    *statement = NULL;
    corm_error        err = { .message = "" };
    corm_status       status = cql__parse(&arena, one->text, &statement, NULL, &err);
    corm_str          expected = one->error;
    bool              refused = base__str_has_prefix(expected, corm_str_of(syntax));
    if (refused) {
        expected.data += sizeof syntax - 1;
        expected.len -= sizeof syntax - 1;
    }
    bool by_parser =
        refused && expected.data && expected.len > 0 && expected.data[expected.len - 1] == '*';
    if (by_parser && status != CORM_SYNTAX_ERROR) {
        fail_msg("%s:%u: accepted: %.*s", one->file, one->line, (int)one->text.len, one->text.data);
    }
    if (status == CORM_OK) {
        check_accepted(one, &arena, statement);
        all->accepted++;
    } else if (!refused || !fits(expected, err.message)) {
        fail_msg("%s:%u: %s: %.*s", one->file, one->line, err.message, (int)one->text.len,
                 one->text.data);
    } else {
        all->refused++;
    }
    base__arena_free(&arena);
}

/* ---- files: docs/golden-tests.md ---- */

static corm_str next_line(corm_str *text) {
    const char *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
    size_t      len = end ? (size_t)(end - text->data) : text->len;
    corm_str    line = { text->data, len };
    text->data += end ? len + 1 : len;
    text->len -= end ? len + 1 : len;
    return line;
}

static bool ends_statement(corm_str line) {
    while (line.len > 0 && line.data[line.len - 1] == ' ') line.len--;
    return line.len > 0 && line.data[line.len - 1] == ';';
}

/* The error among the lines directly below the statement. */
static corm_str expected_error(corm_str text) {
    corm_str prefix = corm_str_of("-- error ");
    while (text.len > 0) {
        corm_str line = next_line(&text);
        if (!base__str_has_prefix(line, corm_str_of("--"))) break;
        if (!base__str_has_prefix(line, prefix)) continue;
        return (corm_str){ line.data + prefix.len, line.len - prefix.len };
    }
    return (corm_str){ 0 };
}

static void check_text(const char *file, corm_str text, counts *all) {
    golden one = { .file = file };
    bool   inside = false;
    for (uint32_t number = 1; text.len > 0; number++) {
        corm_str line = next_line(&text);
        bool     blank = base__str_trim(line).len == 0;
        if (!inside && (blank || base__str_has_prefix(line, corm_str_of("--")))) continue;
        if (!inside) {
            one.text.data = line.data;
            one.line = number;
        }
        inside = !ends_statement(line);
        if (inside) continue;
        one.text.len = (size_t)(line.data + line.len - one.text.data);
        while (one.text.data[one.text.len - 1] != ';') one.text.len--;
        one.text.len--;
        one.error = expected_error(text);
        check_statement(&one, all);
    }
}

static void check_file(const char *path, counts *all) {
    base_buf text = { 0 };
    FILE    *file = fopen(path, "rb");
    assert_non_null(file);
    for (;;) {
        assert_true(base__buf_reserve(&text, 65536));
        size_t got = fread(text.data + text.len, 1, 65536, file);
        if (got == 0) break;
        text.len += got;
    }
    fclose(file);
    check_text(path, base__buf_str(&text), all);
    base__buf_free(&text);
    all->files++;
}

static void check_folder(const char *path, counts *all) {
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char   name[1024];
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (len > 4 && strcmp(entry->d_name + len - 4, ".cql") == 0)
            check_file(name, all);
        else
            check_folder(name, all);
    }
    closedir(folder);
}

static void the_parser_agrees_with_cassandra(void **state) {
    (void)state;
    counts all = { 0 };
    check_folder(CORM_SOURCE_DIR "/tests/golden", &all);
    print_message("%u files, %u statements accepted, %u refused\n", all.files, all.accepted,
                  all.refused);
    assert_true(all.files > 0 && all.accepted > 0 && all.refused > 0);
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(the_parser_agrees_with_cassandra) };
RUN_TESTS()
