// SPDX-License-Identifier: MIT
/* plugin.h -- parts that a program, or a shared object, adds to a mapper: hooks, middleware, subscriptions, and a section of the
 * configuration. They begin in the order of their dependencies and end in reverse.
 *
 *   static corm_status begin(corm_plugin_host *host, void **state, corm_error *err) { … corm_hook_add(corm_plugin_db(host), …) … }
 *   static const corm_plugin audit = { .abi = CORM_PLUGIN_ABI, .name = "audit", .version = "1.2.0",
 *                                      .dependencies = { { "clock", ">=1.0 <2" } }, .initialize = begin };
 *   CORM_PLUGIN_EXPORT(audit)          // in a shared object */
#ifndef CORM_PLUGIN_H
#define CORM_PLUGIN_H

#include "corm/db.h"
#include "corm/event.h"
#include "corm/hook.h"
#include "corm/middleware.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a feature is told, and what it tells ---- */

typedef struct corm_setting {
    const char *name, *value; /* nested names have dots: "retry.max" */
} corm_setting;

typedef struct corm_feature_options {
    bool                disabled;
    const corm_setting *config;
    uint32_t            config_count;
} corm_feature_options;

/* The value, or `otherwise`. */
CORM_API const char *corm_feature_setting(const corm_feature_options *options, const char *name,
                                          const char *otherwise);

enum { CORM_MAX_METADATA = 16 };

/* What something that a feature did came to: success is status CORM_OK. Texts of the metadata are the feature's. */
typedef struct corm_feature_result {
    corm_status  status;
    void        *data;
    corm_error   error;
    uint32_t     metadata_count;
    corm_setting metadata[CORM_MAX_METADATA];
} corm_feature_result;

/* ---- plugins ---- */

enum { CORM_PLUGIN_ABI = 1, CORM_MAX_DEPENDENCIES = 16 };

typedef struct corm_plugin_host corm_plugin_host; /* what one plugin sees */

typedef struct corm_dependency {
    const char *name;
    const char  *
        versions; /* "1.2": that or newer with the same first number; ">=1.0 <2.0": all must hold; also =, >, <=.
                           * default: any */
    bool optional; /* begins behind it when it is there */
} corm_dependency;

typedef struct corm_plugin {
    uint32_t        abi; /* CORM_PLUGIN_ABI */
    const char     *name;
    const char     *version; /* "1.2.3" */
    corm_dependency dependencies[CORM_MAX_DEPENDENCIES];
    /* *state is given to the others. On failure it has undone what it did; cleanup is not called. */
    corm_status (*initialize)(corm_plugin_host *host, void **state, corm_error *err);
    void (*cleanup)(corm_plugin_host *host, void *state); /* may be NULL */
    /* Answers what other parts of the program ask it: may be NULL. */
    corm_feature_result (*call)(void *state, const char *what, void *argument);
} corm_plugin;

/* What a shared object exports. */
#define CORM_PLUGIN_SYMBOL "corm_plugin_export"
#define CORM_PLUGIN_EXPORT(plugin)                                                                 \
    __attribute__((visibility("default"))) extern const corm_plugin *const corm_plugin_export;     \
    const corm_plugin *const corm_plugin_export = &(plugin);

/* Of a host, inside the plugin's functions. */
CORM_API corm_db                    *corm_plugin_db(corm_plugin_host *host);
CORM_API corm_session               *corm_plugin_session(corm_plugin_host *host);
CORM_API corm_events                *corm_plugin_events(corm_plugin_host *host); /* never NULL */
CORM_API const corm_feature_options *corm_plugin_options(corm_plugin_host *host);
/* The state of a plugin that this one depends on; NULL: it is not there. */
CORM_API void *corm_plugin_dependency(corm_plugin_host *host, const char *name);
/* As corm_hook_add, corm_middleware_add and corm_events_subscribe, and undone when the plugin ends. */
CORM_API CORM_CHECKED corm_status corm_plugin_add_hook(corm_plugin_host      *host,
                                                       const corm_model      *model,
                                                       const corm_model_hook *hook,
                                                       corm_error            *err);
CORM_API CORM_CHECKED corm_status corm_plugin_add_middleware(corm_plugin_host      *host,
                                                             const corm_middleware *middleware,
                                                             corm_error            *err);
CORM_API CORM_CHECKED corm_status corm_plugin_subscribe(corm_plugin_host *host, const char *pattern,
                                                        corm_event_handler handler, void *context,
                                                        const corm_subscribe_options *options,
                                                        corm_error                   *err);

/* ---- a set of them ---- */

typedef struct corm_plugins corm_plugins;

/* An empty set over a db, which must stay open until corm_plugins_close(). */
CORM_API CORM_CHECKED corm_status corm_plugins_open(corm_plugins **out, corm_db *db,
                                                    corm_error *err);
/* Adds one that is in the program; it must live as long as the set. Options are copied, and may be NULL; one that is disabled is
 * as if it were not there. CORM_ALREADY_EXISTS; CORM_INVALID_ARGUMENT; CORM_VERSION: the ABI. */
CORM_API CORM_CHECKED corm_status corm_plugins_add(corm_plugins *plugins, const corm_plugin *plugin,
                                                   const corm_feature_options *options,
                                                   corm_error                 *err);
/* Adds the one of a shared object. CORM_NOT_FOUND: the file; CORM_IO: it cannot be loaded, and why; CORM_INVALID_ARGUMENT: it is no
 * plugin; CORM_VERSION. */
CORM_API CORM_CHECKED corm_status corm_plugins_load(corm_plugins *plugins, const char *path,
                                                    const corm_feature_options *options,
                                                    corm_error                 *err);
/* Initializes all that have been added since the last start, each behind what it depends on, otherwise in the order of adding. When
 * one fails, those of this start are cleaned up again. CORM_NOT_FOUND: a dependency is missing; CORM_VERSION: it has another
 * version; CORM_INVALID: they depend on each other in a circle, which is named; else what the plugin said. */
CORM_API CORM_CHECKED corm_status corm_plugins_start(corm_plugins *plugins, corm_error *err);
/* Whether it has been initialized; *version may be NULL. */
CORM_API bool corm_plugins_has(const corm_plugins *plugins, const char *name, const char **version);
/* Asks a plugin that has begun. */
CORM_API corm_feature_result corm_plugins_call(corm_plugins *plugins, const char *name,
                                               const char *what, void *argument);
/* Cleans up in reverse. Shared objects stay loaded: the db may know models of theirs. NULL is ignored. */
CORM_API void corm_plugins_close(corm_plugins *plugins);

#ifdef __cplusplus
}
#endif
#endif
