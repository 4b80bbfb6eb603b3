// SPDX-License-Identifier: MIT
/* Analyzers against tests/vectors/analyzers.tsv: what the server's own classes made of texts. Keys and probes by hand. */
#include <stdio.h>
#include <stdlib.h>

#include "cql/index_terms.h"
#include "cql/text_fold.h"
#include "testing/check.h"

static cql_index_rules rules_of(const char *what) {
    cql_index_rules rules = { .class_id = CQL_INDEX_SASI, .is_text = true, .fold = CQL_FOLD_NFC };
    if (strcmp(what, "words") == 0) rules.cut = CQL_CUT_WORDS;
    if (strcmp(what, "lower") == 0) rules.fold |= CQL_FOLD_LOWER;
    if (strcmp(what, "upper") == 0) rules.fold |= CQL_FOLD_UPPER;
    if (strcmp(what, "ascii") == 0) rules.fold = CQL_FOLD_ASCII;
    return rules;
}

/* "words<TAB>text<TAB>term<TAB>term" */
static bool line_holds(char *line) {
    base_arena arena = { 0 };
    base_buf   got = { 0 };
    char      *text = strchr(line, '\t'), *wanted = strchr(text + 1, '\t');
    cql_terms  terms;
    *text++ = *wanted++ = '\0';
    cql_index_rules rules = rules_of(line);
    assert_true(cql__index_terms(&rules, corm_str_of(text), &arena, &terms));
    for (uint32_t i = 0; i < terms.count; i++) {
        if (i > 0) base__buf_puts(&got, "\t");
        base__buf_put_str(&got, terms.items[i]);
    }
    bool same = strcmp(base__buf_cstr(&got), wanted) == 0;
    if (!same) printf("%s: %s\n  server: %s\n  here: %s\n", line, text, wanted, (char *)got.data);
    base__buf_free(&got);
    base__arena_free(&arena);
    return same;
}

static void analyzers_make_the_servers_terms(void **state) {
    (void)state;
    static char line[65536];
    int         lines = 0, bad = 0;
    FILE       *file = fopen(CORM_SOURCE_DIR "/tests/vectors/analyzers.tsv", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        lines++;
        bad += !line_holds(line);
    }
    fclose(file);
    assert_true(lines > 2000);
    assert_int_equal(bad, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(analyzers_make_the_servers_terms),
};

RUN_TESTS()
