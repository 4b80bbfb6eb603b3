// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "testing/check.h"

typedef struct sample {
    bool        flag, other;
    const char *text, *choice;
    int64_t     number;
} sample;

static const char *const choices[] = { "red", "blue", NULL };
static const cli_option  options[] = {
     { "flag", 'f', CLI_FLAG, offsetof(sample, flag), NULL, "a flag", 0, 0, NULL },
     { "other", 'o', CLI_FLAG, offsetof(sample, other), NULL, "another", 0, 0, NULL },
     { "text", 't', CLI_TEXT, offsetof(sample, text), "TEXT", "a text\nin two lines", 0, 0, NULL },
     { "a-long-name-of-an-option", 0, CLI_NUMBER, offsetof(sample, number), "N", "a number", 1, 9,
       NULL },
     { "choice", 0, CLI_CHOICE, offsetof(sample, choice), "COLOUR", "one of", 0, 0, choices },
};
static const cli_command command = { .name = "sample",
                                     .operands = "URI FILE",
                                     .summary = "Does things",
                                     .more = "More of it.",
                                     .options = options,
                                     .option_count = 5,
                                     .values_size = sizeof(sample) };

static corm_status read_line(sample *into, cli_operands *operands, corm_error *err,
                             const char *const *argv) {
    int argc = 0;
    while (argv[argc]) argc++;
    *into = (sample){ 0 };
    *err = (corm_error){ 0 };
    return cli__options_read(&command, argc, argv, into, operands, err);
}
#define READ(...) read_line(&s, &o, &e, (const char *const[]){ __VA_ARGS__, NULL })

static void options_and_operands_come_in_any_order(void **state) {
    (void)state;
    sample       s;
    cli_operands o;
    corm_error   e;
    assert_ok(READ("uri", "-fo", "--text=x=y", "file", "--a-long-name-of-an-option", "7"), e);
    assert_true(s.flag && s.other);
    assert_string_equal(s.text, "x=y");
    assert_int_equal(s.number, 7);
    assert_int_equal(o.count, 2);
    assert_string_equal(o.items[1], "file");
    assert_ok(READ("-tvalue", "--choice", "blue", "--", "-", "--flag"), e);
    assert_string_equal(s.text, "value");
    assert_string_equal(s.choice, "blue");
    assert_string_equal(o.items[0], "-");
    assert_string_equal(o.items[1], "--flag");
    assert_ok(READ("-ft", "value", "a", "b"), e);
    assert_string_equal(s.text, "value");
}

static void a_mistake_is_named(void **state) {
    (void)state;
    sample       s;
    cli_operands o;
    corm_error   e;
#define REFUSED(text, ...)                                                                         \
    assert_status(READ(__VA_ARGS__), CORM_INVALID_ARGUMENT);                                       \
    assert_string_equal(e.message, text)
    REFUSED("unknown option --flga; did you mean --flag?", "--flga");
    REFUSED("unknown option --entirely", "--entirely");
    REFUSED("unknown option -z", "-z");
    REFUSED("--flag takes no value", "--flag=1");
    REFUSED("--flag is given twice", "-f", "-f");
    REFUSED("--text needs its TEXT", "--text");
    REFUSED("--a-long-name-of-an-option takes a whole number from 1 to 9, not '10'",
            "--a-long-name-of-an-option=10");
    REFUSED("--choice takes one of: red, blue", "--choice", "green");
    REFUSED("FILE is missing", "uri");
    REFUSED("'c' is one argument too many", "a", "b", "c");
#undef REFUSED
}

static void help_shows_every_option(void **state) {
    (void)state;
    base_buf out = { 0 };
    cli__command_help(&command, &out);
    assert_string_equal(
        base__buf_cstr(&out),
        "Usage: corm sample URI FILE [OPTION ...]\n\nDoes things.\n\nMore of it.\n\n"
        "Options:\n"
        "  -f, --flag              a flag\n"
        "  -o, --other             another\n"
        "  -t, --text TEXT         a text\n"
        "                          in two lines\n"
        "      --a-long-name-of-an-option N\n"
        "                          a number\n"
        "      --choice COLOUR     one of\n");
    base__buf_free(&out);
}

static void the_main_program_answers_what_it_is_asked(void **state) {
    (void)state;
    assert_int_equal(cli__main(1, (const char *const[]){ "corm" }), CLI_USAGE);
    assert_int_equal(cli__main(2, (const char *const[]){ "corm", "--version" }), CLI_OK);
    assert_int_equal(cli__main(2, (const char *const[]){ "corm", "help" }), CLI_OK);
    assert_int_equal(cli__main(3, (const char *const[]){ "corm", "help", "shell" }), CLI_OK);
    assert_int_equal(cli__main(3, (const char *const[]){ "corm", "import", "-h" }), CLI_OK);
    assert_int_equal(cli__main(3, (const char *const[]){ "corm", "help", "shel" }), CLI_USAGE);
    assert_int_equal(cli__main(2, (const char *const[]){ "corm", "exprot" }), CLI_USAGE);
    assert_int_equal(cli__main(2, (const char *const[]){ "corm", "shell" }), CLI_USAGE);
    assert_int_equal(cli__main(3, (const char *const[]){ "corm", "shell", "nothing" }), CLI_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_come_in_any_order),
        cmocka_unit_test(a_mistake_is_named),
        cmocka_unit_test(help_shows_every_option),
        cmocka_unit_test(the_main_program_answers_what_it_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
