// SPDX-License-Identifier: MIT
/* golden.c -- see golden.h. A file is cut into cases: what stands before a statement, the statement, its expectations. */
#include "cli/golden.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/golden_answer.h"
#include "cql/types.h"

/* ---- reading a file ---- */

static corm_str take_line(corm_str *rest) {
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t      len = end ? (size_t)(end - rest->data) : rest->len;
    corm_str    line = { rest->data, len };
    size_t      used = end ? len + 1 : len;
    rest->data += used;
    rest->len -= used;
    return line;
}

static bool is_note(corm_str line) {
    return line.len >= 2 && memcmp(line.data, "--", 2) == 0;
}

static bool ends_statement(corm_str line) {
    corm_str trimmed = base__str_trim(line);
    return trimmed.len && trimmed.data[trimmed.len - 1] == ';';
}

static corm_str note_text(corm_str line) {
    return base__str_trim((corm_str){ line.data + 2, line.len - 2 });
}

/* "name: rest" or "name": the rest, when the note is that directive. */
static bool directive(corm_str note, const char *name, corm_str *rest) {
    size_t len = strlen(name);
    if (note.len < len || memcmp(note.data, name, len) != 0) return false;
    if (note.len == len) {
        *rest = (corm_str){ note.data + len, 0 };
        return true;
    }
    if (note.data[len] != ':') return false;
    *rest = base__str_trim((corm_str){ note.data + len + 1, note.len - len - 1 });
    return true;
}

static bool read_number(corm_str text, int64_t *out) {
    return base__parse_i64(text, out);
}

static bool read_directive(corm_str note, golden_case *into) {
    static const char *const levels[] = { "DEFAULT",     "ANY",    "ONE",          "TWO",
                                          "THREE",       "QUORUM", "ALL",          "LOCAL_QUORUM",
                                          "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE" };
    corm_str                 rest;
    int64_t                  number;
    if (directive(note, "as", &rest)) {
        into->as = rest;
    } else if (directive(note, "bind", &rest)) {
        into->has_bind = true;
        into->bind = rest;
    } else if (directive(note, "prepare", &rest)) {
        into->prepare = true;
    } else if (directive(note, "page-size", &rest) && read_number(rest, &number)) {
        into->page_size = (int32_t)number;
    } else if (directive(note, "now", &rest) && read_number(rest, &number)) {
        into->has_now = true;
        into->now = (int32_t)number;
    } else if (directive(note, "timestamp", &rest) && read_number(rest, &number)) {
        into->has_timestamp = true;
        into->timestamp = number;
    } else if (directive(note, "consistency", &rest)) {
        for (int i = 0; i < 12; i++)
            if (corm_str_equal(rest, corm_str_of(levels[i])))
                into->consistency = (corm_consistency)i;
    } else {
        return false;
    }
    return true;
}

static corm_str span(corm_str from, corm_str to_start) {
    return (corm_str){ from.data, (size_t)(to_start.data - from.data) };
}

/* The statement begins with `line`; rest is behind it. */
static void read_statement(corm_str line, corm_str *rest, golden_case *out) {
    corm_str start = line;
    while (!ends_statement(line) && rest->len) line = take_line(rest);
    corm_str whole = base__str_trim(span(start, (corm_str){ line.data + line.len, 0 }));
    if (whole.len && whole.data[whole.len - 1] == ';') whole.len--;
    out->statement = whole;
    out->written = span(start, *rest);
}

/* The next case: false at the end, with what is left in out->before. */
static bool next_case(corm_str *rest, golden_case *out) {
    corm_str start = *rest;
    *out = (golden_case){ .page_size = -1 };
    while (rest->len) {
        corm_str at = *rest;
        corm_str line = take_line(rest);
        if (base__str_trim(line).len == 0) continue;
        if (is_note(line)) {
            read_directive(note_text(line), out);
            continue;
        }
        out->before = span(start, at);
        read_statement(line, rest, out);
        corm_str expected = *rest;
        while (rest->len && is_note(*rest)) take_line(rest);
        out->expected = span(expected, *rest);
        return true;
    }
    out->before = span(start, *rest);
    return false;
}

/* ---- running ---- */

static corm_status run_plain(corm_session *session, const char *cql) {
    corm_execute_options options = { .request.page_size = -1 };
    return corm_execute_with(session, cql, &options, NULL);
}

static corm_status drop_keyspaces(corm_session *session, corm_error *err) {
    const char *const *names;
    uint32_t           count;
    CORM_TRY(corm_keyspaces(session, &names, &count, err));
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < count && status == CORM_OK; i++) {
        base_buf cql = { 0 };
        if (strncmp(names[i], "golden", 6) != 0) continue;
        base__buf_puts(&cql, "DROP KEYSPACE ");
        cql__put_name(&cql, corm_str_of(names[i]));
        status = run_plain(session, base__buf_cstr(&cql));
        base__buf_free(&cql);
    }
    corm_names_free(names);
    return status;
}

static corm_status prepare_keyspace(corm_session *session, corm_error *err) {
    corm_execute_options options = { .error = err };
    CORM_TRY(drop_keyspaces(session, err));
    CORM_TRY(corm_execute_with(session,
                               "CREATE KEYSPACE golden WITH replication = "
                               "{'class': 'SimpleStrategy', 'replication_factor': 1}",
                               &options, NULL));
    return corm_execute_with(session, "USE golden", &options, NULL);
}

corm_status cli__golden_run(corm_session *session, corm_str text, base_buf *out, corm_error *err) {
    golden_case each;
    CORM_TRY(prepare_keyspace(session, err));
    while (next_case(&text, &each)) {
        base__buf_put_str(out, each.before);
        base__buf_put_str(out, each.written);
        cli__golden_answer(session, &each, out);
    }
    base__buf_put_str(out, each.before);
    return base__buf_status(out, err);
}

/* ---- comparing ---- */

/* A text that ends with a star matches whatever starts with what is before it. */
static bool matches_text(corm_str expected, corm_str actual) {
    if (!expected.len || expected.data[expected.len - 1] != '*')
        return corm_str_equal(expected, actual);
    expected.len--;
    return base__str_has_prefix(actual, expected);
}

/* <any> stands for one value; in the rest every byte counts. */
static bool matches_row(corm_str expected, corm_str actual) {
    static const char any[] = "<any>";
    while (expected.len) {
        if (base__str_has_prefix(expected, corm_str_of(any))) {
            expected.data += 5;
            expected.len -= 5;
            while (actual.len && !base__str_has_prefix(actual, corm_str_of(" | "))) {
                actual.data++;
                actual.len--;
            }
        } else if (actual.len && *expected.data == *actual.data) {
            expected.data++, expected.len--, actual.data++, actual.len--;
        } else {
            return false;
        }
    }
    return actual.len == 0;
}

static corm_str without_empty_page(corm_str pages) {
    if (pages.len > 2 && pages.data[pages.len - 1] == '0' && pages.data[pages.len - 2] == ' ')
        pages.len -= 2;
    return pages;
}

static bool matches_line(corm_str expected, corm_str actual) {
    expected = base__str_trim(expected);
    actual = base__str_trim(actual);
    if (base__str_has_prefix(expected, corm_str_of("-- row: ")))
        return matches_row(expected, actual);
    if (base__str_has_prefix(expected, corm_str_of("-- pages:")))
        return corm_str_equal(without_empty_page(expected), without_empty_page(actual));
    if (base__str_has_prefix(expected, corm_str_of("-- error ")) ||
        base__str_has_prefix(expected, corm_str_of("-- warning: ")))
        return matches_text(expected, actual);
    return corm_str_equal(expected, actual);
}

static uint32_t count_lines(corm_str text) {
    uint32_t count = 0;
    for (; text.len; count++) take_line(&text);
    return count;
}

/* Some functions of the server give a timeuuid as a class of its own, with values as raw bytes; ours stay timeuuid. */
static bool has_private_timeuuid(corm_str text) {
    static const char name[] = "LegacyTimeUUIDType";
    for (; text.len >= sizeof name; text.data++, text.len--)
        if (memcmp(text.data, name, sizeof name - 1) == 0) return true;
    return false;
}

/* The last two are how a file says that the server itself failed: any answer is as good. */
static bool matches(corm_str expected, corm_str actual) {
    if (has_private_timeuuid(expected)) return count_lines(expected) == count_lines(actual);
    if (corm_str_equal(base__str_trim(expected), corm_str_of("-- any"))) return true;
    if (corm_str_equal(base__str_trim(expected), corm_str_of("-- error *"))) return true;
    while (expected.len && actual.len)
        if (!matches_line(take_line(&expected), take_line(&actual))) return false;
    return expected.len == 0 && actual.len == 0;
}

static uint32_t line_of(corm_str text, const char *at) {
    uint32_t line = 1;
    for (const char *c = text.data; c < at; c++) line += *c == '\n';
    return line;
}

/* A line "topic/file.cql:12 reason" or "topic/file.cql reason" of the list. */
static bool is_excepted(corm_str exceptions, corm_str name, uint32_t line) {
    char place[16];
    snprintf(place, sizeof place, ":%u", line);
    while (exceptions.len) {
        corm_str    each = take_line(&exceptions);
        const char *space = memchr(each.data, ' ', each.len);
        if (!space || *each.data == '#') continue;
        corm_str    what = { each.data, (size_t)(space - each.data) };
        const char *colon = memchr(what.data, ':', what.len);
        corm_str    file = { what.data, colon ? (size_t)(colon - what.data) : what.len };
        bool        same_file = name.len >= file.len &&
                         memcmp(name.data + name.len - file.len, file.data, file.len) == 0;
        corm_str rest = { what.data + file.len, what.len - file.len };
        if (same_file && (!colon || corm_str_equal(rest, corm_str_of(place)))) return true;
    }
    return false;
}

corm_status cli__golden_check_as(golden_session_of session_of, void *context, corm_str text,
                                 corm_str name, corm_str exceptions, base_buf *report,
                                 uint32_t *differences, uint32_t *statements, corm_error *err) {
    golden_case   each;
    corm_str      rest = text;
    base_buf      answer = { 0 };
    corm_session *session = session_of(context, corm_str_of(""));
    CORM_TRY(prepare_keyspace(session, err));
    while (next_case(&rest, &each)) {
        base__buf_clear(&answer);
        if (each.as.data) session = session_of(context, each.as);
        if (!session) return base__fail(err, CORM_INVALID, "a role cannot log in");
        cli__golden_answer(session, &each, &answer);
        ++*statements;
        uint32_t line = line_of(text, each.written.data);
        if (matches(each.expected, base__buf_str(&answer)) || is_excepted(exceptions, name, line))
            continue;
        ++*differences;
        base__buf_printf(report, "%.*s:%u: %.*s", (int)name.len, name.data, line,
                         (int)each.written.len, each.written.data);
        base__buf_puts(report, "expected\n");
        base__buf_put_str(report, each.expected);
        base__buf_puts(report, "got\n");
        base__buf_put_str(report, base__buf_str(&answer));
        base__buf_puts(report, "\n");
    }
    base__buf_free(&answer);
    return base__buf_status(report, err);
}

static corm_session *only_session(void *context, corm_str role) {
    (void)role;
    return context;
}

corm_status cli__golden_check(corm_session *session, corm_str text, corm_str name,
                              corm_str exceptions, base_buf *report, uint32_t *differences,
                              uint32_t *statements, corm_error *err) {
    return cli__golden_check_as(only_session, session, text, name, exceptions, report, differences,
                                statements, err);
}
