// SPDX-License-Identifier: MIT
/* lint_fuzz.c -- any bytes as a file of CQL: checked, linted and printed in every form. Each finding has its place in the file.
 * One thread. */
#include <stdlib.h>

#include "cli/lint/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static void check_place(const check_finding *f) {
    const char *start = f->file->text.data;
    MUST(f->at >= start && f->at <= start + f->file->text.len);
    MUST(f->line > 0 && f->column > 0 && f->length > 0 && f->rule);
}

static void print_all(const check_workspace *w) {
    static const check_rule_text none = { "none", "nothing" };
    base_buf                     out = { 0 };
    check__print(w, CHECK_TEXT, &out);
    check__print(w, CHECK_JSON, &out);
    check__print_sarif(w, &none, 1, &out);
    base__buf_free(&out);
}

/* The examples' schema, made once: it stays for all inputs. */
static cql_schema *example_schema(void) {
    static cql_schema *schema;
    check_workspace    w;
    if (schema) return schema;
    MUST(check__begin(&w, NULL, NULL) == CORM_OK);
    check__add_text(&w, "schema.cql", corm_str_of(lint__example_schema), true, false);
    MUST(w.finding_count == 0);
    schema = cql__schema_ref(w.schema);
    check__free(&w);
    return schema;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_workspace w;
    corm_str        text = { size ? (const char *)data : "", size };
    MUST(check__begin_over(&w, "shop", example_schema(), NULL) == CORM_OK);
    check__add_text(&w, "fuzz.cql", text, false, false);
    lint__look(&w, NULL);
    MUST(check__finish(&w, NULL) == CORM_OK);
    for (uint32_t i = 0; i < w.finding_count; i++) check_place(&w.findings[i]);
    print_all(&w);
    check__free(&w);
    return 0;
}
