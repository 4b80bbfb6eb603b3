// SPDX-License-Identifier: MIT
/* sarif.c -- findings as SARIF 2.1.0, which code hosts show beside the lines. */
#include "base/text.h"
#include "cli/check/check.h"
#include "corm/version.h"

static const char *const levels[] = {
    [CHECK_INFO] = "note", [CHECK_WARNING] = "warning", [CHECK_ERROR] = "error"
};

static void put_rule(base_buf *out, const check_rule_text *rule, bool last) {
    base__buf_puts(out, "      {\"id\": ");
    base__put_json_string(out, corm_str_of(rule->id));
    base__buf_puts(out, ", \"shortDescription\": {\"text\": ");
    base__put_json_string(out, corm_str_of(rule->title));
    base__buf_puts(out, last ? "}}\n" : "}},\n");
}

static void put_message(base_buf *out, const check_finding *f) {
    base_buf text = { 0 };
    base__buf_put_str(&text, f->message);
    if (f->hint.len) base__buf_printf(&text, "; did you mean '%.*s'?", CHECK_STR(f->hint));
    if (f->better) base__buf_printf(&text, ". Better: %s", f->better);
    if (text.failed) out->failed = true;
    base__put_json_string(out, base__buf_str(&text));
    base__buf_free(&text);
}

static void put_result(base_buf *out, const check_finding *f, bool last) {
    base__buf_puts(out, "      {\"ruleId\": ");
    base__put_json_string(out, corm_str_of(f->rule));
    base__buf_printf(out, ", \"level\": \"%s\", \"message\": {\"text\": ", levels[f->severity]);
    put_message(out, f);
    base__buf_puts(
        out, "},\n       \"locations\": [{\"physicalLocation\": {\"artifactLocation\": {\"uri\": ");
    base__put_json_string(out, corm_str_of(f->file->name));
    base__buf_printf(
        out, "}, \"region\": {\"startLine\": %u, \"startColumn\": %u, \"endColumn\": %u}}}]}%s\n",
        f->line, f->column, f->column + f->length, last ? "" : ",");
}

void check__print_sarif(const check_workspace *w, const check_rule_text *rules, uint32_t count,
                        base_buf *out) {
    base__buf_puts(out, "{\n  \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n"
                        "  \"version\": \"2.1.0\",\n  \"runs\": [{\n"
                        "    \"columnKind\": \"unicodeCodePoints\",\n"
                        "    \"tool\": {\"driver\": {\"name\": \"corm\", \"version\": ");
    base__put_json_string(out, corm_str_of(corm_version_string()));
    base__buf_puts(out, ", \"rules\": [\n");
    for (uint32_t i = 0; i < count; i++) put_rule(out, &rules[i], i + 1 == count);
    base__buf_puts(out, "    ]}},\n    \"results\": [\n");
    for (uint32_t i = 0; i < w->finding_count; i++)
        put_result(out, &w->findings[i], i + 1 == w->finding_count);
    base__buf_puts(out, "    ]\n  }]\n}\n");
}
