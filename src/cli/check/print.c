// SPDX-License-Identifier: MIT
/* print.c -- findings for people and for programs.
 *
 *     queries.cql:3:8: error: Undefined column name nme in table shop.users; did you mean 'name'? [invalid]
 *     SELECT nme FROM users;
 *            ^~~
 *
 * As JSON one object a line, so that a run can be read while it goes on, and joined with that of another. */
#include "base/text.h"
#include "cli/check/check.h"

static const char *const severities[] = {
    [CHECK_INFO] = "info", [CHECK_WARNING] = "warning", [CHECK_ERROR] = "error"
};

/* ---- text ---- */

/* The line, or of a very long one what is around the place. */
static corm_str line_of(const check_finding *f) {
    enum { BEFORE = 160, BEHIND = 160 };
    const char *start = f->at, *end = f->at;
    const char *text = f->file->text.data, *text_end = text + f->file->text.len;
    while (start > text && start[-1] != '\n' && f->at - start < BEFORE) start--;
    while (start < f->at && ((uint8_t)*start & 0xC0) == 0x80) start++;
    while (end < text_end && *end != '\n' && *end != '\r' && end - f->at < BEHIND) end++;
    while (end < text_end && end > f->at && ((uint8_t)*end & 0xC0) == 0x80) end--;
    return (corm_str){ start, (size_t)(end - start) };
}

/* What a terminal might take for a command of its own is shown as a blank. */
static void put_shown(base_buf *out, corm_str text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        base__buf_u8(out, (c < 32 && c != '\t') || c == 127 ? ' ' : c);
    }
}

static void put_caret(base_buf *out, const check_finding *f) {
    corm_str line = line_of(f);
    size_t   before = (size_t)(f->at - line.data);
    put_shown(out, line);
    base__buf_u8(out, '\n');
    for (size_t i = 0; i < before && i < line.len; i++)
        if (((uint8_t)line.data[i] & 0xC0) != 0x80)
            base__buf_u8(out, line.data[i] == '\t' ? '\t' : ' ');
    base__buf_u8(out, '^');
    size_t left = before < line.len ? base__utf8_length((corm_str){ f->at, line.len - before }) : 0;
    for (uint32_t i = 1; i < f->length && i < left; i++) base__buf_u8(out, '~');
    base__buf_u8(out, '\n');
}

static void put_hint(base_buf *out, const check_finding *f) {
    if (f->hint.len) base__buf_printf(out, "; did you mean '%.*s'?", CHECK_STR(f->hint));
}

static void put_text(base_buf *out, const check_finding *f) {
    base__buf_printf(out, "%s:%u:%u: %s: ", f->file->name, f->line, f->column,
                     severities[f->severity]);
    put_shown(out, f->message);
    put_hint(out, f);
    base__buf_printf(out, " [%s]\n", f->rule);
    put_caret(out, f);
    if (f->reason) base__buf_printf(out, "  why: %s\n", f->reason);
    if (f->better) base__buf_printf(out, "  better: %s\n", f->better);
}

/* ---- JSON ---- */

static void put_member(base_buf *out, const char *name, corm_str text) {
    base__buf_printf(out, ", \"%s\": ", name);
    base__put_json_string(out, text);
}

static void put_json(base_buf *out, const check_finding *f) {
    base__buf_puts(out, "{\"file\": ");
    base__put_json_string(out, corm_str_of(f->file->name));
    base__buf_printf(out, ", \"line\": %u, \"column\": %u, \"length\": %u", f->line, f->column,
                     f->length);
    put_member(out, "severity", corm_str_of(severities[f->severity]));
    put_member(out, "rule", corm_str_of(f->rule));
    put_member(out, "message", f->message);
    if (f->query.len) put_member(out, "query", f->query);
    if (f->hint.len) put_member(out, "suggestion", f->hint);
    if (f->reason) put_member(out, "reason", corm_str_of(f->reason));
    if (f->better) put_member(out, "better", corm_str_of(f->better));
    base__buf_puts(out, "}\n");
}

void check__print(const check_workspace *w, check_format format, base_buf *out) {
    for (uint32_t i = 0; i < w->finding_count; i++)
        (format == CHECK_JSON ? put_json : put_text)(out, &w->findings[i]);
}
