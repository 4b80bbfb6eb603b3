// SPDX-License-Identifier: MIT
/* check.h -- files of CQL as one thing that is looked at without a server: what `corm check`, `corm lint` and `corm
 * generate` share.
 *
 *   files -> statements, with the comments above them (source.c, annotation.c)
 *         -> trees, a schema that grows with each DDL, checked statements (workspace.c, schema.c)
 *         -> findings with a place in a file (finding.c, suggest.c) -> text, JSON, SARIF (print.c, sarif.c)
 *
 * One thread. Everything lives until check__free(). */
#ifndef CLI_CHECK_CHECK_H
#define CLI_CHECK_CHECK_H

#include <stdio.h>

#include "base/map.h"
#include "cql/check.h"
#include "cql/parser.h"

/* For "%.*s"; of a variable. */
#define CHECK_STR(text) (int)(text).len, (text).data

typedef struct check_file {
    const char *name; /* as messages show it */
    corm_str    text;
    uint32_t    index;
    bool is_schema;  /* given by --schema: its statements are no subject of lint or generate */
    bool is_foreign; /* what a live store describes: what is not understood there is a warning */
} check_file;

/* What is to become of a named statement's answer: `-- name: get_user :one`. */
typedef enum check_verb {
    CHECK_UNNAMED,
    CHECK_ONE,
    CHECK_MANY,
    CHECK_PAGE,
    CHECK_EXEC,
    CHECK_APPLIED
} check_verb;

typedef struct check_statement {
    const check_file *file;
    corm_str          text;  /* without its semicolon; within the file's */
    corm_str          above; /* what stands between the statement before and this one: comments */
    corm_str          name;  /* of a named statement; data NULL: none */
    corm_str          keyspace; /* in use there */
    check_verb        verb;
    base_arena        arena;   /* of the tree, while no checked statement owns it */
    const cql_statement *tree; /* NULL: it does not parse */
    cql_checked *checked; /* of SELECT, INSERT, UPDATE, DELETE and BATCH, when they are right */
    cql_schema  *schema;  /* of DDL that is right: as it was behind the statement */
} check_statement;

/* The kinds of findings that are warnings: they may be left out as rules may. */
#define CHECK_SERVER "server"
#define CHECK_UNSUPPORTED "unsupported"

typedef enum check_severity { CHECK_INFO, CHECK_WARNING, CHECK_ERROR } check_severity;

typedef struct check_finding {
    const check_file *file;
    const char       *at;     /* in the file's text */
    uint32_t          length; /* in code points, at least 1 */
    uint32_t          line;   /* from 1 */
    uint32_t          column; /* from 1, in code points */
    uint32_t          order;  /* of its making */
    check_severity    severity;
    const char       *rule;  /* "syntax", "invalid" … or a rule's of lint */
    corm_str          query; /* the statement's name; may be empty */
    corm_str          message;
    corm_str          hint;            /* "did you mean …?"; may be empty */
    const char       *reason, *better; /* of lint; NULL otherwise */
} check_finding;

/* The place of the last finding. */
typedef struct check_cursor {
    const check_file *file;
    const char       *at;
    uint32_t          line, column;
} check_cursor;

typedef struct check_workspace {
    base_arena        arena;
    cql_schema       *schema;
    corm_str          keyspace;       /* in use; empty: none */
    corm_str          given_keyspace; /* of the command line, while nothing needed it yet */
    base_map          broken;         /* names of what a failed statement would have made */
    base_map          names;          /* of named statements */
    uint32_t          file_count, statement_count, finding_count;
    uint32_t          statement_room, finding_room;
    check_statement **statements;
    check_finding    *findings;
    check_cursor      cursor;
    bool              no_memory;
} check_workspace;

/* ---- workspace.c ---- */

/* A workspace that knows the system's tables. `keyspace` (may be NULL) is in use from the start, and made when no
 * file makes it. On failure there is nothing to free. */
CORM_CHECKED corm_status check__begin(check_workspace *w, const char *keyspace, corm_error *err);
/* The same with another schema, of which it keeps a reference. */
CORM_CHECKED corm_status check__begin_over(check_workspace *w, const char *keyspace,
                                           cql_schema *schema, corm_error *err);
void                     check__free(check_workspace *w);

/* Adds a text and looks at each of its statements. `name` and `text` are borrowed until check__free(). */
void check__add_text(check_workspace *w, const char *name, corm_str text, bool is_schema,
                     bool is_foreign);

/* The findings in the order of files and places; and whether memory was enough for them. */
CORM_CHECKED corm_status check__finish(check_workspace *w, corm_error *err);

/* Forgets the findings of a kind. */
void check__forget(check_workspace *w, const char *rule);

/* How many findings are at least that severe. */
uint32_t check__count(const check_workspace *w, check_severity severity);

/* ---- source.c ---- */

/* The whole file, in the arena; "-" is standard input. */
CORM_CHECKED corm_status check__read(base_arena *arena, const char *path, corm_str *out,
                                     corm_error *err);

/* The next statement of the text; steps over the shell's own commands. False at the end; *above gets what stands
 * before the statement, or the end. */
bool check__next(corm_str *rest, corm_str *statement, corm_str *above);

/* The place in the text of a place in a statement. */
const char *check__locate(corm_str statement, cql_place place);

/* ---- schema.c ---- */

/* Whether --schema names a store and not a file. */
bool check__is_uri(const char *name);

/* Adds the file, or what the store at the URI describes of its keyspaces. */
CORM_CHECKED corm_status check__add_schema(check_workspace *w, const char *name, corm_error *err);
CORM_CHECKED corm_status check__add_file(check_workspace *w, const char *path, bool is_schema,
                                         corm_error *err);

/* ---- annotation.c ---- */

/* Reads `-- name: X :verb` above the statement; tells what is wrong with it. */
void check__annotate(check_workspace *w, check_statement *statement);
/* Whether the name and the verb go with the statement, once it is parsed and checked. */
void        check__check_verb(check_workspace *w, const check_statement *statement);
const char *check__verb_name(check_verb verb);
/* Whether `-- corm: allow a, b` above the statement names the rule. */
bool check__allows(const check_statement *statement, const char *rule);
/* Whether the rules end at the word, and what follows says why: `-- corm: allow a, b -- few rows`. */
bool check__begins_reason(corm_str word);
/* The next line of a comment, without its dashes; false at the end. */
bool check__next_comment(corm_str *above, corm_str *line);

/* ---- finding.c ---- */

/* `at` is in the file's text. */
check_finding *check__find(check_workspace *w, const check_file *file, const char *at,
                           uint32_t length, check_severity severity, const char *rule,
                           const char *format, ...) CORM_PRINTF(7, 8);
/* What the parser or the checker says of a statement. `tree` may be NULL. */
void check__report(check_workspace *w, const check_statement *statement, const cql_statement *tree,
                   const corm_error *error);

/* The name in lower case, in the workspace's memory. */
corm_str check__folded(check_workspace *w, corm_str name);

/* ---- suggest.c ---- */

/* The name that was meant, or the empty text. `word` is a name of the statement that the message complains of. */
corm_str check__suggest(const check_workspace *w, const check_statement *statement,
                        const cql_statement *tree, const char *message, corm_str word);

/* The nearest of the candidates, when one is near. */
typedef struct check_nearest {
    corm_str word;
    corm_str best;
    size_t   distance;
} check_nearest;
void check__consider(check_nearest *nearest, corm_str candidate);

/* ---- print.c, sarif.c ---- */

typedef enum check_format { CHECK_TEXT, CHECK_JSON, CHECK_SARIF } check_format;

void check__print(const check_workspace *w, check_format format, base_buf *out);

/* Rules of a SARIF document: id, and one sentence. */
typedef struct check_rule_text {
    const char *id, *title;
} check_rule_text;
void check__print_sarif(const check_workspace *w, const check_rule_text *rules, uint32_t count,
                        base_buf *out);

/* ---- command.c ---- */

typedef struct cli_operands cli_operands;

/* CLI_OK and a workspace of the schema and the files, or the exit code when the error is on standard error. */
int check__load(const char *command, check_workspace *w, const char *keyspace, const char *schema,
                const cli_operands *files);
/* Writes to standard output; gives the exit code. */
int check__put(const char *command, const base_buf *out);

#endif
