// SPDX-License-Identifier: MIT
/* init.c -- the command `corm init`: a folder with a small program, its Makefile and a README. In the texts @NAME@ stands for
 * the project, @KEYSPACE@ for its keyspace, @PREFIX@ for where the library is installed. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/command.h"

static const char main_text[] =
    "/* @NAME@: notes in a folder. `make run` builds and runs it. */\n"
    "#include <corm/corm.h>\n"
    "#include <stdio.h>\n"
    "\n"
    "typedef struct note {\n"
    "    corm_uuid      id;\n"
    "    char          *title;\n"
    "    char          *body;\n"
    "    corm_set       tags;\n"
    "    corm_timestamp created_at;\n"
    "} note;\n"
    "\n"
    "#define COL(member) CORM_COLUMN(note, member)\n"
    "static const corm_model notes = {\n"
    "    .table    = \"notes\",\n"
    "    .row_size = sizeof(note),\n"
    "    .fields =\n"
    "        {\n"
    "            { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_UUID },\n"
    "            { COL(title), .validate = { .required = true, .min_length = 2 } },\n"
    "            { COL(body) },\n"
    "            { COL(tags), .cql = \"set<text>\" },\n"
    "            { COL(created_at), .generate = CORM_NEW_NOW },\n"
    "        },\n"
    "};\n"
    "#undef COL\n"
    "\n"
    "static int fail(const corm_error *error) {\n"
    "    fprintf(stderr, \"%s: %s\\n\", corm_status_name(error->status), error->message);\n"
    "    return 1;\n"
    "}\n"
    "\n"
    "static int add_and_list(corm_db *db, const char *title) {\n"
    "    corm_error error = { 0 };\n"
    "    corm_rows *rows;\n"
    "    note       fresh = { .title = (char *)title,\n"
    "                         .tags  = corm_set_of(corm_v(\"first\"), corm_v(\"try\")) };\n"
    "    if (corm_insert(db, &notes, &fresh, { .error = &error })) return fail(&error);\n"
    "    if (corm_find(db, &notes, &rows, { .error = &error })) return fail(&error);\n"
    "    for (CORM_EACH(note, n, rows)) {\n"
    "        char id[37];\n"
    "        corm_uuid_format(n->id, id);\n"
    "        printf(\"%s  %s\\n\", id, n->title);\n"
    "    }\n"
    "    corm_rows_free(rows);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "int main(int argc, char **argv) {\n"
    "    corm_error error = { 0 };\n"
    "    corm_db   *db;\n"
    "    /* A cluster's URI works as well: cassandra://host/@KEYSPACE@ */\n"
    "    if (corm_open(&db, \"corm:./data\",\n"
    "                  { .session = { .keyspace = \"@KEYSPACE@\", .create_keyspace = true },\n"
    "                    .error   = &error }))\n"
    "        return fail(&error);\n"
    "    int code = add_and_list(db, argc > 1 ? argv[1] : \"Hello from @NAME@\");\n"
    "    corm_db_close(db);\n"
    "    return code;\n"
    "}\n";

static const char makefile_text[] =
    "# make builds @NAME@, make run runs it, make clean removes it. The data is in ./data.\n"
    "CORM_PREFIX ?= @PREFIX@\n"
    "PKG_DIRS    := $(wildcard $(CORM_PREFIX)/lib/pkgconfig $(CORM_PREFIX)/lib64/pkgconfig \\\n"
    "                          $(CORM_PREFIX)/lib/*/pkgconfig)\n"
    "empty       :=\n"
    "space       := $(empty) $(empty)\n"
    "PKG_CONFIG  := PKG_CONFIG_PATH=\"$(subst $(space),:,$(strip $(PKG_DIRS))):$$PKG_CONFIG_PATH\""
    " pkg-config\n"
    "CFLAGS      ?= -O2 -g -Wall -Wextra\n"
    "CORM_CFLAGS := $(shell $(PKG_CONFIG) --cflags corm)\n"
    "CORM_LIBS   := $(shell $(PKG_CONFIG) --libs corm)\n"
    "CORM_LIBDIR := $(shell $(PKG_CONFIG) --variable=libdir corm)\n"
    "\n"
    "@NAME@: main.c\n"
    "\t$(CC) -std=c11 $(CFLAGS) $(CORM_CFLAGS) -o $@ $< $(CORM_LIBS) "
    "-Wl,-rpath,$(CORM_LIBDIR)\n"
    "\n"
    ".PHONY: run clean\n"
    "run: @NAME@\n"
    "\t./@NAME@\n"
    "\n"
    "clean:\n"
    "\trm -f @NAME@\n";

static const char readme_text[] =
    "# @NAME@\n"
    "\n"
    "A program that keeps notes with Corm.\n"
    "\n"
    "```sh\n"
    "make run                       # builds, adds a note, lists all\n"
    "./@NAME@ 'Buy bread'           # adds another\n"
    "corm shell corm:./data -k @KEYSPACE@   # looks at the data: SELECT * FROM notes;\n"
    "corm export corm:./data @KEYSPACE@.notes notes.csv\n"
    "```\n"
    "\n"
    "The model is at the top of `main.c`: a member more there is a column more in the table.\n"
    "Corm is looked for in `CORM_PREFIX`: `make CORM_PREFIX=/opt/corm run`.\n";

static const char ignore_text[] = "/@NAME@\n/data/\n";

static const struct {
    const char *name;
    const char *text;
} files[] = { { "main.c", main_text },
              { "Makefile", makefile_text },
              { "README.md", readme_text },
              { ".gitignore", ignore_text } };
enum { FILE_COUNT = sizeof files / sizeof files[0] };

typedef struct project {
    const char *folder;
    char        name[49];
    char        keyspace[49];
    char        prefix[512];
} project;

static void put_text(const char *text, const project *p, base_buf *out) {
    const char *const values[][2] = { { "@NAME@", p->name },
                                      { "@KEYSPACE@", p->keyspace },
                                      { "@PREFIX@", p->prefix } };
    while (*text) {
        size_t i = 0;
        while (i < 3 && strncmp(text, values[i][0], strlen(values[i][0])) != 0) i++;
        if (i < 3) {
            base__buf_puts(out, values[i][1]);
            text += strlen(values[i][0]);
        } else {
            base__buf_u8(out, (uint8_t)*text++);
        }
    }
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static corm_status set_name(project *p, corm_error *err) {
    char   copy[512];
    size_t len = strlen(p->folder);
    if (len >= sizeof copy) return base__fail(err, CORM_INVALID_ARGUMENT, "the name is too long");
    memcpy(copy, p->folder, len + 1);
    const char *name = basename(copy);
    len = strlen(name);
    bool good = is_letter(name[0]) && len < sizeof p->name;
    for (size_t i = 0; good && i < len; i++)
        good = is_letter(name[i]) || (name[i] >= '0' && name[i] <= '9') || name[i] == '_' ||
               name[i] == '-';
    if (!good)
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "'%s' is no project's name: a letter, then letters, digits, - and _, at "
                          "most %zu in all",
                          name, sizeof p->name - 1);
    for (size_t i = 0; i <= len; i++) {
        char c = p->name[i] = name[i];
        p->keyspace[i] = c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return CORM_OK;
}

/* Where this command is installed, when the headers are there too. */
static void set_prefix(project *p) {
    char    self[400], header[512];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    snprintf(p->prefix, sizeof p->prefix, "/usr/local");
    if (len <= 0) return;
    self[len] = 0;
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(self, '/');
        if (!slash) return;
        *slash = 0;
    }
    snprintf(header, sizeof header, "%s/include/corm/corm.h", self);
    if (access(header, R_OK) == 0) snprintf(p->prefix, sizeof p->prefix, "%s", self);
}

static corm_status write_file(const project *p, const char *name, const char *text,
                              corm_error *err) {
    base_buf path = { 0 }, content = { 0 };
    base__buf_printf(&path, "%s/%s", p->folder, name);
    put_text(text, p, &content);
    const char *zero_ended = base__buf_cstr(&path);
    corm_status status = zero_ended ? base__buf_status(&content, err) : base__fail_memory(err);
    FILE       *file = status == CORM_OK ? fopen(zero_ended, "wx") : NULL;
    if (status == CORM_OK && !file) status = base__fail_errno(err, errno, "%s", zero_ended);
    bool wrote = file && fwrite(content.data, 1, content.len, file) == content.len;
    if (file && (fclose(file) != 0 || !wrote))
        status = base__fail_errno(err, errno, "%s", zero_ended);
    base__buf_free(&path);
    base__buf_free(&content);
    return status;
}

static corm_status make_project(project *p, corm_error *err) {
    CORM_TRY(set_name(p, err));
    set_prefix(p);
    if (mkdir(p->folder, 0777) != 0) {
        if (errno == EEXIST) return base__fail(err, CORM_INVALID, "%s exists already", p->folder);
        return base__fail_errno(err, errno, "%s", p->folder);
    }
    for (int i = 0; i < FILE_COUNT; i++) CORM_TRY(write_file(p, files[i].name, files[i].text, err));
    return CORM_OK;
}

static int run_init(const void *values, const cli_operands *operands) {
    project    p = { .folder = operands->items[0] };
    corm_error error = { 0 };
    (void)values;
    if (make_project(&p, &error) != CORM_OK) {
        fprintf(stderr, "corm init: %s\n", error.message);
        return error.status == CORM_INVALID_ARGUMENT ? CLI_USAGE : CLI_FAILED;
    }
    printf("%s is made. Next:\n\n  cd %s\n  make run\n", p.folder, p.folder);
    return CLI_OK;
}

const cli_command cli__init_command = {
    .name = "init",
    .operands = "NAME",
    .summary = "Makes a folder with a small program that builds with make run",
    .more = "The folder must not exist. In it are main.c with a model, a Makefile that finds\n"
            "the installed library by pkg-config, and a README.",
    .run = run_init,
};
