// SPDX-License-Identifier: MIT
/* config.h -- everything that can be set, in one place: a JSON file, the environment, and the program, read and checked together.
 *
 *   { "uri": "cassandra://h1,h2/shop", "session": { "page_size": 500 }, "cluster": { "dc": "eu" },
 *     "guard": { "no_filtering": true }, "features": { "timeSeries": { "enabled": true, "config": { "bucket": "day" } } },
 *     "plugins": { "audit": { "library": "./audit_plugin.so", "config": { "table": "audit" } } } }
 *
 * What stands over what: .set, then the environment (CORM_SESSION_PAGE_SIZE=500), then the file, then defaults. All keys are in
 * docs/reference/config.md. Every mistake is named at once, with its place. */
#ifndef CORM_CONFIG_H
#define CORM_CONFIG_H

#include "corm/db.h"
#include "corm/plugin.h"
#include "corm/server.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_config corm_config;

/* A mistake. Texts are valid during the call. */
typedef struct corm_config_fault {
    const char *place; /* "shop.json:4:12", "CORM_SESSION_PAGE_SIZE", "set" */
    const char *key;   /* "session.page_size" */
    const char *what;  /* "unknown key, did you mean 'session.page_size'?" */
} corm_config_fault;

typedef struct corm_config_options {
    const char        *file; /* JSON. default: none */
    const char        *text; /* JSON in place of the file's */
    const char *const *set;  /* "session.page_size=500", NULL behind the last */
    bool               no_environment;
    void (*fault)(void *context, const corm_config_fault *fault); /* called for each mistake */
    void    *context;
    uint32_t _canary;
} corm_config_options;

/* *out is released by corm_config_free(). CORM_INVALID_ARGUMENT: there are mistakes, in the message as many as it holds; else as of
 * reading a file. */
CORM_API CORM_CHECKED corm_status corm_config_read(corm_config              **out,
                                                   const corm_config_options *options,
                                                   corm_error                *err);
CORM_API void                     corm_config_free(corm_config *config); /* NULL is ignored */

/* Borrowed until it is freed. */
CORM_API const char                *corm_config_uri(const corm_config *config); /* NULL: not said */
CORM_API const corm_db_options     *corm_config_db_options(const corm_config *config);
CORM_API const corm_server_options *corm_config_server_options(const corm_config *config);
/* The key's value as a text, and where it was said; NULL: nowhere. */
CORM_API const char *corm_config_get(const corm_config *config, const char *key,
                                     const char **place);
/* A feature's or a plugin's section: false when there is none. One thread at a time. */
CORM_API bool corm_config_feature(const corm_config *config, const char *name,
                                  corm_feature_options *out);
CORM_API bool corm_config_plugin(const corm_config *config, const char *name,
                                 corm_feature_options *out);

/* What is said and where, a line each; with `all` also what is not, with defaults. Secrets are ***. malloc'ed, the caller's to
 * free(). */
CORM_API CORM_CHECKED corm_status corm_config_show(const corm_config *config, bool all, char **out,
                                                   corm_error *err);

/* Opens a db as it says, with the middleware of its log and guard sections. CORM_INVALID_ARGUMENT: no uri is said. */
CORM_API CORM_CHECKED corm_status corm_config_open(corm_db **out, const corm_config *config,
                                                   corm_error *err);
/* Loads the plugins of its section that have a library and are not disabled; corm_plugins_start() is the caller's. */
CORM_API CORM_CHECKED corm_status corm_config_load_plugins(const corm_config *config,
                                                           corm_plugins *plugins, corm_error *err);

#ifdef __cplusplus
}
#endif
#endif
