// SPDX-License-Identifier: MIT
/* core.h -- what the files of this folder share: the table of keys, what was said of each, the options that come of it. */
#ifndef CONFIG_CORE_H
#define CONFIG_CORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "corm/config.h"
#include "session/uri.h"

typedef enum config_kind {
    CONFIG_URI,
    CONFIG_SETTING, /* one of a URI's: session/uri_settings.c has its kind and its range */
    CONFIG_TEXT,
    CONFIG_FLAG,
    CONFIG_U32,
    CONFIG_U64,
    CONFIG_I32,
    CONFIG_WORD,   /* one of `words` */
    CONFIG_LIST,   /* texts into an array of `most` */
    CONFIG_CLASSES /* corm_statement_classes by their names */
} config_kind;

typedef struct config_key {
    const char        *name;
    config_kind        kind;
    size_t             at; /* in corm_config */
    uint64_t           least, most;
    const char *const *words;
    const char        *values;    /* what is allowed; NULL: by the kind */
    const char        *otherwise; /* the default, as documentation says it */
    const char        *what;      /* a sentence */
    bool               is_secret;
} config_key;

enum { CONFIG_MOST_KEYS = 128 };

/* NULL behind the last. */
const config_key *config__key(size_t index);
const config_key *config__find(corm_str name);
/* ", did you mean 'x'?", or "". Made in the arena. */
const char *config__hint(base_arena *arena, corm_str name);
/* What a key takes, for messages. */
const char *config__values(const config_key *key, base_arena *arena);
/* Whether a name of a plugin's setting sounds like a secret. */
bool config__sounds_secret(const char *name);

typedef struct config_value {
    const char *text; /* NULL: not said */
    const char *place;
} config_value;

/* "features.x.config.a.b", "plugins.x.library", "guard_rails.x" … as they were said. */
typedef struct config_extra {
    struct config_extra *next;
    const char          *name;
    config_value         value;
    uint32_t             rank; /* of its source: the lowest stands */
} config_extra;

/* A part of the middleware's options. */
struct corm_config {
    base_arena          arena;
    config_value        values[CONFIG_MOST_KEYS]; /* by the table's index */
    config_extra       *extras;                   /* in the order of their being said */
    const char         *uri;
    session_uri         parts; /* options and cluster */
    corm_db_options     db;
    corm_server_options server;
    uint32_t            migration;
    bool                log_enabled, guard_enabled, correlation;
    corm_log_options    log;
    corm_guard_options  guard;
};

/* What reads, and what went wrong so far. */
typedef struct config_reader {
    corm_config               *config;
    const corm_config_options *options;
    uint32_t                   faults;
    corm_status                status; /* no fault of what was said: memory, a file */
    corm_error                *err;
    base_buf                   messages;
} config_reader;

void config__fault(config_reader *reader, const char *place, const char *key, const char *format,
                   ...) CORM_PRINTF(4, 5);
/* Notes a value unless one of a higher source is there. Texts are copied. */
void config__say(config_reader *reader, uint32_t rank, const char *place, corm_str key,
                 corm_str value);
/* The sources: sources.c. */
void config__read_sets(config_reader *reader);
void config__read_environment(config_reader *reader);
void config__read_json(config_reader *reader, const char *name, corm_str text);
/* Values into options: apply.c. */
void config__apply(config_reader *reader);

#endif
