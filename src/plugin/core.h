// SPDX-License-Identifier: MIT
/* core.h -- what the files of this folder share. */
#ifndef PLUGIN_CORE_H
#define PLUGIN_CORE_H

#include "base/arena.h"
#include "corm/plugin.h"

/* Something that a plugin added. */
typedef struct plugin_part {
    struct plugin_part *next; /* the one before */
    const corm_model   *model;
    const char         *hook, *middleware; /* names */
    corm_subscription  *subscription;
} plugin_part;

struct corm_plugin_host {
    corm_plugin_host    *next; /* in the set, in the order of adding */
    corm_plugins        *set;
    const corm_plugin   *plugin;
    corm_feature_options options;
    base_arena           arena;   /* of the options and the parts */
    void                *library; /* of dlopen; NULL: it is in the program */
    void                *state;
    bool                 started;
    uint32_t             mark;           /* order.c */
    corm_plugin_host    *started_before; /* the one that began before it */
    plugin_part         *parts;          /* the newest first */
};

struct corm_plugins {
    corm_db          *db;
    corm_events      *events;
    bool              owns_events;
    corm_plugin_host *first, *last_started;
};

corm_plugin_host *plugin__find(const corm_plugins *set, const char *name);

/* Whether the text is a version; whether it is in the range. */
bool plugin__is_version(const char *version);
bool plugin__is_range(const char *range);
bool plugin__fits(const char *version, const char *range);

/* Calls begin() for each that has not started, behind its dependencies. */
CORM_CHECKED corm_status plugin__in_order(corm_plugins *set,
                                          corm_status (*begin)(corm_plugin_host *host,
                                                               corm_error       *err),
                                          corm_error *err);

/* Takes back all that it added. */
void plugin__undo_parts(corm_plugin_host *host);

/* The plugin of a shared object. */
CORM_CHECKED corm_status plugin__load(const char *path, void **library, const corm_plugin **out,
                                      corm_error *err);
void                     plugin__unload(void *library);

#endif
