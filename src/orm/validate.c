// SPDX-License-Identifier: MIT
/* validate.c -- the rules of a model against a row: all that are broken, each with the field's
 * name.
 *
 * Pure; any thread. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "orm/hook.h"

typedef struct checking {
    const orm_model *model;
    const void      *row;
    base_arena       arena;
    corm_violations *out;
    corm_error      *err;
} checking;

static void CORM_PRINTF(3, 4)
    violate(checking *c, const orm_field *field, const char *format, ...) {
    corm_violations *out = c->out;
    if (out->count == CORM_MAX_VIOLATIONS) return;
    out->items[out->count].field = field->spec->name;
    char   *text = out->items[out->count++].message;
    size_t  size = sizeof out->items[0].message;
    va_list args;
    va_start(args, format);
    if (field->spec->validate.message) {
        snprintf(text, size, "%s", field->spec->validate.message);
    } else {
        vsnprintf(text, size, format, args);
    }
    va_end(args);
    size_t len = strlen(text);
    while (len > 0 && !base__utf8_valid(text, len)) text[--len] = '\0';
}

/* ---- forms of text ---- */

static bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (uint8_t)c >= 0x80;
}

/* Labels of letters, digits and inner hyphens, with dots between. */
static bool is_host(corm_str host, bool needs_dot) {
    bool dotted = false;
    if (host.len == 0 || host.len > 253) return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        bool edge =
            i == 0 || i + 1 == host.len || host.data[i - 1] == '.' || host.data[i + 1] == '.';
        if (c == '.' && edge) {
            if (i == 0 || i + 1 == host.len || host.data[i + 1] == '.') return false;
            dotted = true;
        } else if (c == '.') {
            dotted = true;
        } else if (!is_alnum(c) && (c != '-' || edge)) {
            return false;
        }
    }
    return dotted || !needs_dot;
}

/* local@host: what mail servers take without quotes. */
static bool is_email(corm_str text) {
    const char *at = text.len > 0 && text.len <= 254 ? memchr(text.data, '@', text.len) : NULL;
    if (!at) return false;
    size_t local = (size_t)(at - text.data);
    if (local == 0 || local > 64 || text.data[0] == '.' || at[-1] == '.') return false;
    for (size_t i = 0; i < local; i++) {
        char c = text.data[i];
        if (!is_alnum(c) && (c == 0 || !strchr("!#$%&'*+-/=?^_`{|}~.", c))) return false;
        if (c == '.' && text.data[i + 1] == '.') return false;
    }
    return is_host((corm_str){ at + 1, text.len - local - 1 }, true);
}

static bool is_port(corm_str text) {
    int64_t port;
    return base__parse_i64(text, &port) && port >= 0 && port <= 65535;
}

/* http or https, a host (also in brackets), perhaps a port, then anything without blanks. */
static bool is_url(corm_str text) {
    size_t scheme = base__str_has_prefix(text, corm_str_of("https://"))  ? 8
                    : base__str_has_prefix(text, corm_str_of("http://")) ? 7
                                                                         : 0;
    if (scheme == 0) return false;
    corm_str rest = { text.data + scheme, text.len - scheme };
    size_t   end = 0;
    while (end < rest.len && !strchr("/?#", rest.data[end])) end++;
    for (size_t i = 0; i < rest.len; i++) {
        if ((uint8_t)rest.data[i] <= ' ' || rest.data[i] == 0x7F) return false;
    }
    corm_str    host = { rest.data, end };
    const char *at = end > 0 ? memchr(host.data, '@', end) : NULL;
    if (at) host = (corm_str){ at + 1, end - (size_t)(at + 1 - host.data) };
    if (host.len > 0 && host.data[0] == '[') {
        const char *close = memchr(host.data, ']', host.len);
        char        literal[64] = "";
        corm_inet   inet;
        size_t      len = close ? (size_t)(close - host.data) - 1 : 0;
        if (!close || len >= sizeof literal) return false;
        memcpy(literal, host.data + 1, len);
        corm_str behind = { close + 1, host.len - len - 2 };
        bool     port = behind.len == 0 || (behind.data[0] == ':' &&
                                        is_port((corm_str){ behind.data + 1, behind.len - 1 }));
        return port && corm_inet_parse(literal, &inet, NULL) == CORM_OK && inet.length == 16;
    }
    const char *colon = host.len > 0 ? memchr(host.data, ':', host.len) : NULL;
    if (colon) {
        size_t len = (size_t)(colon - host.data);
        if (!is_port((corm_str){ colon + 1, host.len - len - 1 })) return false;
        host.len = len;
    }
    return is_host(host, false);
}

static bool is_uuid(corm_str text) {
    char      copy[40];
    corm_uuid uuid;
    if (text.len != 36) return false;
    memcpy(copy, text.data, 36);
    copy[36] = '\0';
    return corm_uuid_parse(copy, &uuid, NULL) == CORM_OK;
}

/* ---- rules ---- */

static const char *unit_of(const corm_value *value) {
    if (value->kind == CORM_TEXT) return "characters";
    return value->kind == CORM_BLOB ? "bytes" : "items";
}

static size_t length_of(const corm_value *value) {
    switch (value->kind) {
    case CORM_TEXT: return base__utf8_length(value->as.text);
    case CORM_BLOB: return value->as.blob.len;
    case CORM_MAP: return value->as.items.count / 2;
    default: return value->as.items.count;
    }
}

static void check_length(checking *c, const orm_field *field, const corm_value *value) {
    const corm_rules *rules = &field->spec->validate;
    if (rules->min_length == 0 && rules->max_length == 0) return;
    size_t length = length_of(value);
    if (length < rules->min_length) {
        violate(c, field, "must have at least %u %s", rules->min_length, unit_of(value));
    }
    if (rules->max_length > 0 && length > rules->max_length) {
        violate(c, field, "must have at most %u %s", rules->max_length, unit_of(value));
    }
}

static bool number_of(const corm_value *value, double *out) {
    switch (value->kind) {
    case CORM_TINYINT: *out = value->as.i8; return true;
    case CORM_SMALLINT: *out = value->as.i16; return true;
    case CORM_INT: *out = value->as.i32; return true;
    case CORM_BIGINT: *out = (double)value->as.i64; return true;
    case CORM_FLOAT: *out = (double)value->as.f32; return true;
    case CORM_DOUBLE: *out = value->as.f64; return true;
    case CORM_DECIMAL: *out = corm_decimal_to_double(&value->as.decimal); return true;
    case CORM_VARINT: {
        corm_decimal whole = { .scale = 0, .unscaled = value->as.varint };
        *out = corm_decimal_to_double(&whole);
        return true;
    }
    default: return false;
    }
}

/* NaN is neither large nor small enough. */
static void check_range(checking *c, const orm_field *field, const corm_value *value) {
    const corm_rules *rules = &field->spec->validate;
    double            number;
    if ((!rules->has_min && !rules->has_max) || !number_of(value, &number)) return;
    if (rules->has_min && !(number >= rules->min)) {
        violate(c, field, "must be at least %.15g", rules->min);
    }
    if (rules->has_max && !(number <= rules->max)) {
        violate(c, field, "must be at most %.15g", rules->max);
    }
}

static corm_status check_pattern(checking *c, const orm_field *field, corm_str text) {
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    if (!match) return base__fail_memory(c->err);
    int code = pcre2_match(field->pattern, (PCRE2_SPTR)text.data, text.len, 0, 0, match, NULL);
    pcre2_match_data_free(match);
    if (code < 0) violate(c, field, "must match %s", field->spec->validate.pattern);
    return CORM_OK;
}

static void check_one_of(checking *c, const orm_field *field, corm_str text) {
    const char *const *names = field->spec->validate.one_of;
    char               list[100] = "";
    size_t             len = 0;
    if (!names[0]) return;
    for (int i = 0; i < 16 && names[i]; i++) {
        if (corm_str_equal(corm_str_of(names[i]), text)) return;
        int more = snprintf(list + len, sizeof list - len, "%s%s", i > 0 ? ", " : "", names[i]);
        len = more < 0 || len + (size_t)more >= sizeof list ? sizeof list - 1 : len + (size_t)more;
    }
    violate(c, field, "must be one of %s", list);
}

static corm_status check_text(checking *c, const orm_field *field, corm_str text) {
    const corm_rules *rules = &field->spec->validate;
    if (!base__utf8_valid(text.data, text.len)) {
        violate(c, field, "is not UTF-8");
        return CORM_OK;
    }
    if (rules->email && !is_email(text)) violate(c, field, "must be an e-mail address");
    if (rules->url && !is_url(text)) violate(c, field, "must be a URL of http or https");
    if (rules->uuid && !is_uuid(text)) violate(c, field, "must be a UUID");
    check_one_of(c, field, text);
    return field->pattern ? check_pattern(c, field, text) : CORM_OK;
}

static bool is_missing(const corm_value *value, uint8_t how) {
    if (how != ORM_VALUE || value->kind <= CORM_NULL) return true;
    return value->kind == CORM_TEXT && value->as.text.len == 0;
}

static corm_status check_field(checking *c, const orm_field *field, uint8_t how, bool complete) {
    const corm_rules *rules = &field->spec->validate;
    corm_value        value;
    if (how == ORM_LEAVE && !complete) return CORM_OK;
    CORM_TRY(orm__member_get(field, c->row, true, &c->arena, &value, c->err));
    if (is_missing(&value, how)) {
        if (rules->required) violate(c, field, "is required");
        if (how != ORM_VALUE || value.kind <= CORM_NULL || rules->required) return CORM_OK;
    }
    check_length(c, field, &value);
    check_range(c, field, &value);
    if (value.kind == CORM_TEXT) CORM_TRY(check_text(c, field, value.as.text));
    const char *wrong = rules->check ? rules->check(&value, c->row, rules->context) : NULL;
    if (wrong) violate(c, field, "%s", wrong);
    return CORM_OK;
}

static corm_status report(const checking *c) {
    char   text[sizeof c->err->message];
    size_t len = 0;
    if (c->out->count == 0) return CORM_OK;
    for (uint32_t i = 0; i < c->out->count && len < sizeof text - 1; i++) {
        int more = snprintf(text + len, sizeof text - len, "%s%s: %s", i > 0 ? "; " : "",
                            c->out->items[i].field, c->out->items[i].message);
        len = more < 0 || len + (size_t)more >= sizeof text ? sizeof text - 1 : len + (size_t)more;
    }
    return base__fail(c->err, CORM_VALIDATION, "%s: %s", c->model->table.data, text);
}

corm_status orm__validate(const orm_model *model, const void *row, const uint8_t *how,
                          bool complete, corm_violations *violations, corm_error *err) {
    corm_violations unseen;
    checking        c = {
               .model = model, .row = row, .out = violations ? violations : &unseen, .err = err
    };
    corm_status status = CORM_OK;
    c.out->count = 0;
    for (uint32_t i = 0; i < model->count && status == CORM_OK; i++) {
        status = check_field(&c, &model->fields[i], how[i], complete);
    }
    base__arena_free(&c.arena);
    return status == CORM_OK ? report(&c) : status;
}

/* As an insert of the whole row would be checked, without the key and what is generated. */
static corm_status validate_alone(const orm_model *model, const void *row,
                                  corm_violations *violations, corm_error *err) {
    base_arena  arena = { 0 };
    uint8_t    *how = BASE_NEW_ARRAY(&arena, uint8_t, model->count);
    corm_status status = how ? CORM_OK : base__fail_memory(err);
    for (uint32_t i = 0; i < model->count && status == CORM_OK; i++) {
        corm_value value;
        status = orm__member_get(&model->fields[i], row, false, &arena, &value, err);
        how[i] = value.kind > CORM_NULL                          ? ORM_VALUE
                 : model->fields[i].spec->generate != CORM_GIVEN ? ORM_VALUE
                                                                 : ORM_LEAVE;
    }
    if (status == CORM_OK) status = orm__validate(model, row, how, true, violations, err);
    base__arena_free(&arena);
    return status;
}

corm_status corm_validate(const corm_model *spec, const void *row, corm_violations *violations,
                          corm_error *err) {
    orm_model *model;
    if (violations) violations->count = 0;
    CORM_TRY(orm__compile(spec, &model, err));
    corm_status status = row ? orm__hooks_declare(model, err)
                             : base__fail(err, CORM_INVALID_ARGUMENT, "the row is NULL");
    if (status == CORM_OK) {
        status = orm__check_hooked(model, row, violations, validate_alone, err);
    }
    orm__model_free(model);
    return status;
}
