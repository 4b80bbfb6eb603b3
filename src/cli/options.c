// SPDX-License-Identifier: MIT
/* options.c -- reads a command line by the command's table of options, and prints the table as help. Pure. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/command.h"

typedef struct reading {
    const cli_command *command;
    int                argc;
    const char *const *argv;
    int                at; /* of the next argument */
    void              *values;
    uint64_t           seen; /* a bit for each option */
} reading;

const char *cli__nearest(const char *word, const char *const *candidates, uint32_t count) {
    const char *best = NULL;
    size_t      best_distance = 3;
    for (uint32_t i = 0; i < count; i++) {
        size_t distance = base__edit_distance(corm_str_of(word), corm_str_of(candidates[i]));
        if (distance >= best_distance || distance >= strlen(candidates[i])) continue;
        best = candidates[i];
        best_distance = distance;
    }
    return best;
}

static corm_status unknown_option(const reading *r, const char *name, size_t len, corm_error *err) {
    const char *names[64];
    uint32_t    count = r->command->option_count < 64 ? r->command->option_count : 64;
    corm_str    cut = { name, len };
    char        word[64];
    for (uint32_t i = 0; i < count; i++) names[i] = r->command->options[i].name;
    snprintf(word, sizeof word, "%.*s", (int)cut.len, cut.data);
    const char *near = cli__nearest(word, names, count);
    return base__fail(err, CORM_INVALID_ARGUMENT, "unknown option --%.*s%s%s%s", (int)len, name,
                      near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
}

static const cli_option *find_long(const cli_command *command, const char *name, size_t len) {
    for (uint32_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        if (strlen(option->name) == len && memcmp(option->name, name, len) == 0) return option;
    }
    return NULL;
}

static const cli_option *find_letter(const cli_command *command, char letter) {
    for (uint32_t i = 0; i < command->option_count; i++)
        if (command->options[i].letter == letter) return &command->options[i];
    return NULL;
}

static corm_status set_number(const cli_option *option, const char *text, void *member,
                              corm_error *err) {
    int64_t number;
    if (!base__parse_i64(corm_str_of(text), &number) || number < option->min ||
        number > option->max)
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "--%s takes a whole number from %lld to %lld, not '%s'", option->name,
                          (long long)option->min, (long long)option->max, text);
    memcpy(member, &number, sizeof number);
    return CORM_OK;
}

static corm_status check_choice(const cli_option *option, const char *text, corm_error *err) {
    base_buf list = { 0 };
    for (uint32_t i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            base__buf_free(&list);
            return CORM_OK;
        }
        base__buf_printf(&list, "%s%s", i ? ", " : "", option->choices[i]);
    }
    const char *shown = base__buf_cstr(&list);
    base__fail(err, CORM_INVALID_ARGUMENT, "--%s takes one of: %s", option->name,
               shown ? shown : "");
    base__buf_free(&list);
    return CORM_INVALID_ARGUMENT;
}

static corm_status set_option(reading *r, const cli_option *option, const char *text,
                              corm_error *err) {
    void    *member = (char *)r->values + option->offset;
    uint64_t bit = UINT64_C(1) << (option - r->command->options);
    bool     yes = true;
    if (r->seen & bit)
        return base__fail(err, CORM_INVALID_ARGUMENT, "--%s is given twice", option->name);
    r->seen |= bit;
    if (option->kind == CLI_FLAG) {
        memcpy(member, &yes, sizeof yes);
        return CORM_OK;
    }
    if (!text && r->at == r->argc)
        return base__fail(err, CORM_INVALID_ARGUMENT, "--%s needs its %s", option->name,
                          option->argument);
    if (!text) text = r->argv[r->at++];
    if (option->kind == CLI_NUMBER) return set_number(option, text, member, err);
    if (option->kind == CLI_CHOICE) CORM_TRY(check_choice(option, text, err));
    memcpy(member, &text, sizeof text);
    return CORM_OK;
}

/* --name, --name value, --name=value */
static corm_status read_long(reading *r, const char *name, corm_error *err) {
    const char       *equals = strchr(name, '=');
    size_t            len = equals ? (size_t)(equals - name) : strlen(name);
    const cli_option *option = find_long(r->command, name, len);
    if (!option) return unknown_option(r, name, len, err);
    if (equals && option->kind == CLI_FLAG)
        return base__fail(err, CORM_INVALID_ARGUMENT, "--%s takes no value", option->name);
    return set_option(r, option, equals ? equals + 1 : NULL, err);
}

/* -e value, -evalue, and flags one behind the other */
static corm_status read_letters(reading *r, const char *letters, corm_error *err) {
    for (; *letters; letters++) {
        const cli_option *option = find_letter(r->command, *letters);
        if (!option) return base__fail(err, CORM_INVALID_ARGUMENT, "unknown option -%c", *letters);
        if (option->kind != CLI_FLAG)
            return set_option(r, option, letters[1] ? letters + 1 : NULL, err);
        CORM_TRY(set_option(r, option, NULL, err));
    }
    return CORM_OK;
}

static uint32_t word_count(const char *text) {
    uint32_t count = *text != 0;
    for (; *text; text++) count += *text == ' ';
    return count;
}

/* Whether the last operand may be given more than once. */
static bool takes_more(const cli_command *command) {
    size_t      len = strlen(command->operands);
    const char *end = len > 0 && command->operands[len - 1] == ']' ? " ...]" : " ...";
    return len > strlen(end) && strcmp(command->operands + len - strlen(end), end) == 0;
}

/* Operands in brackets may be left out. */
static uint32_t least_operands(const cli_command *command) {
    uint32_t count = 0;
    for (const char *word = command->operands; word; word = strchr(word, ' ')) {
        word += *word == ' ';
        if (*word == '[') return count;
        count += strncmp(word, "...", 3) != 0 && *word != 0;
    }
    return count;
}

static corm_status add_operand(reading *r, cli_operands *operands, const char *text,
                               corm_error *err) {
    uint32_t wanted = takes_more(r->command) ? CLI_MAX_OPERANDS : word_count(r->command->operands);
    if (operands->count >= wanted || operands->count >= CLI_MAX_OPERANDS)
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' is one argument too many", text);
    operands->items[operands->count++] = text;
    return CORM_OK;
}

static corm_status missing_operand(const cli_command *command, uint32_t given, corm_error *err) {
    const char *word = command->operands;
    for (; given; given--) word = strchr(word, ' ') + 1;
    return base__fail(err, CORM_INVALID_ARGUMENT, "%.*s is missing", (int)strcspn(word, " "), word);
}

corm_status cli__options_read(const cli_command *command, int argc, const char *const *argv,
                              void *values, cli_operands *operands, corm_error *err) {
    reading r = { .command = command, .argc = argc, .argv = argv, .values = values };
    bool    only_operands = false;
    operands->count = 0;
    while (r.at < argc) {
        const char *text = argv[r.at++];
        if (only_operands || text[0] != '-' || !text[1])
            CORM_TRY(add_operand(&r, operands, text, err));
        else if (strcmp(text, "--") == 0)
            only_operands = true;
        else if (text[1] == '-')
            CORM_TRY(read_long(&r, text + 2, err));
        else
            CORM_TRY(read_letters(&r, text + 1, err));
    }
    if (operands->count < least_operands(command))
        return missing_operand(command, operands->count, err);
    return CORM_OK;
}

/* ---- help ---- */

static void put_option(const cli_option *option, base_buf *out) {
    char   left[64];
    char   letter[8] = "    ";
    size_t width = 26;
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    base__buf_puts(out, left);
    if (strlen(left) >= width) {
        base__buf_puts(out, "\n");
        left[0] = 0;
    }
    base__buf_printf(out, "%*s", (int)(width - strlen(left)), "");
    for (const char *c = option->help; *c; c++) {
        base__buf_u8(out, (uint8_t)*c);
        if (*c == '\n') base__buf_printf(out, "%*s", (int)width, "");
    }
    base__buf_puts(out, "\n");
}

void cli__command_help(const cli_command *command, base_buf *out) {
    base__buf_printf(out, "Usage: corm %s %s%s\n\n%s.\n", command->name, command->operands,
                     command->option_count ? " [OPTION ...]" : "", command->summary);
    if (command->more) base__buf_printf(out, "\n%s\n", command->more);
    if (command->option_count) base__buf_puts(out, "\nOptions:\n");
    for (uint32_t i = 0; i < command->option_count; i++) put_option(&command->options[i], out);
}
