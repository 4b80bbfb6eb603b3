// SPDX-License-Identifier: MIT
#include "orm/core.h"

#include "orm/orm_for_tests.h"

typedef struct person {
    int32_t        id;
    char          *email, *site, *ref, *code, *role;
    char           nick[16];
    int32_t        age;
    double         score;
    corm_decimal   price;
    corm_varint    big;
    corm_bytes     photo;
    corm_list      tags;
    corm_map       extra;
    corm_opt_int   level;
    corm_timestamp made;
} person;

static const char *even(const corm_value *value, const void *row, void *context) {
    const person *p = row;
    (void)context;
    return (value->as.i32 + p->id) % 2 ? "must make an even sum with the id" : NULL;
}

#define COL(member) CORM_COLUMN(person, member)
static const corm_model people = {
    .table = "people",
    .row_size = sizeof(person),
    .fields = {
        { COL(id), .key = CORM_PARTITION },
        { COL(email), .validate = { .required = true, .email = true } },
        { COL(site), .validate = { .url = true } },
        { COL(ref), .validate = { .uuid = true } },
        { COL(code), .validate = { .pattern = "^[A-Z]{2}\\d+$", .message = "is no code" } },
        { COL(role), .validate = { .one_of = { "admin", "user" } } },
        { COL(nick), .skip_zero = true, .validate = { .min_length = 2, .max_length = 4 } },
        { COL(age), .validate = { .has_min = true, .min = 0, .has_max = true, .max = 150 } },
        { COL(score), .validate = { .has_min = true, .min = 0.5 } },
        { COL(price), .validate = { .has_max = true, .max = 10 } },
        { COL(big), .validate = { .has_min = true, .min = 100 } },
        { COL(photo), .validate = { .max_length = 2 } },
        { COL(tags), .validate = { .min_length = 1 } },
        { COL(extra), .validate = { .max_length = 1 } },
        { COL(level), .validate = { .check = even } },
        { COL(made), .generate = CORM_NEW_NOW, .validate = { .required = true } },
    },
};
#undef COL

static person good(void) {
    return (person){ .id = 1, .email = "ada@example.com", .score = 1 };
}

/* "field: message; …" */
static const char *faults(const person *p) {
    static char     text[1024];
    corm_violations violations;
    corm_error      err = { 0 };
    corm_status     status = corm_validate(&people, p, &violations, &err);
    assert_status(status, violations.count ? CORM_VALIDATION : CORM_OK);
    text[0] = '\0';
    for (uint32_t i = 0; i < violations.count; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s: %s", len > 0 ? "; " : "",
                 violations.items[i].field, violations.items[i].message);
        if (!strstr(err.message, violations.items[i].message)) fail_msg("%s", err.message);
    }
    return text;
}

static void a_good_row_breaks_no_rule(void **state) {
    (void)state;
    person p = good();
    assert_string_equal(faults(&p), "");
}

static void all_broken_rules_are_told_at_once(void **state) {
    (void)state;
    person p = { .id = 1, .nick = "x", .age = 151, .role = "guest" };
    assert_string_equal(faults(&p),
                        "email: is required; role: must be one of admin, user; "
                        "nick: must have at least 2 characters; age: must be at most 150; "
                        "score: must be at least 0.5");
}

static void texts_have_their_rules(void **state) {
    (void)state;
    static const char *const bad_mails[] = { "a",       "@b.cd",   "a@",        "a@b",
                                             ".a@b.cd", "a.@b.cd", "a..b@c.de", "a b@c.de",
                                             "a@-b.cd", "a@b..cd", "a@.b.cd",   "a@b.cd." };
    static const char *const good_mails[] = { "a@b.cd", "first.last+tag@sub.example.org",
                                              "ü@bücher.de" };
    static const char *const bad_urls[] = { "x",           "ftp://a",          "http://",
                                            "http://a b",  "http://a:x",       "http://a:70000",
                                            "http://[::1", "http://[1.2.3.4]", "http://[::1]x" };
    static const char *const good_urls[] = { "http://a", "https://a.b:8080/c?d#e",
                                             "http://[::1]:80/", "https://u:p@host/" };
    for (size_t i = 0; i < sizeof bad_mails / sizeof *bad_mails; i++) {
        person p = good();
        p.email = (char *)(uintptr_t)bad_mails[i];
        if (strcmp(faults(&p), "email: must be an e-mail address") != 0)
            fail_msg("%s", bad_mails[i]);
    }
    for (size_t i = 0; i < sizeof good_mails / sizeof *good_mails; i++) {
        person p = good();
        p.email = (char *)(uintptr_t)good_mails[i];
        assert_string_equal(faults(&p), "");
    }
    for (size_t i = 0; i < sizeof bad_urls / sizeof *bad_urls; i++) {
        person p = good();
        p.site = (char *)(uintptr_t)bad_urls[i];
        if (strcmp(faults(&p), "site: must be a URL of http or https") != 0)
            fail_msg("%s", bad_urls[i]);
    }
    for (size_t i = 0; i < sizeof good_urls / sizeof *good_urls; i++) {
        person p = good();
        p.site = (char *)(uintptr_t)good_urls[i];
        if (*faults(&p)) fail_msg("%s", good_urls[i]);
    }
    person p = good();
    p.ref = "4b2f0c0e-0b53-4a8e-9d5e-0f5a0c1d2e3f";
    p.code = "AB12";
    assert_string_equal(faults(&p), "");
    p.ref = "4b2f0c0e";
    p.code = "ab12";
    assert_string_equal(faults(&p), "ref: must be a UUID; code: is no code");
    p = good();
    p.role = "\xff";
    assert_string_equal(faults(&p), "role: is not UTF-8");
    p = good();
    p.email = "";
    assert_string_equal(faults(&p), "email: is required");
}

static void lengths_are_counted_in_the_unit_of_the_type(void **state) {
    (void)state;
    corm_value item = corm_v(1);
    corm_value pairs[] = { corm_v("a"), corm_v("b"), corm_v("c"), corm_v("d") };
    person     p = good();
    memcpy(p.nick, "äöüß", sizeof "äöüß");
    p.photo = (corm_bytes){ (const uint8_t *)"ab", 2 };
    p.tags = (corm_list){ &item, 1 };
    p.extra = (corm_map){ pairs, 1 };
    assert_string_equal(faults(&p), "");
    memcpy(p.nick, "äöüßx", sizeof "äöüßx");
    p.photo.len = 3;
    p.tags.count = 0;
    p.extra.count = 2;
    assert_string_equal(faults(&p),
                        "nick: must have at most 4 characters; photo: must have at most 2 "
                        "bytes; tags: must have at least 1 items; extra: must have at most "
                        "1 items");
}

static void numbers_of_all_kinds_have_bounds(void **state) {
    (void)state;
    person p = good();
    p.age = -1;
    p.score = 0.0 / 1.0;
    p.price = corm_decimal_of(1001, 2);
    p.big = corm_varint_of(99);
    p.level = (corm_opt_int){ CORM_PRESENT, 2 };
    assert_string_equal(faults(&p), "age: must be at least 0; score: must be at least 0.5; "
                                    "price: must be at most 10; big: must be at least 100; "
                                    "level: must make an even sum with the id");
    p = good();
    p.price = corm_decimal_of(10, 0);
    p.big = corm_varint_of(100);
    p.level = (corm_opt_int){ CORM_PRESENT, 3 };
    assert_string_equal(faults(&p), "");
}

static void a_write_is_validated_first(void **state) {
    (void)state;
    corm_db        *db = open_db();
    corm_violations violations;
    corm_error      err = { 0 };
    uint64_t        count;
    person          p = good();
    p.email = "nobody";
    p.age = 200;
    assert_status(corm_insert(db, &people, &p, { .violations = &violations, .error = &err }),
                  CORM_VALIDATION);
    assert_int_equal(violations.count, 2);
    assert_string_equal(violations.items[1].field, "age");
    assert_string_equal(err.message,
                        "people: email: must be an e-mail address; age: must be at most 150");
    assert_ok(corm_count(db, &people, &count, { .error = &err }), err);
    assert_int_equal(count, 0);
    assert_ok(corm_insert(db, &people, &p, { .skip_validation = true, .error = &err }), err);
    corm_db_close(db);
}

static void an_update_asks_only_for_what_it_writes(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    person     p = good();
    assert_ok(corm_insert(db, &people, &p, { .error = &err }), err);
    p = (person){ .id = 1, .age = 7, .score = 1 };
    assert_ok(corm_update(db, &people, &p, { .error = &err }), err);
    assert_ok(corm_upsert(db, &people, &p, { .error = &err }), err);
    assert_status(corm_save(db, &people, &p, { .error = &err }), CORM_VALIDATION);
    assert_status(corm_update(db, &people, &p, { .null = { "email" }, .error = &err }),
                  CORM_VALIDATION);
    assert_status(corm_update(db, &people, &p, { .only = { "email" }, .error = &err }),
                  CORM_VALIDATION);
    assert_status(corm_insert(db, &people, &p, { .only = { "age" }, .error = &err }),
                  CORM_VALIDATION);
    assert_ok(corm_update(db, &people, &p, { .only = { "age" }, .error = &err }), err);
    corm_db_close(db);
}

static void what_is_no_row_is_refused(void **state) {
    (void)state;
    corm_error err = { 0 };
    assert_status(corm_validate(&people, NULL, NULL, &err), CORM_INVALID_ARGUMENT);
    assert_status(corm_validate(NULL, NULL, NULL, &err), CORM_INVALID_ARGUMENT);
    person p = { .id = 1 };
    assert_status(corm_validate(&people, &p, NULL, NULL), CORM_VALIDATION);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_row_breaks_no_rule),
        cmocka_unit_test(all_broken_rules_are_told_at_once),
        cmocka_unit_test(texts_have_their_rules),
        cmocka_unit_test(lengths_are_counted_in_the_unit_of_the_type),
        cmocka_unit_test(numbers_of_all_kinds_have_bounds),
        cmocka_unit_test(a_write_is_validated_first),
        cmocka_unit_test(an_update_asks_only_for_what_it_writes),
        cmocka_unit_test(what_is_no_row_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
