// SPDX-License-Identifier: MIT
/* commands.c -- the table of commands, the help over it, and the way from argv to one of them. */
#include <stdlib.h>

#include "cli/command.h"
#include "corm/version.h"

static const cli_command *const commands[] = {
    &cli__shell_command, &cli__import_command,  &cli__export_command, &cli__init_command,
    &cli__serve_command, &cli__check_command,   &cli__lint_command,   &cli__generate_command,
    &cli__feed_command,  &cli__migrate_command, &cli__tenant_command, &cli__config_command,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void put_overview(base_buf *out) {
    base__buf_puts(out, "Corm: data in Apache Cassandra, ScyllaDB, or a folder.\n\n"
                        "Usage: corm COMMAND ...\n\nCommands:\n");
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        base__buf_printf(out, "  %-10s%s\n", commands[i]->name, commands[i]->summary);
    base__buf_puts(out, "  help      Explains a command: corm help COMMAND\n"
                        "\nOptions:\n"
                        "  -h, --help      this text, or that of a command\n"
                        "  -V, --version   the version\n"
                        "\nA URI is corm:FOLDER, the embedded store (made when missing), or "
                        "corm::memory:,\none that lives as long as the command.\n"
                        "\nExit codes: 0 success, 1 failure, 2 a mistake on the command line.\n");
}

static int print(void (*put)(const void *, base_buf *), const void *context) {
    base_buf out = { 0 };
    put(context, &out);
    bool failed = out.failed || fwrite(out.data, 1, out.len, stdout) != out.len;
    base__buf_free(&out);
    return failed ? CLI_FAILED : CLI_OK;
}

static void put_command(const void *command, base_buf *out) {
    cli__command_help(command, out);
}

static void put_all(const void *unused, base_buf *out) {
    (void)unused;
    put_overview(out);
}

static const cli_command *find(const char *name) {
    for (uint32_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static int unknown_command(const char *name) {
    const char *names[COMMAND_COUNT];
    for (uint32_t i = 0; i < COMMAND_COUNT; i++) names[i] = commands[i]->name;
    const char *near = cli__nearest(name, names, COMMAND_COUNT);
    fprintf(stderr, "corm: unknown command '%s'%s%s%s\nTry 'corm help'.\n", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return CLI_USAGE;
}

static int help(const char *name) {
    if (!name) return print(put_all, NULL);
    const cli_command *command = find(name);
    return command ? print(put_command, command) : unknown_command(name);
}

static bool is_one_of(const char *text, const char *a, const char *b) {
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

/* Whether help is asked for before a lone "--". */
static bool asks_help(int argc, const char *const *argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_one_of(argv[i], "--help", "-h")) return true;
    return false;
}

static int run(const cli_command *command, int argc, const char *const *argv) {
    cli_operands operands;
    corm_error   error = { 0 };
    if (asks_help(argc, argv)) return help(command->name);
    void *values = calloc(1, command->values_size ? command->values_size : 1);
    if (!values) {
        fputs("corm: memory is exhausted\n", stderr);
        return CLI_FAILED;
    }
    int code = CLI_USAGE;
    if (cli__options_read(command, argc, argv, values, &operands, &error) == CORM_OK)
        code = command->run(values, &operands);
    else
        fprintf(stderr, "corm %s: %s\nTry 'corm help %s'.\n", command->name, error.message,
                command->name);
    free(values);
    return code;
}

/* A full disk or a closed pipe behind standard output is a failure too. */
static int flushed(int code) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    return code == CLI_OK ? CLI_FAILED : code;
}

int cli__main(int argc, const char *const *argv) {
    if (argc < 2) {
        help(NULL);
        return CLI_USAGE;
    }
    if (is_one_of(argv[1], "--version", "-V")) {
        printf("corm %s\n", corm_version_string());
        return flushed(CLI_OK);
    }
    if (strcmp(argv[1], "help") == 0 || is_one_of(argv[1], "--help", "-h"))
        return flushed(help(argc > 2 ? argv[2] : NULL));
    const cli_command *command = find(argv[1]);
    return flushed(command ? run(command, argc - 2, argv + 2) : unknown_command(argv[1]));
}
