// SPDX-License-Identifier: MIT
/* settings.h -- a cluster's options with every default filled in, copied into one arena. Immutable once made. */
#ifndef DRIVER_SETTINGS_H
#define DRIVER_SETTINGS_H

#include "base/arena.h"
#include "corm/cluster.h"
#include "wire/frame.h"

typedef struct driver_contact {
    const char *name; /* a host name or a numeric address */
    uint16_t    port;
} driver_contact;

typedef struct driver_settings {
    base_arena            arena;
    uint32_t              contact_count;
    const driver_contact *contacts;
    corm_cluster_options
                     options; /* no member is "default" any more but page_token_key, which stands
                                        * below; texts live in the arena */
    corm_consistency consistency; /* the session's */
    corm_profile     profile;     /* of requests that name none */
    uint8_t          page_token_key[32];
    char             client_id[37]; /* a UUID, shown to the server */
} driver_settings;

/* Copies and completes the options. CORM_INVALID_ARGUMENT names the member that is out of range. `out` is released by
 * driver__settings_free(), also after a failure. */
CORM_CHECKED corm_status driver__settings_make(const driver_contact       *contacts,
                                               uint32_t                    contact_count,
                                               const corm_cluster_options *options,
                                               corm_consistency consistency, driver_settings *out,
                                               corm_error *err);
void                     driver__settings_free(driver_settings *settings);

/* The one that a request names, complete like the options; `name` NULL or empty: settings->profile. NULL when there is none
 * of the name. */
const corm_profile *driver__settings_profile(const driver_settings *settings, const char *name);

#endif
